//! Changes of Bikeep's world. Nothing else.

use serde_json::json;

use super::WorldChange;
use crate::{
    answer::Circumstances,
    vendors::bikeep::{Bikeep, BikeepHealth, BikeepNotice, BikeepSleep},
};

/// Applies a change of Bikeep. None if nothing has the id.
pub(super) fn apply(bikeep: &mut Bikeep, change: WorldChange, at: &Circumstances<'_>) -> Option<()> {
    if let WorldChange::BikeepNotice { user, notice, data } = change {
        let account = bikeep.accounts.iter().position(|account| account.user == user)?;
        // The data names its subject itself, so nothing but a repetition of it takes its place.
        let subject = data.to_string();
        bikeep.notice(account, notice, &subject, data, at.now, at);
        return Some(());
    }
    let index = bikeep.device_index(super::subject(&change))?;
    match change {
        WorldChange::BikeepByHand { locked, user, .. } => bikeep.moved_by_hand(index, locked, user, at),
        WorldChange::BikeepSleep { sleep, .. } => {
            bikeep.devices.get_mut(index)?.sleep = sleep;
            if sleep == BikeepSleep::Awake {
                bikeep.woken(index, at);
            }
        }
        WorldChange::BikeepHealth { health, .. } => {
            let device = bikeep.devices.get_mut(index)?;
            let before = device.reachable();
            device.health = health;
            let dead = matches!(health, Some(BikeepHealth::Dead | BikeepHealth::LongDead));
            device.dead_since = if dead { device.dead_since.or(Some(at.now)) } else { None };
            bikeep.connection_changed(index, before, at);
        }
        WorldChange::BikeepHardware { hardware, .. } => {
            let device = bikeep.devices.get_mut(index)?;
            let before = device.reachable();
            device.hardware = hardware;
            bikeep.connection_changed(index, before, at);
        }
        WorldChange::BikeepAlarm { category, reason, .. } => {
            let data = json!({ "alarm_category": category, "alarm_reason": reason });
            bikeep.notice_at(index, BikeepNotice::Alarm, data, at.now, at);
        }
        WorldChange::BikeepStatus { status, .. } => bikeep.notice_status(index, &status, at.now, at),
        _ => return None,
    }
    Some(())
}
