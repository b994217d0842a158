//! What stands on a credential: digits on cards, fobs and tags, a telephone number, an e-mail address. PINs are secrets
//! and `pin`'s business.

use crate::record::CredentialType;

/// The longest number of a card, fob or tag.
const LONGEST: usize = 20;
/// The longest e-mail address (RFC 5321).
const LONGEST_EMAIL: usize = 254;

/// Why a number cannot be used. The number itself is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    /// Card locks take digits only (document 002).
    #[error("The number of a card, fob or tag has 1 to {LONGEST} digits and nothing else.")]
    NotDigits,
    /// Too short, too long, or something else than digits.
    #[error("A telephone number has 7 to 15 digits, the country code included.")]
    NoTelephone,
    /// A mobile key is found by an e-mail address.
    #[error("A mobile key needs the e-mail address by which the vendor's app knows the person.")]
    NoEmail,
    /// A PIN is no number that stands anywhere.
    #[error("A PIN is given as `value`.")]
    NotForPins,
}

/// The number as it is kept: telephone numbers without a plus, blanks and dashes.
///
/// # Errors
/// It is none for this kind.
pub fn checked_number(kind: CredentialType, number: &str) -> Result<String, NumberFault> {
    let digits = |text: &str, length: std::ops::RangeInclusive<usize>| {
        length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let number = number.trim();
    match kind {
        CredentialType::Card | CredentialType::Fob | CredentialType::RfidTag => {
            if digits(number, 1..=LONGEST) {
                Ok(number.to_owned())
            } else {
                Err(NumberFault::NotDigits)
            }
        }
        CredentialType::PhoneNumber => {
            let plain: String = number.chars().filter(|sign| !matches!(sign, ' ' | '-' | '(' | ')' | '.')).collect();
            let plain = plain.strip_prefix('+').unwrap_or(&plain);
            if digits(plain, 7..=15) { Ok(plain.to_owned()) } else { Err(NumberFault::NoTelephone) }
        }
        CredentialType::MobileKey if is_email(number) => Ok(number.to_owned()),
        CredentialType::MobileKey => Err(NumberFault::NoEmail),
        CredentialType::PinCode => Err(NumberFault::NotForPins),
    }
}

/// Whether a text is an e-mail address, as far as can be told without writing to it.
#[must_use]
pub fn is_email(text: &str) -> bool {
    text.len() <= LONGEST_EMAIL
        && text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
        && !text.chars().any(|sign| sign.is_whitespace() || sign.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_numbers() {
        use CredentialType as Kind;
        assert_eq!(checked_number(Kind::Card, " 0012 "), Ok("0012".to_owned()), "a leading nought counts");
        assert_eq!(checked_number(Kind::RfidTag, "A8914"), Err(NumberFault::NotDigits));
        assert_eq!(checked_number(Kind::Fob, &"1".repeat(21)), Err(NumberFault::NotDigits));
        assert_eq!(checked_number(Kind::PhoneNumber, "+372 (5) 55-1234"), Ok("3725551234".to_owned()));
        assert_eq!(checked_number(Kind::PhoneNumber, "12345"), Err(NumberFault::NoTelephone));
        assert_eq!(checked_number(Kind::MobileKey, "ada@example.test"), Ok("ada@example.test".to_owned()));
        assert_eq!(checked_number(Kind::MobileKey, "ada"), Err(NumberFault::NoEmail));
        assert_eq!(checked_number(Kind::PinCode, "482913"), Err(NumberFault::NotForPins));
    }
}
