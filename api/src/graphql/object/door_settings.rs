//! What is configured on a door at its vendor, as the schema shows it.

use async_graphql::SimpleObject;
use domain::{change, device};

use crate::graphql::words::{DoorUse, PortSide, SensorMode};

/// A door's settings at its vendor. What is null, the vendor does not tell.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct DoorSettings {
    /// A name for people.
    name: Option<String>,
    /// Its use.
    usage: Option<DoorUse>,
    /// What it is wired to.
    port: Option<PortSide>,
    /// What its line is used for.
    sensor_mode: Option<SensorMode>,
    /// The line's value at which it reacts, in the vendor's unit.
    opening_value: Option<f64>,
    /// How far the line may be off that value.
    tolerance: Option<f64>,
    /// After how many openings AutoAccess ends by itself.
    max_openings: Option<u32>,
    /// How long it waits before it opens, in the vendor's unit.
    wait_time_first: Option<u32>,
    /// Whether it opens twice.
    two_openings: Option<bool>,
    /// Whether the bell must be rung before it opens.
    must_call_bell_first: Option<bool>,
    /// Whether the intercom calls first.
    intercom_call_first: Option<bool>,
    /// Whether the intercom may switch AutoAccess on.
    intercom_enable_auto_access: Option<bool>,
}

impl From<change::DoorSettings> for DoorSettings {
    fn from(settings: change::DoorSettings) -> Self {
        Self {
            name: settings.name,
            usage: settings.usage.map(Into::into),
            port: settings.port.map(Into::into),
            sensor_mode: settings.sensor_mode.map(Into::into),
            opening_value: settings.opening_value,
            tolerance: settings.tolerance,
            max_openings: settings.max_openings,
            wait_time_first: settings.wait_time_first,
            two_openings: settings.two_openings,
            must_call_bell_first: settings.must_call_bell_first,
            intercom_call_first: settings.intercom_call_first,
            intercom_enable_auto_access: settings.intercom_enable_auto_access,
        }
    }
}

/// Who may open a door by telephone. Any caller is a security posture that should be seen.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct PhoneAccess {
    /// Whether authorised telephones may.
    enabled: bool,
    /// Whether any telephone may.
    any_caller: bool,
    /// The number to call, if it has one.
    number: Option<String>,
}

impl From<device::PhoneAccess> for PhoneAccess {
    fn from(access: device::PhoneAccess) -> Self {
        let device::PhoneAccess { enabled, any_caller, number } = access;
        Self { enabled, any_caller, number }
    }
}
