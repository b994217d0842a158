//! The small pages that a person sees who comes back from a vendor. Fixed texts: nothing of the request is in them.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// How a consent ended, for the person in front of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Linked,
    Denied,
    Unknown,
    Refused,
    Changed,
    VendorUnreachable,
    Unavailable,
}

impl Page {
    const fn status(self) -> StatusCode {
        match self {
            Self::Linked => StatusCode::OK,
            Self::Denied => StatusCode::FORBIDDEN,
            Self::Unknown => StatusCode::BAD_REQUEST,
            Self::Changed => StatusCode::CONFLICT,
            Self::Refused | Self::VendorUnreachable => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Linked => ("The account is linked", "You can close this page."),
            Self::Denied => {
                ("The account is not linked", "You did not agree at the vendor. To try again, begin anew in Gatehouse.")
            }
            Self::Unknown => (
                "This link does not count any more",
                "It was used before, or it is older than ten minutes. Begin anew in Gatehouse.",
            ),
            Self::Refused => (
                "The account is not linked",
                "The vendor did not accept the exchange. Check the account's client in Gatehouse and begin anew.",
            ),
            Self::Changed => (
                "The account is not linked",
                "Somebody linked it otherwise or unlinked it meanwhile. Look at it in Gatehouse.",
            ),
            Self::VendorUnreachable => {
                ("The account is not linked", "The vendor could not be reached. Begin anew in Gatehouse in a moment.")
            }
            Self::Unavailable => {
                ("The account is not linked", "Gatehouse is not available just now. Begin anew in a moment.")
            }
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let (title, text) = self.texts();
        let headers = [
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        (headers, html(self.status(), "", &format!("<h1>{title}</h1><p>{text}</p>"))).into_response()
    }
}

/// A small page of this HTML, which nobody keeps. What it may do, the caller says.
pub(super) fn html(status: StatusCode, head: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Gatehouse</title>\
         <meta name=\"viewport\" content=\"width=device-width\">{head}\
         <style>body{{font:18px/1.5 system-ui;max-width:32em;margin:4em auto;padding:0 1em}}</style></head>\
         <body>{body}</body></html>\n"
    );
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, html).into_response()
}
