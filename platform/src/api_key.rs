//! API keys: how they look and how they are hashed. Only the hash is stored.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::secret::Secret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The beginning of every key, so that secret scanners find leaked ones.
pub const PREFIX: &str = "gh_";

/// How many characters of a key find it: 48 of its random bits, which leaves 208 that nobody is told.
const FINDS: usize = PREFIX.len() + 8;

/// Makes a key: 256 random bits behind [`PREFIX`].
#[must_use]
pub fn generate() -> Secret {
    Secret::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(crate::random::bytes::<32>())))
}

/// The hash that a key is found by. Fast on purpose: 256 random bits cannot be guessed at any speed.
#[must_use]
pub fn hash(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}

/// The beginning of a key, by which it is found and told apart.
#[must_use]
pub fn prefix(key: &str) -> String {
    key.chars().take(FINDS).collect()
}

/// Whether two hashes are the same. Takes as long for every pair, so that nobody can feel their way to one.
#[must_use]
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_hash_alike() {
        let (one, other) = (generate(), generate());
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 3 + 43);
        assert_eq!(hash(one.expose()), hash(one.expose()));
        assert_ne!(hash(one.expose()), hash(other.expose()));
        assert!(is_same(&hash(one.expose()), &hash(one.expose())));
        assert!(!is_same(&hash(one.expose()), &hash(other.expose())) && !is_same(&hash(one.expose()), b""));
        assert_eq!(prefix(one.expose()).len(), 11);
        assert!(one.expose().starts_with(&prefix(one.expose())) && prefix(one.expose()) != prefix(other.expose()));
    }
}
