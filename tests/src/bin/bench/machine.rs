//! What it was measured on. Whatever can not be found out is said to be unknown; nothing fails here.

use std::{
    fmt::Write as _,
    process::{Command, Stdio},
};

use gatehouse_tests::services::{POSTGRES_URL, REDIS_URL};
use sea_orm::{ConnectionTrait, Statement};

/// A few lines about the machine and what runs on it.
pub(crate) async fn describe(with_services: bool) -> String {
    let cpu = of_file("/proc/cpuinfo", "model name");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = of_file("/proc/meminfo", "MemTotal");
    let system = said("uname", &["-srm"]).unwrap_or_else(unknown);
    let rustc = said("rustc", &["--version"]).unwrap_or_else(unknown);
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = writeln!(text, "Machine      {cpu}, {cores} cores, {memory}; load before the bench {}", load());
    let _ = writeln!(text, "System       {system}, {rustc}");
    if with_services {
        let _ =
            writeln!(text, "Services     PostgreSQL {}, Redis {}, on the same cores", postgres().await, redis().await);
    }
    let _ = writeln!(text, "Gatehouse    {}", commit());
    text
}

/// Above half a core or so, somebody else was measured too.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|load| !load.is_empty()).map_or_else(unknown, str::to_owned)
}

fn of_file(path: &str, name: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
    line.map_or_else(unknown, |(_, value)| value.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn commit() -> String {
    let git = |arguments: &[&str]| said("git", &[&["-C", env!("CARGO_MANIFEST_DIR")], arguments].concat());
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(unknown);
    let changes = git(&["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
    format!("{}, commit {commit}{}", env!("CARGO_PKG_VERSION"), if changes { " with changes" } else { "" })
}

async fn postgres() -> String {
    let Ok(url) = std::env::var(POSTGRES_URL) else { return unknown() };
    let Ok(server) = sea_orm::Database::connect(url).await else { return unknown() };
    let mut answers = Vec::new();
    for setting in ["server_version", "fsync", "synchronous_commit"] {
        let statement = Statement::from_string(server.get_database_backend(), format!("SHOW {setting}"));
        let row = server.query_one_raw(statement).await.ok().flatten();
        answers.push(row.and_then(|row| row.try_get_by_index::<String>(0).ok()).unwrap_or_else(unknown));
    }
    format!("{} (fsync {}, synchronous_commit {})", answers[0], answers[1], answers[2])
}

async fn redis() -> String {
    let ask = async {
        let client = redis::Client::open(std::env::var(REDIS_URL).ok()?).ok()?;
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await.ok()?;
        info.lines().find_map(|line| line.strip_prefix("redis_version:").map(|version| version.trim().to_owned()))
    };
    ask.await.unwrap_or_else(unknown)
}

fn unknown() -> String {
    "unknown".to_owned()
}
