//! Clippy reads only the nearest clippy.toml, so a room with exceptions repeats the list. This keeps the copies copies.

use std::collections::BTreeSet;

use crate::workspace;

/// The rooms with a list of their own, and the starts of the paths that they may call. This table may only shrink.
const EXCEPTIONS: &[(&str, &[&str])] = &[
    ("entities", &["sea_orm::"]),
    ("migration", &["sea_orm::ConnectionTrait::"]),
    ("simulator", &["chrono::", "std::time::", "tokio::time::", "uuid::", "getrandom::"]),
    (
        "tests",
        &[
            "chrono::",
            "std::time::",
            "tokio::time::Instant::",
            "uuid::",
            "getrandom::",
            "reqwest::",
            "std::env::",
            "sea_orm::ConnectionTrait::",
            "sea_orm::EntityTrait::find",
            "sea_orm::ModelTrait::find",
        ],
    ),
];

#[test]
fn a_room_s_list_is_the_house_s_list_without_its_exceptions() {
    let house = workspace::toml("clippy.toml");
    let mut differences = Vec::new();
    for (room, exceptions) in EXCEPTIONS {
        let own = workspace::toml(&format!("{room}/clippy.toml"));
        let mut expected = lines(&house);
        expected.retain(|line| !exceptions.iter().any(|start| line.starts_with(start)));
        let own = lines(&own);
        differences.extend(expected.difference(&own).map(|line| format!("{room}/clippy.toml lacks {line}")));
        differences.extend(own.difference(&expected).map(|line| format!("{room}/clippy.toml has its own {line}")));
    }
    assert!(differences.is_empty(), "\n{}\n", differences.join("\n"));
}

#[test]
fn no_other_room_has_a_list_of_its_own() {
    let members = workspace::toml("Cargo.toml")["workspace"]["members"].clone();
    for room in members.as_array().unwrap().iter().filter_map(toml::Value::as_str) {
        let listed = EXCEPTIONS.iter().any(|(name, _)| *name == room);
        assert_eq!(workspace::root().join(room).join("clippy.toml").exists(), listed, "{room}/clippy.toml");
    }
}

/// Every method of the list with its reason, and every other setting, each as one line that starts with its name.
fn lines(list: &toml::Table) -> BTreeSet<String> {
    let methods = list["disallowed-methods"].as_array().unwrap();
    let methods = methods.iter().map(|entry| format!("{}: {entry:?}", entry["path"].as_str().unwrap()));
    let settings = list.iter().filter(|(key, _)| *key != "disallowed-methods");
    methods.chain(settings.map(|(key, value)| format!("{key} = {value:?}"))).collect()
}
