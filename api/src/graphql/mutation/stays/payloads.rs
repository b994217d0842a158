//! What mutations of stays, tokens and alerts answer.

use std::sync::Arc;

use async_graphql::SimpleObject;
use entities::rows::{access_token, alert, reservation};

use crate::{
    actions::{
        Refusal,
        accounts::Answer,
        stays::{Mapping, Revealed},
    },
    graphql::{
        mutation::payload::UserError,
        object::{AccessToken, Alert, Reservation, ResourceMapping},
    },
};

/// The answer of a mutation of a stay.
#[derive(Clone, SimpleObject)]
pub(crate) struct ReservationPayload {
    /// The stay; null if it was refused.
    reservation: Option<Reservation>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of a mutation of an access token.
#[derive(Clone, SimpleObject)]
pub(crate) struct AccessTokenPayload {
    /// The token; null if it was refused. Its value is not shown.
    access_token: Option<AccessToken>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of `revealAccessToken`.
#[derive(Clone, SimpleObject)]
pub(crate) struct RevealAccessTokenPayload {
    /// The token; null if it was refused.
    access_token: Option<AccessToken>,
    /// Its value, to be shown once and kept nowhere; null if it was refused.
    value: Option<String>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of `mapResource`.
#[derive(Clone, SimpleObject)]
pub(crate) struct MapResourcePayload {
    /// The room and its doors; null if it was refused.
    mapping: Option<ResourceMapping>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// The answer of `acknowledgeAlert`.
#[derive(Clone, SimpleObject)]
pub(crate) struct AlertPayload {
    /// The alert; null if it was refused.
    alert: Option<Alert>,
    /// Why it was refused; empty otherwise.
    user_errors: Vec<UserError>,
}

/// Wraps the outcome of an action.
///
/// # Errors
/// What failed on our side.
pub(super) fn payload<T, P: From<Result<T, Refusal>>>(answer: Answer<T>) -> async_graphql::Result<P> {
    Ok(answer?.into())
}

/// The object if there is one, and the errors.
fn parted<T>(outcome: Result<T, Refusal>) -> (Option<T>, Vec<UserError>) {
    match outcome {
        Ok(done) => (Some(done), Vec::new()),
        Err(refusal) => (None, vec![refusal.into()]),
    }
}

impl From<Result<reservation::Model, Refusal>> for ReservationPayload {
    fn from(outcome: Result<reservation::Model, Refusal>) -> Self {
        let (row, user_errors) = parted(outcome);
        Self { reservation: row.map(|row| Arc::new(row).into()), user_errors }
    }
}

impl From<Result<access_token::Model, Refusal>> for AccessTokenPayload {
    fn from(outcome: Result<access_token::Model, Refusal>) -> Self {
        let (row, user_errors) = parted(outcome);
        Self { access_token: row.map(|row| Arc::new(row).into()), user_errors }
    }
}

impl From<Result<Revealed, Refusal>> for RevealAccessTokenPayload {
    fn from(outcome: Result<Revealed, Refusal>) -> Self {
        let (revealed, user_errors) = parted(outcome);
        let (access_token, value) =
            revealed.map(|revealed| (Arc::new(revealed.token).into(), revealed.value.expose().to_owned())).unzip();
        Self { access_token, value, user_errors }
    }
}

impl From<Result<Mapping, Refusal>> for MapResourcePayload {
    fn from(outcome: Result<Mapping, Refusal>) -> Self {
        let (mapping, user_errors) = parted(outcome);
        let mapping =
            mapping.map(|Mapping { account, resource, doors }| ResourceMapping::new(account, resource, doors));
        Self { mapping, user_errors }
    }
}

impl From<Result<alert::Model, Refusal>> for AlertPayload {
    fn from(outcome: Result<alert::Model, Refusal>) -> Self {
        let (row, user_errors) = parted(outcome);
        Self { alert: row.map(|row| Arc::new(row).into()), user_errors }
    }
}
