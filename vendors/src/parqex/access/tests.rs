use std::collections::BTreeMap;

use chrono::TimeDelta;
use reqwest::Url;

use super::*;
use crate::{
    registry,
    testing::{self, Reaction, Server, factory, impatient_factory, json, noon},
};

const TOKENS: &str = "{\"access_token\":\"at_9f2c71\",\"refresh_token\":\"rt_5b0e44\",\"expires_in\":3600}";
const REDIRECT: &str = "https://house.example/oauth/callback?x=1";

fn credentials() -> ParqexCredentials {
    ParqexCredentials {
        client_id: Some("12.api.parqex.com".to_owned()),
        client_secret: Some(Secret::new("canary-secret&1")),
        webhook_key: Some(Secret::new("canary-key")),
        ..ParqexCredentials::default()
    }
}

fn linked() -> ParqexCredentials {
    ParqexCredentials {
        access_token: Some(Secret::new("at_old")),
        refresh_token: Some(Secret::new("canary-refresh")),
        expires_at: Some(noon()),
        ..credentials()
    }
}

fn query(line: &str) -> BTreeMap<String, Vec<String>> {
    let path = line.split(' ').nth(1).unwrap();
    let url = Url::parse("http://vendor").unwrap().join(path).unwrap();
    let mut pairs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        pairs.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    pairs
}

fn parqex(renewed: VendorCredentials) -> ParqexCredentials {
    let VendorCredentials::Parqex(renewed) = renewed else { unreachable!() };
    renewed
}

async fn exchanged(url: &str, http: &HttpFactory) -> Result<VendorCredentials, VendorError> {
    let (code, verifier) = (Secret::new("canary-code"), Secret::new("v".repeat(43)));
    let grant = Grant { code: &code, verifier: &verifier, redirect_uri: REDIRECT };
    registry::exchange(url, &VendorCredentials::Parqex(credentials()), grant, http, noon()).await
}

async fn renewed(reaction: Reaction) -> Result<VendorCredentials, VendorError> {
    let server = Server::start(vec![reaction]).await;
    let parqex = Parqex::new(&server.url, &linked(), &impatient_factory()).unwrap();
    let result = parqex.renewal().unwrap().renew(noon()).await;
    assert_eq!(server.requests().len(), 1, "the old grant may be dead: never asked twice");
    result
}

#[test]
fn the_address_of_a_consent() {
    let state = Secret::new("state 1");
    let consent = |credentials| registry::consent("https://api.example/px/", &credentials, REDIRECT, &state).unwrap();
    let first = consent(VendorCredentials::Parqex(credentials())).unwrap();
    let url = Url::parse(&first.authorization_url).unwrap();
    assert!(first.authorization_url.starts_with("https://api.example/px/oauth/v2/endpoints/authorization/?"));
    let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs["response_type"], "code");
    assert_eq!(pairs["client_id"], "12.api.parqex.com");
    assert_eq!(pairs["redirect_uri"], REDIRECT);
    assert_eq!(pairs["scope"], "OPENDOOR,CLOSEDOOR");
    assert_eq!(pairs["state"], "state 1");
    assert_eq!(pairs["code_challenge_method"], "S256");
    assert_eq!((pairs["code_challenge"].len(), pairs.len()), (43, 7));
    assert!(first.verifier.expose().len() >= 43);
    assert!(!first.authorization_url.contains(first.verifier.expose()));
    assert!(!first.authorization_url.contains("canary"));

    let second = consent(VendorCredentials::Parqex(credentials())).unwrap();
    assert_ne!(first.verifier, second.verifier);
    assert_eq!(consent(VendorCredentials::Parqex(linked())), None, "it has tokens");
    let path = ParqexCredentials { authorization_path: Some("allow".to_owned()), ..credentials() };
    let elsewhere = consent(VendorCredentials::Parqex(path)).unwrap();
    assert!(elsewhere.authorization_url.starts_with("https://api.example/px/allow?"));
    assert!(super::consent("ftp://x", &credentials(), REDIRECT, &state).is_err());
    assert!(super::consent("https://x", &credentials(), "nowhere", &state).is_err());
    assert!(super::consent("https://x", &ParqexCredentials::default(), REDIRECT, &state).is_err());
}

#[tokio::test]
async fn the_bytes_of_an_exchange() {
    let server = Server::start(vec![json(200, TOKENS)]).await;
    let linked = parqex(exchanged(&server.url, &factory()).await.unwrap());
    assert_eq!(linked.access_token, Some(Secret::new("at_9f2c71")));
    assert_eq!(linked.refresh_token, Some(Secret::new("rt_5b0e44")));
    assert_eq!(linked.expires_at, Some(noon() + TimeDelta::hours(1)));
    assert_eq!((linked.client_id, linked.webhook_key), (credentials().client_id, credentials().webhook_key));
    let request = &server.requests()[0];
    assert!(request.line.starts_with("GET /oauth/v2/endpoints/token/?"), "{}", request.line);
    assert_eq!(
        (request.header("content-type"), request.body.as_str()),
        (Some("application/x-www-form-urlencoded"), "")
    );
    let sent = query(&request.line);
    let expected = [
        ("client_id", "12.api.parqex.com".to_owned()),
        ("client_secret", "canary-secret&1".to_owned()),
        ("code", "canary-code".to_owned()),
        ("code_verifier", "v".repeat(43)),
        ("grant_type", "authorization_code".to_owned()),
        ("redirect_uri", REDIRECT.to_owned()),
    ];
    assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), vec![value])).into());
}

#[tokio::test]
async fn the_bytes_of_a_renewal() {
    let server = Server::start(vec![json(200, TOKENS)]).await;
    let credentials = ParqexCredentials { token_path: Some("/sandbox/token/".to_owned()), ..linked() };
    let connection = Parqex::new(&server.url, &credentials, &factory()).unwrap();
    let renewal = connection.renewal().unwrap();
    assert_eq!(renewal.expires_at(), Some(noon()));
    let renewed = parqex(renewal.renew(noon()).await.unwrap());
    assert_eq!(
        (renewed.access_token, renewed.refresh_token),
        (Some(Secret::new("at_9f2c71")), Some(Secret::new("rt_5b0e44")))
    );
    let request = &server.requests()[0];
    assert!(request.line.starts_with("GET /sandbox/token/?"), "{}", request.line);
    assert_eq!((request.header("authorization"), request.body.as_str()), (None, ""));
    let expected = [
        ("client_id", "12.api.parqex.com"),
        ("client_secret", "canary-secret&1"),
        ("grant_type", "refresh_token"),
        ("refresh_token", "canary-refresh"),
    ];
    assert_eq!(query(&request.line), expected.map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).into());
}

#[tokio::test]
async fn tokens_in_odd_clothes() {
    let with = async |body: &str| parqex(renewed(json(200, body)).await.unwrap());
    let texts = with("{\"access_token\":\"at\",\"expires_in\":\"60\",\"refresh_token\":\"\",\"token_type\":7}").await;
    assert_eq!(texts.expires_at, Some(noon() + TimeDelta::minutes(1)));
    assert_eq!(texts.refresh_token, Some(Secret::new("canary-refresh")), "without a new one the old one stays");
    for expires_in in ["null", "\"soon\"", "-1", "18446744073709551615"] {
        let odd = with(&format!("{{\"access_token\":\"at\",\"expires_in\":{expires_in}}}")).await;
        assert_eq!(odd.expires_at, None, "{expires_in}");
    }
}

#[tokio::test]
async fn a_dead_grant_is_for_a_person() {
    for (status, body) in [
        (400, "{\"error\":\"invalid_grant\",\"error_description\":\"canary-refresh is dead\"}"),
        (200, "{\"error\":\"invalid_grant\"}"),
        (400, "{\"error\":\"invalid_client\"}"),
        (401, ""),
    ] {
        let error = renewed(json(status, body)).await.unwrap_err();
        assert!(error.is_auth_invalid(), "{status} {body}: {error:?}");
        assert!(!error.to_string().contains("canary"));
    }
    let server = Server::start(vec![json(400, "{\"error\":\"invalid_grant\"}")]).await;
    assert!(exchanged(&server.url, &factory()).await.unwrap_err().is_auth_invalid());
}

#[tokio::test]
async fn everything_else_keeps_its_meaning() {
    for (status, body) in [(500, "{\"error\":\"invalid_grant\"}"), (502, "<html>"), (408, "")] {
        assert!(matches!(renewed(json(status, body)).await, Err(VendorError::Indeterminate { .. })), "{status}");
    }
    assert!(matches!(renewed(Reaction::Silence).await, Err(VendorError::Indeterminate { .. })));
    assert!(matches!(renewed(json(429, "")).await, Err(VendorError::Throttled { .. })));
    for body in ["{\"error\":\"invalid_request\"}", "{\"errors\":[{\"message\":\"canary-refresh\"}]}", ""] {
        let error = renewed(json(400, body)).await.unwrap_err();
        assert!(matches!(error, VendorError::Rejected { .. }), "{body}: {error:?}");
        assert!(!error.to_string().contains("canary"));
    }
    for body in ["", "{}", "<html>", "{\"access_token\":null,\"refresh_token\":\"canary\"}"] {
        let error = renewed(json(200, body)).await.unwrap_err();
        assert!(matches!(error, VendorError::Protocol { .. }), "{body}: {error:?}");
        assert!(!error.to_string().contains("canary"));
    }
    let nobody = exchanged("http://127.0.0.1:1", &factory()).await.unwrap_err();
    assert!(matches!(nobody, VendorError::NotReady { .. }), "{nobody:?}");
    assert!(!nobody.to_string().contains("canary"));
}

#[test]
fn what_can_not_be_renewed_is_not_offered() {
    let renewal = |credentials: &ParqexCredentials| {
        let connection = Parqex::new("http://127.0.0.1:1", credentials, &factory()).unwrap();
        connection.renewal().map(Renewal::expires_at)
    };
    assert_eq!(renewal(&linked()), Some(Some(noon())));
    assert_eq!(renewal(&credentials()), None, "nobody has consented yet");
    assert_eq!(renewal(&ParqexCredentials { client_secret: None, ..linked() }), None);
    assert_eq!(renewal(&ParqexCredentials { expires_at: None, ..linked() }), Some(None));
    let spent = ParqexCredentials { access_token: None, ..linked() };
    assert!(renewal(&spent).unwrap().is_some_and(|at| at < noon()));
    let settings = [("access_token", "t")];
    assert!(testing::connect(Vendor::Parqex, "http://127.0.0.1:1", &settings, &factory()).renewal().is_none());
}
