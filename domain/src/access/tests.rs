//! Roles, limits, verbs and own rights.

use uuid::Uuid;

use super::*;
use crate::event::Told;

fn principal(role: Role) -> Principal {
    Principal {
        organization: OrganizationId(Uuid::nil()),
        actor: Actor::ApiKey(ApiKeyId(Uuid::from_u128(1))),
        role,
        at_sites: BTreeMap::new(),
        limits: Limits::default(),
        own_doors: BTreeSet::new(),
        counted: false,
        expires_at: None,
    }
}

#[test]
fn a_role_at_a_site_counts_there_only() {
    let now = Timestamp::default();
    let (site, other) = (SiteId(Uuid::from_u128(1)), SiteId(Uuid::from_u128(2)));
    let mut somebody = principal(Role::Viewer);
    somebody.at_sites.insert(site, Role::Operator);
    let open = CommandKind::OpenDoor;
    assert_eq!(somebody.may_send_at(open, site, None, now), Ok(()));
    assert_eq!(somebody.may_send_somewhere(open, now), Ok(()));
    let denied = Err(Denial::RoleTooLow { needed: Role::Operator, held: Role::Viewer });
    assert_eq!(somebody.may_send_at(open, other, None, now), denied);
    assert_eq!(somebody.may_send(open, now), denied);
}

/// A role at one site gives none at a door elsewhere that one sees because it is one's own.
#[test]
fn an_own_door_may_be_opened_and_nothing_else() {
    let now = Timestamp::default();
    let (site, other) = (SiteId(Uuid::from_u128(1)), SiteId(Uuid::from_u128(2)));
    let door = DoorId(Uuid::from_u128(3));
    let person = Principal {
        actor: Actor::User(UserId(Uuid::from_u128(4))),
        limits: Limits { sites: Some(BTreeSet::from([site])), ..Limits::default() },
        own_doors: BTreeSet::from([door]),
        ..principal(Role::Manager)
    };
    for kind in CommandKind::ALL.iter().copied() {
        let denial = person.may_send_at(kind, other, Some(door), now).unwrap_err();
        assert_eq!(denial, Denial::NoRoleHere(needed_role(kind)));
        assert_eq!(person.who_may_own(kind, denial).is_some(), kind == CommandKind::OpenDoor);
        assert_eq!(person.may_send_at(kind, site, Some(door), now), person.may_send(kind, now));
    }
    let open = CommandKind::OpenDoor;
    assert_eq!(person.who_may_own(open, Denial::Expired), None);
    assert_eq!(principal(Role::Viewer).who_may_own(open, Denial::NoRoleHere(Role::Operator)), None);
    let resident = Principal { role: Role::Viewer, ..person };
    assert_eq!(resident.may_send_somewhere(open, now), Ok(()));
    assert!(resident.may_send_somewhere(CommandKind::UnlockDoor, now).is_err());
    assert!(Principal { own_doors: BTreeSet::new(), ..resident }.may_send_somewhere(open, now).is_err());
}

#[test]
fn a_counted_key_sends_commands_only() {
    let now = Timestamp::default();
    let counted = Principal { counted: true, ..principal(Role::Admin) };
    assert_eq!(counted.may_send(CommandKind::OpenDoor, now), Ok(()));
    assert_eq!(counted.may_change(Role::Viewer, now), Err(Denial::CommandsOnly));
    assert_eq!(counted.must_be(Role::Admin, now), Ok(()));
    assert_eq!(principal(Role::Admin).may_change(Role::Admin, now), Ok(()));
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
fn who_may_send_may_call_off_but_no_revocation_of_others() {
    let now = Timestamp::default();
    let (site, other) = (SiteId(Uuid::from_u128(1)), SiteId(Uuid::from_u128(2)));
    let verbs = Some(BTreeSet::from([CommandKind::OpenDoor]));
    for kind in CommandKind::ALL.iter().copied() {
        for role in Role::ALL.iter().copied() {
            let somebody = principal(role);
            assert_eq!(
                somebody.may_cancel(&somebody.actor.to_string(), kind, site, now),
                Ok(()),
                "{kind} is their own"
            );
            let may = somebody.may_cancel("key_other", kind, site, now).is_ok();
            let might = role >= Role::Manager && somebody.may_send(kind, now).is_ok();
            assert_eq!(may, might && !kind.revokes(), "{kind} by {role}");
            let counted = Principal { counted: true, ..principal(role) };
            assert!(counted.may_cancel("key_other", kind, site, now).is_err());
            let limited = Principal { limits: Limits { verbs: verbs.clone(), ..Limits::default() }, ..principal(role) };
            let may = limited.may_cancel("key_other", kind, site, now).is_ok();
            assert_eq!(may, kind == CommandKind::OpenDoor && role >= Role::Manager, "{kind} by {role}");
        }
    }
    let mut there = principal(Role::Viewer);
    there.at_sites.insert(site, Role::Manager);
    assert!(there.may_cancel("key_other", CommandKind::OpenDoor, site, now).is_ok());
    assert!(there.may_cancel("key_other", CommandKind::OpenDoor, other, now).is_err());
}

#[test]
fn names_are_for_operators_there_and_people_for_managers_who_see_all() {
    let now = Timestamp::default();
    let (site, other) = (SiteId(Uuid::from_u128(1)), SiteId(Uuid::from_u128(2)));
    let told = |somebody: &Principal, site| {
        [Told::Plain, Told::Name, Told::Person].map(|told| somebody.may_be_told(told, Some(site), now))
    };
    assert_eq!(told(&principal(Role::Viewer), site), [true, false, false]);
    assert_eq!(told(&principal(Role::Operator), site), [true, true, false]);
    assert_eq!(told(&principal(Role::Manager), site), [true, true, true]);
    let limits = Limits { sites: Some(BTreeSet::from([site])), ..Limits::default() };
    assert_eq!(told(&Principal { limits, ..principal(Role::Admin) }, site), [true, true, false]);
    let there = Principal { at_sites: BTreeMap::from([(site, Role::Admin)]), ..principal(Role::Viewer) };
    assert_eq!((told(&there, site), told(&there, other)), ([true, true, false], [true, false, false]));
}
