//! What the doorbell promises, on both back ends. Each test names the defect of apalis 1.0 or the promise it watches.

use std::time::{Duration, Instant};

use gatehouse_messaging::{Job, WorkerSettings};
use ulid::Ulid;
use uuid::Uuid;

use crate::support::{Ground, Recorder, Workers, eventually, lane, slots};

const SOON: Duration = Duration::from_secs(5);

macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod embedded {
            use crate::support::Ground;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $test() { super::$test(Ground::embedded()).await; })*
        }
        mod redis {
            use crate::support::Ground;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $test() { super::$test(Ground::redis().await).await; })*
        }
    };
}

on_both!(
    a_ring_is_heard_on_both_queues,
    ten_thousand_rings_at_once,
    ten_thousand_delayed_rings_due_at_once,
    a_delayed_ring_is_never_early,
    a_panic_costs_one_job,
    a_hang_costs_one_slot_for_a_while,
    a_blocked_thread_costs_one_slot_for_a_while,
    payloads_of_unknown_shape_are_let_go,
    a_ring_during_a_visit_causes_another,
    shutdown_with_every_slot_taken_ends_and_acknowledges,
    shutdown_leaves_the_rest_for_the_next_worker_at_once,
    jobs_of_a_killed_worker_run_again,
    nothing_is_left_behind,
    a_queue_without_slots_is_not_worked,
);

async fn a_ring_is_heard_on_both_queues(ground: Ground) {
    let backend = ground.backend().await;
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, WorkerSettings::default(), handler.clone());
    let (door, account) = (lane(), Job::SyncAccount { account: Uuid::now_v7() });
    backend.queue().check().await.unwrap();
    backend.queue().ring(&door).await.unwrap();
    backend.queue().ring(&account).await.unwrap();
    eventually("both are visited once", SOON, async || handler.runs_of(&door) == 1 && handler.runs_of(&account) == 1)
        .await;
    eventually("both are acknowledged", SOON, async || ground.open_jobs().await == 0).await;
    workers.stop_within(SOON).await;
}

/// apalis' own Redis push wedges at 8000; SQLite without statistics crawls.
async fn ten_thousand_rings_at_once(ground: Ground) {
    let backend = ground.backend().await;
    let jobs: Vec<Job> = (0..10_000).map(|_| lane()).collect();
    backend.queue().ring_many(&jobs).await.unwrap();
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, slots(64), handler.clone());
    eventually("all are visited", Duration::from_secs(60), async || handler.begun() >= 10_000).await;
    eventually("all are acknowledged", SOON, async || ground.open_jobs().await == 0).await;
    workers.stop_within(SOON).await;
    assert_eq!(handler.begun(), 10_000, "each exactly once when nothing fails");
}

/// apalis' Lua unpacks everything that is due into one call and fails above 8000.
async fn ten_thousand_delayed_rings_due_at_once(ground: Ground) {
    let backend = ground.backend().await;
    let queue = backend.queue();
    let rings = (0..10_000).map(|_| async { queue.ring_later(&lane(), Duration::from_millis(1)).await.unwrap() });
    futures::future::join_all(rings).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, slots(64), handler.clone());
    eventually("all are visited", Duration::from_secs(60), async || handler.begun() >= 10_000).await;
    workers.stop_within(SOON).await;
}

async fn a_delayed_ring_is_never_early(ground: Ground) {
    let backend = ground.backend().await;
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, slots(4), handler.clone());
    let rung = Instant::now();
    for millis in [300, 1000, 1700] {
        let delay = Duration::from_millis(millis);
        let job = Job::Lane { lane: Uuid::from_u128(u128::from(millis)) };
        backend.queue().ring_later(&job, delay).await.unwrap();
    }
    eventually("all are visited", SOON, async || handler.begun() == 3).await;
    for (job, at) in handler.begun.lock().unwrap().iter() {
        let Job::Lane { lane } = job else { continue };
        let delay = Duration::from_millis(u64::try_from(lane.as_u128()).unwrap());
        let waited = at.duration_since(rung);
        assert!(waited >= delay, "{delay:?} was rung after {waited:?}");
        assert!(waited <= delay + Duration::from_millis(1900), "{delay:?} was rung only after {waited:?}");
    }
    workers.stop_within(SOON).await;
}

/// A plain panic kills an apalis worker; its own layer leaves the job half-acknowledged.
async fn a_panic_costs_one_job(ground: Ground) {
    let backend = ground.backend().await;
    let (bad, good) = (lane(), lane());
    let worst = bad.clone();
    let handler = Recorder::new(move |job| {
        let worst = worst.clone();
        async move { assert_ne!(job, worst, "this panic belongs to the test") }
    });
    let workers = Workers::start(&backend, slots(1), handler.clone());
    backend.queue().ring(&bad).await.unwrap();
    backend.queue().ring(&good).await.unwrap();
    eventually("the other is visited", SOON, async || handler.runs_of(&good) == 1).await;
    eventually("both are acknowledged", SOON, async || ground.open_jobs().await == 0).await;
    assert_eq!(handler.runs_of(&bad), 1);
    workers.stop_within(SOON).await;
}

async fn a_hang_costs_one_slot_for_a_while(ground: Ground) {
    overrun(ground, |_| std::future::pending()).await;
}

/// Such a handler cannot be stopped; its slot must come back all the same.
async fn a_blocked_thread_costs_one_slot_for_a_while(ground: Ground) {
    overrun(ground, |_| async { std::thread::sleep(Duration::from_secs(4)) }).await;
}

async fn overrun<F: Future<Output = ()> + Send + 'static>(
    ground: Ground,
    stuck: impl Fn(()) -> F + Send + Sync + Clone + 'static,
) {
    let backend = ground.backend().await;
    let (bad, good) = (lane(), lane());
    let worst = bad.clone();
    let handler = Recorder::new(move |job| {
        let stuck = (job == worst).then(|| stuck(()));
        async move {
            if let Some(stuck) = stuck {
                stuck.await;
            }
        }
    });
    let settings = WorkerSettings { handler_limit: Duration::from_millis(300), ..slots(1) };
    let workers = Workers::start(&backend, settings, handler.clone());
    backend.queue().ring(&bad).await.unwrap();
    eventually("it hangs", SOON, async || handler.runs_of(&bad) == 1).await;
    let rung = Instant::now();
    backend.queue().ring(&good).await.unwrap();
    eventually("the other is visited", SOON, async || handler.runs_of(&good) == 1).await;
    assert!(rung.elapsed() < Duration::from_secs(3));
    eventually("both are acknowledged", SOON, async || ground.open_jobs().await == 0).await;
    assert_eq!(handler.runs_of(&bad), 1);
    workers.stop_within(Duration::from_secs(10)).await;
}

/// In apalis, each of these kills every worker that fetches it.
async fn payloads_of_unknown_shape_are_let_go(ground: Ground) {
    let backend = ground.backend().await;
    for payload in
        [&b"\xff\xfe not json"[..], b"", br#"{"kind":"from_the_future","x":1}"#, br#"{"kind":"lane","lane":7}"#, b"[]"]
    {
        ground.smuggle(&Ulid::generate().to_string(), payload).await;
    }
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, slots(1), handler.clone());
    let good = lane();
    backend.queue().ring(&good).await.unwrap();
    eventually("the good one is visited", SOON, async || handler.runs_of(&good) == 1).await;
    eventually("all are acknowledged", SOON, async || ground.open_jobs().await == 0).await;
    assert_eq!(handler.begun(), 1);
    workers.stop_within(SOON).await;
}

async fn a_ring_during_a_visit_causes_another(ground: Ground) {
    let backend = ground.backend().await;
    let handler = Recorder::new(|_| tokio::time::sleep(Duration::from_millis(300)));
    let workers = Workers::start(&backend, slots(4), handler.clone());
    let job = lane();
    backend.queue().ring(&job).await.unwrap();
    eventually("the visit begins", SOON, async || handler.begun() == 1).await;
    backend.queue().ring(&job).await.unwrap();
    eventually("a second visit begins", SOON, async || handler.runs_of(&job) == 2).await;
    workers.stop_within(SOON).await;
}

/// apalis dead-locks here for ever when more than four times its batch size is in flight, and acknowledges nothing.
async fn shutdown_with_every_slot_taken_ends_and_acknowledges(ground: Ground) {
    let backend = ground.backend().await;
    let handler = Recorder::new(|_| tokio::time::sleep(Duration::from_secs(1)));
    let workers = Workers::start(&backend, slots(64), handler.clone());
    let jobs: Vec<Job> = (0..64).map(|_| lane()).collect();
    backend.queue().ring_many(&jobs).await.unwrap();
    eventually("all slots are taken", SOON, async || handler.begun() == 64).await;
    workers.stop_within(SOON).await;
    assert_eq!(handler.ended(), 64, "what was running has finished");
    assert_eq!(ground.open_jobs().await, 0, "and is acknowledged");
}

/// A fetch that is open at shutdown is dropped by apalis, and its job waits until the worker is missed (15 s).
async fn shutdown_leaves_the_rest_for_the_next_worker_at_once(ground: Ground) {
    let backend = ground.backend().await;
    let jobs: Vec<Job> = (0..300).map(|_| lane()).collect();
    backend.queue().ring_many(&jobs).await.unwrap();
    let handler = Recorder::new(|_| tokio::time::sleep(Duration::from_millis(20)));
    for _ in 0..5 {
        let workers = Workers::start(&backend, slots(4), handler.clone());
        tokio::time::sleep(Duration::from_millis(100)).await;
        workers.stop_within(SOON).await;
    }
    let workers = Workers::start(&backend, slots(64), handler.clone());
    eventually("all are visited", SOON, async || jobs.iter().all(|job| handler.runs_of(job) > 0)).await;
    eventually("all are acknowledged", SOON, async || ground.open_jobs().await == 0).await;
    workers.stop_within(SOON).await;
}

async fn jobs_of_a_killed_worker_run_again(ground: Ground) {
    let backend = ground.backend().await;
    let handler = Recorder::new(|_| tokio::time::sleep(Duration::from_millis(500)));
    let killed = Workers::start(&backend, slots(8), handler.clone());
    let jobs: Vec<Job> = (0..8).map(|_| lane()).collect();
    backend.queue().ring_many(&jobs).await.unwrap();
    eventually("all are in flight", SOON, async || handler.begun() == 8).await;
    killed.running.abort();
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, slots(8), handler.clone());
    eventually("all run again", Duration::from_secs(25), async || jobs.iter().all(|job| handler.runs_of(job) == 1))
        .await;
    workers.stop_within(SOON).await;
}

async fn nothing_is_left_behind(ground: Ground) {
    let backend = ground.backend().await;
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, slots(16), handler.clone());
    let jobs: Vec<Job> = (0..1200).map(|_| lane()).collect();
    backend.queue().ring_many(&jobs).await.unwrap();
    eventually("all are visited", Duration::from_secs(20), async || handler.begun() == 1200).await;
    workers.stop_within(SOON).await;
    backend.queue().collect_finished().await.unwrap();
    assert_eq!(ground.leftovers().await, Vec::<String>::new());
}

async fn a_queue_without_slots_is_not_worked(ground: Ground) {
    let backend = ground.backend().await;
    let handler = Recorder::quick();
    let workers = Workers::start(&backend, slots(0), handler.clone());
    backend.queue().ring(&lane()).await.unwrap();
    backend.queue().ring(&Job::SyncAccount { account: Uuid::now_v7() }).await.unwrap();
    eventually("the bulk job is visited", SOON, async || handler.begun() == 1).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(handler.begun(), 1);
    workers.stop_within(SOON).await;
}
