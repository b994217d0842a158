//! Orders: a change becomes a command of its own, written together with the intent; its value is sealed beside it.

use domain::{
    account::Vendor,
    change::{Change, UserSecret, UserSecrets},
    command::{Action, expiry},
    ids::{CommandId, DeviceId, OrganizationId, PlacementId, SiteId, VendorAccountId},
    lane::lane_of,
    placement::{PlacementErrorCode, Standing, Wish, carries_value},
    secret::Secret,
};
use entities::{
    StoreError,
    rows::{placement, vendor_account},
    store::{self, commands::NewCommand},
    work,
};
use messaging::Job;
use platform::vault::Place;
use serde_json::Value;

use super::Reconciler;
use crate::advance_command::live_command;

/// Its value was wiped, or cannot be opened.
pub(super) struct NoValue;

impl Reconciler {
    /// Orders a change: command and intent in one transaction, so that no order is given twice.
    pub(super) async fn send(
        &self,
        account: &vendor_account::Model,
        row: &placement::Model,
        standing: &Standing,
        change: Change,
    ) -> Result<Option<placement::Model>, StoreError> {
        let (ids, now) = (self.parts.ids.as_ref(), self.parts.clock.now());
        let id = CommandId(ids.next_uuid());
        let sealed = match self.secret(row, standing, &change).await? {
            Ok(None) => None,
            Ok(Some(secret)) => {
                let place = Place { table: "commands", column: "sealed", row: id.0 };
                let sealed = self.parts.vault.seal(&secret, place);
                Some(sealed.map_err(|error| StoreError::Unsealable(error.to_string()))?)
            }
            Err(NoValue) => {
                let why = "Its value is kept here no longer: it has to be issued anew.";
                return self.write(row, &standing.failed(PlacementErrorCode::VendorRefused, why, now)).await;
            }
        };
        let (device, account_id) = (row.device_id.map(DeviceId), VendorAccountId(row.account_id));
        let Some(vendor) = Vendor::parse(&account.vendor) else { return Ok(None) };
        let next = standing.ordered(now);
        let placement = PlacementId(row.id).to_string();
        let kind = change.kind();
        let action = Action::from(change);
        let new = NewCommand {
            id,
            organization: OrganizationId(row.organization_id),
            site: SiteId(row.site_id),
            account: account_id,
            device,
            door: None,
            lane: lane_of(vendor, account_id, device, None),
            action: &action,
            sealed,
            idempotency_key: Some(format!("{placement}:{}:{}", row.wish_version, next.progress.orders)),
            requested_by: placement,
            credential: None,
            own_way_in: None,
            expires_at: expiry(kind, None, now).unwrap_or_default(),
        };
        let ordered = store::placements::order(&self.parts.database, ids, row, &next, &new, now).await?;
        let Some((written, command)) = ordered else { return Ok(None) };
        if let Err(error) = self.parts.queue.ring(&Job::Lane { lane: new.lane }).await {
            tracing::warn!(command = %id, %error, "the bell did not ring; the sweeper will");
        }
        self.parts.tell(&[live_command(&command)]).await;
        Ok(Some(self.announce(written).await))
    }

    /// What goes sealed beside an order, in the form that the connector reads.
    pub(super) async fn secret(
        &self,
        row: &placement::Model,
        standing: &Standing,
        change: &Change,
    ) -> Result<Result<Option<Secret>, NoValue>, StoreError> {
        let wish = match (standing.wish.as_ref(), change) {
            (Some(Wish::CardHolder(wish)), Change::ImportUsers { .. }) if !wish.has_value() => return Ok(Ok(None)),
            (Some(Wish::CardHolder(wish)), Change::ImportUsers { .. }) => Some(wish),
            _ => None,
        };
        if !carries_value(change) {
            return Ok(Ok(None));
        }
        let Some(value) = self.value(row).await? else { return Ok(Err(NoValue)) };
        let Some(wish) = wish else { return Ok(Ok(Some(value))) };
        let told = |is_it: bool| is_it.then(|| value.expose().to_owned());
        let secret =
            UserSecret { pin: told(wish.has_pin), card_number: told(wish.has_card_number), ..UserSecret::default() };
        let mark = wish.id_number.clone();
        let form = serde_json::to_string(&UserSecrets::from([(mark, secret)]));
        Ok(form.map(|form| Some(Secret::new(form))).map_err(|_| NoValue))
    }

    /// The value that is placed; none if it was wiped, or cannot be opened.
    pub(super) async fn value(&self, row: &placement::Model) -> Result<Option<Secret>, StoreError> {
        let held = work::placements::value(&self.parts.database, row).await?;
        Ok(held.and_then(|held| {
            let place = Place { table: held.table, column: "sealed", row: held.row };
            self.parts.vault.open(&held.sealed?, place).ok()
        }))
    }
}

/// The vendor's id of the one record that a command was about, as its result tells.
pub(super) fn made_id(result: &Value) -> Option<String> {
    let told = |told: &Value| told.get("externalId")?.as_str().map(str::to_owned);
    let single = || match result.get("records")?.as_array()?.as_slice() {
        [record] => told(record),
        _ => None,
    };
    told(result).or_else(single)
}
