//! The notary: signs the ledger's checkpoints with Ed25519, and marks the ids of events, so that rows which somebody else put
//! into the table are told from what this house wrote. Its keys are derived from those of the vault: the first one signs, all
//! are known.

use domain::{
    ids::OrganizationId,
    ledger::{Notary as Office, SALT, Salt, Signature, Standing},
    secret::Secret,
};
use hmac::{Hmac, Mac};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::vault::{VaultError, each_key, hmac};

/// Where in an id the mark begins: what comes after is random in a UUIDv7 with a counter.
const MARK: usize = 12;

/// See the module.
pub struct Notary {
    current: Keys,
    older: Vec<Keys>,
}

struct Keys {
    signing: Ed25519KeyPair,
    marking: Hmac<Sha256>,
}

impl std::fmt::Debug for Notary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Notary")
    }
}

impl Notary {
    /// A notary with the keys of the settings, as [`crate::vault::Vault::new`] takes them.
    ///
    /// # Errors
    /// The text is not such keys.
    pub fn new(keys: &Secret) -> Result<Self, VaultError> {
        let mut read = each_key(keys)?.iter().map(|key| Keys::of(&key[..])).collect::<Result<Vec<_>, _>>()?;
        let current = read.remove(0);
        Ok(Self { current, older: read })
    }

    /// Marks an id as one for an event of this organization.
    #[must_use]
    pub fn mark(&self, organization: OrganizationId, id: Uuid) -> Uuid {
        self.current.mark(organization, id)
    }
}

impl Keys {
    /// Sha256 of a marked key is a key of its own: nobody learns the one from the other.
    fn of(key: &[u8]) -> Result<Self, VaultError> {
        let derived = |purpose: &str| Sha256::digest([purpose.as_bytes(), key].concat());
        let signing = Ed25519KeyPair::from_seed_unchecked(&derived("gatehouse ledger signatures"));
        Ok(Self {
            signing: signing.map_err(|_| VaultError::InvalidKey)?,
            marking: hmac(&derived("gatehouse ledger marks"))?,
        })
    }

    fn mark(&self, organization: OrganizationId, id: Uuid) -> Uuid {
        let mut bytes = id.into_bytes();
        let (made, mark) = bytes.split_at_mut(MARK);
        let mut digest = self.marking.clone();
        digest.update(organization.0.as_bytes());
        digest.update(made);
        for (place, byte) in mark.iter_mut().zip(digest.finalize().into_bytes()) {
            *place = byte;
        }
        Uuid::from_bytes(bytes)
    }
}

impl Office for Notary {
    fn sign(&self, statement: &str) -> Signature {
        let signing = &self.current.signing;
        Signature {
            public_key: signing.public_key().as_ref().to_vec(),
            bytes: signing.sign(statement.as_bytes()).as_ref().to_vec(),
        }
    }

    fn judge(&self, statement: &str, signature: &Signature) -> Standing {
        let key = UnparsedPublicKey::new(&ED25519, &signature.public_key);
        let is = |keys: &Keys| keys.signing.public_key().as_ref() == signature.public_key;
        if key.verify(statement.as_bytes(), &signature.bytes).is_err() {
            Standing::Forged
        } else if is(&self.current) {
            Standing::Current
        } else if self.older.iter().any(is) {
            Standing::Known
        } else {
            Standing::Unknown
        }
    }

    fn made(&self, organization: OrganizationId, event: Uuid) -> bool {
        std::iter::once(&self.current).chain(&self.older).any(|keys| keys.mark(organization, event) == event)
    }

    fn salt(&self) -> Salt {
        crate::random::bytes::<SALT>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Vault;

    const OURS: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const THEIRS: OrganizationId = OrganizationId(Uuid::from_u128(2));

    #[test]
    fn a_signature_is_worth_what_its_key_is() {
        let (one, two) = (Vault::generate_key(), Vault::generate_key());
        let both = Secret::new(format!("{},{}", two.expose(), one.expose()));
        let [old, changing, new] = [&one, &both, &two].map(|keys| Notary::new(keys).unwrap());
        let signature = old.sign("block 1");
        assert_eq!(old.judge("block 1", &signature), Standing::Current);
        assert_eq!(changing.judge("block 1", &signature), Standing::Known);
        assert_eq!(new.judge("block 1", &signature), Standing::Unknown);
        assert_eq!(old.judge("block 2", &signature), Standing::Forged);
        assert_eq!(new.judge("block 1", &changing.sign("block 1")), Standing::Current);
        let nonsense = Signature { public_key: vec![1], ..signature };
        assert_eq!(old.judge("block 1", &nonsense), Standing::Forged);
    }

    #[test]
    fn marks_are_ours_for_one_organization_and_keep_the_order_of_ids() {
        let (one, two) = (Vault::generate_key(), Vault::generate_key());
        let both = Secret::new(format!("{},{}", two.expose(), one.expose()));
        let [old, changing, new] = [&one, &both, &two].map(|keys| Notary::new(keys).unwrap());
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000);
        let marked = old.mark(OURS, id);
        assert!(old.made(OURS, marked) && changing.made(OURS, marked));
        assert!(!old.made(THEIRS, marked) && !new.made(OURS, marked) && !old.made(OURS, id));
        assert_eq!(marked.as_bytes()[..MARK], id.as_bytes()[..MARK]);
    }
}
