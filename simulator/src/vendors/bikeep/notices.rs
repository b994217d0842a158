//! Bikeep's webhooks: what is collected for how long before it is sent, and the envelope with its hash. There is none for
//! ordinary movements and none for commands.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    state::{Bikeep, Due},
    wire::time,
};
use crate::{
    answer::Circumstances,
    clock::later,
    options::{BikeepHash, BikeepWebhooks},
    vendors::Vendor,
};

/// How long a location must be offline for a real outage.
const OUTAGE: Duration = Duration::from_secs(2 * 3600);

/// The documented types of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BikeepNotice {
    /// A device went online or offline.
    Connection,
    /// A location has been offline for two hours.
    ConnectionConfirmed,
    /// A hardware alarm.
    Alarm,
    /// Somebody has been parking for long.
    ParkingReminder,
    /// An abnormal state persists.
    Status,
    /// A report is ready.
    Report,
    /// A log entry was created, updated or deleted.
    MaintenanceLog,
}

impl BikeepNotice {
    /// How long notices of this type are collected; the last two go at once.
    fn window(self) -> Option<Duration> {
        let minutes = match self {
            BikeepNotice::Connection | BikeepNotice::Status => 5,
            BikeepNotice::ConnectionConfirmed => 15,
            BikeepNotice::Alarm => 1,
            BikeepNotice::ParkingReminder => 24 * 60,
            BikeepNotice::Report | BikeepNotice::MaintenanceLog => return None,
        };
        Some(Duration::from_secs(minutes * 60))
    }
}

/// What waits for the end of its window, and how it will be wrapped.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    pub(crate) options: BikeepWebhooks,
    /// By account and type: subject and data. Of one subject only the last is sent.
    collected: BTreeMap<(usize, BikeepNotice), Vec<(String, Value)>>,
}

impl Bikeep {
    /// Collects a notice, or sends it if its type is not collected.
    pub(crate) fn notice(
        &mut self,
        account: usize,
        notice: BikeepNotice,
        subject: &str,
        data: Value,
        when: DateTime<Utc>,
        at: &Circumstances<'_>,
    ) {
        let collected = self.notices.collected.entry((account, notice)).or_default();
        let first = collected.is_empty();
        collected.retain(|(known, _)| known != subject);
        collected.push((subject.to_owned(), data));
        match notice.window() {
            Some(window) if first => self.schedule(later(when, window), Due::Notices { account, notice }),
            Some(_) => {}
            None => self.send_notices(account, notice, at),
        }
    }

    /// Sends what was collected. Whether several are one list or one webhook each is not documented.
    pub(crate) fn send_notices(&mut self, account: usize, notice: BikeepNotice, at: &Circumstances<'_>) {
        let collected = self.notices.collected.remove(&(account, notice)).unwrap_or_default();
        let data: Vec<Value> = collected.into_iter().map(|(_, data)| data).collect();
        let data = if self.notices.options.as_list { vec![Value::Array(data)] } else { data };
        let Some(account) = self.accounts.get(account) else { return };
        for data in data {
            let hash = hash(self.notices.options.hash, &account.client.webhook_seed, &data.to_string());
            let body = json!({ "type": notice, "data": data, "version": 2, "hash": hash });
            at.webhooks.fire(Vendor::Bikeep, &account.user, body);
        }
    }

    /// Notices that a device went online or offline, and its location with it.
    pub(crate) fn connection_changed(&mut self, index: usize, before: bool, at: &Circumstances<'_>) {
        let Some(device) = self.devices.get(index) else { return };
        let now_online = device.reachable();
        let (id, place) = (device.id.clone(), device.location);
        if before == now_online {
            return;
        }
        let Self { locations, devices, .. } = self;
        let Some(location) = locations.get_mut(place) else { return };
        let online = |index: &usize| devices.get(*index).is_some_and(super::device::Device::reachable);
        let anything_online = location.devices.iter().any(online);
        location.offline_since = (!anything_online).then(|| location.offline_since.unwrap_or(at.now));
        let (account, offline_since) = (location.account, location.offline_since);
        let data = json!({
            "location_id": location.id,
            "device_id": id,
            "connection": if now_online { "online" } else { "offline" },
            "occurred_at": time(at.now),
        });
        if let Some(since) = offline_since {
            self.schedule(later(since, OUTAGE), Due::Outage { location: place, since });
        }
        self.notice(account, BikeepNotice::Connection, &id, data, at.now, at);
    }

    /// Notices a real outage, if the location has not been online in between.
    pub(crate) fn confirm_outage(
        &mut self,
        location: usize,
        since: DateTime<Utc>,
        when: DateTime<Utc>,
        at: &Circumstances<'_>,
    ) {
        let Some(location) = self.locations.get(location).filter(|location| location.offline_since == Some(since))
        else {
            return;
        };
        let (account, id) = (location.account, location.id.clone());
        let data = json!({ "location_id": id, "connection": "offline", "offline_since": time(since) });
        self.notice(account, BikeepNotice::ConnectionConfirmed, &id, data, when, at);
    }

    /// Notices that an abnormal state persists. The words of `status` are not documented.
    pub(crate) fn notice_status(&mut self, index: usize, status: &str, when: DateTime<Utc>, at: &Circumstances<'_>) {
        self.notice_at(index, BikeepNotice::Status, json!({ "status": status }), when, at);
    }

    /// Notices something at a device: ids and time are added to the data.
    pub(crate) fn notice_at(
        &mut self,
        index: usize,
        notice: BikeepNotice,
        mut data: Value,
        when: DateTime<Utc>,
        at: &Circumstances<'_>,
    ) {
        let Some(device) = self.devices.get(index) else { return };
        let Some(location) = self.locations.get(device.location) else { return };
        let subject = format!("{} {data}", device.id);
        if let Some(fields) = data.as_object_mut() {
            fields.insert("location_id".to_owned(), json!(location.id));
            fields.insert("device_id".to_owned(), json!(device.id));
            fields.insert("occurred_at".to_owned(), json!(time(when)));
        }
        let account = location.account;
        self.notice(account, notice, &subject, data, when, at);
    }
}

/// The hash in the envelope. What exactly is hashed is not documented; both candidates take the seed and `data` as sent.
fn hash(how: BikeepHash, seed: &str, data: &str) -> String {
    let digest = match how {
        BikeepHash::Sha256 => Sha256::digest(format!("{seed}{data}")),
        BikeepHash::HmacSha256 => {
            let mut key = [0_u8; 64];
            let short = if seed.len() > key.len() { Sha256::digest(seed).to_vec() } else { seed.as_bytes().to_vec() };
            key.iter_mut().zip(short).for_each(|(place, byte)| *place = byte);
            let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(data).finalize();
            Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize()
        }
    };
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standards() {
        // RFC 4231, test case 2.
        assert_eq!(
            hash(BikeepHash::HmacSha256, "Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hash(BikeepHash::Sha256, "a", "bc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
