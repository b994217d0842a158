//! What comes to the front door beside GraphQL: webhooks of vendors and browsers that come back from a vendor, which bring
//! a token of ours and no key, and browsers that sign in.

mod consent;
mod intake;
mod page;
pub(crate) mod sign_in;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
pub(crate) use consent::finish_consent;
pub(crate) use intake::{Intake, take_delivery};

/// What every address answers at which there is nothing, to the byte.
pub(crate) async fn nothing_here() -> Response {
    nothing()
}

fn nothing() -> Response {
    StatusCode::NOT_FOUND.into_response()
}
