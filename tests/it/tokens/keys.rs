//! The same key and the same order are the same object, however often and however many at once; another order is refused.

use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::json;

use super::scene::{Hotel, ask, code};

on_both_back_ends! {
    async fn a_hundred_at_once_are_one_token(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 1, 2).await;
        let keyed = json!({ "idempotencyKey": "once" });
        let payloads = futures::future::join_all((0..100).map(|_| hotel.issue(&stay, keyed.clone()))).await;
        let token = text(&payloads[0]["accessToken"]["id"]);
        for payload in &payloads {
            assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
            assert_eq!(payload["accessToken"]["id"], token);
        }
        assert_eq!(hotel.tokens().await, 1);
        assert_eq!(hotel.events("TOKEN_ISSUED").await.len(), 1);
        let value = hotel.value(&token).await;
        assert_eq!(hotel.issued(&stay, keyed.clone()).await, token);
        assert_eq!(hotel.value(&token).await, value, "a drawn PIN stays the same");
        for other in [json!({ "value": "482913" }), json!({ "doorIds": [hotel.locks[1]["id"]] })] {
            let mut input = keyed.clone();
            input.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
            assert_eq!(code(&hotel.issue(&stay, input).await), Some("IDEMPOTENCY_KEY_REUSED"));
        }
        // Without a key each call is an order of its own, and another caller's key is another key.
        assert_ne!(hotel.issued(&stay, json!({})).await, token);
        let other = hotel.house.caller_with_role(domain::access::Role::Manager).await;
        let input = json!({ "reservationId": stay, "tokenType": "PIN_CODE", "idempotencyKey": "once" });
        let payload = ask(&other, "issueAccessToken", input, "accessToken { id }").await;
        assert!(payload["accessToken"]["id"].is_string() && payload["accessToken"]["id"] != token, "{payload:#}");
        // The order counts, also when it could not be given any more.
        assert_eq!(hotel.revoke(&token).await["userErrors"], json!([]));
        assert_eq!(hotel.issued(&stay, keyed).await, token);
        hotel.house.stop().await;
    }

    async fn every_mutation_keeps_its_key(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        let mut input = hotel.stay_input(&[&hotel.locks[0]], 1, 2);
        input["idempotencyKey"] = json!("k");
        let made = futures::future::join_all(
            (0..20).map(|_| ask(hotel.client(), "createReservation", input.clone(), "reservation { id }")),
        )
        .await;
        let stay = text(&made[0]["reservation"]["id"]);
        assert!(made.iter().all(|payload| payload["reservation"]["id"] == stay), "{made:#?}");
        let data = hotel.client().data("{ reservations(filter: { readiness: [PENDING, AT_RISK, FAILED] }) { totalCount } }", json!({})).await;
        assert!(data["reservations"]["totalCount"].as_u64().is_some());
        input["guest"] = json!({ "name": "Somebody else" });
        assert_eq!(code(&ask(hotel.client(), "createReservation", input, "reservation { id }").await), Some("IDEMPOTENCY_KEY_REUSED"));
        // A key belongs to one mutation.
        let issued = hotel.issue(&stay, json!({ "idempotencyKey": "k" })).await;
        assert_eq!(code(&issued), Some("IDEMPOTENCY_KEY_REUSED"), "{issued:#}");
        let token = hotel.issued(&stay, json!({})).await;
        let draw = json!({ "drawValue": true, "idempotencyKey": "draw" });
        let drawn = futures::future::join_all((0..20).map(|_| hotel.update(&token, draw.clone()))).await;
        assert!(drawn.iter().all(|payload| payload["accessToken"]["id"] == token), "{drawn:#?}");
        assert_eq!(hotel.events("TOKEN_CHANGED").await.len(), 1, "drawn once");
        let value = hotel.value(&token).await;
        assert_eq!(hotel.update(&token, draw).await["userErrors"], json!([]));
        assert_eq!(hotel.value(&token).await, value);
        for (mutation, input) in [
            ("updateReservation", json!({ "reservationId": stay, "doorIds": [hotel.locks[1]["id"]], "idempotencyKey": "u" })),
            ("cancelReservation", json!({ "reservationId": stay, "idempotencyKey": "c" })),
        ] {
            for _ in 0..2 {
                let payload = ask(hotel.client(), mutation, input.clone(), "reservation { id }").await;
                assert_eq!(payload["reservation"]["id"], stay, "{payload:#}");
            }
            let mut other = input.clone();
            other["reservationId"] = json!(hotel.stay(&[&hotel.locks[0]], 1, 2).await);
            let payload = ask(hotel.client(), mutation, other, "reservation { id }").await;
            assert_eq!(code(&payload), Some("IDEMPOTENCY_KEY_REUSED"), "{payload:#}");
        }
        hotel.house.stop().await;
    }
}
