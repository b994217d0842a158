//! The schema as a document: checked in, explained throughout, the same from the binary.

use gatehouse_tests::{
    binary,
    client::text,
    house::{BackEnd, Plan},
};
use serde_json::{Value, json};

const EVERYTHING: &str = "{ __schema { types { kind name description \
    fields(includeDeprecated: true) { name description args { name description } } \
    inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";

/// What Apollo's specification defines and the library adds by itself: there is no place for our words.
const FEDERATION: [&str; 6] =
    ["Query._service", "Query._entities", "Query._entities.representations", "_Entity", "_Service", "_Service.sdl"];

fn checked_in() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql")).unwrap()
}

#[test]
fn the_checked_in_schema_is_the_schema() {
    assert!(checked_in() == api::sdl(), "run `cargo run -q -- schema > schema.graphql`");
    assert_eq!(api::sdl(), api::sdl(), "the same text each time");
}

#[tokio::test]
async fn the_binary_prints_the_schema() {
    let output = binary::run(&["schema"], &[]).await;
    assert!(output.status.success());
    assert!(String::from_utf8(output.stdout).unwrap() == checked_in());
    assert!(output.stderr.is_empty());
}

/// Every type, field, argument, input field and enum value says what it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_described() {
    let house = Plan::on(BackEnd::Embedded).without_worker().start().await;
    let data = house.client.data(EVERYTHING, json!({})).await;
    let mut silent = Vec::new();
    let mut described = 0;
    let types = data["__schema"]["types"].as_array().unwrap();
    // The specification's own types describe themselves.
    for named in types.iter().filter(|named| !text(&named["name"]).starts_with("__")) {
        let mut check = |path: &[&Value], item: &Value| {
            let path: Vec<String> = path.iter().map(|part| text(part)).collect();
            match item["description"].as_str() {
                Some(words) if !words.trim().is_empty() => described += 1,
                _ => silent.push(path.join(".")),
            }
        };
        check(&[&named["name"]], named);
        for list in ["fields", "inputFields", "enumValues"] {
            for part in named[list].as_array().into_iter().flatten() {
                check(&[&named["name"], &part["name"]], part);
                for argument in part["args"].as_array().into_iter().flatten() {
                    check(&[&named["name"], &part["name"], &argument["name"]], argument);
                }
            }
        }
    }
    silent.retain(|path| !FEDERATION.contains(&path.as_str()));
    assert!(silent.is_empty(), "without a description: {silent:#?}");
    assert!(described > 300, "{described}");
    house.stop().await;
}
