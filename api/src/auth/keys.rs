//! From a credential to a session, with a small memory so that a busy caller does not cost a statement per request.
//! A revoked or changed key therefore counts for at most [`REMEMBERED_FOR`] more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use domain::{
    access::Principal,
    clock::{Clock, Timestamp},
};
use entities::{Database, Scope, StoreError, find};

use super::Credential;

/// How long a verified key is believed without another look: the longest a revocation takes to hold.
const REMEMBERED_FOR: TimeDelta = TimeDelta::seconds(2);

/// How many verified keys are remembered at once.
const REMEMBERED: usize = 10_000;

/// An authenticated caller, for the time of one operation or one delivery.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) principal: Arc<Principal>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) credential: Credential,
}

/// The keys that count.
pub(crate) struct Keys {
    database: Database,
    clock: Arc<dyn Clock>,
    verified: Mutex<HashMap<Credential, Verified>>,
}

struct Verified {
    session: Session,
    at: Timestamp,
}

impl Verified {
    /// Tests may set the clock back: what was verified in the future is not believed either.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.at <= now && now - self.at < REMEMBERED_FOR
    }
}

impl Keys {
    pub(crate) fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, verified: Mutex::default() }
    }

    /// Whose credential it is; `None` if it is nobody's, revoked or expired.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn verify(&self, credential: &Credential) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        if let Some(session) = self.remembered(credential, now) {
            return Ok(session.principal.is_valid(now).then_some(session));
        }
        let Some(row) = find::keys::by_hash(&self.database, credential.hash(), now).await? else { return Ok(None) };
        let principal = row.principal()?;
        let session = Session {
            scope: Arc::new(Scope::of(&principal)),
            principal: Arc::new(principal),
            credential: credential.clone(),
        };
        self.remember(session.clone(), now);
        Ok(Some(session))
    }

    fn remembered(&self, credential: &Credential, now: Timestamp) -> Option<Session> {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(credential).filter(|entry| entry.is_fresh(now)).map(|entry| entry.session.clone())
    }

    fn remember(&self, session: Session, now: Timestamp) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= REMEMBERED {
            verified.retain(|_, entry| entry.is_fresh(now));
        }
        if verified.len() < REMEMBERED {
            verified.insert(session.credential.clone(), Verified { session, at: now });
        }
    }
}
