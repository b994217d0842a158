//! Asking ParqEx: headers, paths and bodies of document 000. What the answers mean is `mapping`'s business.

use async_trait::async_trait;
use domain::{
    account::Vendor,
    command::{Action, FailureCode},
    door::DoorReading,
    secret::Secret,
};
use futures::stream::{self, BoxStream, StreamExt};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE},
};

use super::{mapping, wire};
use crate::{
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, INVENTORY_LIMIT, Reply},
    port::{Departure, DoorControl, FoundDevice, Inventory, Receipt, Target},
};

/// Where ParqEx's API is (document 000).
pub(crate) const DEFAULT_BASE_URL: &str = "https://api.parqex.com";
/// The heading of document 000; its sample request has `/api/oauth/v1/endpoints/toggle`.
const DEFAULT_TOGGLE_PATH: &str = "/oauth/v1/endpoint/toggle";

/// One linked user at ParqEx.
pub(crate) struct Parqex {
    caller: Caller,
    authorization: HeaderValue,
    toggle_path: Vec<String>,
}

impl Parqex {
    /// A user's access token. `toggle_path` is for the case that the document's sample is right and its heading wrong.
    pub(crate) fn new(
        base_url: &str,
        access_token: &Secret,
        toggle_path: Option<&str>,
        http: &HttpFactory,
    ) -> Result<Self, VendorError> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", access_token.expose()))
            .map_err(|_| VendorError::auth_invalid("The ParqEx token has characters that no header may have."))?;
        authorization.set_sensitive(true);
        let caller = http.caller(Vendor::Parqex, base_url, vec![access_token.clone()])?;
        let path = toggle_path.unwrap_or(DEFAULT_TOGGLE_PATH);
        let toggle_path = path.split('/').filter(|piece| !piece.is_empty()).map(str::to_owned).collect();
        Ok(Self { caller, authorization, toggle_path })
    }

    /// The five headers that every call has (document 000).
    fn headers(&self) -> HeaderMap {
        let json = HeaderValue::from_static("application/json");
        HeaderMap::from_iter([
            (ACCEPT, json.clone()),
            (CONTENT_TYPE, json),
            (AUTHORIZATION, self.authorization.clone()),
            (ACCEPT_CHARSET, HeaderValue::from_static("utf-8")),
            (ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
        ])
    }

    async fn sync(&self) -> Result<Vec<wire::Device>, VendorError> {
        let call = Call {
            operation: "sync",
            method: Method::GET,
            path: &["oauth", "v1", "endpoints", "sync"],
            headers: self.headers(),
            body: Vec::new(),
            departure: None,
            limit: INVENTORY_LIMIT,
        };
        let reply = self.caller.call(call).await?;
        if !reply.status.is_success() {
            return Err(reply.refusal(""));
        }
        let sync: wire::Sync = reply.json()?;
        if mapping::login_expired(sync.code.as_deref()) {
            return Err(VendorError::auth_invalid("ParqEx: the login has expired."));
        }
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
            other => VendorError::protocol(format!("{other} This says nothing that ParqEx documents.")),
        })
    }
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
            headers: self.headers(),
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

impl Inventory for Parqex {
    fn devices(&self) -> BoxStream<'_, Result<Vec<FoundDevice>, VendorError>> {
        stream::once(async move {
            self.sync()
                .await?
                .into_iter()
                .map(|device| {
                    // Left out, it would look removed (rule 11).
                    mapping::device(device)
                        .ok_or_else(|| VendorError::protocol("ParqEx listed something without an id."))
                })
                .collect()
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests;
