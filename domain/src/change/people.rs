//! People, cards and fobs of a card-lock system (document 002). No PIN stands in here.

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
    /// The vendor's registration key of the credential.
    pub credential_key: Option<String>,
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
