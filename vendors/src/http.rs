//! The only place that makes HTTP requests to vendors: time-outs, no redirects, no proxies, size limits, redaction,
//! `Retry-After`, and the departure check right before the bytes leave. It knows no vendor's words; `clients`
//! connects, `gate` is the check, `reach` says which addresses may be called, `json` reads answers, `document` what is no
//! vendor's.

mod clients;
mod document;
mod gate;
mod json;
mod pace;
mod reach;
mod redact;
mod retry_after;

use std::{error::Error, fmt, sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{account::Vendor, address::AddressRule, clock::Clock, command::FailureCode, secret::Secret};
use http::{HeaderMap, Method, StatusCode};
use reqwest::{Body, Client, Request, Response, Url};
use serde::de::DeserializeOwned;

use self::{
    clients::Clients,
    gate::{Gate, GatedBody},
    reach::{OutOfReach, Reach, Wire},
    redact::Redactor,
    retry_after::retry_after,
};
use crate::{
    error::VendorError,
    port::{Departure, TimeOuts},
};

pub use self::pace::{Exchange, Pacer};

/// The largest answer that is read, unless a call says otherwise.
pub(crate) const ANSWER_LIMIT: usize = 1024 * 1024;
/// The largest answer of an inventory call.
pub(crate) const INVENTORY_LIMIT: usize = 16 * 1024 * 1024;

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("The HTTP client could not be set up: {0}")]
pub struct HttpSetupError(String);

/// Makes the callers of all accounts; they share connections and time-outs. Cheap to clone.
#[derive(Clone)]
pub struct HttpFactory {
    clients: Clients,
    reach: Arc<Reach>,
    clock: Arc<dyn Clock>,
    time_outs: TimeOuts,
    pacer: Option<Arc<dyn Pacer>>,
}

impl HttpFactory {
    /// A factory whose callers read the time from `clock` (`Retry-After` dates; departures bring their own) and connect
    /// only to what `addresses` admits.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn new(clock: Arc<dyn Clock>, time_outs: TimeOuts, addresses: AddressRule) -> Result<Self, HttpSetupError> {
        let reach = Reach::new(addresses);
        let clients = Clients::new(time_outs, &reach)?;
        Ok(Self { clients, reach, clock, time_outs, pacer: None })
    }

    /// The same factory for one account, whose requests are paced.
    #[must_use]
    pub fn paced(&self, pacer: Arc<dyn Pacer>) -> Self {
        Self { pacer: Some(pacer), ..self.clone() }
    }

    /// Whether a base URL may be called, as its name resolves just now. Each connection asks again.
    ///
    /// # Errors
    /// `Unsupported`: it may not, or it is no base URL at all.
    pub async fn check_reach(&self, base_url: &str) -> Result<(), VendorError> {
        let base = base(base_url)?;
        self.reach.admits_literal(&base).map_err(out_of_reach)?;
        let resolving = self.reach.addresses(base.host_str().unwrap_or_default(), Wire::of(&base));
        let resolved = tokio::time::timeout(duration(self.time_outs.connect), resolving).await;
        match resolved.ok().and_then(Result::err).and_then(|error| error.downcast::<OutOfReach>().ok()) {
            Some(why) => Err(out_of_reach(*why)),
            // A name that leads nowhere is for the call to tell.
            None => Ok(()),
        }
    }

    /// A caller of one vendor's service at `base_url`, which may have a path of its own and a trailing slash.
    /// `secrets` are taken out of whatever the vendor echoes.
    pub(crate) fn caller(&self, vendor: Vendor, base_url: &str, secrets: Vec<Secret>) -> Result<Caller, VendorError> {
        let base = base(base_url)?;
        self.reach.admits_literal(&base).map_err(out_of_reach)?;
        Ok(Caller {
            client: self.clients.of(&base).clone(),
            clock: Arc::clone(&self.clock),
            total: duration(self.time_outs.total),
            vendor,
            base,
            redactor: Redactor::new(secrets),
            pacer: self.pacer.clone(),
        })
    }
}

fn out_of_reach(why: OutOfReach) -> VendorError {
    VendorError::unsupported(format!("This base URL may not be called: {why}."))
}

fn base(url: &str) -> Result<Url, VendorError> {
    Url::parse(url.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| VendorError::unsupported("The base URL must be http or https, without user, query or fragment."))
}

/// The address of `path` below a base URL. Unlike the pieces of a [`Call`], it keeps a slash at its end.
pub(crate) fn below(base_url: &str, path: &str) -> Result<String, VendorError> {
    let base = base(base_url)?;
    let address = format!("{}/{}", base.as_str().trim_end_matches('/'), path.trim().trim_start_matches('/'));
    self::base(&address).map(String::from)
}

fn duration(time: TimeDelta) -> Duration {
    time.to_std().unwrap_or(Duration::ZERO)
}

/// Calls one vendor's service for one account.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client,
    clock: Arc<dyn Clock>,
    total: Duration,
    vendor: Vendor,
    base: Url,
    redactor: Redactor,
    pacer: Option<Arc<dyn Pacer>>,
}

/// One request.
pub(crate) struct Call<'a> {
    /// Our name of it, for the log.
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    /// The path below the base URL, piece by piece; each is encoded. None of them is the base URL itself.
    pub(crate) path: &'a [&'a str],
    /// The query, pair by pair; each is encoded. It may hold a secret: no URL is ever logged.
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Set for what may have a physical effect.
    pub(crate) departure: Option<&'a Departure>,
    /// The largest answer that is read, in bytes.
    pub(crate) limit: usize,
}

/// An answer, whatever its status (but no redirect).
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    retry_after: Option<TimeDelta>,
    vendor: Vendor,
    effect: bool,
}

impl Caller {
    /// Makes a call. Every status but a redirect is an answer; [`Reply::refusal`] says what it means.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Reply, VendorError> {
        let (operation, method) = (call.operation, call.method.clone());
        if let Some(pacer) = &self.pacer {
            pacer.admit().await?;
        }
        let started = self.clock.now();
        let result = self.exchange(call).await;
        if let Some(pacer) = &self.pacer {
            pacer.settle(paced(&result)).await;
        }
        let took_ms = (self.clock.now() - started).num_milliseconds();
        match &result {
            Ok(reply) => {
                tracing::debug!(vendor = %self.vendor, operation, %method, status = reply.status.as_u16(), took_ms, "vendor call");
            }
            Err(error) => {
                tracing::debug!(vendor = %self.vendor, operation, %method, failure = %error.failure().code, took_ms, "vendor call");
            }
        }
        result
    }

    /// A vendor's words without our secrets, short and on one line.
    pub(crate) fn clean(&self, words: &str) -> String {
        self.redactor.clean(words)
    }

    /// A departure that is never too late: for what can change something but follows from no command.
    pub(crate) fn unhurried(&self) -> Departure {
        Departure { clock: Arc::clone(&self.clock), latest: None }
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Reply, VendorError> {
        let mut request = Request::new(call.method, self.url(call.path, call.query)?);
        *request.headers_mut() = call.headers;
        let reply = match call.departure {
            None => {
                if !call.body.is_empty() {
                    *request.body_mut() = Some(Body::from(call.body));
                }
                match tokio::time::timeout(self.total, self.perform(request, call.limit, false)).await {
                    Ok(Ok(reply)) => reply,
                    Ok(Err(fault)) => return Err(self.fault(fault, false)),
                    Err(_) => return Err(self.fault(Fault::Transport("time-out".to_owned()), false)),
                }
            }
            Some(departure) => self.exchange_with_effect(request, call.body, departure, call.limit).await?,
        };
        if reply.status.is_redirection() || reply.status.is_informational() {
            return Err(VendorError::protocol(format!("{} answered HTTP {}.", self.vendor, reply.status.as_u16())));
        }
        Ok(reply)
    }

    async fn exchange_with_effect(
        &self,
        mut request: Request,
        body: Vec<u8>,
        departure: &Departure,
        limit: usize,
    ) -> Result<Reply, VendorError> {
        if departure.is_over() {
            return Err(VendorError::TooLate);
        }
        let gate = Gate::new(departure.clone());
        *request.body_mut() = Some(Body::wrap(GatedBody::new(body, Arc::clone(&gate))));
        let exchange = tokio::time::timeout(self.total, self.perform(request, limit, true));
        tokio::pin!(exchange);
        let outcome = tokio::select! {
            biased;
            outcome = &mut exchange => outcome,
            () = gate.departure_passed() => {
                if gate.close() {
                    return Err(VendorError::TooLate);
                }
                exchange.await
            }
        };
        let fault = match outcome {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(fault)) => fault,
            Err(_) => Fault::Transport("time-out".to_owned()),
        };
        let never_left = gate.close();
        Err(if gate.was_late() { VendorError::TooLate } else { self.fault(fault, !never_left) })
    }

    async fn perform(&self, request: Request, limit: usize, effect: bool) -> Result<Reply, Fault> {
        let mut response = self.client.execute(request).await.map_err(|error| Fault::Transport(cause(&error)))?;
        let status = response.status();
        let retry_after = retry_after(response.headers(), self.clock.now());
        let body = match read(&mut response, limit).await {
            Ok(body) => body,
            // The refusal stands without the words to it.
            Err(_) if status.is_client_error() => Vec::new(),
            Err(fault) => return Err(fault),
        };
        Ok(Reply { status, body, retry_after, vendor: self.vendor, effect })
    }

    fn fault(&self, fault: Fault, may_have_left: bool) -> VendorError {
        let vendor = self.vendor;
        match fault {
            Fault::TooLarge => VendorError::protocol(format!("{vendor} answered with more than we read.")),
            Fault::Transport(cause) if may_have_left => VendorError::indeterminate(
                FailureCode::AnswerLost,
                format!("The answer of {vendor} was lost: {cause}."),
            ),
            Fault::Transport(cause) => VendorError::not_ready(format!("{vendor} could not be reached: {cause}.")),
        }
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, VendorError> {
        // As a piece of a path, these would name another resource than the one that is meant.
        if path.iter().any(|piece| matches!(*piece, "" | "." | "..")) {
            return Err(VendorError::rejected(FailureCode::DeviceNotFound, "The vendor's id is not usable in a URL."));
        }
        let mut url = self.base.clone();
        // Without a path the base URL itself is meant, with the slash at its end if it has one.
        if !path.is_empty()
            && let Ok(mut pieces) = url.path_segments_mut()
        {
            pieces.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

fn paced(result: &Result<Reply, VendorError>) -> Exchange {
    match result {
        Ok(reply) if reply.status == StatusCode::TOO_MANY_REQUESTS => Exchange::Throttled(reply.retry_after),
        Ok(reply) if reply.status.is_server_error() => match reply.retry_after {
            Some(pause) => Exchange::Throttled(Some(pause)),
            None => Exchange::Failed,
        },
        Ok(_) | Err(VendorError::TooLate) => Exchange::Answered,
        Err(_) => Exchange::Failed,
    }
}

enum Fault {
    Transport(String),
    TooLarge,
}

async fn read(response: &mut Response, limit: usize) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Fault::Transport(cause(&error)))? {
        if body.len() + chunk.len() > limit {
            return Err(Fault::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The innermost cause, which names neither the URL nor a header.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: Option<&dyn Error> = None;
    let mut next = error.source();
    while let Some(source) = next {
        innermost = Some(source);
        next = source.source();
    }
    let text = innermost.map_or_else(|| "the request failed".to_owned(), ToString::to_string);
    text.chars().filter(|letter| !letter.is_control()).take(120).collect()
}

impl fmt::Debug for Reply {
    /// Without the body, which may hold what nobody should read.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, VendorError> {
        // serde's own message may quote the body.
        json::read(&self.body)
            .map_err(|_| VendorError::protocol(format!("{} answered with unexpected content.", self.vendor)))
    }

    /// What a status other than success means in general. `said` are the vendor's words, cleaned.
    ///
    /// A 5xx or 408 leaves open whether an effect happened, also the 503 of a maintenance page: it may come from a
    /// gateway that had already passed the request on.
    pub(crate) fn refusal(&self, said: &str) -> VendorError {
        let status = self.status.as_u16();
        let colon = if said.is_empty() { "" } else { ": " };
        let message = format!("{} answered HTTP {status}{colon}{said}", self.vendor);
        let retry_after = self.retry_after;
        match status {
            401 => VendorError::AuthInvalid { message },
            429 => VendorError::Throttled { retry_after },
            408 if self.effect => VendorError::Indeterminate { code: FailureCode::AnswerLost, message },
            500.. if self.effect => VendorError::Indeterminate { code: FailureCode::VendorFailed, message },
            408 | 500.. => VendorError::NotReady { message, retry_after },
            400..=499 => VendorError::Rejected { code: FailureCode::VendorRejected, message },
            _ => VendorError::Protocol { message },
        }
    }
}

#[cfg(test)]
mod tests;
