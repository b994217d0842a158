//! From the records of a PMS to reservations: those that changed at once, and now and then all of them, so that nothing is
//! lost to a crash in between, and stays that come nearer are taken in.

use domain::ids::{RecordId, VendorAccountId};
use entities::{
    StoreError,
    rows::vendor_account,
    store::{
        reservations::{Imported, import_after, import_changed},
        stays::{Settling, touch},
    },
    work,
};

use super::announce;
use crate::{credentials, parts::Parts};

/// Records read at once.
const PORTION: u64 = 200;

/// Takes in what changed among the records of an account: stays and guests of a PMS, access levels of locks.
pub(crate) async fn take_in(
    parts: &Parts,
    account: &vendor_account::Model,
    changed: &[RecordId],
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let (database, now) = (&parts.database, parts.clock.now());
    let id = VendorAccountId(account.id);
    if work::stays::pms(database, id).await?.is_some() {
        let settling = Settling { ids: parts.ids.as_ref(), timing: &parts.settings.stay_timing };
        let imported = import_changed(database, &settling, account, changed, now).await?;
        announce(parts, &imported.accounts, &imported.alerts).await;
    } else if work::stays::tell_of_levels(database, changed).await? {
        touch(database, id, now).await?;
        credentials::levels_changed(parts, id).await?;
    }
    Ok(())
}

/// Takes in all that is known of the stays of an account, if it is a PMS's.
pub(crate) async fn import_all(parts: &Parts, account: VendorAccountId) -> Result<(), StoreError> {
    let database = &parts.database;
    let Some(row) = work::stays::pms(database, account).await? else { return Ok(()) };
    let settling = Settling { ids: parts.ids.as_ref(), timing: &parts.settings.stay_timing };
    let (mut after, mut stays) = (None, 0);
    loop {
        let now = parts.clock.now();
        let imported = import_after(database, &settling, &row, after, PORTION, now).await?;
        let Imported { accounts, alerts, next, .. } = &imported;
        announce(parts, accounts, alerts).await;
        stays += imported.stays;
        after = *next;
        if after.is_none() {
            break;
        }
    }
    if stays > 0 {
        tracing::info!(%account, stays, "stays taken in");
    }
    Ok(())
}
