//! Renewing an access that ends by itself: by one worker of all (rule 10). What the vendor gives is stored before it is
//! used; a grant that the vendor refuses is looked up again first, because somebody else may have used it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::{account::AccountState, ids::VendorAccountId};
use entities::{StoreError, rows::vendor_account, store, work};
use platform::vault::Place;
use uuid::Uuid;
use vendors::{error::VendorError, port::Renewal, registry::VendorCredentials};

use super::{Access, Accounts, ConnectError, Line};
use crate::drain_lane::{LEASE, RENEWAL};

/// An access is renewed this long before it ends.
pub(super) const AHEAD_OF_ITS_END: TimeDelta = TimeDelta::seconds(60);
/// How often somebody who waits for another's renewal looks.
const LOOK: TimeDelta = TimeDelta::milliseconds(50);
/// An access that is refused so soon after its renewal is not refused for its age.
const FRESH: TimeDelta = TimeDelta::seconds(30);

impl Accounts {
    /// The line to an account with renewed access, whoever renews it. `stale` is the line whose access has ended.
    ///
    /// # Errors
    /// The vendor refused the renewal (the account needs a person then), or could not be asked.
    pub(super) async fn renewed(&self, account: VendorAccountId, stale: &Arc<Line>) -> Result<Arc<Line>, ConnectError> {
        let parts = &self.parts;
        // One of this process, whatever the clock does; the lease is for those of the others.
        let _turn = stale.renewing.lock().await;
        loop {
            let row = self.row(account).await?;
            if row.credentials_version != stale.version.credentials {
                return self.open_line(&Access::of(&row));
            }
            if row.state()? == AccountState::ReauthRequired {
                return Err(ConnectError::Unusable("The vendor account must be linked again.".to_owned()));
            }
            let now = parts.clock.now();
            let lane = renewal_lane(account);
            if store::lanes::lease(&parts.database, lane, self.owner, now, now + LEASE).await? {
                let renewed = tokio::select! {
                    renewed = self.renew_leased(account, stale) => renewed,
                    never = self.keep_lease_of_renewal() => match never {},
                };
                let now = parts.clock.now();
                store::lanes::release(&parts.database, lane, self.owner, now).await?;
                return renewed;
            }
            parts.clock.sleep_until(now + LOOK).await;
        }
    }

    async fn renew_leased(&self, account: VendorAccountId, stale: &Arc<Line>) -> Result<Arc<Line>, ConnectError> {
        let parts = &self.parts;
        // Between the read and the lease somebody may have been faster.
        let row = self.row(account).await?;
        if row.credentials_version != stale.version.credentials {
            return self.open_line(&Access::of(&row));
        }
        let Some(renewal) = stale.connection.renewal() else { return Ok(Arc::clone(stale)) };
        match self.ask(account, renewal).await {
            Ok(credentials) => {
                self.store_renewed(&row, &credentials).await?;
                let row = self.row(account).await?;
                tracing::info!(%account, "access renewed");
                let line = self.open_line(&Access::of(&row))?;
                line.renewed_at.get_or_init(|| parts.clock.now());
                Ok(line)
            }
            Err(refused) if refused.is_auth_invalid() => {
                let row = self.row(account).await?;
                if row.credentials_version != stale.version.credentials {
                    return self.open_line(&Access::of(&row));
                }
                self.note(account, &row.state, &Err::<(), _>(refused.clone())).await;
                Err(refused.into())
            }
            Err(error) => {
                self.note(account, &row.state, &Err::<(), _>(error.clone())).await;
                Err(error.into())
            }
        }
    }

    /// Asks the vendor for new access. A lost answer may have used the grant up, which only the vendor knows: it is asked
    /// once more at once. Whatever else fails is no refusal of the account, and nothing was asked of its hardware.
    async fn ask(&self, account: VendorAccountId, renewal: &dyn Renewal) -> Result<VendorCredentials, VendorError> {
        let clock = &self.parts.clock;
        let mut answer = renewal.renew(clock.now()).await;
        if let Err(error @ (VendorError::Indeterminate { .. } | VendorError::Protocol { .. })) = &answer {
            tracing::warn!(%account, %error, "the answer to a renewal was lost; asking once more");
            answer = renewal.renew(clock.now()).await;
        }
        answer.map_err(|error| match error {
            VendorError::AuthInvalid { .. } | VendorError::Throttled { .. } | VendorError::NotReady { .. } => error,
            other => {
                VendorError::NotReady { message: format!("The access was not renewed: {other}"), retry_after: None }
            }
        })
    }

    /// While a renewal runs, nobody else begins one; when its worker dies, somebody soon may.
    async fn keep_lease_of_renewal(&self) -> Infallible {
        let parts = &self.parts;
        loop {
            parts.clock.sleep_until(parts.clock.now() + RENEWAL).await;
            let now = parts.clock.now();
            if let Err(error) = store::lanes::renew(&parts.database, self.owner, now, now + LEASE).await {
                tracing::warn!(%error, "the lease of a renewal could not be renewed");
            }
        }
    }

    /// The old grant is dead by now: what was given must not be lost to a database that is busy for a moment.
    async fn store_renewed(
        &self,
        row: &vendor_account::Model,
        credentials: &VendorCredentials,
    ) -> Result<(), ConnectError> {
        let unusable = |error: &dyn std::fmt::Display| ConnectError::Unusable(error.to_string());
        let form = credentials.seal_form().map_err(|error| unusable(&error))?;
        let place = Place { table: "vendor_accounts", column: "credentials", row: row.id };
        let sealed = self.parts.vault.seal(&form, place)?;
        let (database, account) = (&self.parts.database, VendorAccountId(row.id));
        let mut tries = 0;
        loop {
            let written =
                store::accounts::renew_credentials(database, account, row.credentials_version, sealed.clone());
            match written.await {
                Err(StoreError::Unavailable(error)) if tries < 8 => {
                    tries += 1;
                    tracing::warn!(%account, %error, tries, "the renewed access is not stored yet; writing again");
                    let pause = Duration::from_millis(50 << tries);
                    self.parts.clock.sleep_until(self.parts.clock.now() + pause).await;
                }
                Err(error) => return Err(error.into()),
                // Not written: a person has linked the account again meanwhile, and theirs counts.
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Renews an access that an exchange was refused for the want of: then it may be made again. An error is why that
    /// was not possible, and the account's state is kept. `None` if there is nothing to renew, or it is renewed already:
    /// then the outcome stands as it is.
    pub async fn mend<T>(
        &self,
        account: VendorAccountId,
        line: &Arc<Line>,
        outcome: &Result<T, VendorError>,
    ) -> Option<Result<Arc<Line>, VendorError>> {
        let refused = outcome.as_ref().err().is_some_and(VendorError::is_auth_invalid);
        let is_fresh = line.renewed_at.get().is_some_and(|at| self.parts.clock.now() < *at + FRESH);
        if !refused || is_fresh || line.connection.renewal().is_none() {
            return None;
        }
        let renewed = self.renewed(account, line).await;
        if let Err(error) = &renewed {
            tracing::warn!(%account, %error, "the access could not be renewed");
        }
        Some(renewed.map_err(|error| match error {
            ConnectError::NotRenewed(error) => error,
            ConnectError::Store(_) => {
                VendorError::NotReady { message: "The access could not be stored.".to_owned(), retry_after: None }
            }
            error @ (ConnectError::Vault(_) | ConnectError::Unusable(_)) => {
                VendorError::AuthInvalid { message: error.to_string() }
            }
        }))
    }

    async fn row(&self, account: VendorAccountId) -> Result<vendor_account::Model, ConnectError> {
        work::account(&self.parts.database, account)
            .await?
            .ok_or_else(|| ConnectError::Unusable("The vendor account is gone.".to_owned()))
    }
}

/// The lane of an account's renewals.
fn renewal_lane(account: VendorAccountId) -> Uuid {
    Uuid::from_u128(account.0.as_u128() ^ 0x72_65_6e_65_77)
}
