//! Records of people: who they are, what they hold, what they may use.

use async_graphql::SimpleObject;
use domain::{change, clock::Timestamp, record};

use crate::graphql::words::{AccessProfile, CredentialStatus, CredentialType};

/// A person known to a vendor.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct UserDetails {
    /// Our key of the person at the vendor.
    id_number: Option<String>,
    /// Given name.
    first_name: Option<String>,
    /// Family name.
    last_name: Option<String>,
    /// E-mail address.
    email: Option<String>,
    /// Telephone number.
    phone: Option<String>,
    /// The card assigned to them.
    card_number: Option<String>,
    /// Whether the vendor lets them in at all; null when it does not say.
    enabled: Option<bool>,
    /// From when on they may enter.
    access_from: Option<Timestamp>,
    /// Until when.
    access_until: Option<Timestamp>,
    /// The vendor's ids of their access levels; null when the vendor did not list them.
    access_level_external_ids: Option<Vec<String>>,
    /// Language, as BCP 47.
    language: Option<String>,
}

impl From<record::UserDetails> for UserDetails {
    fn from(told: record::UserDetails) -> Self {
        Self {
            id_number: told.id_number,
            first_name: told.first_name,
            last_name: told.last_name,
            email: told.email,
            phone: told.phone,
            card_number: told.card_number,
            enabled: told.enabled,
            access_from: told.access_from,
            access_until: told.access_until,
            access_level_external_ids: told.access_levels.map(|ids| ids.into_iter().collect()),
            language: told.language,
        }
    }
}

/// A card, fob, number or key known to a vendor. Its secret part is never shown.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct CredentialDetails {
    /// What it is.
    credential_type: CredentialType,
    /// Whether it can be used.
    status: CredentialStatus,
    /// The card or telephone number.
    number: Option<String>,
    /// Our key of it at the vendor.
    id_number: Option<String>,
    /// The vendor's id of its holder.
    user_external_id: Option<String>,
    /// From when on it opens.
    access_from: Option<Timestamp>,
    /// Until when.
    access_until: Option<Timestamp>,
    /// The vendor's ids of its access levels; null when the vendor did not list them.
    access_level_external_ids: Option<Vec<String>>,
    /// When it was last used.
    last_used_at: Option<Timestamp>,
}

impl From<record::CredentialDetails> for CredentialDetails {
    fn from(told: record::CredentialDetails) -> Self {
        Self {
            credential_type: told.credential_type.into(),
            status: told.status.into(),
            number: told.number,
            id_number: told.id_number,
            user_external_id: told.user,
            access_from: told.access_from,
            access_until: told.access_until,
            access_level_external_ids: told.access_levels.map(|ids| ids.into_iter().collect()),
            last_used_at: told.last_used_at,
        }
    }
}

/// A person's right to use a device.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct DeviceAccessDetails {
    /// The vendor's id of the holder.
    holder_external_id: Option<String>,
    /// The holder's name.
    holder_name: Option<String>,
    /// The holder's e-mail address.
    holder_email: Option<String>,
    /// What they may do; null for a word that we do not know.
    profile: Option<AccessProfile>,
    /// Whether it is suspended.
    disabled: bool,
    /// The vendor's id of the device's owner.
    owner_external_id: Option<String>,
}

impl From<record::DeviceAccessDetails> for DeviceAccessDetails {
    fn from(told: record::DeviceAccessDetails) -> Self {
        Self {
            holder_external_id: told.holder,
            holder_name: told.holder_name,
            holder_email: told.holder_email,
            profile: told.profile.map(Into::into),
            disabled: told.disabled,
            owner_external_id: told.device_owner,
        }
    }
}

/// The vendor account's own profile.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct ProfileDetails {
    /// The name that others see.
    display_name: Option<String>,
    /// Its e-mail address.
    email: Option<String>,
    /// Its time zone, if the vendor has one.
    time_zone: Option<String>,
    /// Where invoices go.
    invoice_address: Option<InvoiceAddress>,
}

impl From<record::ProfileDetails> for ProfileDetails {
    fn from(told: record::ProfileDetails) -> Self {
        Self {
            display_name: told.display_name,
            email: told.email,
            time_zone: told.time_zone,
            invoice_address: told.address.map(Into::into),
        }
    }
}

/// Where invoices go.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct InvoiceAddress {
    /// The e-mail address for invoices.
    email: Option<String>,
    /// The person or business.
    name: Option<String>,
    /// Its identification number.
    tax_id: Option<String>,
    /// The street.
    street: Option<String>,
    /// The city.
    city: Option<String>,
    /// The postal code.
    postal_code: Option<String>,
    /// The state or province.
    state: Option<String>,
    /// The country.
    country: Option<String>,
}

impl From<change::Address> for InvoiceAddress {
    fn from(told: change::Address) -> Self {
        let change::Address { email, name, tax_id, street, city, postal_code, state, country } = told;
        Self { email, name, tax_id, street, city, postal_code, state, country }
    }
}
