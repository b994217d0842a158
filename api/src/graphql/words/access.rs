//! Words about who may do what.

use super::words;

words! {
    /// What a caller may do; each role includes the ones before it.
    Role = domain::access::Role {
        /// Sees.
        Viewer,
        /// Opens, closes, locks, books.
        Operator,
        /// Forces, syncs devices, and makes keys that may do no more.
        Manager,
        /// Manages accounts, people and keys.
        Admin,
    }
}
