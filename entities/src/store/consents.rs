//! Consents under way: written before the browser leaves, taken once when it comes back.

use domain::{clock::Timestamp, ids::VendorAccountId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::{Database, StoreError, rows::consent};

/// A consent about to begin.
#[derive(Debug, Clone)]
pub struct NewConsent<'a> {
    /// The SHA-256 of the state that the browser carries.
    pub state_hash: Vec<u8>,
    /// Which account it is for.
    pub account: VendorAccountId,
    /// Sealed by the vault for table `consents`, column `verifier`, the account.
    pub verifier: Vec<u8>,
    /// Where the browser comes back to.
    pub redirect_uri: &'a str,
    /// The public id of who asked.
    pub requested_by: &'a str,
    /// From when on it counts no more.
    pub expires_at: Timestamp,
}

/// Begins a consent. Earlier ones of the same account end.
///
/// # Errors
/// The database failed.
pub async fn begin(database: &Database, new: NewConsent<'_>, now: Timestamp) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    consent::Entity::delete_many().filter(consent::Column::AccountId.eq(new.account.0)).exec(&transaction).await?;
    let row = consent::ActiveModel {
        state_hash: Set(new.state_hash),
        account_id: Set(new.account.0),
        verifier: Set(new.verifier),
        redirect_uri: Set(new.redirect_uri.to_owned()),
        requested_by: Set(new.requested_by.to_owned()),
        created_at: Set(now),
        expires_at: Set(new.expires_at),
    };
    consent::Entity::insert(row).exec_without_returning(&transaction).await?;
    Ok(transaction.commit().await?)
}

/// Takes a consent by the hash of its state: nobody can take it again. `None` when there is none, or its time is over.
/// Anybody may bring any state, so that nothing is written, or kept from writing, for one that is not known.
///
/// # Errors
/// The database failed.
pub async fn take(
    database: &Database,
    state_hash: &[u8],
    now: Timestamp,
) -> Result<Option<consent::Model>, StoreError> {
    let Some(found) = consent::Entity::find_by_id(state_hash.to_vec()).one(database.read()).await? else {
        return Ok(None);
    };
    let transaction = database.begin().await?;
    let taken = consent::Entity::delete_many()
        .filter(consent::Column::StateHash.eq(state_hash.to_vec()))
        .exec(&transaction)
        .await?
        .rows_affected;
    transaction.commit().await?;
    Ok((taken == 1 && found.expires_at > now).then_some(found))
}
