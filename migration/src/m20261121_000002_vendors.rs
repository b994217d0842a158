//! What vendors keep: records, events of theirs, sync cursors, webhook deliveries, consents; and commands to accounts.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::words::spelled;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COMMAND_COLUMNS: &str = "id, organization_id, site_id, account_id, device_id, door_id, lane_id, kind, action, \
    state, evidence, requested_by, idempotency_key, created_at, expires_at, dispatched_at, finished_at, settle_by, \
    due_at, attempts, polls, vendor_reference, may_have_left, rides_on, failure_code, failure_message, timeline, version";

/// SQLite cannot drop a NOT NULL: the table is made anew.
const COMMANDS_ON_SQLITE: &[&str] = &[
    "CREATE TABLE commands_new (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL,
        account_id {uuid} NOT NULL,
        device_id {uuid},
        door_id {uuid},
        lane_id {uuid} NOT NULL,
        kind TEXT NOT NULL,
        action {json} NOT NULL,
        sealed {bytes},
        state TEXT NOT NULL,
        evidence TEXT NOT NULL,
        requested_by TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        created_at {time} NOT NULL,
        expires_at {time},
        dispatched_at {time},
        finished_at {time},
        settle_by {time},
        due_at {time},
        attempts INTEGER NOT NULL,
        polls INTEGER NOT NULL,
        vendor_reference TEXT,
        may_have_left BOOLEAN NOT NULL,
        rides_on {uuid},
        failure_code TEXT,
        failure_message TEXT,
        result {json},
        timeline {json} NOT NULL,
        version BIGINT NOT NULL,
        UNIQUE (organization_id, requested_by, idempotency_key))",
    "INSERT INTO commands_new ({columns}) SELECT {columns} FROM commands",
    "DROP TABLE commands",
    "ALTER TABLE commands_new RENAME TO commands",
    "CREATE INDEX commands_by_organization ON commands (organization_id, id)",
    "CREATE INDEX commands_by_door ON commands (door_id, id)",
    "CREATE INDEX commands_by_site ON commands (site_id, id)",
    "CREATE INDEX commands_open_by_lane ON commands (lane_id, id) WHERE due_at IS NOT NULL",
    "CREATE INDEX commands_due ON commands (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX commands_riding ON commands (rides_on) WHERE rides_on IS NOT NULL",
    "CREATE INDEX commands_sent_by_door ON commands (door_id, dispatched_at) WHERE dispatched_at IS NOT NULL",
];

const COMMANDS_ON_POSTGRES: &[&str] = &[
    "ALTER TABLE commands ALTER COLUMN device_id DROP NOT NULL",
    "ALTER TABLE commands ADD COLUMN sealed {bytes}",
    "ALTER TABLE commands ADD COLUMN result {json}",
];

const STATEMENTS: &[&str] = &[
    "CREATE INDEX commands_by_account ON commands (account_id, id)",
    "ALTER TABLE vendor_accounts ADD COLUMN signed_in_as TEXT",
    "ALTER TABLE vendor_accounts ADD COLUMN intake_token_hash {bytes}",
    "ALTER TABLE vendor_accounts ADD COLUMN sync_requested_at {time}",
    "ALTER TABLE vendor_accounts ADD COLUMN sync_error TEXT",
    "CREATE UNIQUE INDEX vendor_accounts_by_intake ON vendor_accounts (intake_token_hash)",
    "CREATE TABLE consents (
        state_hash {bytes} PRIMARY KEY,
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        verifier {bytes} NOT NULL,
        redirect_uri TEXT NOT NULL,
        requested_by TEXT NOT NULL,
        created_at {time} NOT NULL,
        expires_at {time} NOT NULL)",
    "ALTER TABLE devices ADD COLUMN details {json}",
    "ALTER TABLE doors ADD COLUMN settings {json}",
    "ALTER TABLE doors ADD COLUMN phone_access {json}",
    "CREATE TABLE records (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        device_id {uuid} REFERENCES devices (id),
        kind TEXT NOT NULL,
        external_id TEXT NOT NULL,
        name TEXT NOT NULL,
        name_folded TEXT NOT NULL,
        details {json} NOT NULL,
        secret {bytes},
        version BIGINT NOT NULL,
        changed_at {time} NOT NULL,
        last_seen_at {time} NOT NULL,
        missing_since {time},
        created_at {time} NOT NULL,
        UNIQUE (account_id, kind, external_id))",
    "CREATE INDEX records_by_organization ON records (organization_id, id)",
    "CREATE INDEX records_by_account ON records (account_id, kind, id)",
    "CREATE INDEX records_by_device ON records (device_id, kind, id)",
    "CREATE TABLE sync_parts (
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        part TEXT NOT NULL,
        cursor TEXT,
        synced_at {time},
        error TEXT,
        PRIMARY KEY (account_id, part))",
    "ALTER TABLE events ADD COLUMN account_id {uuid}",
    "ALTER TABLE events ADD COLUMN external_id TEXT",
    "ALTER TABLE events ADD COLUMN vendor_code TEXT",
    "CREATE UNIQUE INDEX events_of_vendors ON events (account_id, external_id)",
    "CREATE TABLE webhook_deliveries (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        received_at {time} NOT NULL,
        content {bytes} NOT NULL,
        size INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        note TEXT,
        due_at {time},
        processed_at {time})",
    "CREATE INDEX webhook_deliveries_by_account ON webhook_deliveries (account_id, id)",
    "CREATE INDEX webhook_deliveries_by_organization ON webhook_deliveries (organization_id, id)",
    "CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE due_at IS NOT NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let commands = if backend == DbBackend::Postgres { COMMANDS_ON_POSTGRES } else { COMMANDS_ON_SQLITE };
        for statement in commands.iter().chain(STATEMENTS) {
            let sql = spelled(statement, backend).replace("{columns}", COMMAND_COLUMNS);
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("This migration cannot be taken back: restore a backup instead.".to_owned()))
    }
}
