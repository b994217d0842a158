//! Stays, access tokens, the rooms that stand for doors, and alerts.

mod alerts;
mod mapping;
mod payloads;
mod reservations;
mod tokens;

pub(super) use self::{
    alerts::AlertMutations, mapping::MappingMutations, reservations::ReservationMutations, tokens::TokenMutations,
};
