//! The messaging room against real transports: an SQLite file and a Redis server (given by `GATEHOUSE_TEST_REDIS_URL`, or a
//! private `redis-server`). Each test of `queue` runs on both.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]
#![expect(
    clippy::disallowed_methods,
    reason = "transports run on real time, and these tests make ids and read their setting themselves"
)]

mod budget;
mod live;
mod queue;
mod redis_faults;
mod support;
