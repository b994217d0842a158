//! `gatehouse key rotate`: seals everything anew with the first of the vault's keys, beside whatever is running. How to
//! exchange a key is told in `platform::vault`.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use domain::{clock::Clock, secret::Secret};
use entities::store::reseal::{self, Resealed, Resealer};
use platform::{
    clock::SystemClock,
    notary::Notary,
    settings::Settings,
    vault::{Place, Vault},
};
use uuid::Uuid;

use crate::{
    failure::Failure,
    foundation::{KEY_FILE, claim, kept_secret, open_rows},
    ledger,
};

/// As many rows are named in one sentence.
const NAMED: usize = 50;

/// Seals everything anew. Returns how many values were not sealed with the first key before. An embedded house without a
/// key in its settings is given a new one.
///
/// # Errors
/// The database cannot be used; a value cannot be opened with any of the keys; somebody still seals with an older one.
/// What was sealed anew stays so: run it again.
pub async fn rotate(settings: &Settings) -> Result<u64, Failure> {
    if settings.secret_key.expose().is_empty() && settings.is_embedded() {
        return rotate_own(settings).await;
    }
    reseal_all(settings, &settings.secret_key).await
}

/// The key that the embedded house made for itself: the new one stands before the old one in its file until nothing needs
/// the old one.
async fn rotate_own(settings: &Settings) -> Result<u64, Failure> {
    let _folder: File = claim(&settings.data_directory)?;
    let path = settings.data_directory.join(KEY_FILE);
    let mut keys = kept_secret(&path, Vault::generate_key)?;
    // A rotation that was broken off goes on with the key that it had made.
    if !keys.expose().contains(',') {
        keys = Secret::new(format!("{},{}", Vault::generate_key().expose(), keys.expose()));
        replace(&path, keys.expose())?;
    }
    let count = reseal_all(settings, &keys).await?;
    replace(&path, keys.expose().split(',').next().unwrap_or_default())?;
    Ok(count)
}

/// All or nothing: a file that is written in part would lose the only key.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let unusable = |error: std::io::Error| Failure::new(format!("{} cannot be replaced: {error}.", path.display()));
    let beside = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(unusable)?;
    file.write_all(text.as_bytes()).map_err(unusable)?;
    file.sync_all().map_err(unusable)?;
    fs::rename(&beside, path).map_err(unusable)?;
    let folder = path.parent().map(File::open).transpose().map_err(unusable)?;
    folder.map(|folder| folder.sync_all()).transpose().map_err(unusable)?;
    Ok(())
}

async fn reseal_all(settings: &Settings, keys: &Secret) -> Result<u64, Failure> {
    let vault = Vault::new(keys).map_err(|error| Failure::new(format!("{error}.")))?;
    let notary = Notary::new(keys).map_err(|error| Failure::new(format!("{error}.")))?;
    let database = open_rows(settings).await?;
    let done = reseal::everything(&database, &Keys(vault)).await;
    let done = done.map_err(|error| Failure::during("Not everything could be sealed anew")(&error))?;
    let count = conclude(&done)?;
    // Signatures of the old key are believed because one of the new key follows on them.
    ledger::take_over(&database, &notary, SystemClock.now()).await?;
    Ok(count)
}

fn conclude(done: &Resealed) -> Result<u64, Failure> {
    if !done.unopenable.is_empty() {
        let named = done.unopenable.iter().take(NAMED).map(|(table, row)| format!("{table} {row}"));
        let more = done.unopenable.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        return Err(Failure::new(format!(
            "{} values were sealed anew, but none of the keys opens the value of {}{more}: add the key that they were \
             sealed with to GATEHOUSE_SECRET_KEY and run this again.",
            done.count,
            named.collect::<Vec<_>>().join(", ")
        )));
    }
    if done.more {
        return Err(Failure::new(format!(
            "{} values were sealed anew, but some process goes on sealing with an older key: start every process with the \
             new key first in GATEHOUSE_SECRET_KEY, then run this again.",
            done.count
        )));
    }
    Ok(done.count)
}

struct Keys(Vault);

impl Resealer for Keys {
    fn is_current(&self, sealed: &[u8]) -> bool {
        self.0.is_current(sealed)
    }

    fn reseal(&self, table: &'static str, column: &'static str, row: Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
        let place = Place { table, column, row };
        let plain = self.0.open(sealed, place).ok()?;
        self.0.seal(&plain, place).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use platform::clock::SystemClock;

    use super::*;
    use crate::foundation::{Foundation, Migrations};

    #[tokio::test]
    async fn the_key_that_a_house_made_for_itself_is_exchanged_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::defaults_with(&[("data_directory", folder.path().to_str().unwrap())]).unwrap();
        let file = folder.path().join(KEY_FILE);
        let lay = || Foundation::lay(&settings, Arc::new(SystemClock), Migrations::Apply);
        let (tenant, pin) = (Uuid::from_u128(1), Secret::new("482913"));
        let running = lay().await.unwrap();
        let (first, fingerprint) = (fs::read_to_string(&file).unwrap(), running.vault.fingerprint(tenant, &pin));
        assert!(rotate(&settings).await.is_err(), "it would seal with a key that is gone");
        assert_eq!(fs::read_to_string(&file).unwrap(), first);
        drop(running);

        assert_eq!(rotate(&settings).await.unwrap(), 1, "the fingerprints' key");
        let second = fs::read_to_string(&file).unwrap();
        assert!(second != first && !second.contains(','));
        let again = lay().await.unwrap();
        assert_eq!(again.vault.fingerprint(tenant, &pin), fingerprint);
        drop(again);

        // One that was broken off goes on with the key that it had made.
        let third = Vault::generate_key();
        replace(&file, &format!("{},{second}", third.expose())).unwrap();
        assert_eq!(rotate(&settings).await.unwrap(), 1);
        assert_eq!(fs::read_to_string(&file).unwrap(), third.expose());
    }

    #[test]
    fn what_is_not_done_is_told() {
        let lost: Vec<_> = (0..60).map(|row| ("commands", Uuid::from_u128(row))).collect();
        let told = conclude(&Resealed { count: 7, unopenable: lost, more: true }).unwrap_err().to_string();
        assert!(told.starts_with("7 values") && told.contains("and 10 more") && !told.contains('\n'), "{told}");
        assert!(conclude(&Resealed { more: true, ..Resealed::default() }).is_err());
        assert_eq!(conclude(&Resealed { count: 3, ..Resealed::default() }).unwrap(), 3);
    }
}
