//! A desk without vendors behind it: what is asked decides the answer. Never out of its own words.

use async_trait::async_trait;
use domain::{account::Vendor, clock::Timestamp, secret::Secret};
use gatehouse_api::desk::{Checked, Consent, CredentialSettings, DeskError, Grant, VendorDesk};
use serde_json::{Map, Value, json};

pub(crate) struct FakeDesk;

/// The code with which an exchange succeeds, and what it gives.
pub(crate) const GOOD_CODE: &str = "canary-code";
const TOKEN: &str = "canary-token";

fn form(vendor: Vendor, credentials: &CredentialSettings) -> Value {
    let given = credentials.iter().map(|(name, value)| (name.clone(), json!(value.expose())));
    let mut form: Map<String, Value> = given.collect();
    form.insert("vendor".to_owned(), json!(vendor.as_str()));
    Value::Object(form)
}

fn checked(form: &Value, needs_consent: bool) -> Checked {
    let has_places = form["vendor"] == "BIKEEP";
    let locations = has_places.then(|| vec![("place-1".to_owned(), "Place 1".to_owned())]);
    Checked {
        sealed_form: Secret::new(form.to_string()),
        locations: locations.unwrap_or_default(),
        signed_in_as: (!needs_consent).then(|| "somebody@example.test".to_owned()),
        needs_consent,
    }
}

#[async_trait]
impl VendorDesk for FakeDesk {
    fn default_base_url(&self, _: Vendor) -> &'static str {
        "https://vendor.example"
    }

    async fn check(
        &self,
        vendor: Vendor,
        base_url: &str,
        credentials: &CredentialSettings,
        _: Timestamp,
    ) -> Result<Checked, DeskError> {
        if !base_url.starts_with("http") {
            return Err(DeskError::Unusable("This is no address.".to_owned()));
        }
        match credentials.get("password").map(Secret::expose) {
            Some("") => {
                let message = "Raixer credentials need `password`.".to_owned();
                Err(DeskError::InvalidCredentials { field: Some("password"), message })
            }
            Some("canary-wrong") => Err(DeskError::Refused("The vendor refuses the credentials.".to_owned())),
            Some("canary-slow") => Err(DeskError::Unreachable("The vendor does not answer.".to_owned())),
            _ => {
                let waits = vendor == Vendor::Parqex && !credentials.contains_key("access_token");
                Ok(checked(&form(vendor, credentials), waits))
            }
        }
    }

    fn are_same(&self, sealed_form: &Secret, credentials: &CredentialSettings) -> bool {
        let kept: Value = serde_json::from_str(sealed_form.expose()).unwrap();
        credentials.iter().all(|(name, value)| kept[name] == value.expose())
    }

    fn consent(
        &self,
        base_url: &str,
        sealed_form: &Secret,
        redirect_uri: &str,
        state: &Secret,
    ) -> Result<Option<Consent>, DeskError> {
        if !sealed_form.expose().contains("PARQEX") {
            return Ok(None);
        }
        let authorization_url = format!("{base_url}/authorize?redirect_uri={redirect_uri}&state={}", state.expose());
        Ok(Some(Consent { authorization_url, verifier: Secret::new("canary-verifier") }))
    }

    async fn exchange(
        &self,
        _: &str,
        sealed_form: &Secret,
        grant: Grant<'_>,
        _: Timestamp,
    ) -> Result<Checked, DeskError> {
        assert_eq!(grant.verifier.expose(), "canary-verifier");
        assert_eq!(grant.redirect_uri, "https://doors.example/oauth/callback");
        match grant.code.expose() {
            GOOD_CODE => {
                let mut form: Value = serde_json::from_str(sealed_form.expose()).unwrap();
                form["access_token"] = json!(TOKEN);
                Ok(checked(&form, false))
            }
            "slow" => Err(DeskError::Unreachable("The vendor does not answer.".to_owned())),
            _ => Err(DeskError::Refused("The vendor refuses the code.".to_owned())),
        }
    }
}
