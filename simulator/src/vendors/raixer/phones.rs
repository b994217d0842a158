//! R1 to R5: phone numbers that may open a device by calling. Calls themselves happen in `happenings`.

use chrono::{DateTime, Utc};
use serde_json::{Number, Value, json};

use super::{
    body::{Fields, Refusal, required},
    ok,
    state::Raixer,
    wire::{self, time},
};
use crate::{
    answer::{Answer, Call, Circumstances},
    journal::EffectKind,
};

#[derive(Debug)]
pub(super) struct Phone {
    id: String,
    pub(super) device: usize,
    number: Number,
    owner: String,
    /// Kept as it came: the sample of the reference, made without it, does not show it.
    authorized: Option<bool>,
    created: DateTime<Utc>,
    updated: DateTime<Utc>,
}

/// What a body says about a phone.
struct Said {
    device: usize,
    number: Number,
    authorized: Option<bool>,
}

impl Raixer {
    fn said_of_phone(&self, account: usize, call: &Call) -> Result<Said, Refusal> {
        let fields = Fields::of(call)?;
        let device = self.permitted_named(account, required(fields.text("deviceId")?)?)?;
        // A telephone number is a whole number; as text it is refused, because the reference says number.
        let number = required(fields.number("phoneNumber")?.filter(|number| number.is_u64()))?.clone();
        Ok(Said { device, number, authorized: fields.flag("authorized")? })
    }

    fn phone(&self, account: usize, call: &Call) -> Result<usize, Refusal> {
        let index = self.phones.iter().position(|phone| phone.id == call.param(0)).ok_or(Refusal::NOT_FOUND)?;
        let device = self.phones.get(index).map(|phone| phone.device);
        if device.is_some_and(|device| self.may_use(account, device)) { Ok(index) } else { Err(Refusal::UNAUTHORIZED) }
    }

    /// R1. A number given twice becomes two records.
    pub(super) fn create_phone(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let said = self.said_of_phone(account, call)?;
        let id = self.fresh_id();
        let owner = self.account_id(account);
        self.phones.push(Phone {
            id: id.clone(),
            device: said.device,
            number: said.number,
            owner,
            authorized: said.authorized,
            created: at.now,
            updated: at.now,
        });
        self.changed(said.device, None, EffectKind::PhoneNumberAuthorised, Some(call), at);
        Ok(ok(&wire::inserted(&id)))
    }

    /// R2. `authorized` left out is true again, its documented default.
    pub(super) fn update_phone(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let said = self.said_of_phone(account, call)?;
        let index = self.phone(account, call)?;
        let phone = self.phones.get_mut(index).ok_or(Refusal::NOT_FOUND)?;
        phone.authorized = said.authorized.or(phone.authorized.map(|_| true));
        (phone.device, phone.number, phone.updated) = (said.device, said.number, at.now);
        self.changed(said.device, None, EffectKind::PhoneNumberChanged, Some(call), at);
        Ok(ok(&wire::updated()))
    }

    /// R3.
    pub(super) fn delete_phone(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let index = self.phone(account, call)?;
        let phone = self.phones.remove(index);
        self.changed(phone.device, None, EffectKind::PhoneNumberRemoved, Some(call), at);
        Ok(ok(&wire::deleted()))
    }

    /// R4.
    pub(super) fn get_phone(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        let phone = self.phones.get(self.phone(account, call)?).ok_or(Refusal::NOT_FOUND)?;
        let mut body = json!({
            "_id": phone.id,
            "deviceId": self.devices.get(phone.device).map(|device| device.id.as_str()),
            "phoneNumber": phone.number,
            "owner": phone.owner,
            "created": time(phone.created),
            "updated": time(phone.updated),
        });
        if let Some(authorized) = phone.authorized {
            body["authorized"] = json!(authorized);
        }
        Ok(ok(&body))
    }

    /// R5: bare numbers of all records, suspended ones too, because nothing is said of leaving them out.
    pub(super) fn list_phones(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        let device = self.permitted(account, call)?;
        let numbers = self.phones.iter().filter(|phone| phone.device == device).map(|phone| json!(phone.number));
        Ok(ok(&Value::Array(numbers.collect())))
    }

    /// Takes a number off a device. None if it is not there.
    pub(super) fn forget_phone(&mut self, device: usize, number: u64) -> Option<()> {
        let before = self.phones.len();
        self.phones.retain(|phone| phone.device != device || phone.number.as_u64() != Some(number));
        (self.phones.len() < before).then_some(())
    }

    /// Whether a number may open by calling.
    pub(super) fn phone_may_call(&self, device: usize, number: u64) -> bool {
        self.phones
            .iter()
            .filter(|phone| phone.device == device && phone.number.as_u64() == Some(number))
            .any(|phone| phone.authorized.unwrap_or(true))
    }
}
