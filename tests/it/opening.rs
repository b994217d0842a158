//! Who can open which door: the answers against a brute-force oracle over plain rows, and what each caller is told (P10).

mod oracle;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    access::{Actor, Limits, Principal, Role},
    ids::{ApiKeyId, DoorId, OrganizationId, SiteId, UserId},
    opening::{self, Opening, Via, Who},
};
use entities::{Database, Scope, find, rows::record};
use gatehouse_tests::{
    crowd::{Crowd, Size, hour},
    house::BackEnd,
    on_both_back_ends, services,
};
use migration::{Migrator, MigratorTrait};
use platform::settings::Settings;
use sea_orm::{DatabaseConnection, EntityTrait};
use uuid::Uuid;

use self::oracle::{Rows, Told};

/// A database of its own with the newest tables.
struct Store {
    database: Database,
    connection: DatabaseConnection,
    _folder: tempfile::TempDir,
}

impl Store {
    async fn open(back_end: BackEnd) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut replaced = vec![("data_directory", folder.path().display().to_string())];
        if back_end == BackEnd::Distributed {
            replaced.push(("database_url", services::postgres().await));
            replaced.push(("redis_url", services::redis().await.url));
        }
        let replaced: Vec<(&str, &str)> = replaced.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let pools = platform::database::open(&Settings::defaults_with(&replaced).unwrap()).await.unwrap();
        Migrator::up(&pools.write, None).await.unwrap();
        let connection = pools.write.clone();
        Self { database: Database::new(pools.read, pools.write), connection, _folder: folder }
    }

    async fn crowd(&self, size: Size, seed: u64) -> Rows {
        let crowd = Crowd::gather(&self.connection, &self.database, size, seed).await.unwrap();
        let records = record::Entity::find().all(&self.connection).await.unwrap();
        let records = records.into_iter().filter(|row| row.organization_id == crowd.organization).collect();
        Rows::of(crowd, records)
    }
}

fn scope(organization: Uuid, limits: Limits) -> Scope {
    Scope::of(&Principal {
        organization: OrganizationId(organization),
        actor: Actor::ApiKey(ApiKeyId(Uuid::nil())),
        role: Role::Admin,
        at_sites: BTreeMap::new(),
        limits,
        own_doors: BTreeSet::new(),
        counted: false,
        expires_at: None,
    })
}

fn told(who: Uuid, opening: &Opening) -> Told {
    let through = match opening.via {
        Via::AccessToken { token, reservation } => vec![token.0, reservation.0],
        Via::Credential(credential) => vec![credential.0],
        Via::AccessLevel { assignment, level, schedule } => {
            [assignment.0, level.0].into_iter().chain(schedule.map(|it| it.0)).collect()
        }
        Via::DeviceAccess(record) | Via::Phone(record) => vec![record.0],
        Via::AnyCaller | Via::AlwaysActive | Via::OfflineContingency => Vec::new(),
        Via::AutoAccess(record) => record.into_iter().map(|record| record.0).collect(),
        Via::VendorAccessLevel { person, level } => vec![person.0, level.0],
        Via::RevocationNotConfirmed { placement, token, credential } => {
            let holders = token.map(|it| it.0).into_iter().chain(credential.map(|it| it.0));
            std::iter::once(placement.0).chain(holders).collect()
        }
    };
    let (reason, sure) = (opening.via.reason().as_str().to_owned(), opening.certainty.as_str());
    (who, reason, through, sure, opening.span.from, opening.span.until)
}

const SIZE: Size = Size { doors: 90, users: 200, levels: 16, stays: 120, card_holders: 60 };

on_both_back_ends! {
    async fn the_answers_are_those_of_a_brute_force_oracle(back_end: BackEnd) {
        let store = Store::open(back_end).await;
        // Somebody else's crowd in the same tables.
        let others = store.crowd(Size { doors: 12, users: 20, levels: 3, stays: 10, card_holders: 9 }, 1).await;
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for seed in [7, 8] {
            let rows = store.crowd(SIZE, seed).await;
            assert!(rows.marks() > 0);
            let scope = scope(rows.crowd.organization, Limits::default());
            let doors: Vec<DoorId> = rows.crowd.doors.iter().map(|door| DoorId(door.id)).collect();
            let users: Vec<UserId> = rows.crowd.users.iter().map(|user| UserId(user.id)).collect();
            for (hours, minutes) in [(-60, 0), (-25, 30), (-1, 30), (0, 30), (1, 30), (9, 0), (40, 15)] {
                let at = hour(hours) + TimeDelta::minutes(minutes);
                let facts = find::opening::of_doors(&store.database, &scope, &doors, at).await.unwrap();
                assert_eq!(facts.len(), doors.len());
                let postures = find::opening::postures(&store.database, &scope, &doors).await.unwrap();
                let mut expected_of_users: BTreeMap<Uuid, BTreeSet<(Uuid, Told)>> = BTreeMap::new();
                let people = rows.users();
                for door in &rows.crowd.doors {
                    let facts = facts.iter().find(|facts| facts.door.0 == door.id).unwrap();
                    let openers = opening::who_can_open(facts, at);
                    let answer: BTreeSet<Told> = openers
                        .iter()
                        .flat_map(|opener| opener.openings.iter().map(|it| told(opener.who.key(), it)))
                        .collect();
                    let expected = rows.people(door, at);
                    assert_eq!(answer, expected, "{} at {at}", door.name);
                    for opener in &openers {
                        assert_eq!(matches!(opener.who, Who::User(_)), people.contains(&opener.who.key()));
                    }
                    for path in expected.into_iter().filter(|path| people.contains(&path.0)) {
                        expected_of_users.entry(path.0).or_default().insert((door.id, path));
                    }
                    let anybody = opening::open_to_anybody(&postures[&facts.door], at);
                    let anybody: BTreeSet<Told> = anybody.iter().map(|it| told(Uuid::nil(), it)).collect();
                    assert_eq!(anybody, rows.anybody(door, at), "{} at {at}", door.name);
                    for path in answer.iter().chain(&anybody) {
                        *seen.entry(format!("{} {}", path.1, path.3)).or_default() += 1;
                    }
                }
                let facts = find::opening::of_users(&store.database, &scope, &users, at).await.unwrap();
                let answer: BTreeMap<Uuid, BTreeSet<(Uuid, Told)>> = opening::what_they_can_open(&facts, at)
                    .into_iter()
                    .map(|(user, doors)| {
                        let each = doors.iter().flat_map(|openable| {
                            openable.openings.iter().map(|it| (openable.door.0, told(user.0, it)))
                        });
                        (user.0, each.collect())
                    })
                    .collect();
                assert_eq!(answer, expected_of_users, "what people can open at {at}");
            }
            let strangers = self::scope(others.crowd.organization, Limits::default());
            let site = SiteId(rows.crowd.sites[0].id);
            let limits = Limits { sites: Some(BTreeSet::from([site])), ..Limits::default() };
            let limited = self::scope(rows.crowd.organization, limits);
            for scope in [&strangers, &limited] {
                assert!(find::opening::of_doors(&store.database, scope, &doors, hour(0)).await.unwrap().is_empty());
                assert!(find::opening::of_users(&store.database, scope, &users, hour(0)).await.unwrap().is_empty());
            }
            assert!(find::opening::postures(&store.database, &strangers, &doors).await.unwrap().is_empty());
            let here = rows.crowd.doors.iter().filter(|door| door.site_id == site.0).count();
            assert_eq!(find::opening::postures(&store.database, &limited, &doors).await.unwrap().len(), here);
        }
        // Every path was there, with every certainty that it can have.
        let possible = [
            ("ACCESS_TOKEN", &["CONFIRMED", "EXPECTED", "PERMITTED"][..]),
            ("CREDENTIAL", &["CONFIRMED", "EXPECTED", "PERMITTED"]),
            ("ACCESS_LEVEL", &["CONFIRMED", "EXPECTED", "PERMITTED"]),
            ("DEVICE_ACCESS", &["CONFIRMED"]),
            ("PHONE", &["CONFIRMED", "POSSIBLE"]),
            ("VENDOR_ACCESS_LEVEL", &["EXPECTED", "POSSIBLE"]),
            ("REVOCATION_NOT_CONFIRMED", &["POSSIBLE"]),
            ("ANY_CALLER", &["CONFIRMED"]),
            ("AUTO_ACCESS", &["EXPECTED", "POSSIBLE"]),
            ("ALWAYS_ACTIVE", &["CONFIRMED", "POSSIBLE"]),
            ("OFFLINE_CONTINGENCY", &["CONFIRMED", "POSSIBLE"]),
        ];
        for (reason, certainties) in possible {
            for certainty in certainties {
                assert!(seen.contains_key(&format!("{reason} {certainty}")), "no {reason} {certainty} in {seen:?}");
            }
        }
    }

    async fn many_doors_cost_as_many_statements_as_one(back_end: BackEnd) {
        let store = Store::open(back_end).await;
        let rows = store.crowd(Size { doors: 40, users: 30, levels: 6, stays: 20, card_holders: 10 }, 3).await;
        let scope = scope(rows.crowd.organization, Limits::default());
        let doors: Vec<DoorId> = rows.crowd.doors.iter().map(|door| DoorId(door.id)).collect();
        let users: Vec<UserId> = rows.crowd.users.iter().map(|user| UserId(user.id)).collect();
        let mut costs = Vec::new();
        for (doors, users) in [(&doors[..1], &users[..1]), (&doors[..], &users[..])] {
            let before = store.database.statements();
            find::opening::of_doors(&store.database, &scope, doors, hour(0)).await.unwrap();
            let after_doors = store.database.statements();
            find::opening::of_users(&store.database, &scope, users, hour(0)).await.unwrap();
            costs.push((after_doors - before, store.database.statements() - after_doors));
        }
        assert_eq!(costs[0], costs[1]);
        assert!(costs[0].0 <= 8 && costs[0].1 <= 6, "{costs:?}");
    }
}
