//! The public keys of a provider (RFC 7517), and what each of them may verify (RFC 7518): asymmetric signatures only. The
//! cryptography is ring's.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

/// More keys than any provider has.
const MOST: usize = 100;

/// A public key that can verify.
#[derive(Debug, Clone)]
pub(super) struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if it says so.
    only: Option<String>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Points as ring reads them: uncompressed.
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

/// The members of a key that we read; each kind has some of them.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The usable keys of a JWK set. Keys that we cannot use, secrets above all, are passed over (RFC 7517, 5).
pub(super) fn read(set: &[u8]) -> Option<Vec<Key>> {
    let set: Set = serde_json::from_slice(set).ok()?;
    Some(set.keys.into_iter().take(MOST).filter_map(|key| Key::read(serde_json::from_value(key).ok()?)).collect())
}

fn bytes(text: Option<String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok()
}

/// A point of a curve whose coordinates have so many bytes.
fn point(x: Option<String>, y: Option<String>, size: usize) -> Option<Vec<u8>> {
    let (x, y) = (bytes(x)?, bytes(y)?);
    (x.len() == size && y.len() == size).then(|| [&[4], x.as_slice(), y.as_slice()].concat())
}

impl Key {
    fn read(key: Jwk) -> Option<Self> {
        if key.purpose.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let kind = match (key.kty.as_str(), key.crv.as_deref()) {
            ("RSA", _) => Kind::Rsa { n: bytes(key.n)?, e: bytes(key.e)? },
            ("EC", Some("P-256")) => Kind::P256(point(key.x, key.y, 32)?),
            ("EC", Some("P-384")) => Kind::P384(point(key.x, key.y, 48)?),
            ("OKP", Some("Ed25519")) => Kind::Ed25519(bytes(key.x)?),
            _ => return None,
        };
        Some(Self { id: key.kid, only: key.alg, kind })
    }

    /// Whether a token that names this key means this one.
    pub(super) fn is(&self, id: &str) -> bool {
        self.id.as_deref() == Some(id)
    }

    /// Whether it is for signatures of this algorithm. What a token says of its algorithm never makes a key anything else.
    pub(super) fn is_for(&self, algorithm: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == algorithm || (is_ed(only) && is_ed(algorithm)))
            && match self.kind {
                Kind::Rsa { .. } => rsa(algorithm).is_some(),
                Kind::P256(_) => algorithm == "ES256",
                Kind::P384(_) => algorithm == "ES384",
                Kind::Ed25519(_) => is_ed(algorithm),
            }
    }

    /// Whether this is its signature under the message, by an algorithm that it is for.
    pub(super) fn has_signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        if !self.is_for(algorithm) {
            return false;
        }
        let verified = match &self.kind {
            Kind::Rsa { n, e } => match rsa(algorithm) {
                Some(parameters) => RsaPublicKeyComponents { n, e }.verify(parameters, message, signature),
                None => return false,
            },
            Kind::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
            Kind::P384(point) => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature),
            Kind::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point).verify(message, signature),
        };
        verified.is_ok()
    }
}

/// RFC 8037 and its successor RFC 9864 have a word each.
fn is_ed(algorithm: &str) -> bool {
    matches!(algorithm, "EdDSA" | "Ed25519")
}

fn rsa(algorithm: &str) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}
