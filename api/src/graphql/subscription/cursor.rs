//! The cursor of the feed: the place after an event, whose it is, and when it was given. It is opaque to callers, and
//! forging one shows nobody more than they see anyway: whatever is read from a place is read under their own scope.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use domain::{clock::Timestamp, ids::OrganizationId};
use entities::find::feed::Place;
use uuid::Uuid;

use crate::graphql::error::ApiError;

/// The format of these cursors; another one is refused, never misread.
const FORMAT: u8 = 101;

/// Longer than any that was given.
const LONGEST: usize = 64 * 1024;

/// Where a subscriber reads on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Whose events.
    pub(super) organization: OrganizationId,
    /// When it was given.
    pub(super) given_at: Timestamp,
    /// Up to where they were told.
    pub(super) place: Place,
}

impl Cursor {
    pub(super) fn encode(&self) -> String {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(self.organization.0.as_bytes());
        bytes.extend_from_slice(&self.given_at.timestamp_micros().to_be_bytes());
        bytes.extend_from_slice(&self.place.encode());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor.
    ///
    /// # Errors
    /// It is none that was given here.
    pub(super) fn decode(text: &str) -> Result<Self, ApiError> {
        Self::read(text).ok_or(ApiError::ResyncRequired)
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|_| text.len() <= LONGEST)?;
        let (format, rest) = bytes.split_first()?;
        let (organization, rest) = rest.split_at_checked(16)?;
        let (given_at, place) = rest.split_first_chunk::<8>()?;
        (*format == FORMAT).then_some(())?;
        Some(Self {
            organization: OrganizationId(Uuid::from_slice(organization).ok()?),
            given_at: DateTime::from_timestamp_micros(i64::from_be_bytes(*given_at))?,
            place: Place::decode(place)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        let place = Place::decode(&[[1_u8].as_slice(), &[7; 16]].concat()).unwrap();
        let given_at = DateTime::from_timestamp_micros(1_900_000_000_123_456).unwrap();
        let cursor = Cursor { organization: OrganizationId(Uuid::from_u128(5)), given_at, place };
        let text = cursor.encode();
        assert_eq!(Cursor::decode(&text), Ok(cursor));
        let cut = text.get(..text.len() - 4).unwrap_or_default();
        for other in ["", "?", "AQ", cut, &format!("{text}AAAA"), "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ"] {
            assert_eq!(Cursor::decode(other), Err(ApiError::ResyncRequired), "{other}");
        }
    }
}
