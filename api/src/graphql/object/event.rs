//! An event, as the schema shows it.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Context, ID, Json, Object, Result};
use domain::{
    clock::Timestamp,
    event::{Told, what_tells},
    ids::{CommandId, DeviceId, DoorId, EventId, SiteId, VendorAccountId},
};
use entities::rows::event;
use serde_json::Value;

use super::{Command, Device, Door, Site, VendorAccount, neighbour};
use crate::graphql::{context::Ask, words::EventType};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Event(pub(super) Arc<event::Model>);

/// An immutable fact: what happened at a door or device, or in Gatehouse.
#[Object]
impl Event {
    /// Its id (`evt_…`).
    pub(crate) async fn id(&self) -> ID {
        EventId(self.0.id).to_string().into()
    }

    /// What happened.
    #[graphql(name = "type")]
    async fn event_type(&self) -> Result<EventType> {
        Ok(self.0.event_type()?.into())
    }

    /// When it happened, by the clock of whoever saw it.
    async fn occurred_at(&self) -> Timestamp {
        self.0.occurred_at
    }

    /// When it was written down, by our clock.
    async fn recorded_at(&self) -> Timestamp {
        self.0.recorded_at
    }

    /// The id of who caused it (`key_…` or `user_…`); null if nobody did.
    async fn actor(&self) -> Option<ID> {
        self.0.actor.clone().map(Into::into)
    }

    /// Where.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id?)).await
    }

    /// At which device.
    async fn device(&self, context: &Context<'_>) -> Option<Result<Device>> {
        neighbour(context, DeviceId(self.0.device_id?)).await
    }

    /// At which door.
    async fn door(&self, context: &Context<'_>) -> Option<Result<Door>> {
        neighbour(context, DoorId(self.0.door_id?)).await
    }

    /// By which command.
    async fn command(&self, context: &Context<'_>) -> Option<Result<Command>> {
        neighbour(context, CommandId(self.0.command_id?)).await
    }

    /// At which vendor account, if it is about one or its vendor told of it; null for callers who do not see the whole
    /// organization.
    async fn vendor_account(&self, context: &Context<'_>) -> Option<Result<VendorAccount>> {
        neighbour(context, VendorAccountId(self.0.account_id?)).await
    }

    /// What it is in the vendor's own word, if its vendor told of it.
    async fn vendor_code(&self) -> Option<&str> {
        self.0.vendor_code.as_deref()
    }

    /// Details, by type; never a secret. Of what a vendor tells, names are for OPERATORs there, and numbers of cards and
    /// telephones, addresses and whatever is in words that we do not know for a MANAGER who sees the whole organization:
    /// others are told the rest.
    #[graphql(tag = "personal")]
    async fn data(&self, context: &Context<'_>) -> Result<Json<Cow<'_, Value>>> {
        let (principal, now) = (&context.caller()?.session.principal, context.shared()?.clock.now());
        let site = self.0.site_id.map(SiteId);
        let may = |told| principal.may_be_told(told, site, now);
        Ok(Json(match self.0.data.as_object() {
            // What we write ourselves names people by their ids only.
            Some(facts) if self.0.external_id.is_some() && !event::is_erased(&self.0.data) && !may(Told::Person) => {
                let of = |name: &str, fact: &Value| fact.as_str().map_or(Told::Person, |fact| what_tells(name, fact));
                let shown = facts.iter().filter(|(name, fact)| may(of(name, fact)));
                Cow::Owned(shown.map(|(name, fact)| (name.clone(), fact.clone())).collect())
            }
            _ => Cow::Borrowed(&self.0.data),
        }))
    }
}
