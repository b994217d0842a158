//! Which doors a room of a PMS stands for.

use std::collections::BTreeSet;

use domain::ids::{DoorId, VendorAccountId};
use entities::{find, store::mappings};

use super::{doors_for, permit, tell};
use crate::{
    actions::{Refusal, accounts::Answer},
    auth::Session,
    shared::Shared,
};

/// A room, and the doors that it stands for.
pub(crate) struct Mapping {
    pub(crate) account: VendorAccountId,
    pub(crate) resource: String,
    pub(crate) doors: BTreeSet<DoorId>,
}

/// Makes a room stand for these doors and no others. Doing it again changes nothing.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn map_resource(
    shared: &Shared,
    session: &Session,
    account: &str,
    resource: &str,
    doors: &[String],
) -> Answer<Mapping> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(refusal));
    }
    let absent = Refusal::NotFound { field: "vendorAccountId" };
    let Ok(account) = account.parse::<VendorAccountId>() else { return Ok(Err(absent)) };
    if find::vendor_accounts::one(&shared.database, &session.scope, account).await?.is_none() {
        return Ok(Err(absent));
    }
    let asked = [(account, resource.to_owned())];
    if find::resources::records(&shared.database, &session.scope, &asked).await?.is_empty() {
        return Ok(Err(Refusal::NotFound { field: "resource" }));
    }
    let doors = match doors_for(shared, session, doors, None).await? {
        Ok(doors) => doors,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (by, now) = (session.principal.actor.to_string(), shared.clock.now());
    for settled in mappings::map(&shared.database, &shared.settling(), account, resource, &doors, &by, now).await? {
        tell(shared, &settled).await;
    }
    Ok(Ok(Mapping { account, resource: resource.to_owned(), doors }))
}
