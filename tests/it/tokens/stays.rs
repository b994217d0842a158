//! Stays that no PMS knows: made, changed, called off; and what belongs to a PMS is left to it.

use chrono::TimeDelta;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};
use simulator::Vendor;

use super::scene::{Hotel, STAY, ask, code, iso};
use crate::orders::account_id;

on_both_back_ends! {
    async fn a_stay_is_made_changed_and_called_off(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let mut input = hotel.stay_input(&[&hotel.locks[0]], 3, 2);
        input["number"] = json!("A-17");
        let fields = format!("reservation {{ {STAY} }}");
        let payload = ask(hotel.client(), "createReservation", input.clone(), &fields).await;
        let stay = &payload["reservation"];
        assert_eq!((&stay["state"], &stay["number"]), (&json!("CONFIRMED"), &json!("A-17")), "{payload:#}");
        assert_eq!((&stay["startsAt"], &stay["endsAt"]), (&input["startsAt"], &input["endsAt"]));
        assert_eq!(stay["guest"]["name"], "Ada Byron");
        assert_eq!(stay["doors"], json!([{ "id": hotel.locks[0]["id"] }]));
        assert_eq!((&stay["vendorAccount"], &stay["externalId"]), (&Value::Null, &Value::Null));
        assert_eq!(stay["reasons"][0]["code"], "NO_TOKEN", "{stay:#}");
        assert!(!stay["reasons"][0]["message"].as_str().unwrap().is_empty(), "{stay:#}");
        let id = text(&stay["id"]);
        let of_guest = "query($id: ID!) { node(id: $id) { ... on User { reservations { totalCount nodes { id } } } } }";
        let data = hotel.client().data(of_guest, json!({ "id": stay["guest"]["id"] })).await;
        assert_eq!(data["node"]["reservations"], json!({ "totalCount": 1, "nodes": [{ "id": id }] }));
        // The guest comes, and another one takes the room.
        let token = hotel.issued(&id, json!({})).await;
        let came = json!({ "reservationId": id, "actualStart": iso(hotel.now()) });
        let payload = ask(hotel.client(), "updateReservation", came, &fields).await;
        assert_eq!(payload["reservation"]["state"], "STARTED", "{payload:#}");
        let other = json!({ "reservationId": id, "guest": { "name": "Grace Hopper" } });
        let payload = ask(hotel.client(), "updateReservation", other, &fields).await;
        assert_eq!(payload["reservation"]["guest"]["name"], "Grace Hopper", "{payload:#}");
        let before = hotel.read_token(&token).await;
        assert!(before["revokeRequestedAt"].is_string(), "what the guest before was given is taken away: {before:#}");
        let back = json!({ "reservationId": id, "guest": { "userId": stay["guest"]["id"] }, "actualStart": null });
        let payload = ask(hotel.client(), "updateReservation", back, &fields).await;
        assert_eq!((&payload["reservation"]["guest"]["id"], &payload["reservation"]["state"]), (&stay["guest"]["id"], &json!("CONFIRMED")));
        for _ in 0..2 {
            let payload = ask(hotel.client(), "cancelReservation", json!({ "reservationId": id }), &fields).await;
            assert_eq!((&payload["reservation"]["state"], &payload["reservation"]["readiness"]), (&json!("CANCELED"), &json!("NOT_APPLICABLE")), "{payload:#}");
        }
        let late = json!({ "reservationId": id, "endsAt": iso(hotel.now() + TimeDelta::days(9)) });
        assert_eq!(code(&ask(hotel.client(), "updateReservation", late, "reservation { id }").await), Some("TOO_LATE"));
        let mut actors = hotel.events("RESERVATION_CHANGED").await;
        actors.retain(|event| event["data"]["reservation"] == id);
        assert!(actors.iter().all(|event| event["actor"].is_string() && !event.to_string().contains("Ada")), "{actors:#?}");
        hotel.house.stop().await;
    }

    async fn a_stay_that_cannot_be_is_refused(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        let doors = hotel.house.doors().await;
        let elsewhere = doors.iter().find(|door| door["site"]["id"] != hotel.site).unwrap();
        let good = hotel.stay_input(&[&hotel.locks[0]], 1, 2);
        for (field, value, expected) in [
            ("siteId", json!("site_nonsense"), "NOT_FOUND"),
            ("doorIds", json!([elsewhere["id"]]), "INVALID_INPUT"),
            ("doorIds", json!(["door_nonsense"]), "NOT_FOUND"),
            ("endsAt", good["startsAt"].clone(), "INVALID_INPUT"),
            ("number", json!("\u{7}"), "INVALID_INPUT"),
            ("guest", json!({}), "INVALID_INPUT"),
            ("guest", json!({ "userId": "user_nonsense" }), "NOT_FOUND"),
            ("guest", json!({ "userId": "user_nonsense", "name": "Both" }), "INVALID_INPUT"),
            ("guest", json!({ "name": "Ada", "email": "nobody" }), "INVALID_INPUT"),
            ("guest", json!({ "name": "Ada", "phone": "call me" }), "INVALID_INPUT"),
        ] {
            let mut input = good.clone();
            input[field] = value;
            let payload = ask(hotel.client(), "createReservation", input, "reservation { id }").await;
            assert_eq!(code(&payload), Some(expected), "{field} {payload:#}");
            assert_eq!(payload["userErrors"][0]["path"], json!(["input", field]), "{payload:#}");
        }
        for kind in ["RESERVATION_CHANGED", "USER_CHANGED"] {
            // What a PMS tells of has no actor.
            let ours = hotel.events(kind).await.into_iter().filter(|event| event["actor"].is_string()).count();
            assert_eq!(ours, 0, "nothing was written, no guest either: {kind}");
        }
        hotel.house.stop().await;
    }

    /// Rooms are mapped by hand; those that are not are listed.
    async fn rooms_stand_for_doors(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        let account = account_id(&hotel.house, Vendor::Mews).await.to_string();
        let listed = async || {
            let query = "query($id: ID!) { unmappedResources(vendorAccountId: $id, first: 100) { totalCount nodes { externalId name } } \
                vendorAccount(id: $id) { resourceMappings { resource record { externalId } doors { id } } } }";
            let data = hotel.client().data(query, json!({ "id": account })).await;
            (data["unmappedResources"].clone(), data["vendorAccount"]["resourceMappings"].as_array().unwrap().clone())
        };
        let (before, mapped) = listed().await;
        let taken: Vec<&Value> = mapped.iter().map(|mapping| &mapping["resource"]).collect();
        let room = before["nodes"].as_array().unwrap().first().map_or_else(|| taken[0].clone(), |room| room["externalId"].clone());
        let map = async |doors: Value| {
            let input = json!({ "vendorAccountId": account, "resource": room, "doorIds": doors });
            ask(hotel.client(), "mapResource", input, "mapping { resource doors { id } record { externalId } }").await
        };
        for doors in [json!([hotel.locks[0]["id"]]), json!([hotel.locks[1]["id"], hotel.locks[2]["id"]]), json!([])] {
            let payload = map(doors.clone()).await;
            assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
            assert_eq!(payload["mapping"]["record"]["externalId"], room, "{payload:#}");
            let (unmapped, mapped) = listed().await;
            let now = mapped.iter().find(|mapping| mapping["resource"] == room);
            let ids: Vec<Value> = now.map(|mapping| mapping["doors"].as_array().unwrap().clone()).unwrap_or_default();
            assert_eq!(ids.len(), doors.as_array().unwrap().len(), "{mapped:#?}");
            let is_listed = unmapped["nodes"].as_array().unwrap().iter().any(|node| node["externalId"] == room);
            assert_eq!(is_listed, ids.is_empty(), "{unmapped:#}");
            assert_eq!(unmapped["totalCount"], unmapped["nodes"].as_array().unwrap().len());
        }
        assert_eq!(code(&map(json!(["door_nonsense"])).await), Some("NOT_FOUND"));
        let input = json!({ "vendorAccountId": account, "resource": "nonsense", "doorIds": [] });
        assert_eq!(code(&ask(hotel.client(), "mapResource", input, "mapping { resource }").await), Some("NOT_FOUND"));
        hotel.house.stop().await;
    }
}
