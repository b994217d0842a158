//! What the product asks of a vendor: small capability traits, in our words. No vendor's words appear here.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
pub use domain::device::{FoundDevice, FoundDoor};
use domain::{
    clock::{Clock, Timestamp},
    command::{Action, Answer},
    door::DoorReading,
};
use futures::stream::BoxStream;

use crate::error::VendorError;

/// Where an action goes, in the vendor's own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The vendor's id of the device.
    pub device: String,
    /// The vendor's type of the device, as the inventory told it (for example `BIKE_HOUSE_DOOR`).
    pub model: String,
    /// The vendor's id of the door; `None` for an action on the device itself.
    pub door: Option<String>,
    /// The door's position on the device, from 1.
    pub position: Option<i32>,
}

/// The last instant at which the bytes of a request may leave (rule 1), checked as late as the client can.
#[derive(Debug, Clone)]
pub struct Departure {
    /// The clock to check by.
    pub clock: Arc<dyn Clock>,
    /// From when on it is too late; `None` means never.
    pub latest: Option<Timestamp>,
}

impl Departure {
    /// Whether it is too late to send.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.latest.is_some_and(|latest| self.clock.now() >= latest)
    }
}

/// A vendor's answer about a command, with what it told of the door on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What it said of the command.
    pub answer: Answer,
    /// What it told of the door's state, if it did.
    pub door: Option<DoorReading>,
    /// The vendor's own words for the timeline, oldest first; never a secret. At most 20.
    pub notes: Vec<VendorNote>,
}

/// One line of a vendor's own account of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorNote {
    /// When, by the vendor's clock.
    pub at: Option<Timestamp>,
    /// What, in the vendor's word (for example `RESPONSE_UNLOCK`).
    pub text: String,
}

/// Carrying out actions on doors and devices.
#[async_trait]
pub trait DoorControl: Send + Sync {
    /// Sends an action. Called once per attempt, after the intent has been written.
    ///
    /// # Errors
    /// See [`VendorError`]; only its variants that say so prove that nothing happened.
    async fn dispatch(&self, action: &Action, target: &Target, departure: &Departure) -> Result<Receipt, VendorError>;

    /// Asks for the outcome of a pending command by the reference that the vendor gave.
    ///
    /// # Errors
    /// The vendor could not be asked; this says nothing of the command.
    async fn poll(&self, reference: &str, target: &Target) -> Result<Receipt, VendorError>;

    /// Looks at the door's present state. `None` when this vendor has no way to.
    ///
    /// # Errors
    /// The vendor could not be asked.
    async fn look(&self, target: &Target) -> Result<Option<DoorReading>, VendorError>;
}

/// Listing what a vendor account holds.
pub trait Inventory: Send + Sync {
    /// Every device with its doors, in portions (one per location or list call), so that memory stays bounded.
    /// A portion that fails ends the stream: a partial inventory deletes nothing (rule 11).
    fn devices(&self) -> BoxStream<'_, Result<Vec<FoundDevice>, VendorError>>;
}

/// Time-outs of one vendor call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOuts {
    /// To connect, TLS included.
    pub connect: TimeDelta,
    /// For the whole exchange.
    pub total: TimeDelta,
}
