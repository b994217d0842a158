//! A server as a child process of this one, with a log file and an end in good order. It knows nothing of the server inside.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::installed::Account;

/// How long a server may take to end in good order before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// What to run, and how to end it.
#[derive(Clone, Debug)]
pub(super) struct ProcessPlan {
    /// The server's binary.
    pub(super) program: PathBuf,
    /// Its command line.
    pub(super) arguments: Vec<OsString>,
    /// Who runs it; `None` for the user we are.
    pub(super) account: Option<Account>,
    /// Where its output goes.
    pub(super) log: PathBuf,
    /// What it takes for "end in good order".
    pub(super) stop: Farewell,
    /// What ends it like a crash.
    pub(super) kill: Signal,
}

/// How a server is asked to end in good order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Farewell {
    /// SIGINT: for PostgreSQL, which takes SIGTERM as "once every client has left".
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Farewell {
    fn signal(self) -> Signal {
        match self {
            Self::Interrupt => Signal::INT,
            Self::Terminate => Signal::TERM,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
        }
    }
}

/// A server process that ends when this value is dropped, and, where util-linux is there, when the thread that started it ends.
#[derive(Debug)]
pub(super) struct Process {
    plan: ProcessPlan,
    child: Option<Child>,
}

impl Process {
    /// Starts the server. Whether it answers is for the caller to find out.
    pub(super) fn spawn(plan: ProcessPlan) -> Result<Self> {
        let mut process = Self { plan, child: None };
        process.start()?;
        Ok(process)
    }

    /// The server's binary.
    pub(super) fn program(&self) -> &Path {
        &self.plan.program
    }

    /// Starts the server, again with what it left behind.
    pub(super) fn start(&mut self) -> Result<()> {
        let log = open_log(&self.plan.log)?;
        let mut command = command_as(&self.plan.program, self.plan.account.as_ref(), Some(self.plan.stop));
        command.args(&self.plan.arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // A group of its own: Ctrl-C in the terminal is for the tests, which still need the server while they end.
        command.process_group(0).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{} does not start", self.plan.program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Ends the server like a crash and waits until it is gone.
    pub(super) async fn kill(&mut self) -> Result<()> {
        self.end_with(self.plan.kill).await
    }

    /// Ends the server in good order, by force when that takes too long.
    pub(super) async fn stop(&mut self) -> Result<()> {
        self.end_with(self.plan.stop.signal()).await
    }

    /// Fails with the end of the log when the server is not running any more.
    pub(super) fn still_running(&mut self) -> Result<()> {
        let Some(child) = &mut self.child else { bail!("{} was stopped", self.plan.program.display()) };
        if let Some(status) = child.try_wait()? {
            let log = std::fs::read_to_string(&self.plan.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let end = lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n");
            bail!("{} ended ({status}):\n{end}", self.plan.program.display());
        }
        Ok(())
    }

    async fn end_with(&mut self, signal: Signal) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        send(&child, signal);
        if timeout(STOP_LIMIT, child.wait()).await.is_err() {
            child.kill().await.context("the server can not be killed")?;
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        send(&child, self.plan.stop.signal());
        // Dropping can not wait asynchronously, and a server that outlives its folder would write into the next test's noise.
        for _ in 0..100 {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "drop is synchronous: this is the condition's polling interval"
            )]
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A command run by `account`, which gets `on_orphan` when the thread that started it ends.
pub(super) fn command_as(program: &Path, account: Option<&Account>, on_orphan: Option<Farewell>) -> Command {
    let Some(setpriv) = super::installed::in_path("setpriv") else {
        let mut command = Command::new(program);
        if let Some(account) = account {
            command.uid(account.user).gid(account.group);
        }
        return command;
    };
    let mut command = Command::new(setpriv);
    if let Some(account) = account {
        command
            .arg(format!("--reuid={}", account.user))
            .arg(format!("--regid={}", account.group))
            .arg("--clear-groups");
    }
    if let Some(farewell) = on_orphan {
        command.arg(format!("--pdeathsig={}", farewell.name()));
    }
    command.arg("--").arg(program);
    command
}

/// Sends a signal to a child that may just have ended: then there is nobody left to tell.
fn send(child: &Child, signal: Signal) {
    if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) {
        let _gone_already = kill_process(pid, signal);
    }
}

fn open_log(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("{} can not be written", path.display()))
}
