//! The vault: seals secrets for one row and column, so that a sealed value moved elsewhere cannot be opened.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use domain::secret::Secret;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

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
    #[error("GATEHOUSE_SECRET_KEY must be 32 bytes in base64 (44 characters); make one with: openssl rand -base64 32")]
    InvalidKey,
    /// The value was sealed with another key.
    #[error(
        "a stored secret was sealed with another key: restore the GATEHOUSE_SECRET_KEY this database was created with"
    )]
    OtherKey,
    /// The value was altered, or belongs to another row or column.
    #[error("a stored secret was altered or moved")]
    Altered,
}

const VERSION: u8 = 1;
const KEY_ID: usize = 8;
const NONCE: usize = 24;

/// Seals and opens secrets with one key.
pub struct Vault {
    cipher: XChaCha20Poly1305,
    key_id: [u8; KEY_ID],
    fingerprints: Hmac<Sha256>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Vault")
    }
}

impl Vault {
    /// A vault with the key of the settings: 32 bytes in base64.
    ///
    /// # Errors
    /// The text is not such a key.
    pub fn new(key: &Secret) -> Result<Self, VaultError> {
        let bytes = STANDARD.decode(key.expose().trim()).map_err(|_| VaultError::InvalidKey)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| VaultError::InvalidKey)?;
        let digest = Sha256::digest([b"gatehouse key id".as_slice(), &bytes].concat());
        let mut key_id = [0; KEY_ID];
        key_id.copy_from_slice(&digest[..KEY_ID]);
        // Sha256 of a marked key is a key of its own: nobody learns the one from the other.
        let own = Sha256::digest([b"gatehouse fingerprints".as_slice(), &bytes].concat());
        let fingerprints = Hmac::<Sha256>::new_from_slice(&own).map_err(|_| VaultError::InvalidKey)?;
        Ok(Self { cipher: XChaCha20Poly1305::new(&bytes.into()), key_id, fingerprints })
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
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Altered)?;
        Ok([&[VERSION], self.key_id.as_slice(), &nonce, &sealed].concat())
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
        if *key_id != self.key_id {
            return Err(VaultError::OtherKey);
        }
        let Some((nonce, ciphertext)) = rest.split_first_chunk::<NONCE>() else { return Err(VaultError::Altered) };
        let aad = associated_data(place);
        let payload = Payload { msg: ciphertext, aad: &aad };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| VaultError::Altered)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| VaultError::Altered)
    }
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
        assert_eq!(Vault::new(&Secret::new("short")).err(), Some(VaultError::InvalidKey));
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
