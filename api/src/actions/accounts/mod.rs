//! Linking vendor accounts and keeping them linked. Whoever does this sees the whole organization; credentials are
//! checked with the vendor before they are stored, and stored sealed.

mod consent;
mod link;
mod reauthorize;
mod unlink;
mod upkeep;

use std::collections::BTreeSet;

use domain::{
    access::Role,
    account::AccountState,
    ids::{SiteId, VendorAccountId},
    secret::Secret,
};
use entities::{
    StoreError, find,
    rows::vendor_account,
    store::{self, accounts::FreshCredentials},
};
use messaging::Job;
use platform::vault::{Place, VaultError};
use uuid::Uuid;

pub(crate) use link::{Linked, NewLink, link_account};
pub(crate) use reauthorize::{Fresh, Reauthorized, reauthorize_account};
pub(crate) use unlink::{Unlinked, unlink_account};
pub(crate) use upkeep::{map_locations, replay_delivery, rotate_webhook_address, sync_account};

use super::{Refusal, announce::tell_of_alerts};
use crate::{
    auth::Session,
    desk::{Checked, DeskError},
    shared::Shared,
    token,
};

/// What an action comes to: its outcome, a refusal that the caller can act on, or a failure of ours.
pub(crate) type Answer<T> = Result<Result<T, Refusal>, StoreError>;

/// As many locations as one account may map.
const LOCATIONS: usize = 500;
/// The longest location, name or address.
const LONGEST: usize = 500;

/// Where an account's credentials are sealed for.
pub(crate) const fn credentials_place(account: VendorAccountId) -> Place {
    Place { table: "vendor_accounts", column: "credentials", row: account.0 }
}

/// Credentials that were checked come into force, and a sync with them. `None` if somebody else was faster: other
/// credentials were stored since `account` was read, or it is unlinked.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn reconnect(
    shared: &Shared,
    account: &vendor_account::Model,
    base_url: &str,
    checked: &Checked,
    by: Option<&str>,
) -> Result<Option<vendor_account::Model>, StoreError> {
    let sealed = seal(shared, &checked.sealed_form, credentials_place(VendorAccountId(account.id)))?;
    let fresh = FreshCredentials {
        credentials: sealed,
        base_url,
        signed_in_as: checked.signed_in_as.as_deref(),
        state: state_after(checked),
    };
    let (ids, now) = (shared.ids.as_ref(), shared.clock.now());
    let Some(done) = store::accounts::reauthorize(&shared.database, ids, account, fresh, by, now).await? else {
        return Ok(None);
    };
    tell_of_alerts(shared, &done.alert).await;
    if !checked.needs_consent {
        ring(shared, &Job::SyncAccount { account: account.id }).await;
    }
    Ok(Some(done.account))
}

/// The consent that credentials need first, if they do.
fn consent_for(shared: &Shared, base_url: &str, checked: &Checked) -> Result<Option<consent::Prepared>, DeskError> {
    if checked.needs_consent { consent::prepare(shared, base_url, &checked.sealed_form) } else { Ok(None) }
}

const fn state_after(checked: &Checked) -> AccountState {
    if checked.needs_consent { AccountState::ReauthRequired } else { AccountState::Connected }
}

fn seal(shared: &Shared, secret: &Secret, place: Place) -> Result<Vec<u8>, StoreError> {
    shared.vault.seal(secret, place).map_err(|error| unsealable(&error))
}

fn open(shared: &Shared, sealed: &[u8], place: Place) -> Result<Secret, StoreError> {
    shared.vault.open(sealed, place).map_err(|error| unsealable(&error))
}

fn unsealable(error: &VaultError) -> StoreError {
    StoreError::Unsealable(error.to_string())
}

/// Rings after the commit. The row is the truth: a sweeper rings again.
async fn ring(shared: &Shared, job: &Job) {
    if let Err(error) = shared.queue.ring(job).await {
        tracing::warn!(%error, "the bell did not ring; the sweeper will");
    }
}

/// Whether the caller may do what concerns a whole account. A key made for some commands only is made for nothing else.
pub(super) fn permit(shared: &Shared, session: &Session, needed: Role) -> Result<(), Refusal> {
    session.principal.may_change(needed, shared.clock.now()).map_err(Refusal::Forbidden)?;
    let limits = &session.principal.limits;
    if limits.sees_everything() && limits.verbs.is_none() { Ok(()) } else { Err(Refusal::KeyLimited) }
}

/// An account that the caller sees and may change; a refusal otherwise.
async fn account_for(shared: &Shared, session: &Session, id: &str, needed: Role) -> Answer<vendor_account::Model> {
    let absent = Refusal::NotFound { field: "vendorAccountId" };
    let Ok(id) = id.parse::<VendorAccountId>() else { return Ok(Err(absent)) };
    let Some(row) = find::vendor_accounts::one(&shared.database, &session.scope, id).await? else {
        return Ok(Err(absent));
    };
    Ok(permit(shared, session, needed).map(|()| row))
}

/// The same, and not unlinked.
async fn linked_account_for(
    shared: &Shared,
    session: &Session,
    id: &str,
    needed: Role,
) -> Answer<vendor_account::Model> {
    let row = match account_for(shared, session, id, needed).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(if row.state()? == AccountState::Disconnected { Err(Refusal::AccountUnlinked) } else { Ok(row) })
}

/// The account as it is after a change.
async fn again(
    shared: &Shared,
    session: &Session,
    row: vendor_account::Model,
) -> Result<vendor_account::Model, StoreError> {
    let id = VendorAccountId(row.id);
    Ok(find::vendor_accounts::one(&shared.database, &session.scope, id).await?.unwrap_or(row))
}

/// A new webhook address: its token's hash, to be kept, and the address itself, to be shown once.
fn new_webhook_address(shared: &Shared) -> (Vec<u8>, Secret) {
    let token = token::generate();
    (token::hash(token.expose()), Secret::new(format!("{}/webhooks/{}", shared.public_url, token.expose())))
}

/// Locations with their sites, all of which the caller sees.
async fn decode_locations(
    shared: &Shared,
    session: &Session,
    locations: &[(String, String)],
) -> Answer<Vec<(String, SiteId)>> {
    let invalid = |message: String| Ok(Err(Refusal::InvalidInput { field: "locations", message }));
    if locations.len() > LOCATIONS {
        return invalid(format!("An account has {LOCATIONS} locations at most."));
    }
    let (mut names, mut decoded) = (BTreeSet::new(), Vec::new());
    for (location, site) in locations {
        if !is_printable(location) {
            return invalid(format!("A location has 1 to {LONGEST} printable characters."));
        }
        if !names.insert(location) {
            return invalid("Each location is one site: one of them stands there twice.".to_owned());
        }
        let Ok(site) = site.parse::<SiteId>() else { return Ok(Err(Refusal::NotFound { field: "locations" })) };
        decoded.push((location.clone(), site));
    }
    let wanted: BTreeSet<SiteId> = decoded.iter().map(|(_, site)| *site).collect();
    Ok(match unknown_site(shared, session, &wanted).await? {
        true => Err(Refusal::NotFound { field: "locations" }),
        false => Ok(decoded),
    })
}

/// Whether one of these sites is none that the caller sees.
async fn unknown_site(shared: &Shared, session: &Session, wanted: &BTreeSet<SiteId>) -> Result<bool, StoreError> {
    if wanted.is_empty() {
        return Ok(false);
    }
    let ids: Vec<SiteId> = wanted.iter().copied().collect();
    let found = find::sites::by_ids(&shared.database, &session.scope, &ids).await?;
    let found: BTreeSet<Uuid> = found.into_iter().map(|row| row.id).collect();
    Ok(wanted.iter().any(|site| !found.contains(&site.0)))
}

fn is_printable(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}

impl From<DeskError> for Refusal {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::InvalidCredentials { message, .. } => Self::InvalidInput { field: "credentials", message },
            DeskError::Unusable(message) => Self::InvalidInput { field: "baseUrl", message },
            DeskError::Refused(message) => Self::VendorRefused(message),
            DeskError::Unreachable(message) => Self::VendorUnreachable(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_the_desk_tells_what_to_do() {
        let field = |error: DeskError| Refusal::from(error).field();
        let message = String::new;
        assert_eq!(field(DeskError::InvalidCredentials { field: None, message: message() }), Some("credentials"));
        assert_eq!(field(DeskError::Refused(message())), Some("credentials"));
        assert_eq!(field(DeskError::Unusable(message())), Some("baseUrl"));
        assert_eq!(field(DeskError::Unreachable(message())), None);
    }

    #[test]
    fn names_are_bounded_and_printable() {
        assert!(is_printable("Häfen 1"));
        for text in ["", "  ", "a\nb", &"x".repeat(LONGEST + 1)] {
            assert!(!is_printable(text));
        }
    }
}
