//! The states of a command, the evidence for its outcome, and which state may follow which.

use serde::{Deserialize, Serialize};

use crate::text_enum;

text_enum! {
    /// Where a command stands.
    pub enum CommandState {
        /// Written, not yet sent.
        Queued = "QUEUED",
        /// About to be sent, or sent without an answer yet.
        Dispatching = "DISPATCHING",
        /// The vendor has it and works on it.
        Accepted = "ACCEPTED",
        /// Done, as far as the evidence says.
        Succeeded = "SUCCEEDED",
        /// Certainly not done.
        Failed = "FAILED",
        /// Its time ran out before it was sent.
        Expired = "EXPIRED",
        /// Called off before it was sent.
        Canceled = "CANCELED",
        /// It may or may not have happened. Becomes SUCCEEDED or FAILED when evidence arrives.
        OutcomeUnknown = "OUTCOME_UNKNOWN",
    }
}

impl CommandState {
    /// Whether nothing more will be sent for it.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Expired | Self::Canceled | Self::OutcomeUnknown)
    }

    /// Whether `next` may follow `self`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use CommandState::{Accepted, Canceled, Dispatching, Expired, Failed, OutcomeUnknown, Queued, Succeeded};
        matches!(
            (self, next),
            // From the queue to an outcome: it rides on another command's pulse.
            (Queued, Dispatching | Accepted | Succeeded | Failed | Expired | Canceled | OutcomeUnknown)
                // Back to the queue: the request provably never left, or only the resulting state counts.
                | (Dispatching, Queued | Accepted | Succeeded | Failed | Expired | OutcomeUnknown)
                | (Accepted, Succeeded | Failed | OutcomeUnknown)
                | (OutcomeUnknown, Succeeded | Failed)
        )
    }
}

text_enum! {
    /// How well an outcome is known, from nothing to a sensor.
    pub enum Evidence {
        /// Nobody confirmed anything.
        None = "NONE",
        /// The vendor's service says so.
        VendorAck = "VENDOR_ACK",
        /// The hardware answered.
        DeviceAck = "DEVICE_ACK",
        /// A sensor or the lock's own state shows it.
        Sensor = "SENSOR",
    }
}

text_enum! {
    /// Why a command did not succeed, or is not known to have. Named by what to do about it.
    pub enum FailureCode {
        /// Its time ran out first. Ask again.
        Expired = "EXPIRED",
        /// Somebody called it off.
        Canceled = "CANCELED",
        /// What opened the door for who asked ended before it was sent, or their right to send it. Nothing was sent.
        AccessEnded = "ACCESS_ENDED",
        /// A later order for the same door called it off.
        Superseded = "SUPERSEDED",
        /// The vendor refused it for good.
        VendorRejected = "VENDOR_REJECTED",
        /// The vendor does not know the device or door. Sync the inventory.
        DeviceNotFound = "DEVICE_NOT_FOUND",
        /// The device is out of the vendor's reach.
        DeviceUnreachable = "DEVICE_UNREACHABLE",
        /// The device tried and failed.
        DeviceError = "DEVICE_ERROR",
        /// The door needs a sensor before it can be operated remotely.
        SensorRequired = "SENSOR_REQUIRED",
        /// The vendor does not offer this.
        Unsupported = "UNSUPPORTED",
        /// The vendor found our request malformed. Report it.
        Malformed = "MALFORMED",
        /// The vendor refuses our credentials. Link the account again.
        AuthenticationFailed = "AUTHENTICATION_FAILED",
        /// The vendor could not be reached.
        VendorUnreachable = "VENDOR_UNREACHABLE",
        /// The vendor asked us to slow down.
        Throttled = "THROTTLED",
        /// Sent, but the answer was lost.
        AnswerLost = "ANSWER_LOST",
        /// Sent, but the answer made no sense.
        AnswerInvalid = "ANSWER_INVALID",
        /// The vendor failed while it had the request.
        VendorFailed = "VENDOR_FAILED",
        /// The vendor never told an outcome in time.
        NoOutcome = "NO_OUTCOME",
        /// A worker stopped while the request may have been on its way.
        WorkerInterrupted = "WORKER_INTERRUPTED",
        /// Our own fault, recorded in our log.
        Internal = "INTERNAL",
    }
}

/// A failure code with a sentence for people. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What a program branches on.
    pub code: FailureCode,
    /// What a person reads.
    pub message: String,
}

impl Failure {
    /// The longest message that is kept, in characters: a vendor's answer may be a page.
    pub const MESSAGE_LIMIT: usize = 300;

    /// A failure with its message cut to [`Self::MESSAGE_LIMIT`].
    #[must_use]
    pub fn new(code: FailureCode, message: impl AsRef<str>) -> Self {
        Self { code, message: message.as_ref().chars().take(Self::MESSAGE_LIMIT).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table, spelled out, so that no arrow appears by accident.
    #[test]
    fn every_legal_and_illegal_transition() {
        use CommandState::{Accepted, Canceled, Dispatching, Expired, Failed, OutcomeUnknown, Queued, Succeeded};
        for from in CommandState::ALL {
            let legal: &[CommandState] = match from {
                Queued => &[Dispatching, Accepted, Succeeded, Failed, Expired, Canceled, OutcomeUnknown],
                Dispatching => &[Queued, Accepted, Succeeded, Failed, Expired, OutcomeUnknown],
                Accepted => &[Succeeded, Failed, OutcomeUnknown],
                OutcomeUnknown => &[Succeeded, Failed],
                Succeeded | Failed | Expired | Canceled => &[],
            };
            for to in CommandState::ALL {
                assert_eq!(from.may_become(*to), legal.contains(to), "{from} -> {to}");
            }
        }
    }

    #[test]
    fn evidence_is_ordered() {
        assert!(Evidence::None < Evidence::VendorAck);
        assert!(Evidence::VendorAck < Evidence::DeviceAck);
        assert!(Evidence::DeviceAck < Evidence::Sensor);
    }
}
