//! Changes of what vendors keep: each record is made once whatever breaks, what opens is never sent twice, what takes
//! access away is sent until it is done, and nobody reads a secret. `scene` is what these tests share.

mod card_locks;
mod crashes;
mod creations;
mod edges;
mod order;
mod pace;
mod refused;
mod revocations;
pub(crate) mod scene;
mod secrets;
mod updates;
mod visible;
mod wire;
