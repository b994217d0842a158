//! A PIN, a registration key and the value of a token are seen by their vendor and by nobody else: not in rows, results, events or logs.

use std::{fs::File, process::Stdio};

use gatehouse_tests::{
    binary::{Killed, command as binary},
    client::{COMMAND, Client},
    house::Plan,
    leaks::{files, holds, kept},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Vendor};
use tempfile::TempDir;

use super::scene::{command, iso, mutate, person, records, result, status};
use crate::orders::account_id;

/// What nobody may see, as PIN, as the value of a token and as registration key.
const CANARIES: [&str; 3] = ["8305719264", "6194027583", "QXKE-7731-ZZPA-0042"];

fn assert_clean(what: &str, bytes: &[u8]) {
    assert!(!bytes.is_empty(), "{what} is empty");
    for canary in CANARIES {
        assert!(!holds(bytes, canary), "a secret stands in {what}");
    }
}

/// Commands with secrets in them, of every kind: that succeed, that are refused, and whose answers are lost.
async fn send_secrets(client: &Client, lockt: &str, stay: &Value) -> Vec<String> {
    let mut with_pin = person(1);
    (with_pin["pin"], with_pin["credentialKey"]) = (json!(CANARIES[0]), json!(CANARIES[2]));
    let mut refused = person(2);
    (refused["pin"], refused["email"]) = (json!(CANARIES[0]), json!("nobody"));
    let mut ids = Vec::new();
    for (users, options) in [
        (json!([with_pin]), json!({})),
        (json!([refused]), json!({})),
        (json!([refused]), json!({ "validateFailsBatch": false })),
        (json!([with_pin, refused]), json!({ "dryRun": true })),
    ] {
        let input = json!({ "vendorAccountId": lockt, "users": users, "options": options });
        ids.push(command(client, "importUsers", input).await);
    }
    let now = chrono::Utc::now();
    for length in [chrono::TimeDelta::days(1), chrono::TimeDelta::days(2)] {
        let input = json!({
            "reservationId": stay["id"], "tokenType": "PIN_CODE", "value": CANARIES[1],
            "validFrom": iso(now), "validUntil": iso(now + length), "permissions": { "room": true },
        });
        ids.push(command(client, "addPmsAccessToken", input).await);
    }
    ids
}

on_both_back_ends! {
    async fn a_secret_is_seen_by_its_vendor_alone(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let lockt = account_id(&house, Vendor::Lockt).await.to_string();
        let stay = records(&house, json!({ "kinds": ["RESERVATION"] })).await[0].clone();
        for (vendor, kind, operation) in [
            (Vendor::Lockt, FaultKind::DropAfterEffect, "import_users"),
            (Vendor::Mews, status(500), "add_access_tokens"),
            (Vendor::Mews, status(400), "add_access_tokens"),
        ] {
            house.vendors.add_fault(Fault::new(vendor, kind).at(operation).times(1)).unwrap();
        }
        let ids = send_secrets(&house.client, &lockt, &stay).await;
        assert_clean("the rows of commands under way", &kept(&house).await);
        let mut told = String::new();
        for id in &ids {
            let command = house.client.finished(id).await;
            told.push_str(&format!("{command} {}", result(&house, id).await));
            let row = house.row(id).await;
            assert_eq!(row.sealed, None, "a command that rests keeps its secret: {command:#}");
        }
        let query = "{ events(last: 100) { nodes { type data } } }";
        told.push_str(&house.client.data(query, json!({})).await.to_string());
        told.push_str(&json!(records(&house, json!({ "vendorAccountId": lockt })).await).to_string());
        told.push_str(&json!(records(&house, json!({ "kinds": ["ACCESS_TOKEN"] })).await).to_string());
        assert_clean("what the API tells", told.as_bytes());
        assert_clean("the rows", &kept(&house).await);
        let to_vendor = |entry: simulator::RequestEntry| entry.body.into_bytes();
        let bodies: Vec<u8> = house.vendors.requests_to(Vendor::Lockt, "import_users").into_iter().flat_map(to_vendor).collect();
        assert!(holds(&bodies, CANARIES[0]) && holds(&bodies, CANARIES[2]), "its vendor has to see them");
        house.stop().await;
    }

    /// The same order with another secret is another order.
    async fn a_key_stands_for_its_secret_too(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let lockt = account_id(&house, Vendor::Lockt).await.to_string();
        let import = async |pin: &str| {
            let mut user = person(1);
            user["pin"] = json!(pin);
            let input = json!({ "vendorAccountId": lockt, "users": [user], "idempotencyKey": "once" });
            mutate(&house.client, "importUsers", input).await
        };
        let (first, again, other) = (import(CANARIES[0]).await, import(CANARIES[0]).await, import(CANARIES[1]).await);
        assert_eq!(first["commands"][0]["id"], again["commands"][0]["id"]);
        assert_eq!(other["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED", "{other:#}");
        assert_clean("the rows", &kept(&house).await);
        house.stop().await;
    }
}

/// The real binary at its most talkative.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_in_no_log() {
    let folder = TempDir::new().unwrap();
    let (out, log) = (folder.path().join("out"), folder.path().join("log"));
    let data = folder.path().join("data");
    let settings = [
        ("GATEHOUSE_DATA_DIRECTORY", data.to_str().unwrap()),
        ("GATEHOUSE_HTTP_ADDRESS", "127.0.0.1:0"),
        ("GATEHOUSE_SIMULATOR_ADDRESS", "127.0.0.1:0"),
        ("GATEHOUSE_LOG", "trace"),
    ];
    let mut process = binary(&[], &settings);
    process.stdout(Stdio::from(File::create(&out).unwrap())).stderr(Stdio::from(File::create(&log).unwrap()));
    let running = Killed(process.spawn().unwrap());
    let client = until("it is open", async || {
        let text = std::fs::read_to_string(&out).ok().filter(|text| text.contains("  -d "))?;
        let after = |label: &str| {
            let line = text.lines().map(str::trim_start).find(|line| line.starts_with(label))?;
            Some(line[label.len()..].trim().to_owned())
        };
        let address = after("API ")?.trim_start_matches("http://").trim_end_matches("/graphql").parse().ok()?;
        Some(Client::new(address, &after("API key")?))
    })
    .await;
    let (lockt, stay) = until("it has synced", async || {
        let query = "{ vendorAccounts(filter: { vendor: LOCKT }) { nodes { id syncedAt } } \
            records(first: 1, filter: { kinds: [RESERVATION] }) { nodes { id } } }";
        let data = client.data(query, json!({})).await;
        let account = &data["vendorAccounts"]["nodes"][0];
        let stay = data["records"]["nodes"][0].clone();
        (account["syncedAt"].is_string() && stay.is_object())
            .then(|| (account["id"].as_str().unwrap().to_owned(), stay))
    })
    .await;
    for id in send_secrets(&client, &lockt, &stay).await {
        client.finished(&id).await;
    }
    // A command's own line shows that the log is the right one.
    let data = client.data(&format!("{{ commands(first: 1) {{ nodes {{ {COMMAND} }} }} }}"), json!({})).await;
    assert!(data["commands"]["nodes"][0].is_object(), "{data:#}");
    drop(running);
    let words = std::fs::read(&log).unwrap();
    assert!(holds(&words, "vendor call"), "nothing was logged");
    assert_clean("the log", &words);
    assert_clean("the data folder", &files(&folder.path().join("data")));
}
