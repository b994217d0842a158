//! The secret of a command: sealed for its row, and compared when a key is used again.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{ids::CommandId, secret::Secret};
use entities::{StoreError, rows::command};
use platform::vault::Place;
use sha2::{Digest, Sha256};

use crate::shared::Shared;

const fn place(id: CommandId) -> Place {
    Place { table: "commands", column: "sealed", row: id.0 }
}

/// Seals what must not be read in a command's action.
///
/// # Errors
/// The vault failed.
pub(super) fn seal(shared: &Shared, id: CommandId, secret: &Secret) -> Result<Vec<u8>, StoreError> {
    shared.vault.seal(secret, place(id)).map_err(|error| StoreError::Unsealable(error.to_string()))
}

/// Whether an earlier command was given the same secret. Once it is done its secret is wiped, and only the rest of the
/// order can be compared.
///
/// # Errors
/// What was sealed can not be opened.
pub(super) fn is_same(shared: &Shared, row: &command::Model, secret: Option<&Secret>) -> Result<bool, StoreError> {
    let Some(sealed) = &row.sealed else { return Ok(true) };
    let earlier = shared.vault.open(sealed, place(CommandId(row.id)));
    let earlier = earlier.map_err(|error| StoreError::Unsealable(error.to_string()))?;
    Ok(secret == Some(&earlier))
}

/// A short text that is the same for the same parts only.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_its_parts_apart() {
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&[]).len(), 22);
    }
}
