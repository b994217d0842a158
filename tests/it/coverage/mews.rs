//! The tour of Mews: stays and rooms as the PMS has them, a change that its webhook hints at, and an access token's life.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::command::CommandKind;
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends, wait::until};
use serde_json::{Value, json};
use simulator::{
    EffectKind, MewsAccountPlan, MewsChange, MewsHotelPlan, MewsIntegrationAction, SimulatorOptions, Vendor, World,
    WorldChange, WorldChoice,
};

use super::{Ground, Tour, rows};
use crate::orders::account_id;

pub(super) fn ground() -> Ground {
    Ground {
        vendor: Vendor::Mews,
        rows: rows("M", 1..=5),
        given_up: Vec::new(),
        kinds: &[CommandKind::AddPmsAccessToken, CommandKind::UpdatePmsAccessToken, CommandKind::DeletePmsAccessToken],
    }
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// A token is shown at a stay, for another time, and no longer.
async fn a_token(tour: &mut Tour, account: &str, stay: &Value) {
    let reservation = text(&stay["externalId"]);
    let room = json!({ "vendorAccountId": account, "kinds": ["RESOURCE"], "externalId": stay["details"]["resourceExternalId"] });
    let room = tour.record("its room", room, |_| true).await;
    let now = Utc::now().trunc_subsecs(0);
    let (from, until) = (now - TimeDelta::minutes(30), now + TimeDelta::hours(20));
    let minute = |at: DateTime<Utc>| at - TimeDelta::seconds(at.timestamp() % 60);
    let added = tour
        .done(
            "addPmsAccessToken",
            json!({
                "reservationId": stay["id"], "resourceId": room["id"], "tokenType": "PIN_CODE", "value": "482913",
                "validFrom": minute(from), "validUntil": minute(until), "permissions": { "room": true },
            }),
            &[EffectKind::TokenAdded],
        )
        .await;
    let ours = json!({ "vendorAccountId": account, "kinds": ["ACCESS_TOKEN"], "externalId": added["externalId"] });
    let token = tour.record("the token", ours.clone(), |_| true).await;
    let details = &token["details"];
    assert_eq!(
        (&details["tokenType"], &details["active"], &details["reservationExternalId"], &details["resourceExternalId"]),
        (&json!("PIN_CODE"), &json!(true), &stay["externalId"], &room["externalId"])
    );
    assert!(!token.to_string().contains("482913"), "its value is shown to nobody");
    let kept = tour.house.vendors.mews_tokens(&reservation);
    assert_eq!((kept.len(), &kept[0]["Value"], &kept[0]["IsActive"]), (1, &json!("482913"), &json!(true)), "{kept:#?}");

    let later = minute(until) + TimeDelta::hours(2);
    let update = json!({ "accessTokenId": token["id"], "validUntil": later, "value": "771204" });
    tour.done("updatePmsAccessToken", update, &[EffectKind::TokenUpdated]).await;
    tour.record("the token's new time", ours.clone(), |token| time(&token["details"]["validUntil"]) == later).await;
    let kept = tour.house.vendors.mews_tokens(&reservation);
    assert_eq!((kept.len(), &kept[0]["Value"]), (1, &json!("771204")), "{kept:#?}");

    let id = json!({ "accessTokenId": token["id"] });
    tour.done("deletePmsAccessToken", id, &[EffectKind::TokenDeleted]).await;
    tour.record("the token without effect", ours, |token| token["details"]["active"] == false).await;
    assert_eq!(tour.house.vendors.mews_tokens(&reservation)[0]["IsActive"], false);
}

/// M6: a stay that is prolonged at the reception is so here, without a sync.
async fn a_longer_stay(tour: &Tour, account: &str, stay: &Value) {
    let query = "mutation($input: RotateWebhookAddressInput!) { rotateWebhookAddress(input: $input) { \
        webhookUrl userErrors { code message } } }";
    let data = tour.house.client.data(query, json!({ "input": { "vendorAccountId": account } })).await;
    let hotel = tour.records(json!({ "vendorAccountId": account, "kinds": ["LOCATION"] })).await;
    tour.hear(&text(&hotel[0]["externalId"]), &data["rotateWebhookAddress"]["webhookUrl"]);
    let synced = tour.account(account).await["syncedAt"].take();
    let end = time(&stay["details"]["endsAt"]) + TimeDelta::days(1);
    let change = MewsChange::Reschedule { reservation: text(&stay["externalId"]), start: None, end: Some(end) };
    tour.house.vendors.change(WorldChange::Mews(change)).unwrap();
    assert_eq!(tour.heard(account).await, 1);
    let longer = json!({ "vendorAccountId": account, "kinds": ["RESERVATION"], "externalId": stay["externalId"] });
    tour.record("the longer stay", longer, |stay| time(&stay["details"]["endsAt"]) == end).await;
    assert_eq!(tour.account(account).await["syncedAt"], synced);
}

/// The tokens of a chain: one for both of its hotels.
const CHAIN: [&str; 2] = ["mews-client-token", "mews-chain-token"];

/// The demo's world, and a chain with two hotels of two rooms and three stays each.
fn with_a_chain(plan: Plan) -> Plan {
    let mut world = World::demo(plan.simulator.seed);
    let hotel = |name| MewsHotelPlan::sized(name, chrono_tz::Europe::Lisbon, 2, 3);
    let [client_token, access_token] = CHAIN;
    world.add_mews_account(MewsAccountPlan {
        portfolio: true,
        hotels: vec![hotel("Chain North"), hotel("Chain South")],
        ..MewsAccountPlan::of_one(client_token, access_token, hotel(""))
    });
    let simulator = SimulatorOptions { world: WorldChoice::Explicit(Box::new(world)), ..plan.simulator };
    Plan { simulator, ..plan }
}

/// A portfolio: every hotel of the chain is a location, and each has its rooms and stays.
async fn a_chain(tour: &Tour) {
    let tokens = json!({ "clientToken": CHAIN[0], "accessToken": CHAIN[1] });
    let linked = tour.link("The chain", tokens).await;
    let named = |rows: &[Value]| {
        let mut names: Vec<String> = rows.iter().map(|row| text(&row["name"])).collect();
        names.sort();
        names
    };
    let hotels = ["Chain North", "Chain South"];
    assert_eq!(named(linked["locations"].as_array().unwrap()), hotels, "{linked:#}");
    let chain = text(&linked["vendorAccount"]["id"]);
    tour.synced(&chain, &Value::Null).await;
    let kept = async |kind: &str| tour.records(json!({ "vendorAccountId": chain, "kinds": [kind] })).await;
    assert_eq!(named(&kept("LOCATION").await), hotels);
    let rooms = kept("RESOURCE").await;
    let rooms = rooms.iter().filter(|room| text(&room["details"]["resourceType"]).to_lowercase().contains("room"));
    assert_eq!(rooms.count(), 4);
    let stays = kept("RESERVATION").await;
    assert_eq!(stays.len(), 6);
    assert_eq!(kept("USER").await.len(), 6, "each guest is somebody else");
}

/// An integration that is switched off at the hotel, and on again: the account says so, because it is tried.
async fn a_switched_off_integration(tour: &Tour, inn: &str) {
    let query = "mutation($input: RotateWebhookAddressInput!) { rotateWebhookAddress(input: $input) { \
        webhookUrl userErrors { code message } } }";
    let data = tour.house.client.data(query, json!({ "input": { "vendorAccountId": inn } })).await;
    let hotel = tour.records(json!({ "vendorAccountId": inn, "kinds": ["LOCATION"] })).await;
    tour.hear(&text(&hotel[0]["externalId"]), &data["rotateWebhookAddress"]["webhookUrl"]);
    let switched = |action| {
        let access_token = tour.house.vendors.credentials()[1].mews.access_token.clone();
        let change = MewsChange::Integration { access_token, action, new_access_token: None };
        tour.house.vendors.change(WorldChange::Mews(change)).unwrap();
    };
    switched(MewsIntegrationAction::Disabled);
    until("the account needs a person", async || (tour.account(inn).await["state"] == "REAUTH_REQUIRED").then_some(()))
        .await;
    // The same token works again, and the account with it: nobody has to link it anew.
    switched(MewsIntegrationAction::Enabled);
    assert_eq!(tour.heard(inn).await, 2);
    let filter = json!({ "types": ["VENDOR_EVENT"] });
    let told = crate::orders::events(&tour.house, filter).await;
    assert_eq!(told.len(), 2, "{told:#?}");
    until("the account is connected again", async || (tour.account(inn).await["state"] == "CONNECTED").then_some(()))
        .await;
}

on_both_back_ends! {
    async fn every_row_of_mews_is_used(back_end: BackEnd) {
        let mut tour = Tour::start(with_a_chain(Plan::on(back_end)), Vendor::Mews).await;
        let account = account_id(&tour.house, Vendor::Mews).await.to_string();
        let stays = tour.records(json!({ "vendorAccountId": account, "kinds": ["RESERVATION"] })).await;
        let has_room = |stay: &&Value| {
            stay["details"]["reservationState"] == "STARTED" && stay["details"]["resourceExternalId"].is_string()
        };
        let stay = stays.iter().find(has_room).unwrap().clone();
        a_token(&mut tour, &account, &stay).await;
        a_longer_stay(&tour, &account, &stay).await;

        let inn = tour.house.vendors.credentials()[1].mews.clone();
        let tokens = json!({ "clientToken": inn.client_token, "accessToken": inn.access_token });
        let linked = tour.link("Neighbour Inn", tokens).await;
        assert_eq!(linked["locations"][0]["name"], "Neighbour Inn", "{linked:#}");
        let inn = text(&linked["vendorAccount"]["id"]);
        tour.synced(&inn, &Value::Null).await;
        let guests = tour.records(json!({ "vendorAccountId": inn, "kinds": ["USER"] })).await;
        assert_eq!(guests.iter().map(|guest| text(&guest["name"])).collect::<Vec<_>>(), ["Gus Guest"]);
        a_chain(&tour).await;
        let never = ["list_reservation_groups"];
        for row in tour.house.vendors.coverage().iter().filter(|row| row.vendor == Vendor::Mews) {
            // Nothing shows the name of a group.
            assert_eq!(row.calls == 0, never.contains(&row.operation.as_str()), "{row:?}");
        }
        a_switched_off_integration(&tour, &inn).await;
        tour.end(&ground()).await;
    }
}
