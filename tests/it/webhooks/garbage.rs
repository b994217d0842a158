//! Whatever is posted: it is kept, judged, and harms nobody, neither the next delivery nor the house.

use entities::rows::event;
use futures::{StreamExt, stream};
use gatehouse::ledger;
use gatehouse_tests::{client::http, house::Plan, on_both_back_ends, wait::until};
use proptest::{
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use reqwest::StatusCode;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Map, Value, json};
use simulator::Vendor;

use super::{address, deliver, door_named, parqex, settled, told_of};

/// Bodies for each vendor.
const EACH: usize = 100;

/// Names that some vendor's messages have.
const NAMES: [&str; 24] = [
    "event",
    "coreid",
    "published_at",
    "data",
    "id",
    "eventType",
    "doorID",
    "doorState",
    "deviceID",
    "channel",
    "eventOccurred",
    "eventOccurredUTC",
    "userThatToggled",
    "type",
    "version",
    "hash",
    "device_id",
    "connection",
    "occurred_at",
    "Events",
    "Action",
    "Data",
    "Discriminator",
    "Value",
];

/// Words that mean something to some vendor, and things that no database or parser likes.
fn words() -> Vec<Value> {
    let long = "x".repeat(5_000);
    let hash = "0".repeat(64);
    let texts = [
        "door-open",
        "doorIsOpen2",
        "online",
        "offline",
        "door1_open",
        "OPEN",
        "CLOSED",
        "Door Sensor",
        "alarm",
        "connection",
        "ServiceOrderUpdated",
        "ResourceUpdated",
        "CustomerUpdated",
        "IntegrationDeleted",
        "",
        " ",
        "\0",
        "a\0b",
        "\u{202e}\u{feff}",
        "'; drop table events; --",
        "../../x?y#z",
        "{\"a\":1}",
        "NaN",
        "2031-03-02T17:25:11Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999+23:59",
        "-262143-01-01",
        &long,
        &hash,
    ];
    let numbers = [json!(0), json!(-1), json!(2), json!(i64::MIN), json!(i64::MAX), json!(u64::MAX), json!(1e308)];
    let times = [json!(-8_000_000_000_000_i64), json!(99_999_999_999_i64), json!(8_210_266_876_799_000_i64)];
    let others = [Value::Null, json!(true), json!([]), json!({}), json!([[]])];
    texts.iter().map(|text| json!(text)).chain(numbers).chain(times).chain(others).collect()
}

fn message() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![8 => select(words()), 1 => ".{0,20}".prop_map(Value::String)];
    leaf.prop_recursive(4, 40, 8, |inner| {
        let object = prop::collection::vec((select(&NAMES[..]), inner.clone()), 0..8).prop_map(|fields| {
            Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        });
        prop_oneof![3 => object, 1 => prop::collection::vec(inner, 0..6).prop_map(Value::Array)]
    })
}

/// A message of the right shape with one field gone wrong.
fn spoiled(genuine: Value) -> impl Strategy<Value = Value> {
    (select(genuine.as_object().unwrap().keys().cloned().collect::<Vec<_>>()), select(words())).prop_map(
        move |(name, value)| {
            let mut fields: Map<String, Value> = genuine.as_object().unwrap().clone();
            fields.insert(name, value);
            Value::Object(fields)
        },
    )
}

fn genuine(vendor: Vendor, door: &Value) -> Value {
    match vendor {
        Vendor::Raixer => {
            json!({ "event": "door-open", "data": "", "coreid": "x", "published_at": "2026-11-21T10:00:00.000Z" })
        }
        Vendor::Bikeep => {
            json!({ "type": "connection", "version": 2, "hash": "0".repeat(64), "data": { "device_id": "x" } })
        }
        Vendor::Mews => {
            json!({ "Action": "IntegrationEnabled", "Data": {}, "Events": null, "EnterpriseId": "x" })
        }
        _ => parqex(1, door, "OPEN", chrono::Utc::now()),
    }
}

fn bodies(vendor: Vendor, door: &Value) -> Vec<Vec<u8>> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[vendor as u8; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let body = prop_oneof![
        3 => message().prop_map(|value| value.to_string().into_bytes()),
        3 => spoiled(genuine(vendor, door)).prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ];
    (0..EACH).map(|_| body.new_tree(&mut runner).unwrap().current()).collect()
}

on_both_back_ends! {
    /// A fact of a vendor's that says what the house alone says of itself; and an id that is made of facts.
    async fn no_vendor_says_that_something_was_erased(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Bikeep).await;
        let hash = "0".repeat(64);
        deliver(&url, &json!({ "type": "report", "version": 2, "hash": hash, "data": { "erased": hash } })).await;
        assert_eq!(settled(&house, Vendor::Bikeep, 1).await, (1, 0));
        let told = told_of(&house, Vendor::Bikeep, "VENDOR_EVENT", 1).await;
        assert_eq!(told[0]["data"], json!({ "told": { "erased": hash } }));
        until("all is chained", async || {
            let sound = ledger::verify(&house.settings, Some(house.organization), None).await.unwrap();
            sound.contains(" 0 more not chained yet").then_some(())
        })
        .await;
        let kept = event::Entity::find().filter(event::Column::VendorCode.eq("report"));
        let row = kept.one(&house.open_database().await).await.unwrap().unwrap();
        let id = row.external_id.unwrap();
        assert!(id.starts_with("made:") && id.len() == 5 + 64, "a digest with a key in it: {id}");
        house.stop().await;
    }

    async fn no_body_harms_anybody(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let gate = door_named(&house, "PARQEX", "North gate", 1).await;
        let client = http();
        for vendor in [Vendor::Raixer, Vendor::Parqex, Vendor::Bikeep, Vendor::Mews, Vendor::Lockt] {
            let url = address(&house, vendor).await;
            let bodies = bodies(vendor, &gate);
            let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
            let number = bodies.len() + 1;
            let posts = bodies.into_iter().chain([deep]).map(|body| {
                let request = client.post(&url).body(body);
                async move { request.send().await.unwrap().status() }
            });
            let answers: Vec<StatusCode> = stream::iter(posts).buffer_unordered(16).collect().await;
            assert!(answers.iter().all(|status| *status == StatusCode::ACCEPTED), "{vendor:?}: {answers:?}");
            let (_, refused) = settled(&house, vendor, number).await;
            assert!(refused > 0, "{vendor:?} takes everything");
        }
        let url = address(&house, Vendor::Parqex).await;
        let mut body = parqex(7, &gate, "CLOSED", chrono::Utc::now());
        body["eventType"] = json!("still-here");
        deliver(&url, &body).await;
        settled(&house, Vendor::Parqex, EACH + 2).await;
        let closed = told_of(&house, Vendor::Parqex, "DOOR_CLOSED", 1).await;
        assert!(closed.iter().any(|event| event["vendorCode"] == "still-here"), "{closed:#?}");
        house.stop().await;
    }

    /// What a vendor calls by a name that we do not know is an event all the same.
    async fn an_unknown_name_is_kept(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let gate = door_named(&house, "PARQEX", "North gate", 1).await;
        let intercom = door_named(&house, "RAIXER", "Market street 1", 1).await;
        let mut vehicle = parqex(1, &gate, "SIDEWAYS", chrono::Utc::now());
        vehicle["eventType"] = json!("vehicle_unauthorized");
        let earthquake = json!({ "event": "earthquake", "coreid": intercom["device"]["externalId"],
            "published_at": chrono::Utc::now().to_rfc3339() });
        let flood = json!({ "type": "flood", "version": 2, "hash": "0".repeat(64), "data": { "location_id": "x" } });
        for (vendor, body, code) in [
            (Vendor::Parqex, vehicle, "vehicle_unauthorized"),
            (Vendor::Raixer, earthquake, "earthquake"),
            (Vendor::Bikeep, flood, "flood"),
        ] {
            let url = address(&house, vendor).await;
            deliver(&url, &body).await;
            let event = told_of(&house, vendor, "VENDOR_EVENT", 1).await.remove(0);
            assert_eq!(event["vendorCode"], code, "{event:#}");
            assert_eq!(settled(&house, vendor, 1).await, (1, 0));
        }
        house.stop().await;
    }
}
