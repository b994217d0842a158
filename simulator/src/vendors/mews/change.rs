//! What can happen at a hotel without our asking: staff, guests and Mews' administrators. Carrying it out is in `happen`: a
//! change counts as an update of what it changes, and is told by webhook where Mews has an event for it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::state::{MewsBlockType, MewsResourceState, MewsState};

/// Something happens at Mews. Over the control API: `POST /_sim/world/mews` with `what` and the fields as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum MewsChange {
    /// A customer is added to the chain that an access token reaches.
    AddCustomer {
        /// The access token.
        access_token: String,
        /// Id of the new customer.
        customer: String,
        /// First name.
        first_name: String,
        /// Last name.
        last_name: String,
        /// E-mail address.
        #[serde(default)]
        email: Option<String>,
        /// Telephone number.
        #[serde(default)]
        phone: Option<String>,
    },
    /// A customer's profile is changed; what is absent stays.
    EditCustomer {
        /// Customer id.
        customer: String,
        /// First name.
        #[serde(default)]
        first_name: Option<String>,
        /// Last name.
        #[serde(default)]
        last_name: Option<String>,
        /// E-mail address.
        #[serde(default)]
        email: Option<String>,
        /// Telephone number.
        #[serde(default)]
        phone: Option<String>,
    },
    /// A reservation is made, at the room's hotel or else at the customer's first one.
    Book {
        /// Id of the new reservation.
        reservation: String,
        /// Id of the customer who books.
        customer: String,
        /// Id of the room or bed, if assigned already.
        #[serde(default)]
        resource: Option<String>,
        /// Scheduled start.
        start: DateTime<Utc>,
        /// Scheduled end.
        end: DateTime<Utc>,
        /// Its state.
        state: MewsState,
    },
    /// A reservation is confirmed, started, processed, canceled, or put into any other state.
    SetState {
        /// Reservation id.
        reservation: String,
        /// The new state.
        state: MewsState,
    },
    /// A reservation is moved to another room, or loses its room.
    AssignRoom {
        /// Reservation id.
        reservation: String,
        /// Id of the room or bed.
        #[serde(default)]
        resource: Option<String>,
        /// Whether the assignment is locked.
        #[serde(default)]
        locked: bool,
    },
    /// A stay is extended, shortened or postponed; what is absent stays.
    Reschedule {
        /// Reservation id.
        reservation: String,
        /// Scheduled start.
        #[serde(default)]
        start: Option<DateTime<Utc>>,
        /// Scheduled end.
        #[serde(default)]
        end: Option<DateTime<Utc>>,
    },
    /// A reservation gets another owner, who also takes the former one's place as a guest.
    SetOwner {
        /// Reservation id.
        reservation: String,
        /// Customer id.
        customer: String,
    },
    /// Somebody is put on a reservation. There is no event for it and the reservation does not count as updated.
    AddGuest {
        /// Reservation id.
        reservation: String,
        /// Customer id.
        customer: String,
    },
    /// Somebody is taken off a reservation. There is no event for it and the reservation does not count as updated.
    RemoveGuest {
        /// Reservation id.
        reservation: String,
        /// Customer id.
        customer: String,
    },
    /// A resource gets another state.
    SetResourceState {
        /// Resource id.
        resource: String,
        /// The new state.
        state: MewsResourceState,
    },
    /// A room is blocked.
    Block {
        /// Id of the new block.
        block: String,
        /// Resource id.
        resource: String,
        /// Why.
        kind: MewsBlockType,
        /// From when.
        start: DateTime<Utc>,
        /// Until when.
        end: DateTime<Utc>,
    },
    /// A block is deleted.
    Unblock {
        /// Block id.
        block: String,
    },
    /// Somebody else changes or deletes a resource access token; what is absent stays.
    EditToken {
        /// Token id.
        token: String,
        /// Its value.
        #[serde(default)]
        value: Option<String>,
        /// End of its validity.
        #[serde(default)]
        validity_end: Option<DateTime<Utc>>,
        /// Whether it is active.
        #[serde(default)]
        active: Option<bool>,
    },
    /// Something happens to an integration, which is told by integration webhook.
    Integration {
        /// Its access token.
        access_token: String,
        /// What happens.
        action: MewsIntegrationAction,
        /// The new access token, for a new key.
        #[serde(default)]
        new_access_token: Option<String>,
    },
    /// An operation is permitted to an access token, or no longer.
    Permit {
        /// The access token.
        access_token: String,
        /// Name of the operation, as in the coverage report.
        operation: String,
        /// Whether it is permitted.
        permitted: bool,
    },
    /// A page of more rows than this is too heavy from now on (408); absent, none is.
    TooHeavyAbove {
        /// The number of rows.
        #[serde(default)]
        rows: Option<usize>,
    },
}

/// `Action` of an integration webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MewsIntegrationAction {
    /// A hotel connects: the webhook brings the access token.
    Created,
    /// It works again.
    Enabled,
    /// It stops working.
    Disabled,
    /// It is canceled and stops working.
    Canceled,
    /// The cancelation is taken back.
    Reinstated,
    /// It is deleted and stops working.
    Deleted,
    /// The old access token dies, the webhook brings the new one.
    ApiKeyCreated,
}

impl MewsIntegrationAction {
    pub(super) fn word(self) -> &'static str {
        match self {
            MewsIntegrationAction::Created => "IntegrationCreated",
            MewsIntegrationAction::Enabled => "IntegrationEnabled",
            MewsIntegrationAction::Disabled => "IntegrationDisabled",
            MewsIntegrationAction::Canceled => "IntegrationCanceled",
            MewsIntegrationAction::Reinstated => "IntegrationReinstated",
            MewsIntegrationAction::Deleted => "IntegrationDeleted",
            MewsIntegrationAction::ApiKeyCreated => "IntegrationApiKeyCreated",
        }
    }
}

impl MewsChange {
    /// Whose id is looked up first, for the sentence that nothing has it.
    pub(crate) fn subject(&self) -> &str {
        match self {
            MewsChange::Book { customer, .. } | MewsChange::EditCustomer { customer, .. } => customer,
            MewsChange::SetState { reservation, .. }
            | MewsChange::AssignRoom { reservation, .. }
            | MewsChange::Reschedule { reservation, .. }
            | MewsChange::SetOwner { reservation, .. }
            | MewsChange::AddGuest { reservation, .. }
            | MewsChange::RemoveGuest { reservation, .. } => reservation,
            MewsChange::SetResourceState { resource, .. } | MewsChange::Block { resource, .. } => resource,
            MewsChange::Unblock { block } => block,
            MewsChange::EditToken { token, .. } => token,
            MewsChange::AddCustomer { .. } | MewsChange::Integration { .. } | MewsChange::Permit { .. } => {
                "that access token"
            }
            MewsChange::TooHeavyAbove { .. } => "that",
        }
    }
}
