//! How much at once: commands accepted and pages read by clients that ask again as soon as they are answered.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::{
    http::{Caller, Line},
    world::Vendors,
};

/// Connections of the clients that send commands, as the peer's.
const COMMAND_CONNECTIONS: usize = 32;
/// Connections of the clients that read pages, as the peer's.
const PAGE_CONNECTIONS: usize = 8;
/// Commands that open a door wait 15 s at most; what is not finished a little later never will be.
const PATIENCE: Duration = Duration::from_secs(25);

const PAGE: &str = "query($after: String) { doors(first: 100, after: $after) { nodes { id name kind position capabilities \
    device { id name model health } site { id name timeZone } state { lock { value observedAt stale } \
    position { value observedAt stale } mode { value } occupancy { value } } } pageInfo { endCursor hasNextPage } } }";

const DOORS: &str = "query($after: String) { doors(first: 100, after: $after) { nodes { id position capabilities \
    device { externalId vendorAccount { vendor } } } pageInfo { endCursor hasNextPage } } }";

/// A door that can be opened.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    /// Ours.
    pub(crate) id: String,
    /// The vendor's id of its device, and its position there.
    pub(crate) place: (String, i64),
    vendor: String,
}

/// Pages of 100 doors with device, site and state.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) per_second: f64,
    /// Microseconds.
    pub(crate) answers: Histogram<u64>,
}

/// `openDoor` until accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) per_second: f64,
    pub(crate) count: u64,
    /// Microseconds.
    pub(crate) answers: Histogram<u64>,
}

/// What became of everything that was accepted.
#[derive(Debug)]
pub(crate) struct Aftermath {
    /// From the last acceptance to the last outcome.
    pub(crate) settled: Duration,
    /// How many commands came to which outcome.
    pub(crate) outcomes: Vec<(&'static str, u64)>,
}

/// A request that opens a door, once.
pub(crate) fn open_request(door: &Door) -> String {
    let key = uuid::Uuid::now_v7();
    format!(
        r#"{{"query":"mutation($input: OpenDoorInput!) {{ openDoor(input: $input) {{ command {{ id state }} userErrors {{ code message }} }} }}","variables":{{"input":{{"doorId":"{}","idempotencyKey":"{key}"}}}}}}"#,
        door.id
    )
}

/// Sends an `openDoor` and returns the id of its command.
pub(crate) async fn open(line: &mut Line, request: &str) -> Result<String> {
    let answer: Value = serde_json::from_slice(line.ask(request).await?)?;
    let id = answer["data"]["openDoor"]["command"]["id"].as_str();
    id.map(str::to_owned).with_context(|| format!("an openDoor was refused: {answer}"))
}

/// Every door that can be opened, the vendors by turns.
pub(crate) async fn openable(caller: &Caller) -> Result<Vec<Door>> {
    let mut doors = Vec::new();
    let mut after = Value::Null;
    loop {
        let data = caller.data(DOORS, &json!({ "after": after })).await?;
        for node in data["doors"]["nodes"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            if node["capabilities"].as_array().is_some_and(|all| all.contains(&json!("OPEN_DOOR"))) {
                let device = &node["device"];
                let vendor = text(&device["vendorAccount"]["vendor"]);
                let position = node["position"].as_i64().unwrap_or_default();
                doors.push(Door { id: text(&node["id"]), place: (text(&device["externalId"]), position), vendor });
            }
        }
        if data["doors"]["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = data["doors"]["pageInfo"]["endCursor"].clone();
    }
    let (some, mut others): (Vec<_>, Vec<_>) = doors.into_iter().partition(|door| door.vendor == "BIKEEP");
    // The doors of one device follow each other as late as possible: they wait for each other (rule 5).
    others.sort_by_key(|door| door.place.1);
    ensure!(!some.is_empty() && !others.is_empty(), "the vendors' doors are not there");
    Ok(some.into_iter().zip(others).flat_map(|(one, other)| [one, other]).collect())
}

/// Reads pages for `time`, each client another one each time.
pub(crate) async fn pages(caller: &Caller, time: Duration) -> Result<Pages> {
    let mut requests = Vec::new();
    let mut after = Value::Null;
    loop {
        requests.push(json!({ "query": PAGE, "variables": { "after": after } }).to_string());
        let data = caller.data(PAGE, &json!({ "after": after })).await?;
        if data["doors"]["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = data["doors"]["pageInfo"]["endCursor"].clone();
    }
    // The last one may be short.
    let requests = &requests[..requests.len().saturating_sub(1).max(1)];
    let began = Instant::now();
    let until = began + time;
    let clients = (0..PAGE_CONNECTIONS).map(|client| async move {
        let mut line = caller.connect().await?;
        let mut answers = Histogram::<u64>::new(3)?;
        for request in requests.iter().cycle().skip(client * requests.len() / PAGE_CONNECTIONS) {
            let asked = Instant::now();
            if asked >= until {
                break;
            }
            let answer = line.ask(request).await?;
            answers.record(micros(asked.elapsed()))?;
            ensure!(!contains(answer, b"\"errors\""), "a page has errors: {}", String::from_utf8_lossy(answer));
        }
        Ok(answers)
    });
    let answers = try_join_all(clients).await?;
    let took = began.elapsed();
    let answers = merged(answers)?;
    Ok(Pages { per_second: rate(answers.len(), took), answers })
}

/// Opens doors for `time`, each client another door each time, every command with a key of its own.
pub(crate) async fn accepted(caller: &Caller, doors: &[Door], time: Duration) -> Result<Accepted> {
    let began = Instant::now();
    let until = began + time;
    let clients = (0..COMMAND_CONNECTIONS).map(|client| async move {
        let mut line = caller.connect().await?;
        let mut answers = Histogram::<u64>::new(3)?;
        for door in doors.iter().skip(client).step_by(COMMAND_CONNECTIONS).cycle() {
            let request = open_request(door);
            let asked = Instant::now();
            if asked >= until {
                break;
            }
            let answer = line.ask(&request).await?;
            answers.record(micros(asked.elapsed()))?;
            ensure!(contains(answer, b"\"userErrors\":[]"), "refused: {}", String::from_utf8_lossy(answer));
        }
        Ok(answers)
    });
    let answers = try_join_all(clients).await?;
    let took = began.elapsed();
    let answers = merged(answers)?;
    Ok(Accepted { per_second: rate(answers.len(), took), count: answers.len(), answers })
}

/// Waits until every command has an outcome.
pub(crate) async fn aftermath(caller: &Caller, vendors: &Vendors) -> Result<Aftermath> {
    const WORDS: [&str; 5] = ["SUCCEEDED", "FAILED", "EXPIRED", "CANCELED", "OUTCOME_UNKNOWN"];
    let began = Instant::now();
    let mut interval = tokio::time::interval(Duration::from_millis(250));
    loop {
        interval.tick().await;
        let mut open = 0;
        for state in ["QUEUED", "DISPATCHING", "ACCEPTED"] {
            open += count(caller, state).await?;
        }
        if open == 0 {
            break;
        }
        if began.elapsed() > PATIENCE {
            bail!(
                "{open} commands have no outcome after {PATIENCE:?}; the vendors hold {} faults",
                vendors.simulator.handle().faults().len()
            );
        }
    }
    let settled = began.elapsed();
    let mut outcomes = Vec::new();
    for state in WORDS {
        outcomes.push((state, count(caller, state).await?));
    }
    Ok(Aftermath { settled, outcomes })
}

async fn count(caller: &Caller, state: &str) -> Result<u64> {
    let query = "query($state: CommandState!) { commands(first: 1, filter: { state: $state }) { totalCount } }";
    let data = caller.data(query, &json!({ "state": state })).await?;
    data["commands"]["totalCount"].as_u64().context("a count is missing")
}

fn merged(parts: Vec<Histogram<u64>>) -> Result<Histogram<u64>> {
    let mut whole = Histogram::new(3)?;
    for part in parts {
        whole.add(part)?;
    }
    Ok(whole)
}

fn contains(text: &[u8], piece: &[u8]) -> bool {
    text.windows(piece.len()).any(|window| window == piece)
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is counted to 2^53")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
