//! What accounts sign in with is readable nowhere: not in the database, the queue, the log, or any answer (rule 15).

use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan, TestHouse},
    leaks::{Listener, found, kept},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{
    BikeepAccountPlan, BikeepLocationPlan, Fault, FaultKind, LocktAccountPlan, MewsAccountPlan, MewsHotelPlan,
    ParqexAccountPlan, ParqexControllerPlan, RaixerAccountPlan, RaixerDevicePlan, RaixerUse, Vendor, World,
    WorldChoice,
};

use crate::{
    account_links::{accepted, account, becomes, link, linked, mutate, order, synced, word},
    oauth::{begin, come_back, consent},
};

/// What every secret of these tests begins with.
const CANARY: &str = "canary";

/// The demo's world with one more account at each vendor, each secret of which is a canary.
fn world() -> (WorldChoice, Vec<(Vendor, Value)>) {
    let mut world = World::demo(1);
    let raixer = world.add_raixer_account(RaixerAccountPlan {
        user: "carla".to_owned(),
        password: "canary-password".to_owned(),
        name: "Carla".to_owned(),
        devices: vec![RaixerDevicePlan::new("Bird lane 1", &[RaixerUse::Street])],
    });
    let parqex = world.add_parqex_account(ParqexAccountPlan {
        access_token: "canary-parqex".to_owned(),
        first_name: "Carla".to_owned(),
        last_name: "Bird".to_owned(),
        controllers: vec![ParqexControllerPlan::gates(1)],
    });
    let zone = "Europe/Lisbon".parse().unwrap();
    let lockt = world.add_lockt_account(LocktAccountPlan::new("canary-lockt", "canary-key", zone).hotel(2, 2));
    let bikeep = world.add_bikeep_account(BikeepAccountPlan {
        token: "canary-bikeep".to_owned(),
        admin: true,
        act_on_behalf_of: true,
        locations: vec![BikeepLocationPlan::docks(1)],
    });
    let hotel = MewsHotelPlan::sized("Bird Hotel", zone, 1, 1);
    let mews = world.add_mews_account(MewsAccountPlan::of_one("canary-client", "canary-mews", hotel));
    let credentials = vec![
        (Vendor::Raixer, json!({ "raixer": { "user": raixer.user, "password": raixer.password } })),
        (
            Vendor::Parqex,
            json!({ "parqex": {
                "clientId": parqex.client_id,
                "clientSecret": parqex.client_secret,
                "accessToken": parqex.access_token,
                "refreshToken": parqex.refresh_token,
                "webhookKeyHeader": "x-key",
                "webhookKey": "canary-webhook",
            } }),
        ),
        (Vendor::Lockt, json!({ "lockt": { "apiUser": lockt.api_user, "apiKey": lockt.api_key } })),
        (
            Vendor::Bikeep,
            json!({ "bikeep": {
                "clientId": bikeep.client_id,
                "clientSecret": bikeep.client_secret,
                "webhookSeed": "canary-seed",
                "locations": bikeep.locations,
            } }),
        ),
        (
            Vendor::Mews,
            json!({ "mews": {
                "clientToken": mews.client_token,
                "accessToken": mews.access_token,
                "webhookSecret": "canary-hook",
            } }),
        ),
    ];
    (WorldChoice::Explicit(Box::new(world)), credentials)
}

/// Everything that an ADMIN can ask about accounts, as text.
async fn answers(house: &TestHouse) -> String {
    let query = "{ vendorAccounts(first: 100) { nodes { id name baseUrl signedInAs state stateReason syncError \
        locations { location name } syncParts { part error } webhookDeliveries(first: 10) { nodes { id note state } } } } \
        commands(first: 100) { nodes { id failure { message } result timeline { detail } } } \
        events(first: 100, orderBy: NEWEST_FIRST) { nodes { type data } } }";
    house.client.data(query, json!({})).await.to_string()
}

/// Everything that is done with accounts, well and badly. What must not be found anywhere afterwards, beside canaries.
async fn live_through(house: &TestHouse, credentials: Vec<(Vendor, Value)>) -> Vec<String> {
    let mut secrets = Vec::new();
    for (vendor, given) in credentials {
        let payload = linked(house, order(house, vendor, given.clone()).await).await;
        let id = text(&payload["vendorAccount"]["id"]);
        let webhook_url = text(&payload["webhookUrl"]);
        synced(house, &id).await;
        let posted = gatehouse_tests::client::http().post(&webhook_url).body("{\"secret\":\"canary-body\"}");
        assert_eq!(posted.header("x-key", "canary-webhook").send().await.unwrap().status(), 202);
        secrets.push(webhook_url.rsplit('/').next().unwrap().to_owned());

        let mut wrong = given.clone();
        let inner = wrong.as_object_mut().unwrap().values_mut().next().unwrap();
        for (_, value) in inner.as_object_mut().unwrap().iter_mut().filter(|(_, value)| value.is_string()) {
            *value = json!(format!("{CANARY}-wrong"));
        }
        if vendor == Vendor::Bikeep {
            wrong["bikeep"]["token"] = json!("canary-token");
        }
        let refused = link(house, order(house, vendor, wrong.clone()).await).await;
        assert_eq!(refused["userErrors"][0]["code"], "VENDOR_REFUSED", "{refused:#}");
        let input = json!({ "vendorAccountId": id, "credentials": wrong });
        let refused = mutate(house, "reauthorizeVendorAccount", input, "").await;
        let input = json!({ "vendorAccountId": id, "credentials": given });
        let again = accepted(house, "reauthorizeVendorAccount", input, "").await;
        let garbage = house.vendors.add_fault(Fault::new(vendor, FaultKind::Garbage)).unwrap();
        let input = json!({ "vendorAccountId": id });
        accepted(house, "syncVendorAccount", input.clone(), "").await;
        gatehouse_tests::wait::until("the sync fails", async || {
            account(house, &id).await["syncError"].is_string().then_some(())
        })
        .await;
        assert!(house.vendors.remove_fault(garbage));
        for shown in [payload, refused, again] {
            assert!(!shown.to_string().contains(CANARY), "{shown:#}");
        }
        if vendor == Vendor::Lockt {
            accepted(house, "unlinkVendorAccount", input, "").await;
        }
    }
    let (id, url) = begin(house).await;
    let back = consent(&url).await;
    secrets.extend(back.query_pairs().map(|(_, value)| value.into_owned()));
    assert_eq!(come_back(&back).await.status, 200);
    becomes(house, &id, "CONNECTED").await;
    synced(house, &id).await;
    assert!(secrets.len() > 6 && secrets.iter().all(|secret| secret.len() > 12), "{secrets:?}");
    secrets
}

on_both_back_ends! {
    async fn credentials_are_readable_nowhere(back_end: BackEnd) {
        let (world, credentials) = world();
        let mut plan = Plan::on(back_end);
        plan.simulator.world = world;
        let house = plan.start().await;
        let secrets = live_through(&house, credentials).await;
        let told = answers(&house).await;
        let kept = kept(&house).await;
        assert!(found(&kept, &word(Vendor::Raixer)).is_some(), "nothing was looked at");
        for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
            assert!(!told.contains(secret), "{secret} is shown: {told}");
            assert_eq!(found(&kept, secret), None, "{secret} is kept in the clear");
        }
        house.stop().await;
    }
}

/// On one thread, so that this test hears its own house only.
#[tokio::test(flavor = "current_thread")]
async fn credentials_are_never_logged() {
    let listener = Listener::default();
    // With one subscriber alone, what other threads log first would count as switched off here too.
    let _second = tracing::Dispatch::new(listener.clone());
    let _listening = tracing::subscriber::set_default(listener.clone());
    let (world, credentials) = world();
    let mut plan = Plan::on(BackEnd::Embedded);
    plan.simulator.world = world;
    let house = plan.start().await;
    let secrets = live_through(&house, credentials).await;
    house.stop().await;
    let heard = listener.heard();
    assert!(heard.contains("account synced") && heard.contains("vendor call"), "nothing was heard: {heard}");
    for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
        let line = heard.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
