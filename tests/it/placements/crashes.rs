//! A worker is killed at every point of a placement's way: one record at the vendor, and what is to be gone is gone.

use chrono::TimeDelta;
use domain::{ids::VendorAccountId, stay::StayTiming};
use entities::{
    rows::placement,
    store::stays::{Settling, settle_one},
};
use gatehouse_tests::{house::TestHouse, on_both_back_ends};
use simulator::{EffectKind, Vendor};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use worker::{accounts::Accounts, drain_lane::Lanes, placements::Reconciler};

use super::{
    elsewhere::{CASES, Case, Elsewhere, Thing},
    scene::{Pin, Scene},
};
use crate::{
    changes::scene::{assert_no_harm, effects, plan},
    orders::account_id,
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

    /// One look at the placements of an account, then one at the lanes that orders are in.
    async fn work(&self, house: &TestHouse, account: VendorAccountId) {
        self.reconciler.reconcile(account).await.unwrap();
        let now = house.foundation().clock.now();
        for lane in entities::work::overdue_lanes(house.database(), now, now, 100).await.unwrap() {
            self.lanes.drain(lane).await.unwrap();
        }
        self.reconciler.reconcile(account).await.unwrap();
    }
}

/// Settles the stays that are due, as the workers' jobs do.
async fn settle(house: &TestHouse) {
    let now = house.foundation().clock.now();
    let timing = StayTiming::default();
    let settling = Settling { ids: house.foundation().ids.as_ref(), timing: &timing };
    for stay in entities::work::stays::due(house.database(), now, 100).await.unwrap() {
        settle_one(house.database(), &settling, stay, now).await.unwrap();
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
        hands.work(&scene.house, scene.lockt).await;
        scene.house.advance(TimeDelta::seconds(2));
    }
    panic!("{state} was not reached: {:?}", scene.placement(pin).await);
}

/// Works until there is a placement: what the PMS shows is in a lock first.
async fn appear(house: &Elsewhere, thing: &Thing) {
    let (scene, hands) = (&house.scene, Hands::of(&house.scene.house));
    for _ in 0..200 {
        settle(&scene.house).await;
        if house.placement(thing).await.is_some() {
            return;
        }
        hands.work(&scene.house, scene.lockt).await;
        scene.house.advance(TimeDelta::seconds(1));
    }
    panic!("nothing was to be placed");
}

/// Fresh workers carry on until a placement is so.
async fn reach(
    house: &Elsewhere,
    case: &Case,
    thing: &Thing,
    is_so: impl Fn(&placement::Model) -> bool,
) -> placement::Model {
    house.scene.house.advance(worker::drain_lane::LEASE + TimeDelta::seconds(1));
    let (scene, hands) = (&house.scene, Hands::of(&house.scene.house));
    for _ in 0..200 {
        if let Some(row) = house.placement(thing).await.filter(|row| is_so(row)) {
            return row;
        }
        settle(&scene.house).await;
        for account in [scene.lockt, house.account(case)] {
            hands.work(&scene.house, account).await;
        }
        scene.house.advance(TimeDelta::seconds(2));
    }
    panic!("not reached: {:?}", house.placement(thing).await);
}

on_both_back_ends! {
    async fn a_worker_killed_anywhere_places_once_and_takes_away(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 1).without_worker()).await;
        for limit in (0..).step_by(2) {
            let before = effects(&scene.house, Vendor::Lockt, EffectKind::UserCreated);
            let pin = scene.wish(&format!("6{limit:04}7")).await;
            let placed = crash_after(limit, Hands::of(&scene.house).work(&scene.house, scene.lockt)).await.is_some();
            carry_on(&scene, &pin, "CONFIRMED").await;
            assert!(scene.opens(&pin), "killed at {limit}");
            assert_eq!(effects(&scene.house, Vendor::Lockt, EffectKind::UserCreated) - before, 1, "killed at {limit}");
            scene.revoke(&pin).await;
            let gone = crash_after(limit, Hands::of(&scene.house).work(&scene.house, scene.lockt)).await.is_some();
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

    /// The same where each making makes another record.
    async fn a_worker_killed_anywhere_makes_one_record_elsewhere(back_end: BackEnd) {
        let turn = async |house: &TestHouse| {
            let raixer = account_id(house, Vendor::Raixer).await;
            Hands::of(house).work(house, raixer).await;
            house.advance(TimeDelta::seconds(1));
        };
        let house = Elsewhere::start(plan(back_end, 1).without_worker(), turn).await;
        for case in &CASES {
            for limit in (0..).step_by(5) {
                let what = format!("{:?} killed at {limit}", case.vendor);
                let count = |effect| effects(&house.scene.house, case.vendor, effect);
                let work = || async { Hands::of(&house.scene.house).work(&house.scene.house, house.account(case)).await };
                let (created, deleted) = (count(case.created), count(case.deleted));
                let thing = house.wish(case, 100 + limit).await;
                appear(&house, &thing).await;
                let placed = crash_after(limit, work()).await.is_some();
                reach(&house, case, &thing, |row| row.state == "CONFIRMED").await;
                assert!(house.is_there(case, &thing), "{what}");
                assert_eq!(count(case.created) - created, 1, "{what}");
                house.withdraw(&thing).await;
                let gone = crash_after(limit, work()).await.is_some();
                let row = reach(&house, case, &thing, |row| {
                    row.state == "REVOKED" || row.error_code.as_deref() == Some("CAPABILITY_MISSING")
                }).await;
                if row.state == "REVOKED" {
                    assert_eq!(count(case.deleted) - deleted, 1, "{what}");
                } else {
                    house.remove_by_hand(case, &thing, &row).await;
                    reach(&house, case, &thing, |row| row.state == "REVOKED").await;
                }
                assert!(!house.is_there(case, &thing), "{what}");
                if placed && gone {
                    break;
                }
                assert!(limit < 400, "a placement waits this often?");
            }
        }
        assert_no_harm(&house.scene.house);
        house.scene.house.stop().await;
    }
}
