//! P13: sixty-four issuers at once never give one value to two guests at a door.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use futures::future::join_all;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::json;

use super::scene::{Hotel, code};

const ISSUERS: usize = 64;

on_both_back_ends! {
    /// Sixty-four guests of one door: whoever chooses one of eight values gets it once; whoever has one drawn gets another.
    async fn no_two_guests_have_one_value(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let values: Vec<String> = (0..8).map(|number| format!("48291{number}")).collect();
        let hotel_stay = async |number: usize| {
            let (one, both) = ([&hotel.locks[0]], [&hotel.locks[1], &hotel.locks[0]]);
            hotel.stay(if number.is_multiple_of(2) { &one } else { &both }, 1, 3).await
        };
        let stays = join_all((0..2 * ISSUERS).map(&hotel_stay)).await;
        let chosen = join_all(stays[..ISSUERS].iter().zip(values.iter().cycle()).map(async |(stay, value)| {
            let payload = hotel.issue(stay, json!({ "value": value })).await;
            (value.clone(), code(&payload).map(str::to_owned))
        }))
        .await;
        let mut given: BTreeMap<String, usize> = BTreeMap::new();
        for (value, refused) in chosen {
            match refused.as_deref() {
                None => *given.entry(value).or_default() += 1,
                Some(code) => assert_eq!(code, "VALUE_TAKEN"),
            }
        }
        assert_eq!(given, values.iter().map(|value| (value.clone(), 1)).collect());
        let drawn = join_all(stays[ISSUERS..].iter().map(|stay| hotel.issue(stay, json!({})))).await;
        let mut tokens: Vec<String> = Vec::new();
        for payload in &drawn {
            assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
            tokens.push(text(&payload["accessToken"]["id"]));
        }
        let mut seen: BTreeSet<String> = values.into_iter().collect();
        for some in tokens.chunks(50) {
            // An organization is shown so many values a minute.
            hotel.house.advance(TimeDelta::minutes(1));
            for token in some {
                assert!(seen.insert(hotel.value(token).await), "two guests have one value");
            }
        }
        hotel.house.stop().await;
    }

    /// Doors in any order, moves and prolongations at once: nobody waits in a circle, and nobody gets in another's way.
    async fn movers_do_not_wait_in_a_circle(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        let count = 16;
        let hotel_stay = async |number: usize| hotel.stay(&[&hotel.locks[number % 3]], 1, 2).await;
        let stays = join_all((0..count).map(&hotel_stay)).await;
        let tokens = join_all(stays.iter().map(|stay| hotel.issued(stay, json!({})))).await;
        let moved = join_all(tokens.iter().enumerate().map(|(number, token)| {
            let doors = [&hotel.locks[(number + 1) % 3]["id"], &hotel.locks[(number + 2) % 3]["id"], &hotel.locks[number % 3]["id"]];
            hotel.update(token, json!({ "doorIds": doors, "drawValue": number % 2 == 0 }))
        }))
        .await;
        for payload in &moved {
            assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
            assert_eq!(payload["accessToken"]["doors"].as_array().unwrap().len(), 3, "{payload:#}");
        }
        let mut seen = BTreeSet::new();
        for token in &tokens {
            assert!(seen.insert(hotel.value(token).await), "two guests have one value");
        }
        hotel.house.stop().await;
    }
}
