//! Speaking with Raixer: headers, statuses and the two meanings of 401 by document 001. What is asked is `control`'s,
//! `administration`'s and `inventory`'s business, what the answers mean `mapping`'s.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{account::Vendor, clock::Timestamp, command::FailureCode, secret::Secret};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{mapping::answers, wire};
use crate::{
    credentials::RaixerCredentials,
    error::VendorError,
    http::{ANSWER_LIMIT, Call, Caller, HttpFactory, INVENTORY_LIMIT, Reply},
    port::Departure,
};

/// Where Raixer's API is (document 001).
pub(crate) const DEFAULT_BASE_URL: &str = "https://api.raixer.com";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One API user at Raixer.
pub(crate) struct Raixer {
    pub(super) caller: Caller,
    authorization: HeaderValue,
}

/// Something that changes something at Raixer.
pub(super) struct Write<'a> {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) path: &'a [&'a str],
    /// None for the calls that the document shows without one.
    pub(super) body: Option<Vec<u8>>,
}

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    /// It was removed.
    Done,
    /// It was not there.
    NothingThere,
}

impl Raixer {
    /// An API user with its password.
    pub(crate) fn new(
        base_url: &str,
        credentials: &RaixerCredentials,
        http: &HttpFactory,
    ) -> Result<Self, VendorError> {
        let (user, password) = (&credentials.user, &credentials.password);
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

    /// The time by our clock.
    pub(super) fn now(&self) -> Timestamp {
        self.caller.unhurried().clock.now()
    }

    async fn ask(&self, operation: &'static str, path: &[&str], query: &[(&str, &str)]) -> Result<Reply, VendorError> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone()), (ACCEPT, JSON)]);
        let limit = INVENTORY_LIMIT;
        let method = Method::GET;
        let call = Call { operation, method, path, query, headers, body: Vec::new(), departure: None, limit };
        self.caller.call(call).await
    }

    /// Reads what every user may read: here a 401 can only mean the credentials.
    pub(super) async fn own<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, VendorError> {
        let reply = self.ask(operation, path, query).await?;
        if reply.status.is_success() { reply.json() } else { Err(refusal(&reply)) }
    }

    /// Tells the two meanings of 401 apart by a call that needs no permission on any device. Either way nothing
    /// happened.
    async fn meaning_of_401(&self) -> VendorError {
        match self.ask("check credentials", &["devices"], &[]).await {
            Ok(reply) if reply.status.as_u16() == 401 => VendorError::auth_invalid("Raixer refuses the credentials."),
            Ok(reply) if reply.status.is_success() => VendorError::rejected(
                FailureCode::DeviceNotFound,
                "Raixer gives this account no permission on the device.",
            ),
            _ => VendorError::not_ready("Raixer refused the call, and did not say whether for good."),
        }
    }

    /// Reads something of a device. `None` when the device does not exist (403), or when this account may not use it:
    /// 401 with good credentials, twice, since what is not listed looks removed.
    pub(super) async fn of_device<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Option<T>, VendorError> {
        let mut reply = self.ask(operation, path, query).await?;
        if reply.status.as_u16() == 401 {
            match self.meaning_of_401().await {
                VendorError::Rejected { .. } => reply = self.ask(operation, path, query).await?,
                error => return Err(error),
            }
        }
        match reply.status.as_u16() {
            401 | 403 => Ok(None),
            _ if reply.status.is_success() => reply.json().map(Some),
            _ => Err(refusal(&reply)),
        }
    }

    /// Reads one record by its id. `None` also for 404, and for an answer that holds nothing.
    pub(super) async fn record<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
    ) -> Result<Option<T>, VendorError> {
        match self.of_device::<Option<T>>(operation, path, &[]).await {
            Err(VendorError::Rejected { code: FailureCode::Unsupported, .. }) => Ok(None),
            read => read.map(Option::flatten),
        }
    }

    /// Makes a change; every status but success is an error.
    pub(super) async fn write(&self, write: Write<'_>, departure: &Departure) -> Result<Reply, VendorError> {
        let reply = self.send(write, departure).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(refusal(&reply)) }
    }

    async fn send(&self, write: Write<'_>, departure: &Departure) -> Result<Reply, VendorError> {
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, self.authorization.clone()), (ACCEPT, JSON)]);
        if write.method != Method::DELETE {
            // Without it Raixer answers 400, also where there is no body.
            headers.insert(CONTENT_TYPE, JSON);
        }
        let call = Call {
            operation: write.operation,
            method: write.method,
            path: write.path,
            query: &[],
            headers,
            body: write.body.unwrap_or_default(),
            departure: Some(departure),
            limit: ANSWER_LIMIT,
        };
        let reply = self.caller.call(call).await?;
        if reply.status.as_u16() == 401 { Err(self.meaning_of_401().await) } else { Ok(reply) }
    }

    /// Updates records; what is not there was not updated.
    pub(super) async fn update(&self, write: Write<'_>, departure: &Departure) -> Result<(), VendorError> {
        let reply = self.write(write, departure).await?;
        match answers::written(&reply.json()?).ok_or_else(answers::odd)? {
            Removal::Done => Ok(()),
            Removal::NothingThere => Err(not_there()),
        }
    }

    /// Updates a record of which it is as good that it is not there.
    pub(super) async fn update_if_there(
        &self,
        write: Write<'_>,
        departure: &Departure,
    ) -> Result<Removal, VendorError> {
        let reply = self.send(write, departure).await?;
        match reply.status.as_u16() {
            403 | 404 => Ok(Removal::NothingThere),
            _ if reply.status.is_success() => answers::written(&reply.json()?).ok_or_else(answers::odd),
            _ => Err(refusal(&reply)),
        }
    }

    /// Makes a record and gives its id.
    pub(super) async fn insert(&self, write: Write<'_>, departure: &Departure) -> Result<String, VendorError> {
        let reply = self.write(write, departure).await?;
        let inserted: wire::Inserted = reply.json()?;
        inserted.inserted_id.ok_or_else(|| VendorError::protocol("Raixer did not say what it made."))
    }

    /// Removes a record. That it is not there is as good.
    pub(super) async fn remove(
        &self,
        operation: &'static str,
        path: &[&str],
        departure: &Departure,
    ) -> Result<Removal, VendorError> {
        match self.remove_with_answer::<wire::Written>(operation, path, departure).await? {
            Some(answer) => answers::written(&answer).ok_or_else(answers::odd),
            None => Ok(Removal::NothingThere),
        }
    }

    /// Removes something whose removal is told in a form of its own; `None` when it was not there.
    pub(super) async fn remove_with_answer<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &[&str],
        departure: &Departure,
    ) -> Result<Option<T>, VendorError> {
        let write = Write { operation, method: Method::DELETE, path, body: None };
        let reply = self.send(write, departure).await?;
        match reply.status.as_u16() {
            403 | 404 => Ok(None),
            _ if reply.status.is_success() => reply.json().map(Some),
            _ => Err(refusal(&reply)),
        }
    }
}

/// A body as Raixer reads it.
pub(super) fn body(of: &impl Serialize) -> Result<Option<Vec<u8>>, VendorError> {
    serde_json::to_vec(of).map(Some).map_err(|_| VendorError::unsupported("The change can not be written."))
}

/// The refusal of what names something that Raixer no longer has.
pub(super) fn not_there() -> VendorError {
    VendorError::rejected(FailureCode::VendorRejected, "Raixer no longer has what is to be changed.")
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
