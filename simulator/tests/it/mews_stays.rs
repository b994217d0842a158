//! Mews' reservations, guests and blocks, what happens to them, and what webhooks tell of it.

use std::time::Duration;

use gatehouse_simulator::{MewsBlockType, MewsChange, MewsResourceState, MewsState, Mode, Vendor, WorldChange};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sim, answer, still, text};

const STAYS: &str = "reservations/getAll/2023-06-06";
const GUESTS: &str = "companionships/getAll";
const PEOPLE: &str = "customers/getAll";

impl Sim {
    /// The reservation of the customer with this last name.
    async fn stay_of(&self, last_name: &str) -> Value {
        let fields = json!({ "Extent": { "Customers": true }, "LastNames": [last_name] });
        let ids: Value = self.mews_list(PEOPLE, fields).await.iter().map(|person| person["Id"].clone()).collect();
        self.mews_list(STAYS, json!({ "AccountIds": ids })).await[0].clone()
    }

    async fn stay(&self, id: &str) -> Value {
        self.mews_list(STAYS, json!({ "ReservationIds": [id] })).await[0].clone()
    }

    /// Discriminator and id of each event told since.
    fn told(&self, after: u64) -> Vec<(String, String)> {
        let messages = self.handle().webhooks(after).entries;
        let events = messages.iter().filter(|message| message.vendor == Vendor::Mews).flat_map(|message| {
            assert_eq!(message.body["EnterpriseId"], json!(message.account));
            assert!(message.body["IntegrationId"].is_string());
            message.body["Events"].as_array().unwrap().clone()
        });
        events.map(|event| (text(&event["Discriminator"]).to_owned(), text(&event["Value"]["Id"]).to_owned())).collect()
    }

    fn last_webhook(&self) -> u64 {
        self.handle().webhooks(0).entries.last().map_or(0, |entry| entry.sequence)
    }
}

fn time(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse().unwrap()
}

fn told(discriminator: &str, id: &str) -> (String, String) {
    (discriminator.to_owned(), id.to_owned())
}

#[tokio::test]
async fn the_demo_lies_around_now() {
    let sim = still(Mode::Auto).await;
    let all = sim.mews_list(STAYS, json!({})).await;
    let of = |state: &str| all.iter().filter(|stay| stay["State"] == state).count();
    let counts = ["Processed", "Started", "Confirmed", "Optional", "Canceled"].map(of);
    assert_eq!((all.len(), counts), (15, [1, 3, 8, 1, 2]));
    let stay = sim.stay_of("Arriving").await;
    assert_eq!(stay.as_object().unwrap().len(), 40, "every documented field: {stay}");
    assert_eq!(
        (&stay["ScheduledStartUtc"], &stay["ScheduledEndUtc"]),
        (&json!("2031-03-02T15:00:00Z"), &json!("2031-03-04T11:00:00Z"))
    );
    assert_eq!((&stay["ActualStartUtc"], &stay["CancelledUtc"]), (&Value::Null, &Value::Null));
    assert_eq!(stay["AssignedResourceId"], json!(sim.room("101").await));
    let family = sim.stay_of("Family").await;
    assert_eq!(
        (&family["PersonCounts"][0]["Count"], &family["ActualStartUtc"]),
        (&json!(3), &json!("2031-03-01T15:00:00Z"))
    );
    assert_eq!(sim.stay_of("Unassigned").await["AssignedResourceId"], Value::Null);
    let neighbour = sim.neighbour().mews.access_token;
    let (_, theirs) = answer(sim.mews_as(&neighbour, STAYS, json!({ "Limitation": { "Count": 100 } }))).await;
    assert_eq!(theirs["Reservations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn reservations_are_found_by_every_filter() {
    let sim = still(Mode::Auto).await;
    let stay = sim.stay_of("Family").await;
    let between = |start: &str, end: &str| json!({ "StartUtc": start, "EndUtc": end });
    let (today, week) = ("2031-03-02T00:00:00Z", "2031-03-09T00:00:00Z");
    let moment = |name: &str| between(text(&stay[name]), text(&stay[name]));
    let cases = [
        (json!({ "ReservationIds": [stay["Id"]] }), 1),
        (json!({ "ServiceIds": [stay["ServiceId"]] }), 15),
        (json!({ "ServiceIds": ["nothing"] }), 0),
        (json!({ "ReservationGroupIds": [stay["GroupId"]] }), 1),
        (json!({ "AccountIds": [stay["AccountId"]] }), 1),
        (json!({ "Numbers": [stay["Number"]] }), 1),
        (json!({ "AssignedResourceIds": [stay["AssignedResourceId"]] }), 2),
        (json!({ "TravelAgencyIds": ["nothing"] }), 0),
        (json!({ "States": ["Started", "Optional"] }), 4),
        (json!({ "CreatedUtc": moment("CreatedUtc") }), 1),
        (json!({ "UpdatedUtc": moment("UpdatedUtc") }), 2),
        (json!({ "CollidingUtc": between(today, week), "States": ["Started", "Confirmed"] }), 9),
        (json!({ "ScheduledStartUtc": between(today, week) }), 7),
        (json!({ "ScheduledEndUtc": moment("ScheduledEndUtc") }), 2),
        (json!({ "ActualStartUtc": between("2031-02-01T00:00:00Z", week) }), 4),
        (json!({ "ActualEndUtc": between("2031-02-01T00:00:00Z", week) }), 1),
        (json!({ "ReservationIds": [stay["Id"]], "States": ["Canceled"] }), 0),
    ];
    for (fields, found) in cases {
        assert_eq!(sim.mews_list(STAYS, fields.clone()).await.len(), found, "{fields}");
    }
}

#[tokio::test]
async fn customers_are_found_by_at_least_one_filter() {
    let sim = still(Mode::Auto).await;
    let ask = |mut filter: Value| {
        filter["Extent"] = json!({ "Customers": true, "Addresses": false });
        filter
    };
    let person = sim.mews_list(PEOPLE, ask(json!({ "FirstNames": ["Frida"] }))).await[0].clone();
    assert_eq!((&person["LastName"], &person["Email"]), (&json!("Family"), &json!("frida.family@example.test")));
    let cases = [
        (json!({ "CustomerIds": [person["Id"]] }), 1),
        (json!({ "Emails": ["frida.family@example.test"] }), 1),
        (json!({ "LastNames": ["Family"] }), 3),
        (json!({ "LastNames": ["Family"], "FirstNames": ["Frida"] }), 1),
        (json!({ "LoyaltyCodes": ["1"] }), 0),
        (json!({ "LastNames": ["Family"], "ActivityStates": ["Deleted"] }), 0),
    ];
    for (fields, found) in cases {
        assert_eq!(sim.mews_list(PEOPLE, ask(fields.clone())).await.len(), found, "{fields}");
    }
    let page = json!({ "Limitation": { "Count": 1 }, "Extent": { "Customers": true } });
    assert_eq!(sim.mews_refusal(PEOPLE, page).await.0, 400);
    let page = json!({ "Limitation": { "Count": 1 }, "CustomerIds": ["1"] });
    assert_eq!(sim.mews_refusal(PEOPLE, page).await.1, "Invalid Extent");
    let mut companies = ask(json!({ "CompanyIds": ["1", "2"] }));
    companies["Limitation"] = json!({ "Count": 1 });
    assert_eq!(sim.mews_refusal(PEOPLE, companies).await.1, "Invalid CompanyIds");
}

#[tokio::test]
async fn guests_are_found_by_reservation_and_not_by_time_alone() {
    let sim = still(Mode::Auto).await;
    let stay = sim.stay_of("Family").await;
    let extent = json!({ "Customers": true, "ReservationGroups": true });
    let fields = json!({ "Extent": extent, "ReservationIds": [stay["Id"]], "Limitation": { "Count": 100 } });
    let found = sim.mews_ok(GUESTS, fields).await;
    let guests = found["Companionships"].as_array().unwrap();
    assert_eq!(guests.len(), 3);
    assert!(guests.iter().any(|guest| guest["CustomerId"] == stay["AccountId"]), "the owner, too");
    assert!(guests.iter().all(|guest| guest["ReservationGroupId"] == stay["GroupId"]));
    assert_eq!(found["Customers"].as_array().unwrap().len(), 3);
    assert_eq!(found["ReservationGroups"].as_array().unwrap().len(), 1);
    let times = json!({ "StartUtc": "2031-01-15T00:00:00Z", "EndUtc": "2031-03-01T00:00:00Z" });
    let alone = json!({ "Extent": {}, "UpdatedUtc": times, "Limitation": { "Count": 1 } });
    assert_eq!(sim.mews_refusal(GUESTS, alone).await.0, 400);
    let both = json!({ "Extent": {}, "UpdatedUtc": times, "ReservationGroupIds": [stay["GroupId"]] });
    assert_eq!(sim.mews_list(GUESTS, both).await.len(), 3);
    let path = "reservationGroups/getAll";
    let group = sim.mews_list(path, json!({ "ReservationGroupIds": [stay["GroupId"]] })).await;
    assert_eq!((group.len(), &group[0]["Name"]), (1, &json!("Family")));
    assert_eq!(sim.mews_list(path, json!({ "UpdatedUtc": times })).await.len(), 15);
    assert_eq!(sim.mews_refusal(path, json!({ "Limitation": { "Count": 1 } })).await.0, 400);
}

#[tokio::test]
async fn a_reservation_is_made_and_lives() {
    let sim = still(Mode::Auto).await;
    let access_token = sim.operator().mews.access_token;
    let (first_name, last_name) = ("Nina".to_owned(), "New".to_owned());
    let customer = "c0000001-0000-4000-8000-000000000001".to_owned();
    let reservation = "a0000001-0000-4000-8000-000000000001".to_owned();
    let id = || reservation.clone();
    let new = MewsChange::AddCustomer {
        access_token,
        customer: customer.clone(),
        first_name,
        last_name,
        email: None,
        phone: None,
    };
    sim.mews_change(new.clone());
    assert_eq!(sim.told(0), [told("CustomerAdded", &customer), told("CustomerUpdated", &customer)]);
    assert_eq!(sim.handle().webhooks(0).entries.len(), 1, "in one message");
    assert!(sim.handle().change(WorldChange::Mews(new)).is_err(), "an id is used once");
    sim.mews_change(MewsChange::Book {
        reservation: id(),
        customer: customer.clone(),
        resource: Some(sim.room("202").await),
        start: time("2031-03-10T15:00:00Z"),
        end: time("2031-03-12T11:00:00Z"),
        state: MewsState::Confirmed,
    });
    let stay = sim.stay(&id()).await;
    assert_eq!(
        (&stay["AccountId"], &stay["State"], &stay["Number"]),
        (&json!(customer), &json!("Confirmed"), &json!("1017"))
    );
    assert_eq!(sim.mews_list(STAYS, json!({})).await[0]["Id"], json!(id()), "the newest");

    let steps = [
        (
            MewsChange::AssignRoom { reservation: id(), resource: Some(sim.room("203").await), locked: true },
            "AssignedResourceId",
            json!(sim.room("203").await),
        ),
        (
            MewsChange::AssignRoom { reservation: id(), resource: None, locked: false },
            "AssignedResourceId",
            Value::Null,
        ),
        (
            MewsChange::Reschedule { reservation: id(), start: None, end: Some(time("2031-03-15T11:00:00Z")) },
            "ScheduledEndUtc",
            json!("2031-03-15T11:00:00Z"),
        ),
        (
            MewsChange::SetState { reservation: id(), state: MewsState::Started },
            "ActualStartUtc",
            json!("2031-03-02T12:04:00Z"),
        ),
        (
            MewsChange::SetState { reservation: id(), state: MewsState::Processed },
            "ActualEndUtc",
            json!("2031-03-02T12:05:00Z"),
        ),
        (
            MewsChange::SetState { reservation: id(), state: MewsState::Canceled },
            "CancelledUtc",
            json!("2031-03-02T12:06:00Z"),
        ),
        (MewsChange::SetState { reservation: id(), state: MewsState::Confirmed }, "CancelledUtc", Value::Null),
    ];
    for (number, (change, field, value)) in (1..).zip(steps) {
        sim.advance(Duration::from_secs(60));
        let before = sim.last_webhook();
        sim.mews_change(change.clone());
        let stay = sim.stay(&id()).await;
        assert_eq!(stay[field], value, "{change:?}");
        assert_eq!(stay["UpdatedUtc"], json!(format!("2031-03-02T12:{number:02}:00Z")));
        assert_eq!(sim.told(before), [told("ServiceOrderUpdated", &id())]);
    }
    assert_eq!(
        (&sim.stay(&id()).await["ActualStartUtc"], &sim.stay(&id()).await["State"]),
        (&Value::Null, &json!("Confirmed"))
    );
}

#[tokio::test]
async fn guests_come_and_go_without_a_word() {
    let sim = still(Mode::Auto).await;
    let (stay, other) = (sim.stay_of("Inside").await, sim.stay_of("Family").await);
    let (reservation, customer) = (text(&stay["Id"]).to_owned(), text(&other["AccountId"]).to_owned());
    let guests = async || {
        let fields = json!({ "Extent": {}, "ReservationIds": [stay["Id"]] });
        let list = sim.mews_list(GUESTS, fields).await;
        list.iter().map(|guest| text(&guest["CustomerId"]).to_owned()).collect::<Vec<_>>()
    };
    let owner = text(&stay["AccountId"]).to_owned();
    let (there, person) = (reservation.clone(), customer.clone());
    sim.mews_change(MewsChange::AddGuest { reservation: there.clone(), customer: person.clone() });
    assert_eq!(guests().await, [customer.clone(), owner.clone()]);
    sim.mews_change(MewsChange::RemoveGuest { reservation: there, customer: person });
    assert_eq!(guests().await, [owner]);
    assert_eq!(sim.told(0), [], "there is no event");
    assert_eq!(sim.stay(&reservation).await["UpdatedUtc"], stay["UpdatedUtc"]);
    sim.mews_change(MewsChange::SetOwner { reservation: reservation.clone(), customer: customer.clone() });
    assert_eq!(
        (guests().await, &sim.stay(&reservation).await["AccountId"]),
        (vec![customer.clone()], &json!(customer))
    );
    assert_eq!(sim.told(0), [told("ServiceOrderUpdated", &reservation)]);
    let before = sim.last_webhook();
    let last_name = Some("Married".to_owned());
    let (first_name, email, phone) = (None, None, None);
    sim.mews_change(MewsChange::EditCustomer { customer: customer.clone(), first_name, last_name, email, phone });
    assert_eq!(sim.told(before), [told("CustomerUpdated", &customer)]);
    let fields = json!({ "Extent": { "Customers": true }, "CustomerIds": [customer] });
    let person = sim.mews_list(PEOPLE, fields).await[0].clone();
    assert_eq!((&person["FirstName"], &person["LastName"]), (&json!("Fritz"), &json!("Married")));
    assert!(person["Email"].is_string());
}

#[tokio::test]
async fn an_optional_reservation_is_let_go_in_time() {
    let sim = still(Mode::Auto).await;
    let stay = sim.stay_of("Optional").await;
    assert_eq!(stay["ReleasedUtc"], "2031-03-10T15:00:00Z");
    sim.advance(Duration::from_secs(8 * 86_400 + 3 * 3600));
    let released = sim.stay(text(&stay["Id"])).await;
    assert_eq!((&released["State"], &released["CancelledUtc"]), (&json!("Canceled"), &json!("2031-03-10T15:00:00Z")));
    assert_eq!(sim.told(0), [told("ServiceOrderUpdated", text(&stay["Id"]))]);
    let sim = still(Mode::Auto).await;
    let reservation = text(&stay["Id"]).to_owned();
    sim.mews_change(MewsChange::SetState { reservation: reservation.clone(), state: MewsState::Confirmed });
    sim.advance(Duration::from_secs(9 * 86_400));
    let confirmed = sim.stay(&reservation).await;
    assert_eq!((&confirmed["State"], &confirmed["ReleasedUtc"]), (&json!("Confirmed"), &Value::Null));
}

#[tokio::test]
async fn rooms_are_renamed_soiled_and_blocked() {
    let sim = still(Mode::Auto).await;
    let resource = sim.room("302").await;
    let (vendor, device) = (Vendor::Mews, resource.clone());
    sim.handle().change(WorldChange::Renamed { vendor, device, name: "302b".to_owned() }).unwrap();
    let state = MewsResourceState::Dirty;
    sim.mews_change(MewsChange::SetResourceState { resource: resource.clone(), state });
    let fields = json!({ "Extent": { "Resources": true }, "ResourceIds": [resource] });
    let room = sim.mews_list("resources/getAll", fields).await[0].clone();
    assert_eq!(
        (&room["Name"], &room["State"], &room["UpdatedUtc"]),
        (&json!("302b"), &json!("Dirty"), &json!("2031-03-02T12:00:00Z"))
    );
    let block = "b0000001-0000-4000-8000-000000000001".to_owned();
    sim.mews_change(MewsChange::Block {
        block: block.clone(),
        resource: resource.clone(),
        kind: MewsBlockType::OutOfOrder,
        start: time("2031-03-05T00:00:00Z"),
        end: time("2031-03-06T00:00:00Z"),
    });
    let path = "resourceBlocks/getAll";
    let times = json!({ "StartUtc": "2031-03-05T12:00:00Z", "EndUtc": "2031-03-20T00:00:00Z" });
    let fields = json!({ "AssignedResourceIds": [resource], "CollidingUtc": times });
    let blocks = sim.mews_list(path, fields.clone()).await;
    assert_eq!((&blocks[0]["Id"], &blocks[0]["Type"]), (&json!(block), &json!("OutOfOrder")));
    sim.mews_change(MewsChange::Unblock { block: block.clone() });
    assert_eq!(sim.mews_list(path, fields).await.len(), 0, "only active ones by default");
    let deleted = sim.mews_list(path, json!({ "ActivityStates": ["Deleted"] })).await;
    assert_eq!((&deleted[0]["IsActive"], &deleted[0]["DeletedUtc"]), (&json!(false), &json!("2031-03-02T12:00:00Z")));
    let events = sim.told(0);
    let (room, blocked) = (told("ResourceUpdated", &resource), told("ResourceBlockUpdated", &block));
    assert_eq!(events, [room.clone(), room, blocked.clone(), blocked]);
}

#[tokio::test]
async fn things_happen_over_the_control_api() {
    let sim = still(Mode::Auto).await;
    let stay = sim.stay_of("Arriving").await;
    let url = format!("http://{}/_sim/world/mews", sim.simulator.address());
    let body = json!({ "what": "set_state", "reservation": stay["Id"], "state": "Started" });
    let status = sim.http.request(Method::POST, &url).json(&body).send().await.unwrap().status();
    assert_eq!((status.as_u16(), &sim.stay(text(&stay["Id"])).await["State"]), (204, &json!("Started")));
    let body = json!({ "what": "assign_room", "reservation": "nothing" });
    assert_eq!(sim.http.request(Method::POST, &url).json(&body).send().await.unwrap().status().as_u16(), 404);
    let body = json!({ "what": "explode" });
    assert_eq!(sim.http.request(Method::POST, &url).json(&body).send().await.unwrap().status().as_u16(), 400);
}
