//! Lost answers where each making makes another record: it is made once, and surely gone or said not to be.

use chrono::TimeDelta;
use gatehouse_tests::{on_both_back_ends, wait::until};
use simulator::{Fault, FaultKind};

use super::elsewhere::{CASES, Elsewhere};
use crate::changes::scene::{assert_no_harm, effects, late_status, plan, status};

on_both_back_ends! {
    async fn a_lost_answer_neither_doubles_nor_loses_anything_elsewhere(back_end: BackEnd) {
        let turn = async |house: &gatehouse_tests::house::TestHouse| house.advance(TimeDelta::milliseconds(100));
        let house = Elsewhere::start(plan(back_end, 1), turn).await;
        let vendors = &house.scene.house.vendors;
        let losses = [
            FaultKind::DropBeforeEffect, FaultKind::DropAfterEffect, FaultKind::Garbage, status(503), late_status(500),
        ];
        for case in &CASES {
            for (number, kind) in losses.iter().enumerate() {
                let what = format!("{:?} {kind:?}", case.vendor);
                let count = |effect| effects(&house.scene.house, case.vendor, effect);
                let (created, deleted) = (count(case.created), count(case.deleted));
                vendors.add_fault(Fault::new(case.vendor, kind.clone()).at(case.create).times(1)).unwrap();
                let thing = house.wish(case, number).await;
                house.pass_until(&format!("{what}: it is placed"), &thing, |row| row.state == "CONFIRMED").await;
                assert!(vendors.faults().is_empty(), "{what}: nothing was lost");
                assert!(house.is_there(case, &thing), "{what}");
                assert_eq!(count(case.created) - created, 1, "{what}");

                vendors.add_fault(Fault::new(case.vendor, kind.clone()).at(case.delete).times(1)).unwrap();
                house.withdraw(&thing).await;
                let ended = house.pass_until(&format!("{what}: it is taken away, or cannot be"), &thing, |row| {
                    row.state == "REVOKED" || row.error_code.as_deref() == Some("CAPABILITY_MISSING")
                }).await;
                if ended.state == "REVOKED" {
                    assert_eq!(count(case.deleted) - deleted, 1, "{what}");
                } else {
                    house.remove_by_hand(case, &thing, &ended).await;
                    house.pass_until(&format!("{what}: that is noticed"), &thing, |row| row.state == "REVOKED").await;
                }
                assert!(!house.is_there(case, &thing), "{what}");
                vendors.clear_faults();
            }
        }
        assert_no_harm(&house.scene.house);
        house.scene.house.stop().await;
    }

    /// Nobody can look for it for so long that the order is given up: it is looked for before it is given again.
    async fn an_order_that_was_given_up_is_looked_for_before_another(back_end: BackEnd) {
        let turn = async |house: &gatehouse_tests::house::TestHouse| house.advance(TimeDelta::milliseconds(100));
        let house = Elsewhere::start(plan(back_end, 1), turn).await;
        let vendors = &house.scene.house.vendors;
        for (case, look) in CASES.iter().zip(["list_authorized_phones", "list_access_tokens"]) {
            let created = || effects(&house.scene.house, case.vendor, case.created);
            let before = created();
            vendors.add_fault(Fault::new(case.vendor, FaultKind::DropAfterEffect).at(case.create).times(1)).unwrap();
            let silence = vendors.add_fault(Fault::new(case.vendor, status(503)).at(look)).unwrap();
            let thing = house.wish(case, 7).await;
            until(&format!("{:?}: it is given up", case.vendor), async || {
                if house.placement(&thing).await.is_some_and(|row| row.error_code.is_some()) {
                    return Some(());
                }
                house.scene.house.advance(TimeDelta::seconds(1));
                None
            })
            .await;
            assert_eq!(created() - before, 1, "{:?}: it was made", case.vendor);
            assert!(vendors.remove_fault(silence));
            house.pass_until(&format!("{:?}: it is placed", case.vendor), &thing, |row| row.state == "CONFIRMED").await;
            assert_eq!(created() - before, 1, "{:?}", case.vendor);
            assert!(house.is_there(case, &thing), "{:?}", case.vendor);
        }
        assert_no_harm(&house.scene.house);
        house.scene.house.stop().await;
    }
}
