//! The vault: seals secrets for one row and column, so that a sealed value moved elsewhere cannot be opened.
//!
//! It seals with one key and opens with several, so that a key can be exchanged while the house runs: first every process
//! is given `old,new` (they still seal with the old one, and open both), then `new,old`, then `gatehouse key rotate` seals
//! everything anew (run it until it says 0), then the old key is dropped.
//!
//! Fingerprints (equal PINs, repeated orders) must outlive a key, and some of what they were made of is not kept. They have
//! a key of their own, kept sealed in the table `vault_keys`. The first one is derived from the house's first key.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::secret::Secret;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The place a sealed value belongs to; part of what is authenticated.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row.
    pub row: Uuid,
}

/// Why the vault refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key setting is unusable.
    #[error(
        "GATEHOUSE_SECRET_KEY must be 32 bytes in base64 (44 characters), or several such keys with commas between; make \
         one with: openssl rand -base64 32"
    )]
    InvalidKey,
    /// The value was sealed with another key.
    #[error("a stored secret was sealed with another key: add the key that it was sealed with to GATEHOUSE_SECRET_KEY")]
    OtherKey,
    /// The value was altered, or belongs to another row or column.
    #[error("a stored secret was altered or moved")]
    Altered,
}

const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const NONCE: usize = 24;

/// Seals and opens secrets.
pub struct Vault {
    current: Key,
    older: Vec<Key>,
    first_fingerprints: Secret,
    fingerprints: Hmac<Sha256>,
}

struct Key {
    id: [u8; KEY_ID],
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Vault")
    }
}

impl Vault {
    /// A vault with the keys of the settings, each 32 bytes in base64, with commas between: the first seals, the others
    /// only open.
    ///
    /// # Errors
    /// The text is not such keys.
    pub fn new(keys: &Secret) -> Result<Self, VaultError> {
        let read = each_key(keys)?;
        let oldest = read.last().ok_or(VaultError::InvalidKey)?;
        let mut opening: Vec<Key> = read.iter().map(|bytes| Key::new(bytes)).collect();
        let current = opening.remove(0);
        // Sha256 of a marked key is a key of its own: nobody learns the one from the other.
        let own = Sha256::digest([b"gatehouse fingerprints".as_slice(), &oldest[..]].concat());
        let fingerprints = hmac(&own)?;
        Ok(Self { current, older: opening, first_fingerprints: Secret::new(STANDARD.encode(own)), fingerprints })
    }

    /// The fingerprints' key of a house that keeps none yet.
    #[must_use]
    pub const fn first_fingerprint_key(&self) -> &Secret {
        &self.first_fingerprints
    }

    /// The same vault with the fingerprints' key that the house keeps.
    ///
    /// # Errors
    /// The text is no key.
    pub fn with_fingerprint_key(self, key: &Secret) -> Result<Self, VaultError> {
        let fingerprints = hmac(&key_bytes(key.expose()).map_err(|_| VaultError::Altered)?[..])?;
        Ok(Self { fingerprints, ..self })
    }

    /// Whether it has keys that only open.
    #[must_use]
    pub const fn has_older_keys(&self) -> bool {
        !self.older.is_empty()
    }

    /// A new key for the settings.
    #[must_use]
    pub fn generate_key() -> Secret {
        Secret::new(STANDARD.encode(crate::random::bytes::<32>()))
    }

    /// Seals a secret for a place: version, key id, nonce, ciphertext.
    ///
    /// # Errors
    /// Never in practice: the cipher refuses only texts of 256 GiB.
    pub fn seal(&self, secret: &Secret, place: Place) -> Result<Vec<u8>, VaultError> {
        let nonce = crate::random::bytes::<NONCE>();
        let aad = associated_data(place);
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &aad };
        let sealed = self.current.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Altered)?;
        Ok([&[VERSION], self.current.id.as_slice(), &nonce, &sealed].concat())
    }

    /// Whether a value was sealed with the key that seals now.
    #[must_use]
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.strip_prefix(&[VERSION]).is_some_and(|rest| rest.starts_with(&self.current.id))
    }

    /// A keyed digest by which equal values of a tenant are recognised without being read.
    #[must_use]
    pub fn fingerprint(&self, tenant: Uuid, value: &Secret) -> Vec<u8> {
        let mut digest = self.fingerprints.clone();
        digest.update(tenant.as_bytes());
        digest.update(value.expose().as_bytes());
        digest.finalize().into_bytes().to_vec()
    }

    /// Opens what [`Self::seal`] made for the same place.
    ///
    /// # Errors
    /// Sealed with another key, altered, or for another place.
    pub fn open(&self, sealed: &[u8], place: Place) -> Result<Secret, VaultError> {
        let Some((&[version], rest)) = sealed.split_first_chunk::<1>() else { return Err(VaultError::Altered) };
        let (Some((key_id, rest)), VERSION) = (rest.split_first_chunk::<KEY_ID>(), version) else {
            return Err(VaultError::Altered);
        };
        let mut keys = std::iter::once(&self.current).chain(&self.older);
        let Some(key) = keys.find(|key| key.id == *key_id) else { return Err(VaultError::OtherKey) };
        let Some((nonce, ciphertext)) = rest.split_first_chunk::<NONCE>() else { return Err(VaultError::Altered) };
        let aad = associated_data(place);
        let payload = Payload { msg: ciphertext, aad: &aad };
        let plain = key.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| VaultError::Altered)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| VaultError::Altered)
    }
}

impl Key {
    fn new(bytes: &[u8; 32]) -> Self {
        let digest = Sha256::digest([b"gatehouse key id".as_slice(), bytes].concat());
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&digest[..KEY_ID]);
        Self { id, cipher: XChaCha20Poly1305::new(bytes.into()) }
    }
}

/// The keys of the settings, at least one.
pub(crate) fn each_key(keys: &Secret) -> Result<Vec<Zeroizing<[u8; 32]>>, VaultError> {
    let texts = keys.expose().split(',').map(str::trim).filter(|text| !text.is_empty());
    let read = texts.map(key_bytes).collect::<Result<Vec<_>, _>>()?;
    if read.is_empty() { Err(VaultError::InvalidKey) } else { Ok(read) }
}

fn key_bytes(text: &str) -> Result<Zeroizing<[u8; 32]>, VaultError> {
    let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| VaultError::InvalidKey)?);
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| VaultError::InvalidKey)?;
    Ok(Zeroizing::new(bytes))
}

pub(crate) fn hmac(key: &[u8]) -> Result<Hmac<Sha256>, VaultError> {
    Hmac::new_from_slice(key).map_err(|_| VaultError::InvalidKey)
}

fn associated_data(place: Place) -> Vec<u8> {
    format!("{}\0{}\0{}", place.table, place.column, place.row).into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(row: u128) -> Place {
        Place { table: "vendor_accounts", column: "credentials", row: Uuid::from_u128(row) }
    }

    #[test]
    fn a_sealed_secret_opens_only_in_its_place() {
        let vault = Vault::new(&Vault::generate_key()).unwrap();
        let secret = Secret::new("{\"token\":\"canary\"}");
        let sealed = vault.seal(&secret, place(1)).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"canary"));
        assert_eq!(vault.open(&sealed, place(1)), Ok(secret));
        assert_eq!(vault.open(&sealed, place(2)), Err(VaultError::Altered));
        assert_eq!(vault.open(&sealed, Place { column: "name", ..place(1) }), Err(VaultError::Altered));
        let other = Vault::new(&Vault::generate_key()).unwrap();
        assert_eq!(other.open(&sealed, place(1)), Err(VaultError::OtherKey));
    }

    #[test]
    fn equal_values_of_a_tenant_have_one_fingerprint() {
        let key = Vault::generate_key();
        let (vault, again) = (Vault::new(&key).unwrap(), Vault::new(&key).unwrap());
        let (ours, theirs) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let pin = Secret::new("482913");
        assert_eq!(vault.fingerprint(ours, &pin), again.fingerprint(ours, &pin));
        assert_ne!(vault.fingerprint(ours, &pin), vault.fingerprint(theirs, &pin));
        assert_ne!(vault.fingerprint(ours, &pin), vault.fingerprint(ours, &Secret::new("482914")));
        let other = Vault::new(&Vault::generate_key()).unwrap();
        assert_ne!(vault.fingerprint(ours, &pin), other.fingerprint(ours, &pin));
    }

    #[test]
    fn a_bad_key_is_told() {
        for bad in ["short", "", ","] {
            assert_eq!(Vault::new(&Secret::new(bad)).err(), Some(VaultError::InvalidKey));
        }
        let half_good = format!("{},short", Vault::generate_key().expose());
        assert_eq!(Vault::new(&Secret::new(half_good)).err(), Some(VaultError::InvalidKey));
    }

    #[test]
    fn the_first_key_seals_and_all_of_them_open() {
        let (old, new) = (Vault::generate_key(), Vault::generate_key());
        let both = Vault::new(&Secret::new(format!("{}, {}", new.expose(), old.expose()))).unwrap();
        let (old, new) = (Vault::new(&old).unwrap(), Vault::new(&new).unwrap());
        let secret = Secret::new("canary");
        let (before, after) = (old.seal(&secret, place(1)).unwrap(), both.seal(&secret, place(1)).unwrap());
        assert_eq!(both.open(&before, place(1)), Ok(secret.clone()));
        assert_eq!(new.open(&after, place(1)), Ok(secret));
        assert_eq!(old.open(&after, place(1)), Err(VaultError::OtherKey));
        assert!(both.is_current(&after) && !both.is_current(&before) && !both.is_current(b""));
        assert!(both.has_older_keys() && !new.has_older_keys());
    }

    #[test]
    fn fingerprints_outlive_the_key_they_were_first_made_with() {
        let (old, new) = (Vault::generate_key(), Vault::generate_key());
        let both = Vault::new(&Secret::new(format!("{},{}", new.expose(), old.expose()))).unwrap();
        let (tenant, pin) = (Uuid::from_u128(1), Secret::new("482913"));
        let before = Vault::new(&old).unwrap().fingerprint(tenant, &pin);
        assert_eq!(both.fingerprint(tenant, &pin), before, "a house that keeps no key yet goes on with the first");
        let kept = both.first_fingerprint_key().clone();
        let alone = Vault::new(&new).unwrap();
        assert_ne!(alone.fingerprint(tenant, &pin), before);
        assert_eq!(alone.with_fingerprint_key(&kept).unwrap().fingerprint(tenant, &pin), before);
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_noticed(position in 0..80usize, bit in 0..8u8) {
            let vault = Vault::new(&Vault::generate_key()).unwrap();
            let mut sealed = vault.seal(&Secret::new("a secret of some length, long enough"), place(1)).unwrap();
            let index = position % sealed.len();
            sealed[index] ^= 1 << bit;
            prop_assert!(vault.open(&sealed, place(1)).is_err());
        }

        #[test]
        fn garbage_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let vault = Vault::new(&Vault::generate_key()).unwrap();
            prop_assert!(vault.open(&bytes, place(1)).is_err());
        }
    }
}
