//! Reading: scopes, pages, statements, entities, limits and the codes of errors.

use axum::http::StatusCode;
use domain::{
    access::{Limits, Role},
    ids::{DoorId, SiteId},
};
use serde_json::json;

use super::house::{DOCKS, House};

const DOORS: &str = "query Doors($first: Int, $after: String) {
    doors(first: $first, after: $after) {
        totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
        edges { cursor }
        nodes { id name kind state { lock { value stale } position { value } }
            device { id health vendorAccount { vendor state } doors { id } } site { id name timeZone } } } }";

#[tokio::test]
async fn a_page_costs_the_same_whatever_its_length() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let mut costs = Vec::new();
    for first in [1, 2, 5, 12] {
        house.ask(&key, "{ viewer { id } }", json!({})).await;
        let before = house.database.statements();
        let answer = house.ask(&key, DOORS, json!({ "first": first })).await;
        costs.push(house.database.statements() - before);
        assert_eq!(answer["errors"], json!(null), "{answer}");
        assert_eq!(answer["data"]["doors"]["nodes"].as_array().unwrap().len(), first);
        assert_eq!(answer["data"]["doors"]["totalCount"], DOCKS + 1);
        assert_eq!(answer["data"]["doors"]["nodes"][0]["state"]["lock"]["value"], "LOCKED");
        assert_eq!(answer["data"]["doors"]["nodes"][0]["state"]["position"], json!(null));
        assert_eq!(answer["data"]["doors"]["nodes"][0]["device"]["vendorAccount"]["vendor"], "BIKEEP");
    }
    // Doors, their number, devices, sites, accounts, doors of devices.
    assert_eq!(costs, [6, 6, 6, 6]);
}

#[tokio::test]
async fn pages_of_several_sites_are_one_statement() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let query = "{ sites { nodes { name doors(last: 2) { totalCount pageInfo { hasPreviousPage } nodes { name } }
        devices(first: 1) { totalCount nodes { name } pageInfo { hasNextPage } } } } }";
    house.ask(&key, "{ viewer { id } }", json!({})).await;
    let before = house.database.statements();
    let answer = house.ask(&key, query, json!({})).await;
    assert_eq!(house.database.statements() - before, 5);
    let sites = &answer["data"]["sites"]["nodes"];
    assert_eq!(sites[0]["doors"]["totalCount"], DOCKS, "{answer}");
    assert_eq!(sites[0]["doors"]["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(sites[0]["doors"]["nodes"], json!([{ "name": "Dock 10" }, { "name": "Dock 11" }]));
    assert_eq!(sites[0]["devices"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(sites[1]["doors"]["nodes"], json!([{ "name": "Dock 12" }]));
    assert_eq!(sites[1]["devices"]["totalCount"], 1);
}

#[tokio::test]
async fn walking_the_pages_meets_every_door_once() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let (mut met, mut after) = (Vec::new(), json!(null));
    loop {
        let answer = house.ask(&key, DOORS, json!({ "first": 5, "after": after })).await;
        let page = &answer["data"]["doors"];
        met.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let every: Vec<_> = (0..=DOCKS).map(|index| house.door(index)).collect();
    assert_eq!(met, every);
}

#[tokio::test]
async fn a_limited_key_sees_its_doors_and_nothing_else() {
    let house = House::build().await;
    let (seen, unseen) = (house.door(0), house.door(1));
    let limits = Limits { doors: Some([DoorId(house.doors[0].id)].into()), ..Limits::default() };
    let key = house.key(Role::Viewer, &limits).await;
    let query = "query Look($ids: [ID!]!, $seen: ID!) {
        viewer { sees { everything doorIds } allowedCommandKinds }
        doors { totalCount nodes { id device { id vendorAccount { id } } } }
        nodes(ids: $ids) { id }
        door(id: $seen) { id site { doors { nodes { id } } } } }";
    let other = SiteId(house.doors[0].id).to_string();
    let ids = json!([unseen, seen, "door_nonsense", other, seen]);
    let answer = house.ask(&key, query, json!({ "ids": ids, "seen": seen })).await;
    let data = &answer["data"];
    assert_eq!(answer["errors"], json!(null), "{answer}");
    assert_eq!(data["nodes"], json!([null, { "id": seen }, null, null, { "id": seen }]));
    assert_eq!(data["doors"]["totalCount"], 1);
    assert_eq!(data["doors"]["nodes"][0]["device"]["vendorAccount"], json!(null));
    assert_eq!(data["door"]["site"]["doors"]["nodes"], json!([{ "id": seen }]));
    assert_eq!(data["viewer"]["allowedCommandKinds"], json!([]));
    assert_eq!(data["viewer"]["sees"], json!({ "everything": false, "doorIds": [seen] }));
}

#[tokio::test]
async fn entities_keep_their_order_and_their_gaps() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let reference = |id: &str| json!({ "__typename": "Door", "id": id });
    let site = json!({ "__typename": "Site", "id": house.site.to_string() });
    let asked = json!([reference(&house.door(3)), reference("door_x"), site, reference(&house.door(1))]);
    let query = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on Door { id } ... on Site { name } } }";
    house.ask(&key, "{ viewer { id } }", json!({})).await;
    let before = house.database.statements();
    let answer = house.ask(&key, query, json!({ "r": asked })).await;
    assert_eq!(house.database.statements() - before, 2);
    let expected = json!([{ "id": house.door(3) }, null, { "name": "Harbour" }, { "id": house.door(1) }]);
    assert_eq!(answer["data"]["_entities"], expected, "{answer}");
    let (_, anonymous) =
        house.post(None, "application/json", json!({ "query": query, "variables": { "r": asked } }).to_string()).await;
    assert_eq!(anonymous["data"]["_entities"][0], json!(null));
    assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn errors_have_codes() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let deep = format!("{{ door(id: \"x\") {{ {} id {} }} }}", "device { doors { ".repeat(8), "} }".repeat(8));
    for (query, code) in [
        ("{", "PARSE_FAILED"),
        ("{ nothing }", "VALIDATION_FAILED"),
        ("{ doors(first: 101) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ doors(after: \"x\") { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ doors(filter: { siteId: \"x\" }) { nodes { id } } }", "BAD_USER_INPUT"),
        ("{ sites(first: 100) { nodes { doors(first: 100) { nodes { device { doors { id } } } } } } }", "TOO_COMPLEX"),
        (deep.as_str(), "TOO_COMPLEX"),
    ] {
        let answer = house.ask(&key, query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{query} {answer}");
    }
}

#[tokio::test]
async fn the_door_is_closed_to_what_is_not_an_operation() {
    let house = House::build().await;
    let body = json!({ "query": "{ viewer { id } }" }).to_string();
    let (status, answer) = house.post(None, "application/json", body.clone()).await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (StatusCode::OK, &json!("UNAUTHENTICATED")));
    for key in ["gh_unknown", "nonsense"] {
        let (status, answer) = house.post(Some(key), "application/json", body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    }
    let large = json!({ "query": "x".repeat(30_000) }).to_string();
    for (content_type, body, expected) in [
        ("text/plain", body.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("application/json", format!("[{body}]"), StatusCode::BAD_REQUEST),
        ("application/json", "{".to_owned(), StatusCode::BAD_REQUEST),
        ("application/json", large, StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let (status, answer) = house.post(None, content_type, body).await;
        assert_eq!(status, expected);
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
}

#[tokio::test]
async fn the_process_says_how_it_is() {
    let house = House::build().await;
    for (path, expected) in [
        ("/healthz", "ok"),
        ("/readyz", r#"{"database":"up","queue":"up","ready":true}"#),
        ("/graphiql", "GraphiQL"),
        ("/graphql", "POST"),
    ] {
        assert!(house.get(path).await.contains(expected), "{path}");
    }
    // An answer holds for a second.
    for _ in 0..100 {
        assert!(house.get("/readyz").await.contains("up"));
    }
    assert!(house.looks() < 20, "{}", house.looks());
}
