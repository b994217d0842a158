//! OAuth 2 (RFC 6749, RFC 7636) for the vendors that use it: the `oauth2` crate makes the requests and reads the
//! answers, our own HTTP client carries them. No vendor's words live here, and nothing is asked twice.

use std::{future::Future, pin::Pin};

use chrono::TimeDelta;
use domain::{
    account::Vendor,
    clock::{Timestamp, truncate},
    command::FailureCode,
    secret::Secret,
};
use http::{Method, Response};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponse, BasicErrorResponseType, BasicTokenResponse},
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;

use crate::{
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, Reply},
    lenient,
    registry::{Consent, Grant},
};

/// How a vendor wants to be asked for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenForm {
    /// POST with a form, as the RFC says.
    Post,
    /// GET with the same form as a query.
    Get,
}

/// The client that a vendor knows us as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OauthClient<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// Its secret.
    pub(crate) secret: &'a Secret,
}

/// What tokens are asked with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenAsk<'a> {
    /// The code of a consent.
    Code(Grant<'a>),
    /// A refresh token.
    Refresh(&'a Secret),
    /// Nothing but the client itself.
    Client,
}

/// Tokens that a vendor gave.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// The address at which a user consents to `scope`, with state and challenge (S256).
pub(crate) fn consent(
    authorization_url: String,
    client_id: &str,
    redirect_uri: &str,
    scope: &str,
    state: &Secret,
) -> Result<Consent, VendorError> {
    let address = AuthUrl::new(authorization_url).map_err(|_| unusable())?;
    let redirect = RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| unusable())?;
    let client = BasicClient::new(ClientId::new(client_id.to_owned())).set_auth_uri(address).set_redirect_uri(redirect);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, _) = client
        .authorize_url(|| CsrfToken::new(state.expose().to_owned()))
        .add_scope(Scope::new(scope.to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    Ok(Consent { authorization_url: url.into(), verifier: Secret::new(verifier.secret()) })
}

fn unusable() -> VendorError {
    VendorError::unsupported("An address of the OAuth exchange is not usable.")
}

/// Where a vendor gives tokens.
pub(crate) struct TokenEndpoint {
    vendor: Vendor,
    url: TokenUrl,
    caller: Caller,
    form: TokenForm,
}

impl TokenEndpoint {
    /// An endpoint at `url`. `secrets` are taken out of whatever it echoes.
    pub(crate) fn new(
        vendor: Vendor,
        url: String,
        form: TokenForm,
        secrets: Vec<Secret>,
        http: &HttpFactory,
    ) -> Result<Self, VendorError> {
        let caller = http.caller(vendor, &url, secrets)?;
        Ok(Self { vendor, url: TokenUrl::new(url).map_err(|_| unusable())?, caller, form })
    }

    /// Where it is.
    #[cfg(test)]
    pub(crate) fn url(&self) -> &str {
        self.url.url().as_str()
    }

    /// Asks for tokens, once. What they are asked with may be used up afterwards, also when no answer came.
    pub(crate) async fn tokens(
        &self,
        client: OauthClient<'_>,
        ask: TokenAsk<'_>,
        now: Timestamp,
    ) -> Result<Tokens, VendorError> {
        let asking = BasicClient::new(ClientId::new(client.id.to_owned()))
            .set_client_secret(ClientSecret::new(client.secret.expose().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(self.url.clone());
        let carrier = Carrier { endpoint: self, uses_up: !matches!(ask, TokenAsk::Client) };
        let answer = match ask {
            TokenAsk::Code(grant) => {
                let redirect = RedirectUrl::new(grant.redirect_uri.to_owned()).map_err(|_| unusable())?;
                asking
                    .set_redirect_uri(redirect)
                    .exchange_code(AuthorizationCode::new(grant.code.expose().to_owned()))
                    .set_pkce_verifier(PkceCodeVerifier::new(grant.verifier.expose().to_owned()))
                    .request_async(&carrier)
                    .await
            }
            TokenAsk::Refresh(token) => {
                let token = RefreshToken::new(token.expose().to_owned());
                asking.exchange_refresh_token(&token).request_async(&carrier).await
            }
            TokenAsk::Client => asking.exchange_client_credentials().request_async(&carrier).await,
        };
        answer.map(|tokens| given(&tokens, now)).map_err(|error| self.refusal(error))
    }

    fn refusal(&self, error: RequestTokenError<VendorError, BasicErrorResponse>) -> VendorError {
        match error {
            RequestTokenError::Request(error) => error,
            RequestTokenError::ServerResponse(said) => {
                let word = self.caller.clean(said.error().as_ref());
                let message = format!("{} gives no tokens: {word}.", self.vendor);
                match said.error() {
                    BasicErrorResponseType::InvalidGrant
                    | BasicErrorResponseType::InvalidClient
                    | BasicErrorResponseType::UnauthorizedClient => VendorError::auth_invalid(message),
                    _ => VendorError::rejected(FailureCode::VendorRejected, message),
                }
            }
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                VendorError::protocol(format!("{} answered with something that holds no tokens.", self.vendor))
            }
        }
    }

    async fn send(&self, request: HttpRequest, uses_up: bool) -> Result<HttpResponse, VendorError> {
        let (parts, form) = request.into_parts();
        let (method, pairs, body) = match self.form {
            TokenForm::Post => (parts.method, Vec::new(), form),
            TokenForm::Get => (Method::GET, pairs(&form)?, Vec::new()),
        };
        let query: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let unhurried = self.caller.unhurried();
        let departure = uses_up.then_some(&unhurried);
        let call = Call {
            operation: "ask for tokens",
            method,
            path: &[],
            query: &query,
            headers: parts.headers,
            body,
            departure,
            limit: ANSWER_LIMIT,
        };
        standard(&self.caller.call(call).await?)
    }
}

/// A form's pairs, to be written as a query.
fn pairs(form: &[u8]) -> Result<Vec<(String, String)>, VendorError> {
    let form = std::str::from_utf8(form).ok();
    let url = form.and_then(|form| Url::parse(&format!("http://form/?{form}")).ok()).ok_or_else(unusable)?;
    Ok(url.query_pairs().into_owned().collect())
}

/// What vendors write of the RFC's answers: types are as they come, and `token_type` may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    #[serde(deserialize_with = "lenient::text")]
    access_token: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    refresh_token: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    expires_in: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    error: Option<String>,
}

/// An answer in the RFC's own form. A refusal in the RFC's words is one whatever its status below 500; without them the
/// status means what it means anywhere.
fn standard(reply: &Reply) -> Result<HttpResponse, VendorError> {
    let written: Written = reply.json().unwrap_or_default();
    let is_throttle_or_worse = matches!(reply.status.as_u16(), 401 | 408 | 429 | 500..);
    let (status, body) = match written {
        Written { error: Some(error), .. } if !is_throttle_or_worse => (400, json!({"error": error})),
        _ if !reply.status.is_success() => return Err(reply.refusal("")),
        written => {
            let seconds = written.expires_in.and_then(|seconds| seconds.parse::<u64>().ok());
            let body = json!({
                "access_token": written.access_token,
                "refresh_token": written.refresh_token,
                "expires_in": seconds,
                "token_type": "bearer",
            });
            (200, body)
        }
    };
    Response::builder()
        .status(status)
        .body(body.to_string().into_bytes())
        .map_err(|_| VendorError::protocol("The answer with tokens can not be read."))
}

fn given(tokens: &BasicTokenResponse, now: Timestamp) -> Tokens {
    let lifetime = tokens.expires_in().and_then(|lifetime| TimeDelta::from_std(lifetime).ok());
    Tokens {
        access: Secret::new(tokens.access_token().secret()),
        refresh: tokens.refresh_token().map(|token| Secret::new(token.secret())),
        expires_at: lifetime.and_then(|lifetime| now.checked_add_signed(lifetime)).map(truncate),
    }
}

/// Carries one request of the crate's.
struct Carrier<'a> {
    endpoint: &'a TokenEndpoint,
    uses_up: bool,
}

impl<'c> AsyncHttpClient<'c> for Carrier<'_> {
    type Error = VendorError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, VendorError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.endpoint.send(request, self.uses_up))
    }
}
