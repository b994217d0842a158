//! A user's consent at ParqEx (OAuth 2 with PKCE): the browser's way there and back, and every way in which it fails.

use chrono::TimeDelta;
use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
};
use reqwest::{Url, header, redirect::Policy};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use simulator::{DemoCredentials, Fault, FaultKind, ParqexOauthCounts, Vendor, WorldChange};

use crate::account_links::{accepted, account, assert_refused, becomes, devices_of, linked, mutate, order, synced};

/// How a page looks that a user gets.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A browser that stops where it is sent.
pub(crate) async fn visit(url: &Url) -> reqwest::Response {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    browser.get(url.clone()).send().await.unwrap()
}

/// The client that ParqEx knows us as, without a user's tokens.
pub(crate) fn client(of: &DemoCredentials) -> Value {
    json!({ "parqex": { "clientId": of.parqex.client_id, "clientSecret": of.parqex.client_secret } })
}

/// Anybody may come back with anything, also while somebody else writes.
#[tokio::test]
async fn an_unknown_state_waits_for_nobody_who_writes() {
    let house = Plan::on(BackEnd::Embedded).without_worker().start().await;
    let connection = house.open_database().await;
    let writing = TestHouse::begin_writing(&connection).await;
    assert!(writing.execute_unprepared("UPDATE organizations SET name = name").await.unwrap().rows_affected() > 0);
    let address: Url = format!("http://{}/oauth/callback?state=canary", house.client.address()).parse().unwrap();
    assert_eq!(visit(&address).await.status(), 400);
    writing.rollback().await.unwrap();
    house.stop().await;
}

/// Links an account that waits for its user; its id and where the user is to go.
pub(crate) async fn begin(house: &TestHouse) -> (String, Url) {
    let order = order(house, Vendor::Parqex, client(&house.vendors.credentials()[0])).await;
    let payload = linked(house, order).await;
    let made = &payload["vendorAccount"];
    assert_eq!(
        (&made["state"], &made["stateReason"]),
        (&json!("REAUTH_REQUIRED"), &json!("The user has not consented yet.")),
        "{payload:#}"
    );
    (text(&made["id"]), text(&payload["authorizationUrl"]).parse().unwrap())
}

/// The user agrees, or does whatever the vendor has them do: where their browser is sent back to.
pub(crate) async fn consent(authorization_url: &Url) -> Url {
    let response = visit(authorization_url).await;
    assert_eq!(response.status(), 302);
    response.headers()[header::LOCATION].to_str().unwrap().parse().unwrap()
}

/// The same as this user of the vendor's.
async fn consent_as(authorization_url: &Url, user: &DemoCredentials) -> Url {
    let mut url = authorization_url.clone();
    url.query_pairs_mut().append_pair("user", &user.parqex.email);
    consent(&url).await
}

/// The browser comes back to us. Whatever we answer, it holds nothing of the address and nobody keeps it.
pub(crate) async fn come_back(callback: &Url) -> Page {
    let response = visit(callback).await;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(
        (header("cache-control"), header("referrer-policy"), header("x-content-type-options")),
        ("no-store", "no-referrer", "nosniff")
    );
    assert!(header("content-security-policy").starts_with("default-src 'none'"), "{response:?}");
    assert!(header("content-type").starts_with("text/html"), "{response:?}");
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    for (name, value) in callback.query_pairs() {
        assert!(value.len() < 6 || !body.contains(&*value), "{name} is shown: {body}");
    }
    Page { status, body }
}

/// Links an account with its user's consent and returns its id once it is synced.
pub(crate) async fn linked_by_consent(house: &TestHouse) -> String {
    let (id, url) = begin(house).await;
    let page = come_back(&consent(&url).await).await;
    assert_eq!(page.status, 200, "{page:?}");
    synced(house, &id).await;
    id
}

/// What the vendor counts of its first user's linking.
pub(crate) fn counts(house: &TestHouse) -> ParqexOauthCounts {
    house.vendors.parqex_oauth(&house.vendors.credentials()[0].parqex.email)
}

fn query_of(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn with(url: &Url, name: &str, value: Option<&str>) -> Url {
    let mut changed = url.clone();
    let kept: Vec<(String, String)> = url.query_pairs().into_owned().filter(|(key, _)| key != name).collect();
    changed.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(value.map(|value| (name, value)));
    changed
}

/// A new address for the user of an account that was not linked.
async fn begin_again(house: &TestHouse, id: &str) -> Url {
    let input = json!({ "vendorAccountId": id });
    let payload = accepted(house, "reauthorizeVendorAccount", input, "authorizationUrl").await;
    text(&payload["authorizationUrl"]).parse().unwrap()
}

async fn assert_waits(house: &TestHouse, id: &str) {
    let account = account(house, id).await;
    assert_eq!(
        (&account["state"], &account["syncedAt"], account["stateReason"].is_string()),
        (&json!("REAUTH_REQUIRED"), &Value::Null, true),
        "{account:#}"
    );
}

on_both_back_ends! {
    /// There and back: the account is connected, synced, and the vendor saw what it documents.
    async fn a_user_consents(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let of = house.vendors.credentials()[0].clone();
        let (id, url) = begin(&house).await;
        let callback = format!("http://{}/oauth/callback", house.client.address());
        assert!(url.as_str().starts_with(&house.simulator().base_url(Vendor::Parqex)), "{url}");
        let told = ["response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"];
        assert_eq!(
            told.map(|name| query_of(&url, name)),
            ["code", &of.parqex.client_id, &callback, "OPENDOOR,CLOSEDOOR", "S256"].map(str::to_owned)
        );
        let state = query_of(&url, "state");
        assert_eq!((state.len(), query_of(&url, "code_challenge").len()), (43, 43), "{url}");
        assert!(!url.as_str().contains(&of.parqex.client_secret), "{url}");
        assert_eq!(house.vendors.requests_to(Vendor::Parqex, "token").len(), 0, "nothing to exchange yet");
        let payload = mutate(&house, "syncVendorAccount", json!({ "vendorAccountId": id }), "").await;
        assert_refused(&payload, "ACCOUNT_NOT_USABLE", None);

        let back = consent(&url).await;
        assert_eq!(query_of(&back, "state"), state);
        let page = come_back(&back).await;
        assert_eq!((page.status, page.body.contains("is linked")), (200, true), "{page:?}");
        let account = synced(&house, &id).await;
        assert_eq!(
            (&account["state"], &account["stateReason"], &account["signedInAs"]),
            (&json!("CONNECTED"), &Value::Null, &json!(of.parqex.email)),
            "{account:#}"
        );
        assert_eq!(devices_of(&house, &id).await.len(), 3);
        let count = counts(&house);
        assert_eq!((count.authorizations, count.exchanges, count.refreshes), (1, 1, 0), "{count:?}");
        let asked = house.vendors.requests_to(Vendor::Parqex, "token");
        let [asked] = &asked[..] else { panic!("{asked:#?}") };
        assert_eq!(asked.method, "GET");
        let query = asked.query.as_deref().unwrap_or_default();
        assert_eq!(query.matches("grant_type=").count(), 1, "{query}");
        assert!(query.contains("grant_type=authorization_code") && query.contains("code_verifier="), "{query}");
        house.stop().await;
    }

    /// Whoever says no is not linked, and may think again.
    async fn a_user_denies(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let (id, url) = begin(&house).await;
        house.vendors.change(WorldChange::ParqexConsent { user: None, denied: true }).unwrap();
        let back = consent(&url).await;
        assert_eq!(query_of(&back, "error"), "access_denied");
        assert_eq!(come_back(&back).await.status, 403);
        assert_waits(&house, &id).await;
        assert_eq!(come_back(&back).await.status, 400, "the state was used");
        house.vendors.change(WorldChange::ParqexConsent { user: None, denied: false }).unwrap();
        assert_eq!(come_back(&consent(&begin_again(&house, &id).await).await).await.status, 200);
        becomes(&house, &id, "CONNECTED").await;
        assert_eq!((counts(&house).denials, counts(&house).exchanges), (1, 1));
        house.stop().await;
    }

    /// A state counts once, for ten minutes, for the last consent that was begun; anything else is nothing.
    async fn a_state_counts_once_and_for_ten_minutes(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let (id, url) = begin(&house).await;
        let back = consent(&url).await;
        let script = "<script>alert(1)</script>";
        for (name, value) in [("state", Some(script)), ("state", Some("")), ("state", None)] {
            assert_eq!(come_back(&with(&back, name, value)).await.status, 400, "{name}: {value:?}");
        }
        let mut twice = back.clone();
        twice.query_pairs_mut().append_pair("state", script);
        assert_eq!(come_back(&twice).await.status, 400);
        let post = gatehouse_tests::client::http().post(back.clone()).send().await.unwrap();
        assert_eq!(post.status(), 405);

        let newer = consent(&begin_again(&house, &id).await).await;
        assert_eq!(come_back(&back).await.status, 400, "a newer consent was begun");
        house.advance(TimeDelta::minutes(10));
        assert_eq!(come_back(&newer).await.status, 400, "ten minutes are over");
        assert_waits(&house, &id).await;
        assert_eq!(house.vendors.requests_to(Vendor::Parqex, "token").len(), 0, "a code was exchanged");

        let url = begin_again(&house, &id).await;
        house.advance(TimeDelta::minutes(10) - TimeDelta::seconds(1));
        let last = consent(&url).await;
        let pages = futures::future::join_all((0..4).map(|_| come_back(&last))).await;
        let mut statuses: Vec<u16> = pages.iter().map(|page| page.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400], "a state was used twice");
        assert_eq!(house.vendors.requests_to(Vendor::Parqex, "token").len(), 1);
        synced(&house, &id).await;
        house.stop().await;
    }

    /// A code that the vendor refuses, or cannot be asked about, links nothing.
    async fn a_code_that_is_not_exchanged_links_nothing(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let (id, url) = begin(&house).await;
        let forged = with(&consent(&url).await, "code", Some("code_that_nobody_gave"));
        assert_eq!(come_back(&forged).await.status, 502);
        assert_waits(&house, &id).await;
        assert_eq!(come_back(&forged).await.status, 400);
        let without = with(&consent(&begin_again(&house, &id).await).await, "code", None);
        assert_eq!(come_back(&without).await.status, 403);

        let failing = FaultKind::Status { code: 503, retry_after: None, after_effect: false };
        house.vendors.add_fault(Fault::new(Vendor::Parqex, failing).at("token").times(1)).unwrap();
        let page = come_back(&consent(&begin_again(&house, &id).await).await).await;
        assert_eq!((page.status, page.body.contains("could not be reached")), (502, true), "{page:?}");
        assert_waits(&house, &id).await;
        let asked = house.vendors.requests_to(Vendor::Parqex, "token").len();
        assert_eq!(asked, 2, "a code is exchanged once");

        // Its tokens are good, only the look at the account fails: nothing that the user gave is lost.
        let failing = FaultKind::Status { code: 503, retry_after: None, after_effect: false };
        house.vendors.add_fault(Fault::new(Vendor::Parqex, failing).at("user_info").times(1)).unwrap();
        assert_eq!(come_back(&consent(&begin_again(&house, &id).await).await).await.status, 200);
        synced(&house, &id).await;
        house.stop().await;
    }

    /// Two consents at once stay apart: each account gets its own user's doors, and a code is of no use with another's state.
    async fn two_accounts_at_once(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let [one, other] = house.vendors.credentials().to_vec().try_into().unwrap_or_else(|_| panic!("two users"));
        let ((first, first_url), (second, second_url)) = (begin(&house).await, begin(&house).await);
        let (ours, theirs) = (consent_as(&first_url, &one).await, consent_as(&second_url, &other).await);
        let crossed = with(&ours, "state", Some(&query_of(&theirs, "state")));
        assert_eq!(come_back(&crossed).await.status, 502, "the verifier of one consent proved another");
        assert_waits(&house, &second).await;

        let ours = consent_as(&begin_again(&house, &first).await, &one).await;
        let theirs = consent_as(&begin_again(&house, &second).await, &other).await;
        let (theirs, ours) = tokio::join!(come_back(&theirs), come_back(&ours));
        assert_eq!((ours.status, theirs.status), (200, 200));
        for (id, user, controllers) in [(&first, &one, 3), (&second, &other, 1)] {
            let account = synced(&house, id).await;
            assert_eq!(account["signedInAs"], user.parqex.email, "{account:#}");
            assert_eq!(devices_of(&house, id).await.len(), controllers);
        }
        house.stop().await;
    }

    /// A user who comes back to an account that was unlinked meanwhile gives nothing away.
    async fn a_consent_comes_too_late_for_an_unlinked_account(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let (id, url) = begin(&house).await;
        let back = consent(&url).await;
        accepted(&house, "unlinkVendorAccount", json!({ "vendorAccountId": id }), "").await;
        assert_eq!(come_back(&back).await.status, 409);
        assert_eq!(house.vendors.requests_to(Vendor::Parqex, "token").len(), 0);
        assert_eq!(account(&house, &id).await["state"], "DISCONNECTED");
        house.stop().await;
    }
}

/// Where the house is reached from outside is a setting, and the vendor must know the address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_back_is_the_public_address() {
    let public = "https://doors.example/gate";
    let house = Plan::on(BackEnd::Embedded).with_setting("public_url", public).start().await;
    let callback = format!("{public}/oauth/callback");
    house.vendors.change(WorldChange::ParqexRedirects { uris: vec![callback.clone()] }).unwrap();
    let (id, url) = begin(&house).await;
    assert_eq!(query_of(&url, "redirect_uri"), callback);
    let back = consent(&url).await;
    assert!(back.as_str().starts_with(&callback), "{back}");
    let here = format!("http://{}/oauth/callback?{}", house.client.address(), back.query().unwrap());
    assert_eq!(come_back(&here.parse().unwrap()).await.status, 200);
    synced(&house, &id).await;
    let payload = accepted(&house, "rotateWebhookAddress", json!({ "vendorAccountId": id }), "webhookUrl").await;
    assert!(text(&payload["webhookUrl"]).starts_with(&format!("{public}/webhooks/")), "{payload:#}");
    house.stop().await;
}
