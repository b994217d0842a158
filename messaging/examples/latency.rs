//! Measures the doorbell: from the call of `ring` to the start of the handler, idle, and how fast 10 000 rings are visited.
//! `cargo run -p gatehouse-messaging --example latency -- embedded | redis://127.0.0.1/`
#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a measuring program: real time in, numbers out")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatehouse_messaging::{Backend, Job, JobHandler, WorkerSettings, run_workers};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const SAMPLES: usize = 400;
const BACKLOG: usize = 10_000;

struct Stamp(mpsc::UnboundedSender<Instant>);

#[async_trait::async_trait]
impl JobHandler for Stamp {
    async fn handle(&self, _job: Job) {
        let _ = self.0.send(Instant::now());
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::args().nth(1).unwrap_or_else(|| "embedded".to_owned());
    let folder = std::env::temp_dir().join(format!("gatehouse-latency-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let prefix = format!("latency-{}:", std::process::id());
    let (here, there) = if target == "embedded" {
        let backend = Backend::embedded(&folder).await?;
        (backend.clone(), backend)
    } else {
        (Backend::redis(&target, &prefix).await?, Backend::redis(&target, &prefix).await?)
    };
    let (stamps, mut stamped) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let told = shutdown.clone();
    let workers = tokio::spawn(async move {
        run_workers(&there, WorkerSettings::default(), Arc::new(Stamp(stamps)), told).await;
    });
    tokio::time::sleep(Duration::from_secs(1)).await;

    let (queue, mut waits, mut rings) = (here.queue(), Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let rung = Instant::now();
        queue.ring(&Job::Lane { lane: Uuid::now_v7() }).await?;
        rings.push(rung.elapsed());
        let begun = stamped.recv().await.ok_or("the workers ended")?;
        waits.push(begun.duration_since(rung));
        tokio::time::sleep(Duration::from_millis(57)).await;
    }
    waits.sort();
    rings.sort();
    println!("of which the call of ring: p50 {:?}, p99 {:?}", rings[SAMPLES / 2], rings[SAMPLES * 99 / 100]);
    println!(
        "idle pickup: p50 {:?}, p90 {:?}, p99 {:?}",
        waits[SAMPLES / 2],
        waits[SAMPLES * 9 / 10],
        waits[SAMPLES * 99 / 100]
    );

    let jobs: Vec<Job> = (0..BACKLOG).map(|_| Job::Lane { lane: Uuid::now_v7() }).collect();
    let start = Instant::now();
    queue.ring_many(&jobs).await?;
    let rung = start.elapsed();
    for _ in 0..BACKLOG {
        stamped.recv().await.ok_or("the workers ended")?;
    }
    println!("{BACKLOG} rings: rung in {rung:?}, visited within {:?}", start.elapsed());

    shutdown.cancel();
    workers.await?;
    queue.collect_finished().await?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
