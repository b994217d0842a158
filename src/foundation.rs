//! What every process of a house stands on: data folder, database, transport, clock, ids and vault.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use domain::{clock::Clock, ids::IdSource, secret::Secret};
use entities::Database;
use messaging::Backend;
use migration::{Migrator, MigratorTrait};
use platform::{database, ids::Ids, settings::Settings, vault::Vault};
use sea_orm::DatabaseConnection;

use crate::failure::Failure;

/// The ground floor of a process. Cheap to clone.
#[derive(Clone)]
pub struct Foundation {
    /// The rows.
    pub database: Database,
    /// The bell and the live bus.
    pub backend: Backend,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// Seals and opens secrets.
    pub vault: Arc<Vault>,
    _folder: Option<Arc<File>>,
}

/// What to do about migrations that the database has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// Apply them.
    Apply,
    /// Refuse to start: several processes share this database.
    Require,
}

impl Foundation {
    /// Lays the foundation that the settings describe.
    ///
    /// # Errors
    /// The data folder, the database or the transport cannot be used.
    pub async fn lay(settings: &Settings, clock: Arc<dyn Clock>, migrations: Migrations) -> Result<Self, Failure> {
        let folder = if settings.is_embedded() { Some(Arc::new(claim(&settings.data_directory)?)) } else { None };
        let vault = Arc::new(vault(settings)?);
        let pools = open_database(settings).await?;
        migrate(&pools.write, migrations).await?;
        let backend = open_backend(settings).await?;
        Ok(Self {
            database: Database::new(pools.read, pools.write),
            backend,
            ids: Arc::new(Ids::new(Arc::clone(&clock))),
            clock,
            vault,
            _folder: folder,
        })
    }
}

/// Applies every migration to the database of the settings. Returns how many were new.
///
/// # Errors
/// The database cannot be reached or migrated.
pub async fn apply_migrations(settings: &Settings) -> Result<usize, Failure> {
    let _folder = if settings.is_embedded() { Some(claim(&settings.data_directory)?) } else { None };
    let pools = open_database(settings).await?;
    migrate(&pools.write, Migrations::Apply).await
}

async fn migrate(connection: &DatabaseConnection, migrations: Migrations) -> Result<usize, Failure> {
    let failed = Failure::during("The database could not be migrated");
    let pending = Migrator::get_pending_migrations(connection).await.map_err(|error| failed(&error))?.len();
    match (pending, migrations) {
        (0, _) => {}
        (_, Migrations::Apply) => Migrator::up(connection, None).await.map_err(|error| failed(&error))?,
        (_, Migrations::Require) => {
            return Err(Failure::new(format!(
                "The database lacks {pending} migrations: run `gatehouse migrate` once, then start again."
            )));
        }
    }
    Ok(pending)
}

async fn open_database(settings: &Settings) -> Result<database::Pools, Failure> {
    database::open(settings).await.map_err(|error| {
        // A database URL may hold a password; drivers do not repeat it, and neither do we.
        if settings.is_embedded() {
            let file = settings.data_directory.join(database::FILE);
            Failure::new(format!("The database {} cannot be opened: {error}.", file.display()))
        } else {
            Failure::new(format!("The database of GATEHOUSE_DATABASE_URL cannot be reached: {error}."))
        }
    })
}

async fn open_backend(settings: &Settings) -> Result<Backend, Failure> {
    if settings.is_embedded() {
        return Backend::embedded(&settings.data_directory)
            .await
            .map_err(|error| Failure::during("The queue in the data folder cannot be opened")(&error));
    }
    Backend::redis(settings.redis_url.expose(), &settings.redis_prefix)
        .await
        .map_err(|_| Failure::new("The Redis of GATEHOUSE_REDIS_URL cannot be reached: start it, or correct the URL."))
}

/// Creates the data folder and claims it for this process: SQLite and the in-process bell serve one process only.
fn claim(folder: &Path) -> Result<File, Failure> {
    let unusable = |error: std::io::Error| {
        Failure::new(format!(
            "The data folder {} cannot be written ({error}): make it writable, or set GATEHOUSE_DATA_DIRECTORY.",
            folder.display()
        ))
    };
    fs::create_dir_all(folder).map_err(unusable)?;
    let lock = File::create(folder.join("lock")).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
            "Another gatehouse uses the data folder {}: stop it, or set GATEHOUSE_DATA_DIRECTORY.",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn vault(settings: &Settings) -> Result<Vault, Failure> {
    let given = &settings.secret_key;
    let key = if !given.expose().is_empty() {
        given.clone()
    } else if settings.is_embedded() {
        kept_secret(&settings.data_directory.join("secret.key"), Vault::generate_key)?
    } else {
        return Err(Failure::new(
            "GATEHOUSE_SECRET_KEY is not set: make one with `openssl rand -base64 32` and give every process the same.",
        ));
    };
    Vault::new(&key).map_err(|error| Failure::new(format!("{error}.")))
}

/// Reads a secret from a file that only its owner may read, making it first if there is none.
///
/// # Errors
/// The file cannot be read or written.
pub fn kept_secret(path: &Path, make: impl FnOnce() -> Secret) -> Result<Secret, Failure> {
    let unusable = |error: std::io::Error| Failure::new(format!("{} cannot be used: {error}.", path.display()));
    match fs::read_to_string(path) {
        Ok(text) => Ok(Secret::new(text.trim())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = make();
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(unusable)?;
            file.write_all(secret.expose().as_bytes()).map_err(unusable)?;
            file.sync_all().map_err(unusable)?;
            Ok(secret)
        }
        Err(error) => Err(unusable(error)),
    }
}
