//! Commands to doors.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{clock::Timestamp, command::Action};

use super::payload::{CommandPayload, send};
use crate::{
    actions::{Order, Target},
    graphql::words::ForceReason,
};

macro_rules! door_inputs {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, InputObject)]
            pub(crate) struct $name {
                /// The door.
                door_id: ID,
                $($(#[$field_doc])* $field: $type,)*
                /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the
                /// same command; with another order it is refused. Without a key every call is a command of its own.
                idempotency_key: Option<String>,
                /// From when on it must not be sent any more; a default by kind without (15 seconds for opening).
                expires_at: Option<Timestamp>,
            }

            impl $name {
                fn order(self, action: Action) -> Order {
                    Order {
                        target: Target::Door(self.door_id.0),
                        action,
                        secret: None,
                        idempotency_key: self.idempotency_key,
                        expires_at: self.expires_at,
                    }
                }
            }
        )+
    };
}

door_inputs! {
    /// What `openDoor` takes.
    OpenDoorInput {}
    /// What `closeDoor` takes.
    CloseDoorInput {}
    /// What `lockDoor` takes.
    LockDoorInput {
        /// The vendor's id of the user on whose behalf it is locked (Bikeep); the account itself without.
        on_behalf_of: Option<String>,
    }
    /// What `unlockDoor` takes.
    UnlockDoorInput {}
    /// What `forceLockDoor` takes.
    ForceLockDoorInput {}
    /// What `forceUnlockDoor` takes.
    ForceUnlockDoorInput {
        /// Why.
        reason: ForceReason,
        /// In words: at least 5 characters with OTHER and STUCK_USER_OTHER_ISSUE, 500 at most.
        comment: Option<String>,
    }
    /// What `bookDoor` takes.
    BookDoorInput {
        /// Until when; the vendor's default (1 hour) without.
        until: Option<Timestamp>,
    }
    /// What `cancelBooking` takes.
    CancelBookingInput {}
    /// What `forceCancelBooking` takes.
    ForceCancelBookingInput {}
}

#[derive(Default)]
pub(crate) struct DoorMutations;

#[Object]
impl DoorMutations {
    /// Opens a door once (a pulse): a person or vehicle passes. Several within three seconds are one pulse, each with a
    /// command of its own. Needs OPERATOR.
    async fn open_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and how.")] input: OpenDoorInput,
    ) -> Result<CommandPayload> {
        send(context, input.order(Action::OpenDoor)).await
    }

    /// Closes a gate or garage, and calls off what was queued to open it. Needs OPERATOR.
    async fn close_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and how.")] input: CloseDoorInput,
    ) -> Result<CommandPayload> {
        send(context, input.order(Action::CloseDoor)).await
    }

    /// Engages the bolt, and calls off what was queued to release it. Needs OPERATOR.
    async fn lock_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and how.")] input: LockDoorInput,
    ) -> Result<CommandPayload> {
        let action = Action::LockDoor { on_behalf_of: input.on_behalf_of.clone() };
        send(context, input.order(action)).await
    }

    /// Releases the bolt. Needs OPERATOR.
    async fn unlock_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and how.")] input: UnlockDoorInput,
    ) -> Result<CommandPayload> {
        send(context, input.order(Action::UnlockDoor)).await
    }

    /// Engages the bolt regardless of state and user. Needs MANAGER.
    async fn force_lock_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and how.")] input: ForceLockDoorInput,
    ) -> Result<CommandPayload> {
        send(context, input.order(Action::ForceLockDoor)).await
    }

    /// Releases the bolt regardless of state and user. Needs MANAGER and a reason.
    async fn force_unlock_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, why, and how.")] input: ForceUnlockDoorInput,
    ) -> Result<CommandPayload> {
        let action = Action::ForceUnlockDoor { reason: input.reason.into(), comment: input.comment.clone() };
        send(context, input.order(action)).await
    }

    /// Holds a dock or locker for a while. Needs OPERATOR.
    async fn book_door(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, until when, and how.")] input: BookDoorInput,
    ) -> Result<CommandPayload> {
        let action = Action::BookDoor { until: input.until };
        send(context, input.order(action)).await
    }

    /// Gives one's booking of a dock or locker up. Needs OPERATOR.
    async fn cancel_booking(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and how.")] input: CancelBookingInput,
    ) -> Result<CommandPayload> {
        send(context, input.order(Action::CancelBooking)).await
    }

    /// Gives anybody's booking of a dock or locker up. Needs MANAGER.
    async fn force_cancel_booking(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which door, and how.")] input: ForceCancelBookingInput,
    ) -> Result<CommandPayload> {
        send(context, input.order(Action::ForceCancelBooking)).await
    }
}
