//! What a vendor documents of a device beyond what every vendor tells, as the schema shows it.

use async_graphql::SimpleObject;
use domain::{clock::Timestamp, device};

/// What a vendor documents of a device beyond what every vendor tells. What is null, the vendor does not tell.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct DeviceDetails {
    /// The vendor's id of its owner.
    owner: Option<String>,
    /// Its number or code on the hardware.
    serial_number: Option<String>,
    /// Degrees north.
    latitude: Option<f64>,
    /// Degrees east.
    longitude: Option<f64>,
    /// Since when it reports no more, or when it last did.
    last_contact_at: Option<Timestamp>,
    /// Whether AutoAccess is always active.
    auto_access_always_active: Option<bool>,
    /// Whether AutoAccess is on while it is offline.
    offline_auto_access: Option<bool>,
    /// Other documented values, under the vendor's names.
    more: Vec<DeviceDetail>,
}

/// A value that a vendor documents of a device.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct DeviceDetail {
    /// The vendor's name of it.
    name: String,
    /// The value.
    value: String,
}

impl From<device::DeviceDetails> for DeviceDetails {
    fn from(details: device::DeviceDetails) -> Self {
        Self {
            owner: details.owner,
            serial_number: details.serial_number,
            latitude: details.latitude,
            longitude: details.longitude,
            last_contact_at: details.last_contact_at,
            auto_access_always_active: details.auto_access_always_active,
            offline_auto_access: details.offline_auto_access,
            more: details.more.into_iter().map(|(name, value)| DeviceDetail { name, value }).collect(),
        }
    }
}
