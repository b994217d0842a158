//! Mews: who may call, errors, the limit, paging, and the reads of what a hotel is made of.

use std::time::Duration;

use gatehouse_simulator::{
    Latency, MewsAccountPlan, MewsChange, MewsHotelPlan, MewsIntegrationAction, MewsUsage, Mode, SimClock,
    SimulatorOptions, Vendor, World, WorldChange, WorldChoice, WorldSize,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Sim, answer, noon, still, text, with};

impl Sim {
    /// A request to Mews with the operator's tokens beside the given fields.
    pub(crate) fn mews(&self, path: &str, fields: Value) -> RequestBuilder {
        let credentials = self.operator().mews;
        self.mews_as(&credentials.access_token, path, fields)
    }

    pub(crate) fn mews_as(&self, access_token: &str, path: &str, mut fields: Value) -> RequestBuilder {
        fields["ClientToken"] = json!("mews-client-token");
        fields["AccessToken"] = json!(access_token);
        fields["Client"] = json!("Gatehouse 1.0.0");
        self.request(Method::POST, Vendor::Mews, &format!("/api/connector/v1/{path}")).json(&fields)
    }

    /// The answer of a request that must succeed.
    pub(crate) async fn mews_ok(&self, path: &str, fields: Value) -> Value {
        let (status, body) = answer(self.mews(path, fields)).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Status and message of a request that must fail.
    pub(crate) async fn mews_refusal(&self, path: &str, fields: Value) -> (u16, String) {
        let (status, body) = answer(self.mews(path, fields)).await;
        assert!(body["RequestId"].is_string(), "{path}: {body}");
        (status, text(&body["Message"]).to_owned())
    }

    /// The one list of an answer, in one page.
    pub(crate) async fn mews_list(&self, path: &str, mut fields: Value) -> Vec<Value> {
        fields["Limitation"] = json!({ "Count": 1000 });
        let body = self.mews_ok(path, fields).await;
        body.as_object().unwrap().values().find_map(Value::as_array).unwrap().clone()
    }

    /// A resource of the operator's hotel by name.
    pub(crate) async fn room(&self, name: &str) -> String {
        let fields = json!({ "Extent": { "Resources": true }, "Names": [name] });
        text(&self.mews_list("resources/getAll", fields).await[0]["Id"]).to_owned()
    }

    pub(crate) fn mews_change(&self, change: MewsChange) {
        self.handle().change(WorldChange::Mews(change)).unwrap();
    }
}

fn invalid(parameter: &str) -> (u16, String) {
    (400, format!("Invalid {parameter}"))
}

#[tokio::test]
async fn the_three_fields_of_every_body_are_checked() {
    let sim = still(Mode::Auto).await;
    let post = |body: String| sim.request(Method::POST, Vendor::Mews, "/api/connector/v1/configuration/get").body(body);
    let whole = json!({ "ClientToken": "mews-client-token", "AccessToken": "mews-demo-token", "Client": "Test 1" });
    let (status, body) = answer(post(whole.to_string())).await;
    assert_eq!(status, 200, "{body}");
    for name in ["ClientToken", "AccessToken", "Client"] {
        for wrong in [Value::Null, json!(""), json!(7)] {
            let mut fields = whole.clone();
            fields[name] = wrong;
            let (status, body) = answer(post(fields.to_string())).await;
            assert_eq!((status, text(&body["Message"])), (400, format!("Invalid {name}").as_str()));
        }
    }
    for name in ["ClientToken", "AccessToken"] {
        let mut fields = whole.clone();
        fields[name] = json!("nobody");
        let (status, body) = answer(post(fields.to_string())).await;
        assert_eq!((status, text(&body["Message"])), (401, format!("Invalid {name}").as_str()));
    }
    for wrong in ["{\"ClientToken\":\"mews-client-token\",}", "", "[]"] {
        let (status, body) = answer(post(wrong.to_owned())).await;
        assert_eq!((status, text(&body["Message"])), (400, "Invalid JSON"), "{wrong}");
    }
    assert_eq!(sim.mews_refusal("configuration/get", json!({ "LanguageCode": "en-US" })).await, invalid("CultureCode"));
    sim.mews_ok("configuration/get", json!({ "LanguageCode": "en-US", "CultureCode": "en-US" })).await;
}

#[tokio::test]
async fn a_wrong_address_or_method_is_404_and_every_answer_has_an_id() {
    let sim = still(Mode::Auto).await;
    for path in ["configuration/get/", "Configuration/get", "reservations/getAll", "nothing/getAll"] {
        assert_eq!(sim.mews_refusal(path, json!({})).await.0, 404, "{path}");
    }
    let get = sim.request(Method::GET, Vendor::Mews, "/api/connector/v1/configuration/get");
    assert_eq!(answer(get).await.0, 404);
    let response = sim.mews("configuration/get", json!({})).send().await.unwrap();
    assert!(response.headers().contains_key("request-id"));
    let response = sim.mews("reservations/getAll/2023-06-06", json!({})).send().await.unwrap();
    let id = response.headers()["request-id"].to_str().unwrap().to_owned();
    assert_eq!(text(&response.json::<Value>().await.unwrap()["RequestId"]), id);
}

#[tokio::test]
async fn two_hundred_requests_of_one_token_within_thirty_seconds() {
    let sim = still(Mode::Auto).await;
    for _ in 0..199 {
        sim.mews_ok("configuration/get", json!({})).await;
    }
    sim.advance(Duration::from_secs(20));
    assert_eq!(sim.mews_refusal("reservations/getAll/2023-06-06", json!({})).await, invalid("Limitation"), "it counts");
    let response = sim.mews("configuration/get", json!({})).send().await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (429, &"10".parse().unwrap()));
    assert!(response.json::<Value>().await.unwrap()["Message"].is_string());
    let neighbour = sim.neighbour().mews.access_token;
    assert_eq!(answer(sim.mews_as(&neighbour, "configuration/get", json!({}))).await.0, 200, "a token of its own");
    assert_eq!(sim.handle().mews_usage(), MewsUsage { admitted: 201, refused: 1, busiest: 200 });
    sim.advance(Duration::from_secs(10));
    sim.mews_ok("configuration/get", json!({})).await;
    let usage = sim.http.get(format!("http://{}/_sim/mews/usage", sim.simulator.address()));
    assert_eq!(answer(usage).await.1, json!({ "admitted": 202, "refused": 1, "busiest": 200 }));
}

#[tokio::test]
async fn pages_are_newest_first_and_end_with_an_empty_one() {
    let sim = still(Mode::Auto).await;
    let path = "reservations/getAll/2023-06-06";
    let (mut cursor, mut seen) = (Value::Null, Vec::new());
    loop {
        let page = sim.mews_ok(path, json!({ "Limitation": { "Count": 5, "Cursor": cursor } })).await;
        let rows = page["Reservations"].as_array().unwrap().clone();
        cursor = page["Cursor"].clone();
        assert_eq!(&cursor, rows.last().map_or(&Value::Null, |row| &row["Id"]), "the last and oldest one");
        if rows.is_empty() {
            break;
        }
        seen.extend(rows.iter().map(|row| text(&row["CreatedUtc"]).to_owned()));
    }
    assert_eq!(seen.len(), 15);
    assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
    for wrong in [json!(null), json!({}), json!({ "Count": 0 }), json!({ "Count": 1001 }), json!({ "Count": "5" })] {
        let (status, message) = sim.mews_refusal(path, json!({ "Limitation": wrong })).await;
        assert!(status == 400 && (message == "Invalid Limitation" || message == "Invalid Count"), "{wrong}: {message}");
    }
    let unknown = json!({ "Limitation": { "Count": 5, "Cursor": "nothing" } });
    assert_eq!(sim.mews_refusal(path, unknown).await, invalid("Cursor"));
    sim.mews_change(MewsChange::TooHeavyAbove { rows: Some(100) });
    assert_eq!(sim.mews_refusal(path, json!({ "Limitation": { "Count": 101 } })).await.0, 408);
    sim.mews_ok(path, json!({ "Limitation": { "Count": 100 } })).await;
}

#[tokio::test]
async fn lists_and_intervals_have_their_limits() {
    let sim = still(Mode::Auto).await;
    let path = "reservations/getAll/2023-06-06";
    let ids = |number: usize| (0..number).map(|id| json!(id.to_string())).collect::<Value>();
    let ask = |name: &str, value: Value| {
        let mut fields = json!({ "Limitation": { "Count": 10 } });
        fields[name] = value;
        fields
    };
    assert_eq!(sim.mews_ok(path, ask("ReservationIds", ids(1000))).await["Reservations"], json!([]));
    assert_eq!(sim.mews_refusal(path, ask("ReservationIds", ids(1001))).await, invalid("ReservationIds"));
    assert_eq!(sim.mews_refusal(path, ask("ChannelNumbers", ids(101))).await, invalid("ChannelNumbers"));
    assert_eq!(sim.mews_refusal(path, ask("ReservationIds", json!([7]))).await, invalid("ReservationIds"));
    assert_eq!(sim.mews_refusal(path, ask("States", json!(["Ready"]))).await, invalid("States"));
    let between = |start: &str, end: &str| json!({ "StartUtc": start, "EndUtc": end });
    let (start, end, late) = ("2031-01-01T00:00:00Z", "2031-04-01T00:00:00Z", "2031-04-01T00:00:01Z");
    for name in ["CreatedUtc", "UpdatedUtc", "CollidingUtc", "ScheduledStartUtc", "ActualStartUtc", "ScheduledEndUtc"] {
        sim.mews_ok(path, ask(name, between(start, end))).await;
        assert_eq!(sim.mews_refusal(path, ask(name, between(start, late))).await, invalid(name));
        assert_eq!(sim.mews_refusal(path, ask(name, between(end, start))).await, invalid(name));
        assert_eq!(sim.mews_refusal(path, ask(name, json!({ "StartUtc": start }))).await, invalid(name));
    }
    let mut both = ask("ScheduledStartUtc", between(start, end));
    both["ActualStartUtc"] = between(start, end);
    assert_eq!(sim.mews_refusal(path, both).await, invalid("ActualStartUtc"));
}

#[tokio::test]
async fn an_empty_answer_can_be_left_out() {
    let sim = still(Mode::Auto).await;
    let none = json!({ "Limitation": { "Count": 10 }, "ReservationIds": ["nothing"] });
    let bare = |fields: Value| sim.mews("reservations/getAll/2023-06-06", fields).header("prefer", "return=minimal");
    let response = bare(none).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (204, ""));
    assert_eq!(bare(json!({ "Limitation": { "Count": 10 } })).send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn a_hotel_has_services_rooms_and_categories() {
    let sim = still(Mode::Auto).await;
    let configuration = sim.mews_ok("configuration/get", json!({})).await;
    assert_eq!(configuration["NowUtc"], "2031-03-02T12:00:00Z");
    let hotel = &configuration["Enterprise"];
    assert_eq!((&hotel["TimeZoneIdentifier"], &hotel["IsPortfolio"]), (&json!("Europe/Lisbon"), &json!(false)));
    let enterprises = sim.mews_list("enterprises/getAll", json!({})).await;
    assert_eq!((enterprises.len(), &enterprises[0]["Id"]), (1, &hotel["Id"]));

    assert_eq!(sim.mews_list("services/getAll", json!({})).await.len(), 2);
    let services = sim.mews_list("services/getAll", json!({ "ServiceType": "Bookable" })).await;
    assert_eq!((services.len(), &services[0]["Data"]["Discriminator"]), (1, &json!("Bookable")));
    assert_eq!(services[0]["Data"]["Value"]["StartOffset"], "P0M0DT15H0M0S");
    let wrong = json!({ "ServiceType": "Stay", "Limitation": { "Count": 1 } });
    assert_eq!(sim.mews_refusal("services/getAll", wrong).await, invalid("ServiceType"));

    let all = json!({ "Extent": { "Resources": true, "Inactive": true } });
    let resources = sim.mews_list("resources/getAll", all.clone()).await;
    assert_eq!(resources.len(), 1 + 3 + 12 + 2, "building, floors, rooms, beds");
    let named = |name: &str| resources.iter().find(|resource| resource["Name"] == name).unwrap();
    assert_eq!(named("304-A")["ParentResourceId"], named("304")["Id"]);
    assert_eq!(named("304")["ParentResourceId"], named("Floor 3")["Id"]);
    assert_eq!(named("Floor 3")["ParentResourceId"], named("Main building")["Id"]);
    assert_eq!(named("304")["Data"]["Value"]["FloorNumber"], "3");
    let limitation = json!({ "Limitation": { "Count": 1 } });
    assert_eq!(sim.mews_refusal("resources/getAll", limitation.clone()).await, invalid("Extent"));

    let by_service = json!({ "ServiceIds": [services[0]["Id"]] });
    let categories = sim.mews_list("resourceCategories/getAll", by_service).await;
    let kinds: Vec<&str> = categories.iter().map(|category| text(&category["Type"])).collect();
    assert_eq!(kinds, ["Bed", "Dorm", "Room"]);
    assert_eq!(sim.mews_refusal("resourceCategories/getAll", limitation.clone()).await, invalid("ServiceIds"));
    let ids: Value = categories.iter().map(|category| category["Id"].clone()).collect();
    let by_category = json!({ "ResourceCategoryIds": ids });
    let path = "resourceCategoryAssignments/getAll";
    assert_eq!(sim.mews_list(path, by_category.clone()).await.len(), 14, "no floor and no building");
    assert_eq!(sim.mews_refusal(path, limitation).await, invalid("ResourceCategoryIds"));

    let device = text(&named("101")["Id"]).to_owned();
    sim.handle().change(WorldChange::Removed { vendor: Vendor::Mews, device: device.clone() }).unwrap();
    assert_eq!(sim.mews_list("resources/getAll", json!({ "Extent": { "Resources": true } })).await.len(), 17);
    assert_eq!(sim.mews_list("resources/getAll", all).await.len(), 18);
    let assignments = sim.mews_list(path, by_category).await;
    let assignment = assignments.iter().find(|assignment| assignment["ResourceId"] == json!(device)).unwrap();
    assert_eq!(assignment["IsActive"], json!(false), "listed as active, but its resource is not");
}

#[tokio::test]
async fn a_portfolio_token_reaches_several_hotels() {
    let mut world = World::empty(3);
    let hotel = |name: &str| MewsHotelPlan::sized(name, "Europe/Tallinn".parse().unwrap(), 2, 3);
    let mut plan = MewsAccountPlan::of_one("mews-client-token", "portfolio", hotel("One"));
    plan.hotels.push(hotel("Two"));
    plan.portfolio = true;
    world.add_mews_account(plan);
    let world = WorldChoice::Explicit(Box::new(world));
    let options = SimulatorOptions { world, latency: Latency::none(), ..SimulatorOptions::default() };
    let sim = with(SimulatorOptions { clock: SimClock::manual(noon()), ..options }).await;
    let ask = |path: &'static str, fields: Value| answer(sim.mews_as("portfolio", path, fields));
    let page = json!({ "Count": 100 });

    let (_, dummy) = ask("configuration/get", json!({})).await;
    assert_eq!(dummy["Enterprise"]["IsPortfolio"], json!(true));
    let (_, listed) = ask("enterprises/getAll", json!({ "Limitation": page })).await;
    let ids: Vec<&Value> = listed["Enterprises"].as_array().unwrap().iter().map(|hotel| &hotel["Id"]).collect();
    assert_eq!(ids.len(), 2);
    let (_, one) = ask("configuration/get", json!({ "EnterpriseId": ids[0] })).await;
    assert_eq!((&one["Enterprise"]["Id"], &one["Enterprise"]["IsPortfolio"]), (ids[0], &json!(false)));
    assert_eq!(ask("configuration/get", json!({ "EnterpriseId": "nothing" })).await.0, 400);

    let stays = "reservations/getAll/2023-06-06";
    let (_, all) = ask(stays, json!({ "Limitation": page })).await;
    assert_eq!(all["Reservations"].as_array().unwrap().len(), 6);
    let (_, some) = ask(stays, json!({ "Limitation": page, "EnterpriseIds": [ids[0]] })).await;
    let some = some["Reservations"].as_array().unwrap().clone();
    assert_eq!(some.len(), 3);
    assert_eq!(text(&some[2]["ScheduledStartUtc"]), "2031-03-01T13:00:00Z", "15:00 in Tallinn yesterday");

    let customers = json!({ "Limitation": page, "Extent": { "Customers": true }, "LastNames": ["Number1"] });
    assert_eq!(ask("customers/getAll", customers.clone()).await.1["Message"], "Invalid ChainIds");
    let mut customers = customers;
    customers["ChainIds"] = json!([one["Enterprise"]["ChainId"]]);
    assert_eq!(ask("customers/getAll", customers).await.1["Customers"].as_array().unwrap().len(), 2);

    let token = json!({
        "ServiceOrderId": some[0]["Id"], "Type": "PinCode", "Value": "1", "Permissions": {},
        "ValidityStartUtc": "2031-03-01T13:00:00Z", "ValidityEndUtc": "2031-03-03T13:00:00Z",
    });
    let (_, added) = ask("resourceAccessTokens/add", json!({ "ResourceAccessTokenParameters": [token] })).await;
    let id = &added["ResourceAccessTokens"][0]["Id"];
    assert_eq!(&added["ResourceAccessTokens"][0]["EnterpriseId"], ids[0]);
    let update = |enterprise: Value| {
        let updates = json!([{ "ResourceAccessTokenId": id, "Value": { "Value": "2" } }]);
        ask("resourceAccessTokens/update", json!({ "EnterpriseId": enterprise, "ResourceAccessTokenUpdates": updates }))
    };
    assert_eq!(update(Value::Null).await.1["Message"], "Invalid EnterpriseId");
    assert_eq!(update(ids[1].clone()).await.1["Message"], "Invalid ResourceAccessTokenId");
    assert_eq!(update(ids[0].clone()).await.0, 200);
}

#[tokio::test]
async fn integrations_live_and_die() {
    let sim = still(Mode::Auto).await;
    let old = sim.operator().mews.access_token;
    let act = |action, new: Option<&str>| {
        let (access_token, new_access_token) = (old.clone(), new.map(str::to_owned));
        sim.mews_change(MewsChange::Integration { access_token, action, new_access_token });
    };
    let fired = || sim.handle().webhooks(0).entries.last().unwrap().body.clone();
    act(MewsIntegrationAction::Created, None);
    assert_eq!((&fired()["Action"], &fired()["Data"]["AccessToken"]), (&json!("IntegrationCreated"), &json!(old)));
    act(MewsIntegrationAction::Disabled, None);
    assert_eq!(fired()["Action"], "IntegrationDisabled");
    assert_eq!(sim.mews_refusal("configuration/get", json!({})).await.0, 401);
    act(MewsIntegrationAction::Enabled, None);
    sim.mews_ok("configuration/get", json!({})).await;
    act(MewsIntegrationAction::ApiKeyCreated, Some("the-new-key"));
    let told = fired();
    assert_eq!((&told["Action"], &told["Data"]["ApiKey"]), (&json!("IntegrationApiKeyCreated"), &json!("the-new-key")));
    assert_eq!(sim.mews_refusal("configuration/get", json!({})).await.0, 401, "the old key is dead");
    assert_eq!(answer(sim.mews_as("the-new-key", "configuration/get", json!({}))).await.0, 200);
    let operation = "add_access_tokens".to_owned();
    let access_token = "the-new-key".to_owned();
    sim.mews_change(MewsChange::Permit { access_token: access_token.clone(), operation, permitted: false });
    assert_eq!(answer(sim.mews_as(&access_token, "resourceAccessTokens/add", json!({}))).await.0, 401);
    assert_eq!(answer(sim.mews_as(&access_token, "resourceAccessTokens/delete", json!({}))).await.0, 400);
    let change = WorldChange::Credential { vendor: Vendor::Mews, credential: access_token.clone(), valid: false };
    sim.handle().change(change).unwrap();
    assert_eq!(answer(sim.mews_as(&access_token, "configuration/get", json!({}))).await.0, 401);
}

#[tokio::test]
async fn the_journal_keeps_no_token() {
    let sim = still(Mode::Auto).await;
    sim.mews_ok("configuration/get", json!({ "EnterpriseId": "mine" })).await;
    let entry = sim.handle().requests_to(Vendor::Mews, "get_configuration")[0].clone();
    let body: Value = serde_json::from_str(&entry.body).unwrap();
    assert!(text(&body["AccessToken"]).starts_with('#') && text(&body["ClientToken"]).starts_with('#'), "{body}");
    assert_eq!((&body["EnterpriseId"], entry.row.as_deref()), (&json!("mine"), Some("M5")));
}

#[tokio::test]
async fn a_hotel_can_have_any_size() {
    let size = WorldSize { mews_rooms: 20, mews_reservations: 2500, ..WorldSize::default() };
    let options = SimulatorOptions { latency: Latency::none(), ..SimulatorOptions::default() };
    let sim = with(SimulatorOptions { world: WorldChoice::Sized(size), ..options }).await;
    let (mut cursor, mut seen) = (Value::Null, std::collections::HashSet::new());
    loop {
        let fields = json!({ "Limitation": { "Count": 1000, "Cursor": cursor } });
        let page = sim.mews_ok("reservations/getAll/2023-06-06", fields).await;
        let rows = page["Reservations"].as_array().unwrap();
        seen.extend(rows.iter().map(|row| text(&row["Id"]).to_owned()));
        cursor = page["Cursor"].clone();
        if rows.len() < 1000 {
            break;
        }
    }
    assert_eq!(seen.len(), 2500);
}
