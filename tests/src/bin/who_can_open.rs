//! `who_can_open [--quick]`: how long `Door.whoCanOpen` takes with ten thousand users and a thousand doors (P10), over HTTP
//! on both back ends. One caller, one question after the other, a page of 50 people with every path.

use std::{process::ExitCode, sync::Arc, time::Instant};

use anyhow::{Context, Result};
use domain::{
    access::Role,
    ids::{DoorId, OrganizationId},
};
use gatehouse::keys::{self, KeyPlan};
use gatehouse_tests::{
    crowd::{Crowd, Dice, Size, hour},
    house::{BackEnd, Plan},
};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

const QUERY: &str = "query($door: ID!, $at: DateTime!) { door(id: $door) { whoCanOpen(at: $at) { \
    anybody { reason certainty } \
    people(first: 50) { totalCount nodes { user { id name } guestOf { id } record { id } \
    paths { reason certainty from until } } } } } }";

#[tokio::main]
async fn main() -> ExitCode {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    for back_end in [BackEnd::Embedded, BackEnd::Distributed] {
        match measure(back_end, is_quick).await {
            Ok(line) => print(&line),
            Err(error) => {
                print(&format!("{back_end:?}: {error:#}"));
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

async fn measure(back_end: BackEnd, is_quick: bool) -> Result<String> {
    let share = if is_quick { 20 } else { 1 };
    let size = Size {
        doors: 1_000 / share,
        users: 10_000 / share,
        levels: 100 / share,
        stays: 5_000 / share,
        card_holders: 3_000 / share,
    };
    let house = Plan::on(back_end).without_worker().with_setting("max_complexity", "100000").start().await;
    let pools = platform::database::open(&house.settings).await?;
    let crowd = Crowd::gather(&pools.write, house.database(), size, 1).await?;
    let secret = platform::api_key::generate();
    let plan = KeyPlan::unlimited("bench", Role::Manager);
    keys::store_key(house.foundation(), OrganizationId(crowd.organization), &plan, &secret).await?;
    let client = Arc::new(house.client.with_key(secret.expose()));
    let mut dice = Dice::new(2);
    let mut times = Histogram::<u64>::new(3)?;
    let (mut people, mut most) = (0, 0);
    let questions = 1_000 / share;
    for question in 0..questions + questions / 10 {
        let door = dice.one(&crowd.doors).context("no doors")?;
        let at = hour(i64::try_from(dice.roll(48))? - 24);
        let variables = json!({ "door": DoorId(door.id).to_string(), "at": at });
        let began = Instant::now();
        let answer = client.data(QUERY, variables).await;
        let took = began.elapsed();
        // The first tenth warms up.
        if question >= questions / 10 {
            times.record(u64::try_from(took.as_micros())?)?;
            let count = count(&answer).with_context(|| format!("no people in {answer}"))?;
            people += count;
            most = most.max(count);
        }
    }
    house.stop().await;
    let [p50, p99, slowest] = [0.5, 0.99, 1.0].map(|quantile| times.value_at_quantile(quantile) / 1_000);
    let each = people / u64::try_from(questions)?;
    Ok(format!(
        "{back_end:?}: {} users, {} doors, {questions} questions: p50 {p50} ms, p99 {p99} ms, slowest {slowest} ms; \
         {each} people at a door on average, {most} at most (aim: p99 below 200 ms)",
        size.users, size.doors,
    ))
}

fn count(answer: &Value) -> Option<u64> {
    answer["door"]["whoCanOpen"]["people"]["totalCount"].as_u64()
}

#[expect(clippy::print_stdout, reason = "the lines are what this program is for")]
fn print(text: &str) {
    println!("{text}");
}
