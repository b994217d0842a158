//! The one test binary of the suite: linking everything once is what keeps it quick. A test lives with its subject's module.
#![expect(clippy::unwrap_used, clippy::panic, reason = "this whole crate is a test, its helpers too")]

mod arrows;
mod clippy_lists;
mod deadlines;
mod dependencies;
mod mutations;
mod orders;
mod processes;
mod services;
mod together;
mod truth;
mod workspace;
