//! What a vendor's answers mean for its account: refused credentials, silence, and being asked to slow down.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
};
use chrono::{DateTime, TimeDelta, Utc};
use gatehouse::house::worker_parts;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{DemoCredentials, Fault, FaultKind, Vendor, WorldChange};
use worker::{
    accounts::Accounts,
    sync::{SyncError, Synced, Syncs},
};

use crate::orders::{
    account, account_becomes, account_id, effects, events, failure, name_at_vendor, operation, requests,
};

const VENDORS: [(Vendor, &str); 3] =
    [(Vendor::Bikeep, "BIKEEP"), (Vendor::Raixer, "RAIXER"), (Vendor::Parqex, "PARQEX")];

/// Syncs a vendor's inventory here and now, as a worker would.
pub(crate) async fn sync(house: &TestHouse, vendor: Vendor) -> Result<Synced, SyncError> {
    let parts = worker_parts(house.foundation(), &house.settings).unwrap();
    let syncs = Syncs::new(parts.clone(), Arc::new(Accounts::new(parts)));
    syncs.sync(account_id(house, vendor).await).await
}

fn status(code: u16) -> FaultKind {
    FaultKind::Status { code, retry_after: None, after_effect: false }
}

/// The credential that a vendor can revoke, and every secret that must not be told.
fn credential(vendor: Vendor, of: &DemoCredentials) -> (String, Vec<String>) {
    match vendor {
        Vendor::Bikeep => (of.bikeep.token.clone(), vec![of.bikeep.token.clone()]),
        Vendor::Raixer => (of.raixer.user.clone(), vec![of.raixer.password.clone()]),
        Vendor::Parqex => (of.parqex.access_token.clone(), vec![of.parqex.access_token.clone()]),
        Vendor::Lockt => (of.lockt.api_user.clone(), vec![of.lockt.api_key.clone()]),
        Vendor::Mews => {
            (of.mews.access_token.clone(), vec![of.mews.access_token.clone(), of.mews.client_token.clone()])
        }
    }
}

/// The words of the changes of a vendor's account, oldest first.
async fn account_changes(house: &TestHouse, vendor: Vendor) -> Vec<String> {
    let id = account_id(house, vendor).await.to_string();
    let events = events(house, json!({ "types": ["ACCOUNT_STATE_CHANGED"] })).await;
    let ours = events.iter().filter(|event| event["data"]["vendorAccount"] == id);
    ours.map(|event| text(&event["data"]["to"])).collect()
}

/// A vendor that answers its first request with 429 and a date, and every later one that the gate was pulsed.
async fn reluctant_vendor(pause: TimeDelta) -> (String, Arc<Mutex<Vec<DateTime<Utc>>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let answer = move || async move {
        let mut seen = seen.lock().unwrap();
        seen.push(Utc::now());
        let date = (Utc::now() + pause).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut headers = HeaderMap::new();
        if seen.len() == 1 {
            headers.insert(header::RETRY_AFTER, date.parse().unwrap());
            (StatusCode::TOO_MANY_REQUESTS, headers, String::new())
        } else {
            (StatusCode::OK, headers, json!({ "success": true, "message": "200" }).to_string())
        }
    };
    let router = Router::new().route("/oauth/v1/endpoint/toggle", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

async fn move_account(house: &TestHouse, vendor: Vendor, url: &str) {
    entities::store::accounts::set_base_url(house.database(), account_id(house, vendor).await, url).await.unwrap();
}

on_both_back_ends! {
    /// A vendor that refuses the credentials stops everything at that account until a person acts.
    async fn refused_credentials_need_a_person(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        for (vendor, word) in VENDORS {
            let (credential, secrets) = credential(vendor, &house.vendors.credentials()[0]);
            house.vendors.change(WorldChange::Credential { vendor, credential, valid: false }).unwrap();
            let door = house.door(word, "OPEN_DOOR").await;
            let name = name_at_vendor(&door);
            let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            let command = house.client.finished(&id).await;
            assert_eq!(
                (text(&command["state"]), failure(&command)),
                ("FAILED".to_owned(), "AUTHENTICATION_FAILED"),
                "{command:#}"
            );
            assert_eq!(effects(&house, &name).len(), 0);
            assert_eq!(
                requests(&house, vendor, operation(vendor), &name).len(),
                1,
                "a refused credential is not tried again"
            );
            let account = account_becomes(&house, vendor, "REAUTH_REQUIRED").await;
            assert!(account["stateReason"].is_string(), "{account:#}");
            assert_eq!(account_changes(&house, vendor).await, ["REAUTH_REQUIRED"]);
            let told = format!("{command} {account}");
            assert!(secrets.iter().all(|secret| !told.contains(secret.as_str())), "{told}");

            let asked = house.vendors.journal(0).entries.len();
            let payload = house.client.mutate("openDoor", json!({ "doorId": door["id"] })).await;
            crate::refusals::assert_refused(&payload, "ACCOUNT_NOT_USABLE", None);
            assert_eq!(sync(&house, vendor).await.unwrap(), Synced::Skipped);
            assert_eq!(house.vendors.journal(0).entries.len(), asked, "nothing more is asked of it");
        }
        house.stop().await;
    }

    /// Raixer's 401 has two meanings; while it is not known which, nothing is concluded and the order is kept.
    async fn a_raixer_401_is_not_always_about_the_account(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let name = name_at_vendor(&door);
        let refused = || Fault::new(Vendor::Raixer, status(401)).at("open_door_at").for_device(&name).times(1);
        house.vendors.add_fault(refused()).unwrap();
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let command = house.client.finished(&id).await;
        assert_eq!(
            (text(&command["state"]), failure(&command)),
            ("FAILED".to_owned(), "DEVICE_NOT_FOUND"),
            "{command:#}"
        );
        assert_eq!(account(&house, Vendor::Raixer).await["state"], "CONNECTED");

        house.vendors.add_fault(refused()).unwrap();
        house.vendors.add_fault(Fault::new(Vendor::Raixer, status(503)).at("list_devices").times(1)).unwrap();
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let command = house.client.finished(&id).await;
        assert_eq!((&command["state"], &command["attempts"]), (&json!("SUCCEEDED"), &json!(2)), "{command:#}");
        assert_eq!(effects(&house, &name).len(), 1);
        account_becomes(&house, Vendor::Raixer, "CONNECTED").await;
        assert_eq!(account_changes(&house, Vendor::Raixer).await, ["DEGRADED", "CONNECTED"]);
        house.stop().await;
    }

    /// A vendor that fails while it is asked degrades its account, says nothing of the command, and is forgiven.
    async fn a_failing_poll_degrades_and_an_answer_ends_it(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let dock = house.door_where("BIKEEP", "LOCK_DOOR", |door| door["state"]["occupancy"]["value"] == "FREE").await;
        let name = name_at_vendor(&dock);
        for kind in [status(503), FaultKind::DropBeforeEffect] {
            house
                .vendors
                .add_fault(Fault::new(Vendor::Bikeep, kind).at("get_command").for_device(&name).times(1))
                .unwrap();
        }
        let id = house.client.command("lockDoor", json!({ "doorId": dock["id"] })).await;
        let command = house.client.finished(&id).await;
        assert_eq!(
            (&command["state"], &command["evidence"]),
            (&json!("SUCCEEDED"), &json!("DEVICE_ACK")),
            "{command:#}"
        );
        assert_eq!(requests(&house, Vendor::Bikeep, "send_command", &name).len(), 1);
        account_becomes(&house, Vendor::Bikeep, "CONNECTED").await;
        assert_eq!(account_changes(&house, Vendor::Bikeep).await, ["DEGRADED", "CONNECTED"]);
        house.stop().await;
    }

    async fn a_failing_sync_degrades_and_a_good_one_ends_it(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        for (vendor, operation) in
            [(Vendor::Bikeep, "list_devices"), (Vendor::Raixer, "list_devices"), (Vendor::Parqex, "sync")]
        {
            house.vendors.add_fault(Fault::new(vendor, status(503)).at(operation).times(1)).unwrap();
            assert!(matches!(sync(&house, vendor).await, Err(SyncError::Vendor(_))));
            let degraded = account(&house, vendor).await;
            assert_eq!(degraded["state"], "DEGRADED");
            assert!(text(&degraded["stateReason"]).contains("503"), "{degraded:#}");
            assert!(matches!(sync(&house, vendor).await, Ok(Synced::Complete { missing: 0, .. })));
            assert_eq!(account(&house, vendor).await["state"], "CONNECTED");
            assert_eq!(account_changes(&house, vendor).await, ["DEGRADED", "CONNECTED"]);
        }
        house.stop().await;
    }

    /// A vendor that is not there keeps the order until it is, within the order's time.
    async fn a_vendor_that_comes_back_gets_what_waited(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("PARQEX", "OPEN_DOOR").await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        move_account(&house, Vendor::Parqex, &format!("http://127.0.0.1:{port}")).await;
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let waiting = until("it was tried twice", async || {
            let command = house.client.read_command(&id).await;
            (command["attempts"].as_i64() >= Some(2) && command["state"] == "QUEUED").then_some(command)
        })
        .await;
        assert_eq!((failure(&waiting), &waiting["dispatchedAt"]), ("VENDOR_UNREACHABLE", &Value::Null), "{waiting:#}");
        account_becomes(&house, Vendor::Parqex, "DEGRADED").await;
        move_account(&house, Vendor::Parqex, &format!("http://{}/parqex", house.simulator().address())).await;
        let command = house.client.finished(&id).await;
        assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
        assert_eq!(effects(&house, &name_at_vendor(&door)).len(), 1);
        account_becomes(&house, Vendor::Parqex, "CONNECTED").await;
        house.stop().await;
    }

    /// Retry-After in seconds is kept, and being slowed down is no fault of the account.
    async fn a_vendor_that_asks_for_time_gets_it(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        for (vendor, word) in VENDORS {
            let door = house.door(word, "OPEN_DOOR").await;
            let name = name_at_vendor(&door);
            let slow = FaultKind::Status { code: 429, retry_after: Some(2), after_effect: false };
            house.vendors.add_fault(Fault::new(vendor, slow).at(operation(vendor)).for_device(&name).times(1)).unwrap();
            let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            let waiting = house.client.in_state(&id, "QUEUED").await;
            let throttled = until("it was slowed down", async || {
                let command = house.client.read_command(&id).await;
                (failure(&command) == "THROTTLED").then_some(command)
            });
            assert_eq!(throttled.await["state"], "QUEUED", "{waiting:#}");
            let command = house.client.finished(&id).await;
            assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
            let sent = requests(&house, vendor, operation(vendor), &name);
            assert_eq!((sent.len(), effects(&house, &name).len()), (2, 1));
            assert!(sent[1].received_at - sent[0].received_at >= TimeDelta::seconds(2), "{sent:#?}");
            assert!(account_changes(&house, vendor).await.is_empty());
        }
        house.stop().await;
    }

    /// Retry-After as a date is kept as well.
    async fn a_vendor_that_names_a_date_is_left_alone_until_then(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("PARQEX", "OPEN_DOOR").await;
        let pause = TimeDelta::seconds(3);
        let (url, asked) = reluctant_vendor(pause).await;
        move_account(&house, Vendor::Parqex, &url).await;
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let command = house.client.finished(&id).await;
        assert_eq!((&command["state"], &command["attempts"]), (&json!("SUCCEEDED"), &json!(2)), "{command:#}");
        let asked = asked.lock().unwrap().clone();
        let date = DateTime::from_timestamp((asked[0] + pause).timestamp(), 0).unwrap();
        assert!(asked.len() == 2 && asked[1] >= date, "asked at {asked:?}, allowed from {date}");
        house.stop().await;
    }

    /// A vendor that never has time does not open late, and is not besieged.
    async fn a_vendor_that_never_has_time_is_not_besieged(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let fault = house.vendors.add_fault(Fault::new(Vendor::Raixer, status(429)).at("open_door_at")).unwrap();
        let id = house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
        let command = until("it expires", async || {
            let command = house.client.read_command(&id).await;
            if command["state"] == "QUEUED" && command["attempts"] != 0 {
                house.advance(TimeDelta::milliseconds(100));
            }
            (command["terminal"] == true).then_some(command)
        })
        .await;
        assert_eq!((text(&command["state"]), failure(&command)), ("EXPIRED".to_owned(), "EXPIRED"), "{command:#}");
        assert!(text(&command["failure"]["message"]).contains("slow down"), "{command:#}");
        let sent = requests(&house, Vendor::Raixer, "open_door_at", &name_at_vendor(&door)).len();
        // Every 2 s, which an account is silent for when its vendor names no time, then every 3 s, until 15 s are over.
        assert!((2..=9).contains(&sent), "{sent} requests");
        assert!(house.vendors.remove_fault(fault));
        house.advance(TimeDelta::minutes(1));
        assert_eq!(house.effects(), 0);
        assert_eq!(account(&house, Vendor::Raixer).await["state"], "CONNECTED");
        house.stop().await;
    }
}
