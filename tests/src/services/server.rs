//! One server of either kind, container or process, and the three things that can be done to it. How each server is configured
//! lives in `postgres` and `redis`.

use std::{future::Future, net::TcpListener, time::Duration};

use anyhow::{Context, Result, bail};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{container::Container, process::Process};

/// How long a server may take until it answers; an initial `docker pull` is not part of it.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A server that belongs to this value: it ends when the value is dropped.
#[derive(Debug)]
pub(super) enum Server {
    /// In a container of the local Docker engine.
    Container(Box<Container>),
    /// From the machine's own packages.
    Process(Box<Process>),
}

impl Server {
    /// Says in three words where the server comes from.
    pub(super) fn origin(&self) -> String {
        match self {
            Self::Container(container) => format!("container {}", container.image()),
            Self::Process(process) => process.program().display().to_string(),
        }
    }

    /// Ends the server as a crash does: it has no chance to say goodbye or to flush. Its data stay.
    pub(super) async fn kill(&mut self) -> Result<()> {
        match self {
            Self::Container(container) => container.kill().await,
            Self::Process(process) => process.kill().await,
        }
    }

    /// Starts a killed server on the same port with the data it left.
    pub(super) async fn start_again(&mut self) -> Result<()> {
        match self {
            Self::Container(container) => container.start_again().await,
            Self::Process(process) => process.start(),
        }
    }

    /// Ends the server in good order and waits until it is gone.
    pub(super) async fn stop(self) -> Result<()> {
        match self {
            Self::Container(container) => container.remove().await,
            Self::Process(mut process) => process.stop().await,
        }
    }

    /// Fails when the server has already ended, with the end of its log.
    fn still_running(&mut self) -> Result<()> {
        match self {
            Self::Container(_) => Ok(()),
            Self::Process(process) => process.still_running(),
        }
    }

    /// Returns when `probe` succeeds.
    ///
    /// # Errors
    /// The server ended, or did not answer in time; then with what the last probe said.
    pub(super) async fn answers<F>(&mut self, probe: impl Fn() -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        let mut last = None;
        let mut ticks = interval(Duration::from_millis(50));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let waiting = async {
            loop {
                ticks.tick().await;
                self.still_running()?;
                match probe().await {
                    Ok(()) => return Ok(()),
                    Err(error) => last = Some(error),
                }
            }
        };
        match timeout(START_LIMIT, waiting).await {
            Ok(outcome) => outcome,
            Err(_) => match last {
                Some(error) => Err(error.context(format!("no answer within {} s", START_LIMIT.as_secs()))),
                None => bail!("no answer within {} s", START_LIMIT.as_secs()),
            },
        }
    }
}

/// Asks the kernel for a port on 127.0.0.1 that nobody uses now.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// A password nobody knows, for a server that other people of this machine can reach too.
pub(super) fn random_password() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}
