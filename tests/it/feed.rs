//! P16: whoever is cut off reads on where they were. Writers that commit in any order, readers that leave at random and an
//! api that is killed: nothing is lost, nothing is told twice, and the events of an object keep their order.
#![expect(clippy::disallowed_methods, reason = "the writers of these tests commit when the tests want them to")]

use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use chrono::TimeDelta;
use domain::{
    access::Role,
    clock::Clock,
    event::EventType,
    ids::{IdSource, OrganizationId},
};
use entities::rows::event;
use futures::future::{join, join_all};
use gatehouse::{
    foundation::{Foundation, Migrations},
    keys::{KeyPlan, store_key},
};
use gatehouse_tests::{
    binary::{Killed, command, free_address},
    client::Client,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends, services,
    wait::until,
};
use platform::{clock::SystemClock, database, settings::Settings, vault::Vault};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, Set, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

const RECORDED: &str = "subscription($after: String) { eventRecorded(after: $after) { cursor event { data } } }";

/// What events are about.
const OBJECTS: usize = 5;
const WRITERS: usize = 4;
const READERS: usize = 3;
/// Transactions of each writer.
const TRANSACTIONS: usize = 40;
/// What the last event tells.
const END: &str = "end";

/// Numbers without a pattern, the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A house of real processes with an organization in which nothing happens but what the test writes.
struct Scene {
    environment: Vec<(String, String)>,
    role: Option<&'static str>,
    client: Client,
    stranger: Client,
    organization: OrganizationId,
    rows: DatabaseConnection,
    ids: Arc<dyn IdSource>,
}

impl Scene {
    async fn set(back_end: BackEnd, folder: &Path) -> Self {
        let address = free_address();
        let mut given = vec![
            ("data_directory", folder.join("data").display().to_string()),
            ("http_address", address.to_string()),
            ("simulator_address", free_address().to_string()),
            ("secret_key", Vault::generate_key().expose().to_owned()),
            ("log", "off".to_owned()),
        ];
        if back_end == BackEnd::Distributed {
            let redis = services::redis().await;
            given.push(("database_url", services::postgres().await));
            given.push(("redis_url", redis.url));
            given.push(("redis_prefix", redis.prefix));
        }
        let pairs: Vec<(&str, &str)> = given.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let settings = Settings::defaults_with(&pairs).unwrap();
        let foundation = Foundation::lay(&settings, Arc::new(SystemClock), Migrations::Apply).await.unwrap();
        let mut keys = Vec::new();
        for name in ["Ours", "Theirs"] {
            let organization = OrganizationId(foundation.ids.next_uuid());
            let now = foundation.clock.now();
            entities::store::organizations::create(&foundation.database, organization, name, now).await.unwrap();
            let secret = platform::api_key::generate();
            store_key(&foundation, organization, &KeyPlan::unlimited(name, Role::Viewer), &secret).await.unwrap();
            keys.push((organization, Client::new(address, secret.expose())));
        }
        let [(organization, client), (_, stranger)] = keys.try_into().unwrap();
        Self {
            environment: given
                .into_iter()
                .map(|(name, value)| (format!("GATEHOUSE_{}", name.to_uppercase()), value))
                .collect(),
            // The embedded house is one process.
            role: (back_end == BackEnd::Distributed).then_some("api"),
            client,
            stranger,
            organization,
            rows: database::open(&settings).await.unwrap().write,
            ids: Arc::clone(&foundation.ids),
        }
    }

    fn spawn(&self) -> Killed {
        let environment: Vec<(&str, &str)> =
            self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Killed(command(self.role.as_slice(), &environment).stdout(Stdio::null()).spawn().unwrap())
    }

    /// Writes events of one or two objects in one transaction, which takes its time.
    async fn write(&self, dice: &mut Dice, counts: &[AtomicI64]) {
        let on_postgres = self.rows.get_database_backend() == DbBackend::Postgres;
        let transaction = TestHouse::begin_writing(&self.rows).await;
        let run = async |sql: String| {
            if on_postgres {
                transaction.execute_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
            }
        };
        // It has its number long before it writes, and ends long after.
        run("SELECT pg_current_xact_id()".to_owned()).await;
        let first = dice.below(OBJECTS);
        let mut objects = vec![first, (first + dice.below(OBJECTS)) % OBJECTS];
        objects.sort_unstable();
        objects.dedup();
        for object in &objects {
            run(format!("SELECT pg_sleep({})", dice.below(12) as f64 / 1_000.0)).await;
            run(format!("SELECT pg_advisory_xact_lock(4711, {object})")).await;
            let number = counts[*object].fetch_add(1, Ordering::SeqCst);
            self.insert(&transaction, dice, json!({ "object": object, "number": number })).await;
        }
        run(format!("SELECT pg_sleep({})", dice.below(12) as f64 / 1_000.0)).await;
        transaction.commit().await.unwrap();
    }

    async fn insert(&self, transaction: &impl ConnectionTrait, dice: &mut Dice, data: Value) {
        let now = SystemClock.now();
        // An id says nothing of when: the clocks of processes differ.
        let chance = Uuid::from_u128((dice.below(1 << 30) as u128) << 96);
        let row = event::ActiveModel {
            id: Set(Uuid::from_u128(self.ids.next_uuid().as_u128() ^ chance.as_u128())),
            organization_id: Set(self.organization.0),
            site_id: Set(None),
            device_id: Set(None),
            door_id: Set(None),
            command_id: Set(None),
            account_id: Set(None),
            external_id: Set(None),
            vendor_code: Set(None),
            event_type: Set(EventType::VendorEvent.as_str().to_owned()),
            occurred_at: Set(now),
            recorded_at: Set(now),
            actor: Set(None),
            data: Set(data),
            block: Set(None),
            mark: Set(None),
        };
        event::Entity::insert(row).exec_without_returning(transaction).await.unwrap();
    }

    /// Follows the feed from a cursor to the event that is written last, and leaves and comes back on the way.
    async fn read(&self, cursor: &Value, mut dice: Dice) -> Vec<Value> {
        let (mut cursor, mut told) = (cursor.clone(), Vec::new());
        loop {
            let variables = json!({ "after": cursor });
            let subscribed = async || self.client.try_subscribe(RECORDED, variables.clone()).await;
            let mut subscription = until("the api answers", subscribed).await;
            for _ in 0..dice.below(25) + 1 {
                let Some(message) = subscription.next_message().await else { break };
                if message["type"] != "next" {
                    assert!(message.get("close").is_some(), "{message:#}");
                    break;
                }
                let next = &message["payload"]["data"]["eventRecorded"];
                assert!(next["event"].is_object(), "{message:#}");
                cursor = next["cursor"].clone();
                match &next["event"]["data"] {
                    data if *data == json!(END) => return told,
                    data => told.push(data.clone()),
                }
            }
        }
    }
}

on_both_back_ends! {
    async fn nothing_is_lost_doubled_or_out_of_order(back_end: BackEnd) {
        let folder = tempfile::tempdir().unwrap();
        let scene = Scene::set(back_end, folder.path()).await;
        let mut api = Some(scene.spawn());
        let mut counts: Vec<AtomicI64> = Vec::new();
        counts.resize_with(OBJECTS, AtomicI64::default);
        scene.write(&mut Dice(99), &counts).await;
        let begun = async || scene.client.try_subscribe(RECORDED, json!({})).await;
        let mut subscription = until("the api answers", begun).await;
        let first = subscription.next().await.unwrap()["eventRecorded"].take();
        assert_eq!(first["event"], Value::Null, "what was before is not told");
        let cursor = first["cursor"].clone();
        let before: Vec<i64> = counts.iter().map(|count| count.load(Ordering::SeqCst)).collect();

        let written = AtomicUsize::new(0);
        let writers = async {
            let (scene, counts, written) = (&scene, &counts, &written);
            join_all((0..WRITERS).map(async |writer| {
                let mut dice = Dice(writer as u64);
                for _ in 0..TRANSACTIONS {
                    scene.write(&mut dice, counts).await;
                    written.fetch_add(1, Ordering::SeqCst);
                }
            }))
            .await;
            scene.insert(&scene.rows, &mut Dice(5), json!(END)).await;
        };
        let kills = async {
            for part in 1..=2 {
                let enough = WRITERS * TRANSACTIONS * part / 3;
                until("enough is written", async || (written.load(Ordering::SeqCst) >= enough).then_some(())).await;
                // Killed first, so that the address is free.
                drop(api.take());
                api = Some(scene.spawn());
            }
        };
        let readers = join_all((0..READERS).map(|reader| scene.read(&cursor, Dice(1_000 + reader as u64))));
        let (readers, _) = join(readers, join(writers, kills)).await;

        for told in readers {
            let mut numbers: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
            for data in told {
                let object = usize::try_from(data["object"].as_u64().unwrap()).unwrap();
                numbers.entry(object).or_default().push(data["number"].as_i64().unwrap());
            }
            for (object, count) in counts.iter().enumerate() {
                let whole: Vec<i64> = (before[object]..count.load(Ordering::SeqCst)).collect();
                assert_eq!(numbers[&object], whole, "object {object}");
            }
        }
        // Nobody reads on from another's place, not even from that of somebody who was told nothing yet.
        for (whose, who) in [(&scene.client, &scene.stranger), (&scene.stranger, &scene.client)] {
            let begun = async || whose.try_subscribe(RECORDED, json!({})).await;
            let begins = until("the api answers", begun).await.next().await.unwrap();
            let foreign = json!({ "after": begins["eventRecorded"]["cursor"] });
            let asked = async || who.try_subscribe(RECORDED, foreign.clone()).await;
            let refused = until("the api answers", asked).await.next_message().await.unwrap();
            assert!(refused.to_string().contains("RESYNC_REQUIRED"), "{refused:#}");
        }
    }

    /// A cursor counts for as long as the house says, and no longer.
    async fn a_cursor_that_is_too_old_is_refused(back_end: BackEnd) {
        let plan = Plan::on(back_end).without_worker().with_manual_clock().with_setting("replay_hours", "2");
        let house = plan.start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let mut subscription = house.client.subscribe(RECORDED, json!({})).await;
        let cursor = subscription.next().await.unwrap()["eventRecorded"]["cursor"].take();
        house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        house.advance(TimeDelta::hours(2));
        let mut just_in_time = house.client.subscribe(RECORDED, json!({ "after": cursor })).await;
        assert!(just_in_time.next().await.unwrap()["eventRecorded"]["event"].is_object());
        house.advance(TimeDelta::milliseconds(1));
        let refused = house.client.subscribe(RECORDED, json!({ "after": cursor })).await.next_message().await.unwrap();
        assert!(refused.to_string().contains("RESYNC_REQUIRED"), "{refused:#}");
        house.stop().await;
    }
}
