//! Every mutation at every vendor that can do it: the outcome and its evidence, exactly one effect at the right place,
//! the bytes of the request, the timeline, the events and the live state. Failures live elsewhere.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{EffectKind, Vendor};

use crate::orders::{
    dispatch_count, effects, ended, events_of, is_unsent, name_at_vendor, operation, requests, side_becomes, steps,
    vendor_of,
};

/// One order with all that must come of it.
struct Order<'a> {
    mutation: &'a str,
    /// The input besides the id of the door or device.
    input: Value,
    /// The path below the vendor's prefix.
    path: String,
    /// The body of the request; null if it must be empty.
    body: Value,
    effect: EffectKind,
}

/// Carries an order out and checks everything that must be so afterwards, whatever the order. Returns the command.
async fn carry_out(house: &TestHouse, door: &Value, order: Order<'_>) -> Value {
    let vendor = vendor_of(door);
    let for_device = matches!(order.mutation, "syncDevice" | "takePhoto");
    let name = name_at_vendor(door);
    let sent_before = requests(house, vendor, operation(vendor), &name).len();
    let effects_before = effects(house, &name).len();
    let mut input = order.input.clone();
    if for_device {
        input["deviceId"] = door["device"]["id"].clone();
    } else {
        input["doorId"] = door["id"].clone();
    }
    let id = house.client.command(order.mutation, input).await;
    let command = ended(house, &id).await;

    let evidence = if vendor == Vendor::Bikeep { "DEVICE_ACK" } else { "VENDOR_ACK" };
    assert_eq!(
        (text(&command["state"]), text(&command["evidence"])),
        ("SUCCEEDED".into(), evidence.into()),
        "{command:#}"
    );
    assert_eq!((&command["attempts"], &command["failure"]), (&json!(1), &Value::Null));
    assert_eq!(command["door"]["id"], if for_device { Value::Null } else { door["id"].clone() });
    assert_eq!(command["device"]["id"], door["device"]["id"]);
    check_times(&command);

    let sent = requests(house, vendor, operation(vendor), &name).split_off(sent_before);
    assert_eq!(sent.len(), 1, "{}: {sent:#?}", order.mutation);
    let prefix = format!("{vendor:?}").to_lowercase();
    assert_eq!((sent[0].method.as_str(), &sent[0].path), ("POST", &format!("/{prefix}{}", order.path)));
    assert_eq!(sent[0].query, None);
    assert_eq!(sent[0].headers["content-type"], "application/json");
    let body: Value = if sent[0].body.is_empty() { Value::Null } else { serde_json::from_str(&sent[0].body).unwrap() };
    assert_eq!(body, order.body, "{}", order.mutation);

    let had = effects(house, &name).split_off(effects_before);
    assert_eq!(had.len(), 1, "{}: {had:#?}", order.mutation);
    assert_eq!((had[0].kind, had[0].caused_by), (order.effect, Some(sent[0].sequence)));
    assert_eq!(had[0].device, text(&door["device"]["externalId"]));
    if vendor != Vendor::Bikeep {
        // A Bikeep device is its only door and the journal names it once.
        assert_eq!(had[0].door.as_deref(), door["externalId"].as_str(), "another door moved: {had:#?}");
    }

    let mut way = vec!["REQUESTED", "DISPATCHING", "ANSWERED"];
    if vendor == Vendor::Bikeep {
        way.push("POLLED");
    }
    let mut told = steps(&command);
    told.dedup();
    assert_eq!(told, way, "{command:#}");
    check_events(house, &command).await;
    command
}

fn check_times(command: &Value) {
    let at = |name: &str| DateTime::parse_from_rfc3339(command[name].as_str().unwrap()).unwrap();
    assert!(at("createdAt") <= at("dispatchedAt") && at("dispatchedAt") <= at("finishedAt"), "{command:#}");
    assert!(at("dispatchedAt") < at("expiresAt"), "{command:#}");
    let lines = command["timeline"].as_array().unwrap();
    let times: Vec<_> =
        lines.iter().map(|line| DateTime::parse_from_rfc3339(line["at"].as_str().unwrap()).unwrap()).collect();
    assert!(times.is_sorted(), "{command:#}");
}

async fn check_events(house: &TestHouse, command: &Value) {
    let viewer = house.client.data("{ viewer { id } }", json!({})).await;
    assert_eq!(command["requestedBy"], viewer["viewer"]["id"]);
    let events = events_of(house, command["id"].as_str().unwrap()).await;
    let types: Vec<_> = events.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(types, ["COMMAND_REQUESTED", "COMMAND_FINISHED"], "{events:#?}");
    for event in &events {
        assert_eq!(event["actor"], viewer["viewer"]["id"]);
        assert_eq!((&event["command"]["id"], &event["data"]["kind"]), (&command["id"], &command["kind"]));
        assert_eq!((&event["door"], &event["device"]["id"]), (&command["door"], &command["device"]["id"]));
    }
    assert_eq!((&events[1]["data"]["state"], &events[1]["data"]["failure"]), (&json!("SUCCEEDED"), &Value::Null));
    assert_eq!(events[1]["data"]["evidence"], command["evidence"]);
}

/// An order to Bikeep, whose every command has the same path.
fn bikeep<'a>(door: &Value, mutation: &'a str, input: Value, body: Value, effect: EffectKind) -> Order<'a> {
    Order { mutation, input, path: format!("/device/v1/devices/{}/commands", name_at_vendor(door)), body, effect }
}

fn parqex<'a>(door: &Value, mutation: &'a str, word: &str, effect: EffectKind) -> Order<'a> {
    let body = json!({ "door_id": door["externalId"], "door_state": word });
    Order { mutation, input: json!({}), path: "/oauth/v1/endpoint/toggle".into(), body, effect }
}

async fn free_dock(house: &TestHouse) -> Value {
    house
        .door_where("BIKEEP", "LOCK_DOOR", |door| {
            door["device"]["model"] == "BIKE_DOCK" && door["state"]["occupancy"]["value"] == "FREE"
        })
        .await
}

on_both_back_ends! {
    async fn a_dock_locks_and_unlocks_also_by_force(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let dock = free_dock(&house).await;
        let id = text(&dock["id"]);
        carry_out(&house, &dock, bikeep(&dock, "lockDoor", json!({}), json!({ "command": "lock" }), EffectKind::Lock))
            .await;
        side_becomes(&house, &id, "lock", "LOCKED").await;
        side_becomes(&house, &id, "occupancy", "IN_USE").await;
        carry_out(
            &house,
            &dock,
            bikeep(&dock, "unlockDoor", json!({}), json!({ "command": "unlock" }), EffectKind::Unlock),
        )
        .await;
        side_becomes(&house, &id, "lock", "UNLOCKED").await;
        side_becomes(&house, &id, "occupancy", "FREE").await;
        carry_out(
            &house,
            &dock,
            bikeep(&dock, "forceLockDoor", json!({}), json!({ "command": "force-lock" }), EffectKind::Lock),
        )
        .await;
        side_becomes(&house, &id, "lock", "LOCKED").await;
        let input = json!({ "reason": "OTHER", "comment": "  the wheel is stuck " });
        let body = json!({ "command": "force-unlock", "reason": "OTHER", "comment": "the wheel is stuck" });
        carry_out(&house, &dock, bikeep(&dock, "forceUnlockDoor", input, body, EffectKind::Unlock)).await;
        side_becomes(&house, &id, "lock", "UNLOCKED").await;
        // Only the two "other" reasons carry their comment to the vendor; ours keeps it.
        let input = json!({ "reason": "MAINTENANCE", "comment": "a new hinge" });
        let body = json!({ "command": "force-unlock", "reason": "MAINTENANCE" });
        let command = carry_out(&house, &dock, bikeep(&dock, "forceUnlockDoor", input, body, EffectKind::Unlock)).await;
        let query = "query($id: ID!) { command(id: $id) { reason comment } }";
        let told = house.client.data(query, json!({ "id": command["id"] })).await;
        assert_eq!(told["command"], json!({ "reason": "MAINTENANCE", "comment": "a new hinge" }));
        house.stop().await;
    }

    async fn a_dock_is_booked_and_the_booking_given_up(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let dock = free_dock(&house).await;
        let id = text(&dock["id"]);
        let until = (Utc::now() + TimeDelta::hours(2)).trunc_subsecs(0);
        let wish = until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let body = json!({ "command": "book", "timeout_at": wish });
        let booked =
            carry_out(&house, &dock, bikeep(&dock, "bookDoor", json!({ "until": wish }), body, EffectKind::Book)).await;
        side_becomes(&house, &id, "occupancy", "BOOKED").await;
        let told =
            house.client.data("query($id: ID!) { command(id: $id) { until } }", json!({ "id": booked["id"] })).await;
        let told = DateTime::parse_from_rfc3339(told["command"]["until"].as_str().unwrap()).unwrap();
        assert_eq!(told, until);
        let cancel = json!({ "command": "cancel-booking" });
        carry_out(&house, &dock, bikeep(&dock, "cancelBooking", json!({}), cancel, EffectKind::CancelBooking)).await;
        side_becomes(&house, &id, "occupancy", "FREE").await;
        // Without an end of its own the booking gets the vendor's.
        carry_out(&house, &dock, bikeep(&dock, "bookDoor", json!({}), json!({ "command": "book" }), EffectKind::Book))
            .await;
        side_becomes(&house, &id, "occupancy", "BOOKED").await;
        let cancel = json!({ "command": "force-cancel-booking" });
        carry_out(&house, &dock, bikeep(&dock, "forceCancelBooking", json!({}), cancel, EffectKind::CancelBooking))
            .await;
        side_becomes(&house, &id, "occupancy", "FREE").await;
        // A booked dock is locked by who booked it.
        carry_out(&house, &dock, bikeep(&dock, "bookDoor", json!({}), json!({ "command": "book" }), EffectKind::Book))
            .await;
        carry_out(&house, &dock, bikeep(&dock, "lockDoor", json!({}), json!({ "command": "lock" }), EffectKind::Lock))
            .await;
        side_becomes(&house, &id, "occupancy", "IN_USE").await;
        house.stop().await;
    }

    async fn a_device_reports_restarts_and_takes_a_photo(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let guard = house.door("BIKEEP", "TAKE_PHOTO").await;
        let sync = |cycle: bool| json!({ "command": "sync-device", "power_cycle": cycle });
        carry_out(&house, &guard, bikeep(&guard, "syncDevice", json!({}), sync(false), EffectKind::Sync)).await;
        let cycled = bikeep(&guard, "syncDevice", json!({ "powerCycle": true }), sync(true), EffectKind::PowerCycle);
        let command = carry_out(&house, &guard, cycled).await;
        let told = house
            .client
            .data("query($id: ID!) { command(id: $id) { powerCycle } }", json!({ "id": command["id"] }))
            .await;
        assert_eq!(told["command"]["powerCycle"], true);
        let photo = json!({ "command": "take-photo" });
        carry_out(&house, &guard, bikeep(&guard, "takePhoto", json!({}), photo, EffectKind::Photo)).await;
        house.stop().await;
    }

    /// The door of a bike house locks again by itself; its live state follows without anybody asking.
    async fn a_house_door_opens_and_is_seen_to_lock_again(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let door = house.door("BIKEEP", "OPEN_DOOR").await;
        let id = text(&door["id"]);
        assert_eq!(door["state"]["lock"]["value"], "LOCKED");
        for mutation in ["openDoor", "unlockDoor"] {
            carry_out(
                &house,
                &door,
                bikeep(&door, mutation, json!({}), json!({ "command": "unlock" }), EffectKind::Unlock),
            )
            .await;
            side_becomes(&house, &id, "lock", "UNLOCKED").await;
            side_becomes(&house, &id, "occupancy", "IN_USE").await;
            house.advance(TimeDelta::seconds(12));
            side_becomes(&house, &id, "lock", "LOCKED").await;
            side_becomes(&house, &id, "occupancy", "FREE").await;
        }
        house.stop().await;
    }

    async fn every_raixer_door_opens_by_its_own_number(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let mut opened = 0;
        for door in house.doors().await {
            if vendor_of(&door) != Vendor::Raixer || door["device"]["health"] != "HEALTHY" {
                continue;
            }
            let path = format!("/devices/{}/open-door/{}", name_at_vendor(&door), door["position"]);
            let order =
                Order { mutation: "openDoor", input: json!({}), path, body: Value::Null, effect: EffectKind::Open };
            carry_out(&house, &door, order).await;
            opened += 1;
        }
        assert_eq!(
            (opened, house.effects()),
            (10, 10),
            "eight owned doors of devices that are online, and two shared ones"
        );
        house.stop().await;
    }

    async fn a_gate_opens_and_closes(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let gate = house.door_where("PARQEX", "CLOSE_DOOR", |door| door["name"] == "South gate").await;
        let id = text(&gate["id"]);
        for _ in 0..2 {
            carry_out(&house, &gate, parqex(&gate, "openDoor", "OPEN", EffectKind::Open)).await;
            side_becomes(&house, &id, "position", "OPEN").await;
            carry_out(&house, &gate, parqex(&gate, "closeDoor", "CLOSED", EffectKind::Close)).await;
            side_becomes(&house, &id, "position", "CLOSED").await;
        }
        let elevator = house.door_where("PARQEX", "OPEN_DOOR", |door| door["kind"] == "ELEVATOR").await;
        carry_out(&house, &elevator, parqex(&elevator, "openDoor", "OPEN", EffectKind::Open)).await;
        house.stop().await;
    }

    /// A command that was called off is never sent, and one that has left cannot be called off.
    async fn a_queued_command_is_called_off(back_end: BackEnd) {
        let mut house = Plan::on(back_end).without_worker().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let payload = house.client.mutate("cancelCommand", json!({ "commandId": id })).await;
        assert_eq!((&payload["command"]["id"], &payload["userErrors"]), (&json!(id), &json!([])), "{payload:#}");
        let command = house.client.read_command(&id).await;
        assert_eq!(
            (text(&command["state"]), text(&command["failure"]["code"])),
            ("CANCELED".into(), "CANCELED".into())
        );
        assert_eq!(steps(&command), ["REQUESTED", "CANCELED"]);
        let again = house.client.mutate("cancelCommand", json!({ "commandId": id })).await;
        assert_eq!(again["userErrors"][0]["code"], "TOO_LATE", "{again:#}");
        let types: Vec<_> = events_of(&house, &id).await.iter().map(|event| text(&event["type"])).collect();
        assert_eq!(types, ["COMMAND_REQUESTED", "COMMAND_FINISHED"]);

        house.start_worker().await;
        let other = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let done = house.client.finished(&other).await;
        assert_eq!(done["state"], "SUCCEEDED", "{done:#}");
        assert_eq!((dispatch_count(&house), house.effects()), (1, 1), "only the second command was sent");
        let late = house.client.mutate("cancelCommand", json!({ "commandId": other })).await;
        assert_eq!(late["userErrors"][0]["code"], "TOO_LATE", "{late:#}");
        assert!(!is_unsent(&house.client.read_command(&other).await));
        house.stop().await;
    }
}
