//! From a credential to a session, with a small memory so that a busy caller does not cost a statement per request.
//! A revoked or changed key, and a membership that was taken away, therefore counts for at most [`REMEMBERED_FOR`] more.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use domain::{
    access::Principal,
    clock::{Clock, Timestamp},
    ids::OrganizationId,
};
use entities::{Database, Scope, StoreError, find, store};
use platform::oidc::{NotProven, Proven};
use tokio::sync::Semaphore;

use super::{
    Credential,
    browsers::{SignedIn, Who},
    credential::Presented,
    people::People,
    throttle::Throttle,
};

/// How long a verified key is believed without another look: the longest a revocation takes to hold.
const REMEMBERED_FOR: TimeDelta = TimeDelta::seconds(2);

/// How many verified keys are remembered at once.
const REMEMBERED: usize = 10_000;

/// How many keys that were not right lately are looked up at once, in the order in which they came: a flood of wrong ones
/// waits in line and leaves the rest of the database to others, and a right one has its turn.
const UNPROVEN_AT_ONCE: usize = 2;

/// An authenticated caller, for the time of one operation or one delivery.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) principal: Arc<Principal>,
    pub(crate) scope: Arc<Scope>,
    pub(crate) credential: Credential,
}

/// What becomes of somebody who presents a credential.
pub(crate) enum Admission {
    /// They are somebody.
    Session(Session),
    /// They are nobody.
    Nobody,
    /// They are nobody, and too much was guessed from where they are, or at this prefix: they may guess again after this
    /// time.
    Slowed(TimeDelta),
    /// Their identity provider could not be asked for its keys.
    Unreachable,
}

/// The credentials that count.
pub(crate) struct Keys {
    database: Database,
    clock: Arc<dyn Clock>,
    people: People,
    throttle: Throttle,
    /// Who may look up a key that was not right lately.
    turns: Semaphore,
    verified: Mutex<HashMap<Credential, Verified>>,
}

/// What a look at a credential finds.
enum Found<T> {
    Somebody(T),
    /// It was somebody's: expired, revoked, or of somebody who may not sign in.
    Over,
    /// It is nobody's.
    Wrong,
    /// Nobody can say.
    Unreachable,
}

impl<T> Found<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Self::Somebody(somebody) => Found::Somebody(change(somebody)),
            Self::Over => Found::Over,
            Self::Wrong => Found::Wrong,
            Self::Unreachable => Found::Unreachable,
        }
    }
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
    pub(crate) fn new(database: Database, clock: Arc<dyn Clock>, people: People) -> Self {
        Self {
            database,
            clock,
            people,
            throttle: Throttle::new(),
            turns: Semaphore::new(UNPROVEN_AT_ONCE),
            verified: Mutex::default(),
        }
    }

    /// Lets somebody in who presents a credential at the door. Whatever is right gets in, whoever guesses beside it: keys
    /// and signatures are too long to be guessed, and pauses only send away those who are wrong.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn admit(&self, credential: &Credential, peer: Option<IpAddr>) -> Result<Admission, StoreError> {
        let now = self.clock.now();
        if let Some(session) = self.remembered(credential, now) {
            return Ok(if session.principal.is_valid(now) { Admission::Session(session) } else { Admission::Nobody });
        }
        if credential.is_sealed() {
            return Ok(self.verify(credential).await?.map_or(Admission::Nobody, Admission::Session));
        }
        // Whether a token is right is found out without the database.
        let _turn = match credential.prefix() {
            Some(_) if !self.throttle.was_right_lately(credential, now) => self.turns.acquire().await.ok(),
            _ => None,
        };
        let now = self.clock.now();
        let found = match self.remembered(credential, now) {
            // The same was looked up while this one waited.
            Some(session) if session.principal.is_valid(now) => Found::Somebody(session),
            _ => self.look_up(credential, now).await?,
        };
        Ok(match found {
            Found::Somebody(session) => {
                self.throttle.was_right(credential, now);
                Admission::Session(session)
            }
            // It was good once, so that nobody guessed it.
            Found::Over => Admission::Nobody,
            Found::Wrong => match self.throttle.pause(credential, peer, now) {
                Some(pause) => Admission::Slowed(pause),
                None => {
                    self.throttle.was_wrong(credential, peer, now);
                    Admission::Nobody
                }
            },
            Found::Unreachable => Admission::Unreachable,
        })
    }

    /// Whose credential it is that was admitted before; `None` if it is nobody's any more.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn verify(&self, credential: &Credential) -> Result<Option<Session>, StoreError> {
        let now = self.clock.now();
        if let Some(session) = self.remembered(credential, now) {
            return Ok(session.principal.is_valid(now).then_some(session));
        }
        Ok(match self.look_up(credential, now).await? {
            Found::Somebody(session) => Some(session),
            Found::Over | Found::Wrong | Found::Unreachable => None,
        })
    }

    /// Whether this is somebody who may sign in.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn may_sign_in(&self, proven: &Proven) -> Result<bool, StoreError> {
        Ok(self.people.who(proven).await?.is_some())
    }

    /// The identity providers whose subjects may be people of this organization.
    pub(crate) fn issuers_of(&self, organization: OrganizationId) -> BTreeSet<&str> {
        self.people.issuers_of(organization)
    }

    async fn look_up(&self, credential: &Credential, now: Timestamp) -> Result<Found<Session>, StoreError> {
        let found = match credential.presented() {
            Presented::Key(prefix) => self.of_key(prefix, credential.hash(), now).await?,
            Presented::Token(token) => match self.people.issuers.prove(token.expose()).await {
                Ok(proven) => self.of_person(&proven).await?,
                Err(NotProven::Expired) => Found::Over,
                Err(NotProven::Wrong) => Found::Wrong,
                Err(NotProven::Unreachable) => Found::Unreachable,
            },
            Presented::Cookie(signed_in) => self.of_cookie(signed_in, now).await?,
        };
        Ok(found.map(|principal| {
            let session = Session {
                scope: Arc::new(Scope::of(&principal)),
                principal: Arc::new(principal),
                credential: credential.clone(),
            };
            self.remember(session.clone(), now);
            session
        }))
    }

    async fn of_key(&self, prefix: &str, hash: &[u8], now: Timestamp) -> Result<Found<Principal>, StoreError> {
        let rows = find::keys::presented(&self.database, prefix, hash).await?;
        let is_it = |key: &entities::rows::api_key::Model| platform::api_key::is_same(&key.secret_hash, hash);
        let Some(row) = rows.into_iter().find(is_it) else { return Ok(Found::Wrong) };
        if !row.is_valid(now) {
            return Ok(Found::Over);
        }
        // When it was used last is good to know, but no reason to send anybody away.
        if let Err(error) = store::keys::note_use(&self.database, &row, now).await {
            tracing::warn!(%error, "the use of a key could not be noted");
        }
        Ok(Found::Somebody(row.principal()?))
    }

    async fn of_person(&self, proven: &Proven) -> Result<Found<Principal>, StoreError> {
        // The provider may know somebody whom we do not.
        Ok(self.people.who(proven).await?.map_or(Found::Over, Found::Somebody))
    }

    async fn of_cookie(&self, signed_in: &SignedIn, now: Timestamp) -> Result<Found<Principal>, StoreError> {
        let until = signed_in.until;
        if until <= now {
            return Ok(Found::Over);
        }
        let found = match &signed_in.who {
            Who::Key { prefix, hash } => self.of_key(prefix, hash, now).await?,
            Who::Person { issuer, subject } => {
                // One that is not set any more lets nobody in.
                let Some(issuer) = self.people.issuers.for_browsers().find(|known| known.url == *issuer) else {
                    return Ok(Found::Over);
                };
                let (issuer, subject) = (issuer.clone(), subject.clone());
                self.of_person(&Proven { issuer, subject, email: None, expires_at: until }).await?
            }
        };
        Ok(found.map(|principal| Principal {
            expires_at: Some(principal.expires_at.map_or(until, |ends| ends.min(until))),
            ..principal
        }))
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
