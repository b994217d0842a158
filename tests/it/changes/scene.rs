//! A house at small vendors, the changes that can be asked there, and what their journals show. No test lives here.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use gatehouse_tests::{
    client::{COMMAND, Client, text},
    house::{BackEnd, Plan, TestHouse},
    wait::until,
};
use serde_json::{Value, json};
use simulator::{EffectKind, Fault, FaultKind, SimulatorOptions, Vendor, WorldChoice, WorldSize};

use super::pace::Pace;
use crate::{orders::account_id, truth::carry_to_the_end};

/// How long the house waits for a vendor here, in seconds.
const TIME_OUT: &str = "1";
/// Longer than that, in milliseconds.
pub(crate) const TOO_LONG: u64 = 1_300;

/// A house with what the changes are about.
pub(crate) struct Scene {
    pub(crate) house: TestHouse,
    /// Raixer's devices with their doors.
    pub(crate) devices: Vec<Value>,
    /// Records of Mews' reservations.
    pub(crate) reservations: Vec<Value>,
    /// Records of Lockt's credentials.
    pub(crate) credentials: Vec<Value>,
    pub(crate) lockt: String,
    works_by_itself: bool,
}

/// Vendors with this many devices and reservations, and few of everything else.
pub(crate) fn plan(back_end: BackEnd, devices: usize) -> Plan {
    let size = WorldSize {
        bikeep_docks: 1,
        raixer_devices: devices,
        raixer_doors: 1,
        parqex_controllers: 1,
        parqex_doors: 1,
        lockt_rooms: 2,
        lockt_users: 6,
        mews_rooms: 2,
        mews_reservations: devices,
        ..WorldSize::default()
    };
    let mut plan = Plan::on(back_end).with_setting("vendor_timeout_seconds", TIME_OUT);
    plan.simulator = SimulatorOptions { world: WorldChoice::Sized(size), ..plan.simulator };
    plan
}

/// A moment as the API reads it.
pub(crate) fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Records of these kinds, as the API tells.
pub(crate) async fn records(house: &TestHouse, filter: Value) -> Vec<Value> {
    let query = "query($filter: RecordFilter) { records(first: 100, filter: $filter) { nodes { \
        id kind externalId name missingSince device { id externalId } details { __typename \
        ... on CredentialDetails { credentialType number status accessUntil idNumber } \
        ... on UserDetails { idNumber firstName email enabled cardNumber accessLevelExternalIds accessUntil } \
        ... on DeviceAccessDetails { profile disabled holderEmail ownerExternalId } \
        ... on SensorDetails { port } \
        ... on AutoAccessScheduleDetails { startsAt minutes position } \
        ... on AccessTokenDetails { active serialNumber validUntil reservationExternalId } } } } }";
    let mut data = house.client.data(query, json!({ "filter": filter })).await;
    serde_json::from_value(data["records"]["nodes"].take()).unwrap()
}

/// The record that a vendor knows by this id.
pub(crate) async fn record(house: &TestHouse, kind: &str, external_id: &str) -> Option<Value> {
    records(house, json!({ "kinds": [kind], "externalId": external_id })).await.pop()
}

/// What a command brought back.
pub(crate) async fn result(house: &TestHouse, id: &str) -> Value {
    let mut data = house.client.data("query($id: ID!) { command(id: $id) { result } }", json!({ "id": id })).await;
    data["command"]["result"].take()
}

/// The vendor's id of what a command made.
pub(crate) async fn made_id(house: &TestHouse, id: &str) -> String {
    text(&result(house, id).await["externalId"])
}

/// Sends a mutation and returns its payload with all commands in it.
pub(crate) async fn mutate(client: &Client, mutation: &str, input: Value) -> Value {
    if mutation != "importUsers" {
        let mut payload = client.mutate(mutation, input).await;
        let commands: Vec<Value> = [payload["command"].take()].into_iter().filter(Value::is_object).collect();
        payload["commands"] = commands.into();
        return payload;
    }
    let query = format!(
        "mutation($input: ImportUsersInput!) {{ importUsers(input: $input) {{ commands {{ {COMMAND} }} \
         userErrors {{ code message path }} }} }}"
    );
    let mut data = client.data(&query, json!({ "input": input })).await;
    data[mutation].take()
}

/// Sends a mutation that must be accepted, and returns its one command.
pub(crate) async fn command(client: &Client, mutation: &str, input: Value) -> String {
    let payload = mutate(client, mutation, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
    assert_eq!(payload["commands"].as_array().map(Vec::len), Some(1), "{mutation}: {payload:#}");
    text(&payload["commands"][0]["id"])
}

/// Sends a mutation that must be accepted and succeed, under the system's clock. Returns its command.
pub(crate) async fn succeed(house: &TestHouse, mutation: &str, input: Value) -> String {
    let id = command(&house.client, mutation, input).await;
    let command = house.client.finished(&id).await;
    assert_eq!(command["state"], "SUCCEEDED", "{mutation}: {command:#}");
    id
}

/// How often requests did this to something at the vendor.
pub(crate) fn effects(house: &TestHouse, vendor: Vendor, kind: EffectKind) -> usize {
    let effects = house.vendors.effects(0).entries;
    effects.iter().filter(|effect| (effect.vendor, effect.kind) == (vendor, kind) && effect.caused_by.is_some()).count()
}

/// How often an operation of a vendor was asked for.
pub(crate) fn sent(house: &TestHouse, vendor: Vendor, operation: &str) -> usize {
    house.vendors.requests_to(vendor, operation).len()
}

/// The bodies that an operation was asked for with, oldest first.
pub(crate) fn bodies(house: &TestHouse, vendor: Vendor, operation: &str) -> Vec<Value> {
    let requests = house.vendors.requests_to(vendor, operation);
    requests.iter().map(|request| serde_json::from_str(&request.body).unwrap()).collect()
}

/// Nothing of what a Raixer account must never do happened.
pub(crate) fn assert_no_harm(house: &TestHouse) {
    for kind in [EffectKind::OwnerChanged, EffectKind::DiscouragedFunction] {
        assert_eq!(effects(house, Vendor::Raixer, kind), 0, "{kind:?}");
    }
    assert_eq!(house.vendors.lockt_overlaps(), Vec::new());
}

pub(crate) fn status(code: u16) -> FaultKind {
    FaultKind::Status { code, retry_after: None, after_effect: false }
}

pub(crate) fn late_status(code: u16) -> FaultKind {
    FaultKind::Status { code, retry_after: None, after_effect: true }
}

impl Scene {
    /// A scene with a clock that the tests move.
    pub(crate) async fn start(plan: Plan) -> Self {
        let works_by_itself = plan.worker;
        let house = plan.with_manual_clock().start().await;
        let query = "{ devices(first: 100) { nodes { id externalId vendorAccount { vendor } \
            doors { id externalId position } } } }";
        let mut data = house.client.data(query, json!({})).await;
        let mut devices: Vec<Value> = serde_json::from_value(data["devices"]["nodes"].take()).unwrap();
        devices.retain(|device| device["vendorAccount"]["vendor"] == "RAIXER");
        let reservations = records(&house, json!({ "kinds": ["RESERVATION"] })).await;
        let lockt = account_id(&house, Vendor::Lockt).await.to_string();
        let mut credentials = records(&house, json!({ "kinds": ["CREDENTIAL"], "vendorAccountId": lockt })).await;
        credentials.retain(|credential| credential["details"]["credentialType"] != "FOB");
        assert!(!devices.is_empty() && !reservations.is_empty() && !credentials.is_empty(), "the vendors are empty");
        Self { house, devices, reservations, credentials, lockt, works_by_itself }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.house.clock.as_ref().map(domain::clock::Clock::now).unwrap()
    }

    /// The device of a case.
    pub(crate) fn device(&self, number: usize) -> &Value {
        &self.devices[number % self.devices.len()]
    }

    /// Carries a command to where nothing is left to do for it, and lets no more time pass than that takes.
    pub(crate) async fn carried(&self, id: &str) -> Value {
        if !self.works_by_itself {
            return carry_to_the_end(&self.house, id).await;
        }
        self.pass_until(id, |row| row.due_at.is_none(), Pace::Jumping).await
    }

    /// Carries a command to its end; one whose outcome is unknown has been looked for a few times.
    pub(crate) async fn carried_and_looked(&self, id: &str) -> Value {
        let looked = |row: &entities::rows::command::Model| row.state == "OUTCOME_UNKNOWN" && row.polls >= 3;
        self.pass_until(id, |row| row.due_at.is_none() || looked(row), Pace::Jumping).await
    }

    /// The same while time passes as it does: a vendor that is slow stays slow.
    pub(crate) async fn carried_slowly(&self, id: &str) -> Value {
        self.pass_until(id, |row| row.due_at.is_none(), Pace::AsItPasses).await
    }

    /// Lets time pass until a command's row is as wished.
    pub(crate) async fn pass_until(
        &self,
        id: &str,
        is_reached: impl Fn(&entities::rows::command::Model) -> bool,
        pace: Pace,
    ) -> Value {
        until(&format!("{id} gets there"), async || {
            let row = self.house.row(id).await;
            if is_reached(&row) {
                return Some(self.house.client.read_command(id).await);
            }
            let due = row.due_at.filter(|_| pace != Pace::AsItPasses);
            let wait = due.map_or(TimeDelta::zero(), |due| due - self.now());
            self.house.advance(wait.max(pace.least()));
            None
        })
        .await
    }

    /// Sends a mutation that must be accepted, and carries it to success.
    pub(crate) async fn done(&self, mutation: &str, input: Value) -> String {
        let id = command(&self.house.client, mutation, input).await;
        let command = self.carried(&id).await;
        assert_eq!(command["state"], "SUCCEEDED", "{mutation}: {command:#}");
        id
    }

    /// Sends a mutation through a fault at an operation, and carries it to its end.
    pub(crate) async fn through_fault(&self, change: &Change, number: usize, kind: FaultKind) -> Came {
        let is_edge = EDGES.iter().any(|edge| edge.mutation == change.mutation);
        let input = change.input(self, number).await;
        let before = self.count(change);
        let slow = matches!(kind, FaultKind::Delay { .. });
        self.house.vendors.add_fault(Fault::new(change.vendor, kind).at(change.operation).times(1)).unwrap();
        let id = command(&self.house.client, change.mutation, input).await;
        let command = match (slow, is_edge) {
            (true, _) => self.carried_slowly(&id).await,
            (false, true) => self.carried_and_looked(&id).await,
            (false, false) => self.carried(&id).await,
        };
        // What a vendor does late it does after we have stopped to listen.
        until("every request has ended", async || {
            let pending = |entry: &simulator::RequestEntry| entry.outcome == simulator::Outcome::Pending;
            (!self.house.vendors.journal(0).entries.iter().any(pending)).then_some(())
        })
        .await;
        self.house.vendors.clear_faults();
        let after = self.count(change);
        Came { command, sent: after.0 - before.0, effects: after.1 - before.1 }
    }

    /// How often a change was sent, and how often it was made.
    pub(crate) fn count(&self, change: &Change) -> (usize, usize) {
        let sent = sent(&self.house, change.vendor, change.operation);
        (sent, effects(&self.house, change.vendor, change.effect))
    }
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) command: Value,
    pub(crate) sent: usize,
    pub(crate) effects: usize,
}

impl Came {
    /// The claim is what the vendor's journal shows.
    pub(crate) fn assert_true(&self, what: &str) {
        assert!(self.effects <= 1, "{what}: {} effects: {:#}", self.effects, self.command);
        match self.command["state"].as_str() {
            Some("SUCCEEDED") => assert_eq!(self.effects, 1, "{what}: {:#}", self.command),
            Some("FAILED" | "EXPIRED" | "CANCELED") => assert_eq!(self.effects, 0, "{what}: {:#}", self.command),
            Some("OUTCOME_UNKNOWN") => {}
            other => panic!("{what}: no end: {other:?}"),
        }
    }

    /// It succeeded with one effect after so many requests.
    pub(crate) fn assert_done(&self, sent: usize, what: &str) {
        assert_eq!(self.command["state"], "SUCCEEDED", "{what}: {:#}", self.command);
        assert_eq!((self.effects, self.sent), (1, sent), "{what}: effects and requests: {:#}", self.command);
    }
}

/// A change that can be asked for any number of times.
pub(crate) struct Change {
    pub(crate) vendor: Vendor,
    pub(crate) mutation: &'static str,
    /// What it is at the vendor.
    pub(crate) operation: &'static str,
    /// Where it is looked for.
    pub(crate) look: &'static str,
    /// What is done there.
    pub(crate) effect: EffectKind,
}

const fn change(
    vendor: Vendor,
    mutation: &'static str,
    operation: &'static str,
    look: &'static str,
    effect: EffectKind,
) -> Change {
    Change { vendor, mutation, operation, look, effect }
}

/// Everything that makes a record at a vendor.
pub(crate) const CREATIONS: [Change; 10] = {
    use EffectKind::{
        DeviceAccessGranted, DoorCreated, FobCreated, PhoneNumberAuthorised, ScheduleCreated, SensorCreated,
        TokenAdded, UserCreated,
    };
    use Vendor::{Lockt, Mews, Raixer};
    [
        change(Raixer, "authorizePhone", "create_authorized_phone", "list_authorized_phones", PhoneNumberAuthorised),
        change(Raixer, "grantDeviceAccess", "create_connection", "list_connections", DeviceAccessGranted),
        change(Raixer, "createDoor", "create_door", "list_doors", DoorCreated),
        change(Raixer, "createSensor", "create_sensor", "list_sensors", SensorCreated),
        change(Raixer, "createAutoAccessSchedule", "create_schedule", "list_schedules", ScheduleCreated),
        change(Raixer, "updateAutoAccessSchedule", "update_schedule", "list_schedules", ScheduleCreated),
        change(Lockt, "importUsers", "import_users", "find_user", UserCreated),
        change(Lockt, "createFobs", "create_fobs", "list_fobs", FobCreated),
        change(Lockt, "createDoors", "create_doors", "list_doors", DoorCreated),
        change(Mews, "addPmsAccessToken", "add_access_tokens", "list_access_tokens", TokenAdded),
    ]
};

/// Everything that opens, lets the bell or a call open, or cannot be told from its repetition.
pub(crate) const EDGES: [Change; 7] = {
    use EffectKind::{
        AutoAccessAlwaysActiveSet, AutoAccessStarted, CredentialReissued, DirectFunction, OfflineAutoAccessSet,
        PhoneAccessChanged,
    };
    use Vendor::{Lockt, Raixer};
    [
        change(Raixer, "startAutoAccess", "start_job_at", "get_variable", AutoAccessStarted),
        change(
            Raixer,
            "setAutoAccessAlwaysActive",
            "auto_access_always_active",
            "list_connections",
            AutoAccessAlwaysActiveSet,
        ),
        change(Raixer, "setOfflineAutoAccess", "offline_auto_access", "list_connections", OfflineAutoAccessSet),
        change(Raixer, "setPhoneAccess", "enable_door_phone", "list_doors", PhoneAccessChanged),
        change(Raixer, "setAnyCallerAccess", "enable_any_caller", "list_doors", PhoneAccessChanged),
        change(Raixer, "executeDeviceFunction", "call_function", "", DirectFunction),
        change(Lockt, "reissueCredentials", "reissue_credentials", "", CredentialReissued),
    ]
};

impl Change {
    /// The input of the case with this number. What it is about is made first, where it must be there.
    pub(crate) async fn input(&self, scene: &Scene, number: usize) -> Value {
        let device = scene.device(number);
        let (device_id, door_id) = (&device["id"], &device["doors"][0]["id"]);
        let soon = |minutes: i64| iso(scene.now() + TimeDelta::days(1) + TimeDelta::minutes(minutes));
        let numbered = i64::try_from(number).unwrap();
        match self.mutation {
            "authorizePhone" => json!({ "deviceId": device_id, "number": format!("35191{number:07}") }),
            "grantDeviceAccess" => json!({ "deviceId": device_id, "profile": "USER", "name": format!("Key {number}") }),
            "createDoor" => json!({ "deviceId": device_id, "settings": { "name": format!("Side {number}") } }),
            "createSensor" => json!({ "deviceId": device_id, "settings": { "name": format!("Hall {number}") } }),
            "createAutoAccessSchedule" => json!({ "doorId": door_id, "startsAt": soon(numbered), "minutes": 10 }),
            "updateAutoAccessSchedule" => {
                let input = json!({ "doorId": door_id, "startsAt": soon(numbered), "minutes": 10 });
                let id = scene.done("createAutoAccessSchedule", input).await;
                let made = made_id(&scene.house, &id).await;
                let schedule = record(&scene.house, "AUTO_ACCESS_SCHEDULE", &made).await.unwrap();
                json!({ "doorId": door_id, "scheduleId": schedule["id"], "startsAt": soon(numbered + 90), "minutes": 20 })
            }
            "importUsers" => json!({ "vendorAccountId": scene.lockt, "users": [person(number)] }),
            "createFobs" => json!({ "vendorAccountId": scene.lockt, "fobs": [
                { "idNumber": format!("fob-{number}"), "name": format!("Fob {number}"), "cardNumber": format!("77{number:06}") },
            ] }),
            "createDoors" => json!({ "vendorAccountId": scene.lockt, "names": [format!("Cellar {number}")] }),
            "addPmsAccessToken" => {
                let reservation = &scene.reservations[number % scene.reservations.len()];
                json!({
                    "reservationId": reservation["id"], "tokenType": "PIN_CODE", "value": format!("55{number:04}"),
                    "validFrom": iso(scene.now()), "validUntil": soon(0), "permissions": { "room": true },
                })
            }
            "startAutoAccess" => json!({ "doorId": door_id, "minutes": 5 }),
            "setAutoAccessAlwaysActive" | "setOfflineAutoAccess" => json!({ "deviceId": device_id, "active": true }),
            "setPhoneAccess" | "setAnyCallerAccess" => json!({ "doorId": door_id, "enabled": true }),
            "executeDeviceFunction" => json!({ "deviceId": device_id, "function": "waitBells", "argument": "1" }),
            "reissueCredentials" => {
                let credential = &scene.credentials[number % scene.credentials.len()];
                json!({ "vendorAccountId": scene.lockt, "credentialIds": [credential["id"]] })
            }
            other => unreachable!("no input for {other}"),
        }
    }
}

/// A person to be imported.
pub(crate) fn person(number: usize) -> Value {
    json!({ "idNumber": format!("gh-{number}"), "firstName": "Ada", "lastName": format!("Byron {number}") })
}
