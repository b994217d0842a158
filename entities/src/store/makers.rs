//! From whom keys come: keys make keys, and what somebody does with all of theirs is done by one.

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{ApiKeyId, OrganizationId};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{StoreError, rows::api_key};

/// How many makers are asked for theirs. Keys that are further from where they come from are one family of their own:
/// nobody gets out of theirs by a long line.
const GENERATIONS: usize = 16;

/// From whom these actors come, by actor: who made the key that made the key, and so on. Who was made by nobody comes from
/// themselves.
///
/// # Errors
/// The database failed.
pub(super) async fn roots<'a>(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    actors: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Option<String>>, StoreError> {
    let mut makers: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut newest: BTreeSet<String> = actors.map(str::to_owned).collect();
    let asked = newest.clone();
    for _ in 0..GENERATIONS {
        let ids = newest.iter().filter_map(|actor| actor.parse::<ApiKeyId>().ok()).map(|id| id.0);
        let rows: Vec<(Uuid, Option<String>)> = api_key::Entity::find()
            .select_only()
            .columns([api_key::Column::Id, api_key::Column::CreatedBy])
            .filter(api_key::Column::OrganizationId.eq(organization.0))
            .filter(api_key::Column::Id.is_in(ids))
            .into_tuple()
            .all(transaction)
            .await?;
        // People, and what is no key of ours any more.
        makers.extend(std::mem::take(&mut newest).into_iter().map(|actor| (actor, None)));
        makers.extend(rows.iter().map(|(id, maker)| (ApiKeyId(*id).to_string(), maker.clone())));
        newest = rows.into_iter().filter_map(|(_, maker)| maker).filter(|maker| !makers.contains_key(maker)).collect();
        if newest.is_empty() {
            break;
        }
    }
    let with_root = |actor: String| {
        let root = root(&makers, &actor).cloned();
        (actor, root)
    };
    Ok(asked.into_iter().map(with_root).collect())
}

/// Where a line of makers begins; `None` if that is too far away.
fn root<'a>(makers: &'a BTreeMap<String, Option<String>>, actor: &str) -> Option<&'a String> {
    let mut at = makers.get_key_value(actor)?;
    for _ in 0..=makers.len() {
        match at {
            (actor, None) => return Some(actor),
            (_, Some(maker)) => at = makers.get_key_value(maker)?,
        }
    }
    None
}
