//! A stay with a token: from too early to ready, what makes it a risk, and what becomes of the code when the stay changes.

use chrono::TimeDelta;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, MewsChange, MewsState, Vendor};

use super::scene::{Inn, codes, time};
use crate::tokens::scene::ask;

const PIN: &str = "739154";

fn is_ready(stay: &Value) -> bool {
    stay["readiness"] == "READY"
}

on_both_back_ends! {
    async fn a_stay_becomes_ready_and_loses_its_code_when_it_is_called_off(back_end: BackEnd) {
        let inn = Inn::start(Plan::on(back_end).with_manual_clock()).await;
        inn.listen().await;
        let stay = inn.stay("Wanda Weekend").await;
        let (room, other) = (inn.lock("Room 203").await, inn.lock("Room 204").await);
        inn.issue(&stay, PIN).await;
        let ready = inn.once("ready", "Wanda Weekend", is_ready).await;
        assert_eq!(codes(&ready), vec!["ALL_PLACED"]);
        assert!(!inn.opens(&room, PIN), "not before the stay");
        let shown = inn.house.vendors.mews_tokens(&text(&stay["externalId"]));
        assert_eq!((shown.len(), &shown[0]["Value"]), (1, &json!(PIN)), "{shown:#?}");
        let set = |state| MewsChange::SetState { reservation: text(&stay["externalId"]), state };
        inn.at_reception(set(MewsState::Started));
        inn.while_time_passes("the early guest comes in", async || inn.opens(&room, PIN).then_some(())).await;
        assert!(!inn.opens(&other, PIN), "no door too many");
        inn.at_reception(set(MewsState::Canceled));
        let canceled = |stay: &Value| stay["accessTokens"][0]["state"] == "REVOKED";
        let gone = inn.once("the code is gone", "Wanda Weekend", canceled).await;
        assert_eq!((&gone["readiness"], codes(&gone)), (&json!("NOT_APPLICABLE"), vec!["CANCELED"]));
        assert!(!inn.opens(&room, PIN));
        inn.at_reception(set(MewsState::Confirmed));
        let back = inn.once("a reinstatement", "Wanda Weekend", |stay| stay["state"] == "CONFIRMED").await;
        assert_eq!(codes(&back), vec!["NO_TOKEN", "REVOKED"], "its value is wiped: another one is needed");
        inn.issue(&back, "628405").await;
        inn.once("ready again", "Wanda Weekend", is_ready).await;
        inn.house.stop().await;
    }

    async fn the_locks_are_loaded_in_time_and_not_before(back_end: BackEnd) {
        let inn = Inn::start(Plan::on(back_end).with_manual_clock()).await;
        let stay = inn.stay("Mona Month").await;
        inn.issue(&stay, PIN).await;
        let early = inn.stay("Mona Month").await;
        assert_eq!((&early["readiness"], codes(&early)), (&json!("PENDING"), vec!["TOO_EARLY"]), "{early:#}");
        let begins = time(&stay["startsAt"]);
        let load = begins - TimeDelta::minutes(30) - TimeDelta::hours(72);
        inn.house.advance(load - inn.now());
        inn.once("loaded", "Mona Month", is_ready).await;
        inn.house.stop().await;
    }

    async fn a_vendor_that_refuses_makes_a_stay_a_risk_and_the_alert_ends_with_it(back_end: BackEnd) {
        let inn = Inn::start(Plan::on(back_end).with_manual_clock()).await;
        let fault = inn.house.vendors.add_fault(Fault::new(Vendor::Lockt, FaultKind::Status { code: 503, retry_after: None, after_effect: false })).unwrap();
        let stay = inn.stay("Ines Inside").await;
        inn.issue(&stay, PIN).await;
        let failed = inn.once("failed", "Ines Inside", |stay| stay["readiness"] == "FAILED").await;
        assert!(!codes(&failed).is_empty());
        let alerts = inn.alerts(&stay).await;
        assert_eq!((alerts.len(), &alerts[0]["kind"], &alerts[0]["severity"]), (1, &json!("TOKEN_AT_RISK"), &json!("CRITICAL")));
        assert!(inn.house.vendors.remove_fault(fault));
        inn.once("ready after all", "Ines Inside", is_ready).await;
        assert_eq!(inn.alerts(&stay).await, Vec::<Value>::new());
        inn.house.stop().await;
    }

    async fn another_guest_does_not_get_the_code_of_the_one_before(back_end: BackEnd) {
        let inn = Inn::start(Plan::on(back_end).with_manual_clock()).await;
        inn.listen().await;
        let stay = inn.stay("Ines Inside").await;
        let room = inn.lock("Room 103").await;
        inn.issue(&stay, PIN).await;
        inn.once("ready", "Ines Inside", is_ready).await;
        assert!(inn.opens(&room, PIN));
        let bea = inn.stay("Bea Bunk").await["guest"]["id"].take();
        let query = "query($account: ID!) { records(first: 100, filter: { vendorAccountId: $account, kinds: [USER] }) \
            { nodes { externalId name } } }";
        let data = inn.house.client.data(query, json!({ "account": inn.pms })).await;
        let people = data["records"]["nodes"].as_array().unwrap();
        let customer = text(&people.iter().find(|person| person["name"] == "Bea Bunk").unwrap()["externalId"]);
        inn.at_reception(MewsChange::SetOwner { reservation: text(&stay["externalId"]), customer });
        let read = format!("query($id: ID!) {{ reservation(id: $id) {{ {} }} }}", crate::tokens::scene::STAY);
        let changed = inn
            .while_time_passes("the old code is gone", async || {
                let data = inn.house.client.data(&read, json!({ "id": stay["id"] })).await;
                Some(data["reservation"].clone()).filter(|stay| stay["accessTokens"][0]["state"] == "REVOKED")
            })
            .await;
        assert_eq!(changed["guest"]["id"], bea);
        assert_eq!((&changed["readiness"], codes(&changed)), (&json!("FAILED"), vec!["NO_TOKEN", "REVOKED"]));
        assert!(!inn.opens(&room, PIN));
        inn.house.stop().await;
    }

    /// The PIN of one stay is not widened over the time of another with the same one.
    async fn an_extension_into_the_time_of_the_same_value_is_a_conflict(back_end: BackEnd) {
        let inn = Inn::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let room = inn.lock("Room 301").await;
        let begins = inn.now() + TimeDelta::days(60);
        let make = async |days: i64| {
            let from = begins + TimeDelta::days(days);
            let input = json!({
                "siteId": room["site"]["id"], "guest": { "name": "Ada Byron" }, "startsAt": crate::tokens::scene::iso(from),
                "doorIds": [room["id"], inn.lock("Front Door").await["id"]],
                "endsAt": crate::tokens::scene::iso(from + TimeDelta::days(1)),
            });
            ask(&inn.house.client, "createReservation", input, "reservation { id }").await["reservation"].take()
        };
        let (one, other) = (make(0).await, make(20).await);
        inn.issue(&one, PIN).await;
        inn.issue(&other, PIN).await;
        let longer = json!({
            "reservationId": one["id"], "endsAt": crate::tokens::scene::iso(begins + TimeDelta::days(15)),
        });
        let fields = "reservation { readiness reasons { code } accessTokens { validUntil } }";
        let payload = ask(&inn.house.client, "updateReservation", longer, fields).await;
        let stay = &payload["reservation"];
        assert_eq!(stay["readiness"], "AT_RISK", "{payload:#}");
        assert!(codes(stay).contains(&"VALUE_CONFLICT"), "{payload:#}");
        let until = time(&stay["accessTokens"][0]["validUntil"]);
        assert_eq!(until, begins + TimeDelta::days(1) + TimeDelta::minutes(30), "not widened");
        inn.house.stop().await;
    }
}
