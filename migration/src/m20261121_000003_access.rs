//! Who may enter where and when: people, credentials, access levels, schedules, stays, access tokens, what of them is
//! placed at vendors, and alerts.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::words::spelled;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const STATEMENTS: &[&str] = &[
    "ALTER TABLE users ADD COLUMN phone TEXT",
    "ALTER TABLE users ADD COLUMN name_folded TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE users ADD COLUMN account_id {uuid}",
    "ALTER TABLE users ADD COLUMN external_id TEXT",
    "ALTER TABLE users ADD COLUMN erased_at {time}",
    "ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1",
    "UPDATE users SET name_folded = LOWER(name)",
    "CREATE UNIQUE INDEX users_of_accounts ON users (account_id, external_id)",
    "CREATE TABLE schedules (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        name TEXT NOT NULL,
        week {json} NOT NULL,
        version BIGINT NOT NULL,
        created_at {time} NOT NULL)",
    "CREATE INDEX schedules_by_organization ON schedules (organization_id, id)",
    "CREATE TABLE access_levels (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        name TEXT NOT NULL,
        schedule_id {uuid} REFERENCES schedules (id),
        version BIGINT NOT NULL,
        created_at {time} NOT NULL)",
    "CREATE INDEX access_levels_by_organization ON access_levels (organization_id, id)",
    "CREATE INDEX access_levels_by_schedule ON access_levels (schedule_id) WHERE schedule_id IS NOT NULL",
    "CREATE TABLE access_level_doors (
        access_level_id {uuid} NOT NULL REFERENCES access_levels (id),
        door_id {uuid} NOT NULL REFERENCES doors (id),
        PRIMARY KEY (access_level_id, door_id))",
    "CREATE INDEX access_level_doors_by_door ON access_level_doors (door_id)",
    "CREATE TABLE access_assignments (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        access_level_id {uuid} NOT NULL REFERENCES access_levels (id),
        user_id {uuid} NOT NULL REFERENCES users (id),
        valid_from {time},
        valid_until {time},
        created_at {time} NOT NULL,
        UNIQUE (access_level_id, user_id))",
    "CREATE INDEX access_assignments_by_user ON access_assignments (user_id)",
    "CREATE TABLE credentials (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        user_id {uuid} NOT NULL REFERENCES users (id),
        kind TEXT NOT NULL,
        label TEXT,
        number TEXT,
        sealed {bytes},
        fingerprint {bytes},
        state TEXT NOT NULL,
        valid_from {time},
        valid_until {time},
        due_at {time},
        version BIGINT NOT NULL,
        created_at {time} NOT NULL)",
    "CREATE INDEX credentials_by_organization ON credentials (organization_id, id)",
    "CREATE INDEX credentials_by_user ON credentials (user_id, id)",
    "CREATE INDEX credentials_due ON credentials (due_at) WHERE due_at IS NOT NULL",
    "CREATE TABLE credential_doors (
        credential_id {uuid} NOT NULL REFERENCES credentials (id),
        door_id {uuid} NOT NULL REFERENCES doors (id),
        PRIMARY KEY (credential_id, door_id))",
    "CREATE INDEX credential_doors_by_door ON credential_doors (door_id)",
    // Which doors a room or bed of a PMS stands for.
    "CREATE TABLE resource_doors (
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        resource TEXT NOT NULL,
        door_id {uuid} NOT NULL REFERENCES doors (id),
        PRIMARY KEY (account_id, resource, door_id))",
    "CREATE INDEX resource_doors_by_door ON resource_doors (door_id)",
    "CREATE TABLE reservations (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        account_id {uuid} REFERENCES vendor_accounts (id),
        external_id TEXT,
        number TEXT,
        guest_id {uuid} REFERENCES users (id),
        resource TEXT,
        state TEXT NOT NULL,
        starts_at {time} NOT NULL,
        ends_at {time} NOT NULL,
        actual_start {time},
        actual_end {time},
        readiness TEXT NOT NULL,
        reasons {json} NOT NULL,
        due_at {time},
        version BIGINT NOT NULL,
        changed_at {time} NOT NULL,
        created_at {time} NOT NULL,
        UNIQUE (account_id, external_id))",
    "CREATE INDEX reservations_by_organization ON reservations (organization_id, id)",
    "CREATE INDEX reservations_by_site ON reservations (site_id, starts_at)",
    "CREATE INDEX reservations_by_resource ON reservations (account_id, resource)",
    "CREATE INDEX reservations_due ON reservations (due_at) WHERE due_at IS NOT NULL",
    "CREATE TABLE reservation_doors (
        reservation_id {uuid} NOT NULL REFERENCES reservations (id),
        door_id {uuid} NOT NULL REFERENCES doors (id),
        PRIMARY KEY (reservation_id, door_id))",
    "CREATE INDEX reservation_doors_by_door ON reservation_doors (door_id)",
    "CREATE TABLE access_tokens (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        reservation_id {uuid} NOT NULL REFERENCES reservations (id),
        token_type TEXT NOT NULL,
        sealed {bytes},
        fingerprint {bytes} NOT NULL,
        state TEXT NOT NULL,
        asked_from {time},
        asked_until {time},
        asked_doors {json},
        valid_from {time} NOT NULL,
        valid_until {time} NOT NULL,
        requested_by TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        revoke_requested_at {time},
        revoked_at {time},
        version BIGINT NOT NULL,
        created_at {time} NOT NULL,
        UNIQUE (organization_id, requested_by, idempotency_key))",
    "CREATE INDEX access_tokens_by_organization ON access_tokens (organization_id, id)",
    "CREATE INDEX access_tokens_by_reservation ON access_tokens (reservation_id, id)",
    // The doors that the token's value opens or may still open, and until when a left one is kept at the latest.
    "CREATE TABLE access_token_doors (
        access_token_id {uuid} NOT NULL REFERENCES access_tokens (id),
        door_id {uuid} NOT NULL REFERENCES doors (id),
        leaves_at {time},
        PRIMARY KEY (access_token_id, door_id))",
    "CREATE INDEX access_token_doors_by_door ON access_token_doors (door_id)",
    // Which value is taken at which door and when, the time before it may be used again included. Fingerprints only.
    "CREATE TABLE taken_values (
        door_id {uuid} NOT NULL REFERENCES doors (id),
        holder_id {uuid} NOT NULL,
        fingerprint {bytes} NOT NULL,
        taken_from {time} NOT NULL,
        taken_until {time},
        PRIMARY KEY (door_id, holder_id, fingerprint))",
    "CREATE INDEX taken_values_by_value ON taken_values (door_id, fingerprint)",
    "CREATE INDEX taken_values_by_holder ON taken_values (holder_id)",
    // Who was shown values lately.
    "CREATE INDEX events_of_reveals ON events (organization_id, actor, recorded_at) WHERE type = 'TOKEN_REVEALED'",
    // Idempotency keys of mutations that write no command, and what came of them.
    "CREATE TABLE used_keys (
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        requested_by TEXT NOT NULL,
        idempotency_key TEXT NOT NULL,
        asked {bytes} NOT NULL,
        object_id {uuid} NOT NULL,
        created_at {time} NOT NULL,
        PRIMARY KEY (organization_id, requested_by, idempotency_key))",
    "CREATE TABLE placements (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        device_id {uuid} REFERENCES devices (id),
        token_id {uuid} REFERENCES access_tokens (id),
        credential_id {uuid} REFERENCES credentials (id),
        desired TEXT NOT NULL,
        wish {json},
        wish_version BIGINT NOT NULL,
        state TEXT NOT NULL,
        progress {json} NOT NULL,
        external_id TEXT,
        command_id {uuid},
        error_code TEXT,
        error_message TEXT,
        due_at {time},
        last_confirmed_at {time},
        revoke_requested_at {time},
        revoked_at {time},
        version BIGINT NOT NULL,
        created_at {time} NOT NULL)",
    "CREATE INDEX placements_by_token ON placements (token_id) WHERE token_id IS NOT NULL",
    "CREATE INDEX placements_by_credential ON placements (credential_id) WHERE credential_id IS NOT NULL",
    "CREATE INDEX placements_by_record ON placements (account_id, external_id)",
    "CREATE INDEX placements_due ON placements (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX placements_due_of_accounts ON placements (account_id, due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX placements_to_be_gone ON placements (revoke_requested_at)
        WHERE revoke_requested_at IS NOT NULL AND revoked_at IS NULL",
    "CREATE TABLE alerts (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid},
        kind TEXT NOT NULL,
        severity TEXT NOT NULL,
        subject TEXT NOT NULL,
        message TEXT NOT NULL,
        raised_at {time} NOT NULL,
        acknowledged_at {time},
        acknowledged_by TEXT,
        resolved_at {time},
        version BIGINT NOT NULL)",
    "CREATE INDEX alerts_by_organization ON alerts (organization_id, id)",
    "CREATE UNIQUE INDEX alerts_open ON alerts (organization_id, kind, subject) WHERE resolved_at IS NULL",
    // What the records of access systems name in lists: people their access levels, access levels their doors, by the
    // vendor's ids. For asking who can open a door without reading every person.
    "CREATE TABLE record_links (
        record_id {uuid} NOT NULL REFERENCES records (id),
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        kind TEXT NOT NULL,
        target TEXT NOT NULL,
        PRIMARY KEY (record_id, target))",
    "CREATE INDEX record_links_by_target ON record_links (account_id, kind, target)",
    "CREATE INDEX placements_by_account ON placements (account_id, state)",
    "CREATE INDEX reservations_by_guest ON reservations (guest_id) WHERE guest_id IS NOT NULL",
];

/// Fills `record_links` from the records that are there.
const fn links_of_known_records(backend: DbBackend) -> [&'static str; 2] {
    match backend {
        DbBackend::Postgres => [
            "INSERT INTO record_links (record_id, account_id, kind, target)
            SELECT DISTINCT records.id, records.account_id, records.kind, target FROM records, jsonb_array_elements_text(
                CASE WHEN jsonb_typeof(details -> 'access_levels') = 'array' THEN details -> 'access_levels'
                ELSE '[]' END) AS target
            WHERE records.kind = 'USER'",
            "INSERT INTO record_links (record_id, account_id, kind, target)
            SELECT DISTINCT records.id, records.account_id, records.kind, target FROM records, jsonb_array_elements_text(
                CASE WHEN jsonb_typeof(details -> 'doors') = 'array' THEN details -> 'doors' ELSE '[]' END) AS target
            WHERE records.kind = 'ACCESS_LEVEL'",
        ],
        _ => [
            "INSERT INTO record_links (record_id, account_id, kind, target)
            SELECT DISTINCT records.id, records.account_id, records.kind, told.value
            FROM records, json_each(records.details, '$.access_levels') AS told
            WHERE records.kind = 'USER' AND told.type = 'text'",
            "INSERT INTO record_links (record_id, account_id, kind, target)
            SELECT DISTINCT records.id, records.account_id, records.kind, told.value
            FROM records, json_each(records.details, '$.doors') AS told
            WHERE records.kind = 'ACCESS_LEVEL' AND told.type = 'text'",
        ],
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for statement in STATEMENTS {
            manager.get_connection().execute_unprepared(&spelled(statement, backend)).await?;
        }
        for statement in links_of_known_records(backend) {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("This migration cannot be taken back: restore a backup instead.".to_owned()))
    }
}
