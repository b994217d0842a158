//! Webhook deliveries. Stored before the vendor got its answer, tried until they are understood and what they hint at is
//! read. Their events are written at once; hints are collected while a read is under way, so that a burst is a few reads.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::TimeDelta;
use domain::{
    door::Source,
    event::FoundEvent,
    ids::{VendorAccountId, WebhookDeliveryId},
    secret::Secret,
    webhook::{DeliveryState, RawDelivery},
};
use entities::{
    StoreError,
    rows::{vendor_account, webhook_delivery},
    store, work,
};
use platform::vault::Place;
use uuid::Uuid;
use vendors::port::{Delivery, Hint, Notice, NoticeError, Portion};

use super::{IntakeError, follow_hints, storable, store_portion};
use crate::{
    accounts::{Access, Accounts, Line},
    parts::Parts,
};

/// Whoever takes a delivery has it for so long; then another worker may.
const CLAIM: TimeDelta = TimeDelta::seconds(60);
/// After so many tries what a delivery hints at is left to the sync.
const TRIES: i32 = 8;
/// Deliveries taken at once.
const PORTION: u64 = 200;
/// Deliveries ended by one statement.
const AT_ONCE: usize = 500;
/// After a read, so long for more hints to come before the next.
const BREATH: Duration = Duration::from_millis(250);

/// The deliveries of all accounts, as one worker processes them.
pub(crate) struct Deliveries {
    parts: Parts,
    accounts: Arc<Accounts>,
    /// By account, while somebody follows its hints: what came meanwhile.
    hinted: Mutex<HashMap<Uuid, Vec<Hinted>>>,
}

/// A delivery whose events are written, and what it hints at.
struct Hinted {
    row: webhook_delivery::Model,
    events: usize,
    hints: Vec<Hint>,
}

impl Deliveries {
    /// Ready to process.
    pub(crate) fn new(parts: Parts, accounts: Arc<Accounts>) -> Self {
        Self { parts, accounts, hinted: Mutex::default() }
    }

    /// Processes what is due of an account.
    pub(crate) async fn process(&self, account: VendorAccountId) -> Result<(), StoreError> {
        loop {
            let (database, now) = (&self.parts.database, self.parts.clock.now());
            let mine = store::deliveries::claim(database, account, now, now + CLAIM, PORTION).await?;
            if mine.is_empty() {
                return Ok(());
            }
            let Some(account) = work::account(&self.parts.database, account).await? else { return Ok(()) };
            let line = match self.accounts.line(&Access::of(&account)).await {
                Ok(line) => line,
                Err(error) => {
                    for row in &mine {
                        self.retry_or_give_up(row, &error.to_string()).await?;
                    }
                    continue;
                }
            };
            let hinted = self.write_events(&line, &account, mine).await?;
            self.collect(&line, &account, hinted).await?;
        }
    }

    /// Writes what the deliveries tell; what they hint at is left to do.
    async fn write_events(
        &self,
        line: &Line,
        account: &vendor_account::Model,
        rows: Vec<webhook_delivery::Model>,
    ) -> Result<Vec<Hinted>, StoreError> {
        let mut told = Vec::new();
        for row in rows {
            match self.read(line, &row) {
                Ok(notice) => told.push((row, notice)),
                Err(error) => self.reject(&row, &error.to_string()).await?,
            }
        }
        let together = told.iter().flat_map(|(_, notice)| notice.events.iter().cloned()).collect();
        let all = match self.write(account, together).await {
            Ok(()) => told,
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            // One of them spoils the others: each by itself.
            Err(_) => self.write_each(account, told).await?,
        };
        let all = all.into_iter().map(|(row, Notice { events, hints })| Hinted { row, events: events.len(), hints });
        let (done, hinted): (Vec<_>, Vec<_>) = all.partition(|told| told.hints.is_empty());
        self.finish(&done).await?;
        Ok(hinted)
    }

    async fn write_each(
        &self,
        account: &vendor_account::Model,
        told: Vec<(webhook_delivery::Model, Notice)>,
    ) -> Result<Vec<(webhook_delivery::Model, Notice)>, StoreError> {
        let mut written = Vec::new();
        for (row, notice) in told {
            match self.write(account, notice.events.clone()).await {
                Ok(()) => written.push((row, notice)),
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error) => {
                    tracing::error!(delivery = %WebhookDeliveryId(row.id), %error, "a webhook's events were not written");
                    self.reject(&row, "What it tells can not be written.").await?;
                }
            }
        }
        Ok(written)
    }

    /// Events by the vendor's clock, whatever the order in which they came.
    async fn write(&self, account: &vendor_account::Model, mut events: Vec<FoundEvent>) -> Result<(), StoreError> {
        events.sort_by_key(|event| event.occurred_at);
        let portion = Portion { events, ..Portion::default() };
        store_portion(&self.parts, account, &portion, Source::Webhook).await.map(drop)
    }

    fn read(&self, line: &Line, row: &webhook_delivery::Model) -> Result<Notice, NoticeError> {
        let place = Place { table: "webhook_deliveries", column: "content", row: row.id };
        let raw: RawDelivery = self
            .parts
            .vault
            .open(&row.content, place)
            .ok()
            .and_then(|form: Secret| serde_json::from_str(form.expose()).ok())
            .ok_or_else(|| NoticeError::Unreadable("The stored delivery cannot be opened.".to_owned()))?;
        let delivery = Delivery { headers: &raw.headers, body: &raw.body, received_at: row.received_at };
        let mut notice = line.connection.intake().notice(delivery)?;
        notice.events = notice.events.into_iter().map(|event| storable::dated(event, row.received_at)).collect();
        notice.hints = notice.hints.into_iter().map(storable::hint).collect();
        Ok(notice)
    }

    /// Follows the hints, unless somebody is at it for this account: then they take these over.
    async fn collect(
        &self,
        line: &Arc<Line>,
        account: &vendor_account::Model,
        mut hinted: Vec<Hinted>,
    ) -> Result<(), StoreError> {
        if hinted.is_empty() {
            return Ok(());
        }
        if self.is_followed(account.id, &mut hinted) {
            return Ok(());
        }
        let mut following = Following { of: self, account: account.id, ended: false };
        while !hinted.is_empty() {
            self.follow(line, account, &hinted).await?;
            #[expect(clippy::disallowed_methods, reason = "how fast a vendor may be asked is a matter of real time")]
            tokio::time::sleep(BREATH).await;
            hinted = following.take_or_end();
        }
        Ok(())
    }

    /// Leaves hints to whoever follows those of the account. If nobody does, the caller has to from now on.
    fn is_followed(&self, account: Uuid, hinted: &mut Vec<Hinted>) -> bool {
        match self.hinted().entry(account) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().append(hinted);
                true
            }
            Entry::Vacant(place) => {
                place.insert(Vec::new());
                false
            }
        }
    }

    async fn follow(
        &self,
        line: &Arc<Line>,
        account: &vendor_account::Model,
        hinted: &[Hinted],
    ) -> Result<(), StoreError> {
        let hints = hinted.iter().flat_map(|done| done.hints.iter().cloned()).collect();
        match follow_hints(&self.parts, &self.accounts, line, account, hints).await {
            Ok(()) => self.finish(hinted).await?,
            Err(IntakeError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
            Err(error) => {
                for done in hinted {
                    self.retry_or_give_up(&done.row, &error.to_string()).await?;
                }
            }
        }
        Ok(())
    }

    /// Ends deliveries, those of which the same is to be said together.
    async fn finish(&self, all: &[Hinted]) -> Result<(), StoreError> {
        let mut alike: BTreeMap<(usize, usize), Vec<WebhookDeliveryId>> = BTreeMap::new();
        for done in all {
            alike.entry((done.events, done.hints.len())).or_default().push(WebhookDeliveryId(done.row.id));
        }
        for ((events, hints), ids) in alike {
            let note = format!("{events} events, {hints} hints.");
            for ids in ids.chunks(AT_ONCE) {
                self.end(ids, DeliveryState::Processed, &note).await?;
            }
        }
        Ok(())
    }

    async fn reject(&self, row: &webhook_delivery::Model, note: &str) -> Result<(), StoreError> {
        let id = WebhookDeliveryId(row.id);
        tracing::warn!(delivery = %id, note, "a webhook delivery was rejected");
        self.end(&[id], DeliveryState::Rejected, note).await
    }

    async fn end(&self, ids: &[WebhookDeliveryId], state: DeliveryState, note: &str) -> Result<(), StoreError> {
        store::deliveries::finish(&self.parts.database, ids, state, note, self.parts.clock.now()).await
    }

    /// The vendor cannot be asked for what it hints at: later, and in the end by the sync.
    async fn retry_or_give_up(&self, row: &webhook_delivery::Model, why: &str) -> Result<(), StoreError> {
        let (database, now) = (&self.parts.database, self.parts.clock.now());
        let id = WebhookDeliveryId(row.id);
        if row.attempts >= TRIES {
            store::accounts::request_sync(database, VendorAccountId(row.account_id), now).await?;
            return self.end(&[id], DeliveryState::Processed, &format!("Left to the next sync: {why}")).await;
        }
        let pause = TimeDelta::seconds(1_i64 << (row.attempts - 1).clamp(0, 6));
        store::deliveries::postpone(database, id, now + pause, why).await
    }

    fn hinted(&self) -> MutexGuard<'_, HashMap<Uuid, Vec<Hinted>>> {
        self.hinted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives somebody follows the hints of an account.
struct Following<'a> {
    of: &'a Deliveries,
    account: Uuid,
    ended: bool,
}

impl Following<'_> {
    /// What came meanwhile. Nothing ends the following in the same instant.
    fn take_or_end(&mut self) -> Vec<Hinted> {
        let mut all = self.of.hinted();
        let waiting = all.get_mut(&self.account).map(std::mem::take).unwrap_or_default();
        if waiting.is_empty() {
            all.remove(&self.account);
            self.ended = true;
        }
        waiting
    }
}

impl Drop for Following<'_> {
    /// Whoever stops half way leaves deliveries behind that are found again when their claims end.
    fn drop(&mut self) {
        if !self.ended {
            self.of.hinted().remove(&self.account);
        }
    }
}
