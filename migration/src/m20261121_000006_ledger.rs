//! The ledger: the blocks into which events are chained, and up to where they were forgotten.

use sea_orm_migration::prelude::*;

use crate::words::spelled;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATEMENTS: &[&str] = &[
    // Nothing until the event is chained: appending costs no more than this index.
    "ALTER TABLE events ADD COLUMN block BIGINT",
    "CREATE INDEX events_unchained ON events (organization_id, id) WHERE block IS NULL",
    "CREATE TABLE ledger_blocks (
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        number BIGINT NOT NULL,
        first_sequence BIGINT NOT NULL,
        events BIGINT NOT NULL,
        entries {bytes} NOT NULL,
        salts {bytes} NOT NULL,
        previous {bytes} NOT NULL,
        hash {bytes} NOT NULL,
        public_key {bytes} NOT NULL,
        signature {bytes} NOT NULL,
        sealed_at {time} NOT NULL,
        PRIMARY KEY (organization_id, number))",
    "CREATE TABLE ledger_horizons (
        organization_id {uuid} PRIMARY KEY REFERENCES organizations (id),
        number BIGINT NOT NULL,
        sequence BIGINT NOT NULL,
        hash {bytes} NOT NULL,
        public_key {bytes} NOT NULL,
        signature {bytes} NOT NULL,
        sealed_at {time} NOT NULL)",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for statement in STATEMENTS {
            manager.get_connection().execute_unprepared(&spelled(statement, backend)).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("This migration cannot be taken back: restore a backup instead.".to_owned()))
    }
}
