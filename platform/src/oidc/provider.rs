//! The keys of one provider: discovered, fetched, kept and fetched again. A token with an unknown key makes us look
//! whether the provider has new ones, but never often: whoever makes tokens up must not make us a nuisance.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::TimeDelta;
use domain::clock::{Clock, Timestamp};
use serde::Deserialize;
use tokio::task::JoinHandle;

use super::{
    Documents, Issuer, NotProven,
    keys::{self, Key},
};

/// How long keys are believed without another look: the longest that a withdrawn one counts.
const KEPT_FOR: TimeDelta = TimeDelta::hours(1);
/// How long they are believed while the provider cannot be reached.
const KEPT_AT_MOST: TimeDelta = TimeDelta::hours(24);
/// The shortest time between two looks.
const LOOK_EVERY: TimeDelta = TimeDelta::seconds(30);

pub(super) struct Keeper {
    pub(super) issuer: Issuer,
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
    /// Held while looking, so that a crowd looks once.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    keys: Option<(Arc<[Key]>, Timestamp)>,
    looked_at: Option<Timestamp>,
}

/// What we read of a provider's description (OpenID Connect Discovery 1.0, 3).
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

impl Keeper {
    pub(super) fn new(issuer: Issuer, documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, documents, clock, kept: Mutex::default(), looking: tokio::sync::Mutex::default() }
    }

    /// The keys of the provider. Old ones are looked at again beside the call; the call waits when there are none, or none
    /// that the token names.
    ///
    /// # Errors
    /// There are none, and there is no way to have some now.
    pub(super) async fn keys(self: &Arc<Self>, wanted: Option<&str>) -> Result<Arc<[Key]>, NotProven> {
        let known = self.known();
        let names = |keys: &[Key]| wanted.is_none_or(|id| keys.iter().any(|key| key.is(id)));
        if let Some((keys, at)) = &known
            && names(keys)
        {
            if is_past(*at, KEPT_FOR, self.clock.now()) {
                self.look();
            }
            return Ok(Arc::clone(keys));
        }
        // The look goes on when the caller leaves: it is everybody's.
        if self.look().await.is_err() {
            tracing::error!("a look at an identity provider's keys panicked");
        }
        self.known().map(|(keys, _)| keys).ok_or(NotProven::Unreachable)
    }

    /// The keys that may still be believed, and since when.
    fn known(&self) -> Option<(Arc<[Key]>, Timestamp)> {
        let now = self.clock.now();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keys.clone().filter(|(_, at)| !is_past(*at, KEPT_AT_MOST, now))
    }

    /// Looks at the provider's keys, unless somebody just did.
    fn look(self: &Arc<Self>) -> JoinHandle<()> {
        let keeper = Arc::clone(self);
        tokio::spawn(async move {
            let _looking = keeper.looking.lock().await;
            if !keeper.is_due() {
                return;
            }
            match keeper.fetch().await {
                Ok(keys) => {
                    let now = keeper.clock.now();
                    keeper.kept.lock().unwrap_or_else(PoisonError::into_inner).keys = Some((keys.into(), now));
                }
                Err(cause) => {
                    tracing::warn!(issuer = keeper.issuer.url, cause, "the keys of an identity provider cannot be had");
                }
            }
        })
    }

    /// Whether it is time to look; then it is not any more.
    fn is_due(&self) -> bool {
        let now = self.clock.now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = kept.looked_at.is_none_or(|at| is_past(at, LOOK_EVERY, now));
        if is_due {
            kept.looked_at = Some(now);
        }
        is_due
    }

    async fn fetch(&self) -> Result<Vec<Key>, String> {
        let base = self.issuer.url.trim_end_matches('/');
        let description = self.documents.get(format!("{base}/.well-known/openid-configuration")).await?;
        let description: Description =
            serde_json::from_slice(&description).map_err(|_| "its description cannot be read".to_owned())?;
        if description.issuer != self.issuer.url {
            return Err("its description is another provider's".to_owned());
        }
        // What was asked for over TLS does not send us to where there is none.
        if base.starts_with("https://") && !description.jwks_uri.starts_with("https://") {
            return Err("its keys are not at an https address".to_owned());
        }
        let set = self.documents.get(description.jwks_uri).await?;
        keys::read(&set).filter(|keys| !keys.is_empty()).ok_or_else(|| "it has no keys that we can use".to_owned())
    }
}

/// Whether so much time has passed. Tests may set the clock back: what is of the future is past too.
fn is_past(since: Timestamp, limit: TimeDelta, now: Timestamp) -> bool {
    since > now || now - since >= limit
}
