//! What may enter the dependency tree, checked without cargo-deny: the rules are read from deny.toml, so that there is one list.

use std::collections::BTreeSet;

use crate::workspace;

#[test]
fn every_crate_has_an_allowed_licence() {
    let allowed = strings(&workspace::toml("deny.toml")["licenses"]["allow"]);
    let tree = workspace::tree();
    let refused: Vec<_> = tree
        .packages
        .iter()
        .filter(|package| !package.license.as_deref().is_some_and(|licence| is_allowed(licence, &allowed)))
        .map(|package| {
            format!("{} {}: {}", package.name, package.version, package.license.as_deref().unwrap_or("no licence"))
        })
        .collect();
    assert!(refused.is_empty(), "\n{}\nAllowed are {allowed:?} (deny.toml).\n", refused.join("\n"));
}

#[test]
fn every_crate_comes_from_crates_io_and_none_is_banned() {
    let denied = workspace::toml("deny.toml")["bans"]["deny"].clone();
    let denied: BTreeSet<_> =
        denied.as_array().unwrap().iter().map(|entry| entry["crate"].as_str().unwrap().to_owned()).collect();
    // The lock file, not the tree: it knows every platform's crates without downloading them.
    let lock = workspace::toml("Cargo.lock");
    let mut refused = Vec::new();
    for package in lock["package"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if denied.contains(name) {
            refused.push(format!("{name} is banned (deny.toml says why)"));
        }
        // Rooms of the workspace have no source.
        let source = package.get("source").and_then(toml::Value::as_str);
        if source.is_some_and(|source| source != "registry+https://github.com/rust-lang/crates.io-index") {
            refused.push(format!("{name} comes from {}", source.unwrap_or_default()));
        }
    }
    assert!(refused.is_empty(), "\n{}\n", refused.join("\n"));
}

#[test]
fn a_licence_expression_is_allowed_when_one_of_its_choices_is() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()].into();
    for licence in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT AND ISC",
        "(GPL-3.0 OR MIT) AND ISC",
        "GPL-3.0/MIT",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(licence, &allowed), "{licence}");
    }
    for licence in ["GPL-3.0", "MIT AND GPL-3.0", "(GPL-3.0 OR MIT) AND AGPL-3.0", "Apache-2.0", ""] {
        assert!(!is_allowed(licence, &allowed), "{licence}");
    }
}

fn strings(value: &toml::Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// Evaluates an SPDX expression: AND binds closer than OR, and the `/` of old manifests means OR.
fn is_allowed(licence: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = licence.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut answer = all_of(words, allowed);
    while take(words, "OR") {
        answer |= all_of(words, allowed);
    }
    answer
}

fn all_of(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    let mut answer = one(words, allowed);
    while take(words, "AND") {
        answer &= one(words, allowed);
    }
    answer
}

fn one(words: &mut &[&str], allowed: &BTreeSet<String>) -> bool {
    if take(words, "(") {
        let answer = any_of(words, allowed);
        return take(words, ")") && answer;
    }
    let Some((name, rest)) = words.split_first() else { return false };
    *words = rest;
    if take(words, "WITH") {
        let Some((exception, rest)) = words.split_first() else { return false };
        *words = rest;
        return allowed.contains(&format!("{name} WITH {exception}"));
    }
    allowed.contains(*name)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}
