//! Who may use a device. Never without the device's owner: unheard, Raixer would make this account its owner.

use domain::{
    change::{AccessHolder, DeviceAccessPlan},
    command::FailureCode,
    record::{AccessProfile, FoundRecord, RecordKind},
};
use http::Method;
use serde_json::json;

use super::{before, done, done_without, nothing_to_change, record};
use crate::{
    error::VendorError,
    port::{ChangeReceipt, Departure, Hint, Target},
    raixer::{
        client::{Raixer, Removal, Write, body, not_there},
        mapping::{answers, orders, records},
        wire::{self, bodies},
    },
};

impl Raixer {
    pub(super) async fn grant_access(
        &self,
        target: &Target,
        plan: &DeviceAccessPlan,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let owner = match &plan.device_owner {
            Some(owner) => Some(owner.clone()),
            None => before(self.owner_of(&target.device).await)?,
        };
        let Some(owner) = owner.filter(|owner| !owner.trim().is_empty()) else {
            return Err(VendorError::unsupported(
                "Raixer does not tell the device's owner, and without naming it the ownership would move.",
            ));
        };
        let new = bodies::NewAccess {
            device_id: &target.device,
            change: changed(plan),
            device_owner: &owner,
            device_owner_of_the_table: &owner,
        };
        let write =
            Write { operation: "grant access", method: Method::POST, path: &["connections"], body: body(&new)? };
        let ordered: Vec<Vec<wire::Access>> = self.write(write, departure).await?.json()?;
        let here = ordered.into_iter().flatten().filter(|access| access.device_id.as_deref() == Some(&target.device));
        let made = here.max_by_key(|access| access.created).ok_or_else(answers::odd)?;
        let Some(id) = made.id.clone() else { return Err(answers::odd()) };
        let receipt = done(Some(json!({ "externalId": id })), vec![Hint::Device(target.device.clone())]);
        Ok(self.with_record(receipt, RecordKind::DeviceAccess, &id).await)
    }

    pub(super) async fn change_access(
        &self,
        target: &Target,
        holder: &AccessHolder,
        plan: &DeviceAccessPlan,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        if plan.device_owner.is_some() {
            return Err(VendorError::unsupported("Raixer changes no device's owner by changing an access."));
        }
        match holder {
            AccessHolder::Record(id) => {
                if *plan == DeviceAccessPlan::default() {
                    return Err(nothing_to_change());
                }
                let path = ["connections", id];
                let body = body(&changed(plan))?;
                self.update(Write { operation: "change access", method: Method::PUT, path: &path, body }, departure)
                    .await?;
                Ok(self.with_record(done(None, Vec::new()), RecordKind::DeviceAccess, id).await)
            }
            AccessHolder::Email(email) => match (plan.profile, plan.disabled, &plan.name) {
                (Some(profile), None, None) => {
                    self.change_by_email(target, email, Wish::Profile(profile), departure).await
                }
                (None, Some(disabled), None) => {
                    self.change_by_email(target, email, Wish::Disabled(disabled), departure).await
                }
                (None, None, None) => Err(nothing_to_change()),
                _ => Err(VendorError::unsupported(
                    "By e-mail address, Raixer changes the profile or the suspension, one at a time, and no name.",
                )),
            },
        }
    }

    /// Suspends an access or ends its suspension. Whoever has none is as good as suspended.
    pub(super) async fn set_access(
        &self,
        target: &Target,
        holder: &AccessHolder,
        disabled: bool,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        match holder {
            AccessHolder::Email(email) => {
                self.change_by_email(target, email, Wish::Disabled(disabled), departure).await
            }
            AccessHolder::Record(id) => {
                let change = bodies::AccessChange { disabled: Some(disabled), ..bodies::AccessChange::default() };
                let path = ["connections", id];
                let write =
                    Write { operation: "suspend access", method: Method::PUT, path: &path, body: body(&change)? };
                match (self.update_if_there(write, departure).await?, disabled) {
                    (Removal::NothingThere, true) => Ok(done_without(RecordKind::DeviceAccess, id)),
                    (Removal::NothingThere, false) => Err(not_there()),
                    (Removal::Done, _) => {
                        Ok(self.with_record(done(None, Vec::new()), RecordKind::DeviceAccess, id).await)
                    }
                }
            }
        }
    }

    pub(super) async fn revoke_record(&self, id: &str, departure: &Departure) -> Result<ChangeReceipt, VendorError> {
        self.remove("revoke access", &["connections", id], departure).await?;
        Ok(done_without(RecordKind::DeviceAccess, id))
    }

    /// Takes away every access of an e-mail address. Which these are is read before, so that they are known to be gone.
    pub(super) async fn revoke_email(
        &self,
        target: &Target,
        email: &str,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let held = before(self.accesses_of(&target.device).await)?.unwrap_or_default();
        let answer = self.by_email(target, "delete", email, None, departure).await?;
        let after = self.settled(target, email, answer, |_| false).await?;
        let gone = held.into_iter().filter(|access| is_of(access, email)).filter_map(|access| access.id);
        let gone = gone.map(|id| record(RecordKind::DeviceAccess, &id)).collect();
        let mut receipt = self.with_accesses(done(None, Vec::new()), target, &after).await;
        receipt.gone = gone;
        Ok(receipt)
    }

    async fn change_by_email(
        &self,
        target: &Target,
        email: &str,
        wish: Wish,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let (verb, profile) = match wish {
            Wish::Disabled(true) => ("disable", None),
            Wish::Disabled(false) => ("enable", None),
            Wish::Profile(profile) => ("update", Some(orders::profile(profile))),
        };
        let answer = self.by_email(target, verb, email, profile, departure).await?;
        let after = self.settled(target, email, answer, |access| wish.is_met(access)).await?;
        let nobody = after.iter().all(|access| access.owner_email.is_some() && !is_of(access, email));
        if nobody && !after.is_empty() && wish != Wish::Disabled(true) {
            return Err(not_there());
        }
        Ok(self.with_accesses(done(None, Vec::new()), target, &after).await)
    }

    async fn by_email(
        &self,
        target: &Target,
        verb: &'static str,
        email: &str,
        profile: Option<&'static str>,
        departure: &Departure,
    ) -> Result<Vec<wire::Access>, VendorError> {
        let write = Write {
            operation: "change accesses by e-mail",
            method: Method::POST,
            path: &["connections", "by", "device", &target.device, verb, "by", "email"],
            body: body(&bodies::ByEmail { email, profile })?,
        };
        self.write(write, departure).await?.json()
    }

    /// The accesses after a change. If the answer's do not show it, they are read once more; if these do not either,
    /// it is not known what happened.
    async fn settled(
        &self,
        target: &Target,
        email: &str,
        answer: Vec<wire::Access>,
        is_met: impl Fn(&wire::Access) -> bool,
    ) -> Result<Vec<wire::Access>, VendorError> {
        let shows = |accesses: &[wire::Access]| accesses.iter().filter(|access| is_of(access, email)).all(&is_met);
        if shows(&answer) {
            return Ok(answer);
        }
        match self.accesses_of(&target.device).await {
            Ok(Some(read)) if shows(&read) => Ok(read),
            _ => Err(VendorError::indeterminate(
                FailureCode::VendorFailed,
                "Raixer did not refuse, but its accesses do not show the change.",
            )),
        }
    }

    /// Adds accesses as Raixer now tells them; without the device's owner they are to be read again.
    async fn with_accesses(
        &self,
        mut receipt: ChangeReceipt,
        target: &Target,
        accesses: &[wire::Access],
    ) -> ChangeReceipt {
        let at = |access: &wire::Access| wire::Access {
            device_id: access.device_id.clone().or_else(|| Some(target.device.clone())),
            ..access.clone()
        };
        let found: Option<Vec<FoundRecord>> = match self.owner_of(&target.device).await {
            Ok(Some(owner)) => accesses.iter().map(|access| records::access(&at(access), Some(&owner))).collect(),
            _ => None,
        };
        match found {
            Some(found) => receipt.found.records.extend(found),
            None => receipt.hints.push(Hint::Device(target.device.clone())),
        }
        receipt
    }
}

/// What every access of an e-mail address is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Disabled(bool),
    Profile(AccessProfile),
}

impl Wish {
    fn is_met(self, access: &wire::Access) -> bool {
        match self {
            Self::Disabled(disabled) => (access.disabled == Some(true)) == disabled,
            Self::Profile(profile) => access.profile.as_deref() == Some(profile.as_str()),
        }
    }
}

/// Whether an access is of an e-mail address.
pub(super) fn is_of(access: &wire::Access, email: &str) -> bool {
    access.owner_email.as_deref().is_some_and(|known| known.trim().eq_ignore_ascii_case(email.trim()))
}

fn changed(plan: &DeviceAccessPlan) -> bodies::AccessChange<'_> {
    bodies::AccessChange {
        profile: plan.profile.map(orders::profile),
        disabled: plan.disabled,
        name: plan.name.as_deref(),
    }
}
