//! Tokens that are the whole right of whoever brings them: the state of a consent, the end of a webhook address. Only
//! their hash is kept.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::secret::Secret;
use sha2::{Digest, Sha256};

/// A new token: 256 random bits.
pub(crate) fn generate() -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(platform::random::bytes::<32>()))
}

/// What a token is found by (SHA-256). Fast on purpose: 256 random bits can not be guessed at any speed.
pub(crate) fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_hash_alike() {
        let (one, other) = (generate(), generate());
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 43);
        assert_eq!(hash(one.expose()), hash(one.expose()));
        assert_ne!(hash(one.expose()), hash(other.expose()));
    }
}
