//! The notary: signs the ledger's checkpoints with Ed25519, and marks events when they are written, so that rows which somebody
//! else put into the table, or changed there, are told from what this house wrote. Its keys are derived from those of the
//! vault: the first one signs and marks, all are known.

use domain::{
    ledger::{Facts, Hash, MARK, Notary as Office, SALT, Salt, Signature, Standing},
    secret::Secret,
};
use hmac::{Hmac, Mac};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

use crate::vault::{VaultError, each_key, hmac};

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

    /// The mark of an event: one under what it says beside its details, then one under these.
    #[must_use]
    pub fn mark(&self, event: &Facts) -> Vec<u8> {
        event.marked().iter().flat_map(|part| self.current.over(part).finalize().into_bytes()).collect()
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

    fn over(&self, part: &Hash) -> Hmac<Sha256> {
        let mut digest = self.marking.clone();
        digest.update(part.bytes());
        digest
    }

    fn made(&self, event: &Facts, mark: &[u8]) -> bool {
        let parts = event.marked();
        let marks = mark.chunks(MARK);
        let right = |(part, mark)| self.over(part).verify_slice(mark).is_ok();
        (1..=parts.len()).contains(&marks.len()) && parts.iter().zip(marks).all(right)
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

    fn made(&self, event: &Facts, mark: &[u8]) -> bool {
        std::iter::once(&self.current).chain(&self.older).any(|keys| keys.made(event, mark))
    }

    fn salt(&self) -> Salt {
        crate::random::bytes::<SALT>()
    }
}

#[cfg(test)]
mod tests {
    use domain::{clock::Timestamp, ledger::Details};
    use uuid::Uuid;

    use super::*;
    use crate::vault::Vault;

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
    fn a_mark_is_for_what_an_event_says() {
        let (one, two) = (Vault::generate_key(), Vault::generate_key());
        let both = Secret::new(format!("{},{}", two.expose(), one.expose()));
        let [old, changing, new] = [&one, &both, &two].map(|keys| Notary::new(keys).unwrap());
        let event = event();
        let mark = old.mark(&event);
        assert!(old.made(&event, &mark) && changing.made(&event, &mark) && !new.made(&event, &mark));
        let elsewhere = Facts { organization: Uuid::from_u128(3), ..event.clone() };
        let retold = Facts { details: Details::Plain("{}".to_owned()), ..event.clone() };
        assert!(!old.made(&elsewhere, &mark) && !old.made(&retold, &mark));
        // Once the details were erased, the rest is vouched for by its own mark.
        let (rest, _) = mark.split_at(MARK);
        assert!(old.made(&retold, rest) && !old.made(&elsewhere, rest));
        for none in [&[] as &[u8], &mark[..MARK - 1], &mark[..MARK + 1], &[mark.clone(), mark.clone()].concat()] {
            assert!(!old.made(&event, none), "{}", none.len());
        }
    }

    fn event() -> Facts {
        Facts {
            id: Uuid::from_u128(1),
            organization: Uuid::from_u128(2),
            site: None,
            device: None,
            door: None,
            command: None,
            account: None,
            external_id: None,
            vendor_code: None,
            event_type: "USER_CHANGED".to_owned(),
            occurred_at: Timestamp::UNIX_EPOCH,
            recorded_at: Timestamp::UNIX_EPOCH,
            actor: None,
            details: Details::Plain("{\"user\":\"user_1\"}".to_owned()),
            block: None,
        }
    }
}
