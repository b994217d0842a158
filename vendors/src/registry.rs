//! The only file that names every vendor's connector: base URLs, how to connect to an account, how a user consents.

use domain::{account::Vendor, clock::Timestamp, secret::Secret};

pub use crate::credentials::{CredentialSettings, CredentialsError, VendorCredentials};
use crate::{
    bikeep::{self, Bikeep},
    error::VendorError,
    http::HttpFactory,
    lockt::{self, Lockt},
    mews::{self, Mews},
    parqex::{self, Parqex},
    port::{Administration, DoorControl, Intake, Inventory, Renewal},
    raixer::{self, Raixer},
};

/// Where a vendor's service is, by its own documents.
#[must_use]
pub const fn default_base_url(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Bikeep => bikeep::DEFAULT_BASE_URL,
        Vendor::Raixer => raixer::DEFAULT_BASE_URL,
        Vendor::Parqex => parqex::DEFAULT_BASE_URL,
        Vendor::Lockt => lockt::DEFAULT_BASE_URL,
        Vendor::Mews => mews::DEFAULT_BASE_URL,
    }
}

/// A ready connection to one vendor account. It holds the secret in memory; drop it when the work is done.
pub struct Connection {
    vendor: Connected,
}

enum Connected {
    Bikeep(Bikeep),
    Raixer(Raixer),
    Parqex(Parqex),
    Lockt(Lockt),
    Mews(Mews),
}

macro_rules! capability {
    ($(#[$doc:meta])* $name:ident: $capability:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(&self) -> &dyn $capability {
            match &self.vendor {
                Connected::Bikeep(bikeep) => bikeep,
                Connected::Raixer(raixer) => raixer,
                Connected::Parqex(parqex) => parqex,
                Connected::Lockt(lockt) => lockt,
                Connected::Mews(mews) => mews,
            }
        }
    };
}

impl Connection {
    capability! {
        /// Moving its doors.
        door_control: DoorControl
    }
    capability! {
        /// Changing what it keeps.
        administration: Administration
    }
    capability! {
        /// Reading what it keeps.
        inventory: Inventory
    }
    capability! {
        /// Understanding what it pushes.
        intake: Intake
    }

    /// Renewing its access, where it ends by itself and can be renewed.
    #[must_use]
    pub fn renewal(&self) -> Option<&dyn Renewal> {
        match &self.vendor {
            Connected::Bikeep(bikeep) => bikeep.renewal(),
            Connected::Parqex(parqex) => parqex.renewal(),
            Connected::Raixer(_) | Connected::Lockt(_) | Connected::Mews(_) => None,
        }
    }
}

/// Connects to an account. No request is made.
///
/// # Errors
/// `Unsupported`: credentials of another vendor, or an unusable base URL. `AuthInvalid`: credentials that no header can
/// carry.
pub fn connect(
    vendor: Vendor,
    base_url: &str,
    credentials: &VendorCredentials,
    http: &HttpFactory,
) -> Result<Connection, VendorError> {
    if credentials.vendor() != vendor {
        return Err(VendorError::unsupported(format!("These are not credentials of {vendor}.")));
    }
    let connected = match credentials {
        VendorCredentials::Bikeep(credentials) => Connected::Bikeep(Bikeep::new(base_url, credentials, http)?),
        VendorCredentials::Raixer(credentials) => Connected::Raixer(Raixer::new(base_url, credentials, http)?),
        VendorCredentials::Parqex(credentials) => Connected::Parqex(Parqex::new(base_url, credentials, http)?),
        VendorCredentials::Lockt(credentials) => Connected::Lockt(Lockt::new(base_url, credentials, http)?),
        VendorCredentials::Mews(credentials) => Connected::Mews(Mews::new(base_url, credentials, http)?),
    };
    Ok(Connection { vendor: connected })
}

/// A consent that a user is to give at the vendor (OAuth 2 authorization code, RFC 6749 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Where the user's browser goes.
    pub authorization_url: String,
    /// What proves at the exchange that it was we who asked (RFC 7636).
    pub verifier: Secret,
}

/// Begins a consent, if accounts with these credentials need one.
///
/// # Errors
/// The base URL or a path is unusable.
pub fn consent(
    base_url: &str,
    credentials: &VendorCredentials,
    redirect_uri: &str,
    state: &Secret,
) -> Result<Option<Consent>, VendorError> {
    match credentials {
        VendorCredentials::Parqex(credentials) if credentials.access_token.is_none() => {
            parqex::consent(base_url, credentials, redirect_uri, state).map(Some)
        }
        _ => Ok(None),
    }
}

/// Exchanges the code of a consent for credentials with tokens.
///
/// # Errors
/// The vendor refused the code (`AuthInvalid`) or could not be asked.
pub async fn exchange(
    base_url: &str,
    credentials: &VendorCredentials,
    grant: Grant<'_>,
    http: &HttpFactory,
    now: Timestamp,
) -> Result<VendorCredentials, VendorError> {
    match credentials {
        VendorCredentials::Parqex(credentials) => parqex::exchange(base_url, credentials, grant, http, now).await,
        _ => Err(VendorError::unsupported("This vendor's accounts need no consent.")),
    }
}

/// What the browser brought back from a consent, with what we kept of its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The code.
    pub code: &'a Secret,
    /// See [`Consent::verifier`].
    pub verifier: &'a Secret,
    /// The address that the browser came back to.
    pub redirect_uri: &'a str,
}
