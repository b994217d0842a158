//! Changes at vendors: records named by our ids, secrets sealed, keys, and what devices and doors show of themselves.

use std::collections::BTreeSet;

use domain::{
    access::{Limits, Role},
    account::{AccountState, Vendor},
    change::{AccessHolder, Change, DoorSettings, PortSide},
    clock::Clock,
    command::{Action, CommandKind},
    device::{DeviceDetails, FoundDevice, FoundDoor, Health, PhoneAccess},
    door::{DoorKind, DoorReading},
    ids::{CommandId, DeviceId, IdSource, RecordId, VendorAccountId},
    record::{
        AccessLevelDetails, CampaignDetails, CampaignKind, CredentialDetails, CredentialStatus, CredentialType,
        DeviceAccessDetails, FoundRecord, RecordDetails, ReservationDetails, ReservationState, SensorDetails,
        UserDetails,
    },
    secret::Secret,
};
use entities::{
    StoreError, find,
    rows::{command, vendor_account},
    store::{self, records::RecordSealer},
    work,
};
use platform::vault::Place;
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::House;

struct NoSecrets;

impl RecordSealer for NoSecrets {
    fn seal(&self, _: Uuid, _: &Secret) -> Result<Vec<u8>, StoreError> {
        Ok(Vec::new())
    }

    fn holds(&self, _: Uuid, _: &[u8], _: &Secret) -> bool {
        true
    }
}

/// A house with two intercoms, a card-lock system and a PMS, whose vendors keep one record of some kinds.
struct World {
    house: House,
    raixer: vendor_account::Model,
    lockt: vendor_account::Model,
    mews: vendor_account::Model,
    admin: String,
}

impl World {
    async fn build() -> Self {
        let house = House::build().await;
        let raixer = link(&house, Vendor::Raixer).await;
        let lockt = link(&house, Vendor::Lockt).await;
        let mews = link(&house, Vendor::Mews).await;
        let now = house.clock.now();
        let intercoms = [intercom("one"), intercom("two")];
        store::inventory::record(&house.database, house.ids.as_ref(), &raixer, &intercoms, now).await.unwrap();
        let fob = RecordDetails::Credential(credential(CredentialType::Fob));
        let people = [
            found("7", None, RecordDetails::User(UserDetails::default())),
            found("12", None, RecordDetails::AccessLevel(AccessLevelDetails::default())),
            found("9", None, fob),
        ];
        keep(&house, &lockt, &people).await;
        keep(&house, &mews, &[found("stay", None, RecordDetails::Reservation(stay()))]).await;
        let campaign = RecordDetails::Campaign(CampaignDetails {
            campaign_kind: CampaignKind::Intercom,
            mode: None,
            price: Some(4.5),
            accumulated: None,
            time: None,
            subscription: None,
            offline_auto_access: None,
            auto_access_always_active: None,
        });
        let of_intercoms = [
            found("phone", Some("one"), RecordDetails::Credential(credential(CredentialType::PhoneNumber))),
            found("sensor", Some("one"), RecordDetails::Sensor(SensorDetails::default())),
            found("access", Some("one"), RecordDetails::DeviceAccess(DeviceAccessDetails::default())),
            found("plan", Some("one"), campaign),
            found("phone 2", Some("two"), RecordDetails::Credential(credential(CredentialType::PhoneNumber))),
            found("access 2", Some("two"), RecordDetails::DeviceAccess(DeviceAccessDetails::default())),
        ];
        keep(&house, &raixer, &of_intercoms).await;
        let admin = house.key(Role::Admin, &Limits::default()).await;
        Self { house, raixer, lockt, mews, admin }
    }

    /// The public id of a record, by the vendor's.
    async fn record(&self, external_id: &str) -> String {
        let query = "query R($filter: RecordFilter!) { records(filter: $filter) { nodes { id } } }";
        let answer = self.house.ask(&self.admin, query, json!({ "filter": { "externalId": external_id } })).await;
        answer["data"]["records"]["nodes"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn device(&self, external_id: &str) -> Value {
        let query = "{ devices(first: 100) { nodes { id externalId doors { id } } } }";
        let answer = self.house.ask(&self.admin, query, json!({})).await;
        let all = answer["data"]["devices"]["nodes"].as_array().unwrap().clone();
        all.into_iter().find(|device| device["externalId"] == external_id).unwrap()
    }

    /// The payload of a mutation.
    async fn mutate(&self, key: &str, name: &str, input: Value) -> Value {
        let (first, rest) = name.split_at(1);
        let what = if name == "importUsers" { "commands { id }" } else { "command { id kind } " };
        let query = format!(
            "mutation M($input: {}{rest}Input!) {{ {name}(input: $input) {{ {what} userErrors {{ code message path }} }} }}",
            first.to_uppercase()
        );
        let answer = self.house.ask(key, &query, json!({ "input": input })).await;
        assert!(answer["errors"].is_null(), "{name} {answer}");
        answer["data"][name].clone()
    }

    /// The command that an accepted mutation made.
    async fn sent(&self, name: &str, input: Value) -> command::Model {
        let payload = self.mutate(&self.admin, name, input).await;
        self.written(&payload["command"]["id"]).await
    }

    async fn written(&self, id: &Value) -> command::Model {
        let id: CommandId = id.as_str().unwrap().parse().unwrap();
        work::command(&self.house.database, id).await.unwrap().unwrap()
    }

    fn opened(&self, row: &command::Model) -> Option<String> {
        let place = Place { table: "commands", column: "sealed", row: row.id };
        row.sealed.as_ref().map(|sealed| self.house.vault.open(sealed, place).unwrap().expose().to_owned())
    }

    async fn written_in_all(&self) -> u64 {
        let everything = entities::Scope::of(&self.house.principal(Role::Admin));
        find::commands::count(&self.house.database, &everything, &find::commands::CommandFilter::default())
            .await
            .unwrap()
    }
}

fn id_of(account: &vendor_account::Model) -> String {
    VendorAccountId(account.id).to_string()
}

fn change(row: &command::Model) -> Change {
    match row.action().unwrap() {
        Action::Change(change) => *change,
        other => unreachable!("no change: {other:?}"),
    }
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

async fn link(house: &House, vendor: Vendor) -> vendor_account::Model {
    let account = store::accounts::NewAccount {
        id: VendorAccountId(house.ids.next_uuid()),
        organization: house.organization,
        site: house.site,
        vendor,
        name: vendor.as_str(),
        base_url: "http://127.0.0.1:1",
        credentials: vec![1],
        locations: &[],
        state: AccountState::Connected,
        signed_in_as: None,
        intake_token_hash: None,
        linked_by: None,
    };
    store::accounts::link(&house.database, house.ids.as_ref(), account, house.clock.now()).await.unwrap()
}

async fn keep(house: &House, account: &vendor_account::Model, records: &[FoundRecord]) {
    let now = house.clock.now();
    let ids = house.ids.as_ref();
    store::records::record(&house.database, ids, &NoSecrets, account, records, now).await.unwrap();
}

fn found(external_id: &str, device: Option<&str>, details: RecordDetails) -> FoundRecord {
    FoundRecord {
        external_id: external_id.to_owned(),
        device: device.map(str::to_owned),
        location: String::new(),
        name: external_id.to_owned(),
        details,
        secret: None,
    }
}

fn credential(credential_type: CredentialType) -> CredentialDetails {
    CredentialDetails {
        credential_type,
        status: CredentialStatus::Active,
        number: None,
        id_number: None,
        user: None,
        access_from: None,
        access_until: None,
        access_levels: None,
        last_used_at: None,
    }
}

fn stay() -> ReservationDetails {
    ReservationDetails {
        number: None,
        state: ReservationState::Confirmed,
        vendor_state: "Confirmed".to_owned(),
        service: None,
        group: None,
        guest: None,
        companions: Vec::new(),
        resource: None,
        resource_locked: false,
        starts_at: None,
        ends_at: None,
        actual_start: None,
        actual_end: None,
        updated_at: None,
    }
}

/// An intercom that can do everything, with a door that can.
fn intercom(external_id: &str) -> FoundDevice {
    let all: BTreeSet<CommandKind> = CommandKind::ALL.iter().copied().collect();
    let door = FoundDoor {
        external_id: format!("door of {external_id}"),
        name: "Street".to_owned(),
        kind: DoorKind::Door,
        position: 1,
        capabilities: all.clone(),
        reading: DoorReading::default(),
        settings: Some(DoorSettings { port: Some(PortSide::Left), tolerance: Some(0.5), ..DoorSettings::default() }),
        phone_access: Some(PhoneAccess { enabled: true, any_caller: true, number: Some("34600000000".to_owned()) }),
    };
    let more = [("board".to_owned(), "7".to_owned())].into();
    FoundDevice {
        external_id: external_id.to_owned(),
        location: String::new(),
        name: external_id.to_owned(),
        model: "intercom".to_owned(),
        firmware: None,
        health: Health::Healthy,
        health_since: None,
        battery_percent: None,
        details: DeviceDetails { campaign: Some("plan".to_owned()), more, ..DeviceDetails::default() },
        capabilities: all,
        doors: vec![door],
    }
}

#[tokio::test]
async fn records_are_named_by_our_ids_and_sent_by_the_vendors() {
    let world = World::build().await;
    let one = world.device("one").await;
    let row = world.sent("suspendPhone", json!({ "phoneId": world.record("phone").await })).await;
    assert_eq!(change(&row), Change::SuspendPhone { phone: "phone".to_owned() });
    assert_eq!(row.device_id.map(|id| DeviceId(id).to_string()), one["id"].as_str().map(str::to_owned));
    assert_eq!((row.account_id, row.door_id, row.expires_at), (world.raixer.id, None, None));
    let holder = json!({ "deviceAccessId": world.record("access").await });
    let row = world.sent("revokeDeviceAccess", json!({ "deviceId": one["id"], "holder": holder })).await;
    assert_eq!(change(&row), Change::RevokeDeviceAccess { holder: AccessHolder::Record("access".to_owned()) });
    let assignment = json!({ "fobId": world.record("9").await, "userId": world.record("7").await });
    let input = json!({ "vendorAccountId": id_of(&world.lockt), "assignments": [assignment] });
    let row = world.sent("assignFobs", input).await;
    let Change::AssignFobs { assignments } = change(&row) else { panic!("{row:?}") };
    assert_eq!((assignments[0].fob.as_str(), assignments[0].user.as_str()), ("9", "7"));
    assert_eq!((row.device_id, row.lane_id, row.site_id), (None, world.lockt.id, world.lockt.site_id));
}

#[tokio::test]
async fn records_of_others_are_refused() {
    let world = World::build().await;
    let (one, before) = (world.device("one").await, world.written_in_all().await);
    let (phone, access, fob) = (world.record("phone").await, world.record("access 2").await, world.record("9").await);
    let absent = RecordId(world.house.ids.next_uuid()).to_string();
    let refused = |name: &'static str, input: Value, expected: &'static str, field: &'static str| {
        let world = &world;
        async move {
            let payload = world.mutate(&world.admin, name, input).await;
            assert_eq!(code(&payload), expected, "{name} {payload}");
            assert_eq!(payload["userErrors"][0]["path"], json!(["input", field]), "{name} {payload}");
        }
    };
    refused("deleteSensor", json!({ "sensorId": phone }), "NOT_FOUND", "sensorId").await;
    refused("suspendPhone", json!({ "phoneId": fob }), "NOT_FOUND", "phoneId").await;
    refused("suspendPhone", json!({ "phoneId": absent }), "NOT_FOUND", "phoneId").await;
    let of_another = json!({ "deviceId": one["id"], "holder": { "deviceAccessId": access } });
    refused("revokeDeviceAccess", of_another, "INVALID_INPUT", "holder").await;
    let of_another = json!({ "vendorAccountId": id_of(&world.lockt), "credentialIds": [fob, phone] });
    refused("reissueCredentials", of_another, "INVALID_INPUT", "credentialIds").await;
    let no_address = json!({ "deviceId": one["id"], "holder": { "email": "nobody" } });
    refused("revokeDeviceAccess", no_address, "INVALID_INPUT", "holder").await;
    let nothing = json!({ "doorId": one["doors"][0]["id"], "settings": {} });
    refused("updateDoor", nothing, "INVALID_INPUT", "settings").await;
    let of_bikeep = json!({ "vendorAccountId": id_of(&world.house.account) });
    refused("readNextCardNumber", of_bikeep, "CAPABILITY_MISSING", "vendorAccountId").await;
    assert_eq!(world.written_in_all().await, before);
}

#[tokio::test]
async fn the_value_of_a_token_is_sealed_and_compared() {
    let world = World::build().await;
    let reservation = world.record("stay").await;
    let input = |value: &str| {
        json!({
            "reservationId": reservation, "tokenType": "PIN_CODE", "value": value, "permissions": { "room": true },
            "validFrom": "2026-11-21T15:00:00.123456789Z", "validUntil": "2026-11-25T10:00:00Z", "idempotencyKey": "k",
        })
    };
    let row = world.sent("addPmsAccessToken", input("471199")).await;
    let Change::AddPmsAccessToken(plan) = change(&row) else { panic!("{row:?}") };
    assert_eq!((plan.reservation.as_str(), plan.resource), ("stay", None));
    assert!(plan.serial_number.starts_with("gh-"), "{}", plan.serial_number);
    assert!(plan.permissions.room && !plan.permissions.building);
    assert!(!row.action.to_string().contains("471199"));
    assert_eq!(world.opened(&row).as_deref(), Some("471199"));
    assert_eq!((row.account_id, row.device_id), (world.mews.id, None));
    let again = world.sent("addPmsAccessToken", input("471199")).await;
    assert_eq!(again.id, row.id);
    let other = world.mutate(&world.admin, "addPmsAccessToken", input("471198")).await;
    assert_eq!(code(&other), "IDEMPOTENCY_KEY_REUSED");
    assert!(!other.to_string().contains("4711"));
    let mut without_key = input("471199");
    without_key["idempotencyKey"] = Value::Null;
    let row = world.sent("addPmsAccessToken", without_key).await;
    let Change::AddPmsAccessToken(plan) = change(&row) else { panic!("{row:?}") };
    assert_eq!(plan.serial_number, format!("gh-{}", CommandId(row.id)));
}

#[tokio::test]
async fn people_are_imported_in_blocks() {
    let world = World::build().await;
    let level = world.record("12").await;
    let people = |pin: &str| {
        let mut users: Vec<Value> = (0..150)
            .map(|number| json!({ "idNumber": number.to_string(), "firstName": "A", "lastName": "B" }))
            .collect();
        users[120]["pin"] = pin.into();
        users[120]["accessLevelIds"] = json!([level]);
        json!({ "vendorAccountId": id_of(&world.lockt), "users": users, "idempotencyKey": "k" })
    };
    let payload = world.mutate(&world.admin, "importUsers", people("4711")).await;
    assert_eq!(payload["commands"].as_array().unwrap().len(), 2, "{payload}");
    let (first, second) =
        (world.written(&payload["commands"][0]["id"]).await, world.written(&payload["commands"][1]["id"]).await);
    assert_eq!((first.idempotency_key.as_str(), second.idempotency_key.as_str()), ("k#1", "k#2"));
    let (Change::ImportUsers { users, options }, Change::ImportUsers { users: rest, .. }) =
        (change(&first), change(&second))
    else {
        panic!("{first:?}")
    };
    assert_eq!((users.len(), rest.len()), (100, 50));
    assert!(options.validate_fails_batch && !options.update_existing && !options.replace_privileges);
    assert_eq!((rest[20].access_levels.clone(), rest[20].has_pin), (vec!["12".to_owned()], true));
    assert!(!second.action.to_string().contains("4711"));
    assert_eq!((world.opened(&first), world.opened(&second)), (None, Some("{\"120\":{\"pin\":\"4711\"}}".to_owned())));
    let again = world.mutate(&world.admin, "importUsers", people("4711")).await;
    assert_eq!(again["commands"], payload["commands"]);
    let other = world.mutate(&world.admin, "importUsers", people("4712")).await;
    assert_eq!(code(&other), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(other["commands"], json!([payload["commands"][0]]));
}

#[tokio::test]
async fn nothing_of_an_import_is_written_unless_all_of_it_can_be() {
    let world = World::build().await;
    let before = world.written_in_all().await;
    let mut users: Vec<Value> =
        (0..101).map(|number| json!({ "idNumber": number.to_string(), "firstName": "A", "lastName": "B" })).collect();
    users[100]["accessUntil"] = "2026-01-01T00:00:00Z".into();
    users[100]["accessFrom"] = "2026-01-02T00:00:00Z".into();
    let input = json!({ "vendorAccountId": id_of(&world.lockt), "users": users });
    let payload = world.mutate(&world.admin, "importUsers", input).await;
    assert_eq!((code(&payload), payload["commands"].clone()), ("INVALID_INPUT", json!([])), "{payload}");
    assert_eq!(world.written_in_all().await, before);
}

#[tokio::test]
async fn limits_hold_for_accounts_and_devices() {
    let world = World::build().await;
    let one = world.device("one").await;
    let door = one["doors"][0]["id"].clone();
    let of_site = Limits { sites: Some([world.house.site].into()), ..Limits::default() };
    let of_door = Limits { doors: Some([door.as_str().unwrap().parse().unwrap()].into()), ..Limits::default() };
    let (of_site, of_door) =
        (world.house.key(Role::Admin, &of_site).await, world.house.key(Role::Admin, &of_door).await);
    let account = json!({ "vendorAccountId": id_of(&world.lockt) });
    assert_eq!(code(&world.mutate(&of_site, "readNextCardNumber", account).await), "NOT_FOUND");
    let whole = json!({ "deviceId": one["id"], "active": true });
    assert_eq!(code(&world.mutate(&of_door, "setAutoAccessAlwaysActive", whole.clone()).await), "FORBIDDEN");
    assert_eq!(code(&world.mutate(&of_site, "setAutoAccessAlwaysActive", whole).await), "");
    let read = json!({ "deviceId": one["id"], "variable": "status" });
    assert_eq!(code(&world.mutate(&of_door, "readDeviceVariable", read).await), "");
    assert_eq!(code(&world.mutate(&of_door, "setPhoneAccess", json!({ "doorId": door, "enabled": true })).await), "");
    let phone = json!({ "phoneId": world.record("phone").await });
    assert_eq!(code(&world.mutate(&of_site, "suspendPhone", phone.clone()).await), "NOT_FOUND");
    // Whoever may not read people's records learns nothing of which there are.
    let operator = world.house.key(Role::Operator, &Limits::default()).await;
    let absent = json!({ "phoneId": RecordId(world.house.ids.next_uuid()).to_string() });
    let (there, nowhere) =
        (world.mutate(&operator, "suspendPhone", phone).await, world.mutate(&operator, "suspendPhone", absent).await);
    assert_eq!((code(&there), &there), ("FORBIDDEN", &nowhere));
}

#[tokio::test]
async fn devices_and_doors_show_what_their_vendors_keep() {
    let world = World::build().await;
    let query = "{ devices(first: 100) { nodes { externalId details { more { name value } autoAccessAlwaysActive }
        sensors { externalId } autoAccessSchedules { id } campaign { externalId }
        phones { externalId } accesses { externalId }
        doors { settings { port tolerance name } phoneAccess { enabled anyCaller number } } } } }";
    let answer = world.house.ask(&world.admin, query, json!({})).await;
    assert!(answer["errors"].is_null(), "{answer}");
    let nodes = answer["data"]["devices"]["nodes"].as_array().unwrap();
    let one = nodes.iter().find(|node| node["externalId"] == "one").unwrap();
    let expected = json!({
        "externalId": "one",
        "details": { "more": [{ "name": "board", "value": "7" }], "autoAccessAlwaysActive": null },
        "sensors": [{ "externalId": "sensor" }], "autoAccessSchedules": [], "campaign": { "externalId": "plan" },
        "phones": [{ "externalId": "phone" }], "accesses": [{ "externalId": "access" }],
        "doors": [{
            "settings": { "port": "LEFT", "tolerance": 0.5, "name": null },
            "phoneAccess": { "enabled": true, "anyCaller": true, "number": "34600000000" },
        }],
    });
    assert_eq!(*one, expected);
    let dock = nodes.iter().find(|node| node["externalId"] == "0").unwrap();
    assert_eq!(dock["doors"][0], json!({ "settings": null, "phoneAccess": null }));
    // One statement for the devices, one for their doors, and one for the records of all kinds of all of them.
    let before = world.house.database.statements();
    world.house.ask(&world.admin, query, json!({})).await;
    assert_eq!(world.house.database.statements() - before, 3);
    let phones = "{ devices(first: 100) { nodes { externalId sensors { externalId } phones { externalId } } } }";
    let operator = world.house.key(Role::Operator, &Limits::default()).await;
    let answer = world.house.ask(&operator, phones, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    let limits = Limits { sites: Some([world.house.site].into()), ..Limits::default() };
    let of_site = world.house.key(Role::Manager, &limits).await;
    let answer = world.house.ask(&of_site, phones, json!({})).await;
    assert!(answer["errors"].is_null(), "{answer}");
    let nodes = answer["data"]["devices"]["nodes"].as_array().unwrap();
    let one = nodes.iter().find(|node| node["externalId"] == "one").unwrap();
    assert_eq!(*one, json!({ "externalId": "one", "sensors": [{ "externalId": "sensor" }], "phones": null }));
}

#[tokio::test]
async fn a_command_to_an_account_shows_it_and_its_result() {
    let world = World::build().await;
    let sent = world.sent("readNextCardNumber", json!({ "vendorAccountId": id_of(&world.lockt) })).await;
    let progress = sent.progress().unwrap();
    let step = store::commands::Recording {
        row: &sent,
        progress: &progress,
        lines: Vec::new(),
        rides_on: None,
        reading: None,
        result: Some(json!({ "cardNumber": 42 })),
    };
    let (database, ids) = (&world.house.database, world.house.ids.as_ref());
    store::commands::record(database, ids, step, world.house.clock.now()).await.unwrap();
    let query = "query C($id: ID!) { command(id: $id) { kind result device { id } door { id } vendorAccount { id } } }";
    let id = CommandId(sent.id).to_string();
    let answer = world.house.ask(&world.admin, query, json!({ "id": id })).await;
    let expected = json!({
        "kind": "READ_NEXT_CARD_NUMBER", "result": { "cardNumber": 42 }, "device": null, "door": null,
        "vendorAccount": { "id": id_of(&world.lockt) },
    });
    assert_eq!(answer["data"]["command"], expected, "{answer}");
}
