//! What the front door asks of vendors while an account is linked: whether credentials are good, and a user's consent.
//! The trait only; the house puts one together from `vendors`, which the api never imports.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{account::Vendor, clock::Timestamp, secret::Secret};

/// Named plain values, as a person gives them: `user`, `password`, `access_token`.
pub type CredentialSettings = BTreeMap<String, Secret>;

/// Whoever can ask vendors. Nothing is stored there.
#[async_trait]
pub trait VendorDesk: Send + Sync {
    /// Where a vendor's service is, by its own documents.
    fn default_base_url(&self, vendor: Vendor) -> &'static str;

    /// Reads credentials and makes the vendor's cheapest call with them.
    ///
    /// # Errors
    /// They are incomplete, refused, or the vendor can not be asked.
    async fn check(
        &self,
        vendor: Vendor,
        base_url: &str,
        credentials: &CredentialSettings,
        now: Timestamp,
    ) -> Result<Checked, DeskError>;

    /// Whether these credentials are those in `sealed_form`, as far as they name something.
    fn are_same(&self, sealed_form: &Secret, credentials: &CredentialSettings) -> bool;

    /// Begins a user's consent (OAuth 2), afresh if there was one. `None` if the account's vendor asks for none.
    ///
    /// # Errors
    /// What is in `sealed_form` or the base URL is unusable.
    fn consent(
        &self,
        base_url: &str,
        sealed_form: &Secret,
        redirect_uri: &str,
        state: &Secret,
    ) -> Result<Option<Consent>, DeskError>;

    /// Exchanges the code of a consent for credentials that can be used.
    ///
    /// # Errors
    /// The vendor refuses the code, or can not be asked.
    async fn exchange(
        &self,
        base_url: &str,
        sealed_form: &Secret,
        grant: Grant<'_>,
        now: Timestamp,
    ) -> Result<Checked, DeskError>;
}

/// Credentials that were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The text to seal and store.
    pub sealed_form: Secret,
    /// The vendor's locations, for the mapping to sites: id and name. Empty when the vendor has none.
    pub locations: Vec<(String, String)>,
    /// Whom the vendor takes us for, if it says so.
    pub signed_in_as: Option<String>,
    /// Whether they are of no use before a user has consented. The vendor was not asked then.
    pub needs_consent: bool,
}

/// A consent that a user is to give at the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Where the user's browser goes.
    pub authorization_url: String,
    /// What proves at the exchange that it was we who asked (RFC 7636).
    pub verifier: Secret,
}

/// What the browser brought back, with what was kept of the beginning.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The code.
    pub code: &'a Secret,
    /// See [`Consent::verifier`].
    pub verifier: &'a Secret,
    /// The address that the browser came back to.
    pub redirect_uri: &'a str,
}

/// Why an account can not be linked, named by what the caller can do. No message holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The credentials are incomplete or unreadable: nothing was asked of the vendor.
    #[error("{message}")]
    InvalidCredentials {
        /// Which one, as the settings name it, if it is one.
        field: Option<&'static str>,
        /// What is wrong with it.
        message: String,
    },
    /// The vendor does not accept them.
    #[error("{0}")]
    Refused(String),
    /// The vendor can not be asked just now. Try again.
    #[error("{0}")]
    Unreachable(String),
    /// The base URL leads to nothing that is this vendor's.
    #[error("{0}")]
    Unusable(String),
}
