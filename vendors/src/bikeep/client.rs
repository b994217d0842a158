//! Asking Bikeep: headers, paths and statuses of document 003. What the answers mean is `mapping`'s business.

use async_trait::async_trait;
use domain::{
    account::Vendor,
    command::{Action, FailureCode},
    door::DoorReading,
    secret::Secret,
};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};

use super::{access, mapping, wire};
use crate::{
    credentials::BikeepCredentials,
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, Reply},
    oauth::TokenEndpoint,
    port::{Administration, Departure, DoorControl, Receipt, Target},
};

/// Where Bikeep's services are (document 003).
pub(crate) const DEFAULT_BASE_URL: &str = "https://services.bikeep.com";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One account at Bikeep.
pub(crate) struct Bikeep {
    pub(super) credentials: BikeepCredentials,
    /// Where tokens are fetched, if they can be.
    pub(super) tokens: Option<TokenEndpoint>,
    caller: Caller,
    authorization: Option<HeaderValue>,
}

impl Bikeep {
    /// An account with a token, or with a client that one is still to be fetched for: then every call fails as refused.
    pub(crate) fn new(
        base_url: &str,
        credentials: &BikeepCredentials,
        http: &HttpFactory,
    ) -> Result<Self, VendorError> {
        let authorization = credentials.token.as_ref().map(bearer).transpose()?;
        let caller = http.caller(Vendor::Bikeep, base_url, access::secrets(credentials))?;
        let tokens = access::token_endpoint(base_url, credentials, http)?;
        Ok(Self { credentials: credentials.clone(), tokens, caller, authorization })
    }

    fn headers(&self) -> Result<HeaderMap, VendorError> {
        let authorization = self.authorization.clone();
        let authorization =
            authorization.ok_or_else(|| VendorError::auth_invalid("No Bikeep token has been fetched yet."))?;
        Ok(HeaderMap::from_iter([(AUTHORIZATION, authorization), (ACCEPT, JSON)]))
    }

    pub(super) async fn get(&self, operation: &'static str, path: &[&str], limit: usize) -> Result<Reply, VendorError> {
        let (headers, body) = (self.headers()?, Vec::new());
        let call = Call { operation, method: Method::GET, path, query: &[], headers, body, departure: None, limit };
        self.checked(self.caller.call(call).await?)
    }

    /// Lets success through; 400, 403 and 404 mean what the document says, other statuses what they mean anywhere.
    fn checked(&self, reply: Reply) -> Result<Reply, VendorError> {
        if reply.status.is_success() {
            return Ok(reply);
        }
        let body: wire::ErrorBody = reply.json().unwrap_or_default();
        let code = body.error_code.as_deref().unwrap_or_default();
        let mut words: Vec<&str> =
            [&body.error_message, &body.error_code].into_iter().flatten().map(String::as_str).collect();
        let correlation = body.correlation_id.as_deref().map(|id| format!("correlation {id}"));
        words.extend(correlation.as_deref());
        let error = reply.refusal(&self.caller.clean(&words.join(", ")));
        let VendorError::Rejected { message, .. } = error else { return Err(error) };
        let code = match reply.status.as_u16() {
            404 => FailureCode::DeviceNotFound,
            // A state that does not fit is nothing that we wrote wrongly.
            400 if code.contains("INVALID") && !code.contains("INVALID_STATE") => FailureCode::Malformed,
            _ => FailureCode::VendorRejected,
        };
        Err(VendorError::Rejected { code, message })
    }

    fn receipt(&self, reply: &Reply) -> Result<Receipt, VendorError> {
        mapping::receipt(reply.json()?, |words| self.caller.clean(words))
            .ok_or_else(|| VendorError::protocol("Bikeep answered with something that is no command."))
    }

    /// One device (B2).
    pub(super) async fn device(&self, id: &str) -> Result<wire::Device, VendorError> {
        let reply = self.get("get device", &["device", "v1", "devices", id], ANSWER_LIMIT).await?;
        let device: wire::Device = reply.json()?;
        if device.id.is_none() {
            return Err(VendorError::protocol("Bikeep answered with something that is no device."));
        }
        Ok(device)
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, VendorError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|_| VendorError::auth_invalid("The Bikeep token has characters that no header may have."))?;
    value.set_sensitive(true);
    Ok(value)
}

#[async_trait]
impl DoorControl for Bikeep {
    async fn dispatch(&self, action: &Action, target: &Target, departure: &Departure) -> Result<Receipt, VendorError> {
        let order = mapping::order(action, &target.model)?;
        let body =
            serde_json::to_vec(&order).map_err(|_| VendorError::unsupported("The command can not be written."))?;
        let mut headers = self.headers()?;
        headers.insert(CONTENT_TYPE, JSON);
        let call = Call {
            operation: "send command",
            method: Method::POST,
            path: &["device", "v1", "devices", &target.device, "commands"],
            query: &[],
            headers,
            body,
            departure: Some(departure),
            limit: ANSWER_LIMIT,
        };
        let reply = self.checked(self.caller.call(call).await?)?;
        self.receipt(&reply)
    }

    async fn poll(&self, reference: &str, _: &Target) -> Result<Receipt, VendorError> {
        let reply = self.get("get command", &["device", "v1", "commands", reference], ANSWER_LIMIT).await?;
        self.receipt(&reply)
    }

    async fn look(&self, target: &Target) -> Result<Option<DoorReading>, VendorError> {
        Ok(Some(mapping::reading(&self.device(&target.device).await?)))
    }
}

impl Administration for Bikeep {}

#[cfg(test)]
mod tests;
