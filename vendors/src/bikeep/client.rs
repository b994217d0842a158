//! Asking Bikeep: headers, paths and statuses of document 003. What the answers mean is `mapping`'s business.

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
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};

use super::{mapping, wire};
use crate::{
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, INVENTORY_LIMIT, Reply},
    port::{Departure, DoorControl, FoundDevice, Inventory, Receipt, Target},
};

/// Where Bikeep's services are (document 003).
pub(crate) const DEFAULT_BASE_URL: &str = "https://services.bikeep.com";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One account at Bikeep.
pub(crate) struct Bikeep {
    caller: Caller,
    authorization: HeaderValue,
    locations: Vec<String>,
}

impl Bikeep {
    /// An account with an access token, of which these locations are of interest; none means all that it sees.
    pub(crate) fn new(
        base_url: &str,
        token: &Secret,
        locations: &[String],
        http: &HttpFactory,
    ) -> Result<Self, VendorError> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| VendorError::auth_invalid("The Bikeep token has characters that no header may have."))?;
        authorization.set_sensitive(true);
        let caller = http.caller(Vendor::Bikeep, base_url, vec![token.clone()])?;
        Ok(Self { caller, authorization, locations: locations.to_vec() })
    }

    async fn get(&self, operation: &'static str, path: &[&str], limit: usize) -> Result<Reply, VendorError> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone()), (ACCEPT, JSON)]);
        let call = Call { operation, method: Method::GET, path, headers, body: Vec::new(), departure: None, limit };
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
            400 if code.contains("INVALID") => FailureCode::Malformed,
            _ => FailureCode::VendorRejected,
        };
        Err(VendorError::Rejected { code, message })
    }

    fn receipt(&self, reply: &Reply) -> Result<Receipt, VendorError> {
        mapping::receipt(reply.json()?, |words| self.caller.clean(words))
            .ok_or_else(|| VendorError::protocol("Bikeep answered with something that is no command."))
    }

    async fn location_ids(&self) -> Result<Vec<String>, VendorError> {
        if !self.locations.is_empty() {
            return Ok(self.locations.clone());
        }
        let reply = self.get("list locations", &["location", "v1", "locations"], INVENTORY_LIMIT).await?;
        let list: wire::List<wire::Location> = reply.json()?;
        list.data
            .into_iter()
            .map(|location| location.id.ok_or_else(|| VendorError::protocol("Bikeep listed a location without an id.")))
            .collect()
    }

    async fn devices_of(&self, location: &str) -> Result<Vec<FoundDevice>, VendorError> {
        let path = ["device", "v1", "locations", location, "devices"];
        let reply = self.get("list devices", &path, INVENTORY_LIMIT).await?;
        let list: wire::List<wire::Device> = reply.json()?;
        list.data
            .iter()
            .map(|device| {
                // Left out, it would look removed (rule 11).
                mapping::device(device, location)
                    .ok_or_else(|| VendorError::protocol("Bikeep listed a device without an id."))
            })
            .collect()
    }
}

#[async_trait]
impl DoorControl for Bikeep {
    async fn dispatch(&self, action: &Action, target: &Target, departure: &Departure) -> Result<Receipt, VendorError> {
        let order = mapping::order(action, &target.model)?;
        let body =
            serde_json::to_vec(&order).map_err(|_| VendorError::unsupported("The command can not be written."))?;
        let headers =
            HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone()), (ACCEPT, JSON), (CONTENT_TYPE, JSON)]);
        let call = Call {
            operation: "send command",
            method: Method::POST,
            path: &["device", "v1", "devices", &target.device, "commands"],
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
        let reply = self.get("get device", &["device", "v1", "devices", &target.device], ANSWER_LIMIT).await?;
        let device: wire::Device = reply.json()?;
        if device.id.is_none() {
            return Err(VendorError::protocol("Bikeep answered with something that is no device."));
        }
        Ok(Some(mapping::reading(&device)))
    }
}

impl Inventory for Bikeep {
    fn devices(&self) -> BoxStream<'_, Result<Vec<FoundDevice>, VendorError>> {
        stream::try_unfold(None, move |pending: Option<std::vec::IntoIter<String>>| async move {
            let mut pending = match pending {
                Some(pending) => pending,
                None => self.location_ids().await?.into_iter(),
            };
            let Some(location) = pending.next() else { return Ok(None) };
            Ok(Some((self.devices_of(&location).await?, Some(pending))))
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests;
