//! An identity provider to sign in with: its description, its keys, and tokens of whatever claims a test wants.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Json, Router, extract::State, routing::get};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
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
}

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
        let shown = Arc::new(Mutex::new(Shown { url, keys: vec![signer.public()] }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys))
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
    Json(json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }))
}

async fn keys(State(shown): State<Arc<Mutex<Shown>>>) -> Json<Value> {
    Json(json!({ "keys": shown.lock().unwrap_or_else(PoisonError::into_inner).keys }))
}
