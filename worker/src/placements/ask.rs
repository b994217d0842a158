//! Reading what a vendor shows of a placement: its record again, or whether something was made. What is read goes into the
//! rows of records like all that vendors tell.

use std::sync::Arc;

use domain::{
    change::Change,
    ids::VendorAccountId,
    placement::{Look, PlacementState, Reading, Standing, Wish, is_marked},
    record::{RecordDetails, RecordRef},
    secret::Secret,
};
use entities::{
    StoreError,
    rows::{placement, vendor_account},
    store, work,
};
use messaging::Urgency;
use vendors::{
    error::VendorError,
    port::{Hint, Order, Portion, SyncPart, Target, Trace},
};

use super::{Reconciler, order::made_id};
use crate::{
    accounts::{Access, Line, pace::with_urgency},
    intake,
};

impl Reconciler {
    /// Reads a record again, and writes what that means.
    pub(super) async fn read_back(
        &self,
        account: &vendor_account::Model,
        row: &placement::Model,
        standing: &Standing,
        record: &RecordRef,
        is_leftover: bool,
    ) -> Result<Option<placement::Model>, StoreError> {
        let hint = Hint::Record(record.clone());
        let read = self
            .ask(account, standing, async |line: &Line| {
                line.connection.inventory().reread(&hint, self.parts.clock.now()).await
            })
            .await?;
        // A single person's answer may omit the access levels; where somebody may have changed them the list is asked.
        let is_complete = standing.state != PlacementState::Confirmed || tells_levels(&read, record);
        let read = if is_leftover || is_complete {
            read
        } else {
            let all = Hint::Part(SyncPart::Users);
            self.ask(account, standing, async |line: &Line| {
                let mut portion = line.connection.inventory().reread(&all, self.parts.clock.now()).await?;
                portion.records.retain(|found| found.external_id == record.external_id);
                Ok(portion)
            })
            .await?
        };
        let now = self.parts.clock.now();
        let portion = match read {
            Ok(portion) => portion,
            Err(why) => return self.write(row, &standing.not_read(&why, now)).await,
        };
        let shown = portion.records.iter().find(|found| found.external_id == record.external_id);
        let reading = match shown.map(|found| &found.details) {
            None => Reading::Absent,
            Some(details) if self.has_another_value(row, standing, details).await? => {
                Reading::OtherValue(Box::new(details.clone()))
            }
            Some(details) => Reading::Shown(Box::new(details.clone())),
        };
        self.keep(account, &portion).await?;
        if shown.is_none() {
            let (database, ids, gone) = (&self.parts.database, self.parts.ids.as_ref(), std::slice::from_ref(record));
            store::records::gone(database, ids, VendorAccountId(account.id), gone, now).await?;
        }
        if is_leftover {
            return self.write(row, &standing.read_leftover(&reading, now)).await;
        }
        let (next, finding) = standing.read(&reading, now);
        self.write_finding(row, &next, finding).await
    }

    /// Whether a record tells the value that stands in no wish, the number of a tag, and tells another than ours.
    async fn has_another_value(
        &self,
        row: &placement::Model,
        standing: &Standing,
        details: &RecordDetails,
    ) -> Result<bool, StoreError> {
        let (Some(Wish::CardHolder(wish)), RecordDetails::User(user)) = (&standing.progress.sent, details) else {
            return Ok(false);
        };
        if !wish.has_card_number {
            return Ok(false);
        }
        let told = user.card_number.as_deref().unwrap_or_default().trim();
        Ok(self.value(row).await?.is_some_and(|value| value.expose() != told))
    }

    /// Looks whether something was made, and writes what that means.
    pub(super) async fn find(
        &self,
        account: &vendor_account::Model,
        row: &placement::Model,
        standing: &Standing,
        change: &Change,
    ) -> Result<Option<placement::Model>, StoreError> {
        // Without its value it is known by the rest.
        let secret: Option<Secret> = self.secret(row, standing, change).await?.unwrap_or_default();
        let device = work::placements::device(&self.parts.database, row).await?;
        let target =
            device.map(|device| Target { device: device.external_id, model: device.model, door: None, position: None });
        let order = Order {
            change,
            target: target.as_ref(),
            secret: secret.as_ref(),
            first_sent_at: standing.progress.ordered_at,
        };
        let looked = self
            .ask(account, standing, async |line: &Line| line.connection.administration().look_for(order).await)
            .await?;
        let now = self.parts.clock.now();
        let look = match looked {
            Err(why) => return self.write(row, &standing.not_read(&why, now)).await,
            Ok(Trace::Absent) => Look::Absent,
            Ok(Trace::Unclear) => Look::Unclear,
            Ok(Trace::Made(receipt)) => {
                let ours = |details| standing.thing().is_some_and(|thing| is_marked(thing, details));
                let found = receipt.found.records.iter().find(|found| ours(&found.details));
                let id = found.map(|found| found.external_id.clone());
                self.keep(account, &receipt.found).await?;
                id.or_else(|| receipt.result.as_ref().and_then(made_id)).map_or(Look::Unclear, Look::Found)
            }
        };
        self.write(row, &standing.looked(look, now)).await
    }

    /// Asks the vendor something. What takes access away is asked for first.
    async fn ask<T>(
        &self,
        account: &vendor_account::Model,
        standing: &Standing,
        question: impl AsyncFnOnce(&Line) -> Result<T, VendorError>,
    ) -> Result<Result<T, String>, StoreError> {
        let id = VendorAccountId(account.id);
        let line: Arc<Line> = match self.accounts.line(&Access::of(account)).await {
            Ok(line) => line,
            Err(crate::accounts::ConnectError::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(account = %id, %error, "no connection to the vendor account");
                return Ok(Err(error.to_string()));
            }
        };
        let Ok(_permit) = line.bulkhead.acquire().await else { return Ok(Err("The worker stops.".to_owned())) };
        let urgency = if standing.is_to_be_gone(self.parts.clock.now()) { Urgency::Revoke } else { Urgency::Confirm };
        let outcome = with_urgency(urgency, question(&line)).await;
        if self.accounts.mend(id, &line, &outcome).await.is_none() {
            self.accounts.note(id, &account.state, &outcome).await;
        }
        Ok(outcome.map_err(|error| error.to_string()))
    }

    async fn keep(&self, account: &vendor_account::Model, portion: &Portion) -> Result<(), StoreError> {
        intake::store_records(&self.parts, account, &portion.records).await.map(drop)
    }
}

/// Whether a read says nothing less than a list would: of anybody but a person it never does.
fn tells_levels(read: &Result<Portion, String>, record: &RecordRef) -> bool {
    let Ok(portion) = read else { return true };
    let found = portion.records.iter().find(|found| found.external_id == record.external_id);
    found.is_none_or(|found| !matches!(&found.details, RecordDetails::User(user) if user.access_levels.is_none()))
}
