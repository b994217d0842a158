//! When doors will listen, and the account's own profile.

use domain::{change::AccountProfile, clock::Timestamp, command::FailureCode, record::RecordKind};
use http::Method;
use serde_json::json;

use super::{before, done, done_without, nothing_to_change, record};
use crate::{
    error::VendorError,
    port::{ChangeReceipt, Departure, Target},
    raixer::{
        client::{Raixer, Write, body, not_there},
        control::position,
        mapping::{self, answers, orders},
        wire,
    },
};

impl Raixer {
    pub(super) async fn create_schedule(
        &self,
        target: &Target,
        starts_at: Timestamp,
        minutes: u32,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let port = position(target)?.to_string();
        let campaign = self.campaign_of(target).await?;
        let write = Write {
            operation: "create schedule",
            method: Method::POST,
            path: &["schedules"],
            body: body(&orders::schedule(&campaign, starts_at, minutes, &port))?,
        };
        let id = self.insert(write, departure).await?;
        let receipt = done(Some(json!({ "externalId": id })), Vec::new());
        Ok(self.with_record(receipt, RecordKind::AutoAccessSchedule, &id).await)
    }

    /// Raixer removes the old schedule and makes a new one, with another id.
    pub(super) async fn update_schedule(
        &self,
        target: &Target,
        schedule: &str,
        (starts_at, minutes): (Timestamp, u32),
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let port = position(target)?.to_string();
        let campaign = self.campaign_of(target).await?;
        let write = Write {
            operation: "update schedule",
            method: Method::PUT,
            path: &["schedules", schedule],
            body: body(&orders::schedule(&campaign, starts_at, minutes, &port))?,
        };
        let id = self.insert(write, departure).await?;
        let mut receipt = done(Some(json!({ "externalId": id, "replaced": schedule })), Vec::new());
        if id != schedule {
            receipt.gone = vec![record(RecordKind::AutoAccessSchedule, schedule)];
        }
        Ok(self.with_record(receipt, RecordKind::AutoAccessSchedule, &id).await)
    }

    pub(super) async fn delete_schedule(
        &self,
        schedule: &str,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let path = ["schedules", schedule];
        let answer: Option<wire::Removed> = self.remove_with_answer("delete schedule", &path, departure).await?;
        match answer.map(|answer| answer.result) {
            None | Some(Some(true)) => {}
            // Nothing says whether false means that it was not there.
            Some(Some(false)) if self.schedule_by_id(schedule).await?.is_none() => {}
            Some(Some(false)) => {
                return Err(VendorError::rejected(FailureCode::VendorRejected, "Raixer did not delete the schedule."));
            }
            Some(None) => return Err(answers::odd()),
        }
        Ok(done_without(RecordKind::AutoAccessSchedule, schedule))
    }

    /// The campaign that the schedules of a device belong to.
    pub(super) async fn campaign_of(&self, target: &Target) -> Result<String, VendorError> {
        let device = before(self.device_by_id(&target.device).await)?;
        if let Some(campaign) = device.as_ref().and_then(mapping::campaign_of) {
            return Ok(campaign);
        }
        Err(VendorError::unsupported("The device has no campaign at Raixer, and schedules belong to campaigns."))
    }

    /// The account's own profile. Of the address, what is not to change is read and sent along.
    pub(super) async fn update_profile(
        &self,
        profile: &AccountProfile,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        if profile.display_name.is_none() && profile.email.is_none() && profile.address.is_none() {
            return Err(nothing_to_change());
        }
        let id = match profile.user.trim() {
            "" => before(self.own_user().await)?.ok_or_else(not_there)?,
            user => user.to_owned(),
        };
        let held = match &profile.address {
            Some(_) => before(self.user(&id).await)?.ok_or_else(not_there)?.address,
            None => None,
        };
        let write = Write {
            operation: "update user",
            method: Method::PUT,
            path: &["users", &id],
            body: body(&orders::user(profile, held.as_ref()))?,
        };
        self.update(write, departure).await?;
        Ok(self.with_record(done(None, Vec::new()), RecordKind::Profile, &id).await)
    }
}
