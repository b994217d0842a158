//! P15 in the database: hundreds of stays such as no hotel has, and each ends with a readiness and a reason. That the same
//! holds for ten thousand plans is a property of `domain::stay`.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    ids::VendorAccountId,
    record::{FoundRecord, RecordDetails, ReservationDetails, ReservationState, UserDetails},
    secret::Secret,
    stay::StayTiming,
};
use entities::{
    StoreError,
    store::{
        records::{RecordSealer, record},
        reservations::{Imported, import_after, import_changed},
        stays::Settling,
    },
    work,
};
use gatehouse_tests::{house::Plan, on_both_back_ends};
use serde_json::{Value, json};
use uuid::Uuid;

use super::scene::{Inn, codes};

const STAYS: usize = 500;

struct NoSecrets;

impl RecordSealer for NoSecrets {
    fn seal(&self, _: Uuid, _: &Secret) -> Result<Vec<u8>, StoreError> {
        unreachable!("stays have no secret")
    }

    fn holds(&self, _: Uuid, _: &[u8], _: &Secret) -> bool {
        false
    }
}

fn found(external_id: String, name: &str, details: RecordDetails) -> FoundRecord {
    FoundRecord { external_id, device: None, location: String::new(), name: name.to_owned(), details, secret: None }
}

/// Every combination of what can be wrong with a stay, over and over.
fn strange_stays(inn: &Inn, rooms: &[String]) -> Vec<FoundRecord> {
    let now = inn.now();
    let stay = |number: usize| {
        let pick = |of: usize, among: usize| number / of % among;
        let start = now + TimeDelta::hours(i64::try_from(number % 37).unwrap() * 5 - 60);
        let end = start + TimeDelta::hours([1, 20, 200, -3][pick(2, 4)]);
        let state = ReservationState::ALL[pick(1, ReservationState::ALL.len())];
        let room =
            [Some(rooms[pick(1, rooms.len())].clone()), Some("no such room".to_owned()), None][pick(3, 3)].clone();
        let guest =
            [Some(format!("twin-{}", number % 2)), Some("nobody tells of".to_owned()), None][pick(5, 3)].clone();
        let details = ReservationDetails {
            number: Some(number.to_string()),
            state,
            vendor_state: "Strange".to_owned(),
            service: None,
            group: None,
            guest,
            companions: Vec::new(),
            resource: room,
            resource_locked: false,
            starts_at: Some(start).filter(|_| pick(7, 9) != 0),
            ends_at: Some(end).filter(|_| pick(11, 9) != 0),
            actual_start: Some(start - TimeDelta::hours(2)).filter(|_| pick(13, 4) == 0),
            actual_end: Some(end).filter(|_| pick(17, 5) == 0),
            updated_at: None,
        };
        found(format!("strange-{number}"), "a stay", RecordDetails::Reservation(details))
    };
    (0..STAYS).map(stay).collect()
}

on_both_back_ends! {
    async fn each_of_hundreds_of_strange_stays_has_a_readiness_and_a_reason(back_end: BackEnd) {
        let inn = Inn::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        let (database, ids) = (inn.house.database(), inn.house.foundation().ids.as_ref());
        let timing = StayTiming::default();
        let settling = Settling { ids, timing: &timing };
        let id: VendorAccountId = inn.pms.parse().unwrap();
        let account = work::account(database, id).await.unwrap().unwrap();
        let rooms: Vec<String> = inn.stays().await.iter()
            .filter_map(|stay| stay["resourceExternalId"].as_str().map(str::to_owned)).collect();
        let twin = |number: usize| {
            let details = UserDetails { email: Some("twins@example.test".to_owned()), ..UserDetails::default() };
            found(format!("twin-{number}"), "Twin", RecordDetails::User(details))
        };
        let mut stays = strange_stays(&inn, &rooms);
        stays.extend([twin(0), twin(1)]);
        for portion in stays.chunks(50) {
            let changed = record(database, ids, &NoSecrets, &account, portion, inn.now()).await.unwrap();
            import_changed(database, &settling, &account, &changed, inn.now()).await.unwrap();
        }
        let query = "query($after: String) { reservations(first: 100, after: $after) { pageInfo { hasNextPage endCursor } \
            nodes { externalId state readiness reasons { code message } } } }";
        let (mut after, mut seen) = (Value::Null, BTreeMap::<String, usize>::new());
        loop {
            let data = inn.house.client.data(query, json!({ "after": after })).await;
            let page = &data["reservations"];
            for stay in page["nodes"].as_array().unwrap() {
                assert!(!codes(stay).is_empty(), "{stay:#}");
                assert!(stay["reasons"].as_array().unwrap().iter().all(|reason| reason["message"] != ""), "{stay:#}");
                for word in codes(stay).into_iter().chain([stay["readiness"].as_str().unwrap()]) {
                    *seen.entry(word.to_owned()).or_default() += 1;
                }
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let expected = ["PENDING", "AT_RISK", "FAILED", "NOT_APPLICABLE", "NO_TOKEN", "NO_DOORS", "NO_RESOURCE", "NO_GUEST",
            "UNREADABLE", "CANCELED", "ENDED", "NOT_CONFIRMED"];
        assert!(expected.iter().all(|word| seen.contains_key(*word)), "{seen:#?}");
        let (mut next, mut again) = (None, 0);
        loop {
            let Imported { stays, next: following, .. } =
                import_after(database, &settling, &account, next, 200, inn.now()).await.unwrap();
            again += stays;
            next = following;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(again, 0, "nothing new is told: nothing is written");
        inn.house.stop().await;
    }
}
