//! Acting: what is accepted, what is refused and how, and what it costs.

use chrono::TimeDelta;
use domain::{
    access::{Limits, Role},
    account::AccountState,
    clock::Clock,
    command::CommandKind,
    ids::{CommandId, DeviceId},
};
use entities::{store, work};
use serde_json::{Value, json};

use super::house::House;

const OPEN: &str = "mutation Open($input: OpenDoorInput!) { openDoor(input: $input) {
    command { id kind state evidence terminal idempotencyKey version requestedBy door { id } timeline { step state } }
    userErrors { code message path } } }";

fn code(answer: &Value, mutation: &str) -> String {
    answer["data"][mutation]["userErrors"][0]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_order_is_written_once_per_key() {
    let house = House::build().await;
    let key = house.key(Role::Operator, &Limits::default()).await;
    let input = json!({ "input": { "doorId": house.door(0), "idempotencyKey": "k1" } });
    let first = house.ask(&key, OPEN, input.clone()).await;
    let command = &first["data"]["openDoor"]["command"];
    assert_eq!(command["state"], "QUEUED", "{first}");
    assert_eq!(command["door"]["id"], house.door(0));
    assert_eq!(command["idempotencyKey"], "k1");
    assert_eq!(command["timeline"], json!([{ "step": "REQUESTED", "state": "QUEUED" }]));
    let again = house.ask(&key, OPEN, input).await;
    assert_eq!(again["data"], first["data"]);
    let other = house.ask(&key, OPEN, json!({ "input": { "doorId": house.door(1), "idempotencyKey": "k1" } })).await;
    assert_eq!(code(&other, "openDoor"), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(other["data"]["openDoor"]["userErrors"][0]["path"], json!(["input", "idempotencyKey"]));
    let queued = work::open_commands(&house.database, house.doors[0].id, 10).await.unwrap();
    assert_eq!(queued.len(), 1);
    let stranger = house.key(Role::Viewer, &Limits::default()).await;
    let look = "query Look($id: ID!) { command(id: $id) { id idempotencyKey requestedBy } }";
    let seen = house.ask(&stranger, look, json!({ "id": command["id"] })).await;
    assert_eq!(seen["data"]["command"]["idempotencyKey"], json!(null));
    assert_eq!(seen["data"]["command"]["requestedBy"], command["requestedBy"]);
}

#[tokio::test]
async fn an_order_costs_few_statements() {
    let house = House::build().await;
    let key = house.key(Role::Operator, &Limits::default()).await;
    let query = "mutation Open($input: OpenDoorInput!) { openDoor(input: $input) { command { id state } } }";
    house.ask(&key, "{ viewer { id } }", json!({})).await;
    let before = house.database.statements();
    house.ask(&key, query, json!({ "input": { "doorId": house.door(0) } })).await;
    // The door with its device and account, the command, its event; the transaction itself is not counted.
    assert_eq!(house.database.statements() - before, 3);
}

#[tokio::test]
async fn refusals_say_why() {
    let house = House::build().await;
    let operator = house.key(Role::Operator, &Limits::default()).await;
    let viewer = house.key(Role::Viewer, &Limits::default()).await;
    let verbs = Limits { verbs: Some([CommandKind::LockDoor].into()), ..Limits::default() };
    let locker = house.key(Role::Manager, &verbs).await;
    let manager = house.key(Role::Manager, &Limits::default()).await;
    let door = house.door(0);
    let device = DeviceId(house.doors[0].device_id).to_string();
    let past = house.clock.now() - TimeDelta::seconds(1);
    let mutation = |name: &str| {
        let (first, rest) = name.split_at(1);
        let input = format!("{}{rest}Input", first.to_uppercase());
        format!(
            "mutation M($input: {input}!) {{ {name}(input: $input) {{ command {{ id }} userErrors {{ code path }} }} }}"
        )
    };
    for (key, name, input, expected) in [
        (&viewer, "openDoor", json!({ "doorId": door }), "FORBIDDEN"),
        (&locker, "openDoor", json!({ "doorId": door }), "FORBIDDEN"),
        (&operator, "forceUnlockDoor", json!({ "doorId": door, "reason": "TESTING" }), "FORBIDDEN"),
        (&operator, "openDoor", json!({ "doorId": "door_x" }), "NOT_FOUND"),
        (&operator, "openDoor", json!({ "doorId": device }), "NOT_FOUND"),
        (&operator, "closeDoor", json!({ "doorId": door }), "CAPABILITY_MISSING"),
        (&operator, "takePhoto", json!({ "deviceId": device }), "CAPABILITY_MISSING"),
        (&operator, "openDoor", json!({ "doorId": door, "expiresAt": past }), "INVALID_INPUT"),
        (&operator, "openDoor", json!({ "doorId": door, "idempotencyKey": "" }), "INVALID_INPUT"),
        (&operator, "bookDoor", json!({ "doorId": door, "until": past }), "INVALID_INPUT"),
        (&manager, "forceUnlockDoor", json!({ "doorId": door, "reason": "OTHER" }), "INVALID_INPUT"),
        (&operator, "cancelCommand", json!({ "commandId": door }), "NOT_FOUND"),
    ] {
        let answer = house.ask(key, &mutation(name), json!({ "input": input })).await;
        assert_eq!(code(&answer, name), expected, "{name} {input} {answer}");
        assert_eq!(answer["data"][name]["command"], json!(null));
    }
    let now = house.clock.now();
    let ids = house.ids.as_ref();
    store::accounts::set_state(&house.database, ids, &house.account, AccountState::ReauthRequired, None, now)
        .await
        .unwrap();
    let answer = house.ask(&operator, OPEN, json!({ "input": { "doorId": door } })).await;
    assert_eq!(code(&answer, "openDoor"), "ACCOUNT_NOT_USABLE");
    assert!(work::open_commands(&house.database, house.doors[0].id, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_device_is_synced_with_its_arguments() {
    let house = House::build().await;
    let key = house.key(Role::Manager, &Limits::default()).await;
    let device = DeviceId(house.doors[0].device_id).to_string();
    let query = "mutation Sync($input: SyncDeviceInput!) { syncDevice(input: $input) {
        command { kind powerCycle reason until door { id } device { id } } userErrors { code } } }";
    let answer = house.ask(&key, query, json!({ "input": { "deviceId": device, "powerCycle": true } })).await;
    let expected = json!({ "kind": "SYNC_DEVICE", "powerCycle": true, "reason": null, "until": null, "door": null, "device": { "id": device } });
    assert_eq!(answer["data"]["syncDevice"]["command"], expected, "{answer}");
}

#[tokio::test]
async fn a_command_is_called_off_before_it_leaves() {
    let house = House::build().await;
    let key = house.key(Role::Operator, &Limits::default()).await;
    let opened = house.ask(&key, OPEN, json!({ "input": { "doorId": house.door(0) } })).await;
    let id = opened["data"]["openDoor"]["command"]["id"].clone();
    let query = "mutation Cancel($input: CancelCommandInput!) { cancelCommand(input: $input) {
        command { id state failure { code } } userErrors { code } } }";
    let input = json!({ "input": { "commandId": id } });
    let stranger = house.key(Role::Operator, &Limits::default()).await;
    assert_eq!(code(&house.ask(&stranger, query, input.clone()).await, "cancelCommand"), "FORBIDDEN");
    let answer = house.ask(&key, query, input.clone()).await;
    assert_eq!(answer["data"]["cancelCommand"]["command"]["state"], "CANCELED", "{answer}");
    assert_eq!(code(&house.ask(&key, query, input).await, "cancelCommand"), "TOO_LATE");
    let id: CommandId = id.as_str().unwrap().parse().unwrap();
    assert!(work::command(&house.database, id).await.unwrap().unwrap().due_at.is_none());
}

#[tokio::test]
async fn a_revoked_key_counts_for_two_seconds_at_most() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let answer = house.ask(&key, "{ viewer { id } }", json!({})).await;
    let id = answer["data"]["viewer"]["id"].as_str().unwrap().parse().unwrap();
    assert!(store::keys::revoke(&house.database, house.organization, id, house.clock.now()).await.unwrap());
    house.clock.advance(TimeDelta::seconds(2));
    let body = json!({ "query": "{ viewer { id } }" }).to_string();
    let (status, _) = house.post(Some(&key), "application/json", body).await;
    assert_eq!(status, axum::http::StatusCode::UNAUTHORIZED);
}
