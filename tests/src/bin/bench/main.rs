//! `bench [--quick] [--only embedded|distributed] [--binary <path>]`: how fast Gatehouse is (P7), measured on real processes of the
//! release binary. Nothing here decides whether that is good enough; the table says what the aim was.

mod http;
mod latency;
mod machine;
mod memory;
mod options;
mod premises;
mod process;
mod report;
mod throughput;
mod world;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    options::Options,
    premises::{Figures, Kind, Premises},
    report::Report,
};

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            say(&format!("{error:#}"));
            return ExitCode::from(2);
        }
    };
    // Whoever stops waiting for `run` ends its processes: they die with their handles.
    let interrupted = interrupted();
    tokio::select! {
        ran = run(&options) => match ran {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(&format!("{error:#}"));
                ExitCode::FAILURE
            }
        },
        signal = interrupted => match signal {
            Ok(signal) => ExitCode::from(128_u8.saturating_add(u8::try_from(signal.as_raw()).unwrap_or(0))),
            Err(error) => {
                say(&format!("signals can not be received: {error}"));
                ExitCode::FAILURE
            }
        },
    }
}

async fn run(options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(path) => path.clone(),
        None => process::build().await?,
    };
    let mut report = Report::new(machine::describe(options.has(Kind::Distributed)).await);
    for kind in [Kind::Embedded, Kind::Distributed] {
        if options.has(kind) {
            report
                .add(kind, measure(kind, &binary, options).await.with_context(|| format!("{kind} was not measured"))?);
        }
    }
    print(&report.to_string());
    Ok(())
}

async fn measure(kind: Kind, binary: &std::path::Path, options: &Options) -> Result<Figures> {
    say(&format!("{kind}: starting"));
    let mut premises = Premises::open(kind, binary).await?;
    say(&format!("{kind}: pages of 100 doors"));
    let before = premises.processor_time()?;
    let pages = throughput::pages(&premises.caller, options.time(8)).await?;
    let pages_consumed = between(&before, &premises.processor_time()?);
    let doors = throughput::openable(&premises.caller).await?;
    say(&format!("{kind}: mutation to bytes at the vendor, {} doors", doors.len()));
    let bytes = latency::to_vendor(&premises.caller, &premises.vendors, &doors, options.time(20)).await?;
    say(&format!("{kind}: outcome to subscriber"));
    let outcome = latency::to_subscriber(&premises.caller, &premises.vendors, &doors, options.time(10)).await?;
    say(&format!("{kind}: accepted commands"));
    let before = premises.processor_time()?;
    let accepted = throughput::accepted(&premises.caller, &doors, options.time(10)).await?;
    let accepted_consumed = between(&before, &premises.processor_time()?);
    let aftermath = throughput::aftermath(&premises.caller, &premises.vendors).await?;
    let peak = premises.memory()?;
    let figures = Figures {
        starts: premises.starts,
        idle: premises.idle.clone(),
        pages,
        bytes,
        outcome,
        accepted,
        aftermath,
        peak,
        pages_consumed,
        accepted_consumed,
    };
    premises.close().await?;
    Ok(figures)
}

fn between(before: &[Duration], after: &[Duration]) -> Vec<Duration> {
    after.iter().zip(before).map(|(after, before)| after.saturating_sub(*before)).collect()
}

async fn interrupted() -> Result<Signal> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::select! {
        _ = interrupt.recv() => Signal::INT,
        _ = terminate.recv() => Signal::TERM,
        _ = hangup.recv() => Signal::HUP,
    })
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "progress is for the person at the terminal; stdout is the table's")]
fn say(message: &str) {
    eprintln!("bench: {message}");
}
