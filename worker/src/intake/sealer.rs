//! Seals the secret part of records with the vault.

use std::fmt;

use domain::secret::Secret;
use entities::{StoreError, store::records::RecordSealer};
use platform::vault::{Place, Vault};
use uuid::Uuid;

/// A vault, for records.
pub(crate) struct VaultSealer<'a> {
    vault: &'a Vault,
}

impl<'a> VaultSealer<'a> {
    pub(crate) const fn new(vault: &'a Vault) -> Self {
        Self { vault }
    }
}

impl fmt::Debug for VaultSealer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VaultSealer")
    }
}

const fn place(row: Uuid) -> Place {
    Place { table: "records", column: "secret", row }
}

impl RecordSealer for VaultSealer<'_> {
    fn seal(&self, row: Uuid, secret: &Secret) -> Result<Vec<u8>, StoreError> {
        self.vault.seal(secret, place(row)).map_err(|error| StoreError::Unsealable(error.to_string()))
    }

    fn holds(&self, row: Uuid, sealed: &[u8], secret: &Secret) -> bool {
        self.vault.open(sealed, place(row)).is_ok_and(|held| held == *secret)
    }
}
