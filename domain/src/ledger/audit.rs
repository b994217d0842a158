//! Reading the ledger again, block by block from its beginning: the first thing that is wrong is named.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    block::{Block, Checkpoint, Horizon, Notary, Signature, Standing},
    digest::{Details, Facts, Hash, SALT},
};
use crate::ids::{EventId, OrganizationId};

/// What is wrong with a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A row does not say what was chained.
    #[error("event {event} (number {sequence}) was altered")]
    EventAltered {
        /// Its place in the ledger.
        sequence: i64,
        /// Which.
        event: EventId,
    },
    /// A row is gone.
    #[error("event {event} (number {sequence}) was deleted")]
    EventMissing {
        /// Its place in the ledger.
        sequence: i64,
        /// Which.
        event: EventId,
    },
    /// The entry of a row is at another place than it was.
    #[error("event {event} (number {sequence}) was moved")]
    EventMoved {
        /// Its place in the ledger.
        sequence: i64,
        /// Which.
        event: EventId,
    },
    /// A row that this house did not write, at least not so, or that says it is in a block which does not hold it.
    #[error("event {event} was inserted, or altered out of its block, by somebody else than this house")]
    EventForeign {
        /// Which.
        event: EventId,
    },
    /// A block is gone.
    #[error("block {block}, which begins with event number {sequence}, is missing")]
    BlockMissing {
        /// Its number.
        block: i64,
        /// The place of its first event.
        sequence: i64,
    },
    /// A block is not the one that was signed, or does not follow on the one before.
    #[error("block {block}, which begins with event number {sequence}, was altered")]
    BlockAltered {
        /// Its number.
        block: i64,
        /// The place of its first event.
        sequence: i64,
    },
    /// A block is signed with a key that nobody here knows, and no block after it is with one that is known.
    #[error(
        "block {block}, which begins with event number {sequence}, is signed with a key that does not belong to \
         GATEHOUSE_SECRET_KEY"
    )]
    SignerUnknown {
        /// Its number.
        block: i64,
        /// The place of its first event.
        sequence: i64,
    },
    /// What the ledger begins after is not signed by us.
    #[error("the horizon at event number {sequence} was altered: events were deleted, and not because they were old")]
    HorizonAltered {
        /// The place of the last event that is gone.
        sequence: i64,
    },
    /// A checkpoint that somebody kept is not part of this ledger.
    #[error("the checkpoint at event number {sequence} is not part of this ledger: it was cut off or written anew")]
    CheckpointMissing {
        /// The place that it names.
        sequence: i64,
    },
}

/// What a sound ledger holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Blocks that were read.
    pub blocks: i64,
    /// Events in them.
    pub events: i64,
    /// Those whose details were erased.
    pub erased: i64,
    /// The last checkpoint, with the signature under it.
    pub checkpoint: Option<(Checkpoint, Signature)>,
}

/// A reading of one organization's ledger.
#[derive(Debug)]
pub struct Audit<'a> {
    notary: &'a dyn Notary,
    organization: OrganizationId,
    next_block: i64,
    next_sequence: i64,
    previous: Hash,
    unknown: Option<Fault>,
    kept: Option<(i64, Hash)>,
    report: Report,
}

impl<'a> Audit<'a> {
    /// Begins after the horizon, if there is one. `kept` is a checkpoint from elsewhere that has to be met.
    ///
    /// # Errors
    /// The horizon is not ours.
    pub fn begin(
        notary: &'a dyn Notary,
        organization: OrganizationId,
        horizon: Option<(&Horizon, &Signature)>,
        kept: Option<(i64, Hash)>,
    ) -> Result<Self, Fault> {
        let mut audit = Self {
            notary,
            organization,
            next_block: 1,
            next_sequence: 1,
            previous: Hash::NOTHING,
            unknown: None,
            kept,
            report: Report::default(),
        };
        if let Some((horizon, signature)) = horizon {
            let Horizon(at) = horizon;
            // No block that comes after it answers for it: a block says what it follows on, and not that what was before
            // was gone because it was old.
            if at.organization != organization || !notary.judge(&horizon.statement(), signature).is_ours() {
                return Err(Fault::HorizonAltered { sequence: at.sequence });
            }
            (audit.next_block, audit.next_sequence) = (at.block.saturating_add(1), at.sequence.saturating_add(1));
            audit.previous = at.hash;
            audit.meet(at);
            // What is older than the horizon nobody can compare any more; the horizon answers for it.
            audit.kept = audit.kept.filter(|(sequence, _)| *sequence > at.sequence);
        }
        Ok(audit)
    }

    /// Reads the next block. `rows` are those of its events that exist.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub fn block(
        &mut self,
        block: &Block,
        (hash, signature): (&Hash, &Signature),
        rows: &HashMap<Uuid, Facts>,
    ) -> Result<(), Fault> {
        let (number, sequence) = (self.next_block, self.next_sequence);
        if block.number != number {
            return Err(Fault::BlockMissing { block: number, sequence });
        }
        let altered = Fault::BlockAltered { block: number, sequence };
        if block.first != sequence || block.organization != self.organization {
            return Err(altered);
        }
        // Events first: a row says more than a block.
        let mut before = None;
        for (place, entry) in (sequence..).zip(&block.entries) {
            let event = EventId(entry.event);
            if before.replace(entry.event).is_some_and(|before| before >= entry.event) {
                return Err(Fault::EventMoved { sequence: place, event });
            }
            let Some(row) = rows.get(&entry.event) else {
                return Err(Fault::EventMissing { sequence: place, event });
            };
            let erased = matches!(row.details, Details::Erased(_));
            let wiped = entry.salt == [0; SALT];
            if row.block != Some(number) || erased != wiped || row.digest(&entry.salt) != entry.digest {
                return Err(Fault::EventAltered { sequence: place, event });
            }
            self.report.erased += i64::from(erased);
        }
        let checkpoint = block.checkpoint();
        if block.previous != self.previous || checkpoint.hash != *hash {
            return Err(altered);
        }
        match self.notary.judge(&checkpoint.statement(), signature) {
            Standing::Forged => return Err(altered),
            Standing::Unknown => {
                self.unknown.get_or_insert(Fault::SignerUnknown { block: number, sequence });
            }
            // It answers for all before it: whoever signed it had read the one before.
            Standing::Current | Standing::Known => self.unknown = None,
        }
        self.meet(&checkpoint);
        self.next_block = self.next_block.saturating_add(1);
        self.next_sequence = checkpoint.sequence.saturating_add(1);
        self.previous = checkpoint.hash;
        self.report.blocks += 1;
        self.report.events += i64::try_from(block.entries.len()).unwrap_or(i64::MAX);
        self.report.checkpoint = Some((checkpoint, signature.clone()));
        Ok(())
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// The end is signed by nobody known, or the checkpoint that was kept was not met.
    pub fn finish(self) -> Result<Report, Fault> {
        if let Some(fault) = self.unknown {
            return Err(fault);
        }
        match self.kept {
            Some((sequence, _)) => Err(Fault::CheckpointMissing { sequence }),
            None => Ok(self.report),
        }
    }

    fn meet(&mut self, checkpoint: &Checkpoint) {
        if self.kept == Some((checkpoint.sequence, checkpoint.hash)) {
            self.kept = None;
        }
    }
}
