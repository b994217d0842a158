//! Why an action was refused, named by what the caller can do about it. Nothing was written and nothing will be sent.

use domain::{
    access::Denial,
    account::AccountState,
    command::{CommandKind, ExpiryError},
};

/// A refusal of a mutation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// No such thing, or none that the caller sees.
    #[error("There is no such object, or none that you can see.")]
    NotFound {
        /// The argument that names it.
        field: &'static str,
    },
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(Denial),
    /// The door, device or vendor account cannot do this.
    #[error("{what} cannot carry out {kind}.")]
    CapabilityMissing {
        /// The argument that names it.
        field: &'static str,
        /// "This door", "This device" or "This vendor account".
        what: &'static str,
        /// What it cannot do.
        kind: CommandKind,
    },
    /// The caller sees single doors, and asked for a change of the device that drives them.
    #[error("This changes a whole device, and your key is limited to single doors.")]
    LimitedToDoors,
    /// The account cannot be used until a person acts.
    #[error("The vendor account is {0}: nothing can be sent until a person links it again.")]
    AccountNotUsable(AccountState),
    /// Something else was asked for under this key before.
    #[error("This idempotency key was used for something else.")]
    IdempotencyKeyReused,
    /// An argument that cannot be used.
    #[error("{message}")]
    InvalidInput {
        /// Which argument.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A key that is limited to sites, doors or commands asked for what concerns a whole account.
    #[error("This needs a key that is not limited to sites, doors or commands.")]
    KeyLimited,
    /// The stay is a PMS's.
    #[error("This stay is the PMS's: it decides, and what it says is followed.")]
    PmsDecides,
    /// The caller, or everybody together, was shown too many values lately.
    #[error("You, with the keys that you made, or all of you were shown too many values lately: wait a minute.")]
    TooManyReveals,
    /// It is over, and can not be changed any more.
    #[error("{what}")]
    Over {
        /// The argument that names it.
        field: &'static str,
        /// What is over, in a sentence.
        what: &'static str,
    },
    /// The vendor does not accept the credentials.
    #[error("{0}")]
    VendorRefused(String),
    /// The vendor could not be asked whether it does.
    #[error("{0}")]
    VendorUnreachable(String),
    /// The account was unlinked.
    #[error("This vendor account is unlinked: link it anew.")]
    AccountUnlinked,
    /// Somebody else does the same, or has just changed it.
    #[error("Somebody else is at this vendor account just now: look at it, and ask again.")]
    Busy,
    /// None of the doors can hold such a value.
    #[error("None of these doors can hold such a value.")]
    CannotHold {
        /// The argument that names them.
        field: &'static str,
    },
    /// Somebody else has the value at one of the doors in this time. Who, nobody is told.
    #[error("This value cannot be used: it is in use at one of the doors, or was until lately.")]
    ValueTaken {
        /// The argument that holds it.
        field: &'static str,
    },
    /// Something else uses it.
    #[error("{message}")]
    InUse {
        /// The argument that names it.
        field: &'static str,
        /// What uses it.
        message: &'static str,
    },
    /// It was revoked, and stays so.
    #[error("It is revoked, and stays so: make another one.")]
    Revoked {
        /// The argument that names it.
        field: &'static str,
    },
    /// The command has left already, or is over.
    #[error("It is too late to call this command off.")]
    TooLate,
}

impl Refusal {
    /// The argument at fault, below `input`; `None` if it is about the whole.
    pub(crate) const fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { field }
            | Self::CapabilityMissing { field, .. }
            | Self::InvalidInput { field, .. }
            | Self::CannotHold { field }
            | Self::ValueTaken { field }
            | Self::InUse { field, .. }
            | Self::Revoked { field }
            | Self::Over { field, .. } => Some(field),
            Self::PmsDecides => Some("reservationId"),
            Self::IdempotencyKeyReused => Some("idempotencyKey"),
            Self::TooLate => Some("commandId"),
            Self::VendorRefused(_) => Some("credentials"),
            Self::Forbidden(_)
            | Self::LimitedToDoors
            | Self::AccountNotUsable(_)
            | Self::KeyLimited
            | Self::TooManyReveals
            | Self::VendorUnreachable(_)
            | Self::AccountUnlinked
            | Self::Busy => None,
        }
    }
}

impl From<ExpiryError> for Refusal {
    fn from(error: ExpiryError) -> Self {
        Self::InvalidInput { field: "expiresAt", message: error.to_string() }
    }
}
