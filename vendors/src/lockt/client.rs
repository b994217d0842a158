//! Asking Lockt: headers, paths and statuses of document 002. What the answers mean is the business of the others here.

use domain::{account::Vendor, command::FailureCode};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    wire::{self, Data},
    zone::Zone,
};
use crate::{
    credentials::LocktCredentials,
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, INVENTORY_LIMIT, Reply},
    port::{Departure, DoorControl, Intake},
};

/// Where Lockt's service is (document 002).
pub(crate) const DEFAULT_BASE_URL: &str = "https://cloudapi.lockt.com";

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// What Lockt says when it could not reach the customer's own SecureAccess: nobody's mistake, and it may pass.
const UPSTREAM: [&str; 2] = ["unable to enumerate dependant record", "unable to locate template"];

/// One account at Lockt.
pub(crate) struct Lockt {
    pub(super) caller: Caller,
    pub(super) zone: Zone,
    headers: HeaderMap,
}

impl Lockt {
    /// An account with its two keys.
    pub(crate) fn new(base_url: &str, credentials: &LocktCredentials, http: &HttpFactory) -> Result<Self, VendorError> {
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON)]);
        for (name, key) in [("apiuser", &credentials.api_user), ("apikey", &credentials.api_key)] {
            let mut value = HeaderValue::from_str(key.expose())
                .map_err(|_| VendorError::auth_invalid("The Lockt keys have characters that no header may have."))?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
        let secrets = vec![credentials.api_user.clone(), credentials.api_key.clone()];
        let caller = http.caller(Vendor::Lockt, base_url, secrets)?;
        Ok(Self { caller, zone: Zone::named(credentials.time_zone.as_deref())?, headers })
    }

    /// Asks a question; whatever was answered.
    pub(super) async fn ask(
        &self,
        operation: &'static str,
        endpoint: &str,
        query: &[(&str, &str)],
    ) -> Result<Reply, VendorError> {
        let call = Call {
            operation,
            method: Method::GET,
            path: &["api", "v1", endpoint],
            query,
            headers: self.headers.clone(),
            body: Vec::new(),
            departure: None,
            limit: INVENTORY_LIMIT,
        };
        self.caller.call(call).await
    }

    /// Sends what may change something; whatever was answered.
    pub(super) async fn send(
        &self,
        operation: &'static str,
        method: Method,
        endpoint: &str,
        body: Vec<u8>,
        departure: &Departure,
    ) -> Result<Reply, VendorError> {
        let call = Call {
            operation,
            method,
            path: &["api", "v1", endpoint],
            query: &[],
            headers: self.headers.clone(),
            body,
            departure: Some(departure),
            limit: ANSWER_LIMIT,
        };
        self.caller.call(call).await
    }

    /// A list. `Unsupported` when Lockt does not know the endpoint (yet).
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        endpoint: &str,
    ) -> Result<Vec<T>, VendorError> {
        let reply = self.ask(operation, endpoint, &[]).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Err(not_released(endpoint));
        }
        self.items(&reply)
    }

    /// A list of an endpoint that may not be released, or not for this account.
    pub(super) async fn list_if_offered<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        endpoint: &str,
    ) -> Result<Option<Vec<T>>, VendorError> {
        match self.list(operation, endpoint).await {
            Ok(items) => Ok(Some(items)),
            Err(VendorError::Unsupported { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What is found by a query; nothing when there is no such thing.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        endpoint: &str,
        query: (&str, &str),
    ) -> Result<Vec<T>, VendorError> {
        let reply = self.ask(operation, endpoint, &[query]).await?;
        if reply.status == StatusCode::NOT_FOUND { Ok(Vec::new()) } else { self.items(&reply) }
    }

    /// The list in an answer.
    pub(super) fn items<T: DeserializeOwned>(&self, reply: &Reply) -> Result<Vec<T>, VendorError> {
        if !reply.status.is_success() {
            return Err(self.refused(reply));
        }
        match wire::data(reply.json()?) {
            // A list in a list would be read as a row without names.
            Data::Items(items) if items.iter().all(Value::is_object) => {
                items.into_iter().map(|item| serde_json::from_value(item).map_err(|_| unexpected())).collect()
            }
            Data::Words(words) => {
                let message = format!("Lockt answered: {}", self.caller.clean(&words.join(", ")));
                Err(if is_upstream(&words) {
                    VendorError::not_ready(message)
                } else {
                    VendorError::rejected(FailureCode::VendorRejected, message)
                })
            }
            Data::Items(_) | Data::Other => Err(unexpected()),
        }
    }

    /// What a refused question means.
    pub(super) fn refused(&self, reply: &Reply) -> VendorError {
        let said = wire::said(&reply.json().unwrap_or(Value::Null));
        let error = reply.refusal(&self.caller.clean(&said.words.join(", ")));
        match error {
            VendorError::Rejected { message, .. } if is_upstream(&said.words) => VendorError::not_ready(message),
            error => error,
        }
    }
}

/// Whether Lockt says that it could not reach the customer's own installation.
pub(super) fn is_upstream(words: &[String]) -> bool {
    words.iter().any(|word| {
        let word = word.to_ascii_lowercase();
        UPSTREAM.iter().any(|known| word.contains(known))
    })
}

/// The answer is not what was asked for.
pub(super) fn unexpected() -> VendorError {
    VendorError::protocol("Lockt answered with unexpected content.")
}

/// The document marks some endpoints as pending release; until then they are not found.
pub(super) fn not_released(endpoint: &str) -> VendorError {
    VendorError::unsupported(format!("Lockt does not offer `{endpoint}` to this account (yet)."))
}

/// All of them. One without an id fails the read: left out, it would look removed (rule 11).
pub(super) fn identified<T>(found: impl Iterator<Item = Option<T>>) -> Result<Vec<T>, VendorError> {
    found.map(|item| item.ok_or_else(|| VendorError::protocol("Lockt listed something without an id."))).collect()
}

// Nothing opens a Lockt door through its API, and nothing is pushed.
impl DoorControl for Lockt {}
impl Intake for Lockt {}

#[cfg(test)]
mod tests;
