use chrono::TimeDelta;

use super::*;
use crate::{
    registry::Connection,
    testing::{self, Reaction, Server, factory, impatient_factory, json, noon},
};

const TOKEN: &str = "{\"access_token\":\"eyJ0eXAi.synthetic.token\",\"token_type\":\"Bearer\",\"expires_in\":3600}";

fn connect(url: &str, more: &[(&str, &str)]) -> Connection {
    let mut settings = vec![("client_id", "gate house"), ("client_secret", "canary&1")];
    settings.extend(more);
    testing::connect(Vendor::Bikeep, url, &settings, &impatient_factory())
}

async fn renewed(reaction: Reaction) -> Result<VendorCredentials, VendorError> {
    let server = Server::start(vec![reaction]).await;
    let result = connect(&server.url, &[]).renewal().unwrap().renew(noon()).await;
    assert_eq!(server.requests().len(), 1, "never asked twice");
    result
}

#[tokio::test]
async fn the_bytes_of_a_fetch() {
    let server = Server::start(vec![json(200, TOKEN)]).await;
    let connection = connect(&format!("{}/bikeep", server.url), &[("webhook_seed", "seed"), ("locations", "a")]);
    let VendorCredentials::Bikeep(renewed) = connection.renewal().unwrap().renew(noon()).await.unwrap() else {
        unreachable!()
    };
    assert_eq!(renewed.token, Some(Secret::new("eyJ0eXAi.synthetic.token")));
    assert_eq!(renewed.expires_at, Some(noon() + TimeDelta::hours(1)));
    assert_eq!((renewed.client_id.as_deref(), renewed.locations.len()), (Some("gate house"), 1), "the rest stays");
    let request = &server.requests()[0];
    assert_eq!(request.line, "POST /bikeep/oauth2/token HTTP/1.1");
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.body, "grant_type=client_credentials&client_id=gate+house&client_secret=canary%261");
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn the_address_of_tokens_can_be_set() {
    let server = Server::start(vec![json(200, TOKEN)]).await;
    let url = format!("{}/elsewhere/token/", server.url);
    connect("http://127.0.0.1:1", &[("token_url", &url)]).renewal().unwrap().renew(noon()).await.unwrap();
    assert_eq!(server.requests()[0].line, "POST /elsewhere/token/ HTTP/1.1");
}

#[test]
fn the_vendors_own_service_has_tokens_at_another_host() {
    let credentials = BikeepCredentials {
        client_id: Some("me".to_owned()),
        client_secret: Some(Secret::new("canary")),
        ..BikeepCredentials::default()
    };
    for base_url in [DEFAULT_BASE_URL, "https://services.bikeep.com/"] {
        let endpoint = token_endpoint(base_url, &credentials, &factory()).unwrap().unwrap();
        assert_eq!(endpoint.url(), DEFAULT_TOKEN_URL);
    }
    let endpoint = token_endpoint("https://example.test/x", &credentials, &factory()).unwrap().unwrap();
    assert_eq!(endpoint.url(), "https://example.test/x/oauth2/token");
    assert!(token_endpoint(DEFAULT_BASE_URL, &BikeepCredentials::default(), &factory()).unwrap().is_none());
}

#[tokio::test]
async fn refusals_of_the_client_are_for_a_person() {
    for (status, body) in [
        (401, "{\"error\":\"invalid_client\"}"),
        (401, ""),
        (400, "{\"error\":\"invalid_client\"}"),
        (400, "{\"error\":\"unauthorized_client\",\"error_description\":\"canary&1\"}"),
    ] {
        let error = renewed(json(status, body)).await.unwrap_err();
        assert!(error.is_auth_invalid(), "{status} {body}: {error:?}");
        assert!(!error.to_string().contains("canary"));
    }
}

#[tokio::test]
async fn everything_else_may_be_tried_again() {
    for (status, body) in [(500, "{\"error\":\"invalid_client\"}"), (503, ""), (408, "")] {
        assert!(matches!(renewed(json(status, body)).await, Err(VendorError::NotReady { .. })), "{status}");
    }
    assert!(matches!(renewed(json(429, "")).await, Err(VendorError::Throttled { .. })));
    assert!(matches!(renewed(json(403, "<html>")).await, Err(VendorError::Rejected { .. })));
    for body in ["", "{}", "[]", "{\"access_token\":null}", "{\"access_token\":\"\"}", "<html>"] {
        assert!(matches!(renewed(json(200, body)).await, Err(VendorError::Protocol { .. })), "{body}");
    }
    assert!(matches!(renewed(Reaction::Silence).await, Err(VendorError::NotReady { .. })));
}

#[tokio::test]
async fn without_a_token_nothing_is_asked_and_it_counts_as_over() {
    let server = Server::start(Vec::new()).await;
    let connection = connect(&server.url, &[]);
    assert!(connection.inventory().check().await.unwrap_err().is_auth_invalid());
    assert!(connection.renewal().unwrap().expires_at().is_some_and(|at| at < noon()));
    assert!(server.requests().is_empty());

    let fetched = [("token", "canary"), ("expires_at", "2031-03-02T13:00:00Z")];
    let connection = connect(&server.url, &fetched);
    assert_eq!(connection.renewal().unwrap().expires_at(), Some(noon() + TimeDelta::hours(1)));

    let fixed = testing::connect(Vendor::Bikeep, &server.url, &[("token", "canary")], &factory());
    assert!(fixed.renewal().is_none(), "a given token is not ours to renew");
}
