//! Taking away: first in line, never given up, and never called done before it is read back (P9).

use chrono::TimeDelta;
use gatehouse_tests::{on_both_back_ends, wait::until};
use serde_json::json;
use simulator::{Fault, Vendor};

use super::scene::{Pin, Scene};
use crate::{
    changes::scene::{plan, status},
    tokens::scene::ask,
};

on_both_back_ends! {
    /// P9: seven days without the vendor, with dead workers and a new link in between; for a person's credential and for a
    /// guest's token.
    async fn seven_days_of_outage_delay_a_revocation_and_no_more(back_end: BackEnd) {
        let mut scene = Scene::small(back_end).await;
        let pin = scene.placed("482913").await;
        let token = scene.token("739154").await;
        let shown = scene.token_in(&token, "ACTIVE").await;
        assert!(scene.would_open("739154"), "{shown:#}");
        let down = scene.house.vendors.add_fault(Fault::new(Vendor::Lockt, status(503))).unwrap();
        scene.revoke(&pin).await;
        ask(&scene.house.client, "revokeAccessToken", json!({ "accessTokenId": token }), "accessToken { id }").await;
        let asked = scene.now();
        let notice = |severity: &str| vec![("REVOCATION_OVERDUE".to_owned(), severity.to_owned())];
        assert_eq!(scene.alerts(&pin).await, Vec::new());
        for (after, severity) in
            [(TimeDelta::minutes(1), "NOTICE"), (TimeDelta::minutes(15), "WARNING"), (TimeDelta::hours(1), "CRITICAL")]
        {
            scene.pass(asked + after - TimeDelta::seconds(1) - scene.now(), TimeDelta::minutes(1)).await;
            let earlier = scene.alerts(&pin).await;
            assert_ne!(earlier, notice(severity), "not before its time");
            until("somebody is told in time", async || {
                let told = scene.alerts(&pin).await;
                scene.house.advance(TimeDelta::milliseconds(200));
                (told == notice(severity)).then_some(())
            }).await;
            assert!(scene.now() - asked < after + TimeDelta::seconds(60), "{severity} after {}", scene.now() - asked);
        }
        for day in 0..7 {
            scene.pass(TimeDelta::hours(23), TimeDelta::hours(1)).await;
            scene.house.kill_workers();
            scene.house.start_worker().await;
            if day == 3 {
                scene.relink().await;
            }
            let row = scene.placement(&pin).await;
            assert_ne!(row.state, "REVOKED", "nobody has read it back");
            assert!(scene.opens(&pin), "the lock still has it");
            let told = scene.read_token(&token).await;
            assert_eq!(told["state"], "REVOKING", "{told:#}");
            assert!(scene.would_open("739154"), "the lock still has it");
            assert_eq!(told["exposure"], json!({ "mayOpen": true, "until": shown["validUntil"] }), "{told:#}");
        }
        assert!(scene.house.vendors.remove_fault(down));
        let reachable = scene.now();
        scene.state(&pin, "REVOKED").await;
        assert!(scene.now() - reachable < TimeDelta::seconds(60), "after {}", scene.now() - reachable);
        assert!(!scene.opens(&pin));
        assert_eq!(scene.alerts(&pin).await, Vec::new(), "resolved");
        let told = scene.token_in(&token, "REVOKED").await;
        assert!(scene.now() - reachable < TimeDelta::seconds(60), "after {}", scene.now() - reachable);
        assert_eq!(told["exposure"], json!({ "mayOpen": false, "until": null }), "{told:#}");
        assert!(!scene.would_open("739154"));
        scene.house.stop().await;
    }

    /// Nobody is called gone who cannot be looked up.
    async fn who_cannot_be_looked_up_is_not_called_gone(back_end: BackEnd) {
        let scene = Scene::small(back_end).await;
        let pin = scene.placed("482913").await;
        for operation in ["get_user", "find_user"] {
            scene.house.vendors.add_fault(Fault::new(Vendor::Lockt, status(503)).at(operation)).unwrap();
        }
        scene.revoke(&pin).await;
        // Whom to disable has to be looked up too, so nothing is sent in this time.
        scene.pass(TimeDelta::seconds(40), TimeDelta::seconds(1)).await;
        assert_ne!(scene.placement(&pin).await.state, "REVOKED");
        scene.house.vendors.clear_faults();
        scene.state(&pin, "REVOKED").await;
        assert!(!scene.opens(&pin));
        scene.house.stop().await;
    }

    /// It does not wait for what was wished for before it.
    async fn a_revocation_overtakes_150_that_wait(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 1)).await;
        let pin = scene.placed("482913").await;
        let mut waiting: Vec<Pin> = Vec::new();
        for number in 0..150 {
            waiting.push(scene.wish(&format!("7{number:03}46")).await);
        }
        scene.house.advance(TimeDelta::seconds(2));
        until("some are on their way", async || {
            scene.house.advance(TimeDelta::milliseconds(20));
            let mut placed = 0;
            for pin in waiting.iter().take(8) {
                placed += usize::from(scene.opens(pin));
            }
            (placed > 0).then_some(())
        })
        .await;
        scene.revoke(&pin).await;
        scene.state(&pin, "REVOKED").await;
        let overtaken = waiting.iter().filter(|pin| !scene.opens(pin)).count();
        assert!(overtaken > 75, "only {overtaken} were still waiting");
        for pin in &waiting {
            scene.state(pin, "CONFIRMED").await;
        }
        scene.house.stop().await;
    }
}
