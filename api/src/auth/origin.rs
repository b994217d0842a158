//! Whether a page of ours asks. A browser sends a cookie with whatever any page makes it send; only what a page of our own
//! origin asks may count for whom the cookie says. Pages cannot write the headers that tell.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{HOST, ORIGIN},
};

/// What a browser says of the page that asks (Fetch Metadata, W3C).
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Our own origin, as browsers see it.
#[derive(Debug, Clone)]
pub(super) struct OwnOrigin {
    scheme: String,
    authority: String,
}

impl OwnOrigin {
    /// That of an address.
    pub(super) fn of(public_url: &str) -> Self {
        let (scheme, rest) = public_url.split_once("://").unwrap_or_default();
        let (scheme, authority) = (scheme.to_ascii_lowercase(), rest.split('/').next().unwrap_or_default());
        let usual = if scheme == "https" { ":443" } else { ":80" };
        let authority = authority.strip_suffix(usual).unwrap_or(authority).to_ascii_lowercase();
        Self { scheme, authority }
    }

    /// Whether nothing goes to it but over TLS.
    pub(super) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// Whether a page of ours makes this request: its browser says so, or it names the page's origin.
    pub(super) fn asks(&self, headers: &HeaderMap) -> bool {
        match headers.get(SITE) {
            Some(site) => site == "same-origin",
            None => self.is_named(headers),
        }
    }

    /// Whether the request names a page of ours in `Origin`, as each does that opens a WebSocket.
    pub(super) fn is_named(&self, headers: &HeaderMap) -> bool {
        let text = |value: Option<&HeaderValue>| Some(value?.to_str().ok()?.to_ascii_lowercase());
        let Some(origin) = text(headers.get(ORIGIN)) else { return false };
        let Some((scheme, authority)) = origin.split_once("://") else { return false };
        // The name by which the browser came counts too: a house at home has several.
        scheme == self.scheme && (authority == self.authority || text(headers.get(HOST)).as_deref() == Some(authority))
    }
}

/// Whether another site's page sends the browser here, as far as it says.
pub(crate) fn is_sent_by_others(headers: &HeaderMap) -> bool {
    headers.get(SITE).is_some_and(|site| site != "same-origin" && site != "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_pages_of_ours_ask() {
        let own = OwnOrigin::of("https://Doors.example:443/house");
        let (host, origin, site) = ("host", "origin", "sec-fetch-site");
        for (said, asks, is_named) in [
            (vec![], false, false),
            (vec![(site, "same-origin")], true, false),
            (vec![(site, "same-origin"), (origin, "null")], true, false),
            (vec![(origin, "https://doors.example")], true, true),
            (vec![(origin, "https://doors.example:8443"), (host, "doors.example:8443")], true, true),
            // Whoever listens on the way can be a page of our name without TLS.
            (vec![(origin, "http://doors.example"), (host, "doors.example")], false, false),
            (vec![(origin, "https://doors.example.evil.example"), (host, "doors.example")], false, false),
            (vec![(origin, "https://desk.example"), (host, "doors.example")], false, false),
            (vec![(origin, "null")], false, false),
            (vec![(origin, "")], false, false),
            (vec![(host, "doors.example")], false, false),
            (vec![(site, "same-site"), (origin, "https://doors.example")], false, true),
            (vec![(site, "cross-site"), (origin, "https://evil.example")], false, false),
            (vec![(site, "none")], false, false),
        ] {
            let headers = headers(&said);
            assert_eq!((own.asks(&headers), own.is_named(&headers)), (asks, is_named), "{said:?}");
        }
        assert!(own.is_secure() && !OwnOrigin::of("http://127.0.0.1:8080").is_secure());
    }

    #[test]
    fn a_link_of_another_site_is_told_from_an_address_that_was_typed() {
        for (site, expected) in [("none", false), ("same-origin", false), ("same-site", true), ("cross-site", true)] {
            assert_eq!(is_sent_by_others(&headers(&[("sec-fetch-site", site)])), expected, "{site}");
        }
        assert!(!is_sent_by_others(&HeaderMap::new()));
    }
}
