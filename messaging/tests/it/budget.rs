//! The rate budget, on both back ends: nothing beyond the limit, a share kept free, silence honoured by every process.

use std::time::Duration;

use gatehouse_messaging::{Backend, Health, RateLimit, Urgency};
use uuid::Uuid;

use crate::support::{Ground, PrivateRedis};

const LIMIT: RateLimit = RateLimit { requests: 200, window: Duration::from_secs(30) };
const NOW: i64 = 1_800_000_000_000;

/// Two views of one budget; the embedded house is one process.
async fn two_processes(ground: &Ground) -> (Backend, Backend) {
    let one = ground.backend().await;
    let other = if matches!(ground, Ground::Embedded(_)) { one.clone() } else { ground.backend().await };
    (one, other)
}

async fn a_sync_leaves_room_for_what_cannot_wait(ground: Ground) {
    let (one, other) = two_processes(&ground).await;
    let (one, other) = (one.budget(), other.budget());
    let account = Uuid::now_v7();
    let mut left = 0;
    let mut wait = None;
    for step in 0..300 {
        let budget = if step % 2 == 0 { &one } else { &other };
        match budget.take(account, Urgency::Inventory, Some(LIMIT), NOW + step).await {
            None => left += 1,
            Some(pause) => wait = wait.or(Some((step, pause))),
        }
    }
    assert_eq!(left, 100, "half of the budget is the most that a sync may use up");
    let (step, pause) = wait.unwrap();
    assert_eq!((step, pause), (100, Duration::from_millis(30_000 - 100)), "until the first one has left the window");
    let mut opened = 0;
    while one.take(account, Urgency::Act, Some(LIMIT), NOW + 1_000).await.is_none() {
        opened += 1;
    }
    assert_eq!(opened, 90);
    let mut revoked = 0;
    while other.take(account, Urgency::Revoke, Some(LIMIT), NOW + 1_000).await.is_none() {
        revoked += 1;
    }
    assert_eq!(revoked, 10, "the last part is for taking access away");
    assert_eq!(one.take(Uuid::now_v7(), Urgency::Inventory, Some(LIMIT), NOW).await, None, "another account is free");
    assert_eq!(one.take(account, Urgency::Act, Some(LIMIT), NOW + 31_001).await, None, "the window has passed");
}

async fn a_vendors_silence_is_everybodys(ground: Ground) {
    let (one, other) = two_processes(&ground).await;
    let account = Uuid::now_v7();
    one.budget().pause(account, NOW + 7_000).await;
    one.budget().pause(account, NOW + 2_000).await;
    let held = other.budget().take(account, Urgency::Revoke, None, NOW).await;
    assert_eq!(held, Some(Duration::from_secs(7)), "the longer silence counts, for revocations too");
    assert_eq!(other.budget().take(account, Urgency::Inventory, None, NOW + 7_000).await, None);
}

async fn the_breaker_lets_only_urgent_probes_through(ground: Ground) {
    let (one, other) = two_processes(&ground).await;
    let (one, other) = (one.budget(), other.budget());
    let account = Uuid::now_v7();
    for _ in 0..4 {
        one.report(account, Health::Ill, NOW).await;
    }
    assert_eq!(other.take(account, Urgency::Inventory, None, NOW).await, None, "a few failures are no outage");
    one.report(account, Health::Ill, NOW).await;
    assert_eq!(other.take(account, Urgency::Inventory, None, NOW).await, Some(Duration::from_secs(1)));
    assert_eq!(other.take(account, Urgency::Confirm, None, NOW + 400).await, Some(Duration::from_millis(600)));
    assert_eq!(other.take(account, Urgency::Act, None, NOW).await, None, "somebody stands at the door: it is tried");
    assert_eq!(other.take(account, Urgency::Inventory, None, NOW + 1_000).await, None, "after the pause one tries");
    let second = one.take(account, Urgency::Inventory, None, NOW + 1_000).await;
    assert_eq!(second, Some(Duration::from_secs(1)), "and the others wait for what it finds");
    other.report(account, Health::Well, NOW).await;
    assert_eq!(one.take(account, Urgency::Inventory, None, NOW).await, None, "one good answer ends it for everybody");
}

macro_rules! on_both {
    ($($name:ident)+) => {
        $(
            mod $name {
                use super::Ground;

                #[tokio::test]
                async fn embedded() {
                    super::$name(Ground::embedded()).await;
                }

                #[tokio::test]
                async fn redis() {
                    super::$name(Ground::redis().await).await;
                }
            }
        )+
    };
}

on_both! {
    a_sync_leaves_room_for_what_cannot_wait
    a_vendors_silence_is_everybodys
    the_breaker_lets_only_urgent_probes_through
}

#[tokio::test]
async fn without_redis_a_process_counts_for_itself() {
    let mut server = PrivateRedis::start().await;
    let backend = Backend::redis(&server.url(), "b:").await.unwrap();
    let (budget, account) = (backend.budget(), Uuid::now_v7());
    server.stop();
    let limit = Some(RateLimit { requests: 2, window: Duration::from_secs(30) });
    assert_eq!(budget.take(account, Urgency::Revoke, limit, NOW).await, None);
    assert_eq!(budget.take(account, Urgency::Revoke, limit, NOW).await, None);
    assert!(budget.take(account, Urgency::Revoke, limit, NOW).await.is_some());
}
