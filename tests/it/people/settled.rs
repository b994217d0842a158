//! What is wished for at vendors because of people, levels, times and schedules, as the API shows it.

use chrono::TimeDelta;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends, wait::until};
use serde_json::{Value, json};

use super::scene::{CREDENTIAL, LEVEL, Scene};
use crate::tokens::scene::iso;

on_both_back_ends! {
    async fn levels_give_and_take_doors(back_end: BackEnd) {
        let scene = Scene::start(Plan::on(back_end).without_worker()).await;
        let (ada, front, back) = (scene.user("Ada").await, &scene.locks[0], &scene.locks[1]);
        let pin = scene.pin(&ada, "482913", &[]).await;
        assert_eq!(scene.placements(&pin["id"]).await, [], "no level, no door");
        let level = scene.level("Staff", &[front], None).await;
        scene.assign(&ada, &level).await;
        let at = |doors: &[&Value]| {
            let mut doors: Vec<Value> = doors.iter().map(|door| door["id"].clone()).collect();
            doors.sort_by_key(Value::to_string);
            ("PRESENT".to_owned(), Value::Null, doors)
        };
        assert_eq!(scene.placements(&pin["id"]).await, [at(&[front])]);
        scene.done("updateAccessLevel", json!({ "accessLevelId": level, "doorIds": [back["id"], front["id"]] }), LEVEL).await;
        assert_eq!(scene.placements(&pin["id"]).await, [at(&[front, back])], "in place");
        let id = json!({ "credentialId": pin["id"] });
        scene.done("suspendCredential", id.clone(), CREDENTIAL).await;
        assert_eq!(scene.placements(&pin["id"]).await[0].0, "ABSENT");
        scene.done("resumeCredential", id, CREDENTIAL).await;
        assert_eq!(scene.placements(&pin["id"]).await, [at(&[front, back])], "the same placement again");
        scene.done("unassignAccessLevel", json!({ "userId": ada, "accessLevelId": level }), "user { id }").await;
        assert_eq!(scene.placements(&pin["id"]).await[0].0, "ABSENT");
        scene.house.stop().await;
    }

    async fn what_cannot_be_placed_is_told(back_end: BackEnd) {
        let scene = Scene::start(Plan::on(back_end).without_worker()).await;
        let (ada, lock) = (scene.user("Ada").await, &scene.locks[0]);
        let gate = scene.doors_of("BIKEEP").await[0].clone();
        let pin = scene.pin(&ada, "482913", &[lock, &gate]).await;
        let mut placements = scene.placements(&pin["id"]).await;
        placements.sort_by_key(|placed| placed.1.to_string());
        let told: Vec<Value> = placements.into_iter().map(|placed| placed.1).collect();
        assert_eq!(told, [json!("CAPABILITY_MISSING"), Value::Null]);
        scene.house.stop().await;
    }

    /// A schedule by the clocks of the site, window by window; the worker says the next one when one is over.
    async fn a_schedule_comes_and_goes(back_end: BackEnd) {
        let scene = Scene::start(Plan::on(back_end).with_manual_clock()).await;
        let (ada, lock) = (scene.user("Ada").await, &scene.locks[0]);
        let now = scene.house.foundation().clock.now();
        let data = scene.house.client.data("query($id: ID!) { site(id: $id) { timeZone } }", json!({ "id": scene.site })).await;
        let zone: chrono_tz::Tz = text(&data["site"]["timeZone"]).parse().unwrap();
        // From two hours hence for an hour, every day.
        let clock = |hours| (now + TimeDelta::hours(hours)).with_timezone(&zone).format("%H:%M:%S").to_string();
        let ranges = json!([{ "days": [0, 1, 2, 3, 4, 5, 6], "starts": clock(2), "ends": clock(3) }]);
        let input = json!({ "siteId": scene.site, "name": "Hour", "ranges": ranges });
        let schedule = text(&scene.done("createSchedule", input, "schedule { id }").await["id"]);
        let level = scene.level("Hourly", &[lock], Some(&schedule)).await;
        scene.assign(&ada, &level).await;
        let pin = scene.pin(&ada, "482913", &[]).await;
        assert_eq!(scene.placements(&pin["id"]).await.len(), 1, "ahead of time");
        let confirmed = async |scene: &Scene| {
            until("it is confirmed", async || {
                let state = scene.credential(&pin["id"]).await["placements"][0]["state"].clone();
                (state == "CONFIRMED").then_some(())
            })
            .await;
        };
        confirmed(&scene).await;
        assert!(!scene.opens(lock, "482913"), "not yet");
        scene.house.advance(TimeDelta::minutes(150));
        scene.until_opens(lock, "482913", true).await;
        scene.house.advance(TimeDelta::hours(1));
        scene.until_opens(lock, "482913", false).await;
        // A day later it is the same again, though nobody asked.
        until("the next hour is said", async || {
            scene.house.advance(TimeDelta::seconds(1));
            let data = scene.house.client.data("{ commands(first: 5) { nodes { kind state } } }", json!({})).await;
            let imports = data["commands"]["nodes"].as_array().unwrap().iter().filter(|one| one["kind"] == "IMPORT_USERS" && one["state"] == "SUCCEEDED").count();
            (imports > 1).then_some(())
        })
        .await;
        scene.house.advance(TimeDelta::hours(23));
        scene.until_opens(lock, "482913", true).await;
        scene.house.stop().await;
    }

    /// An assignment has a time of its own, and ends by itself.
    async fn an_assignment_ends(back_end: BackEnd) {
        let scene = Scene::start(Plan::on(back_end).with_manual_clock()).await;
        let (ada, lock) = (scene.user("Ada").await, &scene.locks[0]);
        let now = scene.house.foundation().clock.now();
        let level = scene.level("Staff", &[lock], None).await;
        let input = json!({ "userId": ada, "accessLevelId": level, "validUntil": iso(now + TimeDelta::hours(4)) });
        scene.done("assignAccessLevel", input, "assignment { id }").await;
        let pin = scene.pin(&ada, "482913", &[]).await;
        scene.until_opens(lock, "482913", true).await;
        scene.house.advance(TimeDelta::hours(5));
        assert!(!scene.opens(lock, "482913"), "the vendor ends it by itself");
        until("it is withdrawn", async || {
            scene.house.advance(TimeDelta::seconds(1));
            (scene.placements(&pin["id"]).await[0].0 == "ABSENT").then_some(())
        })
        .await;
        scene.house.stop().await;
    }
}
