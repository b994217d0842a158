//! Commands that were accepted because the door is the person's own.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = "ALTER TABLE commands ADD COLUMN by_own_right BOOLEAN NOT NULL DEFAULT FALSE";
        manager.get_connection().execute_unprepared(add).await?;
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("This migration cannot be taken back: restore a backup instead.".to_owned()))
    }
}
