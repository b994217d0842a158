//! What the tests of orders share: what a vendor's journal shows of an order, and what the API tells of its way.
//! No test lives here.

use chrono::TimeDelta;
use domain::ids::VendorAccountId;
use gatehouse_tests::{client::text, house::TestHouse, wait::until};
use serde_json::{Value, json};
use simulator::{Effect, RequestEntry, Vendor};

/// Requests to one operation that name this device or door, oldest first.
pub(crate) fn requests(house: &TestHouse, vendor: Vendor, operation: &str, id: &str) -> Vec<RequestEntry> {
    let mut entries = house.vendors.requests_to(vendor, operation);
    entries.retain(|entry| entry.path.contains(id) || entry.body.contains(id));
    entries
}

/// Effects that requests had at a device or door, oldest first. What hardware does by itself is left out.
pub(crate) fn effects(house: &TestHouse, id: &str) -> Vec<Effect> {
    let mut effects = house.vendors.effects_at(id);
    effects.retain(|effect| effect.caused_by.is_some());
    effects
}

/// The vendors whose doors move on request. A card lock moves for its card only, and a PMS has no doors.
pub(crate) const MOVERS: [Vendor; 3] = [Vendor::Bikeep, Vendor::Raixer, Vendor::Parqex];

/// The operation by which a vendor is asked to do something at a door.
pub(crate) fn operation(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Bikeep => "send_command",
        Vendor::Raixer => "open_door_at",
        Vendor::Parqex => "toggle",
        Vendor::Lockt | Vendor::Mews => unreachable!("{vendor:?} moves no door"),
    }
}

/// The vendor of a door.
pub(crate) fn vendor_of(door: &Value) -> Vendor {
    match door["device"]["vendorAccount"]["vendor"].as_str() {
        Some("BIKEEP") => Vendor::Bikeep,
        Some("RAIXER") => Vendor::Raixer,
        Some("PARQEX") => Vendor::Parqex,
        Some("LOCKT") => Vendor::Lockt,
        other => panic!("no simulated vendor: {other:?}"),
    }
}

/// The id by which a vendor's requests, faults and effects name a door: some name doors, the others devices.
pub(crate) fn name_at_vendor(door: &Value) -> String {
    match vendor_of(door) {
        Vendor::Parqex | Vendor::Lockt => text(&door["externalId"]),
        Vendor::Bikeep | Vendor::Raixer => text(&door["device"]["externalId"]),
        Vendor::Mews => unreachable!("a PMS has no doors"),
    }
}

/// The steps of a command's timeline without the vendor's own notes.
pub(crate) fn steps(command: &Value) -> Vec<String> {
    let lines = command["timeline"].as_array().unwrap();
    lines.iter().map(|line| text(&line["step"])).filter(|step| step != "VENDOR_NOTE").collect()
}

/// The code of a command's failure; empty without one.
pub(crate) fn failure(command: &Value) -> &str {
    command["failure"]["code"].as_str().unwrap_or_default()
}

/// Whether a command is still waiting to be sent.
pub(crate) fn is_unsent(command: &Value) -> bool {
    matches!(command["state"].as_str(), Some("QUEUED" | "DISPATCHING"))
}

/// The events of a command, oldest first.
pub(crate) async fn events_of(house: &TestHouse, command: &str) -> Vec<Value> {
    let filter = json!({ "commandId": command });
    events(house, filter).await
}

/// Events by a filter, oldest first.
pub(crate) async fn events(house: &TestHouse, filter: Value) -> Vec<Value> {
    let query = "query($filter: EventFilter) { events(first: 100, filter: $filter) { nodes { \
        type actor data door { id } device { id } command { id } } } }";
    let mut data = house.client.data(query, json!({ "filter": filter })).await;
    serde_json::from_value(data["events"]["nodes"].take()).unwrap()
}

/// One side of a door's state, as the API tells.
pub(crate) async fn side_of(house: &TestHouse, door: &str, side: &str) -> Value {
    let query = format!("query($id: ID!) {{ door(id: $id) {{ state {{ {side} {{ value observedAt source }} }} }} }}");
    let mut data = house.client.data(&query, json!({ "id": door })).await;
    data["door"]["state"][side].take()
}

/// Waits until a side of a door's live state has this value.
pub(crate) async fn side_becomes(house: &TestHouse, door: &str, side: &str, value: &str) {
    until(&format!("{side} of {door} is {value}"), async || {
        (side_of(house, door, side).await["value"] == value).then_some(())
    })
    .await;
}

/// A command once it has come to an end, however much of the manual clock's time that takes. The clock is moved only
/// while the vendor has the command, so that none expires for want of a real moment.
pub(crate) async fn ended(house: &TestHouse, id: &str) -> Value {
    until(&format!("{id} ends"), async || {
        let command = house.client.read_command(id).await;
        if command["terminal"] == true {
            return Some(command);
        }
        if house.clock.is_some() && !is_unsent(&command) {
            house.advance(TimeDelta::milliseconds(250));
        }
        None
    })
    .await
}

/// How many commands there are.
pub(crate) async fn command_count(house: &TestHouse) -> u64 {
    let data = house.client.data("{ commands(first: 1) { totalCount } }", json!({})).await;
    data["commands"]["totalCount"].as_u64().unwrap()
}

/// How many requests that ask for something physical reached any vendor.
pub(crate) fn dispatch_count(house: &TestHouse) -> usize {
    MOVERS.into_iter().map(|vendor| house.vendors.requests_to(vendor, operation(vendor)).len()).sum()
}

/// The id of a vendor's account.
pub(crate) async fn account_id(house: &TestHouse, vendor: Vendor) -> VendorAccountId {
    let accounts = entities::work::accounts_of(house.database(), house.organization).await.unwrap();
    let word = format!("{vendor:?}").to_uppercase();
    VendorAccountId(accounts.iter().find(|account| account.vendor == word).unwrap().id)
}

/// The account of a vendor, as the API tells.
pub(crate) async fn account(house: &TestHouse, vendor: Vendor) -> Value {
    let id = account_id(house, vendor).await.to_string();
    let query = "query($id: ID!) { node(id: $id) { ... on VendorAccount { id state stateReason syncedAt } } }";
    let mut data = house.client.data(query, json!({ "id": id })).await;
    data["node"].take()
}

/// Waits until a vendor's account is in this state.
pub(crate) async fn account_becomes(house: &TestHouse, vendor: Vendor, state: &str) -> Value {
    until(&format!("the {vendor:?} account is {state}"), async || {
        let account = account(house, vendor).await;
        (account["state"] == state).then_some(account)
    })
    .await
}
