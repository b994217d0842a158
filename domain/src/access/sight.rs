//! What a principal may be told of something that it sees: not all who see a door may know who came, and with what.

use super::{Denial, Principal, Role, needed_role};
use crate::{clock::Timestamp, command::CommandKind, event::Told, ids::SiteId, record::RecordKind};

impl Principal {
    /// Whether this principal may be told what `told` is of, in the details of an event at this site.
    #[must_use]
    pub fn may_be_told(&self, told: Told, site: Option<SiteId>, now: Timestamp) -> bool {
        let held = site.map_or(self.role, |site| self.role_at(site));
        self.is_valid(now)
            && match told {
                Told::Plain => true,
                Told::Name => held >= Role::Operator,
                Told::Person => self.may_see_people(now).is_ok() && self.limits.sees_everything(),
            }
    }

    /// Decides whether this principal may look at people, and at what they hold and are assigned. That they see the whole
    /// organization is the finder's business.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_see_people(&self, now: Timestamp) -> Result<(), Denial> {
        self.must_be(Role::Manager, now)
    }

    /// Whether this principal may be told what a command of `kind` to something at this site brought back: who asked for
    /// it, and whoever might have by their role.
    #[must_use]
    pub fn may_see_result(&self, requester: &str, kind: CommandKind, site: SiteId) -> bool {
        requester == self.actor.to_string() || self.role_at(site) >= needed_role(kind)
    }

    /// Decides whether this principal may read records of `kind`: those of people need MANAGER.
    ///
    /// # Errors
    /// The reason why not.
    pub fn may_read(&self, kind: RecordKind, now: Timestamp) -> Result<(), Denial> {
        if kind.is_personal() { self.may_see_people(now) } else { self.must_be(Role::Viewer, now) }
    }
}
