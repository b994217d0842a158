//! The two ways into the database: a pool for reading and one for writing. On PostgreSQL they are the same pool; on
//! SQLite writing goes through one connection, because the file takes one writer at a time and queues are fairer than
//! busy errors.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{clock::Timestamp, lane::LaneId};
use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use uuid::Uuid;

use crate::error::StoreError;

/// The handle that every finder and store function takes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Database {
    read: DatabaseConnection,
    write: DatabaseConnection,
    statements: Arc<AtomicU64>,
    leases: Option<Arc<Leases>>,
}

/// Who holds which lane until when, where one process has the database to itself.
pub(crate) type Leases = Mutex<HashMap<LaneId, (Uuid, Timestamp)>>;

impl Database {
    /// Wraps the pools.
    #[must_use]
    pub fn new(mut read: DatabaseConnection, mut write: DatabaseConnection) -> Self {
        let statements = Arc::new(AtomicU64::new(0));
        for pool in [&mut read, &mut write] {
            let counter = Arc::clone(&statements);
            pool.set_metric_callback(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            });
        }
        // An SQLite file belongs to one process (the data folder is locked), and so do its lanes: no row is needed.
        let embedded = write.get_database_backend() == DbBackend::Sqlite;
        Self { read, write, statements, leases: embedded.then(Arc::default) }
    }

    /// The leases, if they live in this process.
    pub(crate) fn leases(&self) -> Option<&Leases> {
        self.leases.as_deref()
    }

    /// How many statements ran so far: the suite asserts that a page costs a constant number.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The pool for reading.
    pub(crate) const fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// The pool for single writing statements.
    pub(crate) const fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// A transaction that will write. On SQLite it takes the write lock at once, so that it cannot fail halfway.
    ///
    /// Whoever waits for it may be dropped (a caller that hangs up), the beginning itself not: sqlx-postgres 0.9 forgets
    /// a BEGIN that was cancelled on its way, and the next user of that connection would write into a transaction that
    /// nobody commits.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let pool = self.write.clone();
        let beginning = tokio::spawn(async move { pool.begin_with_options(options).await });
        let begun = beginning.await.map_err(|error| DbErr::Custom(format!("a transaction was not begun: {error}")))?;
        Ok(begun?)
    }

    /// A transaction that only reads, and sees the database as it is now until its end.
    pub(crate) async fn snapshot(&self) -> Result<DatabaseTransaction, StoreError> {
        // SQLite reads from one snapshot anyway, and knows no levels.
        let options = match self.read.get_database_backend() {
            DbBackend::Sqlite => TransactionOptions::default(),
            _ => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
        };
        Ok(self.read.begin_with_options(options).await?)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        Ok(self.read.ping().await?)
    }
}
