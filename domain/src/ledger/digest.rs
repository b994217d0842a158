//! The digest of an event. Its details go into it as a salted commitment only: once salt and details are wiped nobody can
//! find them out, and the digest stays what it was.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::clock::Timestamp;

/// Bytes of a salt.
pub const SALT: usize = 16;

/// What makes the commitment to short details unguessable. Zeros: they were erased.
pub type Salt = [u8; SALT];

/// Bytes of a mark under something.
pub const MARK: usize = 32;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first block names as the one before.
    pub const NOTHING: Self = Self([0; 32]);

    /// The hash in these bytes; `None` if there are not 32.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub struct NoHash;

impl FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoHash);
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            let pair = text.get(at..at + 2).ok_or(NoHash)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NoHash)?;
        }
        Ok(Self(bytes))
    }
}

/// The details of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Details {
    /// As they are: one text per meaning (JSON with sorted keys).
    Plain(String),
    /// Erased; what is left is what was committed to.
    Erased(Hash),
}

/// All that a row says of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `events`, described there")]
pub struct Facts {
    pub id: Uuid,
    pub organization: Uuid,
    pub site: Option<Uuid>,
    pub device: Option<Uuid>,
    pub door: Option<Uuid>,
    pub command: Option<Uuid>,
    pub account: Option<Uuid>,
    pub external_id: Option<String>,
    pub vendor_code: Option<String>,
    pub event_type: String,
    pub occurred_at: Timestamp,
    pub recorded_at: Timestamp,
    pub actor: Option<String>,
    pub details: Details,
    /// The block that it says it is in; not part of its digest.
    pub block: Option<i64>,
}

/// What stands for details with this salt.
#[must_use]
pub fn commitment(details: &str, salt: &Salt) -> Hash {
    Digester::new("gatehouse details 1").part(salt).part(details.as_bytes()).hash()
}

impl Facts {
    /// Its digest. Erased details need no salt.
    #[must_use]
    pub fn digest(&self, salt: &Salt) -> Hash {
        let details = match &self.details {
            Details::Plain(text) => commitment(text, salt),
            Details::Erased(hash) => *hash,
        };
        self.but_details("gatehouse event 1").part(details.bytes()).hash()
    }

    /// What this house marks when it writes an event: all that it says but its details, and its details. Each by itself, so
    /// that details can be erased before they are chained.
    #[must_use]
    pub fn marked(&self) -> [Hash; 2] {
        let details = Digester::new("gatehouse marked details 1").part(self.id.as_bytes());
        let details = match &self.details {
            Details::Plain(text) => details.part(text.as_bytes()),
            Details::Erased(hash) => details.part(hash.bytes()),
        };
        [self.but_details("gatehouse marked event 1").hash(), details.hash()]
    }

    fn but_details(&self, purpose: &str) -> Digester {
        let mut digester = Digester::new(purpose).part(self.id.as_bytes()).part(self.organization.as_bytes());
        for place in [self.site, self.device, self.door, self.command, self.account] {
            digester = digester.maybe(place.as_ref().map(|id| id.as_bytes().as_slice()));
        }
        digester
            .maybe(self.external_id.as_deref().map(str::as_bytes))
            .maybe(self.vendor_code.as_deref().map(str::as_bytes))
            .part(self.event_type.as_bytes())
            .instant(self.occurred_at)
            .instant(self.recorded_at)
            .maybe(self.actor.as_deref().map(str::as_bytes))
    }
}

/// Digests parts so that no two lists of parts are the same bytes: each is preceded by its length.
pub(super) struct Digester(Sha256);

impl Digester {
    /// For one purpose only.
    pub(super) fn new(purpose: &str) -> Self {
        Self(Sha256::new()).part(purpose.as_bytes())
    }

    pub(super) fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    fn maybe(self, bytes: Option<&[u8]>) -> Self {
        match bytes {
            Some(bytes) => self.part(&[1]).part(bytes),
            None => self.part(&[0]),
        }
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.part(&number.to_be_bytes())
    }

    pub(super) fn instant(self, at: Timestamp) -> Self {
        self.number(at.timestamp()).part(&at.timestamp_subsec_nanos().to_be_bytes())
    }

    pub(super) fn hash(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}
