//! The query root, one file per subject. Filters are decoded here; what they select is for the finders of `entities`.

mod accounts;
mod alerts;
mod commands;
mod deliveries;
mod devices;
mod doors;
mod events;
mod keys;
mod list;
mod people;
mod records;
mod sites;
mod stays;
mod viewer;

use async_graphql::MergedObject;
pub(crate) use deliveries::{WebhookDeliveryFilter, deliveries_of};
pub(crate) use doors::DoorFilter;
pub(crate) use records::{RecordFilter, records_of};
pub(crate) use stays::{ReservationFilter, permit as permit_stays};

use super::{error::ApiError, federation::Entities};

/// Longer texts are neither names nor numbers nor ids.
const LONGEST_TEXT: usize = 200;

/// A text to look for, unless nothing can have it.
///
/// # Errors
/// It is endless.
fn bounded(name: &str, text: Option<String>) -> Result<Option<String>, ApiError> {
    match text {
        Some(text) if text.chars().count() > LONGEST_TEXT => {
            Err(ApiError::BadUserInput(format!("`{name}` may have at most {LONGEST_TEXT} characters.")))
        }
        text => Ok(text),
    }
}

/// Reading. Every list is a Relay connection, every object is found by its id, and nobody sees another tenant's.
#[derive(Default, MergedObject)]
pub(crate) struct Query(
    viewer::ViewerQueries,
    sites::SiteQueries,
    devices::DeviceQueries,
    doors::DoorQueries,
    commands::CommandQueries,
    events::EventQueries,
    accounts::AccountQueries,
    records::RecordQueries,
    deliveries::DeliveryQueries,
    people::PeopleQueries,
    keys::KeyQueries,
    stays::StayQueries,
    alerts::AlertQueries,
    Entities,
);
