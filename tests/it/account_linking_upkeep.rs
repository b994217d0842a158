//! What becomes of linked accounts: refused and linked again, synced, degraded, unlinked.

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{DemoCredentials, Fault, FaultKind, SimulatorOptions, Vendor, WorldChange};

use crate::{
    account_links::{
        VENDORS, accepted, account, assert_refused, becomes, credentials, devices_of, door_of, events_about, linked,
        mutate, order, synced,
    },
    orders::account_id,
};

/// The id of the demo's account at a vendor.
async fn id_of(house: &TestHouse, vendor: Vendor) -> String {
    account_id(house, vendor).await.to_string()
}

/// Has the vendor refuse what an account signs in with, or accept it again.
fn set_valid(house: &TestHouse, vendor: Vendor, of: &DemoCredentials, valid: bool) {
    let credential = match vendor {
        Vendor::Raixer => &of.raixer.user,
        Vendor::Parqex => &of.parqex.access_token,
        Vendor::Lockt => &of.lockt.api_user,
        Vendor::Bikeep => &of.bikeep.token,
        Vendor::Mews => &of.mews.access_token,
    };
    house.vendors.change(WorldChange::Credential { vendor, credential: credential.clone(), valid }).unwrap();
}

async fn sync(house: &TestHouse, id: &str) -> Value {
    mutate(house, "syncVendorAccount", json!({ "vendorAccountId": id }), "").await
}

fn time(value: &Value) -> DateTime<Utc> {
    text(value).parse().unwrap()
}

fn asked(house: &TestHouse, vendor: Vendor) -> usize {
    house.vendors.journal(0).entries.iter().filter(|entry| entry.vendor == vendor).count()
}

/// Posts something to a webhook address and returns the status of the answer.
async fn post(url: &str) -> u16 {
    let request = gatehouse_tests::client::http().post(url).body("{}");
    request.send().await.unwrap().status().as_u16()
}

on_both_back_ends! {
    /// Refused credentials need a person; only good ones help, and then everything goes on.
    async fn an_account_is_linked_again(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let of = house.vendors.credentials()[0].clone();
        for vendor in VENDORS {
            let id = id_of(&house, vendor).await;
            set_valid(&house, vendor, &of, false);
            accepted(&house, "syncVendorAccount", json!({ "vendorAccountId": id }), "").await;
            becomes(&house, &id, "REAUTH_REQUIRED").await;
            let refused = until("the sync has ended", async || {
                let account = account(&house, &id).await;
                account["syncError"].is_string().then_some(account)
            })
            .await;
            assert!(refused["stateReason"].is_string(), "{refused:#}");
            assert!(time(&refused["stateSince"]) > time(&refused["createdAt"]), "{refused:#}");
            assert_refused(&sync(&house, &id).await, "ACCOUNT_NOT_USABLE", None);

            let again = json!({ "vendorAccountId": id, "credentials": credentials(vendor, &of) });
            let payload = mutate(&house, "reauthorizeVendorAccount", again.clone(), "authorizationUrl").await;
            assert_refused(&payload, "VENDOR_REFUSED", Some("credentials"));
            assert_eq!(account(&house, &id).await["stateSince"], refused["stateSince"]);

            set_valid(&house, vendor, &of, true);
            let payload = accepted(&house, "reauthorizeVendorAccount", again, "authorizationUrl").await;
            let back = &payload["vendorAccount"];
            assert_eq!((&back["state"], &back["stateReason"]), (&json!("CONNECTED"), &Value::Null), "{payload:#}");
            assert!(time(&back["stateSince"]) > time(&refused["stateSince"]), "{payload:#}");
            let back = synced(&house, &id).await;
            assert!(time(&back["syncedAt"]) > time(&back["stateSince"]) && back["syncError"].is_null(), "{back:#}");
            let told = events_about(&house, &id, &["ACCOUNT_LINKED", "ACCOUNT_STATE_CHANGED"]).await;
            let types: Vec<&Value> = told.iter().map(|event| &event["type"]).collect();
            assert_eq!(types, ["ACCOUNT_LINKED", "ACCOUNT_STATE_CHANGED", "ACCOUNT_LINKED"], "{told:#?}");
            assert!(told[2]["actor"].is_string() && told[2]["data"]["again"] == true, "{told:#?}");
        }
        house.stop().await;
    }

    /// Kept credentials go to no new address; with credentials an account can move.
    async fn an_account_moves_with_its_credentials_only(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let of = house.vendors.credentials()[0].clone();
        let elsewhere = simulator::start(SimulatorOptions::default()).await.unwrap();
        let id = id_of(&house, Vendor::Raixer).await;
        let moved = json!({ "vendorAccountId": id, "baseUrl": elsewhere.base_url(Vendor::Raixer) });
        let again = async |input: &Value| mutate(&house, "reauthorizeVendorAccount", input.clone(), "").await;
        assert_refused(&again(&moved).await, "INVALID_INPUT", Some("credentials"));
        let mut wrong = moved.clone();
        wrong["credentials"] = credentials(Vendor::Lockt, &of);
        assert_refused(&again(&wrong).await, "INVALID_INPUT", Some("credentials"));
        wrong["credentials"] = credentials(Vendor::Raixer, &of);
        wrong["baseUrl"] = json!("nonsense");
        assert_refused(&again(&wrong).await, "INVALID_INPUT", Some("baseUrl"));
        wrong["vendorAccountId"] = json!("acct_00000000-0000-7000-8000-000000000000");
        assert_refused(&again(&wrong).await, "NOT_FOUND", Some("vendorAccountId"));
        assert_eq!(elsewhere.handle().journal(0).entries, []);
        let before = account(&house, &id).await;
        assert_eq!((&before["state"], &before["baseUrl"]), (&json!("CONNECTED"), &json!(house.simulator().base_url(Vendor::Raixer))));

        let mut good = moved;
        good["credentials"] = credentials(Vendor::Raixer, &of);
        let payload = again(&good).await;
        assert_eq!(payload["vendorAccount"]["baseUrl"], good["baseUrl"], "{payload:#}");
        synced(&house, &id).await;
        let (there, here) = (elsewhere.handle().journal(0).entries.len(), asked(&house, Vendor::Raixer));
        let door = door_of(&house, &id, "OPEN_DOOR").await;
        let command = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        assert_eq!(house.client.finished(&command).await["state"], "SUCCEEDED");
        assert!(elsewhere.handle().journal(0).entries.len() > there);
        assert_eq!(asked(&house, Vendor::Raixer), here, "something went to the old address");
        house.stop().await;
        elsewhere.shutdown().await;
    }

    /// Unlinked: what is queued fails and says so, the webhook address is dead, and the vendor hears nothing more.
    async fn an_unlinked_account_is_silent(back_end: BackEnd) {
        let mut house = Plan::on(back_end).with_manual_clock().without_worker().start().await;
        let id = id_of(&house, Vendor::Raixer).await;
        let given = json!({ "vendorAccountId": id });
        let webhook_url = text(&accepted(&house, "rotateWebhookAddress", given.clone(), "webhookUrl").await["webhookUrl"]);
        assert_eq!(post(&webhook_url).await, 202);
        let door = door_of(&house, &id, "OPEN_DOOR").await;
        let queued = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let heard = asked(&house, Vendor::Raixer);

        let payload = accepted(&house, "unlinkVendorAccount", given.clone(), "").await;
        let gone = &payload["vendorAccount"];
        assert_eq!((&gone["state"], &gone["stateReason"]), (&json!("DISCONNECTED"), &json!("A person unlinked it.")));
        let row = entities::work::account(house.database(), id.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((row.credentials.len(), row.intake_token_hash), (0, None), "something of the credentials is left");
        assert_eq!(post(&webhook_url).await, 404);

        house.start_worker().await;
        let command = house.client.finished(&queued).await;
        assert_eq!(
            (&command["state"], &command["failure"]["code"], &command["failure"]["message"]),
            (&json!("FAILED"), &json!("AUTHENTICATION_FAILED"), &json!("The vendor account is unlinked.")),
            "{command:#}"
        );
        let payload = house.client.mutate("openDoor", json!({ "doorId": door["id"] })).await;
        assert_refused(&payload, "ACCOUNT_NOT_USABLE", None);
        for name in ["syncVendorAccount", "rotateWebhookAddress", "reauthorizeVendorAccount"] {
            assert_refused(&mutate(&house, name, given.clone(), "").await, "ACCOUNT_NOT_USABLE", None);
        }
        let mapping = json!({ "vendorAccountId": id, "locations": [] });
        assert_refused(&mutate(&house, "mapVendorLocations", mapping, "").await, "ACCOUNT_NOT_USABLE", None);

        // Everybody else is synced when their time has come.
        let other = id_of(&house, Vendor::Lockt).await;
        let before = account(&house, &other).await;
        until("another account is synced again", async || {
            house.advance(TimeDelta::seconds(30));
            (account(&house, &other).await["syncedAt"] != before["syncedAt"]).then_some(())
        })
        .await;
        assert_eq!((asked(&house, Vendor::Raixer), house.effects()), (heard, 0), "the vendor was asked");
        let events = events_about(&house, &id, &["ACCOUNT_UNLINKED"]).await;
        assert!(events.len() == 1 && events[0]["actor"].is_string(), "{events:#?}");
        house.stop().await;
    }

    /// What remains at the vendor is counted, and people and their credentials are listed.
    async fn what_remains_at_the_vendor_is_listed(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        for vendor in VENDORS {
            let id = id_of(&house, vendor).await;
            let devices = devices_of(&house, &id).await.len();
            let query = "query($id: ID!) { vendorAccount(id: $id) { \
                all: records(first: 1) { totalCount } \
                listed: records(first: 1, filter: { kinds: [USER, CREDENTIAL, DEVICE_ACCESS, ACCESS_TOKEN] }) \
                { totalCount } users: records(first: 1, filter: { kinds: [USER] }) { totalCount } } }";
            let kept = house.client.data(query, json!({ "id": id })).await;
            let kept = |alias: &str| kept["vendorAccount"][alias]["totalCount"].as_u64().unwrap();
            let fields = "remains { devices records { kind count } first { id kind name vendorAccount { id } } }";
            let given = json!({ "vendorAccountId": id });
            let payload = accepted(&house, "unlinkVendorAccount", given.clone(), fields).await;
            let remains = &payload["remains"];
            assert_eq!(remains["devices"], devices, "{vendor:?}");
            let counts = remains["records"].as_array().unwrap();
            let total: u64 = counts.iter().map(|count| count["count"].as_u64().unwrap()).sum();
            let users = counts.iter().find(|count| count["kind"] == "USER").map_or(0, |it| it["count"].as_u64().unwrap());
            assert_eq!((total, users), (kept("all"), kept("users")), "{vendor:?}: {counts:#?}");
            let first = remains["first"].as_array().unwrap();
            assert_eq!(first.len() as u64, kept("listed").min(100), "{vendor:?}");
            assert!(first.iter().all(|record| record["vendorAccount"]["id"] == id));
            let again = accepted(&house, "unlinkVendorAccount", given, fields).await;
            assert_eq!(again["remains"], *remains, "{vendor:?}");
            assert_eq!(events_about(&house, &id, &["ACCOUNT_UNLINKED"]).await.len(), 1);
        }
        house.stop().await;
    }

    /// A sync that runs while its account is unlinked comes to its end at once.
    async fn unlinking_ends_a_running_sync(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let given = credentials(Vendor::Lockt, &house.vendors.credentials()[1]);
        let slow = Fault::new(Vendor::Lockt, FaultKind::DelayAnswer { millis: 250 });
        house.vendors.add_fault(slow).unwrap();
        let before = house.vendors.requests_to(Vendor::Lockt, "list_doors").len();
        let payload = linked(&house, order(&house, Vendor::Lockt, given).await).await;
        let id = text(&payload["vendorAccount"]["id"]);
        until("the sync runs", async || {
            (house.vendors.requests_to(Vendor::Lockt, "list_doors").len() > before + 1).then_some(())
        })
        .await;
        accepted(&house, "unlinkVendorAccount", json!({ "vendorAccountId": id }), "").await;
        let heard = asked(&house, Vendor::Lockt);
        until("the sync has ended", async || {
            account(&house, &id).await["syncError"].is_string().then_some(())
        })
        .await;
        assert!(asked(&house, Vendor::Lockt) <= heard + 1, "more was asked than what was under way");
        let account = account(&house, &id).await;
        assert_eq!((&account["state"], &account["syncedAt"]), (&json!("DISCONNECTED"), &Value::Null), "{account:#}");
        house.stop().await;
    }

    /// Whoever asks for a sync gets one that began after they asked, and many who ask get one together.
    async fn a_wish_during_a_sync_causes_another(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let id = id_of(&house, Vendor::Lockt).await;
        let slow = Fault::new(Vendor::Lockt, FaultKind::DelayAnswer { millis: 1_000 }).at("list_doors").times(1);
        house.vendors.add_fault(slow).unwrap();
        let syncs = || house.vendors.requests_to(Vendor::Lockt, "list_doors").len();
        let before = syncs();
        accepted(&house, "syncVendorAccount", json!({ "vendorAccountId": id }), "").await;
        until("the sync runs", async || (syncs() == before + 1).then_some(())).await;
        for _ in 0..3 {
            let payload = sync(&house, &id).await;
            assert!(payload["vendorAccount"]["syncRequestedAt"].is_string(), "{payload:#}");
        }
        let wished = Utc::now();
        assert_eq!(syncs(), before + 1, "two syncs of one account at once");
        let account = until("the second sync has ended", async || {
            let account = account(&house, &id).await;
            (account["syncRequestedAt"].is_null() && time(&account["syncedAt"]) > wished).then_some(account)
        })
        .await;
        assert_eq!((syncs(), &account["syncError"]), (before + 2, &Value::Null), "{account:#}");
        house.stop().await;
    }

    /// Each state with why and since when, by our clock.
    async fn states_say_why_and_since_when(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let (id, of) = (id_of(&house, Vendor::Raixer).await, house.vendors.credentials()[0].clone());
        let now = || house.clock.as_ref().map(|clock| domain::clock::truncate(domain::clock::Clock::now(clock))).unwrap();
        let enters = async |state: &str| {
            house.advance(TimeDelta::seconds(60));
            let wished = accepted(&house, "syncVendorAccount", json!({ "vendorAccountId": id }), "").await;
            assert_ne!(wished["vendorAccount"]["state"], state);
            let account = becomes(&house, &id, state).await;
            assert_eq!(time(&account["stateSince"]), now(), "{account:#}");
            until("the sync has ended", async || {
                crate::account_links::account(&house, &id).await["syncRequestedAt"].is_null().then_some(())
            })
            .await;
            account
        };
        let failing = FaultKind::Status { code: 503, retry_after: None, after_effect: false };
        let failing = house.vendors.add_fault(Fault::new(Vendor::Raixer, failing)).unwrap();
        let degraded = enters("DEGRADED").await;
        assert!(text(&degraded["stateReason"]).contains("503"), "{degraded:#}");
        assert!(house.vendors.remove_fault(failing));
        assert_eq!(enters("CONNECTED").await["stateReason"], Value::Null);
        set_valid(&house, Vendor::Raixer, &of, false);
        let refused = enters("REAUTH_REQUIRED").await;
        assert!(text(&refused["stateReason"]).contains("401"), "{refused:#}");
        house.advance(TimeDelta::seconds(60));
        let payload = accepted(&house, "unlinkVendorAccount", json!({ "vendorAccountId": id }), "").await;
        let gone = &payload["vendorAccount"];
        assert_eq!((&gone["state"], time(&gone["stateSince"])), (&json!("DISCONNECTED"), now()), "{payload:#}");
        let events = events_about(&house, &id, &["ACCOUNT_STATE_CHANGED"]).await;
        let changes: Vec<(String, String)> =
            events.iter().map(|event| (text(&event["data"]["from"]), text(&event["data"]["to"]))).collect();
        let expected = [("CONNECTED", "DEGRADED"), ("DEGRADED", "CONNECTED"), ("CONNECTED", "REAUTH_REQUIRED")];
        assert_eq!(changes, expected.map(|(from, to)| (from.to_owned(), to.to_owned())));
        house.stop().await;
    }
}
