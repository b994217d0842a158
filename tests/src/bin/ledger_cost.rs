//! `ledger_cost [--quick]`: what the ledger costs whoever appends events: many at once for one organization, without the ledger
//! (its index dropped, nobody seals) and with it (a sealer comes by every second), on both back ends.

use std::{process::ExitCode, sync::Arc, time::Instant};

use anyhow::Result;
use chrono::TimeDelta;
use domain::{clock::Clock, ids::OrganizationId};
use entities::{
    Database,
    store::{
        decisions::{Asked, Denied, deny},
        ledger::{Sealed, seal},
    },
    work,
};
use futures::future::try_join_all;
use gatehouse::foundation::Foundation;
use gatehouse_tests::house::{BackEnd, Plan};
use sea_orm::ConnectionTrait;

/// Who append at the same time.
const WRITERS: usize = 16;

#[tokio::main]
async fn main() -> ExitCode {
    let each = if std::env::args().any(|argument| argument == "--quick") { 50 } else { 2_000 };
    for back_end in [BackEnd::Embedded, BackEnd::Distributed] {
        match measure(back_end, each).await {
            Ok(line) => print(&line),
            Err(error) => {
                print(&format!("{back_end:?}: {error:#}"));
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

async fn measure(back_end: BackEnd, each: usize) -> Result<String> {
    let house = Plan::on(back_end).without_worker().start().await;
    let (foundation, organization) = (house.foundation().clone(), house.organization);
    // What the demo wrote is chained before, and not counted.
    chain(&foundation, organization).await?;
    append(&foundation, organization, each / 10).await?;
    let rows = house.open_database().await;
    rows.execute_unprepared("DROP INDEX events_unchained").await?;
    let without = append(&foundation, organization, each).await?;
    rows.execute_unprepared("CREATE INDEX events_unchained ON events (organization_id, id) WHERE block IS NULL")
        .await?;
    let waiting = Instant::now();
    let behind = chain(&foundation, organization).await?;
    let caught_up = waiting.elapsed();
    let sealer = tokio::spawn({
        let foundation = foundation.clone();
        async move {
            while chain(&foundation, organization).await.is_ok() {
                foundation.clock.sleep_until(foundation.clock.now() + TimeDelta::seconds(1)).await;
            }
        }
    });
    let with = append(&foundation, organization, each).await?;
    sealer.abort();
    chain(&foundation, organization).await?;
    let sound = work::ledger::verify(&foundation.database, foundation.notary.as_ref(), organization, None).await?;
    let verified = sound.map_err(|fault| anyhow::anyhow!("{fault}"))?;
    house.stop().await;
    let chained = behind as f64 / caught_up.as_secs_f64();
    Ok(format!(
        "{back_end:?}: {WRITERS} writers append {without:.0} events/s without the ledger, {with:.0} with it; the sealer alone \
         chains {chained:.0} events/s; {} events verified",
        verified.report.events,
    ))
}

/// Events appended per second, each in a transaction of its own.
async fn append(foundation: &Foundation, organization: OrganizationId, each: usize) -> Result<f64> {
    let began = Instant::now();
    let writers = (0..WRITERS).map(|_| {
        let (database, ids, clock) =
            (foundation.database.clone(), Arc::clone(&foundation.ids), Arc::clone(&foundation.clock));
        tokio::spawn(async move {
            for _ in 0..each {
                write(&database, ids.as_ref(), clock.as_ref(), organization).await?;
            }
            Ok::<(), entities::StoreError>(())
        })
    });
    for written in try_join_all(writers).await? {
        written?;
    }
    Ok((WRITERS * each) as f64 / began.elapsed().as_secs_f64())
}

async fn write(
    database: &Database,
    ids: &dyn domain::ids::IdSource,
    clock: &dyn Clock,
    organization: OrganizationId,
) -> Result<(), entities::StoreError> {
    let denied = Denied {
        organization,
        asked: Asked { what: "OPEN_DOOR", ..Asked::default() },
        actor: "key_bench",
        credential: "API key gh_bench",
        why: "This needs the role OPERATOR; you have VIEWER.",
        untold: 0,
    };
    deny(database, ids, denied, clock.now()).await
}

/// Chains all that waits, as the worker does. Returns how many events that were.
async fn chain(foundation: &Foundation, organization: OrganizationId) -> Result<u64> {
    let (mut chained, notary) = (0, foundation.notary.as_ref());
    loop {
        match seal(&foundation.database, notary, organization, false, foundation.clock.now()).await? {
            Sealed::Block { events, more: true, .. } => chained += events,
            Sealed::Block { events, .. } => return Ok(chained + events),
            Sealed::Nothing | Sealed::Outrun => return Ok(chained),
            Sealed::Refused(fault) => anyhow::bail!("{fault}"),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the lines are what this program is for")]
fn print(text: &str) {
    println!("{text}");
}
