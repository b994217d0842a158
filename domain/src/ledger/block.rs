//! Blocks: a few hundred events that were committed when the sealer came by, and the checkpoint that is signed for them.

use chrono::SecondsFormat;
use uuid::Uuid;

use super::digest::{Digester, Facts, Hash, SALT, Salt};
use crate::{clock::Timestamp, ids::OrganizationId};

/// Bytes of an entry: an id and a digest.
const ENTRY: usize = 48;

/// One event of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub event: Uuid,
    /// What it said when it was chained.
    pub digest: Hash,
    /// The salt of its details. Not part of the hash, so that it can be wiped.
    pub salt: Salt,
}

/// Events chained together, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Whose.
    pub organization: OrganizationId,
    /// Its place in the chain, from 1.
    pub number: i64,
    /// The place of its first event in the ledger, from 1.
    pub first: i64,
    /// When it was made.
    pub sealed_at: Timestamp,
    /// The hash of the block before.
    pub previous: Hash,
    /// Its events. None in a block that only takes over for another key.
    pub entries: Vec<Entry>,
}

/// Bytes that are no list of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the entries of a block cannot be read")]
pub struct MalformedBlock;

impl Block {
    /// The place of its last event; of the one before it, if it has none.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.first.saturating_add(i64::try_from(self.entries.len()).unwrap_or(i64::MAX)).saturating_sub(1)
    }

    /// Its hash: all but the salts.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Digester::new("gatehouse block 1")
            .part(self.organization.0.as_bytes())
            .number(self.number)
            .number(self.first)
            .instant(self.sealed_at)
            .part(self.previous.bytes())
            .part(&self.encoded())
            .hash()
    }

    /// What is signed for it.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            organization: self.organization,
            block: self.number,
            sequence: self.last(),
            hash: self.hash(),
            signed_at: self.sealed_at,
        }
    }

    /// Ids and digests, one after the other.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        let each = self.entries.iter().flat_map(|entry| [entry.event.as_bytes().as_slice(), entry.digest.bytes()]);
        each.collect::<Vec<_>>().concat()
    }

    /// The salts, one after the other.
    #[must_use]
    pub fn salts(&self) -> Vec<u8> {
        self.entries.iter().flat_map(|entry| entry.salt).collect()
    }

    /// The entries in what [`Self::encoded`] and [`Self::salts`] made.
    ///
    /// # Errors
    /// The bytes are not whole entries, or have not one salt each.
    pub fn decode(encoded: &[u8], salts: &[u8]) -> Result<Vec<Entry>, MalformedBlock> {
        let (entries, rest) = encoded.as_chunks::<ENTRY>();
        let salts = salts_of(salts)?;
        if !rest.is_empty() || salts.len() != entries.len() {
            return Err(MalformedBlock);
        }
        let read = |(entry, salt): (&[u8; ENTRY], Salt)| {
            let (id, digest) = entry.split_first_chunk::<16>().ok_or(MalformedBlock)?;
            let digest = Hash::read(digest).ok_or(MalformedBlock)?;
            Ok(Entry { event: Uuid::from_bytes(*id), digest, salt })
        };
        entries.iter().zip(salts).map(read).collect()
    }
}

/// The salts in what [`Block::salts`] made.
///
/// # Errors
/// The bytes are not whole salts.
pub fn salts_of(bytes: &[u8]) -> Result<Vec<Salt>, MalformedBlock> {
    let (salts, rest) = bytes.as_chunks::<SALT>();
    if rest.is_empty() { Ok(salts.to_vec()) } else { Err(MalformedBlock) }
}

/// What is said of the ledger at a moment: enough to notice later that anything up to there was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose ledger.
    pub organization: OrganizationId,
    /// Its last block.
    pub block: i64,
    /// The place of its last event.
    pub sequence: i64,
    /// The hash of that block, and by it of all before.
    pub hash: Hash,
    /// When.
    pub signed_at: Timestamp,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn statement(&self) -> String {
        statement("checkpoint", self)
    }
}

/// What a ledger begins after: everything up to this checkpoint was forgotten because it was old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Horizon(pub Checkpoint);

impl Horizon {
    /// The text that is signed.
    #[must_use]
    pub fn statement(&self) -> String {
        statement("horizon", &self.0)
    }
}

fn statement(kind: &str, checkpoint: &Checkpoint) -> String {
    let Checkpoint { organization, block, sequence, hash, signed_at } = checkpoint;
    let at = signed_at.to_rfc3339_opts(SecondsFormat::Micros, true);
    format!("gatehouse ledger {kind} 1\n{organization}\nblock {block}\nsequence {sequence}\nhash {hash}\nat {at}\n")
}

/// An Ed25519 signature, with the key that checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The public key.
    pub public_key: Vec<u8>,
    /// The signature.
    pub bytes: Vec<u8>,
}

/// What a signature is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Ours, with the key that we sign with.
    Current,
    /// Ours, with another key of the settings: keys are being exchanged.
    Known,
    /// Right, but of a key that we do not know.
    Unknown,
    /// Wrong.
    Forged,
}

impl Standing {
    /// Whether it is of a key of the settings.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Current | Self::Known)
    }
}

/// Who signs for the ledger, and knows what this house wrote.
pub trait Notary: Send + Sync + std::fmt::Debug {
    /// Signs a statement.
    fn sign(&self, statement: &str) -> Signature;

    /// What a signature under a statement is worth.
    fn judge(&self, statement: &str, signature: &Signature) -> Standing;

    /// Whether this house marked an event that says this. The mark of erased details is gone, and not asked for: whoever
    /// asks has seen that they were erased.
    fn made(&self, event: &Facts, mark: &[u8]) -> bool;

    /// A salt that nobody can guess.
    fn salt(&self) -> Salt;
}
