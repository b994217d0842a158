//! What makes a record at a vendor makes one, wherever its answer is lost: before, after, and while it is looked for.

use futures::future::join_all;
use gatehouse_tests::{client::text, on_both_back_ends};
use simulator::{EffectKind, Fault, FaultKind, Vendor};

use super::scene::{CREATIONS, Scene, TOO_LONG, assert_no_harm, command, effects, late_status, plan, status};
use crate::truth::mortal_worker;

/// Each creation into each loss of its answer.
async fn lose_every_answer(scene: &Scene, vendor: Vendor) {
    for (case, change) in CREATIONS.iter().enumerate().filter(|(_, change)| change.vendor == vendor) {
        let losses = [
            (FaultKind::DropBeforeEffect, 2),
            (status(503), 2),
            (FaultKind::DropAfterEffect, 1),
            (FaultKind::DropMidAnswer, 1),
            (FaultKind::Truncated, 1),
            (late_status(500), 1),
        ];
        let deleted = effects(&scene.house, vendor, EffectKind::ScheduleDeleted);
        let count = losses.len();
        for (number, (kind, sent)) in losses.into_iter().enumerate() {
            let what = format!("{} {kind:?}", change.mutation);
            let came = scene.through_fault(change, case * 10 + number, kind).await;
            came.assert_done(sent, &what);
        }
        if change.mutation == "updateAutoAccessSchedule" {
            // The vendor makes a new record of it; the one before is gone.
            assert_eq!(effects(&scene.house, vendor, EffectKind::ScheduleDeleted) - deleted, count);
        }
    }
}

/// The vendor fails while the record is looked for: nothing is concluded from that.
async fn look_in_vain(scene: &Scene, vendor: Vendor) {
    for (case, change) in CREATIONS.iter().enumerate().filter(|(_, change)| change.vendor == vendor) {
        for (number, kind) in [FaultKind::DropAfterEffect, FaultKind::DropBeforeEffect].into_iter().enumerate() {
            let sent = if kind == FaultKind::DropAfterEffect { 1 } else { 2 };
            let what = format!("{} {kind:?}", change.mutation);
            let input = change.input(scene, 200 + case * 10 + number).await;
            let before = scene.count(change);
            scene.house.vendors.add_fault(Fault::new(vendor, kind).at(change.operation).times(1)).unwrap();
            scene.house.vendors.add_fault(Fault::new(vendor, status(503)).at(change.look).times(3)).unwrap();
            let id = command(&scene.house.client, change.mutation, input).await;
            let command = scene.carried(&id).await;
            assert!(scene.house.vendors.faults().is_empty(), "{what}: it was not looked for where it would be");
            let after = scene.count(change);
            assert_eq!(command["state"], "SUCCEEDED", "{what}: {command:#}");
            assert_eq!((after.1 - before.1, after.0 - before.0), (1, sent), "{what}: {command:#}");
        }
    }
}

/// The same ring heard by many workers at once, with the answer lost.
async fn ring_many_times(scene: &Scene, vendor: Vendor) {
    for (case, change) in CREATIONS.iter().enumerate().filter(|(_, change)| change.vendor == vendor) {
        let input = change.input(scene, 400 + case * 10).await;
        let before = scene.count(change);
        scene
            .house
            .vendors
            .add_fault(Fault::new(vendor, FaultKind::DropAfterEffect).at(change.operation).times(1))
            .unwrap();
        let id = command(&scene.house.client, change.mutation, input).await;
        let lane = scene.house.row(&id).await.lane_id;
        let workers: Vec<_> = (0..6).map(|_| mortal_worker(&scene.house)).collect();
        join_all(workers.iter().map(|worker| worker.drain(lane))).await;
        let command = scene.carried(&id).await;
        let after = scene.count(change);
        assert_eq!(text(&command["state"]), "SUCCEEDED", "{}: {command:#}", change.mutation);
        assert_eq!((after.1 - before.1, after.0 - before.0), (1, 1), "{}: {command:#}", change.mutation);
    }
}

on_both_back_ends! {
    async fn a_lost_answer_is_one_record_at_raixer(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        lose_every_answer(&scene, Vendor::Raixer).await;
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    async fn a_lost_answer_is_one_record_at_lockt_and_mews(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        lose_every_answer(&scene, Vendor::Lockt).await;
        lose_every_answer(&scene, Vendor::Mews).await;
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    async fn a_vendor_that_is_down_while_it_is_asked_again_makes_no_second_record(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        for vendor in [Vendor::Raixer, Vendor::Lockt, Vendor::Mews] {
            look_in_vain(&scene, vendor).await;
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    async fn a_ring_heard_by_many_makes_one_record(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12).without_worker()).await;
        for vendor in [Vendor::Raixer, Vendor::Lockt, Vendor::Mews] {
            ring_many_times(&scene, vendor).await;
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    /// The vendor works on, though we have ceased to listen: what it makes late must not be made twice.
    async fn a_vendor_that_is_slow_makes_one_record(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        let unguarded = ["authorizePhone", "createSensor", "createFobs", "addPmsAccessToken"];
        for (number, change) in CREATIONS.iter().enumerate().filter(|(_, change)| unguarded.contains(&change.mutation)) {
            let came = scene.through_fault(change, number, FaultKind::Delay { millis: TOO_LONG }).await;
            came.assert_done(1, change.mutation);
        }
        scene.house.stop().await;
    }
}
