//! Twice, all at once, and in the wrong order: each event is written once, the newest by the vendor's clock is the door's
//! state (P17), and a burst is not passed on to the vendor.

use std::{collections::BTreeSet, time::Instant};

use chrono::{TimeDelta, Utc};
use futures::{StreamExt, stream};
use gatehouse_tests::{
    client::{http, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use simulator::{Vendor, WebhookConduct, WorldChange};

use super::{address, connect, door_named, instant, parqex, settled, told};
use crate::orders::{events, side_becomes, side_of};

const OF_DOOR: &str =
    "subscription($ids: [ID!]) { doorStateChanged(doorIds: $ids) { state { position { value observedAt } } } }";

/// Posts many at once, as many vendors' machines would.
async fn deliver_all(url: &str, bodies: Vec<Value>) {
    let client = http();
    let posts = bodies.into_iter().map(|body| {
        let request = client.post(url).body(body.to_string());
        async move { request.send().await.unwrap().status() }
    });
    let answers: Vec<StatusCode> = stream::iter(posts).buffer_unordered(32).collect().await;
    assert!(answers.iter().all(|status| *status == StatusCode::ACCEPTED), "{answers:?}");
}

async fn how_many_events(house: &TestHouse, door: &Value) -> u64 {
    let query = "query($filter: EventFilter) { events(filter: $filter) { totalCount } }";
    let filter = json!({ "doorId": door["id"], "types": ["DOOR_OPENED", "DOOR_CLOSED"] });
    let data = house.client.data(query, json!({ "filter": filter })).await;
    data["events"]["totalCount"].as_u64().unwrap()
}

fn calls(house: &TestHouse) -> usize {
    house.vendors.requests_to(Vendor::Parqex, "sync").len()
}

on_both_back_ends! {
    /// Kept back, doubled, and sent newest first: nothing old overwrites anything new.
    async fn doubled_and_backwards(back_end: BackEnd) {
        let house = Plan::on(back_end).with_manual_clock().start().await;
        connect(&house, Vendor::Parqex).await;
        let gate = door_named(&house, "PARQEX", "North gate", 1).await;
        let (id, door) = (text(&gate["id"]), text(&gate["externalId"]));
        let mut heard = house.client.subscribe(OF_DOOR, json!({ "ids": [id] })).await;
        house.vendors.set_webhook_conduct(Vendor::Parqex, WebhookConduct { copies: 2, held: true });
        let mut times = Vec::new();
        for open in [true, false, true, false, true, false, true] {
            house.advance(TimeDelta::seconds(5));
            house.vendors.change(WorldChange::ParqexDoor { door: door.clone(), open }).unwrap();
            times.push(instant(&house.vendors.webhooks(0).entries.last().unwrap().body["eventOccurredUTC"]));
        }
        assert_eq!(house.vendors.release_webhooks(Vendor::Parqex, true), 7);
        house.vendors.webhooks_delivered().await;
        assert_eq!(settled(&house, Vendor::Parqex, 14).await, (14, 0));
        side_becomes(&house, &id, "position", "OPEN").await;
        let last = side_of(&house, &id, "position").await;
        assert_eq!(instant(&last["observedAt"]), *times.last().unwrap(), "{last:#}");

        let told = told(&house, Vendor::Parqex, json!({ "doorId": id })).await;
        let moved = told.iter().filter(|event| event["type"] == "DOOR_OPENED" || event["type"] == "DOOR_CLOSED");
        let mut occurred: Vec<_> = moved.map(|event| instant(&event["occurredAt"])).collect();
        occurred.sort();
        assert_eq!(occurred, times, "each once, each with its own time");
        let changes = events(&house, json!({ "doorId": id, "types": ["DOOR_STATE_CHANGED"] })).await;
        let last_change = changes.last().unwrap();
        assert_eq!(last_change["data"]["to"]["position"], "OPEN", "{changes:#?}");

        // What was heard never went back.
        let mut seen = Vec::new();
        let mut hear_until = async |end| {
            while seen.last() != Some(&end) {
                let mut data = heard.next().await.unwrap();
                let position = data["doorStateChanged"]["state"]["position"].take();
                seen.push(instant(&position["observedAt"]));
            }
            assert!(seen.is_sorted(), "{seen:?}");
        };
        hear_until(*times.last().unwrap()).await;
        house.advance(TimeDelta::seconds(5));
        house.vendors.change(WorldChange::ParqexDoor { door, open: false }).unwrap();
        hear_until(instant(&house.vendors.webhooks(0).entries.last().unwrap().body["eventOccurredUTC"])).await;
        house.stop().await;
    }

    /// Scattered over many connections, with polls in between that show an old state.
    async fn scattered(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Parqex).await;
        let gate = door_named(&house, "PARQEX", "Deck entry", 1).await;
        let now = Utc::now();
        let states = ["OPEN", "CLOSED"];
        let bodies: Vec<Value> = (0..60_i32)
            .map(|number| number * 23 % 60)
            .map(|second| parqex(
                usize::try_from(second).unwrap(),
                &gate,
                states[usize::try_from(second % 2).unwrap()],
                now - TimeDelta::seconds(60) + TimeDelta::seconds(second.into()),
            ))
            .collect();
        deliver_all(&url, bodies.clone()).await;
        deliver_all(&url, bodies.into_iter().rev().collect()).await;
        assert_eq!(settled(&house, Vendor::Parqex, 120).await, (120, 0));
        let last = side_of(&house, &text(&gate["id"]), "position").await;
        assert_eq!(last["value"], "CLOSED", "{last:#}");
        assert_eq!(instant(&last["observedAt"]).timestamp(), (now - TimeDelta::seconds(1)).timestamp());
        assert_eq!(how_many_events(&house, &gate).await, 60);
        let all = told(&house, Vendor::Parqex, json!({ "doorId": gate["id"] })).await;
        let ids: BTreeSet<_> = all.iter().map(|event| text(&event["id"])).collect();
        assert_eq!(ids.len(), all.len());
        house.stop().await;
    }

    /// Five hundred at once make a few questions to the vendor, not five hundred.
    async fn a_burst_is_not_passed_on(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let url = address(&house, Vendor::Parqex).await;
        let gate = door_named(&house, "PARQEX", "Deck exit", 2).await;
        let since = Utc::now() - TimeDelta::seconds(500);
        let body = |number: usize| parqex(
            number,
            &gate,
            if number.is_multiple_of(2) { "OPEN" } else { "CLOSED" },
            since + TimeDelta::seconds(i64::try_from(number).unwrap()),
        );
        let asked = calls(&house);
        let began = Instant::now();
        deliver_all(&url, (0..500).map(body).collect()).await;
        assert_eq!(settled(&house, Vendor::Parqex, 500).await, (500, 0));
        let (asked, took) = (calls(&house) - asked, began.elapsed());
        // One at each breath of a quarter of a second, one to begin with, and a sync may fall into it as well.
        assert!(asked <= 12 + usize::try_from(took.as_millis() / 250).unwrap(), "{asked} questions in {took:?}");
        assert_eq!(how_many_events(&house, &gate).await, 500);
        assert_eq!(side_of(&house, &text(&gate["id"]), "position").await["value"], "CLOSED");
        house.stop().await;
    }

    /// The same burst while no worker is there: it waits, and is then taken together.
    async fn a_burst_that_waited_is_taken_together(back_end: BackEnd) {
        let mut house = Plan::on(back_end).without_worker().start().await;
        let url = address(&house, Vendor::Parqex).await;
        let gate = door_named(&house, "PARQEX", "Deck exit", 2).await;
        let now = Utc::now();
        let bodies = (0..500).map(|number| parqex(number, &gate, "OPEN", now)).collect();
        deliver_all(&url, bodies).await;
        let asked = calls(&house);
        house.start_worker().await;
        assert_eq!(settled(&house, Vendor::Parqex, 500).await, (500, 0));
        let asked = calls(&house) - asked;
        // A sync may fall into it as well.
        assert!((1..=12).contains(&asked), "{asked} questions");
        house.stop().await;
    }
}
