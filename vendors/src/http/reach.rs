//! Where requests may go: the names of base URLs are resolved here, and every address that a name leads to is asked
//! about right before it is connected to. A name that leads elsewhere the next time gets no further than this one.

use std::{error::Error, net::SocketAddr, sync::Arc};

use domain::address::AddressRule;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// A host whose addresses may not be called. It tells none of them: who chose the host may not know our network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its address is not public, and GATEHOUSE_ALLOW_PRIVATE_VENDOR_ADDRESSES does not name it")]
pub(super) struct OutOfReach;

/// Resolves names to addresses that may be called.
#[derive(Debug)]
pub(super) struct Reach(AddressRule);

impl Reach {
    pub(super) fn new(rule: AddressRule) -> Arc<Self> {
        Arc::new(Self(rule))
    }

    /// Whether the host may be called, as far as can be told without resolving it: an address is connected to as it is.
    pub(super) fn admits_literal(&self, url: &Url) -> Result<(), OutOfReach> {
        let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        if literal.is_none_or(|address| self.0.admits(address)) { Ok(()) } else { Err(OutOfReach) }
    }

    /// The addresses of a name that may be called.
    ///
    /// # Errors
    /// The name leads to nothing, or only to addresses that may not be called.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        // The port is the URL's; zero leaves it so.
        let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
        let (within, beyond): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| self.0.admits(address.ip()));
        if within.is_empty() && !beyond.is_empty() { Err(OutOfReach.into()) } else { Ok(within) }
    }
}

/// The resolver in the HTTP client.
pub(super) struct Resolver(pub(super) Arc<Reach>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = reach.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
