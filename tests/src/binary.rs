//! The real `gatehouse` binary, built once, and processes of it that end with their handle.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// Where the binary is. Built on the first call: `cargo test` does not build the binaries of other packages.
///
/// # Panics
/// It does not build.
#[expect(clippy::expect_used, reason = "a test without the binary cannot go on")]
pub fn gatehouse() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(root).args(["build", "-q", "-p", "gatehouse", "--bin", "gatehouse"]);
        assert!(build.status().expect("cargo").success(), "the binary does not build");
        // This test lies in <target>/<profile>/deps.
        let test = std::env::current_exe().expect("a path");
        test.ancestors().nth(2).expect("a target folder").join("gatehouse")
    })
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
