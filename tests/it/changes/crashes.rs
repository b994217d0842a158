//! A worker is killed at every point where it waits: one record, at most one edge, and what takes access away is done.

use gatehouse_tests::{client::text, house::BackEnd, on_both_back_ends};
use serde_json::json;
use simulator::{EffectKind, Vendor};

use super::scene::{CREATIONS, Came, Change, EDGES, Scene, assert_no_harm, command, effects, made_id, plan, record};
use crate::truth::{carry_to_the_end, crash_after, mortal_worker};

/// Kills a worker at every `stride`th point of the way of a change.
async fn crash_everywhere(scene: &Scene, change: &Change, stride: usize, check: impl Fn(&Came, &str)) {
    let mut succeeded = 0;
    for limit in (0..).step_by(stride) {
        let input = change.input(scene, limit).await;
        let before = scene.count(change);
        let id = command(&scene.house.client, change.mutation, input).await;
        let lane = scene.house.row(&id).await.lane_id;
        let survived = crash_after(limit, mortal_worker(&scene.house).drain(lane)).await.is_some();
        let command = carry_to_the_end(&scene.house, &id).await;
        let after = scene.count(change);
        succeeded += usize::from(command["state"] == "SUCCEEDED");
        let came = Came { command, sent: after.0 - before.0, effects: after.1 - before.1 };
        check(&came, &format!("{} killed at {limit}", change.mutation));
        if survived && limit > 3 {
            break;
        }
        assert!(limit < 500, "a visit waits this often?");
    }
    assert!(succeeded > 0, "{}", change.mutation);
}

async fn create_through_crashes(back_end: BackEnd, vendor: Vendor) {
    let scene = Scene::start(plan(back_end, 24).without_worker()).await;
    for change in CREATIONS.iter().filter(|change| change.vendor == vendor) {
        crash_everywhere(&scene, change, 1, |came, what| {
            came.assert_true(what);
            assert_eq!((&came.command["state"], came.effects), (&json!("SUCCEEDED"), 1), "{what}: {:#}", came.command);
        })
        .await;
    }
    assert_no_harm(&scene.house);
    scene.house.stop().await;
}

on_both_back_ends! {
    async fn a_worker_killed_anywhere_makes_one_record_at_raixer(back_end: BackEnd) {
        create_through_crashes(back_end, Vendor::Raixer).await;
    }

    async fn a_worker_killed_anywhere_makes_one_record_at_lockt(back_end: BackEnd) {
        create_through_crashes(back_end, Vendor::Lockt).await;
    }

    async fn a_worker_killed_anywhere_makes_one_record_at_mews(back_end: BackEnd) {
        create_through_crashes(back_end, Vendor::Mews).await;
    }

    async fn a_worker_killed_anywhere_sends_no_edge_twice(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 24).without_worker()).await;
        for change in &EDGES {
            crash_everywhere(&scene, change, 2, |came, what| {
                came.assert_true(what);
                assert!(came.sent <= 1, "{what}: {} requests: {:#}", came.sent, came.command);
            })
            .await;
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    /// A revocation has no outcome but that it is done.
    async fn a_worker_killed_anywhere_still_takes_a_phone_away(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 4).without_worker()).await;
        for limit in 0.. {
            let number = format!("35192{limit:07}");
            let id = scene.done("authorizePhone", json!({ "deviceId": scene.device(limit)["id"], "number": number })).await;
            let made = made_id(&scene.house, &id).await;
            let phone = record(&scene.house, "CREDENTIAL", &made).await.unwrap();
            let before = effects(&scene.house, Vendor::Raixer, EffectKind::PhoneNumberRemoved);
            let id = command(&scene.house.client, "removePhone", json!({ "phoneId": phone["id"] })).await;
            let lane = scene.house.row(&id).await.lane_id;
            let survived = crash_after(limit, mortal_worker(&scene.house).drain(lane)).await.is_some();
            let command = carry_to_the_end(&scene.house, &id).await;
            assert_eq!(text(&command["state"]), "SUCCEEDED", "killed at {limit}: {command:#}");
            assert_eq!(effects(&scene.house, Vendor::Raixer, EffectKind::PhoneNumberRemoved) - before, 1);
            if survived && limit > 3 {
                break;
            }
        }
        scene.house.stop().await;
    }
}
