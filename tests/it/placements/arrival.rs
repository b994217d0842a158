//! Getting there: in place, once, through lost answers, and changed there without a gap.

use chrono::TimeDelta;
use gatehouse_tests::on_both_back_ends;
use simulator::{EffectKind, Fault, FaultKind, Vendor};

use super::scene::Scene;
use crate::changes::scene::{assert_no_harm, effects, late_status, status};

on_both_back_ends! {
    /// It is read back before it is called placed, and its end is always set at the vendor.
    async fn a_pin_is_placed_changed_and_taken_away(back_end: BackEnd) {
        let scene = Scene::small(back_end).await;
        let pin = scene.placed("482913").await;
        let row = scene.placement(&pin).await;
        assert!(row.external_id.is_some() && row.last_confirmed_at.is_some() && row.error_code.is_none(), "{row:?}");
        assert_eq!(effects(&scene.house, Vendor::Lockt, EffectKind::UserCreated), 1);

        let other = scene.reissue(&pin, "739164").await;
        scene.state(&other, "CONFIRMED").await;
        scene.pass_until("the other value opens", &other, |_| scene.opens(&other)).await;
        assert!(!scene.opens(&pin), "the old value is replaced in place");

        scene.until(&other, scene.now() + TimeDelta::days(40)).await;
        let confirmed = row.last_confirmed_at;
        scene.pass_until("the new end is read back", &other, |row| {
            assert!(scene.opens(&other), "it opens all the time");
            row.state == "CONFIRMED" && row.last_confirmed_at > confirmed && row.due_at.is_none()
        }).await;

        scene.revoke(&other).await;
        let row = scene.state(&other, "REVOKED").await;
        assert!(!scene.opens(&other) && row.revoked_at.is_some());
        assert_eq!(scene.placement(&other).await.external_id, row.external_id, "Lockt deletes nobody");
        assert_eq!(effects(&scene.house, Vendor::Lockt, EffectKind::UserCreated), 1);
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    /// Whatever happens to a request or its answer: one person there, and the code works; and then is gone.
    async fn a_lost_answer_neither_doubles_nor_loses_anything(back_end: BackEnd) {
        let scene = Scene::small(back_end).await;
        let losses = [
            FaultKind::DropBeforeEffect, FaultKind::DropAfterEffect, FaultKind::DropMidAnswer, FaultKind::Garbage,
            status(503), late_status(500), status(429),
        ];
        for (number, kind) in losses.into_iter().enumerate() {
            let what = format!("{kind:?}");
            let before = effects(&scene.house, Vendor::Lockt, EffectKind::UserCreated);
            let fault = || Fault::new(Vendor::Lockt, kind.clone()).at("import_users").times(1);
            scene.house.vendors.add_fault(fault()).unwrap();
            let pin = scene.wish(&format!("48{number}913")).await;
            scene.state(&pin, "CONFIRMED").await;
            assert!(scene.opens(&pin), "{what}");
            assert_eq!(effects(&scene.house, Vendor::Lockt, EffectKind::UserCreated) - before, 1, "{what}");
            scene.house.vendors.clear_faults();

            scene.house.vendors.add_fault(fault()).unwrap();
            scene.revoke(&pin).await;
            scene.state(&pin, "REVOKED").await;
            assert!(!scene.opens(&pin), "{what}");
            scene.house.vendors.clear_faults();
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    /// An account that cannot be used is said so, and what waits goes on when it can.
    async fn an_account_that_cannot_be_used_holds_back_and_wakes(back_end: BackEnd) {
        let scene = Scene::small(back_end).await;
        let refused = scene.house.vendors.add_fault(Fault::new(Vendor::Lockt, status(401))).unwrap();
        let pin = scene.wish("482913").await;
        scene.pass_until("it is said", &pin, |row| row.error_code.as_deref() == Some("ACCOUNT_NOT_USABLE")).await;
        assert!(!scene.opens(&pin));
        assert!(scene.house.vendors.remove_fault(refused));
        scene.relink().await;
        let row = scene.state(&pin, "CONFIRMED").await;
        assert_eq!(row.error_code, None);
        assert!(scene.opens(&pin));
        scene.house.stop().await;
    }
}
