//! One spelling of SQL for both databases: `{uuid}`, `{time}`, `{json}`, `{bytes}` and `{unlogged}` stand for the words
//! of the database at hand.

use sea_orm_migration::sea_orm::DbBackend;

pub(crate) fn spelled(statement: &str, backend: DbBackend) -> String {
    let words = match backend {
        DbBackend::Postgres => ["UUID", "TIMESTAMPTZ", "JSONB", "BYTEA", "UNLOGGED"],
        _ => ["BLOB", "TEXT", "TEXT", "BLOB", ""],
    };
    let marks = ["{uuid}", "{time}", "{json}", "{bytes}", "{unlogged}"];
    marks.iter().zip(words).fold(statement.to_owned(), |sql, (mark, word)| sql.replace(mark, word))
}
