//! What a principal can see, as SQL. Every finder takes a [`Scope`]; another tenant's row behaves as an absent one.

use std::collections::BTreeSet;

use domain::{
    access::{Limits, Principal},
    alert::AlertKind,
    ids::{DoorId, OrganizationId},
    record::RecordKind,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::rows::{alert, api_key, command, device, door, record, site};

/// The part of the database that a caller can see.
#[derive(Debug, Clone)]
pub struct Scope {
    organization: OrganizationId,
    actor: String,
    limits: Limits,
    own_doors: BTreeSet<DoorId>,
}

impl Scope {
    /// What this principal can see.
    #[must_use]
    pub fn of(principal: &Principal) -> Self {
        Self {
            organization: principal.organization,
            actor: principal.actor.to_string(),
            limits: principal.limits.clone(),
            own_doors: principal.own_doors.clone(),
        }
    }

    /// The tenant.
    #[must_use]
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Whether it is the whole organization.
    pub(crate) const fn sees_everything(&self) -> bool {
        self.limits.sees_everything()
    }

    fn site_ids(&self) -> Vec<Uuid> {
        self.limits.sites.iter().flatten().map(|id| id.0).collect()
    }

    fn door_ids(&self) -> Vec<Uuid> {
        self.limits.doors.iter().flatten().map(|id| id.0).collect()
    }

    /// The listed doors, and those that are seen because they are the caller's own.
    fn seen_door_ids(&self) -> Vec<Uuid> {
        self.limits.doors.iter().flatten().chain(&self.own_doors).map(|id| id.0).collect()
    }

    /// Sites: the listed ones, and those of doors that are seen.
    pub(crate) fn sites(&self) -> Condition {
        let tenant = Condition::all().add(site::Column::OrganizationId.eq(self.organization.0));
        if self.limits.sees_everything() {
            return tenant;
        }
        let of_doors = door::Entity::find()
            .select_only()
            .column(door::Column::SiteId)
            .filter(door::Column::OrganizationId.eq(self.organization.0))
            .filter(door::Column::Id.is_in(self.seen_door_ids()))
            .into_query();
        tenant.add(
            Condition::any().add(site::Column::Id.is_in(self.site_ids())).add(site::Column::Id.in_subquery(of_doors)),
        )
    }

    /// Devices: those of the listed sites, and those that carry a listed door.
    pub(crate) fn devices(&self) -> Condition {
        let tenant = Condition::all().add(device::Column::OrganizationId.eq(self.organization.0));
        if self.limits.sees_everything() {
            return tenant;
        }
        let of_doors = door::Entity::find()
            .select_only()
            .column(door::Column::DeviceId)
            .filter(door::Column::OrganizationId.eq(self.organization.0))
            .filter(door::Column::Id.is_in(self.door_ids()))
            .into_query();
        tenant.add(
            Condition::any()
                .add(device::Column::SiteId.is_in(self.site_ids()))
                .add(device::Column::Id.in_subquery(of_doors)),
        )
    }

    /// Doors: those of the listed sites, the listed ones and one's own. Of one's own the door itself is seen, and nothing
    /// that hangs on it: others use it too.
    pub(crate) fn doors(&self) -> Condition {
        let tenant = Condition::all().add(door::Column::OrganizationId.eq(self.organization.0));
        if self.limits.sees_everything() {
            return tenant;
        }
        tenant.add(
            Condition::any()
                .add(door::Column::SiteId.is_in(self.site_ids()))
                .add(door::Column::Id.is_in(self.seen_door_ids())),
        )
    }

    /// Whatever hangs on a door at a site: commands and events. What has neither is seen by unlimited principals only.
    pub(crate) fn by_site_or_door<C: ColumnTrait>(&self, organization: C, site: C, door: C) -> Condition {
        let tenant = Condition::all().add(organization.eq(self.organization.0));
        if self.limits.sees_everything() {
            return tenant;
        }
        tenant.add(Condition::any().add(site.is_in(self.site_ids())).add(door.is_in(self.door_ids())))
    }

    /// Commands: those at visible sites and doors, and one's own: who may send one may see what became of it.
    pub(crate) fn commands(&self) -> Condition {
        let seen =
            self.by_site_or_door(command::Column::OrganizationId, command::Column::SiteId, command::Column::DoorId);
        if self.limits.sees_everything() {
            return seen;
        }
        // A command to a whole account is no site's business.
        let seen = Condition::all().add(seen).add(command::Column::DeviceId.is_not_null());
        let own = Condition::all()
            .add(command::Column::OrganizationId.eq(self.organization.0))
            .add(command::Column::RequestedBy.eq(self.actor.as_str()));
        Condition::any().add(seen).add(own)
    }

    /// Records: what describes a device is seen with its site; people, stays and the like by unlimited principals only.
    pub(crate) fn records(&self) -> Condition {
        let tenant = Condition::all().add(record::Column::OrganizationId.eq(self.organization.0));
        if self.limits.sees_everything() {
            return tenant;
        }
        let of_devices = RecordKind::ALL.iter().filter(|kind| kind.describes_a_device()).map(|kind| kind.as_str());
        tenant
            .add(record::Column::SiteId.is_in(self.site_ids()))
            .add(record::Column::DeviceId.is_not_null())
            .add(record::Column::Kind.is_in(of_devices))
    }

    /// Alerts: with their site, those about people by unlimited principals only.
    pub(crate) fn alerts(&self) -> Condition {
        let tenant = Condition::all().add(alert::Column::OrganizationId.eq(self.organization.0));
        if self.limits.sees_everything() {
            return tenant;
        }
        let of_places = AlertKind::ALL.iter().filter(|kind| !kind.is_personal()).map(|kind| kind.as_str());
        tenant.add(alert::Column::SiteId.is_in(self.site_ids())).add(alert::Column::Kind.is_in(of_places))
    }

    /// API keys: all of them for who sees the whole organization, those that one made oneself otherwise.
    pub(crate) fn keys(&self) -> Condition {
        let tenant = Condition::all().add(api_key::Column::OrganizationId.eq(self.organization.0));
        if self.limits.sees_everything() {
            return tenant;
        }
        tenant.add(api_key::Column::CreatedBy.eq(self.actor.as_str()))
    }

    /// Whatever concerns the whole organization (accounts, people): nothing for a limited principal.
    pub(crate) fn whole_organization<C: ColumnTrait>(&self, organization: C) -> Condition {
        let tenant = Condition::all().add(organization.eq(self.organization.0));
        if self.limits.sees_everything() {
            return tenant;
        }
        tenant.add(sea_orm::sea_query::Expr::value(false))
    }
}
