//! The content rules of GraphQL over HTTP: methods, types, statuses, and what is refused before it is looked at.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::access::{Limits, Role};
use serde_json::{Value, json};

use crate::house::House;

const GRAPHQL: &str = "application/graphql-response+json";

fn post(key: &str, accept: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, accept)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .body(body.into())
        .unwrap()
}

fn get(key: &str, address: &str) -> Request<Body> {
    Request::get(address).header(header::AUTHORIZATION, format!("Bearer {key}")).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_status_tells_whoever_knows_the_type_that_nothing_was_executed() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    for (query, code) in [
        ("{ viewer", "PARSE_FAILED"),
        ("{ nothingLikeThis }", "VALIDATION_FAILED"),
        ("query($id: ID!) { door(id: $id) { id } }", "VALIDATION_FAILED"),
    ] {
        let body = json!({ "query": query }).to_string();
        for (accept, expected) in [(GRAPHQL, StatusCode::BAD_REQUEST), ("application/json", StatusCode::OK)] {
            let (status, headers, answer) = house.send(post(&key, accept, body.clone())).await;
            let answer: Value = serde_json::from_str(&answer).unwrap();
            assert_eq!(status, expected, "{query} {answer}");
            assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with(accept));
            assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
            assert!(answer.get("data").is_none(), "{answer}");
        }
    }
    let (status, _, answer) = house.send(post(&key, GRAPHQL, r#"{"query":"{ viewer { role } }"}"#)).await;
    assert_eq!((status, answer.as_str()), (StatusCode::OK, r#"{"data":{"viewer":{"role":"ADMIN"}}}"#));
}

#[tokio::test]
async fn the_schemas_text_is_for_callers_with_a_key() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let asked = json!({ "query": "{ ...s } fragment s on Query { _service { sdl } }" }).to_string();
    let (_, _, told) = house.send(post(&key, GRAPHQL, asked.clone())).await;
    assert!(told.contains("type Query"), "{told}");
    let anonymous = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    let (_, _, refused) = house.send(anonymous.body(Body::from(asked)).unwrap()).await;
    assert!(refused.contains("UNAUTHENTICATED") && !refused.contains("type Query"), "{refused}");
}

#[tokio::test]
async fn an_address_answers_queries_and_changes_nothing() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let query = "/graphql?query=query%20V(%24a%3ABoolean!)%7Bviewer%7Brole%20id%40skip(if%3A%24a)%7D%7D&variables=%7B%22a%22%3Atrue%7D";
    let (status, _, answer) = house.send(get(&key, query)).await;
    assert_eq!((status, answer.as_str()), (StatusCode::OK, r#"{"data":{"viewer":{"role":"ADMIN"}}}"#));
    for changing in [
        "mutation%7B__typename%7D",
        "subscription%7B__typename%7D",
        "query%20A%7B__typename%7Dmutation%20B%7B__typename%7D",
    ] {
        let (status, headers, _) = house.send(get(&key, &format!("/graphql?query={changing}"))).await;
        assert_eq!((status, &headers[header::ALLOW]), (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap()));
    }
    for (address, expected) in [
        ("/graphql", StatusCode::METHOD_NOT_ALLOWED),
        ("/graphql?query=", StatusCode::BAD_REQUEST),
        ("/graphql?query=%7B__typename%7D&variables=%5B%5D", StatusCode::BAD_REQUEST),
        ("/graphql?query=%7B__typename%7D&extensions=x", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(house.send(get(&key, address)).await.0, expected, "{address}");
    }
    let (status, ..) = house.send(get("gh_nobody", "/graphql?query=%7B__typename%7D")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_form_that_is_liked_best_is_sent() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    for (accept, expected) in [
        ("application/graphql-response+json;q=0, application/json", "application/json"),
        ("text/event-stream;q=0, */*", "application/json"),
        ("application/json;q=0.2, text/event-stream;q=0.1, application/graphql-response+json;q=0.3", GRAPHQL),
        ("Text/Event-Stream", "text/event-stream"),
    ] {
        let (_, headers, _) = house.send(post(&key, accept, r#"{"query":"{ viewer { role } }"}"#)).await;
        assert!(headers[header::CONTENT_TYPE].to_str().unwrap().starts_with(expected), "{accept}: {headers:?}");
    }
    let several = Request::get("/graphql?query=%7B__typename%7D").header(header::ACCEPT, "application/json;q=0.1");
    let several = several.header(header::ACCEPT, GRAPHQL).body(Body::empty()).unwrap();
    assert!(house.send(several).await.1[header::CONTENT_TYPE].to_str().unwrap().starts_with(GRAPHQL));
}

#[tokio::test]
async fn an_operation_over_events_ends_with_complete() {
    let house = House::build().await;
    let key = house.key(Role::Admin, &Limits::default()).await;
    let (status, headers, answer) =
        house.send(post(&key, "text/event-stream", r#"{"query":"{ viewer { role } }"}"#)).await;
    assert_eq!((status, &headers[header::CONTENT_TYPE]), (StatusCode::OK, &"text/event-stream".parse().unwrap()));
    assert_eq!(
        answer,
        "event: next\ndata: {\"data\":{\"viewer\":{\"role\":\"ADMIN\"}}}\n\nevent: complete\ndata: null\n\n"
    );
    let anonymous = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream")
        .body(Body::from(r#"{"query":"{ __typename }"}"#))
        .unwrap();
    assert_eq!(house.send(anonymous).await.0, StatusCode::UNAUTHORIZED);
}
