//! The workspace as cargo and the files on disk describe it, for the tests that hold them to the rules of the house.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};

/// The folder with the workspace's Cargo.toml.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The text of a file, named from the workspace's folder.
pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A TOML file, named from the workspace's folder.
pub(crate) fn toml(path: &str) -> toml::Table {
    text(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The workspace's own packages with what their manifests ask for; nothing is resolved.
pub(crate) fn packages() -> Metadata {
    metadata(MetadataCommand::new().no_deps(), Vec::new())
}

/// The whole tree for this machine, as built: only crates that are already downloaded.
pub(crate) fn tree() -> Metadata {
    let version = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    metadata(&mut MetadataCommand::new(), vec!["--filter-platform".to_owned(), host.to_owned()])
}

/// Asks cargo without the network: whoever runs a test has downloaded what it was built from.
fn metadata(command: &mut MetadataCommand, mut options: Vec<String>) -> Metadata {
    options.push("--offline".to_owned());
    command.manifest_path(root().join("Cargo.toml")).other_options(options).exec().unwrap()
}
