//! Writing the alerts that follow from the state of the house.

use domain::{
    account::AccountState,
    alert::{AlertKind, Wanted, account_reauth_required},
    clock::Timestamp,
    ids::{IdSource, VendorAccountId},
};
use sea_orm::DatabaseTransaction;

use super::alerts::{self, NewAlert};
use crate::{
    Database, StoreError,
    rows::{alert, vendor_account},
    work::watch::{self, Difference},
};

/// Alerts written in one transaction: on SQLite everybody else waits for it.
const PORTION: usize = 50;

/// What a look came to.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// Alerts that were raised, changed or resolved.
    pub alerts: Vec<alert::Model>,
    /// Whether more may have to be: look again.
    pub more: bool,
}

/// Brings the alerts about accounts, devices and batteries closer to what the rules want. Doing it again, or several
/// workers at once, changes nothing more.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn alerts(database: &Database, ids: &dyn IdSource, now: Timestamp) -> Result<Watched, StoreError> {
    // Mostly there is nothing to write, and nobody has to wait.
    if watch::differences(database.read(), false, now).await?.is_empty() {
        return Ok(Watched::default());
    }
    let transaction = database.begin().await?;
    let differences = watch::differences(&transaction, true, now).await?;
    let mut watched = Watched { more: differences.len() > PORTION, ..Watched::default() };
    for difference in differences.into_iter().take(PORTION) {
        watched.alerts.extend(write(&transaction, ids, difference, now).await?);
    }
    transaction.commit().await?;
    Ok(watched)
}

/// The alert that follows from an account's new state, in the transaction of that state.
pub(super) async fn account_changed(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    state: AccountState,
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let difference = Difference {
        organization: account.organization_id,
        site: None,
        kind: AlertKind::AccountReauthRequired,
        subject: VendorAccountId(account.id).to_string(),
        wanted: account_reauth_required(&account.name, state),
    };
    write(transaction, ids, difference, now).await
}

async fn write(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    difference: Difference,
    now: Timestamp,
) -> Result<Option<alert::Model>, StoreError> {
    let Difference { organization, site, kind, subject, wanted } = difference;
    match wanted {
        Wanted::Open { severity, message } => {
            let new = NewAlert { organization, site, kind, severity, subject, message };
            alerts::raise(transaction, ids, new, now).await
        }
        Wanted::Resolved => alerts::resolve(transaction, ids, organization, kind, &subject, now).await,
        Wanted::AsItIs => Ok(None),
    }
}
