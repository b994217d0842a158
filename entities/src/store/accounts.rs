//! Linking vendor accounts and keeping their state.

use domain::{
    account::{AccountState, Vendor},
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, OrganizationId, SiteId, VendorAccountId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::json;

use super::events::{self, NewEvent};
use crate::{
    Database, StoreError,
    rows::{account_location, vendor_account},
};

/// An account about to be linked.
#[derive(Debug, Clone)]
pub struct NewAccount<'a> {
    /// Its id.
    pub id: VendorAccountId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// The site of whatever the vendor places nowhere.
    pub site: SiteId,
    /// Whose API it is.
    pub vendor: Vendor,
    /// A name for people.
    pub name: &'a str,
    /// Where its API is.
    pub base_url: &'a str,
    /// Sealed by the vault for table `vendor_accounts`, column `credentials`, this id.
    pub credentials: Vec<u8>,
    /// Which vendor location is which site.
    pub locations: &'a [(String, SiteId)],
}

/// Links an account.
///
/// # Errors
/// The database failed.
pub async fn link(database: &Database, account: NewAccount<'_>, now: Timestamp) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    let row = vendor_account::ActiveModel {
        id: Set(account.id.0),
        organization_id: Set(account.organization.0),
        site_id: Set(account.site.0),
        vendor: Set(account.vendor.as_str().to_owned()),
        name: Set(account.name.to_owned()),
        base_url: Set(account.base_url.to_owned()),
        credentials: Set(account.credentials),
        credentials_version: Set(1),
        state: Set(AccountState::Connected.as_str().to_owned()),
        state_reason: Set(None),
        state_since: Set(now),
        synced_at: Set(None),
        created_at: Set(now),
    };
    vendor_account::Entity::insert(row).exec_without_returning(&transaction).await?;
    if !account.locations.is_empty() {
        let rows = account.locations.iter().map(|(location, site)| account_location::ActiveModel {
            account_id: Set(account.id.0),
            location: Set(location.clone()),
            site_id: Set(site.0),
        });
        account_location::Entity::insert_many(rows).exec_without_returning(&transaction).await?;
    }
    Ok(transaction.commit().await?)
}

/// Moves an account to another base URL (a simulator that got another port).
///
/// # Errors
/// The database failed.
pub async fn set_base_url(database: &Database, id: VendorAccountId, base_url: &str) -> Result<(), StoreError> {
    vendor_account::Entity::update_many()
        .col_expr(vendor_account::Column::BaseUrl, Expr::value(base_url))
        .filter(vendor_account::Column::Id.eq(id.0))
        .exec(database.write())
        .await?;
    Ok(())
}

/// Writes an account's state if it is another one now, with an event. Returns whether it changed.
///
/// # Errors
/// The database failed.
pub async fn set_state(
    database: &Database,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    state: AccountState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let transaction = database.begin().await?;
    let changed = vendor_account::Entity::update_many()
        .col_expr(vendor_account::Column::State, Expr::value(state.as_str()))
        .col_expr(vendor_account::Column::StateReason, Expr::value(reason.map(str::to_owned)))
        .col_expr(vendor_account::Column::StateSince, Expr::value(now))
        .filter(vendor_account::Column::Id.eq(account.id))
        .filter(vendor_account::Column::State.ne(state.as_str()))
        .filter(vendor_account::Column::State.ne(AccountState::Disconnected.as_str()))
        .exec(&transaction)
        .await?
        .rows_affected
        == 1;
    if changed {
        let event = NewEvent {
            organization: account.organization_id,
            site: None,
            device: None,
            door: None,
            command: None,
            event_type: EventType::AccountStateChanged,
            occurred_at: now,
            recorded_at: now,
            actor: None,
            data: json!({
                "vendorAccount": VendorAccountId(account.id).to_string(),
                "from": account.state,
                "to": state.as_str(),
                "reason": reason,
            }),
        };
        events::append(&transaction, ids, vec![event]).await?;
    }
    transaction.commit().await?;
    Ok(changed)
}
