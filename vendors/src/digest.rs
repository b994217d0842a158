//! Digests: ids of what vendors tell without an id, stable across processes and versions, and the comparison of secrets
//! that does not tell by its duration where they differ.

use domain::event::MADE_UP;
use sha2::{Digest as _, Sha256};

/// An id made of all that a vendor told: names and values, in this order. It says that it is such a one.
pub(crate) fn id_of<'a>(told: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    for text in told.into_iter().flat_map(|(name, value)| [name, value]) {
        // With its length before it, no text can be taken for two others.
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    let digits = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{MADE_UP}{digits}")
}

/// Whether two secrets are the same.
pub(crate) fn same_secret(one: &str, other: &str) -> bool {
    Sha256::digest(one.as_bytes()) == Sha256::digest(other.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_changes_and_takes_everything_in() {
        let id = id_of([("door", "north"), ("state", "OPEN")]);
        assert_eq!(id, "made:70d964a9312de4e8c5842a7b09f71e6a");
        for other in [
            [("door", "north"), ("state", "OPE")],
            [("door", "nort"), ("hstate", "OPEN")],
            [("state", "OPEN"), ("door", "north")],
        ] {
            assert_ne!(id, id_of(other));
        }
    }

    #[test]
    fn secrets_are_compared_as_a_whole() {
        assert!(same_secret("canary", "canary"));
        assert!(!same_secret("canary", "canary "));
        assert!(!same_secret("canary", ""));
    }
}
