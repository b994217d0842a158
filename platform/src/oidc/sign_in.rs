//! A browser's way to a provider and back: the authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636).
//! What is remembered of it in between is the caller's.

use std::sync::Arc;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::secret::Secret;
use form_urlencoded::{Serializer, byte_serialize};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    Form, Issuer, Issuers, NotProven, Proven,
    provider::{Endpoints, Keeper},
    token,
};

/// What a browser brings back, or what its coming back is judged by. Each is a random text of at least 43 letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Comes back in the address.
    pub state: Secret,
    /// Comes back in the token.
    pub nonce: Secret,
    /// Shows at the exchange that it was we who asked.
    pub verifier: Secret,
}

/// Why nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSignedIn {
    /// Nobody signs in through this provider with a browser.
    UnknownIssuer,
    /// The provider could not be asked. Try again.
    Unreachable,
    /// It does not accept the code, or its token proves nothing.
    Refused,
}

impl From<NotProven> for NotSignedIn {
    fn from(why: NotProven) -> Self {
        match why {
            NotProven::Unreachable => Self::Unreachable,
            NotProven::Wrong | NotProven::Expired => Self::Refused,
        }
    }
}

/// The answer of a token endpoint. No `Debug`: it holds secrets.
#[derive(Deserialize)]
struct Granted {
    id_token: String,
}

impl Issuers {
    /// The providers through which people sign in with a browser.
    pub fn for_browsers(&self) -> impl Iterator<Item = &Issuer> {
        self.all().filter(|issuer| issuer.client_id.is_some())
    }

    /// Where a browser is sent that is to come back to `redirect_uri`.
    ///
    /// # Errors
    /// The provider is unknown, or cannot be asked where that is.
    pub async fn authorization_url(
        &self,
        issuer: &str,
        attempt: &Attempt,
        redirect_uri: &str,
    ) -> Result<String, NotSignedIn> {
        let (keeper, client) = self.keeper(issuer)?;
        let told = keeper.told(None).await?;
        let endpoint = &told.endpoints.as_ref().ok_or(NotSignedIn::Unreachable)?.authorization;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(attempt.verifier.expose()));
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", client)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", if keeper.issuer.link_by_email { "openid email" } else { "openid" })
            .append_pair("state", attempt.state.expose())
            .append_pair("nonce", attempt.nonce.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{joint}{query}"))
    }

    /// Exchanges the code that a browser came back with for a proof of who it is.
    ///
    /// # Errors
    /// The provider refuses the code or cannot be asked, or its token is not of this attempt.
    pub async fn exchange(
        &self,
        issuer: &str,
        attempt: &Attempt,
        redirect_uri: &str,
        code: &Secret,
    ) -> Result<Proven, NotSignedIn> {
        let (keeper, client) = self.keeper(issuer)?;
        let told = keeper.told(None).await?;
        let endpoints = told.endpoints.as_ref().ok_or(NotSignedIn::Unreachable)?;
        let form = form(
            keeper,
            client,
            endpoints,
            [
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", redirect_uri),
                ("code_verifier", attempt.verifier.expose()),
            ],
        );
        let (status, body) = keeper.documents.post(endpoints.token.clone(), form).await.map_err(|cause| {
            tracing::warn!(issuer, cause, "an identity provider cannot be asked for a token");
            NotSignedIn::Unreachable
        })?;
        if status != 200 {
            tracing::warn!(issuer, status, "an identity provider gives no token for a code");
            return Err(if status >= 500 || status == 429 { NotSignedIn::Unreachable } else { NotSignedIn::Refused });
        }
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| NotSignedIn::Refused)?;
        let id_token = Secret::new(granted.id_token);
        let read = token::read(id_token.expose()).ok_or(NotSignedIn::Refused)?;
        if read.claims.iss != keeper.issuer.url || !read.claims.answers(client, attempt.nonce.expose()) {
            tracing::warn!(issuer, "the token of an identity provider is not of the sign-in that it was asked for");
            return Err(NotSignedIn::Refused);
        }
        Ok(self.prove_by(keeper, &read).await?)
    }

    /// The provider of this address, and what it knows us as.
    fn keeper(&self, issuer: &str) -> Result<(&Arc<Keeper>, &str), NotSignedIn> {
        let mut named = self.keepers.iter().filter(|keeper| keeper.issuer.url == issuer);
        let found = named.find_map(|keeper| Some((keeper, keeper.issuer.client_id.as_deref()?)));
        found.ok_or(NotSignedIn::UnknownIssuer)
    }
}

/// The form for the token endpoint, with what proves that it is us (RFC 6749, 2.3.1).
fn form(keeper: &Keeper, client: &str, endpoints: &Endpoints, fields: [(&str, &str); 4]) -> Form {
    let mut body = Serializer::new(String::new());
    body.extend_pairs(fields);
    let mut authorization = None;
    match &keeper.issuer.client_secret {
        Some(secret) if !endpoints.secret_in_form => {
            let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = Secret::new(format!("{}:{}", encoded(client), encoded(secret.expose())));
            authorization = Some(Secret::new(format!("Basic {}", STANDARD.encode(pair.expose()))));
        }
        Some(secret) => {
            body.append_pair("client_id", client).append_pair("client_secret", secret.expose());
        }
        None => {
            body.append_pair("client_id", client);
        }
    }
    Form { body: Secret::new(body.finish()), authorization }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::clock::Clock;
    use serde_json::{Value, json};

    use super::{
        super::tests::{ISSUER, Provider, Signer, claims, issuer, issuers_of, with},
        *,
    };
    use crate::clock::ManualClock;

    const BACK: &str = "https://doors.example/sign-in/callback";

    fn attempt() -> Attempt {
        let secret = |text: &str| Secret::new(text.repeat(43));
        Attempt { state: secret("s"), nonce: secret("n"), verifier: secret("v") }
    }

    fn client(secret: Option<&str>) -> Issuer {
        Issuer { client_id: Some("a desk".to_owned()), client_secret: secret.map(Secret::new), ..issuer() }
    }

    /// The claims of a good answer to [`attempt`].
    fn answer(clock: &ManualClock) -> Value {
        with(with(claims(clock), "aud", json!("a desk")), "nonce", json!("n".repeat(43)))
    }

    #[tokio::test]
    async fn a_browser_is_sent_with_what_its_return_is_judged_by() {
        let (provider, clock, signer) = (Arc::new(Provider::default()), ManualClock::default(), Signer::new("1"));
        provider.publish(&[signer.key()]);
        let issuers = issuers_of(client(None), &provider, &clock);
        assert_eq!(issuers.for_browsers().count(), 1);
        let address = issuers.authorization_url(ISSUER, &attempt(), BACK).await.unwrap();
        let (endpoint, query) = address.split_once('?').unwrap();
        assert_eq!(endpoint, format!("{ISSUER}/authorize"));
        let fields: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // RFC 7636, 4.2: the challenge is the digest of the verifier.
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest("v".repeat(43)));
        let expected = [
            ("response_type", "code"),
            ("client_id", "a desk"),
            ("redirect_uri", BACK),
            ("scope", "openid"),
            ("state", &"s".repeat(43)),
            ("nonce", &"n".repeat(43)),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(!address.contains(&"v".repeat(43)));
        let silent = issuers_of(issuer(), &provider, &clock);
        assert_eq!(silent.for_browsers().count(), 0);
        let refused = silent.authorization_url(ISSUER, &attempt(), BACK).await;
        assert_eq!(refused, Err(NotSignedIn::UnknownIssuer));
        assert_eq!(
            issuers.authorization_url("https://id.evil", &attempt(), BACK).await,
            Err(NotSignedIn::UnknownIssuer)
        );
    }

    #[tokio::test]
    async fn only_the_answer_to_this_attempt_signs_in() {
        let (provider, clock, signer) = (Arc::new(Provider::default()), ManualClock::default(), Signer::new("1"));
        provider.publish(&[signer.key()]);
        let issuers = issuers_of(client(None), &provider, &clock);
        let good = answer(&clock);
        let attempt = attempt();
        let exchanged = async |status: u16, claims: &Value| {
            *provider.grant.lock().unwrap() = Some((status, json!({ "id_token": signer.token(claims) })));
            issuers.exchange(ISSUER, &attempt, BACK, &Secret::new("c")).await
        };
        let proven = exchanged(200, &good).await.unwrap();
        assert_eq!((proven.subject.as_str(), proven.email.as_deref()), ("zoe", Some("zoe@example.com")));
        let several = with(good.clone(), "aud", json!(["a desk", "other"]));
        assert!(exchanged(200, &with(several.clone(), "azp", json!("a desk"))).await.is_ok());
        for (what, claims) in [
            ("the nonce of another attempt", with(good.clone(), "nonce", json!("m".repeat(43)))),
            ("no nonce", with(good.clone(), "nonce", Value::Null)),
            ("a token for programs", with(good.clone(), "aud", json!("gatehouse"))),
            ("for several, by nobody", several.clone()),
            ("for several, by another", with(several, "azp", json!("other"))),
            ("by another", with(good.clone(), "azp", json!("other"))),
            ("another provider", with(good.clone(), "iss", json!("https://id.evil"))),
            ("over", with(good.clone(), "exp", json!(1))),
        ] {
            assert_eq!(exchanged(200, &claims).await, Err(NotSignedIn::Refused), "{what}");
        }
        let forged = Signer::new("1").token(&good);
        *provider.grant.lock().unwrap() = Some((200, json!({ "id_token": forged })));
        let forged = issuers.exchange(ISSUER, &attempt, BACK, &Secret::new("c")).await;
        assert_eq!(forged, Err(NotSignedIn::Refused));
        assert_eq!(exchanged(400, &good).await, Err(NotSignedIn::Refused));
        assert_eq!(exchanged(503, &good).await, Err(NotSignedIn::Unreachable));
        *provider.grant.lock().unwrap() = None;
        let silent = issuers.exchange(ISSUER, &attempt, BACK, &Secret::new("c")).await;
        assert_eq!(silent, Err(NotSignedIn::Unreachable));
        // What signs a browser in is no bearer token of an API client.
        assert_eq!(issuers.prove(&signer.token(&good)).await, Err(NotProven::Wrong));
    }

    #[tokio::test]
    async fn the_code_goes_with_its_verifier_and_what_proves_that_it_is_us() {
        let (provider, clock, signer) = (Arc::new(Provider::default()), ManualClock::default(), Signer::new("1"));
        provider.publish(&[signer.key()]);
        let sent = async |issuer: Issuer| {
            let issuers = issuers_of(issuer, &provider, &clock);
            let _ = issuers.exchange(ISSUER, &attempt(), BACK, &Secret::new("c&d")).await;
            provider.forms.lock().unwrap().pop().unwrap()
        };
        let fields = format!(
            "grant_type=authorization_code&code=c%26d&redirect_uri=https%3A%2F%2Fdoors.example%2Fsign-in%2Fcallback&\
             code_verifier={}",
            "v".repeat(43)
        );
        let (address, form) = sent(client(None)).await;
        assert_eq!(address, format!("{ISSUER}/token"));
        assert_eq!((form.body.expose(), form.authorization), (format!("{fields}&client_id=a+desk").as_str(), None));
        let (_, form) = sent(client(Some("p:w"))).await;
        assert_eq!(form.body.expose(), fields);
        assert_eq!(form.authorization, Some(Secret::new(format!("Basic {}", STANDARD.encode("a+desk:p%3Aw")))));
        let address = format!("{ISSUER}/.well-known/openid-configuration");
        provider.documents.lock().unwrap().get_mut(&address).unwrap()["token_endpoint_auth_methods_supported"] =
            json!(["client_secret_post"]);
        let (_, form) = sent(client(Some("p:w"))).await;
        let body = format!("{fields}&client_id=a+desk&client_secret=p%3Aw");
        assert_eq!((form.body.expose(), form.authorization), (body.as_str(), None));
        // Nobody is sent, and nothing is told, to where there is no TLS.
        provider.documents.lock().unwrap().get_mut(&address).unwrap()["token_endpoint"] =
            json!("http://id.example/token");
        let issuers = issuers_of(client(Some("p:w")), &provider, &clock);
        let refused = issuers.exchange(ISSUER, &attempt(), BACK, &Secret::new("c")).await;
        assert_eq!(refused, Err(NotSignedIn::Unreachable));
        let refused = issuers.authorization_url(ISSUER, &attempt(), BACK).await;
        assert_eq!(refused, Err(NotSignedIn::Unreachable));
        assert!(provider.forms.lock().unwrap().is_empty());
    }

    #[test]
    fn a_session_ends_with_its_token_or_as_set_and_within_half_a_day() {
        let now = Clock::now(&ManualClock::default());
        let until = |session_minutes, token: TimeDelta| {
            let issuer = Issuer { session_minutes, ..issuer() };
            let proven = Proven { issuer, subject: "zoe".to_owned(), email: None, expires_at: now + token };
            proven.signed_in_until(now) - now
        };
        assert_eq!(until(None, TimeDelta::minutes(5)), TimeDelta::minutes(5));
        assert_eq!(until(None, TimeDelta::days(5)), TimeDelta::hours(12));
        assert_eq!(until(Some(60), TimeDelta::minutes(5)), TimeDelta::minutes(60));
        assert_eq!(until(Some(60), TimeDelta::hours(5)), TimeDelta::minutes(60));
    }
}
