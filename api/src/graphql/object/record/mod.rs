//! A record of a vendor's, as the schema shows it, and who may read which kind. What a record says is in the files
//! beside this one, one object type per kind.

mod access;
mod hardware;
mod people;
mod stays;

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, Union};
use domain::{
    access::Principal,
    clock::Timestamp,
    ids::{DeviceId, RecordId, SiteId, VendorAccountId},
    record,
};
use entities::rows::record as row;

use self::{
    access::{AccessLevelDetails, CredentialSummary, ScheduleDetails},
    hardware::{AutoAccessScheduleDetails, CampaignDetails, SensorDetails},
    people::{CredentialDetails, DeviceAccessDetails, ProfileDetails, UserDetails},
    stays::{AccessTokenDetails, LocationDetails, ReservationDetails, ResourceDetails},
};
use super::{Device, Site, VendorAccount, neighbour};
use crate::graphql::words::RecordKind;

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct VendorRecord(pub(super) Arc<row::Model>);

/// The kinds that a caller may read. Records of people need MANAGER; the others are as visible as their place.
pub(crate) fn readable_kinds(principal: &Principal, now: Timestamp) -> Vec<record::RecordKind> {
    record::RecordKind::ALL.iter().copied().filter(|kind| principal.may_read(*kind, now).is_ok()).collect()
}

impl VendorRecord {
    /// Whether a caller may read it. One that may not is as good as absent.
    pub(crate) fn is_readable(&self, principal: &Principal, now: Timestamp) -> bool {
        self.0.kind().is_ok_and(|kind| principal.may_read(kind, now).is_ok())
    }
}

/// What a vendor keeps beside devices and doors (people, credentials, access levels, stays), as it was last seen there.
/// Records of people are seen by a MANAGER only, and no secret of a record by anybody.
#[Object]
impl VendorRecord {
    /// Its id (`rec_…`).
    pub(crate) async fn id(&self) -> ID {
        RecordId(self.0.id).to_string().into()
    }

    /// What kind of record it is.
    async fn kind(&self) -> Result<RecordKind> {
        Ok(self.0.kind()?.into())
    }

    /// The vendor's id of it, unique among its kind in the account.
    async fn external_id(&self) -> &str {
        &self.0.external_id
    }

    /// A name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it says.
    async fn details(&self) -> Result<RecordDetails> {
        Ok(self.0.details()?.into())
    }

    /// The account whose vendor keeps it; null for callers who do not see the whole organization.
    async fn vendor_account(&self, context: &Context<'_>) -> Option<Result<VendorAccount>> {
        neighbour(context, VendorAccountId(self.0.account_id)).await
    }

    /// The device that it belongs to, if it does.
    async fn device(&self, context: &Context<'_>) -> Option<Result<Device>> {
        neighbour(context, DeviceId(self.0.device_id?)).await
    }

    /// Where it belongs.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id)).await
    }

    /// When its vendor last listed it.
    async fn last_seen_at(&self) -> Timestamp {
        self.0.last_seen_at
    }

    /// Since when complete lists of its vendor lack it; null while they hold it.
    async fn missing_since(&self) -> Option<Timestamp> {
        self.0.missing_since
    }

    /// When it last changed, by our clock.
    async fn changed_at(&self) -> Timestamp {
        self.0.changed_at
    }

    /// Counts its changes.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// What a record says, by its kind. Ids of the vendor's are those of other records (`externalId`) of the same account.
#[derive(Debug, Clone, PartialEq, Union)]
pub(crate) enum RecordDetails {
    User(UserDetails),
    Credential(CredentialDetails),
    AccessLevel(AccessLevelDetails),
    Schedule(ScheduleDetails),
    DeviceAccess(DeviceAccessDetails),
    Sensor(SensorDetails),
    Campaign(CampaignDetails),
    AutoAccessSchedule(AutoAccessScheduleDetails),
    Profile(ProfileDetails),
    CredentialSummary(CredentialSummary),
    Location(LocationDetails),
    Resource(ResourceDetails),
    Reservation(Box<ReservationDetails>),
    AccessToken(Box<AccessTokenDetails>),
}

impl From<record::RecordDetails> for RecordDetails {
    fn from(details: record::RecordDetails) -> Self {
        use record::RecordDetails as Told;
        match details {
            Told::User(details) => Self::User(details.into()),
            Told::Credential(details) => Self::Credential(details.into()),
            Told::AccessLevel(details) => Self::AccessLevel(details.into()),
            Told::Schedule(details) => Self::Schedule(details.into()),
            Told::DeviceAccess(details) => Self::DeviceAccess(details.into()),
            Told::Sensor(details) => Self::Sensor(details.into()),
            Told::Campaign(details) => Self::Campaign(details.into()),
            Told::AutoAccessSchedule(details) => Self::AutoAccessSchedule(details.into()),
            Told::Profile(details) => Self::Profile(details.into()),
            Told::CredentialSummary(details) => Self::CredentialSummary(details.into()),
            Told::Location(details) => Self::Location(details.into()),
            Told::Resource(details) => Self::Resource(details.into()),
            Told::Reservation(details) => Self::Reservation(Box::new(details.into())),
            Told::AccessToken(details) => Self::AccessToken(Box::new(details.into())),
        }
    }
}
