//! Recognising a token: whether it is the one that a lost answer was about, and whether it is as asked for. Pure.

use chrono::TimeDelta;
use domain::{
    change::{AccessTokenPlan, AccessTokenUpdate},
    clock::Timestamp,
    secret::Secret,
};

use super::{mapping, wire};

/// What is older than the first sending by more than this was there before: Mews' clock and ours may differ.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// What the tokens of a reservation say of an addition.
#[derive(Debug)]
pub(super) enum Seen {
    /// It is there.
    Made(Box<wire::Token>),
    /// It is not.
    Absent,
    /// Something with its mark is there that can not be told apart from it.
    Unclear,
}

/// Looks for an addition among all tokens of its reservation, deleted ones included.
///
/// The serial number is our mark. A guest's next token may carry the same (after a move to another room the new one is
/// added before the old one goes): the rest must agree too, or the token be too old to be it.
pub(super) fn addition(
    tokens: Vec<wire::Token>,
    plan: &AccessTokenPlan,
    value: Option<&Secret>,
    first_sent_at: Option<Timestamp>,
) -> Seen {
    let is_older = |token: &wire::Token| matches!((token.created_utc, first_sent_at), (Some(made), Some(sent)) if made < sent - CLOCKS_DIFFER);
    let mut candidates: Vec<_> = tokens.into_iter().filter(|token| is_of(token, plan)).collect();
    candidates.sort_by_key(|token| (!mapping::is_active(token), token.created_utc));
    let mut unclear = false;
    for token in candidates {
        let is_as_asked = differing_from_plan(&token, plan, value).is_empty();
        match (is_as_asked, mapping::is_active(&token), is_older(&token)) {
            // Whoever made it: it is as it should be.
            (true, true, _) | (true, false, false) => return Seen::Made(Box::new(token)),
            // Changed since by the hotel, or another one with the same mark.
            (false, _, false) => unclear = true,
            (_, _, true) => {}
        }
    }
    if unclear { Seen::Unclear } else { Seen::Absent }
}

/// Whether a token carries our mark and is for the same guest and room, which can not be changed later.
fn is_of(token: &wire::Token, plan: &AccessTokenPlan) -> bool {
    let agrees = |wanted: &Option<String>, told: &Option<String>| wanted.is_none() || wanted == told;
    token.serial_number.as_deref() == Some(plan.serial_number.as_str())
        && token.service_order_id.as_deref().is_none_or(|told| told == plan.reservation)
        && agrees(&plan.companionship, &token.companionship_id)
        && agrees(&plan.resource, &token.resource_id)
        && mapping::token_type(token).is_none_or(|told| told == plan.token_type)
}

/// What of a token is not as planned.
pub(super) fn differing_from_plan(
    token: &wire::Token,
    plan: &AccessTokenPlan,
    value: Option<&Secret>,
) -> Vec<&'static str> {
    let all = AccessTokenUpdate {
        valid_from: Some(plan.valid_from),
        valid_until: Some(plan.valid_until),
        permissions: Some(plan.permissions),
        new_value: true,
    };
    differing_from_update(token, &all, value)
}

/// What of a token is not as its update would have it.
pub(super) fn differing_from_update(
    token: &wire::Token,
    update: &AccessTokenUpdate,
    value: Option<&Secret>,
) -> Vec<&'static str> {
    let mut differing = Vec::new();
    let is_at = |wanted: Option<Timestamp>, told: Option<Timestamp>| match (wanted, told) {
        (None, _) => true,
        // To the minute: how exactly Mews keeps a time is not documented.
        (Some(wanted), Some(told)) => (wanted - told).abs() < TimeDelta::minutes(1),
        (Some(_), None) => false,
    };
    if !is_at(update.valid_from, token.validity_start_utc) {
        differing.push("beginning");
    }
    if !is_at(update.valid_until, token.validity_end_utc) {
        differing.push("end");
    }
    if update.permissions.is_some_and(|wanted| wanted != mapping::permissions(token)) {
        differing.push("set of permissions");
    }
    if update.new_value && value.is_some() && value != token.value.as_ref() {
        differing.push("value");
    }
    differing
}

#[cfg(test)]
mod tests;
