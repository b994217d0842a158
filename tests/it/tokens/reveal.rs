//! Who is shown a value, how often, and what is kept of that.

use chrono::TimeDelta;
use domain::{access::Role, ids::SiteId};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::json;

use super::scene::{Hotel, ask, code, reveal};

on_both_back_ends! {
    async fn a_value_is_shown_to_managers_who_say_why(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 1, 2).await;
        let token = hotel.issued(&stay, json!({ "value": "482913" })).await;
        for role in [Role::Viewer, Role::Operator] {
            let caller = hotel.house.caller_with_role(role).await;
            let refused = reveal(&caller, &token).await;
            assert_eq!((code(&refused), refused["value"].is_null()), (Some("FORBIDDEN"), true), "{refused:#}");
        }
        let mut limited = KeyPlan::unlimited("limited", Role::Admin);
        limited.sites.extend(hotel.site.parse::<SiteId>().ok());
        assert_eq!(code(&reveal(&hotel.house.caller(&limited).await, &token).await), Some("FORBIDDEN"));
        assert_eq!(code(&reveal(&hotel.house.stranger().await, &token).await), Some("NOT_FOUND"));
        for reason in ["", " ", "a\nb", "The PIN is 482913"] {
            let input = json!({ "accessTokenId": token, "reason": reason });
            let refused = ask(hotel.client(), "revealAccessToken", input, "value").await;
            assert_eq!(code(&refused), Some("INVALID_INPUT"), "{reason}: {refused:#}");
        }
        assert_eq!(hotel.events("TOKEN_REVEALED").await.len(), 0, "nobody was shown anything");
        let shown = reveal(hotel.client(), &token).await;
        assert_eq!((&shown["value"], &shown["accessToken"]["id"]), (&json!("482913"), &json!(token)), "{shown:#}");
        let events = hotel.events("TOKEN_REVEALED").await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["data"]["token"], token);
        assert_eq!(events[0]["data"]["reason"], "The guest is at the desk");
        assert!(events[0]["actor"].as_str().is_some_and(|actor| actor.starts_with("key_")), "{events:#?}");
        assert!(!json!(events).to_string().contains("482913"));
        hotel.revoke(&token).await;
        let refused = reveal(hotel.client(), &token).await;
        assert_eq!((code(&refused), refused["value"].is_null()), (Some("TOO_LATE"), true), "{refused:#}");
        assert_eq!(hotel.events("TOKEN_REVEALED").await.len(), 1);
        hotel.house.stop().await;
    }

    /// Ten in a minute, also when all come at once; each caller has their own.
    async fn who_collects_values_is_stopped(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 1, 2).await;
        let token = hotel.issued(&stay, json!({})).await;
        let at_once = futures::future::join_all((0..25).map(|_| reveal(hotel.client(), &token))).await;
        let (shown, refused): (Vec<_>, Vec<_>) = at_once.iter().partition(|payload| payload["value"].is_string());
        assert_eq!((shown.len(), refused.len()), (10, 15), "{refused:#?}");
        assert!(refused.iter().all(|payload| code(payload) == Some("RATE_LIMITED")), "{refused:#?}");
        assert_eq!(hotel.events("TOKEN_REVEALED").await.len(), 10);
        let other = hotel.house.caller_with_role(Role::Manager).await;
        assert!(reveal(&other, &token).await["value"].is_string());
        hotel.house.advance(TimeDelta::seconds(59));
        assert_eq!(code(&reveal(hotel.client(), &token).await), Some("RATE_LIMITED"));
        hotel.house.advance(TimeDelta::seconds(2));
        assert!(reveal(hotel.client(), &token).await["value"].is_string());
        hotel.house.stop().await;
    }

    /// Keys that one makes oneself have no minute of their own, and all together have one too.
    async fn more_keys_show_no_more_values(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 1, 2).await;
        let token = hotel.issued(&stay, json!({})).await;
        let manager = hotel.house.caller_with_role(Role::Manager).await;
        let mut family = vec![manager];
        for maker in 0..12 {
            // Of the first, of one that it made, and of one that this made.
            let input = json!({ "name": "minted", "role": "MANAGER" });
            let made = ask(&family[maker.min(2)], "createApiKey", input, "secret").await;
            family.push(hotel.client().with_key(&text(&made["secret"])));
        }
        let mut shown = 0;
        for key in &family {
            for _ in 0..3 {
                let payload = reveal(key, &token).await;
                assert!(payload["value"].is_string() || code(&payload) == Some("RATE_LIMITED"), "{payload:#}");
                shown += usize::from(payload["value"].is_string());
            }
        }
        assert_eq!(shown, 10, "all of them together");
        // Others have their own minute, up to what the house has.
        for _ in 0..7 {
            let other = hotel.house.caller_with_role(Role::Manager).await;
            for _ in 0..10 {
                shown += usize::from(reveal(&other, &token).await["value"].is_string());
            }
        }
        assert_eq!(shown, 60);
        assert_eq!(code(&reveal(hotel.client(), &token).await), Some("RATE_LIMITED"));
        hotel.house.advance(TimeDelta::seconds(61));
        assert!(reveal(&family[12], &token).await["value"].is_string());
        hotel.house.stop().await;
    }
}
