//! A schedule, as the schema shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::{
    clock::Timestamp,
    ids::{ScheduleId, SiteId},
    schedule,
};
use entities::rows;

use super::{Site, neighbour};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Schedule(pub(super) Arc<rows::schedule::Model>);

/// A weekly pattern by the clocks of its site: of an hour that comes twice both count, one that is skipped is nobody's.
/// Seen by a MANAGER who sees the whole organization.
#[Object]
impl Schedule {
    /// Its id (`sched_…`).
    pub(crate) async fn id(&self) -> ID {
        ScheduleId(self.0.id).to_string().into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The site whose clocks count.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id)).await
    }

    /// Its ranges; it permits what any of them permits, and nothing if there are none.
    async fn ranges(&self) -> Result<Vec<ScheduleRange>> {
        Ok(self.0.week()?.ranges.into_iter().map(Into::into).collect())
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}

/// The same time on several days.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct ScheduleRange {
    /// The days on which it begins: 0 is Monday, 6 Sunday.
    days: Vec<u8>,
    /// When it begins, as HH:MM:SS.
    starts: String,
    /// When it ends, that instant excluded. At or before `starts`: on the next day.
    ends: String,
}

impl From<schedule::DayRange> for ScheduleRange {
    fn from(range: schedule::DayRange) -> Self {
        let clock = |time: chrono::NaiveTime| time.format("%H:%M:%S").to_string();
        Self { days: range.days.into_iter().collect(), starts: clock(range.starts), ends: clock(range.ends) }
    }
}
