//! Which doors the rooms of the demo's hotel stand for: its own and the front door. An operator does the same with
//! `mapResource`.

use std::collections::BTreeSet;

use domain::{
    account::Vendor,
    ids::{DoorId, OrganizationId, VendorAccountId},
    stay::StayTiming,
};
use entities::{
    StoreError,
    store::{mappings, resource_doors, stays::Settling},
    work,
};

use super::SUFFIX;
use crate::foundation::Foundation;

/// Maps the rooms of the demo's hotel, once the PMS has told of them; never again after that. Says whether there is
/// nothing left to do.
///
/// # Errors
/// The database failed.
pub async fn map_rooms(
    foundation: &Foundation,
    timing: &StayTiming,
    organization: OrganizationId,
) -> Result<bool, StoreError> {
    let database = &foundation.database;
    let accounts = work::accounts_of(database, organization).await?;
    let account = |vendor: Vendor| {
        let ours = accounts.iter().find(|row| row.vendor == vendor.as_str() && row.name.ends_with(SUFFIX));
        ours.map(|row| VendorAccountId(row.id))
    };
    let (Some(pms), Some(locks)) = (account(Vendor::Mews), account(Vendor::Lockt)) else { return Ok(true) };
    if !resource_doors::list(database, pms).await?.is_empty() {
        return Ok(true);
    }
    let rooms = resource_doors::unmapped(database, pms).await?;
    let doors = work::stays::doors_at(database, locks).await?;
    let settling = Settling { ids: foundation.ids.as_ref(), timing };
    let mut mapped = 0;
    for room in &rooms {
        // A bed (304-A) is behind the door of its room.
        let number = room.name.split('-').next().unwrap_or_default();
        let own = |name: &str| name.strip_prefix("Room ").is_some_and(|door| door == number);
        if !doors.iter().any(|door| own(&door.name)) {
            continue;
        }
        let behind = doors.iter().filter(|door| own(&door.name) || door.name == FRONT_DOOR);
        let behind: BTreeSet<DoorId> = behind.map(|door| DoorId(door.id)).collect();
        let now = foundation.clock.now();
        let by = organization.to_string();
        mappings::map(database, &settling, pms, &room.external_id, &behind, &by, now).await?;
        mapped += 1;
    }
    Ok(mapped > 0)
}

/// As the demo's card locks call it. The access level of each room opens it too.
const FRONT_DOOR: &str = "Front Door";
