//! What a person may do by their memberships. A caller has one sight and one role that counts wherever they see
//! something; at single sites they may have a higher one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Actor, Limits, Principal, Role};
use crate::ids::{OrganizationId, SiteId, UserId};

/// What memberships come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The role that counts wherever they see something.
    pub role: Role,
    /// Where they have a higher one.
    pub at_sites: BTreeMap<SiteId, Role>,
    /// What they see.
    pub limits: Limits,
}

impl Member {
    /// What this person may do with these, as long as nothing limits the credential that they came with.
    #[must_use]
    pub fn principal(self, organization: OrganizationId, person: UserId) -> Principal {
        let Self { role, at_sites, limits } = self;
        Principal {
            organization,
            actor: Actor::User(person),
            role,
            at_sites,
            limits,
            own_doors: BTreeSet::new(),
            counted: false,
            expires_at: None,
        }
    }

    /// Somebody without any membership: they see nothing but what is their own.
    #[must_use]
    pub fn of_nothing() -> Self {
        let limits = Limits { sites: Some(BTreeSet::new()), doors: Some(BTreeSet::new()), verbs: None };
        Self { role: Role::Viewer, at_sites: BTreeMap::new(), limits }
    }
}

/// What somebody with these memberships may do: roles in the organization (no site) or at a site. `None` without any.
#[must_use]
pub fn of_memberships(memberships: &[(Option<SiteId>, Role)]) -> Option<Member> {
    let everywhere = memberships.iter().filter(|(site, _)| site.is_none()).map(|(_, role)| *role).max();
    let mut at_sites: BTreeMap<SiteId, Role> = BTreeMap::new();
    for (site, role) in memberships.iter().filter_map(|(site, role)| Some(((*site)?, *role))) {
        let highest = at_sites.entry(site).or_insert(role);
        *highest = role.max(*highest);
    }
    let role = everywhere.or_else(|| at_sites.values().copied().min())?;
    let sites: BTreeSet<SiteId> = at_sites.keys().copied().collect();
    at_sites.retain(|_, at_site| *at_site > role);
    let limits = Limits { sites: everywhere.is_none().then_some(sites), ..Limits::default() };
    Some(Member { role, at_sites, limits })
}

#[cfg(test)]
mod tests {
    use proptest::{collection, option, prelude::*, sample::select};
    use uuid::Uuid;

    use super::*;
    use crate::ids::DoorId;

    proptest! {
        /// At each site exactly what one was given there or everywhere, and nothing where one was given nothing.
        #[test]
        fn memberships_give_what_they_say(
            memberships in collection::vec((option::of(0_u128..3), select(Role::ALL)), 0..5),
        ) {
            let memberships: Vec<(Option<SiteId>, Role)> =
                memberships.into_iter().map(|(site, role)| (site.map(|it| SiteId(Uuid::from_u128(it))), role)).collect();
            let member = of_memberships(&memberships);
            prop_assert_eq!(member.is_none(), memberships.is_empty());
            let Some(member) = member else { return Ok(()) };
            for number in 0..4 {
                let place = SiteId(Uuid::from_u128(number));
                let given = memberships.iter().filter(|(site, _)| site.is_none_or(|site| site == place));
                let given = given.map(|(_, role)| *role).max();
                let seen = member.limits.sees_door(DoorId(Uuid::nil()), place);
                prop_assert_eq!(given.is_some(), seen);
                if seen {
                    let held = member.at_sites.get(&place).map_or(member.role, |role| member.role.max(*role));
                    prop_assert_eq!(Some(held), given);
                }
            }
            // What needs no site is judged by the lowest.
            prop_assert!(memberships.iter().any(|(_, role)| *role == member.role));
        }
    }
}
