//! The processes that are measured, from their first start to their end: embedded is one of them, distributed an api and a worker on
//! PostgreSQL and Redis. How they start and what they occupy is measured here, what they do elsewhere.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use gatehouse_tests::{services, wait::until};
use platform::vault::Vault;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    http::Caller,
    latency::{Bytes, Outcomes},
    memory::Memory,
    process::{self, Gatehouse, Settings},
    throughput::{Accepted, Aftermath, Pages},
    world::{DOORS, Vendors},
};

/// How long a process is left alone before its idle memory is read.
const CALM: Duration = Duration::from_secs(3);

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One process on SQLite.
    Embedded,
    /// An api and a worker on PostgreSQL and Redis.
    Distributed,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Embedded => "embedded",
            Self::Distributed => "distributed",
        })
    }
}

/// From the start of a process to its first readiness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Starts {
    /// `gatehouse migrate` on an empty database, where that is a process of its own.
    pub(crate) migrate: Option<Duration>,
    /// With an empty folder or database; the embedded house with its demo.
    pub(crate) first: Duration,
    /// With everything there.
    pub(crate) second: Duration,
}

/// Everything measured of one kind.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) starts: Starts,
    pub(crate) idle: Vec<Memory>,
    pub(crate) pages: Pages,
    pub(crate) bytes: Bytes,
    pub(crate) outcome: Outcomes,
    pub(crate) accepted: Accepted,
    pub(crate) aftermath: Aftermath,
    /// After all of it, in the order of `idle`.
    pub(crate) peak: Vec<Memory>,
    /// What reading the pages consumed, in the order of `idle`.
    pub(crate) pages_consumed: Vec<Duration>,
    /// What accepting the commands and carrying them out meanwhile consumed, in the order of `idle`.
    pub(crate) accepted_consumed: Vec<Duration>,
}

/// Running processes with [`DOORS`] doors.
pub(crate) struct Premises {
    pub(crate) caller: Caller,
    pub(crate) vendors: Vendors,
    pub(crate) starts: Starts,
    pub(crate) idle: Vec<Memory>,
    processes: Vec<Gatehouse>,
    // Declared last: emptied when the processes have ended.
    _folder: TempDir,
}

/// Where a kind's processes live.
struct Place<'a> {
    binary: &'a Path,
    /// Logs go here; a data folder is below.
    folder: PathBuf,
    settings: Settings,
    caller: Caller,
}

impl Premises {
    /// Starts everything once to have it measured and synced, and once more to have it fresh.
    pub(crate) async fn open(kind: Kind, binary: &Path) -> Result<Self> {
        // Beside the binary: on a real disk, which a folder for temporary files need not be.
        let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(binary.parent().unwrap_or(Path::new(".")))?;
        let vendors = Vendors::open().await?;
        let address = process::free_address()?;
        let mut place = Place {
            binary,
            folder: folder.path().to_owned(),
            settings: vec![
                ("http_address", address.to_string()),
                ("secret_key", Vault::generate_key().expose().to_owned()),
            ],
            caller: Caller { address, key: String::new() },
        };
        let (starts, idle, processes) = match kind {
            Kind::Embedded => place.open_embedded(&vendors).await?,
            Kind::Distributed => place.open_distributed(&vendors).await?,
        };
        Ok(Self { caller: place.caller, vendors, starts, idle, processes, _folder: folder })
    }

    /// What the processes occupy: the one, or api and worker.
    pub(crate) fn memory(&mut self) -> Result<Vec<Memory>> {
        self.processes.iter_mut().map(Gatehouse::memory).collect()
    }

    /// What the processes have consumed since they started, in the order of `memory`.
    pub(crate) fn processor_time(&mut self) -> Result<Vec<Duration>> {
        self.processes.iter_mut().map(Gatehouse::processor_time).collect()
    }

    /// Ends everything in good order.
    pub(crate) async fn close(self) -> Result<()> {
        for process in self.processes {
            process.stop().await?;
        }
        self.vendors.simulator.shutdown().await;
        Ok(())
    }
}

impl Place<'_> {
    async fn open_embedded(&mut self, vendors: &Vendors) -> Result<(Starts, Vec<Memory>, Vec<Gatehouse>)> {
        self.settings.push(("simulator_address", process::free_address()?.to_string()));
        // The demo, as whoever types `gatehouse` has it.
        let demo = self.folder.join("demo");
        self.settings.push(("data_directory", demo.display().to_string()));
        let (process, first) = self.start(&[]).await?;
        process.stop().await?;
        let (mut process, second) = self.start(&[]).await?;
        calm().await;
        let idle = vec![process.memory()?];
        process.stop().await?;
        // The larger world.
        self.settings.retain(|(name, _)| *name != "data_directory");
        self.settings.push(("data_directory", self.folder.join("data").display().to_string()));
        self.furnish(vendors).await?;
        let (process, _) = self.start(&[]).await?;
        self.synced().await?;
        process.stop().await?;
        let (process, _) = self.start(&[]).await?;
        calm().await;
        Ok((Starts { migrate: None, first, second }, idle, vec![process]))
    }

    async fn open_distributed(&mut self, vendors: &Vendors) -> Result<(Starts, Vec<Memory>, Vec<Gatehouse>)> {
        let redis = services::redis().await;
        self.settings.push(("database_url", services::postgres().await));
        self.settings.push(("redis_url", redis.url));
        self.settings.push(("redis_prefix", redis.prefix));
        self.settings.push(("allow_private_vendor_addresses", "loopback".to_owned()));
        let mut migration = Gatehouse::start(self.binary, &["migrate"], &self.settings, &self.folder)?;
        let migrate = Some(migration.finished().await?);
        let (api, first) = self.start(&["api"]).await?;
        self.furnish(vendors).await?;
        let worker = Gatehouse::start(self.binary, &["worker"], &self.settings, &self.folder)?;
        self.synced().await?;
        worker.stop().await?;
        api.stop().await?;
        let (mut api, second) = self.start(&["api"]).await?;
        let mut worker = Gatehouse::start(self.binary, &["worker"], &self.settings, &self.folder)?;
        calm().await;
        let idle = vec![api.memory()?, worker.memory()?];
        Ok((Starts { migrate, first, second }, idle, vec![api, worker]))
    }

    async fn start(&self, arguments: &[&str]) -> Result<(Gatehouse, Duration)> {
        let mut process = Gatehouse::start(self.binary, arguments, &self.settings, &self.folder)?;
        let took = process.ready(&self.caller).await?;
        Ok((process, took))
    }

    async fn furnish(&mut self, vendors: &Vendors) -> Result<()> {
        let settings: Vec<(&str, &str)> = self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.caller.key = vendors.furnish(&settings).await?.expose().to_owned();
        Ok(())
    }

    /// Waits until every door is there.
    async fn synced(&self) -> Result<()> {
        until("every door is synced", async || {
            let data = self.caller.data("{ doors(first: 1) { totalCount } }", &json!({})).await;
            match data {
                Ok(data) if data["doors"]["totalCount"] == DOORS => Some(Ok(())),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            }
        })
        .await
    }
}

async fn calm() {
    let mut interval = tokio::time::interval(CALM);
    interval.tick().await;
    interval.tick().await;
}
