//! What vendors say in their own words, and what their hardware does on the way: states, reasons, texts, parts.
//! Faults of the wire are in `vendor_failures`.

use std::time::Duration;

use chrono::TimeDelta;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{BikeepHardware, Fault, FaultKind, Latency, ParqexStatus, Vendor, WorldChange};

use crate::orders::{effects, ended, failure, is_unsent, name_at_vendor, operation, requests, vendor_of};

/// Sends an order for a door and waits for its end.
async fn order(house: &TestHouse, door: &Value, mutation: &str) -> Value {
    let id = house.client.command(mutation, json!({ "doorId": door["id"] })).await;
    ended(house, &id).await
}

/// Puts a fault in the way of the next order for a door.
fn spoil(house: &TestHouse, door: &Value, kind: FaultKind) {
    let vendor = vendor_of(door);
    let fault = Fault::new(vendor, kind).at(operation(vendor)).for_device(&name_at_vendor(door)).times(1);
    house.vendors.add_fault(fault).unwrap();
}

/// Checks an end against the journal: sent once, with this many effects.
fn assert_end(house: &TestHouse, door: &Value, command: &Value, state: &str, code: &str, had: usize) {
    let (vendor, name) = (vendor_of(door), name_at_vendor(door));
    assert_eq!((text(&command["state"]), failure(command)), (state.to_owned(), code), "{command:#}");
    assert_eq!(effects(house, &name).len(), had, "{command:#}");
    assert_eq!(requests(house, vendor, operation(vendor), &name).len(), 1, "{command:#}");
    assert_eq!(command["attempts"], 1);
}

/// The docks and lockers of the demo that are free, each with a journal of its own.
async fn free_docks(house: &TestHouse) -> Vec<Value> {
    let mut doors = house.doors().await;
    doors.retain(|door| {
        vendor_of(door) == Vendor::Bikeep
            && door["device"]["health"] == "HEALTHY"
            && door["state"]["occupancy"]["value"] == "FREE"
            && matches!(door["kind"].as_str(), Some("DOCK" | "LOCKER"))
    });
    doors
}

on_both_back_ends! {
    /// ERROR with its reason, also the error of a time-out, is a certain failure.
    async fn a_bikeep_error_is_a_failure_with_its_reason(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let docks = free_docks(&house).await;
        let cases = [
            (FaultKind::CommandError { reason: "Motor blocked by ice".into() }, "Motor blocked by ice"),
            (FaultKind::CommandError { reason: String::new() }, "Bikeep reports an error."),
            (FaultKind::Offline, "Command timed out"),
        ];
        for ((kind, words), dock) in cases.into_iter().zip(&docks) {
            spoil(&house, dock, kind);
            let command = order(&house, dock, "lockDoor").await;
            assert_end(&house, dock, &command, "FAILED", "DEVICE_ERROR", 0);
            assert!(text(&command["failure"]["message"]).contains(words), "{command:#}");
            assert_ne!(command["evidence"], "SENSOR", "{command:#}");
        }
        // What the hardware itself says.
        let cases = [
            (BikeepHardware::Disabled, "Device is disabled"),
            (BikeepHardware::DisabledLocking, "Locking is disabled"),
            (BikeepHardware::Error, "Hardware error"),
            (BikeepHardware::NotResponding, "Command timed out"),
        ];
        for ((hardware, words), dock) in cases.into_iter().zip(&docks[3..]) {
            house.vendors.change(WorldChange::BikeepHardware { device: name_at_vendor(dock), hardware }).unwrap();
            let command = order(&house, dock, "lockDoor").await;
            assert_end(&house, dock, &command, "FAILED", "DEVICE_ERROR", 0);
            assert!(text(&command["failure"]["message"]).contains(words), "{command:#}");
        }
        house.stop().await;
    }

    /// What the service refuses at once, in its words.
    async fn bikeep_refuses_what_the_state_does_not_allow(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let dock = &free_docks(&house).await[0];
        let command = order(&house, dock, "cancelBooking").await;
        let code = failure(&command).to_owned();
        assert_end(&house, dock, &command, "FAILED", &code, 0);
        assert!(matches!(&*code, "VENDOR_REJECTED" | "MALFORMED"), "{command:#}");
        assert!(text(&command["failure"]["message"]).contains("INVALID_STATE"), "{command:#}");
        house.stop().await;
    }

    /// A command that never comes to an end is not claimed either way, and is not asked after without measure.
    async fn a_stuck_bikeep_command_ends_unknown(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let docks = free_docks(&house).await;
        for (state, evidence, dock) in [
            ("NOT_SENT", "VENDOR_ACK", &docks[0]),
            ("SENT", "VENDOR_ACK", &docks[1]),
            ("RECEIVED", "DEVICE_ACK", &docks[2]),
        ] {
            spoil(&house, dock, FaultKind::CommandStuck { state: state.into() });
            let command = order(&house, dock, "lockDoor").await;
            assert_end(&house, dock, &command, "OUTCOME_UNKNOWN", "NO_OUTCOME", 0);
            assert_eq!(command["evidence"], evidence, "{command:#}");
            // The vendor's own time-out is 30 s: 0.25, 0.5, 1, 2, then every 4 s.
            let reference = house.row(command["id"].as_str().unwrap()).await.vendor_reference.unwrap();
            let polls = requests(&house, Vendor::Bikeep, "get_command", &reference).len();
            assert!((8..=14).contains(&polls), "{polls} polls");
        }
        house.stop().await;
    }

    /// A word that nobody documents ends nothing; the truth is taken when it comes.
    async fn an_unknown_bikeep_word_is_no_end(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let docks = free_docks(&house).await;
        let word = || FaultKind::UnknownStatusWord { word: "TELEPORTED".into() };
        spoil(&house, &docks[0], word());
        let command = order(&house, &docks[0], "lockDoor").await;
        assert_end(&house, &docks[0], &command, "SUCCEEDED", "", 1);

        let name = name_at_vendor(&docks[1]);
        let fault = Fault::new(Vendor::Bikeep, word()).at("get_command").for_device(&name);
        let fault = house.vendors.add_fault(fault).unwrap();
        let command = order(&house, &docks[1], "lockDoor").await;
        assert_end(&house, &docks[1], &command, "OUTCOME_UNKNOWN", "NO_OUTCOME", 1);
        assert!(house.vendors.remove_fault(fault));
        house.advance(TimeDelta::seconds(5));
        let id = text(&command["id"]);
        let command = house.client.in_state(&id, "SUCCEEDED").await;
        assert_eq!((text(&command["evidence"]), &command["failure"]), ("DEVICE_ACK".to_owned(), &Value::Null));
        house.stop().await;
    }

    /// A sleeping locker is woken by the vendor if it can be; otherwise the vendor's time-out decides.
    async fn a_sleeping_locker_is_woken_or_times_out(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let doors = house.doors().await;
        let named = |name: &str| doors.iter().find(|door| door["name"] == name).unwrap();
        let command = order(&house, named("Station locker 8"), "lockDoor").await;
        assert_end(&house, named("Station locker 8"), &command, "SUCCEEDED", "", 1);
        let command = order(&house, named("Station locker 9"), "lockDoor").await;
        assert_end(&house, named("Station locker 9"), &command, "FAILED", "DEVICE_ERROR", 0);
        house.stop().await;
    }

    /// Each documented text of ParqEx under whatever status: the text is the truth.
    async fn every_parqex_text_is_taken_at_its_word(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let mut gates = house.doors().await;
        gates.retain(|door| vendor_of(door) == Vendor::Parqex);
        let measured = gates.iter().position(|door| door["name"] == "Yard gate").unwrap();
        let gate = &gates.remove(measured);
        let texts = [
            ("malformed", "MALFORMED"),
            ("not_found", "DEVICE_NOT_FOUND"),
            ("sensor_required", "SENSOR_REQUIRED"),
            ("not_implemented", "UNSUPPORTED"),
        ];
        let statuses = [None, Some(500)];
        let cases = texts.iter().flat_map(|text| statuses.map(|status| (text, status)));
        for (((name, code), http_status), gate) in cases.zip(&gates) {
            spoil(&house, gate, FaultKind::ParqexMessage { name: (*name).into(), http_status });
            let command = order(&house, gate, "openDoor").await;
            assert_end(&house, gate, &command, "FAILED", code, 0);
        }
        // A text that nobody documents says nothing; the gate's sensor does.
        spoil(&house, gate, FaultKind::UnknownStatusWord { word: "Gate is thinking about it".into() });
        let id = house.client.command("openDoor", json!({ "doorId": gate["id"] })).await;
        let command = house.client.in_state(&id, "SUCCEEDED").await;
        assert_end(&house, gate, &command, "SUCCEEDED", "", 1);
        assert_eq!(command["evidence"], "SENSOR");
        house.stop().await;
    }

    /// The texts where the vendor's own state brings them about, with both readings of its statuses.
    async fn parqex_refuses_what_its_hardware_cannot(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        for status in [ParqexStatus::AlwaysOk, ParqexStatus::AsMessage] {
            house.vendors.change(WorldChange::ParqexStatus { status }).unwrap();
            house.vendors.clear_journal();
            let named = async |name: &str| house.door_where("PARQEX", "CLOSE_DOOR", |door| door["name"] == name).await;
            let walkway = &named("North walkway").await;
            let command = order(&house, walkway, "closeDoor").await;
            assert_end(&house, walkway, &command, "FAILED", "SENSOR_REQUIRED", 0);
            let elevator = &named("Deck elevator").await;
            let command = order(&house, elevator, "closeDoor").await;
            assert_end(&house, elevator, &command, "FAILED", "UNSUPPORTED", 0);
            let yard = &named("Yard door").await;
            let device = text(&yard["device"]["externalId"]);
            house.vendors.change(WorldChange::ParqexReachable { device: device.clone(), reachable: false }).unwrap();
            let command = order(&house, yard, "openDoor").await;
            assert_end(&house, yard, &command, "FAILED", "DEVICE_NOT_FOUND", 0);
            assert!(text(&command["failure"]["message"]).contains("can't be found"), "{command:#}");
            house.vendors.change(WorldChange::ParqexReachable { device, reachable: true }).unwrap();
        }
        house.stop().await;
    }

    async fn a_raixer_element_decides_for_its_door(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let mut doors = house.doors().await;
        doors.retain(|door| vendor_of(door) == Vendor::Raixer && door["device"]["health"] == "HEALTHY");
        doors.dedup_by_key(|door| name_at_vendor(door));
        assert!(doors.len() >= 5);
        let reason = |words: &str| FaultKind::CommandError { reason: words.into() };
        let cases = [
            (FaultKind::Offline, "FAILED", "DEVICE_ERROR", 0),
            (reason("coil burnt"), "FAILED", "DEVICE_ERROR", 0),
            (FaultKind::PartialFailure { positions: Vec::new() }, "FAILED", "DEVICE_ERROR", 0),
            // The cloud that waited in vain does not know whether the device acted.
            (reason("timed out waiting for the device"), "OUTCOME_UNKNOWN", "VENDOR_FAILED", 0),
            (FaultKind::UnknownStatusWord { word: "maybe".into() }, "OUTCOME_UNKNOWN", "ANSWER_INVALID", 1),
        ];
        for ((kind, state, code, had), door) in cases.into_iter().zip(&doors) {
            spoil(&house, door, kind);
            let command = order(&house, door, "openDoor").await;
            assert_end(&house, door, &command, state, code, had);
        }
        house.stop().await;
    }

    /// What Raixer says of devices: offline, taken away, not ours any more. None of it is about the account.
    async fn a_raixer_device_that_cannot_be_used_fails_alone(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let mut doors = house.doors().await;
        doors.retain(|door| vendor_of(door) == Vendor::Raixer);
        let named = |name: &str| doors.iter().find(|door| door["device"]["name"] == name).unwrap();
        let offline = named("Mill lane 4");
        assert_eq!(offline["device"]["health"], "OFFLINE");
        let command = order(&house, offline, "openDoor").await;
        assert_end(&house, offline, &command, "FAILED", "DEVICE_ERROR", 0);
        let removed = named("Market street 3");
        house.vendors.change(WorldChange::Removed { vendor: Vendor::Raixer, device: name_at_vendor(removed) }).unwrap();
        let command = order(&house, removed, "openDoor").await;
        assert_end(&house, removed, &command, "FAILED", "DEVICE_NOT_FOUND", 0);
        let shared = named("Shared garage 7");
        let user = house.vendors.credentials()[0].raixer.user.clone();
        house
            .vendors
            .change(WorldChange::RaixerConnection { device: name_at_vendor(shared), user, disabled: true })
            .unwrap();
        let command = order(&house, shared, "openDoor").await;
        assert_end(&house, shared, &command, "FAILED", "DEVICE_NOT_FOUND", 0);
        assert_eq!(crate::orders::account(&house, Vendor::Raixer).await["state"], "CONNECTED");
        house.stop().await;
    }

    /// Only what may happen twice is sent again, after a look, and not for ever.
    async fn locking_is_repeated_with_measure(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let docks = free_docks(&house).await;
        let sends = |dock: &Value| requests(&house, Vendor::Bikeep, "send_command", &name_at_vendor(dock)).len();
        let lost = |kind: FaultKind, dock: &Value| {
            Fault::new(Vendor::Bikeep, kind).at("send_command").for_device(&name_at_vendor(dock))
        };
        let lock = async |dock: &Value| {
            let id = house.client.command("lockDoor", json!({ "doorId": dock["id"] })).await;
            until("it ends", async || {
                let command = house.client.read_command(&id).await;
                let over = command["terminal"] == true;
                if !over && (command["attempts"] != 0 || !is_unsent(&command)) {
                    house.advance(TimeDelta::milliseconds(100));
                }
                over.then_some(command)
            })
            .await
        };
        // Nothing happened: sent again, and done.
        house.vendors.add_fault(lost(FaultKind::DropBeforeEffect, &docks[0]).times(1)).unwrap();
        let command = lock(&docks[0]).await;
        assert_eq!(
            (&command["state"], &command["evidence"]),
            (&json!("SUCCEEDED"), &json!("DEVICE_ACK")),
            "{command:#}"
        );
        assert_eq!((sends(&docks[0]), effects(&house, &name_at_vendor(&docks[0])).len()), (2, 1));
        // It happened: the look shows it, and it is not sent again. The clocks stand still, so the vendor's is put a
        // little ahead: a state that is not younger than the order proves nothing.
        house.vendors.advance(Duration::from_millis(2));
        house.vendors.add_fault(lost(FaultKind::DropAfterEffect, &docks[1]).times(1)).unwrap();
        let command = lock(&docks[1]).await;
        assert_eq!((&command["state"], &command["evidence"]), (&json!("SUCCEEDED"), &json!("SENSOR")), "{command:#}");
        assert_eq!((sends(&docks[1]), effects(&house, &name_at_vendor(&docks[1])).len()), (1, 1));
        // It never gets through: given up after eight attempts, and not claimed.
        let failing = FaultKind::Status { code: 500, retry_after: None, after_effect: false };
        house.vendors.add_fault(lost(failing, &docks[2])).unwrap();
        let command = lock(&docks[2]).await;
        assert_eq!(
            (text(&command["state"]), failure(&command)),
            ("OUTCOME_UNKNOWN".to_owned(), "VENDOR_FAILED"),
            "{command:#}"
        );
        assert_eq!((sends(&docks[2]), effects(&house, &name_at_vendor(&docks[2])).len()), (8, 0), "{command:#}");
        house.stop().await;
    }

    /// A lock that takes its time, and an answer that was lost: when the second request is refused because the first is
    /// being carried out, that denies nothing (P3).
    async fn a_slow_lock_is_not_denied_because_its_repetition_is(back_end: BackEnd) {
        let mut plan = Plan::on(back_end);
        plan.simulator.latency = Latency { device: Duration::from_secs(1), ..Latency::none() };
        let house = plan.start().await;
        let dock = &free_docks(&house).await[0];
        spoil(&house, dock, FaultKind::DropAfterEffect);
        let id = house.client.command("lockDoor", json!({ "doorId": dock["id"] })).await;
        let name = name_at_vendor(dock);
        until("it is locked", async || (effects(&house, &name).len() == 1).then_some(())).await;
        let command = until("its outcome is known", async || {
            let command = house.client.read_command(&id).await;
            (command["terminal"] == true && command["state"] != "OUTCOME_UNKNOWN").then_some(command)
        })
        .await;
        assert_eq!((&command["state"], &command["evidence"]), (&json!("SUCCEEDED"), &json!("SENSOR")), "{command:#}");
        assert_eq!(effects(&house, &name).len(), 1);
        house.stop().await;
    }
}
