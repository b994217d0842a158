//! Changing the access tokens that Mews shows: one token per request, so that a refusal concerns nobody else's.

use async_trait::async_trait;
use domain::{
    change::{AccessTokenPlan, AccessTokenUpdate, Change},
    command::{Answer, Evidence, Failure, FailureCode},
    record::RecordKind,
    secret::Secret,
};
use serde_json::json;

use super::{
    client::{self, Mews, Operation, rows},
    inventory::shown,
    mapping,
    trace::{self, Seen},
    wire,
};
use crate::{
    error::VendorError,
    http::Reply,
    port::{Administration, ChangeReceipt, Departure, Hint, Order, RecordRef, Trace, VendorNote},
};

const SUCCEEDED: Answer = Answer::Succeeded { evidence: Evidence::VendorAck };

impl Mews {
    async fn add_token(
        &self,
        plan: &AccessTokenPlan,
        value: Option<&Secret>,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let value = value.ok_or_else(|| malformed("An access token needs a value."))?;
        let asked = mapping::addition(plan, value);
        let reply = self.change(client::ADD_TOKENS, asked, Some(value), departure).await?;
        let is_ours = |mark: &str| mark == plan.serial_number;
        let kept = answered(client::ADD_TOKENS, &reply, |token| token.serial_number.as_deref().is_none_or(is_ours))?;
        let differing = trace::differing_from_plan(&kept, plan, Some(value));
        made(kept, &differing)
    }

    async fn update_token(
        &self,
        id: &str,
        update: &AccessTokenUpdate,
        value: Option<&Secret>,
        departure: &Departure,
    ) -> Result<ChangeReceipt, VendorError> {
        let value = value.filter(|_| update.new_value);
        if update.new_value && value.is_none() {
            return Err(malformed("The new value of the access token is missing."));
        }
        if value.is_none() && *update == AccessTokenUpdate::default() {
            return Err(malformed("Nothing of the access token is to change."));
        }
        // A portfolio must name the token's hotel, and no token tells by itself whether it is a portfolio's.
        let Some(present) = self.token(id).await.map_err(before_sending)? else {
            let failure = Failure::new(FailureCode::VendorRejected, "Mews has no such access token.");
            let mut receipt = ChangeReceipt::of(Answer::Failed { failure, evidence: Evidence::VendorAck });
            receipt.gone.push(reference(id));
            return Ok(receipt);
        };
        let asked = mapping::update(id, update, value, present.enterprise_id.as_deref());
        let reply = self.change(client::UPDATE_TOKENS, asked, value, departure).await?;
        let kept = answered(client::UPDATE_TOKENS, &reply, |token| token.id.as_deref() == Some(id))?;
        let differing = trace::differing_from_update(&kept, update, value);
        let mut receipt = made(kept, &differing)?;
        if !differing.is_empty() {
            let message = format!("Mews accepted the change but kept another {}.", differing.join(" and "));
            let failure = Failure::new(FailureCode::VendorRejected, message);
            receipt.answer = Answer::Failed { failure, evidence: Evidence::VendorAck };
        }
        Ok(receipt)
    }

    async fn delete_token(&self, id: &str, departure: &Departure) -> Result<ChangeReceipt, VendorError> {
        let asked = json!({ "Ids": [id] });
        match self.change(client::DELETE_TOKENS, asked, None, departure).await {
            Ok(_) => {
                let mut receipt = ChangeReceipt::of(SUCCEEDED);
                // The answer is empty; what Mews keeps of it is to be seen.
                receipt.hints.push(Hint::Record(reference(id)));
                Ok(receipt)
            }
            // Refused perhaps because it is gone, which is what was wanted.
            Err(refused @ VendorError::Rejected { .. }) => self.deleted(id).await?.ok_or(refused),
            Err(error) => Err(error),
        }
    }

    async fn token(&self, id: &str) -> Result<Option<wire::Token>, VendorError> {
        let tokens = self.tokens("ResourceAccessTokenIds", &[id.to_owned()]).await?;
        Ok(tokens.into_iter().find(|token| token.id.as_deref() == Some(id)))
    }

    /// What there is to say of a token that is gone; `None` while it counts.
    async fn deleted(&self, id: &str) -> Result<Option<ChangeReceipt>, VendorError> {
        let mut receipt = ChangeReceipt::of(SUCCEEDED);
        match self.token(id).await? {
            Some(token) if mapping::is_active(&token) => return Ok(None),
            Some(token) => receipt.found = shown(vec![token])?,
            None => receipt.gone.push(reference(id)),
        }
        Ok(Some(receipt))
    }

    async fn look_for_addition(&self, plan: &AccessTokenPlan, order: Order<'_>) -> Result<Trace, VendorError> {
        let tokens = self.tokens("ServiceOrderIds", std::slice::from_ref(&plan.reservation)).await?;
        Ok(match trace::addition(tokens, plan, order.secret, order.first_sent_at) {
            Seen::Made(token) => {
                let differing = trace::differing_from_plan(&token, plan, order.secret);
                Trace::Made(Box::new(made(*token, &differing)?))
            }
            Seen::Absent => Trace::Absent,
            Seen::Unclear => Trace::Unclear,
        })
    }

    async fn look_for_update(
        &self,
        id: &str,
        update: &AccessTokenUpdate,
        value: Option<&Secret>,
    ) -> Result<Trace, VendorError> {
        let Some(token) = self.token(id).await? else { return Ok(Trace::Absent) };
        let differing = trace::differing_from_update(&token, update, value);
        Ok(if differing.is_empty() { Trace::Made(Box::new(made(token, &differing)?)) } else { Trace::Absent })
    }
}

#[async_trait]
impl Administration for Mews {
    async fn carry_out(&self, order: Order<'_>, departure: &Departure) -> Result<ChangeReceipt, VendorError> {
        match order.change {
            Change::AddPmsAccessToken(plan) => self.add_token(plan, order.secret, departure).await,
            Change::UpdatePmsAccessToken { token, update } => {
                self.update_token(token, update, order.secret, departure).await
            }
            Change::DeletePmsAccessToken { token } => self.delete_token(token, departure).await,
            other => Err(VendorError::unsupported(format!("Mews offers no {} through its API.", other.kind()))),
        }
    }

    async fn look_for(&self, order: Order<'_>) -> Result<Trace, VendorError> {
        match order.change {
            Change::AddPmsAccessToken(plan) => self.look_for_addition(plan, order).await,
            Change::UpdatePmsAccessToken { token, update } => self.look_for_update(token, update, order.secret).await,
            Change::DeletePmsAccessToken { token } => {
                Ok(self.deleted(token).await?.map_or(Trace::Absent, |receipt| Trace::Made(Box::new(receipt))))
            }
            _ => Ok(Trace::Unclear),
        }
    }
}

fn malformed(message: &str) -> VendorError {
    VendorError::rejected(FailureCode::Malformed, message)
}

/// What went wrong before anything was sent leaves nothing open.
fn before_sending(error: VendorError) -> VendorError {
    match error {
        VendorError::Protocol { message } => VendorError::not_ready(message),
        error => error,
    }
}

fn reference(id: &str) -> RecordRef {
    RecordRef { kind: RecordKind::AccessToken, external_id: id.to_owned() }
}

/// The token that an answer is about.
fn answered(
    operation: Operation,
    reply: &Reply,
    is_meant: impl Fn(&wire::Token) -> bool,
) -> Result<wire::Token, VendorError> {
    let (tokens, _) = rows::<wire::Token>(operation, reply)?;
    let meant = tokens.into_iter().find(is_meant);
    meant.ok_or_else(|| VendorError::protocol("Mews answered without the access token that was asked for."))
}

/// The receipt of a token that is there, with a note of each thing that is otherwise than asked for.
fn made(token: wire::Token, differing: &[&'static str]) -> Result<ChangeReceipt, VendorError> {
    let mut receipt = ChangeReceipt::of(SUCCEEDED);
    receipt.result = Some(json!({ "externalId": token.id, "differing": differing }));
    let at = token.updated_utc;
    let note = |what: &&str| VendorNote { at, text: format!("Mews keeps another {what} than was asked for") };
    receipt.notes = differing.iter().map(note).collect();
    receipt.found = shown(vec![token])?;
    Ok(receipt)
}

#[cfg(test)]
mod tests;
