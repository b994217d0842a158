//! What vendors tell, cut to what every database can keep: one text of theirs must not hold up the others.

use chrono::Datelike;
use domain::{
    clock::Timestamp,
    device::{FoundDevice, FoundDoor},
    event::{FoundDoorRef, FoundEvent, MADE_UP},
    record::{FoundRecord, RecordDetails, RecordRef},
    secret::Secret,
};
use platform::vault::Vault;
use uuid::Uuid;
use vendors::port::{Hint, Portion};

/// The longest id and word of a vendor's, in characters; PostgreSQL's indexes end at 2,700 bytes.
const LONGEST_ID: usize = 400;
/// The longest fact, and name.
const LONGEST_FACT: usize = 4_000;

/// A device as it can be kept; `None`: an id of it, or of a door of it, is too long to be one.
pub(super) fn device(device: &FoundDevice) -> Option<FoundDevice> {
    let mut ids = std::iter::once(&device.external_id).chain(device.doors.iter().map(|door| &door.external_id));
    if !ids.all(|id| is_id(id)) {
        return None;
    }
    let named = |door: &FoundDoor| FoundDoor { name: text(&door.name, LONGEST_FACT), ..door.clone() };
    let doors = device.doors.iter().map(named).collect();
    Some(FoundDevice { name: text(&device.name, LONGEST_FACT), doors, ..device.clone() })
}

/// A record as it can be kept, without what it names by an id that is too long to be one: that is not kept either. `None`:
/// its own id is.
pub(super) fn record(record: &FoundRecord) -> Option<FoundRecord> {
    if !is_id(&record.external_id) {
        return None;
    }
    let mut record = record.clone();
    record.name = text(&record.name, LONGEST_FACT);
    let fits = |id: &mut Option<String>| *id = id.take().filter(|id| is_id(id));
    match &mut record.details {
        RecordDetails::User(user) => {
            user.access_levels.iter_mut().for_each(|levels| levels.retain(|id| is_id(id)));
        }
        RecordDetails::Credential(credential) => {
            fits(&mut credential.user);
            credential.access_levels.iter_mut().for_each(|levels| levels.retain(|id| is_id(id)));
        }
        RecordDetails::AccessLevel(level) => level.doors.retain(|id| is_id(id)),
        RecordDetails::Resource(resource) => fits(&mut resource.parent),
        RecordDetails::Reservation(stay) => {
            fits(&mut stay.guest);
            fits(&mut stay.resource);
            stay.companions.retain(|(companionship, person)| is_id(companionship) && is_id(person));
        }
        _ => {}
    }
    Some(record)
}

/// How many of a portion's devices and records are not kept.
pub(super) fn left_out(portion: &Portion) -> usize {
    let devices = portion.devices.iter().filter(|told| device(told).is_none()).count();
    devices + portion.records.iter().filter(|told| !is_id(&told.external_id)).count()
}

/// An event whose id, where it is a digest of what a vendor told, tells nobody else what that was.
pub(super) fn keyed(event: FoundEvent, vault: &Vault, tenant: Uuid) -> FoundEvent {
    if !event.external_id.contains(MADE_UP) {
        return event;
    }
    let digest = vault.fingerprint(tenant, &Secret::new(event.external_id));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    FoundEvent { external_id: format!("{MADE_UP}{hex}"), ..event }
}

fn is_id(told: &str) -> bool {
    told.chars().nth(LONGEST_ID).is_none()
}

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
        record::UserDetails,
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
    fn an_id_that_is_made_up_is_stable_and_cannot_be_guessed() {
        let (vault, other) = (Vault::new(&Vault::generate_key()).unwrap(), Vault::new(&Vault::generate_key()).unwrap());
        let (ours, theirs) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let named = |id: &str| FoundEvent { external_id: id.to_owned(), ..told(None) };
        let made = keyed(named("notice:made:0123"), &vault, ours).external_id;
        assert!(made.starts_with(MADE_UP) && !made.contains("0123"), "{made}");
        assert_eq!(keyed(named("notice:made:0123"), &vault, ours).external_id, made);
        for (id, vault, tenant) in
            [("notice:made:0123", &other, ours), ("notice:made:0123", &vault, theirs), ("made:0123", &vault, ours)]
        {
            assert_ne!(keyed(named(id), vault, tenant).external_id, made);
        }
        assert_eq!(keyed(named("4711"), &vault, ours).external_id, "4711", "the vendor's own stay as they are");
    }

    #[test]
    fn what_has_no_id_that_can_be_kept_is_left_out() {
        let long = "x".repeat(LONGEST_ID + 1);
        let user = |id: &str, levels: &[&str]| FoundRecord {
            external_id: id.to_owned(),
            device: None,
            location: String::new(),
            name: "n".repeat(5_000),
            details: RecordDetails::User(UserDetails {
                access_levels: Some(levels.iter().map(|level| (*level).to_owned()).collect()),
                ..UserDetails::default()
            }),
            secret: None,
        };
        let kept = record(&user(&"ü".repeat(LONGEST_ID), &["1", &long])).unwrap();
        assert_eq!((kept.name.len(), kept.details), (LONGEST_FACT, user("", &["1"]).details));
        assert_eq!(record(&user(&long, &[])), None);
        let portion = Portion { records: vec![user(&long, &[]), user("1", &[&long])], ..Portion::default() };
        assert_eq!(left_out(&portion), 1);
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
