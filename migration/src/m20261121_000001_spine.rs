//! Organizations, sites, vendor accounts, devices, doors, people, keys, commands, events and lanes.

use sea_orm_migration::prelude::*;

use crate::words::spelled;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: [&str; 12] = [
    "events",
    "commands",
    "lanes",
    "api_keys",
    "memberships",
    "users",
    "doors",
    "devices",
    "account_locations",
    "vendor_accounts",
    "sites",
    "organizations",
];

const STATEMENTS: &[&str] = &[
    "CREATE TABLE organizations (
        id {uuid} PRIMARY KEY,
        name TEXT NOT NULL,
        created_at {time} NOT NULL)",
    "CREATE TABLE sites (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        name TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        created_at {time} NOT NULL)",
    "CREATE INDEX sites_by_organization ON sites (organization_id, id)",
    "CREATE TABLE vendor_accounts (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        vendor TEXT NOT NULL,
        name TEXT NOT NULL,
        base_url TEXT NOT NULL,
        credentials {bytes} NOT NULL,
        credentials_version BIGINT NOT NULL,
        state TEXT NOT NULL,
        state_reason TEXT,
        state_since {time} NOT NULL,
        synced_at {time},
        created_at {time} NOT NULL)",
    "CREATE INDEX vendor_accounts_by_organization ON vendor_accounts (organization_id, id)",
    "CREATE TABLE account_locations (
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        location TEXT NOT NULL,
        site_id {uuid} NOT NULL REFERENCES sites (id),
        PRIMARY KEY (account_id, location))",
    "CREATE TABLE devices (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        account_id {uuid} NOT NULL REFERENCES vendor_accounts (id),
        external_id TEXT NOT NULL,
        name TEXT NOT NULL,
        model TEXT NOT NULL,
        firmware TEXT,
        health TEXT NOT NULL,
        health_since {time},
        battery_percent INTEGER,
        capabilities {json} NOT NULL,
        last_seen_at {time} NOT NULL,
        missing_since {time},
        created_at {time} NOT NULL,
        UNIQUE (account_id, external_id))",
    "CREATE INDEX devices_by_organization ON devices (organization_id, id)",
    "CREATE INDEX devices_by_site ON devices (site_id, id)",
    "CREATE TABLE doors (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL REFERENCES sites (id),
        device_id {uuid} NOT NULL REFERENCES devices (id),
        external_id TEXT NOT NULL,
        name TEXT NOT NULL,
        name_folded TEXT NOT NULL,
        kind TEXT NOT NULL,
        position INTEGER NOT NULL,
        capabilities {json} NOT NULL,
        state {json} NOT NULL,
        lock_value TEXT NOT NULL,
        position_value TEXT NOT NULL,
        mode_value TEXT NOT NULL,
        occupancy_value TEXT NOT NULL,
        state_version BIGINT NOT NULL,
        last_seen_at {time} NOT NULL,
        missing_since {time},
        created_at {time} NOT NULL,
        UNIQUE (device_id, external_id))",
    "CREATE INDEX doors_by_organization ON doors (organization_id, id)",
    "CREATE INDEX doors_by_site ON doors (site_id, id)",
    "CREATE TABLE users (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        name TEXT NOT NULL,
        email TEXT,
        created_at {time} NOT NULL)",
    "CREATE INDEX users_by_organization ON users (organization_id, id)",
    "CREATE TABLE memberships (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        user_id {uuid} NOT NULL REFERENCES users (id),
        site_id {uuid} REFERENCES sites (id),
        role TEXT NOT NULL,
        created_at {time} NOT NULL,
        UNIQUE (user_id, site_id))",
    "CREATE TABLE api_keys (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        name TEXT NOT NULL,
        secret_hash {bytes} NOT NULL UNIQUE,
        role TEXT NOT NULL,
        limits {json} NOT NULL,
        created_at {time} NOT NULL,
        expires_at {time},
        revoked_at {time})",
    "CREATE TABLE commands (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid} NOT NULL,
        account_id {uuid} NOT NULL,
        device_id {uuid} NOT NULL,
        door_id {uuid},
        lane_id {uuid} NOT NULL,
        kind TEXT NOT NULL,
        action {json} NOT NULL,
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
        timeline {json} NOT NULL,
        version BIGINT NOT NULL,
        UNIQUE (organization_id, requested_by, idempotency_key))",
    "CREATE INDEX commands_by_organization ON commands (organization_id, id)",
    "CREATE INDEX commands_by_door ON commands (door_id, id)",
    "CREATE INDEX commands_by_site ON commands (site_id, id)",
    "CREATE INDEX commands_open_by_lane ON commands (lane_id, id) WHERE due_at IS NOT NULL",
    "CREATE INDEX commands_due ON commands (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX commands_riding ON commands (rides_on) WHERE rides_on IS NOT NULL",
    "CREATE INDEX commands_sent_by_door ON commands (door_id, dispatched_at) WHERE dispatched_at IS NOT NULL",
    "CREATE TABLE events (
        id {uuid} PRIMARY KEY,
        organization_id {uuid} NOT NULL REFERENCES organizations (id),
        site_id {uuid},
        device_id {uuid},
        door_id {uuid},
        command_id {uuid},
        type TEXT NOT NULL,
        occurred_at {time} NOT NULL,
        recorded_at {time} NOT NULL,
        actor TEXT,
        data {json} NOT NULL)",
    "CREATE INDEX events_by_organization ON events (organization_id, id)",
    "CREATE INDEX events_by_site ON events (site_id, id)",
    "CREATE INDEX events_by_door ON events (door_id, id)",
    // Leases are worthless after a crash of the database, so PostgreSQL need not write them to its log.
    "CREATE {unlogged} TABLE lanes (
        id {uuid} PRIMARY KEY,
        owner {uuid} NOT NULL,
        lease_until {time} NOT NULL)",
    "CREATE INDEX lanes_by_owner ON lanes (owner)",
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

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            manager.get_connection().execute_unprepared(&format!("DROP TABLE {table}")).await?;
        }
        Ok(())
    }
}
