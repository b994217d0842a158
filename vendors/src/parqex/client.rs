//! Asking ParqEx: headers, paths and bodies of document 000. What the answers mean is `mapping`'s business.

use async_trait::async_trait;
use domain::{
    account::Vendor,
    command::{Action, FailureCode},
    door::DoorReading,
    secret::Secret,
};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE},
};

use super::{access, mapping, wire};
use crate::{
    credentials::ParqexCredentials,
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, INVENTORY_LIMIT, Reply},
    oauth::TokenEndpoint,
    port::{Administration, Departure, DoorControl, Receipt, Target},
};

/// Where ParqEx's API is (document 000).
pub(crate) const DEFAULT_BASE_URL: &str = "https://api.parqex.com";
/// The heading of document 000; its sample request has `/api/oauth/v1/endpoints/toggle`.
const DEFAULT_TOGGLE_PATH: &str = "/oauth/v1/endpoint/toggle";

/// One linked user at ParqEx.
pub(crate) struct Parqex {
    pub(super) credentials: ParqexCredentials,
    /// Where the user's access is renewed, if it can be.
    pub(super) tokens: Option<TokenEndpoint>,
    caller: Caller,
    authorization: Option<HeaderValue>,
    toggle_path: Vec<String>,
}

impl Parqex {
    /// A user who has consented, or not yet: then every call fails as refused.
    pub(crate) fn new(
        base_url: &str,
        credentials: &ParqexCredentials,
        http: &HttpFactory,
    ) -> Result<Self, VendorError> {
        let authorization = credentials.access_token.as_ref().map(bearer).transpose()?;
        let caller = http.caller(Vendor::Parqex, base_url, access::secrets(credentials))?;
        let path = credentials.toggle_path.as_deref().unwrap_or(DEFAULT_TOGGLE_PATH);
        let toggle_path = path.split('/').filter(|piece| !piece.is_empty()).map(str::to_owned).collect();
        let tokens = access::renewal_endpoint(base_url, credentials, http)?;
        Ok(Self { credentials: credentials.clone(), tokens, caller, authorization, toggle_path })
    }

    /// The five headers that every call has (document 000).
    fn headers(&self) -> Result<HeaderMap, VendorError> {
        let authorization = self.authorization.clone();
        let authorization = authorization.ok_or_else(|| {
            VendorError::auth_invalid("ParqEx: the user has not consented yet, so there is no token.")
        })?;
        let json = HeaderValue::from_static("application/json");
        Ok(HeaderMap::from_iter([
            (ACCEPT, json.clone()),
            (CONTENT_TYPE, json),
            (AUTHORIZATION, authorization),
            (ACCEPT_CHARSET, HeaderValue::from_static("utf-8")),
            (ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
        ]))
    }

    /// Asks one of the resources; none of these questions changes anything.
    pub(super) async fn ask(
        &self,
        name: &'static str,
        method: Method,
        query: &[(&str, &str)],
    ) -> Result<Reply, VendorError> {
        let call = Call {
            operation: name,
            method,
            path: &["oauth", "v1", "endpoints", name],
            query,
            headers: self.headers()?,
            body: Vec::new(),
            departure: None,
            limit: INVENTORY_LIMIT,
        };
        let reply = self.caller.call(call).await?;
        let said: wire::Said = reply.json().unwrap_or_default();
        if !reply.status.is_success() {
            return Err(reply.refusal(&self.caller.clean(&said.first_error())));
        }
        if mapping::login_expired(said.code.as_deref()) {
            return Err(mapping::expired());
        }
        Ok(reply)
    }

    /// The controllers with their doors.
    pub(super) async fn sync(&self) -> Result<Vec<wire::Device>, VendorError> {
        let sync: wire::Sync = self.ask("sync", Method::GET, &[]).await?.json()?;
        mapping::devices(sync).ok_or_else(|| VendorError::protocol("ParqEx answered without a list of devices."))
    }

    fn outcome(&self, reply: &Reply) -> Result<Receipt, VendorError> {
        // The text is the truth whatever the status, so it is read first.
        let toggled: Option<wire::Toggled> = reply.json().ok();
        let outcome = toggled
            .as_ref()
            .and_then(|toggled| mapping::outcome(toggled, reply.status.is_success(), |words| self.caller.clean(words)));
        if let Some(outcome) = outcome {
            return outcome;
        }
        let said = toggled.and_then(|toggled| toggled.message).map(|words| self.caller.clean(&words));
        let refusal = reply.refusal(said.as_deref().unwrap_or_default());
        Err(match refusal {
            VendorError::AuthInvalid { .. } | VendorError::Throttled { .. } | VendorError::Indeterminate { .. } => {
                refusal
            }
            other => {
                let said = other.to_string();
                let said = said.trim_end_matches('.');
                VendorError::protocol(format!("{said}. This says nothing that ParqEx documents."))
            }
        })
    }
}

fn bearer(token: &Secret) -> Result<HeaderValue, VendorError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        .map_err(|_| VendorError::auth_invalid("The ParqEx token has characters that no header may have."))?;
    value.set_sensitive(true);
    Ok(value)
}

#[async_trait]
impl DoorControl for Parqex {
    async fn dispatch(&self, action: &Action, target: &Target, departure: &Departure) -> Result<Receipt, VendorError> {
        let (Some(door_state), Some(door_id)) = (mapping::door_state(action), target.door.as_deref()) else {
            return Err(VendorError::unsupported("ParqEx opens and closes doors and does nothing else with them."));
        };
        let body = serde_json::to_vec(&wire::Toggle { door_id, door_state })
            .map_err(|_| VendorError::unsupported("The command can not be written."))?;
        let path: Vec<&str> = self.toggle_path.iter().map(String::as_str).collect();
        let call = Call {
            operation: "toggle",
            method: Method::POST,
            path: &path,
            query: &[],
            headers: self.headers()?,
            body,
            departure: Some(departure),
            limit: ANSWER_LIMIT,
        };
        self.outcome(&self.caller.call(call).await?)
    }

    async fn poll(&self, _: &str, _: &Target) -> Result<Receipt, VendorError> {
        Err(VendorError::unsupported("ParqEx answers at once and keeps no commands to ask for."))
    }

    async fn look(&self, target: &Target) -> Result<Option<DoorReading>, VendorError> {
        let Some(id) = target.door.as_deref() else { return Ok(None) };
        let devices = self.sync().await?;
        let doors = devices.iter().flat_map(|device| device.doors.iter().flatten());
        let door = doors.into_iter().find(|door| door.id.as_deref().is_some_and(|other| mapping::same_id(other, id)));
        door.map(|door| Some(mapping::reading(door)))
            .ok_or_else(|| VendorError::rejected(FailureCode::DeviceNotFound, "ParqEx does not list the door."))
    }
}

impl Administration for Parqex {}

#[cfg(test)]
mod tests;
