//! P14: the value of a token is seen by its lock, its PMS and whoever reveals it, and a guest's telephone number by
//! MANAGERs; neither stands in logs, events, jobs, errors, answers or frames, and no value in rows or files.

use chrono::TimeDelta;
use domain::ids::DeviceId;
use gatehouse_tests::{
    client::text,
    house::{BackEnd, Plan},
    leaks::{self, Listener, holds},
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, LocktChange, LocktPresented, Vendor, WorldChange};

use super::scene::{Hotel, TOKEN, ask, code, iso, reveal};
use crate::orders::account_id;

/// PINs that are issued, that replace another, in what cannot be read, and under a key that was used.
const PINS: [&str; 4] = ["83057194", "61940275", "70518364", "29467183"];
/// Numbers that are no PIN.
const NO_PINS: [&str; 2] = ["8305719426", "5207x391"];
/// The number of a tag.
const TAG: &str = "90817263540918";
/// A guest's telephone.
const PHONE: &str = "372583019472651";

/// Six digits as they are drawn stand in many a timestamp: what is looked for is longer.
fn assert_clean(what: &str, bytes: &[u8], with_phone: bool) {
    assert!(!bytes.is_empty(), "{what} is empty");
    let phone = with_phone.then_some(PHONE);
    let canaries = PINS.into_iter().chain(NO_PINS).chain([TAG]).chain(phone);
    for canary in canaries {
        assert!(!holds(bytes, canary), "{canary} stands in {what}");
    }
}

/// Everything that is done with values, well and badly. Returns all that was told, but for what was revealed.
async fn live_through(hotel: &Hotel) -> String {
    let told = std::cell::RefCell::new(String::new());
    let hear = |payload: Value| {
        told.borrow_mut().push_str(&payload.to_string());
        payload
    };
    let door = hotel.locks.iter().min_by_key(|door| text(&door["externalId"]).parse::<u64>().unwrap()).unwrap();
    let mut heard =
        hotel.client().subscribe("subscription { alertRaised { id kind message subjectId } }", json!({})).await;
    let mut input = hotel.stay_input(&[door], 0, 2);
    input["guest"] = json!({ "name": "Ada Byron", "phone": format!("+{PHONE}") });
    let stay = text(
        &hear(ask(hotel.client(), "createReservation", input, "reservation { id reasons { message } }").await)["reservation"]
            ["id"],
    );
    let fault = |kind| {
        hotel.house.vendors.add_fault(Fault::new(Vendor::Lockt, kind).at("import_users").times(1)).unwrap();
    };
    fault(FaultKind::DropAfterEffect);
    let token =
        text(&hear(hotel.issue(&stay, json!({ "value": PINS[0], "idempotencyKey": "k" })).await)["accessToken"]["id"]);
    for value in NO_PINS {
        assert_eq!(code(&hear(hotel.issue(&stay, json!({ "value": value })).await)), Some("INVALID_INPUT"));
    }
    let reused = hear(hotel.issue(&stay, json!({ "value": PINS[3], "idempotencyKey": "k" })).await);
    assert_eq!(code(&reused), Some("IDEMPOTENCY_KEY_REUSED"));
    let tag = hear(hotel.issue(&stay, json!({ "tokenType": "RFID_TAG", "value": TAG })).await);
    let drawn = text(&hear(hotel.issue(&stay, json!({})).await)["accessToken"]["id"]);
    assert_eq!(code(&hear(hotel.update(&drawn, json!({ "value": PINS[0] })).await)), Some("VALUE_TAKEN"));
    hear(hotel.update(&token, json!({ "value": PINS[1] })).await);
    let active = async |token: &str| {
        until("the token is everywhere", async || (hotel.read_token(token).await["state"] == "ACTIVE").then_some(()))
            .await;
    };
    active(&token).await;
    active(&drawn).await;
    active(&text(&tag["accessToken"]["id"])).await;
    // The vendor tells the number of the tag back: in its lists of people and cards, and in events.
    let number = text(&door["externalId"]).parse().unwrap();
    let credential = LocktPresented::Tag(TAG.to_owned());
    let presented = LocktChange::Presented { door: number, credential, recorded_after: 0 };
    hotel.house.vendors.change(WorldChange::Lockt(presented)).unwrap();
    let account = json!({ "vendorAccountId": account_id(&hotel.house, Vendor::Lockt).await.to_string() });
    hear(ask(hotel.client(), "syncVendorAccount", account, "vendorAccount { id }").await);
    until("the event was read", async || (!hotel.events("ACCESS_GRANTED").await.is_empty()).then_some(())).await;
    fault(FaultKind::Garbage);
    hear(hotel.update(&drawn, json!({ "drawValue": true })).await);
    // An answer that is broken is logged; what was asked is not. And a mutation that cannot even be read.
    let broken = format!(
        "mutation {{ issueAccessToken(input: {{ reservationId: \"{stay}\", tokenType: PIN_CODE, value: \"{}\" }}) {{ nonsense }} }}",
        PINS[2]
    );
    hear(hotel.client().ask(&broken, json!({})).await);
    let variables = json!({ "input": { "reservationId": stay, "tokenType": "NONSENSE", "value": PINS[2] } });
    let query = format!(
        "mutation($input: IssueAccessTokenInput!) {{ issueAccessToken(input: $input) {{ accessToken {{ {TOKEN} }} }} }}"
    );
    hear(hotel.client().ask(&query, variables).await);
    let moved = json!({ "reservationId": stay, "endsAt": iso(hotel.now() + TimeDelta::days(3)) });
    hear(ask(hotel.client(), "updateReservation", moved, "reservation { id }").await);
    active(&token).await;
    assert_eq!(reveal(hotel.client(), &token).await["value"], PINS[1]);
    hear(hotel.revoke(&token).await);
    until("it is revoked", async || (hotel.read_token(&token).await["state"] == "REVOKED").then_some(())).await;
    let everything = format!(
        "{{ reservations(first: 100) {{ nodes {{ id number reasons {{ code message }} accessTokens {{ {TOKEN} }} }} }} \
         alerts(first: 100, filter: {{ resolvedToo: true }}) {{ nodes {{ id kind message subjectId }} }} \
         commands(first: 100) {{ nodes {{ id kind failure {{ message }} result timeline {{ detail }} }} }} \
         events(first: 100, orderBy: NEWEST_FIRST) {{ nodes {{ type actor data }} }} \
         records(first: 100, filter: {{ text: \"byron\" }}) {{ nodes {{ name details {{ \
         ... on UserDetails {{ cardNumber }} ... on CredentialDetails {{ number }} }} }} }} }}"
    );
    hear(hotel.client().data(&everything, json!({})).await);
    // A frame of the subscription. Of a device that is not there: the watch must not be first with the same alert.
    let device = DeviceId(hotel.house.foundation().ids.next_uuid()).to_string();
    let site = json!(hotel.site);
    let severity = Some(domain::alert::AlertSeverity::Notice);
    super::scene::write_alert(&hotel.house, &site, domain::alert::AlertKind::LowBattery, severity, &device).await;
    loop {
        let frame = hear(heard.next().await.unwrap());
        if frame["alertRaised"]["subjectId"] == device.as_str() {
            break;
        }
    }
    told.into_inner()
}

on_both_back_ends! {
    async fn a_value_is_readable_nowhere(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end)).await;
        let told = live_through(&hotel).await;
        assert_clean("what the API tells", told.as_bytes(), true);
        let house = &hotel.house;
        if back_end == BackEnd::Embedded {
            // What moves from one file to another while they are read is in neither.
            until("people's numbers, which are kept, are seen", async || {
                let kept = leaks::files(&house.settings.data_directory);
                assert_clean("the data folder", &kept, false);
                holds(&kept, PHONE).then_some(())
            })
            .await;
        } else {
            let mut rows = leaks::rows(house).await;
            let people = rows.remove("users").unwrap().into_bytes();
            let others: Vec<String> = rows.into_values().collect();
            assert_clean("the rows", others.join("\n").as_bytes(), true);
            assert_clean("the rows of people", &people, false);
            assert!(holds(&people, PHONE), "people's numbers are kept: nothing was looked at");
            assert_clean("Redis", &leaks::redis(house).await, true);
        }
        let to_vendor = |entry: simulator::RequestEntry| entry.body.into_bytes();
        let bodies: Vec<u8> = house.vendors.requests_to(Vendor::Lockt, "import_users").into_iter().flat_map(to_vendor).collect();
        assert!(holds(&bodies, PINS[1]) && holds(&bodies, TAG), "its vendor has to see it");
        hotel.house.stop().await;
    }
}

/// On one thread, so that this test hears its own house only.
#[tokio::test(flavor = "current_thread")]
async fn a_value_is_never_logged() {
    let listener = Listener::default();
    // With one subscriber alone, what other threads log first would count as switched off here too.
    let _second = tracing::Dispatch::new(listener.clone());
    let _listening = tracing::subscriber::set_default(listener.clone());
    // Beside a suite that takes all of the machine a vendor may be slow, and what was not answered is looked for at leisure.
    let plan = Plan::on(BackEnd::Embedded).with_setting("vendor_timeout_seconds", "60");
    let hotel = Hotel::start(plan).await;
    live_through(&hotel).await;
    hotel.house.stop().await;
    let heard = listener.heard();
    assert!(heard.contains("vendor call"), "nothing was heard: {heard}");
    assert_clean("the log", heard.as_bytes(), true);
}
