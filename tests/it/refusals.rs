//! What is refused before anything is queued: by capability, role, limits of a key, visibility and arguments.
//! A refusal writes no command and sends no request. Keys for repetition live in `repetition`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{SecondsFormat, TimeDelta, Utc};
use domain::{
    access::Role,
    command::{CommandKind, Timing},
    ids::{CommandId, DeviceId, DoorId},
};
use gatehouse::keys::{self, KeyPlan};
use gatehouse_tests::{
    client::{Client, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::orders::{command_count, dispatch_count};

/// Every mutation that sends a command, with its kind and the arguments that it cannot be without.
pub(crate) fn mutations() -> Vec<(&'static str, CommandKind, Value)> {
    vec![
        ("openDoor", CommandKind::OpenDoor, json!({})),
        ("closeDoor", CommandKind::CloseDoor, json!({})),
        ("lockDoor", CommandKind::LockDoor, json!({})),
        ("unlockDoor", CommandKind::UnlockDoor, json!({})),
        ("forceLockDoor", CommandKind::ForceLockDoor, json!({})),
        ("forceUnlockDoor", CommandKind::ForceUnlockDoor, json!({ "reason": "TESTING" })),
        ("bookDoor", CommandKind::BookDoor, json!({})),
        ("cancelBooking", CommandKind::CancelBooking, json!({})),
        ("forceCancelBooking", CommandKind::ForceCancelBooking, json!({})),
        ("syncDevice", CommandKind::SyncDevice, json!({})),
        ("takePhoto", CommandKind::TakePhoto, json!({})),
    ]
}

fn field(kind: CommandKind) -> &'static str {
    if kind.is_for_device() { "deviceId" } else { "doorId" }
}

/// The input of a mutation for this door, or for its device.
fn input(kind: CommandKind, arguments: &Value, door: &Value) -> Value {
    let mut input = arguments.clone();
    let id = if kind.is_for_device() { &door["device"]["id"] } else { &door["id"] };
    input[field(kind)] = id.clone();
    input
}

fn can(place: &Value, kind: CommandKind) -> bool {
    place["capabilities"].as_array().is_some_and(|all| all.contains(&json!(kind.as_str())))
}

/// A refusal by this code: no command, one error, this argument at fault.
pub(crate) fn assert_refused(payload: &Value, code: &str, at: Option<&str>) {
    assert_eq!(payload["command"], Value::Null, "{payload:#}");
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload:#}");
    assert_eq!(errors[0]["code"], code, "{payload:#}");
    assert_eq!(errors[0]["path"], at.map_or(Value::Null, |field| json!(["input", field])), "{payload:#}");
    assert!(errors[0]["message"].as_str().is_some_and(|message| message.ends_with('.')), "{payload:#}");
}

async fn assert_untouched(house: &TestHouse, commands: u64) {
    assert_eq!(command_count(house).await, commands, "a refusal was written as a command");
    assert_eq!((dispatch_count(house), house.effects()), (0, 0), "a refusal reached a vendor");
}

/// One door for each kind that can carry it out.
async fn capable(house: &TestHouse) -> BTreeMap<CommandKind, Value> {
    let doors = house.doors().await;
    let find = |kind: CommandKind| {
        let found = doors.iter().find(|door| can(if kind.is_for_device() { &door["device"] } else { door }, kind));
        (kind, found.unwrap_or_else(|| panic!("no door can {kind}")).clone())
    };
    mutations().into_iter().map(|(_, kind, _)| find(kind)).collect()
}

async fn assert_unauthenticated(caller: &Client, door: &Value) {
    let answer = caller.ask(OPEN, json!({ "input": { "doorId": door["id"] } })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer:#}");
}

const OPEN: &str =
    "mutation($input: OpenDoorInput!) { openDoor(input: $input) { command { id } userErrors { code } } }";

on_both_back_ends! {
    async fn what_a_door_cannot_do_is_never_queued(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let mut seen = BTreeSet::new();
        let mut asked = BTreeSet::new();
        for door in house.doors().await {
            // One of each sort is enough.
            let sort = (
                text(&door["device"]["vendorAccount"]["vendor"]),
                text(&door["device"]["model"]),
                door["capabilities"].to_string(),
            );
            if !seen.insert(sort) {
                continue;
            }
            for (mutation, kind, arguments) in mutations() {
                if can(if kind.is_for_device() { &door["device"] } else { &door }, kind) {
                    continue;
                }
                asked.insert((text(&door["device"]["vendorAccount"]["vendor"]), kind));
                let payload = house.client.mutate(mutation, input(kind, &arguments, &door)).await;
                assert_refused(&payload, "CAPABILITY_MISSING", Some(field(kind)));
            }
        }
        // Raixer opens only, ParqEx opens and closes, no Bikeep device closes.
        let of = |vendor: &str| asked.iter().filter(|(name, _)| name == vendor).count();
        assert_eq!((of("RAIXER"), of("PARQEX")), (10, 9));
        assert!(asked.contains(&("BIKEEP".to_owned(), CommandKind::CloseDoor)));
        assert_untouched(&house, 0).await;
        house.stop().await;
    }

    async fn a_role_allows_what_it_includes_and_no_more(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let doors = capable(&house).await;
        let forced = [
            CommandKind::ForceLockDoor,
            CommandKind::ForceUnlockDoor,
            CommandKind::ForceCancelBooking,
            CommandKind::SyncDevice,
        ];
        let mut accepted = 0;
        for role in [Role::Viewer, Role::Operator, Role::Manager, Role::Admin] {
            let caller = house.caller_with_role(role).await;
            for (mutation, kind, arguments) in mutations() {
                let allowed = match role {
                    Role::Viewer => false,
                    Role::Operator => !forced.contains(&kind),
                    Role::Manager | Role::Admin => true,
                };
                let payload = caller.mutate(mutation, input(kind, &arguments, &doors[&kind])).await;
                if allowed {
                    assert_eq!(payload["userErrors"], json!([]), "{role} {mutation}: {payload:#}");
                    accepted += 1;
                } else {
                    assert_refused(&payload, "FORBIDDEN", None);
                }
            }
        }
        assert_eq!(accepted, 7 + 11 + 11);
        assert_untouched(&house, accepted).await;
        house.stop().await;
    }

    async fn a_limited_key_reaches_its_sites_doors_and_verbs(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let raixer = house.door("RAIXER", "OPEN_DOOR").await;
        let other = house.door_where("RAIXER", "OPEN_DOOR", |door| door["id"] != raixer["id"]).await;
        let gate =
            house.doors().await.into_iter().find(|door| door["device"]["vendorAccount"]["vendor"] == "PARQEX").unwrap();
        let guard = house.door("BIKEEP", "TAKE_PHOTO").await;
        let plan = KeyPlan::unlimited("limited", Role::Admin);
        let site = text(&raixer["site"]["id"]).parse().unwrap();
        let at_site = house.caller(&KeyPlan { sites: [site].into(), ..plan.clone() }).await;
        let one_door = house.caller(&KeyPlan { doors: [TestHouse::door_id(&raixer)].into(), ..plan.clone() }).await;
        let closer = house.caller(&KeyPlan { verbs: [CommandKind::CloseDoor].into(), ..plan.clone() }).await;

        let open =
            async |caller: &Client, door: &Value| caller.mutate("openDoor", json!({ "doorId": door["id"] })).await;
        for (caller, door) in [(&at_site, &raixer), (&at_site, &other), (&one_door, &raixer)] {
            assert_eq!(open(caller, door).await["userErrors"], json!([]));
        }
        for (caller, door) in [(&at_site, &gate), (&one_door, &other), (&one_door, &gate)] {
            assert_refused(&open(caller, door).await, "NOT_FOUND", Some("doorId"));
        }
        // A device is not one of the doors of a key, nor at another site.
        for caller in [&at_site, &one_door] {
            let payload = caller.mutate("takePhoto", json!({ "deviceId": guard["device"]["id"] })).await;
            assert_refused(&payload, "NOT_FOUND", Some("deviceId"));
        }
        assert_refused(&open(&closer, &gate).await, "FORBIDDEN", None);
        let payload = closer.mutate("closeDoor", json!({ "doorId": gate["id"] })).await;
        assert_eq!(payload["userErrors"], json!([]));
        // Nor is a command at a door that the key does not see.
        let elsewhere = text(&payload["command"]["id"]);
        for caller in [&at_site, &one_door] {
            let payload = caller.mutate("cancelCommand", json!({ "commandId": elsewhere })).await;
            assert_refused(&payload, "NOT_FOUND", Some("commandId"));
        }
        assert_untouched(&house, 4).await;
        house.stop().await;
    }

    async fn a_key_ends_by_time_and_by_revocation(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_manual_clock().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let short = KeyPlan { lifetime: Some(TimeDelta::minutes(1)), ..KeyPlan::unlimited("short", Role::Admin) };
        let caller = house.caller(&short).await;
        let secret = platform::api_key::generate();
        let plan = KeyPlan::unlimited("revoked", Role::Admin);
        let id = keys::store_key(house.foundation(), house.organization, &plan, &secret).await.unwrap();
        let revoked = house.client.with_key(secret.expose());
        for caller in [&caller, &revoked] {
            caller.command("openDoor", json!({ "doorId": door["id"] })).await;
        }
        house.advance(TimeDelta::milliseconds(59_999));
        caller.command("openDoor", json!({ "doorId": door["id"] })).await;
        house.advance(TimeDelta::milliseconds(1));
        assert_unauthenticated(&caller, &door).await;

        revoked.command("openDoor", json!({ "doorId": door["id"] })).await;
        let now = domain::clock::Clock::now(house.clock.as_ref().unwrap());
        assert!(entities::store::keys::revoke(house.database(), house.organization, id, now).await.unwrap());
        // A verified key is remembered for two seconds and no longer.
        house.advance(TimeDelta::seconds(2));
        assert_unauthenticated(&revoked, &door).await;
        for key in ["", "gh_", "nonsense", platform::api_key::generate().expose()] {
            assert_unauthenticated(&house.client.with_key(key), &door).await;
        }
        assert_untouched(&house, 4).await;
        house.stop().await;
    }

    /// Another tenant's door, one that never existed and a text that is no id: the same answer, byte for byte.
    async fn invisible_absent_and_malformed_answer_alike(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let doors = capable(&house).await;
        let stranger = house.stranger().await;
        let absent_door = DoorId(Uuid::from_u128(7)).to_string();
        let absent_device = DeviceId(Uuid::from_u128(7)).to_string();
        for (mutation, kind, arguments) in mutations() {
            let real = text(&input(kind, &arguments, &doors[&kind])[field(kind)]);
            let absent = if kind.is_for_device() { &absent_device } else { &absent_door };
            let of_another_type = if kind.is_for_device() { &absent_door } else { &absent_device };
            let mut answers = BTreeSet::new();
            for id in [
                &real,
                &real.to_uppercase(),
                absent,
                of_another_type,
                "",
                "door_",
                "dev_",
                "7",
                "🚪",
                &"x".repeat(10_000),
            ] {
                let mut input = arguments.clone();
                input[field(kind)] = json!(id);
                let payload = stranger.mutate(mutation, input).await;
                assert_refused(&payload, "NOT_FOUND", Some(field(kind)));
                answers.insert(payload.to_string());
            }
            assert_eq!(answers.len(), 1, "{mutation}: {answers:#?}");
        }
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let ours = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let mut answers = BTreeSet::new();
        for id in [ours.as_str(), &CommandId(Uuid::from_u128(7)).to_string(), &absent_door, "cmd_", ""] {
            let payload = stranger.mutate("cancelCommand", json!({ "commandId": id })).await;
            assert_refused(&payload, "NOT_FOUND", Some("commandId"));
            answers.insert(payload.to_string());
        }
        assert_eq!(answers.len(), 1, "{answers:#?}");
        assert_untouched(&house, 1).await;
        house.stop().await;
    }

    async fn a_forced_unlock_says_why(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let door = &capable(&house).await[&CommandKind::ForceUnlockDoor];
        let force = async |reason: &str, comment: Option<&str>| {
            let input = json!({ "doorId": door["id"], "reason": reason, "comment": comment });
            house.client.mutate("forceUnlockDoor", input).await
        };
        for reason in ["OTHER", "STUCK_USER_OTHER_ISSUE"] {
            for comment in [None, Some(""), Some("1234"), Some("   1234   "), Some("\u{3000}\u{3000}\u{3000}ä\t\n")] {
                assert_refused(&force(reason, comment).await, "INVALID_INPUT", Some("comment"));
            }
        }
        assert_refused(&force("TESTING", Some(&"ü".repeat(501))).await, "INVALID_INPUT", Some("comment"));
        assert_untouched(&house, 0).await;
        let fits = "ü".repeat(500);
        for (reason, comment) in
            [("OTHER", Some("12345")), ("OTHER", Some("ÄÖÜẞ!")), ("LOCKED_EMPTY", None), ("TESTING", Some(&*fits))]
        {
            let payload = force(reason, comment).await;
            assert_eq!(payload["userErrors"], json!([]), "{reason} {comment:?}: {payload:#}");
        }
        // A word outside the vocabulary is no argument at all.
        let query = "mutation($input: ForceUnlockDoorInput!) { forceUnlockDoor(input: $input) { command { id } } }";
        for input in [json!({ "doorId": door["id"], "reason": "BECAUSE" }), json!({ "doorId": door["id"] })] {
            let answer = house.client.ask(query, json!({ "input": input })).await;
            assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{answer:#}");
        }
        assert_untouched(&house, 4).await;
        house.stop().await;
    }

    async fn times_lie_in_the_future_and_not_too_far(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_manual_clock().start().await;
        let doors = capable(&house).await;
        let now = domain::clock::Clock::now(house.clock.as_ref().unwrap());
        let wire = |at: chrono::DateTime<Utc>| json!(at.to_rfc3339_opts(SecondsFormat::Micros, true));
        let mut accepted = 0;
        for (mutation, kind, arguments) in mutations() {
            let longest = Timing::longest_wait(kind);
            let send = async |at: chrono::DateTime<Utc>| {
                let mut input = input(kind, &arguments, &doors[&kind]);
                input["expiresAt"] = wire(at);
                house.client.mutate(mutation, input).await
            };
            for at in [
                now - TimeDelta::days(400),
                now - TimeDelta::milliseconds(1),
                now,
                now + longest + TimeDelta::milliseconds(1),
                now + TimeDelta::days(36_500),
            ] {
                assert_refused(&send(at).await, "INVALID_INPUT", Some("expiresAt"));
            }
            for at in [now + TimeDelta::milliseconds(1), now + longest] {
                let payload = send(at).await;
                assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
                let told =
                    chrono::DateTime::parse_from_rfc3339(payload["command"]["expiresAt"].as_str().unwrap()).unwrap();
                assert_eq!(told, at, "{mutation}");
                accepted += 1;
            }
        }
        let dock = &doors[&CommandKind::BookDoor];
        for at in [now - TimeDelta::hours(1), now] {
            let payload = house.client.mutate("bookDoor", json!({ "doorId": dock["id"], "until": wire(at) })).await;
            assert_refused(&payload, "INVALID_INPUT", Some("until"));
        }
        // Without a wish: 15 seconds for what opens (rule 1).
        let payload = house.client.mutate("openDoor", json!({ "doorId": doors[&CommandKind::OpenDoor]["id"] })).await;
        let told = chrono::DateTime::parse_from_rfc3339(payload["command"]["expiresAt"].as_str().unwrap()).unwrap();
        assert_eq!(told, now + TimeDelta::seconds(15));
        assert_untouched(&house, accepted + 1).await;
        house.stop().await;
    }

    /// Once a vendor refused our credentials nothing is queued for it any more, and the other vendors work on.
    async fn an_account_that_cannot_be_used_refuses(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let doors = house.doors().await;
        let account = text(&crate::orders::account(&house, simulator::Vendor::Bikeep).await["id"]).parse().unwrap();
        let read = async || entities::work::account(house.database(), account).await.unwrap().unwrap();
        let set = async |state| {
            let foundation = house.foundation();
            let (row, now) = (read().await, foundation.clock.now());
            entities::store::accounts::set_state(&foundation.database, foundation.ids.as_ref(), &row, state, None, now)
                .await
                .unwrap()
        };
        use domain::account::AccountState;
        for state in [AccountState::ReauthRequired, AccountState::Disconnected] {
            assert!(set(state).await.changed);
            for (mutation, kind, arguments) in mutations() {
                let able = doors.iter().find(|door| {
                    door["device"]["vendorAccount"]["vendor"] == "BIKEEP"
                        && can(if kind.is_for_device() { &door["device"] } else { door }, kind)
                });
                if let Some(door) = able {
                    let payload = house.client.mutate(mutation, input(kind, &arguments, door)).await;
                    assert_refused(&payload, "ACCOUNT_NOT_USABLE", None);
                }
            }
        }
        assert_untouched(&house, 0).await;
        for vendor in ["RAIXER", "PARQEX"] {
            let door = house.door(vendor, "OPEN_DOOR").await;
            let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            assert_eq!(house.client.finished(&id).await["state"], "SUCCEEDED");
        }
        until("what was sent is counted", async || (dispatch_count(&house) == 2).then_some(())).await;
        house.stop().await;
    }
}
