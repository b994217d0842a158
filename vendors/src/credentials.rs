//! What an account at each vendor signs in with: read from plain settings, kept as sealed text. Nothing here prints or
//! serializes a secret by itself.

use std::collections::BTreeMap;

use domain::{account::Vendor, clock::Timestamp, secret::Secret};

/// Names and plain values, as a person or a sealed row gives them.
pub type CredentialSettings = BTreeMap<String, Secret>;

/// What an account at a vendor signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VendorCredentials {
    /// Document 003.
    Bikeep(BikeepCredentials),
    /// Document 001.
    Raixer(RaixerCredentials),
    /// Document 000.
    Parqex(ParqexCredentials),
    /// Document 002.
    Lockt(LocktCredentials),
    /// Document 004.
    Mews(MewsCredentials),
}

/// Bikeep: a fixed token, or a client's id and secret that a token is fetched with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BikeepCredentials {
    /// The bearer token; with a client, the one last fetched.
    pub token: Option<Secret>,
    /// When the fetched token ends.
    pub expires_at: Option<Timestamp>,
    /// The client's id.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<Secret>,
    /// Where tokens are fetched; the vendor's own address if absent.
    pub token_url: Option<String>,
    /// The shared seed that webhooks are checked with, if the account has one.
    pub webhook_seed: Option<Secret>,
    /// The ids of the locations to sync; none means every location that the token sees.
    pub locations: Vec<String>,
}

/// Raixer: HTTP Basic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaixerCredentials {
    /// The API user.
    pub user: Secret,
    /// Its password.
    pub password: Secret,
}

/// ParqEx: OAuth 2 tokens of the linked user, and the client that they are renewed with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParqexCredentials {
    /// The access token of the linked user; absent until the user has consented.
    pub access_token: Option<Secret>,
    /// The refresh token that belongs to it. Each renewal makes a new one.
    pub refresh_token: Option<Secret>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// The client's id.
    pub client_id: Option<String>,
    /// The client's secret.
    pub client_secret: Option<Secret>,
    /// The header that webhooks carry their key in, and the key (the document names neither).
    pub webhook_key_header: Option<String>,
    /// The key.
    pub webhook_key: Option<Secret>,
    /// Where `toggle` is, below the base URL; the document's heading if absent.
    pub toggle_path: Option<String>,
    /// Where users consent, below the base URL; the document's if absent.
    pub authorization_path: Option<String>,
    /// Where tokens are given, below the base URL; the document's if absent.
    pub token_path: Option<String>,
}

/// Lockt: two keys in headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocktCredentials {
    /// `apiuser`.
    pub api_user: Secret,
    /// `apikey`.
    pub api_key: Secret,
    /// The zone in which the vendor reads times without one, as IANA names it; UTC if absent.
    pub time_zone: Option<String>,
}

/// Mews: two tokens and our name in every body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MewsCredentials {
    /// Identifies the application.
    pub client_token: Secret,
    /// Identifies the hotel.
    pub access_token: Secret,
    /// Name and version of the application; ours if absent.
    pub client: Option<String>,
    /// What the general webhook's URL carries to show that the vendor sent it, if agreed.
    pub webhook_secret: Option<Secret>,
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
    /// A setting that can not be read.
    #[error("`{field}` of the {vendor} credentials can not be read.")]
    Invalid {
        /// Whose.
        vendor: Vendor,
        /// Which.
        field: &'static str,
    },
    /// The sealed form is not one of ours.
    #[error("The stored credentials can not be read.")]
    Unreadable,
}

impl VendorCredentials {
    /// Whose they are.
    #[must_use]
    pub const fn vendor(&self) -> Vendor {
        match self {
            Self::Bikeep(_) => Vendor::Bikeep,
            Self::Raixer(_) => Vendor::Raixer,
            Self::Parqex(_) => Vendor::Parqex,
            Self::Lockt(_) => Vendor::Lockt,
            Self::Mews(_) => Vendor::Mews,
        }
    }

    /// Reads credentials from settings named as the fields above, in snake case; `locations` is separated by commas.
    ///
    /// # Errors
    /// What is missing or unreadable.
    pub fn from_settings(vendor: Vendor, settings: &CredentialSettings) -> Result<Self, CredentialsError> {
        let given = Given { vendor, settings };
        Ok(match vendor {
            Vendor::Bikeep => {
                let credentials = BikeepCredentials {
                    token: given.secret("token"),
                    expires_at: given.time("expires_at")?,
                    client_id: given.text("client_id"),
                    client_secret: given.secret("client_secret"),
                    token_url: given.text("token_url"),
                    webhook_seed: given.secret("webhook_seed"),
                    locations: given.list("locations"),
                };
                if credentials.token.is_none() {
                    given.required_text("client_id")?;
                    given.required("client_secret")?;
                }
                Self::Bikeep(credentials)
            }
            Vendor::Raixer => {
                Self::Raixer(RaixerCredentials { user: given.required("user")?, password: given.required("password")? })
            }
            Vendor::Parqex => {
                let credentials = ParqexCredentials {
                    access_token: given.secret("access_token"),
                    refresh_token: given.secret("refresh_token"),
                    expires_at: given.time("expires_at")?,
                    client_id: given.text("client_id"),
                    client_secret: given.secret("client_secret"),
                    webhook_key_header: given.text("webhook_key_header"),
                    webhook_key: given.secret("webhook_key"),
                    toggle_path: given.text("toggle_path"),
                    authorization_path: given.text("authorization_path"),
                    token_path: given.text("token_path"),
                };
                if credentials.access_token.is_none() {
                    given.required_text("client_id")?;
                    given.required("client_secret")?;
                }
                Self::Parqex(credentials)
            }
            Vendor::Lockt => Self::Lockt(LocktCredentials {
                api_user: given.required("api_user")?,
                api_key: given.required("api_key")?,
                time_zone: given.text("time_zone"),
            }),
            Vendor::Mews => Self::Mews(MewsCredentials {
                client_token: given.required("client_token")?,
                access_token: given.required("access_token")?,
                client: given.text("client"),
                webhook_secret: given.secret("webhook_secret"),
            }),
        })
    }

    /// The text to seal and store: JSON with the plain secrets in it.
    ///
    /// # Errors
    /// Never in practice; the form consists of texts only.
    pub fn seal_form(&self) -> Result<Secret, CredentialsError> {
        let mut form = serde_json::Map::new();
        form.insert("vendor".to_owned(), self.vendor().as_str().into());
        let mut plain = |field: &str, value: Option<&str>| {
            if let Some(value) = value {
                form.insert(field.to_owned(), value.into());
            }
        };
        let time = |at: &Option<Timestamp>| at.map(|at| at.to_rfc3339());
        let exposed = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        match self {
            Self::Bikeep(bikeep) => {
                plain("token", exposed(&bikeep.token).as_deref());
                plain("expires_at", time(&bikeep.expires_at).as_deref());
                plain("client_id", bikeep.client_id.as_deref());
                plain("client_secret", exposed(&bikeep.client_secret).as_deref());
                plain("token_url", bikeep.token_url.as_deref());
                plain("webhook_seed", exposed(&bikeep.webhook_seed).as_deref());
                plain("locations", Some(&bikeep.locations.join(",")));
            }
            Self::Raixer(raixer) => {
                plain("user", Some(raixer.user.expose()));
                plain("password", Some(raixer.password.expose()));
            }
            Self::Parqex(parqex) => {
                plain("access_token", exposed(&parqex.access_token).as_deref());
                plain("refresh_token", exposed(&parqex.refresh_token).as_deref());
                plain("expires_at", time(&parqex.expires_at).as_deref());
                plain("client_id", parqex.client_id.as_deref());
                plain("client_secret", exposed(&parqex.client_secret).as_deref());
                plain("webhook_key_header", parqex.webhook_key_header.as_deref());
                plain("webhook_key", exposed(&parqex.webhook_key).as_deref());
                plain("toggle_path", parqex.toggle_path.as_deref());
                plain("authorization_path", parqex.authorization_path.as_deref());
                plain("token_path", parqex.token_path.as_deref());
            }
            Self::Lockt(lockt) => {
                plain("api_user", Some(lockt.api_user.expose()));
                plain("api_key", Some(lockt.api_key.expose()));
                plain("time_zone", lockt.time_zone.as_deref());
            }
            Self::Mews(mews) => {
                plain("client_token", Some(mews.client_token.expose()));
                plain("access_token", Some(mews.access_token.expose()));
                plain("client", mews.client.as_deref());
                plain("webhook_secret", exposed(&mews.webhook_secret).as_deref());
            }
        }
        serde_json::to_string(&form).map(Secret::new).map_err(|_| CredentialsError::Unreadable)
    }

    /// Reads what [`Self::seal_form`] wrote.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn from_sealed_form(form: &Secret) -> Result<Self, CredentialsError> {
        let form: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(form.expose()).map_err(|_| CredentialsError::Unreadable)?;
        let vendor = form.get("vendor").and_then(serde_json::Value::as_str).and_then(Vendor::parse);
        let vendor = vendor.ok_or(CredentialsError::Unreadable)?;
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => Some(text.clone()),
            // The form of the first release for lists.
            serde_json::Value::Array(items) => {
                Some(items.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(","))
            }
            _ => None,
        };
        let settings =
            form.iter().filter_map(|(field, value)| Some((field.clone(), Secret::new(text(value)?)))).collect();
        Self::from_settings(vendor, &settings).map_err(|_| CredentialsError::Unreadable)
    }
}

struct Given<'a> {
    vendor: Vendor,
    settings: &'a CredentialSettings,
}

impl Given<'_> {
    fn plain(&self, field: &str) -> Option<&str> {
        self.settings.get(field).map(|value| value.expose().trim()).filter(|text| !text.is_empty())
    }

    fn secret(&self, field: &str) -> Option<Secret> {
        self.plain(field).map(Secret::new)
    }

    fn text(&self, field: &str) -> Option<String> {
        self.plain(field).map(str::to_owned)
    }

    fn required(&self, field: &'static str) -> Result<Secret, CredentialsError> {
        self.secret(field).ok_or(CredentialsError::Missing { vendor: self.vendor, field })
    }

    fn required_text(&self, field: &'static str) -> Result<String, CredentialsError> {
        self.text(field).ok_or(CredentialsError::Missing { vendor: self.vendor, field })
    }

    fn list(&self, field: &str) -> Vec<String> {
        let items = self.plain(field).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    fn time(&self, field: &'static str) -> Result<Option<Timestamp>, CredentialsError> {
        let Some(text) = self.plain(field) else { return Ok(None) };
        let parsed = chrono::DateTime::parse_from_rfc3339(text);
        let parsed = parsed.map_err(|_| CredentialsError::Invalid { vendor: self.vendor, field })?;
        Ok(Some(parsed.to_utc()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> CredentialSettings {
        pairs.iter().map(|(field, value)| ((*field).to_owned(), Secret::new(*value))).collect()
    }

    #[test]
    fn credentials_survive_sealing_and_never_show() {
        let all: [(Vendor, &[(&str, &str)]); 6] = [
            (Vendor::Bikeep, &[("token", "canary-1"), ("locations", "a, b,")]),
            (Vendor::Bikeep, &[("client_id", "me"), ("client_secret", "canary-2"), ("webhook_seed", "canary-3")]),
            (Vendor::Raixer, &[("user", "me"), ("password", "canary-4")]),
            (
                Vendor::Parqex,
                &[
                    ("access_token", "canary-5"),
                    ("refresh_token", "canary-6"),
                    ("expires_at", "2026-11-21T10:00:00+00:00"),
                    ("webhook_key_header", "x-key"),
                    ("webhook_key", "canary-7"),
                    ("token_path", "/token"),
                ],
            ),
            (Vendor::Lockt, &[("api_user", "canary-8"), ("api_key", "canary-9"), ("time_zone", "Europe/Tallinn")]),
            (Vendor::Mews, &[("client_token", "canary-a"), ("access_token", "canary-b"), ("client", "Gatehouse 1")]),
        ];
        for (vendor, pairs) in all {
            let credentials = VendorCredentials::from_settings(vendor, &settings(pairs)).unwrap();
            let sealed = credentials.seal_form().unwrap();
            assert!(sealed.expose().contains("canary"));
            assert_eq!(VendorCredentials::from_sealed_form(&sealed).unwrap(), credentials);
            assert!(!format!("{credentials:?}").contains("canary"));
        }
    }

    #[test]
    fn the_form_of_the_first_release_is_read() {
        let form = Secret::new("{\"vendor\":\"BIKEEP\",\"token\":\"t\",\"locations\":[\"a\",\"b\"]}");
        let VendorCredentials::Bikeep(credentials) = VendorCredentials::from_sealed_form(&form).unwrap() else {
            panic!("not Bikeep's");
        };
        assert_eq!(credentials.locations, ["a", "b"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = VendorCredentials::from_settings(Vendor::Raixer, &settings(&[("user", "me"), ("password", " ")]));
        assert_eq!(error, Err(CredentialsError::Missing { vendor: Vendor::Raixer, field: "password" }));
        let error = VendorCredentials::from_settings(Vendor::Bikeep, &settings(&[("client_id", "me")]));
        assert_eq!(error, Err(CredentialsError::Missing { vendor: Vendor::Bikeep, field: "client_secret" }));
        let error = VendorCredentials::from_sealed_form(&Secret::new("{\"vendor\":\"BIKEEP\",\"canary\":1}"));
        assert_eq!(error, Err(CredentialsError::Unreadable));
    }
}
