//! People, what they hold and are assigned, access levels and schedules.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entities::find::{access_levels, credentials, people};

use super::{
    bounded,
    list::{Finder, connect, finder},
};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::{Ask, decode_some},
    error::ApiError,
    node::find_one,
    object::{AccessLevel, Credential, Schedule, User, may_see_people},
    words::{CredentialState, CredentialType},
};

finder!(people::PeopleFilter => User, entities::find::people);
finder!(credentials::CredentialFilter => Credential, entities::find::credentials);
finder!(access_levels::AccessLevelFilter => AccessLevel, entities::find::access_levels);

impl Finder for access_levels::ScheduleFilter {
    type Item = Schedule;

    async fn page(
        &self,
        database: &entities::Database,
        scope: &entities::Scope,
        request: entities::page::PageRequest,
    ) -> Result<entities::page::Page<entities::rows::schedule::Model>, entities::StoreError> {
        access_levels::schedules_page(database, scope, self, request).await
    }

    async fn count(&self, database: &entities::Database, scope: &entities::Scope) -> Result<u64, entities::StoreError> {
        access_levels::schedules_count(database, scope, self).await
    }
}

/// Which people; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct UserFilter {
    /// With this text in the name or e-mail address, in any case of letters.
    text: Option<String>,
    /// With this access level, whatever the time.
    access_level_id: Option<ID>,
    /// Whether those are wanted too who were erased.
    #[graphql(default = false)]
    erased_too: bool,
}

/// Which credentials; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct CredentialFilter {
    /// Of this person.
    user_id: Option<ID>,
    /// Of this kind.
    kind: Option<CredentialType>,
    /// In this state.
    state: Option<CredentialState>,
    /// With this number.
    number: Option<String>,
}

/// Which access levels; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct AccessLevelFilter {
    /// At this site.
    site_id: Option<ID>,
    /// With this schedule.
    schedule_id: Option<ID>,
    /// With this text in the name, in any case of letters.
    text: Option<String>,
}

/// Which schedules; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ScheduleFilter {
    /// At this site.
    site_id: Option<ID>,
}

/// Whether the caller may look at people.
///
/// # Errors
/// The caller is anonymous, or the reason why not.
fn permit(context: &Context<'_>) -> Result<(), ApiError> {
    let now = context.shared()?.clock.now();
    may_see_people(&context.caller()?.session.principal, now).map_err(ApiError::Forbidden)
}

#[derive(Default)]
pub(crate) struct PeopleQueries;

#[Object]
impl PeopleQueries {
    /// The people of the organization, oldest first. Needs MANAGER; none for callers who do not see the whole of it.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn users(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which people; all who were not erased without.")] filter: Option<UserFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<User>>> {
        let page = async {
            permit(context)?;
            let UserFilter { text, access_level_id, erased_too } = filter.unwrap_or_default();
            let access_level = decode_some(access_level_id.as_ref())?;
            let filter = people::PeopleFilter { text: bounded("text", text)?, access_level, erased_too };
            connect(context, filter, &PageArguments { first, after, last, before }, false).await
        };
        Some(page.await)
    }

    /// The person with this id; null if there is none that the caller sees. Needs MANAGER.
    async fn user(&self, context: &Context<'_>, #[graphql(desc = "Their id.")] id: ID) -> Option<Result<User>> {
        find_one(context, &id).await
    }

    /// Credentials, oldest first. Needs MANAGER; none for callers who do not see the whole organization.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn credentials(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which credentials; all without.")] filter: Option<CredentialFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Credential>>> {
        let page = async {
            permit(context)?;
            let CredentialFilter { user_id, kind, state, number } = filter.unwrap_or_default();
            let filter = credentials::CredentialFilter {
                user: decode_some(user_id.as_ref())?,
                kind: kind.map(Into::into),
                state: state.map(Into::into),
                number: bounded("number", number)?,
            };
            connect(context, filter, &PageArguments { first, after, last, before }, false).await
        };
        Some(page.await)
    }

    /// The credential with this id; null if there is none that the caller sees. Needs MANAGER.
    async fn credential(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Option<Result<Credential>> {
        find_one(context, &id).await
    }

    /// Access levels, oldest first. Needs MANAGER; none for callers who do not see the whole organization.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn access_levels(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which access levels; all without.")] filter: Option<AccessLevelFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<AccessLevel>>> {
        let page = async {
            permit(context)?;
            let AccessLevelFilter { site_id, schedule_id, text } = filter.unwrap_or_default();
            let filter = access_levels::AccessLevelFilter {
                site: decode_some(site_id.as_ref())?,
                schedule: decode_some(schedule_id.as_ref())?,
                text: bounded("text", text)?,
            };
            connect(context, filter, &PageArguments { first, after, last, before }, false).await
        };
        Some(page.await)
    }

    /// The access level with this id; null if there is none that the caller sees. Needs MANAGER.
    async fn access_level(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Option<Result<AccessLevel>> {
        find_one(context, &id).await
    }

    /// Schedules, oldest first. Needs MANAGER; none for callers who do not see the whole organization.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn schedules(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which schedules; all without.")] filter: Option<ScheduleFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Schedule>>> {
        let page = async {
            permit(context)?;
            let filter =
                access_levels::ScheduleFilter { site: decode_some(filter.unwrap_or_default().site_id.as_ref())? };
            connect(context, filter, &PageArguments { first, after, last, before }, false).await
        };
        Some(page.await)
    }

    /// The schedule with this id; null if there is none that the caller sees. Needs MANAGER.
    async fn schedule(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Option<Result<Schedule>> {
        find_one(context, &id).await
    }
}
