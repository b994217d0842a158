//! Records about what is granted together, when, and how many credentials are claimed.

use async_graphql::SimpleObject;
use domain::record;

/// Doors that are granted together.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct AccessLevelDetails {
    /// The vendor's ids of its doors.
    door_external_ids: Vec<String>,
}

impl From<record::AccessLevelDetails> for AccessLevelDetails {
    fn from(told: record::AccessLevelDetails) -> Self {
        Self { door_external_ids: told.doors.into_iter().collect() }
    }
}

/// A weekly pattern in the zone of the vendor's site.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct ScheduleDetails {
    /// Its days: 0 is Monday, 6 Sunday.
    days: Vec<u8>,
    /// When it begins on each of them: `HH:MM:SS`.
    starts: String,
    /// When it ends, that second included: `HH:MM:SS`.
    ends: String,
}

impl From<record::ScheduleDetails> for ScheduleDetails {
    fn from(told: record::ScheduleDetails) -> Self {
        let clock = |time: chrono::NaiveTime| time.format("%H:%M:%S").to_string();
        Self { days: told.days.into_iter().collect(), starts: clock(told.starts), ends: clock(told.ends) }
    }
}

/// How many credentials are claimed.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct CredentialSummary {
    /// Held in an app.
    claimed: Option<i64>,
    /// Not fetched yet.
    unclaimed: Option<i64>,
}

impl From<record::CredentialSummary> for CredentialSummary {
    fn from(told: record::CredentialSummary) -> Self {
        Self { claimed: told.claimed, unclaimed: told.unclaimed }
    }
}
