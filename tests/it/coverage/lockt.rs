//! The tour of Lockt: people with cards, PINs and fobs, checked first, then taken in; what they open at the lock; and what
//! its lists tell of doors, batteries and events.

use chrono::Utc;
use domain::command::CommandKind;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends, wait::until};
use serde_json::{Value, json};
use simulator::{EffectKind, LocktChange, LocktPresented, Vendor, WorldChange};

use super::{Ground, Tour, rows};
use crate::orders::account_id;

pub(super) fn ground() -> Ground {
    Ground {
        vendor: Vendor::Lockt,
        rows: rows("L", 1..=20),
        given_up: Vec::new(),
        kinds: &[
            CommandKind::CreateDoors,
            CommandKind::ImportUsers,
            CommandKind::CreateFobs,
            CommandKind::AssignFobs,
            CommandKind::ReissueCredentials,
            CommandKind::ReadNextCardNumber,
        ],
    }
}

/// What Ada types at a door.
const PIN: &str = "918273";

/// Two people are checked, taken in, and one of them is changed. Returns the one.
async fn people(tour: &mut Tour, account: &str, level: &Value) -> Value {
    let card = text(&tour.done("readNextCardNumber", json!({ "vendorAccountId": account }), &[]).await["value"]);
    let ada = json!({ "idNumber": "GH-1", "firstName": "Ada", "lastName": "Keyholder", "email": "ada.k@example.test",
        "cardNumber": card, "pin": PIN, "accessLevelIds": [level["id"]] });
    let ben = json!({ "idNumber": "GH-2", "firstName": "Ben", "lastName": "Keyholder", "accessLevelIds": [] });
    let import = |options: Value| json!({ "vendorAccountId": account, "users": [ada, ben], "options": options });
    let named = json!({ "vendorAccountId": account, "kinds": ["USER"], "text": "Keyholder" });

    let checked = tour.imported(import(json!({ "dryRun": true })), &[]).await;
    assert_eq!((&checked["dryRun"], &checked["errors"]), (&json!(true), &json!([])), "{checked:#}");
    assert!(tour.records(named.clone()).await.is_empty(), "nobody was taken in");

    let taken = tour.imported(import(json!({})), &[EffectKind::UserCreated; 2]).await;
    assert_eq!((&taken["inserted"], &taken["errors"]), (&json!(2), &json!([])), "{taken:#}");
    assert!(!taken.to_string().contains(PIN), "{taken:#}");
    let number = |number: &'static str| move |person: &Value| person["details"]["idNumber"] == number;
    let ada = tour.record("Ada", named.clone(), number("GH-1")).await;
    assert_eq!(ada["details"]["userLevels"], json!([level["externalId"]]), "{ada:#}");
    let ben = tour.record("Ben", named.clone(), number("GH-2")).await;

    // Known by their id there, and read back under it.
    let later = json!({ "vendorAccountId": account, "options": { "updateExisting": true }, "users": [
        { "userId": ben["id"], "idNumber": "GH-2", "firstName": "Benno", "lastName": "Keyholder", "accessLevelIds": [level["id"]] },
    ] });
    tour.imported(later, &[EffectKind::UserUpdated]).await;
    let benno = tour.record("Benno", named, |person| person["details"]["firstName"] == "Benno").await;
    assert_eq!((&benno["id"], &benno["details"]["userLevels"]), (&ben["id"], &json!([level["externalId"]])));
    ada
}

/// A fob is made and given to somebody.
async fn a_fob(tour: &mut Tour, account: &str, person: &Value) {
    let fob = json!({ "idNumber": "GH-F1", "name": "Porter's fob", "cardNumber": "77001" });
    tour.done("createFobs", json!({ "vendorAccountId": account, "fobs": [fob] }), &[EffectKind::FobCreated]).await;
    let fobs = json!({ "vendorAccountId": account, "kinds": ["CREDENTIAL"], "text": "Porter" });
    let fob = tour.record("the fob", fobs.clone(), |fob| fob["details"]["credentialType"] == "FOB").await;
    assert_eq!((&fob["details"]["number"], &fob["details"]["userExternalId"]), (&json!("77001"), &Value::Null));
    let assignment = json!({ "fobId": fob["id"], "userId": person["id"] });
    let assignments = json!({ "vendorAccountId": account, "assignments": [assignment] });
    tour.done("assignFobs", assignments, &[EffectKind::FobAssigned]).await;
    tour.record("the fob's holder", fobs, |fob| fob["details"]["userExternalId"] == person["externalId"]).await;
}

/// Doors are made, and a claimed credential is to be claimed anew.
async fn doors_and_keys(tour: &mut Tour, account: &str) {
    let names = json!({ "vendorAccountId": account, "names": ["Spa", "Sauna"] });
    let made = tour.done("createDoors", names, &[EffectKind::DoorCreated; 2]).await;
    assert_eq!(made["errors"], json!([]), "{made:#}");
    let spa = until("the spa is shown", async || tour.devices(account).await.remove("Spa")).await;
    assert_eq!(tour.device(&spa["id"]).await["doors"].as_array().unwrap().len(), 1);

    let cards = tour.records(json!({ "vendorAccountId": account, "kinds": ["CREDENTIAL"] })).await;
    let claimed = cards.iter().find(|card| card["details"]["status"] == "CLAIMED").unwrap();
    let ids = json!({ "vendorAccountId": account, "credentialIds": [claimed["id"]] });
    tour.done("reissueCredentials", ids, &[EffectKind::CredentialReissued]).await;
    let same = json!({ "vendorAccountId": account, "kinds": ["CREDENTIAL"], "externalId": claimed["externalId"] });
    tour.record("the key to be claimed", same, |card| card["details"]["status"] == "UNCLAIMED").await;
}

/// What a lock does and how it is, as the next sync tells.
async fn at_the_lock(tour: &Tour, account: &str, room: &Value) {
    let door: u64 = text(&room["externalId"]).parse().unwrap();
    let pin = LocktPresented::Pin(PIN.to_owned());
    assert!(tour.house.vendors.lockt_would_open(door, &pin, Utc::now()));
    let from = || tour.house.vendors.requests_to(Vendor::Lockt, "list_events_from").len();
    tour.house.vendors.change(WorldChange::Lockt(LocktChange::Battery { door, percent: Some(17) })).unwrap();
    let mut asked = Vec::new();
    for visit in 1..=2 {
        let credential = pin.clone();
        let presented = LocktChange::Presented { door, credential, recorded_after: 0 };
        tour.house.vendors.change(WorldChange::Lockt(presented)).unwrap();
        tour.sync(account).await;
        let query = "query($filter: EventFilter) { events(filter: $filter) { totalCount nodes { door { id } } } }";
        let filter = json!({ "deviceId": room["id"], "types": ["ACCESS_GRANTED"] });
        let data = tour.house.client.data(query, json!({ "filter": filter })).await;
        assert_eq!(data["events"]["totalCount"], visit, "{data:#}");
        assert_eq!(data["events"]["nodes"][0]["door"]["id"], room["doors"][0]["id"]);
        asked.push(from());
    }
    assert!(asked[0] == 0 && asked[1] > 0, "from the last event, once there is one: {asked:?}");
    assert_eq!(tour.device(&room["id"]).await["batteryPercent"], 17);
}

on_both_back_ends! {
    async fn every_row_of_lockt_is_used(back_end: BackEnd) {
        let mut tour = Tour::start(Plan::on(back_end), Vendor::Lockt).await;
        let account = account_id(&tour.house, Vendor::Lockt).await.to_string();
        let room = tour.device_named(&account, "Room 101").await;
        let levels = json!({ "vendorAccountId": account, "kinds": ["ACCESS_LEVEL"], "text": "Room 101" });
        let level = tour.record("the room's level", levels, |_| true).await;
        let doors = level["details"]["doorExternalIds"].as_array().unwrap();
        assert!(doors.contains(&room["externalId"]), "{level:#}");
        let ada = people(&mut tour, &account, &level).await;
        a_fob(&mut tour, &account, &ada).await;
        doors_and_keys(&mut tour, &account).await;
        at_the_lock(&tour, &account, &room).await;
        let summary = tour.records(json!({ "vendorAccountId": account, "kinds": ["CREDENTIAL_SUMMARY"] })).await;
        assert!(summary[0]["details"]["claimed"].as_i64().unwrap() > 0, "{summary:#?}");
        assert!(tour.house.vendors.lockt_overlaps().is_empty());

        let other = tour.house.vendors.credentials()[1].lockt.clone();
        let linked = tour.link("Neighbour", json!({ "apiUser": other.api_user, "apiKey": other.api_key })).await;
        assert!(linked["webhookUrl"].is_string() && !linked["locations"].as_array().unwrap().is_empty(), "{linked:#}");
        tour.synced(&text(&linked["vendorAccount"]["id"]), &Value::Null).await;
        tour.end(&ground()).await;
    }
}
