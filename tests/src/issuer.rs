//! An identity provider to sign in with: its description, its keys, and tokens of whatever claims a test wants; for browsers,
//! codes that it exchanges once for whoever has the verifier.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use reqwest::Url;
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// A running provider. It ends when the value is dropped.
pub struct Issuer {
    address: SocketAddr,
    shown: Arc<Mutex<Shown>>,
    signer: Signer,
    task: JoinHandle<()>,
}

/// What the provider shows of itself.
#[derive(Default)]
struct Shown {
    url: String,
    keys: Vec<Value>,
    /// What it gives for a code.
    granted: BTreeMap<String, Granted>,
    /// How many codes it has made.
    codes: usize,
}

struct Granted {
    challenge: String,
    id_token: String,
}

/// What it knows us as, and what proves that it is us.
const CLIENT: (&str, &str) = ("gatehouse-desk", "a secret of ours");

struct Signer {
    pair: EcdsaKeyPair,
    id: String,
}

#[expect(clippy::expect_used, reason = "a test without its provider cannot go on")]
impl Signer {
    fn new(id: &str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).expect("a key");
        Self { pair, id: id.to_owned() }
    }

    fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let part = |bytes: Option<&[u8]>| URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default());
        let (x, y) = (part(point.get(1..33)), part(point.get(33..)));
        json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": x, "y": y })
    }
}

#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test without its provider cannot go on")]
impl Issuer {
    /// Starts one that signs with a key of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let signer = Signer::new("first");
        let url = format!("http://{address}");
        let shown = Arc::new(Mutex::new(Shown { url, keys: vec![signer.public()], ..Shown::default() }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
            .route("/token", post(exchange))
            .with_state(Arc::clone(&shown));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { address, shown, signer, task }
    }

    /// Its name in `iss`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The setting `issuers` that makes its tokens count for the audience `gatehouse`.
    #[must_use]
    pub fn setting(&self, link_by_email: bool) -> String {
        json!([{ "url": self.url(), "audience": "gatehouse", "link_by_email": link_by_email }]).to_string()
    }

    /// The setting `issuers` with which people also sign in with a browser.
    #[must_use]
    pub fn setting_for_browsers(&self) -> String {
        let (id, secret) = CLIENT;
        let mut issuers: Value = serde_json::from_str(&self.setting(true)).expect("a setting");
        issuers[0]["client_id"] = json!(id);
        issuers[0]["client_secret"] = json!(secret);
        issuers.to_string()
    }

    /// Where it sends a browser back to that came by this address, once somebody is signed in whose token has these claims.
    #[must_use]
    pub fn consent(&self, authorization_url: &str, claims: &Value) -> Url {
        let asked: Url = authorization_url.parse().expect("an address");
        let asked: BTreeMap<String, String> = asked.query_pairs().into_owned().collect();
        assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT.0));
        assert_eq!(asked["code_challenge_method"], "S256");
        let mut all = json!({ "aud": CLIENT.0, "nonce": asked["nonce"] });
        if let (Some(all), Some(claims)) = (all.as_object_mut(), claims.as_object()) {
            all.extend(claims.clone());
        }
        let granted = Granted { challenge: asked["code_challenge"].clone(), id_token: self.token(&all) };
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.codes += 1;
        let code = format!("code-{}", shown.codes);
        let mut back: Url = asked["redirect_uri"].parse().expect("an address");
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
        shown.granted.insert(code, granted);
        back
    }

    /// Signs with another key from now on, and shows only that one.
    pub fn rotate(&mut self, id: &str) {
        self.signer = Signer::new(id);
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).keys = vec![self.signer.public()];
    }

    /// A token of these claims; `iss` and `aud` are put in where they are absent.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        let mut all = json!({ "iss": self.url(), "aud": "gatehouse" });
        if let (Some(all), Some(claims)) = (all.as_object_mut(), claims.as_object()) {
            all.extend(claims.clone());
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.signer.id });
        let signed = format!("{}.{}", part(&header), part(&all));
        let signature = self.signer.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn description(State(shown): State<Arc<Mutex<Shown>>>) -> Json<Value> {
    let url = shown.lock().unwrap_or_else(PoisonError::into_inner).url.clone();
    Json(json!({
        "issuer": url, "jwks_uri": format!("{url}/keys"), "token_endpoint": format!("{url}/token"),
        "authorization_endpoint": format!("{url}/authorize"),
    }))
}

/// Exchanges a code once, for whoever began with it.
async fn exchange(
    State(shown): State<Arc<Mutex<Shown>>>,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, StatusCode> {
    // RFC 6749, 2.3.1: both are encoded as in a form first.
    let ours = format!("Basic {}", STANDARD.encode("gatehouse-desk:a+secret+of+ours"));
    if headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&ours) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    // Nothing but a form is needed to read one.
    let form = Url::parse(&format!("http://form/?{body}")).map_err(|_| StatusCode::BAD_REQUEST)?;
    let form: BTreeMap<String, String> = form.query_pairs().into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let granted = shown.lock().unwrap_or_else(PoisonError::into_inner).granted.remove(field("code"));
    let granted = granted.ok_or(StatusCode::BAD_REQUEST)?;
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, field("code_verifier").as_bytes()));
    let is_right = challenge == granted.challenge && field("grant_type") == "authorization_code";
    if is_right { Ok(Json(json!({ "id_token": granted.id_token }))) } else { Err(StatusCode::BAD_REQUEST) }
}

async fn keys(State(shown): State<Arc<Mutex<Shown>>>) -> Json<Value> {
    Json(json!({ "keys": shown.lock().unwrap_or_else(PoisonError::into_inner).keys }))
}
