//! How long until: from a mutation to its bytes at the vendor, and from an outcome to whoever subscribed to it, at an even load that
//! does not wait for answers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_tests::client::Subscription;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, RequestEntry, Vendor};
use tokio::{sync::mpsc, task::JoinSet, time::MissedTickBehavior};

use crate::{
    http::{Caller, Line},
    throughput::{Door, open, open_request},
    world::Vendors,
};

/// Commands per second, as the peer's load.
const RATE: u32 = 100;
/// Sent before anything counts, so that connections and statements are there.
const WARM_UP: usize = 100;
/// WebSockets that share the subscriptions.
const SOCKETS: usize = 4;
/// Raixer's answer is held back so long that whoever asked has subscribed before the outcome is there.
const ANSWER_DELAY: u64 = 100;
/// How long the last arrivals are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// From just before a mutation is sent to its request having arrived at the vendor.
#[derive(Debug)]
pub(crate) struct Bytes {
    pub(crate) sent: usize,
    /// Microseconds.
    pub(crate) times: Histogram<u64>,
    /// The same in parts: until the command's `createdAt`, from there to its `dispatchedAt`, and from there. Microseconds.
    pub(crate) parts: [Histogram<u64>; 3],
}

/// From `finishedAt` to the terminal event at a subscriber.
#[derive(Debug)]
pub(crate) struct Outcomes {
    pub(crate) sent: usize,
    /// Microseconds.
    pub(crate) times: Histogram<u64>,
}

/// A command that was sent.
struct Sent {
    command: String,
    place: (String, i64),
    at: DateTime<Utc>,
}

/// Opens doors at an even rate for `time`, each door once, and looks into the vendors' journal.
pub(crate) async fn to_vendor(caller: &Caller, vendors: &Vendors, doors: &[Door], time: Duration) -> Result<Bytes> {
    let handle = vendors.simulator.handle();
    let count = commands_in(time);
    ensure!(doors.len() >= WARM_UP + count, "there are too few doors to open each only once");
    let (warm_up, doors) = doors.split_at(WARM_UP);
    steadily(caller, warm_up, |_| ()).await?;
    let sent = steadily(caller, &doors[..count], |_| ()).await?;
    // The window closes only when everything has arrived, or never will.
    let mut interval = tokio::time::interval(Duration::from_millis(100));
    let deadline = Utc::now() + PATIENCE;
    let arrivals = loop {
        interval.tick().await;
        let arrivals: HashMap<(String, i64), DateTime<Utc>> =
            handle.journal(0).entries.iter().filter_map(|entry| Some((opened(entry)?, entry.received_at))).collect();
        if sent.iter().all(|sent| arrivals.contains_key(&sent.place)) || Utc::now() > deadline {
            break arrivals;
        }
    };
    let mut times = Histogram::new(3)?;
    let mut parts = [Histogram::new(3)?, Histogram::new(3)?, Histogram::new(3)?];
    let stamps = stamps(caller, sent.len()).await?;
    for sent in &sent {
        let (Some(arrived), Some((created, dispatched))) = (arrivals.get(&sent.place), stamps.get(&sent.command))
        else {
            continue;
        };
        times.record(micros(*arrived - sent.at))?;
        for (part, time) in parts.iter_mut().zip([*created - sent.at, *dispatched - *created, *arrived - *dispatched]) {
            part.record(micros(time))?;
        }
    }
    handle.clear_journal();
    Ok(Bytes { sent: sent.len(), times, parts })
}

/// Opens doors at an even rate for `time`, subscribes to each command, and listens until each has come to its end.
pub(crate) async fn to_subscriber(
    caller: &Caller,
    vendors: &Vendors,
    doors: &[Door],
    time: Duration,
) -> Result<Outcomes> {
    let handle = vendors.simulator.handle();
    let delay = Fault::new(Vendor::Raixer, FaultKind::DelayAnswer { millis: ANSWER_DELAY });
    let fault = handle.add_fault(delay).map_err(anyhow::Error::msg)?;
    let mut senders = Vec::new();
    let mut listeners = JoinSet::new();
    for _ in 0..SOCKETS {
        let (sender, commands) = mpsc::unbounded_channel();
        senders.push(sender);
        listeners.spawn(listen(caller.clone(), commands));
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let tell = move |command: &str| {
        let turn = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % senders.len();
        if let Some(sender) = senders.get(turn) {
            // A listener that is gone has an error of its own to tell.
            let _gone = sender.send(command.to_owned());
        }
    };
    let count = commands_in(time).min(doors.len());
    // From the end: the doors that the measurement before this one left alone longest.
    let sent = steadily(caller, &doors[doors.len() - count..], tell).await?;
    let mut times = Histogram::new(3)?;
    while let Some(heard) = listeners.join_next().await {
        times.add(heard??)?;
    }
    ensure!(handle.remove_fault(fault), "the vendors' delay ended before its time");
    handle.clear_journal();
    Ok(Outcomes { sent: sent.len(), times })
}

fn commands_in(time: Duration) -> usize {
    usize::try_from(time.as_millis() * u128::from(RATE) / 1000).unwrap_or(usize::MAX)
}

/// One `openDoor` per door, at [`RATE`], whether the ones before are answered or not. `accepted` is told each command's id.
async fn steadily(
    caller: &Caller,
    doors: &[Door],
    accepted: impl Fn(&str) + Send + Sync + 'static,
) -> Result<Vec<Sent>> {
    let idle: Arc<Mutex<Vec<Line>>> = Arc::default();
    let accepted = Arc::new(accepted);
    let mut interval = tokio::time::interval(Duration::from_secs(1) / RATE);
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut under_way = JoinSet::new();
    for door in doors {
        let (request, place) = (open_request(door), door.place.clone());
        let (caller, idle, accepted) = (caller.clone(), Arc::clone(&idle), Arc::clone(&accepted));
        interval.tick().await;
        under_way.spawn(async move {
            let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut line = match free {
                Some(line) => line,
                None => caller.connect().await?,
            };
            let at = Utc::now();
            let command = open(&mut line, &request).await?;
            accepted(&command);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            anyhow::Ok(Sent { command, place, at })
        });
    }
    let mut sent = Vec::with_capacity(doors.len());
    while let Some(one) = under_way.join_next().await {
        sent.push(one??);
    }
    let distinct: std::collections::HashSet<_> = sent.iter().map(|sent| &sent.command).collect();
    ensure!(distinct.len() == doors.len(), "some mutations were given the same command");
    Ok(sent)
}

/// When each of the newest `count` commands was created and dispatched, by its id.
async fn stamps(caller: &Caller, count: usize) -> Result<HashMap<String, (DateTime<Utc>, DateTime<Utc>)>> {
    const QUERY: &str = "query($after: String) { commands(first: 100, after: $after) { \
        nodes { id createdAt dispatchedAt } pageInfo { endCursor hasNextPage } } }";
    let mut stamps = HashMap::new();
    let mut after = Value::Null;
    loop {
        let data = caller.data(QUERY, &json!({ "after": after })).await?;
        let page = &data["commands"];
        for node in page["nodes"].as_array().into_iter().flatten() {
            let time = |name: &str| DateTime::parse_from_rfc3339(node[name].as_str()?).ok().map(|at| at.to_utc());
            if let (Some(id), Some(created), Some(dispatched)) =
                (node["id"].as_str(), time("createdAt"), time("dispatchedAt"))
            {
                stamps.insert(id.to_owned(), (created, dispatched));
            }
        }
        if stamps.len() >= count || page["pageInfo"]["hasNextPage"] != true {
            return Ok(stamps);
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// The device that a request opens a door of, and the door's position.
fn opened(entry: &RequestEntry) -> Option<(String, i64)> {
    let mut pieces = entry.path.split('/').skip_while(|piece| *piece != "devices").skip(1);
    let device = pieces.next()?.to_owned();
    match entry.operation.as_deref()? {
        "send_command" => Some((device, 1)),
        "open_door_at" => Some((device, pieces.nth(1)?.parse().ok()?)),
        _ => None,
    }
}

/// Subscribes to every command it is told of, on one socket, until there are no more and each has come to its end.
async fn listen(caller: Caller, mut commands: mpsc::UnboundedReceiver<String>) -> Result<Histogram<u64>> {
    const QUERY: &str = "subscription($id: ID!) { commandUpdated(id: $id) { state terminal finishedAt } }";
    let mut times = Histogram::new(3)?;
    let payload = json!({ "authorization": format!("Bearer {}", caller.key) });
    let mut socket = Subscription::connect(caller.address, payload).await;
    let mut waiting: HashMap<String, bool> = HashMap::new();
    let mut more = true;
    while more || !waiting.is_empty() {
        tokio::select! {
            command = commands.recv(), if more => match command {
                Some(command) => {
                    socket.start(&command, QUERY, json!({ "id": command })).await;
                    waiting.insert(command, false);
                }
                None => more = false,
            },
            message = socket.next_message(), if !waiting.is_empty() => {
                let message = message.context("the API closed a WebSocket")?;
                hear(&message, Utc::now(), &mut waiting, &mut times)?;
            }
        }
    }
    Ok(times)
}

/// Takes note of one message. A command that was finished before its subscriber was there says nothing.
fn hear(
    message: &Value,
    at: DateTime<Utc>,
    waiting: &mut HashMap<String, bool>,
    times: &mut Histogram<u64>,
) -> Result<()> {
    let id = message["id"].as_str().unwrap_or_default();
    match message["type"].as_str() {
        Some("next") => {
            let command = &message["payload"]["data"]["commandUpdated"];
            ensure!(command.is_object(), "a subscription failed: {message}");
            if command["terminal"] != true {
                waiting.insert(id.to_owned(), true);
                return Ok(());
            }
            if waiting.remove(id) == Some(true) {
                let finished = command["finishedAt"].as_str().context("an outcome without a time")?;
                let finished = DateTime::parse_from_rfc3339(finished)?.with_timezone(&Utc);
                times.record(micros(at - finished))?;
            }
        }
        Some("connection_ack" | "complete" | "ping" | "pong") => {}
        _ => anyhow::bail!("unexpected: {message}"),
    }
    Ok(())
}

/// Clocks of one machine agree; what is below nothing is nothing.
fn micros(time: TimeDelta) -> u64 {
    time.num_microseconds().and_then(|time| u64::try_from(time).ok()).unwrap_or(0)
}
