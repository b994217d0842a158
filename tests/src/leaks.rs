//! What a house keeps and says, as bytes to be searched for what must not stand there. No canary lives here.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tracing::field::{Field, Visit};

use crate::house::TestHouse;

/// The bytes of every file of a folder, the write-ahead log's too. A file that is gone since was a journal.
#[must_use]
pub fn files(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        bytes.extend(if path.is_dir() { files(&path) } else { std::fs::read(path).unwrap_or_default() });
    }
    bytes
}

/// Every row of every table, as text, by the name of the table.
///
/// # Panics
/// The database cannot be read.
#[expect(clippy::expect_used, reason = "a test that cannot look cannot go on")]
pub async fn rows(house: &TestHouse) -> BTreeMap<String, String> {
    let database = house.open_database().await;
    let names = match house.settings.is_embedded() {
        true => "SELECT name FROM sqlite_master WHERE type = 'table'",
        false => "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public'",
    };
    let mut tables = BTreeMap::new();
    for table in ask(&database, names).await {
        let table: String = table.try_get("", "name").expect("a name");
        let line = match house.settings.is_embedded() {
            true => format!("SELECT {} AS line FROM \"{table}\"", quoted_columns(&database, &table).await),
            false => format!("SELECT row_to_json(t)::text AS line FROM \"{table}\" t"),
        };
        let lines = ask(&database, &line).await;
        let lines = lines.iter().map(|row| row.try_get::<String>("", "line").expect("a line"));
        tables.insert(table, lines.collect::<Vec<_>>().join("\n"));
    }
    database.close().await.expect("closed");
    tables
}

/// SQLite has no text of a row: each column is quoted, bytes as hexadecimal digits.
#[expect(clippy::expect_used, reason = "a test that cannot look cannot go on")]
async fn quoted_columns(database: &DatabaseConnection, table: &str) -> String {
    let columns = ask(database, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
    let quoted = columns.iter().map(|row| format!("quote(\"{}\")", row.try_get::<String>("", "name").expect("a name")));
    quoted.collect::<Vec<_>>().join(" || ' ' || ")
}

#[expect(clippy::expect_used, reason = "a test that cannot look cannot go on")]
async fn ask(database: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    database.query_all_raw(statement).await.expect("rows")
}

/// Every key under the house's prefix in Redis, and its value.
///
/// # Panics
/// Redis cannot be read.
#[expect(clippy::expect_used, reason = "a test that cannot look cannot go on")]
pub async fn redis(house: &TestHouse) -> Vec<u8> {
    let (url, prefix) = (house.settings.redis_url.expose(), &house.settings.redis_prefix);
    let client = redis::Client::open(url).expect("a client");
    let mut redis = client.get_multiplexed_async_connection().await.expect("a connection");
    let keys: Vec<String> = redis::cmd("KEYS").arg(format!("{prefix}*")).query_async(&mut redis).await.expect("keys");
    let mut bytes = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut redis).await.expect("a type");
        let (command, arguments): (&str, &[&str]) = match kind.as_str() {
            "string" => ("GET", &[]),
            "list" => ("LRANGE", &["0", "-1"]),
            "hash" => ("HGETALL", &[]),
            "set" => ("SMEMBERS", &[]),
            "zset" => ("ZRANGE", &["0", "-1"]),
            "stream" => ("XRANGE", &["-", "+"]),
            // One that is gone since.
            _ => continue,
        };
        let mut read = redis::cmd(command);
        let value: redis::Value = read.arg(&key).arg(arguments).query_async(&mut redis).await.expect("a value");
        bytes.extend(format!("{key} {value:?}\n").into_bytes());
    }
    bytes
}

/// Whatever the house keeps: its files, or its rows and what is in Redis.
pub async fn kept(house: &TestHouse) -> Vec<u8> {
    if house.settings.is_embedded() {
        return files(&house.settings.data_directory);
    }
    let mut bytes = rows(house).await.into_values().collect::<Vec<_>>().join("\n").into_bytes();
    bytes.extend(redis(house).await);
    bytes
}

/// What stands around a text in bytes, where it stands there: as it is, or as the hexadecimal digits in which databases
/// show bytes. Digits within such digits are not text: any few may stand there by chance.
#[must_use]
pub fn found(bytes: &[u8], text: &str) -> Option<String> {
    let digits = text.bytes().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    let is_shown_bytes = |at: usize| {
        let before = bytes.get(..at).unwrap_or_default();
        let digits = before.iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let before = before.get(..at - digits).unwrap_or_default();
        before.ends_with(b"\\x") || before.ends_with(b"X'")
    };
    let find = |form: &str| {
        let mut windows = bytes.windows(form.len()).enumerate();
        windows.find(|(at, window)| *window == form.as_bytes() && (form != text || !is_shown_bytes(*at)))
    };
    let (at, _) = find(text).or_else(|| find(&digits)).or_else(|| find(&digits.to_uppercase()))?;
    let around = bytes.get(at.saturating_sub(300)..(at + 100).min(bytes.len())).unwrap_or_default();
    Some(String::from_utf8_lossy(around).into_owned())
}

/// Whether a text stands in bytes; see [`found`].
#[must_use]
pub fn holds(bytes: &[u8], text: &str) -> bool {
    found(bytes, text).is_some()
}

/// Hears every line of the log of ours, whatever its level.
#[derive(Clone, Debug, Default)]
pub struct Listener(Arc<Mutex<String>>);

impl Listener {
    /// All that was logged so far.
    #[must_use]
    pub fn heard(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Visit for Listener {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = writeln!(self.0.lock().unwrap_or_else(PoisonError::into_inner), "{field}={value:?}");
    }
}

impl tracing::Subscriber for Listener {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        // What libraries tell of their own bytes is switched off by the settings; ours is not.
        if event.metadata().target().starts_with("gatehouse") {
            event.record(&mut self.clone());
        }
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_every_form_but_not_by_chance() {
        assert!(holds(b"{\"pin\":\"83057194\"}", "83057194") && holds(b"83057194", "83057194"));
        assert!(holds(b"\\x3833303537313934ff", "83057194") && holds(b"X'5265642046F7'", "Red F"));
        assert!(!holds(b"\"\\x0183057194ff\", X'0183057194FF'", "83057194"), "sealed bytes, by chance");
        assert!(holds(b"00:0083057194ada", "83057194"), "between two columns of a file");
        assert!(holds(b"abcRed", "Red") && !holds(b"", "Red"));
    }
}
