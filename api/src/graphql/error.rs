//! Every error that leaves the front door: one enum of codes, one place that gives an error its code, and the mask over
//! what is our own business. Expected refusals of mutations are not here: they are `userErrors`.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};
use domain::{
    access::Denial,
    ids::{IdSource, InvalidId},
};
use entities::StoreError;

/// At most this many errors are told at once: an answer must not outgrow its question.
const TOLD: usize = 20;

/// What a program branches on, in `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// No key, or one that does not count (any more).
    Unauthenticated,
    /// An argument that cannot be used. Ask differently.
    BadUserInput,
    /// There is no such thing, or none that the caller can see.
    NotFound,
    /// The caller's role does not allow it.
    Forbidden,
    /// The operation is too deep, too broad or too long. Ask for less.
    TooComplex,
    /// The text is not GraphQL.
    ParseFailed,
    /// The operation does not fit the schema.
    ValidationFailed,
    /// The document is not known by its hash (any more): send it with its hash, once.
    PersistedQueryNotFound,
    /// Only registered documents run here.
    DocumentNotTrusted,
    /// A subscription can not go on from its cursor. Read again what you show, and subscribe without one.
    ResyncRequired,
    /// What the caller may see is not what it was when they subscribed. Subscribe again, with the cursor if there is one.
    RightsChanged,
    /// Too many wrong keys came from the caller's address, or with the beginning of their key: wait as long as
    /// `Retry-After` says. Or the caller has too many sockets and streams open: close one.
    RateLimited,
    /// The database, the queue or the caller's identity provider is out of reach. Try again.
    Unavailable,
    /// Our own fault; the log has it under the correlation id.
    Internal,
}

impl ErrorCode {
    /// Every code.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 14] = [
        Self::Unauthenticated,
        Self::BadUserInput,
        Self::NotFound,
        Self::Forbidden,
        Self::TooComplex,
        Self::ParseFailed,
        Self::ValidationFailed,
        Self::PersistedQueryNotFound,
        Self::DocumentNotTrusted,
        Self::ResyncRequired,
        Self::RightsChanged,
        Self::RateLimited,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The word in `extensions.code`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::TooComplex => "TOO_COMPLEX",
            Self::ParseFailed => "PARSE_FAILED",
            Self::ValidationFailed => "VALIDATION_FAILED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::DocumentNotTrusted => "DOCUMENT_NOT_TRUSTED",
            Self::ResyncRequired => "RESYNC_REQUIRED",
            Self::RightsChanged => "RIGHTS_CHANGED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// What our resolvers answer instead of a value. Reaches the caller with its words as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(
        "Present a valid API key or token: `Authorization: Bearer …`, or the same in the payload of connection_init."
    )]
    Unauthenticated,
    #[error("{0}")]
    BadUserInput(String),
    #[error("There is no such object, or none that you can see.")]
    NotFound,
    #[error("{0}")]
    Forbidden(Denial),
    #[error("{0}")]
    TooComplex(String),
    // The word that Apollo's clients look for.
    #[error("PersistedQueryNotFound")]
    PersistedQueryNotFound,
    #[error("Only registered documents run here: have this one registered.")]
    NotTrusted,
    #[error("This cursor is too old or not of this house: read again what you show, then subscribe without it.")]
    ResyncRequired,
    #[error("What you may see has changed: subscribe again.")]
    RightsChanged,
}

impl ApiError {
    pub(crate) const fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::BadUserInput(_) => ErrorCode::BadUserInput,
            Self::NotFound => ErrorCode::NotFound,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::TooComplex(_) => ErrorCode::TooComplex,
            Self::PersistedQueryNotFound => ErrorCode::PersistedQueryNotFound,
            Self::NotTrusted => ErrorCode::DocumentNotTrusted,
            Self::ResyncRequired => ErrorCode::ResyncRequired,
            Self::RightsChanged => ErrorCode::RightsChanged,
        }
    }
}

impl From<InvalidId> for ApiError {
    fn from(error: InvalidId) -> Self {
        Self::BadUserInput(error.to_string())
    }
}

/// An error with a code, ready to be sent.
pub(crate) fn coded(code: ErrorCode, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_code(&mut error, code);
    error
}

/// Gives each error its code and masks what is our own business, which is logged under a correlation id.
pub(crate) fn dress(errors: &mut Vec<ServerError>, ids: &dyn IdSource) {
    errors.truncate(TOLD);
    for error in errors {
        dress_one(error, ids);
    }
}

/// Whether nothing was executed: the text, the operation or its variables were refused before.
pub(crate) fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null && response.is_err() && response.errors.iter().all(|error| error.path.is_empty())
}

/// Whether one of the errors has this code.
pub(crate) fn has_code(response: &Response, code: ErrorCode) -> bool {
    let word = Value::from(code.as_str());
    response.errors.iter().any(|error| error.extensions.as_ref().and_then(|values| values.get("code")) == Some(&word))
}

fn dress_one(error: &mut ServerError, ids: &dyn IdSource) {
    if error.extensions.as_ref().is_some_and(|values| values.get("code").is_some()) {
        return;
    }
    if let Some(ours) = error.source::<ApiError>() {
        let code = ours.code();
        return set_code(error, code);
    }
    let store = error.source::<StoreError>().or_else(|| error.source::<Arc<StoreError>>().map(AsRef::as_ref));
    if let Some(StoreError::Unavailable(cause)) = store {
        tracing::warn!(%cause, "the database is not available");
        error.message = "The database is not available just now. Try again.".to_owned();
        return set_code(error, ErrorCode::Unavailable);
    }
    // The library's own errors have no source: they are about the request.
    if error.source.is_none() {
        let code = code_of_library(error);
        return set_code(error, code);
    }
    let correlation_id = ids.next_uuid().to_string();
    tracing::error!(correlation_id, error = error.message, path = ?error.path, "internal error");
    error.message = "Internal error. Report the correlation id.".to_owned();
    set_code(error, ErrorCode::Internal);
    if let Some(values) = &mut error.extensions {
        values.set("correlationId", correlation_id);
    }
}

/// Told apart by the library's words (async-graphql 8.0.0-rc.5, `validation/mod.rs` and `schema.rs`): it has no codes.
fn code_of_library(error: &ServerError) -> ErrorCode {
    const LIMITS: [&str; 4] =
        ["Query is too complex", "Query is nested too deep", "The recursion depth", "The number of directives"];
    if LIMITS.iter().any(|words| error.message.starts_with(words)) {
        ErrorCode::TooComplex
    } else if error.path.is_empty() {
        ErrorCode::ValidationFailed
    } else {
        ErrorCode::BadUserInput
    }
}

fn set_code(error: &mut ServerError, code: ErrorCode) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code.as_str());
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[derive(Debug)]
    struct Nil;

    impl IdSource for Nil {
        fn next_uuid(&self) -> Uuid {
            Uuid::nil()
        }
    }

    fn dressed(error: async_graphql::Error) -> serde_json::Value {
        let mut errors = vec![error.into_server_error(async_graphql::Pos::default())];
        dress(&mut errors, &Nil);
        serde_json::to_value(&errors[0]).unwrap()
    }

    #[test]
    fn ours_keep_their_words() {
        let error = dressed(ApiError::NotFound.into());
        assert_eq!(error["extensions"]["code"], "NOT_FOUND");
        assert_eq!(error["message"], ApiError::NotFound.to_string());
    }

    #[test]
    fn what_is_our_own_business_is_masked() {
        let secret = StoreError::Conflict("canary".to_owned());
        for error in [dressed(secret.into()), dressed(Arc::new(StoreError::Conflict("canary".to_owned())).into())] {
            assert_eq!(error["extensions"]["code"], "INTERNAL");
            assert_eq!(error["extensions"]["correlationId"], Uuid::nil().to_string());
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn codes_are_distinct() {
        let words: std::collections::BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
    }
}
