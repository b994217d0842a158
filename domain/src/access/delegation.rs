//! Which keys a caller may make: none that may do more than they may themselves. What is not asked for is inherited.

use std::collections::{BTreeMap, BTreeSet};

use super::{Denial, Limits, Principal, Role};
use crate::{
    clock::Timestamp,
    command::CommandKind,
    ids::{DoorId, SiteId},
};

/// A key that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyWish {
    /// What it is to do.
    pub role: Role,
    /// The sites that it is to see; with no `doors` and none of these, what its maker sees.
    pub sites: Option<BTreeSet<SiteId>>,
    /// The doors that it is to see beside them, with their sites. Its maker sees each of them.
    pub doors: Option<BTreeMap<DoorId, SiteId>>,
    /// The commands that it is to send; what its maker may send without.
    pub verbs: Option<BTreeSet<CommandKind>>,
    /// From when on it is not to count; when its maker ends without.
    pub expires_at: Option<Timestamp>,
    /// How many commands it is to send.
    pub max_uses: Option<u32>,
}

/// A key that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// What it may do.
    pub role: Role,
    /// What it is limited to.
    pub limits: Limits,
    /// From when on it does not count.
    pub expires_at: Option<Timestamp>,
    /// How many commands it may send.
    pub max_uses: Option<u32>,
}

/// The key that `maker` makes by this wish.
///
/// # Errors
/// The maker may make none, or it would be more than they have.
pub fn narrowed(maker: &Principal, wish: KeyWish, now: Timestamp) -> Result<NewKey, Denial> {
    maker.may_change(Role::Manager, now)?;
    let KeyWish { role, sites, doors, verbs, expires_at, max_uses } = wish;
    if role > maker.role {
        return Err(Denial::MoreThanYours("role"));
    }
    let own = &maker.limits;
    let (sites, doors) = if sites.is_none() && doors.is_none() {
        (own.sites.clone(), own.doors.clone())
    } else {
        if !sites.iter().flatten().all(|site| own.sees_site(*site)) {
            return Err(Denial::MoreThanYours("siteIds"));
        }
        if !doors.iter().flatten().all(|(door, site)| own.sees_door(*door, *site)) {
            return Err(Denial::MoreThanYours("doorIds"));
        }
        (sites, doors.map(|doors| doors.into_keys().collect()))
    };
    let verbs = match (verbs, &own.verbs) {
        (None, own) => own.clone(),
        (Some(verbs), Some(own)) if !verbs.is_subset(own) => return Err(Denial::MoreThanYours("commandKinds")),
        (verbs, _) => verbs,
    };
    let expires_at = match (expires_at, maker.expires_at) {
        (None, end) => end,
        (Some(wished), Some(end)) if wished > end => return Err(Denial::MoreThanYours("expiresAt")),
        (wished, _) => wished,
    };
    Ok(NewKey { role, limits: Limits { sites, doors, verbs }, expires_at, max_uses })
}

/// Whether a key with this role and these limits still does no more than its maker. `at` says where its doors are; one
/// that is nowhere opens nothing.
#[must_use]
pub fn is_within(maker: &Principal, role: Role, limits: &Limits, at: &BTreeMap<DoorId, SiteId>) -> bool {
    let own = &maker.limits;
    let sees_no_more = own.sees_everything()
        || (!limits.sees_everything()
            && limits.sites.iter().flatten().all(|site| own.sees_site(*site))
            && limits.doors.iter().flatten().all(|door| at.get(door).is_none_or(|site| own.sees_door(*door, *site))));
    let sends_no_more = match (&limits.verbs, &own.verbs) {
        (_, None) => true,
        (Some(verbs), Some(own)) => verbs.is_subset(own),
        (None, Some(_)) => false,
    };
    role <= maker.role && maker.role >= Role::Manager && sees_no_more && sends_no_more
}

impl Limits {
    /// Whether a site is visible with all that is in it.
    pub(super) fn sees_site(&self, site: SiteId) -> bool {
        self.sees_everything() || self.sites.as_ref().is_some_and(|sites| sites.contains(&site))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection, option, prelude::*, sample::select};
    use uuid::Uuid;

    use super::*;
    use crate::{
        access::Actor,
        ids::{ApiKeyId, OrganizationId},
    };

    fn site(number: u128) -> SiteId {
        SiteId(Uuid::from_u128(number))
    }

    /// Two doors at each site.
    fn door(number: u128) -> (DoorId, SiteId) {
        (DoorId(Uuid::from_u128(number)), site(number / 2))
    }

    fn verbs() -> impl Strategy<Value = Option<BTreeSet<CommandKind>>> {
        option::of(collection::btree_set(select(CommandKind::ALL), 1..4))
    }

    fn time() -> impl Strategy<Value = Option<Timestamp>> {
        option::of((1_i64..5).prop_map(|seconds| Timestamp::from_timestamp_secs(seconds).unwrap()))
    }

    fn sites() -> impl Strategy<Value = Option<BTreeSet<SiteId>>> {
        option::of(collection::btree_set((0_u128..4).prop_map(site), 1..4))
    }

    fn doors() -> impl Strategy<Value = Option<BTreeMap<DoorId, SiteId>>> {
        option::of(
            collection::btree_map(0_u128..8, Just(()), 1..4).prop_map(|doors| doors.into_keys().map(door).collect()),
        )
    }

    prop_compose! {
        fn maker()(
            role in select(Role::ALL), sites in sites(), doors in doors(), verbs in verbs(), expires_at in time(),
            counted in any::<bool>(),
        ) -> Principal {
            Principal {
                organization: OrganizationId(Uuid::nil()),
                actor: Actor::ApiKey(ApiKeyId(Uuid::nil())),
                role,
                at_sites: BTreeMap::new(),
                limits: Limits { sites, doors: doors.map(|doors| doors.into_keys().collect()), verbs },
                own_doors: BTreeSet::new(),
                counted,
                expires_at,
            }
        }
    }

    prop_compose! {
        fn wish()(
            role in select(Role::ALL), sites in sites(), doors in doors(), verbs in verbs(), expires_at in time(),
            max_uses in option::of(1_u32..3),
        ) -> KeyWish {
            KeyWish { role, sites, doors, verbs, expires_at, max_uses }
        }
    }

    proptest! {
        #[test]
        fn no_key_may_do_what_its_maker_may_not(maker in maker(), wish in wish()) {
            let now = Timestamp::default();
            let Ok(key) = narrowed(&maker, wish, now) else { return Ok(()) };
            let made = Principal {
                role: key.role, limits: key.limits, counted: key.max_uses.is_some(), expires_at: key.expires_at, ..maker.clone()
            };
            for second in 0..6 {
                let then = Timestamp::from_timestamp_secs(second).unwrap();
                for kind in CommandKind::ALL {
                    prop_assert!(made.may_send(*kind, then).is_err() || maker.may_send(*kind, then).is_ok());
                }
                prop_assert!(made.may_change(key.role, then).is_err() || maker.may_change(key.role, then).is_ok());
            }
            for number in 0..8 {
                let (door, site) = door(number);
                prop_assert!(!made.limits.sees_door(door, site) || maker.limits.sees_door(door, site));
                // A door that is built tomorrow.
                let later = DoorId(Uuid::from_u128(100 + number));
                prop_assert!(!made.limits.sees_door(later, site) || maker.limits.sees_door(later, site));
            }
            prop_assert!(!maker.counted && maker.role >= Role::Manager);
            prop_assert!(is_within(&maker, made.role, &made.limits, &(0..8).map(door).collect()));
        }

        /// What a key may do that is within its maker, its maker may do, whoever made it.
        #[test]
        fn a_key_that_is_within_does_no_more(maker in maker(), other in maker()) {
            let now = Timestamp::default();
            if is_within(&maker, other.role, &other.limits, &(0..8).map(door).collect()) {
                for number in 0..8 {
                    let (door, site) = door(number);
                    prop_assert!(!other.limits.sees_door(door, site) || maker.limits.sees_door(door, site));
                }
                let (maker, key) = (Principal { expires_at: None, ..maker }, Principal { expires_at: None, ..other });
                for kind in CommandKind::ALL {
                    prop_assert!(key.may_send(*kind, now).is_err() || maker.may_send(*kind, now).is_ok());
                }
            } else {
                let same = is_within(&maker, maker.role, &maker.limits, &(0..8).map(door).collect());
                prop_assert!(same || maker.role < Role::Manager);
            }
        }

        #[test]
        fn what_is_not_asked_for_is_inherited(maker in maker()) {
            let wish = KeyWish { role: Role::Viewer, sites: None, doors: None, verbs: None, expires_at: None, max_uses: None };
            if let Ok(key) = narrowed(&maker, wish, Timestamp::default()) {
                prop_assert_eq!(key.limits, maker.limits);
                prop_assert_eq!(key.expires_at, maker.expires_at);
            }
        }
    }

    #[test]
    fn a_refusal_names_what_is_too_much() {
        let maker = Principal {
            organization: OrganizationId(Uuid::nil()),
            actor: Actor::ApiKey(ApiKeyId(Uuid::nil())),
            role: Role::Manager,
            at_sites: BTreeMap::new(),
            limits: Limits {
                sites: Some(BTreeSet::from([site(1)])),
                doors: None,
                verbs: Some(BTreeSet::from([CommandKind::OpenDoor])),
            },
            own_doors: BTreeSet::new(),
            counted: false,
            expires_at: Timestamp::from_timestamp_secs(2),
        };
        let fits = KeyWish {
            role: Role::Operator,
            sites: None,
            doors: Some(BTreeMap::from([door(2)])),
            verbs: Some(BTreeSet::from([CommandKind::OpenDoor])),
            expires_at: Timestamp::from_timestamp_secs(1),
            max_uses: Some(1),
        };
        let judge = |wish: KeyWish| narrowed(&maker, wish, Timestamp::default()).map(|_| ());
        assert_eq!(judge(fits.clone()), Ok(()));
        let more = |what| Err(Denial::MoreThanYours(what));
        assert_eq!(judge(KeyWish { role: Role::Admin, ..fits.clone() }), more("role"));
        assert_eq!(judge(KeyWish { sites: Some(BTreeSet::from([site(2)])), ..fits.clone() }), more("siteIds"));
        assert_eq!(judge(KeyWish { doors: Some(BTreeMap::from([door(4)])), ..fits.clone() }), more("doorIds"));
        let lock = Some(BTreeSet::from([CommandKind::LockDoor]));
        assert_eq!(judge(KeyWish { verbs: lock, ..fits.clone() }), more("commandKinds"));
        assert_eq!(judge(KeyWish { expires_at: Timestamp::from_timestamp_secs(3), ..fits }), more("expiresAt"));
    }
}
