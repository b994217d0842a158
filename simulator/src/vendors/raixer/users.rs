//! R55 and R56: the caller's own profile. Nobody reads or writes another's.

use serde_json::{Map, Value, json};

use super::{
    body::{Fields, Refusal},
    ok,
    state::Raixer,
    wire::{self, time},
};
use crate::{
    answer::{Answer, Call, Circumstances},
    journal::{EffectKind, Place},
    vendors::Vendor,
};

/// The documented parts of an address, all text.
const ADDRESS: [&str; 8] = ["email", "name", "address", "street2", "city", "zip", "state", "country"];

fn read_address(given: &Value) -> Option<Map<String, Value>> {
    let given = given.as_object()?;
    let parts = ADDRESS.iter().filter_map(|part| given.get(*part).map(|value| ((*part).to_owned(), value.clone())));
    let address: Map<String, Value> = parts.collect();
    address.values().all(Value::is_string).then_some(address)
}

impl Raixer {
    fn check_own(&self, account: usize, call: &Call) -> Result<(), Refusal> {
        match self.accounts.iter().position(|known| known.id == call.param(0)) {
            None => Err(Refusal::NOT_FOUND),
            Some(found) if found == account => Ok(()),
            Some(_) => Err(Refusal::UNAUTHORIZED),
        }
    }

    /// R55. The address is replaced as a whole; it was given as a whole.
    pub(super) fn update_user(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let fields = Fields::of(call)?;
        self.check_own(account, call)?;
        let (name, email) = (fields.text("displayName")?, fields.text("email")?);
        let address = match fields.get("address") {
            Some(given) => Some(read_address(given).ok_or(Refusal::BAD_REQUEST)?),
            None => None,
        };
        let user = self.accounts.get_mut(account).ok_or(Refusal::NOT_FOUND)?;
        if let Some(name) = name {
            name.clone_into(&mut user.name);
        }
        if let Some(email) = email {
            email.clone_into(&mut user.email);
        }
        user.address = address.or(user.address.take());
        user.updated = at.now;
        let place = Place { vendor: Vendor::Raixer, device: &user.id, door: None, position: None };
        at.journal.effect(place, EffectKind::ProfileChanged, at.now, Some(call.sequence));
        Ok(ok(&wire::updated()))
    }

    /// R56.
    pub(super) fn get_user(&self, account: usize, call: &Call) -> Result<Answer, Refusal> {
        self.check_own(account, call)?;
        let user = self.accounts.get(account).ok_or(Refusal::NOT_FOUND)?;
        let mut body = json!({
            "_id": user.id,
            "displayName": user.name,
            "email": user.email,
            "created": time(user.created),
            "updated": time(user.updated),
        });
        if let Some(address) = &user.address {
            body["address"] = json!(address);
        }
        Ok(ok(&body))
    }
}
