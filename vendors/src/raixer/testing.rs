//! Test support: an account at a service that says what a test wrote down, and the document's own examples.

use domain::{change::Change, secret::Secret};

use crate::{
    credentials::RaixerCredentials,
    error::VendorError,
    port::{Administration, ChangeReceipt, Order, Target, Trace},
    raixer::client::Raixer,
    testing::{self, HandClock, Reaction, Server, departure, impatient_factory, noon},
};

/// The value of an `Authorization` header for `me` and `canary`.
pub(super) const BASIC: &str = "Basic bWU6Y2FuYXJ5";

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/raixer/fixtures/", $name, ".json"))
    };
}
pub(super) use fixture;

/// An account at a service.
pub(super) fn account(server: &Server) -> Raixer {
    let credentials = RaixerCredentials { user: Secret::new("me"), password: Secret::new("canary") };
    Raixer::new(&server.url, &credentials, &impatient_factory()).unwrap()
}

/// The second door of the document's device.
pub(super) fn target() -> Target {
    testing::target("edcba54321", "intercom", "abcde54321", 2)
}

/// The lines of the requests so far, without the protocol.
pub(super) fn lines(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|request| request.line.replace(" HTTP/1.1", "")).collect()
}

/// Carries a change out at the document's device, or at the account where it is one of that.
pub(super) async fn carry_out(
    change: Change,
    reactions: Vec<Reaction>,
) -> (Result<ChangeReceipt, VendorError>, Server) {
    let server = Server::start(reactions).await;
    let target = target();
    let order = Order { change: &change, target: Some(&target), secret: None, first_sent_at: None };
    let result = account(&server).carry_out(order, &departure(HandClock::new())).await;
    (result, server)
}

/// Looks for a change that was first sent at [`noon`].
pub(super) async fn look_for(change: Change, reactions: Vec<Reaction>) -> (Result<Trace, VendorError>, Server) {
    let server = Server::start(reactions).await;
    let target = target();
    let order = Order { change: &change, target: Some(&target), secret: None, first_sent_at: Some(noon()) };
    let result = account(&server).look_for(order).await;
    (result, server)
}
