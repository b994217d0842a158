//! Where requests may go: the names of base URLs are resolved here, and every address that a name leads to is asked
//! about right before it is connected to. A name that leads elsewhere the next time gets no further than this one.
//! Without TLS whoever is on the way reads the credentials, so that plain HTTP goes only where the operator says.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use domain::address::AddressRule;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// A host whose addresses may not be called. It tells none of them: who chose the host may not know our network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OutOfReach {
    #[error("its address is not public, and GATEHOUSE_ALLOW_PRIVATE_VENDOR_ADDRESSES does not name it")]
    NotPublic,
    #[error(
        "it begins with http://, and credentials go without TLS only to addresses that \
         GATEHOUSE_ALLOW_PRIVATE_VENDOR_ADDRESSES names: use https://"
    )]
    WithoutTls,
}

/// How a host is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    Tls,
    Plain,
}

impl Wire {
    /// That of an address of `http` or `https`.
    pub(super) fn of(url: &Url) -> Self {
        if url.scheme() == "https" { Self::Tls } else { Self::Plain }
    }
}

/// Resolves names to addresses that may be called.
#[derive(Debug)]
pub(super) struct Reach(AddressRule);

impl Reach {
    pub(super) fn new(rule: AddressRule) -> Arc<Self> {
        Arc::new(Self(rule))
    }

    /// Whether an address may be called so.
    pub(super) fn judge(&self, address: IpAddr, wire: Wire) -> Result<(), OutOfReach> {
        match wire {
            _ if self.0.names(address) => Ok(()),
            _ if !self.0.admits(address) => Err(OutOfReach::NotPublic),
            Wire::Tls => Ok(()),
            Wire::Plain => Err(OutOfReach::WithoutTls),
        }
    }

    /// Whether the host may be called, as far as can be told without resolving it: an address is connected to as it is.
    pub(super) fn admits_literal(&self, url: &Url) -> Result<(), OutOfReach> {
        let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
        literal.map_or(Ok(()), |address| self.judge(address, Wire::of(url)))
    }

    /// The addresses of a name that may be called.
    ///
    /// # Errors
    /// The name leads to nothing, or only to addresses that may not be called.
    pub(super) async fn addresses(
        &self,
        name: &str,
        wire: Wire,
    ) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        let (mut within, mut beyond) = (Vec::new(), None);
        // The port is the URL's; zero leaves it so.
        for address in tokio::net::lookup_host((name, 0)).await? {
            match self.judge(address.ip(), wire) {
                Ok(()) => within.push(address),
                Err(why) => beyond = Some(why),
            }
        }
        match beyond {
            Some(why) if within.is_empty() => Err(why.into()),
            _ => Ok(within),
        }
    }
}

/// The resolver in an HTTP client.
pub(super) struct Resolver {
    pub(super) reach: Arc<Reach>,
    pub(super) wire: Wire,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, wire) = (Arc::clone(&self.reach), self.wire);
        Box::pin(async move {
            let addresses = reach.addresses(name.as_str(), wire).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
