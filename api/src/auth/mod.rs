//! Who is asking: from a presented key or token to a [`Session`]. `throttle` slows down whoever guesses, `people` finds
//! whom an identity provider means. What the caller may then do is decided by `domain::access`.

mod credential;
mod keys;
mod peer;
mod people;
mod throttle;

pub(crate) use credential::{Credential, Malformed};
pub(crate) use keys::{Admission, Keys, Session};
pub(crate) use peer::Peer;
pub(crate) use people::People;
