//! The user's access to ParqEx: consent, exchange of its code, renewal (vendors-extra 1.2). The vendor documents token
//! requests as GET with a query.

use async_trait::async_trait;
use domain::{account::Vendor, clock::Timestamp, secret::Secret};

use super::client::Parqex;
use crate::{
    credentials::ParqexCredentials,
    error::VendorError,
    http::{self, HttpFactory},
    oauth::{self, OauthClient, TokenAsk, TokenEndpoint, TokenForm, Tokens},
    port::Renewal,
    registry::{Consent, Grant, VendorCredentials},
};

const DEFAULT_AUTHORIZATION_PATH: &str = "/oauth/v2/endpoints/authorization/";
const DEFAULT_TOKEN_PATH: &str = "/oauth/v2/endpoints/token/";
/// All there is, separated by a comma; whether reading needs one is not documented.
const SCOPE: &str = "OPENDOOR,CLOSEDOOR";

/// Begins a consent: the address for the user's browser.
pub(crate) fn consent(
    base_url: &str,
    credentials: &ParqexCredentials,
    redirect_uri: &str,
    state: &Secret,
) -> Result<Consent, VendorError> {
    let client = client(credentials)?;
    let path = credentials.authorization_path.as_deref().unwrap_or(DEFAULT_AUTHORIZATION_PATH);
    oauth::consent(http::below(base_url, path)?, client.id, redirect_uri, SCOPE, state)
}

/// Exchanges the code of a consent for tokens.
pub(crate) async fn exchange(
    base_url: &str,
    credentials: &ParqexCredentials,
    grant: Grant<'_>,
    http: &HttpFactory,
    now: Timestamp,
) -> Result<VendorCredentials, VendorError> {
    let mut secrets = secrets(credentials);
    secrets.extend([grant.code.clone(), grant.verifier.clone()]);
    let endpoint = endpoint(base_url, credentials, secrets, http)?;
    let tokens = endpoint.tokens(client(credentials)?, TokenAsk::Code(grant), now).await?;
    // A refresh token of an earlier consent does not belong to this access.
    let earlier = ParqexCredentials { refresh_token: None, ..credentials.clone() };
    Ok(with_tokens(earlier, tokens))
}

/// Everything that must not show in what the vendor echoes.
pub(super) fn secrets(credentials: &ParqexCredentials) -> Vec<Secret> {
    let secrets =
        [&credentials.access_token, &credentials.refresh_token, &credentials.client_secret, &credentials.webhook_key];
    secrets.into_iter().flatten().cloned().collect()
}

/// Where the access of an account is renewed, if it has what that takes.
pub(super) fn renewal_endpoint(
    base_url: &str,
    credentials: &ParqexCredentials,
    http: &HttpFactory,
) -> Result<Option<TokenEndpoint>, VendorError> {
    if credentials.refresh_token.is_none() || client(credentials).is_err() {
        return Ok(None);
    }
    endpoint(base_url, credentials, secrets(credentials), http).map(Some)
}

fn endpoint(
    base_url: &str,
    credentials: &ParqexCredentials,
    secrets: Vec<Secret>,
    http: &HttpFactory,
) -> Result<TokenEndpoint, VendorError> {
    let path = credentials.token_path.as_deref().unwrap_or(DEFAULT_TOKEN_PATH);
    TokenEndpoint::new(Vendor::Parqex, http::below(base_url, path)?, TokenForm::Get, secrets, http)
}

fn client(credentials: &ParqexCredentials) -> Result<OauthClient<'_>, VendorError> {
    match (&credentials.client_id, &credentials.client_secret) {
        (Some(id), Some(secret)) => Ok(OauthClient { id, secret }),
        _ => Err(VendorError::unsupported("ParqEx gives tokens only to a client with an id and a secret.")),
    }
}

/// Both tokens are new with each renewal; where the vendor names no new refresh token, the old one still counts.
fn with_tokens(credentials: ParqexCredentials, tokens: Tokens) -> VendorCredentials {
    VendorCredentials::Parqex(ParqexCredentials {
        access_token: Some(tokens.access),
        refresh_token: tokens.refresh.or(credentials.refresh_token),
        expires_at: tokens.expires_at,
        ..credentials
    })
}

impl Parqex {
    /// Renewing the access, where there is a refresh token and a client to do it with.
    pub(crate) fn renewal(&self) -> Option<&dyn Renewal> {
        self.tokens.is_some().then_some(self)
    }
}

#[async_trait]
impl Renewal for Parqex {
    fn expires_at(&self) -> Option<Timestamp> {
        // Without an access token there is nothing that could last.
        if self.credentials.access_token.is_none() { Some(Timestamp::UNIX_EPOCH) } else { self.credentials.expires_at }
    }

    async fn renew(&self, now: Timestamp) -> Result<VendorCredentials, VendorError> {
        let (Some(endpoint), Some(refresh_token)) = (&self.tokens, &self.credentials.refresh_token) else {
            return Err(VendorError::unsupported("This ParqEx access can not be renewed."));
        };
        let tokens = endpoint.tokens(client(&self.credentials)?, TokenAsk::Refresh(refresh_token), now).await?;
        Ok(with_tokens(self.credentials.clone(), tokens))
    }
}

#[cfg(test)]
mod tests;
