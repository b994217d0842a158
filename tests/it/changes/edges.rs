//! What opens, or lets the bell or a call open, is sent once: nobody knows for whom a repetition would open.

use gatehouse_tests::on_both_back_ends;
use serde_json::json;
use simulator::{EffectKind, FaultKind, Vendor};

use super::scene::{EDGES, Scene, assert_no_harm, effects, late_status, plan, sent, status};
use crate::orders::failure;

on_both_back_ends! {
    async fn an_edge_is_never_sent_twice(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        for (case, change) in EDGES.iter().enumerate() {
            let losses = [
                (FaultKind::DropBeforeEffect, 0),
                (status(503), 0),
                (FaultKind::DropAfterEffect, 1),
                (FaultKind::Garbage, 1),
                (late_status(500), 1),
            ];
            for (number, (kind, effects)) in losses.into_iter().enumerate() {
                let what = format!("{} {kind:?}", change.mutation);
                let came = scene.through_fault(change, case + number, kind).await;
                assert_eq!((came.sent, came.effects), (1, effects), "{what}: {:#}", came.command);
                came.assert_true(&what);
                // Nothing shows that it was not done, so nothing claims it: only a vendor's no is a failure.
                assert_ne!(came.command["state"], "FAILED", "{what}: {:#}", came.command);
            }
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    /// What the vendor shows afterwards is evidence for an edge too.
    async fn an_edge_whose_answer_was_lost_is_seen_where_the_vendor_shows_it(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        let shown = ["startAutoAccess", "setPhoneAccess", "setAnyCallerAccess"];
        for (number, change) in EDGES.iter().enumerate().filter(|(_, change)| shown.contains(&change.mutation)) {
            let came = scene.through_fault(change, number, FaultKind::DropAfterEffect).await;
            came.assert_done(1, change.mutation);
        }
        scene.house.stop().await;
    }

    /// A function that the vendor does not want to be called directly is refused before anything is sent.
    async fn a_discouraged_function_is_never_called(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 2)).await;
        for (function, argument) in [("openDoor", None), ("resetMemory", None), ("relay", Some("5")), ("nonsense", None)] {
            let input = json!({
                "deviceId": scene.device(0)["id"], "function": function, "argument": argument,
            });
            let id = scene.house.client.command("executeDeviceFunction", input).await;
            let command = scene.carried(&id).await;
            assert_eq!((&command["state"], failure(&command)), (&json!("FAILED"), "UNSUPPORTED"), "{command:#}");
        }
        assert_eq!(sent(&scene.house, Vendor::Raixer, "call_function"), 0);
        assert_eq!(effects(&scene.house, Vendor::Raixer, EffectKind::DirectFunction), 0);
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }
}
