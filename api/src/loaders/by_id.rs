//! Single objects by their ids, one statement per batch.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::ids::{
    AccessAssignmentId, AccessLevelId, AccessTokenId, AlertId, ApiKeyId, CommandId, CredentialId, DeviceId, DoorId,
    EventId, OrganizationId, PlacementId, RecordId, ReservationId, ScheduleId, SiteId, UserId, VendorAccountId,
    WebhookDeliveryId,
};
use entities::{find, rows};

use super::{LoadError, Reader};

macro_rules! by_id {
    ($($id:ident => $row:ident through $finder:path),+ $(,)?) => {
        $(impl Loader<$id> for Reader {
            type Value = Arc<rows::$row::Model>;
            type Error = LoadError;

            async fn load(&self, ids: &[$id]) -> Result<HashMap<$id, Self::Value>, LoadError> {
                let found = self.wave.read($finder(&self.database, &self.scope, ids)).await?;
                Ok(found.into_iter().map(|row| ($id(row.id), Arc::new(row))).collect())
            }
        })+
    };
}

by_id! {
    OrganizationId => organization through find::organizations::by_ids,
    SiteId => site through find::sites::by_ids,
    VendorAccountId => vendor_account through find::vendor_accounts::by_ids,
    DeviceId => device through find::devices::by_ids,
    DoorId => door through find::doors::by_ids,
    UserId => user through find::organizations::users_by_ids,
    CommandId => command through find::commands::by_ids,
    EventId => event through find::events::by_ids,
    RecordId => record through find::records::by_ids,
    ReservationId => reservation through find::reservations::by_ids,
    AccessTokenId => access_token through find::tokens::by_ids,
    PlacementId => placement through find::placements::by_ids,
    CredentialId => credential through find::credentials::by_ids,
    AccessLevelId => access_level through find::access_levels::by_ids,
    AccessAssignmentId => access_assignment through find::access_levels::assignments_by_ids,
    ScheduleId => schedule through find::access_levels::schedules_by_ids,
    AlertId => alert through find::alerts::by_ids,
    ApiKeyId => api_key through find::keys::by_ids,
    WebhookDeliveryId => webhook_delivery through find::deliveries::by_ids,
}
