//! Stays come in with their guests and rooms, and follow what happens at the reception: by a sync, and by webhooks.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::stay::StayTiming;
use gatehouse::demo;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};
use simulator::{MewsChange, MewsState};

use super::scene::{Inn, codes, time};

/// Whether a change shows at a reservation.
type Shown = Box<dyn Fn(&Value) -> bool>;

/// How a change comes to us.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Sync,
    Webhook,
}

async fn a_stay_is_followed(plan: Plan, way: Way) {
    let inn = Inn::start(plan).await;
    if way == Way::Webhook {
        inn.listen().await;
    }
    let stay = inn.stay("Wanda Weekend").await;
    let id = text(&stay["externalId"]);
    let set = |state| MewsChange::SetState { reservation: id.clone(), state };
    let end = time(&stay["endsAt"]) + TimeDelta::days(1);
    let start = time(&stay["startsAt"]) - TimeDelta::hours(1);
    let room = inn.stay("Mona Month").await["resourceExternalId"].take();
    let moved = MewsChange::AssignRoom { reservation: id.clone(), resource: Some(text(&room)), locked: false };
    let is = |state: &'static str| move |stay: &Value| stay["state"] == state;
    let doors =
        |stay: &Value| stay["doors"].as_array().unwrap().iter().map(|door| text(&door["id"])).collect::<BTreeSet<_>>();
    let new_doors =
        BTreeSet::from([text(&inn.lock("Room 302").await["id"]), text(&inn.lock("Front Door").await["id"])]);
    let changes: Vec<(&str, MewsChange, Shown)> = vec![
        (
            "an extension",
            MewsChange::Reschedule { reservation: id.clone(), start: Some(start), end: Some(end) },
            Box::new(move |stay| time(&stay["endsAt"]) == end && time(&stay["startsAt"]) == start),
        ),
        ("a move", moved, Box::new(move |stay| doors(stay) == new_doors)),
        ("a cancellation", set(MewsState::Canceled), Box::new(is("CANCELED"))),
        ("a reinstatement", set(MewsState::Confirmed), Box::new(is("CONFIRMED"))),
        (
            "a check-in",
            set(MewsState::Started),
            Box::new(|stay| stay["state"] == "STARTED" && stay["actualStart"].is_string()),
        ),
        (
            "a check-out",
            set(MewsState::Processed),
            Box::new(|stay| stay["state"] == "ENDED" && stay["actualEnd"].is_string()),
        ),
    ];
    for (what, change, has_come) in changes {
        inn.at_reception(change);
        if way == Way::Sync {
            inn.sync().await;
        }
        let stay = inn.once(what, "Wanda Weekend", has_come).await;
        let expected = match stay["state"].as_str().unwrap() {
            "CANCELED" => vec!["CANCELED"],
            "ENDED" => vec!["ENDED"],
            _ => vec!["NO_TOKEN"],
        };
        assert_eq!(codes(&stay), expected, "{what}: {stay:#}");
    }
    inn.house.stop().await;
}

on_both_back_ends! {
    async fn stays_come_in_and_say_what_they_lack(back_end: BackEnd) {
        let inn = Inn::unmapped(Plan::on(back_end).without_worker()).await;
        let before = inn.stay("Ines Inside").await;
        assert_eq!((&before["state"], codes(&before)), (&json!("STARTED"), vec!["NO_DOORS", "NO_TOKEN"]), "{before:#}");
        assert_eq!(before["readiness"], "FAILED", "she is in, and no door opens for her");
        assert_eq!(inn.alerts(&before).await, Vec::<Value>::new(), "nobody issued a token");
        demo::map_rooms(inn.house.foundation(), &StayTiming::default(), inn.house.organization).await.unwrap();
        let inside = inn.stay("Ines Inside").await;
        let (room, front) = (inn.lock("Room 103").await["id"].take(), inn.lock("Front Door").await["id"].take());
        let doors: BTreeSet<String> = inside["doors"].as_array().unwrap().iter().map(|door| text(&door["id"])).collect();
        assert_eq!(doors, BTreeSet::from([text(&room), text(&front)]));
        for (guest, readiness, reasons) in [
            ("Ines Inside", "FAILED", vec!["NO_TOKEN"]),
            ("Mona Month", "PENDING", vec!["NO_TOKEN"]),
            ("Ben Bunk", "PENDING", vec!["NO_TOKEN"]),
            ("Una Unassigned", "PENDING", vec!["NO_RESOURCE", "NO_TOKEN"]),
            ("Olga Optional", "NOT_APPLICABLE", vec!["NOT_CONFIRMED"]),
        ] {
            let stay = inn.stay(guest).await;
            assert_eq!((stay["readiness"].as_str().unwrap(), codes(&stay)), (readiness, reasons), "{stay:#}");
        }
        inn.house.stop().await;
    }

    async fn changes_are_followed_by_a_sync(back_end: BackEnd) {
        a_stay_is_followed(Plan::on(back_end), Way::Sync).await;
    }

    async fn changes_are_followed_by_webhooks(back_end: BackEnd) {
        a_stay_is_followed(Plan::on(back_end), Way::Webhook).await;
    }

    /// Two of the PMS's people with one address are two people here too; who is renamed is renamed.
    async fn guests_are_the_people_of_the_pms(back_end: BackEnd) {
        let inn = Inn::start(Plan::on(back_end)).await;
        let address = Some("twins@example.test".to_owned());
        let now = inn.now() - TimeDelta::microseconds(i64::from(inn.now().timestamp_subsec_micros()));
        let customers = ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"];
        for (number, customer) in customers.iter().enumerate() {
            inn.at_reception(MewsChange::AddCustomer {
                access_token: inn.house.vendors.credentials()[0].mews.access_token.clone(),
                customer: (*customer).to_owned(),
                first_name: "Twin".to_owned(),
                last_name: format!("Number{number}"),
                email: address.clone(),
                phone: None,
            });
            inn.at_reception(MewsChange::Book {
                reservation: format!("bbbbbbbb-0000-4000-8000-00000000000{number}"),
                customer: (*customer).to_owned(),
                resource: None,
                start: now + TimeDelta::days(40),
                end: now + TimeDelta::days(41),
                state: MewsState::Confirmed,
            });
        }
        inn.sync().await;
        let one = inn.once("the first twin", "Twin Number0", |_| true).await;
        let other = inn.once("the second twin", "Twin Number1", |_| true).await;
        assert_ne!(one["guest"]["id"], other["guest"]["id"]);
        assert_eq!((&one["guest"]["email"], &other["guest"]["email"]), (&json!(address), &json!(address)));
        inn.at_reception(MewsChange::EditCustomer {
            customer: customers[0].to_owned(), first_name: None, last_name: Some("Married".to_owned()), email: None, phone: None,
        });
        inn.sync().await;
        let renamed = inn.once("her new name", "Twin Married", |_| true).await;
        assert_eq!(renamed["guest"]["id"], one["guest"]["id"]);
        inn.house.stop().await;
    }
}
