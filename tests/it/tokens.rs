//! Access tokens of stays: issued, changed, revealed, revoked; unique at their doors; in the locks and in the PMS; and
//! never seen where they need not be.

mod alerts;
mod keys;
mod locks;
mod pages;
mod reveal;
mod rules;
pub(crate) mod scene;
mod secrets;
mod stays;
mod unique;
