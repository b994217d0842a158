//! The rows of mutations of stays, tokens, rooms and alerts: what they are for, and what each caller is told. Keys with
//! limits of any kind may not, but for alerts at their sites.

use std::collections::BTreeMap;

use domain::{
    access::Role,
    alert::{AlertKind, AlertSeverity},
};
use gatehouse_tests::client::text;
use serde_json::{Value, json};
use simulator::Vendor;

use super::{
    assert_unauthenticated, bytes,
    world::{Caller, Sight, World},
};
use crate::{
    orders::account_id,
    tokens::scene::{iso, stay_at, token_for, write_alert},
};

/// What a mutation is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum StayRow {
    /// A new stay at a site.
    Site,
    /// A stay.
    Stay,
    /// A token.
    Token,
    /// An account of a PMS.
    Account,
    /// An alert about a place.
    Alert,
}

pub(super) fn stay_rows() -> BTreeMap<&'static str, StayRow> {
    use StayRow::{Account, Alert, Site, Stay, Token};
    BTreeMap::from([
        ("createReservation", Site),
        ("updateReservation", Stay),
        ("cancelReservation", Stay),
        ("issueAccessToken", Stay),
        ("updateAccessToken", Token),
        ("revokeAccessToken", Token),
        ("revealAccessToken", Token),
        ("mapResource", Account),
        ("acknowledgeAlert", Alert),
    ])
}

/// A target of its own for each call.
async fn target(world: &World, row: StayRow, number: usize) -> String {
    let (house, door) = (&world.house, world.lock());
    match row {
        StayRow::Site => text(&door["site"]["id"]),
        StayRow::Stay => stay_at(house, door).await,
        StayRow::Token => token_for(house, &stay_at(house, door).await).await,
        StayRow::Account => account_id(house, Vendor::Mews).await.to_string(),
        StayRow::Alert => {
            let subject = format!("{}{number}", text(&door["device"]["id"]));
            write_alert(house, &door["site"]["id"], AlertKind::LowBattery, Some(AlertSeverity::Notice), &subject).await
        }
    }
}

fn input(world: &World, name: &str, target: &str) -> Value {
    let now = world.house.foundation().clock.now();
    let (from, until) = (iso(now + chrono::TimeDelta::days(1)), iso(now + chrono::TimeDelta::days(2)));
    match name {
        "createReservation" => json!({
            "siteId": target, "guest": { "name": "Ada" }, "doorIds": [world.lock()["id"]], "startsAt": from, "endsAt": until,
        }),
        "updateReservation" => json!({ "reservationId": target, "endsAt": iso(now + chrono::TimeDelta::days(5)) }),
        "cancelReservation" => json!({ "reservationId": target }),
        "issueAccessToken" => json!({ "reservationId": target, "tokenType": "PIN_CODE" }),
        "updateAccessToken" => json!({ "accessTokenId": target, "drawValue": true }),
        "revokeAccessToken" => json!({ "accessTokenId": target }),
        "revealAccessToken" => json!({ "accessTokenId": target, "reason": "Asked at the desk" }),
        "mapResource" => json!({ "vendorAccountId": target, "resource": world.room, "doorIds": [world.lock()["id"]] }),
        "acknowledgeAlert" => json!({ "alertId": target }),
        _ => unreachable!("{name}"),
    }
}

/// What a refused caller must be told; `None` for one who may.
fn expected(world: &World, caller: &Caller, row: StayRow) -> Option<&'static str> {
    let needed = if matches!(row, StayRow::Alert) { Role::Operator } else { Role::Manager };
    let at_the_site = |site: &String| json!(site) == world.lock()["site"]["id"];
    match (&caller.sight, row) {
        (Sight::Site(site), StayRow::Alert) if at_the_site(site) => None,
        (sight, StayRow::Alert) if sight.is_limited() => Some("NOT_FOUND"),
        (Sight::Stranger, _) => Some("NOT_FOUND"),
        (sight, _) if sight.is_limited() => Some("FORBIDDEN"),
        _ => (caller.role < needed || caller.only.is_some()).then_some("FORBIDDEN"),
    }
}

pub(super) async fn check_stay_mutation(world: &World, name: &str, row: StayRow) {
    let query = format!(
        "mutation($input: {}{}Input!) {{ {name}(input: $input) {{ userErrors {{ code message path }} }} }}",
        name[..1].to_uppercase(),
        &name[1..]
    );
    let events = async || {
        // That somebody was refused is told as well; it is not what they wanted to be written.
        let query = "{ all: events { totalCount } denied: events(filter: {types: [COMMAND_DENIED]}) { totalCount } }";
        let data = world.house.client.data(query, json!({})).await;
        data["all"]["totalCount"].as_u64().unwrap() - data["denied"]["totalCount"].as_u64().unwrap()
    };
    for (number, caller) in world.callers(world.lock()).await.into_iter().enumerate() {
        let target = target(world, row, number).await;
        let before = events().await;
        let said = bytes(&caller.client, &query, json!({ "input": input(world, name, &target) })).await;
        let after = events().await;
        let answer: Value = serde_json::from_str(&said[said.find('{').unwrap()..]).unwrap();
        if caller.sight == Sight::Nobody {
            assert_unauthenticated(&answer);
            assert_eq!(after, before);
            continue;
        }
        let code = answer["data"][name]["userErrors"][0]["code"].as_str();
        let expected = expected(world, &caller, row);
        assert_eq!(code, expected, "{name} by {}: {answer:#}", caller.name);
        if expected.is_some() {
            assert_eq!(after, before, "{name} by {}: refused, and yet something was written", caller.name);
        }
        if expected == Some("NOT_FOUND") {
            let absent = match row {
                StayRow::Site => world.absent("Site"),
                StayRow::Stay => world.absent("Reservation"),
                StayRow::Token => world.absent("AccessToken"),
                StayRow::Account => world.absent("VendorAccount"),
                StayRow::Alert => world.absent("Alert"),
            };
            for id in [absent, "nonsense".to_owned()] {
                let same = bytes(&caller.client, &query, json!({ "input": input(world, name, &id) })).await;
                assert_eq!(same, said, "{name} by {}", caller.name);
            }
        }
    }
}
