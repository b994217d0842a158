use proptest::prelude::*;

use super::*;
use crate::raixer::testing::fixture;

fn of(action: &str) -> FoundEvent {
    let line = wire::Happening { action: Some(format!("{PREFIX}{action}")), ..wire::Happening::default() };
    happening(&line, "dev", str::to_owned)
}

#[test]
fn the_documents_own_history() {
    let lines: Vec<wire::Happening> = serde_json::from_str(fixture!("history")).unwrap();
    let events: Vec<_> = lines.iter().map(|line| happening(line, "asked", str::to_owned)).collect();
    assert_eq!(events[0].external_id, "history:abcde12345:1");
    assert_eq!(events[0].event_type, EventType::DoorOpened);
    assert_eq!(events[0].vendor_code, "connections.detail.history.action.openDoor2");
    assert_eq!(events[0].door, Some(FoundDoorRef::Position(2)));
    assert_eq!(events[0].reading, None, "it was released; that a leaf moved is not told");
    assert_eq!(events[0].facts.get("details").map(String::as_str), Some("Jon Doe"));
    assert_eq!(events[0].occurred_at.unwrap().to_rfc3339(), "2018-08-29T15:21:13.245+00:00");
    assert_eq!(events[1].facts.get("cause").map(String::as_str), Some("autoAccess"));
    assert_eq!(
        (&events[1].door, &events[2].door),
        (&Some(FoundDoorRef::Position(1)), &Some(FoundDoorRef::Position(1)))
    );
}

#[test]
fn every_documented_name_has_a_meaning() {
    use EventType as Type;
    let ported = [
        ("openDoor", Type::DoorOpened, None, None),
        ("doorOpened", Type::DoorOpened, None, None),
        ("doorIsOpen", Type::DoorOpened, Some(Position::Open), None),
        ("doorIsClosed", Type::DoorClosed, Some(Position::Closed), None),
        ("startJob", Type::AutoAccessStarted, None, Some(Mode::AutoAccess)),
        ("startJobAutoAccess", Type::AutoAccessStarted, None, Some(Mode::AutoAccess)),
        ("stopJob", Type::AutoAccessStopped, None, Some(Mode::Normal)),
        ("phoneCall", Type::PhoneCall, None, None),
    ];
    for (name, event_type, leaf, mode) in ported {
        for (suffix, position) in [("", 1), ("2", 2), ("3", 3)] {
            let event = of(&format!("{name}{suffix}"));
            assert_eq!((event.event_type, event.door), (event_type, Some(FoundDoorRef::Position(position))), "{name}");
            let reading = event.reading.unwrap_or_default();
            assert_eq!((reading.position, reading.mode, reading.measured), (leaf, mode, leaf.is_some()));
        }
    }
    let plain = [
        ("movementDetected", Type::MovementDetected),
        ("powerIn", Type::PowerRestored),
        ("powerOut", Type::PowerLost),
        ("physicalButton", Type::ButtonPressed),
        ("online", Type::DeviceOnline),
        ("offline", Type::DeviceOffline),
        ("door-open", Type::DoorOpened),
        ("door-closed", Type::DoorClosed),
        ("movement-1", Type::MovementDetected),
        ("movement-0", Type::MovementEnded),
        ("power-in", Type::PowerRestored),
        ("power-out", Type::PowerLost),
        ("mainButton-press", Type::ButtonPressed),
    ];
    for (name, event_type) in plain {
        assert_eq!((of(name).event_type, of(name).door), (event_type, None), "{name}");
    }
}

#[test]
fn an_error_is_no_opening() {
    let line = wire::Happening {
        action: Some(format!("{PREFIX}doorIsOpen")),
        error: Some(true),
        ..wire::Happening::default()
    };
    let event = happening(&line, "dev", str::to_owned);
    assert_eq!((event.event_type, event.reading), (EventType::VendorEvent, None));
    assert_eq!(event.facts.get("error").map(String::as_str), Some("true"));
}

#[test]
fn a_line_without_an_id_is_told_from_others_by_what_it_says() {
    let line = |details: &str| wire::Happening { details: Some(details.to_owned()), ..wire::Happening::default() };
    let id = |details| happening(&line(details), "dev", str::to_owned).external_id;
    assert_eq!(id("a"), id("a"));
    assert_ne!(id("a"), id("b"));
}

proptest! {
    #[test]
    fn an_unknown_name_claims_nothing(name in "\\PC{0,24}") {
        let told = meaning(&name);
        if told.event_type == EventType::VendorEvent {
            prop_assert_eq!((told.reading(None), told.position), (None, None));
        }
    }
}
