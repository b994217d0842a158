//! `GET /oauth/callback`: a user comes back from a vendor with a code, or without one. The state that they bring is
//! taken once. Nothing of the address is logged or shown.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::IntoResponse,
};
use domain::{account::AccountState, ids::VendorAccountId, secret::Secret};
use entities::{
    StoreError,
    rows::{consent, vendor_account},
    store, work,
};
use platform::vault::Place;
use serde::Deserialize;

use super::page::Page;
use crate::{
    actions::{self, accounts::credentials_place},
    app::AppState,
    desk::{DeskError, Grant},
    shared::Shared,
    token,
};

/// What the vendor's redirect carries. No `Debug`: it can not be printed.
#[derive(Deserialize)]
pub(crate) struct Returned {
    state: Option<String>,
    code: Option<String>,
}

/// Ends a consent, well or not.
pub(crate) async fn finish_consent(
    State(state): State<AppState>,
    returned: Result<Query<Returned>, QueryRejection>,
) -> impl IntoResponse {
    let Ok(Query(returned)) = returned else { return Page::Unknown };
    // On its own: a browser that goes away must not lose tokens that the vendor has given already.
    let finished = tokio::spawn(async move { finish(&state.shared, returned).await });
    match finished.await {
        Ok(Ok(page)) => page,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a consent could not be finished");
            Page::Unavailable
        }
        Err(_) => Page::Unavailable,
    }
}

async fn finish(shared: &Shared, returned: Returned) -> Result<Page, StoreError> {
    let Some(state) = returned.state else { return Ok(Page::Unknown) };
    let now = shared.clock.now();
    let Some(consent) = store::consents::take(&shared.database, &token::hash(&state), now).await? else {
        return Ok(Page::Unknown);
    };
    // The state is the right to finish this consent: whoever could see the account gave it away.
    let Some(account) = work::account(&shared.database, VendorAccountId(consent.account_id)).await? else {
        return Ok(Page::Changed);
    };
    if account.state()? == AccountState::Disconnected {
        return Ok(Page::Changed);
    }
    match returned.code.filter(|code| !code.is_empty()) {
        Some(code) => exchange(shared, &account, &consent, &Secret::new(code)).await,
        None => Ok(Page::Denied),
    }
}

async fn exchange(
    shared: &Shared,
    account: &vendor_account::Model,
    consent: &consent::Model,
    code: &Secret,
) -> Result<Page, StoreError> {
    let id = VendorAccountId(account.id);
    let verifier_place = Place { table: "consents", column: "verifier", row: account.id };
    let opened = shared
        .vault
        .open(&consent.verifier, verifier_place)
        .and_then(|verifier| Ok((verifier, shared.vault.open(&account.credentials, credentials_place(id))?)));
    let (verifier, sealed_form) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(account = %id, %error, "what a consent needs can not be opened");
            return Ok(Page::Unavailable);
        }
    };
    let grant = Grant { code, verifier: &verifier, redirect_uri: &consent.redirect_uri };
    let checked = match shared.desk.exchange(&account.base_url, &sealed_form, grant, shared.clock.now()).await {
        Ok(checked) => checked,
        Err(error) => {
            tracing::warn!(account = %id, %error, "a consent was not accepted by its vendor");
            return Ok(match error {
                DeskError::Unreachable(_) => Page::VendorUnreachable,
                DeskError::InvalidCredentials { .. } | DeskError::Refused(_) | DeskError::Unusable(_) => Page::Refused,
            });
        }
    };
    let by = Some(consent.requested_by.as_str());
    let linked = actions::accounts::reconnect(shared, account, &account.base_url, &checked, by).await?;
    Ok(if linked.is_some() { Page::Linked } else { Page::Changed })
}
