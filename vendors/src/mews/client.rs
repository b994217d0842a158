//! Asking Mews: addresses, bodies and statuses of document 004, and where the account is. What the answers mean is
//! `mapping`'s business.

use std::collections::BTreeMap;

use domain::{account::Vendor, command::FailureCode, secret::Secret};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{
    paging::Pager,
    wire::{self, Fields, fields},
};
use crate::{
    credentials::MewsCredentials,
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, INVENTORY_LIMIT, Reply},
    port::{Departure, DoorControl},
};

/// Where Mews' production environment is (vendors-extra 5.1).
pub(crate) const DEFAULT_BASE_URL: &str = "https://api.mews.com";
/// What `Client` says if nothing else is configured; unique and stable, as the certification demands.
const CLIENT: &str = concat!("Gatehouse ", env!("CARGO_PKG_VERSION"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The most ids in one filter (document 004).
pub(super) const ID_LIMIT: usize = 1000;

/// One operation of the Connector API.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation {
    /// Our name of it, for the log.
    name: &'static str,
    /// Its address below `/api/connector/v1`; case matters.
    path: &'static [&'static str],
    /// What the list in its answer is called.
    list: &'static str,
}

macro_rules! operations {
    ($($constant:ident = $name:literal, [$($piece:literal),+], $list:literal;)+) => {
        $(pub(super) const $constant: Operation = Operation { name: $name, path: &[$($piece),+], list: $list };)+
    };
}

operations! {
    CONFIGURATION = "get configuration", ["configuration", "get"], "";
    ENTERPRISES = "list enterprises", ["enterprises", "getAll"], "Enterprises";
    SERVICES = "list services", ["services", "getAll"], "Services";
    RESOURCES = "list resources", ["resources", "getAll"], "Resources";
    CATEGORIES = "list resource categories", ["resourceCategories", "getAll"], "ResourceCategories";
    ASSIGNMENTS = "list category assignments", ["resourceCategoryAssignments", "getAll"], "ResourceCategoryAssignments";
    BLOCKS = "list resource blocks", ["resourceBlocks", "getAll"], "ResourceBlocks";
    RESERVATIONS = "list reservations", ["reservations", "getAll", "2023-06-06"], "Reservations";
    CUSTOMERS = "list customers", ["customers", "getAll"], "Customers";
    COMPANIONSHIPS = "list companionships", ["companionships", "getAll"], "Companionships";
    TOKENS = "list access tokens", ["resourceAccessTokens", "getAll"], "ResourceAccessTokens";
    ADD_TOKENS = "add access token", ["resourceAccessTokens", "add"], "ResourceAccessTokens";
    UPDATE_TOKENS = "update access token", ["resourceAccessTokens", "update"], "ResourceAccessTokens";
    DELETE_TOKENS = "delete access token", ["resourceAccessTokens", "delete"], "";
}

/// One integration with Mews: an enterprise, or a portfolio of them.
pub(crate) struct Mews {
    caller: Caller,
    client_token: Secret,
    access_token: Secret,
    client: String,
    pub(super) webhook_secret: Option<Secret>,
    places: OnceCell<Places>,
}

/// Where the account is: what the vendor's records do not say themselves.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// The enterprise of an account that is none of a portfolio.
    sole: Option<String>,
    /// The chains whose profiles a portfolio sees; must be named then.
    pub(super) chains: Vec<String>,
    /// The enterprise of each service of a portfolio.
    by_service: BTreeMap<String, String>,
}

impl Places {
    /// The enterprise of what belongs to a service; empty if it is not known.
    pub(super) fn of_service(&self, service: Option<&str>) -> String {
        let of_portfolio = || service.and_then(|service| self.by_service.get(service));
        self.sole.as_ref().or_else(of_portfolio).cloned().unwrap_or_default()
    }

    /// The enterprise of a person; empty in a portfolio, where people belong to the chain.
    pub(super) fn of_people(&self) -> String {
        self.sole.clone().unwrap_or_default()
    }
}

impl Mews {
    /// An account by its tokens.
    pub(crate) fn new(base_url: &str, credentials: &MewsCredentials, http: &HttpFactory) -> Result<Self, VendorError> {
        let MewsCredentials { client_token, access_token, client, webhook_secret } = credentials;
        let secrets = [Some(client_token), Some(access_token), webhook_secret.as_ref()];
        Ok(Self {
            caller: http.caller(Vendor::Mews, base_url, secrets.into_iter().flatten().cloned().collect())?,
            client_token: client_token.clone(),
            access_token: access_token.clone(),
            client: client.clone().unwrap_or_else(|| CLIENT.to_owned()),
            webhook_secret: webhook_secret.clone(),
            places: OnceCell::new(),
        })
    }

    /// Asks for a change. `hidden` is taken out of whatever the vendor says.
    pub(super) async fn change(
        &self,
        operation: Operation,
        asked: Value,
        hidden: Option<&Secret>,
        departure: &Departure,
    ) -> Result<Reply, VendorError> {
        let reply = self.send(operation, fields(asked), Some(departure)).await?;
        self.checked(operation, reply, hidden).await
    }

    /// The next page of a list.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        operation: Operation,
        filter: &Value,
        pager: &mut Pager,
    ) -> Result<Vec<T>, VendorError> {
        loop {
            let mut asked = fields(filter.clone());
            asked.insert("Limitation".to_owned(), pager.limitation());
            let reply = self.send(operation, asked, None).await?;
            if reply.status == StatusCode::REQUEST_TIMEOUT && pager.shrink() {
                continue;
            }
            let reply = self.checked(operation, reply, None).await?;
            let (rows, cursor) = rows(operation, &reply)?;
            pager.turn(rows.len(), cursor)?;
            return Ok(rows);
        }
    }

    /// A whole list, where it is known to be small.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        operation: Operation,
        filter: Value,
    ) -> Result<Vec<T>, VendorError> {
        let mut pager = Pager::default();
        let mut all = Vec::new();
        while !pager.is_over() {
            all.append(&mut self.page(operation, &filter, &mut pager).await?);
        }
        Ok(all)
    }

    /// A whole list about these ids, in as few questions as the vendor allows.
    pub(super) async fn all_about<T: DeserializeOwned>(
        &self,
        operation: Operation,
        filter: &Value,
        key: &str,
        ids: &[String],
    ) -> Result<Vec<T>, VendorError> {
        let mut all = Vec::new();
        for ids in ids.chunks(ID_LIMIT) {
            let mut filter = fields(filter.clone());
            filter.insert(key.to_owned(), json!(ids));
            all.append(&mut self.all(operation, filter.into()).await?);
        }
        Ok(all)
    }

    /// The configuration of the account, or of one enterprise of a portfolio.
    pub(super) async fn configuration(&self, enterprise: Option<&str>) -> Result<wire::Configuration, VendorError> {
        let asked = enterprise.map_or_else(|| json!({}), |id| json!({ "EnterpriseId": id }));
        let reply = self.send(CONFIGURATION, fields(asked), None).await?;
        let configuration: wire::Configuration = self.checked(CONFIGURATION, reply, None).await?.json()?;
        if configuration.enterprise.as_ref().is_none_or(|enterprise| enterprise.id.is_none()) {
            return Err(VendorError::protocol("Mews answered with something that is no configuration."));
        }
        Ok(configuration)
    }

    /// The enterprises of the account, the time zone of each included.
    pub(super) async fn enterprises(&self) -> Result<Vec<wire::Enterprise>, VendorError> {
        let Some(enterprise) = self.configuration(None).await?.enterprise else { return Ok(Vec::new()) };
        if enterprise.is_portfolio != Some(true) {
            return Ok(vec![enterprise]);
        }
        let mut all: Vec<wire::Enterprise> = self.all(ENTERPRISES, json!({})).await?;
        for enterprise in &mut all {
            let id = enterprise.id.clone().ok_or_else(|| without_id("enterprise"))?;
            if enterprise.time_zone.is_none()
                && let Some(told) = self.configuration(Some(&id)).await?.enterprise
            {
                *enterprise = told;
            }
        }
        Ok(all)
    }

    /// Where the account is; asked for once.
    pub(super) async fn places(&self) -> Result<&Places, VendorError> {
        let ask = || async { self.places_by(self.configuration(None).await?).await };
        self.places.get_or_try_init(ask).await
    }

    /// The same where the configuration is at hand.
    pub(super) async fn places_with(&self, configuration: wire::Configuration) -> Result<&Places, VendorError> {
        self.places.get_or_try_init(|| self.places_by(configuration)).await
    }

    async fn places_by(&self, configuration: wire::Configuration) -> Result<Places, VendorError> {
        let enterprise = configuration.enterprise.unwrap_or_default();
        if enterprise.is_portfolio != Some(true) {
            return Ok(Places { sole: enterprise.id, ..Places::default() });
        }
        let enterprises: Vec<wire::Enterprise> = self.all(ENTERPRISES, json!({})).await?;
        let mut chains: Vec<_> = enterprises.into_iter().filter_map(|enterprise| enterprise.chain_id).collect();
        chains.sort();
        chains.dedup();
        let services: Vec<wire::Service> = self.all(SERVICES, json!({ "ServiceType": "Bookable" })).await?;
        let by_service =
            services.into_iter().filter_map(|service| Some((service.id?, service.enterprise_id?))).collect();
        Ok(Places { sole: None, chains, by_service })
    }

    async fn send(
        &self,
        operation: Operation,
        mut asked: Fields,
        departure: Option<&Departure>,
    ) -> Result<Reply, VendorError> {
        asked.insert("ClientToken".to_owned(), self.client_token.expose().into());
        asked.insert("AccessToken".to_owned(), self.access_token.expose().into());
        asked.insert("Client".to_owned(), self.client.as_str().into());
        let body =
            serde_json::to_vec(&asked).map_err(|_| VendorError::unsupported("The request can not be written."))?;
        let path: Vec<_> = ["api", "connector", "v1"].iter().chain(operation.path).copied().collect();
        let call = Call {
            operation: operation.name,
            method: Method::POST,
            path: &path,
            query: &[],
            headers: HeaderMap::from_iter([(ACCEPT, JSON), (CONTENT_TYPE, JSON)]),
            body,
            departure,
            limit: if departure.is_some() { ANSWER_LIMIT } else { INVENTORY_LIMIT },
        };
        self.caller.call(call).await
    }

    /// Lets success through; other statuses mean what vendors-extra 5.2 says.
    async fn checked(&self, operation: Operation, reply: Reply, hidden: Option<&Secret>) -> Result<Reply, VendorError> {
        if reply.status.is_success() {
            return Ok(reply);
        }
        let body: wire::ErrorBody = reply.json().unwrap_or_default();
        let mut words = body.message.unwrap_or_default();
        if let Some(hidden) = hidden.map(Secret::expose).filter(|hidden| !hidden.is_empty()) {
            words = words.replace(hidden, "***");
        }
        if let Some(request) = body.request_id {
            words = format!("{words} (request {request})");
        }
        let said = self.caller.clean(&words);
        Err(match (reply.status.as_u16(), reply.refusal(&said)) {
            (401, refused) => self.unauthorized(operation, refused, &said).await,
            // No such address, or too large a body: our fault.
            (404 | 413, VendorError::Rejected { message, .. }) => {
                VendorError::rejected(FailureCode::Malformed, message)
            }
            (400, VendorError::Rejected { message, .. }) if said.contains("Invalid JSON") => {
                VendorError::rejected(FailureCode::Malformed, message)
            }
            // The data changed meanwhile; nothing was written.
            (409, VendorError::Rejected { message, .. }) => VendorError::not_ready(message),
            (_, error) => error,
        })
    }

    /// 401 stands for bad tokens and for an operation that the integration may not use. Only the first ends the account.
    async fn unauthorized(&self, operation: Operation, refused: VendorError, said: &str) -> VendorError {
        if operation.name == CONFIGURATION.name {
            return refused;
        }
        match self.send(CONFIGURATION, Fields::new(), None).await {
            Ok(reply) if reply.status.is_success() => VendorError::rejected(
                FailureCode::VendorRejected,
                format!("The Mews integration has no permission for {}: {said}", operation.path.join("/")),
            ),
            Ok(reply) if reply.status == StatusCode::UNAUTHORIZED => refused,
            Ok(reply) => match reply.refusal("") {
                error @ VendorError::Throttled { .. } => error,
                _ => VendorError::not_ready("Mews refused our credentials and could not be asked again."),
            },
            Err(_) => VendorError::not_ready("Mews refused our credentials and could not be asked again."),
        }
    }
}

/// Nothing at a PMS is a door.
impl DoorControl for Mews {}

/// The rows of an answer, and the cursor of the next page.
pub(super) fn rows<T: DeserializeOwned>(
    operation: Operation,
    reply: &Reply,
) -> Result<(Vec<T>, Option<String>), VendorError> {
    if reply.status == StatusCode::NO_CONTENT {
        return Ok((Vec::new(), None));
    }
    let broken = || VendorError::protocol(format!("Mews answered without its list of {}.", operation.list));
    let mut body: Fields = reply.json()?;
    let Some(Value::Array(items)) = body.remove(operation.list) else { return Err(broken()) };
    if !items.iter().all(Value::is_object) {
        return Err(broken());
    }
    let rows = items.into_iter().map(serde_json::from_value).collect::<Result<_, _>>().map_err(|_| broken())?;
    let cursor = body.get("Cursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty());
    Ok((rows, cursor.map(str::to_owned)))
}

/// Left out of a list, it would look removed (rule 11).
pub(super) fn without_id(what: &str) -> VendorError {
    VendorError::protocol(format!("Mews listed a {what} without an id."))
}

#[cfg(test)]
mod tests;
