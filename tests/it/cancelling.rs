//! Who may call which commands off, and what the ledger says of it.

use chrono::TimeDelta;
use domain::{access::Role, command::CommandKind};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};

use crate::refusals::assert_refused;

async fn cancel(caller: &Client, id: &str) -> Value {
    caller.mutate("cancelCommand", json!({ "commandId": id })).await
}

async fn may(caller: &Client, id: &str) {
    let payload = cancel(caller, id).await;
    assert_eq!((&payload["command"]["state"], &payload["userErrors"]), (&json!("CANCELED"), &json!([])), "{payload:#}");
}

async fn may_not(caller: &Client, id: &str) {
    assert_refused(&cancel(caller, id).await, "FORBIDDEN", None);
}

async fn events(house: &TestHouse, filter: Value) -> Vec<Value> {
    let query = "query($filter: EventFilter) { events(filter: $filter, first: 100) { nodes { type actor data \
        site { id } door { id } device { id } } } }";
    let mut data = house.client.data(query, json!({ "filter": filter })).await;
    serde_json::from_value(data["events"]["nodes"].take()).unwrap()
}

async fn own_id(caller: &Client) -> Value {
    caller.data("{ viewer { id } }", json!({})).await["viewer"]["id"].clone()
}

on_both_back_ends! {
    async fn a_command_is_called_off_by_who_may(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let operator = house.caller_with_role(Role::Operator).await;
        let colleague = house.caller_with_role(Role::Operator).await;
        let manager = house.caller_with_role(Role::Manager).await;
        let viewer = house.caller_with_role(Role::Viewer).await;
        let first = operator.command("openDoor", json!({ "doorId": door["id"] })).await;
        let second = operator.command("openDoor", json!({ "doorId": door["id"] })).await;
        for caller in [&viewer, &colleague] {
            may_not(caller, &first).await;
        }
        may(&operator, &first).await;
        may(&manager, &second).await;
        // Who ended it stands in the ledger, and not only who asked for it.
        for (caller, id) in [(&operator, first), (&manager, second)] {
            let told = events(&house, json!({ "commandId": id })).await;
            let [asked, finished] = told.as_slice() else { panic!("{told:#?}") };
            assert_eq!((&asked["type"], &asked["actor"]), (&json!("COMMAND_REQUESTED"), &own_id(&operator).await));
            assert_eq!((&finished["type"], &finished["actor"]), (&json!("COMMAND_FINISHED"), &own_id(caller).await));
        }
        // So do those who were refused.
        let told = events(&house, json!({ "types": ["COMMAND_DENIED"] })).await;
        let [by_viewer, by_colleague] = told.as_slice() else { panic!("{told:#?}") };
        for (event, caller) in [(by_viewer, &viewer), (by_colleague, &colleague)] {
            assert_eq!((&event["actor"], &event["data"]["kind"]), (&own_id(caller).await, &json!("cancelCommand")));
            assert_eq!((&event["door"]["id"], &event["site"]["id"]), (&door["id"], &door["site"]["id"]), "{event:#}");
        }
        house.stop().await;
    }

    /// What a key may not send it may not call off either, and what takes access away is called off by nobody else.
    async fn others_commands_are_called_off_by_who_may_send_them(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let lock = house.door("BIKEEP", "LOCK_DOOR").await;
        let raixer = house.door("RAIXER", "STOP_AUTO_ACCESS").await;
        let manager = house.caller_with_role(Role::Manager).await;
        let admin = house.caller_with_role(Role::Admin).await;
        let limited = |verb| KeyPlan { verbs: [verb].into(), ..KeyPlan::unlimited("limited", Role::Admin) };
        let opener = house.caller(&limited(CommandKind::OpenDoor)).await;
        let locker = house.caller(&limited(CommandKind::LockDoor)).await;
        let input = json!({ "name": "few", "role": "MANAGER", "maxUses": 3 });
        let make = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
        let counted = house.client.data(make, json!({ "input": input })).await;
        let counted = house.client.with_key(&text(&counted["createApiKey"]["secret"]));
        let locking = manager.command("lockDoor", json!({ "doorId": lock["id"] })).await;
        may_not(&opener, &locking).await;
        may_not(&counted, &locking).await;
        // Its own it may.
        let own = counted.command("lockDoor", json!({ "doorId": lock["id"] })).await;
        may(&counted, &own).await;
        may(&locker, &locking).await;
        // What an ADMIN alone may ask for an ADMIN alone calls off.
        let intercom = house.door("RAIXER", "SET_ANY_CALLER_ACCESS").await;
        let any = json!({ "doorId": intercom["id"], "enabled": true });
        let answered = house.client.command("setAnyCallerAccess", any).await;
        may_not(&manager, &answered).await;
        may(&admin, &answered).await;

        let revocation = manager.command("stopAutoAccess", json!({ "doorId": raixer["id"] })).await;
        for caller in [&house.client, &admin, &counted] {
            may_not(caller, &revocation).await;
        }
        assert_eq!(manager.read_command(&revocation).await["state"], "QUEUED");
        may(&manager, &revocation).await;
        house.stop().await;
    }

    /// A flood of refusals that ends is in the ledger with how many it were.
    async fn refusals_that_stop_are_counted_all_the_same(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_manual_clock().start().await;
        let door = house.door("BIKEEP", "FORCE_UNLOCK_DOOR").await;
        let viewer = house.caller_with_role(Role::Viewer).await;
        for _ in 0..20 {
            let input = json!({ "doorId": door["id"], "reason": "TESTING" });
            assert_refused(&viewer.mutate("forceUnlockDoor", input).await, "FORBIDDEN", None);
        }
        let denied = json!({ "types": ["COMMAND_DENIED"] });
        assert_eq!(events(&house, denied.clone()).await.len(), 1);
        house.advance(TimeDelta::minutes(1));
        let told = gatehouse_tests::wait::until("the rest is told", async || {
            let told = events(&house, denied.clone()).await;
            (told.len() == 2).then_some(told)
        })
        .await;
        assert_eq!((&told[1]["actor"], &told[1]["door"]["id"]), (&own_id(&viewer).await, &door["id"]));
        assert_eq!((&told[0]["data"]["untold"], &told[1]["data"]["untold"]), (&Value::Null, &json!(18)), "{told:#?}");
        assert_eq!(told[1]["data"]["kind"], "FORCE_UNLOCK_DOOR");
        house.stop().await;
    }
}
