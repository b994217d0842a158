//! What becomes of a token at its vendors: the guest's PIN opens the lock and is shown in the PMS once; a new value takes
//! the place of the old one; what is revoked opens nothing and is REVOKED only when that was read back.

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_tests::{
    client::{http, text},
    house::Plan,
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, LocktPresented, Vendor};

use super::scene::{Hotel, ask, code, iso};
use crate::{changes::scene::records, orders::account_id};

/// The door that an access level of the vendor's opens alone.
fn lone(hotel: &Hotel) -> &Value {
    hotel.locks.iter().min_by_key(|door| number(door)).unwrap()
}

fn number(door: &Value) -> u64 {
    text(&door["externalId"]).parse().unwrap()
}

fn opens(hotel: &Hotel, door: &Value, pin: &str, at: DateTime<Utc>) -> bool {
    hotel.house.vendors.lockt_would_open(number(door), &LocktPresented::Pin(pin.to_owned()), at)
}

fn tag_opens(hotel: &Hotel, door: &Value, tag: &str, at: DateTime<Utc>) -> bool {
    hotel.house.vendors.lockt_would_open(number(door), &LocktPresented::Tag(tag.to_owned()), at)
}

/// Waits until a token is in this state.
async fn becomes(hotel: &Hotel, token: &str, state: &str) -> Value {
    until(&format!("the token is {state}"), async || {
        let shown = hotel.read_token(token).await;
        (shown["state"] == state).then_some(shown)
    })
    .await
}

/// A stay that the PMS knows and that begins soon, in a room that stands for this door from now on.
async fn stay_of_pms(hotel: &Hotel, door: &Value) -> Value {
    let stay = until("a stay was imported", async || {
        let query = "query($until: DateTime, $from: DateTime) { reservations(first: 100, \
            filter: { states: [CONFIRMED, STARTED], until: $until, from: $from }) { nodes { \
            id resourceExternalId vendorAccount { id } } } }";
        let (from, until) = (iso(hotel.now() + TimeDelta::hours(3)), iso(hotel.now() + TimeDelta::hours(70)));
        let data = hotel.client().data(query, json!({ "from": from, "until": until })).await;
        let mut stays: Vec<Value> = serde_json::from_value(data["reservations"]["nodes"].clone()).unwrap();
        stays.retain(|stay| stay["resourceExternalId"].is_string());
        stays.into_iter().next()
    })
    .await;
    let input = json!({
        "vendorAccountId": stay["vendorAccount"]["id"], "resource": stay["resourceExternalId"], "doorIds": [door["id"]],
    });
    let mapped = ask(hotel.client(), "mapResource", input, "mapping { resource }").await;
    assert_eq!(mapped["userErrors"], json!([]), "{mapped:#}");
    stay
}

/// Changes a person at the vendor by its own API, as its customer's other systems do.
async fn write_at_vendor(hotel: &Hotel, mut user: Value) {
    let account = account_id(&hotel.house, Vendor::Lockt).await;
    let account = entities::work::account(hotel.house.database(), account).await.unwrap().unwrap();
    let people = records(&hotel.house, json!({ "kinds": ["USER"], "text": "byron" })).await;
    let found = people.iter().find(|person| person["details"]["idNumber"] == user["id_num"]).unwrap();
    let levels = found["details"]["accessLevelExternalIds"].as_array().unwrap();
    let levels: Vec<Value> = levels.iter().map(|id| json!({ "id": text(id).parse::<u64>().unwrap() })).collect();
    user["accesslevels"] = levels.into();
    let options = json!({ "update_existing": "true", "validate_fails_batch": "true", "replace_privileges": "true" });
    let keys = &hotel.house.simulator().credentials()[0].lockt;
    let url = format!("{}/api/v1/user", account.base_url.trim_end_matches('/'));
    let request = http().post(url).header("apiuser", &keys.api_user).header("apikey", &keys.api_key);
    let answer = request.json(&json!({ "users": [user], "options": options })).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

on_both_back_ends! {
    /// Issued, opened with, changed, revoked; a vendor that loses an answer changes nothing.
    async fn a_pin_opens_until_it_is_revoked(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end)).await;
        let door = lone(&hotel);
        let stay = hotel.stay(&[door], 0, 2).await;
        let token = hotel.issued(&stay, json!({})).await;
        let shown = becomes(&hotel, &token, "ACTIVE").await;
        let (pin, soon) = (hotel.value(&token).await, hotel.now() + TimeDelta::hours(1));
        assert!(opens(&hotel, door, &pin, soon), "{shown:#}");
        assert_eq!(shown["exposure"], json!({ "mayOpen": true, "until": shown["validUntil"] }), "{shown:#}");
        let placed = &shown["placements"][0];
        assert_eq!((&placed["state"], &placed["desired"], &placed["error"]), (&json!("CONFIRMED"), &json!("PRESENT"), &Value::Null));
        assert_eq!(placed["doors"], json!([{ "id": door["id"] }]), "{placed:#}");
        assert!(placed["lastConfirmedAt"].is_string() && placed["command"]["state"] == "SUCCEEDED", "{placed:#}");
        let ready = hotel.read_stay(&stay).await;
        assert_eq!((&ready["readiness"], &ready["reasons"][0]["code"]), (&json!("READY"), &json!("ALL_PLACED")), "{ready:#}");
        // Another value: at no time is there none.
        assert_eq!(hotel.update(&token, json!({ "value": "739150" })).await["userErrors"], json!([]));
        until("the new value opens", async || {
            assert!(opens(&hotel, door, &pin, soon) || opens(&hotel, door, "739150", soon), "nobody stands outside");
            (opens(&hotel, door, "739150", soon) && !opens(&hotel, door, &pin, soon)).then_some(())
        })
        .await;
        becomes(&hotel, &token, "ACTIVE").await;
        // The answer to the taking away is lost: it is read back all the same.
        hotel.house.vendors.add_fault(Fault::new(Vendor::Lockt, FaultKind::DropAfterEffect).at("import_users").times(1)).unwrap();
        hotel.revoke(&token).await;
        let gone = until("it is revoked", async || {
            let shown = hotel.read_token(&token).await;
            let opens = opens(&hotel, door, "739150", soon);
            assert!(shown["state"] != "REVOKED" || !opens, "said to be gone, and opens: {shown:#}");
            (shown["state"] == "REVOKED").then_some(shown)
        })
        .await;
        assert_eq!(gone["exposure"], json!({ "mayOpen": false, "until": null }), "{gone:#}");
        assert!(gone["placements"].as_array().unwrap().iter().all(|placed| placed["state"] == "REVOKED"), "{gone:#}");
        assert_eq!(hotel.read_stay(&stay).await["readiness"], "FAILED", "the guest stands before a closed door");
        hotel.house.stop().await;
    }

    /// The number of a tag opens in its window and at no other time, is put right when others change it, and is gone when
    /// it is revoked.
    async fn a_tag_opens_in_its_window_until_it_is_revoked(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end)).await;
        let door = lone(&hotel);
        let stay = hotel.stay(&[door], 0, 2).await;
        let token = hotel.issued(&stay, json!({ "tokenType": "RFID_TAG", "value": "0047119" })).await;
        let shown = becomes(&hotel, &token, "ACTIVE").await;
        let time = |end: &str| text(&shown[end]).parse::<DateTime<Utc>>().unwrap();
        let (hour, from, ends) = (TimeDelta::hours(1), time("validFrom"), time("validUntil"));
        for (at, expected) in [(from - hour, false), (from + hour, true), (ends - hour, true), (ends + hour, false)] {
            assert_eq!(tag_opens(&hotel, door, "0047119", at), expected, "at {at}: {shown:#}");
        }
        assert_eq!(hotel.read_stay(&stay).await["readiness"], "READY");
        let soon = hotel.now() + hour;
        assert_eq!(hotel.update(&token, json!({ "value": "5520131" })).await["userErrors"], json!([]));
        until("the new number opens, and it alone", async || {
            (tag_opens(&hotel, door, "5520131", soon) && !tag_opens(&hotel, door, "0047119", soon)).then_some(())
        })
        .await;
        becomes(&hotel, &token, "ACTIVE").await;
        // Somebody gives the guest another card at the vendor.
        let user = json!({ "id_num": token, "card_num": "31337" });
        write_at_vendor(&hotel, user).await;
        let account = json!({ "vendorAccountId": account_id(&hotel.house, Vendor::Lockt).await.to_string() });
        ask(hotel.client(), "syncVendorAccount", account, "vendorAccount { id }").await;
        until("it is put right", async || {
            (tag_opens(&hotel, door, "5520131", soon) && !tag_opens(&hotel, door, "31337", soon)).then_some(())
        })
        .await;
        hotel.revoke(&token).await;
        becomes(&hotel, &token, "REVOKED").await;
        assert!(!tag_opens(&hotel, door, "5520131", soon));
        hotel.house.stop().await;
    }

    /// A stay of the PMS: the lock has the code, then the PMS shows it exactly once, and not any more when it is revoked.
    async fn the_pms_shows_a_token_once(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end)).await;
        let door = lone(&hotel);
        let stay = stay_of_pms(&hotel, door).await;
        let token = hotel.issued(&text(&stay["id"]), json!({})).await;
        let shown = becomes(&hotel, &token, "ACTIVE").await;
        let (pin, from) = (hotel.value(&token).await, text(&shown["validFrom"]).parse::<DateTime<Utc>>().unwrap());
        let inside = from.max(hotel.now()) + TimeDelta::hours(1);
        assert!(opens(&hotel, door, &pin, inside), "{shown:#}");
        let of_token = async || {
            let all = records(&hotel.house, json!({ "kinds": ["ACCESS_TOKEN"] })).await;
            all.into_iter().filter(|record| record["details"]["serialNumber"] == token).collect::<Vec<_>>()
        };
        until("the PMS shows it, and the stay is ready", async || {
            let ready = hotel.read_stay(&text(&stay["id"])).await;
            (ready["readiness"] == "READY").then_some(())
        })
        .await;
        let in_pms = of_token().await;
        assert_eq!(in_pms.len(), 1, "{in_pms:#?}");
        assert_eq!(in_pms[0]["details"]["active"], true, "{in_pms:#?}");
        assert_eq!(hotel.house.vendors.requests_to(Vendor::Mews, "add_access_tokens").len(), 1);
        let foreign = hotel.issued(&text(&stay["id"]), json!({})).await;
        becomes(&hotel, &foreign, "ACTIVE").await;
        hotel.revoke(&token).await;
        becomes(&hotel, &token, "REVOKED").await;
        assert!(!opens(&hotel, door, &pin, inside));
        assert!(opens(&hotel, door, &hotel.value(&foreign).await, inside), "the other one stays");
        assert!(of_token().await.iter().all(|record| record["details"]["active"] == false || record["missingSince"].is_string()));
        let refused = ask(
            hotel.client(), "cancelReservation", json!({ "reservationId": stay["id"] }), "reservation { id }",
        )
        .await;
        assert_eq!(code(&refused), Some("PMS_DECIDES"), "{refused:#}");
        hotel.house.stop().await;
    }
}
