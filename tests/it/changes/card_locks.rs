//! Importing people into a card-lock system: what is wished is said in so many words, nothing is wiped by leaving it
//! out, errors are told by record, many people go in blocks, and a dry run changes nothing.

use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{EffectKind, Fault, FaultKind, Vendor};

use super::scene::{bodies, command, effects, mutate, person, records, result, sent, succeed};
use crate::orders::{account_id, failure};

async fn lockt(house: &TestHouse) -> String {
    account_id(house, Vendor::Lockt).await.to_string()
}

fn count(house: &TestHouse) -> (usize, usize) {
    (effects(house, Vendor::Lockt, EffectKind::UserCreated), effects(house, Vendor::Lockt, EffectKind::UserUpdated))
}

/// Somebody who has access levels, as the API tells.
async fn holder(house: &TestHouse, account: &str) -> Value {
    let people = records(house, json!({ "kinds": ["USER"], "vendorAccountId": account })).await;
    let levels = |person: &Value| person["details"]["accessLevelExternalIds"].as_array().map_or(0, Vec::len);
    people.into_iter().find(|person| levels(person) > 0).unwrap()
}

/// The access levels that Lockt itself tells of somebody, asked without any of our code.
async fn levels_at_vendor(house: &TestHouse, id: &Value) -> Vec<String> {
    let keys = &house.vendors.credentials()[0].lockt;
    let url = format!("http://{}/lockt/api/v1/user", house.simulator().address());
    let request = gatehouse_tests::client::http().get(url).header("content-type", "application/json");
    let request = request.header("apiuser", &keys.api_user).header("apikey", &keys.api_key);
    let told: Value = request.send().await.unwrap().json().await.unwrap();
    let everybody = told["data"].as_array().unwrap();
    let user = everybody.iter().find(|user| user["id"] == text(id).parse::<u64>().unwrap()).unwrap();
    user["accesslevels"].as_array().unwrap().iter().map(|level| level["id"].to_string()).collect()
}

/// The same person again, with other words.
fn again(holder: &Value) -> Value {
    json!({ "idNumber": holder["details"]["idNumber"], "userId": holder["id"], "firstName": "Anna", "lastName": "Peters" })
}

on_both_back_ends! {
    async fn every_option_is_said(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let account = lockt(&house).await;
        succeed(&house, "importUsers", json!({ "vendorAccountId": account, "users": [person(1)] })).await;
        let options = json!({ "updateExisting": true, "validateFailsBatch": false, "replacePrivileges": true });
        let input = json!({ "vendorAccountId": account, "users": [person(2)], "options": options });
        succeed(&house, "importUsers", input).await;
        let said: Vec<Value> = bodies(&house, Vendor::Lockt, "import_users").iter().map(|body| body["options"].clone()).collect();
        let options = |update: &str, fails: &str, replace: &str| {
            json!({ "update_existing": update, "validate_fails_batch": fails, "replace_privileges": replace })
        };
        assert_eq!(said, [options("false", "true", "false"), options("true", "false", "true")]);
        house.stop().await;
    }

    async fn nothing_is_wiped_unless_it_is_wished(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let account = lockt(&house).await;
        let holder = holder(&house, &account).await;
        let had = levels_at_vendor(&house, &holder["externalId"]).await;
        let import = async |options: Value| {
            let input = json!({ "vendorAccountId": account, "users": [again(&holder)], "options": options });
            let id = succeed(&house, "importUsers", input).await;
            result(&house, &id).await
        };
        let shown = async || {
            let filter = json!({ "kinds": ["USER"], "externalId": holder["externalId"] });
            records(&house, filter).await.pop().unwrap()["details"].take()
        };

        // Left alone: not even looked at by the vendor, and said so.
        let told = import(json!({})).await;
        assert_eq!(count(&house), (0, 0), "{told:#}");
        assert_eq!(told["leftAlone"][0]["idNumber"], holder["details"]["idNumber"], "{told:#}");

        let told = import(json!({ "updateExisting": true })).await;
        assert_eq!(count(&house), (0, 1), "{told:#}");
        assert_eq!(levels_at_vendor(&house, &holder["externalId"]).await, had);
        let details = shown().await;
        assert_eq!((&details["firstName"], &details["accessLevelExternalIds"]), (&json!("Anna"), &json!(had)));

        let told = import(json!({ "updateExisting": true, "replacePrivileges": true })).await;
        assert_eq!(levels_at_vendor(&house, &holder["externalId"]).await, Vec::<String>::new(), "{told:#}");
        assert_eq!(shown().await["accessLevelExternalIds"], json!([]));
        house.stop().await;
    }

    async fn errors_are_told_by_record(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let account = lockt(&house).await;
        let mut bad = person(2);
        bad["email"] = json!("rgreswell0@@@@gravatar.com");
        let users = json!([person(1), bad, person(3)]);
        let input = |fails| {
            json!({ "vendorAccountId": account, "users": users, "options": { "validateFailsBatch": fails } })
        };
        let id = command(&house.client, "importUsers", input(true)).await;
        let refused = house.client.finished(&id).await;
        assert_eq!((&refused["state"], failure(&refused)), (&json!("FAILED"), "VENDOR_REJECTED"), "{refused:#}");
        assert_eq!(count(&house), (0, 0));
        let told = result(&house, &id).await;
        assert_eq!(told["errors"][0]["idNumber"], "gh-2", "{told:#}");
        assert_eq!(told["errors"][0]["record"], 1, "{told:#}");
        assert!(told["errors"][0]["messages"][0].as_str().is_some_and(|text| text.contains("email")), "{told:#}");

        let id = succeed(&house, "importUsers", input(false)).await;
        assert_eq!(count(&house), (2, 0));
        let told = result(&house, &id).await;
        assert_eq!((told["errors"].as_array().map(Vec::len), &told["errors"][0]["idNumber"]), (Some(1), &json!("gh-2")));
        let made: Vec<&Value> = told["records"].as_array().unwrap().iter().map(|record| &record["idNumber"]).collect();
        assert_eq!(made, ["gh-1", "gh-3"], "{told:#}");
        house.stop().await;
    }

    async fn many_people_go_in_blocks(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let users: Vec<Value> = (0..250).map(person).collect();
        let input = json!({ "vendorAccountId": lockt(&house).await, "users": users, "idempotencyKey": "many" });
        let payload = mutate(&house.client, "importUsers", input.clone()).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        let commands = payload["commands"].as_array().unwrap();
        let keys: Vec<&Value> = commands.iter().map(|command| &command["idempotencyKey"]).collect();
        assert_eq!(keys, ["many#1", "many#2", "many#3"]);
        for command in commands {
            let command = house.client.finished(&text(&command["id"])).await;
            assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
        }
        let sizes = |body: &Value| body["users"].as_array().map(Vec::len).unwrap();
        let sizes: Vec<usize> = bodies(&house, Vendor::Lockt, "import_users").iter().map(sizes).collect();
        assert_eq!(sizes, [100, 100, 50]);
        assert_eq!(count(&house), (250, 0));

        let repeated = mutate(&house.client, "importUsers", input).await;
        let id = |command: &Value| command["id"].clone();
        let ids = |of: &Value| of["commands"].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
        assert_eq!(ids(&repeated), ids(&payload), "the same key is the same commands");
        house.idle().await;
        assert_eq!(sent(&house, Vendor::Lockt, "import_users"), 3);
        assert_eq!(house.vendors.lockt_overlaps(), Vec::new());
        house.stop().await;
    }

    async fn a_dry_run_changes_nothing(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let account = lockt(&house).await;
        let mut bad = person(2);
        bad["email"] = json!("nobody");
        let options = json!({ "dryRun": true, "updateExisting": true, "replacePrivileges": true, "validateFailsBatch": false });
        let users = json!([person(1), bad, again(&holder(&house, &account).await)]);
        let input = json!({ "vendorAccountId": account, "users": users, "options": options });
        let id = succeed(&house, "importUsers", input).await;
        let told = result(&house, &id).await;
        assert_eq!((&told["dryRun"], &told["errors"][0]["idNumber"]), (&json!(true), &json!("gh-2")), "{told:#}");
        let asked = (sent(&house, Vendor::Lockt, "validate_users"), sent(&house, Vendor::Lockt, "import_users"));
        assert_eq!((asked, count(&house)), ((1, 0), (0, 0)));
        assert_eq!(records(&house, json!({ "kinds": ["USER"], "text": "Byron 1" })).await, Vec::<Value>::new());
        house.stop().await;
    }

    /// What the vendor has not released yet is not offered, and hurts nothing else.
    async fn what_is_pending_at_the_vendor_is_unsupported(back_end: BackEnd) {
        let mut plan = Plan::on(back_end);
        plan.simulator.lockt_pending = false;
        let house = plan.start().await;
        let account = lockt(&house).await;
        let credentials = records(&house, json!({ "kinds": ["CREDENTIAL"], "vendorAccountId": account })).await;
        let card = credentials.iter().find(|credential| credential["details"]["credentialType"] != "FOB").unwrap();
        for (mutation, input) in [
            ("readNextCardNumber", json!({ "vendorAccountId": account })),
            ("reissueCredentials", json!({ "vendorAccountId": account, "credentialIds": [card["id"]] })),
            ("importUsers", json!({ "vendorAccountId": account, "users": [person(1)], "options": { "dryRun": true } })),
        ] {
            let id = command(&house.client, mutation, input).await;
            let command = house.client.finished(&id).await;
            assert_eq!((&command["state"], failure(&command)), (&json!("FAILED"), "UNSUPPORTED"), "{mutation}: {command:#}");
        }
        assert_eq!(crate::orders::account(&house, Vendor::Lockt).await["state"], "CONNECTED");
        succeed(&house, "importUsers", json!({ "vendorAccountId": account, "users": [person(1)] })).await;
        house.stop().await;
    }

    /// A batch that broke off in the middle: who is there already is not made again, the others are.
    async fn a_batch_that_broke_off_is_completed(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let account = lockt(&house).await;
        let fault = FaultKind::PartialFailure { positions: vec![3] };
        house.vendors.add_fault(Fault::new(Vendor::Lockt, fault).at("import_users").times(1)).unwrap();
        let users: Vec<Value> = (0..4).map(person).collect();
        let id = succeed(&house, "importUsers", json!({ "vendorAccountId": account, "users": users })).await;
        assert_eq!(count(&house), (4, 0), "{:#}", house.client.read_command(&id).await);
        assert_eq!(sent(&house, Vendor::Lockt, "import_users"), 2);
        house.stop().await;
    }
}
