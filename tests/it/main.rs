//! The one test binary of the suite: linking everything once is what keeps it quick. A test lives with its subject's module.
#![expect(clippy::unwrap_used, clippy::panic, reason = "this whole crate is a test, its helpers too")]

mod arrows;
mod authorisation;
mod clippy_lists;
mod deadlines;
mod dependencies;
mod errors;
mod federation;
mod filters;
mod inventory;
mod mutations;
mod orders;
mod pages;
mod processes;
mod refusals;
mod repetition;
mod schema;
mod services;
mod start;
mod subscriptions;
mod together;
mod truth;
mod vendor_accounts;
mod vendor_failures;
mod vendor_words;
mod workspace;
