//! The clients themselves, which no other file builds: no redirects, no proxies, no repetition, and a resolver that admits
//! what may be called.

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use reqwest::{Certificate, Client, ClientBuilder, Url, redirect};

use super::{
    HttpSetupError, cause, duration,
    reach::{Reach, Resolver, Wire},
};
use crate::port::TimeOuts;

/// Shorter than what servers commonly keep open, so that we seldom write to a connection that the server just closed.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// One client for each kind of wire: a resolver is told a name, and not how it will be called.
#[derive(Clone)]
pub(super) struct Clients {
    tls: Client,
    plain: Client,
}

impl Clients {
    /// # Errors
    /// TLS could not be set up.
    pub(super) fn new(time_outs: TimeOuts, reach: &Arc<Reach>) -> Result<Self, HttpSetupError> {
        static RING: Once = Once::new();
        RING.call_once(|| {
            // An error means that the process has chosen a provider already, which serves us as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let without_roots = |wire| {
            let builder = builder(time_outs, reach, wire).tls_certs_only(std::iter::empty::<Certificate>());
            builder.build().map_err(|error| HttpSetupError(cause(&error)))
        };
        let tls = match builder(time_outs, reach, Wire::Tls).build() {
            Ok(client) => client,
            Err(error) => {
                tracing::warn!(cause = %cause(&error), "no certificate authorities: vendors can be reached by plain HTTP only");
                without_roots(Wire::Tls)?
            }
        };
        Ok(Self { tls, plain: without_roots(Wire::Plain)? })
    }

    /// The client for this address.
    pub(super) fn of(&self, url: &Url) -> &Client {
        match Wire::of(url) {
            Wire::Tls => &self.tls,
            Wire::Plain => &self.plain,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that builds a client")]
fn builder(time_outs: TimeOuts, reach: &Arc<Reach>, wire: Wire) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("gatehouse/", env!("CARGO_PKG_VERSION")))
        // What `gate` relies on is how hyper writes HTTP/1. Over HTTP/2 the head would leave before the body is asked.
        .http1_only()
        .https_only(wire == Wire::Tls)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .dns_resolver(Resolver { reach: Arc::clone(reach), wire })
        .gzip(true)
        .pool_idle_timeout(POOL_IDLE)
        .connect_timeout(duration(time_outs.connect))
}
