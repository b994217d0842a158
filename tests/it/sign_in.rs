//! People in front of a browser: signed in with a key or through their provider, and for whom their cookie counts.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    access::Role,
    clock::Clock,
    ids::{MembershipId, UserId},
};
use entities::store;
use futures::{SinkExt, StreamExt};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    house::{Plan, TestHouse},
    issuer::Issuer,
    on_both_back_ends,
};
use reqwest::{Method, StatusCode, header, redirect::Policy};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

const SITE: &str = "sec-fetch-site";
const DESK: &str = "https://desk.example";

/// A browser that stops where it is sent, and keeps what it is given.
struct Browser {
    http: reqwest::Client,
    address: String,
    cookies: BTreeMap<String, String>,
}

struct Page {
    status: StatusCode,
    location: Option<String>,
    body: String,
}

impl Browser {
    fn new(house: &TestHouse) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { http, address: format!("http://{}", house.client.address()), cookies: BTreeMap::new() }
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    async fn send(&mut self, method: Method, path: &str, site: &str, body: (&str, String)) -> Page {
        let request = self.http.request(method, format!("{}{path}", self.address)).header(SITE, site);
        let request = request.header(header::CONTENT_TYPE, body.0).header(header::COOKIE, self.cookie());
        let response = request.body(body.1).send().await.unwrap();
        for given in response.headers().get_all(header::SET_COOKIE) {
            let (pair, attributes) = given.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(attributes.contains("HttpOnly") && attributes.contains("Path=/"), "{attributes}");
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        Page { status: response.status(), location, body: response.text().await.unwrap() }
    }

    async fn visit(&mut self, path: &str, site: &str) -> Page {
        self.send(Method::GET, path, site, ("text/plain", String::new())).await
    }

    async fn type_key(&mut self, key: &str) -> Page {
        let form = ("application/x-www-form-urlencoded", format!("key={key}&return_to=/graphiql"));
        self.send(Method::POST, "/sign-in", "same-origin", form).await
    }

    /// Whom a page of this site asks for.
    async fn viewer(&mut self, site: &str) -> Value {
        let body = json!({ "query": "{ viewer { id role } }" }).to_string();
        let page = self.send(Method::POST, "/graphql", site, ("application/json", body)).await;
        let answer: Value = serde_json::from_str(&page.body).unwrap();
        match answer["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => json!(code),
            None => answer["data"]["viewer"].clone(),
        }
    }

    /// Goes to the provider: where it is sent.
    async fn set_out(&mut self, issuer: &Issuer) -> String {
        let page = self.visit("/sign-in?return_to=/graphiql", "none").await;
        let link = page.body.split('"').find(|part| part.contains("/sign-in/provider?")).unwrap().replace("&amp;", "&");
        let sent = self.visit(&link, "same-origin").await;
        let address = sent.location.unwrap();
        assert!(sent.status == StatusCode::SEE_OTHER && address.starts_with(&issuer.url()), "{address}");
        address
    }

    /// Comes back from it with this address.
    async fn come_back(&mut self, address: &reqwest::Url) -> Page {
        let page = self.visit(&format!("{}?{}", address.path(), address.query().unwrap()), "cross-site").await;
        assert!(!self.cookies.contains_key("gatehouse-attempt"), "it counts once");
        page
    }

    /// What a socket is told that a page of this origin opens and that says nothing of itself.
    async fn socket(&self, origin: Option<&str>) -> (Socket, Value) {
        let mut request = format!("{}/graphql/ws", self.address.replace("http", "ws")).into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        headers.insert("cookie", self.cookie().parse().unwrap());
        if let Some(origin) = origin {
            headers.insert("origin", origin.parse().unwrap());
        }
        let (mut socket, _) = connect_async(request).await.unwrap();
        socket.send(Message::text(r#"{"type":"connection_init","payload":{}}"#)).await.unwrap();
        let said = hear(&mut socket).await;
        (socket, said)
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The type of the next message, or the code of the close.
async fn hear(socket: &mut Socket) -> Value {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str::<Value>(&text).unwrap()["type"].take(),
            Message::Close(frame) => return json!(frame.map(|frame| u16::from(frame.code))),
            _ => {}
        }
    }
}

/// How a socket is closed.
async fn ending(socket: &mut Socket) -> Value {
    loop {
        let said = hear(socket).await;
        if said.is_u64() {
            return said;
        }
    }
}

on_both_back_ends! {
    async fn a_key_signs_a_browser_in_until_it_is_revoked(back_end: BackEnd) {
        let plan = Plan::on(back_end).without_worker().with_manual_clock();
        let house = plan.with_setting("allowed_origins", DESK).start().await;
        let key = house.caller(&KeyPlan::unlimited("desk", Role::Viewer)).await;
        let mut browser = Browser::new(&house);
        let wrong = browser.type_key(platform::api_key::generate().expose()).await;
        assert!(wrong.status == StatusCode::FORBIDDEN && browser.cookies.is_empty());
        let signed_in = browser.type_key(key.key()).await;
        assert_eq!((signed_in.status, signed_in.location.as_deref()), (StatusCode::SEE_OTHER, Some("/graphiql")));
        let me = browser.viewer("same-origin").await;
        assert_eq!(me["role"], "VIEWER", "{me}");
        assert_eq!(browser.viewer("cross-site").await, "UNAUTHENTICATED");

        // A socket of ours has the session; one of another origin, though it may connect, and one that names none have not.
        let own = browser.address.clone();
        assert_eq!(browser.socket(Some(DESK)).await.1, 4403);
        assert_eq!(browser.socket(None).await.1, 4403);
        let (mut socket, said) = browser.socket(Some(&own)).await;
        assert_eq!(said, "connection_ack");
        house.advance(TimeDelta::hours(12) + TimeDelta::seconds(1));
        assert_eq!(ending(&mut socket).await, 4403);
        assert_eq!(browser.viewer("same-origin").await, "UNAUTHENTICATED");
        assert!(browser.cookies.is_empty());

        browser.type_key(key.key()).await;
        assert_eq!(browser.viewer("same-origin").await, me);
        let revoke = "mutation($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { userErrors { code } } }";
        let revoked = house.client.data(revoke, json!({ "id": me["id"] })).await;
        assert_eq!(revoked["revokeApiKey"]["userErrors"], json!([]), "{revoked}");
        house.advance(TimeDelta::seconds(2));
        assert_eq!(browser.viewer("same-origin").await, "UNAUTHENTICATED");
        assert!(browser.cookies.is_empty());
        assert_eq!(browser.type_key(key.key()).await.status, StatusCode::FORBIDDEN);
        let other = house.caller(&KeyPlan::unlimited("another desk", Role::Viewer)).await;
        browser.type_key(other.key()).await;
        assert!(!browser.cookies.is_empty());
        let out = browser.send(Method::POST, "/sign-out", "same-origin", ("text/plain", String::new())).await;
        assert!(out.status == StatusCode::SEE_OTHER && browser.cookies.is_empty());
        house.stop().await;
    }

    async fn a_provider_signs_a_browser_in_as_long_as_its_person_may(back_end: BackEnd) {
        let issuer = Issuer::start().await;
        let plan = Plan::on(back_end).without_worker().with_manual_clock();
        let house = plan.with_setting("issuers", &issuer.setting_for_browsers()).start().await;
        let foundation = house.foundation();
        let (zoe, membership) = (UserId(foundation.ids.next_uuid()), MembershipId(foundation.ids.next_uuid()));
        let (person, now) = (("Zoë", Some("zoe@example.com")), foundation.clock.now());
        let ids = (zoe, membership);
        store::organizations::create_member(house.database(), house.organization, ids, person, (Role::Viewer, None), now)
            .await
            .unwrap();
        let claims = |more: Value| {
            let ends = house.clock.as_ref().unwrap().now().timestamp() + 3_600;
            let mut claims = json!({ "sub": "1", "exp": ends, "email": "zoe@example.com", "email_verified": true });
            claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            claims
        };
        let mut browser = Browser::new(&house);
        let asked = |address: &str, name: &str| {
            let address: reqwest::Url = address.parse().unwrap();
            address.query_pairs().find(|(found, _)| found == name).unwrap().1.into_owned()
        };

        // Another page's link goes no further than to ours.
        let link = format!("/sign-in/provider?issuer={}", issuer.url());
        let linked = browser.visit(&link, "cross-site").await;
        assert!(linked.location.is_none() && linked.body.contains("Sign in with"), "{}", linked.body);
        // Another attempt's state, another browser's attempt, another provider's return.
        let address = browser.set_out(&issuer).await;
        let back = issuer.consent(&address, &claims(json!({})));
        let forged = back.as_str().replace(&asked(&address, "state"), &"A".repeat(43)).parse().unwrap();
        assert_eq!(browser.come_back(&forged).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(browser.come_back(&back).await.status, StatusCode::BAD_REQUEST);
        let mut other = Browser::new(&house);
        assert_eq!(other.come_back(&back).await.status, StatusCode::BAD_REQUEST);
        let address = browser.set_out(&issuer).await;
        let mut elsewhere = issuer.consent(&address, &claims(json!({})));
        elsewhere.query_pairs_mut().append_pair("iss", "https://id.evil");
        assert_eq!(browser.come_back(&elsewhere).await.status, StatusCode::BAD_REQUEST);
        // A token of another attempt; a code that is none, or of another attempt; no code.
        let nonce = asked(&address, "nonce");
        let address = browser.set_out(&issuer).await;
        let replayed = issuer.consent(&address, &claims(json!({ "nonce": nonce })));
        assert_eq!(browser.come_back(&replayed).await.status, StatusCode::BAD_GATEWAY);
        let stolen = issuer.consent(&browser.set_out(&issuer).await, &claims(json!({})));
        let address = browser.set_out(&issuer).await;
        let injected = stolen.as_str().replace(&asked(stolen.as_str(), "state"), &asked(&address, "state"));
        assert_eq!(browser.come_back(&injected.parse().unwrap()).await.status, StatusCode::BAD_GATEWAY);
        let state = asked(&browser.set_out(&issuer).await, "state");
        let denied = format!("{}/sign-in/callback?error=access_denied&state={state}", browser.address).parse().unwrap();
        assert_eq!(browser.come_back(&denied).await.status, StatusCode::FORBIDDEN);
        // Too late; and somebody whom nobody let in.
        let late = issuer.consent(&browser.set_out(&issuer).await, &claims(json!({})));
        house.advance(TimeDelta::minutes(10));
        assert_eq!(browser.come_back(&late).await.status, StatusCode::BAD_REQUEST);
        let address = browser.set_out(&issuer).await;
        let stranger = issuer.consent(&address, &claims(json!({ "sub": "2", "email": "eve@example.com" })));
        assert_eq!(browser.come_back(&stranger).await.status, StatusCode::FORBIDDEN);
        assert!(browser.cookies.is_empty(), "{:?}", browser.cookies.keys());

        let back = issuer.consent(&browser.set_out(&issuer).await, &claims(json!({})));
        let page = browser.come_back(&back).await;
        assert!(page.status == StatusCode::OK && page.body.contains("content=\"0;url=/graphiql\""), "{}", page.body);
        let me = browser.viewer("same-origin").await;
        assert_eq!((&me["id"], &me["role"]), (&json!(zoe.to_string()), &json!("VIEWER")));
        assert_eq!(browser.viewer("same-site").await, "UNAUTHENTICATED");
        let shown = browser.visit("/sign-in", "none").await.body;
        assert!(shown.contains("identity provider") && shown.contains("VIEWER"), "{shown}");

        let (mut socket, said) = browser.socket(Some(&browser.address)).await;
        assert_eq!(said, "connection_ack");
        house.advance(TimeDelta::minutes(61));
        assert_eq!(ending(&mut socket).await, 4403, "the provider's token is over");
        assert_eq!(browser.viewer("same-origin").await, "UNAUTHENTICATED");
        let back = issuer.consent(&browser.set_out(&issuer).await, &claims(json!({})));
        browser.come_back(&back).await;
        assert_eq!(browser.viewer("same-origin").await, me);
        let remove = "mutation($id: ID!) { removeMembership(input: { membershipId: $id }) { userErrors { code } } }";
        let removed = house.client.data(remove, json!({ "id": membership.to_string() })).await;
        assert_eq!(removed["removeMembership"]["userErrors"], json!([]), "{removed}");
        house.advance(TimeDelta::seconds(2));
        assert_eq!(browser.viewer("same-origin").await, "UNAUTHENTICATED");
        assert!(browser.cookies.is_empty());
        house.stop().await;
    }
}
