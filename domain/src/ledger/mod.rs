//! The ledger: an organization's events in blocks, each chained to the one before and signed. How an event is digested, what
//! a block is, and how the first bad row is found. Rows are `entities`' matter, keys are `platform`'s.

mod audit;
mod block;
mod digest;
#[cfg(test)]
mod tests;

pub use audit::{Audit, Fault, Report};
pub use block::{Block, Checkpoint, Entry, Horizon, MalformedBlock, Notary, Signature, Standing, salts_of};
pub use digest::{Details, Facts, Hash, MARK, SALT, Salt, commitment};
