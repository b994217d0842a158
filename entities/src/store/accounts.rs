//! Linking vendor accounts, renewing their credentials, and keeping their state.

use domain::{
    account::{AccountState, Vendor},
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, OrganizationId, SiteId, VendorAccountId},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};
use serde_json::json;

use super::{
    events::{self, NewEvent},
    watch,
};
use crate::{
    Database, StoreError,
    rows::{account_location, alert, vendor_account},
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
    /// Whether it can be used at once, or waits for a user's consent.
    pub state: AccountState,
    /// Whom the vendor takes us for.
    pub signed_in_as: Option<&'a str>,
    /// The SHA-256 of the token in its webhook address.
    pub intake_token_hash: Option<Vec<u8>>,
    /// Who links it; absent for the house itself.
    pub linked_by: Option<&'a str>,
}

/// Links an account, with an event.
///
/// # Errors
/// The database failed.
pub async fn link(
    database: &Database,
    ids: &dyn IdSource,
    account: NewAccount<'_>,
    now: Timestamp,
) -> Result<vendor_account::Model, StoreError> {
    let transaction = database.begin().await?;
    let row = vendor_account::Model {
        id: account.id.0,
        organization_id: account.organization.0,
        site_id: account.site.0,
        vendor: account.vendor.as_str().to_owned(),
        name: account.name.to_owned(),
        base_url: account.base_url.to_owned(),
        credentials: account.credentials,
        credentials_version: 1,
        state: account.state.as_str().to_owned(),
        state_reason: reason_of(account.state),
        state_since: now,
        synced_at: None,
        signed_in_as: account.signed_in_as.map(str::to_owned),
        intake_token_hash: account.intake_token_hash,
        sync_requested_at: Some(now),
        sync_error: None,
        created_at: now,
    };
    let active = vendor_account::ActiveModel::from(row.clone()).reset_all();
    vendor_account::Entity::insert(active).exec_without_returning(&transaction).await?;
    write_locations(&transaction, account.id, account.locations).await?;
    let data = json!({ "vendor": row.vendor, "name": row.name });
    let event = NewEvent::of_account(&row, EventType::AccountLinked, now, account.linked_by, data);
    events::append(&transaction, ids, vec![event]).await?;
    transaction.commit().await?;
    Ok(row)
}

/// Why a person's account is in the state that they brought it into.
fn reason_of(state: AccountState) -> Option<String> {
    (state == AccountState::ReauthRequired).then(|| "The user has not consented yet.".to_owned())
}

async fn write_locations(
    connection: &impl ConnectionTrait,
    account: VendorAccountId,
    locations: &[(String, SiteId)],
) -> Result<(), StoreError> {
    account_location::Entity::delete_many()
        .filter(account_location::Column::AccountId.eq(account.0))
        .exec(connection)
        .await?;
    if locations.is_empty() {
        return Ok(());
    }
    let rows = locations.iter().map(|(location, site)| account_location::ActiveModel {
        account_id: Set(account.0),
        location: Set(location.clone()),
        site_id: Set(site.0),
    });
    account_location::Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(())
}

/// Says which of an account's locations is which site, with an event, and asks for a sync that moves what is there.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn map_locations(
    database: &Database,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    locations: &[(String, SiteId)],
    (by, now): (&str, Timestamp),
) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    write_locations(&transaction, VendorAccountId(account.id), locations).await?;
    vendor_account::Entity::update_many()
        .col_expr(vendor_account::Column::SyncRequestedAt, Expr::value(now))
        .filter(vendor_account::Column::Id.eq(account.id))
        .exec(&transaction)
        .await?;
    let told = |(location, site): &(String, SiteId)| json!({ "location": location, "site": site.to_string() });
    let data = json!({ "what": "LOCATIONS", "locations": locations.iter().map(told).collect::<Vec<_>>() });
    let event = NewEvent::of_account(account, EventType::AccountChanged, now, Some(by), data);
    events::append(&transaction, ids, vec![event]).await?;
    Ok(transaction.commit().await?)
}

/// An account with new credentials.
#[derive(Debug, Clone)]
pub struct Reauthorized {
    /// Its row.
    pub account: vendor_account::Model,
    /// The alert about it that was raised or resolved.
    pub alert: Option<alert::Model>,
}

/// New credentials from a person: the account is connected again, with an event and a wish for a sync. `None` if it is
/// unlinked, or has other credentials by now.
///
/// # Errors
/// The database failed.
pub async fn reauthorize(
    database: &Database,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    fresh: FreshCredentials<'_>,
    by: Option<&str>,
    now: Timestamp,
) -> Result<Option<Reauthorized>, StoreError> {
    let transaction = database.begin().await?;
    let changed = vendor_account::ActiveModel {
        credentials: Set(fresh.credentials.clone()),
        credentials_version: Set(account.credentials_version + 1),
        base_url: Set(fresh.base_url.to_owned()),
        signed_in_as: Set(fresh.signed_in_as.map(str::to_owned)),
        state: Set(fresh.state.as_str().to_owned()),
        state_reason: Set(reason_of(fresh.state)),
        state_since: Set(now),
        sync_requested_at: Set(Some(now)),
        ..Default::default()
    };
    let done = vendor_account::Entity::update_many()
        .set(changed)
        .filter(vendor_account::Column::Id.eq(account.id))
        .filter(vendor_account::Column::CredentialsVersion.eq(account.credentials_version))
        .filter(vendor_account::Column::State.ne(AccountState::Disconnected.as_str()))
        .exec(&transaction)
        .await?;
    if done.rows_affected == 0 {
        transaction.rollback().await?;
        return Ok(None);
    }
    let data = json!({ "vendor": account.vendor, "name": account.name, "again": true });
    let event = NewEvent::of_account(account, EventType::AccountLinked, now, by, data);
    events::append(&transaction, ids, vec![event]).await?;
    let alert = watch::account_changed(&transaction, ids, account, fresh.state, now).await?;
    let row = vendor_account::Entity::find_by_id(account.id).one(&transaction).await?;
    transaction.commit().await?;
    Ok(row.map(|account| Reauthorized { account, alert }))
}

/// Credentials that a person or a consent gave.
#[derive(Debug, Clone)]
pub struct FreshCredentials<'a> {
    /// Sealed by the vault for table `vendor_accounts`, column `credentials`, the account.
    pub credentials: Vec<u8>,
    /// Where the API is.
    pub base_url: &'a str,
    /// Whom the vendor takes us for.
    pub signed_in_as: Option<&'a str>,
    /// Whether it can be used at once.
    pub state: AccountState,
}

/// Stores renewed credentials before they are used (rule 10). Returns whether they were: `false` when somebody else
/// stored others since `known_version`, or wiped them.
///
/// # Errors
/// The database failed; the renewed credentials are not stored.
pub async fn renew_credentials(
    database: &Database,
    account: VendorAccountId,
    known_version: i64,
    credentials: Vec<u8>,
) -> Result<bool, StoreError> {
    let done = vendor_account::Entity::update_many()
        .col_expr(vendor_account::Column::Credentials, Expr::value(credentials))
        .col_expr(vendor_account::Column::CredentialsVersion, Expr::value(known_version + 1))
        .filter(vendor_account::Column::Id.eq(account.0))
        .filter(vendor_account::Column::CredentialsVersion.eq(known_version))
        .filter(vendor_account::Column::State.ne(AccountState::Disconnected.as_str()))
        .exec(database.write())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Unlinks an account: its credentials are wiped, its webhook address ends, nothing is sent any more. What is queued
/// for it stays visible and fails. Returns the alert about it that ended with that.
///
/// # Errors
/// The database failed.
pub async fn unlink(
    database: &Database,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    by: &str,
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let transaction = database.begin().await?;
    let changed = vendor_account::ActiveModel {
        credentials: Set(Vec::new()),
        credentials_version: Set(account.credentials_version + 1),
        intake_token_hash: Set(None),
        state: Set(AccountState::Disconnected.as_str().to_owned()),
        state_reason: Set(Some("A person unlinked it.".to_owned())),
        state_since: Set(now),
        sync_requested_at: Set(None),
        ..Default::default()
    };
    let done = vendor_account::Entity::update_many()
        .set(changed)
        .filter(vendor_account::Column::Id.eq(account.id))
        .filter(vendor_account::Column::State.ne(AccountState::Disconnected.as_str()))
        .exec(&transaction)
        .await?;
    let mut alert = None;
    if done.rows_affected == 1 {
        let data = json!({ "vendor": account.vendor, "name": account.name });
        let event = NewEvent::of_account(account, EventType::AccountUnlinked, now, Some(by), data);
        events::append(&transaction, ids, vec![event]).await?;
        alert = watch::account_changed(&transaction, ids, account, AccountState::Disconnected, now).await?;
    }
    transaction.commit().await?;
    Ok(alert)
}

/// Gives an account another webhook address, with an event; the old one ends.
///
/// # Errors
/// The database failed; the old address is still the one.
pub async fn set_intake(
    database: &Database,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    hash: Vec<u8>,
    (by, now): (&str, Timestamp),
) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    vendor_account::Entity::update_many()
        .col_expr(vendor_account::Column::IntakeTokenHash, Expr::value(hash))
        .filter(vendor_account::Column::Id.eq(account.id))
        .exec(&transaction)
        .await?;
    let data = json!({ "what": "WEBHOOK_ADDRESS" });
    let event = NewEvent::of_account(account, EventType::AccountChanged, now, Some(by), data);
    events::append(&transaction, ids, vec![event]).await?;
    Ok(transaction.commit().await?)
}

/// Wishes for a sync. It outlives whatever is running: a sync that began before the wish does not fulfil it.
///
/// # Errors
/// The database failed.
pub async fn request_sync(database: &Database, account: VendorAccountId, now: Timestamp) -> Result<(), StoreError> {
    vendor_account::Entity::update_many()
        .col_expr(vendor_account::Column::SyncRequestedAt, Expr::value(now))
        .filter(vendor_account::Column::Id.eq(account.0))
        .exec(database.write())
        .await?;
    Ok(())
}

/// Ends a sync that began at `started_at`: complete without an error. A wish from before its beginning is fulfilled.
///
/// # Errors
/// The database failed.
pub async fn synced(
    database: &Database,
    account: VendorAccountId,
    started_at: Timestamp,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let transaction = database.begin().await?;
    let mut update = vendor_account::Entity::update_many()
        .col_expr(vendor_account::Column::SyncError, Expr::value(error.map(str::to_owned)))
        .filter(vendor_account::Column::Id.eq(account.0));
    if error.is_none() {
        update = update.col_expr(vendor_account::Column::SyncedAt, Expr::value(now));
    }
    update.exec(&transaction).await?;
    vendor_account::Entity::update_many()
        .col_expr(vendor_account::Column::SyncRequestedAt, Expr::value(None::<Timestamp>))
        .filter(vendor_account::Column::Id.eq(account.0))
        .filter(vendor_account::Column::SyncRequestedAt.lte(started_at))
        .exec(&transaction)
        .await?;
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

/// What writing an account's state came to.
#[derive(Debug, Clone, Default)]
pub struct StateChange {
    /// Whether it is another one now.
    pub changed: bool,
    /// The alert about it that was raised or resolved.
    pub alert: Option<alert::Model>,
}

/// Writes an account's state if it is another one now, with an event and the alert that follows from it.
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
) -> Result<StateChange, StoreError> {
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
    let mut alert = None;
    if changed {
        let data = json!({
            "vendorAccount": VendorAccountId(account.id).to_string(),
            "from": account.state,
            "to": state.as_str(),
            "reason": reason,
        });
        let event = NewEvent::of_account(account, EventType::AccountStateChanged, now, None, data);
        events::append(&transaction, ids, vec![event]).await?;
        alert = watch::account_changed(&transaction, ids, account, state, now).await?;
    }
    transaction.commit().await?;
    Ok(StateChange { changed, alert })
}
