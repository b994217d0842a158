//! A command, as the schema shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Json, Object, Result};
use domain::{
    clock::Timestamp,
    command::Action,
    ids::{CommandId, DeviceId, DoorId, SiteId, VendorAccountId},
};
use entities::rows::command;

use super::{
    Device, Door, Site, VendorAccount,
    command_parts::{Failure, TimelineEntry},
    neighbour,
};
use crate::graphql::{
    context::Ask,
    words::{CommandKind, CommandState, Evidence, ForceReason},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Command(pub(super) Arc<command::Model>);

/// One requested physical or configuration action and its outcome. The outcome is told as it is known: HTTP success of a
/// vendor is not success, and what nobody can tell is OUTCOME_UNKNOWN.
#[Object]
impl Command {
    /// Its id (`cmd_…`).
    pub(crate) async fn id(&self) -> ID {
        CommandId(self.0.id).to_string().into()
    }

    /// What was asked for.
    async fn kind(&self) -> Result<CommandKind> {
        Ok(self.0.kind()?.into())
    }

    /// Where it stands.
    async fn state(&self) -> Result<CommandState> {
        Ok(self.0.state()?.into())
    }

    /// How well its outcome is known.
    async fn evidence(&self) -> Result<Evidence> {
        Ok(self.0.evidence()?.into())
    }

    /// Whether nothing more will be sent for it. OUTCOME_UNKNOWN is terminal, and may still become SUCCEEDED or FAILED.
    async fn terminal(&self) -> Result<bool> {
        Ok(self.0.state()?.is_terminal())
    }

    /// Why the door is forced (FORCE_UNLOCK_DOOR).
    async fn reason(&self) -> Option<Result<ForceReason>> {
        self.detail(|action| match action {
            Action::ForceUnlockDoor { reason, .. } => Some(reason.into()),
            _ => None,
        })
    }

    /// The reason in words (FORCE_UNLOCK_DOOR).
    async fn comment(&self) -> Option<Result<String>> {
        self.detail(|action| match action {
            Action::ForceUnlockDoor { comment, .. } => comment,
            _ => None,
        })
    }

    /// Until when the door is to be held (BOOK_DOOR); the vendor's default if null.
    async fn until(&self) -> Option<Result<Timestamp>> {
        self.detail(|action| match action {
            Action::BookDoor { until } => until,
            _ => None,
        })
    }

    /// Whether the device is switched off and on again (SYNC_DEVICE).
    async fn power_cycle(&self) -> Option<Result<bool>> {
        self.detail(|action| match action {
            Action::SyncDevice { power_cycle } => Some(power_cycle),
            _ => None,
        })
    }

    /// The door it is for; null for a command to the device or vendor account itself.
    async fn door(&self, context: &Context<'_>) -> Option<Result<Door>> {
        neighbour(context, DoorId(self.0.door_id?)).await
    }

    /// The device that carries it out; null for a command to the vendor account itself.
    async fn device(&self, context: &Context<'_>) -> Option<Result<Device>> {
        neighbour(context, DeviceId(self.0.device_id?)).await
    }

    /// The account that reaches it; null for callers who do not see the whole organization.
    async fn vendor_account(&self, context: &Context<'_>) -> Option<Result<VendorAccount>> {
        neighbour(context, VendorAccountId(self.0.account_id)).await
    }

    /// Where.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id)).await
    }

    /// The id of who asked for it (`key_…` or `user_…`).
    async fn requested_by(&self) -> ID {
        self.0.requested_by.as_str().into()
    }

    /// The key it was asked for under; null if there was none, or somebody else asked for it.
    async fn idempotency_key(&self, context: &Context<'_>) -> Option<Result<&str>> {
        let caller = match context.caller() {
            Ok(caller) => caller,
            Err(error) => return Some(Err(error.into())),
        };
        let own = self.0.requested_by == caller.session.principal.actor.to_string();
        let given = self.0.idempotency_key != CommandId(self.0.id).to_string();
        (own && given).then_some(Ok(&self.0.idempotency_key))
    }

    /// When it was asked for.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// From when on it will not be sent any more; null if it never expires.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at
    }

    /// When it was last about to be sent.
    async fn dispatched_at(&self) -> Option<Timestamp> {
        self.0.dispatched_at
    }

    /// When it came to its outcome.
    async fn finished_at(&self) -> Option<Timestamp> {
        self.0.finished_at
    }

    /// How often it was sent, or was about to be.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// Why it failed, or why its last attempt did.
    async fn failure(&self) -> Option<Result<Failure>> {
        self.0.failure().transpose().map(|failure| Ok(failure?.into()))
    }

    /// What it brought back, for kinds that do: a value that was read, the vendor's ids of what was created, the errors
    /// of an import by record. Null while there is nothing, and for callers who did not ask for it and whose role does not
    /// let them ask for the like; never a secret.
    async fn result(&self, context: &Context<'_>) -> Option<Result<Json<&serde_json::Value>>> {
        let result = self.0.result.as_ref()?;
        let (caller, kind) = match (context.caller(), self.0.kind()) {
            (Ok(caller), Ok(kind)) => (caller, kind),
            (Err(error), _) => return Some(Err(error.into())),
            (_, Err(error)) => return Some(Err(error.into())),
        };
        let principal = &caller.session.principal;
        principal.may_see_result(&self.0.requested_by, kind, SiteId(self.0.site_id)).then_some(Ok(Json(result)))
    }

    /// The command whose pulse it shares: several people pressed open at once, and the door opened once.
    async fn coalesced_with(&self, context: &Context<'_>) -> Option<Result<Command>> {
        neighbour(context, CommandId(self.0.rides_on?)).await
    }

    /// What was done and learned, oldest first.
    async fn timeline(&self) -> Option<Result<Vec<TimelineEntry>>> {
        let lines = self.0.timeline().map(|lines| lines.into_iter().map(Into::into).collect());
        Some(lines.map_err(Into::into))
    }

    /// Counts its changes.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

impl Command {
    fn detail<T>(&self, pick: impl FnOnce(Action) -> Option<T>) -> Option<Result<T>> {
        match self.0.action() {
            Ok(action) => pick(action).map(Ok),
            Err(error) => Some(Err(error.into())),
        }
    }
}
