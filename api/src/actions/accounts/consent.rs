//! Beginning a user's consent at a vendor (OAuth 2). The browser carries a state of which only the hash is kept.

use chrono::TimeDelta;
use domain::{ids::VendorAccountId, secret::Secret};
use entities::{
    StoreError,
    store::{self, consents::NewConsent},
};
use platform::vault::Place;

use super::seal;
use crate::{
    auth::Session,
    desk::{Consent, DeskError},
    shared::Shared,
    token,
};

/// How long a user may take.
const TIME: TimeDelta = TimeDelta::minutes(10);

/// A consent that can begin.
pub(super) struct Prepared {
    state: Secret,
    redirect_uri: String,
    consent: Consent,
}

/// Prepares a consent for credentials at a base URL; `None` if the vendor asks for none. Nothing is written.
pub(super) fn prepare(shared: &Shared, base_url: &str, sealed_form: &Secret) -> Result<Option<Prepared>, DeskError> {
    let (state, redirect_uri) = (token::generate(), format!("{}/oauth/callback", shared.public_url));
    let consent = shared.desk.consent(base_url, sealed_form, &redirect_uri, &state)?;
    Ok(consent.map(|consent| Prepared { state, redirect_uri, consent }))
}

/// Begins a consent of an account; an earlier one of it ends. Returns where the user's browser goes.
///
/// # Errors
/// The database failed; nothing was written.
pub(super) async fn begin(
    shared: &Shared,
    session: &Session,
    account: VendorAccountId,
    prepared: Prepared,
) -> Result<String, StoreError> {
    let Prepared { state, redirect_uri, consent } = prepared;
    let place = Place { table: "consents", column: "verifier", row: account.0 };
    let by = session.principal.actor.to_string();
    let now = shared.clock.now();
    let new = NewConsent {
        state_hash: token::hash(state.expose()),
        account,
        verifier: seal(shared, &consent.verifier, place)?,
        redirect_uri: &redirect_uri,
        requested_by: &by,
        expires_at: now + TIME,
    };
    store::consents::begin(&shared.database, new, now).await?;
    Ok(consent.authorization_url)
}
