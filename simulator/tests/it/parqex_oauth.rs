//! Linking a ParqEx user: authorization, exchange, rotation, and how it goes wrong.

use std::{collections::HashMap, time::Duration};

use gatehouse_simulator::{
    Fault, FaultKind, Latency, Mode, ParqexOauth, SimClock, SimulatorOptions, Vendor, WorldChange,
};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::support::{Sim, answer, noon, still, text, with};

const CALLBACK: &str = "https://gatehouse.test/oauth/callback?keep=1";

/// The query of the place where the authorization page sends the browser.
async fn authorize(sim: &Sim, changes: &[(&str, &str)]) -> Result<HashMap<String, String>, (u16, Value)> {
    let client = sim.operator().parqex.client_id;
    let mut query = HashMap::from([
        ("response_type", "code"),
        ("client_id", client.as_str()),
        ("redirect_uri", CALLBACK),
        ("scope", "OPENDOOR,CLOSEDOOR"),
        ("state", "a b&c"),
    ]);
    query.extend(changes.iter().copied());
    let url = format!("{}/oauth/v2/endpoints/authorization/", sim.simulator.base_url(Vendor::Parqex));
    let url = Url::parse_with_params(&url, query).unwrap();
    let response = sim.browser().get(url).send().await.unwrap();
    let status = response.status().as_u16();
    if status != 302 {
        return Err((status, response.json().await.unwrap()));
    }
    let location = Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    assert!(location.as_str().starts_with(CALLBACK), "{location}");
    Ok(location.query_pairs().into_owned().collect())
}

async fn token(sim: &Sim, method: Method, fields: &[(&str, &str)]) -> (u16, Value) {
    let login = sim.operator().parqex;
    let mut pairs = vec![("client_id", login.client_id.as_str()), ("client_secret", login.client_secret.as_str())];
    pairs.extend(fields);
    let url = format!("{}/oauth/v2/endpoints/token/", sim.simulator.base_url(Vendor::Parqex));
    let url = Url::parse_with_params(&url, pairs).unwrap();
    let request = match method {
        Method::POST => {
            let body = url.query().unwrap().to_owned();
            sim.http.post(url.as_str().split('?').next().unwrap()).body(body)
        }
        method => sim.http.request(method, url),
    };
    answer(request.header("content-type", "application/x-www-form-urlencoded")).await
}

async fn exchange(sim: &Sim, code: &str) -> (u16, Value) {
    let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
    token(sim, Method::GET, &fields).await
}

async fn refresh(sim: &Sim, token_: &str) -> (u16, Value) {
    token(sim, Method::GET, &[("grant_type", "refresh_token"), ("refresh_token", token_)]).await
}

async fn sync_with(sim: &Sim, token: &str) -> u16 {
    let request = sim
        .request(Method::GET, Vendor::Parqex, "/oauth/v1/endpoints/sync")
        .bearer_auth(token)
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("accept-charset", "utf-8")
        .header("accept-encoding", "gzip");
    answer(request).await.0
}

async fn toggle_with(sim: &Sim, token: &str, door: &str, state: &str) -> String {
    let request = sim
        .request(Method::POST, Vendor::Parqex, "/oauth/v1/endpoint/toggle")
        .bearer_auth(token)
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("accept-charset", "utf-8")
        .header("accept-encoding", "gzip")
        .body(serde_json::json!({ "door_id": door, "door_state": state }).to_string());
    text(&answer(request).await.1["message"]).to_owned()
}

#[tokio::test]
async fn a_user_links_and_the_tokens_rotate() {
    let sim = still(Mode::Auto).await;
    let back = authorize(&sim, &[]).await.unwrap();
    assert_eq!((back["state"].as_str(), back["keep"].as_str()), ("a b&c", "1"));
    let (status, first) = exchange(&sim, &back["code"]).await;
    assert_eq!((status, first.as_object().unwrap().len(), &first["expires_in"]), (200, 3, &3600.into()));
    assert_eq!(sync_with(&sim, text(&first["access_token"])).await, 200);
    assert_eq!(text(&exchange(&sim, &back["code"]).await.1["error"]), "invalid_grant", "a code is good once");

    let (status, second) = refresh(&sim, text(&first["refresh_token"])).await;
    assert_eq!(status, 200);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    assert_ne!(first["access_token"], second["access_token"]);
    assert_eq!(sync_with(&sim, text(&second["access_token"])).await, 200);
    assert_eq!(sync_with(&sim, text(&first["access_token"])).await, 200, "lives to its end");
    let (status, error) = refresh(&sim, text(&first["refresh_token"])).await;
    assert_eq!((status, text(&error["error"])), (400, "invalid_grant"), "died at once");
    let counts = sim.handle().parqex_oauth(&sim.operator().parqex.email);
    assert_eq!((counts.authorizations, counts.exchanges), (1, 1));
    assert_eq!((counts.refreshes, counts.reused_refresh_tokens), (1, 1));

    sim.advance(Duration::from_secs(3600));
    assert_eq!(sync_with(&sim, text(&second["access_token"])).await, 401);
    let expired = toggle_with(&sim, text(&second["access_token"]), "any", "OPEN").await;
    assert!(expired.ends_with("Authentication error. (401)"), "{expired}");
    assert_eq!(sync_with(&sim, &sim.operator().parqex.access_token).await, 200, "a planted token does not expire");
    let entries = sim.handle().journal(0).entries;
    let secrets = [text(&first["refresh_token"]), sim.operator().parqex.client_secret.as_str()].map(str::to_owned);
    let shown = format!("{entries:?}");
    assert!(secrets.iter().all(|secret| !shown.contains(secret.as_str())), "secrets in the journal");
}

#[tokio::test]
async fn a_post_and_the_samples_double_grant_type_refresh_too() {
    let sim = still(Mode::Auto).await;
    let planted = sim.operator().parqex.refresh_token;
    let fields =
        [("grant_type", "authorization_code"), ("refresh_token", planted.as_str()), ("grant_type", "refresh_token")];
    let (status, pair) = token(&sim, Method::POST, &fields).await;
    assert_eq!(status, 200, "{pair}");
    assert_eq!(refresh(&sim, text(&pair["refresh_token"])).await.0, 200);
}

#[tokio::test]
async fn a_challenge_must_be_met() {
    let sim = still(Mode::Auto).await;
    // RFC 7636, appendix B.
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let with_challenge = [("code_challenge", challenge), ("code_challenge_method", "S256")];
    for (given, status) in [(None, 400), (Some("wrong"), 400), (Some(verifier), 200)] {
        let back = authorize(&sim, &with_challenge).await.unwrap();
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", back["code"].as_str()), ("redirect_uri", CALLBACK)];
        fields.extend(given.map(|verifier| ("code_verifier", verifier)));
        assert_eq!(token(&sim, Method::GET, &fields).await.0, status, "{given:?}");
    }
    let plain = authorize(&sim, &[("code_challenge", "x"), ("code_challenge_method", "plain")]).await.unwrap();
    assert_eq!(plain["error"], "invalid_request");
}

#[tokio::test]
async fn wrong_requests_have_their_errors() {
    let sim = still(Mode::Auto).await;
    let error = |changes: &'static [(&str, &str)]| {
        let sim = &sim;
        async move { authorize(sim, changes).await }
    };
    assert_eq!(error(&[("client_id", "other")]).await.unwrap_err().0, 400);
    assert_eq!(error(&[("redirect_uri", "nowhere")]).await.unwrap_err().0, 400);
    assert_eq!(error(&[("response_type", "token")]).await.unwrap()["error"], "unsupported_response_type");
    assert_eq!(error(&[("scope", "ADMIN")]).await.unwrap()["error"], "invalid_scope");
    sim.handle().change(WorldChange::ParqexRedirects { uris: vec!["https://elsewhere.test/".to_owned()] }).unwrap();
    assert_eq!(error(&[]).await.unwrap_err().0, 400, "not the registered one");
    sim.handle().change(WorldChange::ParqexRedirects { uris: vec![CALLBACK.to_owned()] }).unwrap();

    let code = error(&[]).await.unwrap()["code"].clone();
    let wrong = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", "https://other.test")];
    assert_eq!(text(&token(&sim, Method::GET, &wrong).await.1["error"]), "invalid_grant");
    let code = error(&[]).await.unwrap()["code"].clone();
    sim.advance(Duration::from_secs(600));
    assert_eq!(text(&exchange(&sim, &code).await.1["error"]), "invalid_grant", "too late");
    assert_eq!(
        text(&token(&sim, Method::GET, &[("grant_type", "password")]).await.1["error"]),
        "unsupported_grant_type"
    );
    let bare = sim.request(Method::GET, Vendor::Parqex, "/oauth/v2/endpoints/token/?client_id=x");
    assert_eq!(text(&answer(bare).await.1["error"]), "invalid_request", "no Content-Type");
    let stranger = sim
        .request(Method::GET, Vendor::Parqex, "/oauth/v2/endpoints/token/?client_id=x&client_secret=y")
        .header("content-type", "application/x-www-form-urlencoded");
    let (status, body) = answer(stranger).await;
    assert_eq!((status, text(&body["error"])), (401, "invalid_client"));
}

#[tokio::test]
async fn a_denial_comes_back_as_one() {
    let sim = still(Mode::Auto).await;
    let back = authorize(&sim, &[("deny", "1")]).await.unwrap();
    assert_eq!((back["error"].as_str(), back["state"].as_str(), back.get("code")), ("access_denied", "a b&c", None));
    let nora = sim.neighbour().parqex.email;
    let consent = WorldChange::ParqexConsent { user: Some(nora.clone()), denied: true };
    sim.handle().change(consent).unwrap();
    assert_eq!(authorize(&sim, &[]).await.unwrap()["error"], "access_denied");
    assert_eq!(sim.handle().parqex_oauth(&nora).denials, 1);
    sim.handle().change(WorldChange::ParqexConsent { user: Some(nora.clone()), denied: false }).unwrap();
    let back = authorize(&sim, &[]).await.unwrap();
    assert_eq!(exchange(&sim, &back["code"]).await.0, 200);
    assert_eq!(sim.handle().parqex_oauth(&nora).exchanges, 1, "the one who is logged in");
}

#[tokio::test]
async fn a_scope_limits_what_a_token_does() {
    let sim = still(Mode::Auto).await;
    let gate = text(&sim.gate("North gate").await["id"]).to_owned();
    let back = authorize(&sim, &[("scope", "opendoor")]).await.unwrap();
    let (_, pair) = exchange(&sim, &back["code"]).await;
    let token = text(&pair["access_token"]);
    assert_eq!(toggle_with(&sim, token, &gate, "OPEN").await, "200");
    assert!(toggle_with(&sim, token, &gate, "CLOSED").await.ends_with("(401)"));
    assert_eq!(sim.handle().effects_at(&gate).len(), 1);
}

#[tokio::test]
async fn a_revoked_grant_is_refused_everywhere() {
    let sim = still(Mode::Auto).await;
    let login = sim.operator().parqex;
    sim.handle().change(WorldChange::ParqexRevoked { user: login.email.clone() }).unwrap();
    assert_eq!(sync_with(&sim, &login.access_token).await, 401);
    assert_eq!(refresh(&sim, &login.refresh_token).await.0, 400);
    assert!(sim.handle().change(WorldChange::ParqexRevoked { user: login.email }).is_err(), "nothing left");
    let back = authorize(&sim, &[]).await.unwrap();
    let (_, pair) = exchange(&sim, &back["code"]).await;
    assert_eq!(sync_with(&sim, text(&pair["access_token"])).await, 200, "linked again");
}

#[tokio::test]
async fn a_refresh_can_fail_or_get_lost_after_it_rotated() {
    let sim = still(Mode::Auto).await;
    let login = sim.operator().parqex;
    let fail = |kind| {
        let fault = Fault::new(Vendor::Parqex, kind).at("refresh_token").times(1);
        sim.handle().add_fault(fault).unwrap();
    };
    fail(FaultKind::Status { code: 503, retry_after: None, after_effect: false });
    assert_eq!(refresh(&sim, &login.refresh_token).await.0, 503);
    assert_eq!(sim.handle().parqex_oauth(&login.email).refreshes, 0);
    fail(FaultKind::DropAfterEffect);
    let url = format!("{}/oauth/v2/endpoints/token/", sim.simulator.base_url(Vendor::Parqex));
    let query = [
        ("client_id", login.client_id.as_str()),
        ("client_secret", login.client_secret.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", login.refresh_token.as_str()),
    ];
    let url = Url::parse_with_params(&url, query).unwrap();
    let lost = sim.http.get(url).header("content-type", "application/x-www-form-urlencoded").send().await;
    assert!(lost.is_err());
    assert_eq!(refresh(&sim, &login.refresh_token).await.0, 400, "rotated, and nobody knows the new one");
    let counts = sim.handle().parqex_oauth(&login.email);
    assert_eq!((counts.refreshes, counts.reused_refresh_tokens), (1, 1));
}

#[tokio::test]
async fn lives_of_tokens_are_a_choice() {
    let parqex_oauth = ParqexOauth { expires_in: Duration::from_secs(5), old_access_dies: true };
    let clock = SimClock::manual(noon());
    let options = SimulatorOptions { parqex_oauth, clock, latency: Latency::none(), ..SimulatorOptions::default() };
    let sim = with(options).await;
    let login = sim.operator().parqex;
    let (_, pair) = refresh(&sim, &login.refresh_token).await;
    assert_eq!(pair["expires_in"], 5);
    assert_eq!(sync_with(&sim, &login.access_token).await, 401);
    sim.advance(Duration::from_secs(4));
    assert_eq!(sync_with(&sim, text(&pair["access_token"])).await, 200);
    sim.advance(Duration::from_secs(1));
    assert_eq!(sync_with(&sim, text(&pair["access_token"])).await, 401);
    assert_eq!(refresh(&sim, text(&pair["refresh_token"])).await.0, 200);
}

#[tokio::test]
async fn who_is_given_access_sees_it_under_their_own_name() {
    let sim = still(Mode::Auto).await;
    let (login, nora) = (sim.neighbour().parqex, sim.neighbour().parqex.email);
    let gate = text(&sim.gate("Yard gate").await["id"]).to_owned();
    assert!(toggle_with(&sim, &login.access_token, &gate, "OPEN").await.starts_with("Sorry"));
    let (_, body) = answer(sim.parqex(Method::GET, "/oauth/v1/endpoints/sync")).await;
    let device = text(&body["devices"][2]["id"]).to_owned();
    sim.handle().change(WorldChange::ParqexShared { device, user: nora.clone(), shared: true }).unwrap();
    let name = "Nora's way".to_owned();
    sim.handle().change(WorldChange::ParqexNamed { door: gate.clone(), user: nora, name }).unwrap();
    assert_eq!(toggle_with(&sim, &login.access_token, &gate, "OPEN").await, "200");
    let request = sim.parqex(Method::GET, "/oauth/v1/endpoints/sync").build().unwrap();
    let mut shown = Vec::new();
    for token in [&sim.operator().parqex.access_token, &login.access_token] {
        let mut request = request.try_clone().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let body: Value = sim.http.execute(request).await.unwrap().json().await.unwrap();
        let doors = body["devices"].as_array().unwrap().iter().flat_map(|one| one["doors"].as_array().unwrap().clone());
        let door = doors.into_iter().find(|door| door["id"] == gate.as_str()).unwrap();
        shown.push((text(&door["name"]).to_owned(), text(&door["user_relationship"]).to_owned()));
    }
    let expected = [("Yard gate", "Owner"), ("Nora's way", "Has Access")];
    assert_eq!(shown, expected.map(|(name, role)| (name.to_owned(), role.to_owned())));
    let history = |kind: &str| {
        let path = format!("/oauth/v1/endpoints/toggle-history?history_type={kind}&door_id={gate}");
        answer(sim.parqex(Method::GET, &path))
    };
    let at_door = history("door").await.1["data"]["toggle_events"].as_array().unwrap().clone();
    assert_eq!((at_door.len(), text(&at_door[0]["user"]["first_name"])), (2, "Nora"));
    assert_eq!(history("user").await.1["data"]["toggle_events"], serde_json::json!([]), "Olive did nothing");

    let (device, user) = (sim.handle().effects_at(&gate)[0].device.clone(), login.email.clone());
    sim.handle().change(WorldChange::ParqexShared { device, user, shared: false }).unwrap();
    let path = format!("/oauth/v1/endpoints/toggle-history?history_type=door&door_id={gate}");
    let mut request = sim.parqex(Method::GET, &path).build().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", login.access_token).parse().unwrap());
    let body: Value = sim.http.execute(request).await.unwrap().json().await.unwrap();
    assert_eq!(body["data"]["toggle_events"], serde_json::json!([]), "no access, no history");
}
