//! Every fault of the wire at every vendor: the right end, the right code, and never a claim that the vendor's journal
//! refutes. What a vendor says in its own words is in `vendor_words`, what becomes of its account in `vendor_accounts`.

use futures::future::join_all;
use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, SimulatorOptions, Vendor, WorldChange, WorldChoice, WorldSize};

use crate::orders::{effects, failure, name_at_vendor, operation, requests, steps, vendor_of};

/// How long the house waits for a vendor here, in seconds.
const TIME_OUT: &str = "2";
/// Longer than that, in milliseconds.
const TOO_LONG: u64 = 2_600;

/// What a fault comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// As if nothing had gone wrong.
    Fine,
    /// SUCCEEDED although the answer said nothing: the door shows it, where the vendor lets us look.
    Shown(&'static str),
    /// FAILED with this code, and nothing happened.
    Refused(&'static str),
    /// OUTCOME_UNKNOWN with this code, and nothing happened.
    Nothing(&'static str),
    /// Sent again when the vendor allows.
    SentAgain,
}

fn status(code: u16) -> FaultKind {
    FaultKind::Status { code, retry_after: None, after_effect: false }
}

fn late_status(code: u16) -> FaultKind {
    FaultKind::Status { code, retry_after: None, after_effect: true }
}

/// Whether it has the vendor's whole account fall silent for a while, so that it must be alone with its order.
fn silences(kind: &FaultKind) -> bool {
    matches!(kind, FaultKind::Status { code: 429, .. } | FaultKind::Status { retry_after: Some(_), .. })
}

/// Every fault of the wire with its end at a vendor, the silencing ones last. 401 concerns the account and is in
/// `vendor_accounts`.
fn cases(vendor: Vendor) -> Vec<(FaultKind, End)> {
    use FaultKind::{
        Delay, DelayAnswer, DropAfterEffect, DropBeforeEffect, DropMidAnswer, Garbage, Hang, Status, Truncated,
        WrongContentType,
    };
    // The document of each vendor; ParqEx documents texts only, so that a bare status says nothing.
    let refused = |bikeep, raixer| match vendor {
        Vendor::Bikeep => End::Refused(bikeep),
        Vendor::Raixer => End::Refused(raixer),
        Vendor::Parqex => End::Nothing("ANSWER_INVALID"),
        Vendor::Lockt | Vendor::Mews => unreachable!("{vendor:?} moves no door"),
    };
    vec![
        (status(400), refused("VENDOR_REJECTED", "MALFORMED")),
        (status(403), refused("VENDOR_REJECTED", "DEVICE_NOT_FOUND")),
        (status(404), refused("DEVICE_NOT_FOUND", "UNSUPPORTED")),
        (status(409), refused("VENDOR_REJECTED", "VENDOR_REJECTED")),
        (status(408), End::Nothing("ANSWER_LOST")),
        (status(500), End::Nothing("VENDOR_FAILED")),
        (status(502), End::Nothing("VENDOR_FAILED")),
        (status(503), End::Nothing("VENDOR_FAILED")),
        (late_status(408), End::Shown("ANSWER_LOST")),
        (late_status(500), End::Shown("VENDOR_FAILED")),
        (late_status(503), End::Shown("VENDOR_FAILED")),
        (Garbage, End::Shown("ANSWER_INVALID")),
        (Truncated, End::Shown("ANSWER_INVALID")),
        (WrongContentType, End::Fine),
        (DropBeforeEffect, End::Nothing("ANSWER_LOST")),
        (DropAfterEffect, End::Shown("ANSWER_LOST")),
        (DropMidAnswer, End::Shown("ANSWER_LOST")),
        (Delay { millis: 300 }, End::Fine),
        (DelayAnswer { millis: 300 }, End::Fine),
        (Delay { millis: TOO_LONG }, End::Shown("ANSWER_LOST")),
        (DelayAnswer { millis: TOO_LONG }, End::Shown("ANSWER_LOST")),
        (Hang { after_effect: false }, End::Nothing("ANSWER_LOST")),
        (Hang { after_effect: true }, End::Shown("ANSWER_LOST")),
        (status(429), End::SentAgain),
        (Status { code: 429, retry_after: Some(1), after_effect: false }, End::SentAgain),
        (Status { code: 503, retry_after: Some(1), after_effect: false }, End::Nothing("VENDOR_FAILED")),
    ]
}

/// A house with a door of its own for every case at every vendor.
async fn many_doors(back_end: BackEnd) -> TestHouse {
    let size = WorldSize {
        bikeep_docks: 26,
        raixer_devices: 26,
        raixer_doors: 1,
        parqex_controllers: 26,
        parqex_doors: 1,
        ..WorldSize::default()
    };
    let mut plan = Plan::on(back_end).with_setting("vendor_timeout_seconds", TIME_OUT);
    plan.simulator = SimulatorOptions { world: WorldChoice::Sized(size), ..plan.simulator };
    plan.start().await
}

/// Sends one order into one fault. Returns its command.
async fn send(house: &TestHouse, door: &Value, kind: FaultKind) -> String {
    let (vendor, name) = (vendor_of(door), name_at_vendor(door));
    let mutation = if vendor == Vendor::Bikeep { "unlockDoor" } else { "openDoor" };
    house.vendors.add_fault(Fault::new(vendor, kind).at(operation(vendor)).for_device(&name).times(1)).unwrap();
    house.client.command(mutation, json!({ "doorId": door["id"] })).await
}

/// Checks what came of an order that was sent into a fault.
async fn check_end(house: &TestHouse, door: &Value, id: &str, kind: &FaultKind, end: End) {
    let vendor = vendor_of(door);
    let name = name_at_vendor(door);
    let evidence = if vendor == Vendor::Bikeep { "DEVICE_ACK" } else { "VENDOR_ACK" };
    let what = format!("{vendor:?} {kind:?}");
    // Nothing at Raixer can be looked at, so what was done there stays unknown.
    let (state, code, evidence, had) = match end {
        End::Fine | End::SentAgain => ("SUCCEEDED", "", evidence, 1),
        End::Shown(code) if vendor == Vendor::Raixer => ("OUTCOME_UNKNOWN", code, "NONE", 1),
        End::Shown(_) => ("SUCCEEDED", "", "SENSOR", 1),
        End::Refused(code) => ("FAILED", code, "VENDOR_ACK", 0),
        End::Nothing(code) => ("OUTCOME_UNKNOWN", code, "NONE", 0),
    };
    let command = until(&format!("{what} comes to {state}"), async || {
        let command = house.client.read_command(id).await;
        if command["terminal"] == true && command["state"] != "OUTCOME_UNKNOWN" {
            return Some(command);
        }
        // A look that finds nothing must not change its mind.
        let looked = steps(&command).contains(&"LOOKED".to_owned());
        (state == "OUTCOME_UNKNOWN" && command["state"] == state && looked).then_some(command)
    })
    .await;
    assert_eq!(command["state"], state, "{what}: {command:#}");
    assert_eq!((failure(&command), text(&command["evidence"])), (code, evidence.to_owned()), "{what}: {command:#}");
    // What the vendor does late it does after we have stopped to listen.
    until(&format!("{what} had {had} effects"), async || (effects(house, &name).len() == had).then_some(())).await;
    let sends = if end == End::SentAgain { 2 } else { 1 };
    let sent = requests(house, vendor, operation(vendor), &name);
    assert_eq!((sent.len(), &command["attempts"]), (sends, &json!(sends)), "{what}: {command:#}");
    let told = steps(&command);
    match end {
        End::Shown(_) | End::Nothing(_) => assert_eq!(told[2], "ANSWER_LOST", "{what}: {command:#}"),
        End::SentAgain => assert!(told.contains(&"NOT_SENT".to_owned()), "{what}: {command:#}"),
        End::Fine | End::Refused(_) => assert_eq!(told[2], "ANSWERED", "{what}: {command:#}"),
    }
}

async fn every_fault(back_end: BackEnd, vendor: Vendor) {
    let house = many_doors(back_end).await;
    let mut doors = house.doors().await;
    doors.retain(|door| vendor_of(door) == vendor && door["device"]["model"] != "GUARD");
    if vendor == Vendor::Bikeep {
        for door in &doors {
            let device = name_at_vendor(door);
            house.vendors.change(WorldChange::BikeepByHand { device, locked: true, user: None }).unwrap();
        }
    }
    let cases = cases(vendor);
    assert!(cases.len() <= doors.len(), "each case needs a door of its own");
    let (alone, together): (Vec<_>, Vec<_>) = cases.iter().zip(&doors).partition(|((kind, _), _)| silences(kind));
    let sent = together.iter().map(|((kind, _), door)| send(&house, door, kind.clone()));
    let commands = join_all(sent).await;
    for (((kind, end), door), id) in together.iter().zip(&commands) {
        check_end(&house, door, id, kind, *end).await;
    }
    for ((kind, end), door) in alone {
        let id = send(&house, door, kind.clone()).await;
        check_end(&house, door, &id, kind, *end).await;
    }
    house.stop().await;
}

on_both_back_ends! {
    async fn every_fault_of_the_wire_at_bikeep(back_end: BackEnd) {
        every_fault(back_end, Vendor::Bikeep).await;
    }

    async fn every_fault_of_the_wire_at_raixer(back_end: BackEnd) {
        every_fault(back_end, Vendor::Raixer).await;
    }

    async fn every_fault_of_the_wire_at_parqex(back_end: BackEnd) {
        every_fault(back_end, Vendor::Parqex).await;
    }
}
