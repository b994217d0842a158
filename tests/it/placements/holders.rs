//! An access level that many people have is changed: what they may open follows at once, however many they are.

use chrono::TimeDelta;
use domain::ids::AccessLevelId;
use gatehouse_tests::{client::text, on_both_back_ends, wait::until};
use serde_json::json;

use super::scene::Scene;
use crate::{changes::scene::plan, tokens::scene::ask};

/// More than are settled while a caller waits, and than one block of the worker's.
const MANY: usize = 230;

on_both_back_ends! {
    /// The clock stands still all the time, so that no sweeper comes by.
    async fn all_of_many_holders_follow_their_level_at_once(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 1)).await;
        let site = scene.site().await;
        let input = json!({ "siteId": site, "name": "Staff", "doorIds": [scene.door()] });
        let level = ask(&scene.house.client, "createAccessLevel", input, "accessLevel { id }").await;
        let level: AccessLevelId = text(&level["accessLevel"]["id"]).parse().unwrap();
        let mut cards = Vec::new();
        for number in 0..MANY {
            // Nobody is let in yet, so that nothing has to be at the vendor.
            let from = scene.now() + TimeDelta::days(30);
            cards.push(scene.card_of_holder(&format!("77{number:04}"), level, from).await);
        }
        assert_eq!(scene.wished_for(&cards).await, MANY);
        let input = json!({ "accessLevelId": level.to_string(), "doorIds": [] });
        let changed = ask(&scene.house.client, "updateAccessLevel", input, "accessLevel { id }").await;
        assert_eq!(changed["userErrors"], json!([]), "{changed:#}");
        until("nothing is wished for any more", async || (scene.wished_for(&cards).await == 0).then_some(())).await;

        let input = json!({ "accessLevelId": level.to_string(), "doorIds": [scene.door()] });
        ask(&scene.house.client, "updateAccessLevel", input, "accessLevel { id }").await;
        until("all of it is wished for again", async || (scene.wished_for(&cards).await == MANY).then_some(())).await;
        ask(&scene.house.client, "deleteAccessLevel", json!({ "accessLevelId": level.to_string() }), "").await;
        until("nothing is left of the level", async || (scene.wished_for(&cards).await == 0).then_some(())).await;
        scene.house.stop().await;
    }
}
