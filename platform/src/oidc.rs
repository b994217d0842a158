//! Bearer tokens of identity providers (OpenID Connect): who signed one, for whom, and until when it counts. `token` reads
//! and proves one, `keys` are the provider's, `provider` fetches and keeps them, `sign_in` is a browser's way to a provider and
//! back. Who that is of ours, the api says.

mod keys;
mod provider;
mod sign_in;
#[cfg(test)]
mod tests;
mod token;

use std::{future::Future, pin::Pin, sync::Arc};

use chrono::TimeDelta;
use domain::{
    clock::{Clock, Timestamp},
    ids::OrganizationId,
    secret::Secret,
};
use serde::Deserialize;

pub use self::sign_in::{Attempt, NotSignedIn};
use self::{provider::Keeper, token::Unproven};

/// The longest token that is looked at, in bytes.
pub const LONGEST_TOKEN: usize = 16 * 1024;

/// An identity provider whose tokens count, as the settings name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Its address, exactly as its tokens say it in `iss`.
    pub url: String,
    /// For whom its tokens must be made out: one of `aud`.
    pub audience: String,
    /// Whose people it knows; the only organization of the installation without.
    #[serde(default, deserialize_with = "organization")]
    pub organization: Option<OrganizationId>,
    /// Whether somebody whom it has not sent before is the member with their verified e-mail address.
    #[serde(default)]
    pub link_by_email: bool,
    /// What it knows us as. Without, nobody signs in through it with a browser.
    #[serde(default)]
    pub client_id: Option<String>,
    /// What proves to it that it is us; some providers need none.
    #[serde(default, deserialize_with = "client_secret")]
    pub client_secret: Option<Secret>,
    /// How long a browser stays signed in; as long as the provider's token without.
    #[serde(default)]
    pub session_minutes: Option<u32>,
}

/// The longest that a browser stays signed in, in minutes.
const LONGEST_SESSION_MINUTES: u32 = 12 * 60;

/// What is wrong with these issuers as settings, in a sentence that says what to do.
pub(crate) fn check(issuers: &[Issuer]) -> Result<(), &'static str> {
    for issuer in issuers {
        let is_address = issuer.url.starts_with("https://") || issuer.url.starts_with("http://");
        if !is_address || issuer.url.contains(['?', '#', '@']) || issuer.audience.is_empty() {
            return Err(
                "GATEHOUSE_ISSUERS: each `url` must begin with https:// and have no user, query or fragment, and \
                 each `audience` must name something.",
            );
        }
        if issuer.client_id.as_deref().map_or(issuer.client_secret.is_some(), str::is_empty) {
            return Err("GATEHOUSE_ISSUERS: each `client_id` must name something, and `client_secret` needs one.");
        }
        if issuer.session_minutes.is_some_and(|minutes| minutes == 0 || minutes > LONGEST_SESSION_MINUTES) {
            return Err("GATEHOUSE_ISSUERS: `session_minutes` must be from 1 to 720.");
        }
        let is_like_it = |other: &&Issuer| other.url == issuer.url && other.client_id.is_some();
        if issuers.iter().filter(is_like_it).count() > 1 {
            return Err("GATEHOUSE_ISSUERS: only one of each `url` may have a `client_id`.");
        }
    }
    Ok(())
}

fn client_secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    // serde's own message would quote it.
    let text = String::deserialize(deserializer).map_err(|_| serde::de::Error::custom("`client_secret` is no text"))?;
    Ok(Some(Secret::new(text)))
}

fn organization<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<OrganizationId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// An answer that is to come.
pub type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Fetches the public documents of identity providers, and exchanges codes there. This room makes no requests of its own.
pub trait Documents: Send + Sync {
    /// The JSON document at this address.
    ///
    /// # Errors
    /// Why it could not be had, without secrets.
    fn get(&self, url: String) -> Answer<Result<Vec<u8>, String>>;

    /// What is answered when this form is sent to this address: the status and a JSON document.
    ///
    /// # Errors
    /// Why there is no answer, without secrets.
    fn post(&self, url: String, form: Form) -> Answer<Result<(u16, Vec<u8>), String>>;
}

/// A form that is sent to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Its fields (`application/x-www-form-urlencoded`).
    pub body: Secret,
    /// The header `Authorization`, if one is sent.
    pub authorization: Option<Secret>,
}

/// What a token proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Who says so.
    pub issuer: Issuer,
    /// The provider's name for somebody, which it gives to nobody else.
    pub subject: String,
    /// Their e-mail address, if the provider has verified it.
    pub email: Option<String>,
    /// From when on the token does not count.
    pub expires_at: Timestamp,
}

impl Proven {
    /// Until when a browser stays signed in whose user proved this now.
    #[must_use]
    pub fn signed_in_until(&self, now: Timestamp) -> Timestamp {
        let minutes = |minutes: u32| now + TimeDelta::minutes(i64::from(minutes));
        self.issuer.session_minutes.map_or(self.expires_at, minutes).min(minutes(LONGEST_SESSION_MINUTES))
    }
}

/// Why a token proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProven {
    /// It is nobody's, or not for us, or its signature is wrong.
    Wrong,
    /// It was a good one.
    Expired,
    /// The provider could not be asked for its keys. Try again.
    Unreachable,
}

/// The identity providers whose tokens count.
pub struct Issuers {
    keepers: Vec<Arc<Keeper>>,
    clock: Arc<dyn Clock>,
}

impl Issuers {
    /// These providers.
    #[must_use]
    pub fn new(issuers: Vec<Issuer>, documents: &Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        let keep = |issuer| Arc::new(Keeper::new(issuer, Arc::clone(documents), Arc::clone(&clock)));
        Self { keepers: issuers.into_iter().map(keep).collect(), clock }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Issuer> {
        self.keepers.iter().map(|keeper| &keeper.issuer)
    }

    /// Proves a token by the keys of the provider that it names.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub async fn prove(&self, token: &str) -> Result<Proven, NotProven> {
        let read = token::read(token).ok_or(NotProven::Wrong)?;
        // The claims are anybody's words until the signature holds: they choose whose keys are tried, and nothing else.
        // One provider may be set for several audiences.
        let mut outcome = Err(NotProven::Wrong);
        for keeper in self.keepers.iter().filter(|keeper| keeper.issuer.url == read.claims.iss) {
            if read.claims.aud.names(&keeper.issuer.audience) {
                outcome = self.prove_by(keeper, &read).await;
            }
            if outcome != Err(NotProven::Wrong) {
                break;
            }
        }
        outcome
    }

    /// Proves a token whose issuer and audience are right.
    async fn prove_by(&self, keeper: &Arc<Keeper>, read: &token::Read<'_>) -> Result<Proven, NotProven> {
        let told = keeper.told(read.header.kid.as_deref()).await?;
        let now = self.clock.now();
        match token::prove(read, &told.keys, now) {
            Ok(expires_at) => Ok(Proven {
                issuer: keeper.issuer.clone(),
                subject: read.claims.sub.clone(),
                email: read.claims.email.clone().filter(|_| read.claims.has_verified_email()),
                expires_at,
            }),
            Err(Unproven::Expired) => Err(NotProven::Expired),
            Err(fault) => {
                tracing::debug!(issuer = keeper.issuer.url, ?fault, "a token proves nothing");
                Err(NotProven::Wrong)
            }
        }
    }
}
