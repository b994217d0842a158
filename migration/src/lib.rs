//! Migrations, oldest first. They import no room of ours, so that an old migration never moves with today's code.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261121_000001_spine;
mod m20261121_000002_vendors;
mod m20261121_000003_access;
mod m20261121_000004_keys_and_erasure;
mod m20261121_000005_identity;
mod m20261121_000006_ledger;
mod m20261121_000007_feed;
mod m20261121_000008_own_right;
mod m20261121_000009_event_marks;
mod m20261121_000011_identities_by_email;
mod words;

/// Applies every migration that a database has not seen yet.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_spine::Migration),
            Box::new(m20261121_000002_vendors::Migration),
            Box::new(m20261121_000003_access::Migration),
            Box::new(m20261121_000004_keys_and_erasure::Migration),
            Box::new(m20261121_000005_identity::Migration),
            Box::new(m20261121_000006_ledger::Migration),
            Box::new(m20261121_000007_feed::Migration),
            Box::new(m20261121_000008_own_right::Migration),
            Box::new(m20261121_000009_event_marks::Migration),
            Box::new(m20261121_000011_identities_by_email::Migration),
        ]
    }
}
