//! `with_services <command> [arguments]`: runs a command with a PostgreSQL and a Redis in its environment and ends with its exit code.
//! A server named by the environment is used as it is; the others are started for the command and ended after it, also on Ctrl-C.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use gatehouse_tests::services::{POSTGRES_URL, PrivatePostgres, PrivateRedis, REDIS_URL};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, Command},
    signal::unix::{self, SignalKind},
    time::timeout,
};

/// How long the command may take to end after a signal before it is killed.
const GRACE: Duration = Duration::from_secs(15);

/// What a shell reports for a command that can not be started.
const NOT_STARTED: u8 = 127;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        say("usage: with_services <command> [arguments]");
        return ExitCode::from(2);
    };
    match run(program, arguments.collect()).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::from(NOT_STARTED)
        }
    }
}

/// The servers for one command: a URL each, and the server itself where it is ours to end.
struct Services {
    postgres: (String, Option<PrivatePostgres>),
    redis: (String, Option<PrivateRedis>),
}

impl Services {
    /// Provides both servers.
    ///
    /// # Errors
    /// One of them can not be provided on this machine; with the reason of every way that was tried.
    async fn start() -> Result<Self> {
        let (postgres, redis) = tokio::try_join!(
            async {
                if let Some(url) = given(POSTGRES_URL) {
                    return Ok((url, None));
                }
                let server = PrivatePostgres::start().await?;
                say(&format!("PostgreSQL from {}: {}", server.origin(), server.url()));
                Ok::<_, anyhow::Error>((server.url().to_owned(), Some(server)))
            },
            async {
                if let Some(url) = given(REDIS_URL) {
                    return Ok((url, None));
                }
                let server = PrivateRedis::start().await?;
                say(&format!("Redis from {}: {}", server.origin(), server.url()));
                Ok((server.url().to_owned(), Some(server)))
            }
        )?;
        Ok(Self { postgres, redis })
    }

    async fn stop(self) -> Result<()> {
        if let Some(server) = self.redis.1 {
            server.stop().await?;
        }
        if let Some(server) = self.postgres.1 {
            server.stop().await?;
        }
        Ok(())
    }
}

/// Ctrl-C, a polite kill, and a closed terminal.
struct Interruptions {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hangup: unix::Signal,
}

impl Interruptions {
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hangup: unix::signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hangup.recv() => Signal::HUP,
        }
    }
}

async fn run(program: OsString, arguments: Vec<OsString>) -> Result<u8> {
    let mut interruptions = Interruptions::listen().context("signals can not be received")?;
    let services = tokio::select! {
        services = Services::start() => services?,
        signal = interruptions.next() => return Ok(code_of_signal(signal.as_raw())),
    };
    let outcome = supervise(&services, program, arguments, &mut interruptions).await;
    services.stop().await?;
    outcome
}

/// Runs the command to its end. The first interruption is passed on to all of its processes; the servers stay up until they are gone.
async fn supervise(
    services: &Services,
    program: OsString,
    arguments: Vec<OsString>,
    interruptions: &mut Interruptions,
) -> Result<u8> {
    let mut command = Command::new(&program);
    command.args(arguments).env(POSTGRES_URL, &services.postgres.0).env(REDIS_URL, &services.redis.0);
    // Left by the cargo that runs us. In the environment of another cargo they would rebuild every C library, each time.
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_MANIFEST_LINKS", "CARGO_PRIMARY_PACKAGE"] {
        command.env_remove(variable);
    }
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        command.env_remove(variable);
    }
    // A group of its own, so that a signal reaches cargo's test processes too, however it reached us.
    command.process_group(0).stdin(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().with_context(|| format!("{} does not start", program.display()))?;
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    tokio::select! {
        status = child.wait() => Ok(code_of(status?)),
        signal = interruptions.next() => {
            end(&mut child, group, signal).await;
            Ok(code_of_signal(signal.as_raw()))
        }
    }
}

/// Signals the command's processes and waits for the first of them to end, by force after a while.
async fn end(child: &mut Child, group: Option<Pid>, signal: Signal) {
    let Some(group) = group else { return };
    // A group whose processes are all gone can not be signalled, and need not be.
    let _gone_already = kill_process_group(group, signal);
    if timeout(GRACE, child.wait()).await.is_err() {
        say("the command does not end: killing it");
    }
    let _gone_already = kill_process_group(group, Signal::KILL);
}

fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}

fn code_of(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(1),
        (None, Some(signal)) => code_of_signal(signal),
        (None, None) => 1,
    }
}

/// As a shell reports a command that a signal ended.
fn code_of_signal(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

#[expect(
    clippy::print_stderr,
    reason = "this program's messages are for the person at the terminal; stdout is the command's"
)]
fn say(message: &str) {
    eprintln!("with_services: {message}");
}
