//! What resolvers may ask of their context: the shared parts, the caller, the loaders. Nothing else is in there.

use async_graphql::{Context, ID};
use domain::ids::InvalidId;

use super::error::ApiError;
use crate::{
    execution::{Caller, Operation},
    loaders::Loaders,
    shared::Shared,
};

/// The context of an operation, by name.
pub(crate) trait Ask {
    /// The operation at hand.
    fn operation(&self) -> Result<&Operation, ApiError>;

    /// The caller; an anonymous one is refused.
    fn caller(&self) -> Result<&Caller, ApiError> {
        self.operation()?.caller.as_ref().ok_or(ApiError::Unauthenticated)
    }

    /// The parts that all requests share.
    fn shared(&self) -> Result<&Shared, ApiError> {
        Ok(&self.operation()?.shared)
    }

    /// The loaders, which see what the caller sees.
    fn loaders(&self) -> Result<&Loaders, ApiError> {
        Ok(&self.caller()?.loaders)
    }
}

impl Ask for Context<'_> {
    fn operation(&self) -> Result<&Operation, ApiError> {
        self.data_opt::<Operation>().ok_or(ApiError::Unauthenticated)
    }
}

/// Reads an id in an argument where a malformed one is the caller's mistake.
pub(crate) fn decode<T: std::str::FromStr<Err = InvalidId>>(id: &ID) -> Result<T, ApiError> {
    Ok(id.parse()?)
}

/// Reads an optional id in a filter.
pub(crate) fn decode_some<T: std::str::FromStr<Err = InvalidId>>(id: Option<&ID>) -> Result<Option<T>, ApiError> {
    id.map(decode).transpose()
}
