//! Where a test gets its PostgreSQL and its Redis: a database or a key prefix of its own on the servers the suite was started with,
//! or a server of its own to kill. Nothing about Gatehouse's tables or keys lives here.

mod container;
mod installed;
mod postgres;
mod process;
mod redis;
mod server;

use anyhow::{Context, Result};
use migration::{Migrator, MigratorTrait};
use sea_orm::ConnectionTrait;
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use postgres::PrivatePostgres;
pub use redis::PrivateRedis;

/// Names the environment variable with the URL of a PostgreSQL on which the suite may create databases.
pub const POSTGRES_URL: &str = "GATEHOUSE_TEST_POSTGRES_URL";

/// Names the environment variable with the URL of a Redis in which the suite may write keys that start with `gatehouse_test`.
pub const REDIS_URL: &str = "GATEHOUSE_TEST_REDIS_URL";

/// A Redis, and the part of it that belongs to one test.
#[derive(Clone, Debug)]
pub struct RedisTarget {
    /// Where the server is.
    pub url: String,
    /// What every key and channel of this test starts with; unique to this call.
    pub prefix: String,
}

/// Creates an empty database of the newest schema and returns its URL: a copy of one that was migrated once. It stays behind
/// as others do.
///
/// # Panics
/// As [`postgres`].
pub async fn migrated_postgres() -> String {
    static MIGRATED: OnceCell<String> = OnceCell::const_new();
    let url = required(POSTGRES_URL);
    let migrated = async {
        let template = MIGRATED.get_or_try_init(|| migrate(&url)).await?;
        new_database(&url, template).await
    };
    match migrated.await {
        Ok(url) => url,
        Err(error) => fail(&format!("no migrated database at {POSTGRES_URL}: {error:#}")),
    }
}

/// Creates an empty database and returns its URL. It stays behind when the test ends: it goes with the server that `make test` started.
///
/// # Panics
/// Without `GATEHOUSE_TEST_POSTGRES_URL`, and when the server there refuses: a test that needs PostgreSQL is never skipped.
pub async fn postgres() -> String {
    // template0 has no sessions, so that tests which run at the same time do not lock each other out.
    match new_database(&required(POSTGRES_URL), "template0").await {
        Ok(url) => url,
        Err(error) => fail(&format!("no new database at {POSTGRES_URL}: {error:#}")),
    }
}

/// Names a part of the shared Redis that no other test uses.
///
/// # Panics
/// Without `GATEHOUSE_TEST_REDIS_URL`: a test that needs Redis is never skipped.
pub async fn redis() -> RedisTarget {
    RedisTarget { url: required(REDIS_URL), prefix: format!("gatehouse_test:{}", Uuid::now_v7().simple()) }
}

/// Migrates a database, to which nobody is connected afterwards, and returns its name.
async fn migrate(url: &str) -> Result<String> {
    let migrated = new_database(url, "template0").await?;
    let connection = sea_orm::Database::connect(&migrated).await?;
    Migrator::up(&connection, None).await?;
    connection.close().await?;
    let name = reqwest::Url::parse(&migrated)?.path().trim_start_matches('/').to_owned();
    Ok(name)
}

/// Creates a database under a new name on the server of `url`, a copy of `template`, and returns the URL with that name in it.
async fn new_database(url: &str, template: &str) -> Result<String> {
    let name = format!("gatehouse_test_{}", Uuid::now_v7().simple());
    let mut target = reqwest::Url::parse(url).context("the URL does not parse")?;
    let server = sea_orm::Database::connect(url).await?;
    server.execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
    server.close().await?;
    target.set_path(&name);
    Ok(target.into())
}

fn required(variable: &str) -> String {
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => url,
        _ => fail(&format!("{variable} is not set: run `make test`, which provides the servers that this test needs")),
    }
}

#[expect(clippy::panic, reason = "a test without its server must fail with a sentence, not pass by being skipped")]
fn fail(sentence: &str) -> ! {
    panic!("{sentence}")
}
