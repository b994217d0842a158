//! What the rows say of a stay, as facts for its plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    account::{AccountState, Vendor},
    clock::Timestamp,
    ids::{AccessTokenId, DoorId, VendorAccountId},
    placement::{Desired, PlacementState},
    record::{RecordDetails, RecordKind},
    stay::{
        AccountFacts, DoorFacts, LevelFacts, PlacementFacts, PmsFacts, StayFacts, StayTimes, StayTiming, TokenFacts,
        Window, holds_tokens, wanted,
    },
};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::{
    StoreError,
    rows::{
        access_token, access_token_door, device, door, placement, record, reservation, reservation_door, user,
        vendor_account,
    },
    store::{
        placements,
        taken_values::{self, Hold},
    },
};

/// A stay: its rows and what they say.
pub(super) struct Known {
    pub(super) reservation: reservation::Model,
    /// In the order of the facts.
    pub(super) tokens: Vec<access_token::Model>,
    /// The placement of a token at an account.
    pub(super) placements: HashMap<(AccessTokenId, VendorAccountId), placement::Model>,
    pub(super) facts: StayFacts,
}

/// Reads a stay that is held.
pub(super) async fn load(
    transaction: &DatabaseTransaction,
    reservation: reservation::Model,
) -> Result<Known, StoreError> {
    let tokens = access_token::Entity::find()
        .filter(access_token::Column::ReservationId.eq(reservation.id))
        .order_by_asc(access_token::Column::Id)
        .all(transaction)
        .await?;
    let doors: Vec<Uuid> = reservation_door::Entity::find()
        .select_only()
        .column(reservation_door::Column::DoorId)
        .filter(reservation_door::Column::ReservationId.eq(reservation.id))
        .into_tuple()
        .all(transaction)
        .await?;
    let ids: Vec<Uuid> = tokens.iter().map(|token| token.id).collect();
    let mut by_account = HashMap::new();
    let mut facts = StayFacts {
        state: reservation.state()?,
        times: StayTimes {
            starts_at: reservation.starts_at,
            ends_at: reservation.ends_at,
            actual_start: reservation.actual_start,
            actual_end: reservation.actual_end,
        },
        guest: guest(transaction, &reservation).await?,
        number: reservation.number.clone(),
        pms: pms(transaction, &reservation).await?,
        doors: doors.into_iter().map(DoorId).collect(),
        places: BTreeMap::new(),
        accounts: BTreeMap::new(),
        tokens: Vec::new(),
    };
    if !tokens.is_empty() {
        let mut opened = opened(transaction, &ids).await?;
        let mut placed = placements::of_holders(transaction, &ids, &[]).await?;
        placed.sort_by_key(|row| (row.desired == Desired::Present.as_str(), row.id));
        for row in placed {
            if let Some(token) = row.token_id {
                by_account.insert((AccessTokenId(token), VendorAccountId(row.account_id)), row);
            }
        }
        for token in &tokens {
            facts.tokens.push(of_token(token, opened.remove(&token.id).unwrap_or_default(), &by_account)?);
        }
        places(transaction, &mut facts).await?;
    }
    Ok(Known { reservation, tokens, placements: by_account, facts })
}

impl Known {
    /// Asks for every value where and when it is wanted, and notes where somebody else has it. What is refused is not
    /// taken; what the plan makes of that is taken with [`Known::take_value`].
    pub(super) async fn ask_for_values(
        &mut self,
        transaction: &DatabaseTransaction,
        timing: &StayTiming,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for number in 0..self.facts.tokens.len() {
            let Some((row, token)) = self.tokens.get(number).zip(self.facts.tokens.get(number)) else { continue };
            let Some((window, doors)) = wanted(&self.facts, token, timing, now) else { continue };
            let has = |door: &DoorId| matches!(token.doors.get(door), Some(None));
            let as_before = window == (Window { from: row.valid_from, until: row.valid_until })
                && doors.iter().all(has)
                && doors.len() == token.doors.values().filter(|leaves_at| leaves_at.is_none()).count();
            if as_before || window.until <= now {
                continue;
            }
            let conflicts = take_value(transaction, row, window, &doors, timing, now).await?;
            if let Some(token) = self.facts.tokens.get_mut(number) {
                token.conflicts = conflicts;
            }
        }
        Ok(())
    }
}

/// Keeps the value of a token taken at these doors and in this window, until it may be used again. Returns where somebody
/// else has it.
pub(super) async fn take_value(
    transaction: &DatabaseTransaction,
    token: &access_token::Model,
    window: Window,
    doors: &BTreeSet<DoorId>,
    timing: &StayTiming,
    now: Timestamp,
) -> Result<BTreeSet<DoorId>, StoreError> {
    let hold = Hold {
        holder: token.id,
        fingerprint: &token.fingerprint,
        doors,
        from: window.from,
        until: Some(window.until + timing.cool_down),
    };
    // A door that is left opens for a while yet.
    taken_values::move_to(transaction, &hold, now + timing.handover + timing.cool_down).await
}

async fn guest(
    transaction: &DatabaseTransaction,
    reservation: &reservation::Model,
) -> Result<Option<String>, StoreError> {
    let Some(guest) = reservation.guest_id else { return Ok(None) };
    Ok(user::Entity::find_by_id(guest).one(transaction).await?.map(|row| row.name))
}

async fn pms(
    transaction: &DatabaseTransaction,
    reservation: &reservation::Model,
) -> Result<Option<PmsFacts>, StoreError> {
    let (Some(account), Some(known_as)) = (reservation.account_id, &reservation.external_id) else { return Ok(None) };
    let row = vendor_account::Entity::find_by_id(account).one(transaction).await?;
    Ok(Some(PmsFacts {
        account: VendorAccountId(account),
        shows_tokens: row.map(|row| row.vendor()).transpose()? == Some(Vendor::Mews),
        reservation: known_as.clone(),
        resource: reservation.resource.clone(),
    }))
}

type Doors = BTreeMap<DoorId, Option<Timestamp>>;

async fn opened(transaction: &DatabaseTransaction, tokens: &[Uuid]) -> Result<HashMap<Uuid, Doors>, StoreError> {
    let rows = access_token_door::Entity::find()
        .filter(access_token_door::Column::AccessTokenId.is_in(tokens.iter().copied()))
        .all(transaction)
        .await?;
    let mut opened: HashMap<Uuid, Doors> = HashMap::new();
    for row in rows {
        opened.entry(row.access_token_id).or_default().insert(DoorId(row.door_id), row.leaves_at);
    }
    Ok(opened)
}

fn of_token(
    row: &access_token::Model,
    doors: Doors,
    placements: &HashMap<(AccessTokenId, VendorAccountId), placement::Model>,
) -> Result<TokenFacts, StoreError> {
    let id = AccessTokenId(row.id);
    let own = placements.iter().filter(|((token, _), _)| *token == id);
    Ok(TokenFacts {
        id,
        token_type: row.token_type()?,
        state: row.state()?,
        revoke_requested: row.revoke_requested_at.is_some(),
        asked_from: row.asked_from,
        asked_until: row.asked_until,
        asked_doors: row.asked_doors()?,
        valid_from: row.valid_from,
        valid_until: row.valid_until,
        doors,
        conflicts: BTreeSet::new(),
        placements: own
            .map(|((_, account), row)| Ok((*account, of_placement(row)?)))
            .collect::<Result<_, StoreError>>()?,
    })
}

fn of_placement(row: &placement::Model) -> Result<PlacementFacts, StoreError> {
    let state = row.state()?;
    Ok(PlacementFacts {
        desired: row.desired()?,
        wish: row.wish()?,
        state,
        error: row.error_code()?,
        progress: row.progress()?,
        was_confirmed: row.last_confirmed_at.is_some() || state == PlacementState::Confirmed,
    })
}

/// Where the doors are, and what their accounts can do.
async fn places(transaction: &DatabaseTransaction, facts: &mut StayFacts) -> Result<(), StoreError> {
    let mut doors: BTreeSet<DoorId> = facts.doors.clone();
    for token in &facts.tokens {
        doors.extend(token.doors.keys());
        doors.extend(token.asked_doors.iter().flatten());
    }
    let rows: Vec<(Uuid, String, Option<Timestamp>, Uuid)> = door::Entity::find()
        .select_only()
        .columns([door::Column::Id, door::Column::ExternalId, door::Column::MissingSince])
        .column(device::Column::AccountId)
        .join(
            sea_orm::JoinType::InnerJoin,
            door::Entity::belongs_to(device::Entity).from(door::Column::DeviceId).to(device::Column::Id).into(),
        )
        .filter(door::Column::Id.is_in(doors.iter().map(|door| door.0)))
        .into_tuple()
        .all(transaction)
        .await?;
    for (id, external_id, missing_since, account) in rows {
        let account = VendorAccountId(account);
        facts.places.insert(DoorId(id), DoorFacts { account, external_id, missing: missing_since.is_some() });
    }
    let named: BTreeSet<Uuid> = facts.places.values().map(|place| place.account.0).collect();
    let accounts = vendor_account::Entity::find().filter(vendor_account::Column::Id.is_in(named));
    for row in accounts.all(transaction).await? {
        let vendor = row.vendor()?;
        let levels = if holds_tokens(vendor) { levels(transaction, row.id).await? } else { Vec::new() };
        let usable = matches!(row.state()?, AccountState::Connected | AccountState::Degraded);
        facts.accounts.insert(VendorAccountId(row.id), AccountFacts { vendor, usable, levels });
    }
    Ok(())
}

async fn levels(transaction: &DatabaseTransaction, account: Uuid) -> Result<Vec<LevelFacts>, StoreError> {
    let rows = record::Entity::find()
        .filter(record::Column::AccountId.eq(account))
        .filter(record::Column::Kind.eq(RecordKind::AccessLevel.as_str()))
        .all(transaction)
        .await?;
    let mut levels = Vec::with_capacity(rows.len());
    for row in rows {
        if let RecordDetails::AccessLevel(details) = row.details()? {
            let missing = row.missing_since.is_some();
            levels.push(LevelFacts { external_id: row.external_id, doors: details.doors, missing });
        }
    }
    Ok(levels)
}
