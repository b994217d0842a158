//! A worker is killed at every point of a placement's way: one record at the vendor, and what is to be gone is gone.

use chrono::TimeDelta;
use gatehouse_tests::{house::TestHouse, on_both_back_ends};
use simulator::{EffectKind, Vendor};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use worker::{accounts::Accounts, drain_lane::Lanes, placements::Reconciler};

use super::scene::{Pin, Scene};
use crate::{
    changes::scene::{assert_no_harm, effects, plan},
    truth::crash_after,
};

/// A worker's hands, without the loops that drive them: the test does.
struct Hands {
    lanes: Arc<Lanes>,
    reconciler: Arc<Reconciler>,
}

impl Hands {
    fn of(house: &TestHouse) -> Self {
        let parts = gatehouse::house::worker_parts(house.foundation(), &house.settings).unwrap();
        let accounts = Arc::new(Accounts::new(parts.clone()));
        let token = CancellationToken::new();
        let reconciler = Reconciler::new(parts.clone(), Arc::clone(&accounts), token.clone());
        Self { lanes: Lanes::new(parts, accounts, token), reconciler }
    }

    /// One look at the placements, then one at the lane that their orders are in.
    async fn work(&self, scene: &Scene) {
        self.reconciler.reconcile(scene.lockt).await.unwrap();
        self.lanes.drain(scene.lockt.0).await.unwrap();
        self.reconciler.reconcile(scene.lockt).await.unwrap();
    }
}

/// Fresh workers carry on until a placement is in a state, moving the clock as time would.
async fn carry_on(scene: &Scene, pin: &Pin, state: &str) {
    scene.house.advance(worker::drain_lane::LEASE + TimeDelta::seconds(1));
    let hands = Hands::of(&scene.house);
    for _ in 0..200 {
        if scene.placement(pin).await.state == state {
            return;
        }
        hands.work(scene).await;
        scene.house.advance(TimeDelta::seconds(2));
    }
    panic!("{state} was not reached: {:?}", scene.placement(pin).await);
}

on_both_back_ends! {
    async fn a_worker_killed_anywhere_places_once_and_takes_away(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 1).without_worker()).await;
        for limit in (0..).step_by(2) {
            let before = effects(&scene.house, Vendor::Lockt, EffectKind::UserCreated);
            let pin = scene.wish(&format!("6{limit:04}7")).await;
            let placed = crash_after(limit, Hands::of(&scene.house).work(&scene)).await.is_some();
            carry_on(&scene, &pin, "CONFIRMED").await;
            assert!(scene.opens(&pin), "killed at {limit}");
            assert_eq!(effects(&scene.house, Vendor::Lockt, EffectKind::UserCreated) - before, 1, "killed at {limit}");
            scene.revoke(&pin).await;
            let gone = crash_after(limit, Hands::of(&scene.house).work(&scene)).await.is_some();
            carry_on(&scene, &pin, "REVOKED").await;
            assert!(!scene.opens(&pin), "killed at {limit}");
            if placed && gone {
                break;
            }
            assert!(limit < 400, "a placement waits this often?");
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }
}
