//! Lockt's peculiarities: a person's access levels are in some of its answers only, and its POSTs must not overlap.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use domain::{
    access::Role,
    record::{RecordKind, RecordRef},
    secret::Secret,
};
use entities::{
    StoreError,
    store::{self, records::RecordSealer},
    work,
};
use futures::future::join_all;
use gatehouse::house::worker_parts;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::{EffectKind, Latency, Vendor};
use uuid::Uuid;
use vendors::port::Hint;
use worker::accounts::{Access, Accounts};

use super::{calls, of_kind, records};
use crate::{orders::account_id, vendor_accounts::sync};

/// Holds every secret for the same as before.
struct NoSeal;

impl RecordSealer for NoSeal {
    fn seal(&self, _: Uuid, _: &Secret) -> Result<Vec<u8>, StoreError> {
        Ok(Vec::new())
    }

    fn holds(&self, _: Uuid, _: &[u8], _: &Secret) -> bool {
        true
    }
}

/// The record of the person with this number.
async fn person(house: &TestHouse, number: &str) -> Value {
    let held = records(house, &house.client, Vendor::Lockt).await;
    of_kind(&held, "USER").into_iter().find(|user| user["details"]["idNumber"] == number).unwrap().clone()
}

on_both_back_ends! {
    /// The answer to `?id=` leaves the levels out. Whoever is read again by it keeps them.
    async fn an_answer_without_access_levels_takes_none_away(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let before = person(&house, "HR-00002").await;
        assert_eq!(before["details"]["accessLevelExternalIds"].as_array().map(Vec::len), Some(2));
        let account = work::account(house.database(), account_id(&house, Vendor::Lockt).await).await.unwrap().unwrap();
        let parts = worker_parts(house.foundation(), &house.settings).unwrap();
        let line = Arc::new(Accounts::new(parts)).line(&Access::of(&account)).await.unwrap();
        house.vendors.clear_journal();
        let named = RecordRef { kind: RecordKind::User, external_id: text(&before["externalId"]) };
        let now = house.foundation().clock.now();
        let portion = line.connection.inventory().reread(&Hint::Record(named), now).await.unwrap();
        assert!(calls(&house, Vendor::Lockt).contains_key("get_user"));
        assert_eq!(portion.records.len(), 1);
        let told = serde_json::to_value(&portion.records[0].details).unwrap();
        assert!(!told.to_string().contains(&text(&before["details"]["accessLevelExternalIds"][0])), "{told}");
        let ids = house.foundation().ids.as_ref();
        store::records::record(house.database(), ids, &NoSeal, &account, &portion.records, now).await.unwrap();
        assert_eq!(person(&house, "HR-00002").await["details"], before["details"]);
        house.stop().await;
    }

    /// The same by an order that reads back what became of a person.
    async fn a_changed_person_keeps_the_access_levels(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let before = person(&house, "HR-00002").await;
        let levels = &before["details"]["accessLevelExternalIds"];
        let query = "mutation($input: ImportUsersInput!) { importUsers(input: $input) { commands { id } \
            userErrors { code message path } } }";
        let user = json!({
            "userId": before["id"],
            "idNumber": "HR-00002",
            "firstName": "Bruno",
            "lastName": "Quill-Santos",
            "email": before["details"]["email"],
            "cardNumber": before["details"]["cardNumber"],
        });
        let options = json!({ "updateExisting": true });
        let account = account_id(&house, Vendor::Lockt).await.to_string();
        let input = json!({ "vendorAccountId": account, "users": [user], "options": options });
        let data = house.client.data(query, json!({ "input": input })).await;
        assert_eq!(data["importUsers"]["userErrors"], json!([]), "{data:#}");
        let id = text(&data["importUsers"]["commands"][0]["id"]);
        let command = house.client.finished(&id).await;
        assert_eq!(command["state"], "SUCCEEDED", "{command:#}");
        let after = person(&house, "HR-00002").await;
        assert_eq!((&after["name"], &after["details"]["accessLevelExternalIds"]), (&json!("Bruno Quill-Santos"), levels));
        sync(&house, Vendor::Lockt).await.unwrap();
        assert_eq!(person(&house, "HR-00002").await["details"]["accessLevelExternalIds"], *levels);
        house.stop().await;
    }

    /// Many callers and two workers: one POST at a time, in no other order than asked, each once.
    async fn posts_never_overlap(back_end: BackEnd) {
        const CALLERS: usize = 6;
        const ORDERS: usize = 5;
        let mut plan = Plan::on(back_end);
        let answer = Duration::from_millis(15);
        plan.simulator.latency = Latency { answer, ..Latency::none() };
        let mut house = plan.start().await;
        house.start_worker().await;
        let account = account_id(&house, Vendor::Lockt).await.to_string();
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            callers.push(house.caller_with_role(Role::Admin).await);
        }
        let orders = callers.iter().enumerate().flat_map(|(caller, client)| {
            let account = &account;
            (0..ORDERS).map(move |order| async move {
                let number = 20_000 + caller * 100 + order;
                if order % 2 == 0 {
                    let fob = json!({ "name": format!("Fob {number}"), "cardNumber": number.to_string(),
                        "idNumber": number.to_string() });
                    client.command("createFobs", json!({ "vendorAccountId": account, "fobs": [fob] })).await
                } else {
                    let names = [format!("Door {number}")];
                    client.command("createDoors", json!({ "vendorAccountId": account, "names": names })).await
                }
            })
        });
        // A sync beside them reads, which may overlap.
        let (ids, synced) = futures::join!(join_all(orders), sync(&house, Vendor::Lockt));
        synced.unwrap();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), CALLERS * ORDERS);
        for id in &ids {
            let command = house.client.finished(id).await;
            assert_eq!((&command["state"], &command["attempts"]), (&json!("SUCCEEDED"), &json!(1)), "{command:#}");
        }
        assert_eq!(house.vendors.lockt_overlaps(), []);
        let effects = house.vendors.effects(0).entries;
        let made = |kind| effects.iter().filter(|effect| effect.kind == kind).count();
        let (fobs, doors) = (CALLERS * ORDERS.div_ceil(2), CALLERS * (ORDERS / 2));
        assert_eq!((made(EffectKind::FobCreated), made(EffectKind::DoorCreated)), (fobs, doors));
        house.stop().await;
    }
}
