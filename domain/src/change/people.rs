//! People, cards and fobs of a card-lock system (document 002). No secret stands in a plan: what of a person nobody may
//! read goes sealed beside the command, as [`UserSecrets`].

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A card holder as they are to be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserPlan {
    /// Our key of the person at the vendor (`id_num`): by it they are found again.
    pub id_number: String,
    /// The vendor's id, if the person exists there.
    pub external_id: Option<String>,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// E-mail address. The vendor matches by it too.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Digits only.
    pub card_number: Option<String>,
    /// Whether they may open anything at all.
    pub enabled: bool,
    /// From when on; always without absent.
    pub access_from: Option<Timestamp>,
    /// Until when; for ever without.
    pub access_until: Option<Timestamp>,
    /// The vendor's ids of their access levels.
    pub access_levels: Vec<String>,
    /// Whether a PIN for them is in the command's secret.
    pub has_pin: bool,
    /// Whether the vendor's registration key of their credential is in the command's secret.
    #[serde(default)]
    pub has_credential_key: bool,
    /// Whether the number of their card is in the command's secret, and not in `card_number`.
    #[serde(default)]
    pub has_card_number: bool,
}

/// What is sealed beside an import: by `id_number`, as JSON.
pub type UserSecrets = BTreeMap<String, UserSecret>;

/// What of a person nobody may read.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserSecret {
    /// What they type at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// The vendor's registration key of their credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_key: Option<String>,
    /// The number of the tag that is issued to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_number: Option<String>,
}

impl fmt::Debug for UserSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UserSecret(***)")
    }
}

/// How an import treats what it meets. Never left to the vendor's defaults (rule 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOptions {
    /// Whether people who exist already are updated; otherwise they are left alone.
    pub update_existing: bool,
    /// Whether one invalid record fails all.
    pub validate_fails_batch: bool,
    /// Whether access levels that are not listed are taken away.
    pub replace_privileges: bool,
    /// Whether it is only checked, and nothing changed.
    pub dry_run: bool,
}

/// Somebody who is to be let in nowhere any more. There is no deleting of people (document 002).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisabledUser {
    /// Our key of the person at the vendor.
    pub id_number: String,
    /// The vendor's id of the person, if it is known.
    pub external_id: Option<String>,
    /// Whether the vendor is to forget their name too: they were erased.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nameless: bool,
}

/// A fob to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FobPlan {
    /// Our key of it at the vendor.
    pub id_number: String,
    /// A name for people.
    pub name: String,
    /// Digits only.
    pub card_number: String,
    /// From when on it opens.
    pub access_from: Option<Timestamp>,
    /// Until when.
    pub access_until: Option<Timestamp>,
}

/// A fob's new holder and period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FobAssignment {
    /// The vendor's id of the fob.
    pub fob: String,
    /// The vendor's id of the person.
    pub user: String,
    /// From when on it opens.
    pub access_from: Option<Timestamp>,
    /// Until when.
    pub access_until: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_one_form_and_are_not_printed() {
        let secret = UserSecret { pin: Some("0986".to_owned()), ..UserSecret::default() };
        let secrets = UserSecrets::from([("GH-1".to_owned(), secret)]);
        let form = serde_json::to_string(&secrets).unwrap();
        assert_eq!(form, r#"{"GH-1":{"pin":"0986"}}"#);
        assert_eq!(serde_json::from_str::<UserSecrets>(&form).unwrap(), secrets);
        assert!(!format!("{secrets:?}").contains("0986"));
        let all = r#"{"GH-1":{"pin":"1","credentialKey":"AAAA-BBBB","cardNumber":"4711"}}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<UserSecrets>(all).unwrap()).unwrap(), all);
        assert!(serde_json::from_str::<UserSecrets>(r#"{"GH-1":"0986"}"#).is_err());
    }
}
