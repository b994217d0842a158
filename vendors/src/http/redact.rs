//! Cleaning words of vendors before they enter messages and notes: our secrets come out, control characters and length too.

use domain::secret::Secret;

/// The longest piece of a vendor's words that is kept, in characters.
const LONGEST: usize = 160;

/// Knows an account's secrets so that it can take them out of whatever a vendor echoes.
#[derive(Clone)]
pub(super) struct Redactor {
    secrets: Vec<Secret>,
}

impl Redactor {
    pub(super) fn new(secrets: Vec<Secret>) -> Self {
        // A replaced single letter would hide nothing and spoil every message.
        Self { secrets: secrets.into_iter().filter(|secret| secret.expose().len() >= 4).collect() }
    }

    pub(super) fn clean(&self, words: &str) -> String {
        let mut text = words.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.expose(), "***");
        }
        let spaced: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let trimmed = spaced.trim();
        match trimmed.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &trimmed[..end]),
            None => trimmed.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echoed_secret_does_not_get_through() {
        let redactor = Redactor::new(vec![Secret::new("canary-token"), Secret::new("x")]);
        assert_eq!(redactor.clean("bad\r\ntoken canary-token, boxed\u{1b}["), "bad  token ***, boxed [");
        assert_eq!(redactor.clean(&"ä".repeat(500)).chars().count(), LONGEST + 1);
    }
}
