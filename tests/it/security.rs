//! What SECURITY.md claims to be tested is tested.

use std::collections::BTreeSet;

use crate::workspace;

/// Each test that a line of the threat table names, with its file.
fn named() -> BTreeSet<(String, String)> {
    let text = workspace::text("SECURITY.md");
    let rows = text.lines().skip_while(|line| !line.starts_with("| threat |")).skip(2);
    let mut named = BTreeSet::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let tests = row.split('|').nth(3).unwrap();
        for of_file in tests.split(';') {
            let (file, names) = of_file.split_once("`: ").unwrap_or_else(|| panic!("no test in: {row}"));
            let file = file.trim().trim_start_matches('`');
            named.extend(names.split(',').map(|name| (file.to_owned(), name.trim().trim_matches('`').to_owned())));
        }
    }
    named
}

#[test]
fn every_threat_names_tests_that_exist() {
    let named = named();
    assert!(named.len() > 60, "{named:#?}");
    let missing: Vec<_> =
        named.iter().filter(|(file, name)| !workspace::text(file).contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that do not exist: {missing:#?}");
}
