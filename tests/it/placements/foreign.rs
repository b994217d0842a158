//! What others do at the vendor (P11): zombies and drift are found and put right, foreign codes are left alone, and one
//! odd read changes nothing.

use chrono::TimeDelta;
use gatehouse_tests::on_both_back_ends;
use serde_json::json;
use simulator::{LocktChange, Vendor};

use super::scene::Scene;
use crate::changes::scene::{mutate, records, sent};

fn user_of(row: &entities::rows::placement::Model) -> u64 {
    row.external_id.as_deref().unwrap().parse().unwrap()
}

on_both_back_ends! {
    async fn what_comes_back_is_taken_away_within_one_sync(back_end: BackEnd) {
        let scene = Scene::small(back_end).await;
        let pin = scene.wish("482913").await;
        scene.state(&pin, "CONFIRMED").await;
        let level = scene.level(&pin).await;
        scene.revoke(&pin).await;
        scene.state(&pin, "REVOKED").await;
        scene.sync().await;
        scene.reopen(&pin, level).await;
        assert!(scene.opens(&pin), "a zombie");
        scene.sync().await;
        scene.pass_until("it is gone again", &pin, |row| row.state == "REVOKED" && !scene.opens(&pin)).await;
        assert_eq!(scene.raised(&pin, "ZOMBIE").await, 1);
        assert_eq!(scene.alerts(&pin).await, Vec::new(), "resolved when it was gone");
        scene.house.stop().await;
    }

    async fn what_others_change_is_put_right_after_a_second_read(back_end: BackEnd) {
        let scene = Scene::small(back_end).await;
        let pin = scene.placed("482913").await;
        for number in 0..3 {
            let user = user_of(&scene.placement(&pin).await);
            scene.by_hand(match number {
                0 => LocktChange::UserLevels { user, levels: Vec::new() },
                1 => LocktChange::UserEnabled { user, enabled: false },
                _ => LocktChange::UserRemoved { user },
            });
            assert!(!scene.opens(&pin));
            scene.sync().await;
            scene.pass_until("it opens again", &pin, |row| row.state == "CONFIRMED" && scene.opens(&pin)).await;
            assert_eq!(scene.raised(&pin, "DRIFT").await, number + 1);
            assert_eq!(scene.alerts(&pin).await, Vec::new(), "resolved when it was put right");
        }
        scene.house.stop().await;
    }

    /// People who are not ours keep what they have.
    async fn a_foreign_code_is_never_touched(back_end: BackEnd) {
        let scene = Scene::small(back_end).await;
        let pin = scene.placed("482913").await;
        let level = scene.level(&pin).await.to_string();
        let levels = records(&scene.house, json!({ "kinds": ["ACCESS_LEVEL"], "externalId": level })).await;
        let theirs = json!([{ "idNumber": "HR-9", "firstName": "Ben", "lastName": "Staff", "pin": "555123",
            "accessLevelIds": [levels[0]["id"]] }]);
        let input = json!({ "vendorAccountId": scene.lockt.to_string(), "users": theirs });
        mutate(&scene.house.client, "importUsers", input).await;
        scene.pass_until("Ben gets in", &pin, |_| scene.would_open("555123")).await;
        scene.sync().await;
        scene.revoke(&pin).await;
        scene.state(&pin, "REVOKED").await;
        scene.sync().await;
        scene.pass(TimeDelta::seconds(30), TimeDelta::seconds(1)).await;
        assert!(scene.would_open("555123"), "nobody touched it");
        scene.house.stop().await;
    }

    /// What one read shows and the next does not is left alone.
    async fn one_odd_read_changes_nothing(back_end: BackEnd) {
        let mut scene = Scene::small(back_end).await;
        let pin = scene.placed("482913").await;
        let (user, level) = (user_of(&scene.placement(&pin).await), scene.level(&pin).await);
        let before = sent(&scene.house, Vendor::Lockt, "import_users");
        scene.by_hand(LocktChange::UserLevels { user, levels: Vec::new() });
        // Slowly: the second read must not come before the test looks.
        scene.step = TimeDelta::milliseconds(10);
        scene.wish_for_sync().await;
        scene.pass_until("it was read once", &pin, |row| row.progress().unwrap().odd_reads == 1).await;
        scene.by_hand(LocktChange::UserLevels { user, levels: vec![level] });
        scene.pass(TimeDelta::seconds(30), TimeDelta::seconds(1)).await;
        let row = scene.placement(&pin).await;
        assert_eq!((row.state.as_str(), row.error_code), ("CONFIRMED", None));
        assert_eq!(sent(&scene.house, Vendor::Lockt, "import_users"), before);
        assert_eq!(scene.all_alerts(&pin).await, Vec::new());
        scene.house.stop().await;
    }
}
