//! Connections to vendor accounts: opened from sealed credentials, kept while these do not change, renewed before they
//! end (`renewal`), and never more exchanges at once than the account's bulkhead holds. Keeps the accounts' state truthful.

pub(crate) mod pace;
mod renewal;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use domain::{
    account::{AccountState, Vendor},
    clock::Timestamp,
    ids::VendorAccountId,
};
use entities::{StoreError, rows::vendor_account, store, work};
use platform::vault::{Place, VaultError};
use tokio::sync::Semaphore;
use uuid::Uuid;
use vendors::{
    error::VendorError,
    registry::{self, Connection, VendorCredentials},
};

use self::pace::{BudgetPacer, limit_of};
use crate::{parts::Parts, watch};

/// Why there is no connection to an account.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The row is not readable by this version.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The credentials cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The credentials or the base URL are unusable.
    #[error("{0}")]
    Unusable(String),
    /// The access has ended and could not be renewed.
    #[error(transparent)]
    NotRenewed(#[from] VendorError),
}

/// What identifies a connection: an account with these credentials at this address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    base_url: String,
    credentials: i64,
}

/// A connection with its bulkhead.
pub struct Line {
    version: Version,
    /// The vendor's client.
    pub connection: Connection,
    /// One permit per exchange under way.
    pub bulkhead: Semaphore,
    /// When its access was renewed, if we did that.
    renewed_at: OnceLock<Timestamp>,
    /// Held by whoever of this process renews its access.
    renewing: tokio::sync::Mutex<()>,
}

/// What is needed of an account's row to connect.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// Which account.
    pub account: Uuid,
    /// A `domain::account::Vendor`.
    pub vendor: &'a str,
    /// Where its API is.
    pub base_url: &'a str,
    /// Sealed credentials.
    pub credentials: &'a [u8],
    /// Counts their changes.
    pub credentials_version: i64,
    /// A `domain::account::AccountState`, as it was read.
    pub state: &'a str,
}

impl<'a> Access<'a> {
    /// What is needed of this row.
    #[must_use]
    pub fn of(account: &'a vendor_account::Model) -> Self {
        Self {
            account: account.id,
            vendor: &account.vendor,
            base_url: &account.base_url,
            credentials: &account.credentials,
            credentials_version: account.credentials_version,
            state: &account.state,
        }
    }
}

/// The lines of a worker process.
pub struct Accounts {
    parts: Parts,
    owner: Uuid,
    lines: Mutex<HashMap<Uuid, Arc<Line>>>,
}

impl Accounts {
    /// No lines yet.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let owner = parts.ids.next_uuid();
        Self { parts, owner, lines: Mutex::default() }
    }

    /// The line to an account, whose access is renewed first if it is about to end.
    ///
    /// # Errors
    /// The account cannot be connected to; nothing was sent.
    pub async fn line(&self, access: &Access<'_>) -> Result<Arc<Line>, ConnectError> {
        let line = self.open_line(access)?;
        let Some(renewal) = line.connection.renewal() else { return Ok(line) };
        let Some(ends_at) = renewal.expires_at() else { return Ok(line) };
        if ends_at > self.parts.clock.now() + renewal::AHEAD_OF_ITS_END {
            return Ok(line);
        }
        match self.renewed(VendorAccountId(access.account), &line).await {
            // What failed comes after the present access, which counts until then.
            Err(ConnectError::NotRenewed(error)) if !error.is_auth_invalid() && ends_at > self.parts.clock.now() => {
                tracing::warn!(account = %VendorAccountId(access.account), %error, "the access is not renewed yet");
                Ok(line)
            }
            renewed => renewed,
        }
    }

    /// The line to an account; a new one if its credentials or address changed.
    fn open_line(&self, access: &Access<'_>) -> Result<Arc<Line>, ConnectError> {
        if access.state == AccountState::Disconnected.as_str() {
            return Err(ConnectError::Unusable("The vendor account is unlinked.".to_owned()));
        }
        let version = Version { base_url: access.base_url.to_owned(), credentials: access.credentials_version };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get(&access.account).filter(|line| line.version == version) {
            return Ok(Arc::clone(line));
        }
        let place = Place { table: "vendor_accounts", column: "credentials", row: access.account };
        let sealed_form = self.parts.vault.open(access.credentials, place)?;
        let unusable = |error: &dyn std::fmt::Display| ConnectError::Unusable(error.to_string());
        let credentials = VendorCredentials::from_sealed_form(&sealed_form).map_err(|error| unusable(&error))?;
        let vendor = Vendor::parse(access.vendor)
            .ok_or_else(|| ConnectError::Unusable(format!("{} is no vendor of this version.", access.vendor)))?;
        let pacer = BudgetPacer {
            account: access.account,
            limit: limit_of(vendor, self.parts.settings.rate_limit),
            budget: Arc::clone(&self.parts.budget),
            clock: Arc::clone(&self.parts.clock),
        };
        let http = self.parts.http.paced(Arc::new(pacer));
        let connection =
            registry::connect(vendor, access.base_url, &credentials, &http).map_err(|error| unusable(&error))?;
        let bulkhead = Semaphore::new(self.parts.settings.account_concurrency);
        let (renewed_at, renewing) = (OnceLock::new(), tokio::sync::Mutex::default());
        let line = Arc::new(Line { version, connection, bulkhead, renewed_at, renewing });
        lines.insert(access.account, Arc::clone(&line));
        Ok(line)
    }

    /// Keeps an account's state after an exchange: refused credentials need a person, silence is a degradation, and
    /// an answer ends it. `known` is the state that was read with the account, so that the usual case costs nothing.
    pub async fn note<T>(&self, account: VendorAccountId, known: &str, outcome: &Result<T, VendorError>) {
        let (state, reason) = match outcome {
            Err(error @ VendorError::AuthInvalid { .. }) => (AccountState::ReauthRequired, Some(error.to_string())),
            Err(error @ VendorError::NotReady { .. }) => (AccountState::Degraded, Some(error.to_string())),
            Err(VendorError::TooLate | VendorError::Throttled { .. } | VendorError::Unsupported { .. }) => return,
            Err(VendorError::Indeterminate { .. } | VendorError::Protocol { .. }) => return,
            Ok(_) | Err(VendorError::Rejected { .. }) => (AccountState::Connected, None),
        };
        if known == state.as_str() {
            return;
        }
        if let Err(error) = self.set_state(account, state, reason.as_deref()).await {
            tracing::warn!(%account, %error, "the account's state could not be written");
        }
    }

    async fn set_state(
        &self,
        account: VendorAccountId,
        state: AccountState,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let parts = &self.parts;
        let Some(row) = work::account(&parts.database, account).await? else { return Ok(()) };
        let now = parts.clock.now();
        let change = store::accounts::set_state(&parts.database, parts.ids.as_ref(), &row, state, reason, now).await?;
        watch::tell(parts, change.alert.as_slice()).await;
        if change.changed {
            tracing::info!(%account, %state, reason, "vendor account changed");
        }
        Ok(())
    }
}
