//! What vendors tell, cut to what every database can keep: one text of theirs must not hold up the others.

use chrono::Datelike;
use domain::{
    clock::Timestamp,
    event::{FoundDoorRef, FoundEvent},
    record::RecordRef,
};
use vendors::port::Hint;

/// The longest id and word of a vendor's, in characters; PostgreSQL's indexes end at 2,700 bytes.
const LONGEST_ID: usize = 400;
/// The longest fact.
const LONGEST_FACT: usize = 4_000;

/// An event as it can be kept.
pub(super) fn event(event: &FoundEvent) -> FoundEvent {
    let FoundEvent { external_id, occurred_at, event_type, vendor_code, device, door, reading, facts } = event;
    let reading = reading.map(|mut reading| {
        reading.observed_at = reading.observed_at.filter(believable);
        reading
    });
    FoundEvent {
        external_id: text(external_id, LONGEST_ID),
        occurred_at: occurred_at.filter(believable),
        event_type: *event_type,
        vendor_code: text(vendor_code, LONGEST_ID),
        device: device.as_ref().map(|device| text(device, LONGEST_ID)),
        door: door.as_ref().map(|door| match door {
            FoundDoorRef::Id(id) => FoundDoorRef::Id(text(id, LONGEST_ID)),
            FoundDoorRef::Name(name) => FoundDoorRef::Name(text(name, LONGEST_ID)),
            FoundDoorRef::Position(position) => FoundDoorRef::Position(*position),
        }),
        reading,
        facts: facts.iter().map(|(name, fact)| (text(name, LONGEST_ID), text(fact, LONGEST_FACT))).collect(),
    }
}

/// A hint whose ids can be looked up.
pub(super) fn hint(hint: Hint) -> Hint {
    match hint {
        Hint::Part(part) => Hint::Part(part),
        Hint::Device(id) => Hint::Device(text(&id, LONGEST_ID)),
        Hint::Record(RecordRef { kind, external_id }) => {
            Hint::Record(RecordRef { kind, external_id: text(&external_id, LONGEST_ID) })
        }
    }
}

/// An event with a time: when it reached us, if its vendor tells none. Such a reading may be of any age until then, so it
/// is taken for the door's state but measures nothing that a command waits for.
pub(super) fn dated(mut event: FoundEvent, received_at: Timestamp) -> FoundEvent {
    event.occurred_at = event.occurred_at.filter(believable);
    if let Some(reading) = &mut event.reading {
        reading.observed_at = reading.observed_at.filter(believable).or(event.occurred_at);
        if reading.observed_at.is_none() {
            reading.observed_at = Some(received_at);
            reading.measured = false;
        }
    }
    event.occurred_at = event.occurred_at.or(Some(received_at));
    event
}

fn believable(at: &Timestamp) -> bool {
    (1970..=9999).contains(&at.year())
}

fn text(told: &str, longest: usize) -> String {
    // PostgreSQL keeps no NUL in a text.
    told.chars().filter(|letter| *letter != '\0').take(longest).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::{
        door::{DoorReading, Position},
        event::EventType,
    };

    use super::*;

    fn told(occurred_at: Option<Timestamp>) -> FoundEvent {
        FoundEvent {
            external_id: "i\0d".to_owned() + &"x".repeat(5_000),
            occurred_at,
            event_type: EventType::DoorOpened,
            vendor_code: "\0".to_owned(),
            device: Some("d\0".to_owned()),
            door: Some(FoundDoorRef::Name("n\0".to_owned())),
            reading: Some(DoorReading {
                position: Some(Position::Open),
                observed_at: occurred_at,
                measured: true,
                ..DoorReading::default()
            }),
            facts: BTreeMap::from([("f\0".to_owned(), "\0".to_owned())]),
        }
    }

    #[test]
    fn nothing_is_left_that_a_database_refuses() {
        let kept = event(&told(Some(Timestamp::MAX_UTC)));
        assert_eq!((kept.occurred_at, kept.reading.unwrap().observed_at), (None, None));
        assert!(kept.external_id.starts_with("idx") && kept.external_id.len() == LONGEST_ID);
        assert!(!format!("{kept:?}").contains("\\0"), "{kept:?}");
    }

    #[test]
    fn without_a_time_of_its_own_it_is_as_old_as_its_delivery_and_proves_nothing() {
        let (received, earlier) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH - chrono::TimeDelta::days(-1));
        let undated = dated(told(None), received);
        let reading = undated.reading.unwrap();
        assert_eq!((undated.occurred_at, reading.observed_at), (Some(received), Some(received)));
        assert!(!reading.measured);
        let known = dated(told(Some(earlier)), received);
        assert_eq!((known.occurred_at, known.reading.unwrap().measured), (Some(earlier), true));
    }
}
