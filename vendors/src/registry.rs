//! The only file that names every vendor: credentials, base URLs, and how to connect to an account.

use std::collections::BTreeMap;

use domain::{account::Vendor, secret::Secret};
use serde::{Deserialize, Serialize};

use crate::{
    bikeep::{self, Bikeep},
    error::VendorError,
    http::HttpFactory,
    parqex::{self, Parqex},
    port::{DoorControl, Inventory},
    raixer::{self, Raixer},
};

/// What an account at a vendor signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorCredentials {
    /// Document 003.
    Bikeep {
        /// The access token.
        token: Secret,
        /// The ids of the locations to sync; none means every location that the token sees.
        locations: Vec<String>,
    },
    /// Document 001.
    Raixer {
        /// The API user.
        user: Secret,
        /// Its password.
        password: Secret,
    },
    /// Document 000.
    Parqex {
        /// The access token of the linked user.
        access_token: Secret,
        /// Where `toggle` is, below the base URL; the document's heading if absent.
        toggle_path: Option<String>,
    },
}

/// Credentials that can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// A setting is missing or empty.
    #[error("{vendor} credentials need `{field}`.")]
    Missing {
        /// Whose.
        vendor: Vendor,
        /// Which.
        field: &'static str,
    },
    /// There is no connector to this vendor yet.
    #[error("There is no connector to {0} yet.")]
    NoConnector(Vendor),
    /// The sealed form is not one of ours.
    #[error("The stored credentials can not be read.")]
    Unreadable,
}

/// The form in which credentials are sealed. Apart from `VendorCredentials` because a `Secret` must not serialize.
#[derive(Serialize, Deserialize)]
#[serde(tag = "vendor")]
enum Form {
    #[serde(rename = "BIKEEP")]
    Bikeep {
        token: String,
        #[serde(default)]
        locations: Vec<String>,
    },
    #[serde(rename = "RAIXER")]
    Raixer { user: String, password: String },
    #[serde(rename = "PARQEX")]
    Parqex {
        access_token: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        toggle_path: Option<String>,
    },
}

impl VendorCredentials {
    /// Whose they are.
    #[must_use]
    pub const fn vendor(&self) -> Vendor {
        match self {
            Self::Bikeep { .. } => Vendor::Bikeep,
            Self::Raixer { .. } => Vendor::Raixer,
            Self::Parqex { .. } => Vendor::Parqex,
        }
    }

    /// Reads credentials from plain settings: `token` and `locations` (separated by commas) for Bikeep, `user` and
    /// `password` for Raixer, `access_token` and `toggle_path` for ParqEx.
    ///
    /// # Errors
    /// What is missing.
    pub fn from_settings(vendor: Vendor, settings: &BTreeMap<String, String>) -> Result<Self, CredentialsError> {
        let optional = |field: &str| settings.get(field).map(|text| text.trim()).filter(|text| !text.is_empty());
        let required =
            |field: &'static str| optional(field).map(Secret::new).ok_or(CredentialsError::Missing { vendor, field });
        match vendor {
            Vendor::Bikeep => Ok(Self::Bikeep {
                token: required("token")?,
                locations: optional("locations")
                    .unwrap_or_default()
                    .split(',')
                    .map(|id| id.trim().to_owned())
                    .filter(|id| !id.is_empty())
                    .collect(),
            }),
            Vendor::Raixer => Ok(Self::Raixer { user: required("user")?, password: required("password")? }),
            Vendor::Parqex => Ok(Self::Parqex {
                access_token: required("access_token")?,
                toggle_path: optional("toggle_path").map(str::to_owned),
            }),
            Vendor::Lockt | Vendor::Mews => Err(CredentialsError::NoConnector(vendor)),
        }
    }

    /// The text to seal and store: JSON with the plain secrets in it.
    ///
    /// # Errors
    /// Never in practice; the form consists of texts only.
    pub fn seal_form(&self) -> Result<Secret, CredentialsError> {
        let form = match self {
            Self::Bikeep { token, locations } => {
                Form::Bikeep { token: token.expose().to_owned(), locations: locations.clone() }
            }
            Self::Raixer { user, password } => {
                Form::Raixer { user: user.expose().to_owned(), password: password.expose().to_owned() }
            }
            Self::Parqex { access_token, toggle_path } => {
                Form::Parqex { access_token: access_token.expose().to_owned(), toggle_path: toggle_path.clone() }
            }
        };
        serde_json::to_string(&form).map(Secret::new).map_err(|_| CredentialsError::Unreadable)
    }

    /// Reads what [`Self::seal_form`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_sealed_form(sealed: &Secret) -> Result<Self, CredentialsError> {
        // serde's own message may quote what it read.
        Ok(match serde_json::from_str(sealed.expose()).map_err(|_| CredentialsError::Unreadable)? {
            Form::Bikeep { token, locations } => Self::Bikeep { token: Secret::new(token), locations },
            Form::Raixer { user, password } => {
                Self::Raixer { user: Secret::new(user), password: Secret::new(password) }
            }
            Form::Parqex { access_token, toggle_path } => {
                Self::Parqex { access_token: Secret::new(access_token), toggle_path }
            }
        })
    }
}

/// Where a vendor's service is, by its own documents.
#[must_use]
pub const fn default_base_url(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Bikeep => bikeep::DEFAULT_BASE_URL,
        Vendor::Raixer => raixer::DEFAULT_BASE_URL,
        Vendor::Parqex => parqex::DEFAULT_BASE_URL,
        Vendor::Lockt => "https://cloudapi.lockt.com",
        Vendor::Mews => "https://api.mews.com",
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
}

impl Connection {
    /// Its doors.
    #[must_use]
    pub fn door_control(&self) -> &dyn DoorControl {
        match &self.vendor {
            Connected::Bikeep(bikeep) => bikeep,
            Connected::Raixer(raixer) => raixer,
            Connected::Parqex(parqex) => parqex,
        }
    }

    /// What it holds.
    #[must_use]
    pub fn inventory(&self) -> &dyn Inventory {
        match &self.vendor {
            Connected::Bikeep(bikeep) => bikeep,
            Connected::Raixer(raixer) => raixer,
            Connected::Parqex(parqex) => parqex,
        }
    }
}

/// Connects to an account. No request is made.
///
/// # Errors
/// `Unsupported`: no connector, credentials of another vendor, or an unusable base URL. `AuthInvalid`: credentials that
/// no header can carry.
pub fn connect(
    vendor: Vendor,
    base_url: &str,
    credentials: &VendorCredentials,
    http: &HttpFactory,
) -> Result<Connection, VendorError> {
    let connected = match (vendor, credentials) {
        (Vendor::Bikeep, VendorCredentials::Bikeep { token, locations }) => {
            Connected::Bikeep(Bikeep::new(base_url, token, locations, http)?)
        }
        (Vendor::Raixer, VendorCredentials::Raixer { user, password }) => {
            Connected::Raixer(Raixer::new(base_url, user, password, http)?)
        }
        (Vendor::Parqex, VendorCredentials::Parqex { access_token, toggle_path }) => {
            Connected::Parqex(Parqex::new(base_url, access_token, toggle_path.as_deref(), http)?)
        }
        (Vendor::Lockt | Vendor::Mews, _) => {
            return Err(VendorError::unsupported(CredentialsError::NoConnector(vendor).to_string()));
        }
        _ => return Err(VendorError::unsupported(format!("These are not credentials of {vendor}."))),
    };
    Ok(Connection { vendor: connected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn credentials_survive_sealing_and_never_show() {
        let all = [
            VendorCredentials::from_settings(
                Vendor::Bikeep,
                &settings(&[("token", "canary-1"), ("locations", "a, b,")]),
            ),
            VendorCredentials::from_settings(Vendor::Raixer, &settings(&[("user", "me"), ("password", "canary-2")])),
            VendorCredentials::from_settings(Vendor::Parqex, &settings(&[("access_token", "canary-3")])),
        ];
        for credentials in all.map(Result::unwrap) {
            let sealed = credentials.seal_form().unwrap();
            assert!(sealed.expose().contains("canary"));
            assert_eq!(VendorCredentials::from_sealed_form(&sealed).unwrap(), credentials);
            assert!(!format!("{credentials:?}").contains("canary"));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = VendorCredentials::from_settings(Vendor::Raixer, &settings(&[("user", "me"), ("password", " ")]));
        assert_eq!(error, Err(CredentialsError::Missing { vendor: Vendor::Raixer, field: "password" }));
        let error = VendorCredentials::from_sealed_form(&Secret::new("{\"vendor\":\"BIKEEP\",\"canary\":1}"));
        assert_eq!(error, Err(CredentialsError::Unreadable));
    }
}
