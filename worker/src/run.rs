//! A worker process: registers every job, and runs the sweeper and the leases beside them.

use std::{sync::Arc, time::Duration};

use domain::ids::{ReservationId, VendorAccountId};
use messaging::{Backend, Job, JobHandler, WorkerSettings, run_workers};
use tokio_util::sync::CancellationToken;

use crate::{
    accounts::Accounts,
    credentials::Credentials,
    drain_lane::Lanes,
    erasures,
    intake::deliveries::Deliveries,
    ledger::Sealer,
    parts::Parts,
    placements::Reconciler,
    stays, sweeper,
    sync::{Synced, Syncs},
};

/// Past this a shutdown no longer waits: whatever is still under way is found again by the next worker.
const PATIENCE: Duration = Duration::from_secs(25);

struct Handler {
    parts: Parts,
    lanes: Arc<Lanes>,
    syncs: Arc<Syncs>,
    deliveries: Deliveries,
    placements: Arc<Reconciler>,
    credentials: Credentials,
}

#[async_trait::async_trait]
impl JobHandler for Handler {
    async fn handle(&self, job: Job) {
        match job {
            // The visit goes on by itself: a slot of the queue is not for waiting on vendors.
            Job::Lane { lane } => self.lanes.visit(lane),
            Job::SyncAccount { account } => {
                let account = VendorAccountId(account);
                match self.syncs.sync(account).await {
                    Ok(Synced::Complete { devices, records, events, missing }) => {
                        tracing::info!(%account, devices, records, events, missing, "account synced");
                        if let Err(error) = stays::import_all(&self.parts, account).await {
                            tracing::warn!(%account, %error, "stays were not taken in; the next sync will");
                        }
                    }
                    Ok(Synced::Skipped) => {}
                    Err(error) => tracing::warn!(%account, %error, "sync not complete"),
                }
            }
            // As with lanes: a visit of its own.
            Job::Reconcile { account } => self.placements.visit(VendorAccountId(account)),
            Job::Settle { reservation } => stays::settle(&self.parts, ReservationId(reservation)).await,
            Job::SettleCredentials => self.credentials.settle(&self.parts).await,
            Job::Intake { account } => {
                let account = VendorAccountId(account);
                if let Err(error) = self.deliveries.process(account).await {
                    tracing::warn!(%account, %error, "webhook deliveries were not processed; the sweeper rings again");
                }
            }
        }
    }
}

/// Works until `shutdown` is cancelled, then finishes what is under way.
pub async fn run(parts: Parts, backend: Backend, shutdown: CancellationToken) {
    let accounts = Arc::new(Accounts::new(parts.clone()));
    let lanes = Lanes::new(parts.clone(), Arc::clone(&accounts), shutdown.clone());
    let syncs = Syncs::new(parts.clone(), Arc::clone(&accounts));
    let placements = Reconciler::new(parts.clone(), Arc::clone(&accounts), shutdown.clone());
    let deliveries = Deliveries::new(parts.clone(), accounts);
    let handler = Arc::new(Handler {
        parts: parts.clone(),
        lanes: Arc::clone(&lanes),
        syncs,
        deliveries,
        placements: Arc::clone(&placements),
        credentials: Credentials::default(),
    });
    let background = async {
        let sealer = Sealer::new(parts.clone());
        tokio::join!(
            sweeper::sweep(parts.clone(), Arc::clone(&lanes)),
            lanes.keep_leases(),
            sealer.run(),
            erasures::keep_on(parts.clone())
        );
    };
    let jobs = run_workers(&backend, WorkerSettings::default(), handler, shutdown.clone());
    let stopped = async {
        jobs.await;
        // Leases are kept until the last visit has ended.
        lanes.finish().await;
        placements.finish().await;
        // What was still written is chained: who stops a house and looks at its ledger finds all of it.
        Sealer::new(parts.clone()).seal().await;
    };
    let patience = async {
        shutdown.cancelled().await;
        #[expect(clippy::disallowed_methods, reason = "the limit of a shutdown is real time, whatever the Clock says")]
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        () = stopped => {}
        () = background => {}
        () = patience => tracing::warn!("stopped before everything was finished; another worker takes over"),
    }
}
