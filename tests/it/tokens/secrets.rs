//! P14: the value of a token is seen by its lock, its PMS and whoever reveals it, and a guest's telephone number by
//! MANAGERs; neither stands in logs, events, jobs, errors, answers or frames, and no value in rows or files.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Vendor};
use tracing::field::{Field, Visit};

use super::scene::{Hotel, TOKEN, ask, code, iso, reveal};

/// PINs that are issued, that replace another, in what cannot be read, and under a key that was used.
const PINS: [&str; 4] = ["83057194", "61940275", "70518364", "29467183"];
/// Numbers that are no PIN.
const NO_PINS: [&str; 2] = ["8305719426", "5207x391"];
/// The number of a tag.
const TAG: &str = "90817263540918";
/// A guest's telephone.
const PHONE: &str = "372583019472651";

/// The bytes of every file of a folder, the write-ahead log's too.
fn files(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // One that is gone since was a journal.
        bytes.extend(if path.is_dir() { files(&path) } else { std::fs::read(path).unwrap_or_default() });
    }
    bytes
}

/// Every row of every table but those in which people stand, as text; or only of these.
async fn rows(url: &str, of_people: bool) -> Vec<u8> {
    let database = sea_orm::Database::connect(url).await.unwrap();
    let query = |sql: String| Statement::from_string(database.get_database_backend(), sql);
    let tables = "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'";
    let mut bytes = Vec::new();
    for table in database.query_all_raw(query(tables.to_owned())).await.unwrap() {
        let table: String = table.try_get("", "name").unwrap();
        if (table == "users") != of_people {
            continue;
        }
        for row in database
            .query_all_raw(query(format!("SELECT row_to_json(t)::text AS row FROM \"{table}\" t")))
            .await
            .unwrap()
        {
            bytes.extend(row.try_get::<String>("", "row").unwrap().into_bytes());
        }
    }
    database.close().await.unwrap();
    bytes
}

/// Every key under the house's prefix in Redis, and its value.
async fn redis(house: &TestHouse) -> Vec<u8> {
    let (url, prefix) = (house.settings.redis_url.expose(), &house.settings.redis_prefix);
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

/// Whether a text stands in bytes, as it is or as the hexadecimal digits in which PostgreSQL shows bytes.
fn holds(bytes: &[u8], text: &str) -> bool {
    let digits = text.bytes().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    });
    [text, &digits].iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
}

/// Six digits as they are drawn stand in many a timestamp: what is looked for is longer.
fn assert_clean(what: &str, bytes: &[u8], with_phone: bool) {
    assert!(!bytes.is_empty(), "{what} is empty");
    let phone = with_phone.then_some(PHONE);
    let canaries = PINS.into_iter().chain(NO_PINS).chain([TAG]).chain(phone);
    for canary in canaries {
        assert!(!holds(bytes, canary), "{canary} stands in {what}");
    }
}

/// Everything that is done with values, well and badly. Returns all that was told, but for what was revealed.
async fn live_through(hotel: &Hotel) -> String {
    let told = std::cell::RefCell::new(String::new());
    let hear = |payload: Value| {
        told.borrow_mut().push_str(&payload.to_string());
        payload
    };
    let door = hotel.locks.iter().min_by_key(|door| text(&door["externalId"]).parse::<u64>().unwrap()).unwrap();
    let mut heard =
        hotel.client().subscribe("subscription { alertRaised { id kind message subjectId } }", json!({})).await;
    let mut input = hotel.stay_input(&[door], 0, 2);
    input["guest"] = json!({ "name": "Ada Byron", "phone": format!("+{PHONE}") });
    let stay = text(
        &hear(ask(hotel.client(), "createReservation", input, "reservation { id reasons { message } }").await)["reservation"]
            ["id"],
    );
    let fault = |kind| {
        hotel.house.vendors.add_fault(Fault::new(Vendor::Lockt, kind).at("import_users").times(1)).unwrap();
    };
    fault(FaultKind::DropAfterEffect);
    let token =
        text(&hear(hotel.issue(&stay, json!({ "value": PINS[0], "idempotencyKey": "k" })).await)["accessToken"]["id"]);
    for value in NO_PINS {
        assert_eq!(code(&hear(hotel.issue(&stay, json!({ "value": value })).await)), Some("INVALID_INPUT"));
    }
    let reused = hear(hotel.issue(&stay, json!({ "value": PINS[3], "idempotencyKey": "k" })).await);
    assert_eq!(code(&reused), Some("IDEMPOTENCY_KEY_REUSED"));
    hear(hotel.issue(&stay, json!({ "tokenType": "RFID_TAG", "value": TAG })).await);
    let drawn = text(&hear(hotel.issue(&stay, json!({})).await)["accessToken"]["id"]);
    assert_eq!(code(&hear(hotel.update(&drawn, json!({ "value": PINS[0] })).await)), Some("VALUE_TAKEN"));
    hear(hotel.update(&token, json!({ "value": PINS[1] })).await);
    let active = async |token: &str| {
        until("the token is everywhere", async || (hotel.read_token(token).await["state"] == "ACTIVE").then_some(()))
            .await;
    };
    active(&token).await;
    active(&drawn).await;
    fault(FaultKind::Garbage);
    hear(hotel.update(&drawn, json!({ "drawValue": true })).await);
    // An answer that is broken is logged; what was asked is not. And a mutation that cannot even be read.
    let broken = format!(
        "mutation {{ issueAccessToken(input: {{ reservationId: \"{stay}\", tokenType: PIN_CODE, value: \"{}\" }}) {{ nonsense }} }}",
        PINS[2]
    );
    hear(hotel.client().ask(&broken, json!({})).await);
    let variables = json!({ "input": { "reservationId": stay, "tokenType": "NONSENSE", "value": PINS[2] } });
    let query = format!(
        "mutation($input: IssueAccessTokenInput!) {{ issueAccessToken(input: $input) {{ accessToken {{ {TOKEN} }} }} }}"
    );
    hear(hotel.client().ask(&query, variables).await);
    let moved = json!({ "reservationId": stay, "endsAt": iso(hotel.now() + TimeDelta::days(3)) });
    hear(ask(hotel.client(), "updateReservation", moved, "reservation { id }").await);
    active(&token).await;
    assert_eq!(reveal(hotel.client(), &token).await["value"], PINS[1]);
    hear(hotel.revoke(&token).await);
    until("it is revoked", async || (hotel.read_token(&token).await["state"] == "REVOKED").then_some(())).await;
    let everything = format!(
        "{{ reservations(first: 100) {{ nodes {{ id number reasons {{ code message }} accessTokens {{ {TOKEN} }} }} }} \
         alerts(first: 100, filter: {{ resolvedToo: true }}) {{ nodes {{ id kind message subjectId }} }} \
         commands(first: 100) {{ nodes {{ id kind failure {{ message }} result timeline {{ detail }} }} }} \
         events(first: 100, orderBy: NEWEST_FIRST) {{ nodes {{ type actor data }} }} }}"
    );
    hear(hotel.client().data(&everything, json!({})).await);
    // A frame of the subscription, if there was an alert: what there is must be clean.
    let device = text(&door["device"]["id"]);
    let site = json!(hotel.site);
    let severity = Some(domain::alert::AlertSeverity::Notice);
    super::scene::write_alert(&hotel.house, &site, domain::alert::AlertKind::LowBattery, severity, &device).await;
    loop {
        let frame = hear(heard.next().await.unwrap());
        if frame["alertRaised"]["kind"] == "LOW_BATTERY" {
            break;
        }
    }
    told.into_inner()
}

on_both_back_ends! {
    async fn a_value_is_readable_nowhere(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end)).await;
        let told = live_through(&hotel).await;
        assert_clean("what the API tells", told.as_bytes(), true);
        let house = &hotel.house;
        if back_end == BackEnd::Embedded {
            let kept = files(&house.settings.data_directory);
            assert_clean("the data folder", &kept, false);
            assert!(holds(&kept, PHONE), "people's numbers are kept: nothing was looked at");
        } else {
            let url = house.settings.database_url.expose();
            assert_clean("the rows", &rows(url, false).await, true);
            let people = rows(url, true).await;
            assert_clean("the rows of people", &people, false);
            assert!(holds(&people, PHONE), "people's numbers are kept: nothing was looked at");
            assert_clean("Redis", &redis(house).await, true);
        }
        let to_vendor = |entry: simulator::RequestEntry| entry.body.into_bytes();
        let bodies: Vec<u8> = house.vendors.requests_to(Vendor::Lockt, "import_users").into_iter().flat_map(to_vendor).collect();
        assert!(holds(&bodies, PINS[1]), "its vendor has to see it");
        hotel.house.stop().await;
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
async fn a_value_is_never_logged() {
    let listener = Listener::default();
    // With one subscriber alone, what other threads log first would count as switched off here too.
    let _second = tracing::Dispatch::new(listener.clone());
    let _listening = tracing::subscriber::set_default(listener.clone());
    let hotel = Hotel::start(Plan::on(BackEnd::Embedded)).await;
    live_through(&hotel).await;
    hotel.house.stop().await;
    let heard = listener.0.lock().unwrap().clone();
    assert!(heard.contains("vendor call"), "nothing was heard: {heard}");
    assert_clean("the log", heard.as_bytes(), true);
}
