//! Bikeep's documented rules.

use std::time::Duration;

use gatehouse_simulator::{
    BikeepHardware, BikeepHealth, BikeepSleep, EffectKind, Fault, FaultKind, Latency, Mode, Poke, SimClock,
    SimulatorOptions, Vendor, WorldChange,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sim, answer, noon, still, text, with};

/// Members of the device in the reference's sample.
const DOCUMENTED_FIELDS: [&str; 29] = [
    "alias",
    "code",
    "commands",
    "comment",
    "hardware_id",
    "hardware_state",
    "has_access_lists",
    "has_allowlist",
    "has_camera",
    "has_otp_support",
    "has_subscription",
    "heartbeat",
    "heartbeat_health",
    "heartbeat_latency",
    "heartbeat_v2",
    "id",
    "location",
    "lock_state",
    "nr",
    "power_save_strategy",
    "price_list",
    "settings",
    "sleep_state",
    "state",
    "tags",
    "type",
    "uri",
    "user",
    "wifi_rssi",
];

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A clock that stands still and hardware that takes a second, so that every state can be seen.
async fn slow() -> Sim {
    let latency = Latency { device: Duration::from_secs(1), wake: Duration::from_secs(2), ..Latency::none() };
    with(SimulatorOptions { latency, clock: SimClock::manual(noon()), ..SimulatorOptions::default() }).await
}

async fn state_of(sim: &Sim, command: &Value) -> Value {
    let (status, body) = sim.bikeep(&format!("/device/v1/commands/{}", text(&command["id"]))).await;
    assert_eq!(status, 200, "{body}");
    body["state"].clone()
}

#[tokio::test]
async fn errors_have_the_documented_shape() {
    let sim = still(Mode::Auto).await;
    let (status, body) = sim.bikeep("/device/v1/devices/b1ce0000-0001-4000-8000-00ffffffffff").await;
    assert_eq!(status, 404);
    assert_eq!(keys(&body), ["correlation_id", "error_code", "error_message", "status_code"]);
    assert_eq!((&body["status_code"], text(&body["error_code"])), (&json!(404), "ERRORS.NOT_FOUND"));

    let neighbours = &sim.neighbour().bikeep.locations[0];
    assert_eq!(sim.bikeep(&format!("/device/v1/locations/{neighbours}/devices")).await.0, 403);
    assert_eq!(sim.bikeep("/device/v1/commands/no-uuid").await.0, 400);
    assert_eq!(sim.bikeep("/device/v1/commands/c0de0000-0001-4000-8000-000000000001").await.0, 404);
    let anonymous = sim.request(Method::GET, Vendor::Bikeep, "/device/v1/devices/x").bearer_auth("wrong");
    assert_eq!(answer(anonymous).await.0, 401);
}

#[tokio::test]
async fn a_device_of_somebody_else_is_forbidden() {
    let sim = still(Mode::Auto).await;
    let dock = &sim.free("BIKE_DOCK").await[0];
    let token = sim.neighbour().bikeep.token;
    let path = format!("/device/v1/devices/{dock}");
    assert_eq!(answer(sim.request(Method::GET, Vendor::Bikeep, &path).bearer_auth(token)).await.0, 403);
}

#[tokio::test]
async fn a_location_lists_its_devices_with_every_field() {
    let sim = still(Mode::Auto).await;
    let location = &sim.operator().bikeep.locations[0];
    let (_, list) = sim.bikeep(&format!("/device/v1/locations/{location}/devices")).await;
    assert_eq!(keys(&list), ["data", "uri"]);
    assert_eq!(list["data"].as_array().unwrap().len(), 10);
    let device = &list["data"][0];
    assert_eq!(keys(device), DOCUMENTED_FIELDS);
    assert_eq!(keys(&device["state"]), ["changed_at", "timeout_at", "value"]);
    assert_eq!(keys(&device["heartbeat_v2"]), ["dead_since", "health", "latency_millis", "sent_at"]);
    assert_eq!(text(&device["location"]["id"]), location);
    let by_uri = sim.http.get(text(&device["uri"])).bearer_auth(sim.operator().bikeep.token);
    assert_eq!(answer(by_uri).await.1["id"], device["id"]);
}

#[tokio::test]
async fn the_commands_map_depends_on_the_type() {
    let sim = still(Mode::Auto).await;
    for (kind, expected) in [
        (
            "BIKE_DOCK",
            &[
                "book",
                "cancel-booking",
                "force-cancel-booking",
                "force-lock",
                "force-unlock",
                "lock",
                "sync-device",
                "unlock",
            ][..],
        ),
        ("BIKE_HOUSE_DOOR", &["force-cancel-booking", "force-lock", "force-unlock", "sync-device", "unlock"]),
    ] {
        let device = sim.device(&sim.free(kind).await[0]).await;
        assert_eq!(keys(&device["commands"]), expected, "{kind}");
    }
    let guards = sim.free("GUARD").await;
    assert_eq!(keys(&sim.device(&guards[0]).await["commands"]), ["sync-device", "take-photo"]);
    assert_eq!(keys(&sim.device(&guards[1]).await["commands"]), ["sync-device"]);
    assert_eq!(sim.command(&guards[1], json!({ "command": "take-photo" })).await.0, 400);
    assert_eq!(sim.command(&sim.free("BIKE_HOUSE_DOOR").await[0], json!({ "command": "lock" })).await.0, 400);
}

#[tokio::test]
async fn without_permission_there_are_no_administrative_commands() {
    let sim = still(Mode::Auto).await;
    let neighbour = sim.neighbour().bikeep;
    let get = |path: String| sim.request(Method::GET, Vendor::Bikeep, &path).bearer_auth(&neighbour.token);
    let (_, list) = answer(get(format!("/device/v1/locations/{}/devices", neighbour.locations[0]))).await;
    let dock = &list["data"][1];
    assert_eq!(keys(&dock["commands"]), ["book", "cancel-booking", "lock", "unlock"]);
    let post = |body: Value| sim.http.post(text(&dock["commands"]["lock"])).bearer_auth(&neighbour.token).json(&body);
    assert_eq!(answer(post(json!({ "command": "force-lock" }))).await.0, 403);
    let other = json!({ "command": "lock", "user_id": "00000000-0000-4000-8000-000000000001" });
    let (status, body) = answer(post(other)).await;
    assert_eq!((status, text(&body["error_code"])), (403, "ERRORS.FORBIDDEN"), "no ACT_ON_BEHALF_OF");
}

#[tokio::test]
async fn a_lock_goes_through_all_documented_states() {
    let sim = slow().await;
    let dock = &sim.free("BIKE_DOCK").await[0];
    let (status, command) = sim.command(dock, json!({ "command": "lock" })).await;
    assert_eq!((status, text(&command["state"]["value"])), (200, "SENT"));
    assert_eq!(text(&command["state"]["timeout_at"]), "2031-03-02T12:00:30.000Z");
    assert_eq!(text(&command["events"][0]["name"]), "REQUEST_LOCK");
    let device = sim.device(dock).await;
    assert_eq!((text(&device["state"]["value"]), text(&device["lock_state"])), ("LOCKING", "UNLOCKED"));
    assert!(!device["state"]["timeout_at"].is_null());
    assert_eq!(sim.handle().effects_at(dock), []);

    sim.advance(Duration::from_millis(500));
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "RECEIVED");
    sim.advance(Duration::from_millis(500));
    let state = state_of(&sim, &command).await;
    assert_eq!((text(&state["value"]), &state["timeout_at"]), ("SUCCESS", &Value::Null));
    let device = sim.device(dock).await;
    assert_eq!((text(&device["state"]["value"]), text(&device["lock_state"])), ("LOCKED", "LOCKED"));
    assert_eq!(text(&device["state"]["changed_at"]), "2031-03-02T12:00:01.000Z");
    assert_eq!(text(&device["user"]["id"]), sim.operator().bikeep.user);
    let effects = sim.handle().effects_at(dock);
    let post = sim.handle().requests_to(Vendor::Bikeep, "send_command")[0].sequence;
    assert_eq!((effects.len(), effects[0].kind, effects[0].caused_by), (1, EffectKind::Lock, Some(post)));

    let (_, command) = sim.command(dock, json!({ "command": "unlock" })).await;
    assert_eq!(text(&sim.device(dock).await["state"]["value"]), "UNLOCKING");
    sim.advance(Duration::from_secs(1));
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "SUCCESS");
    let device = sim.device(dock).await;
    assert_eq!((text(&device["state"]["value"]), &device["user"]), ("UNLOCKED", &Value::Null));
}

#[tokio::test]
async fn a_dock_locks_only_when_free_or_booked_by_the_same_user() {
    let sim = still(Mode::Auto).await;
    let docks = sim.free("BIKE_DOCK").await;
    let stranger = "05e20000-0000-4000-8000-0000000000aa";
    assert_eq!(sim.command(&docks[0], json!({ "command": "book" })).await.0, 200);
    let (status, body) = sim.command(&docks[0], json!({ "command": "lock", "user_id": stranger })).await;
    assert_eq!((status, text(&body["error_code"])), (400, "ERRORS.INVALID_STATE"));
    assert_eq!(sim.command(&docks[0], json!({ "command": "lock" })).await.0, 200);
    assert_eq!(sim.command(&docks[0], json!({ "command": "lock" })).await.0, 400, "locked already");
    assert_eq!(sim.command(&docks[0], json!({ "command": "book" })).await.0, 400, "in use");
    assert_eq!(sim.command(&docks[1], json!({ "command": "lock", "user_id": stranger })).await.0, 200);
    assert_eq!(text(&sim.device(&docks[1]).await["user"]["id"]), stranger);
    assert_eq!(sim.command(&docks[2], json!({ "command": "unlock" })).await.0, 400, "free");
    assert_eq!(sim.command(&docks[2], json!({ "command": "lock", "user_id": "me" })).await.0, 400, "no UUID");
    assert_eq!(sim.command(&docks[0], json!({ "command": "force-lock" })).await.0, 200, "whatever the state");
}

#[tokio::test]
async fn a_booking_ends_at_its_time() {
    let sim = still(Mode::Auto).await;
    let dock = &sim.free("LOCKER").await[0];
    sim.command(dock, json!({ "command": "book" })).await;
    let device = sim.device(dock).await;
    assert_eq!((text(&device["state"]["value"]), text(&device["lock_state"])), ("BOOKED", "UNLOCKED"));
    assert_eq!(text(&device["state"]["timeout_at"]), "2031-03-02T13:00:00.000Z", "an hour by default");
    sim.advance(Duration::from_secs(3599));
    assert_eq!(text(&sim.device(dock).await["state"]["value"]), "BOOKED");
    sim.advance(Duration::from_secs(1));
    assert_eq!(text(&sim.device(dock).await["state"]["value"]), "UNLOCKED");

    let until = json!({ "command": "book", "timeout_at": "2031-03-02T15:30:00+01:00" });
    assert_eq!(sim.command(dock, until).await.0, 200);
    assert_eq!(text(&sim.device(dock).await["state"]["timeout_at"]), "2031-03-02T14:30:00.000Z");
    assert_eq!(sim.command(dock, json!({ "command": "cancel-booking" })).await.0, 200);
    assert_eq!(text(&sim.device(dock).await["state"]["value"]), "UNLOCKED");
    assert_eq!(sim.command(dock, json!({ "command": "cancel-booking" })).await.0, 400);
    assert_eq!(sim.command(dock, json!({ "command": "force-cancel-booking" })).await.0, 400);
    let kinds: Vec<EffectKind> = sim.handle().effects_at(dock).iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::Book, EffectKind::BookingEnded, EffectKind::Book, EffectKind::CancelBooking]);
}

#[tokio::test]
async fn a_booking_must_end_in_the_future() {
    let sim = still(Mode::Auto).await;
    let dock = &sim.free("BIKE_DOCK").await[0];
    for wrong in ["2031-03-02T12:00:00Z", "2031-03-02 13:00:00", "soon", ""] {
        let (status, body) = sim.command(dock, json!({ "command": "book", "timeout_at": wrong })).await;
        assert_eq!((status, text(&body["error_code"])), (400, "ERRORS.INVALID_TIMEOUT_AT"), "{wrong}");
    }
}

#[tokio::test]
async fn force_unlock_needs_a_reason_and_sometimes_a_comment() {
    let sim = still(Mode::Auto).await;
    let dock = &sim.free("BIKE_DOCK").await[0];
    for (body, expected) in [
        (json!({ "command": "force-unlock" }), 400),
        (json!({ "command": "force-unlock", "reason": "BECAUSE" }), 400),
        (json!({ "command": "force-unlock", "reason": "OTHER" }), 400),
        (json!({ "command": "force-unlock", "reason": "OTHER", "comment": "four" }), 400),
        (json!({ "command": "force-unlock", "reason": "STUCK_USER_OTHER_ISSUE", "comment": "" }), 400),
        (json!({ "command": "force-unlock", "reason": "OTHER", "comment": "fiver" }), 200),
        (json!({ "command": "force-unlock", "reason": "MAINTENANCE" }), 200),
        (json!({ "command": "explode" }), 400),
        (json!({ "command": 7 }), 400),
        (json!({}), 400),
    ] {
        assert_eq!(sim.command(dock, body.clone()).await.0, expected, "{body}");
    }
    let path = format!("/device/v1/devices/{dock}/commands");
    let post = |body: &'static str| {
        sim.request(Method::POST, Vendor::Bikeep, &path).bearer_auth(sim.operator().bikeep.token).body(body)
    };
    assert_eq!(answer(post("{").header("content-type", "application/json")).await.0, 400);
    assert_eq!(answer(post(r#"{"command":"lock"}"#)).await.0, 400, "no content type");
}

#[tokio::test]
async fn a_bike_house_door_rests_locked_and_relocks_by_itself() {
    let sim = still(Mode::Auto).await;
    let door = &sim.free("BIKE_HOUSE_DOOR").await[0];
    assert_eq!(text(&sim.device(door).await["state"]["value"]), "LOCKED");
    assert_eq!(sim.command(door, json!({ "command": "unlock" })).await.0, 200);
    assert_eq!(text(&sim.device(door).await["state"]["value"]), "UNLOCKED");
    sim.advance(Duration::from_secs(4));
    assert_eq!(text(&sim.device(door).await["lock_state"]), "UNLOCKED");
    sim.advance(Duration::from_secs(1));
    let device = sim.device(door).await;
    assert_eq!((text(&device["state"]["value"]), text(&device["lock_state"])), ("LOCKED", "LOCKED"));
    let kinds: Vec<EffectKind> = sim.handle().effects_at(door).iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::Unlock, EffectKind::Relock]);
}

#[tokio::test]
async fn sleeping_devices_wait_to_be_woken() {
    let sim = slow().await;
    let location = &sim.operator().bikeep.locations[1];
    let (_, list) = sim.bikeep(&format!("/device/v1/locations/{location}/devices")).await;
    let asleep = |how: &str| {
        let mut devices = list["data"].as_array().unwrap().iter();
        text(&devices.find(|device| device["power_save_strategy"] == how).unwrap()["id"]).to_owned()
    };
    let (remote, local) = (asleep("REMOTE_WAKEUP"), asleep("LOCAL_WAKEUP"));
    let (_, woken) = sim.command(&remote, json!({ "command": "lock" })).await;
    let (_, waiting) = sim.command(&local, json!({ "command": "lock" })).await;
    assert_eq!(text(&woken["state"]["value"]), "NOT_SENT");
    assert_eq!(text(&sim.device(&remote).await["state"]["value"]), "ALLOCATED");
    sim.advance(Duration::from_secs(2));
    assert_eq!(text(&state_of(&sim, &woken).await["value"]), "SENT");
    assert_eq!(text(&sim.device(&remote).await["sleep_state"]), "");
    sim.advance(Duration::from_secs(1));
    assert_eq!(text(&state_of(&sim, &woken).await["value"]), "SUCCESS");

    assert_eq!(text(&state_of(&sim, &waiting).await["value"]), "NOT_SENT");
    sim.advance(Duration::from_secs(27));
    let state = state_of(&sim, &waiting).await;
    assert_eq!((text(&state["value"]), text(&state["reason"])), ("ERROR", "Command timed out"));
    assert_eq!(text(&sim.device(&local).await["state"]["value"]), "UNLOCKED", "falls back");

    let (_, waiting) = sim.command(&local, json!({ "command": "lock" })).await;
    let awake = WorldChange::BikeepSleep { device: local.clone(), sleep: BikeepSleep::Awake };
    sim.handle().change(awake).unwrap();
    sim.advance(Duration::from_secs(1));
    assert_eq!(text(&state_of(&sim, &waiting).await["value"]), "SUCCESS");
}

#[tokio::test]
async fn dead_and_disabled_hardware_ends_commands_in_error() {
    let sim = slow().await;
    let dock = sim.free("BIKE_DOCK").await[0].clone();
    let health = |health| WorldChange::BikeepHealth { device: dock.clone(), health };
    sim.handle().change(health(Some(BikeepHealth::LongDead))).unwrap();
    let device = sim.device(&dock).await;
    assert_eq!(text(&device["heartbeat_v2"]["health"]), "LONG_DEAD");
    assert_eq!(text(&device["heartbeat_health"]), "DEAD");
    assert_eq!(text(&device["heartbeat_v2"]["dead_since"]), "2031-03-02T12:00:00.000Z");
    let (_, command) = sim.command(&dock, json!({ "command": "lock" })).await;
    sim.advance(Duration::from_secs(29));
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "SENT");
    sim.advance(Duration::from_secs(1));
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "ERROR");
    assert_eq!(text(&sim.device(&dock).await["state"]["value"]), "UNLOCKED");

    sim.handle().change(health(None)).unwrap();
    assert!(sim.device(&dock).await["heartbeat_v2"].is_null());
    let hardware = BikeepHardware::DisabledLocking;
    sim.handle().change(WorldChange::BikeepHardware { device: dock.clone(), hardware }).unwrap();
    let (_, command) = sim.command(&dock, json!({ "command": "lock" })).await;
    sim.advance(Duration::from_secs(1));
    let state = state_of(&sim, &command).await;
    assert_eq!((text(&state["value"]), text(&state["reason"])), ("ERROR", "Locking is disabled"));
    assert_eq!(sim.handle().effects_at(&dock), []);
}

#[tokio::test]
async fn sync_and_photo_leave_the_state_alone() {
    let sim = still(Mode::Auto).await;
    let guard = &sim.free("GUARD").await[0];
    sim.command(guard, json!({ "command": "take-photo" })).await;
    sim.command(guard, json!({ "command": "sync-device" })).await;
    sim.command(guard, json!({ "command": "sync-device", "power_cycle": true })).await;
    let kinds: Vec<EffectKind> = sim.handle().effects_at(guard).iter().map(|effect| effect.kind).collect();
    assert_eq!(kinds, [EffectKind::Photo, EffectKind::Sync, EffectKind::PowerCycle]);
    assert_eq!(text(&sim.device(guard).await["state"]["changed_at"]), "2025-01-15T12:00:00.000Z");
}

#[tokio::test]
async fn an_explicit_command_stays_until_poked() {
    let sim = still(Mode::Explicit).await;
    let dock = &sim.free("BIKE_DOCK").await[0];
    let (_, command) = sim.command(dock, json!({ "command": "lock" })).await;
    sim.advance(Duration::from_secs(3600));
    for expected in ["NOT_SENT", "SENT", "RECEIVED", "SUCCESS"] {
        assert_eq!(text(&state_of(&sim, &command).await["value"]), expected);
        let _moved = sim.handle().poke(&Poke::step(Vendor::Bikeep).command(text(&command["id"])));
    }
    assert_eq!(sim.handle().effects_at(dock).len(), 1);

    let (_, command) = sim.command(dock, json!({ "command": "unlock" })).await;
    let poke = Poke { error: Some("Jammed".to_owned()), ..Poke::step(Vendor::Bikeep) };
    assert_eq!(sim.handle().poke(&poke), 1);
    assert_eq!(text(&state_of(&sim, &command).await["reason"]), "Jammed");
    let (_, command) = sim.command(dock, json!({ "command": "unlock" })).await;
    assert_eq!(sim.handle().poke(&Poke::drain(Vendor::Bikeep)), 3);
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "SUCCESS");
}

#[tokio::test]
async fn command_faults_do_what_they_say() {
    let sim = still(Mode::Auto).await;
    let docks = sim.free("BIKE_DOCK").await;
    let add = |kind| sim.handle().add_fault(Fault::new(Vendor::Bikeep, kind).times(1)).unwrap();

    add(FaultKind::CommandError { reason: "Motor blocked".to_owned() });
    let (_, command) = sim.command(&docks[0], json!({ "command": "lock" })).await;
    let state = state_of(&sim, &command).await;
    assert_eq!((text(&state["value"]), text(&state["reason"])), ("ERROR", "Motor blocked"));
    assert_eq!(text(&sim.device(&docks[0]).await["state"]["value"]), "UNLOCKED");

    add(FaultKind::CommandStuck { state: "RECEIVED".to_owned() });
    let (_, command) = sim.command(&docks[0], json!({ "command": "lock" })).await;
    sim.advance(Duration::from_secs(100));
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "RECEIVED");

    add(FaultKind::Offline);
    let (_, command) = sim.command(&docks[1], json!({ "command": "lock" })).await;
    sim.advance(Duration::from_secs(29));
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "SENT");
    sim.advance(Duration::from_secs(1));
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "ERROR");
    assert_eq!(sim.handle().effects(0).entries, []);

    let (_, command) = sim.command(&docks[1], json!({ "command": "lock" })).await;
    add(FaultKind::UnknownStatusWord { word: "PONDERING".to_owned() });
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "PONDERING");
    assert_eq!(text(&state_of(&sim, &command).await["value"]), "SUCCESS");
    add(FaultKind::UnknownStatusWord { word: "HOVERING".to_owned() });
    assert_eq!(text(&sim.device(&docks[1]).await["state"]["value"]), "HOVERING");
}

#[tokio::test]
async fn somebody_locks_a_dock_by_hand() {
    let sim = still(Mode::Auto).await;
    let dock = sim.free("BIKE_DOCK").await[0].clone();
    sim.command(&dock, json!({ "command": "book" })).await;
    let user = Some("05e20000-0000-4000-8000-0000000000bb".to_owned());
    sim.handle().change(WorldChange::BikeepByHand { device: dock.clone(), locked: true, user }).unwrap();
    sim.advance(Duration::from_secs(7200));
    assert_eq!(text(&sim.device(&dock).await["state"]["value"]), "LOCKED", "the booking's timer is void");
    let unknown = WorldChange::BikeepByHand { device: "nowhere".to_owned(), locked: true, user: None };
    assert_eq!(sim.handle().change(unknown).unwrap_err().to_string(), "nothing here is called nowhere");
}
