//! The servers under the suite: what every other test relies on.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use gatehouse_tests::services::{self, PrivatePostgres, PrivateRedis};
use redis::AsyncCommands;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, Statement};

#[tokio::test]
async fn every_caller_gets_an_empty_database_of_its_own() {
    let (one, other) = (services::postgres().await, services::postgres().await);
    assert_ne!(one, other);
    for url in [one, other] {
        let database = Database::connect(&url).await.unwrap();
        database.execute_unprepared("CREATE TABLE door (id int)").await.unwrap();
        database.close().await.unwrap();
    }
}

#[tokio::test]
async fn every_caller_gets_a_prefix_of_its_own() {
    let (one, other) = (services::redis().await, services::redis().await);
    assert_eq!(one.url, other.url);
    assert_ne!(one.prefix, other.prefix);
    let mut connection = redis::Client::open(one.url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let () = connection.set_ex(format!("{}:door", one.prefix), "open", 60).await.unwrap();
    let absent: Option<String> = connection.get(format!("{}:door", other.prefix)).await.unwrap();
    assert_eq!(absent, None);
}

#[tokio::test]
async fn a_killed_postgres_comes_back_with_what_was_committed() {
    let mut server = PrivatePostgres::start().await.unwrap();
    // The pool retries a refused connection until it gives up acquiring one: after half a minute, if it is not told otherwise.
    let mut options = ConnectOptions::new(server.url());
    options.acquire_timeout(Duration::from_millis(500));
    let database = Database::connect(options).await.unwrap();
    database.execute_unprepared("CREATE TABLE door (id int); INSERT INTO door VALUES (7)").await.unwrap();
    server.kill().await.unwrap();
    assert!(database.execute_unprepared("SELECT 1").await.is_err(), "the server answers after it was killed");
    server.start_again().await.unwrap();
    let database = Database::connect(server.url()).await.unwrap();
    let question = Statement::from_string(DbBackend::Postgres, "SELECT id FROM door");
    let row = database.query_one_raw(question).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i32>(0).unwrap(), 7);
    database.close().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_redis_comes_back_with_what_it_acknowledged_on_disk() {
    let mut server = PrivateRedis::start().await.unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let () = connection.set("door", "open").await.unwrap();
    // Returns when the append-only file has been synced: with everysec, without it, the last second may be lost.
    let () =
        redis::cmd("CONFIG").arg("SET").arg("appendfsync").arg("always").query_async(&mut connection).await.unwrap();
    let () = connection.set("gate", "shut").await.unwrap();
    server.kill().await.unwrap();
    assert!(client.get_multiplexed_async_connection().await.is_err(), "the server answers after it was killed");
    server.start_again().await.unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let values: Vec<String> = connection.mget(&["door", "gate"]).await.unwrap();
    assert_eq!(values, ["open", "shut"]);
    server.stop().await.unwrap();
}

#[test]
fn the_launcher_ends_as_its_command_did() {
    let mut launcher = launcher();
    launcher.env(services::POSTGRES_URL, "postgres://given").env(services::REDIS_URL, "redis://given");
    launcher.args(["sh", "-c", "[ \"$GATEHOUSE_TEST_REDIS_URL\" = redis://given ] && exit 7"]);
    let status = launcher.status().unwrap();
    assert_eq!(status.code(), Some(7));
}

#[test]
fn the_launcher_ends_its_servers_and_its_command_when_it_is_told_to() {
    let mut launcher = launcher()
        .args(["sh", "-c", "echo $$; echo \"$GATEHOUSE_TEST_REDIS_URL\"; sleep 600"])
        .env_remove(services::POSTGRES_URL)
        .env_remove(services::REDIS_URL)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(launcher.stdout.take().unwrap()).lines();
    let command = lines.next().unwrap().unwrap();
    let redis = redis::Client::open(lines.next().unwrap().unwrap()).unwrap();
    assert!(redis.get_connection().is_ok());
    let pid = rustix::process::Pid::from_child(&launcher);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(launcher.wait().unwrap().code(), Some(128 + 15));
    assert!(redis.get_connection().is_err(), "the launcher left its Redis running");
    // The pipe closes when the last process that holds it has ended: `sleep` too, not only the shell.
    assert!(lines.next().is_none());
    assert!(!std::path::Path::new("/proc").join(command).exists(), "the launcher left its command running");
}

fn launcher() -> Command {
    Command::new(env!("CARGO_BIN_EXE_with_services"))
}
