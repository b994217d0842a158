//! Why an action was refused, named by what the caller can do about it. Nothing was written and nothing will be sent.

use domain::{
    access::Denial,
    account::AccountState,
    command::{ActionError, CommandKind, ExpiryError},
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
    /// The door or device cannot do this.
    #[error("{what} cannot carry out {kind}.")]
    CapabilityMissing {
        /// The argument that names it.
        field: &'static str,
        /// "This door" or "This device".
        what: &'static str,
        /// What it cannot do.
        kind: CommandKind,
    },
    /// The account that reaches the door cannot be used until a person acts.
    #[error("The vendor account of this device is {0}: nothing can be sent until a person links it again.")]
    AccountNotUsable(AccountState),
    /// Something else was asked for under this key before.
    #[error("This idempotency key was used for another command.")]
    IdempotencyKeyReused,
    /// An argument that cannot be used.
    #[error("{message}")]
    InvalidInput {
        /// Which argument.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The command has left already, or is over.
    #[error("It is too late to call this command off.")]
    TooLate,
}

impl Refusal {
    /// The argument at fault, below `input`; `None` if it is about the whole.
    pub(crate) const fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { field } | Self::CapabilityMissing { field, .. } | Self::InvalidInput { field, .. } => {
                Some(field)
            }
            Self::IdempotencyKeyReused => Some("idempotencyKey"),
            Self::TooLate => Some("commandId"),
            Self::Forbidden(_) | Self::AccountNotUsable(_) => None,
        }
    }
}

impl From<ActionError> for Refusal {
    fn from(error: ActionError) -> Self {
        Self::InvalidInput { field: error.field(), message: error.to_string() }
    }
}

impl From<ExpiryError> for Refusal {
    fn from(error: ExpiryError) -> Self {
        Self::InvalidInput { field: "expiresAt", message: error.to_string() }
    }
}
