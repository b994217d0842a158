//! Showing the value of a token: the one place where it leaves us for a caller. Who looked, and why, is written first.

use chrono::TimeDelta;
use domain::{ids::AccessTokenId, secret::Secret};
use entities::{
    StoreError,
    rows::access_token,
    store::tokens::{self, RevealLimit},
};

use super::{permit, token_again, token_for, tokens::place};
use crate::{
    actions::{Refusal, accounts::Answer, denials, short_text},
    auth::Session,
    shared::Shared,
};

/// Nobody needs more than these, and no house; whoever collects values does.
const LIMIT: RevealLimit = RevealLimit { most: 10, most_of_all: 60, within: TimeDelta::minutes(1) };

/// A token and its value.
pub(crate) struct Revealed {
    pub(crate) token: access_token::Model,
    pub(crate) value: Secret,
}

/// Shows the value of a token that opens, or will.
///
/// # Errors
/// The database or the vault failed.
pub(crate) async fn reveal_token(shared: &Shared, session: &Session, id: &str, reason: &str) -> Answer<Revealed> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(denials::told(shared, session, "revealAccessToken", refusal).await?));
    }
    let row = match token_for(shared, session, id).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Err(refusal) = short_text("reason", reason) {
        return Ok(Err(refusal));
    }
    match value(shared, &row)? {
        None => return Ok(Err(over())),
        Some(value) if reason.contains(value.expose()) => {
            let message = "`reason` is kept for everybody to read: do not write the value into it.".to_owned();
            return Ok(Err(Refusal::InvalidInput { field: "reason", message }));
        }
        Some(_) => {}
    }
    let (by, now) = (session.principal.actor.to_string(), shared.clock.now());
    if !tokens::revealed(&shared.database, &shared.settling(), &row, &by, reason, LIMIT, now).await? {
        return Ok(Err(Refusal::TooManyReveals));
    }
    // As it is now: it may have been replaced or revoked since.
    let token = token_again(shared, session, AccessTokenId(row.id)).await?;
    Ok(match value(shared, &token)? {
        Some(value) => Ok(Revealed { token, value }),
        None => Err(over()),
    })
}

const fn over() -> Refusal {
    Refusal::Over { field: "accessTokenId", what: "This token is revoked: its value is not shown any more." }
}

/// The value of a token that is not revoked.
fn value(shared: &Shared, row: &access_token::Model) -> Result<Option<Secret>, StoreError> {
    let Some(sealed) = row.sealed.as_ref().filter(|_| row.revoke_requested_at.is_none() && row.revoked_at.is_none())
    else {
        return Ok(None);
    };
    let opened = shared.vault.open(sealed, place(AccessTokenId(row.id)));
    opened.map(Some).map_err(|error| StoreError::Unsealable(error.to_string()))
}
