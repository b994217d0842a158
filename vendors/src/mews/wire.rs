//! Mews' JSON as document 004 and vendors-extra 5 describe it: every field that we use. Tolerant: whatever is null, missing
//! or of another type is `None`; what a value means is `mapping`'s business.

use std::collections::BTreeMap;

use domain::{clock::Timestamp, secret::Secret};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::lenient;

/// What is asked, without what stands in every body.
pub(super) type Fields = serde_json::Map<String, Value>;

/// The fields of a JSON object.
pub(super) fn fields(object: Value) -> Fields {
    match object {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

macro_rules! answer {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $wire:literal by $how:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(default)]
        pub(super) struct $name {
            $(#[serde(rename = $wire, deserialize_with = $how)] pub(super) $field: $type,)+
        }
    )+};
}

answer! {
    /// The body of every refusal.
    ErrorBody {
        message: Option<String> = "Message" by "lenient::text",
        request_id: Option<String> = "RequestId" by "lenient::text",
    }

    /// The answer of `configuration/get`.
    Configuration {
        now_utc: Option<Timestamp> = "NowUtc" by "lenient::instant",
        enterprise: Option<Enterprise> = "Enterprise" by "lenient::shaped",
    }

    /// A hotel, or the stand-in for a portfolio of them.
    Enterprise {
        id: Option<String> = "Id" by "lenient::text",
        name: Option<String> = "Name" by "lenient::text",
        chain_id: Option<String> = "ChainId" by "lenient::text",
        time_zone: Option<String> = "TimeZoneIdentifier" by "lenient::text",
        is_portfolio: Option<bool> = "IsPortfolio" by "lenient::flag",
        address: Option<BTreeMap<String, Value>> = "Address" by "lenient::shaped",
    }

    /// Something that a hotel sells.
    Service {
        id: Option<String> = "Id" by "lenient::text",
        enterprise_id: Option<String> = "EnterpriseId" by "lenient::text",
        is_active: Option<bool> = "IsActive" by "lenient::flag",
    }

    /// A room, bed or other thing.
    Resource {
        id: Option<String> = "Id" by "lenient::text",
        enterprise_id: Option<String> = "EnterpriseId" by "lenient::text",
        is_active: Option<bool> = "IsActive" by "lenient::flag",
        parent_resource_id: Option<String> = "ParentResourceId" by "lenient::text",
        name: Option<String> = "Name" by "lenient::text",
        state: Option<String> = "State" by "lenient::text",
        data: Option<ResourceData> = "Data" by "lenient::shaped",
        updated_utc: Option<Timestamp> = "UpdatedUtc" by "lenient::instant",
    }

    /// What depends on the kind of a resource.
    ResourceData {
        discriminator: Option<String> = "Discriminator" by "lenient::text",
        value: Option<ResourceValue> = "Value" by "lenient::shaped",
    }

    /// What a resource in space says.
    ResourceValue {
        floor_number: Option<String> = "FloorNumber" by "lenient::text",
    }

    /// A category of resources.
    Category {
        id: Option<String> = "Id" by "lenient::text",
        kind: Option<String> = "Type" by "lenient::text",
        is_active: Option<bool> = "IsActive" by "lenient::flag",
    }

    /// That a resource is of a category.
    Assignment {
        resource_id: Option<String> = "ResourceId" by "lenient::text",
        category_id: Option<String> = "CategoryId" by "lenient::text",
        is_active: Option<bool> = "IsActive" by "lenient::flag",
    }

    /// A time in which a resource can not be used.
    Block {
        id: Option<String> = "Id" by "lenient::text",
        assigned_resource_id: Option<String> = "AssignedResourceId" by "lenient::text",
        kind: Option<String> = "Type" by "lenient::text",
        start_utc: Option<Timestamp> = "StartUtc" by "lenient::instant",
        end_utc: Option<Timestamp> = "EndUtc" by "lenient::instant",
        is_active: Option<bool> = "IsActive" by "lenient::flag",
        name: Option<String> = "Name" by "lenient::text",
    }

    /// A reservation of the version of 2023-06-06.
    Reservation {
        id: Option<String> = "Id" by "lenient::text",
        service_id: Option<String> = "ServiceId" by "lenient::text",
        account_id: Option<String> = "AccountId" by "lenient::text",
        account_type: Option<String> = "AccountType" by "lenient::text",
        number: Option<String> = "Number" by "lenient::text",
        state: Option<String> = "State" by "lenient::text",
        group_id: Option<String> = "GroupId" by "lenient::text",
        assigned_resource_id: Option<String> = "AssignedResourceId" by "lenient::text",
        assigned_resource_locked: Option<bool> = "AssignedResourceLocked" by "lenient::flag",
        scheduled_start_utc: Option<Timestamp> = "ScheduledStartUtc" by "lenient::instant",
        scheduled_end_utc: Option<Timestamp> = "ScheduledEndUtc" by "lenient::instant",
        actual_start_utc: Option<Timestamp> = "ActualStartUtc" by "lenient::instant",
        actual_end_utc: Option<Timestamp> = "ActualEndUtc" by "lenient::instant",
        updated_utc: Option<Timestamp> = "UpdatedUtc" by "lenient::instant",
    }

    /// A person's profile; no document and no address of theirs is asked for.
    Customer {
        id: Option<String> = "Id" by "lenient::text",
        first_name: Option<String> = "FirstName" by "lenient::text",
        last_name: Option<String> = "LastName" by "lenient::text",
        second_last_name: Option<String> = "SecondLastName" by "lenient::text",
        email: Option<String> = "Email" by "lenient::text",
        phone: Option<String> = "Phone" by "lenient::text",
        preferred_language_code: Option<String> = "PreferredLanguageCode" by "lenient::text",
        language_code: Option<String> = "LanguageCode" by "lenient::text",
    }

    /// That a person stays along.
    Companionship {
        id: Option<String> = "Id" by "lenient::text",
        customer_id: Option<String> = "CustomerId" by "lenient::text",
        reservation_id: Option<String> = "ReservationId" by "lenient::text",
    }

    /// A resource access token.
    Token {
        id: Option<String> = "Id" by "lenient::text",
        enterprise_id: Option<String> = "EnterpriseId" by "lenient::text",
        service_order_id: Option<String> = "ServiceOrderId" by "lenient::text",
        companionship_id: Option<String> = "CompanionshipId" by "lenient::text",
        resource_id: Option<String> = "ResourceId" by "lenient::text",
        kind: Option<String> = "Type" by "lenient::text",
        value: Option<Secret> = "Value" by "secret",
        serial_number: Option<String> = "SerialNumber" by "lenient::text",
        validity_start_utc: Option<Timestamp> = "ValidityStartUtc" by "lenient::instant",
        validity_end_utc: Option<Timestamp> = "ValidityEndUtc" by "lenient::instant",
        permissions: Option<Permissions> = "Permissions" by "lenient::shaped",
        is_active: Option<bool> = "IsActive" by "lenient::flag",
        created_utc: Option<Timestamp> = "CreatedUtc" by "lenient::instant",
        updated_utc: Option<Timestamp> = "UpdatedUtc" by "lenient::instant",
    }

    /// What a token opens: plain booleans in answers, wrapped ones in what is sent.
    Permissions {
        bed: Option<bool> = "Bed" by "flag",
        room: Option<bool> = "Room" by "flag",
        floor: Option<bool> = "Floor" by "flag",
        building: Option<bool> = "Building" by "flag",
    }

    /// A message of either webhook.
    Message {
        events: Option<Vec<Event>> = "Events" by "lenient::shaped",
        action: Option<String> = "Action" by "lenient::text",
        data: Option<IntegrationData> = "Data" by "lenient::shaped",
    }

    /// One event of the general webhook.
    Event {
        discriminator: Option<String> = "Discriminator" by "lenient::text",
        value: Option<EventValue> = "Value" by "lenient::shaped",
    }

    /// What changed.
    EventValue {
        id: Option<String> = "Id" by "lenient::text",
    }

    /// What an integration webhook tells. The access token that may stand beside it is not read.
    IntegrationData {
        enterprise: Option<Named> = "Enterprise" by "lenient::shaped",
        integration: Option<Named> = "Integration" by "lenient::shaped",
    }

    /// Something with a name.
    Named {
        id: Option<String> = "Id" by "lenient::text",
        name: Option<String> = "Name" by "lenient::text",
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Ok(lenient::text(from)?.map(Secret::new))
}

/// A boolean, wrapped as an update value or not.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    let mut value = Value::deserialize(from)?;
    if let Value::Object(wrapped) = &mut value {
        value = wrapped.remove("Value").unwrap_or_default();
    }
    lenient::flag(value).map_err(serde::de::Error::custom)
}
