//! P12: a stay is extended and moved while somebody tries the locks every 100 ms: there is no moment without a working
//! code; and what a move or a check-out leaves is closed within five seconds.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use gatehouse_tests::{house::Plan, on_both_back_ends, wait::PATIENCE};
use serde_json::{Value, json};

use super::scene::{Inn, time};
use crate::tokens::scene::{ask, iso};

const PIN: &str = "739154";
/// How often the locks are tried.
const STEP: TimeDelta = TimeDelta::milliseconds(100);
/// Within this what is left has to be closed, as long as the vendors answer.
const PROMPTLY: TimeDelta = TimeDelta::seconds(5);
/// So often is looked before time goes on, where time is what is measured: a slow machine is no slow house.
const LOOKS: usize = 200;

struct Stay {
    inn: Inn,
    id: Value,
    tries: usize,
}

impl Stay {
    async fn read(&self) -> Value {
        let query = "query($id: ID!) { reservation(id: $id) { readiness accessTokens { state validUntil \
            placements { state } } reasons { code } } }";
        self.inn.house.client.data(query, json!({ "id": self.id })).await["reservation"].take()
    }

    async fn change(&self, mut input: Value) {
        input["reservationId"] = self.id.clone();
        let payload = ask(&self.inn.house.client, "updateReservation", input, "reservation { id }").await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    }

    /// Tries the locks, step by step, until it is so. Each time the guest must be able to enter.
    async fn try_until(&mut self, what: &str, may_enter: impl Fn(&Inn) -> bool, is_so: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !self.look(what, &may_enter, &is_so).await {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}: {:#}", self.read().await);
            self.inn.house.advance(STEP);
        }
    }

    /// The same, but it must be so promptly.
    async fn promptly(&mut self, what: &str, may_enter: impl Fn(&Inn) -> bool, is_so: impl AsyncFn(&Self) -> bool) {
        let began = self.inn.now();
        while self.inn.now() - began <= PROMPTLY {
            for _ in 0..LOOKS {
                if self.look(what, &may_enter, &is_so).await {
                    return;
                }
            }
            self.inn.house.advance(STEP);
        }
        panic!("{what} takes more than {PROMPTLY}: {:#}", self.read().await);
    }

    #[expect(clippy::disallowed_methods, reason = "the worker gets its turn between two looks")]
    async fn look(&mut self, what: &str, may_enter: impl Fn(&Inn) -> bool, is_so: impl AsyncFn(&Self) -> bool) -> bool {
        assert!(may_enter(&self.inn), "{what}: no code works at {}", self.inn.now());
        self.tries += 1;
        let is_so = is_so(self).await;
        if !is_so {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        is_so
    }
}

on_both_back_ends! {
    async fn a_guest_can_enter_at_every_moment_of_an_extension_and_a_move(back_end: BackEnd) {
        let inn = Inn::start(Plan::on(back_end).with_manual_clock()).await;
        let (old, new, front) = (inn.lock("Room 203").await, inn.lock("Room 204").await, inn.lock("Front Door").await);
        let now = inn.now();
        let input = json!({
            "siteId": old["site"]["id"], "guest": { "name": "Mia Mover" }, "doorIds": [old["id"], front["id"]],
            "startsAt": iso(now - TimeDelta::hours(1)), "endsAt": iso(now + TimeDelta::hours(5)),
        });
        let made = ask(&inn.house.client, "createReservation", input, "reservation { id }").await;
        inn.issue(&made["reservation"], PIN).await;
        let mut stay = Stay { inn, id: made["reservation"]["id"].clone(), tries: 0 };
        let is_ready = async |stay: &Stay| stay.read().await["readiness"] == "READY";
        stay.try_until("the first placement", |_| true, is_ready).await;

        let in_the_room = |inn: &Inn| inn.opens(&old, PIN) && inn.opens(&front, PIN);
        let end = now + TimeDelta::hours(30);
        stay.change(json!({ "endsAt": iso(end) })).await;
        let extended = async |stay: &Stay| {
            let read = stay.read().await;
            read["readiness"] == "READY" && time(&read["accessTokens"][0]["validUntil"]) == end + TimeDelta::minutes(30)
        };
        stay.try_until("the extension", in_the_room, extended).await;
        stay.inn.house.advance(TimeDelta::hours(6));
        assert!(in_the_room(&stay.inn), "after the first end");

        stay.change(json!({ "doorIds": [new["id"], front["id"]] })).await;
        let in_a_room = |inn: &Inn| (inn.opens(&old, PIN) || inn.opens(&new, PIN)) && inn.opens(&front, PIN);
        let arrived = async |stay: &Stay| stay.inn.opens(&new, PIN);
        stay.try_until("the move", in_a_room, arrived).await;
        stay.promptly("closing the left room", in_a_room, async |stay| !stay.inn.opens(&old, PIN)).await;
        let in_the_new_room = |inn: &Inn| inn.opens(&new, PIN) && inn.opens(&front, PIN);
        stay.try_until("after the move", in_the_new_room, is_ready).await;
        assert!(stay.tries > 10, "the locks were tried {} times only", stay.tries);

        stay.change(json!({ "actualStart": iso(now), "actualEnd": iso(stay.inn.now()) })).await;
        stay.promptly("the check-out", |_| true, async |stay| !in_a_room(&stay.inn)).await;
        let gone = async |stay: &Stay| stay.read().await["accessTokens"][0]["state"] == "REVOKED";
        stay.promptly("the end of the code", |inn| !inn.opens(&new, PIN) && !inn.opens(&front, PIN), gone).await;
        stay.inn.house.stop().await;
    }
}
