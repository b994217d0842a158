//! Writing what a stay was planned to be: only what changes, and the events of that.

use std::collections::BTreeSet;

use domain::{
    alert::AlertKind,
    clock::Timestamp,
    event::EventType,
    ids::{AccessTokenId, DoorId, ReservationId, VendorAccountId},
    placement::{Desired, PlacementErrorCode},
    stay::{PlacementPlan, Readiness, StayPlan, TokenFacts, TokenPlan, TokenState, Window},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait, JsonValue, QueryFilter,
    Set,
};
use serde_json::json;

use super::{
    Settled, Settling,
    known::{Known, take_value},
};
use crate::{
    StoreError,
    rows::{access_token, access_token_door, alert, placement, reservation, to_json},
    store::{
        alerts::{self, NewAlert},
        events::{self, NewEvent},
        placements::{self, Holder, NewPlacement, Obstacle},
        taken_values,
    },
};

pub(super) async fn carry_out(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    known: &Known,
    plan: StayPlan,
    now: Timestamp,
) -> Result<Settled, StoreError> {
    let mut writing = Writing { transaction, settling, known, now, accounts: BTreeSet::new(), events: Vec::new() };
    for ((row, facts), planned) in known.tokens.iter().zip(&known.facts.tokens).zip(&plan.tokens) {
        writing.token(row, facts, planned).await?;
    }
    let reservation = writing.reservation(&plan).await?;
    let Writing { accounts, events, .. } = writing;
    events::append(transaction, settling.ids, events).await?;
    let alerts = warn(transaction, settling, known, &plan, now).await?.into_iter().collect();
    Ok(Settled { reservation, accounts, alerts })
}

struct Writing<'a> {
    transaction: &'a DatabaseTransaction,
    settling: &'a Settling<'a>,
    known: &'a Known,
    now: Timestamp,
    accounts: BTreeSet<VendorAccountId>,
    events: Vec<NewEvent<'static>>,
}

impl Writing<'_> {
    async fn token(
        &mut self,
        row: &access_token::Model,
        facts: &TokenFacts,
        plan: &TokenPlan,
    ) -> Result<(), StoreError> {
        for (account, placement) in &plan.placements {
            self.placement(row, *account, placement).await?;
        }
        if !facts.conflicts.is_empty() {
            let doors: BTreeSet<DoorId> = plan.meant().collect();
            take_value(self.transaction, row, plan.window, &doors, self.settling.timing, self.now).await?;
        }
        let moved = self.doors(row, facts, plan).await?;
        let prolonged = plan.window != Window { from: row.valid_from, until: row.valid_until };
        if !moved && !prolonged && plan.state == facts.state {
            return Ok(());
        }
        let revoked = plan.state == TokenState::Revoked && facts.state != TokenState::Revoked;
        let next = access_token::Model {
            state: plan.state.as_str().to_owned(),
            valid_from: plan.window.from,
            valid_until: plan.window.until,
            sealed: row.sealed.clone().filter(|_| !revoked),
            revoked_at: if revoked { Some(self.now) } else { row.revoked_at },
            version: row.version + 1,
            ..row.clone()
        };
        let active = access_token::ActiveModel::from(next).reset_all();
        access_token::Entity::update_many()
            .set(access_token::ActiveModel { id: Unchanged(row.id), ..active })
            .filter(access_token::Column::Id.eq(row.id))
            .exec(self.transaction)
            .await?;
        if moved || prolonged {
            self.tell_of_token(row, EventType::TokenChanged);
        }
        let leaving = matches!(plan.state, TokenState::Revoking | TokenState::Revoked);
        let stayed = matches!(facts.state, TokenState::Pending | TokenState::Active);
        if leaving && stayed && !facts.revoke_requested {
            self.tell_of_token(row, EventType::TokenRevocationRequested);
        }
        if revoked {
            taken_values::release(self.transaction, row.id, self.now + self.settling.timing.cool_down).await?;
            self.tell_of_token(row, EventType::TokenRevoked);
        }
        Ok(())
    }

    async fn placement(
        &mut self,
        token: &access_token::Model,
        account: VendorAccountId,
        plan: &PlacementPlan,
    ) -> Result<(), StoreError> {
        let (transaction, now) = (self.transaction, self.now);
        let row = self.known.placements.get(&(AccessTokenId(token.id), account));
        let (wish, due_at) = match plan {
            PlacementPlan::Wish { wish, due_at } => (Ok(wish.clone()), *due_at),
            PlacementPlan::Obstacle { code, message } => {
                (Err(Obstacle { code: *code, message: (*message).to_owned() }), now)
            }
            PlacementPlan::Withdraw => {
                if let Some(row) = row
                    && placements::withdraw(transaction, row, now).await?.is_some()
                {
                    self.accounts.insert(account);
                }
                return Ok(());
            }
        };
        let written = match row {
            None => {
                let new = NewPlacement {
                    organization: token.organization_id,
                    site: token.site_id,
                    account,
                    device: None,
                    holder: Holder::Token(AccessTokenId(token.id)),
                    wish,
                    due_at,
                };
                Some(placements::wish(transaction, self.settling.ids, new, now).await?)
            }
            Some(row) => {
                let freed = if wish.is_ok() { without_obstacle(transaction, row, now).await? } else { None };
                placements::change_wish(transaction, freed.as_ref().unwrap_or(row), wish, due_at).await?
            }
        };
        if written.is_some_and(|row| row.due_at.is_some_and(|at| at <= now)) {
            self.accounts.insert(account);
        }
        Ok(())
    }

    /// Writes which doors the token opens. Says whether that changed.
    async fn doors(&self, row: &access_token::Model, facts: &TokenFacts, plan: &TokenPlan) -> Result<bool, StoreError> {
        if facts.doors == plan.doors {
            return Ok(false);
        }
        let left = facts.doors.iter().filter(|(door, leaves_at)| plan.doors.get(door) != Some(leaves_at));
        access_token_door::Entity::delete_many()
            .filter(access_token_door::Column::AccessTokenId.eq(row.id))
            .filter(access_token_door::Column::DoorId.is_in(left.map(|(door, _)| door.0)))
            .exec(self.transaction)
            .await?;
        let added: Vec<_> = plan
            .doors
            .iter()
            .filter(|(door, leaves_at)| facts.doors.get(door) != Some(leaves_at))
            .map(|(door, leaves_at)| access_token_door::ActiveModel {
                access_token_id: Set(row.id),
                door_id: Set(door.0),
                leaves_at: Set(*leaves_at),
            })
            .collect();
        if !added.is_empty() {
            access_token_door::Entity::insert_many(added).exec_without_returning(self.transaction).await?;
        }
        Ok(true)
    }

    async fn reservation(&mut self, plan: &StayPlan) -> Result<reservation::Model, StoreError> {
        let row = &self.known.reservation;
        let reasons = to_json("reservations", "reasons", &plan.reasons)?;
        let judged = row.readiness != plan.readiness.as_str() || row.reasons != reasons;
        if !judged && row.due_at == plan.due_at {
            return Ok(row.clone());
        }
        let next = reservation::Model {
            readiness: plan.readiness.as_str().to_owned(),
            reasons,
            due_at: plan.due_at,
            version: row.version + i64::from(judged),
            changed_at: if judged { self.now } else { row.changed_at },
            ..row.clone()
        };
        let active = reservation::ActiveModel::from(next.clone()).reset_all();
        reservation::Entity::update_many()
            .set(reservation::ActiveModel { id: Unchanged(row.id), ..active })
            .filter(reservation::Column::Id.eq(row.id))
            .exec(self.transaction)
            .await?;
        if row.readiness != next.readiness {
            let codes: Vec<&str> = plan.reasons.iter().map(|reason| reason.code.as_str()).collect();
            let data = json!({
                "reservation": ReservationId(row.id).to_string(),
                "readiness": next.readiness,
                "reasons": codes,
            });
            self.events.push(event(row, EventType::ReadinessChanged, self.now, data));
        }
        Ok(next)
    }

    fn tell_of_token(&mut self, token: &access_token::Model, event_type: EventType) {
        let stay = &self.known.reservation;
        let data = json!({
            "token": AccessTokenId(token.id).to_string(),
            "reservation": ReservationId(stay.id).to_string(),
        });
        self.events.push(event(stay, event_type, self.now, data));
    }
}

/// A placement that nothing could be wished for begins anew: what it wished for last may be what is wished for now.
async fn without_obstacle(
    transaction: &DatabaseTransaction,
    row: &placement::Model,
    now: Timestamp,
) -> Result<Option<placement::Model>, StoreError> {
    let obstacles = [PlacementErrorCode::CapabilityMissing, PlacementErrorCode::NoAccessLevel];
    let obstructed = row.error_code()?.is_some_and(|code| obstacles.contains(&code));
    if !obstructed || row.desired()? == Desired::Absent {
        return Ok(None);
    }
    placements::withdraw(transaction, row, now).await
}

/// Nobody needs to look at a stay that nobody issued a token for: its readiness says so.
async fn warn(
    transaction: &DatabaseTransaction,
    settling: &Settling<'_>,
    known: &Known,
    plan: &StayPlan,
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let row = &known.reservation;
    let subject = ReservationId(row.id).to_string();
    let kind = AlertKind::TokenAtRisk;
    let Some(severity) = plan.alert else {
        let was_at_risk = [Readiness::AtRisk.as_str(), Readiness::Failed.as_str()].contains(&row.readiness.as_str());
        if !was_at_risk {
            return Ok(None);
        }
        return alerts::resolve(transaction, settling.ids, row.organization_id, kind, &subject, now).await;
    };
    let message = plan.reasons.first().map(|reason| reason.message.clone()).unwrap_or_default();
    let new = NewAlert { organization: row.organization_id, site: Some(row.site_id), kind, severity, subject, message };
    alerts::raise(transaction, settling.ids, new, now).await
}

/// Of a person, so it is at no site: whoever sees a site only need not learn who stays there.
pub(in crate::store) fn event(
    stay: &reservation::Model,
    event_type: EventType,
    now: Timestamp,
    data: JsonValue,
) -> NewEvent<'static> {
    NewEvent {
        account: stay.account_id,
        ..NewEvent::of_organization(stay.organization_id, event_type, now, None, data)
    }
}
