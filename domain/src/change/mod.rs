//! Changes: what can be asked of a vendor's own configuration and records, in our words. Each travels as a command, so
//! that it has an outcome, a timeline and a key. Records are named by the vendor's id; secrets never stand in here.

mod access;
mod capabilities;
mod device;
mod people;
mod validate;

use serde::{Deserialize, Serialize};

pub use self::{
    access::{AccessHolder, AccessTokenPlan, AccessTokenUpdate, DeviceAccessPlan, TokenPermissions},
    capabilities::account_capabilities,
    device::{
        AccountProfile, Address, AutoAccessOptions, DoorSettings, DoorUse, MovementAlarm, PortSide, SensorMode,
        SensorSettings,
    },
    people::{DisabledUser, FobAssignment, FobPlan, ImportOptions, UserPlan, UserSecret, UserSecrets},
    validate::ChangeError,
};
use crate::{
    clock::Timestamp,
    command::{CommandKind, Trigger},
    text_enum,
};

/// The most users, fobs or doors in one change (Lockt takes 100 records per POST, document 002).
pub const BATCH_LIMIT: usize = 100;

/// One requested change with its arguments. `secret` beside a command holds what must not be read in it:
/// the PINs of [`Change::ImportUsers`] (a JSON object from `idNumber` to PIN) and the value of an access token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Change {
    /// See [`CommandKind::StartAutoAccess`].
    #[serde(rename = "START_AUTO_ACCESS")]
    StartAutoAccess(AutoAccessOptions),
    /// See [`CommandKind::StopAutoAccess`].
    #[serde(rename = "STOP_AUTO_ACCESS")]
    StopAutoAccess,
    /// See [`CommandKind::SetAutoAccessAlwaysActive`].
    #[serde(rename = "SET_AUTO_ACCESS_ALWAYS_ACTIVE")]
    SetAutoAccessAlwaysActive {
        /// Whether the bell always opens.
        active: bool,
    },
    /// See [`CommandKind::SetOfflineAutoAccess`].
    #[serde(rename = "SET_OFFLINE_AUTO_ACCESS")]
    SetOfflineAutoAccess {
        /// Whether the bell opens while the device is offline.
        active: bool,
    },
    /// See [`CommandKind::SetMovementAlarm`].
    #[serde(rename = "SET_MOVEMENT_ALARM")]
    SetMovementAlarm {
        /// How often it reports.
        alarm: MovementAlarm,
    },
    /// See [`CommandKind::SetPhoneAccess`].
    #[serde(rename = "SET_PHONE_ACCESS")]
    SetPhoneAccess {
        /// Whether authorised phones may open the door by a call.
        enabled: bool,
    },
    /// See [`CommandKind::SetAnyCallerAccess`].
    #[serde(rename = "SET_ANY_CALLER_ACCESS")]
    SetAnyCallerAccess {
        /// Whether any phone may.
        enabled: bool,
    },
    /// See [`CommandKind::ReadDeviceVariable`].
    #[serde(rename = "READ_DEVICE_VARIABLE")]
    ReadDeviceVariable {
        /// The vendor's name of it.
        variable: String,
    },
    /// See [`CommandKind::ReadDeviceInformation`].
    #[serde(rename = "READ_DEVICE_INFORMATION")]
    ReadDeviceInformation,
    /// See [`CommandKind::ExecuteDeviceFunction`].
    #[serde(rename = "EXECUTE_DEVICE_FUNCTION")]
    ExecuteDeviceFunction {
        /// The vendor's name of it.
        function: String,
        /// Its argument, if it takes one.
        argument: Option<String>,
    },
    /// See [`CommandKind::RemoveDevice`].
    #[serde(rename = "REMOVE_DEVICE")]
    RemoveDevice,
    /// See [`CommandKind::CreateDoor`].
    #[serde(rename = "CREATE_DOOR")]
    CreateDoor(DoorSettings),
    /// See [`CommandKind::CreateDoors`].
    #[serde(rename = "CREATE_DOORS")]
    CreateDoors {
        /// Their names, each new at the vendor.
        names: Vec<String>,
    },
    /// See [`CommandKind::UpdateDoor`].
    #[serde(rename = "UPDATE_DOOR")]
    UpdateDoor(DoorSettings),
    /// See [`CommandKind::DeleteDoor`].
    #[serde(rename = "DELETE_DOOR")]
    DeleteDoor,
    /// See [`CommandKind::CreateSensor`].
    #[serde(rename = "CREATE_SENSOR")]
    CreateSensor(SensorSettings),
    /// See [`CommandKind::UpdateSensor`].
    #[serde(rename = "UPDATE_SENSOR")]
    UpdateSensor {
        /// Which.
        sensor: String,
        /// What it is to be.
        settings: SensorSettings,
    },
    /// See [`CommandKind::DeleteSensor`].
    #[serde(rename = "DELETE_SENSOR")]
    DeleteSensor {
        /// Which.
        sensor: String,
    },
    /// See [`CommandKind::AuthorizePhone`].
    #[serde(rename = "AUTHORIZE_PHONE")]
    AuthorizePhone {
        /// Digits with the country code, without a plus.
        number: String,
        /// Whether it may open at once; false registers it suspended.
        authorized: bool,
    },
    /// See [`CommandKind::SuspendPhone`].
    #[serde(rename = "SUSPEND_PHONE")]
    SuspendPhone {
        /// The vendor's record of the number.
        phone: String,
    },
    /// See [`CommandKind::ResumePhone`].
    #[serde(rename = "RESUME_PHONE")]
    ResumePhone {
        /// The vendor's record of the number.
        phone: String,
    },
    /// See [`CommandKind::RemovePhone`].
    #[serde(rename = "REMOVE_PHONE")]
    RemovePhone {
        /// The vendor's record of the number.
        phone: String,
    },
    /// See [`CommandKind::GrantDeviceAccess`].
    #[serde(rename = "GRANT_DEVICE_ACCESS")]
    GrantDeviceAccess(DeviceAccessPlan),
    /// See [`CommandKind::ChangeDeviceAccess`].
    #[serde(rename = "CHANGE_DEVICE_ACCESS")]
    ChangeDeviceAccess {
        /// Whose.
        holder: AccessHolder,
        /// What it is to be; what is absent stays.
        plan: DeviceAccessPlan,
    },
    /// See [`CommandKind::SuspendDeviceAccess`].
    #[serde(rename = "SUSPEND_DEVICE_ACCESS")]
    SuspendDeviceAccess {
        /// Whose.
        holder: AccessHolder,
    },
    /// See [`CommandKind::ResumeDeviceAccess`].
    #[serde(rename = "RESUME_DEVICE_ACCESS")]
    ResumeDeviceAccess {
        /// Whose.
        holder: AccessHolder,
    },
    /// See [`CommandKind::RevokeDeviceAccess`].
    #[serde(rename = "REVOKE_DEVICE_ACCESS")]
    RevokeDeviceAccess {
        /// Whose.
        holder: AccessHolder,
    },
    /// See [`CommandKind::CreateAutoAccessSchedule`].
    #[serde(rename = "CREATE_AUTO_ACCESS_SCHEDULE")]
    CreateAutoAccessSchedule {
        /// When the door begins to listen.
        starts_at: Timestamp,
        /// For how many minutes.
        minutes: u32,
    },
    /// See [`CommandKind::UpdateAutoAccessSchedule`].
    #[serde(rename = "UPDATE_AUTO_ACCESS_SCHEDULE")]
    UpdateAutoAccessSchedule {
        /// Which.
        schedule: String,
        /// When the door begins to listen.
        starts_at: Timestamp,
        /// For how many minutes.
        minutes: u32,
    },
    /// See [`CommandKind::DeleteAutoAccessSchedule`].
    #[serde(rename = "DELETE_AUTO_ACCESS_SCHEDULE")]
    DeleteAutoAccessSchedule {
        /// Which.
        schedule: String,
    },
    /// See [`CommandKind::UpdateAccountProfile`].
    #[serde(rename = "UPDATE_ACCOUNT_PROFILE")]
    UpdateAccountProfile(AccountProfile),
    /// See [`CommandKind::ImportUsers`].
    #[serde(rename = "IMPORT_USERS")]
    ImportUsers {
        /// At most [`BATCH_LIMIT`].
        users: Vec<UserPlan>,
        /// How.
        options: ImportOptions,
    },
    /// See [`CommandKind::DisableUsers`].
    #[serde(rename = "DISABLE_USERS")]
    DisableUsers {
        /// At most [`BATCH_LIMIT`]. Who is not there is as good as disabled, and is not created.
        users: Vec<DisabledUser>,
    },
    /// See [`CommandKind::CreateFobs`].
    #[serde(rename = "CREATE_FOBS")]
    CreateFobs {
        /// At most [`BATCH_LIMIT`].
        fobs: Vec<FobPlan>,
    },
    /// See [`CommandKind::AssignFobs`].
    #[serde(rename = "ASSIGN_FOBS")]
    AssignFobs {
        /// At most [`BATCH_LIMIT`].
        assignments: Vec<FobAssignment>,
    },
    /// See [`CommandKind::ReissueCredentials`].
    #[serde(rename = "REISSUE_CREDENTIALS")]
    ReissueCredentials {
        /// The vendor's ids of them; at most [`BATCH_LIMIT`].
        credentials: Vec<String>,
    },
    /// See [`CommandKind::ReadNextCardNumber`].
    #[serde(rename = "READ_NEXT_CARD_NUMBER")]
    ReadNextCardNumber,
    /// See [`CommandKind::AddPmsAccessToken`].
    #[serde(rename = "ADD_PMS_ACCESS_TOKEN")]
    AddPmsAccessToken(AccessTokenPlan),
    /// See [`CommandKind::UpdatePmsAccessToken`].
    #[serde(rename = "UPDATE_PMS_ACCESS_TOKEN")]
    UpdatePmsAccessToken {
        /// Which.
        token: String,
        /// What is to change; what is absent stays.
        update: AccessTokenUpdate,
    },
    /// See [`CommandKind::DeletePmsAccessToken`].
    #[serde(rename = "DELETE_PMS_ACCESS_TOKEN")]
    DeletePmsAccessToken {
        /// Which.
        token: String,
    },
}

text_enum! {
    /// What a change is asked of.
    pub enum ChangeScope {
        /// One door.
        Door = "DOOR",
        /// A device as a whole.
        Device = "DEVICE",
        /// The vendor account.
        Account = "ACCOUNT",
    }
}

impl Change {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> CommandKind {
        use CommandKind as Kind;
        match self {
            Self::StartAutoAccess(_) => Kind::StartAutoAccess,
            Self::StopAutoAccess => Kind::StopAutoAccess,
            Self::SetAutoAccessAlwaysActive { .. } => Kind::SetAutoAccessAlwaysActive,
            Self::SetOfflineAutoAccess { .. } => Kind::SetOfflineAutoAccess,
            Self::SetMovementAlarm { .. } => Kind::SetMovementAlarm,
            Self::SetPhoneAccess { .. } => Kind::SetPhoneAccess,
            Self::SetAnyCallerAccess { .. } => Kind::SetAnyCallerAccess,
            Self::ReadDeviceVariable { .. } => Kind::ReadDeviceVariable,
            Self::ReadDeviceInformation => Kind::ReadDeviceInformation,
            Self::ExecuteDeviceFunction { .. } => Kind::ExecuteDeviceFunction,
            Self::RemoveDevice => Kind::RemoveDevice,
            Self::CreateDoor(_) => Kind::CreateDoor,
            Self::CreateDoors { .. } => Kind::CreateDoors,
            Self::UpdateDoor(_) => Kind::UpdateDoor,
            Self::DeleteDoor => Kind::DeleteDoor,
            Self::CreateSensor(_) => Kind::CreateSensor,
            Self::UpdateSensor { .. } => Kind::UpdateSensor,
            Self::DeleteSensor { .. } => Kind::DeleteSensor,
            Self::AuthorizePhone { .. } => Kind::AuthorizePhone,
            Self::SuspendPhone { .. } => Kind::SuspendPhone,
            Self::ResumePhone { .. } => Kind::ResumePhone,
            Self::RemovePhone { .. } => Kind::RemovePhone,
            Self::GrantDeviceAccess(_) => Kind::GrantDeviceAccess,
            Self::ChangeDeviceAccess { .. } => Kind::ChangeDeviceAccess,
            Self::SuspendDeviceAccess { .. } => Kind::SuspendDeviceAccess,
            Self::ResumeDeviceAccess { .. } => Kind::ResumeDeviceAccess,
            Self::RevokeDeviceAccess { .. } => Kind::RevokeDeviceAccess,
            Self::CreateAutoAccessSchedule { .. } => Kind::CreateAutoAccessSchedule,
            Self::UpdateAutoAccessSchedule { .. } => Kind::UpdateAutoAccessSchedule,
            Self::DeleteAutoAccessSchedule { .. } => Kind::DeleteAutoAccessSchedule,
            Self::UpdateAccountProfile(_) => Kind::UpdateAccountProfile,
            Self::ImportUsers { .. } => Kind::ImportUsers,
            Self::DisableUsers { .. } => Kind::DisableUsers,
            Self::CreateFobs { .. } => Kind::CreateFobs,
            Self::AssignFobs { .. } => Kind::AssignFobs,
            Self::ReissueCredentials { .. } => Kind::ReissueCredentials,
            Self::ReadNextCardNumber => Kind::ReadNextCardNumber,
            Self::AddPmsAccessToken(_) => Kind::AddPmsAccessToken,
            Self::UpdatePmsAccessToken { .. } => Kind::UpdatePmsAccessToken,
            Self::DeletePmsAccessToken { .. } => Kind::DeletePmsAccessToken,
        }
    }

    /// What it is asked of.
    #[must_use]
    pub const fn scope(&self) -> ChangeScope {
        match self {
            Self::StartAutoAccess(_)
            | Self::StopAutoAccess
            | Self::SetPhoneAccess { .. }
            | Self::SetAnyCallerAccess { .. }
            | Self::UpdateDoor(_)
            | Self::DeleteDoor
            | Self::CreateAutoAccessSchedule { .. }
            | Self::UpdateAutoAccessSchedule { .. } => ChangeScope::Door,
            Self::UpdateAccountProfile(_)
            | Self::CreateDoors { .. }
            | Self::ImportUsers { .. }
            | Self::DisableUsers { .. }
            | Self::CreateFobs { .. }
            | Self::AssignFobs { .. }
            | Self::ReissueCredentials { .. }
            | Self::ReadNextCardNumber
            | Self::AddPmsAccessToken(_)
            | Self::UpdatePmsAccessToken { .. }
            | Self::DeletePmsAccessToken { .. } => ChangeScope::Account,
            _ => ChangeScope::Device,
        }
    }

    /// What it is about, within its lane: changes of one subject keep their order, others do not wait for each other.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::StartAutoAccess(_) | Self::StopAutoAccess => "auto access".to_owned(),
            Self::CreateAutoAccessSchedule { starts_at, .. } => format!("schedule at {starts_at}"),
            Self::UpdateAutoAccessSchedule { schedule, .. } | Self::DeleteAutoAccessSchedule { schedule } => {
                format!("schedule {schedule}")
            }
            Self::UpdateSensor { sensor, .. } | Self::DeleteSensor { sensor } => format!("sensor {sensor}"),
            Self::AuthorizePhone { number, .. } => format!("number {number}"),
            Self::SuspendPhone { phone } | Self::ResumePhone { phone } | Self::RemovePhone { phone } => {
                format!("phone {phone}")
            }
            // By e-mail and by record the same person may be meant: they keep their order among each other.
            Self::GrantDeviceAccess(_)
            | Self::ChangeDeviceAccess { .. }
            | Self::SuspendDeviceAccess { .. }
            | Self::ResumeDeviceAccess { .. }
            | Self::RevokeDeviceAccess { .. } => "device access".to_owned(),
            // What takes somebody's access away waits for what is asked for that person, and for nobody else's matter.
            Self::ImportUsers { users, .. } if users.len() == 1 => of_person(users.iter().map(|user| &user.id_number)),
            Self::DisableUsers { users } if users.len() == 1 => of_person(users.iter().map(|user| &user.id_number)),
            // A fob or credential may belong to somebody whom an import changes.
            Self::ImportUsers { .. }
            | Self::DisableUsers { .. }
            | Self::CreateFobs { .. }
            | Self::AssignFobs { .. }
            | Self::ReissueCredentials { .. } => "people".to_owned(),
            Self::AddPmsAccessToken(plan) => format!("serial {}", plan.serial_number),
            Self::UpdatePmsAccessToken { token, .. } | Self::DeletePmsAccessToken { token } => format!("token {token}"),
            Self::CreateDoor(_) | Self::CreateDoors { .. } | Self::UpdateDoor(_) | Self::DeleteDoor => {
                "doors".to_owned()
            }
            other => other.kind().as_str().to_owned(),
        }
    }

    /// Whether it may be sent again after it may have left.
    ///
    /// What opens, or lets the bell open, is an edge: repeated after somebody has ended it, it would open for the wrong
    /// person. What creates is repeated only after a look that did not find it. Reissuing makes a new key each time.
    #[must_use]
    pub const fn trigger(&self) -> Trigger {
        match self {
            Self::StartAutoAccess(_)
            | Self::SetAutoAccessAlwaysActive { active: true }
            | Self::SetOfflineAutoAccess { active: true }
            | Self::SetPhoneAccess { enabled: true }
            | Self::SetAnyCallerAccess { enabled: true }
            | Self::ExecuteDeviceFunction { .. }
            | Self::ReissueCredentials { .. } => Trigger::Edge,
            Self::CreateDoor(_)
            | Self::CreateDoors { .. }
            | Self::CreateSensor(_)
            | Self::AuthorizePhone { .. }
            | Self::GrantDeviceAccess(_)
            | Self::CreateAutoAccessSchedule { .. }
            | Self::UpdateAutoAccessSchedule { .. }
            | Self::ImportUsers { .. }
            | Self::CreateFobs { .. }
            | Self::AddPmsAccessToken(_) => Trigger::Record,
            _ => Trigger::Level,
        }
    }
}

fn of_person<'a>(id_numbers: impl Iterator<Item = &'a String>) -> String {
    id_numbers.map(|number| format!("person {number}")).collect()
}
