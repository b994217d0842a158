//! What every process of a house stands on: data folder, database, transport, clock, ids and vault.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use domain::{clock::Clock, ids::IdSource, secret::Secret};
use entities::{Database, store::vault_keys};
use messaging::Backend;
use migration::{Migrator, MigratorTrait};
use platform::{
    database,
    ids::Ids,
    notary::Notary,
    settings::Settings,
    vault::{Place, Vault},
};
use sea_orm::DatabaseConnection;

use crate::failure::Failure;

/// The file of the embedded house's own keys.
pub(crate) const KEY_FILE: &str = "secret.key";

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
    /// Signs for the ledger.
    pub notary: Arc<Notary>,
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
        let keys = secret_keys(settings)?;
        let (vault, notary) = (vault(&keys)?, Arc::new(notary(&keys)?));
        let pools = open_database(settings).await?;
        migrate(&pools.write, migrations).await?;
        let backend = open_backend(settings).await?;
        let database = Database::new(pools.read, pools.write);
        let ids = Ids::new(Arc::clone(&clock)).marked_by(Arc::clone(&notary));
        let vault = Arc::new(with_fingerprints(vault, &database, &ids, clock.now()).await?);
        Ok(Self { database, backend, ids: Arc::new(ids), clock, vault, notary, _folder: folder })
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

/// The rows of the settings' database alone, beside a house that may be running on it.
///
/// # Errors
/// The database cannot be reached, or lacks migrations.
pub async fn open_rows(settings: &Settings) -> Result<Database, Failure> {
    let pools = open_database(settings).await?;
    migrate(&pools.write, Migrations::Require).await?;
    Ok(Database::new(pools.read, pools.write))
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
pub(crate) fn claim(folder: &Path) -> Result<File, Failure> {
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

fn secret_keys(settings: &Settings) -> Result<Secret, Failure> {
    let given = &settings.secret_key;
    if !given.expose().is_empty() {
        Ok(given.clone())
    } else if settings.is_embedded() {
        kept_secret(&settings.data_directory.join(KEY_FILE), Vault::generate_key)
    } else {
        Err(Failure::new(
            "GATEHOUSE_SECRET_KEY is not set: make one with `openssl rand -base64 32` and give every process the same.",
        ))
    }
}

fn vault(keys: &Secret) -> Result<Vault, Failure> {
    Vault::new(keys).map_err(|error| Failure::new(format!("{error}.")))
}

fn notary(keys: &Secret) -> Result<Notary, Failure> {
    Notary::new(keys).map_err(|error| Failure::new(format!("{error}.")))
}

/// The database of the settings and the notary of its ledger, for looking beside a house that may be running.
///
/// # Errors
/// There is no house, or its database cannot be reached or lacks migrations.
pub async fn open_ledger(settings: &Settings) -> Result<(Database, Notary), Failure> {
    if settings.is_embedded() && !settings.data_directory.join(database::FILE).exists() {
        let folder = settings.data_directory.display();
        return Err(Failure::new(format!("There is no house in {folder}: set GATEHOUSE_DATA_DIRECTORY.")));
    }
    let notary = notary(&secret_keys(settings)?)?;
    Ok((open_rows(settings).await?, notary))
}

/// The vault with the key of fingerprints that the house keeps, made at its first start.
async fn with_fingerprints(
    vault: Vault,
    database: &Database,
    ids: &Ids,
    now: domain::clock::Timestamp,
) -> Result<Vault, Failure> {
    let failed = Failure::during("The key of fingerprints cannot be used");
    let place = |row| Place { table: "vault_keys", column: "sealed", row };
    let known = vault_keys::find(database, vault_keys::FINGERPRINTS).await.map_err(|error| failed(&error))?;
    let kept = match known {
        Some(kept) => kept,
        None => {
            let id = ids.next_uuid();
            let sealed = vault.seal(vault.first_fingerprint_key(), place(id)).map_err(|error| failed(&error))?;
            let kept = vault_keys::keep(database, id, vault_keys::FINGERPRINTS, sealed, now).await;
            kept.map_err(|error| failed(&error))?
        }
    };
    let key = vault.open(&kept.sealed, place(kept.id)).map_err(|error| failed(&error))?;
    vault.with_fingerprint_key(&key).map_err(|error| failed(&error))
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
