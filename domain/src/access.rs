//! Who may do what: roles, the limits of a key, and the decision on each action.
//! What a principal may see is [`Limits`]; the finders of `entities` turn it into SQL.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    command::CommandKind,
    ids::{ApiKeyId, DoorId, OrganizationId, SiteId, UserId},
    record::RecordKind,
    text_enum,
};

text_enum! {
    /// What a member or key may do; each role includes the ones before it.
    pub enum Role {
        /// Sees.
        Viewer = "VIEWER",
        /// Opens, closes, locks, books.
        Operator = "OPERATOR",
        /// Forces, and syncs devices.
        Manager = "MANAGER",
        /// Manages accounts, people and keys.
        Admin = "ADMIN",
    }
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A program.
    ApiKey(ApiKeyId),
    /// A person.
    User(UserId),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ApiKey(id) => id.fmt(formatter),
            Self::User(id) => id.fmt(formatter),
        }
    }
}

/// The part of an organization that a principal can see: everything, or the listed sites and doors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Sites seen with all that is in them; `None` together with no `doors` means every site.
    pub sites: Option<BTreeSet<SiteId>>,
    /// Doors seen beside those of `sites`.
    pub doors: Option<BTreeSet<DoorId>>,
    /// The only commands allowed; `None` means whatever the role allows.
    pub verbs: Option<BTreeSet<CommandKind>>,
}

impl Limits {
    /// Whether everything in the organization is visible.
    #[must_use]
    pub const fn sees_everything(&self) -> bool {
        self.sites.is_none() && self.doors.is_none()
    }

    /// Whether a door at a site is visible.
    #[must_use]
    pub fn sees_door(&self, door: DoorId, site: SiteId) -> bool {
        self.sees_everything()
            || self.sites.as_ref().is_some_and(|sites| sites.contains(&site))
            || self.doors.as_ref().is_some_and(|doors| doors.contains(&door))
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose data it may see.
    pub organization: OrganizationId,
    /// Who it is.
    pub actor: Actor,
    /// What it may do.
    pub role: Role,
    /// What it is limited to.
    pub limits: Limits,
    /// From when on it is nobody any more.
    pub expires_at: Option<Timestamp>,
}

/// A refusal, told apart so that the caller knows whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The role is too low.
    #[error("This needs the role {needed}; you have {held}.")]
    RoleTooLow {
        /// What is needed.
        needed: Role,
        /// What the principal has.
        held: Role,
    },
    /// The key is limited to other commands.
    #[error("Your key is not allowed to send {0}.")]
    VerbNotAllowed(CommandKind),
    /// The credential's time is over.
    #[error("Your credential has expired.")]
    Expired,
}

impl Principal {
    /// Whether the credential still counts at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    /// Decides whether this principal may send a command of `kind`. Visibility of the target is the finder's business.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_send(&self, kind: CommandKind, now: Timestamp) -> Result<(), Denial> {
        if !self.is_valid(now) {
            return Err(Denial::Expired);
        }
        let needed = needed_role(kind);
        if self.role < needed {
            return Err(Denial::RoleTooLow { needed, held: self.role });
        }
        match &self.limits.verbs {
            Some(verbs) if !verbs.contains(&kind) => Err(Denial::VerbNotAllowed(kind)),
            _ => Ok(()),
        }
    }

    /// Decides whether this principal may call off a command of `kind` that `requester` sent.
    ///
    /// # Errors
    /// The reason why not. One's own commands may always be called off, others' by a MANAGER.
    pub fn may_cancel(&self, requester: &str, now: Timestamp) -> Result<(), Denial> {
        if !self.is_valid(now) {
            return Err(Denial::Expired);
        }
        let needed = if requester == self.actor.to_string() { Role::Operator } else { Role::Manager };
        if self.role < needed { Err(Denial::RoleTooLow { needed, held: self.role }) } else { Ok(()) }
    }
}

impl Principal {
    /// Decides whether this principal may do what needs `role` and is no command: linking accounts, mapping locations,
    /// replaying webhooks.
    ///
    /// # Errors
    /// The reason why not.
    pub fn must_be(&self, needed: Role, now: Timestamp) -> Result<(), Denial> {
        if !self.is_valid(now) {
            return Err(Denial::Expired);
        }
        if self.role < needed { Err(Denial::RoleTooLow { needed, held: self.role }) } else { Ok(()) }
    }

    /// Decides whether this principal may read records of `kind`: those of people need MANAGER.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_read(&self, kind: RecordKind, now: Timestamp) -> Result<(), Denial> {
        self.must_be(if kind.is_personal() { Role::Manager } else { Role::Viewer }, now)
    }
}

/// The lowest role that may send a command of `kind`.
#[must_use]
pub const fn needed_role(kind: CommandKind) -> Role {
    match kind {
        CommandKind::OpenDoor
        | CommandKind::CloseDoor
        | CommandKind::LockDoor
        | CommandKind::UnlockDoor
        | CommandKind::BookDoor
        | CommandKind::CancelBooking
        | CommandKind::TakePhoto
        | CommandKind::StartAutoAccess
        | CommandKind::StopAutoAccess
        | CommandKind::ReadDeviceVariable
        | CommandKind::ReadDeviceInformation => Role::Operator,
        CommandKind::ForceLockDoor
        | CommandKind::ForceUnlockDoor
        | CommandKind::ForceCancelBooking
        | CommandKind::SyncDevice
        | CommandKind::SetMovementAlarm
        | CommandKind::SetPhoneAccess
        | CommandKind::AuthorizePhone
        | CommandKind::SuspendPhone
        | CommandKind::ResumePhone
        | CommandKind::RemovePhone
        | CommandKind::CreateAutoAccessSchedule
        | CommandKind::UpdateAutoAccessSchedule
        | CommandKind::DeleteAutoAccessSchedule
        | CommandKind::SuspendDeviceAccess
        | CommandKind::RevokeDeviceAccess
        | CommandKind::ImportUsers
        | CommandKind::DisableUsers
        | CommandKind::CreateFobs
        | CommandKind::AssignFobs
        | CommandKind::ReissueCredentials
        | CommandKind::ReadNextCardNumber
        | CommandKind::AddPmsAccessToken
        | CommandKind::UpdatePmsAccessToken
        | CommandKind::DeletePmsAccessToken => Role::Manager,
        // They change who rules over a device, or what it does when nobody watches.
        CommandKind::SetAutoAccessAlwaysActive
        | CommandKind::SetOfflineAutoAccess
        | CommandKind::SetAnyCallerAccess
        | CommandKind::ExecuteDeviceFunction
        | CommandKind::RemoveDevice
        | CommandKind::CreateDoor
        | CommandKind::CreateDoors
        | CommandKind::UpdateDoor
        | CommandKind::DeleteDoor
        | CommandKind::CreateSensor
        | CommandKind::UpdateSensor
        | CommandKind::DeleteSensor
        | CommandKind::GrantDeviceAccess
        | CommandKind::ChangeDeviceAccess
        | CommandKind::ResumeDeviceAccess
        | CommandKind::UpdateAccountProfile => Role::Admin,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn principal(role: Role) -> Principal {
        Principal {
            organization: OrganizationId(Uuid::nil()),
            actor: Actor::ApiKey(ApiKeyId(Uuid::from_u128(1))),
            role,
            limits: Limits::default(),
            expires_at: None,
        }
    }

    #[test]
    fn roles_include_the_lower_ones() {
        let now = Timestamp::default();
        for kind in CommandKind::ALL {
            assert!(principal(Role::Viewer).may_send(*kind, now).is_err());
            assert!(principal(Role::Admin).may_send(*kind, now).is_ok());
        }
        assert!(principal(Role::Operator).may_send(CommandKind::OpenDoor, now).is_ok());
        assert!(principal(Role::Operator).may_send(CommandKind::ForceUnlockDoor, now).is_err());
    }

    #[test]
    fn verbs_narrow_and_time_ends() {
        let now = Timestamp::default();
        let mut limited = principal(Role::Admin);
        limited.limits.verbs = Some(BTreeSet::from([CommandKind::OpenDoor]));
        assert!(limited.may_send(CommandKind::OpenDoor, now).is_ok());
        assert_eq!(limited.may_send(CommandKind::LockDoor, now), Err(Denial::VerbNotAllowed(CommandKind::LockDoor)));
        limited.expires_at = Some(now);
        assert_eq!(limited.may_send(CommandKind::OpenDoor, now), Err(Denial::Expired));
    }

    #[test]
    fn limits_are_a_union_of_sites_and_doors() {
        let (site, other) = (SiteId(Uuid::from_u128(1)), SiteId(Uuid::from_u128(2)));
        let (door, stranger) = (DoorId(Uuid::from_u128(3)), DoorId(Uuid::from_u128(4)));
        let limits =
            Limits { sites: Some(BTreeSet::from([site])), doors: Some(BTreeSet::from([door])), ..Limits::default() };
        assert!(limits.sees_door(stranger, site));
        assert!(limits.sees_door(door, other));
        assert!(!limits.sees_door(stranger, other));
        assert!(Limits::default().sees_door(stranger, other));
    }

    #[test]
    fn own_commands_may_be_called_off() {
        let now = Timestamp::default();
        let operator = principal(Role::Operator);
        assert!(operator.may_cancel(&operator.actor.to_string(), now).is_ok());
        assert!(operator.may_cancel("key_other", now).is_err());
        assert!(principal(Role::Manager).may_cancel("key_other", now).is_ok());
    }
}
