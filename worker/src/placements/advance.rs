//! One placement, move after move, until it has to wait.

use chrono::TimeDelta;
use domain::{
    command::{CommandState, FailureCode},
    ids::{CommandId, PlacementId},
    placement::{Finding, Move, OrderEnd, PlacementErrorCode, Standing, next_move},
};
use entities::{
    StoreError,
    rows::{command, placement, vendor_account},
    store::{self, placements::Progressed},
    work,
};
use messaging::Job;

use super::{Reconciler, order::made_id};
use crate::{advance_command::live_command, watch};

/// An order that cannot be called off is looked at again after this long, should nobody tell of its end.
const SOON: TimeDelta = TimeDelta::seconds(1);
/// Moves in a row; a vendor that answers at once must not keep others waiting for ever.
const MOVES: usize = 12;

impl Reconciler {
    /// Makes the moves that are due. Says whether there was any.
    pub(super) async fn advance(
        &self,
        account: &vendor_account::Model,
        mut row: placement::Model,
    ) -> Result<bool, StoreError> {
        let mut any = false;
        for _ in 0..MOVES {
            if self.shutdown.is_cancelled() {
                break;
            }
            match self.make_a_move(account, &row).await? {
                // Whoever wrote in between made it due, or somebody else sees to it.
                None => match work::placements::placement(&self.parts.database, row.id).await? {
                    Some(now) if now.version != row.version => row = now,
                    _ => break,
                },
                Some(next) => row = next,
            }
            any = true;
            if row.due_at.is_none_or(|due| due > self.parts.clock.now()) {
                break;
            }
        }
        Ok(any)
    }

    /// Makes one move, and gives the row as it is then. `None`: nothing was written.
    async fn make_a_move(
        &self,
        account: &vendor_account::Model,
        row: &placement::Model,
    ) -> Result<Option<placement::Model>, StoreError> {
        let now = self.parts.clock.now();
        let mut standing = store::placements::standing(row)?;
        // Whoever comes here can use the account.
        standing.error.take_if(|(code, _)| *code == PlacementErrorCode::AccountNotUsable);
        let order = match row.command_id.filter(|_| standing.progress.under_way) {
            Some(id) => work::command(&self.parts.database, CommandId(id)).await?,
            None => None,
        };
        if standing.progress.under_way
            && let Some(end) = end_of(order.as_ref())?
        {
            return self.write(row, &standing.order_ended(end, now)).await;
        }
        let is_queued = order.as_ref().is_some_and(|order| order.state == CommandState::Queued.as_str());
        match next_move(&standing, is_queued, now) {
            Move::Rest => self.write(row, &Standing { due_at: None, ..standing }).await,
            Move::Wait(until) if standing.due_at.is_some_and(|due| due <= now) => {
                self.write(row, &Standing { due_at: Some(until), ..standing }).await
            }
            Move::Wait(_) => Ok(None),
            Move::Settle(next) => self.write(row, &next).await,
            Move::CallOff => self.call_off(row, &standing, order.as_ref()).await,
            Move::Send(change) => self.send(account, row, &standing, change).await,
            Move::ReadBack(record) => self.read_back(account, row, &standing, &record, false).await,
            Move::ReadLeftover(record) => self.read_back(account, row, &standing, &record, true).await,
            Move::Find(change) => self.find(account, row, &standing, &change).await,
        }
    }

    async fn call_off(
        &self,
        row: &placement::Model,
        standing: &Standing,
        order: Option<&command::Model>,
    ) -> Result<Option<placement::Model>, StoreError> {
        let (Some(order), now) = (order, self.parts.clock.now()) else { return Ok(None) };
        let by = PlacementId(row.id).to_string();
        let (database, ids) = (&self.parts.database, self.parts.ids.as_ref());
        if let Some(called_off) = store::commands::call_off(database, ids, order, &by, now).await? {
            self.parts.tell(&[live_command(&called_off)]).await;
            return self.write(row, &standing.order_ended(OrderEnd::CalledOff, now)).await;
        }
        // It left just now, or may have before: its end is waited for.
        self.write(row, &Standing { due_at: Some(now + SOON), ..standing.clone() }).await
    }

    pub(super) async fn write(
        &self,
        row: &placement::Model,
        next: &Standing,
    ) -> Result<Option<placement::Model>, StoreError> {
        self.write_finding(row, next, None).await
    }

    /// Writes where a placement stands, and tells of it. `None`: somebody else wrote first.
    pub(super) async fn write_finding(
        &self,
        row: &placement::Model,
        next: &Standing,
        finding: Option<Finding>,
    ) -> Result<Option<placement::Model>, StoreError> {
        let (ids, now) = (self.parts.ids.as_ref(), self.parts.clock.now());
        let done = store::placements::progress(&self.parts.database, ids, row, (next, finding), now).await?;
        Ok(match done {
            Some(done) => Some(self.announce(done).await),
            None => None,
        })
    }

    /// After the commit: tells of alerts, and rings for the stay.
    pub(super) async fn announce(&self, done: Progressed) -> placement::Model {
        watch::tell(&self.parts, &done.alerts).await;
        if let Some(stay) = done.reservation
            && let Err(error) = self.parts.queue.ring(&Job::Settle { reservation: stay.0 }).await
        {
            tracing::warn!(reservation = %stay, %error, "a stay was not rung for; the sweeper will ring");
        }
        done.row
    }
}

/// How an order ended; `None` while it has not.
fn end_of(order: Option<&command::Model>) -> Result<Option<OrderEnd>, StoreError> {
    // Rows of commands are kept: without one nothing is known of it.
    let Some(order) = order else { return Ok(Some(OrderEnd::Unknown)) };
    let progress = order.progress()?;
    let why = |code| OrderEnd::NotDone { code, message: order.failure_message.clone().unwrap_or_default() };
    Ok(match progress.state {
        CommandState::Queued | CommandState::Dispatching | CommandState::Accepted => None,
        CommandState::Succeeded => Some(OrderEnd::Done { external_id: order.result.as_ref().and_then(made_id) }),
        CommandState::Canceled => Some(OrderEnd::CalledOff),
        CommandState::OutcomeUnknown => Some(OrderEnd::Unknown),
        CommandState::Expired => Some(why(PlacementErrorCode::VendorUnavailable)),
        CommandState::Failed => Some(why(match progress.failure.map(|failure| failure.code) {
            Some(FailureCode::AuthenticationFailed) => PlacementErrorCode::AccountNotUsable,
            Some(FailureCode::Unsupported) => PlacementErrorCode::CapabilityMissing,
            Some(FailureCode::VendorUnreachable | FailureCode::Throttled | FailureCode::VendorFailed) => {
                PlacementErrorCode::VendorUnavailable
            }
            _ => PlacementErrorCode::VendorRefused,
        })),
    })
}
