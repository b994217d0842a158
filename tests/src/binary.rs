//! The real `gatehouse` binary, built once, and processes of it that end with their handle.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

/// Where the binary is. Built on the first call, with everything else: for it alone cargo would build most crates anew.
///
/// # Panics
/// It does not build.
#[expect(clippy::expect_used, reason = "a test without the binary cannot go on")]
pub fn gatehouse() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let mut build = cargo();
        build.current_dir(root).args(["build", "-q", "--workspace", "--all-targets"]);
        assert!(build.status().expect("cargo").success(), "the binary does not build");
        // A test lies in <target>/<profile>/deps, a program of the suite beside the binary.
        let own = std::env::current_exe().expect("a path");
        let folder = own.parent().expect("a folder");
        let folder = if folder.ends_with("deps") { folder.parent().expect("a target folder") } else { folder };
        folder.join("gatehouse")
    })
}

/// Cargo, as if it were not called by a program that cargo runs: what such a program is told of its package would have
/// build scripts that look at it run again, and most crates compiled anew.
#[must_use]
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_package)) {
        cargo.env_remove(name);
    }
    cargo
}

/// A command of the binary with nothing of this process's environment that could be a setting.
#[must_use]
pub fn command(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(gatehouse());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GATEHOUSE_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
    command
}

/// A process that is killed with its handle.
#[derive(Debug)]
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that was free a moment ago.
///
/// # Panics
/// The machine has no port left.
#[must_use]
#[expect(clippy::expect_used, reason = "a test without a port cannot go on")]
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

/// Runs the binary to its end.
///
/// # Panics
/// It does not start.
#[expect(clippy::expect_used, reason = "a test without the binary cannot go on")]
pub async fn run(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = tokio::process::Command::from(command(arguments, environment));
    command.kill_on_drop(true).output().await.expect("the binary runs")
}

/// A process whose words can be read while it runs. Killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: tokio::process::Child,
    out: BufReader<tokio::process::ChildStdout>,
    err: BufReader<tokio::process::ChildStderr>,
}

impl Running {
    /// Starts the binary.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test without the binary cannot go on")]
    pub fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = tokio::process::Command::from(command(arguments, environment));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let err = BufReader::new(child.stderr.take().expect("its log"));
        Self { child, out, err }
    }

    /// What it prints from here on, up to and with the first line in which `last` stands.
    ///
    /// # Panics
    /// It ends before.
    pub async fn printed(&mut self, last: &str) -> String {
        until_line(&mut self.out, last).await
    }

    /// What it logs from here on, up to and with the first line in which `last` stands.
    ///
    /// # Panics
    /// It ends before.
    pub async fn logged(&mut self, last: &str) -> String {
        until_line(&mut self.err, last).await
    }

    /// Sends it SIGTERM and waits for its end; the output is what it still had to say.
    ///
    /// # Panics
    /// It cannot be signalled.
    #[expect(clippy::expect_used, reason = "a test that cannot stop what it started must fail")]
    pub async fn stop(mut self) -> Output {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).expect("a process");
        kill_process(id, Signal::TERM).expect("a signal");
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let (out, err, status) =
            tokio::join!(self.out.read_to_end(&mut stdout), self.err.read_to_end(&mut stderr), self.child.wait());
        out.and(err).expect("its last words");
        Output { status: status.expect("its end"), stdout, stderr }
    }
}

async fn until_line(lines: &mut (impl AsyncBufReadExt + Unpin), last: &str) -> String {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        let read = lines.read_line(&mut line).await;
        text.push_str(&line);
        if line.contains(last) {
            return text;
        }
        assert!(read.is_ok_and(|count| count > 0), "ended without \"{last}\" after: {text}");
    }
}
