//! A house with doors that take codes, and what is asked of it. No test lives here.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::{
    alert::{AlertKind, AlertSeverity},
    ids::{AlertId, SiteId},
};
use entities::store::alerts::{NewAlert, raise, resolve};
use gatehouse_tests::{
    client::{Client, text},
    house::{Plan, TestHouse},
};
use messaging::LiveEvent;
use serde_json::{Value, json};

/// What is read of a stay.
pub(crate) const STAY: &str = "id number state startsAt endsAt actualStart actualEnd readiness version externalId \
    reasons { code message subjectId } guest { id name email } site { id } doors { id } vendorAccount { id } \
    accessTokens { id state }";

/// What is read of a token.
pub(crate) const TOKEN: &str = "id tokenType state validFrom validUntil revokeRequestedAt revokedAt version \
    doors { id } reservation { id } exposure { mayOpen until } \
    placements { id desired state error { code message } doors { id } lastConfirmedAt externalId exposure { mayOpen until } \
    vendorAccount { id vendor } command { id state } }";

/// A moment as the API reads it.
pub(crate) fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// Sends a mutation and returns its payload with these fields.
pub(crate) async fn ask(client: &Client, mutation: &str, input: Value, fields: &str) -> Value {
    let name = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!(
        "mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message path }} }} }}"
    );
    let mut data = client.data(&query, json!({ "input": input })).await;
    data[mutation].take()
}

/// The code of a refusal; none for what was accepted.
pub(crate) fn code(payload: &Value) -> Option<&str> {
    payload["userErrors"][0]["code"].as_str()
}

/// Makes a stay at a door, from tomorrow on, and returns its id.
pub(crate) async fn stay_at(house: &TestHouse, door: &Value) -> String {
    let from = house.foundation().clock.now() + TimeDelta::days(1);
    let input = json!({
        "siteId": door["site"]["id"], "guest": { "name": "Ada Byron" }, "doorIds": [door["id"]],
        "startsAt": iso(from), "endsAt": iso(from + TimeDelta::days(2)),
    });
    let payload = ask(&house.client, "createReservation", input, "reservation { id }").await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    text(&payload["reservation"]["id"])
}

/// Issues a PIN for a stay and returns its id.
pub(crate) async fn token_for(house: &TestHouse, stay: &str) -> String {
    let input = json!({ "reservationId": stay, "tokenType": "PIN_CODE" });
    let payload = ask(&house.client, "issueAccessToken", input, "accessToken { id }").await;
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    text(&payload["accessToken"]["id"])
}

/// Raises or resolves an alert as a worker does, tells of it, and returns its id.
pub(crate) async fn write_alert(
    house: &TestHouse,
    site: &Value,
    kind: AlertKind,
    severity: Option<AlertSeverity>,
    subject: &str,
) -> String {
    let foundation = house.foundation();
    let (now, ids, organization) = (foundation.clock.now(), foundation.ids.as_ref(), house.organization.0);
    let connection = house.open_database().await;
    let transaction = TestHouse::begin_writing(&connection).await;
    let row = match severity {
        Some(severity) => {
            let site = Some(text(site).parse::<SiteId>().unwrap().0);
            let (subject, message) = (subject.to_owned(), "Somebody must look.".to_owned());
            raise(&transaction, ids, NewAlert { organization, site, kind, severity, subject, message }, now).await
        }
        None => resolve(&transaction, ids, organization, kind, subject, now).await,
    };
    let row = row.unwrap().unwrap();
    transaction.commit().await.unwrap();
    connection.close().await.unwrap();
    let event = LiveEvent::Alert { id: row.id, organization: row.organization_id, version: row.version };
    foundation.backend.live().publish_all(&[event]).await.unwrap();
    AlertId(row.id).to_string()
}

/// A house with its doors.
pub(crate) struct Hotel {
    pub(crate) house: TestHouse,
    /// Lockt's doors, all of them at one site.
    pub(crate) locks: Vec<Value>,
    pub(crate) site: String,
}

impl Hotel {
    pub(crate) async fn start(plan: Plan) -> Self {
        // Pages of stays with everything below them are meant to cost a lot here.
        let house = plan.with_setting("max_complexity", "1000000").start().await;
        let doors = house.doors().await;
        let locks: Vec<Value> =
            doors.into_iter().filter(|door| door["device"]["vendorAccount"]["vendor"] == "LOCKT").collect();
        let site = text(&locks[0]["site"]["id"]);
        assert!(locks.iter().all(|door| door["site"]["id"] == site) && locks.len() > 2, "{locks:#?}");
        Self { house, locks, site }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.house.client
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.house.foundation().clock.now()
    }

    /// The input for a stay at these doors, from `begins` days from now for `days`.
    pub(crate) fn stay_input(&self, doors: &[&Value], begins: i64, days: i64) -> Value {
        let from = self.now() + TimeDelta::days(begins);
        json!({
            "siteId": self.site,
            "guest": { "name": "Ada Byron", "email": "ada@hotel.example", "phone": "+37255501234" },
            "doorIds": doors.iter().map(|door| door["id"].clone()).collect::<Vec<_>>(),
            "startsAt": iso(from),
            "endsAt": iso(from + TimeDelta::days(days)),
        })
    }

    /// Makes a stay and returns its id.
    pub(crate) async fn stay(&self, doors: &[&Value], begins: i64, days: i64) -> String {
        let input = self.stay_input(doors, begins, days);
        let payload = ask(self.client(), "createReservation", input, "reservation { id }").await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        text(&payload["reservation"]["id"])
    }

    pub(crate) async fn read_stay(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ reservation(id: $id) {{ {STAY} }} }}");
        let mut data = self.client().data(&query, json!({ "id": id })).await;
        data["reservation"].take()
    }

    /// Asks for a PIN for a stay, with more input.
    pub(crate) async fn issue(&self, stay: &str, more: Value) -> Value {
        let mut input = json!({ "reservationId": stay, "tokenType": "PIN_CODE" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(self.client(), "issueAccessToken", input, &format!("accessToken {{ {TOKEN} }}")).await
    }

    /// Issues a PIN for a stay and returns its id.
    pub(crate) async fn issued(&self, stay: &str, more: Value) -> String {
        let payload = self.issue(stay, more).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        text(&payload["accessToken"]["id"])
    }

    pub(crate) async fn read_token(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ accessToken(id: $id) {{ {TOKEN} }} }}");
        let mut data = self.client().data(&query, json!({ "id": id })).await;
        data["accessToken"].take()
    }

    /// Changes a token, with this input beside its id.
    pub(crate) async fn update(&self, token: &str, more: Value) -> Value {
        let mut input = json!({ "accessTokenId": token });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(self.client(), "updateAccessToken", input, &format!("accessToken {{ {TOKEN} }}")).await
    }

    pub(crate) async fn revoke(&self, token: &str) -> Value {
        let input = json!({ "accessTokenId": token, "reason": "lost" });
        ask(self.client(), "revokeAccessToken", input, &format!("accessToken {{ {TOKEN} }}")).await
    }

    /// The value of a token, with a key of its own: who looks often is stopped.
    pub(crate) async fn value(&self, token: &str) -> String {
        let caller = self.house.caller_with_role(domain::access::Role::Manager).await;
        let payload = reveal(&caller, token).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        text(&payload["value"])
    }

    pub(crate) async fn tokens(&self) -> u64 {
        let data = self.client().data("{ accessTokens { totalCount } }", json!({})).await;
        data["accessTokens"]["totalCount"].as_u64().unwrap()
    }

    /// The events of a type, oldest first.
    pub(crate) async fn events(&self, event_type: &str) -> Vec<Value> {
        let query = "query($types: [EventType!]) { events(filter: { types: $types }, last: 100) { nodes { type actor data } } }";
        let mut data = self.client().data(query, json!({ "types": [event_type] })).await;
        serde_json::from_value(data["events"]["nodes"].take()).unwrap()
    }
}

/// Asks for the value of a token.
pub(crate) async fn reveal(client: &Client, token: &str) -> Value {
    let input = json!({ "accessTokenId": token, "reason": "The guest is at the desk" });
    ask(client, "revealAccessToken", input, "accessToken { id } value").await
}
