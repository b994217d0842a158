//! What of an erased person is at vendors. Names open nothing and go at once, here and, where the vendor lets us, there.
//! The number or address by which a vendor finds what is to be taken away stays until it was read back as gone.

use std::collections::BTreeMap;

use domain::{
    account::{AccountState, Vendor},
    change::{Change, DisabledUser},
    clock::Timestamp,
    command::{Action, CommandKind, CommandState, expiry},
    erasure::KnownAs,
    ids::{CommandId, IdSource, OrganizationId, PlacementId, SiteId, VendorAccountId},
    lane::lane_of,
    placement::{Desired, PlacementProgress, PlacementState, Wish},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{holders, is_made_of, records};
use crate::{
    Database, StoreError,
    rows::{command, placement, to_json, vendor_account},
    store::{
        access::Acting,
        commands::{self, NewCommand},
    },
};

/// As many people are disabled with one command.
const PORTION: usize = 50;

/// Strikes the names at once. What is at a vendor, or was, is told it without them.
pub(super) async fn begin(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    user: Uuid,
) -> Result<(), StoreError> {
    let rows = placement::Entity::find()
        .filter(holders(user))
        .order_by_asc(placement::Column::Id)
        .lock_exclusive()
        .all(transaction)
        .await?;
    let mut left: BTreeMap<Uuid, Vec<(placement::Model, DisabledUser)>> = BTreeMap::new();
    for row in rows {
        let next = nameless(&row, acting.now)?;
        if next != row {
            let active = placement::ActiveModel::from(next.clone()).reset_all();
            placement::Entity::update_many()
                .set(placement::ActiveModel { id: Unchanged(row.id), ..active })
                .filter(placement::Column::Id.eq(row.id))
                .exec(transaction)
                .await?;
        }
        let progress = next.progress()?;
        let wish = next.wish()?;
        let thing = progress.sent.as_ref().or(progress.earlier.as_ref()).or(wish.as_ref());
        if let (Some(thing), Some(external_id)) = (thing, &next.external_id)
            && !thing.is_found_by_person()
        {
            records::mark(transaction, user, next.account_id, thing.record_kind(), external_id).await?;
        }
        // What is to be taken away yet is taken away without the name; what is gone kept it.
        if let Some(Wish::CardHolder(wish)) = thing
            && next.desired()? == Desired::Absent
            && (next.external_id.is_some() || progress.ordered_at.is_some())
        {
            let (id_number, external_id) = (wish.id_number.clone(), next.external_id.clone());
            let named = DisabledUser { id_number, external_id, nameless: true };
            left.entry(next.account_id).or_default().push((next, named));
        }
    }
    for (account, people) in left {
        forget_at(transaction, acting, account, &people).await?;
    }
    Ok(())
}

/// The row without names. Whatever of it is at the vendor and is to stay there is sent anew.
fn nameless(row: &placement::Model, now: Timestamp) -> Result<placement::Model, StoreError> {
    let (before, progress) = (row.wish()?, row.progress()?);
    let wish = before.clone().map(Wish::nameless);
    let sends = row.desired()? == Desired::Present && wish != before && progress.sent.is_some();
    let progress = PlacementProgress {
        sent: progress.sent.map(Wish::nameless),
        earlier: progress.earlier.map(Wish::nameless),
        ..progress
    };
    let next = placement::Model {
        wish: wish.map(|wish| to_json("placements", "wish", &wish)).transpose()?,
        progress: to_json("placements", "progress", &progress)?,
        ..row.clone()
    };
    if next == *row {
        return Ok(next);
    }
    let next = placement::Model { version: row.version + 1, ..next };
    Ok(match sends {
        true => placement::Model {
            wish_version: row.wish_version + 1,
            state: PlacementState::Placing.as_str().to_owned(),
            due_at: Some(now),
            ..next
        },
        false => next,
    })
}

/// The key of the first order to forget a name, which carries the names of others at the account too.
fn order_key(placement: Uuid) -> String {
    format!("erasure:{}", PlacementId(placement))
}

/// Whether whatever was ordered to be forgotten is. What came to another end is ordered once more: nobody else does.
async fn told(
    database: &Database,
    ids: &dyn IdSource,
    rows: &[placement::Model],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(organization) = rows.first().map(|row| row.organization_id) else { return Ok(true) };
    let keys: Vec<String> = rows.iter().map(|row| order_key(row.id)).collect();
    let again = |key: &String| command::Column::IdempotencyKey.starts_with(format!("{key}:"));
    let orders = command::Entity::find()
        .filter(command::Column::OrganizationId.eq(organization))
        .filter(command::Column::Kind.eq(CommandKind::DisableUsers.as_str()))
        .filter(
            keys.iter()
                .fold(Condition::any(), |any, key| any.add(again(key)))
                .add(command::Column::IdempotencyKey.is_in(keys.iter().cloned())),
        )
        .order_by_asc(command::Column::Id)
        .all(database.read())
        .await?;
    let mut is_told = true;
    for key in &keys {
        let of_key = |row: &&command::Model| {
            let rest = row.idempotency_key.strip_prefix(key.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        let tries: Vec<&command::Model> = orders.iter().filter(of_key).collect();
        let states = tries.iter().map(|row| row.state()).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = tries.last() else { continue };
        if states.contains(&CommandState::Succeeded) {
            continue;
        }
        // Nobody is left to be told.
        if is_beyond_reach(database, last.account_id).await? {
            continue;
        }
        is_told = false;
        if states.iter().all(|state| state.is_terminal()) && tries.iter().all(|row| row.due_at.is_none()) {
            order_again(database, ids, last, format!("{key}:{}", tries.len()), now).await?;
        }
    }
    Ok(is_told)
}

async fn order_again(
    database: &Database,
    ids: &dyn IdSource,
    last: &command::Model,
    key: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    let action = last.action()?;
    let order = NewCommand {
        id: CommandId(ids.next_uuid()),
        organization: OrganizationId(last.organization_id),
        site: SiteId(last.site_id),
        account: VendorAccountId(last.account_id),
        device: None,
        door: None,
        lane: last.lane_id,
        action: &action,
        sealed: None,
        idempotency_key: Some(key),
        requested_by: last.requested_by.clone(),
        credential: None,
        own_way_in: None,
        expires_at: None,
    };
    commands::accept(database, ids, order, None, now).await.map(drop)
}

/// Has the vendor forget the names of those whom it deletes never.
async fn forget_at(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    account: Uuid,
    people: &[(placement::Model, DisabledUser)],
) -> Result<(), StoreError> {
    let Some(row) = vendor_account::Entity::find_by_id(account).one(transaction).await? else { return Ok(()) };
    let vendor = row.vendor()?;
    if row.state()? == AccountState::Disconnected || vendor != Vendor::Lockt {
        return Ok(());
    }
    for portion in people.chunks(PORTION) {
        let Some((first, _)) = portion.first() else { continue };
        let users = portion.iter().map(|(_, named)| named.clone()).collect();
        let change = Change::DisableUsers { users };
        let kind = change.kind();
        let action = Action::from(change);
        let account = VendorAccountId(account);
        let order = NewCommand {
            id: CommandId(acting.ids().next_uuid()),
            organization: OrganizationId(first.organization_id),
            site: SiteId(first.site_id),
            account,
            device: None,
            door: None,
            lane: lane_of(vendor, account, None, None),
            action: &action,
            sealed: None,
            idempotency_key: Some(order_key(first.id)),
            requested_by: acting.by.to_owned(),
            credential: None,
            own_way_in: None,
            expires_at: expiry(kind, None, acting.now).unwrap_or_default(),
        };
        commands::accept_within(transaction, acting.ids(), &order, acting.now).await?;
    }
    Ok(())
}

/// Forgets by what vendors found what is gone there now. Returns the public ids of all of the person's placements.
pub(super) async fn go_on(
    (database, ids): (&Database, &dyn IdSource),
    (user, person): (Uuid, &KnownAs),
    is_done: &mut bool,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let rows = placement::Entity::find()
        .filter(holders(user))
        .order_by_asc(placement::Column::Id)
        .all(database.read())
        .await?;
    *is_done &= told(database, ids, &rows, now).await?;
    for row in &rows {
        let next = forgotten(row, person)?;
        if row.state()? != PlacementState::Revoked && !is_beyond_reach(database, row.account_id).await? {
            let is_leaving = row.desired()? == Desired::Absent && next != *row;
            *is_done &= !is_leaving && !needs_the_person(row)?;
            continue;
        }
        if next == *row {
            continue;
        }
        let active = placement::ActiveModel::from(next).reset_all();
        let done = placement::Entity::update_many()
            .set(placement::ActiveModel { id: Unchanged(row.id), ..active })
            .filter(placement::Column::Id.eq(row.id))
            .filter(placement::Column::Version.eq(row.version))
            .exec(database.write())
            .await?;
        *is_done &= done.rows_affected == 1;
    }
    Ok(rows.iter().map(|row| PlacementId(row.id).to_string()).collect())
}

/// Whether the account is unlinked: nothing will be told or taken away there any more, nor read back.
async fn is_beyond_reach(database: &Database, account: Uuid) -> Result<bool, StoreError> {
    let account = vendor_account::Entity::find_by_id(account).one(database.read()).await?;
    let state = account.map(|account| account.state()).transpose()?;
    Ok(matches!(state, None | Some(AccountState::Disconnected)))
}

/// Whether something is, or may be, at a vendor that is found there by the person's number or address.
fn needs_the_person(row: &placement::Model) -> Result<bool, StoreError> {
    let (wish, progress) = (row.wish()?, row.progress()?);
    let things = [wish, progress.sent, progress.earlier].into_iter().flatten();
    Ok(things.into_iter().any(|wish| wish.is_found_by_person()))
}

fn forgotten(row: &placement::Model, person: &KnownAs) -> Result<placement::Model, StoreError> {
    let progress = row.progress()?;
    let progress = PlacementProgress {
        sent: progress.sent.map(Wish::forgotten),
        earlier: progress.earlier.map(Wish::forgotten),
        leftovers: progress.leftovers.into_iter().filter(|id| !is_made_of(id, person)).collect(),
        ..progress
    };
    let message = row.error_message.as_ref().map(|text| person.struck(text).unwrap_or_else(|| text.clone()));
    let next = placement::Model {
        wish: row.wish()?.map(|wish| to_json("placements", "wish", &wish.forgotten())).transpose()?,
        progress: to_json("placements", "progress", &progress)?,
        external_id: row.external_id.clone().filter(|id| !is_made_of(id, person)),
        error_message: message,
        ..row.clone()
    };
    let version = if next == *row { row.version } else { row.version + 1 };
    Ok(placement::Model { version, ..next })
}
