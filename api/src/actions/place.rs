//! What is at the other end of an order: the door, device or vendor account that a caller names, found in scope.

use domain::{
    access::Limits,
    change::{Change, ChangeScope, account_capabilities},
    command::{Action, CommandKind},
    ids::{DeviceId, DoorId, RecordId, SiteId, VendorAccountId},
};
use entities::{
    StoreError, find,
    rows::{device, vendor_account},
};
use uuid::Uuid;

use super::Refusal;
use crate::{auth::Session, shared::Shared};

/// What a command is for, by the id that the caller gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A door.
    Door(String),
    /// A device as a whole.
    Device(String),
    /// A vendor account.
    Account(String),
    /// Whatever keeps a record: its device for a change of a device, its vendor account otherwise.
    OfRecord {
        /// The argument that names the record.
        field: &'static str,
        /// The record.
        id: String,
    },
}

impl Target {
    /// The argument that names it.
    pub(super) const fn field(&self) -> &'static str {
        match self {
            Self::Door(_) => "doorId",
            Self::Device(_) => "deviceId",
            Self::Account(_) => "vendorAccountId",
            Self::OfRecord { field, .. } => field,
        }
    }
}

/// See the module.
pub(super) struct Place {
    pub(super) account: vendor_account::Model,
    /// Absent for an order to the account itself.
    pub(super) device: Option<device::Model>,
    pub(super) door: Option<DoorId>,
    /// Whether it can carry the order out.
    pub(super) capable: bool,
    /// "This door", "This device" or "This vendor account".
    pub(super) what: &'static str,
}

impl Place {
    /// Where it is; an account is where its vendor places nothing else.
    pub(super) fn site(&self) -> Uuid {
        self.device.as_ref().map_or(self.account.site_id, |device| device.site_id)
    }

    /// Whether somebody with these limits may do this here. Who is limited to single doors does not change a device as
    /// a whole: it may have others.
    ///
    /// # Errors
    /// The refusal.
    pub(super) fn allows(&self, limits: &Limits, action: &Action) -> Result<(), Refusal> {
        let reads = matches!(action.kind(), CommandKind::ReadDeviceVariable | CommandKind::ReadDeviceInformation);
        let of_device = self.door.is_none() && self.device.is_some();
        let sees_site =
            limits.sees_everything() || limits.sites.iter().flatten().any(|site| *site == SiteId(self.site()));
        if matches!(action, Action::Change(_)) && of_device && !reads && !sees_site {
            return Err(Refusal::LimitedToDoors);
        }
        Ok(())
    }
}

/// Finds what an order is for. `None` if there is no such thing, or none that the caller sees.
///
/// # Errors
/// The database failed.
pub(super) async fn find_place(
    shared: &Shared,
    session: &Session,
    target: &Target,
    action: &Action,
) -> Result<Option<Place>, StoreError> {
    let kind = action.kind();
    match target {
        Target::Door(id) => {
            let Ok(id) = id.parse::<DoorId>() else { return Ok(None) };
            let found = find::doors::target(&shared.database, &session.scope, id).await?;
            Ok(found.map(|found| Place {
                capable: found.door.capabilities().contains(&kind),
                device: Some(found.device),
                door: Some(id),
                account: found.account,
                what: "This door",
            }))
        }
        Target::Device(id) => match id.parse() {
            Ok(id) => at_device(shared, session, id, kind).await,
            Err(_) => Ok(None),
        },
        Target::Account(id) => match id.parse() {
            Ok(id) => at_account(shared, session, id, kind).await,
            Err(_) => Ok(None),
        },
        Target::OfRecord { id, .. } => {
            let Ok(id) = id.parse::<RecordId>() else { return Ok(None) };
            let found = find::records::by_ids(&shared.database, &session.scope, &[id]).await?.pop();
            let Some(record) = found else { return Ok(None) };
            match (action, record.device_id) {
                (Action::Change(change), Some(device)) if Change::scope(change) == ChangeScope::Device => {
                    at_device(shared, session, DeviceId(device), kind).await
                }
                (Action::Change(change), None) if Change::scope(change) == ChangeScope::Device => Ok(None),
                _ => at_account(shared, session, VendorAccountId(record.account_id), kind).await,
            }
        }
    }
}

async fn at_device(
    shared: &Shared,
    session: &Session,
    id: DeviceId,
    kind: CommandKind,
) -> Result<Option<Place>, StoreError> {
    let found = find::devices::target(&shared.database, &session.scope, id).await?;
    Ok(found.map(|found| Place {
        capable: found.device.capabilities().contains(&kind),
        device: Some(found.device),
        door: None,
        account: found.account,
        what: "This device",
    }))
}

async fn at_account(
    shared: &Shared,
    session: &Session,
    id: VendorAccountId,
    kind: CommandKind,
) -> Result<Option<Place>, StoreError> {
    let Some(account) = find::vendor_accounts::one(&shared.database, &session.scope, id).await? else {
        return Ok(None);
    };
    let capable = account_capabilities(account.vendor()?).contains(&kind);
    Ok(Some(Place { capable, device: None, door: None, account, what: "This vendor account" }))
}
