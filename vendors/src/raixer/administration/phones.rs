//! Telephone numbers that may open a device.

use domain::{command::FailureCode, record::RecordKind};
use http::Method;
use serde_json::json;

use super::{before, done, done_without};
use crate::{
    error::VendorError,
    port::{ChangeReceipt, Departure, Target},
    raixer::{
        client::{Raixer, Removal, Write, body, not_there},
        mapping::records,
        wire::bodies,
    },
};

/// A number as Raixer writes it: a JSON number, which would lose zeros at its beginning.
fn number(digits: &str) -> Result<u64, VendorError> {
    let number = Some(digits).filter(|digits| !digits.starts_with('0')).and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| {
        VendorError::unsupported(
            "Raixer keeps telephone numbers as digits with the country code, without zeros before.",
        )
    })
}

impl Raixer {
    pub(super) async fn authorize_phone(
        &self,
        target: &Target,
        digits: &str,
        authorized: bool,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let phone = bodies::Phone { device_id: &target.device, phone_number: number(digits)?, authorized };
        let write = Write {
            operation: "authorize phone",
            method: Method::POST,
            path: &["authorized-phones"],
            body: body(&phone)?,
        };
        let id = self.insert(write, departure).await?;
        let receipt = done(Some(json!({ "externalId": id })), Vec::new());
        Ok(self.with_record(receipt, RecordKind::Credential, &id).await)
    }

    /// Suspends a number or lets it open again. The update takes the whole record, so it is read first.
    pub(super) async fn set_phone(
        &self,
        target: &Target,
        phone: &str,
        authorized: bool,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let id = with_id(phone)?;
        let gone = || if authorized { Err(not_there()) } else { Ok(done_without(RecordKind::Credential, id)) };
        let Some(held) = before(self.phone_by_id(id).await)? else { return gone() };
        if held.device_id.as_deref().is_some_and(|device| device != target.device) {
            return Err(VendorError::rejected(
                FailureCode::VendorRejected,
                "The telephone number is of another device at Raixer.",
            ));
        }
        let digits = held.phone_number.as_deref().unwrap_or_default();
        let digits = digits.trim_start_matches('+');
        let phone = bodies::Phone { device_id: &target.device, phone_number: number(digits)?, authorized };
        let path = ["authorized-phones", id];
        let write = Write { operation: "update phone", method: Method::PUT, path: &path, body: body(&phone)? };
        if self.update_if_there(write, departure).await? == Removal::NothingThere {
            return gone();
        }
        Ok(self.with_record(done(None, Vec::new()), RecordKind::Credential, id).await)
    }

    pub(super) async fn remove_phone(
        &self,
        _: &Target,
        phone: &str,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        if let Some(device) = records::device_of_phone_without_id(phone)
            && let Some(listed) = before(self.phones_of(device).await)?
        {
            // It cannot be asked for; but whoever removed it in the app has done what is asked for here.
            let mut ids = listed.iter().filter_map(|listed| records::phone(listed, Some(device)));
            if !ids.any(|found| found.external_id == phone) {
                return Ok(done_without(RecordKind::Credential, phone));
            }
        }
        let id = with_id(phone)?;
        self.remove("remove phone", &["authorized-phones", id], departure).await?;
        Ok(done_without(RecordKind::Credential, id))
    }
}

/// The vendor's id of a number; some of its lists tell none, and without one nothing can be done with it.
pub(super) fn with_id(phone: &str) -> Result<&str, VendorError> {
    if records::device_of_phone_without_id(phone).is_none() {
        return Ok(phone);
    }
    Err(VendorError::unsupported(
        "Raixer told this telephone number without its id, so it can only be changed in Raixer's app.",
    ))
}
