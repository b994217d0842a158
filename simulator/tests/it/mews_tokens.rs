//! Mews' resource access tokens: listing, adding, updating, deleting, and what faults do to them.

use std::time::Duration;

use gatehouse_simulator::{EffectKind, Fault, FaultKind, MewsChange, MewsState, Mode, Vendor, WorldChange};
use serde_json::{Value, json};

use crate::support::{Sim, answer, still, text};

const ADD: &str = "resourceAccessTokens/add";
const UPDATE: &str = "resourceAccessTokens/update";
const DELETE: &str = "resourceAccessTokens/delete";
const LIST: &str = "resourceAccessTokens/getAll";

/// A reservation that has begun, with a companionship of its own.
async fn stay(sim: &Sim) -> Value {
    let fields = json!({ "States": ["Started"] });
    sim.mews_list("reservations/getAll/2023-06-06", fields).await.pop().unwrap()
}

async fn guest(sim: &Sim, reservation: &Value) -> String {
    let fields = json!({ "Extent": {}, "ReservationIds": [reservation["Id"]] });
    text(&sim.mews_list("companionships/getAll", fields).await[0]["Id"]).to_owned()
}

fn parameter(reservation: &Value, value: &str) -> Value {
    json!({
        "ServiceOrderId": reservation["Id"],
        "ResourceId": reservation["AssignedResourceId"],
        "Type": "PinCode",
        "Value": value,
        "SerialNumber": "gh-1",
        "ValidityStartUtc": reservation["ScheduledStartUtc"],
        "ValidityEndUtc": reservation["ScheduledEndUtc"],
        "Permissions": { "Bed": { "Value": false }, "Room": { "Value": true }, "Floor": { "Value": null } },
    })
}

impl Sim {
    async fn add(&self, parameters: &[Value]) -> Vec<Value> {
        let body = self.mews_ok(ADD, json!({ "ResourceAccessTokenParameters": parameters })).await;
        body["ResourceAccessTokens"].as_array().unwrap().clone()
    }

    async fn update(&self, id: &Value, mut fields: Value) -> (u16, Value) {
        fields["ResourceAccessTokenId"] = id.clone();
        answer(self.mews(UPDATE, json!({ "ResourceAccessTokenUpdates": [fields] }))).await
    }

    fn effects_of(&self, id: &Value) -> Vec<EffectKind> {
        self.handle().effects_at(text(id)).iter().map(|effect| effect.kind).collect()
    }
}

#[tokio::test]
async fn an_added_token_has_every_field_and_a_repetition_is_a_second_one() {
    let sim = still(Mode::Auto).await;
    let stay = stay(&sim).await;
    let companionship = guest(&sim, &stay).await;
    let mut wanted = parameter(&stay, "730512");
    wanted["CompanionshipId"] = json!(companionship);
    let first = sim.add(&[wanted.clone()]).await;
    let expected = json!({
        "Id": first[0]["Id"],
        "EnterpriseId": sim.mews_ok("configuration/get", json!({})).await["Enterprise"]["Id"],
        "ServiceOrderId": stay["Id"],
        "CompanionshipId": companionship,
        "ResourceId": stay["AssignedResourceId"],
        "Type": "PinCode",
        "Value": "730512",
        "SerialNumber": "gh-1",
        "ValidityStartUtc": stay["ScheduledStartUtc"],
        "ValidityEndUtc": stay["ScheduledEndUtc"],
        "Permissions": { "Bed": false, "Room": true, "Floor": false, "Building": false },
        "IsActive": true,
        "CreatedUtc": "2031-03-02T12:00:00Z",
        "UpdatedUtc": "2031-03-02T12:00:00Z",
    });
    assert_eq!(first, [expected]);
    let second = sim.add(&[wanted]).await;
    assert_ne!(first[0]["Id"], second[0]["Id"]);
    assert_eq!(sim.handle().mews_tokens(text(&stay["Id"])), [first[0].clone(), second[0].clone()]);
    assert_eq!(sim.effects_of(&stay["Id"]), [EffectKind::TokenAdded, EffectKind::TokenAdded]);
    assert_eq!(sim.effects_of(&second[0]["Id"]), [EffectKind::TokenAdded]);
}

#[tokio::test]
async fn what_an_addition_lacks_is_named_and_nothing_of_the_batch_is_added() {
    let sim = still(Mode::Auto).await;
    let stay = stay(&sim).await;
    for name in ["ServiceOrderId", "Type", "Value", "ValidityStartUtc", "ValidityEndUtc", "Permissions", "ResourceId"] {
        let mut wrong = parameter(&stay, "1");
        wrong[name] = json!(if name == "ResourceId" { Value::from("nothing") } else { Value::Null });
        let fields = json!({ "ResourceAccessTokenParameters": [parameter(&stay, "2"), wrong] });
        assert_eq!(sim.mews_refusal(ADD, fields).await, (400, format!("Invalid {name}")));
    }
    let wrongs = [
        ("ServiceOrderId", json!("nothing")),
        ("CompanionshipId", json!("nothing")),
        ("Type", json!("Key")),
        ("Value", json!("")),
        ("ValidityStartUtc", json!("2031-03-02 12:00:00")),
        ("ValidityEndUtc", json!("2030-01-01T00:00:00Z")),
        ("Permissions", json!({ "Room": true })),
    ];
    for (name, value) in wrongs {
        let mut wrong = parameter(&stay, "1");
        wrong[name] = value;
        let fields = json!({ "ResourceAccessTokenParameters": [parameter(&stay, "2"), wrong] });
        assert_eq!(sim.mews_refusal(ADD, fields).await, (400, format!("Invalid {name}")));
    }
    for count in [0, 1001] {
        let fields = json!({ "ResourceAccessTokenParameters": vec![parameter(&stay, "1"); count] });
        assert_eq!(sim.mews_refusal(ADD, fields).await.1, "Invalid ResourceAccessTokenParameters");
    }
    assert_eq!(sim.handle().mews_tokens(text(&stay["Id"])), Vec::<Value>::new());
    assert_eq!(sim.add(&vec![parameter(&stay, "1"); 1000]).await.len(), 1000);
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let sim = still(Mode::Auto).await;
    let stay = stay(&sim).await;
    let id = &sim.add(&[parameter(&stay, "1")]).await[0]["Id"];
    sim.advance(Duration::from_secs(60));
    let fields = json!({
        "ValidityEndUtc": { "Value": "2031-03-09T10:00:00Z" },
        "Permissions": { "Building": { "Value": true }, "Room": { "Value": null } },
    });
    let (status, body) = sim.update(id, fields).await;
    let token = &body["ResourceAccessTokens"][0];
    assert_eq!((status, &token["ValidityEndUtc"]), (200, &json!("2031-03-09T10:00:00Z")));
    assert_eq!(token["Permissions"], json!({ "Bed": false, "Room": false, "Floor": false, "Building": true }));
    assert_eq!((&token["ValidityStartUtc"], &token["Value"]), (&stay["ScheduledStartUtc"], &json!("1")), "unchanged");
    assert_eq!(
        (text(&token["CreatedUtc"]), text(&token["UpdatedUtc"])),
        ("2031-03-02T12:00:00Z", "2031-03-02T12:01:00Z")
    );
    sim.update(id, json!({ "Value": { "Value": "2" }, "SerialNumber": "other", "ValidityEndUtc": null })).await;
    let token = &sim.handle().mews_tokens(text(&stay["Id"]))[0];
    assert_eq!((&token["Value"], &token["SerialNumber"]), (&json!("2"), &json!("gh-1")), "a serial number cannot be");
    assert_eq!(token["ValidityEndUtc"], "2031-03-09T10:00:00Z");
    let wrongs = [
        ("Value", json!({ "Value": null })),
        ("Value", json!("3")),
        ("Value", json!({ "Value": "3".repeat(256) })),
        ("ValidityStartUtc", json!({ "Value": null })),
        ("ValidityEndUtc", json!({ "Value": "2030-01-01T00:00:00Z" })),
        ("Permissions", json!({ "Room": true })),
    ];
    for (name, value) in wrongs {
        let (status, body) = sim.update(id, json!({ name: value })).await;
        assert_eq!((status, text(&body["Message"])), (400, format!("Invalid {name}").as_str()));
    }
    assert_eq!(sim.update(&json!("nothing"), json!({})).await.1["Message"], "Invalid ResourceAccessTokenId");
    sim.mews_ok(DELETE, json!({ "Ids": [id] })).await;
    assert_eq!(sim.update(id, json!({})).await.1["Message"], "Invalid ResourceAccessTokenId", "deleted");
    use EffectKind::{TokenAdded, TokenDeleted, TokenUpdated};
    assert_eq!(sim.effects_of(id), [TokenAdded, TokenUpdated, TokenUpdated, TokenDeleted]);
}

#[tokio::test]
async fn a_deleted_token_stays_as_an_inactive_one() {
    let sim = still(Mode::Auto).await;
    let stay = stay(&sim).await;
    let tokens = sim.add(&[parameter(&stay, "1"), parameter(&stay, "2")]).await;
    let ids = json!([tokens[0]["Id"]]);
    assert_eq!(sim.mews_refusal(DELETE, json!({ "Ids": [tokens[0]["Id"], "nothing"] })).await.1, "Invalid Ids");
    assert_eq!(sim.mews_refusal(DELETE, json!({ "Ids": [] })).await.1, "Invalid Ids");
    assert_eq!(sim.mews_ok(DELETE, json!({ "Ids": ids })).await, json!({}));
    assert_eq!(sim.mews_ok(DELETE, json!({ "Ids": ids })).await, json!({}), "again");
    assert_eq!(sim.effects_of(&tokens[0]["Id"]), [EffectKind::TokenAdded, EffectKind::TokenDeleted]);
    let listed = async |states: Value| {
        let fields = json!({ "ServiceOrderIds": [stay["Id"]], "ActivityStates": states });
        let list = sim.mews_list(LIST, fields).await;
        list.iter().map(|token| (text(&token["Value"]).to_owned(), token["IsActive"] == true)).collect::<Vec<_>>()
    };
    let deleted = || ("1".to_owned(), false);
    let active = || ("2".to_owned(), true);
    assert_eq!(listed(Value::Null).await, [active()]);
    assert_eq!(listed(json!(["Active"])).await, [active()]);
    assert_eq!(listed(json!(["Deleted"])).await, [deleted()]);
    assert_eq!(listed(json!(["Active", "Deleted"])).await, [active(), deleted()], "newest first");
    let wrong = json!({ "ServiceOrderIds": ["1"], "ActivityStates": ["Gone"], "Limitation": { "Count": 1 } });
    assert_eq!(sim.mews_refusal(LIST, wrong).await.1, "Invalid ActivityStates");
}

#[tokio::test]
async fn listing_needs_a_filter_and_obeys_each() {
    let sim = still(Mode::Auto).await;
    let stay = stay(&sim).await;
    let id = sim.add(&[parameter(&stay, "1")]).await[0]["Id"].clone();
    let page = json!({ "Count": 10 });
    assert_eq!(sim.mews_refusal(LIST, json!({ "Limitation": page })).await.0, 400);
    assert_eq!(sim.mews_refusal(LIST, json!({ "Limitation": page, "ServiceOrderIds": [] })).await.0, 400);
    assert_eq!(sim.mews_refusal(LIST, json!({ "ServiceOrderIds": ["1"] })).await.1, "Invalid Limitation");
    let between = |start: &str, end: &str| json!({ "StartUtc": start, "EndUtc": end });
    let start = text(&stay["ScheduledStartUtc"]);
    let cases = [
        (json!({ "ResourceAccessTokenIds": [id] }), 1),
        (json!({ "ResourceAccessTokenIds": ["nothing"] }), 0),
        (json!({ "ServiceOrderIds": [stay["Id"]] }), 1),
        (json!({ "ServiceOrderIds": ["nothing"] }), 0),
        (json!({ "CollidingUtc": between(start, start) }), 1),
        (json!({ "CollidingUtc": between("2031-02-01T00:00:00Z", start) }), 0),
        (json!({ "UpdatedUtc": between("2031-03-02T12:00:00Z", "2031-03-02T12:00:01Z") }), 1),
        (json!({ "UpdatedUtc": between("2031-03-02T11:00:00Z", "2031-03-02T12:00:00Z") }), 0),
        (json!({ "ServiceOrderIds": [stay["Id"]], "EnterpriseIds": ["nothing"] }), 0),
    ];
    for (fields, found) in cases {
        assert_eq!(sim.mews_list(LIST, fields.clone()).await.len(), found, "{fields}");
    }
    let neighbour = sim.neighbour().mews.access_token;
    let foreign = json!({ "ResourceAccessTokenIds": [id], "Limitation": page });
    assert_eq!(answer(sim.mews_as(&neighbour, LIST, foreign)).await.1["ResourceAccessTokens"], json!([]));
    let foreign = json!({ "ResourceAccessTokenParameters": [parameter(&stay, "1")] });
    assert_eq!(answer(sim.mews_as(&neighbour, ADD, foreign)).await.1["Message"], "Invalid ServiceOrderId");
    assert_eq!(answer(sim.mews_as(&neighbour, DELETE, json!({ "Ids": [id] }))).await.1["Message"], "Invalid Ids");
}

#[tokio::test]
async fn tokens_stay_as_they_are_when_the_stay_changes() {
    let sim = still(Mode::Auto).await;
    let stay = stay(&sim).await;
    let before = sim.add(&[parameter(&stay, "1")]).await;
    let reservation = text(&stay["Id"]).to_owned();
    sim.advance(Duration::from_secs(60));
    sim.mews_change(MewsChange::AssignRoom { reservation: reservation.clone(), resource: None, locked: false });
    sim.mews_change(MewsChange::SetState { reservation: reservation.clone(), state: MewsState::Canceled });
    assert_eq!(sim.handle().mews_tokens(&reservation), before);
    let token = text(&before[0]["Id"]).to_owned();
    let (value, validity_end) = (Some("9".to_owned()), None);
    sim.mews_change(MewsChange::EditToken { token, value, validity_end, active: Some(false) });
    let token = &sim.handle().mews_tokens(&reservation)[0];
    assert_eq!((&token["Value"], &token["IsActive"]), (&json!("9"), &json!(false)), "staff may");
    assert_eq!(token["UpdatedUtc"], "2031-03-02T12:01:00Z");
}

#[tokio::test]
async fn faults_come_before_or_after_the_effect() {
    let sim = still(Mode::Auto).await;
    let stay = stay(&sim).await;
    let request = || sim.mews(ADD, json!({ "ResourceAccessTokenParameters": [parameter(&stay, "1")] }));
    let once = |kind| Fault::new(Vendor::Mews, kind).at("add_access_tokens").for_device(text(&stay["Id"])).times(1);
    let count = || sim.handle().mews_tokens(text(&stay["Id"])).len();
    sim.handle().add_fault(once(FaultKind::DropBeforeEffect)).unwrap();
    assert!(request().send().await.is_err());
    assert_eq!(count(), 0);
    sim.handle().add_fault(once(FaultKind::DropAfterEffect)).unwrap();
    assert!(request().send().await.is_err());
    assert_eq!(count(), 1);
    let refused = |after_effect| FaultKind::Status { code: 503, retry_after: Some(7), after_effect };
    for (after_effect, tokens) in [(false, 1), (true, 2)] {
        sim.handle().add_fault(once(refused(after_effect))).unwrap();
        let response = request().send().await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (503, &"7".parse().unwrap()));
        assert!(response.json::<Value>().await.unwrap()["Message"].is_string());
        assert_eq!(count(), tokens);
    }
    sim.handle().add_fault(once(FaultKind::Garbage)).unwrap();
    assert!(request().send().await.unwrap().json::<Value>().await.is_err());
    assert_eq!(count(), 3);
    assert!(sim.handle().add_fault(Fault::new(Vendor::Mews, FaultKind::Offline)).is_err(), "no hardware");
    let word = FaultKind::UnknownStatusWord { word: "Levitating".to_owned() };
    sim.handle().add_fault(Fault::new(Vendor::Mews, word).at("list_reservations").times(1)).unwrap();
    let rows = sim.mews_list("reservations/getAll/2023-06-06", json!({})).await;
    assert_eq!(rows[0]["State"], "Levitating");
}

#[tokio::test]
async fn coverage_counts_every_row_and_all_are_served() {
    let sim = still(Mode::Auto).await;
    sim.mews_refusal(LIST, json!({})).await;
    let rows: Vec<_> = sim.handle().coverage().into_iter().filter(|row| row.vendor == Vendor::Mews).collect();
    assert_eq!(rows.len(), 15);
    assert!(rows.iter().all(|row| row.served && row.calls == u64::from(row.row == "M1")));
    let nothing = MewsChange::Unblock { block: "nothing".to_owned() };
    let refused = sim.handle().change(WorldChange::Mews(nothing)).unwrap_err();
    assert_eq!(refused.to_string(), "nothing here is called nothing");
}
