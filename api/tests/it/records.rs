//! Records that vendors keep: those of people are a MANAGER's, and nobody sees a secret.

use std::collections::BTreeSet;

use domain::{
    access::{Limits, Role},
    clock::Clock,
    ids::VendorAccountId,
    record::{
        AutoAccessScheduleDetails, CredentialDetails, CredentialStatus, CredentialType, FoundRecord, LocationDetails,
        RecordDetails, ScheduleDetails, SensorDetails, UserDetails,
    },
    secret::Secret,
};
use entities::{StoreError, store, store::records::RecordSealer};
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::House;

struct Plain;

impl RecordSealer for Plain {
    fn seal(&self, _: Uuid, secret: &Secret) -> Result<Vec<u8>, StoreError> {
        Ok(secret.expose().as_bytes().to_vec())
    }

    fn holds(&self, _: Uuid, sealed: &[u8], secret: &Secret) -> bool {
        sealed == secret.expose().as_bytes()
    }
}

fn found(external_id: &str, device: Option<&str>, details: RecordDetails) -> FoundRecord {
    FoundRecord {
        external_id: external_id.to_owned(),
        device: device.map(str::to_owned),
        location: String::new(),
        name: format!("Record {external_id}"),
        details,
        secret: Some(Secret::new("canary")),
    }
}

/// A house whose vendor keeps one record of several kinds.
async fn house() -> House {
    let house = House::build().await;
    let phone = CredentialDetails {
        credential_type: CredentialType::PhoneNumber,
        status: CredentialStatus::Active,
        number: Some("34600000000".to_owned()),
        id_number: None,
        user: None,
        access_from: None,
        access_until: None,
        access_levels: None,
        last_used_at: None,
    };
    let schedule = ScheduleDetails {
        days: BTreeSet::from([0, 6]),
        starts: chrono::NaiveTime::from_hms_opt(8, 0, 0).unwrap(),
        ends: chrono::NaiveTime::from_hms_opt(17, 30, 59).unwrap(),
    };
    let listens =
        AutoAccessScheduleDetails { campaign: None, starts_at: house.clock.now(), minutes: 30, position: Some(1) };
    let portion = [
        found(
            "ada",
            None,
            RecordDetails::User(UserDetails { email: Some("ada@example.test".into()), ..UserDetails::default() }),
        ),
        found("phone", Some("0"), RecordDetails::Credential(phone)),
        found("week", None, RecordDetails::Schedule(schedule)),
        found("sensor", Some("0"), RecordDetails::Sensor(SensorDetails { usage: Some("movement".into()), port: None })),
        found("soon", Some("0"), RecordDetails::AutoAccessSchedule(listens)),
        found(
            "hill",
            None,
            RecordDetails::Location(LocationDetails {
                time_zone: Some("Europe/Tallinn".into()),
                ..LocationDetails::default()
            }),
        ),
    ];
    store::records::record(&house.database, house.ids.as_ref(), &Plain, &house.account, &portion, house.clock.now())
        .await
        .unwrap();
    house
}

const RECORDS: &str = "query Records($filter: RecordFilter) { records(filter: $filter) { totalCount nodes {
    id kind externalId name version vendorAccount { id } device { id externalId } site { id }
    details { __typename
        ... on UserDetails { email }
        ... on CredentialDetails { credentialType status number }
        ... on ScheduleDetails { days starts ends }
        ... on SensorDetails { usage port }
        ... on AutoAccessScheduleDetails { minutes startsAt position }
        ... on LocationDetails { timeZone }
        ... on ReservationDetails { startsAt reservationState }
        ... on AccessTokenDetails { tokenType permissions { room } } } } } }";

fn names(answer: &Value) -> Vec<&str> {
    let nodes = answer["data"]["records"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["externalId"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_manager_reads_what_each_kind_says() {
    let house = house().await;
    let key = house.key(Role::Manager, &Limits::default()).await;
    let answer = house.ask(&key, RECORDS, json!({})).await;
    assert_eq!(names(&answer), ["ada", "phone", "week", "sensor", "soon", "hill"], "{answer}");
    assert!(!answer.to_string().contains("canary"), "{answer}");
    let details = |index: usize| answer["data"]["records"]["nodes"][index]["details"].clone();
    assert_eq!(details(0), json!({ "__typename": "UserDetails", "email": "ada@example.test" }));
    let phone = json!({ "__typename": "CredentialDetails", "credentialType": "PHONE_NUMBER", "status": "ACTIVE", "number": "34600000000" });
    assert_eq!(details(1), phone);
    let week = json!({ "__typename": "ScheduleDetails", "days": [0, 6], "starts": "08:00:00", "ends": "17:30:59" });
    assert_eq!(details(2), week);
    assert_eq!(answer["data"]["records"]["nodes"][3]["device"]["externalId"], "0");
    assert_eq!(details(4)["minutes"], 30);

    for (filter, expected) in [
        (json!({ "kinds": ["USER", "SCHEDULE"] }), vec!["ada", "week"]),
        (json!({ "externalId": "soon" }), vec!["soon"]),
        (json!({ "text": "RECORD s" }), vec!["sensor", "soon"]),
        (json!({ "deviceId": answer["data"]["records"]["nodes"][1]["device"]["id"] }), vec!["phone", "sensor", "soon"]),
    ] {
        let answer = house.ask(&key, RECORDS, json!({ "filter": filter })).await;
        assert_eq!(names(&answer), expected, "{filter} {answer}");
        assert_eq!(answer["data"]["records"]["totalCount"], expected.len());
    }
}

#[tokio::test]
async fn records_of_people_are_for_managers() {
    let house = house().await;
    let manager = house.key(Role::Manager, &Limits::default()).await;
    let all = house.ask(&manager, RECORDS, json!({})).await;
    let operator = house.key(Role::Operator, &Limits::default()).await;
    let answer = house.ask(&operator, RECORDS, json!({})).await;
    assert_eq!(names(&answer), ["week", "sensor", "soon", "hill"], "{answer}");
    assert_eq!(answer["data"]["records"]["totalCount"], 4);
    let asked = house.ask(&operator, RECORDS, json!({ "filter": { "kinds": ["SCHEDULE", "USER"] } })).await;
    assert_eq!(asked["errors"][0]["extensions"]["code"], "FORBIDDEN", "{asked}");
    let node = "query Node($id: ID!) { node(id: $id) { id } }";
    for record in all["data"]["records"]["nodes"].as_array().unwrap() {
        let is_personal = ["USER", "CREDENTIAL"].contains(&record["kind"].as_str().unwrap());
        let answer = house.ask(&operator, node, json!({ "id": record["id"] })).await;
        let expected = if is_personal { json!(null) } else { json!({ "id": record["id"] }) };
        assert_eq!(answer, json!({ "data": { "node": expected } }));
        assert_eq!(house.ask(&manager, node, json!({ "id": record["id"] })).await["data"]["node"]["id"], record["id"]);
    }
}

#[tokio::test]
async fn a_limited_key_sees_what_describes_its_devices() {
    let house = house().await;
    let limits = Limits { sites: Some(BTreeSet::from([house.site])), ..Limits::default() };
    let key = house.key(Role::Manager, &limits).await;
    let answer = house.ask(&key, RECORDS, json!({})).await;
    assert_eq!(names(&answer), ["sensor", "soon"], "{answer}");
    assert!(answer["data"]["records"]["nodes"][0]["vendorAccount"].is_null());
}

#[tokio::test]
async fn an_account_tells_its_records_and_locations_in_few_statements() {
    let house = house().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let query = "{ vendorAccounts { nodes { id locations { location name site { name } } syncParts { part }
        records(filter: { kinds: [SENSOR] }) { totalCount nodes { externalId } } } } }";
    let before = house.database.statements();
    let answer = house.ask(&key, query, json!({})).await;
    let statements = house.database.statements() - before;
    assert!(statements < 12, "{statements} statements");
    let account = &answer["data"]["vendorAccounts"]["nodes"][0];
    let hill = json!([{ "location": "hill", "name": "Record hill", "site": { "name": "Hill" } }]);
    assert_eq!(account["locations"], hill, "{answer}");
    assert_eq!(account["records"], json!({ "totalCount": 1, "nodes": [{ "externalId": "sensor" }] }));
    let other = VendorAccountId(Uuid::nil()).to_string();
    let query = format!(
        "{{ vendorAccounts {{ nodes {{ records(filter: {{ vendorAccountId: \"{other}\" }}) {{ totalCount nodes {{ id }} }} }} }} }}"
    );
    let answer = house.ask(&key, &query, json!({})).await;
    let nothing = json!({ "totalCount": 0, "nodes": [] });
    assert_eq!(answer["data"]["vendorAccounts"]["nodes"][0]["records"], nothing, "{answer}");
}

#[tokio::test]
async fn what_remains_at_the_vendor_is_listed_when_an_account_is_unlinked() {
    let house = house().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let unlink = "mutation Unlink($id: ID!) { unlinkVendorAccount(input: { vendorAccountId: $id }) {
        vendorAccount { state } remains { devices records { kind count } first { externalId } } userErrors { code } } }";
    let id = VendorAccountId(house.account.id).to_string();
    for _ in 0..2 {
        let answer = house.ask(&key, unlink, json!({ "id": id })).await;
        let unlinked = &answer["data"]["unlinkVendorAccount"];
        assert_eq!(unlinked["vendorAccount"]["state"], "DISCONNECTED", "{answer}");
        let remains = &unlinked["remains"];
        assert_eq!(remains["devices"], super::house::DOCKS + 1);
        assert_eq!(remains["records"].as_array().unwrap().len(), 6);
        assert_eq!(remains["first"], json!([{ "externalId": "ada" }, { "externalId": "phone" }]));
    }
    let events = house.ask(&key, "{ events(filter: { types: [ACCOUNT_UNLINKED] }) { totalCount } }", json!({})).await;
    assert_eq!(events["data"]["events"]["totalCount"], 1, "{events}");
}
