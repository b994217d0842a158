//! The feed: what tells of an event whether somebody who read on from a place has seen it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Transactions commit in any order: the one that wrote an event, and the event's turn within all that are written.
const ON_POSTGRES: &[&str] = &[
    "ALTER TABLE events ADD COLUMN written BIGSERIAL",
    "ALTER TABLE events ADD COLUMN written_in XID8 NOT NULL DEFAULT pg_current_xact_id()",
    "CREATE INDEX events_as_written ON events (organization_id, written_in)",
];

/// One transaction after the other: the number of the row says it all, and every index ends with it.
const ON_SQLITE: &[&str] = &["CREATE INDEX events_as_written ON events (organization_id)"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = match manager.get_database_backend() {
            DbBackend::Postgres => ON_POSTGRES,
            _ => ON_SQLITE,
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("This migration cannot be taken back: restore a backup instead.".to_owned()))
    }
}
