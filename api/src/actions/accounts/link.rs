//! Linking an account: checked with its vendor first, stored sealed then. Without good credentials nothing is written.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    access::Role,
    account::{AccountState, Vendor},
    ids::{SiteId, VendorAccountId},
    secret::Secret,
};
use entities::{
    StoreError, find,
    find::vendor_accounts::AccountFilter,
    page::PageRequest,
    rows::vendor_account,
    store::{self, accounts::NewAccount},
};
use messaging::Job;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Answer, LONGEST, consent, consent_for, credentials_place, decode_locations, is_printable, new_webhook_address,
    open, permit, ring, seal, state_after, unknown_site,
};
use crate::{
    actions::{Refusal, send_command::check_key},
    auth::Session,
    desk::{Checked, CredentialSettings},
    shared::Shared,
};

/// Longer than any vendor takes to answer: so long nobody else links under the same key.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Accounts read at once while one is looked for.
const PAGE: u64 = 500;
/// The bits of an id that are random in a UUIDv7 (RFC 9562, `rand_b`).
const RANDOM_BITS: u128 = (1 << 62) - 1;

/// What a caller wants to link. No `Debug`: it holds credentials.
pub(crate) struct NewLink {
    pub(crate) name: String,
    pub(crate) site_id: String,
    pub(crate) vendor: Vendor,
    /// The vendor's own address without.
    pub(crate) base_url: Option<String>,
    /// Pairs of location and site id.
    pub(crate) locations: Vec<(String, String)>,
    pub(crate) credentials: CredentialSettings,
    pub(crate) idempotency_key: Option<String>,
}

/// An account that is linked.
pub(crate) struct Linked {
    pub(crate) account: vendor_account::Model,
    /// Where its user must consent first.
    pub(crate) authorization_url: Option<String>,
    /// Its webhook address, if it is new.
    pub(crate) webhook_url: Option<Secret>,
    /// The vendor's locations: id and name.
    pub(crate) locations: Vec<(String, String)>,
}

/// What was read of the order.
struct Plan {
    name: String,
    site: SiteId,
    base_url: String,
    locations: Vec<(String, SiteId)>,
}

/// Links an account.
///
/// # Errors
/// The database failed; the account is not linked.
pub(crate) async fn link_account(shared: &Shared, session: &Session, new: NewLink) -> Answer<Linked> {
    if let Err(refusal) = permit(shared, session, Role::Admin).and_then(|()| check_key(&new.idempotency_key)) {
        return Ok(Err(refusal));
    }
    let plan = match read(shared, session, &new).await? {
        Ok(plan) => plan,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(key) = &new.idempotency_key else { return link(shared, session, &new, plan, None).await };
    let mark = Mark::of(session, key);
    let (owner, now) = (shared.ids.next_uuid(), shared.clock.now());
    if !store::lanes::lease(&shared.database, mark.lane(), owner, now, now + LEASE).await? {
        return Ok(Err(Refusal::Busy));
    }
    let linked = match find_marked(shared, session, mark).await? {
        Some(row) => repeat(shared, session, row, &new, &plan).await,
        None => link(shared, session, &new, plan, Some(mark)).await,
    };
    store::lanes::release(&shared.database, mark.lane(), owner, shared.clock.now()).await?;
    linked
}

async fn read(shared: &Shared, session: &Session, new: &NewLink) -> Answer<Plan> {
    let invalid = |field, what: &str| {
        Ok(Err(Refusal::InvalidInput { field, message: format!("{what} has 1 to {LONGEST} printable characters.") }))
    };
    if !is_printable(&new.name) {
        return invalid("name", "A name");
    }
    let default = || shared.desk.default_base_url(new.vendor).to_owned();
    let base_url = new.base_url.as_deref().map_or_else(default, |url| url.trim().to_owned());
    if !is_printable(&base_url) {
        return invalid("baseUrl", "A base URL");
    }
    let absent = Refusal::NotFound { field: "siteId" };
    let Ok(site) = new.site_id.parse::<SiteId>() else { return Ok(Err(absent)) };
    if unknown_site(shared, session, &BTreeSet::from([site])).await? {
        return Ok(Err(absent));
    }
    let locations = decode_locations(shared, session, &new.locations).await?;
    Ok(locations.map(|locations| Plan { name: new.name.trim().to_owned(), site, base_url, locations }))
}

async fn link(shared: &Shared, session: &Session, new: &NewLink, plan: Plan, mark: Option<Mark>) -> Answer<Linked> {
    let now = shared.clock.now();
    let checked = match shared.desk.check(new.vendor, &plan.base_url, &new.credentials, now).await {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error.into())),
    };
    if let Some(unknown) = unknown_location(&checked, &plan.locations) {
        let message = format!("The vendor has no location \"{unknown}\" for these credentials.");
        return Ok(Err(Refusal::InvalidInput { field: "locations", message }));
    }
    let prepared = match consent_for(shared, &plan.base_url, &checked) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Err(error.into())),
    };
    let (account, webhook_url) = store_account(shared, session, new.vendor, &plan, &checked, mark).await?;
    let authorization_url = match prepared {
        Some(prepared) => Some(consent::begin(shared, session, VendorAccountId(account.id), prepared).await?),
        None => None,
    };
    if !checked.needs_consent {
        ring(shared, &Job::SyncAccount { account: account.id }).await;
    }
    Ok(Ok(Linked { account, authorization_url, webhook_url: Some(webhook_url), locations: checked.locations }))
}

async fn store_account(
    shared: &Shared,
    session: &Session,
    vendor: Vendor,
    plan: &Plan,
    checked: &Checked,
    mark: Option<Mark>,
) -> Result<(vendor_account::Model, Secret), StoreError> {
    let fresh = shared.ids.next_uuid();
    let id = VendorAccountId(mark.map_or(fresh, |mark| mark.put_on(fresh)));
    let (hash, webhook_url) = new_webhook_address(shared);
    let by = session.principal.actor.to_string();
    let account = NewAccount {
        id,
        organization: session.principal.organization,
        site: plan.site,
        vendor,
        name: &plan.name,
        base_url: &plan.base_url,
        credentials: seal(shared, &checked.sealed_form, credentials_place(id))?,
        locations: &plan.locations,
        state: state_after(checked),
        signed_in_as: checked.signed_in_as.as_deref(),
        intake_token_hash: Some(hash),
        linked_by: Some(&by),
    };
    let row = store::accounts::link(&shared.database, shared.ids.as_ref(), account, shared.clock.now()).await?;
    Ok((row, webhook_url))
}

/// A location that the vendor does not have, where it says which it has.
fn unknown_location<'a>(checked: &Checked, wanted: &'a [(String, SiteId)]) -> Option<&'a str> {
    if checked.locations.is_empty() {
        return None;
    }
    let has = |location: &str| checked.locations.iter().any(|(id, _)| id == location);
    wanted.iter().map(|(location, _)| location.as_str()).find(|location| !has(location))
}

/// The same key again: the same account, if it was the same order. Its webhook address was shown already.
async fn repeat(
    shared: &Shared,
    session: &Session,
    account: vendor_account::Model,
    new: &NewLink,
    plan: &Plan,
) -> Answer<Linked> {
    let (id, mut authorization_url) = (VendorAccountId(account.id), None);
    let mut is_same = account.vendor()? == new.vendor && account.name == plan.name && account.site_id == plan.site.0;
    // What was changed on purpose since says nothing of the order.
    if is_same && account.credentials_version == 1 {
        let form = open(shared, &account.credentials, credentials_place(id))?;
        is_same = account.base_url == plan.base_url && shared.desk.are_same(&form, &new.credentials);
        if is_same && account.state()? == AccountState::ReauthRequired {
            authorization_url = match consent::prepare(shared, &account.base_url, &form) {
                Ok(Some(prepared)) => Some(consent::begin(shared, session, id, prepared).await?),
                Ok(None) => None,
                Err(error) => return Ok(Err(error.into())),
            };
        }
    }
    if !is_same {
        return Ok(Err(Refusal::IdempotencyKeyReused));
    }
    Ok(Ok(Linked { account, authorization_url, webhook_url: None, locations: Vec::new() }))
}

/// What an idempotency key leaves on the id of the account that was linked under it, in place of random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark(u128);

impl Mark {
    fn of(session: &Session, key: &str) -> Self {
        let principal = &session.principal;
        let text = format!("link\0{}\0{}\0{key}", principal.organization, principal.actor);
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let first = digest.first_chunk::<16>().copied().unwrap_or_default();
        Self(u128::from_be_bytes(first))
    }

    /// Nobody else may link under this key meanwhile.
    const fn lane(self) -> Uuid {
        Uuid::from_u128(self.0)
    }

    const fn put_on(self, id: Uuid) -> Uuid {
        Uuid::from_u128((id.as_u128() & !RANDOM_BITS) | (self.0 & RANDOM_BITS))
    }

    const fn is_on(self, id: Uuid) -> bool {
        id.as_u128() & RANDOM_BITS == self.0 & RANDOM_BITS
    }
}

async fn find_marked(
    shared: &Shared,
    session: &Session,
    mark: Mark,
) -> Result<Option<vendor_account::Model>, StoreError> {
    let mut after = None;
    loop {
        let request = PageRequest { after, before: None, limit: PAGE, from_end: false, newest_first: false };
        let page =
            find::vendor_accounts::page(&shared.database, &session.scope, &AccountFilter::default(), request).await?;
        after = page.rows.last().map(|row| row.id);
        if let Some(row) = page.rows.into_iter().find(|row| mark.is_on(row.id)) {
            return Ok(Some(row));
        }
        if !page.has_next {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_again_and_keeps_the_time_of_an_id() {
        let mark = Mark(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        let id = Uuid::from_u128(0x0193_4f2a_7c11_7abc_8111_2222_3333_4444);
        let marked = mark.put_on(id);
        assert!(mark.is_on(marked) && !mark.is_on(id));
        assert_eq!(marked.as_u128() >> 62, id.as_u128() >> 62);
        assert_eq!(marked.get_version_num(), 7);
    }

    #[test]
    fn a_location_that_the_vendor_does_not_have_is_named() {
        let site = SiteId(Uuid::nil());
        let wanted = [("a".to_owned(), site), ("b".to_owned(), site)];
        let checked = |names: &[&str]| Checked {
            sealed_form: Secret::new(""),
            locations: names.iter().map(|name| ((*name).to_owned(), String::new())).collect(),
            signed_in_as: None,
            needs_consent: false,
        };
        assert_eq!(unknown_location(&checked(&["a"]), &wanted), Some("b"));
        assert_eq!(unknown_location(&checked(&["a", "b", "c"]), &wanted), None);
        assert_eq!(unknown_location(&checked(&[]), &wanted), None);
    }
}
