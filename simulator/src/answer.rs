//! A request as a vendor reads it and an answer as a vendor gives it, before any fault spoils it. Nothing about sockets.

use std::sync::Arc;

use axum::{body::Bytes, http::HeaderMap};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::{
    catalogue::query_value,
    faults::DeviceFault,
    journal::{Journal, Received},
    options::{Latency, Mode},
    webhooks::Webhooks,
};

/// One request on its way to a vendor.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) sequence: u64,
    /// Values of the row's path parameters, in order.
    pub(crate) params: Vec<String>,
    /// The Authorization header as it came; never stored or shown.
    pub(crate) authorization: Option<String>,
    /// The `apikey` header as it came; never stored or shown.
    pub(crate) api_key: Option<String>,
    /// What the journal keeps: everything else that arrived.
    pub(crate) received: Arc<Received>,
    /// Where clients reach this vendor, without a slash at the end.
    pub(crate) base_url: String,
}

impl Call {
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.received.headers
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.received.body
    }

    pub(crate) fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    pub(crate) fn query(&self, key: &str) -> Option<&str> {
        query_value(self.received.query.as_deref(), key)
    }

    /// The token after `Bearer`, if that is how the caller authenticated.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.authorization.as_deref()?.strip_prefix("Bearer ")
    }

    /// A header's value, if present and readable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// Whether the body is declared as JSON, parameters such as a charset aside.
    pub(crate) fn declares_json(&self) -> bool {
        self.header("content-type").is_some_and(|value| {
            value.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
        })
    }
}

/// What a vendor may use while it answers: the time, how fast its hardware is, and what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) now: DateTime<Utc>,
    pub(crate) mode: Mode,
    pub(crate) latency: &'a Latency,
    pub(crate) journal: &'a Journal,
    pub(crate) webhooks: &'a Webhooks,
    pub(crate) fault: Option<&'a DeviceFault>,
}

/// A vendor's answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) retry_after: Option<u64>,
    /// Where a redirect leads.
    pub(crate) location: Option<String>,
    /// Value of Mews' header `Request-Id`.
    pub(crate) request_id: Option<String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Answer {
        Answer {
            status,
            content_type: "application/json",
            retry_after: None,
            location: None,
            request_id: None,
            body: body.to_string(),
        }
    }

    pub(crate) fn redirect(location: String) -> Answer {
        Answer {
            status: 302,
            content_type: "text/plain; charset=utf-8",
            retry_after: None,
            location: Some(location),
            request_id: None,
            body: String::new(),
        }
    }
}
