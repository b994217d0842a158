//! Mews' records as JSON, every documented field. Reads the state, changes nothing.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{
    request::instant,
    state::{
        Assignment, Block, Category, Companionship, Customer, Enterprise, Group, Mews, Reservation, Resource, Service,
        Token,
    },
};

/// UTC with Z; milliseconds only where there are any.
pub(super) fn time(at: DateTime<Utc>) -> String {
    instant(at).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A text in the default language.
fn names(text: &str) -> Value {
    json!({ "en-US": text })
}

impl Mews {
    fn enterprise_id(&self, enterprise: usize) -> Option<&str> {
        self.enterprises.get(enterprise).map(|enterprise| enterprise.id.as_str())
    }

    fn resource_id(&self, resource: usize) -> Option<&str> {
        self.resources.get(resource).map(|resource| resource.id.as_str())
    }

    fn customer_id(&self, customer: usize) -> Option<&str> {
        self.customers.get(customer).map(|customer| customer.id.as_str())
    }

    fn reservation_id(&self, reservation: usize) -> Option<&str> {
        self.reservations.get(reservation).map(|reservation| reservation.id.as_str())
    }

    pub(super) fn enterprise_json(&self, enterprise: &Enterprise) -> Value {
        json!({
            "Id": enterprise.id,
            "Name": enterprise.name,
            "ChainId": self.chains.get(enterprise.chain),
            "TimeZoneIdentifier": enterprise.zone.name(),
            "DefaultLanguageCode": "en-US",
            "OperationalEditableHistoryInterval": "P0M7DT0H0M0S",
            "IsPortfolio": false,
            "Address": {
                "Line1": "1 Harbour Street", "Line2": null, "City": "Harbour Town", "PostalCode": "1000",
                "CountryCode": "PT", "CountrySubdivisionCode": null,
            },
            "ExternalIdentifier": null,
            "CreatedUtc": time(enterprise.created),
            "UpdatedUtc": time(enterprise.created),
            "LinkedUtc": time(enterprise.created),
        })
    }

    /// What a portfolio token gets when it asks for no enterprise in particular.
    pub(super) fn portfolio_json(&self, chain: usize) -> Value {
        json!({
            "Id": "00000000-0000-0000-0000-000000000000",
            "Name": "Portfolio",
            "ChainId": self.chains.get(chain),
            "TimeZoneIdentifier": "Etc/UTC",
            "DefaultLanguageCode": "en-US",
            "OperationalEditableHistoryInterval": "P0M0DT0H0M0S",
            "IsPortfolio": true,
            "Address": null,
        })
    }

    pub(super) fn service_json(&self, service: &Service) -> Value {
        let data = if service.bookable {
            let (start, end) = ("P0M0DT15H0M0S", "P0M0DT11H0M0S");
            let value = json!({
                "StartOffset": start, "EndOffset": end, "OccupancyStartOffset": start, "OccupancyEndOffset": end,
                "TimeUnitPeriod": "Day",
            });
            json!({ "Discriminator": "Bookable", "Value": value })
        } else {
            json!({ "Discriminator": "Additional", "Value": {} })
        };
        json!({
            "Id": service.id,
            "EnterpriseId": self.enterprise_id(service.enterprise),
            "IsActive": true,
            "Names": names(service.name),
            "Ordering": 0,
            "Data": data,
            "ExternalIdentifier": null,
            "CreatedUtc": time(service.created),
            "UpdatedUtc": time(service.created),
        })
    }

    pub(super) fn resource_json(&self, resource: &Resource) -> Value {
        let floor = resource.floor.map(|floor| floor.to_string()).unwrap_or_default();
        json!({
            "Id": resource.id,
            "EnterpriseId": self.enterprise_id(resource.enterprise),
            "IsActive": resource.active,
            "ParentResourceId": resource.parent.and_then(|parent| self.resource_id(parent)),
            "Name": resource.name,
            "State": resource.state,
            "Data": { "Discriminator": "Space", "Value": { "FloorNumber": floor, "LocationNotes": null } },
            "ExternalNames": {},
            "Directions": {},
            "Descriptions": {},
            "CreatedUtc": time(resource.created),
            "UpdatedUtc": time(resource.updated),
        })
    }

    pub(super) fn category_json(&self, category: &Category) -> Value {
        json!({
            "Id": category.id,
            "EnterpriseId": self.enterprise_id(category.enterprise),
            "ServiceId": self.services.get(category.service).map(|service| &service.id),
            "Type": category.kind,
            "Names": names(category.name),
            "Capacity": category.capacity,
            "IsActive": true,
            "CreatedUtc": time(category.created),
            "UpdatedUtc": time(category.created),
        })
    }

    /// `IsActive` is also that of the resource.
    pub(super) fn assignment_json(&self, assignment: &Assignment) -> Value {
        let resource = self.resources.get(assignment.resource);
        json!({
            "Id": assignment.id,
            "ResourceId": resource.map(|resource| &resource.id),
            "CategoryId": self.categories.get(assignment.category).map(|category| &category.id),
            "IsActive": resource.is_some_and(|resource| resource.active),
            "CreatedUtc": time(assignment.created),
            "UpdatedUtc": time(assignment.created),
        })
    }

    pub(super) fn customer_json(&self, customer: &Customer) -> Value {
        json!({
            "Id": customer.id,
            "ChainId": self.chains.get(customer.chain),
            "Number": customer.number.to_string(),
            "Title": null,
            "FirstName": customer.first_name,
            "LastName": customer.last_name,
            "SecondLastName": null,
            "Email": customer.email,
            "HasOtaEmail": false,
            "Phone": customer.phone,
            "PreferredLanguageCode": null,
            "LanguageCode": null,
            "CarRegistrationNumber": null,
            "Classifications": [],
            "MergeTargetId": null,
            "IsActive": true,
            "CompanyId": null,
            "Address": null,
            "CreatedUtc": time(customer.created),
            "UpdatedUtc": time(customer.updated),
        })
    }

    pub(super) fn companionship_json(&self, companionship: &Companionship) -> Value {
        json!({
            "Id": companionship.id,
            "CustomerId": self.customer_id(companionship.customer),
            "ReservationGroupId": self.groups.get(companionship.group).map(|group| &group.id),
            "ReservationId": self.reservation_id(companionship.reservation),
        })
    }

    pub(super) fn group_json(&self, group: &Group) -> Value {
        json!({
            "Id": group.id,
            "Name": group.name,
            "ChannelManager": null,
            "ChannelManagerGroupNumber": null,
            "EnterpriseId": self.enterprise_id(group.enterprise),
        })
    }

    /// `state` replaces the word of its state.
    pub(super) fn reservation_json(&self, index: usize, reservation: &Reservation, state: Option<&str>) -> Value {
        let hotel = self.enterprises.get(reservation.enterprise);
        let service = hotel.and_then(|hotel| self.services.get(hotel.stay_service)).map(|service| &service.id);
        let account = self.customer_id(reservation.account);
        let group = self.groups.get(reservation.group).map(|group| &group.id);
        let category = self.categories.get(reservation.category).map(|category| &category.id);
        let resource = reservation.resource.and_then(|resource| self.resource_id(resource));
        let mut fields = json!({
            "Id": reservation.id,
            "ServiceId": service,
            "AccountId": account,
            "AccountType": "Customer",
            "CreatorProfileId": account,
            "UpdaterProfileId": account,
            "Number": reservation.number.to_string(),
            "State": state.unwrap_or(reservation.state.word()),
            "Origin": "Commander",
            "RateId": self.id("4a7e0000", reservation.enterprise + 1),
            "GroupId": group,
            "RequestedResourceCategoryId": category,
            "AssignedResourceId": resource,
            "AssignedResourceLocked": reservation.locked,
            "CancellationReason": reservation.cancelled.map(|_| "Other"),
        });
        if let Some(fields) = fields.as_object_mut() {
            for name in ABSENT {
                fields.insert(name.to_owned(), Value::Null);
            }
            for (name, at) in times_of(reservation) {
                fields.insert(name.to_owned(), Value::from(at.map(time)));
            }
            let in_house = reservation.started.is_some();
            let options = json!({
                "OwnerCheckedIn": in_house,
                "AllCompanionsCheckedIn": in_house,
                "AnyCompanionCheckedIn": in_house,
                "ConnectorCheckIn": false,
            });
            fields.insert("Options".to_owned(), options);
            let age_category = self.id("a9e00000", reservation.enterprise + 1);
            let count = json!({ "AgeCategoryId": age_category, "Count": self.guests_of(index).count() });
            fields.insert("PersonCounts".to_owned(), json!([count]));
        }
        fields
    }

    pub(super) fn block_json(&self, block: &Block) -> Value {
        json!({
            "Id": block.id,
            "AssignedResourceId": self.resource_id(block.resource),
            "Type": block.kind,
            "StartUtc": time(block.start),
            "EndUtc": time(block.end),
            "IsActive": block.deleted.is_none(),
            "DeletedUtc": block.deleted.map(time),
            "Name": "Block",
            "Notes": null,
            "CreatedUtc": time(block.created),
            "UpdatedUtc": time(block.updated),
        })
    }

    pub(super) fn token_json(&self, token: &Token) -> Value {
        let companionship = token.companionship.and_then(|index| self.companionships.get(index));
        json!({
            "Id": token.id,
            "EnterpriseId": self.enterprise_id(token.enterprise),
            "ServiceOrderId": self.reservation_id(token.reservation),
            "CompanionshipId": companionship.map(|companionship| &companionship.id),
            "ResourceId": token.resource.and_then(|resource| self.resource_id(resource)),
            "Type": token.kind,
            "Value": token.value,
            "SerialNumber": token.serial_number,
            "ValidityStartUtc": time(token.start),
            "ValidityEndUtc": time(token.end),
            "Permissions": {
                "Bed": token.permissions.bed,
                "Room": token.permissions.room,
                "Floor": token.permissions.floor,
                "Building": token.permissions.building,
            },
            "IsActive": token.active,
            "CreatedUtc": time(token.created),
            "UpdatedUtc": time(token.updated),
        })
    }
}

/// Documented fields of a reservation that say nothing here.
const ABSENT: [&str; 13] = [
    "BookerId",
    "CommanderOrigin",
    "OriginDetails",
    "VoucherId",
    "BusinessSegmentId",
    "CreditCardId",
    "AvailabilityBlockId",
    "PartnerCompanyId",
    "TravelAgencyId",
    "ChannelNumber",
    "ChannelManagerNumber",
    "Purpose",
    "QrCodeData",
];

/// The times of a reservation, the two deprecated ones last.
fn times_of(reservation: &Reservation) -> [(&'static str, Option<DateTime<Utc>>); 10] {
    [
        ("CreatedUtc", Some(reservation.created)),
        ("UpdatedUtc", Some(reservation.updated)),
        ("CancelledUtc", reservation.cancelled),
        ("ReleasedUtc", reservation.released),
        ("ScheduledStartUtc", Some(reservation.start)),
        ("ActualStartUtc", reservation.started),
        ("ScheduledEndUtc", Some(reservation.end)),
        ("ActualEndUtc", reservation.ended),
        ("StartUtc", Some(reservation.started.unwrap_or(reservation.start))),
        ("EndUtc", Some(reservation.ended.unwrap_or(reservation.end))),
    ]
}
