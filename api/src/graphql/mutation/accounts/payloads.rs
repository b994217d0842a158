//! What mutations of vendor accounts answer.

use std::sync::Arc;

use async_graphql::SimpleObject;

use super::super::payload::UserError;
use crate::{
    actions::{
        Refusal,
        accounts::{Linked, Reauthorized, Unlinked},
    },
    graphql::{
        object::{VendorAccount, VendorRecord, WebhookDelivery},
        words::RecordKind,
    },
};

/// The answer of `linkVendorAccount`.
#[derive(Default, SimpleObject)]
pub(crate) struct LinkVendorAccountPayload {
    /// The account; null if it was refused.
    vendor_account: Option<VendorAccount>,
    /// Where its user must consent within ten minutes before it can be used; null if that is not needed.
    authorization_url: Option<String>,
    /// The address that its vendor sends webhooks to. Shown this once: who knows it may send there. Null when the same
    /// order was given before under this idempotency key; `rotateWebhookAddress` makes another.
    webhook_url: Option<String>,
    /// The places that the vendor has, for `mapVendorLocations`.
    locations: Vec<FoundLocation>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of `reauthorizeVendorAccount`.
#[derive(Default, SimpleObject)]
pub(crate) struct ReauthorizeVendorAccountPayload {
    /// The account; null if it was refused.
    vendor_account: Option<VendorAccount>,
    /// Where its user must consent within ten minutes before it can be used; null if that is not needed.
    authorization_url: Option<String>,
    /// The places that the vendor has, for `mapVendorLocations`.
    locations: Vec<FoundLocation>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// A place that a vendor has.
#[derive(SimpleObject)]
pub(crate) struct FoundLocation {
    /// In the vendor's words: what `mapVendorLocations` takes.
    location: String,
    /// A name for people.
    name: String,
}

/// The answer of `unlinkVendorAccount`.
#[derive(Default, SimpleObject)]
pub(crate) struct UnlinkVendorAccountPayload {
    /// The account; null if it was refused.
    vendor_account: Option<VendorAccount>,
    /// What remains at the vendor; null if it was refused.
    remains: Option<Remains>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// What remains at a vendor after its account was unlinked, as it was last seen there. Gatehouse deletes nothing of it.
#[derive(SimpleObject)]
pub(crate) struct Remains {
    /// How many devices.
    devices: usize,
    /// How many records of each kind that there is.
    records: Vec<RecordCount>,
    /// People and what lets them in: users, credentials, device accesses and access tokens, the first 100.
    first: Vec<VendorRecord>,
}

/// How many records of a kind there are.
#[derive(SimpleObject)]
pub(crate) struct RecordCount {
    /// The kind.
    kind: RecordKind,
    /// How many.
    count: u64,
}

/// The answer of mutations that change a vendor account.
#[derive(Default, SimpleObject)]
pub(crate) struct VendorAccountPayload {
    /// The account; null if it was refused.
    vendor_account: Option<VendorAccount>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of `rotateWebhookAddress`.
#[derive(Default, SimpleObject)]
pub(crate) struct RotateWebhookAddressPayload {
    /// The account; null if it was refused.
    vendor_account: Option<VendorAccount>,
    /// The new address. Shown this once: who knows it may send there.
    webhook_url: Option<String>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of `replayWebhookDelivery`.
#[derive(Default, SimpleObject)]
pub(crate) struct ReplayWebhookDeliveryPayload {
    /// The delivery; null if it was refused.
    webhook_delivery: Option<WebhookDelivery>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// A payload that can be a refusal.
pub(super) trait Refused: Default {
    fn refused(refusal: Refusal) -> Self;
}

macro_rules! refused {
    ($($payload:ident),+ $(,)?) => {
        $(impl Refused for $payload {
            fn refused(refusal: Refusal) -> Self {
                Self { user_errors: vec![refusal.into()], ..Self::default() }
            }
        })+
    };
}
refused!(
    LinkVendorAccountPayload,
    ReauthorizeVendorAccountPayload,
    UnlinkVendorAccountPayload,
    VendorAccountPayload,
    RotateWebhookAddressPayload,
    ReplayWebhookDeliveryPayload,
);

fn locations(found: Vec<(String, String)>) -> Vec<FoundLocation> {
    found.into_iter().map(|(location, name)| FoundLocation { location, name }).collect()
}

impl From<Linked> for LinkVendorAccountPayload {
    fn from(linked: Linked) -> Self {
        Self {
            vendor_account: Some(Arc::new(linked.account).into()),
            authorization_url: linked.authorization_url,
            webhook_url: linked.webhook_url.map(|url| url.expose().to_owned()),
            locations: locations(linked.locations),
            user_errors: Vec::new(),
        }
    }
}

impl From<Reauthorized> for ReauthorizeVendorAccountPayload {
    fn from(again: Reauthorized) -> Self {
        Self {
            vendor_account: Some(Arc::new(again.account).into()),
            authorization_url: again.authorization_url,
            locations: locations(again.locations),
            user_errors: Vec::new(),
        }
    }
}

impl From<Unlinked> for UnlinkVendorAccountPayload {
    fn from(unlinked: Unlinked) -> Self {
        let remains = unlinked.remains;
        let count = |(kind, count): (domain::record::RecordKind, u64)| RecordCount { kind: kind.into(), count };
        Self {
            vendor_account: Some(Arc::new(unlinked.account).into()),
            remains: Some(Remains {
                devices: remains.devices,
                records: remains.records.into_iter().map(count).collect(),
                first: remains.listed.into_iter().map(|row| Arc::new(row).into()).collect(),
            }),
            user_errors: Vec::new(),
        }
    }
}

impl From<entities::rows::vendor_account::Model> for VendorAccountPayload {
    fn from(row: entities::rows::vendor_account::Model) -> Self {
        Self { vendor_account: Some(Arc::new(row).into()), user_errors: Vec::new() }
    }
}

impl From<(entities::rows::vendor_account::Model, domain::secret::Secret)> for RotateWebhookAddressPayload {
    fn from((row, url): (entities::rows::vendor_account::Model, domain::secret::Secret)) -> Self {
        Self {
            vendor_account: Some(Arc::new(row).into()),
            webhook_url: Some(url.expose().to_owned()),
            user_errors: Vec::new(),
        }
    }
}

impl From<entities::rows::webhook_delivery::Model> for ReplayWebhookDeliveryPayload {
    fn from(row: entities::rows::webhook_delivery::Model) -> Self {
        Self { webhook_delivery: Some(Arc::new(row).into()), user_errors: Vec::new() }
    }
}
