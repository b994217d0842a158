//! Marks under events: by which the sealer knows that a row says what this house wrote, until it is chained.

use sea_orm_migration::prelude::*;

use crate::words::spelled;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = spelled("ALTER TABLE events ADD COLUMN mark {bytes}", manager.get_database_backend());
        manager.get_connection().execute_unprepared(&add).await?;
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("This migration cannot be taken back: restore a backup instead.".to_owned()))
    }
}
