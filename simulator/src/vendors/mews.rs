//! Mews' Connector API, after its documentation. Here: the catalogue, who may call, the request limit and the shape of answers.
//! What exists is in `state`, built by `build` from `plans`; operations are in `tokens`, `reads` and `stays`, JSON in `wire`.

mod build;
mod change;
mod happen;
mod limit;
mod notify;
mod pages;
mod plans;
mod reads;
mod request;
mod state;
mod stays;
mod tokens;
mod wire;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub use change::{MewsChange, MewsIntegrationAction};
pub use limit::MewsUsage;
pub use plans::{MewsAccountPlan, MewsHotelPlan, MewsRoomPlan, MewsStayPlan};
pub(crate) use state::Mews;
pub use state::{MewsBlockType, MewsResourceState, MewsState};

use self::request::{Fields, Refusal, parse};
use crate::{
    answer::{Answer, Call, Circumstances},
    catalogue::{Row, RowKind, row},
    handle::SimulatorHandle,
    lock::locked,
};

/// Row ids by operation; every operation is a POST.
macro_rules! operations {
    ($($id:literal $operation:literal $path:literal;)*) => {
        &[$(row($id, $operation, "POST", concat!("/api/connector/v1/", $path), RowKind::Read)),*]
    };
}

pub(crate) static ROWS: &[Row] = operations! {
    "M1" "list_access_tokens" "resourceAccessTokens/getAll";
    "M2" "add_access_tokens" "resourceAccessTokens/add";
    "M3" "update_access_tokens" "resourceAccessTokens/update";
    "M4" "delete_access_tokens" "resourceAccessTokens/delete";
    "M5" "get_configuration" "configuration/get";
    "M5" "list_enterprises" "enterprises/getAll";
    "M5" "list_services" "services/getAll";
    "M5" "list_resources" "resources/getAll";
    "M5" "list_resource_categories" "resourceCategories/getAll";
    "M5" "list_resource_category_assignments" "resourceCategoryAssignments/getAll";
    "M5" "list_reservations" "reservations/getAll/2023-06-06";
    "M5" "list_customers" "customers/getAll";
    "M5" "list_companionships" "companionships/getAll";
    "M5" "list_reservation_groups" "reservationGroups/getAll";
    "M5" "list_resource_blocks" "resourceBlocks/getAll";
};

/// Who calls and what they reach.
#[derive(Debug)]
struct Caller {
    chain: usize,
    enterprises: Vec<usize>,
    portfolio: bool,
}

/// An error in the documented body. The texts beyond `Invalid ...` are ours.
pub(crate) fn plain_error(status: u16, sequence: u64) -> Answer {
    let text = match status {
        400 => "Bad request",
        401 => "Invalid AccessToken",
        403 => "This is not allowed in this hotel",
        404 => "Not found",
        408 => "The request took too long",
        409 => "The data was changed meanwhile",
        413 => "The request is too large",
        429 => "Too many requests",
        _ => "Internal server error",
    };
    refuse(&Refusal::new(status, text), sequence)
}

fn refuse(refusal: &Refusal, sequence: u64) -> Answer {
    let request_id = request_id(sequence);
    let body = json!({ "Message": refusal.message, "RequestId": request_id });
    let retry_after = refusal.retry_after;
    Answer { retry_after, request_id: Some(request_id), ..Answer::json(refusal.status, &body) }
}

/// Value of the header `Request-Id`, which every answer has.
fn request_id(sequence: u64) -> String {
    format!("4e900000-0000-4000-8000-{sequence:012x}")
}

impl Mews {
    /// Every id in the body, for faults.
    pub(crate) fn subjects(&self, call: &Call) -> Vec<String> {
        let mut found = Vec::new();
        if let Ok(body) = parse(call.body()) {
            gather_ids(&body, &mut found);
        }
        found
    }

    /// Lets go of optional reservations whose time has come.
    pub(crate) fn settle(&mut self, at: &Circumstances<'_>) {
        while let Some((moment, reservation)) = self.releases.first().copied().filter(|(moment, _)| *moment <= at.now) {
            self.releases.remove(&(moment, reservation));
            self.release(reservation, moment, at);
        }
    }

    /// Answers one call.
    pub(crate) fn answer(&mut self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Answer {
        match self.operate(operation, call, at) {
            Ok(body) => {
                let request_id = Some(request_id(call.sequence));
                let bare = call.header("prefer").is_some_and(|prefer| prefer.contains("return=minimal"));
                if bare && is_bare(&body) {
                    return Answer { request_id, body: String::new(), ..Answer::json(204, &Value::Null) };
                }
                Answer { request_id, ..Answer::json(200, &body) }
            }
            Err(refusal) => refuse(&refusal, call.sequence),
        }
    }

    fn operate(&mut self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Result<Value, Refusal> {
        let body = parse(call.body())?;
        let body = Fields::of(&body, "JSON")?;
        let caller = &self.admit(operation, body, at.now)?;
        if body.get("LanguageCode").is_some() != body.get("CultureCode").is_some() {
            return Err(Refusal::invalid("CultureCode"));
        }
        if let (Some(rows), Some(_)) = (self.heavy_above, body.get("Limitation"))
            && body.limitation()?.count > rows
        {
            return Err(Refusal::new(408, "The request took too long"));
        }
        let cause = (at, call.sequence);
        match operation {
            "list_access_tokens" => self.list_tokens(caller, body),
            "add_access_tokens" => self.add_tokens(caller, body, cause),
            "update_access_tokens" => self.update_tokens(caller, body, cause),
            "delete_access_tokens" => self.delete_tokens(caller, body, cause),
            "get_configuration" => self.configuration(caller, body, at),
            "list_enterprises" => self.list_enterprises(caller, body),
            "list_services" => self.list_services(caller, body),
            "list_resources" => self.list_resources(caller, body),
            "list_resource_categories" => self.list_categories(caller, body),
            "list_resource_category_assignments" => self.list_assignments(caller, body),
            "list_reservations" => self.list_reservations(caller, body, at),
            "list_customers" => self.list_customers(caller, body),
            "list_companionships" => self.list_companionships(caller, body),
            "list_reservation_groups" => self.list_groups(caller, body),
            _ => self.list_blocks(caller, body),
        }
    }

    /// Tokens, limit, permission. A token that is missing is bad input, one that is wrong is unknown. Every request of a known
    /// access token counts, whatever becomes of it.
    fn admit(&mut self, operation: &str, body: Fields<'_>, now: DateTime<Utc>) -> Result<Caller, Refusal> {
        let (client_token, access_token) = (body.text("ClientToken")?, body.text("AccessToken")?);
        body.text("Client")?;
        let Self { integrations, usage, .. } = self;
        if !integrations.iter().any(|integration| integration.client_token == client_token) {
            return Err(Refusal::new(401, "Invalid ClientToken"));
        }
        let integration = integrations
            .iter_mut()
            .find(|integration| integration.access_token == access_token && integration.client_token == client_token)
            .ok_or_else(|| Refusal::new(401, "Invalid AccessToken"))?;
        if let Err(seconds) = integration.window.admit(now, usage) {
            return Err(Refusal { retry_after: Some(seconds), ..Refusal::new(429, "Too many requests") });
        }
        if !integration.enabled {
            return Err(Refusal::new(401, "Integration is disabled"));
        }
        if integration.denied.contains(operation) {
            return Err(Refusal::new(401, "Operation is not permitted"));
        }
        Ok(Caller {
            chain: integration.chain,
            enterprises: integration.enterprises.clone(),
            portfolio: integration.portfolio,
        })
    }
}

/// Whether an answer says nothing: an object without fields, or an empty page.
fn is_bare(body: &Value) -> bool {
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    body.as_object().is_some_and(|fields| fields.values().all(empty))
}

/// Values of all fields named `...Id`, `...Ids` or `Id`.
fn gather_ids(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(id) if name.ends_with("Id") => found.push(id.clone()),
                    Value::Array(ids) if name.ends_with("Ids") => {
                        found.extend(ids.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    other => gather_ids(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather_ids(item, found)),
        _ => {}
    }
}

impl SimulatorHandle {
    /// How Mews' request limit was used.
    #[must_use]
    pub fn mews_usage(&self) -> MewsUsage {
        locked(&self.engine.mews).usage
    }

    /// The resource access tokens of a reservation at Mews as its API shows them, deleted ones too, the oldest first.
    #[must_use]
    pub fn mews_tokens(&self, reservation: &str) -> Vec<Value> {
        let mews = locked(&self.engine.mews);
        let index = mews.reservation_by_id.get(reservation).copied();
        let tokens = mews.tokens.iter().filter(|token| Some(token.reservation) == index);
        tokens.map(|token| mews.token_json(token)).collect()
    }
}
