//! Opening doors, by their position alone: by its use a door would open together with others.

use async_trait::async_trait;
use domain::command::Action;
use http::Method;

use super::{
    client::{Raixer, Write},
    mapping::answers,
};
use crate::{
    error::VendorError,
    port::{Departure, DoorControl, Receipt, Target},
};

#[async_trait]
impl DoorControl for Raixer {
    async fn dispatch(&self, action: &Action, target: &Target, departure: &Departure) -> Result<Receipt, VendorError> {
        let Action::OpenDoor = action else {
            return Err(VendorError::unsupported("Raixer opens doors and does nothing else with them."));
        };
        let position = position(target)?;
        let write = Write {
            operation: "open door",
            method: Method::POST,
            path: &["devices", &target.device, "open-door", &position.to_string()],
            body: None,
        };
        let reply = self.write(write, departure).await?;
        let note = answers::of_one_door(reply.json()?, |words| self.caller.clean(words))?;
        Ok(Receipt { answer: answers::done(), door: None, notes: note.into_iter().collect() })
    }

    async fn poll(&self, _: &str, _: &Target) -> Result<Receipt, VendorError> {
        Err(VendorError::unsupported("Raixer answers at once and keeps no commands to ask for."))
    }
}

/// The number that names the door, and it alone.
pub(super) fn position(target: &Target) -> Result<i32, VendorError> {
    target.position.filter(|position| (1..=3).contains(position)).ok_or_else(|| {
        VendorError::unsupported("A Raixer door is reached by the number of its port, and this one has none.")
    })
}

#[cfg(test)]
mod tests;
