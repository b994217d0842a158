//! Changing what Lockt keeps: batches of people, fobs, doors and credentials. Each is read back, because Lockt counts
//! what it took in and does not say what it made of it; and each is looked for when its answer was lost.

use async_trait::async_trait;
use domain::{
    change::{Change, FobAssignment, FobPlan, ImportOptions, UserPlan, UserSecrets},
    command::{Answer, Evidence, FailureCode},
};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    batch::{self, Cleaner, Tally},
    client::{Lockt, identified, not_released, unexpected},
    mapping,
    orders::{self, Batch},
    wire,
    wishes::{self, Finding, Kept},
};
use crate::{
    error::VendorError,
    port::{Administration, ChangeReceipt, Departure, Hint, Order, Portion, SyncPart, Trace, VendorNote},
};

/// Up to this many people are asked for one by one; beyond, the list of all is shorter work.
const ONE_BY_ONE: usize = 5;

/// What a read-back showed.
struct ReadBack {
    found: Portion,
    kept: Vec<Kept>,
}

/// How a batch is sent.
struct Route {
    operation: &'static str,
    method: Method,
    endpoint: &'static str,
    /// Whether the document calls it pending: not found then means not offered.
    pending: bool,
}

impl Route {
    const fn released(operation: &'static str, method: Method, endpoint: &'static str) -> Self {
        Self { operation, method, endpoint, pending: false }
    }

    const fn pending(operation: &'static str, method: Method, endpoint: &'static str) -> Self {
        Self { operation, method, endpoint, pending: true }
    }
}

#[async_trait]
impl Administration for Lockt {
    async fn carry_out(&self, order: Order<'_>, departure: &Departure) -> Result<ChangeReceipt, VendorError> {
        match order.change {
            Change::ImportUsers { users, options } => {
                let secrets = orders::secrets(order.secret)?;
                let batch = orders::users(users, *options, &secrets, self.zone)?;
                self.import(&batch, (users, &secrets), *options, departure).await
            }
            Change::DisableUsers { users } => self.disable(users, departure).await,
            Change::CreateFobs { fobs } => {
                let batch = orders::new_fobs(fobs, self.zone)?;
                let tally =
                    self.submit(&Route::released("create fobs", Method::POST, "fob"), &batch, departure).await?;
                let read_back = self.new_fobs(fobs).await;
                self.receipt(&tally, &batch, read_back, Hint::Part(SyncPart::Credentials), "mismatches")
            }
            Change::AssignFobs { assignments } => {
                let batch = orders::assigned_fobs(assignments, self.zone)?;
                let tally = self.submit(&Route::released("assign fobs", Method::PUT, "fob"), &batch, departure).await?;
                let read_back = self.assigned_fobs(assignments).await;
                self.receipt(&tally, &batch, read_back, Hint::Part(SyncPart::Credentials), "mismatches")
            }
            Change::ReissueCredentials { credentials } => {
                let batch = orders::reissued(credentials)?;
                let route = Route::pending("reissue credentials", Method::POST, "credential");
                let tally = self.submit(&route, &batch, departure).await?;
                let read_back = self.reissued(credentials).await;
                self.receipt(&tally, &batch, read_back, Hint::Part(SyncPart::Credentials), "mismatches")
            }
            Change::CreateDoors { names } => {
                let batch = orders::doors(names)?;
                let route = Route::released("create doors", Method::POST, "door");
                let tally = self.submit(&route, &batch, departure).await?;
                let read_back = self.new_doors(names).await;
                self.receipt(&tally, &batch, read_back, Hint::Part(SyncPart::Devices), "mismatches")
            }
            Change::ReadNextCardNumber => self.next_card_number().await,
            other => Err(VendorError::unsupported(format!("Lockt offers no {} through its API.", other.kind()))),
        }
    }

    async fn look_for(&self, order: Order<'_>) -> Result<Trace, VendorError> {
        let (finding, keys, read_back) = match order.change {
            // Nothing was to be changed: it may be asked again.
            Change::ImportUsers { options, .. } if options.dry_run => return Ok(Trace::Absent),
            Change::ReadNextCardNumber => return Ok(Trace::Absent),
            Change::DisableUsers { users } => return self.look_for_disabled(users).await,
            Change::ImportUsers { users, options } => {
                let read_back = self.people(users, &orders::secrets(order.secret)?, *options).await?;
                (wishes::finding_of_import(&read_back.kept, users, *options), orders::people(users), read_back)
            }
            Change::CreateFobs { fobs } => {
                let read_back = self.new_fobs(fobs).await?;
                // With our number it is ours, however its period reads; with another's it is not.
                let ours = |kept: &Kept| kept.external_id.is_some() && !kept.differs.contains(&"idNumber");
                let kept: Vec<Kept> = (read_back.kept.iter())
                    .map(|kept| if ours(kept) { Kept::default() } else { Kept::missing() })
                    .collect();
                (wishes::finding(&kept), orders::fobs(fobs), read_back)
            }
            Change::AssignFobs { assignments } => {
                let read_back = self.assigned_fobs(assignments).await?;
                (wishes::finding(&read_back.kept), orders::held(assignments), read_back)
            }
            Change::CreateDoors { names } => {
                let read_back = self.new_doors(names).await?;
                (wishes::finding(&read_back.kept), orders::named(names), read_back)
            }
            // A new key looks like any other.
            _ => return Ok(Trace::Unclear),
        };
        Ok(match finding {
            Finding::Absent => Trace::Absent,
            Finding::Unclear => Trace::Unclear,
            Finding::Made => {
                let mut result = Map::from_iter([("submitted".to_owned(), Value::from(keys.len()))]);
                batch::kept(&mut result, &keys, &read_back.kept, "mismatches");
                let answer = Answer::Succeeded { evidence: Evidence::VendorAck };
                let result = Some(Value::Object(result));
                Trace::Made(Box::new(ChangeReceipt { result, found: read_back.found, ..ChangeReceipt::of(answer) }))
            }
        })
    }
}

impl Lockt {
    async fn submit(&self, route: &Route, batch: &Batch, departure: &Departure) -> Result<Tally, VendorError> {
        let (operation, method) = (route.operation, route.method.clone());
        let reply = self.send(operation, method, route.endpoint, batch.body.clone(), departure).await?;
        if route.pending && reply.status == StatusCode::NOT_FOUND {
            return Err(not_released(route.endpoint));
        }
        batch::judge(&reply, batch, &Cleaner { caller: &self.caller, hidden: &batch.hidden })
    }

    pub(super) async fn import(
        &self,
        batch: &Batch,
        (plans, secrets): (&[UserPlan], &UserSecrets),
        options: ImportOptions,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        if options.dry_run {
            let route = Route::pending("check users", Method::POST, "uservalidate");
            let tally = self.submit(&route, batch, departure).await?;
            let mut result = tally.result(batch);
            result.insert("dryRun".to_owned(), true.into());
            // It was checked, which is all that was asked for; what is wrong is the result.
            let answer = Answer::Succeeded { evidence: Evidence::VendorAck };
            return Ok(ChangeReceipt {
                result: Some(result.into()),
                notes: tally.notes(),
                ..ChangeReceipt::of(answer)
            });
        }
        let tally = self.submit(&Route::released("import users", Method::POST, "user"), batch, departure).await?;
        let read_back = if tally.refused { Err(unexpected()) } else { self.people(plans, secrets, options).await };
        let accepted = u64::try_from(tally.accepted(batch)).unwrap_or(u64::MAX);
        // Some were there before, and it was wished to leave those alone; which ones, Lockt does not say.
        let left_alone = !options.update_existing && tally.inserted().is_none_or(|inserted| inserted < accepted);
        let differing = if left_alone { "leftAlone" } else { "mismatches" };
        let mut receipt = self.receipt(&tally, batch, read_back, Hint::Part(SyncPart::Users), differing)?;
        let has_card = |plan: &UserPlan| plan.card_number.is_some() || plan.has_card_number || plan.has_credential_key;
        if !tally.refused && plans.iter().any(has_card) {
            receipt.hints.push(Hint::Part(SyncPart::Credentials));
        }
        Ok(receipt)
    }

    /// What became of a batch. A read-back that fails takes nothing back: `hint` says what to read instead.
    fn receipt(
        &self,
        tally: &Tally,
        batch: &Batch,
        read_back: Result<ReadBack, VendorError>,
        hint: Hint,
        differing: &'static str,
    ) -> Result<ChangeReceipt, VendorError> {
        let mut receipt = ChangeReceipt::of(Answer::Succeeded { evidence: Evidence::VendorAck });
        receipt.notes = tally.notes();
        let mut result = tally.result(batch);
        if tally.refused {
            receipt.answer = tally.refusal();
            receipt.result = Some(result.into());
            return Ok(receipt);
        }
        // Left alone is not taken in, and that is as it was wished.
        let none_taken = tally.processed == Some(0) && differing != "leftAlone";
        match read_back {
            Ok(ReadBack { found, mut kept }) => {
                if none_taken && kept.iter().any(|kept| !kept.is_as_wished()) {
                    receipt.answer = batch::failed("Lockt took none of the records in.".to_owned());
                }
                for (record, kept) in kept.iter_mut().enumerate() {
                    if tally.is_faulty(record) {
                        // That it is not as wished has been said already, with the reason.
                        *kept = Kept { external_id: kept.external_id.take(), ..Kept::default() };
                    }
                }
                if differing == "mismatches" && kept.iter().any(|kept| !kept.differs.is_empty()) {
                    receipt.notes.insert(0, note("Lockt keeps some records otherwise than they were sent."));
                }
                if kept.iter().any(|kept| !kept.untold.is_empty()) {
                    receipt.notes.insert(0, note("Lockt does not tell all that was sent; it can not be compared."));
                }
                receipt.notes.truncate(20);
                batch::kept(&mut result, &batch.records, &kept, differing);
                receipt.found = found;
            }
            Err(_) if none_taken => {
                return Err(VendorError::indeterminate(
                    FailureCode::VendorFailed,
                    "Lockt counts no record as taken in.",
                ));
            }
            Err(error) => {
                receipt.notes.insert(0, note(&format!("It could not be read back: {error}")));
                receipt.notes.truncate(20);
                receipt.hints.push(hint);
            }
        }
        receipt.result = Some(result.into());
        Ok(receipt)
    }

    /// The people of a batch as Lockt keeps them.
    async fn people(
        &self,
        plans: &[UserPlan],
        secrets: &UserSecrets,
        options: ImportOptions,
    ) -> Result<ReadBack, VendorError> {
        let mut users: Vec<wire::User> = Vec::new();
        if plans.len() <= ONE_BY_ONE {
            for plan in plans {
                // Who is known by Lockt's id is looked at under it: the number may be new to them, or another's.
                let known = match &plan.external_id {
                    Some(id) => self.user_by_id(id).await?,
                    None => None,
                };
                if known.as_ref().is_none_or(|user| user.id_num.as_deref() != Some(plan.id_number.trim())) {
                    users.extend(self.find("read user by number", "user", ("idnum", &plan.id_number)).await?);
                }
                users.extend(known);
            }
        }
        // That answer may omit the access levels, and knows nobody by e-mail.
        let told = |plan| wishes::person(plan, &users).is_some_and(|user| user.accesslevels.is_some());
        if !plans.iter().all(told) {
            users = self.list("list users", "user").await?;
        }
        let people: Vec<_> = plans.iter().map(|plan| wishes::person(plan, &users)).collect();
        let records = identified(people.iter().flatten().map(|user| mapping::user(user, self.zone)))?;
        let secret = |plan: &UserPlan| secrets.get(&plan.id_number);
        let pairs = plans.iter().zip(&people);
        let kept = pairs.map(|(plan, user)| wishes::user(plan, secret(plan), *user, options, self.zone)).collect();
        Ok(ReadBack { found: Portion { records, ..Portion::default() }, kept })
    }

    async fn new_fobs(&self, plans: &[FobPlan]) -> Result<ReadBack, VendorError> {
        let fobs = self.fobs().await?;
        let found: Vec<_> = plans.iter().map(|plan| wishes::planned_fob(plan, &fobs)).collect();
        let records = found.iter().flatten().map(|fob| mapping::fob(fob, &[], &[], self.zone));
        let records = identified(records)?;
        let kept = plans.iter().zip(&found).map(|(plan, fob)| wishes::new_fob(plan, *fob, self.zone)).collect();
        Ok(ReadBack { found: Portion { records, ..Portion::default() }, kept })
    }

    async fn assigned_fobs(&self, assignments: &[FobAssignment]) -> Result<ReadBack, VendorError> {
        let cards = self.cards().await?;
        let kept = |assignment| wishes::assigned_fob(assignment, &cards.fobs, &cards.credentials, self.zone);
        let kept = assignments.iter().map(kept).collect();
        let mut records = cards.records(self.zone)?;
        records.retain(|record| assignments.iter().any(|assignment| assignment.fob == record.external_id));
        Ok(ReadBack { found: Portion { records, ..Portion::default() }, kept })
    }

    async fn reissued(&self, ids: &[String]) -> Result<ReadBack, VendorError> {
        let mut records = self.cards().await?.records(self.zone)?;
        records.retain(|record| ids.contains(&record.external_id));
        let kept = ids.iter().map(|id| match records.iter().any(|record| record.external_id == *id) {
            true => Kept { external_id: Some(id.clone()), ..Kept::default() },
            false => Kept::missing(),
        });
        Ok(ReadBack { kept: kept.collect(), found: Portion { records, ..Portion::default() } })
    }

    async fn new_doors(&self, names: &[String]) -> Result<ReadBack, VendorError> {
        let doors: Vec<wire::Door> = self.list("list doors", "door").await?;
        let devices = identified(doors.iter().map(|door| mapping::device(door, &mapping::batteries(&[]))))?;
        let devices: Vec<_> =
            devices.into_iter().filter(|device| names.iter().any(|name| name.trim() == device.name)).collect();
        let kept = names.iter().map(|name| match devices.iter().find(|device| device.name == name.trim()) {
            Some(device) => Kept { external_id: Some(device.external_id.clone()), ..Kept::default() },
            None => Kept::missing(),
        });
        Ok(ReadBack { kept: kept.collect(), found: Portion { devices, ..Portion::default() } })
    }

    async fn next_card_number(&self) -> Result<ChangeReceipt, VendorError> {
        let reply = self.ask("read next card number", "nextcardnum", &[]).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Err(not_released("nextcardnum"));
        }
        if !reply.status.is_success() {
            return Err(self.refused(&reply));
        }
        let number = mapping::card_number(&reply.json()?).ok_or_else(unexpected)?;
        let answer = Answer::Succeeded { evidence: Evidence::VendorAck };
        Ok(ChangeReceipt { result: Some(json!({"value": number})), ..ChangeReceipt::of(answer) })
    }
}

fn note(text: &str) -> VendorNote {
    VendorNote { at: None, text: text.to_owned() }
}

#[cfg(test)]
mod tests;
