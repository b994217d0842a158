//! Names that must never repeat: a worker that comes back under an old name is refused, or its jobs are never recovered.

use ulid::Ulid;

/// A name for one run of one worker. Unique per start, also across restarts of the same process.
pub(crate) fn worker_name() -> String {
    format!("w-{}-{}", std::process::id(), Ulid::generate())
}

/// An id for one ring. apalis-sqlite insists on a ULID.
pub(crate) fn ring_id() -> String {
    Ulid::generate().to_string()
}
