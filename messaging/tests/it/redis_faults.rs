//! What Redis can do to us: go away, come back empty, lose a key, refuse to let us in.

use std::time::{Duration, Instant};

use gatehouse_messaging::{Backend, QueueError};

use crate::support::{Ground, PrivateRedis, Recorder, Workers, connection, eventually, lane, slots};

const SOON: Duration = Duration::from_secs(8);

/// Any error ends an apalis worker for good; a server that came back empty refuses workers it does not know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_empties_the_server_stalls_nothing() {
    let mut server = PrivateRedis::start().await;
    let backend = Backend::redis(&server.url(), "r:").await.unwrap();
    let queue = backend.queue();
    let handler = Recorder::new(|_| tokio::time::sleep(Duration::from_millis(50)));
    let workers = Workers::start(&backend, slots(8), handler.clone());
    for round in 1..=3 {
        let first = lane();
        queue.ring(&first).await.unwrap();
        eventually("it is visited", SOON, async || handler.runs_of(&first) == 1).await;

        server.stop();
        tokio::time::sleep(Duration::from_millis(300 * round)).await;
        let asked = Instant::now();
        assert!(
            matches!(queue.ring(&lane()).await, Err(QueueError::Unavailable(_))),
            "a ring into nothing must say so"
        );
        assert!(queue.check().await.is_err());
        assert!(asked.elapsed() < Duration::from_secs(2), "and at once");

        server.restart().await;
        let after = lane();
        queue.ring(&after).await.expect("the first ring after the restart gets through");
        eventually("it is visited", SOON, async || handler.runs_of(&after) == 1).await;
        assert!(!workers.running.is_finished());
    }
    // By now the listening connection stands again as well: no waiting for the safety tick.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut waits = Vec::new();
    for _ in 0..20 {
        let (job, rung) = (lane(), Instant::now());
        queue.ring(&job).await.unwrap();
        eventually("it is visited", SOON, async || handler.runs_of(&job) == 1).await;
        waits.push(rung.elapsed());
        tokio::time::sleep(Duration::from_millis(70)).await;
    }
    waits.sort();
    assert!(waits[10] < Duration::from_millis(60), "the bell is not heard any more: {waits:?}");
    workers.stop_within(SOON).await;
}

/// Workers must also end while the server is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_without_a_server() {
    let mut server = PrivateRedis::start().await;
    let backend = Backend::redis(&server.url(), "r:").await.unwrap();
    let handler = Recorder::new(|_| tokio::time::sleep(Duration::from_millis(500)));
    let workers = Workers::start(&backend, slots(8), handler.clone());
    backend.queue().ring(&lane()).await.unwrap();
    eventually("it is in flight", SOON, async || handler.begun() == 1).await;
    server.stop();
    workers.stop_within(SOON).await;
    assert_eq!(handler.ended(), 1, "what was running has finished");
}

/// A job whose payload or metadata was evicted kills every worker that fetches it; it must do so only once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_lost_its_keys_is_dropped() {
    let ground = Ground::redis().await;
    let Ground::Redis { url, prefix, .. } = &ground else { panic!("this ground is Redis") };
    let backend = ground.backend().await;
    let queue = format!("{prefix}gatehouse-interactive");
    redis::pipe()
        .rpush(format!("{queue}:active"), "no-payload")
        .hset(format!("{queue}:data"), "no-meta", "{}")
        .rpush(format!("{queue}:active"), "no-meta")
        .exec_async(&mut connection(url).await)
        .await
        .unwrap();
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, slots(4), handler.clone());
    let job = lane();
    backend.queue().ring(&job).await.unwrap();
    eventually("the good one is visited", SOON, async || handler.runs_of(&job) == 1).await;
    workers.stop_within(SOON).await;
    backend.queue().collect_finished().await.unwrap();
    assert_eq!(ground.leftovers().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_misconfiguration() {
    let mut server = PrivateRedis::start().await;
    let url = server.url();
    server.stop();
    assert!(matches!(Backend::redis(&url, "").await, Err(QueueError::Misconfigured { .. })));
    assert!(matches!(Backend::redis("not a url", "").await, Err(QueueError::Misconfigured { .. })));
}

/// Two worker processes on one server share the work; nothing runs twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_the_work() {
    let ground = Ground::redis().await;
    let (one, two) = (ground.backend().await, ground.backend().await);
    let (first, second) = (
        Recorder::new(|_| tokio::time::sleep(Duration::from_millis(5))),
        Recorder::new(|_| tokio::time::sleep(Duration::from_millis(5))),
    );
    let (a, b) = (Workers::start(&one, slots(4), first.clone()), Workers::start(&two, slots(4), second.clone()));
    let jobs: Vec<_> = (0..500).map(|_| lane()).collect();
    one.queue().ring_many(&jobs).await.unwrap();
    eventually("all are visited", SOON, async || first.begun() + second.begun() >= 500).await;
    a.stop_within(SOON).await;
    b.stop_within(SOON).await;
    assert_eq!(first.begun() + second.begun(), 500);
    assert!(first.begun() > 50 && second.begun() > 50, "{} and {}", first.begun(), second.begun());
}
