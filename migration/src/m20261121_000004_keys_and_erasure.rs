//! What outlives the vault's key, and who was erased: vendors may tell of them for as long as they like.

use sea_orm_migration::prelude::*;

use crate::words::spelled;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATEMENTS: &[&str] = &[
    "CREATE TABLE vault_keys (
        id {uuid} PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        sealed {bytes} NOT NULL,
        created_at {time} NOT NULL)",
    "CREATE TABLE erasures (
        user_id {uuid} PRIMARY KEY REFERENCES users (id),
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        known_as {json},
        begun_at {time} NOT NULL,
        due_at {time})",
    "CREATE INDEX erasures_due ON erasures (due_at) WHERE due_at IS NOT NULL",
    "CREATE TABLE erased_records (
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        kind TEXT NOT NULL,
        external_id TEXT NOT NULL,
        user_id {uuid} NOT NULL REFERENCES users (id),
        PRIMARY KEY (account_id, kind, external_id))",
    "INSERT INTO erasures (user_id, organization_id, begun_at, due_at)
        SELECT id, organization_id, erased_at, erased_at FROM users WHERE erased_at IS NOT NULL",
    "INSERT INTO erased_records (account_id, kind, external_id, user_id)
        SELECT account_id, 'USER', external_id, id FROM users
        WHERE erased_at IS NOT NULL AND account_id IS NOT NULL AND external_id IS NOT NULL",
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
