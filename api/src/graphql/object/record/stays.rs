//! Records of a property-management system, and of places: what can be reserved, who stays, what opens for them.

use async_graphql::SimpleObject;
use domain::{change, clock::Timestamp, record};

use crate::graphql::words::{ReservationState, TokenType};

/// A place of the vendor's.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct LocationDetails {
    /// Its time zone, as IANA names it.
    time_zone: Option<String>,
    /// Its address on one line.
    address: Option<String>,
    /// Its type, in the vendor's word.
    location_type: Option<String>,
}

impl From<record::LocationDetails> for LocationDetails {
    fn from(told: record::LocationDetails) -> Self {
        let record::LocationDetails { time_zone, address, location_type } = told;
        Self { time_zone, address, location_type }
    }
}

/// A room, bed or other thing that can be reserved.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct ResourceDetails {
    /// The vendor's id of what it is part of.
    parent_external_id: Option<String>,
    /// The vendor's ids of its categories.
    category_external_ids: Vec<String>,
    /// What kind of thing it is, in the vendor's word (`Room`, `Bed`).
    resource_type: Option<String>,
    /// Its state, in the vendor's word (`Clean`, `OutOfOrder`).
    resource_state: Option<String>,
    /// The floor.
    floor: Option<String>,
    /// The building.
    building: Option<String>,
    /// Whether it is in use at all.
    active: bool,
    /// When it can not be used, in the weeks around the last sync.
    blocks: Vec<ResourceBlock>,
    /// When it last changed, by the vendor's clock.
    updated_at: Option<Timestamp>,
}

impl From<record::ResourceDetails> for ResourceDetails {
    fn from(told: record::ResourceDetails) -> Self {
        Self {
            parent_external_id: told.parent,
            category_external_ids: told.categories.into_iter().collect(),
            resource_type: told.resource_type,
            resource_state: told.state,
            floor: told.floor,
            building: told.building,
            active: told.active,
            blocks: told.blocks.into_iter().map(Into::into).collect(),
            updated_at: told.updated_at,
        }
    }
}

/// A time in which a resource can not be used.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct ResourceBlock {
    /// The vendor's id.
    external_id: String,
    /// Why, in the vendor's word (`OutOfOrder`, `InternalUse`).
    block_type: Option<String>,
    /// A name for people.
    name: Option<String>,
    /// From when on.
    starts_at: Option<Timestamp>,
    /// Until when.
    ends_at: Option<Timestamp>,
}

impl From<record::ResourceBlock> for ResourceBlock {
    fn from(told: record::ResourceBlock) -> Self {
        let record::ResourceBlock { external_id, block_type, name, starts_at, ends_at } = told;
        Self { external_id, block_type, name, starts_at, ends_at }
    }
}

/// A stay known to a PMS.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct ReservationDetails {
    /// The number that people use.
    number: Option<String>,
    /// Where it stands.
    reservation_state: ReservationState,
    /// The vendor's word for that.
    vendor_state: String,
    /// The vendor's id of the service that it is of.
    service_external_id: Option<String>,
    /// The vendor's id of the group of stays that were booked together.
    group_external_id: Option<String>,
    /// The vendor's id of the guest.
    guest_external_id: Option<String>,
    /// Others who stay.
    companions: Vec<Companion>,
    /// The vendor's id of the assigned resource.
    resource_external_id: Option<String>,
    /// Whether the resource must not be changed.
    resource_locked: bool,
    /// When the stay is to begin.
    starts_at: Option<Timestamp>,
    /// When it is to end.
    ends_at: Option<Timestamp>,
    /// When the guest came in.
    actual_start: Option<Timestamp>,
    /// When the guest left.
    actual_end: Option<Timestamp>,
    /// When it last changed, by the vendor's clock.
    updated_at: Option<Timestamp>,
}

impl From<record::ReservationDetails> for ReservationDetails {
    fn from(told: record::ReservationDetails) -> Self {
        let companion =
            |(travel_party_external_id, user_external_id)| Companion { travel_party_external_id, user_external_id };
        Self {
            number: told.number,
            reservation_state: told.state.into(),
            vendor_state: told.vendor_state,
            service_external_id: told.service,
            group_external_id: told.group,
            guest_external_id: told.guest,
            companions: told.companions.into_iter().map(companion).collect(),
            resource_external_id: told.resource,
            resource_locked: told.resource_locked,
            starts_at: told.starts_at,
            ends_at: told.ends_at,
            actual_start: told.actual_start,
            actual_end: told.actual_end,
            updated_at: told.updated_at,
        }
    }
}

/// Somebody who stays too.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct Companion {
    /// The vendor's id of their part in the stay.
    travel_party_external_id: String,
    /// The vendor's id of the person.
    user_external_id: String,
}

/// A token that a PMS shows. Its value is not shown here.
#[derive(Debug, Clone, PartialEq, SimpleObject)]
pub(crate) struct AccessTokenDetails {
    /// What its value is; null for a word that we do not know.
    token_type: Option<TokenType>,
    /// The vendor's id of the reservation.
    reservation_external_id: String,
    /// The guest among several.
    travel_party_external_id: Option<String>,
    /// The vendor's id of the room.
    resource_external_id: Option<String>,
    /// Whose mark it carries.
    serial_number: Option<String>,
    /// From when on it is valid.
    valid_from: Option<Timestamp>,
    /// Until when.
    valid_until: Option<Timestamp>,
    /// What it opens.
    permissions: TokenPermissions,
    /// Whether it still counts.
    active: bool,
    /// When it last changed, by the vendor's clock.
    updated_at: Option<Timestamp>,
}

impl From<record::AccessTokenDetails> for AccessTokenDetails {
    fn from(told: record::AccessTokenDetails) -> Self {
        Self {
            token_type: told.token_type.map(Into::into),
            reservation_external_id: told.reservation,
            travel_party_external_id: told.companionship,
            resource_external_id: told.resource,
            serial_number: told.serial_number,
            valid_from: told.valid_from,
            valid_until: told.valid_until,
            permissions: told.permissions.into(),
            active: told.active,
            updated_at: told.updated_at,
        }
    }
}

/// What a token opens, in the PMS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SimpleObject)]
pub(crate) struct TokenPermissions {
    /// One's bed.
    bed: bool,
    /// One's room.
    room: bool,
    /// One's floor.
    floor: bool,
    /// The building.
    building: bool,
}

impl From<change::TokenPermissions> for TokenPermissions {
    fn from(told: change::TokenPermissions) -> Self {
        let change::TokenPermissions { bed, room, floor, building } = told;
        Self { bed, room, floor, building }
    }
}
