//! Who is asking: from a presented key to a [`Session`]. What the caller may then do is decided by `domain::access`.

mod credential;
mod keys;

pub(crate) use credential::{Credential, Malformed};
pub(crate) use keys::{Keys, Session};
