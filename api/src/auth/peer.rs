//! Where a request comes from, as far as guessing keys is concerned.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, HeaderName, request::Parts},
};

use crate::app::AppState;

/// The address of a caller: that of the connection, or what the proxy in front of us says, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl FromRequestParts<AppState> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let told = state.address_header.as_ref().and_then(|name| told(&parts.headers, name));
        Ok(Self(told.or(connected).map(coarse)))
    }
}

/// What the nearest proxy wrote: the last address. Those before it are the caller's own words.
fn told(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let last = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    last.parse().ok().or_else(|| last.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Whoever has one IPv6 address has a whole network of them.
fn coarse(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_last_address_counts() {
        let name = HeaderName::from_static("x-forwarded-for");
        let judge = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(&name, HeaderValue::from_static(value));
            }
            told(&headers, &name).map(|address| address.to_string())
        };
        assert_eq!(judge(&["1.2.3.4, 5.6.7.8"]).as_deref(), Some("5.6.7.8"));
        assert_eq!(judge(&["1.2.3.4", "5.6.7.8:1234"]).as_deref(), Some("5.6.7.8"));
        assert_eq!(judge(&["[2001:db8::1]:443"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(judge(&["1.2.3.4, unknown"]), None);
        assert_eq!(judge(&[]), None);
    }

    #[test]
    fn a_network_is_one_caller() {
        let coarse = |text: &str| coarse(text.parse().unwrap()).to_string();
        assert_eq!(coarse("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(coarse("::ffff:1.2.3.4"), "1.2.3.4");
        assert_eq!(coarse("1.2.3.4"), "1.2.3.4");
    }
}
