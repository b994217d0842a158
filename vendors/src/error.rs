//! Errors of vendor calls, named by the decision they demand, and their translation into the words of the command's
//! state machine. No message holds a secret: whoever makes one passes vendors' words through `http::Caller::clean`.

use chrono::TimeDelta;
use domain::command::{Answer, Evidence, Failure, FailureCode, Seen, Sent};

/// Why a vendor call did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// The vendor refused it for good: it had no effect, and asking again is no use.
    #[error("{message}")]
    Rejected {
        /// What a program branches on.
        code: FailureCode,
        /// What a person reads.
        message: String,
    },
    /// Nothing was asked of the hardware: not connected, or a mere question went unanswered. Ask again later.
    #[error("{message}")]
    NotReady {
        /// What a person reads.
        message: String,
        /// When the vendor allows the next request, if it said so.
        retry_after: Option<TimeDelta>,
    },
    /// The vendor asks us to slow down and did nothing else.
    #[error("The vendor asked us to slow down.")]
    Throttled {
        /// When the vendor allows the next request, if it said so.
        retry_after: Option<TimeDelta>,
    },
    /// The vendor refuses our credentials: a person must link the account again.
    #[error("{message}")]
    AuthInvalid {
        /// What a person reads.
        message: String,
    },
    /// The departure had passed before the bytes left: nothing was sent.
    #[error("It was too late to send it.")]
    TooLate,
    /// It may have had an effect: the answer was lost, or the vendor failed while it had the request.
    #[error("{message}")]
    Indeterminate {
        /// `ANSWER_LOST` or `VENDOR_FAILED`.
        code: FailureCode,
        /// What a person reads.
        message: String,
    },
    /// The answer made no sense. After a dispatch this is as bad as [`VendorError::Indeterminate`].
    #[error("{message}")]
    Protocol {
        /// What a person reads.
        message: String,
    },
    /// This vendor, or our connector to it, does not offer this. Nothing was sent.
    #[error("{message}")]
    Unsupported {
        /// What a person reads.
        message: String,
    },
}

impl VendorError {
    /// Whether a person must link the account again.
    #[must_use]
    pub const fn is_auth_invalid(&self) -> bool {
        matches!(self, Self::AuthInvalid { .. })
    }

    /// The failure to record.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let code = match self {
            Self::Rejected { code, .. } | Self::Indeterminate { code, .. } => *code,
            Self::NotReady { .. } => FailureCode::VendorUnreachable,
            Self::Throttled { .. } => FailureCode::Throttled,
            Self::AuthInvalid { .. } => FailureCode::AuthenticationFailed,
            Self::TooLate => FailureCode::Expired,
            Self::Protocol { .. } => FailureCode::AnswerInvalid,
            Self::Unsupported { .. } => FailureCode::Unsupported,
        };
        Failure::new(code, self.to_string())
    }

    /// What a failed dispatch means for the command.
    #[must_use]
    pub fn into_sent(self) -> Sent {
        let failure = self.failure();
        match self {
            Self::Rejected { .. } | Self::AuthInvalid { .. } => {
                Sent::Answered(Answer::Failed { failure, evidence: Evidence::VendorAck })
            }
            Self::Unsupported { .. } => Sent::Answered(Answer::Failed { failure, evidence: Evidence::None }),
            Self::NotReady { retry_after, .. } | Self::Throttled { retry_after } => {
                Sent::NotSent { failure, retry_after }
            }
            Self::TooLate => Sent::NotSent { failure, retry_after: None },
            Self::Indeterminate { .. } | Self::Protocol { .. } => Sent::Lost { failure },
        }
    }

    /// What a failed poll or look means for the command: nothing. That a question was refused says nothing of the
    /// action that it was about.
    #[must_use]
    pub fn into_seen(self) -> Seen {
        Seen::Nothing { failure: Some(self.failure()) }
    }

    pub(crate) fn rejected(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Rejected { code, message: message.into() }
    }

    pub(crate) fn not_ready(message: impl Into<String>) -> Self {
        Self::NotReady { message: message.into(), retry_after: None }
    }

    pub(crate) fn auth_invalid(message: impl Into<String>) -> Self {
        Self::AuthInvalid { message: message.into() }
    }

    pub(crate) fn indeterminate(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Indeterminate { code, message: message.into() }
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::Protocol { message: message.into() }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::Unsupported { message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_provably_had_no_effect_may_be_sent_again() {
        let wait = Some(TimeDelta::seconds(7));
        let not_sent = [
            VendorError::not_ready("no route"),
            VendorError::NotReady { message: "maintenance".into(), retry_after: wait },
            VendorError::Throttled { retry_after: wait },
            VendorError::TooLate,
        ];
        for error in not_sent {
            assert!(matches!(error.into_sent(), Sent::NotSent { .. }));
        }
        for error in
            [VendorError::indeterminate(FailureCode::AnswerLost, "cut off"), VendorError::protocol("not JSON at all")]
        {
            assert!(matches!(error.into_sent(), Sent::Lost { .. }));
        }
        let over = [
            VendorError::rejected(FailureCode::SensorRequired, "pair one"),
            VendorError::auth_invalid("no"),
            VendorError::unsupported("no"),
        ];
        for error in over {
            assert!(matches!(error.into_sent(), Sent::Answered(Answer::Failed { .. })));
        }
    }

    #[test]
    fn a_refused_question_says_nothing_of_the_command() {
        let seen = VendorError::rejected(FailureCode::DeviceNotFound, "unknown command").into_seen();
        assert!(
            matches!(seen, Seen::Nothing { failure: Some(failure) } if failure.code == FailureCode::DeviceNotFound)
        );
    }
}
