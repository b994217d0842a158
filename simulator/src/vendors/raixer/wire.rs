//! Raixer's devices, doors and connections as JSON, every documented field. Reads the state, changes nothing.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::state::{Connection, Device, Door, Raixer};

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Raixer {
    /// R20: owned devices only; shared ones are reachable through the connections.
    pub(crate) fn owned_devices_json(&self, account: usize) -> Value {
        (0..self.devices.len())
            .filter(|index| {
                self.devices.get(*index).is_some_and(|device| device.owner == account) && self.exists(*index)
            })
            .map(|index| self.device_json(index))
            .collect()
    }

    /// R19.
    pub(crate) fn device_json(&self, index: usize) -> Value {
        let Some(device) = self.devices.get(index) else { return Value::Null };
        let owner = self.accounts.get(device.owner).map(|account| account.id.as_str());
        json!({
            "_id": device.id,
            "owner": owner,
            "name": device.name,
            "online": device.online,
            "type": "intercom",
            "version": "v2",
            "campaignId": device.campaign,
            "created": time(device.created),
            "updated": time(device.updated),
        })
    }

    /// R21, in the order of positions.
    pub(crate) fn doors_json(&self, index: usize) -> Value {
        let Some(device) = self.devices.get(index) else { return Value::Null };
        // Document 001, schedules: "the default port, the first one (right)".
        let ports = [json!("right"), json!("left")].into_iter().chain(std::iter::repeat(Value::Null));
        device.doors.iter().zip(ports).map(|(door, port)| door_json(device, door, &port)).collect()
    }

    /// R13, with the users of the connections.
    pub(crate) fn device_connections_json(&self, index: usize) -> Value {
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

    /// R15, with the devices and their doors.
    pub(crate) fn connections_json(&self, account: usize) -> Value {
        let connections = self.accounts.get(account).map(|account| account.connections.as_slice()).unwrap_or_default();
        connections
            .iter()
            .filter_map(|connection| self.connections.get(*connection))
            .filter_map(|connection| Some((connection, self.devices.get(connection.device)?)))
            .map(|(connection, device)| {
                let mut inner = self.device_json(connection.device);
                inner["doors"] = self.doors_json(connection.device);
                inner["inUseComplete"] = json!([]);
                inner["openingsComplete"] = json!([]);
                inner["campaign"] = json!({ "_id": device.campaign });
                let mut body = self.connection_json(connection, device);
                body["device"] = inner;
                body
            })
            .collect()
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
            "name": device.name,
        })
    }
}

fn door_json(device: &Device, door: &Door, port: &Value) -> Value {
    json!({
        "_id": door.id,
        "openingValue": 7500,
        "tolerance": 1000,
        "maxOpenings": 7,
        "waitTimeFirst": 0,
        "twoOpenings": false,
        "mustCallBellFirst": false,
        "remainingOpenings": 100,
        "remainingTestOpenings": 25,
        "remainingPhoneCalls": 100,
        "remainingRaixerPhoneCalls": 25,
        "sensorMode": "bell",
        "name": door.name,
        "port": port,
        "use": door.usage,
        "deviceId": device.id,
        "created": time(device.created),
        "updated": time(device.updated),
        "intercomCallFirst": false,
        "intercomEnableAutoAccess": true,
        "phoneNumber": null,
        "callingEnabled": false,
        "anyCallerEnabled": false,
    })
}
