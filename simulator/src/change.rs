//! What the world does to the hardware without the API: hands, sensors, batteries, and administrators at the vendor. One change
//! at a time, each checked before anything is touched.

mod bikeep;
mod parqex;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    engine::Engine,
    lock::locked,
    options::ParqexStatus,
    vendors::{
        Vendor,
        bikeep::{BikeepHardware, BikeepHealth, BikeepNotice, BikeepSleep},
        lockt::LocktChange,
        mews::MewsChange,
        parqex::plain_id,
        raixer::RaixerChange,
    },
};

/// One change of the world. Over the control API: `POST /_sim/world/<name>` with the fields as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum WorldChange {
    /// Somebody locks or unlocks a Bikeep device by hand, with a card or a key.
    BikeepByHand {
        /// Device id.
        device: String,
        /// Whether it is locked afterwards.
        locked: bool,
        /// Who occupies it when locked.
        #[serde(default)]
        user: Option<String>,
    },
    /// A Bikeep device's health changes; absent means that no health data is available.
    BikeepHealth {
        /// Device id.
        device: String,
        /// The new health.
        health: Option<BikeepHealth>,
    },
    /// A Bikeep device falls asleep or is woken at the spot.
    BikeepSleep {
        /// Device id.
        device: String,
        /// The new state; the empty word is awake.
        sleep: BikeepSleep,
    },
    /// A Bikeep device's hardware changes its state.
    BikeepHardware {
        /// Device id.
        device: String,
        /// The new state.
        hardware: BikeepHardware,
    },
    /// A Bikeep device raises an alarm.
    BikeepAlarm {
        /// Device id.
        device: String,
        /// Such as `security`.
        category: String,
        /// Such as `wire_cut`.
        reason: String,
    },
    /// A Bikeep device has been in an abnormal state for long, such as a door held open.
    BikeepStatus {
        /// Device id.
        device: String,
        /// What is abnormal.
        status: String,
    },
    /// Bikeep has something else to tell an account.
    BikeepNotice {
        /// The account's user id.
        user: String,
        /// The webhook's type.
        notice: BikeepNotice,
        /// Its data as it is sent.
        data: serde_json::Value,
    },
    /// A Raixer device goes online or offline.
    RaixerOnline {
        /// Device id.
        device: String,
        /// Whether it is online.
        online: bool,
    },
    /// Something else happens at a Raixer device: `what` says what.
    Raixer(RaixerChange),
    /// A user's connections to a Raixer device are disabled or enabled.
    RaixerConnection {
        /// Device id.
        device: String,
        /// User of HTTP Basic.
        user: String,
        /// Whether they are disabled.
        disabled: bool,
    },
    /// A ParqEx sensor sees a door open or closed.
    ParqexDoor {
        /// Door id.
        door: String,
        /// Whether it is open.
        open: bool,
    },
    /// A sensor is paired with a ParqEx door, or lost.
    ParqexSensor {
        /// Door id.
        door: String,
        /// Whether there is a sensor.
        sensor: bool,
    },
    /// A ParqEx controller is plugged in or unplugged.
    ParqexReachable {
        /// Controller id.
        device: String,
        /// Whether it can be reached.
        reachable: bool,
    },
    /// The owner of a ParqEx controller gives somebody access to it, or takes it away.
    ParqexShared {
        /// Controller id.
        device: String,
        /// The other user's e-mail address.
        user: String,
        /// Whether they have access.
        shared: bool,
    },
    /// A ParqEx user calls a door something else than its owner does.
    ParqexNamed {
        /// Door id.
        door: String,
        /// The user's e-mail address.
        user: String,
        /// Their name for it.
        name: String,
    },
    /// A ParqEx user withdraws what they authorized: their tokens die at once.
    ParqexRevoked {
        /// The user's e-mail address.
        user: String,
    },
    /// Who sits in front of ParqEx's authorization page from now on, and what they do.
    ParqexConsent {
        /// The user's e-mail address; the first user if absent.
        #[serde(default)]
        user: Option<String>,
        /// Whether they deny.
        #[serde(default)]
        denied: bool,
    },
    /// The redirect URIs registered at ParqEx; any is accepted while there are none.
    ParqexRedirects {
        /// All of them.
        uris: Vec<String>,
    },
    /// Which HTTP status ParqEx's error messages have from now on.
    ParqexStatus {
        /// The new policy.
        status: ParqexStatus,
    },
    /// Something happens at Lockt: the field `what` says what.
    Lockt(LocktChange),
    /// Something happens at Mews: the field `what` says what.
    Mews(MewsChange),
    /// A vendor revokes or restores a token or an account.
    Credential {
        /// At which vendor.
        vendor: Vendor,
        /// The (access) token, Raixer's user, or Lockt's `apiuser`.
        credential: String,
        /// Whether it is accepted.
        valid: bool,
    },
    /// A device (a controller at ParqEx, a door at Lockt, a resource at Mews) disappears from the vendor's records.
    Removed {
        /// At which vendor.
        vendor: Vendor,
        /// Device id.
        device: String,
    },
    /// A device (a door at ParqEx) gets another name.
    Renamed {
        /// At which vendor.
        vendor: Vendor,
        /// Device id, or door id at ParqEx.
        device: String,
        /// The new name.
        name: String,
    },
}

/// Nothing in the world has this id; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NothingToChange(pub String);

impl fmt::Display for NothingToChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing here is called {}", self.0)
    }
}

impl std::error::Error for NothingToChange {}

/// Applies a change at the present moment, after everything due before it.
pub(crate) fn apply(engine: &Engine, change: WorldChange) -> Result<(), NothingToChange> {
    engine.settle();
    let at = engine.circumstances(None);
    let missing = match &change {
        WorldChange::Lockt(change) => change.subject(),
        WorldChange::Mews(change) => change.subject().to_owned(),
        WorldChange::Raixer(change) => change.subject().to_owned(),
        other => subject(other).to_owned(),
    };
    let done = match change {
        WorldChange::RaixerOnline { device, online } => {
            let mut raixer = locked(&engine.raixer);
            raixer.device_index(&device).map(|device| raixer.network(device, online, &at))
        }
        WorldChange::RaixerConnection { device, user, disabled } => {
            locked(&engine.raixer).disable(&device, &user, disabled)
        }
        WorldChange::Raixer(change) => locked(&engine.raixer).change(&change, &at),
        WorldChange::ParqexDoor { .. }
        | WorldChange::ParqexSensor { .. }
        | WorldChange::ParqexReachable { .. }
        | WorldChange::ParqexShared { .. }
        | WorldChange::ParqexNamed { .. }
        | WorldChange::ParqexRevoked { .. }
        | WorldChange::ParqexConsent { .. }
        | WorldChange::ParqexRedirects { .. }
        | WorldChange::ParqexStatus { .. } => parqex::apply(&mut locked(&engine.parqex), change, &at),
        WorldChange::Lockt(change) => locked(&engine.lockt).change(change, &at),
        WorldChange::Mews(change) => locked(&engine.mews).change(change, &at),
        WorldChange::Credential { vendor, credential, valid } => change_credential(engine, vendor, &credential, valid),
        WorldChange::Removed { vendor, device } => match vendor {
            Vendor::Bikeep => locked(&engine.bikeep).remove_device(&device).then_some(()),
            Vendor::Lockt => locked(&engine.lockt).remove_door(&device).then_some(()),
            Vendor::Mews => locked(&engine.mews).retire_resource(&device, &at),
            Vendor::Parqex => locked(&engine.parqex).remove_controller(&plain_id(&device)).then_some(()),
            Vendor::Raixer => locked(&engine.raixer).remove_device(&device).then_some(()),
        },
        WorldChange::Renamed { vendor, device, name } => rename(engine, vendor, &device, name),
        bikeep => bikeep::apply(&mut locked(&engine.bikeep), bikeep, &at),
    };
    done.ok_or(NothingToChange(missing))
}

fn subject(change: &WorldChange) -> &str {
    match change {
        WorldChange::BikeepByHand { device, .. }
        | WorldChange::BikeepHealth { device, .. }
        | WorldChange::BikeepSleep { device, .. }
        | WorldChange::BikeepHardware { device, .. }
        | WorldChange::BikeepAlarm { device, .. }
        | WorldChange::BikeepStatus { device, .. }
        | WorldChange::RaixerOnline { device, .. }
        | WorldChange::RaixerConnection { device, .. }
        | WorldChange::ParqexReachable { device, .. }
        | WorldChange::ParqexShared { device, .. }
        | WorldChange::Removed { device, .. }
        | WorldChange::Renamed { device, .. } => device,
        WorldChange::ParqexDoor { door, .. }
        | WorldChange::ParqexSensor { door, .. }
        | WorldChange::ParqexNamed { door, .. } => door,
        WorldChange::ParqexRevoked { user } | WorldChange::BikeepNotice { user, .. } => user,
        WorldChange::ParqexConsent { user, .. } => user.as_deref().unwrap_or("that"),
        WorldChange::Credential { .. } => "that credential",
        WorldChange::Lockt(_) | WorldChange::Mews(_) | WorldChange::Raixer(_) => "that",
        WorldChange::ParqexStatus { .. } | WorldChange::ParqexRedirects { .. } => "that",
    }
}

fn change_credential(engine: &Engine, vendor: Vendor, credential: &str, valid: bool) -> Option<()> {
    match vendor {
        Vendor::Lockt => locked(&engine.lockt).account_named(credential)?.valid = valid,
        Vendor::Mews => locked(&engine.mews).integration_mut(credential)?.enabled = valid,
        Vendor::Bikeep => {
            locked(&engine.bikeep).accounts.iter_mut().find(|account| account.token == credential)?.valid = valid;
        }
        Vendor::Parqex => {
            locked(&engine.parqex).accounts.iter_mut().find(|account| account.token == credential)?.valid = valid;
        }
        Vendor::Raixer => {
            locked(&engine.raixer).accounts.iter_mut().find(|account| account.user == credential)?.valid = valid;
        }
    }
    Some(())
}

fn rename(engine: &Engine, vendor: Vendor, id: &str, name: String) -> Option<()> {
    match vendor {
        Vendor::Lockt => locked(&engine.lockt).door_mut(id.parse().ok()?)?.name = name,
        Vendor::Mews => {
            let at = engine.circumstances(None);
            locked(&engine.mews).rename_resource(id, name, &at)?;
        }
        Vendor::Bikeep => {
            let mut bikeep = locked(&engine.bikeep);
            let index = bikeep.device_index(id)?;
            bikeep.devices.get_mut(index)?.alias = name;
        }
        Vendor::Parqex => {
            let mut parqex = locked(&engine.parqex);
            let index = parqex.door_index(&plain_id(id))?;
            parqex.doors.get_mut(index)?.name = name;
        }
        Vendor::Raixer => {
            let mut raixer = locked(&engine.raixer);
            let index = raixer.device_index(id)?;
            let device = raixer.devices.get_mut(index)?;
            device.name = name;
            device.updated = engine.clock.now();
        }
    }
    Some(())
}
