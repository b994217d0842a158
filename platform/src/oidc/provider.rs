//! The keys and endpoints of one provider: discovered, fetched, kept and fetched again. A token with an unknown key makes us look
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
    pub(super) documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
    /// Held while looking, so that a crowd looks once.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    told: Option<(Arc<Told>, Timestamp)>,
    looked_at: Option<Timestamp>,
}

/// What a provider tells of itself.
pub(super) struct Told {
    pub(super) keys: Vec<Key>,
    /// Absent where nobody can sign in with a browser.
    pub(super) endpoints: Option<Endpoints>,
}

/// Where a browser is sent, and where its code is exchanged.
pub(super) struct Endpoints {
    pub(super) authorization: String,
    pub(super) token: String,
    /// Whether it takes our secret in the form only, not in a header.
    pub(super) secret_in_form: bool,
}

/// What we read of a provider's description (OpenID Connect Discovery 1.0, 3).
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Description {
    /// The endpoints, if both are as safe as the provider's own address.
    fn endpoints(self, is_safe: impl Fn(&str) -> bool) -> Option<Endpoints> {
        let (authorization, token) = (self.authorization_endpoint?, self.token_endpoint?);
        let supported = self.token_endpoint_auth_methods_supported.unwrap_or_default();
        let supports = |method: &str| supported.iter().any(|supported| supported == method);
        // A browser is sent there in a header.
        let is_plain = !authorization.contains('#') && authorization.bytes().all(|letter| letter.is_ascii_graphic());
        let is_usable = is_safe(&authorization) && is_safe(&token) && is_plain;
        is_usable.then(|| Endpoints {
            authorization,
            token,
            // The header is what counts where nothing is said.
            secret_in_form: supports("client_secret_post") && !supports("client_secret_basic"),
        })
    }
}

impl Keeper {
    pub(super) fn new(issuer: Issuer, documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, documents, clock, kept: Mutex::default(), looking: tokio::sync::Mutex::default() }
    }

    /// What the provider tells of itself. What is old is looked at again beside the call; the call waits when there is
    /// nothing, or no key that is wanted.
    ///
    /// # Errors
    /// There is nothing, and there is no way to have it now.
    pub(super) async fn told(self: &Arc<Self>, wanted: Option<&str>) -> Result<Arc<Told>, NotProven> {
        let known = self.known();
        let names = |keys: &[Key]| wanted.is_none_or(|id| keys.iter().any(|key| key.is(id)));
        if let Some((told, at)) = &known
            && names(&told.keys)
        {
            if is_past(*at, KEPT_FOR, self.clock.now()) {
                self.look();
            }
            return Ok(Arc::clone(told));
        }
        // The look goes on when the caller leaves: it is everybody's.
        if self.look().await.is_err() {
            tracing::error!("a look at an identity provider's keys panicked");
        }
        self.known().map(|(told, _)| told).ok_or(NotProven::Unreachable)
    }

    /// What may still be believed, and since when.
    fn known(&self) -> Option<(Arc<Told>, Timestamp)> {
        let now = self.clock.now();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.told.clone().filter(|(_, at)| !is_past(*at, KEPT_AT_MOST, now))
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
                Ok(told) => {
                    let now = keeper.clock.now();
                    keeper.kept.lock().unwrap_or_else(PoisonError::into_inner).told = Some((Arc::new(told), now));
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

    async fn fetch(&self) -> Result<Told, String> {
        let base = self.issuer.url.trim_end_matches('/');
        let description = self.documents.get(format!("{base}/.well-known/openid-configuration")).await?;
        let description: Description =
            serde_json::from_slice(&description).map_err(|_| "its description cannot be read".to_owned())?;
        if description.issuer != self.issuer.url {
            return Err("its description is another provider's".to_owned());
        }
        // What was asked for over TLS does not send us, or a browser, to where there is none.
        let is_safe = |address: &str| address.starts_with("https://") || base.starts_with("http://");
        if !is_safe(&description.jwks_uri) {
            return Err("its keys are not at an https address".to_owned());
        }
        let set = self.documents.get(description.jwks_uri.clone()).await?;
        let keys = keys::read(&set).filter(|keys| !keys.is_empty());
        let keys = keys.ok_or_else(|| "it has no keys that we can use".to_owned())?;
        Ok(Told { keys, endpoints: description.endpoints(is_safe) })
    }
}

/// Whether so much time has passed. Tests may set the clock back: what is of the future is past too.
fn is_past(since: Timestamp, limit: TimeDelta, now: Timestamp) -> bool {
    since > now || now - since >= limit
}
