//! Who somebody is: what API keys are found by, who made them and how often they may be used, and which subjects of
//! identity providers are which people.

use sea_orm_migration::prelude::*;

use crate::words::spelled;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATEMENTS: &[&str] = &[
    "ALTER TABLE api_keys ADD COLUMN prefix TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE api_keys ADD COLUMN created_by TEXT",
    "ALTER TABLE api_keys ADD COLUMN last_used_at {time}",
    "ALTER TABLE api_keys ADD COLUMN max_uses BIGINT",
    "ALTER TABLE api_keys ADD COLUMN uses BIGINT NOT NULL DEFAULT 0",
    "CREATE INDEX api_keys_by_prefix ON api_keys (prefix)",
    "CREATE INDEX api_keys_by_organization ON api_keys (organization_id, id)",
    "CREATE INDEX memberships_by_user ON memberships (user_id)",
    "CREATE TABLE identities (
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        issuer TEXT NOT NULL,
        subject TEXT NOT NULL,
        user_id {uuid} NOT NULL REFERENCES users (id),
        created_at {time} NOT NULL,
        PRIMARY KEY (organization_id, issuer, subject),
        UNIQUE (user_id, issuer))",
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
