//! The postman of one receiver: one copy after the other, a few attempts each. Whom to send what was decided before.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::body::Bytes;
use reqwest::{Client, header::CONTENT_TYPE};
use tokio::sync::{mpsc, watch};

use super::{State, WebhookDelivery, WebhookOutcome, WebhookTarget};
use crate::lock::locked;

/// Pauses before each attempt, in real time: no vendor documents its own.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(400)];
/// How long a receiver may take to reply.
const PATIENCE: Duration = Duration::from_secs(5);

/// One copy of a notification.
pub(super) struct Job {
    pub(super) sequence: u64,
    /// Which delivery of the entry it is.
    pub(super) delivery: usize,
    pub(super) body: Bytes,
}

pub(super) struct Postman {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) pending: watch::Sender<usize>,
    pub(super) target: WebhookTarget,
}

impl Postman {
    /// Delivers until the receiver is forgotten or the simulator closes.
    pub(super) async fn run(self, mut jobs: mpsc::UnboundedReceiver<Job>, mut closing: watch::Receiver<bool>) {
        let client = client();
        let work = async {
            while let Some(job) = jobs.recv().await {
                self.deliver(client.as_ref(), &job).await;
                self.pending.send_modify(|pending| *pending -= 1);
            }
        };
        tokio::select! {
            () = work => {}
            // An error means that the engine is gone, which ends the work as well.
            _closed = closing.wait_for(|closing| *closing) => {}
        }
    }

    async fn deliver(&self, client: Option<&Client>, job: &Job) {
        for pause in PAUSES {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let status = match client {
                Some(client) => self.post(client, job.body.clone()).await,
                None => None,
            };
            let accepted = status.is_some_and(|status| (200..300).contains(&status));
            self.note(job, |delivery| {
                delivery.attempts += 1;
                delivery.status = status;
                if accepted {
                    delivery.outcome = WebhookOutcome::Delivered;
                }
            });
            if accepted {
                return;
            }
        }
        self.note(job, |delivery| delivery.outcome = WebhookOutcome::Failed);
    }

    /// The status of the reply, if there was one.
    async fn post(&self, client: &Client, body: Bytes) -> Option<u16> {
        let mut request = client.post(&self.target.url).header(CONTENT_TYPE, "application/json");
        for (name, value) in &self.target.headers {
            request = request.header(name, value);
        }
        match request.body(body).send().await {
            Ok(response) => Some(response.status().as_u16()),
            Err(error) => {
                // Without the address: it may hold a secret.
                tracing::debug!(error = %error.without_url(), "webhook not delivered");
                None
            }
        }
    }

    fn note(&self, job: &Job, change: impl FnOnce(&mut WebhookDelivery)) {
        let mut state = locked(&self.state);
        let entry = state.entries.get_mut(job.sequence);
        if let Some(delivery) = entry.and_then(|entry| entry.deliveries.get_mut(job.delivery)) {
            change(delivery);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it posts as the vendors' servers do, whatever our own client would add or withhold"
)]
fn client() -> Option<Client> {
    // An error means that the process has chosen a provider already.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let built = Client::builder().timeout(PATIENCE).no_proxy().build();
    built.inspect_err(|error| tracing::warn!(%error, "no client for webhooks")).ok()
}
