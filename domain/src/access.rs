//! Who may do what: roles, the limits of a key, and the decision on each action.
//! What a principal may see is [`Limits`]; the finders of `entities` turn it into SQL. `delegation` says which keys a
//! caller may make, `membership` what a person may do by their memberships, `sight` what of something seen is told.

mod delegation;
mod membership;
mod sight;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    command::CommandKind,
    ids::{ApiKeyId, DoorId, InvalidId, OrganizationId, SiteId, UserId},
    text_enum,
};

pub use self::{
    delegation::{KeyWish, NewKey, is_within, narrowed},
    membership::{Member, of_memberships},
};

text_enum! {
    /// What a member or key may do; each role includes the ones before it.
    pub enum Role {
        /// Sees.
        Viewer = "VIEWER",
        /// Opens, closes, locks, books.
        Operator = "OPERATOR",
        /// Forces, syncs devices, and makes keys that may do no more.
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

impl std::str::FromStr for Actor {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().map(Self::ApiKey).or_else(|_| text.parse().map(Self::User))
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
    /// What it may do wherever it sees something.
    pub role: Role,
    /// Where it may do more.
    pub at_sites: BTreeMap<SiteId, Role>,
    /// What it is limited to.
    pub limits: Limits,
    /// Doors that a person sees beside them, because something of theirs is for these at present. No role counts there.
    pub own_doors: BTreeSet<DoorId>,
    /// Whether each of its commands is counted, because it may send so many only. It changes nothing else.
    pub counted: bool,
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
    /// The door is seen only because something of the person's is for it.
    #[error("This needs the role {0}; you have none at this door.")]
    NoRoleHere(Role),
    /// Nothing of the person's opens the door at this time.
    #[error("No access token, credential or access level of yours opens this door now.")]
    NotYours,
    /// The key is limited to other commands.
    #[error("Your key is not allowed to send {0}.")]
    VerbNotAllowed(CommandKind),
    /// The credential's time is over.
    #[error("Your credential has expired.")]
    Expired,
    /// It has sent as many commands as it may.
    #[error("Your key has no uses left.")]
    UsedUp,
    /// A key whose uses are counted was asked to do something else.
    #[error("The uses of your key are counted: it sends commands and changes nothing else.")]
    CommandsOnly,
    /// What the caller was let in with is not theirs any more.
    #[error("Your rights have changed just now: look at `viewer`, and ask again.")]
    Withdrawn,
    /// Somebody asked to call off what takes access away, and is not who asked for it.
    #[error("This takes access away: only who asked for it may call it off.")]
    RevocationStands,
    /// Somebody asked for a key that may do more than they may.
    #[error("A key may do no more than who makes it: `{0}` asks for more than you have.")]
    MoreThanYours(&'static str),
}

impl Principal {
    /// Whether the credential still counts at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    /// Decides whether this principal may send a command of `kind` wherever it sees something. Visibility of the target
    /// is the finder's business.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_send(&self, kind: CommandKind, now: Timestamp) -> Result<(), Denial> {
        self.may_send_with(self.role, kind, now)
    }

    /// Decides whether this principal's role lets them send a command of `kind` to something at this site: to this door,
    /// if to one.
    ///
    /// # Errors
    /// The reason why not. Of [`Self::who_may_own`] it is not the last word.
    pub fn may_send_at(
        &self,
        kind: CommandKind,
        site: SiteId,
        door: Option<DoorId>,
        now: Timestamp,
    ) -> Result<(), Denial> {
        match door {
            Some(door) if self.is_valid(now) && !self.limits.sees_door(door, site) => {
                Err(Denial::NoRoleHere(needed_role(kind)))
            }
            _ => self.may_send_with(self.role_at(site), kind, now),
        }
    }

    /// The person whose own rights decide about a command of `kind` that their role does not let them send. Only opening
    /// is anybody's own right: whatever else can be done to a door concerns others too.
    #[must_use]
    pub const fn who_may_own(&self, kind: CommandKind, denial: Denial) -> Option<UserId> {
        match (self.actor, kind, denial) {
            (Actor::User(id), CommandKind::OpenDoor, Denial::RoleTooLow { .. } | Denial::NoRoleHere(_)) => Some(id),
            _ => None,
        }
    }

    /// Decides whether there is a place at which this principal may send a command of `kind`.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_send_somewhere(&self, kind: CommandKind, now: Timestamp) -> Result<(), Denial> {
        let highest = self.at_sites.values().copied().max().unwrap_or(self.role);
        self.may_send_with(highest.max(self.role), kind, now).or_else(|denial| match self.who_may_own(kind, denial) {
            Some(_) if !self.own_doors.is_empty() => Ok(()),
            _ => Err(denial),
        })
    }

    /// The key whose uses are to be counted, if they are.
    #[must_use]
    pub const fn counted_key(&self) -> Option<ApiKeyId> {
        match self.actor {
            Actor::ApiKey(id) if self.counted => Some(id),
            _ => None,
        }
    }

    /// Whether the rights that this principal was let in with are those that it has `now`, read again.
    #[must_use]
    pub fn still_is(&self, now: &Self) -> bool {
        (self.role, &self.at_sites, &self.limits) == (now.role, &now.at_sites, &now.limits)
    }

    /// Decides whether what this principal sent a while ago may still be sent. Unlike at first, the target was not looked
    /// for as they see it.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_still_send(
        &self,
        kind: CommandKind,
        site: SiteId,
        door: Option<DoorId>,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let limits = &self.limits;
        let sees_no_device = door.is_none() && limits.doors.is_none() && !limits.sees_site(site);
        if sees_no_device {
            Err(Denial::NoRoleHere(needed_role(kind)))
        } else {
            self.may_send_at(kind, site, door, now)
        }
    }

    /// What it may do at a site that it sees.
    #[must_use]
    pub fn role_at(&self, site: SiteId) -> Role {
        self.at_sites.get(&site).map_or(self.role, |role| self.role.max(*role))
    }

    fn may_send_with(&self, held: Role, kind: CommandKind, now: Timestamp) -> Result<(), Denial> {
        if !self.is_valid(now) {
            return Err(Denial::Expired);
        }
        let needed = needed_role(kind);
        if held < needed {
            return Err(Denial::RoleTooLow { needed, held });
        }
        match &self.limits.verbs {
            Some(verbs) if !verbs.contains(&kind) => Err(Denial::VerbNotAllowed(kind)),
            _ => Ok(()),
        }
    }

    /// Decides whether this principal may call off a command of `kind` to something at this site, which `requester` sent.
    /// Visibility of the command is the finder's business.
    ///
    /// # Errors
    /// The reason why not. One's own may always be called off, others' by a MANAGER who might have sent it; what takes
    /// access away by nobody but who asked for it: revocation must succeed (rule 8).
    pub fn may_cancel(&self, requester: &str, kind: CommandKind, site: SiteId, now: Timestamp) -> Result<(), Denial> {
        if !self.is_valid(now) {
            return Err(Denial::Expired);
        }
        if requester == self.actor.to_string() {
            return Ok(());
        }
        let held = self.role_at(site);
        if held < Role::Manager {
            return Err(Denial::RoleTooLow { needed: Role::Manager.max(needed_role(kind)), held });
        }
        self.may_send_with(held, kind, now)?;
        if kind.revokes() {
            return Err(Denial::RevocationStands);
        }
        if self.counted { Err(Denial::CommandsOnly) } else { Ok(()) }
    }
}

impl Principal {
    /// Decides whether this principal may look at what needs `role`.
    ///
    /// # Errors
    /// The reason why not.
    pub fn must_be(&self, needed: Role, now: Timestamp) -> Result<(), Denial> {
        if !self.is_valid(now) {
            return Err(Denial::Expired);
        }
        if self.role < needed { Err(Denial::RoleTooLow { needed, held: self.role }) } else { Ok(()) }
    }

    /// Decides whether this principal may change what needs `role` and is no command.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_change(&self, needed: Role, now: Timestamp) -> Result<(), Denial> {
        self.must_be(needed, now)?;
        if self.counted { Err(Denial::CommandsOnly) } else { Ok(()) }
    }

    /// Whether this principal sees an API key that `maker` made. None is what one of the command line has, which only
    /// those see who see all.
    #[must_use]
    pub fn may_see_key(&self, maker: Option<&str>, now: Timestamp) -> bool {
        let all = self.must_be(Role::Admin, now).is_ok() && self.limits == Limits::default();
        all || (self.is_valid(now) && maker == Some(self.actor.to_string().as_str()))
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
