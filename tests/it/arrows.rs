//! The arrows of the house: which room may import which, and which crates a room must never touch. Dev and build edges count too.

use std::{collections::BTreeSet, path::Path};

use cargo_metadata::{DependencyKind, Package};

use crate::workspace;

/// One row of the table in ARCHITECTURE.md.
struct Room {
    name: &'static str,
    /// The only rooms it may import.
    rooms: &'static [&'static str],
    /// Rooms that its own tests import beside these.
    tested_with: &'static [&'static str],
    /// Crates it must never name in its manifest; a trailing `*` stands for anything.
    never: &'static [&'static str],
}

const TABLE: &[Room] = &[
    Room {
        name: "domain",
        rooms: &[],
        tested_with: &[],
        // Pure: it can not wait, look at the world, or draw lots. What it decides depends on its arguments alone.
        never: &[
            "tokio*",
            "futures*",
            "async-*",
            "sea-orm*",
            "sqlx*",
            "redis",
            "reqwest",
            "oauth2",
            "axum*",
            "tower*",
            "http*",
            "hyper*",
            "apalis*",
            "tracing*",
            "config",
            "getrandom",
            "rand",
        ],
    },
    Room {
        name: "entities",
        rooms: &["domain"],
        tested_with: &[],
        never: &["async-graphql*", "axum*", "tower*", "apalis*", "redis", "reqwest", "oauth2"],
    },
    Room {
        name: "migration",
        rooms: &[],
        tested_with: &[],
        never: &["async-graphql*", "axum*", "tower*", "apalis*", "redis", "reqwest", "oauth2"],
    },
    Room {
        name: "messaging",
        rooms: &["domain"],
        tested_with: &[],
        never: &["async-graphql*", "axum*", "tower-http", "sea-orm*", "reqwest", "oauth2"],
    },
    Room {
        name: "vendors",
        rooms: &["domain"],
        tested_with: &[],
        never: &["async-graphql*", "tower-http", "sea-orm*", "sqlx*", "apalis*", "redis"],
    },
    Room {
        name: "platform",
        rooms: &["domain"],
        tested_with: &[],
        never: &["async-graphql*", "axum*", "tower-http", "apalis*", "redis", "reqwest", "oauth2"],
    },
    Room {
        name: "api",
        rooms: &["domain", "entities", "messaging", "platform"],
        tested_with: &["migration"],
        never: &["apalis*", "redis", "reqwest", "sqlx*"],
    },
    Room {
        name: "worker",
        rooms: &["domain", "entities", "messaging", "vendors", "platform"],
        tested_with: &[],
        never: &["async-graphql*", "axum*", "tower-http", "apalis*", "redis", "reqwest", "oauth2", "sqlx*"],
    },
    Room {
        name: "simulator",
        rooms: &[],
        tested_with: &[],
        never: &["async-graphql*", "sea-orm*", "sqlx*", "apalis*", "redis", "oauth2"],
    },
    Room {
        name: "gatehouse",
        rooms: &["domain", "entities", "migration", "messaging", "vendors", "platform", "api", "worker", "simulator"],
        tested_with: &[],
        never: &[],
    },
    Room {
        name: "tests",
        rooms: &[
            "domain",
            "entities",
            "migration",
            "messaging",
            "vendors",
            "platform",
            "api",
            "worker",
            "simulator",
            "gatehouse",
        ],
        tested_with: &[],
        never: &[],
    },
];

#[test]
fn every_arrow_is_drawn_in_the_table() {
    let packages = workspace::packages().packages;
    let rooms: BTreeSet<_> = packages.iter().map(|package| room(&package.name).to_owned()).collect();
    let drawn: BTreeSet<_> = TABLE.iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(rooms, drawn, "the rooms of the workspace and the table differ");

    let broken: Vec<_> = packages.iter().flat_map(broken_arrows).collect();
    assert!(broken.is_empty(), "\n{}\nSee the table in ARCHITECTURE.md.\n", broken.join("\n"));
}

#[test]
fn every_room_takes_its_terms_from_the_workspace() {
    let manifests = TABLE.iter().filter(|row| row.name != "gatehouse").map(|row| format!("{}/Cargo.toml", row.name));
    let strays: Vec<_> = manifests.chain(["Cargo.toml".to_owned()]).flat_map(|path| strays(&path)).collect();
    assert!(strays.is_empty(), "\n{}\n", strays.join("\n"));
}

#[test]
fn no_vendor_reads_another() {
    let source = workspace::root().join("vendors/src");
    let vendors: Vec<_> = folders(&source).into_iter().filter(|name| is_vendor(&source.join(name))).collect();
    assert!(vendors.len() > 1, "the vendors' folders are no longer where this test looks");
    let mut broken = Vec::new();
    for vendor in &vendors {
        let mut files = rust_files(&source.join(vendor));
        files.push(source.join(vendor).with_extension("rs"));
        for file in files.iter().filter(|file| file.is_file()) {
            let text = std::fs::read_to_string(file).unwrap();
            for other in vendors.iter().filter(|other| *other != vendor) {
                if [format!("crate::{other}"), format!("super::{other}")].iter().any(|path| text.contains(path)) {
                    broken.push(format!("{} reads the folder of {other}", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// Sentences about the edges of `package` that the table does not have.
fn broken_arrows(package: &Package) -> Vec<String> {
    let name = room(&package.name);
    let Some(row) = TABLE.iter().find(|row| row.name == name) else { return Vec::new() };
    let mut broken = Vec::new();
    for dependency in &package.dependencies {
        let kind = dependency.kind;
        if dependency.path.is_some() {
            let other = room(&dependency.name);
            let for_tests = kind == DependencyKind::Development && row.tested_with.contains(&other);
            if !row.rooms.contains(&other) && !for_tests {
                broken.push(format!("{name} must not import the room {other} ({kind} dependency)"));
            }
        } else if row.never.iter().any(|pattern| matches(pattern, &dependency.name)) {
            broken.push(format!("{name} must not depend on {} ({kind} dependency)", dependency.name));
        }
    }
    broken
}

/// Sentences about what the manifest at `path` says for itself instead of taking it from the workspace.
fn strays(path: &str) -> Vec<String> {
    let manifest = workspace::toml(path);
    let inherits = |value: Option<&toml::Value>| {
        value.and_then(|value| value.get("workspace")).and_then(toml::Value::as_bool).unwrap_or_default()
    };
    let mut strays = Vec::new();
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        if !inherits(manifest.get("package").and_then(|package| package.get(key))) {
            strays.push(format!("{path}: package.{key} is not the workspace's"));
        }
    }
    if !inherits(manifest.get("lints")) {
        strays.push(format!("{path}: lints are not the workspace's"));
    }
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, dependency) in manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
            if !inherits(Some(dependency)) {
                strays.push(format!("{path}: {section}.{name} chooses its own version"));
            }
        }
    }
    if manifest.contains_key("target") {
        strays.push(format!("{path}: dependencies for one target only are not looked at by this test"));
    }
    strays
}

/// The room's name: its folder, and its package without the project's prefix.
fn room(package: &str) -> &str {
    package.strip_prefix("gatehouse-").unwrap_or(package)
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// A vendor's folder is one that has wire types.
fn is_vendor(folder: &Path) -> bool {
    folder.join("wire.rs").is_file() || folder.join("wire").is_dir()
}

fn folders(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
