//! A PostgreSQL that belongs to whoever started it: its configuration, its folder, its address.

use std::{ffi::OsString, os::unix::fs::chown, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use tempfile::TempDir;

use super::{
    container::{Container, ContainerPlan, engine},
    installed::{Account, account_unless_ourselves, install_unless, postgres_folder},
    process::{Farewell, Process, ProcessPlan, command_as},
    server::{Server, free_port, random_password},
};

/// Enough for a suite that runs a house per test; PostgreSQL's own default is 100.
const MAX_CONNECTIONS: &str = "max_connections=300";

/// A PostgreSQL server of one's own, with durability as in production (fsync on). It ends with this value; its data with it.
#[derive(Debug)]
pub struct PrivatePostgres {
    server: Server,
    url: String,
    // Declared after the server: dropped when the server has ended.
    _folder: Option<TempDir>,
}

impl PrivatePostgres {
    /// Starts a server on a free port of 127.0.0.1: in a container when a Docker engine answers, otherwise from the installed
    /// packages, which are installed first when they are missing.
    ///
    /// # Errors
    /// None of the ways works; with the reason of each.
    pub async fn start() -> Result<Self> {
        let contained = match Self::in_container().await {
            Ok(postgres) => return Ok(postgres),
            Err(error) => error,
        };
        Self::installed()
            .await
            .with_context(|| format!("PostgreSQL is needed. {contained:#}. The installed one does not help either"))
    }

    /// The URL of the server's first database, as a superuser who may create others.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the server comes from, for a person to read.
    #[must_use]
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// Ends the server like a crash: connections break, nothing is flushed beyond what was committed.
    ///
    /// # Errors
    /// The process or container can not be reached.
    pub async fn kill(&mut self) -> Result<()> {
        self.server.kill().await
    }

    /// Starts a killed server at the same URL and waits until it has recovered.
    ///
    /// # Errors
    /// It ends at once, or does not answer within a minute.
    pub async fn start_again(&mut self) -> Result<()> {
        self.server.start_again().await?;
        self.answers().await
    }

    /// Ends the server in good order.
    ///
    /// # Errors
    /// The process or container can not be reached.
    pub async fn stop(self) -> Result<()> {
        self.server.stop().await
    }

    async fn in_container() -> Result<Self> {
        engine().await?;
        let (port, password) = (free_port()?, random_password());
        let url = url(port, &password);
        let container = Container::start(ContainerPlan {
            image: "postgres",
            tag: "17-alpine",
            inner_port: 5432,
            port,
            environment: vec![("POSTGRES_USER", "gatehouse".to_owned()), ("POSTGRES_PASSWORD", password)],
            arguments: vec!["-c".to_owned(), MAX_CONNECTIONS.to_owned()],
        })
        .await?;
        let mut postgres = Self { server: Server::Container(Box::new(container)), url, _folder: None };
        postgres.answers().await?;
        Ok(postgres)
    }

    async fn installed() -> Result<Self> {
        install_unless(|| postgres_folder().is_some()).await?;
        let programs = postgres_folder().context("PostgreSQL was installed, but initdb is not where Debian puts it")?;
        let account = account_unless_ourselves("postgres")?;
        let folder = tempfile::Builder::new().prefix("gatehouse-postgres-").tempdir()?;
        let password = random_password();
        initialise(&programs, folder.path(), account, &password).await?;
        let port = free_port()?;
        let mut arguments: Vec<OsString> = vec!["-D".into(), folder.path().join("data").into()];
        // No Unix socket: its default folder belongs to a server that may be running here for somebody else.
        for setting in
            ["listen_addresses=127.0.0.1", "unix_socket_directories=", MAX_CONNECTIONS, &format!("port={port}")]
        {
            arguments.extend(["-c".into(), setting.into()]);
        }
        let process = Process::spawn(ProcessPlan {
            program: programs.join("postgres"),
            arguments,
            account,
            log: folder.path().join("server.log"),
            stop: Farewell::Interrupt,
            // "Immediate shutdown": as abrupt as SIGKILL, recovery included, but its children end too instead of holding the data folder.
            kill: Signal::QUIT,
        })?;
        let mut postgres =
            Self { server: Server::Process(Box::new(process)), url: url(port, &password), _folder: Some(folder) };
        postgres.answers().await?;
        Ok(postgres)
    }

    async fn answers(&mut self) -> Result<()> {
        let url = self.url.clone();
        self.server.answers(|| probe(&url)).await.context("PostgreSQL does not come up")
    }
}

fn url(port: u16, password: &str) -> String {
    format!("postgres://gatehouse:{password}@127.0.0.1:{port}/postgres")
}

async fn probe(url: &str) -> Result<()> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).connect_timeout(Duration::from_secs(2)).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    connection.execute_unprepared("SELECT 1").await?;
    connection.close().await?;
    Ok(())
}

/// Creates the data folder with one superuser, `gatehouse`.
async fn initialise(programs: &Path, folder: &Path, account: Option<Account>, password: &str) -> Result<()> {
    let password_file = folder.join("password");
    std::fs::write(&password_file, password)?;
    if let Some(account) = account {
        for path in [folder, &password_file] {
            chown(path, Some(account.user), Some(account.group))?;
        }
    }
    let mut initdb = command_as(&programs.join("initdb"), account.as_ref(), None);
    initdb.args(["--no-locale", "--encoding=UTF8", "--username=gatehouse", "--auth=scram-sha-256", "--pwfile"]);
    initdb.arg(&password_file).arg("-D").arg(folder.join("data")).current_dir(folder).kill_on_drop(true);
    let output = initdb.output().await.context("initdb does not start")?;
    ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
