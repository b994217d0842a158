//! What a person is known by, and how it is struck from texts and records when they are erased. Pure; where it may stand
//! is `entities`' matter.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    placement::{CardHolderWish, DeviceAccessWish, PhoneWish, Wish},
    record::{CredentialDetails, DeviceAccessDetails, FoundRecord, RecordDetails, UserDetails},
};

/// What an erased person is called.
pub const ERASED: &str = "Erased person";
/// The same as a given and a family name, for vendors that want both.
pub const ERASED_NAMES: (&str, &str) = ("Erased", "person");

/// Fewer digits are no telephone number: they may mean anything.
const NUMBER: usize = 7;

/// What a person is known by.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownAs {
    /// Names, in lower case.
    names: BTreeSet<String>,
    /// E-mail addresses and numbers, in lower case.
    marks: BTreeSet<String>,
}

impl fmt::Debug for KnownAs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KnownAs(***)")
    }
}

impl KnownAs {
    /// Of a name, and of e-mail addresses and numbers.
    #[must_use]
    pub fn new<'a>(name: &str, marks: impl IntoIterator<Item = &'a str>) -> Self {
        let is_mark = |mark: &String| mark.contains('@') || mark.chars().filter(char::is_ascii_digit).count() >= NUMBER;
        let marks = marks.into_iter().map(|mark| mark.trim().trim_start_matches('+').to_lowercase());
        Self { names: BTreeSet::from([folded(name)]), marks: marks.filter(is_mark).collect() }
    }

    /// By name alone.
    #[must_use]
    pub fn by_name(&self) -> Self {
        Self { names: self.names.clone(), marks: BTreeSet::new() }
    }

    /// E-mail addresses and numbers: whatever has one of them is about this person.
    pub fn marks(&self) -> impl Iterator<Item = &str> {
        self.marks.iter().map(String::as_str)
    }

    /// What is looked for in texts. A single name is not: it is a word like others.
    pub fn needles(&self) -> impl Iterator<Item = &str> {
        self.marks().chain(self.names.iter().map(String::as_str).filter(|name| name.contains(' ')))
    }

    /// Whether this is the person's name.
    #[must_use]
    pub fn is_name(&self, text: &str) -> bool {
        self.names.contains(&folded(text))
    }

    /// Whether a text has an e-mail address or number of theirs.
    #[must_use]
    pub fn marks_text(&self, text: &str) -> bool {
        self.marks().any(|mark| find(text, mark).is_some())
    }

    /// The text without the person; `None` if they do not stand in it.
    #[must_use]
    pub fn struck(&self, text: &str) -> Option<String> {
        if self.is_name(text) {
            return Some(ERASED.to_owned());
        }
        let mut rest = text;
        let mut struck = String::new();
        while let Some((at, end)) = self.needles().filter_map(|needle| find(rest, needle)).min() {
            struck.push_str(rest.get(..at).unwrap_or_default());
            struck.push_str(ERASED);
            rest = rest.get(end..).unwrap_or_default();
        }
        (rest.len() < text.len()).then(|| struck + rest)
    }
}

/// In lower case, with single spaces.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Where a text has a needle that is in lower case: from and to.
fn find(text: &str, needle: &str) -> Option<(usize, usize)> {
    text.char_indices().find_map(|(at, _)| Some((at, at + begins_with(text.get(at..)?, needle)?)))
}

/// How many bytes of a text a needle in lower case takes at its beginning.
fn begins_with(text: &str, needle: &str) -> Option<usize> {
    let mut wanted = needle.chars().peekable();
    for (at, sign) in text.char_indices() {
        if wanted.peek().is_none() {
            return Some(at);
        }
        if !sign.to_lowercase().all(|sign| wanted.next() == Some(sign)) {
            return None;
        }
    }
    wanted.peek().is_none().then_some(text.len())
}

impl Wish {
    /// The same without names, which open nothing. What a vendor finds it by stays.
    #[must_use]
    pub fn nameless(self) -> Self {
        let (first, last) = ERASED_NAMES;
        match self {
            Self::CardHolder(wish) => {
                Self::CardHolder(CardHolderWish { first_name: first.to_owned(), last_name: last.to_owned(), ..wish })
            }
            Self::DeviceAccess(wish) => Self::DeviceAccess(DeviceAccessWish { name: ERASED.to_owned(), ..wish }),
            other => other,
        }
    }

    /// What is left of it when nothing has to be found by it any more.
    #[must_use]
    pub fn forgotten(self) -> Self {
        match self.nameless() {
            Self::CardHolder(wish) => Self::CardHolder(CardHolderWish { card_number: None, ..wish }),
            Self::Phone(wish) => Self::Phone(PhoneWish { number: String::new(), ..wish }),
            Self::DeviceAccess(wish) => Self::DeviceAccess(DeviceAccessWish { email: String::new(), ..wish }),
            other @ Self::PmsToken(_) => other,
        }
    }

    /// Whether a vendor finds it by an e-mail address or number of a person.
    #[must_use]
    pub const fn is_found_by_person(&self) -> bool {
        matches!(self, Self::Phone(_) | Self::DeviceAccess(_))
    }
}

impl CardHolderWish {
    /// Whether its holder was erased: the vendor is to forget their name too.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        (self.first_name.as_str(), self.last_name.as_str()) == ERASED_NAMES
    }
}

impl RecordDetails {
    /// The same without the person. What opens, where and until when stays, and by what it is ours.
    #[must_use]
    pub fn impersonal(self) -> Self {
        match self {
            Self::User(user) => Self::User(UserDetails {
                first_name: None,
                last_name: None,
                email: None,
                phone: None,
                card_number: None,
                language: None,
                ..user
            }),
            Self::Credential(credential) => Self::Credential(CredentialDetails { number: None, ..credential }),
            Self::DeviceAccess(access) => {
                Self::DeviceAccess(DeviceAccessDetails { holder_name: None, holder_email: None, ..access })
            }
            other => other,
        }
    }

    /// Whether it names somebody by an e-mail address or number of theirs.
    #[must_use]
    pub fn is_about(&self, person: &KnownAs) -> bool {
        let marks = match self {
            Self::User(user) => [user.email.as_deref(), user.phone.as_deref()],
            Self::Credential(credential) => [credential.number.as_deref(), None],
            Self::DeviceAccess(access) => [access.holder_email.as_deref(), None],
            _ => [None, None],
        };
        marks.into_iter().flatten().any(|mark| person.marks_text(mark))
    }
}

impl FoundRecord {
    /// The same without the person.
    #[must_use]
    pub fn impersonal(self) -> Self {
        Self { name: ERASED.to_owned(), details: self.details.impersonal(), secret: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ada() -> KnownAs {
        KnownAs::new("Ada Byron", ["Ada@Example.org", "+372 no", "+37255501234"])
    }

    #[test]
    fn a_person_is_struck_from_texts_however_they_are_spelled() {
        let struck = |text: &str| ada().struck(text);
        assert_eq!(struck("ADA  byron").as_deref(), Some(ERASED));
        assert_eq!(struck("for Ada BYRON, ada@EXAMPLE.org!").as_deref(), Some("for Erased person, Erased person!"));
        assert_eq!(struck("number:dev/37255501234").as_deref(), Some("number:dev/Erased person"));
        assert_eq!(struck("Ada"), None, "half a name is a word like others");
        assert_eq!(struck("İada byronK").as_deref(), Some("İErased personK"));
        assert_eq!(struck(""), None);
        assert_eq!(KnownAs::new("Cher", ["12345"]).struck("cher"), Some(ERASED.to_owned()));
        assert_eq!(KnownAs::new("Cher", ["12345"]).struck("cher ami 12345"), None);
        assert_eq!(ada().by_name().struck("ada@example.org"), None);
        assert_eq!(format!("{:?}", ada()), "KnownAs(***)");
    }

    #[test]
    fn what_is_marked_is_about_the_person_and_a_namesake_is_not() {
        let user = |email: &str, phone: &str| {
            let (email, phone) = (Some(email.to_owned()), Some(phone.to_owned()));
            let (first_name, last_name) = (Some("Ada".to_owned()), Some("Byron".to_owned()));
            RecordDetails::User(UserDetails { first_name, last_name, email, phone, ..UserDetails::default() })
        };
        assert!(user("ADA@example.org", "").is_about(&ada()) && user("", "+37255501234").is_about(&ada()));
        assert!(!user("other@example.org", "555").is_about(&ada()));
        let RecordDetails::User(left) = user("a@b", "1").impersonal() else { unreachable!() };
        assert_eq!(left, UserDetails::default());
    }

    proptest! {
        #[test]
        fn nothing_that_is_looked_for_is_left(before in "[a-zäİ0-9 ]{0,9}", after in "\\PC{0,9}", which in 0..3usize) {
            let needle = ["aDa bYron", "ada@example.ORG", "37255501234"][which];
            let struck = ada().struck(&format!("{before}{needle}{after}")).unwrap();
            prop_assert!(ada().needles().all(|needle| find(&struck, needle).is_none()), "{}", struck);
        }
    }
}
