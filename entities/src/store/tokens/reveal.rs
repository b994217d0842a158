//! Who was shown the value of a token, and how often. The value itself never comes here.

use chrono::TimeDelta;
use domain::{clock::Timestamp, event::EventType};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, LockType},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{access_token, event, organization},
    store::{events, stays::Settling},
};

/// How often somebody may be shown a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevealLimit {
    /// So many times,
    pub most: u64,
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
    let lately = event::Entity::find()
        .filter(event::Column::OrganizationId.eq(token.organization_id))
        .filter(event::Column::Actor.eq(by))
        .filter(Expr::cust("type = 'TOKEN_REVEALED'"))
        .filter(event::Column::RecordedAt.gt(now - limit.within))
        .count(&transaction)
        .await?;
    if lately >= limit.most {
        transaction.rollback().await?;
        return Ok(false);
    }
    let told = super::event(token, EventType::TokenRevealed, Some(by), json!({ "reason": reason }), now);
    events::append(&transaction, settling.ids, vec![told]).await?;
    transaction.commit().await?;
    Ok(true)
}
