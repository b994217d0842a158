//! What can go wrong with the database, named by what to do about it.

use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// A failed read or write.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is too busy. Try again.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] DbErr),
    /// A unique value exists already.
    #[error("a unique value exists already: {0}")]
    Conflict(String),
    /// A stored value is none that this version knows. A newer version or a hand wrote it.
    #[error("{table}.{column} holds a value that this version does not know: {value}")]
    Unreadable {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The value, cut to 100 characters.
        value: String,
    },
    /// A secret cannot be sealed: nothing was written.
    #[error("a secret cannot be sealed: {0}")]
    Unsealable(String),
    /// Anything else: a defect of ours.
    #[error("database error: {0}")]
    Internal(#[source] DbErr),
}

impl StoreError {
    pub(crate) fn unreadable(table: &'static str, column: &'static str, value: &str) -> Self {
        Self::Unreadable { table, column, value: value.chars().take(100).collect() }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(what)) = error.sql_err() {
            return Self::Conflict(what);
        }
        let text = error.to_string();
        // A deadlock or a conflict of two transactions ends one of them, which may as well try again.
        let busy = [
            "database is locked",
            "database table is locked",
            "too many clients",
            "terminating connection",
            "deadlock detected",
            "could not serialize access",
        ]
        .iter()
        .any(|words| text.contains(words));
        let transport = matches!(&error, DbErr::Conn(RuntimeErr::SqlxError(_)) | DbErr::ConnectionAcquire(_))
            || ["error communicating with database", "Connection refused", "pool timed out"]
                .iter()
                .any(|words| text.contains(words));
        if busy || transport { Self::Unavailable(error) } else { Self::Internal(error) }
    }
}
