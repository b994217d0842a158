//! Bikeep's tokens for back ends (vendors-extra 4.1): fetched with the client's id and secret, an hour each, and no
//! refresh token.

use async_trait::async_trait;
use domain::{account::Vendor, clock::Timestamp, secret::Secret};

use super::client::{Bikeep, DEFAULT_BASE_URL};
use crate::{
    credentials::BikeepCredentials,
    error::VendorError,
    http::{self, HttpFactory},
    oauth::{OauthClient, TokenAsk, TokenEndpoint, TokenForm},
    port::Renewal,
    registry::VendorCredentials,
};

/// Where tokens are fetched for [`DEFAULT_BASE_URL`]; for any other, it is this path below it.
const DEFAULT_TOKEN_URL: &str = "https://auth.bikeep.com/oauth2/token";
const TOKEN_PATH: &str = "/oauth2/token";

/// Everything that must not show in what the vendor echoes.
pub(super) fn secrets(credentials: &BikeepCredentials) -> Vec<Secret> {
    let secrets = [&credentials.token, &credentials.client_secret, &credentials.webhook_seed];
    secrets.into_iter().flatten().cloned().collect()
}

/// Where the tokens of an account are fetched, if it has a client to do it with.
pub(super) fn token_endpoint(
    base_url: &str,
    credentials: &BikeepCredentials,
    http: &HttpFactory,
) -> Result<Option<TokenEndpoint>, VendorError> {
    if client(credentials).is_none() {
        return Ok(None);
    }
    let url = match &credentials.token_url {
        Some(url) => url.trim().to_owned(),
        None if base_url.trim().trim_end_matches('/') == DEFAULT_BASE_URL => DEFAULT_TOKEN_URL.to_owned(),
        None => http::below(base_url, TOKEN_PATH)?,
    };
    TokenEndpoint::new(Vendor::Bikeep, url, TokenForm::Post, secrets(credentials), http).map(Some)
}

fn client(credentials: &BikeepCredentials) -> Option<OauthClient<'_>> {
    Some(OauthClient { id: credentials.client_id.as_deref()?, secret: credentials.client_secret.as_ref()? })
}

impl Bikeep {
    /// Fetching a new token, where there is a client to do it with.
    pub(crate) fn renewal(&self) -> Option<&dyn Renewal> {
        self.tokens.is_some().then_some(self)
    }
}

#[async_trait]
impl Renewal for Bikeep {
    fn expires_at(&self) -> Option<Timestamp> {
        // Without a token there is nothing that could last.
        if self.credentials.token.is_none() { Some(Timestamp::UNIX_EPOCH) } else { self.credentials.expires_at }
    }

    async fn renew(&self, now: Timestamp) -> Result<VendorCredentials, VendorError> {
        let (Some(endpoint), Some(client)) = (&self.tokens, client(&self.credentials)) else {
            return Err(VendorError::unsupported("This Bikeep token can not be fetched anew."));
        };
        let tokens = endpoint.tokens(client, TokenAsk::Client, now).await?;
        Ok(VendorCredentials::Bikeep(BikeepCredentials {
            token: Some(tokens.access),
            expires_at: tokens.expires_at,
            ..self.credentials.clone()
        }))
    }
}

#[cfg(test)]
mod tests;
