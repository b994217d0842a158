//! What the state of the house asks of its alerts: accounts that need a person, devices that are dead or gone, batteries
//! that may not last until a guest is in. A constant number of statements, however large the house. Nothing is written.

use std::collections::{BTreeMap, HashSet};

use domain::{
    account::AccountState,
    alert::{self as rules, AlertKind, AlertSeverity, DeviceFacts, Wanted},
    clock::Timestamp,
    command::{CommandKind, CommandState},
    device::Health,
    ids::{DeviceId, VendorAccountId},
    record::ReservationState,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
    sea_query::{Expr, Query},
};
use uuid::Uuid;

use crate::{
    StoreError,
    rows::{alert, command, device, door, reservation, reservation_door, vendor_account},
};

/// The kinds that this watch raises and resolves.
const KINDS: [AlertKind; 3] = [AlertKind::AccountReauthRequired, AlertKind::DeviceDead, AlertKind::LowBattery];

/// An alert that is not as the rules want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) organization: Uuid,
    pub(crate) site: Option<Uuid>,
    pub(crate) kind: AlertKind,
    pub(crate) subject: String,
    pub(crate) wanted: Wanted,
}

/// One of a kind and subject is open at most.
type Key = (AlertKind, Uuid, String);

/// The alerts that are not as the rules want them, always in the same order. In a transaction the accounts that alerts
/// are about are locked, so that what is read of them holds until it ends.
pub(crate) async fn differences(
    connection: &impl ConnectionTrait,
    in_transaction: bool,
    now: Timestamp,
) -> Result<Vec<Difference>, StoreError> {
    let before = open_alerts(connection).await?;
    let mut accounts = accounts(&before);
    if in_transaction {
        accounts = accounts.lock_exclusive();
    }
    let accounts = accounts.all(connection).await?;
    let devices = devices_in_need().all(connection).await?;
    let awaited = awaited_devices(connection, now).await?;
    // Somebody may have changed them while we waited for the accounts.
    let open = if in_transaction { open_alerts(connection).await? } else { before };

    let mut wanted: BTreeMap<Key, (Option<Uuid>, Wanted)> = BTreeMap::new();
    for row in &accounts {
        let key = (AlertKind::AccountReauthRequired, row.organization_id, VendorAccountId(row.id).to_string());
        wanted.insert(key, (None, rules::account_reauth_required(&row.name, row.state()?)));
    }
    for row in &devices {
        let facts = DeviceFacts {
            name: &row.name,
            health: row.health()?,
            is_missing: row.missing_since.is_some(),
            battery_percent: row.battery_percent,
            is_awaited: awaited.contains(&row.id),
        };
        let about =
            [(AlertKind::DeviceDead, rules::device_dead(&facts)), (AlertKind::LowBattery, rules::low_battery(&facts))];
        for (kind, rule) in about {
            wanted.insert((kind, row.organization_id, DeviceId(row.id).to_string()), (Some(row.site_id), rule));
        }
    }
    // An alert about a device that is in no need: its cause is gone. Accounts were all asked above, but for those that
    // came to need a person since: theirs stay.
    for (kind, organization, subject) in open.keys().filter(|(kind, ..)| *kind != AlertKind::AccountReauthRequired) {
        wanted.entry((*kind, *organization, subject.clone())).or_insert((None, Wanted::Resolved));
    }
    let news = wanted.into_iter().filter(|(key, (_, wanted))| wanted.is_news(open.get(key).copied()));
    Ok(news
        .map(|((kind, organization, subject), (site, wanted))| Difference { organization, site, kind, subject, wanted })
        .collect())
}

async fn open_alerts(connection: &impl ConnectionTrait) -> Result<BTreeMap<Key, AlertSeverity>, StoreError> {
    let rows = alert::Entity::find()
        .filter(alert::Column::Kind.is_in(KINDS.map(AlertKind::as_str)))
        .filter(alert::Column::ResolvedAt.is_null())
        .all(connection)
        .await?;
    rows.into_iter().map(|row| Ok(((row.kind()?, row.organization_id, row.subject.clone()), row.severity()?))).collect()
}

/// The accounts that need a person, or did.
fn accounts(open: &BTreeMap<Key, AlertSeverity>) -> Select<vendor_account::Entity> {
    let told: Vec<Uuid> =
        open.keys().filter_map(|(_, _, subject)| subject.parse::<VendorAccountId>().ok()).map(|id| id.0).collect();
    vendor_account::Entity::find()
        .filter(
            Condition::any()
                .add(vendor_account::Column::State.eq(AccountState::ReauthRequired.as_str()))
                .add(vendor_account::Column::Id.is_in(told)),
        )
        .order_by_asc(vendor_account::Column::Id)
}

/// Devices of linked accounts that are dead, gone or low on charge. Those that somebody had removed are not gone: the
/// wish came true, or is about to. The device is gone here a moment before the command is done.
fn devices_in_need() -> Select<device::Entity> {
    let unlinked = vendor_account::Entity::find()
        .select_only()
        .column(vendor_account::Column::Id)
        .filter(vendor_account::Column::State.eq(AccountState::Disconnected.as_str()))
        .into_query();
    let under_way = [CommandState::Dispatching, CommandState::Accepted].map(CommandState::as_str);
    let removal = Query::select()
        .expr(Expr::val(1))
        .from(command::Entity)
        .and_where(command::Column::DeviceId.into_expr().eq(device::Column::Id.into_expr()))
        .and_where(command::Column::Kind.eq(CommandKind::RemoveDevice.as_str()))
        .cond_where(
            Condition::any().add(command::Column::State.is_in(under_way)).add(
                Condition::all()
                    .add(command::Column::State.eq(CommandState::Succeeded.as_str()))
                    .add(command::Column::FinishedAt.into_expr().gte(device::Column::LastSeenAt.into_expr())),
            ),
        )
        .to_owned();
    device::Entity::find()
        .filter(
            Condition::any()
                .add(device::Column::Health.eq(Health::Dead.as_str()))
                .add(device::Column::MissingSince.is_not_null())
                .add(device::Column::BatteryPercent.lt(rules::LOW_BATTERY)),
        )
        .filter(device::Column::AccountId.not_in_subquery(unlinked))
        .filter(Condition::any().add(device::Column::MissingSince.is_null()).add(Expr::exists(removal).not()))
}

/// Devices in need with a door at which a guest arrives soon, or is late.
async fn awaited_devices(connection: &impl ConnectionTrait, now: Timestamp) -> Result<HashSet<Uuid>, StoreError> {
    let in_need = devices_in_need().select_only().column(device::Column::Id).into_query();
    // A stay in a state that we cannot read may be a guest who comes.
    let expected = [ReservationState::Confirmed, ReservationState::Unknown].map(ReservationState::as_str);
    let to_doors =
        reservation_door::Entity::belongs_to(door::Entity).from(reservation_door::Column::DoorId).to(door::Column::Id);
    let to_stays = reservation_door::Entity::belongs_to(reservation::Entity)
        .from(reservation_door::Column::ReservationId)
        .to(reservation::Column::Id);
    let devices: Vec<Uuid> = reservation_door::Entity::find()
        .select_only()
        .column_as(door::Column::DeviceId, "device_id")
        .distinct()
        .join(sea_orm::JoinType::InnerJoin, to_doors.into())
        .join(sea_orm::JoinType::InnerJoin, to_stays.into())
        .filter(door::Column::DeviceId.in_subquery(in_need))
        .filter(reservation::Column::State.is_in(expected))
        .filter(reservation::Column::ActualStart.is_null())
        .filter(reservation::Column::ActualEnd.is_null())
        .filter(reservation::Column::StartsAt.lte(now + rules::ARRIVAL_AHEAD))
        .filter(reservation::Column::EndsAt.gt(now))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(devices.into_iter().collect())
}
