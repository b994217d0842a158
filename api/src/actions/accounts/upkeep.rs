//! What a linked account needs now and then: a sync, its locations, another webhook address, a delivery once more.

use domain::{
    access::Role,
    account::AccountState,
    ids::{VendorAccountId, WebhookDeliveryId},
    secret::Secret,
};
use entities::{
    find,
    rows::{vendor_account, webhook_delivery},
    store,
};
use messaging::Job;

use super::{Answer, again, decode_locations, linked_account_for, new_webhook_address, permit, ring};
use crate::{actions::Refusal, auth::Session, shared::Shared};

/// Has an account synced; one that runs already is followed by another.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn sync_account(shared: &Shared, session: &Session, id: &str) -> Answer<vendor_account::Model> {
    let account = match linked_account_for(shared, session, id, Role::Manager).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let state = account.state()?;
    if state == AccountState::ReauthRequired {
        return Ok(Err(Refusal::AccountNotUsable(state)));
    }
    store::accounts::request_sync(&shared.database, VendorAccountId(account.id), shared.clock.now()).await?;
    ring(shared, &Job::SyncAccount { account: account.id }).await;
    again(shared, session, account).await.map(Ok)
}

/// Says which of an account's locations is which site, in place of what was said before.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn map_locations(
    shared: &Shared,
    session: &Session,
    id: &str,
    locations: &[(String, String)],
) -> Answer<vendor_account::Model> {
    let account = match linked_account_for(shared, session, id, Role::Admin).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let locations = match decode_locations(shared, session, locations).await? {
        Ok(locations) => locations,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (ids, by) = (shared.ids.as_ref(), session.principal.actor.to_string());
    let acted = (by.as_str(), shared.clock.now());
    store::accounts::map_locations(&shared.database, ids, &account, &locations, acted).await?;
    ring(shared, &Job::SyncAccount { account: account.id }).await;
    again(shared, session, account).await.map(Ok)
}

/// Gives an account another webhook address. Returns it with the account: it is shown this once.
///
/// # Errors
/// The database failed; the old address is still the one.
pub(crate) async fn rotate_webhook_address(
    shared: &Shared,
    session: &Session,
    id: &str,
) -> Answer<(vendor_account::Model, Secret)> {
    let account = match linked_account_for(shared, session, id, Role::Admin).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (hash, webhook_url) = new_webhook_address(shared);
    let (ids, by) = (shared.ids.as_ref(), session.principal.actor.to_string());
    let acted = (by.as_str(), shared.clock.now());
    store::accounts::set_intake(&shared.database, ids, &account, hash, acted).await?;
    Ok(Ok((account, webhook_url)))
}

/// Has a stored webhook delivery processed again.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn replay_delivery(shared: &Shared, session: &Session, id: &str) -> Answer<webhook_delivery::Model> {
    let absent = Refusal::NotFound { field: "webhookDeliveryId" };
    let Ok(id) = id.parse::<WebhookDeliveryId>() else { return Ok(Err(absent)) };
    let (database, scope) = (&shared.database, &session.scope);
    let Some(delivery) = find::deliveries::by_ids(database, scope, &[id]).await?.pop() else {
        return Ok(Err(absent));
    };
    let account = VendorAccountId(delivery.account_id);
    let Some(account) = find::vendor_accounts::one(database, scope, account).await? else { return Ok(Err(absent)) };
    if let Err(refusal) = permit(shared, session, Role::Admin) {
        return Ok(Err(refusal));
    }
    if account.state()? == AccountState::Disconnected {
        return Ok(Err(Refusal::AccountUnlinked));
    }
    let by = session.principal.actor.to_string();
    let (ids, now) = (shared.ids.as_ref(), shared.clock.now());
    let Some(delivery) = store::deliveries::replay(database, ids, &account, id, &by, now).await? else {
        return Ok(Err(absent));
    };
    ring(shared, &Job::Intake { account: account.id }).await;
    Ok(Ok(delivery))
}
