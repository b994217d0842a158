//! The desk at which the front door asks vendors while an account is linked: the api's words on one side, `vendors` on
//! the other. Nothing is stored here.

use std::sync::Arc;

use api::desk::{Checked, Consent, CredentialSettings, DeskError, Grant, VendorDesk};
use async_trait::async_trait;
use domain::{account::Vendor, clock::Timestamp, secret::Secret};
use vendors::{
    error::VendorError,
    http::HttpFactory,
    registry::{self, Connection, CredentialsError, VendorCredentials},
};

/// Asks vendors over HTTP.
pub struct Desk {
    http: Arc<HttpFactory>,
}

impl Desk {
    /// A desk with these clients.
    #[must_use]
    pub const fn new(http: Arc<HttpFactory>) -> Self {
        Self { http }
    }

    /// Makes no request, so that whatever is wrong is wrong with what was given.
    fn connect(&self, base_url: &str, credentials: &VendorCredentials) -> Result<Connection, DeskError> {
        registry::connect(credentials.vendor(), base_url, credentials, &self.http).map_err(|error| {
            let message = error.to_string();
            if self.is_address(base_url) {
                DeskError::InvalidCredentials { field: None, message }
            } else {
                DeskError::Unusable(message)
            }
        })
    }

    /// Whether a base URL is usable, whatever the credentials: no vendor asks for less than these.
    fn is_address(&self, base_url: &str) -> bool {
        let plain = ["user", "password"].map(|name| (name.to_owned(), Secret::new(name)));
        VendorCredentials::from_settings(Vendor::Raixer, &plain.into())
            .is_ok_and(|plain| registry::connect(Vendor::Raixer, base_url, &plain, &self.http).is_ok())
    }

    /// Tries credentials. What they are fetched or renewed with is used first where they are of no use without.
    async fn try_out(
        &self,
        base_url: &str,
        credentials: VendorCredentials,
        now: Timestamp,
    ) -> Result<Checked, DeskError> {
        let connection = self.connect(base_url, &credentials)?;
        if needs_consent(&credentials) {
            let sealed_form = credentials.seal_form().map_err(invalid)?;
            return Ok(Checked { sealed_form, locations: Vec::new(), signed_in_as: None, needs_consent: true });
        }
        let renewed = match connection.renewal() {
            Some(renewal) if renewal.expires_at().is_some_and(|at| at <= now) => {
                Some(renewal.renew(now).await.map_err(refused)?)
            }
            _ => None,
        };
        let (credentials, connection) = match renewed {
            Some(renewed) => {
                let connection = self.connect(base_url, &renewed)?;
                (renewed, connection)
            }
            None => (credentials, connection),
        };
        let shown = connection.inventory().check().await.map_err(refused)?;
        Ok(Checked {
            sealed_form: credentials.seal_form().map_err(invalid)?,
            locations: shown.locations,
            signed_in_as: shown.signed_in_as,
            needs_consent: false,
        })
    }
}

#[async_trait]
impl VendorDesk for Desk {
    fn default_base_url(&self, vendor: Vendor) -> &'static str {
        registry::default_base_url(vendor)
    }

    async fn check(
        &self,
        vendor: Vendor,
        base_url: &str,
        credentials: &CredentialSettings,
        now: Timestamp,
    ) -> Result<Checked, DeskError> {
        let credentials = VendorCredentials::from_settings(vendor, credentials).map_err(invalid)?;
        self.http.check_reach(base_url).await.map_err(refused)?;
        self.try_out(base_url, credentials, now).await
    }

    fn are_same(&self, sealed_form: &Secret, credentials: &CredentialSettings) -> bool {
        let Ok(kept) = VendorCredentials::from_sealed_form(sealed_form) else { return false };
        let Ok(given) = VendorCredentials::from_settings(kept.vendor(), credentials) else { return false };
        without_tokens(&kept, &given) == without_tokens(&given, &given)
    }

    fn consent(
        &self,
        base_url: &str,
        sealed_form: &Secret,
        redirect_uri: &str,
        state: &Secret,
    ) -> Result<Option<Consent>, DeskError> {
        let credentials = match VendorCredentials::from_sealed_form(sealed_form).map_err(invalid)? {
            // Its tokens may be dead: a consent begins without them.
            VendorCredentials::Parqex(mut parqex) => {
                if parqex.client_id.is_none() || parqex.client_secret.is_none() {
                    let field = "client_id";
                    return Err(invalid(CredentialsError::Missing { vendor: Vendor::Parqex, field }));
                }
                (parqex.access_token, parqex.refresh_token, parqex.expires_at) = (None, None, None);
                VendorCredentials::Parqex(parqex)
            }
            other => other,
        };
        let begun = registry::consent(base_url, &credentials, redirect_uri, state).map_err(refused)?;
        Ok(begun.map(|begun| Consent { authorization_url: begun.authorization_url, verifier: begun.verifier }))
    }

    async fn exchange(
        &self,
        base_url: &str,
        sealed_form: &Secret,
        grant: Grant<'_>,
        now: Timestamp,
    ) -> Result<Checked, DeskError> {
        let credentials = VendorCredentials::from_sealed_form(sealed_form).map_err(invalid)?;
        let Grant { code, verifier, redirect_uri } = grant;
        let grant = registry::Grant { code, verifier, redirect_uri };
        let given = registry::exchange(base_url, &credentials, grant, &self.http, now).await.map_err(refused)?;
        match self.try_out(base_url, given.clone(), now).await {
            // The code is used up and the tokens are good, as far as anybody knows: they are kept.
            Err(DeskError::Unreachable(_)) => Ok(Checked {
                sealed_form: given.seal_form().map_err(invalid)?,
                locations: Vec::new(),
                signed_in_as: None,
                needs_consent: false,
            }),
            checked => checked,
        }
    }
}

/// Whether a user has to consent before these credentials are of any use.
fn needs_consent(credentials: &VendorCredentials) -> bool {
    match credentials {
        VendorCredentials::Parqex(parqex) => parqex.access_token.is_none() && parqex.refresh_token.is_none(),
        _ => false,
    }
}

/// The credentials less what was fetched beside that which `given` names.
fn without_tokens(credentials: &VendorCredentials, given: &VendorCredentials) -> VendorCredentials {
    match (credentials, given) {
        (VendorCredentials::Bikeep(kept), VendorCredentials::Bikeep(given)) if given.token.is_none() => {
            let mut kept = kept.clone();
            (kept.token, kept.expires_at) = (None, None);
            VendorCredentials::Bikeep(kept)
        }
        (VendorCredentials::Parqex(kept), VendorCredentials::Parqex(given)) if given.access_token.is_none() => {
            let mut kept = kept.clone();
            (kept.access_token, kept.refresh_token, kept.expires_at) = (None, given.refresh_token.clone(), None);
            VendorCredentials::Parqex(kept)
        }
        (other, _) => other.clone(),
    }
}

fn invalid(error: CredentialsError) -> DeskError {
    let field = match &error {
        CredentialsError::Missing { field, .. } | CredentialsError::Invalid { field, .. } => Some(*field),
        CredentialsError::Unreadable => None,
    };
    DeskError::InvalidCredentials { field, message: error.to_string() }
}

fn refused(error: VendorError) -> DeskError {
    let text = error.to_string();
    let said = text.trim_end_matches('.');
    match error {
        VendorError::AuthInvalid { .. } | VendorError::Rejected { .. } => {
            DeskError::Refused(format!("The vendor does not accept these credentials: {said}."))
        }
        VendorError::Unsupported { .. } | VendorError::Protocol { .. } => DeskError::Unusable(format!("{said}.")),
        VendorError::NotReady { .. }
        | VendorError::Throttled { .. }
        | VendorError::TooLate
        | VendorError::Indeterminate { .. } => {
            DeskError::Unreachable(format!("The vendor can not be asked just now: {said}."))
        }
    }
}
