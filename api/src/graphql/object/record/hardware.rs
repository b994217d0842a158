//! Records that describe a device: its sensors, its plan, when its doors will listen to their bells.

use async_graphql::SimpleObject;
use domain::{clock::Timestamp, record};

use crate::graphql::words::{CampaignKind, PortSide};

/// A sensor of a device.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct SensorDetails {
    /// What it senses, in the vendor's word (`movement`).
    usage: Option<String>,
    /// What it is wired to.
    port: Option<PortSide>,
}

impl From<record::SensorDetails> for SensorDetails {
    fn from(told: record::SensorDetails) -> Self {
        Self { usage: told.usage, port: told.port.map(Into::into) }
    }
}

/// A device's plan at its vendor.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct CampaignDetails {
    /// What it is for.
    campaign_kind: CampaignKind,
    /// Its mode, in the vendor's word.
    mode: Option<String>,
    /// What it costs, in the vendor's unit.
    price: Option<f64>,
    /// What has accumulated, in the vendor's unit.
    accumulated: Option<f64>,
    /// Its time, in the vendor's unit, where its mode has one.
    time: Option<f64>,
    /// The vendor's id of the subscription that pays for it.
    subscription_external_id: Option<String>,
    /// Whether the bell opens while the device is offline, where the vendor tells.
    offline_auto_access: Option<bool>,
    /// Whether AutoAccess is always active, where the vendor tells.
    auto_access_always_active: Option<bool>,
}

impl From<record::CampaignDetails> for CampaignDetails {
    fn from(told: record::CampaignDetails) -> Self {
        Self {
            campaign_kind: told.campaign_kind.into(),
            mode: told.mode,
            price: told.price,
            accumulated: told.accumulated,
            time: told.time,
            subscription_external_id: told.subscription,
            offline_auto_access: told.offline_auto_access,
            auto_access_always_active: told.auto_access_always_active,
        }
    }
}

/// When a door will listen to its bell.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct AutoAccessScheduleDetails {
    /// The vendor's id of the campaign that it belongs to.
    campaign_external_id: Option<String>,
    /// When the door begins to listen.
    starts_at: Option<Timestamp>,
    /// For how many minutes.
    minutes: u32,
    /// The door's position on its device, from 1.
    position: Option<i32>,
}

impl From<record::AutoAccessScheduleDetails> for AutoAccessScheduleDetails {
    fn from(told: record::AutoAccessScheduleDetails) -> Self {
        Self {
            campaign_external_id: told.campaign,
            starts_at: Some(told.starts_at),
            minutes: told.minutes,
            position: told.position,
        }
    }
}
