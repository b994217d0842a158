//! What goes wrong, as a caller sees it: every error has a code, what is our own business is masked, and what can still be answered is.

use std::fmt::Write as _;

use gatehouse_tests::{
    client::{Client, http, text},
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
    services::PrivatePostgres,
    wait::until,
};
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use simulator::Vendor;

use crate::orders::account_id;

const INVALID: &str = "VALIDATION_FAILED";

/// What a request is answered: the status, and the codes of its errors.
#[derive(Debug)]
struct Told {
    status: StatusCode,
    answer: Value,
    codes: Vec<String>,
}

async fn told(request: reqwest::RequestBuilder) -> Told {
    let response = request.send().await.unwrap();
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE).cloned();
    let body = response.text().await.unwrap();
    assert!(content_type.is_some_and(|value| value.to_str().unwrap().contains("json")), "{status} {body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    Told { status, codes: codes(&answer), answer }
}

/// The code of each error of an answer. There is none without.
fn codes(answer: &Value) -> Vec<String> {
    let errors = answer["errors"].as_array().cloned().unwrap_or_default();
    let code = |error: &Value| {
        let code = error["extensions"]["code"].as_str();
        let code = code.unwrap_or_else(|| panic!("an error without a code: {answer:#}"));
        assert!(!code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{code}");
        assert!(!text(&error["message"]).is_empty());
        code.to_owned()
    };
    errors.iter().map(code).collect()
}

fn post(client: &Client, content_type: &str, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    client.request(Method::POST, "/graphql").header(CONTENT_TYPE, content_type).body(body)
}

/// Fragments that each spread the next one twice: 2^40 fields in 2 kB.
fn fragment_bomb() -> String {
    let mut query = "{ ...f0 }".to_owned();
    for level in 0..40 {
        let next = level + 1;
        write!(query, " fragment f{level} on Query {{ ...f{next} ...f{next} }}").unwrap();
    }
    query + " fragment f40 on Query { __typename }"
}

fn nested(levels: usize) -> String {
    let (open, close) = ("doors { device { ".repeat(levels), "} } ".repeat(levels));
    format!("{{ devices(first: 1) {{ nodes {{ {open} id {close} }} }} }}")
}

/// Runs SQL behind the house's back.
async fn tamper(house: &TestHouse, sql: &str) {
    let url = if house.settings.is_embedded() {
        format!("sqlite://{}", house.settings.data_directory.join(platform::database::FILE).display())
    } else {
        house.settings.database_url.expose().to_owned()
    };
    let connection = sea_orm::Database::connect(url).await.unwrap();
    let done = connection.execute_unprepared(sql).await.unwrap();
    assert!(done.rows_affected() > 0, "{sql}");
    connection.close().await.unwrap();
}

/// Words that only somebody who looks behind the front door sees.
fn assert_nothing_internal(answer: &Value) {
    let words = answer.to_string();
    for word in
        ["canary", "CANARY", "SELECT", "select ", "sqlx", "SeaORM", "sea_orm", "postgres", "sqlite", "127.0.0.1:"]
    {
        assert!(!words.contains(word), "{word}: {answer:#}");
    }
}

on_both_back_ends! {
    /// Operations that do not fit: answered, with a code each, and never with data.
    async fn every_refusal_of_an_operation_has_a_code(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let mutation = "mutation($i: OpenDoorInput!) { openDoor(input: $i) { command { id } } }";
        let by_id = "query($id: ID!) { door(id: $id) { id } }";
        let cases: Vec<(&str, Value, &[&str])> = vec![
            ("an unknown field", json!({ "query": "{ doors { nodes { secret } } }" }), &[INVALID]),
            ("an unknown root", json!({ "query": "{ gates }" }), &[INVALID]),
            ("an unknown argument", json!({ "query": "{ doors(where: 1) { nodes { id } } }" }), &[INVALID]),
            ("an unknown word", json!({ "query": "{ doors(filter: {lock: AJAR}) { nodes { id } } }" }), &[INVALID]),
            ("an unknown part of an input", json!({ "query": "{ doors(filter: {colour: 1}) { nodes { id } } }" }), &[INVALID]),
            ("no selection", json!({ "query": "{ doors }" }), &[INVALID]),
            ("a selection of a leaf", json!({ "query": "{ viewer { id { x } } }" }), &[INVALID]),
            ("a missing argument", json!({ "query": "{ door { id } }" }), &[INVALID]),
            ("an argument of another type", json!({ "query": "{ doors(first: \"1\") { nodes { id } } }" }), &[INVALID]),
            ("an endless number", json!({ "query": "{ doors(first: 99999999999) { nodes { id } } }" }), &[INVALID, "BAD_USER_INPUT"]),
            ("an unknown fragment", json!({ "query": "{ ...x }" }), &[INVALID]),
            ("a fragment of itself", json!({ "query": "{ ...x } fragment x on Query { ...x }" }), &[INVALID, "TOO_COMPLEX"]),
            ("an unknown directive", json!({ "query": "{ viewer @x { id } }" }), &[INVALID]),
            ("syntax", json!({ "query": "{ doors { nodes { id }" }), &["PARSE_FAILED"]),
            ("no operation", json!({ "query": "fragment x on Query { __typename }" }), &["PARSE_FAILED", INVALID]),
            ("text", json!({ "query": "open the door" }), &["PARSE_FAILED"]),
            ("a control character", json!({ "query": "{ viewer \u{0} { id } }" }), &["PARSE_FAILED", "BAD_USER_INPUT"]),
            ("too deep", json!({ "query": nested(10) }), &["TOO_COMPLEX"]),
            ("very deep", json!({ "query": nested(2_000) }), &["TOO_COMPLEX", "PARSE_FAILED"]),
            ("too complex", json!({ "query": "{ sites(first: 100) { nodes { doors(first: 100) { nodes { id name kind } } } } }" }), &["TOO_COMPLEX"]),
            ("too many fields", json!({ "query": format!("{{ {} }}", "viewer { id } ".repeat(20_001)) }), &["TOO_COMPLEX"]),
            ("a fragment bomb", json!({ "query": fragment_bomb() }), &["TOO_COMPLEX"]),
            ("too many directives", json!({ "query": format!("{{ viewer {} {{ id }} }}", "@skip(if: false) ".repeat(50)) }), &["TOO_COMPLEX", INVALID]),
            ("a missing variable", json!({ "query": by_id }), &[INVALID, "BAD_USER_INPUT"]),
            ("a null variable", json!({ "query": by_id, "variables": { "id": null } }), &[INVALID, "BAD_USER_INPUT"]),
            ("a variable of another type", json!({ "query": by_id, "variables": { "id": { "a": [1] } } }), &[INVALID, "BAD_USER_INPUT"]),
            ("a variable without parts", json!({ "query": mutation, "variables": { "i": {} } }), &[INVALID, "BAD_USER_INPUT"]),
            ("a variable with an unknown part", json!({ "query": mutation, "variables": { "i": { "doorId": "x", "x": 1 } } }), &[INVALID, "BAD_USER_INPUT"]),
            ("a variable with a part of another type", json!({ "query": mutation, "variables": { "i": { "doorId": "x", "expiresAt": "soon" } } }), &[INVALID, "BAD_USER_INPUT"]),
            ("an unknown variable", json!({ "query": "{ door(id: $id) { id } }" }), &[INVALID]),
            ("another operation's name", json!({ "query": "query a { viewer { id } }", "operationName": "b" }), &[INVALID]),
            ("two operations and no name", json!({ "query": "query a { viewer { id } } query b { viewer { id } }" }), &[INVALID]),
            ("two mutations and no name", json!({ "query": "mutation a { __typename } mutation b { __typename }" }), &[INVALID]),
            ("a subscription", json!({ "query": "subscription { commandUpdated(id: \"x\") { id } }" }), &[INVALID, "BAD_USER_INPUT"]),
            ("too many nodes", json!({ "query": "query($i: [ID!]!) { nodes(ids: $i) { id } }", "variables": { "i": vec!["x"; 101] } }), &["BAD_USER_INPUT"]),
            ("endless nodes", json!({ "query": "query($i: [ID!]!) { nodes(ids: $i) { id } }", "variables": { "i": vec!["x"; 5_000] } }), &["BAD_USER_INPUT", "TOO_COMPLEX"]),
        ];
        for (what, body, expected) in cases {
            let told = told(post(&house.client, "application/json", body.to_string())).await;
            assert!(!told.codes.is_empty(), "{what}: {told:#?}");
            assert!(told.codes.iter().all(|code| expected.contains(&code.as_str())), "{what}: {told:#?}");
            assert!(told.answer["data"].is_null(), "{what}: {told:#?}");
            assert!(told.answer.to_string().len() < 20_000, "{what}: an answer must not outgrow its question");
            assert_nothing_internal(&told.answer);
        }
        // Nothing of it was done.
        let data = house.client.data("{ commands { totalCount } }", json!({})).await;
        assert_eq!(data["commands"]["totalCount"], 0);
        house.stop().await;
    }

    /// Requests that carry no operation, or not as asked for.
    async fn every_refusal_of_a_request_has_a_code(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_setting("max_body_bytes", "100000").start().await;
        let good = json!({ "query": "{ viewer { id } }" }).to_string();
        let json_type = "application/json";
        for (what, content_type, body, status) in [
            ("a batch", json_type, format!("[{good}]"), 400),
            ("a batch after a blank", json_type, format!(" \n[{good},{good}]"), 400),
            ("an empty batch", json_type, "[]".to_owned(), 400),
            ("no JSON", json_type, "{".to_owned(), 400),
            ("nothing", json_type, String::new(), 400),
            ("a text", json_type, "\"{ viewer { id } }\"".to_owned(), 400),
            ("no query", json_type, "{}".to_owned(), 400),
            ("an empty query", json_type, "{\"query\": \"\"}".to_owned(), 400),
            ("a query that is no text", json_type, "{\"query\": 7}".to_owned(), 400),
            ("variables that are no object", json_type, "{\"query\": \"{ viewer { id } }\", \"variables\": [1]}".to_owned(), 400),
            ("a body that is too large", json_type, json!({ "query": "{ viewer { id } }", "pad": "x".repeat(100_000) }).to_string(), 413),
            ("plain text", "text/plain", good.clone(), 415),
            ("a form", "application/x-www-form-urlencoded", "query={viewer{id}}".to_owned(), 415),
            ("a multipart form", "multipart/form-data; boundary=x", good.clone(), 415),
            ("a raw query", "application/graphql", "{ viewer { id } }".to_owned(), 415),
            ("a type without an end", "application/jsonx", good.clone(), 415),
        ] {
            let told = told(post(&house.client, content_type, body)).await;
            assert_eq!((told.status.as_u16(), told.codes.len()), (status, 1), "{what}: {told:#?}");
            assert!(told.answer["data"].is_null(), "{what}: {told:#?}");
        }
        let untyped = told(house.client.request(Method::POST, "/graphql").body(good.clone())).await;
        assert_eq!(untyped.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{untyped:#?}");
        for content_type in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
            let told = told(post(&house.client, content_type, good.clone())).await;
            assert_eq!((told.status, told.codes.len()), (StatusCode::OK, 0), "{content_type}: {told:#?}");
        }
        // A query runs on GET, a mutation never.
        let queried = told(house.client.request(Method::GET, "/graphql?query={viewer{id}}")).await;
        assert_eq!((queried.status, queried.codes.len()), (StatusCode::OK, 0), "{queried:#?}");
        for path in ["/graphql?query=mutation{__typename}", "/graphql"] {
            let status = house.client.request(Method::GET, path).send().await.unwrap().status();
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        }
        house.stop().await;
    }

    /// Without a key that counts, nothing but the schema answers.
    async fn a_key_is_needed(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let client = &house.client;
        let known = client.data("{ doors(first: 1) { nodes { id } } }", json!({})).await;
        let anonymous = client.with_key("");
        let body = json!({ "query": "{ viewer { id } doors { nodes { id } } }" }).to_string();
        let with = |value: &'static str| post(&anonymous, "application/json", body.clone()).header(AUTHORIZATION, value);
        let mut refused = vec![
            ("none", told(post(&anonymous, "application/json", body.clone())).await),
            ("an unknown one", told(post(&client.with_key(platform::api_key::generate().expose()), "application/json", body.clone())).await),
            ("an endless one", told(post(&client.with_key(&format!("gh_{}", "x".repeat(5_000))), "application/json", body.clone())).await),
        ];
        for value in ["Bearer", "Bearer ", "Bearer gh_", "gh_abc", "Basic Z2g6eA==", "Bearer ' OR 1=1 --", "Bearer gh_\u{e4}"] {
            refused.push((value, told(with(value)).await));
        }
        for (what, told) in refused {
            assert!(!told.codes.is_empty() && told.codes.iter().all(|code| code == "UNAUTHENTICATED"), "{what}: {told:#?}");
            assert!(!told.answer.to_string().contains(&text(&known["doors"]["nodes"][0]["id"])), "{what}: {told:#?}");
        }
        house.stop().await;
    }

    /// A row that a hand or a newer version wrote: what cannot be read is null in place and told by a masked error; all else is answered.
    async fn what_cannot_be_read_is_masked_in_place(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let before = house.doors().await;
        let spoil = async |door: &Value, change: &str| {
            tamper(&house, &format!("UPDATE doors SET {change} WHERE external_id = '{}'", text(&door["externalId"]))).await;
        };
        // A field that must not be null takes its door with it, a field that may be null does not.
        spoil(&before[3], "kind = 'CANARY'").await;
        spoil(&before[5], "state = '{\"lock\": \"CANARY\"}'").await;
        let query = "{ doors(first: 100) { nodes { id name kind state { lock { value } } } totalCount } viewer { kind } }";
        let answer = house.client.ask(query, json!({})).await;
        assert_eq!(codes(&answer), ["INTERNAL", "INTERNAL"], "{answer:#}");
        let paths: Vec<&Value> = answer["errors"].as_array().unwrap().iter().map(|error| &error["path"]).collect();
        assert_eq!(paths, [&json!(["doors", "nodes", 3, "kind"]), &json!(["doors", "nodes", 5, "state"])]);
        for error in answer["errors"].as_array().unwrap() {
            assert!(text(&error["extensions"]["correlationId"]).len() > 10, "{error:#}");
        }
        assert_nothing_internal(&answer);
        let nodes = answer["data"]["doors"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), before.len());
        for (index, (node, door)) in nodes.iter().zip(&before).enumerate() {
            if index == 3 {
                assert!(node.is_null(), "{node:#}");
                continue;
            }
            assert_eq!((&node["id"], &node["name"], &node["kind"]), (&door["id"], &door["name"], &door["kind"]));
            assert_eq!(node["state"].is_null(), index == 5, "{node:#}");
        }
        assert_eq!((&answer["data"]["viewer"]["kind"], &answer["data"]["doors"]["totalCount"]), (&json!("API_KEY"), &json!(before.len())));
        // Each is as good as the others for whoever does not ask for what is spoilt.
        let query = format!("{{ door(id: {}) {{ name device {{ name }} }} }}", before[3]["id"]);
        assert_eq!(house.client.data(&query, json!({})).await["door"]["name"], before[3]["name"]);
        // A neighbour that cannot be read.
        tamper(&house, "UPDATE vendor_accounts SET vendor = 'CANARY' WHERE vendor = 'RAIXER'").await;
        let answer = house.client.ask("{ devices(first: 100) { nodes { id vendorAccount { vendor } } } }", json!({})).await;
        assert!(codes(&answer).iter().all(|code| code == "INTERNAL"), "{answer:#}");
        assert_nothing_internal(&answer);
        let accounts: Vec<bool> = answer["data"]["devices"]["nodes"].as_array().unwrap().iter()
            .map(|device| { assert!(!device["id"].is_null()); device["vendorAccount"].is_null() }).collect();
        assert!(accounts.contains(&true) && accounts.contains(&false), "{answer:#}");
        house.stop().await;
    }
}

/// The database is gone, and comes back: callers are told to try again, in words that are for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_out_of_reach_is_unavailable() {
    let mut postgres = PrivatePostgres::start().await.unwrap();
    let house =
        Plan::on(BackEnd::Distributed).without_worker().with_setting("database_url", postgres.url()).start().await;
    let door = house.doors().await.remove(0);
    let account = account_id(&house, Vendor::Raixer).await.to_string();
    let rotate = "mutation($id: ID!) { rotateWebhookAddress(input: {vendorAccountId: $id}) { webhookUrl } }";
    let address =
        text(&house.client.data(rotate, json!({ "id": account })).await["rotateWebhookAddress"]["webhookUrl"]);
    let deliver = async || http().post(&address).body("{}").send().await.unwrap();
    postgres.kill().await.unwrap();
    let mutation = "mutation($id: ID!) { openDoor(input: {doorId: $id}) { command { id } userErrors { code } } }";
    for (query, variables) in [
        ("{ doors { nodes { id } } viewer { kind } }", json!({})),
        ("query($id: ID!) { door(id: $id) { id device { id } } }", json!({ "id": door["id"] })),
        (mutation, json!({ "id": door["id"] })),
    ] {
        let answer = house.client.ask(query, variables).await;
        assert!(!codes(&answer).is_empty() && codes(&answer).iter().all(|code| code == "UNAVAILABLE"), "{answer:#}");
        assert_nothing_internal(&answer);
    }
    // A vendor is told to send it again, and that nothing is kept.
    let refused = deliver().await;
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"5".parse().unwrap())
    );
    let said = refused.text().await.unwrap();
    assert!(said.contains("not stored"), "{said}");
    assert_nothing_internal(&json!(said));
    let status = async |path: &str| house.client.request(Method::GET, path).send().await.unwrap().status();
    assert_eq!((status("/healthz").await, status("/readyz").await), (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE));
    postgres.start_again().await.unwrap();
    until("the house has found its database again", async || (status("/readyz").await == StatusCode::OK).then_some(()))
        .await;
    assert_eq!(house.doors().await[0]["id"], door["id"]);
    assert_eq!(deliver().await.status(), StatusCode::ACCEPTED);
    let kept = house.client.data("{ webhookDeliveries { totalCount } }", json!({})).await;
    assert_eq!(kept["webhookDeliveries"]["totalCount"], 1);
    house.stop().await;
    postgres.stop().await.unwrap();
}
