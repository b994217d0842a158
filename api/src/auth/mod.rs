//! Who is asking: from a presented key or token to a [`Session`]. `throttle` slows down whoever guesses, `people` finds
//! whom an identity provider means, `browsers` and `origin` say when a browser's cookie counts. What the caller may then
//! do is decided by `domain::access`.

mod browsers;
mod credential;
mod keys;
mod origin;
mod peer;
mod people;
mod throttle;

pub(crate) use browsers::{Brought, Browsers, Cookie, SignedIn};
pub(crate) use credential::{Credential, Malformed};
pub(crate) use keys::{Admission, Keys, Session};
pub(crate) use origin::is_sent_by_others;
pub(crate) use peer::Peer;
pub(crate) use people::People;
