//! Mews' words in ours, both ways; pure. An unknown word is never a state, and what was not told stays `None`.

use std::collections::BTreeMap;

use domain::{
    change::{AccessTokenPlan, AccessTokenUpdate, TokenPermissions},
    record::{
        AccessTokenDetails, FoundRecord, LocationDetails, RecordDetails, ReservationDetails, ReservationState,
        ResourceBlock, ResourceDetails, TokenType, UserDetails,
    },
    secret::Secret,
};
use serde_json::{Value, json};

use super::{
    catalogue::ResourceFacts,
    sweep::utc,
    wire::{self, Fields},
};

/// A hotel. `None` without an id.
pub(super) fn location(enterprise: wire::Enterprise) -> Option<FoundRecord> {
    let id = enterprise.id?;
    let details = LocationDetails {
        time_zone: enterprise.time_zone,
        address: enterprise.address.and_then(|address| one_line(&address)),
        location_type: None,
    };
    Some(FoundRecord {
        device: None,
        location: id.clone(),
        name: enterprise.name.unwrap_or_else(|| id.clone()),
        external_id: id,
        details: RecordDetails::Location(details),
        secret: None,
    })
}

fn one_line(address: &BTreeMap<String, Value>) -> Option<String> {
    let parts = ["Line1", "Line2", "PostalCode", "City", "CountryCode"];
    let told: Vec<_> = parts
        .into_iter()
        .filter_map(|part| address.get(part)?.as_str())
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect();
    Some(told.join(", ")).filter(|line| !line.is_empty())
}

/// A room or bed with what the other lists say of it. `None` without an id.
pub(super) fn resource(resource: wire::Resource, facts: ResourceFacts) -> Option<FoundRecord> {
    let id = resource.id?;
    let data = resource.data.unwrap_or_default();
    let details = ResourceDetails {
        parent: resource.parent_resource_id,
        resource_type: facts.categories.values().flatten().next().cloned().or(data.discriminator),
        categories: facts.categories.into_keys().collect(),
        state: resource.state,
        floor: data.value.and_then(|value| value.floor_number),
        building: None,
        active: resource.is_active.unwrap_or(true),
        blocks: facts.blocks,
        updated_at: resource.updated_utc,
    };
    Some(FoundRecord {
        device: None,
        location: resource.enterprise_id.unwrap_or_default(),
        name: resource.name.unwrap_or_else(|| id.clone()),
        external_id: id,
        details: RecordDetails::Resource(details),
        secret: None,
    })
}

/// A time in which a resource can not be used. `None` without an id.
pub(super) fn block(block: wire::Block) -> Option<ResourceBlock> {
    Some(ResourceBlock {
        external_id: block.id?,
        block_type: block.kind,
        name: block.name,
        starts_at: block.start_utc,
        ends_at: block.end_utc,
    })
}

/// The guest of a reservation, if it is a person's.
pub(super) fn guest(reservation: &wire::Reservation) -> Option<&str> {
    let is_person = reservation.account_type.as_deref() == Some("Customer");
    reservation.account_id.as_deref().filter(|_| is_person)
}

/// A stay with those who stay along. `None` without an id.
pub(super) fn reservation(
    reservation: wire::Reservation,
    mut companions: Vec<(String, String)>,
    location: String,
) -> Option<FoundRecord> {
    let guest = guest(&reservation).map(str::to_owned);
    let id = reservation.id?;
    // The guest may be listed among the companions too, and a person twice.
    companions.sort();
    let mut people: Vec<_> = guest.iter().cloned().collect();
    companions.retain(|(_, person)| {
        let is_new = !people.contains(person);
        people.push(person.clone());
        is_new
    });
    let vendor_state = reservation.state.unwrap_or_default();
    let details = ReservationDetails {
        state: state(&vendor_state),
        vendor_state,
        service: reservation.service_id,
        group: reservation.group_id,
        guest,
        companions,
        resource: reservation.assigned_resource_id,
        resource_locked: reservation.assigned_resource_locked.unwrap_or(false),
        starts_at: reservation.scheduled_start_utc,
        ends_at: reservation.scheduled_end_utc,
        actual_start: reservation.actual_start_utc,
        actual_end: reservation.actual_end_utc,
        updated_at: reservation.updated_utc,
        number: reservation.number.clone(),
    };
    Some(FoundRecord {
        device: None,
        location,
        name: reservation.number.unwrap_or_else(|| id.clone()),
        external_id: id,
        details: RecordDetails::Reservation(details),
        secret: None,
    })
}

fn state(word: &str) -> ReservationState {
    match word {
        // Neither is agreed by the hotel.
        "Inquired" | "Requested" => ReservationState::Requested,
        "Optional" => ReservationState::Optional,
        "Confirmed" => ReservationState::Confirmed,
        "Started" => ReservationState::Started,
        "Processed" => ReservationState::Ended,
        "Canceled" => ReservationState::Canceled,
        _ => ReservationState::Unknown,
    }
}

/// A person. `None` without an id.
pub(super) fn user(customer: wire::Customer, location: String) -> Option<FoundRecord> {
    let id = customer.id?;
    let joined = |names: [&Option<String>; 2]| {
        let told: Vec<_> = names.into_iter().flatten().map(String::as_str).collect();
        Some(told.join(" ")).filter(|name| !name.is_empty())
    };
    let last_name = joined([&customer.last_name, &customer.second_last_name]);
    let name = joined([&customer.first_name, &last_name]).unwrap_or_else(|| id.clone());
    let details = UserDetails {
        first_name: customer.first_name,
        last_name,
        email: customer.email,
        phone: customer.phone,
        language: customer.preferred_language_code.or(customer.language_code),
        ..UserDetails::default()
    };
    Some(FoundRecord {
        external_id: id,
        device: None,
        location,
        name,
        details: RecordDetails::User(details),
        secret: None,
    })
}

/// A token that Mews shows. `None` without an id.
pub(super) fn token(token: wire::Token) -> Option<FoundRecord> {
    let id = token.id.clone()?;
    let details = AccessTokenDetails {
        token_type: token_type(&token),
        permissions: permissions(&token),
        // What is not said to be over may still open something.
        active: is_active(&token),
        reservation: token.service_order_id.unwrap_or_default(),
        companionship: token.companionship_id,
        resource: token.resource_id,
        serial_number: token.serial_number.clone(),
        valid_from: token.validity_start_utc,
        valid_until: token.validity_end_utc,
        updated_at: token.updated_utc,
    };
    Some(FoundRecord {
        device: None,
        location: token.enterprise_id.unwrap_or_default(),
        name: token.serial_number.unwrap_or_else(|| id.clone()),
        external_id: id,
        details: RecordDetails::AccessToken(details),
        secret: token.value,
    })
}

/// Whether a token counts, as far as is told.
pub(super) fn is_active(token: &wire::Token) -> bool {
    token.is_active.unwrap_or(true)
}

/// What a token's value is; `None` for a word that we do not know.
pub(super) fn token_type(token: &wire::Token) -> Option<TokenType> {
    match token.kind.as_deref() {
        Some("PinCode") => Some(TokenType::PinCode),
        Some("RfidTag") => Some(TokenType::RfidTag),
        _ => None,
    }
}

/// What a token opens.
pub(super) fn permissions(token: &wire::Token) -> TokenPermissions {
    let told = token.permissions.clone().unwrap_or_default();
    let given = |flag: Option<bool>| flag.unwrap_or(false);
    TokenPermissions {
        bed: given(told.bed),
        room: given(told.room),
        floor: given(told.floor),
        building: given(told.building),
    }
}

/// The parameters of a token to be added: everything that we know, always.
pub(super) fn addition(plan: &AccessTokenPlan, value: &Secret) -> Value {
    let mut parameter = Fields::new();
    let mut set = |key: &str, value: Value| parameter.insert(key.to_owned(), value);
    set("ServiceOrderId", plan.reservation.as_str().into());
    if let Some(companionship) = &plan.companionship {
        set("CompanionshipId", companionship.as_str().into());
    }
    if let Some(resource) = &plan.resource {
        set("ResourceId", resource.as_str().into());
    }
    let kind = match plan.token_type {
        TokenType::PinCode => "PinCode",
        TokenType::RfidTag => "RfidTag",
    };
    set("Type", kind.into());
    set("Value", value.expose().into());
    set("SerialNumber", plan.serial_number.as_str().into());
    set("ValidityStartUtc", utc(plan.valid_from).into());
    set("ValidityEndUtc", utc(plan.valid_until).into());
    set("Permissions", wrapped_permissions(plan.permissions));
    json!({ "ResourceAccessTokenParameters": [parameter] })
}

/// What changes of a token, each wrapped; what is absent stays. `enterprise` is needed by portfolios, ignored otherwise.
pub(super) fn update(id: &str, update: &AccessTokenUpdate, value: Option<&Secret>, enterprise: Option<&str>) -> Value {
    let mut changed = Fields::new();
    let mut set = |key: &str, value: Value| changed.insert(key.to_owned(), value);
    set("ResourceAccessTokenId", id.into());
    if let Some(from) = update.valid_from {
        set("ValidityStartUtc", json!({ "Value": utc(from) }));
    }
    if let Some(until) = update.valid_until {
        set("ValidityEndUtc", json!({ "Value": utc(until) }));
    }
    if let Some(value) = value {
        set("Value", json!({ "Value": value.expose() }));
    }
    if let Some(permissions) = update.permissions {
        set("Permissions", wrapped_permissions(permissions));
    }
    match enterprise {
        Some(enterprise) => json!({ "EnterpriseId": enterprise, "ResourceAccessTokenUpdates": [changed] }),
        None => json!({ "ResourceAccessTokenUpdates": [changed] }),
    }
}

fn wrapped_permissions(permissions: TokenPermissions) -> Value {
    let TokenPermissions { bed, room, floor, building } = permissions;
    let wrapped = |flag: bool| json!({ "Value": flag });
    json!({ "Bed": wrapped(bed), "Room": wrapped(room), "Floor": wrapped(floor), "Building": wrapped(building) })
}

#[cfg(test)]
mod tests;
