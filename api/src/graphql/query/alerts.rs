//! Alerts. A list holds the kinds that the caller may read; asking for another kind is refused.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entities::find::alerts;

use super::list::{connect, finder};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::{Ask, decode_some},
    error::ApiError,
    object::{Alert, may_see_alerts, readable_alerts},
    words::{AlertKind, AlertSeverity},
};

finder!(alerts::AlertFilter => Alert, entities::find::alerts);

/// Which alerts; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct AlertFilter {
    /// Of one of these kinds; all that the caller may read if empty. Kinds that tell of people need MANAGER.
    kinds: Option<Vec<AlertKind>>,
    /// At least as severe.
    severity: Option<AlertSeverity>,
    /// At this site.
    site_id: Option<ID>,
    /// Whether somebody took note.
    acknowledged: Option<bool>,
    /// Whether those are wanted too whose cause is gone.
    #[graphql(default = false)]
    resolved_too: bool,
}

impl AlertFilter {
    fn decode(self, context: &Context<'_>) -> Result<alerts::AlertFilter, ApiError> {
        let (principal, now) = (&context.caller()?.session.principal, context.shared()?.clock.now());
        let mut kinds: Vec<domain::alert::AlertKind> =
            self.kinds.unwrap_or_default().into_iter().map(Into::into).collect();
        for kind in &kinds {
            may_see_alerts(principal, *kind, now).map_err(ApiError::Forbidden)?;
        }
        if kinds.is_empty() {
            kinds = readable_alerts(principal, now);
        }
        Ok(alerts::AlertFilter {
            kinds,
            severity: self.severity.map(Into::into),
            site: decode_some(self.site_id.as_ref())?,
            acknowledged: self.acknowledged,
            resolved_too: self.resolved_too,
        })
    }
}

#[derive(Default)]
pub(crate) struct AlertQueries;

#[Object]
impl AlertQueries {
    /// What a person must look at, oldest first: the open alerts that the caller sees and may read.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn alerts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which alerts; all open ones without.")] filter: Option<AlertFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Alert>>> {
        let list = async {
            let filter = filter.unwrap_or_default().decode(context)?;
            connect(context, filter, &PageArguments { first, after, last, before }, false).await
        };
        Some(list.await)
    }
}
