//! Asking Raixer: headers, paths and statuses of document 001. What the answers mean is `mapping`'s business.

use std::collections::{BTreeSet, VecDeque};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
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
use serde::de::DeserializeOwned;

use super::{mapping, wire};
use crate::{
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, INVENTORY_LIMIT, Reply},
    port::{Departure, DoorControl, FoundDevice, Inventory, Receipt, Target},
};

/// Where Raixer's API is (document 001).
pub(crate) const DEFAULT_BASE_URL: &str = "https://api.raixer.com";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One API user at Raixer.
pub(crate) struct Raixer {
    caller: Caller,
    authorization: HeaderValue,
}

/// A device that is still to be asked for its doors.
struct Pending {
    device: wire::Device,
    connection_name: Option<String>,
    /// Seen only as a connection: its own description is still to be asked for.
    shared: bool,
}

impl Raixer {
    /// An API user with its password.
    pub(crate) fn new(
        base_url: &str,
        user: &Secret,
        password: &Secret,
        http: &HttpFactory,
    ) -> Result<Self, VendorError> {
        if user.expose().contains(':') {
            return Err(VendorError::auth_invalid("A Raixer API user has no colon in its name (HTTP Basic)."));
        }
        let pair = Secret::new(STANDARD.encode(format!("{}:{}", user.expose(), password.expose())));
        let mut authorization = HeaderValue::from_str(&format!("Basic {}", pair.expose()))
            .map_err(|_| VendorError::auth_invalid("The Raixer credentials can not be written."))?;
        authorization.set_sensitive(true);
        let caller = http.caller(Vendor::Raixer, base_url, vec![pair, password.clone()])?;
        Ok(Self { caller, authorization })
    }

    async fn ask(&self, operation: &'static str, path: &[&str]) -> Result<Reply, VendorError> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone()), (ACCEPT, JSON)]);
        let call = Call {
            operation,
            method: Method::GET,
            path,
            headers,
            body: Vec::new(),
            departure: None,
            limit: INVENTORY_LIMIT,
        };
        self.caller.call(call).await
    }

    async fn list<T: DeserializeOwned>(&self, operation: &'static str, path: &[&str]) -> Result<Vec<T>, VendorError> {
        let reply = self.ask(operation, path).await?;
        if reply.status.is_success() { reply.json() } else { Err(refusal(&reply)) }
    }

    /// Tells the two meanings of 401 apart by a call that needs no permission on any device. Either way nothing
    /// happened at the door.
    async fn meaning_of_401(&self) -> VendorError {
        match self.ask("check credentials", &["devices"]).await {
            Ok(reply) if reply.status.as_u16() == 401 => VendorError::auth_invalid("Raixer refuses the credentials."),
            Ok(reply) if reply.status.is_success() => VendorError::rejected(
                FailureCode::DeviceNotFound,
                "Raixer gives this account no permission on the device.",
            ),
            _ => VendorError::not_ready("Raixer refused the call, and did not say whether for good."),
        }
    }

    /// Every device that is owned or shared, owned ones first, each once.
    async fn known_devices(&self) -> Result<VecDeque<Pending>, VendorError> {
        let owned: Vec<wire::Device> = self.list("list devices", &["devices"]).await?;
        let connections: Vec<wire::Connection> = self.list("list connections", &["connections"]).await?;
        let mut seen = BTreeSet::new();
        let mut pending = VecDeque::new();
        for device in owned {
            let id = device.id.clone().ok_or_else(no_id)?;
            let name = connections
                .iter()
                .find(|connection| connection.device_id.as_deref() == Some(&id))
                .and_then(|connection| connection.name.clone());
            if seen.insert(id) {
                pending.push_back(Pending { device, connection_name: name, shared: false });
            }
        }
        for connection in connections.into_iter().filter(|connection| connection.disabled != Some(true)) {
            let id = connection.device_id.ok_or_else(no_id)?;
            if seen.insert(id.clone()) {
                let device = wire::Device { id: Some(id), ..wire::Device::default() };
                pending.push_back(Pending { device, connection_name: connection.name, shared: true });
            }
        }
        Ok(pending)
    }

    /// A device with its doors; `None` when it does not exist for this account any more.
    async fn complete(&self, pending: Pending) -> Result<Option<FoundDevice>, VendorError> {
        let id = pending.device.id.clone().ok_or_else(no_id)?;
        let mut device = pending.device;
        if pending.shared {
            match self.ask_of_device("get device", &["devices", &id]).await? {
                Some(reply) => device = reply.json()?,
                None => return Ok(None),
            }
        }
        let Some(reply) = self.ask_of_device("list doors", &["devices", &id, "doors"]).await? else { return Ok(None) };
        device.id = Some(id);
        mapping::device(device, pending.connection_name.as_deref(), reply.json()?).map(Some).ok_or_else(no_id)
    }

    /// `None` when the device does not exist (403) or this account may not use it (401 with good credentials).
    async fn ask_of_device(&self, operation: &'static str, path: &[&str]) -> Result<Option<Reply>, VendorError> {
        let reply = self.ask(operation, path).await?;
        match reply.status.as_u16() {
            401 => match self.meaning_of_401().await {
                VendorError::Rejected { .. } => Ok(None),
                error => Err(error),
            },
            403 => Ok(None),
            _ if reply.status.is_success() => Ok(Some(reply)),
            _ => Err(refusal(&reply)),
        }
    }
}

fn no_id() -> VendorError {
    VendorError::protocol("Raixer listed something without an id.")
}

/// What the document says of a status. Its error bodies are not documented and not quoted.
fn refusal(reply: &Reply) -> VendorError {
    let error = reply.refusal("");
    let VendorError::Rejected { message, .. } = error else { return error };
    let code = match reply.status.as_u16() {
        400 => FailureCode::Malformed,
        403 => FailureCode::DeviceNotFound,
        404 => FailureCode::Unsupported,
        _ => FailureCode::VendorRejected,
    };
    VendorError::Rejected { code, message }
}

#[async_trait]
impl DoorControl for Raixer {
    async fn dispatch(&self, action: &Action, target: &Target, departure: &Departure) -> Result<Receipt, VendorError> {
        let Action::OpenDoor = action else {
            return Err(VendorError::unsupported("This connector opens Raixer doors and does nothing else with them."));
        };
        let Some(position) = target.position.filter(|position| *position >= 1) else {
            return Err(VendorError::unsupported("A Raixer door is opened by its position, and this one has none."));
        };
        let headers =
            HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone()), (ACCEPT, JSON), (CONTENT_TYPE, JSON)]);
        let call = Call {
            operation: "open door",
            method: Method::POST,
            path: &["devices", &target.device, "open-door", &position.to_string()],
            headers,
            body: Vec::new(),
            departure: Some(departure),
            limit: ANSWER_LIMIT,
        };
        let reply = self.caller.call(call).await?;
        match reply.status.as_u16() {
            401 => Err(self.meaning_of_401().await),
            _ if reply.status.is_success() => mapping::receipt(reply.json()?, |words| self.caller.clean(words)),
            _ => Err(refusal(&reply)),
        }
    }

    async fn poll(&self, _: &str, _: &Target) -> Result<Receipt, VendorError> {
        Err(VendorError::unsupported("Raixer answers at once and keeps no commands to ask for."))
    }

    async fn look(&self, _: &Target) -> Result<Option<DoorReading>, VendorError> {
        Ok(None)
    }
}

impl Inventory for Raixer {
    fn devices(&self) -> BoxStream<'_, Result<Vec<FoundDevice>, VendorError>> {
        stream::try_unfold(None, move |pending: Option<VecDeque<Pending>>| async move {
            let mut pending = match pending {
                Some(pending) => pending,
                None => self.known_devices().await?,
            };
            while let Some(next) = pending.pop_front() {
                if let Some(device) = self.complete(next).await? {
                    return Ok(Some((vec![device], Some(pending))));
                }
            }
            Ok(None)
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests;
