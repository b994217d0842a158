//! `fuzz [inputs] [--distributed] [--minutes <number>] [--seed <number>] [--only <number>] [--binary <path>]`: hostile inputs
//! over everything that strangers can reach, at the real binary, for so many minutes at most. The same seed makes the same
//! inputs; `--only` sends the one with that number. Fails on a panic, on a 5xx or an internal error that is not declared, on
//! silence, and when memory grows without bound.

mod documents;
mod noise;
mod schema;
mod strike;
mod target;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use gatehouse_tests::{binary, crowd::Dice};

use crate::{
    strike::{Answer, Kind, strike},
    target::Target,
};

/// Inputs under way at once.
const AT_ONCE: usize = 8;
/// What memory may grow by after the first tenth, in MB. Nothing that callers send is kept in memory.
const MOST_GROWTH: u64 = 256;
/// How many faults are shown.
const SHOWN: usize = 20;
/// After so many it is enough: a process that is gone does not come back.
const MOST_FAULTS: usize = 100;
const UNDER_WAY: &str = "an input is still under way";

struct Options {
    inputs: u64,
    seed: u64,
    only: Option<u64>,
    is_distributed: bool,
    most_time: Option<Duration>,
    binary: Option<PathBuf>,
}

#[derive(Default)]
struct Tally {
    told: BTreeMap<(Kind, String), u64>,
    faults: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print(&format!("fuzz: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<bool> {
    let options = options(std::env::args().skip(1))?;
    let folder = tempfile::tempdir()?;
    let binary = options.binary.clone().unwrap_or_else(|| binary::gatehouse().to_owned());
    let mut target = Arc::new(Target::start(&binary, folder.path(), options.is_distributed).await?);
    let tally = Arc::new(Mutex::new(Tally::default()));
    let (began, most_time) = (Instant::now(), options.most_time);
    let attack = Attack { tally: Arc::clone(&tally), numbers: Arc::default(), seed: options.seed, began, most_time };
    let figures = match options.only {
        Some(number) => attack.one(&target, number).await.and_then(|()| memories(&mut target, None)),
        None => attack.halves(&mut target, options.inputs).await,
    };
    let took = began.elapsed().as_secs_f64();
    let is_well = target.is_well().await;
    let Tally { told, faults } = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
    let inputs: u64 = told.values().sum();
    for ((kind, told), count) in &told {
        print(&format!("{count:>8}  {kind:?}: {told}"));
    }
    for fault in faults.iter().take(SHOWN) {
        print(&format!("FAULT {fault}"));
    }
    let Memories { before, after, peak } = figures?;
    let log = Arc::into_inner(target).context(UNDER_WAY)?.stop().await?;
    // Other errors are about load or vendors, which is not what is looked for.
    let [panics, errors] =
        ["panicked", "internal error"].map(|word| log.lines().filter(|line| line.contains(word)).collect::<Vec<_>>());
    for line in panics.iter().chain(&errors).take(SHOWN) {
        print(&format!("LOG {line}"));
    }
    print(&format!(
        "fuzz: {inputs} inputs, seed {}, {took:.0} s, {:.0} inputs/s; {} panics, {} internal errors, {} faults; memory \
         {before} MB after the first tenth, {after} MB at the end, {peak} MB at most; it {} afterwards",
        options.seed,
        f64::from(u32::try_from(inputs)?) / took,
        panics.len(),
        errors.len(),
        faults.len(),
        if is_well { "answers" } else { "DOES NOT ANSWER" },
    ));
    let is_bounded = after.saturating_sub(before) <= MOST_GROWTH;
    Ok(panics.is_empty() && errors.is_empty() && faults.is_empty() && is_well && is_bounded)
}

/// Resident memory in MB.
struct Memories {
    before: u64,
    after: u64,
    peak: u64,
}

fn memories(target: &mut Arc<Target>, before: Option<u64>) -> Result<Memories> {
    let (after, peak) = Arc::get_mut(target).context(UNDER_WAY)?.memory()?;
    Ok(Memories { before: before.unwrap_or(after), after, peak })
}

#[derive(Clone)]
struct Attack {
    tally: Arc<Mutex<Tally>>,
    numbers: Arc<AtomicU64>,
    seed: u64,
    began: Instant,
    most_time: Option<Duration>,
}

impl Attack {
    /// The first tenth, which fills pools and caches, then the rest.
    async fn halves(&self, target: &mut Arc<Target>, inputs: u64) -> Result<Memories> {
        self.until(target, inputs / 10).await?;
        let before = memories(target, None)?.after;
        self.until(target, inputs).await?;
        memories(target, Some(before))
    }

    /// Sends inputs until there were as many as this, too many faults, or no time is left.
    async fn until(&self, target: &Arc<Target>, until: u64) -> Result<()> {
        let attackers = (0..AT_ONCE).map(|_| {
            let (attack, target) = (self.clone(), Arc::clone(target));
            tokio::spawn(async move {
                let http = strike::caller()?;
                while attack.goes_on(until) {
                    attack.send(&target, &http, attack.numbers.fetch_add(1, Ordering::Relaxed)).await;
                }
                anyhow::Ok(())
            })
        });
        for attacker in futures::future::join_all(attackers).await {
            attacker??;
        }
        Ok(())
    }

    async fn one(&self, target: &Target, number: u64) -> Result<()> {
        self.send(target, &strike::caller()?, number).await;
        Ok(())
    }

    fn goes_on(&self, until: u64) -> bool {
        let has_time = self.most_time.is_none_or(|most| self.began.elapsed() < most);
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        has_time && tally.faults.len() < MOST_FAULTS && tally.told.values().sum::<u64>() < until
    }

    async fn send(&self, target: &Target, http: &reqwest::Client, number: u64) {
        let kind = Kind::of(number);
        // Its own dice: an input is the same whatever happened before it.
        let mixed = self.seed.wrapping_mul(0x1_0000_0001).wrapping_add(number.wrapping_mul(0x2545_F491_4F6C_DD1D));
        let Answer { inputs, told, fault } = strike(target, http, kind, &mut Dice::new(mixed)).await;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        *tally.told.entry((kind, told)).or_default() += inputs;
        tally.faults.extend(fault.map(|fault| format!("{kind:?} {number}: {fault}")));
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options =
        Options { inputs: 10_000, seed: 1, only: None, is_distributed: false, most_time: None, binary: None };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--seed" => options.seed = value()?.parse()?,
            "--only" => options.only = Some(value()?.parse()?),
            "--distributed" => options.is_distributed = true,
            "--minutes" => options.most_time = Some(Duration::from_secs(60 * value()?.parse::<u64>()?)),
            "--binary" => options.binary = Some(value()?.into()),
            number => match number.parse() {
                Ok(inputs) => options.inputs = inputs,
                Err(_) => {
                    bail!(
                        "usage: fuzz [inputs] [--distributed] [--minutes <number>] [--seed <number>] [--only <number>] \
                         [--binary <path>]"
                    )
                }
            },
        }
    }
    Ok(options)
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn print(text: &str) {
    println!("{text}");
}
