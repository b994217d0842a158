//! Appending events. Only other store functions do, inside the transaction of what the event tells.

use domain::{
    clock::{Timestamp, truncate},
    event::EventType,
    ids::IdSource,
    ledger::Facts,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, JsonValue};
use uuid::Uuid;

use crate::{
    StoreError,
    rows::{command, device, door, event, vendor_account},
};

/// An event about to be written.
pub(crate) struct NewEvent<'a> {
    pub(crate) organization: Uuid,
    pub(crate) site: Option<Uuid>,
    pub(crate) device: Option<Uuid>,
    pub(crate) door: Option<Uuid>,
    pub(crate) command: Option<Uuid>,
    pub(crate) account: Option<Uuid>,
    pub(crate) event_type: EventType,
    pub(crate) occurred_at: Timestamp,
    pub(crate) recorded_at: Timestamp,
    pub(crate) actor: Option<&'a str>,
    pub(crate) data: JsonValue,
}

impl<'a> NewEvent<'a> {
    /// One that happens now and is at no place: what else it is about is added to it.
    pub(crate) fn of_organization(
        organization: Uuid,
        event_type: EventType,
        now: Timestamp,
        actor: Option<&'a str>,
        data: JsonValue,
    ) -> Self {
        Self {
            organization,
            site: None,
            device: None,
            door: None,
            command: None,
            account: None,
            event_type,
            occurred_at: now,
            recorded_at: now,
            actor,
            data,
        }
    }

    /// What is asked of a whole account is at no site: it concerns all of them, and whoever sees one only need not know.
    pub(crate) fn of_command(
        command: &'a command::Model,
        event_type: EventType,
        now: Timestamp,
        data: JsonValue,
    ) -> Self {
        Self {
            site: command.device_id.map(|_| command.site_id),
            device: command.device_id,
            door: command.door_id,
            command: Some(command.id),
            ..Self::of_organization(command.organization_id, event_type, now, Some(&command.requested_by), data)
        }
    }

    pub(crate) fn of_door(door: &door::Model, occurred_at: Timestamp, now: Timestamp, data: JsonValue) -> Self {
        Self {
            site: Some(door.site_id),
            device: Some(door.device_id),
            door: Some(door.id),
            occurred_at,
            ..Self::of_organization(door.organization_id, EventType::DoorStateChanged, now, None, data)
        }
    }

    pub(crate) fn of_device(device: &device::Model, event_type: EventType, now: Timestamp, data: JsonValue) -> Self {
        Self {
            site: Some(device.site_id),
            device: Some(device.id),
            ..Self::of_organization(device.organization_id, event_type, now, None, data)
        }
    }

    pub(crate) fn of_account(
        account: &vendor_account::Model,
        event_type: EventType,
        now: Timestamp,
        actor: Option<&'a str>,
        data: JsonValue,
    ) -> Self {
        Self {
            account: Some(account.id),
            ..Self::of_organization(account.organization_id, event_type, now, actor, data)
        }
    }
}

/// Writes events, in order.
pub(crate) async fn append(
    connection: &impl ConnectionTrait,
    ids: &dyn IdSource,
    events: Vec<NewEvent<'_>>,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let rows = events.into_iter().map(|event| event::Model {
        id: ids.next_uuid(),
        organization_id: event.organization,
        site_id: event.site,
        device_id: event.device,
        door_id: event.door,
        command_id: event.command,
        account_id: event.account,
        external_id: None,
        vendor_code: None,
        event_type: event.event_type.as_str().to_owned(),
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
        actor: event.actor.map(str::to_owned),
        data: event.data,
        block: None,
        mark: None,
    });
    let rows = rows.map(|row| marked(ids, row));
    event::Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(())
}

/// A new row with the mark of this house under what it says.
pub(super) fn marked(ids: &dyn IdSource, row: event::Model) -> event::ActiveModel {
    // As it will be read again: a vendor's clock may be finer than a database's.
    let (occurred_at, recorded_at) = (truncate(row.occurred_at), truncate(row.recorded_at));
    let row = event::Model { occurred_at, recorded_at, ..row };
    let mark = ids.mark(&Facts::from(row.clone()));
    event::ActiveModel::from(event::Model { mark, ..row }).reset_all()
}
