//! A Redis that belongs to whoever started it: its configuration, its folder, its address.

use anyhow::{Context, Result};
use rustix::process::Signal;
use tempfile::TempDir;

use super::{
    container::{Container, ContainerPlan, engine},
    installed::{in_path, install_unless},
    process::{Farewell, Process, ProcessPlan},
    server::{Server, free_port, random_password},
};

/// As in docker-compose.yml: losing a second of jobs is allowed, forgetting keys to make room is not.
const SETTINGS: [(&str, &str); 4] =
    [("appendonly", "yes"), ("appendfsync", "everysec"), ("maxmemory-policy", "noeviction"), ("save", "\"\"")];

/// A Redis server of one's own. It ends with this value; its data with it.
#[derive(Debug)]
pub struct PrivateRedis {
    server: Server,
    url: String,
    // Declared after the server: dropped when the server has ended.
    _folder: Option<TempDir>,
}

impl PrivateRedis {
    /// Starts a server on a free port of 127.0.0.1: in a container when a Docker engine answers, otherwise from the installed
    /// packages, which are installed first when they are missing.
    ///
    /// # Errors
    /// None of the ways works; with the reason of each.
    pub async fn start() -> Result<Self> {
        let contained = match Self::in_container().await {
            Ok(redis) => return Ok(redis),
            Err(error) => error,
        };
        Self::installed()
            .await
            .with_context(|| format!("Redis is needed. {contained:#}. The installed one does not help either"))
    }

    /// The server's URL, password included.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the server comes from, for a person to read.
    #[must_use]
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// Ends the server with SIGKILL: connections break, and up to the last second of writes may be lost.
    ///
    /// # Errors
    /// The process or container can not be reached.
    pub async fn kill(&mut self) -> Result<()> {
        self.server.kill().await
    }

    /// Starts a killed server at the same URL and waits until it has read its append-only file.
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
        let mut arguments = vec!["redis-server".to_owned(), "--requirepass".to_owned(), password];
        for (key, value) in SETTINGS {
            arguments.extend([format!("--{key}"), value.trim_matches('"').to_owned()]);
        }
        let container = Container::start(ContainerPlan {
            image: "redis",
            tag: "7-alpine",
            inner_port: 6379,
            port,
            environment: Vec::new(),
            arguments,
        })
        .await?;
        let mut redis = Self { server: Server::Container(Box::new(container)), url, _folder: None };
        redis.answers().await?;
        Ok(redis)
    }

    async fn installed() -> Result<Self> {
        install_unless(|| in_path("redis-server").is_some()).await?;
        let program = in_path("redis-server").context("Redis was installed, but redis-server is not in PATH")?;
        let folder = tempfile::Builder::new().prefix("gatehouse-redis-").tempdir()?;
        let (port, password) = (free_port()?, random_password());
        let configuration = folder.path().join("redis.conf");
        let mut text =
            format!("bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {}\n", folder.path().display());
        for (key, value) in SETTINGS {
            text.push_str(&format!("{key} {value}\n"));
        }
        std::fs::write(&configuration, text)?;
        let process = Process::spawn(ProcessPlan {
            program,
            arguments: vec![configuration.into()],
            account: None,
            log: folder.path().join("server.log"),
            stop: Farewell::Terminate,
            kill: Signal::KILL,
        })?;
        let mut redis =
            Self { server: Server::Process(Box::new(process)), url: url(port, &password), _folder: Some(folder) };
        redis.answers().await?;
        Ok(redis)
    }

    async fn answers(&mut self) -> Result<()> {
        let url = self.url.clone();
        self.server.answers(|| probe(&url)).await.context("Redis does not come up")
    }
}

fn url(port: u16, password: &str) -> String {
    format!("redis://default:{password}@127.0.0.1:{port}/")
}

async fn probe(url: &str) -> Result<()> {
    let mut connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    redis::cmd("PING").query_async::<()>(&mut connection).await?;
    Ok(())
}
