//! What travels between `api` and `worker`: jobs one way (`jobs`), live events the other (`live`), over the transport chosen
//! at boot (`backend`); and the rate budget that all workers share (`budget`). Nothing here reads or writes a business row: a lost job or event costs time, never truth.

pub mod backend;
pub mod budget;
pub mod jobs;
pub mod live;
mod pace;
mod redis_link;

pub use backend::Backend;
pub use budget::{Health, RateBudget, RateLimit, Urgency};
pub use jobs::payloads::{Job, Queue};
pub use jobs::queue::{JobQueue, QueueError};
pub use jobs::workers::{JobHandler, WorkerSettings, run_workers};
pub use live::bus::{LiveBus, LiveError, LiveEvent, LiveSignal, LiveStream, Topic};
