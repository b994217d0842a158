//! What exists at Mews: access tokens and their scope, hotels with rooms, guests, reservations, blocks and resource access
//! tokens. Records are kept in the order of their creation, which is the order of paging. No HTTP, no JSON.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{
    limit::{MewsUsage, Window},
    plans::MewsStayPlan,
};

/// `State` of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MewsState {
    /// Agreed by neither side.
    Inquired,
    /// Agreed by the customer, not by the hotel.
    Requested,
    /// Held by the hotel until it releases it.
    Optional,
    /// Before check-in.
    Confirmed,
    /// Checked in.
    Started,
    /// Checked out.
    Processed,
    /// Cancelled.
    Canceled,
}

impl MewsState {
    pub(super) const ALL: [MewsState; 7] = [
        MewsState::Inquired,
        MewsState::Requested,
        MewsState::Optional,
        MewsState::Confirmed,
        MewsState::Started,
        MewsState::Processed,
        MewsState::Canceled,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            MewsState::Inquired => "Inquired",
            MewsState::Requested => "Requested",
            MewsState::Optional => "Optional",
            MewsState::Confirmed => "Confirmed",
            MewsState::Started => "Started",
            MewsState::Processed => "Processed",
            MewsState::Canceled => "Canceled",
        }
    }
}

/// `State` of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MewsResourceState {
    /// To be cleaned.
    Dirty,
    /// Cleaned.
    Clean,
    /// Cleaned and inspected.
    Inspected,
    /// Not used for a while.
    OutOfService,
    /// Broken.
    OutOfOrder,
}

/// `Type` of a resource block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MewsBlockType {
    /// Under repair.
    OutOfOrder,
    /// Used by the hotel itself.
    InternalUse,
}

/// `Type` of a resource access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TokenType {
    PinCode,
    RfidTag,
}

/// One access token: what a client application may reach at one enterprise or portfolio.
#[derive(Debug)]
pub(crate) struct Integration {
    pub(super) id: String,
    pub(super) client_token: String,
    pub(super) access_token: String,
    /// What the client application is called.
    pub(super) client: String,
    pub(super) portfolio: bool,
    pub(super) chain: usize,
    pub(super) enterprises: Vec<usize>,
    pub(crate) enabled: bool,
    /// Operations that were not certified for it.
    pub(super) denied: HashSet<String>,
    pub(super) window: Window,
}

#[derive(Debug)]
pub(super) struct Enterprise {
    pub(super) id: String,
    pub(super) chain: usize,
    pub(super) name: String,
    pub(super) zone: Tz,
    /// Index of the service that is booked; the other service follows it.
    pub(super) stay_service: usize,
    pub(super) created: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) name: &'static str,
    pub(super) bookable: bool,
    pub(super) created: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Resource {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) name: String,
    pub(super) parent: Option<usize>,
    pub(super) floor: Option<u32>,
    pub(super) state: MewsResourceState,
    pub(super) active: bool,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Category {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) service: usize,
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) capacity: u32,
    pub(super) created: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) resource: usize,
    pub(super) category: usize,
    pub(super) created: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) chain: usize,
    pub(super) number: usize,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) name: String,
    pub(super) updated: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Companionship {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) customer: usize,
    pub(super) group: usize,
    pub(super) reservation: usize,
    pub(super) updated: DateTime<Utc>,
    /// Whether the guest has been taken off the reservation.
    pub(super) removed: bool,
}

#[derive(Debug)]
pub(super) struct Reservation {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) number: usize,
    pub(super) account: usize,
    pub(super) group: usize,
    pub(super) category: usize,
    pub(super) resource: Option<usize>,
    pub(super) locked: bool,
    pub(super) state: MewsState,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    pub(super) started: Option<DateTime<Utc>>,
    pub(super) ended: Option<DateTime<Utc>>,
    pub(super) cancelled: Option<DateTime<Utc>>,
    /// When an optional reservation is released.
    pub(super) released: Option<DateTime<Utc>>,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) resource: usize,
    pub(super) kind: MewsBlockType,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    pub(super) deleted: Option<DateTime<Utc>>,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

/// What a resource access token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Permissions {
    pub(super) bed: bool,
    pub(super) room: bool,
    pub(super) floor: bool,
    pub(super) building: bool,
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) reservation: usize,
    pub(super) companionship: Option<usize>,
    pub(super) resource: Option<usize>,
    pub(super) kind: TokenType,
    pub(super) value: String,
    pub(super) serial_number: Option<String>,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    pub(super) permissions: Permissions,
    pub(super) active: bool,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
}

/// Everything Mews knows.
#[derive(Debug, Default)]
pub(crate) struct Mews {
    pub(super) seed: u64,
    /// Milliseconds at start, part of the ids of tokens, so that they differ from those of an earlier run.
    pub(super) born: u64,
    /// Ids of chains.
    pub(super) chains: Vec<String>,
    pub(crate) integrations: Vec<Integration>,
    pub(super) enterprises: Vec<Enterprise>,
    pub(super) services: Vec<Service>,
    pub(super) resources: Vec<Resource>,
    pub(super) categories: Vec<Category>,
    pub(super) assignments: Vec<Assignment>,
    pub(super) customers: Vec<Customer>,
    pub(super) groups: Vec<Group>,
    pub(super) companionships: Vec<Companionship>,
    pub(super) reservations: Vec<Reservation>,
    pub(super) blocks: Vec<Block>,
    pub(super) tokens: Vec<Token>,
    pub(super) reservation_by_id: HashMap<String, usize>,
    pub(super) token_by_id: HashMap<String, usize>,
    /// Companionships by reservation, also the removed ones.
    pub(super) guests: HashMap<usize, Vec<usize>>,
    /// Optional reservations by the moment they are released.
    pub(super) releases: BTreeSet<(DateTime<Utc>, usize)>,
    /// Stays of each enterprise that become reservations when the simulator starts.
    pub(super) planned: Vec<(usize, MewsStayPlan)>,
    /// A page of more rows than this is too heavy and answered with 408.
    pub(super) heavy_above: Option<usize>,
    pub(super) usage: MewsUsage,
}

impl Mews {
    /// A UUID: what it is, the seed, the number.
    pub(super) fn id(&self, prefix: &str, number: usize) -> String {
        format!("{prefix}-{:04x}-4000-8000-{number:012x}", self.seed & 0xffff)
    }

    /// The integration of an access token, whether it works or not.
    pub(crate) fn integration_mut(&mut self, access_token: &str) -> Option<&mut Integration> {
        self.integrations.iter_mut().find(|integration| integration.access_token == access_token)
    }

    /// Index of the resource with this id.
    pub(super) fn resource_index(&self, id: &str) -> Option<usize> {
        self.resources.iter().position(|resource| resource.id == id)
    }

    /// Index of an enterprise's resource with this id.
    pub(super) fn resource_of(&self, enterprise: usize, id: &str) -> Option<usize> {
        let index = self.resource_index(id)?;
        self.resources.get(index).filter(|resource| resource.enterprise == enterprise).map(|_| index)
    }

    /// Index of the customer with this id.
    pub(super) fn customer_index(&self, id: &str) -> Option<usize> {
        self.customers.iter().position(|customer| customer.id == id)
    }

    /// Companionships of a reservation that are in force.
    pub(super) fn guests_of(&self, reservation: usize) -> impl Iterator<Item = &Companionship> {
        let indexes = self.guests.get(&reservation).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().filter_map(|index| self.companionships.get(*index)).filter(|guest| !guest.removed)
    }

    /// The category of a resource; a building and its floors have none.
    pub(super) fn category_of(&self, resource: usize) -> Option<usize> {
        self.assignments.iter().find(|assignment| assignment.resource == resource).map(|found| found.category)
    }
}
