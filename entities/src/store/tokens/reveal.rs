//! Who was shown the value of a token, and how often. The value itself never comes here. Keys that somebody made share
//! the limit of their maker: whoever could make keys could collect as much as they like otherwise.

use chrono::TimeDelta;
use domain::{clock::Timestamp, event::EventType, ids::OrganizationId};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{access_token, event, organization},
    store::{events, makers, stays::Settling},
};

/// How often somebody may be shown a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevealLimit {
    /// So many times, with all keys that go back to the same maker,
    pub most: usize,
    /// and so many times all of an organization together,
    pub most_of_all: usize,
    /// in this time.
    pub within: TimeDelta,
}

/// Writes that somebody is about to be shown a token's value, and why. False: they were shown too many lately, and
/// nothing was written.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn revealed(
    database: &Database,
    settling: &Settling<'_>,
    token: &access_token::Model,
    by: &str,
    reason: &str,
    limit: RevealLimit,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let transaction = database.begin().await?;
    // Of two at a time the second has to see the first.
    organization::Entity::find_by_id(token.organization_id)
        .select_only()
        .column(organization::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple::<Uuid>()
        .one(&transaction)
        .await?;
    let lately: Vec<String> = event::Entity::find()
        .select_only()
        .column(event::Column::Actor)
        .filter(event::Column::OrganizationId.eq(token.organization_id))
        .filter(event::Column::Actor.is_not_null())
        .filter(Expr::cust("type = 'TOKEN_REVEALED'"))
        .filter(event::Column::RecordedAt.gt(now - limit.within))
        .limit(limit.most_of_all as u64)
        .into_tuple()
        .all(&transaction)
        .await?;
    let actors = lately.iter().map(String::as_str).chain([by]);
    let roots = makers::roots(&transaction, OrganizationId(token.organization_id), actors).await?;
    let own = lately.iter().filter(|actor| roots.get(actor.as_str()) == roots.get(by)).count();
    if own >= limit.most || lately.len() >= limit.most_of_all {
        transaction.rollback().await?;
        return Ok(false);
    }
    let told = super::event(token, EventType::TokenRevealed, Some(by), json!({ "reason": reason }), now);
    events::append(&transaction, settling.ids, vec![told]).await?;
    transaction.commit().await?;
    Ok(true)
}
