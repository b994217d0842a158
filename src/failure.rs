//! Why a process does not start or go on: one sentence that says what to do. Nothing technical beyond that.

use platform::settings::SettingsError;

/// A reason to stop, for the person at the terminal.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    /// A failure with this sentence.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A defect or outage met on the way, with what was being done.
    pub fn during(doing: &str) -> impl Fn(&dyn std::fmt::Display) -> Self {
        move |error| Self(format!("{doing}: {error}."))
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self(error.to_string())
    }
}
