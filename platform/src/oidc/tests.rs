use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use proptest::{collection, option, prelude::*};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::{
    keys,
    token::{self, Unproven},
    *,
};
use crate::clock::ManualClock;

pub(super) const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "gatehouse";

/// A provider whose keys and reachability the test decides.
#[derive(Default)]
pub(super) struct Provider {
    pub(super) documents: Mutex<BTreeMap<String, Value>>,
    asked: AtomicUsize,
    /// The forms that were sent to it.
    pub(super) forms: Mutex<Vec<(String, Form)>>,
    /// What they are answered with.
    pub(super) grant: Mutex<Option<(u16, Value)>>,
}

impl Provider {
    pub(super) fn publish(&self, keys: &[Value]) {
        let mut documents = self.documents.lock().unwrap();
        let description = json!({
            "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys"), "token_endpoint": format!("{ISSUER}/token"),
            "authorization_endpoint": format!("{ISSUER}/authorize"),
        });
        documents.insert(format!("{ISSUER}/.well-known/openid-configuration"), description);
        documents.insert(format!("{ISSUER}/keys"), json!({ "keys": keys }));
    }

    /// How often its keys were asked for.
    fn looks(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Documents for Provider {
    fn get(&self, url: String) -> Answer<Result<Vec<u8>, String>> {
        if url.ends_with("configuration") {
            self.asked.fetch_add(1, Ordering::SeqCst);
        }
        let found = self.documents.lock().unwrap().get(&url).map(|document| document.to_string().into_bytes());
        Box::pin(std::future::ready(found.ok_or_else(|| "nothing there".to_owned())))
    }

    fn post(&self, url: String, form: Form) -> Answer<Result<(u16, Vec<u8>), String>> {
        self.forms.lock().unwrap().push((url, form));
        let grant = self.grant.lock().unwrap().clone();
        let answer = grant.map(|(status, document)| (status, document.to_string().into_bytes()));
        Box::pin(std::future::ready(answer.ok_or_else(|| "nothing there".to_owned())))
    }
}

pub(super) struct Signer {
    pair: EcdsaKeyPair,
    id: String,
}

impl Signer {
    pub(super) fn new(id: &str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap();
        Self { pair, id: id.to_owned() }
    }

    pub(super) fn key(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let part = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.id, "x": part(x), "y": part(y) })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    pub(super) fn token(&self, claims: &Value) -> String {
        self.sign(&json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" }), claims)
    }
}

pub(super) fn claims(clock: &ManualClock) -> Value {
    let now = clock.now().timestamp();
    json!({
        "iss": ISSUER, "sub": "zoe", "aud": AUDIENCE, "iat": now, "exp": now + 300,
        "email": "zoe@example.com", "email_verified": true,
    })
}

pub(super) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn issuers(provider: &Arc<Provider>, clock: &ManualClock) -> Issuers {
    issuers_of(issuer(), provider, clock)
}

pub(super) fn issuer() -> Issuer {
    serde_json::from_value(json!({ "url": ISSUER, "audience": AUDIENCE })).unwrap()
}

pub(super) fn issuers_of(issuer: Issuer, provider: &Arc<Provider>, clock: &ManualClock) -> Issuers {
    let documents: Arc<dyn Documents> = Arc::clone(provider) as _;
    Issuers::new(vec![issuer], &documents, Arc::new(clock.clone()))
}

#[tokio::test]
async fn a_good_token_says_who_and_until_when() {
    let (provider, clock, signer) = (Arc::new(Provider::default()), ManualClock::default(), Signer::new("1"));
    provider.publish(&[signer.key()]);
    let issuers = issuers(&provider, &clock);
    let proven = issuers.prove(&signer.token(&claims(&clock))).await.unwrap();
    assert_eq!((proven.subject.as_str(), proven.email.as_deref()), ("zoe", Some("zoe@example.com")));
    assert_eq!(proven.expires_at, clock.now() + TimeDelta::seconds(330));
    let several = with(claims(&clock), "aud", json!(["other", AUDIENCE]));
    assert!(issuers.prove(&signer.token(&several)).await.is_ok());
    for unverified in [json!(false), json!("false"), Value::Null, json!(1)] {
        let token = signer.token(&with(claims(&clock), "email_verified", unverified));
        assert_eq!(issuers.prove(&token).await.unwrap().email, None);
    }
}

#[tokio::test]
async fn whatever_is_wrong_proves_nothing() {
    let (provider, clock, signer) = (Arc::new(Provider::default()), ManualClock::default(), Signer::new("1"));
    provider.publish(&[signer.key(), json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0" }), json!("nonsense")]);
    let issuers = issuers(&provider, &clock);
    let good = claims(&clock);
    let now = clock.now().timestamp();
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        signer.token(&claims)
    };
    let with = |name: &str, value: Value| signer.token(&with(good.clone(), name, value));
    let header = |header: Value| signer.sign(&header, &good);
    let (body, signature) = signer.token(&good).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    // What HMAC would make of the public key, if it were taken for a secret.
    let hmac = {
        use hmac::{Hmac, KeyInit, Mac};
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "kid": "1" })), part(&good));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(signer.pair.public_key().as_ref()).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    for (what, token) in [
        ("nothing", String::new()),
        ("nonsense", "a.b.c".to_owned()),
        ("two parts", body.clone()),
        ("four parts", format!("{body}.{signature}.x")),
        ("too long", with("more", json!("A".repeat(LONGEST_TOKEN)))),
        ("another provider", with("iss", json!("https://id.example.evil"))),
        ("a longer name of the provider", with("iss", json!("https://id.example/"))),
        ("no provider", without("iss")),
        ("another audience", with("aud", json!("other"))),
        ("an audience beside ours", with("aud", json!([format!("{AUDIENCE}2")]))),
        ("no audience", without("aud")),
        ("nobody", with("sub", json!(""))),
        ("no subject", without("sub")),
        ("a subject that is too long", with("sub", json!("a".repeat(256)))),
        ("a subject that is a number", with("sub", json!(7))),
        ("not yet", with("nbf", json!(now + 31))),
        ("not yet, in words", with("nbf", json!("tomorrow"))),
        ("no end", without("exp")),
        ("an end in words", with("exp", json!("tomorrow"))),
        ("an end beyond all time", with("exp", json!(1e300))),
        ("alg none", format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), body.split_once('.').unwrap().1)),
        ("alg none with our signature", header(json!({ "alg": "none", "kid": "1" }))),
        ("HS256 with the public key", hmac),
        ("HS256 by the set's secret", header(json!({ "alg": "HS256", "kid": "secret" }))),
        ("another algorithm", header(json!({ "alg": "ES384", "kid": "1" }))),
        ("RSA with a key that is none", header(json!({ "alg": "RS256", "kid": "1" }))),
        ("no algorithm", header(json!({ "kid": "1" }))),
        ("something critical", header(json!({ "alg": "ES256", "kid": "1", "crit": ["exp"] }))),
        ("an unknown key", header(json!({ "alg": "ES256", "kid": "2" }))),
        ("somebody else's key", Signer::new("1").token(&good)),
        ("no signature", format!("{body}.")),
        (
            "a changed claim",
            with("sub", json!("eve")).split_once('.').map_or_else(String::new, |(head, rest)| {
                format!("{head}.{}.{signature}", rest.split_once('.').unwrap().0)
            }),
        ),
    ] {
        assert_eq!(issuers.prove(&token).await, Err(NotProven::Wrong), "{what}");
    }
    assert_eq!(issuers.prove(&with("exp", json!(now - 30))).await, Err(NotProven::Expired));
    // What is within the skew counts, and a name is not needed where there is only one key.
    assert!(issuers.prove(&with("exp", json!(now - 29))).await.is_ok());
    assert!(issuers.prove(&with("nbf", json!(now + 30))).await.is_ok());
    assert!(issuers.prove(&header(json!({ "alg": "ES256" }))).await.is_ok());
}

#[tokio::test]
async fn keys_rotate_and_are_looked_for_seldom() {
    let (provider, clock) = (Arc::new(Provider::default()), ManualClock::default());
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let issuers = issuers(&provider, &clock);
    assert_eq!(issuers.prove(&old.token(&claims(&clock))).await, Err(NotProven::Unreachable));
    provider.publish(&[old.key()]);
    // It was looked at a moment ago.
    assert_eq!(issuers.prove(&old.token(&claims(&clock))).await, Err(NotProven::Unreachable));
    clock.advance(TimeDelta::seconds(30));
    assert!(issuers.prove(&old.token(&claims(&clock))).await.is_ok());
    assert_eq!(provider.looks(), 2);
    // The provider begins to sign with another key: a crowd looks once.
    provider.publish(&[old.key(), new.key()]);
    clock.advance(TimeDelta::seconds(30));
    let token = new.token(&claims(&clock));
    let crowd = futures_of(50, || issuers.prove(&token)).await;
    assert!(crowd.iter().all(Result::is_ok));
    assert_eq!(provider.looks(), 3);
    let nameless = old.sign(&json!({ "alg": "ES256" }), &claims(&clock));
    assert_eq!(issuers.prove(&nameless).await, Err(NotProven::Wrong), "it may be either key's");
    // Made-up keys make nobody look more often.
    for number in 0..100 {
        let made_up = Signer::new(&number.to_string()).token(&claims(&clock));
        assert_eq!(issuers.prove(&made_up).await, Err(NotProven::Wrong));
    }
    assert_eq!(provider.looks(), 3);
    // What the provider withdrew does not count for long.
    provider.publish(&[new.key()]);
    clock.advance(TimeDelta::hours(1));
    let token = old.token(&claims(&clock));
    for _ in 0..100 {
        let _ = issuers.prove(&token).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(issuers.prove(&token).await, Err(NotProven::Wrong));
    assert_eq!(provider.looks(), 4);
    // While the provider is away its keys count for a day.
    provider.documents.lock().unwrap().clear();
    clock.advance(TimeDelta::hours(23));
    assert!(issuers.prove(&new.token(&claims(&clock))).await.is_ok());
    clock.advance(TimeDelta::hours(1));
    assert_eq!(issuers.prove(&new.token(&claims(&clock))).await, Err(NotProven::Unreachable));
}

#[tokio::test]
async fn a_description_of_another_provider_or_without_tls_is_not_followed() {
    let (provider, clock, signer) = (Arc::new(Provider::default()), ManualClock::default(), Signer::new("1"));
    provider.publish(&[signer.key()]);
    let address = format!("{ISSUER}/.well-known/openid-configuration");
    provider.documents.lock().unwrap().insert("http://id.example/keys".to_owned(), json!({ "keys": [signer.key()] }));
    for description in [
        json!({ "issuer": "https://id.evil", "jwks_uri": format!("{ISSUER}/keys") }),
        json!({ "issuer": ISSUER, "jwks_uri": "http://id.example/keys" }),
    ] {
        provider.documents.lock().unwrap().insert(address.clone(), description);
        let issuers = issuers(&provider, &clock);
        assert_eq!(issuers.prove(&signer.token(&claims(&clock))).await, Err(NotProven::Unreachable));
    }
}

/// RFC 7515, A.2.
#[test]
fn the_example_of_the_standard_is_its_key_s() {
    let key = json!({
        "kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
              T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQ\
              OS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8\
              q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    });
    let keys = keys::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
    let signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p\
                  c19yb290Ijp0cnVlfQ";
    let signature = URL_SAFE_NO_PAD
        .decode(
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJ\
             dbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN\
             9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXL\
             IhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        )
        .unwrap();
    assert!(keys[0].has_signed("RS256", signed.as_bytes(), &signature));
    for algorithm in ["RS512", "PS256", "HS256", "none", "ES256"] {
        assert!(!keys[0].has_signed(algorithm, signed.as_bytes(), &signature), "{algorithm}");
    }
}

#[test]
fn a_key_for_one_algorithm_is_for_no_other() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let part = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let read = |more: Value| {
        let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": part });
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        keys::read(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
    };
    let signature = pair.sign(b"message");
    assert!(read(json!({}))[0].has_signed("EdDSA", b"message", signature.as_ref()));
    assert!(read(json!({ "alg": "Ed25519" }))[0].has_signed("EdDSA", b"message", signature.as_ref()));
    assert!(!read(json!({ "alg": "ES256" }))[0].is_for("EdDSA"));
    assert!(!read(json!({}))[0].has_signed("EdDSA", b"massage", signature.as_ref()));
    assert!(read(json!({ "use": "enc" })).is_empty());
}

/// Several at once.
async fn futures_of<F: Future>(count: usize, make: impl Fn() -> F) -> Vec<F::Output> {
    let mut under_way: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    let mut done: Vec<Option<F::Output>> = (0..count).map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, outcome) in under_way.iter_mut().zip(&mut done) {
            if outcome.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *outcome = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// What a provider, or somebody who says that they are one, may write in a token.
fn documents() -> impl Strategy<Value = (Value, Value)> {
    let text = || option::of("\\PC{0,12}");
    let number =
        || option::of(prop_oneof![any::<f64>().prop_map(Value::from), (0..4_000_000_000_i64).prop_map(Value::from)]);
    let header =
        (prop_oneof![Just("ES256".to_owned()), "\\PC{0,9}"], option::of(prop_oneof!["1", "\\PC{0,9}"]), text())
            .prop_map(|(alg, kid, crit)| json!({ "alg": alg, "kid": kid, "crit": crit }));
    let claims = ("\\PC{0,300}", collection::vec("\\PC{0,9}", 0..3), number(), number(), text())
        .prop_map(|(sub, aud, exp, nbf, email)| json!({ "iss": "x", "sub": sub, "aud": aud, "exp": exp, "nbf": nbf, "email": email }));
    (header, claims)
}

proptest! {
    #[test]
    fn no_token_panics(token in "\\PC{0,80}", (header, claims) in documents()) {
        let _ = token::read(&token);
        let signer = Signer::new("1");
        let keys = keys::read(json!({ "keys": [signer.key()] }).to_string().as_bytes()).unwrap();
        let token = signer.sign(&header, &claims);
        let read = token::read(&token);
        prop_assert_eq!(read.is_some(), claims["exp"].is_number(), "{}", claims);
        if let Some(read) = read {
            let unknown = token::prove(&read, &[], Timestamp::default());
            prop_assert!(matches!(unknown, Err(Unproven::UnknownKey | Unproven::Unreadable)));
            if let Ok(ends) = token::prove(&read, &keys, Timestamp::default()) {
                prop_assert!(header["alg"] == "ES256" && header["crit"].is_null() && ends > Timestamp::default());
            }
        }
    }
}
