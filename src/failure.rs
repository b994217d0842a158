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
        move |error| Self(format!("{doing}: {}.", sentence(&error.to_string())))
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self(sentence(&error.to_string()))
    }
}

/// In one line, and without the excerpt of a file that a parser points into: the line it shows may hold a secret.
fn sentence(message: &str) -> String {
    let is_excerpt = |line: &str| line.trim_start_matches(|sign: char| sign.is_ascii_digit()).trim().starts_with('|');
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty() && !is_excerpt(line));
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_without_an_excerpt() {
        let error = "TOML parse error at line 12, column 9\n   |\n12 | key = \"canary\n   |         ^\ninvalid string\n in a.toml";
        let failure = Failure::during("The settings could not be read")(&error);
        let expected =
            "The settings could not be read: TOML parse error at line 12, column 9 invalid string in a.toml.";
        assert_eq!(failure.to_string(), expected);
    }
}
