//! What accounts sign in with is readable nowhere: not in the database, the queue, the log, or any answer (rule 15).

use std::{
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex},
};

use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use simulator::{
    BikeepAccountPlan, BikeepLocationPlan, Fault, FaultKind, LocktAccountPlan, MewsAccountPlan, MewsHotelPlan,
    ParqexAccountPlan, ParqexControllerPlan, RaixerAccountPlan, RaixerDevicePlan, RaixerUse, Vendor, World,
    WorldChoice,
};
use tracing::field::{Field, Visit};

use crate::{
    account_links::{accepted, account, becomes, link, linked, mutate, order, synced, word},
    oauth::{begin, come_back, consent},
};

/// What every secret of these tests begins with.
const CANARY: &str = "canary";

/// The demo's world with one more account at each vendor, each secret of which is a canary.
fn world() -> (WorldChoice, Vec<(Vendor, Value)>) {
    let mut world = World::demo(1);
    let raixer = world.add_raixer_account(RaixerAccountPlan {
        user: "carla".to_owned(),
        password: "canary-password".to_owned(),
        name: "Carla".to_owned(),
        devices: vec![RaixerDevicePlan::new("Bird lane 1", &[RaixerUse::Street])],
    });
    let parqex = world.add_parqex_account(ParqexAccountPlan {
        access_token: "canary-parqex".to_owned(),
        first_name: "Carla".to_owned(),
        last_name: "Bird".to_owned(),
        controllers: vec![ParqexControllerPlan::gates(1)],
    });
    let zone = "Europe/Lisbon".parse().unwrap();
    let lockt = world.add_lockt_account(LocktAccountPlan::new("canary-lockt", "canary-key", zone).hotel(2, 2));
    let bikeep = world.add_bikeep_account(BikeepAccountPlan {
        token: "canary-bikeep".to_owned(),
        admin: true,
        act_on_behalf_of: true,
        locations: vec![BikeepLocationPlan::docks(1)],
    });
    let hotel = MewsHotelPlan::sized("Bird Hotel", zone, 1, 1);
    let mews = world.add_mews_account(MewsAccountPlan::of_one("canary-client", "canary-mews", hotel));
    let credentials = vec![
        (Vendor::Raixer, json!({ "raixer": { "user": raixer.user, "password": raixer.password } })),
        (
            Vendor::Parqex,
            json!({ "parqex": {
                "clientId": parqex.client_id,
                "clientSecret": parqex.client_secret,
                "accessToken": parqex.access_token,
                "refreshToken": parqex.refresh_token,
                "webhookKeyHeader": "x-key",
                "webhookKey": "canary-webhook",
            } }),
        ),
        (Vendor::Lockt, json!({ "lockt": { "apiUser": lockt.api_user, "apiKey": lockt.api_key } })),
        (
            Vendor::Bikeep,
            json!({ "bikeep": {
                "clientId": bikeep.client_id,
                "clientSecret": bikeep.client_secret,
                "webhookSeed": "canary-seed",
                "locations": bikeep.locations,
            } }),
        ),
        (
            Vendor::Mews,
            json!({ "mews": {
                "clientToken": mews.client_token,
                "accessToken": mews.access_token,
                "webhookSecret": "canary-hook",
            } }),
        ),
    ];
    (WorldChoice::Explicit(Box::new(world)), credentials)
}

/// Everything that an ADMIN can ask about accounts, as text.
async fn answers(house: &TestHouse) -> String {
    let query = "{ vendorAccounts(first: 100) { nodes { id name baseUrl signedInAs state stateReason syncError \
        locations { location name } syncParts { part error } webhookDeliveries(first: 10) { nodes { id note state } } } } \
        commands(first: 100) { nodes { id failure { message } result timeline { detail } } } \
        events(first: 100, orderBy: NEWEST_FIRST) { nodes { type data } } }";
    house.client.data(query, json!({})).await.to_string()
}

/// The bytes of every file of a folder, the write-ahead log's too.
fn files(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(files(&path));
        } else {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

/// Every row of every table, as text.
async fn rows(url: &str) -> Vec<u8> {
    let database = sea_orm::Database::connect(url).await.unwrap();
    let query = |sql: String| Statement::from_string(database.get_database_backend(), sql);
    let tables = "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'";
    let mut bytes = Vec::new();
    for table in database.query_all_raw(query(tables.to_owned())).await.unwrap() {
        let table: String = table.try_get("", "name").unwrap();
        let sql = format!("SELECT row_to_json(t)::text AS row FROM \"{table}\" t");
        for row in database.query_all_raw(query(sql)).await.unwrap() {
            bytes.extend(row.try_get::<String>("", "row").unwrap().into_bytes());
        }
    }
    database.close().await.unwrap();
    bytes
}

/// Every value under the house's prefix in Redis.
async fn redis(url: &str, prefix: &str) -> Vec<u8> {
    let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut redis).await.unwrap();
    let mut bytes = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.unwrap();
        let (command, arguments): (&str, &[&str]) = match kind.as_str() {
            "string" => ("GET", &[]),
            "list" => ("LRANGE", &["0", "-1"]),
            "hash" => ("HGETALL", &[]),
            "set" => ("SMEMBERS", &[]),
            "zset" => ("ZRANGE", &["0", "-1"]),
            "stream" => ("XRANGE", &["-", "+"]),
            _ => continue,
        };
        let value: redis::Value = redis::cmd(command).arg(&key).arg(arguments).query_async(&mut redis).await.unwrap();
        bytes.extend(format!("{key} {value:?}").into_bytes());
    }
    bytes
}

/// Whatever the house keeps.
async fn kept(house: &TestHouse) -> Vec<u8> {
    let settings = &house.settings;
    if settings.is_embedded() {
        return files(&settings.data_directory);
    }
    let mut bytes = rows(settings.database_url.expose()).await;
    bytes.extend(redis(settings.redis_url.expose(), &settings.redis_prefix).await);
    bytes
}

/// What stands around a text in what is kept.
fn found(bytes: &[u8], needle: &str) -> Option<String> {
    // PostgreSQL shows bytes as hexadecimal digits.
    let mut digits = String::new();
    for byte in needle.bytes() {
        write!(digits, "{byte:02x}").unwrap();
    }
    let at = |form: &str| bytes.windows(form.len()).position(|window| window == form.as_bytes());
    let at = at(needle).or_else(|| at(&digits))?;
    Some(String::from_utf8_lossy(&bytes[at.saturating_sub(300)..(at + 100).min(bytes.len())]).into_owned())
}

/// Everything that is done with accounts, well and badly. What must not be found anywhere afterwards, beside canaries.
async fn live_through(house: &TestHouse, credentials: Vec<(Vendor, Value)>) -> Vec<String> {
    let mut secrets = Vec::new();
    for (vendor, given) in credentials {
        let payload = linked(house, order(house, vendor, given.clone()).await).await;
        let id = text(&payload["vendorAccount"]["id"]);
        let webhook_url = text(&payload["webhookUrl"]);
        synced(house, &id).await;
        let posted = gatehouse_tests::client::http().post(&webhook_url).body("{\"secret\":\"canary-body\"}");
        assert_eq!(posted.header("x-key", "canary-webhook").send().await.unwrap().status(), 202);
        secrets.push(webhook_url.rsplit('/').next().unwrap().to_owned());

        let mut wrong = given.clone();
        let inner = wrong.as_object_mut().unwrap().values_mut().next().unwrap();
        for (_, value) in inner.as_object_mut().unwrap().iter_mut().filter(|(_, value)| value.is_string()) {
            *value = json!(format!("{CANARY}-wrong"));
        }
        if vendor == Vendor::Bikeep {
            wrong["bikeep"]["token"] = json!("canary-token");
        }
        let refused = link(house, order(house, vendor, wrong.clone()).await).await;
        assert_eq!(refused["userErrors"][0]["code"], "VENDOR_REFUSED", "{refused:#}");
        let input = json!({ "vendorAccountId": id, "credentials": wrong });
        let refused = mutate(house, "reauthorizeVendorAccount", input, "").await;
        let input = json!({ "vendorAccountId": id, "credentials": given });
        let again = accepted(house, "reauthorizeVendorAccount", input, "").await;
        let garbage = house.vendors.add_fault(Fault::new(vendor, FaultKind::Garbage)).unwrap();
        let input = json!({ "vendorAccountId": id });
        accepted(house, "syncVendorAccount", input.clone(), "").await;
        gatehouse_tests::wait::until("the sync fails", async || {
            account(house, &id).await["syncError"].is_string().then_some(())
        })
        .await;
        assert!(house.vendors.remove_fault(garbage));
        for shown in [payload, refused, again] {
            assert!(!shown.to_string().contains(CANARY), "{shown:#}");
        }
        if vendor == Vendor::Lockt {
            accepted(house, "unlinkVendorAccount", input, "").await;
        }
    }
    let (id, url) = begin(house).await;
    let back = consent(&url).await;
    secrets.extend(back.query_pairs().map(|(_, value)| value.into_owned()));
    assert_eq!(come_back(&back).await.status, 200);
    becomes(house, &id, "CONNECTED").await;
    synced(house, &id).await;
    assert!(secrets.len() > 6 && secrets.iter().all(|secret| secret.len() > 12), "{secrets:?}");
    secrets
}

on_both_back_ends! {
    async fn credentials_are_readable_nowhere(back_end: BackEnd) {
        let (world, credentials) = world();
        let mut plan = Plan::on(back_end);
        plan.simulator.world = world;
        let house = plan.start().await;
        let secrets = live_through(&house, credentials).await;
        let told = answers(&house).await;
        let kept = kept(&house).await;
        assert!(found(&kept, &word(Vendor::Raixer)).is_some(), "nothing was looked at");
        for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
            assert!(!told.contains(secret), "{secret} is shown: {told}");
            assert_eq!(found(&kept, secret), None, "{secret} is kept in the clear");
        }
        house.stop().await;
    }
}

/// Hears every line of the log, whatever its level.
#[derive(Clone, Default)]
struct Listener(Arc<Mutex<String>>);

impl Visit for Listener {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = writeln!(self.0.lock().unwrap(), "{field}={value:?}");
    }
}

impl tracing::Subscriber for Listener {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        // What libraries tell of their own bytes is switched off by the settings; ours is not.
        if event.metadata().target().starts_with("gatehouse") {
            event.record(&mut self.clone());
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// On one thread, so that this test hears its own house only.
#[tokio::test(flavor = "current_thread")]
async fn credentials_are_never_logged() {
    let listener = Listener::default();
    // With one subscriber alone, what other threads log first would count as switched off here too.
    let _second = tracing::Dispatch::new(listener.clone());
    let _listening = tracing::subscriber::set_default(listener.clone());
    let (world, credentials) = world();
    let mut plan = Plan::on(BackEnd::Embedded);
    plan.simulator.world = world;
    let house = plan.start().await;
    let secrets = live_through(&house, credentials).await;
    house.stop().await;
    let heard = listener.0.lock().unwrap().clone();
    assert!(heard.contains("account synced") && heard.contains("vendor call"), "nothing was heard: {heard}");
    for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
        let line = heard.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
