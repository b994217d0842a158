//! Changes of ParqEx's world. Nothing else.

use super::WorldChange;
use crate::{
    answer::Circumstances,
    journal::{EffectKind, Place},
    vendors::{
        Vendor,
        parqex::{Consent, DoorState, Parqex, plain_id},
    },
};

/// Applies a change of ParqEx. None if nothing has the id.
pub(super) fn apply(parqex: &mut Parqex, change: WorldChange, at: &Circumstances<'_>) -> Option<()> {
    match change {
        WorldChange::ParqexDoor { door, open } => {
            let index = parqex.door_index(&plain_id(&door))?;
            let door = parqex.doors.get(index)?;
            let device = parqex.controllers.get(door.controller)?;
            let place =
                Place { vendor: Vendor::Parqex, device: &device.id, door: Some(&door.id), position: Some(door.entity) };
            at.journal.effect(place, EffectKind::ByHand, at.now, None);
            parqex.sensed(index, if open { DoorState::Open } else { DoorState::Closed }, at);
        }
        WorldChange::ParqexSensor { door, sensor } => {
            let index = parqex.door_index(&plain_id(&door))?;
            parqex.doors.get_mut(index)?.sensor = sensor;
        }
        WorldChange::ParqexReachable { device, reachable } => {
            let controller = parqex.controller_mut(&plain_id(&device))?;
            if controller.reachable && !reachable {
                controller.last_contact = at.now;
            }
            controller.reachable = reachable;
        }
        WorldChange::ParqexShared { device, user, shared } => {
            let user = parqex.account_named(&user)?;
            parqex.share(&plain_id(&device), user, shared)?;
        }
        WorldChange::ParqexNamed { door, user, name } => {
            let door = parqex.door_index(&plain_id(&door))?;
            let user = parqex.account_named(&user)?;
            parqex.accounts.get_mut(user)?.names.insert(door, name);
        }
        WorldChange::ParqexRevoked { user } => {
            let user = parqex.account_named(&user)?;
            parqex.grants.revoke(user).then_some(())?;
        }
        WorldChange::ParqexConsent { user, denied } => {
            let user = match user {
                Some(email) => Some(parqex.account_named(&email)?),
                None => None,
            };
            parqex.consent = Consent { user, denied };
        }
        WorldChange::ParqexRedirects { uris } => parqex.application.redirect_uris = uris,
        WorldChange::ParqexStatus { status } => parqex.status = status,
        _ => return None,
    }
    Some(())
}
