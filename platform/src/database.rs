//! Opening the database: pools for reading and writing with the settings that each back end needs.

use std::{path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, DatabaseConnection, DbErr,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use crate::settings::{Settings, Synchronous};

/// The pools of a process. On PostgreSQL both are the same one.
#[derive(Debug, Clone)]
pub struct Pools {
    /// For reading.
    pub read: DatabaseConnection,
    /// For writing.
    pub write: DatabaseConnection,
}

/// The file of the embedded database.
pub const FILE: &str = "gatehouse.db";

/// Opens the database of the settings.
///
/// # Errors
/// It cannot be reached or opened.
pub async fn open(settings: &Settings) -> Result<Pools, DbErr> {
    if settings.is_embedded() {
        let path = settings.data_directory.join(FILE);
        let synchronous = settings.sqlite_synchronous;
        // The writer first: it creates the file and sets its journal mode.
        let write = sea_orm::Database::connect(sqlite(&path, 1, synchronous)).await?;
        let read = sea_orm::Database::connect(sqlite(&path, settings.database_connections, synchronous)).await?;
        return Ok(Pools { read, write });
    }
    let mut options = ConnectOptions::new(settings.database_url.expose());
    common(&mut options);
    options.max_connections(settings.database_connections).min_connections(2).set_application_name("gatehouse");
    let pool = sea_orm::Database::connect(options).await?;
    Ok(Pools { read: pool.clone(), write: pool })
}

fn sqlite(path: &Path, connections: u32, synchronous: Synchronous) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", path.display()));
    common(&mut options);
    let level = match synchronous {
        Synchronous::Full => SqliteSynchronous::Full,
        Synchronous::Normal => SqliteSynchronous::Normal,
    };
    options
        .max_connections(connections)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(level)
                .busy_timeout(Duration::from_secs(10))
                .foreign_keys(true)
                .statement_cache_capacity(200)
        });
    options
}

fn common(options: &mut ConnectOptions) {
    options
        .sqlx_logging(false)
        .acquire_timeout(Duration::from_secs(10))
        .connect_timeout(Duration::from_secs(5))
        // A round trip before every statement; a broken connection shows itself soon enough.
        .test_before_acquire(false);
}
