//! Stays and their access tokens: from when until when a guest may enter where, and whether they will be able to.
//! `words` are the vocabulary, `timing` the numbers, `facts` what is known; what follows from them is `plan`, with
//! `window`, `levels` and `readiness`. No IO.

mod facts;
mod levels;
mod plan;
mod readiness;
mod timing;
mod window;
mod words;

#[cfg(test)]
mod tests;

pub use self::{
    facts::{AccountFacts, DoorFacts, LevelFacts, PlacementFacts, PmsFacts, StayFacts, TokenFacts},
    levels::{Cover, cover},
    plan::{PlacementPlan, StayPlan, TokenPlan, holds_tokens, plan, wanted},
    timing::StayTiming,
    window::{StayTimes, Window},
    words::{Readiness, ReadinessCode, ReadinessReason, TokenState},
};
