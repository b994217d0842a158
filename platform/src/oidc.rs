//! Bearer tokens of identity providers (OpenID Connect): who signed one, for whom, and until when it counts. `token` reads
//! and proves one, `keys` are the provider's, `provider` fetches and keeps them. Who that is of ours, the api says.

mod keys;
mod provider;
#[cfg(test)]
mod tests;
mod token;

use std::{future::Future, pin::Pin, sync::Arc};

use domain::{
    clock::{Clock, Timestamp},
    ids::OrganizationId,
};
use serde::Deserialize;

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
}

fn organization<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<OrganizationId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

/// An answer that is to come.
pub type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Fetches the public documents of identity providers. This room makes no requests of its own.
pub trait Documents: Send + Sync {
    /// The JSON document at this address.
    ///
    /// # Errors
    /// Why it could not be had, without secrets.
    fn get(&self, url: String) -> Answer<Result<Vec<u8>, String>>;
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
            outcome = self.prove_by(keeper, &read).await;
            if outcome != Err(NotProven::Wrong) {
                break;
            }
        }
        outcome
    }

    async fn prove_by(&self, keeper: &Arc<Keeper>, read: &token::Read<'_>) -> Result<Proven, NotProven> {
        if !read.claims.aud.names(&keeper.issuer.audience) {
            return Err(NotProven::Wrong);
        }
        let keys = keeper.keys(read.header.kid.as_deref()).await?;
        let now = self.clock.now();
        match token::prove(read, &keys, now) {
            Ok(expires_at) => Ok(Proven {
                issuer: keeper.issuer.clone(),
                subject: read.claims.sub.clone(),
                email: read.claims.email.clone().filter(|_| read.claims.has_verified_email()),
                expires_at,
            }),
            Err(Unproven::Expired) => Err(NotProven::Expired),
            Err(fault) => {
                tracing::debug!(issuer = keeper.issuer.url, ?fault, "a bearer token proves nothing");
                Err(NotProven::Wrong)
            }
        }
    }
}
