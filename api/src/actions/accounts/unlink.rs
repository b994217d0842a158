//! Unlinking an account, and the list of what then remains at its vendor: nothing is deleted there.

use domain::{access::Role, ids::VendorAccountId, record::RecordKind};
use entities::{
    StoreError, find,
    find::{devices::DeviceFilter, records::RecordFilter},
    page::PageRequest,
    rows::{record, vendor_account},
    store,
};

use super::{Answer, account_for, again};
use crate::{actions::announce::tell_of_alerts, auth::Session, shared::Shared};

/// Records that are listed one by one.
const LISTED: u64 = 100;
/// The kinds of which they are: who is known there, and what lets them in.
const LISTED_KINDS: [RecordKind; 4] =
    [RecordKind::User, RecordKind::Credential, RecordKind::DeviceAccess, RecordKind::AccessToken];
/// Devices read at once while they are counted.
const PAGE: u64 = 1_000;

/// An account that is unlinked.
pub(crate) struct Unlinked {
    pub(crate) account: vendor_account::Model,
    pub(crate) remains: Remains,
}

/// What remains at the vendor, as it was last seen there.
pub(crate) struct Remains {
    pub(crate) devices: usize,
    pub(crate) records: Vec<(RecordKind, u64)>,
    pub(crate) listed: Vec<record::Model>,
}

/// Unlinks an account. Doing it again changes nothing and tells the same.
///
/// # Errors
/// The database failed; the account is linked still.
pub(crate) async fn unlink_account(shared: &Shared, session: &Session, id: &str) -> Answer<Unlinked> {
    let account = match account_for(shared, session, id, Role::Admin).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let remains = remains(shared, session, VendorAccountId(account.id)).await?;
    let by = session.principal.actor.to_string();
    let now = shared.clock.now();
    let alert = store::accounts::unlink(&shared.database, shared.ids.as_ref(), &account, &by, now).await?;
    tell_of_alerts(shared, &alert).await;
    Ok(Ok(Unlinked { account: again(shared, session, account).await?, remains }))
}

async fn remains(shared: &Shared, session: &Session, account: VendorAccountId) -> Result<Remains, StoreError> {
    let (database, scope) = (&shared.database, &session.scope);
    let of = |kinds: &[RecordKind]| RecordFilter {
        account: Some(account),
        kinds: kinds.to_vec(),
        ..RecordFilter::default()
    };
    let mut records = Vec::new();
    for kind in RecordKind::ALL {
        let count = find::records::count(database, scope, &of(&[*kind])).await?;
        if count > 0 {
            records.push((*kind, count));
        }
    }
    let listed = find::records::page(database, scope, &of(&LISTED_KINDS), first(LISTED, None)).await?.rows;
    Ok(Remains { devices: count_devices(shared, session, account).await?, records, listed })
}

async fn count_devices(shared: &Shared, session: &Session, account: VendorAccountId) -> Result<usize, StoreError> {
    let (mut count, mut after) = (0, None);
    loop {
        let filter = DeviceFilter { account: Some(account), ..DeviceFilter::default() };
        let page = find::devices::page(&shared.database, &session.scope, &filter, first(PAGE, after)).await?;
        count += page.rows.iter().filter(|row| row.missing_since.is_none()).count();
        after = page.rows.last().map(|row| row.id);
        if !page.has_next {
            return Ok(count);
        }
    }
}

const fn first(limit: u64, after: Option<uuid::Uuid>) -> PageRequest {
    PageRequest { after, before: None, limit, from_end: false, newest_first: false }
}
