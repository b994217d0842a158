//! Handing a command to its vendor: a movement of a door, or a change of what the vendor keeps. Decides nothing.

use domain::{
    change::Change,
    command::{Action, Answer, Seen, TimelineStep},
    door::DoorReading,
    ids::CommandId,
    secret::Secret,
};
use entities::rows::command;
use platform::vault::Place;
use vendors::{
    error::VendorError,
    port::{ChangeReceipt, Departure, Order, Receipt, Target, Trace, VendorNote},
};

use crate::{
    accounts::{
        Line,
        pace::{urgency_of, with_named_pause, with_urgency, without_patience},
    },
    advance_command::Hands,
    intake::News,
};

/// What a vendor told about a command.
pub(crate) struct Told {
    pub(crate) answer: Answer,
    pub(crate) door: Option<DoorReading>,
    pub(crate) notes: Vec<VendorNote>,
    pub(crate) result: Option<serde_json::Value>,
    pub(crate) news: News,
}

impl Told {
    /// What is known when nobody answered.
    pub(crate) fn nothing() -> Self {
        Self {
            answer: Answer::Pending {
                reference: None,
                evidence: domain::command::Evidence::None,
                vendor_timeout_at: None,
            },
            door: None,
            notes: Vec::new(),
            result: None,
            news: News::default(),
        }
    }
}

impl From<Receipt> for Told {
    fn from(receipt: Receipt) -> Self {
        Self { answer: receipt.answer, door: receipt.door, notes: receipt.notes, result: None, news: News::default() }
    }
}

impl From<ChangeReceipt> for Told {
    fn from(receipt: ChangeReceipt) -> Self {
        Self {
            answer: receipt.answer,
            door: None,
            notes: receipt.notes,
            result: receipt.result,
            news: News { found: receipt.found, gone: receipt.gone, hints: receipt.hints },
        }
    }
}

/// Sends a command. The intent is on disk already.
pub(crate) async fn dispatch(
    hands: &Hands,
    to: &Line,
    row: &command::Model,
    action: &Action,
    target: Option<&Target>,
    departure: &Departure,
) -> Result<Told, VendorError> {
    let sent = with_urgency(urgency_of(action), dispatch_now(hands, to, row, action, target, departure));
    // Here nobody would see that the door is theirs no longer: it waits in its queue, where that is asked for again.
    let sent = if row.by_own_right { without_patience(sent).await } else { sent.await };
    sent.map_err(with_named_pause)
}

async fn dispatch_now(
    hands: &Hands,
    to: &Line,
    row: &command::Model,
    action: &Action,
    target: Option<&Target>,
    departure: &Departure,
) -> Result<Told, VendorError> {
    match (action, target) {
        (Action::Change(change), _) => {
            let secret = secret(hands, row)?;
            let order = order(row, change, target, secret.as_ref());
            Ok(to.connection.administration().carry_out(order, departure).await?.into())
        }
        (_, Some(target)) => Ok(to.connection.door_control().dispatch(action, target, departure).await?.into()),
        (_, None) => Err(not_ours("A door command without a door.")),
    }
}

/// Looks whether a change was made whose answer was lost.
pub(crate) async fn look_for(
    hands: &Hands,
    to: &Line,
    row: &command::Model,
    change: &Change,
    target: Option<&Target>,
) -> Result<(Seen, Told), VendorError> {
    let secret = secret(hands, row)?;
    let trace = to.connection.administration().look_for(order(row, change, target, secret.as_ref())).await?;
    Ok(match trace {
        Trace::Made(receipt) => (Seen::Answered(receipt.answer.clone()), Told::from(*receipt)),
        Trace::Absent => (Seen::Absent, Told::nothing()),
        Trace::Unclear => (Seen::Nothing { failure: None }, Told::nothing()),
    })
}

/// The step of a timeline that a sighting is.
pub(crate) const fn sighting_step(has_reference: bool) -> TimelineStep {
    if has_reference { TimelineStep::Polled } else { TimelineStep::Looked }
}

fn order<'a>(
    row: &command::Model,
    change: &'a Change,
    target: Option<&'a Target>,
    secret: Option<&'a Secret>,
) -> Order<'a> {
    Order { change, target, secret, first_sent_at: row.dispatched_at }
}

fn secret(hands: &Hands, row: &command::Model) -> Result<Option<Secret>, VendorError> {
    let Some(sealed) = &row.sealed else { return Ok(None) };
    let place = Place { table: "commands", column: "sealed", row: row.id };
    hands.parts().vault.open(sealed, place).map(Some).map_err(|error| {
        tracing::error!(command = %CommandId(row.id), %error, "the secret of a command cannot be opened");
        not_ours("The secret part of this command cannot be opened.")
    })
}

fn not_ours(message: &str) -> VendorError {
    VendorError::Rejected { code: domain::command::FailureCode::Internal, message: message.to_owned() }
}
