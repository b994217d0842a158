//! Browsers: signed in with a key, and whom a cookie counts for. Over a provider, the suite does.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, Request, StatusCode, header, request::Builder},
};
use chrono::TimeDelta;
use domain::access::{Limits, Role};

use super::house::House;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const VIEWER: &str = r#"{"query":"{ viewer { role } }"}"#;
const ANSWERED: &str = r#"{"data":{"viewer":{"role":"OPERATOR"}}}"#;

fn form(key: &str, return_to: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("key", key).append_pair("return_to", return_to).finish()
}

/// What a browser is given, without the attributes.
fn cookie(headers: &HeaderMap) -> String {
    let given = headers[header::SET_COOKIE].to_str().unwrap();
    assert!(given.starts_with("__Host-gatehouse=") && given.contains("HttpOnly; SameSite=Strict; Secure"), "{given}");
    given.split(';').next().unwrap().to_owned()
}

async fn signed_in(house: &House) -> String {
    let key = house.key(Role::Operator, &Limits::default()).await;
    let request = Request::post("/sign-in").header(SITE, "same-origin").body(Body::from(form(&key, "/graphiql")));
    let (status, headers, _) = house.send(request.unwrap()).await;
    assert_eq!((status, &headers[header::LOCATION]), (StatusCode::SEE_OTHER, &"/graphiql".parse().unwrap()));
    let cookie = cookie(&headers);
    assert!(!cookie.contains(&key));
    cookie
}

fn post(cookie: &str) -> Builder {
    Request::post("/graphql").header(header::CONTENT_TYPE, "application/json").header(header::COOKIE, cookie)
}

async fn answer(house: &House, request: Builder) -> (StatusCode, HeaderMap, String) {
    house.send(request.body(Body::from(VIEWER)).unwrap()).await
}

#[tokio::test]
async fn a_cookie_counts_for_pages_of_ours_only() {
    let house = House::build().await;
    let cookie = signed_in(&house).await;
    for (name, value, counts) in [
        (SITE, "same-origin", true),
        (header::ORIGIN, "https://doors.example", true),
        (SITE, "same-site", false),
        (SITE, "cross-site", false),
        (SITE, "none", false),
        (header::ORIGIN, "https://evil.example", false),
        (header::ORIGIN, "http://doors.example", false),
        (header::ORIGIN, "null", false),
        (header::REFERER, "https://doors.example/", false),
    ] {
        let (status, headers, told) = answer(&house, post(&cookie).header(&name, value)).await;
        assert_eq!((status, told == ANSWERED), (StatusCode::OK, counts), "{name}: {value}: {told}");
        assert!(!headers.contains_key(header::SET_COOKIE), "it still counts for others");
        assert!(counts || told.contains("UNAUTHENTICATED"), "{told}");
        let query = Request::get("/graphql?query=%7Bviewer%7Brole%7D%7D").header(header::COOKIE, &cookie);
        let (_, _, told) = house.send(query.header(&name, value).body(Body::empty()).unwrap()).await;
        assert_eq!(told == ANSWERED, counts, "{name}: {value}: {told}");
        let events = post(&cookie).header(&name, value).header(header::ACCEPT, "text/event-stream");
        assert_eq!(answer(&house, events).await.0.is_success(), counts, "{name}: {value}");
    }
    // What a form of another page could send is no operation, whatever it says.
    let form = Request::post("/graphql").header(header::COOKIE, &cookie).header(SITE, "same-origin");
    let (status, ..) = answer(&house, form.header(header::CONTENT_TYPE, "text/plain")).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    // A header counts before the cookie, also where it is wrong.
    let (status, ..) =
        answer(&house, post(&cookie).header(SITE, "same-origin").header(header::AUTHORIZATION, "Bearer gh_no")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let viewer = house.key(Role::Viewer, &Limits::default()).await;
    let named = post(&cookie).header(SITE, "same-origin").header(header::AUTHORIZATION, format!("Bearer {viewer}"));
    assert!(answer(&house, named).await.2.contains("VIEWER"));
}

#[tokio::test]
async fn a_session_that_is_over_is_nobody_s_and_forgotten() {
    let house = House::build().await;
    let cookie = signed_in(&house).await;
    let own = |cookie: &str| post(cookie).header(SITE, "same-origin");
    house.clock.advance(TimeDelta::hours(12) - TimeDelta::seconds(1));
    assert_eq!(answer(&house, own(&cookie)).await.2, ANSWERED);
    let shown = async |cookie: &str| {
        let request = Request::get("/sign-in").header(header::COOKIE, cookie).body(Body::empty());
        house.send(request.unwrap()).await.2
    };
    let page = shown(&cookie).await;
    assert!(page.contains("You are signed in") && page.contains("OPERATOR") && page.contains("/sign-out"), "{page}");
    house.clock.advance(TimeDelta::seconds(1));
    for dead in [cookie.as_str(), "__Host-gatehouse=nonsense"] {
        let (status, headers, told) = answer(&house, own(dead)).await;
        assert!(status == StatusCode::OK && told.contains("UNAUTHENTICATED"), "{told}");
        assert!(headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
        assert!(shown(dead).await.contains("Sign in to Gatehouse"));
        // Nobody guesses what is sealed, so that nobody is slowed by it.
        for _ in 0..50 {
            assert_eq!(answer(&house, own(dead)).await.0, StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn no_page_frames_what_acts_for_somebody() {
    let house = House::build().await;
    for path in ["/graphiql", "/sign-in"] {
        let (status, headers, _) = house.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(status == StatusCode::OK && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn only_the_page_itself_signs_in_and_out() {
    let house = House::build().await;
    let key = house.key(Role::Operator, &Limits::default()).await;
    for (path, site) in [("/sign-in", "cross-site"), ("/sign-in", "none"), ("/sign-out", "same-site")] {
        let request = Request::post(path).header(SITE, site).body(Body::from(form(&key, "/")));
        let (status, headers, _) = house.send(request.unwrap()).await;
        assert_eq!((status, headers.get(header::SET_COOKIE)), (StatusCode::FORBIDDEN, None), "{path} {site}");
    }
    let cookie = signed_in(&house).await;
    let request = Request::post("/sign-out").header(SITE, "same-origin").header(header::COOKIE, cookie);
    let (status, headers, _) = house.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((status, &headers[header::LOCATION]), (StatusCode::SEE_OTHER, &"/sign-in".parse().unwrap()));
    assert!(headers[header::SET_COOKIE].to_str().unwrap().starts_with("__Host-gatehouse=; Path=/; Max-Age=0"));
}

#[tokio::test]
async fn a_key_that_does_not_count_signs_nobody_in_and_is_slowed() {
    let house = House::build().await;
    let try_key = async |key: &str| {
        let body = form(key, "//evil.example/\"><script>");
        let request = Request::post("/sign-in").header(SITE, "same-origin").body(Body::from(body)).unwrap();
        house.send(request).await
    };
    for (wrong, page) in [("gh_00000000nobody", 0), ("", 1), ("a.b.c", 2)] {
        let (status, headers, told) = try_key(wrong).await;
        assert_eq!((status, headers.get(header::SET_COOKIE)), (StatusCode::FORBIDDEN, None), "{page}");
        assert!(told.contains("no key that counts") && !told.contains("script") && !told.contains("evil"), "{told}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    }
    for _ in 0..20 {
        try_key("gh_00000000nobody").await;
    }
    let (status, headers, _) = try_key("gh_00000000nobody").await;
    assert_eq!((status, headers.contains_key(header::RETRY_AFTER)), (StatusCode::TOO_MANY_REQUESTS, true));
    let (status, _, told) =
        house.send(Request::get("/sign-in?return_to=/a%22%3E%3Cb").body(Body::empty()).unwrap()).await;
    assert!(status == StatusCode::OK && told.contains("value=\"/a&quot;&gt;&lt;b\""), "{told}");
    let huge = Request::post("/sign-in").header(SITE, "same-origin").body(Body::from("k".repeat(5_000))).unwrap();
    assert_eq!(house.send(huge).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}
