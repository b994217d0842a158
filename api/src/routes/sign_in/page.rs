//! What a person sees who signs in. Whatever comes from the request or the settings is escaped.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;

use super::super::page;
use crate::{app::AppState, auth::Session};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// Why nobody is signed in, for the person in front of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    WrongKey,
    Slowed(TimeDelta),
    ForeignPage,
    UnknownReturn,
    Denied,
    Refused,
    NobodyHere,
    ProviderUnreachable,
    Unavailable,
}

impl Notice {
    const fn status(self) -> StatusCode {
        match self {
            Self::WrongKey | Self::ForeignPage | Self::Denied | Self::NobodyHere => StatusCode::FORBIDDEN,
            Self::Slowed(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::UnknownReturn => StatusCode::BAD_REQUEST,
            Self::Refused | Self::ProviderUnreachable => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::WrongKey => "This is no key that counts.",
            Self::Slowed(_) => "Too many wrong keys came from here. Wait a minute, and try again.",
            Self::ForeignPage => "The browser does not say that this page asked. Try again from here.",
            Self::UnknownReturn => "This way to sign in does not count any more, or is not known. Begin anew.",
            Self::Denied => "Your identity provider did not let you in.",
            Self::Refused => "Your identity provider did not say who you are. Begin anew.",
            Self::NobodyHere => "Your identity provider knows you, but you have no rights here. Ask for a membership.",
            Self::ProviderUnreachable => "Your identity provider cannot be asked just now. Try again.",
            Self::Unavailable => "Gatehouse is not available just now. Try again in a moment.",
        }
    }
}

/// How to sign in: with a key, or through one of these providers (address and name).
pub(super) fn offer(
    state: &AppState,
    issuers: &[(&str, &str)],
    notice: Option<Notice>,
    return_to: Option<&str>,
) -> Response {
    let mut body = String::from("<h1>Sign in to Gatehouse</h1>");
    if let Some(notice) = notice {
        body.push_str(&format!("<p role=\"alert\"><strong>{}</strong></p>", notice.text()));
    }
    for (address, name) in issuers {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("issuer", address);
        if let Some(path) = return_to {
            query.append_pair("return_to", path);
        }
        let link = format!("{}?{}", state.browsers.path("/sign-in/provider"), query.finish());
        body.push_str(&format!("<p><a href=\"{}\">Sign in with {}</a></p>", escaped(&link), escaped(name)));
    }
    let action = escaped(&state.browsers.path("/sign-in"));
    let hidden =
        return_to.map(|path| format!("<input type=\"hidden\" name=\"return_to\" value=\"{}\">", escaped(path)));
    body.push_str(&format!(
        "<form method=\"post\" action=\"{action}\">{}<p><label>API key<br><input type=\"password\" name=\"key\" \
         autocomplete=\"off\" required></label> <button>Sign in</button></p></form>",
        hidden.unwrap_or_default()
    ));
    let mut response = respond(notice.map_or(StatusCode::OK, Notice::status), "", &body);
    if let Some(Notice::Slowed(pause)) = notice {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(pause.num_seconds() + 1));
    }
    response
}

/// Who is signed in.
pub(super) fn signed_in(state: &AppState, session: &Session) -> Response {
    let (who, role) = (escaped(&session.credential.name()), session.principal.role);
    let until = session.principal.expires_at.map(|until| until.format(", until %F %R UTC").to_string());
    let graphiql = match state.graphiql {
        true => format!("<p><a href=\"{}\">GraphiQL</a></p>", escaped(&state.browsers.path("/graphiql"))),
        false => String::new(),
    };
    let action = escaped(&state.browsers.path("/sign-out"));
    let body = format!(
        "<h1>You are signed in</h1><p>{who}: {role}{}.</p>{graphiql}<form method=\"post\" action=\"{action}\">\
         <button>Sign out</button></form>",
        until.unwrap_or_default()
    );
    respond(StatusCode::OK, "", &body)
}

/// Sends a browser onwards that comes from a provider. A redirect would still be that page's, and carry no session; this
/// page is ours.
pub(super) fn onwards(way: &str) -> Response {
    let way = escaped(way);
    let head = format!("<meta http-equiv=\"refresh\" content=\"0;url={way}\">");
    respond(StatusCode::OK, &head, &format!("<h1>You are signed in</h1><p><a href=\"{way}\">Go on</a></p>"))
}

fn respond(status: StatusCode, head: &str, body: &str) -> Response {
    let headers = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        // Without any, a form of ours would not say that it comes from here.
        (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    ];
    (headers, page::html(status, head, body)).into_response()
}

/// A text that is nothing but text in HTML, also in an attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped("a\"><script>'&"), "a&quot;&gt;&lt;script&gt;&#39;&amp;");
    }
}
