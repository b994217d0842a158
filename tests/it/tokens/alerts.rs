//! Alerts as the API tells them: who sees which, taking note, and hearing of them.

use domain::{
    access::Role,
    alert::{AlertKind, AlertSeverity},
    ids::SiteId,
};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, text},
    house::Plan,
    on_both_back_ends,
};
use serde_json::{Value, json};

use super::scene::{Hotel, ask, code, write_alert};

const FIELDS: &str = "id kind severity message subjectId subject { id } site { id } raisedAt acknowledgedAt \
    acknowledgedBy resolvedAt version";

async fn listed(client: &Client, filter: Value) -> Vec<Value> {
    let query = format!(
        "query($filter: AlertFilter) {{ alerts(first: 100, filter: $filter) {{ nodes {{ {FIELDS} }} totalCount }} }}"
    );
    let mut data = client.data(&query, json!({ "filter": filter })).await;
    let nodes: Vec<Value> = serde_json::from_value(data["alerts"]["nodes"].take()).unwrap();
    assert_eq!(data["alerts"]["totalCount"], nodes.len());
    nodes
}

async fn acknowledge(client: &Client, alert: &str) -> Value {
    ask(client, "acknowledgeAlert", json!({ "alertId": alert }), &format!("alert {{ {FIELDS} }}")).await
}

on_both_back_ends! {
    async fn alerts_are_read_and_noted_by_those_who_may(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 1, 2).await;
        let device = text(&hotel.locks[0]["device"]["id"]);
        write_alert(&hotel.house, &json!(hotel.site), AlertKind::TokenAtRisk, Some(AlertSeverity::Critical), &stay).await;
        write_alert(&hotel.house, &json!(hotel.site), AlertKind::LowBattery, Some(AlertSeverity::Notice), &device).await;
        write_alert(&hotel.house, &json!(hotel.site), AlertKind::EventGap, Some(AlertSeverity::Warning), &device).await;
        let all = listed(hotel.client(), json!({})).await;
        assert_eq!(all.len(), 3, "{all:#?}");
        assert_eq!((&all[0]["subjectId"], &all[0]["subject"]["id"]), (&json!(stay), &json!(stay)));
        assert_eq!(all[1]["subject"]["id"], device);
        assert_eq!(listed(hotel.client(), json!({ "severity": "WARNING" })).await.len(), 2);
        assert_eq!(listed(hotel.client(), json!({ "kinds": ["LOW_BATTERY"] })).await.len(), 1);
        assert_eq!(listed(hotel.client(), json!({ "siteId": hotel.site })).await.len(), 3);
        // Those about people are for a MANAGER who sees everything.
        let mut of_site = KeyPlan::unlimited("of the site", Role::Manager);
        of_site.sites.extend(hotel.site.parse::<SiteId>().ok());
        let of_site = hotel.house.caller(&of_site).await;
        let (viewer, operator) = (hotel.house.caller_with_role(Role::Viewer).await, hotel.house.caller_with_role(Role::Operator).await);
        for caller in [&of_site, &viewer, &operator] {
            assert_eq!(listed(caller, json!({})).await.len(), 2);
            let node = caller.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": all[0]["id"] })).await;
            assert_eq!(node["node"], Value::Null);
            assert_eq!(code(&acknowledge(caller, &text(&all[0]["id"])).await), Some("NOT_FOUND"));
        }
        let query = "{ alerts(filter: { kinds: [TOKEN_AT_RISK] }) { nodes { id } } }";
        assert_eq!(viewer.ask(query, json!({})).await["errors"][0]["extensions"]["code"], "FORBIDDEN");
        assert_eq!(listed(&hotel.house.stranger().await, json!({})).await, Vec::<Value>::new());
        // Taking note.
        let battery = text(&all[1]["id"]);
        assert_eq!(code(&acknowledge(&viewer, &battery).await), Some("FORBIDDEN"));
        assert_eq!(code(&acknowledge(&operator, "alrt_nonsense").await), Some("NOT_FOUND"));
        let noted = acknowledge(&operator, &battery).await;
        assert!(noted["alert"]["acknowledgedAt"].is_string() && noted["alert"]["resolvedAt"].is_null(), "{noted:#}");
        let again = acknowledge(&of_site, &battery).await;
        assert_eq!(again["alert"], noted["alert"], "the first one counts");
        assert_eq!(listed(hotel.client(), json!({ "acknowledged": false })).await.len(), 2);
        let gone = acknowledge(&operator, &text(&all[2]["id"])).await;
        assert!(gone["alert"]["resolvedAt"].is_string(), "events that are lost stay lost: {gone:#}");
        assert_eq!(listed(hotel.client(), json!({})).await.len(), 2);
        assert_eq!(listed(hotel.client(), json!({ "resolvedToo": true })).await.len(), 3);
        hotel.house.stop().await;
    }

    /// The open ones first, then each change; nothing that one may not read.
    async fn alerts_are_heard_of(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker()).await;
        let stay = hotel.stay(&[&hotel.locks[0]], 1, 2).await;
        let device = text(&hotel.locks[0]["device"]["id"]);
        write_alert(&hotel.house, &json!(hotel.site), AlertKind::LowBattery, Some(AlertSeverity::Notice), &device).await;
        let heard = "subscription { alertRaised { id kind severity resolvedAt acknowledgedAt version } }";
        let viewer = hotel.house.caller_with_role(Role::Viewer).await;
        let mut everything = hotel.client().subscribe(heard, json!({})).await;
        let mut of_places = viewer.subscribe(heard, json!({})).await;
        for ear in [&mut everything, &mut of_places] {
            assert_eq!(ear.next().await.unwrap()["alertRaised"]["kind"], "LOW_BATTERY");
        }
        write_alert(&hotel.house, &json!(hotel.site), AlertKind::TokenAtRisk, Some(AlertSeverity::Warning), &stay).await;
        let raised = everything.next().await.unwrap()["alertRaised"].take();
        assert_eq!((&raised["kind"], &raised["severity"]), (&json!("TOKEN_AT_RISK"), &json!("WARNING")), "{raised:#}");
        write_alert(&hotel.house, &json!(hotel.site), AlertKind::TokenAtRisk, Some(AlertSeverity::Critical), &stay).await;
        let worse = everything.next().await.unwrap()["alertRaised"].take();
        assert_eq!((&worse["id"], &worse["severity"]), (&raised["id"], &json!("CRITICAL")), "{worse:#}");
        acknowledge(hotel.client(), &text(&raised["id"])).await;
        assert!(everything.next().await.unwrap()["alertRaised"]["acknowledgedAt"].is_string());
        write_alert(&hotel.house, &json!(hotel.site), AlertKind::TokenAtRisk, None, &stay).await;
        assert!(everything.next().await.unwrap()["alertRaised"]["resolvedAt"].is_string());
        // The viewer heard nothing of all that: the next thing is about a place again.
        write_alert(&hotel.house, &json!(hotel.site), AlertKind::LowBattery, None, &device).await;
        for ear in [&mut everything, &mut of_places] {
            let told = ear.next().await.unwrap()["alertRaised"].take();
            assert!(told["kind"] == "LOW_BATTERY" && told["resolvedAt"].is_string(), "{told:#}");
        }
        let of_site = "subscription($id: ID!) { alertRaised(siteId: $id) { id } }";
        let mut nowhere = hotel.client().subscribe(of_site, json!({ "id": "site_nonsense" })).await;
        assert!(nowhere.next_message().await.unwrap().to_string().contains("NOT_FOUND"));
        hotel.house.stop().await;
    }
}
