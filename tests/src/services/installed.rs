//! What this machine has: binaries, accounts, and how to install the servers when they are missing.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{process::Command, sync::Mutex};

/// A user of this machine under whom a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// The user's number.
    pub(super) user: u32,
    /// The number of the user's own group.
    pub(super) group: u32,
}

/// Finds a program in `PATH`.
pub(super) fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Finds the newest folder with PostgreSQL's server programs: Debian keeps them out of `PATH`.
pub(super) fn postgres_folder() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| has_server(folder))
        .max_by_key(|(version, _)| *version)
        .map(|(_, folder)| folder);
    newest.or_else(|| {
        in_path("postgres").and_then(|file| file.parent().map(Path::to_owned)).filter(|folder| has_server(folder))
    })
}

/// The account for a server that refuses to run as root: `None` when we are not root and can run it ourselves.
///
/// # Errors
/// We are root and there is no such user.
pub(super) fn account_unless_ourselves(name: &str) -> Result<Option<Account>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").context("/etc/passwd can not be read")?;
    let account = account_in(&users, name);
    ensure!(account.is_some(), "this is root, and there is no user {name} to run the server as");
    Ok(account)
}

/// Installs Debian's packages of both servers when `present` says that one is missing. Their own services are not started.
///
/// # Errors
/// This is not a Debian, or neither root nor sudo; with what the script said.
pub(super) async fn install_unless(present: impl Fn() -> bool) -> Result<()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    if present() {
        return Ok(());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/install-servers.sh");
    let output = Command::new("bash").arg(script).kill_on_drop(true).output().await.context("bash does not start")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}", said.trim().lines().last().unwrap_or("scripts/install-servers.sh failed without a word"));
    }
    Ok(())
}

fn has_server(folder: &Path) -> bool {
    ["postgres", "initdb"].iter().all(|program| folder.join(OsStr::new(program)).is_file())
}

fn account_in(passwd: &str, name: &str) -> Option<Account> {
    let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    fields.into_iter().find_map(|fields| match fields[..] {
        [user, _, uid, gid, ..] if user == name => Some(Account { user: uid.parse().ok()?, group: gid.parse().ok()? }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:8::/:/bin/sh\npostgres:x:105:109:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(account_in(passwd, "postgres"), Some(Account { user: 105, group: 109 }));
        assert_eq!(account_in(passwd, "redis"), None);
        assert_eq!(account_in("postgres:x:many:109:", "postgres"), None);
    }
}
