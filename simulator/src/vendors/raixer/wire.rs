//! Raixer's devices, doors and connections as JSON, every documented field, and the answers of its database. Reads the state,
//! changes nothing.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{
    doors::Door,
    state::{Connection, Device, Raixer, RaixerKind},
};

pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Something was inserted.
pub(super) fn inserted(id: &str) -> Value {
    json!({ "insertedId": id, "result": { "n": 1, "ok": 1 } })
}

/// Something was updated. Also if it was the same before: its `updated` is new.
pub(super) fn updated() -> Value {
    json!({ "n": 1, "nModified": 1, "ok": 1 })
}

/// Something was deleted.
pub(super) fn deleted() -> Value {
    json!({ "n": 1, "ok": 1 })
}

impl Raixer {
    /// R20: owned devices only; shared ones are reachable through the connections.
    pub(super) fn owned_devices_json(&self, account: usize) -> Value {
        (0..self.devices.len())
            .filter(|index| {
                self.devices.get(*index).is_some_and(|device| device.owner == Some(account)) && self.exists(*index)
            })
            .map(|index| self.device_json(index))
            .collect()
    }

    /// R19.
    pub(super) fn device_json(&self, index: usize) -> Value {
        let Some(device) = self.devices.get(index) else { return Value::Null };
        let owner = device.owner.and_then(|owner| self.accounts.get(owner)).map(|account| account.id.as_str());
        json!({
            "_id": device.id,
            "owner": owner,
            "name": device.name,
            "online": device.online,
            "type": if device.kind == RaixerKind::Power { "power" } else { "intercom" },
            "version": "v2",
            "campaignId": device.campaign,
            "created": time(device.created),
            "updated": time(device.updated),
        })
    }

    /// R21, in the order of configuration.
    pub(super) fn doors_json(&self, index: usize) -> Value {
        let Some(device) = self.devices.get(index) else { return Value::Null };
        device.doors.iter().map(|door| door_json(device, door)).collect()
    }

    /// R13, with the users of the connections.
    pub(super) fn device_connections_json(&self, index: usize) -> Value {
        let Some(device) = self.devices.get(index) else { return Value::Null };
        let connections = device.connections.iter().filter_map(|connection| self.connections.get(*connection));
        connections
            .map(|connection| {
                let mut body = self.connection_json(connection, device);
                if let Some(owner) = self.accounts.get(connection.account) {
                    body["ownerName"] = json!(owner.name);
                    body["ownerEmail"] = json!(owner.email);
                }
                body
            })
            .collect()
    }

    /// R14, with the device and its schedules.
    pub(super) fn one_connection_json(&self, index: usize) -> Value {
        let Some(connection) = self.connections.get(index) else { return Value::Null };
        let mut body = self.full_connection_json(connection);
        let campaign = self.devices.get(connection.device).and_then(|device| device.campaign.as_deref());
        body["schedules"] = self.schedules_json(|schedule| Some(schedule.campaign.as_str()) == campaign);
        body
    }

    /// R15, with the devices and their doors.
    pub(super) fn connections_json(&self, account: usize) -> Value {
        self.own_connections(account).map(|connection| self.full_connection_json(connection)).collect()
    }

    /// R16: first those to intercoms, then those to power devices, each the newest first.
    pub(super) fn ordered_connections_json(&self, account: usize) -> Value {
        let mut own: Vec<&Connection> = self.own_connections(account).collect();
        own.reverse();
        own.sort_by_key(|connection| std::cmp::Reverse(connection.created));
        let is_power = |connection: &&Connection| {
            self.devices.get(connection.device).is_some_and(|device| device.kind == RaixerKind::Power)
        };
        let (power, intercoms): (Vec<&Connection>, Vec<&Connection>) = own.into_iter().partition(is_power);
        let group = |connections: Vec<&Connection>| {
            connections.into_iter().map(|connection| self.full_connection_json(connection)).collect::<Value>()
        };
        json!([group(intercoms), group(power)])
    }

    fn own_connections(&self, account: usize) -> impl Iterator<Item = &Connection> {
        let connections = self.accounts.get(account).map(|account| account.connections.as_slice()).unwrap_or_default();
        connections.iter().filter_map(|connection| self.connections.get(*connection))
    }

    fn full_connection_json(&self, connection: &Connection) -> Value {
        let Some(device) = self.devices.get(connection.device) else { return Value::Null };
        let mut inner = self.device_json(connection.device);
        inner["doors"] = self.doors_json(connection.device);
        inner["inUseComplete"] = json!([]);
        inner["openingsComplete"] = json!([]);
        inner["campaign"] = device.campaign.as_deref().map_or(Value::Null, |campaign| self.campaign_json(campaign));
        let mut body = self.connection_json(connection, device);
        body["device"] = inner;
        body
    }

    fn connection_json(&self, connection: &Connection, device: &Device) -> Value {
        json!({
            "_id": connection.id,
            "owner": self.accounts.get(connection.account).map(|account| account.id.as_str()),
            "deviceId": device.id,
            "profile": connection.profile,
            "disabled": connection.disabled,
            "created": time(connection.created),
            "updated": time(connection.updated),
            "name": connection.name.as_ref().unwrap_or(&device.name),
        })
    }
}

fn door_json(device: &Device, door: &Door) -> Value {
    let mut body = Value::Object(door.fields.clone());
    body["_id"] = json!(door.id);
    body["deviceId"] = json!(device.id);
    body["created"] = json!(time(door.created));
    body["updated"] = json!(time(door.updated));
    body
}
