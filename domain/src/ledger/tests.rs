//! A ledger of any shape is sound; after one change of any kind the first bad row is named.

use std::collections::HashMap;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::*;
use crate::{
    clock::Timestamp,
    ids::{EventId, OrganizationId},
};

const OURS: OrganizationId = OrganizationId(Uuid::from_u128(7));

/// Signs with a keyed digest: enough for a signature that nobody else makes.
#[derive(Debug, Clone, Copy)]
struct Keys {
    current: u8,
    known: &'static [u8],
}

const US: Keys = Keys { current: 1, known: &[1] };

fn keyed(key: u8, statement: &str) -> Vec<u8> {
    Sha256::digest([&[key], statement.as_bytes()].concat()).to_vec()
}

impl Notary for Keys {
    fn sign(&self, statement: &str) -> Signature {
        Signature { public_key: vec![self.current], bytes: keyed(self.current, statement) }
    }

    fn judge(&self, statement: &str, signature: &Signature) -> Standing {
        let [key] = signature.public_key[..] else { return Standing::Forged };
        if keyed(key, statement) != signature.bytes {
            Standing::Forged
        } else if key == self.current {
            Standing::Current
        } else if self.known.contains(&key) {
            Standing::Known
        } else {
            Standing::Unknown
        }
    }

    fn made(&self, _: &Facts, _: &[u8]) -> bool {
        true
    }

    fn salt(&self) -> Salt {
        [9; SALT]
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn fact(number: i64) -> Facts {
    Facts {
        id: Uuid::from_u128(u128::try_from(number).unwrap() << 64),
        organization: OURS.0,
        site: Some(Uuid::from_u128(1)),
        device: None,
        door: (number % 2 == 0).then(|| Uuid::from_u128(2)),
        command: None,
        account: None,
        external_id: (number % 3 == 0).then(|| format!("vendor-{number}")),
        vendor_code: None,
        event_type: "COMMAND_REQUESTED".to_owned(),
        occurred_at: at(number),
        recorded_at: at(number),
        actor: Some("key_1".to_owned()),
        details: Details::Plain(format!("{{\"name\":\"Ada {number}\"}}")),
        block: None,
    }
}

#[derive(Debug, Clone)]
struct Ledger {
    blocks: Vec<(Block, Hash, Signature)>,
    rows: HashMap<Uuid, Facts>,
}

impl Ledger {
    /// A ledger with blocks of these sizes.
    fn of(sizes: &[usize], notary: &dyn Notary) -> Self {
        let mut ledger = Self { blocks: Vec::new(), rows: HashMap::new() };
        let mut facts = (1..).map(fact);
        for size in sizes {
            ledger.seal(facts.by_ref().take(*size).collect(), notary);
        }
        ledger
    }

    fn seal(&mut self, events: Vec<Facts>, notary: &dyn Notary) {
        let last = self.blocks.last();
        let block = Block {
            organization: OURS,
            number: last.map_or(1, |(block, ..)| block.number + 1),
            first: last.map_or(1, |(block, ..)| block.last() + 1),
            sealed_at: at(1_000),
            previous: last.map_or(Hash::NOTHING, |(_, hash, _)| *hash),
            entries: Vec::new(),
        };
        let entry =
            |facts: &Facts| Entry { event: facts.id, digest: facts.digest(&notary.salt()), salt: notary.salt() };
        let block = Block { entries: events.iter().map(entry).collect(), ..block };
        for facts in events {
            self.rows.insert(facts.id, Facts { block: Some(block.number), ..facts });
        }
        let signature = notary.sign(&block.checkpoint().statement());
        self.blocks.push((block.clone(), block.hash(), signature));
    }

    fn audit(&self, notary: &dyn Notary, kept: Option<(i64, Hash)>) -> Result<Report, Fault> {
        let mut audit = Audit::begin(notary, OURS, None, kept)?;
        for (block, hash, signature) in &self.blocks {
            audit.block(block, (hash, signature), &self.rows)?;
        }
        audit.finish()
    }

    /// The block and place in it of the event with this number.
    fn place(&self, sequence: i64) -> (usize, usize) {
        let at = self.blocks.iter().position(|(block, ..)| block.last() >= sequence).unwrap();
        (at, usize::try_from(sequence - self.blocks[at].0.first).unwrap())
    }

    fn row(&mut self, sequence: i64) -> &mut Facts {
        self.rows.get_mut(&fact(sequence).id).unwrap()
    }
}

/// Changes one column of a row.
fn alter(row: &mut Facts, column: usize) {
    match column {
        0 => row.site = None,
        1 => row.door = Some(Uuid::from_u128(99)),
        2 => row.event_type.push('X'),
        3 => row.occurred_at += chrono::TimeDelta::nanoseconds(1),
        4 => row.recorded_at = at(-1),
        5 => row.actor = None,
        6 => row.details = Details::Plain("{\"name\":\"Eve\"}".to_owned()),
        7 => row.external_id = Some("vendor-x".to_owned()),
        8 => row.organization = Uuid::from_u128(8),
        9 => row.block = None,
        10 => row.command = Some(row.id),
        11 => row.details = Details::Erased(Hash::NOTHING),
        // What stood in one column stands in the next.
        12 => (row.site, row.device) = (row.device, row.site),
        _ => row.vendor_code = Some(String::new()),
    }
}

proptest! {
    #[test]
    fn the_first_bad_row_is_named(
        sizes in proptest::collection::vec(1..6usize, 1..6),
        picks in proptest::collection::vec((any::<prop::sample::Index>(), 0..14usize, 0..6usize), 1..4),
    ) {
        let sound = Ledger::of(&sizes, &US);
        let total = sizes.iter().sum::<usize>();
        prop_assert_eq!(sound.audit(&US, None).unwrap().events, i64::try_from(total).unwrap());
        let mut bad = sound.clone();
        let mut first: Option<(i64, Fault)> = None;
        for (pick, column, kind) in picks {
            let sequence = i64::try_from(pick.index(total)).unwrap() + 1;
            let event = EventId(fact(sequence).id);
            if first.as_ref().is_some_and(|(taken, _)| *taken == sequence) || !bad.rows.contains_key(&event.0) {
                continue;
            }
            let (block, place) = bad.place(sequence);
            let fault = match kind {
                0 | 1 => {
                    alter(bad.row(sequence), column);
                    Fault::EventAltered { sequence, event }
                }
                2 => {
                    bad.rows.remove(&event.0);
                    Fault::EventMissing { sequence, event }
                }
                3 => {
                    bad.blocks[block].0.entries[place].salt[0] ^= 1;
                    Fault::EventAltered { sequence, event }
                }
                4 => {
                    bad.blocks[block].0.entries[place].digest = Hash::NOTHING;
                    Fault::EventAltered { sequence, event }
                }
                // One that is not there, in its place.
                _ => {
                    let stranger = Uuid::from_u128(event.0.as_u128() + 1);
                    bad.blocks[block].0.entries[place].event = stranger;
                    Fault::EventMissing { sequence, event: EventId(stranger) }
                }
            };
            if first.as_ref().is_none_or(|(earlier, _)| sequence < *earlier) {
                first = Some((sequence, fault));
            }
        }
        if let Some((_, fault)) = first {
            prop_assert_eq!(bad.audit(&US, None), Err(fault));
        }
    }

    #[test]
    fn no_two_events_can_change_places(sizes in proptest::collection::vec(1..6usize, 1..5), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()) {
        let mut ledger = Ledger::of(&sizes, &US);
        let total = sizes.iter().sum::<usize>();
        let mut places = [a.index(total), b.index(total)].map(|place| i64::try_from(place).unwrap() + 1);
        places.sort_unstable();
        let [low, high] = places;
        prop_assume!(low != high);
        // The rows keep their ids and take each other's content.
        let (one, two) = (fact(low), fact(high));
        let (block_of_one, block_of_two) = (ledger.row(low).block, ledger.row(high).block);
        *ledger.row(low) = Facts { id: one.id, block: block_of_one, ..two.clone() };
        *ledger.row(high) = Facts { id: two.id, block: block_of_two, ..one.clone() };
        prop_assert_eq!(ledger.audit(&US, None), Err(Fault::EventAltered { sequence: low, event: EventId(one.id) }));
        // The entries change places.
        let mut ledger = Ledger::of(&sizes, &US);
        let (from, to) = (ledger.place(low), ledger.place(high));
        let moved = ledger.blocks[from.0].0.entries[from.1];
        ledger.blocks[from.0].0.entries[from.1] = ledger.blocks[to.0].0.entries[to.1];
        ledger.blocks[to.0].0.entries[to.1] = moved;
        let fault = ledger.audit(&US, None).unwrap_err();
        let first = match &fault {
            Fault::EventAltered { sequence, .. } | Fault::EventMoved { sequence, .. } => *sequence,
            other => panic!("{other}"),
        };
        prop_assert!((low..=low + 1).contains(&first), "{}", fault);
    }

    #[test]
    fn erasing_keeps_the_ledger_sound(sizes in proptest::collection::vec(1..6usize, 1..5), picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..5)) {
        let mut ledger = Ledger::of(&sizes, &US);
        let total = sizes.iter().sum::<usize>();
        let mut erased = std::collections::BTreeSet::new();
        for pick in picks {
            let sequence = i64::try_from(pick.index(total)).unwrap() + 1;
            if !erased.insert(sequence) {
                continue;
            }
            let (block, place) = ledger.place(sequence);
            let entry = &mut ledger.blocks[block].0.entries[place];
            let salt = std::mem::replace(&mut entry.salt, [0; SALT]);
            let row = ledger.rows.get_mut(&fact(sequence).id).unwrap();
            let Details::Plain(text) = &row.details else { panic!("erased twice") };
            row.details = Details::Erased(commitment(text, &salt));
        }
        prop_assert_eq!(ledger.audit(&US, None).unwrap().erased, i64::try_from(erased.len()).unwrap());
        // Whoever leaves the salt has not erased: the details can be guessed.
        let sequence = *erased.first().unwrap();
        let (block, place) = ledger.place(sequence);
        ledger.blocks[block].0.entries[place].salt = US.salt();
        let fault = Fault::EventAltered { sequence, event: EventId(fact(sequence).id) };
        prop_assert_eq!(ledger.audit(&US, None), Err(fault));
    }

    #[test]
    fn a_block_reads_as_it_was_written(sizes in 0..9usize, cut in 0..48usize) {
        let (block, ..) = Ledger::of(&[sizes], &US).blocks.remove(0);
        let (encoded, salts) = (block.encoded(), block.salts());
        prop_assert_eq!(Block::decode(&encoded, &salts), Ok(block.entries.clone()));
        prop_assume!(cut > 0 && !encoded.is_empty());
        prop_assert!(Block::decode(&encoded[cut..], &salts).is_err());
        prop_assert_eq!(block.hash().to_string().parse::<Hash>(), Ok(block.hash()));
    }
}

#[test]
fn blocks_cannot_be_taken_out_put_in_or_written_anew() {
    let sound = Ledger::of(&[2, 3, 1], &US);
    let mut cut = sound.clone();
    cut.blocks.remove(1);
    assert_eq!(cut.audit(&US, None), Err(Fault::BlockMissing { block: 2, sequence: 3 }));
    let altered = Err(Fault::BlockAltered { block: 2, sequence: 3 });
    let mut later = sound.clone();
    later.blocks[1].0.sealed_at = at(2_000);
    assert_eq!(later.audit(&US, None), altered);
    // A row and its entry say the same, which is not what was signed.
    let mut both = sound.clone();
    both.row(4).actor = None;
    both.blocks[1].0.entries[1].digest = both.rows[&fact(4).id].digest(&US.salt());
    assert_eq!(both.audit(&US, None), altered);
    // A block of ours that follows on another one of ours.
    let mut other = Ledger { blocks: Vec::new(), rows: sound.rows.clone() };
    other.seal(vec![fact(1), Facts { actor: None, ..fact(2) }], &US);
    other.seal((3..6).map(fact).collect(), &US);
    let mut mixed = sound.clone();
    mixed.blocks[1] = other.blocks[1].clone();
    assert_eq!(mixed.audit(&US, None), altered);
    mixed.blocks[1].0.previous = mixed.blocks[0].1;
    assert_eq!(mixed.audit(&US, None), altered, "what it follows on is signed");
    let mut told = sound.clone();
    told.blocks[1].1 = Hash::NOTHING;
    assert_eq!(told.audit(&US, None), altered);
    let mut resigned = sound.clone();
    resigned.blocks[1].2.bytes[0] ^= 1;
    assert_eq!(resigned.audit(&US, None), altered);
    // Somebody with a key of their own writes everything anew from the second block on.
    let them = Keys { current: 66, known: &[] };
    let mut anew = Ledger { blocks: sound.blocks[..1].to_vec(), rows: sound.rows.clone() };
    anew.seal(vec![fact(3), fact(4), Facts { actor: None, ..fact(5) }], &them);
    anew.seal(vec![fact(6)], &them);
    assert_eq!(anew.audit(&US, None), Err(Fault::SignerUnknown { block: 2, sequence: 3 }));
}

#[test]
fn what_is_marked_is_all_that_an_event_says() {
    let (sound, erased) = (fact(6), Details::Erased(Hash::NOTHING));
    for column in 0..14 {
        let mut altered = sound.clone();
        alter(&mut altered, column);
        // In which block it is, it does not say itself.
        assert_eq!(altered.marked() == sound.marked(), column == 9, "column {column}");
    }
    let [told, details] = sound.marked();
    let [told_after, details_after] = Facts { details: erased, ..sound }.marked();
    assert!(told == told_after && details != details_after);
}

#[test]
fn a_change_of_keys_is_taken_over_by_the_next_block() {
    let mut ledger = Ledger::of(&[2, 2], &US);
    let both = Keys { current: 2, known: &[2, 1] };
    assert!(ledger.audit(&both, None).is_ok());
    let new = Keys { current: 2, known: &[2] };
    assert_eq!(ledger.audit(&new, None), Err(Fault::SignerUnknown { block: 1, sequence: 1 }));
    ledger.seal(Vec::new(), &both);
    assert_eq!(ledger.audit(&new, None).unwrap().events, 4);
    ledger.seal(vec![fact(5)], &new);
    assert_eq!(ledger.audit(&new, None).unwrap().checkpoint.unwrap().0.sequence, 5);
}

#[test]
fn a_cut_end_is_found_by_whoever_kept_a_checkpoint() {
    let mut ledger = Ledger::of(&[2, 3], &US);
    let kept = (5, ledger.blocks[1].1);
    assert!(ledger.audit(&US, Some(kept)).is_ok());
    let other = ledger.audit(&US, Some((5, Hash::NOTHING)));
    assert_eq!(other, Err(Fault::CheckpointMissing { sequence: 5 }), "the same place in another history");
    ledger.blocks.pop();
    assert!(ledger.audit(&US, None).is_ok());
    assert_eq!(ledger.audit(&US, Some(kept)), Err(Fault::CheckpointMissing { sequence: 5 }));
}

#[test]
fn what_is_forgotten_is_answered_for_by_a_horizon_and_nothing_else() {
    let mut ledger = Ledger::of(&[2, 3, 1], &US);
    let (oldest, ..) = ledger.blocks.remove(0);
    let horizon = Horizon(oldest.checkpoint());
    let signature = US.sign(&horizon.statement());
    let audit = |ledger: &Ledger, horizon: &Horizon, signature: &Signature| {
        let mut audit = Audit::begin(&US, OURS, Some((horizon, signature)), Some((2, oldest.hash())))?;
        for (block, hash, signature) in &ledger.blocks {
            audit.block(block, (hash, signature), &ledger.rows)?;
        }
        audit.finish()
    };
    assert_eq!(audit(&ledger, &horizon, &signature).unwrap().events, 4);
    let older = Audit::begin(&US, OURS, Some((&horizon, &signature)), Some((1, Hash::NOTHING)));
    assert!(older.unwrap().finish().is_ok(), "nobody can compare what is older than the horizon");
    let theirs = OrganizationId(Uuid::from_u128(8));
    let foreign = Audit::begin(&US, theirs, Some((&horizon, &signature)), None).unwrap_err();
    assert_eq!(foreign, Fault::HorizonAltered { sequence: 2 });
    let (block, hash, signed) = &Ledger::of(&[2], &US).blocks[0];
    let foreign = Audit::begin(&US, theirs, None, None).unwrap().block(block, (hash, signed), &HashMap::new());
    assert_eq!(foreign, Err(Fault::BlockAltered { block: 1, sequence: 1 }));
    let further = Horizon(ledger.blocks[0].0.checkpoint());
    assert_eq!(audit(&ledger, &further, &signature), Err(Fault::HorizonAltered { sequence: 5 }));
    // Somebody with a key of their own answers for the events that they took, and leaves the blocks after them.
    let theirs = Keys { current: 66, known: &[] }.sign(&horizon.statement());
    assert_eq!(audit(&ledger, &horizon, &theirs), Err(Fault::HorizonAltered { sequence: 2 }));
    // The signature under a checkpoint does not make a horizon of it.
    let checkpoint = ledger.blocks[0].2.clone();
    assert_eq!(audit(&ledger, &further, &checkpoint), Err(Fault::HorizonAltered { sequence: 5 }));
    ledger.blocks.remove(0);
    assert_eq!(audit(&ledger, &horizon, &signature), Err(Fault::BlockMissing { block: 2, sequence: 3 }));
}
