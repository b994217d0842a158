//! What may be issued, changed and revoked, and what is refused without a trace.

use chrono::TimeDelta;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};

use super::scene::{Hotel, ask, code, iso};

on_both_back_ends! {
    /// A PIN is drawn, sealed, and belongs to the stay's doors from grace to grace.
    async fn a_token_follows_its_stay(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let stay = hotel.stay(&[&hotel.locks[0], &hotel.locks[1]], 3, 2).await;
        let payload = hotel.issue(&stay, json!({})).await;
        let token = &payload["accessToken"];
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        assert_eq!((&token["tokenType"], &token["state"]), (&json!("PIN_CODE"), &json!("PENDING")), "{token:#}");
        let (from, half) = (hotel.now() + TimeDelta::days(3), TimeDelta::minutes(30));
        assert_eq!(token["validFrom"], iso(from - half), "{token:#}");
        assert_eq!(token["validUntil"], iso(from + TimeDelta::days(2) + half), "{token:#}");
        assert_eq!(token["doors"].as_array().unwrap().len(), 2);
        assert_eq!(token["reservation"]["id"], stay);
        assert_eq!(token["exposure"], json!({ "mayOpen": false, "until": null }), "nothing was sent yet");
        assert!(!token["placements"].as_array().unwrap().is_empty(), "{token:#}");
        let value = hotel.value(&text(&token["id"])).await;
        assert!(value.len() == 6 && value.bytes().all(|byte| byte.is_ascii_digit()), "a PIN of six digits");
        assert_eq!(hotel.events("TOKEN_ISSUED").await.len(), 1);
        let longer = json!({ "reservationId": stay, "endsAt": iso(from + TimeDelta::days(4)) });
        let changed = ask(hotel.client(), "updateReservation", longer, "reservation { id }").await;
        assert_eq!(changed["userErrors"], json!([]), "{changed:#}");
        let after = hotel.read_token(&text(&token["id"])).await;
        assert_eq!(after["validUntil"], iso(from + TimeDelta::days(4) + half), "{after:#}");
        assert_eq!(hotel.value(&text(&token["id"])).await, value);
        hotel.house.stop().await;
    }

    /// What cannot be is refused, told without the value, and leaves nothing.
    async fn what_cannot_be_is_refused(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 1, 2).await;
        let tag = |value: Value| json!({ "tokenType": "RFID_TAG", "value": value });
        let now = hotel.now();
        for (input, expected) in [
            (json!({ "value": "123" }), "INVALID_INPUT"),
            (json!({ "value": "123456789" }), "INVALID_INPUT"),
            (json!({ "value": "48291a" }), "INVALID_INPUT"),
            (json!({ "value": "777777" }), "INVALID_INPUT"),
            (json!({ "value": "234567" }), "INVALID_INPUT"),
            (json!({ "value": "1987" }), "INVALID_INPUT"),
            (tag(json!("04A2F1")), "INVALID_INPUT"),
            (tag(json!("")), "INVALID_INPUT"),
            (tag(Value::Null), "INVALID_INPUT"),
            (json!({ "validFrom": iso(now), "validUntil": iso(now) }), "INVALID_INPUT"),
            (json!({ "validUntil": iso(now - TimeDelta::days(1)) }), "TOO_LATE"),
            (json!({ "doorIds": ["door_nonsense"] }), "NOT_FOUND"),
            (json!({ "doorIds": [] }), "CAPABILITY_MISSING"),
            (json!({ "idempotencyKey": "" }), "INVALID_INPUT"),
        ] {
            let payload = hotel.issue(&stay, input.clone()).await;
            assert_eq!(code(&payload), Some(expected), "{input} {payload:#}");
            assert_eq!(payload["accessToken"], Value::Null);
            let value = input["value"].as_str().filter(|value| !value.is_empty());
            assert!(value.is_none_or(|value| !payload.to_string().contains(value)), "{payload:#}");
        }
        assert_eq!(hotel.tokens().await, 0);
        assert_eq!(hotel.events("TOKEN_ISSUED").await, Vec::<Value>::new());
        // After all that the values are free.
        hotel.issued(&stay, tag(json!("10472"))).await;
        hotel.issued(&stay, json!({ "value": "4829" })).await;
        hotel.house.stop().await;
    }

    /// No door of the stay can hold a code: nothing is written, and nobody waits for it (rule 17).
    async fn a_door_that_holds_no_code_is_told_at_once(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        for vendor in ["BIKEEP", "RAIXER", "PARQEX"] {
            let doors = hotel.house.doors().await;
            let door = doors.iter().find(|door| door["device"]["vendorAccount"]["vendor"] == vendor).unwrap();
            let mut input = hotel.stay_input(&[door], 1, 2);
            input["siteId"] = door["site"]["id"].clone();
            let payload = ask(hotel.client(), "createReservation", input, "reservation { id }").await;
            let stay = text(&payload["reservation"]["id"]);
            for token in [json!({}), json!({ "tokenType": "RFID_TAG", "value": "1047" }), json!({ "doorIds": [door["id"]] })] {
                let payload = hotel.issue(&stay, token).await;
                assert_eq!(code(&payload), Some("CAPABILITY_MISSING"), "{vendor} {payload:#}");
            }
        }
        assert_eq!(hotel.tokens().await, 0);
        hotel.house.stop().await;
    }

    /// A value is one guest's at a door, its cool-down included; who has it, nobody is told (P13).
    async fn a_value_is_one_guests_at_a_door(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let (door, other) = (&hotel.locks[0], &hotel.locks[1]);
        let given = json!({ "value": "482913" });
        let first = hotel.stay(&[door], 1, 2).await;
        let holder = hotel.issued(&first, given.clone()).await;
        // The same days; the days after, within the week in which it rests; and both doors when one is enough to clash.
        for stay in [
            hotel.stay(&[door], 2, 2).await,
            hotel.stay(&[door], 4, 2).await,
            hotel.stay(&[other, door], 9, 1).await,
        ] {
            let refused = hotel.issue(&stay, given.clone()).await;
            assert_eq!(code(&refused), Some("VALUE_TAKEN"), "{refused:#}");
            let words = refused.to_string();
            assert!(!words.contains("482913") && !words.contains(&holder) && !words.contains(&first), "{words}");
        }
        // Elsewhere, later, and another value.
        hotel.issued(&hotel.stay(&[other], 1, 2).await, given.clone()).await;
        hotel.issued(&hotel.stay(&[door], 12, 2).await, given.clone()).await;
        let third = hotel.stay(&[door], 2, 2).await;
        let token = hotel.issued(&third, json!({ "value": "739150" })).await;
        let refused = hotel.update(&token, given.clone()).await;
        assert_eq!(code(&refused), Some("VALUE_TAKEN"), "{refused:#}");
        assert_eq!(hotel.value(&token).await, "739150");
        // A moved or prolonged token does not get in the way of the next one either.
        let refused = hotel.update(&holder, json!({ "validUntil": iso(hotel.now() + TimeDelta::days(8)) })).await;
        assert_eq!(code(&refused), Some("VALUE_TAKEN"), "{refused:#}");
        hotel.house.stop().await;
    }

    /// A value that was replaced rests before somebody else gets it.
    async fn a_replaced_value_rests(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let door = &hotel.locks[0];
        let token = hotel.issued(&hotel.stay(&[door], 0, 20).await, json!({ "value": "482913" })).await;
        let changed = hotel.update(&token, json!({ "value": "739150" })).await;
        assert_eq!(changed["userErrors"], json!([]), "{changed:#}");
        assert_eq!(hotel.value(&token).await, "739150");
        let next = hotel.stay(&[door], 1, 2).await;
        assert_eq!(code(&hotel.issue(&next, json!({ "value": "482913" })).await), Some("VALUE_TAKEN"));
        assert_eq!(code(&hotel.issue(&next, json!({ "value": "739150" })).await), Some("VALUE_TAKEN"));
        hotel.house.advance(TimeDelta::days(7) + TimeDelta::minutes(1));
        let later = hotel.stay(&[door], 1, 2).await;
        hotel.issued(&later, json!({ "value": "482913" })).await;
        hotel.house.stop().await;
    }

    /// An asked window and asked doors stand; without them a token follows its stay again.
    async fn an_asked_window_stands(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 3, 2).await;
        let (from, until) = (hotel.now() + TimeDelta::days(1), hotel.now() + TimeDelta::days(2));
        let asked = json!({ "validFrom": iso(from), "validUntil": iso(until), "doorIds": [hotel.locks[1]["id"]] });
        let payload = hotel.issue(&stay, asked).await;
        let token = &payload["accessToken"];
        assert_eq!((&token["validFrom"], &token["validUntil"]), (&json!(iso(from)), &json!(iso(until))), "{payload:#}");
        assert_eq!(token["doors"], json!([{ "id": hotel.locks[1]["id"] }]));
        let id = text(&token["id"]);
        let back = json!({ "validFrom": null, "validUntil": null, "doorIds": null });
        let payload = hotel.update(&id, back).await;
        let half = TimeDelta::minutes(30);
        assert_eq!(payload["accessToken"]["validFrom"], iso(hotel.now() + TimeDelta::days(3) - half), "{payload:#}");
        assert_eq!(payload["accessToken"]["doors"], json!([{ "id": hotel.locks[0]["id"] }]), "nothing of it was at a lock");
        assert_eq!(code(&hotel.update(&id, json!({})).await), Some("INVALID_INPUT"));
        let both = json!({ "value": "482913", "drawValue": true });
        assert_eq!(code(&hotel.update(&id, both).await), Some("INVALID_INPUT"));
        let before = hotel.value(&id).await;
        assert_eq!(hotel.update(&id, json!({ "drawValue": true })).await["userErrors"], json!([]));
        assert_ne!(hotel.value(&id).await, before);
        hotel.house.stop().await;
    }

    /// What was never at a lock is revoked at once; what is over stays over.
    async fn a_revoked_token_is_over(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 30, 2).await;
        let token = hotel.issued(&stay, json!({ "value": "482913" })).await;
        let revoked = hotel.revoke(&token).await;
        let shown = &revoked["accessToken"];
        assert_eq!(revoked["userErrors"], json!([]), "{revoked:#}");
        assert!(matches!(shown["state"].as_str(), Some("REVOKING" | "REVOKED")), "{shown:#}");
        assert_eq!(shown["revokeRequestedAt"], iso(hotel.now()));
        assert!(shown["placements"].as_array().unwrap().iter().all(|placed| placed["desired"] == "ABSENT"), "{shown:#}");
        let events = hotel.events("TOKEN_REVOCATION_REQUESTED").await;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["data"]["reason"], "lost");
        // Again: nothing more happens.
        assert_eq!(hotel.revoke(&token).await["userErrors"], json!([]));
        assert_eq!(hotel.events("TOKEN_REVOCATION_REQUESTED").await.len(), 1);
        assert_eq!(code(&hotel.update(&token, json!({ "drawValue": true })).await), Some("TOO_LATE"));
        let canceled = ask(hotel.client(), "cancelReservation", json!({ "reservationId": stay }), "reservation { id }").await;
        assert_eq!(canceled["userErrors"], json!([]), "{canceled:#}");
        assert_eq!(code(&hotel.issue(&stay, json!({})).await), Some("TOO_LATE"));
        hotel.house.stop().await;
    }
}
