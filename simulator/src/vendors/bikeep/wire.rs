//! Bikeep's devices and commands as JSON, every documented field. Reads the state, changes nothing.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{
    device::{BikeepHealth, BikeepType, Device},
    rules::available,
    state::{Bikeep, Command},
};
use crate::{answer::Circumstances, faults::FaultKind};

/// Settings never change in the simulator.
const SETTINGS_SINCE: &str = "2025-01-15T12:00:00.000Z";

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Bikeep {
    /// A device as one account sees it.
    pub(crate) fn device_json(
        &self,
        account: usize,
        index: usize,
        base: &str,
        at: &Circumstances<'_>,
    ) -> Option<Value> {
        let device = self.devices.get(index)?;
        let account = self.accounts.get(account)?;
        let location = self.locations.get(device.location)?;
        let uri = format!("{base}/device/v1/devices/{}", device.id);
        let commands: Map<String, Value> = available(device, account)
            .map(|name| (name.word().to_owned(), Value::String(format!("{uri}/commands"))))
            .collect();
        let state = match at.fault {
            Some(FaultKind::UnknownStatusWord { word }) => word,
            _ => device.standing.value.word(),
        };
        // Settings and user require additional permissions; what stands there without them is not documented.
        let settings = account
            .admin
            .then(|| json!({ "updated_at": SETTINGS_SINCE, "created_at": SETTINGS_SINCE, "deep_link": "" }));
        let user = device.standing.user.as_ref().filter(|_| account.admin);
        let has_reader = matches!(device.kind, BikeepType::Guard | BikeepType::Locker | BikeepType::BikeHouseDoor);
        Some(json!({
            "wifi_rssi": null,
            "code": device.code,
            "nr": device.alias,
            "heartbeat": time(at.now),
            "sleep_state": device.sleep,
            "type": device.kind,
            "has_otp_support": false,
            "price_list": null,
            "heartbeat_latency": null,
            "alias": device.alias,
            "id": device.id,
            "state": {
                "changed_at": time(device.changed_at),
                "value": state,
                "timeout_at": device.standing.timeout_at.map(time),
            },
            "heartbeat_v2": heartbeat(device, at.now),
            "commands": commands,
            "has_access_lists": has_reader,
            "has_subscription": true,
            "settings": settings,
            "lock_state": if device.bolted { "LOCKED" } else { "UNLOCKED" },
            "heartbeat_health": coarse_health(device.health),
            "uri": uri,
            "power_save_strategy": device.power_save,
            "tags": [],
            "comment": "",
            "location": { "id": location.id, "uri": format!("{base}/location/v1/locations/{}", location.id) },
            "user": user.map(|id| json!({ "id": id, "access_key": "" })),
            "has_allowlist": has_reader,
            "hardware_id": hardware_id(&device.id),
            "hardware_state": device.hardware,
            "has_camera": device.camera,
        }))
    }

    /// A command; `word` replaces its state's word.
    pub(crate) fn command_json(&self, id: &str, command: &Command, base: &str, word: Option<&str>) -> Value {
        let device = self.device_id(command.device);
        let events: Vec<Value> = command
            .events
            .iter()
            .map(|(name, value, at)| json!({ "name": name, "value": value, "timestamp": time(*at) }))
            .collect();
        json!({
            "name": command.order.name.word(),
            "id": id,
            "state": {
                "reason": command.reason,
                "value": word.unwrap_or(command.progress.word()),
                "timeout_at": command.timeout_at.map(time),
            },
            "uri": format!("{base}/device/v1/commands/{id}"),
            "device": { "uri": format!("{base}/device/v1/devices/{device}"), "id": device },
            "events": events,
        })
    }
}

/// Only `health` and `dead_since` are real; `sent_at` is simulated by the vendor, too.
fn heartbeat(device: &Device, now: DateTime<Utc>) -> Option<Value> {
    let sent = now.checked_sub_signed(TimeDelta::seconds(10)).unwrap_or(now);
    device.health.map(|health| {
        json!({
            "sent_at": time(sent),
            "latency_millis": 0,
            "health": health,
            "dead_since": device.dead_since.map(time),
        })
    })
}

/// The deprecated field does not know LONG_DEAD.
fn coarse_health(health: Option<BikeepHealth>) -> Option<&'static str> {
    health.map(|health| match health {
        BikeepHealth::Healthy => "HEALTHY",
        BikeepHealth::Unhealthy => "UNHEALTHY",
        BikeepHealth::Dead | BikeepHealth::LongDead => "DEAD",
    })
}

fn hardware_id(device: &str) -> String {
    let tail = device.get(8..).unwrap_or_default();
    format!("4a4d0000{tail}")
}
