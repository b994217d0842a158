//! Building the release binary and running it: settings by environment, log to a file, death with its handle.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::{
    http::Caller,
    memory::{self, Memory},
};

/// How long a process may take to be ready; the embedded house syncs a new world first.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a process may take to end when asked to.
const GRACE: Duration = Duration::from_secs(30);
/// How much of a log is shown of a process that failed.
const TAIL: usize = 2_000;

/// Settings other than the defaults, by their names in `config.default.toml`.
pub(crate) type Settings = Vec<(&'static str, String)>;

/// A running process of the binary.
#[derive(Debug)]
pub(crate) struct Gatehouse {
    child: Child,
    log: PathBuf,
    began: Instant,
}

/// Builds the release binary, which takes no time if it is there, and returns where it is.
pub(crate) async fn build() -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut command = Command::from(gatehouse_tests::binary::cargo());
    command.args(["build", "--release", "--bin", "gatehouse", "--message-format=json-render-diagnostics"]);
    command.current_dir(workspace).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let output = command.spawn().context("cargo does not start")?.wait_with_output().await?;
    ensure!(output.status.success(), "the release binary does not build");
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let paths = messages.filter(|message| message["target"]["name"] == "gatehouse");
    let path = paths.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    path.context("cargo does not say where the binary is")
}

/// A port that nobody listens on.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Gatehouse {
    /// Starts `gatehouse <arguments>` with these settings and no others.
    pub(crate) fn start(binary: &Path, arguments: &[&str], settings: &Settings, folder: &Path) -> Result<Self> {
        let name = arguments.first().copied().unwrap_or("embedded");
        let log = folder.join(format!("{name}.log"));
        let mut command = Command::new(binary);
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("GATEHOUSE_") {
                command.env_remove(variable);
            }
        }
        for (setting, value) in settings {
            command.env(format!("GATEHOUSE_{}", setting.to_uppercase()), value);
        }
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .kill_on_drop(true);
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("{} does not start", binary.display()))?;
        Ok(Self { child, log, began })
    }

    /// Waits for its end, which must be a success, and returns the time since its start.
    pub(crate) async fn finished(&mut self) -> Result<Duration> {
        let status = self.child.wait().await?;
        let took = self.began.elapsed();
        ensure!(status.success(), "gatehouse ended with {status}: {}", self.tail());
        Ok(took)
    }

    /// Waits until it is ready and returns the time since its start.
    pub(crate) async fn ready(&mut self, caller: &Caller) -> Result<Duration> {
        let mut interval = tokio::time::interval(Duration::from_millis(1));
        loop {
            interval.tick().await;
            self.runs()?;
            if matches!(caller.status_of("/readyz").await, Ok(200)) {
                return Ok(self.began.elapsed());
            }
            ensure!(self.began.elapsed() < PATIENCE, "gatehouse is not ready after {PATIENCE:?}: {}", self.tail());
        }
    }

    /// That it has not ended by itself.
    pub(crate) fn runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("gatehouse ended with {status}: {}", self.tail()),
        }
    }

    pub(crate) fn memory(&mut self) -> Result<Memory> {
        self.runs()?;
        Memory::of(self.child.id().context("the process has ended")?)
    }

    pub(crate) fn processor_time(&mut self) -> Result<Duration> {
        self.runs()?;
        memory::processor_time(self.child.id().context("the process has ended")?)
    }

    /// Ends it in good order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.context("the process has ended")?, Signal::TERM)?;
        let ended = tokio::time::timeout(GRACE, self.child.wait()).await;
        ended.context("gatehouse does not end when asked to")??;
        Ok(())
    }

    fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let start = log.char_indices().rev().nth(TAIL).map_or(0, |(index, _)| index);
        log[start..].to_owned()
    }
}
