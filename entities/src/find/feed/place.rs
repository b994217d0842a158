//! Places in the feed, and the bytes in which a reader keeps one.

use std::fmt;

use uuid::Uuid;

/// More transactions than any server runs at a time.
const MOST_RUNNING: u64 = 20_000;

/// Up to where somebody was told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(pub(super) Told);

/// What was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// SQLite: everything up to this event; nothing, if there was none.
    UpTo(Option<Uuid>),
    /// PostgreSQL.
    Seen {
        /// Which history of which server: the numbers of another one mean other transactions.
        history: u64,
        /// What `before` saw is told.
        before: Snapshot,
        /// And of what only this one saw, whatever was written up to this turn.
        within: Option<(Snapshot, i64)>,
    },
}

/// Which transactions a statement saw: those before `next` less those that were running. PostgreSQL's `pg_snapshot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// Whatever is before it is over.
    pub(super) oldest: u64,
    /// The first that had not begun.
    pub(super) next: u64,
    /// What was running between, in order.
    running: Vec<u64>,
}

impl Snapshot {
    /// Reads PostgreSQL's own form, `10:20:10,14,15`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let mut number = || parts.next()?.parse().ok();
        let (oldest, next) = (number()?, number()?);
        let running = parts.next()?.split(',').filter(|part| !part.is_empty()).map(|part| part.parse().ok());
        Self::new(oldest, next, running.collect::<Option<_>>()?)
    }

    /// A snapshot that PostgreSQL would make.
    fn new(oldest: u64, next: u64, running: Vec<u64>) -> Option<Self> {
        let is_sound = 0 < oldest
            && oldest <= next
            && i64::try_from(next).is_ok()
            && running.is_sorted_by(|one, other| one < other)
            && running.iter().all(|id| (oldest..next).contains(id));
        is_sound.then_some(Self { oldest, next, running })
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:", self.oldest, self.next)?;
        for (index, id) in self.running.iter().enumerate() {
            write!(formatter, "{}{id}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl Place {
    /// The bytes to keep.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match &self.0 {
            Told::UpTo(None) => bytes.push(0),
            Told::UpTo(Some(event)) => {
                bytes.push(1);
                bytes.extend_from_slice(event.as_bytes());
            }
            Told::Seen { history, before, within } => {
                bytes.push(if within.is_some() { 3 } else { 2 });
                write(&mut bytes, *history);
                write_snapshot(&mut bytes, before);
                if let Some((until, turn)) = within {
                    write_snapshot(&mut bytes, until);
                    write(&mut bytes, turn.unsigned_abs());
                }
            }
        }
        bytes
    }

    /// The place in what [`Self::encode`] made; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, mut rest) = bytes.split_first()?;
        let told = match kind {
            0 => Told::UpTo(None),
            1 => {
                let event;
                (event, rest) = rest.split_at_checked(16)?;
                Told::UpTo(Uuid::from_slice(event).ok())
            }
            2 | 3 => {
                let history = read(&mut rest)?;
                let before = read_snapshot(&mut rest)?;
                let within = match kind {
                    3 => Some((read_snapshot(&mut rest)?, i64::try_from(read(&mut rest)?).ok()?)),
                    _ => None,
                };
                Told::Seen { history, before, within }
            }
            _ => return None,
        };
        rest.is_empty().then_some(Self(told))
    }
}

/// Each transaction as its distance from the one before: a few bytes, however far the server has come.
fn write_snapshot(bytes: &mut Vec<u8>, snapshot: &Snapshot) {
    write(bytes, snapshot.oldest);
    write(bytes, snapshot.next - snapshot.oldest);
    write(bytes, snapshot.running.len() as u64);
    let mut last = snapshot.oldest;
    for id in &snapshot.running {
        write(bytes, id - last);
        last = *id;
    }
}

fn read_snapshot(bytes: &mut &[u8]) -> Option<Snapshot> {
    let oldest = read(bytes)?;
    let next = oldest.checked_add(read(bytes)?)?;
    let count = read(bytes).filter(|count| *count <= MOST_RUNNING)?;
    let mut last = oldest;
    let mut running = Vec::new();
    for _ in 0..count {
        last = last.checked_add(read(bytes)?)?;
        running.push(last);
    }
    Snapshot::new(oldest, next, running)
}

/// Seven bits in a byte, the highest bit says that more follow.
fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte;
        (byte, *bytes) = bytes.split_first()?;
        let part = u64::from(byte & 0x7f);
        if part << shift >> shift != part {
            return None;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshots() -> impl Strategy<Value = Snapshot> {
        (1_u64..1 << 60, proptest::collection::btree_set(0_u64..5_000, 0..40), 0_u64..100).prop_map(
            |(oldest, running, more)| {
                let running: Vec<u64> = running.into_iter().map(|id| oldest + id).collect();
                let next = running.last().map_or(oldest, |last| last + 1) + more;
                Snapshot::new(oldest, next, running).unwrap()
            },
        )
    }

    fn places() -> impl Strategy<Value = Place> {
        let seen = (any::<u64>(), snapshots(), proptest::option::of((snapshots(), 0..i64::MAX)));
        prop_oneof![
            proptest::option::of(any::<u128>()).prop_map(|event| Place(Told::UpTo(event.map(Uuid::from_u128)))),
            seen.prop_map(|(history, before, within)| Place(Told::Seen { history, before, within })),
        ]
    }

    proptest! {
        #[test]
        fn a_place_is_read_back(place in places()) {
            prop_assert_eq!(Place::decode(&place.encode()), Some(place));
        }

        /// Bytes from outside are a place that the database can work with, or none.
        #[test]
        fn what_is_read_is_sound(bytes in proptest::collection::vec(any::<u8>(), 0..80), kind in 0_u8..4) {
            let bytes: Vec<u8> = std::iter::once(kind).chain(bytes).collect();
            if let Some(Place(Told::Seen { before, .. })) = Place::decode(&bytes) {
                prop_assert_eq!(Snapshot::parse(&before.to_string()), Some(before));
            }
        }

        #[test]
        fn a_place_that_is_cut_or_longer_is_none(place in places(), cut in 0_usize..8) {
            let mut bytes = place.encode();
            bytes.push(0);
            prop_assert_eq!(Place::decode(&bytes), None);
            bytes.truncate(bytes.len().saturating_sub(2 + cut));
            prop_assert_ne!(Place::decode(&bytes), Some(place));
        }
    }

    #[test]
    fn a_snapshot_is_written_as_postgres_does() {
        for text in ["10:20:10,14,15", "7:7:", "1:9:3"] {
            assert_eq!(Snapshot::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "10", "10:9:", "10:20:9", "10:20:20", "10:20:15,14", "10:20:12,12", "0:1:", "1:2:x", "-1:2:"] {
            assert_eq!(Snapshot::parse(text), None, "{text}");
        }
    }
}
