//! Settling credentials: from what they may open to what is wished for at vendors. What is decided stands in
//! `domain::credential::plan`; settling again changes nothing.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    clock::Timestamp,
    credential::{self as rules, CredentialState, Planned},
    ids::{CredentialId, VendorAccountId},
    placement::{Desired, PlacementErrorCode},
    record::CredentialType,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};
use uuid::Uuid;

use super::known::{self, Known, Places};
use crate::{
    Database, StoreError,
    rows::{credential, placement},
    store::{
        access::{Acting, Declined},
        placements::{self, Holder, NewPlacement, Obstacle},
        stays::Settling,
        taken_values::{self, Hold},
    },
};

/// One that cannot be settled is tried again after this long.
const PAUSE: TimeDelta = TimeDelta::minutes(1);
/// As many credentials are settled while a caller waits; more are left to the worker.
const AT_ONCE: usize = 200;
/// As many ids go into one statement.
const CHUNK: usize = 5_000;

/// What came of settling.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Accounts with placements that became due.
    pub(super) accounts: BTreeSet<VendorAccountId>,
    /// Whether somebody else has the value of one of them at a door. It does not open there.
    pub(super) value_taken: bool,
    /// Those made for certain doors, none of which can hold them.
    pub(super) unholdable: BTreeSet<Uuid>,
}

/// Settles a credential: what it wishes for at vendors, and where its value is taken. Returns the accounts with placements
/// that became due: ring `Job::Reconcile` for each after the commit.
///
/// # Errors
/// The database failed.
pub async fn settle(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    credential: CredentialId,
    now: Timestamp,
) -> Result<BTreeSet<VendorAccountId>, StoreError> {
    Ok(settle_all(transaction, settling, &[credential.0], None, now).await?.accounts)
}

/// What came of settling what was due.
#[derive(Debug, Default)]
pub struct Due {
    /// How many were due.
    pub count: usize,
    /// Accounts with placements that became due: ring `Job::Reconcile` for each.
    pub accounts: BTreeSet<VendorAccountId>,
    /// Those that could not be settled, and why. They are put off.
    pub failed: Vec<(CredentialId, StoreError)>,
}

/// Settles the credentials that are due, at most `limit`, each by itself: one that cannot be settled holds up no other.
///
/// # Errors
/// The database is out of reach.
pub async fn settle_due(
    database: &Database,
    settling: &Settling<'_>,
    limit: u64,
    now: Timestamp,
) -> Result<Due, StoreError> {
    let ids: Vec<Uuid> = credential::Entity::find()
        .select_only()
        .column(credential::Column::Id)
        .filter(credential::Column::DueAt.lte(now))
        .order_by_asc(credential::Column::DueAt)
        .limit(limit)
        .into_tuple()
        .all(database.read())
        .await?;
    let mut due = Due { count: ids.len(), ..Due::default() };
    for id in ids {
        match settle_one(database, settling, id, now).await {
            Ok(accounts) => due.accounts.extend(accounts),
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(error) => {
                credential::Entity::update_many()
                    .col_expr(credential::Column::DueAt, Expr::value(now + PAUSE))
                    .filter(credential::Column::Id.eq(id))
                    .exec(database.write())
                    .await?;
                due.failed.push((CredentialId(id), error));
            }
        }
    }
    Ok(due)
}

async fn settle_one(
    database: &Database,
    settling: &Settling<'_>,
    id: Uuid,
    now: Timestamp,
) -> Result<BTreeSet<VendorAccountId>, StoreError> {
    let transaction = database.begin().await?;
    let accounts = settle(&transaction, settling, CredentialId(id), now).await?;
    transaction.commit().await?;
    Ok(accounts)
}

/// Has all credentials settled anew that are placed at this account, or were to be: its access levels changed. Says
/// whether there are any: ring `Job::SettleCredentials` then.
///
/// # Errors
/// The database failed.
pub async fn touch(database: &Database, account: VendorAccountId, now: Timestamp) -> Result<bool, StoreError> {
    let placed = placement::Entity::find()
        .select_only()
        .column(placement::Column::CredentialId)
        .filter(placement::Column::AccountId.eq(account.0))
        .filter(placement::Column::CredentialId.is_not_null())
        .filter(placement::Column::Desired.eq(Desired::Present.as_str()))
        .into_query();
    let done = credential::Entity::update_many()
        .col_expr(credential::Column::DueAt, Expr::value(now))
        .filter(credential::Column::Id.in_subquery(placed))
        .exec(database.write())
        .await?;
    Ok(done.rows_affected > 0)
}

/// Settles whatever of these people may still open something. Of many that is left to the worker: ring
/// `Job::SettleCredentials` after the commit.
pub(in crate::store) async fn settle_people(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    people: &[Uuid],
) -> Result<Result<BTreeSet<VendorAccountId>, Declined>, StoreError> {
    if people.is_empty() {
        return Ok(Ok(BTreeSet::new()));
    }
    let placed = placement::Entity::find()
        .select_only()
        .column(placement::Column::CredentialId)
        .filter(placement::Column::CredentialId.is_not_null())
        .filter(placement::Column::Desired.eq(Desired::Present.as_str()))
        .into_query();
    let live = Condition::any()
        .add(credential::Column::State.ne(CredentialState::Revoked.as_str()))
        .add(credential::Column::Id.in_subquery(placed));
    let mut ids: Vec<Uuid> = Vec::new();
    for some in people.chunks(CHUNK) {
        let held: Vec<Uuid> = credential::Entity::find()
            .select_only()
            .column(credential::Column::Id)
            .filter(credential::Column::UserId.is_in(some.iter().copied()))
            .filter(live.clone())
            .into_tuple()
            .all(transaction)
            .await?;
        ids.extend(held);
    }
    ids.sort_unstable();
    if ids.len() > AT_ONCE {
        for some in ids.chunks(CHUNK) {
            credential::Entity::update_many()
                .col_expr(credential::Column::DueAt, Expr::value(acting.now))
                .filter(credential::Column::Id.is_in(some.iter().copied()))
                .exec(transaction)
                .await?;
        }
        return Ok(Ok(BTreeSet::new()));
    }
    let settled = settle_all(transaction, &acting.settling, &ids, None, acting.now).await?;
    Ok(if settled.value_taken { Err(Declined::ValueTaken) } else { Ok(settled.accounts) })
}

/// Settles these. `revalued` has another value than before, so that what is at vendors is said anew.
pub(super) async fn settle_all(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    ids: &[Uuid],
    revalued: Option<Uuid>,
    now: Timestamp,
) -> Result<Settled, StoreError> {
    let mut settled = Settled::default();
    if ids.is_empty() {
        return Ok(settled);
    }
    let (known, places) = known::load(transaction, ids).await?;
    for mut known in known {
        settled.value_taken |= !take_value(transaction, settling, &mut known, &places, now).await?;
        let plan = rules::plan(&known.facts, &places.house, now);
        let cannot = |planned: &Planned| matches!(&planned.wish, Err((PlacementErrorCode::CapabilityMissing, _)));
        if known.is_for_doors && !plan.placements.is_empty() && plan.placements.iter().all(cannot) {
            settled.unholdable.insert(known.row.id);
        }
        if known.row.due_at != plan.changes_at {
            credential::Entity::update_many()
                .col_expr(credential::Column::DueAt, Expr::value(plan.changes_at))
                .filter(credential::Column::Id.eq(known.row.id))
                .exec(transaction)
                .await?;
        }
        let is_revalued = revalued == Some(known.row.id);
        let accounts = place(transaction, settling, &known, plan.placements, &places, is_revalued, now).await?;
        settled.accounts.extend(accounts);
    }
    Ok(settled)
}

/// Takes the value at every door that it may ever open, and frees it where it may not any more. Where somebody else has it
/// the credential opens nothing; false then.
async fn take_value(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    known: &mut Known,
    places: &Places,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if matches!(known.facts.kind, CredentialType::PhoneNumber | CredentialType::MobileKey) {
        return Ok(true);
    }
    let (row, cool_down) = (&known.row, settling.timing.cool_down);
    let fingerprint = match &row.fingerprint {
        Some(fingerprint) if known.facts.state != CredentialState::Revoked => fingerprint,
        _ => {
            taken_values::release(transaction, row.id, now + cool_down).await?;
            return Ok(true);
        }
    };
    let doors = rules::reachable(&known.facts, &places.house);
    let hold = Hold {
        holder: row.id,
        fingerprint,
        doors: &doors,
        from: row.valid_from.unwrap_or(row.created_at),
        until: row.valid_until.map(|until| until + cool_down),
    };
    let refused = taken_values::move_to(transaction, &hold, now + cool_down).await?;
    for grant in &mut known.facts.grants {
        grant.doors.retain(|door| !refused.contains(door));
    }
    Ok(refused.is_empty())
}

/// Brings the rows of a credential's placements in line with the plan.
async fn place(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    known: &Known,
    planned: Vec<Planned>,
    places: &Places,
    is_revalued: bool,
    now: Timestamp,
) -> Result<BTreeSet<VendorAccountId>, StoreError> {
    let mut accounts = BTreeSet::new();
    let mut kept = BTreeSet::new();
    for planned in planned {
        let device = planned.device.map(|device| device.0);
        // What was ever placed there is placed there again: it is the same record at the vendor.
        let row = known.placements.iter().rev().find(|row| {
            row.account_id == planned.account.0 && row.device_id == device && row.wish.is_some() == planned.wish.is_ok()
        });
        let due_at = due(&planned, row, settling, now)?;
        let wish = planned.wish.map_err(|(code, message)| Obstacle { code, message });
        match row {
            Some(row) => {
                kept.insert(row.id);
                let mut changed = placements::change_wish(transaction, row, wish, due_at).await?;
                if changed.is_none() && is_revalued {
                    changed = placements::send_anew(transaction, row, now).await?;
                }
                if changed.is_some() {
                    accounts.insert(planned.account);
                }
            }
            None => {
                let site = planned.device.and_then(|device| places.devices.get(&device));
                let site = site.or_else(|| places.accounts.get(&planned.account)).copied();
                let new = NewPlacement {
                    organization: known.row.organization_id,
                    site: site.unwrap_or_default(),
                    account: planned.account,
                    device: planned.device,
                    holder: Holder::Credential(CredentialId(known.row.id)),
                    wish,
                    due_at,
                };
                placements::wish(transaction, settling.ids, new, now).await?;
                accounts.insert(planned.account);
            }
        }
    }
    for row in known.placements.iter().filter(|row| !kept.contains(&row.id)) {
        if placements::withdraw(transaction, row, now).await?.is_some() {
            accounts.insert(VendorAccountId(row.account_id));
        }
    }
    Ok(accounts)
}

/// What was sent already is changed at once. Otherwise a lock is loaded ahead of time, if its vendor keeps times.
fn due(
    planned: &Planned,
    row: Option<&placement::Model>,
    settling: &Settling<'_>,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let Ok(wish) = &planned.wish else { return Ok(now) };
    let sent = row.map(placement::Model::progress).transpose()?.is_some_and(|progress| progress.sent.is_some());
    let ahead = if wish.keeps_times() { settling.timing.preload } else { TimeDelta::zero() };
    Ok(match wish.from() {
        Some(from) if !sent => now.max(from - ahead),
        _ => now,
    })
}
