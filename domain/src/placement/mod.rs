//! Placements: what of a token or credential is to be at a vendor, and what is there. `wish` says what it is to be,
//! `progress` where it stands, `decide` what to do next, `outcome` what came of that, `orders` and `matching` how a wish
//! becomes an order and is known again, `exposure` until when something may still open. No IO, and no secret.

mod decide;
mod exposure;
mod matching;
mod orders;
mod outcome;
mod progress;
mod wish;

#[cfg(test)]
mod tests;

pub use self::{
    decide::{Move, Standing, next_move},
    exposure::{Exposure, exposure},
    matching::{Match, compare, is_harmless, is_marked},
    orders::{carries_value, create, update, withdraw},
    outcome::{Finding, Look, OrderEnd, Reading},
    progress::{Desired, PlacementErrorCode, PlacementProgress, PlacementState},
    wish::{CardHolderWish, DeviceAccessWish, PhoneWish, PmsTokenWish, Wish},
};
