//! The table: one line per measure, with the figure of the peer and the aim beside ours. Nothing is measured here.

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use hdrhistogram::Histogram;

use crate::{
    memory::Memory,
    premises::{Figures, Kind},
    world::DOORS,
};

const WIDTHS: [usize; 5] = [46, 9, 9, 12, 12];

const NOTES: &str = "\
++ the aim is met; + ahead of the peer; - behind it. The peer is Apollo Server 5 + BullMQ + pg, api and worker apart, on 2 cores (promises.md, P7).\n\
Load, simulated vendors, servers and Gatehouse share the cores. The vendors have no latency of their own; half of the doors open by\n\
one call (Raixer), half by a command that is asked for until it is done (Bikeep). Keep-alive HTTP/1.1, default settings, log on.\n\
Mutation to bytes: open loop at 100 openDoor/s, every door once, from just before the request to the vendor's having received its own.\n\
Outcome to subscriber: from finishedAt, before its commit, to the event at a graphql-transport-ws client, at 100 commands/s.\n\
Memory: resident; idle is 3 s after the second start. First start: empty folder, migrations and demo included, or migrated database.\n";

/// What was measured, to be printed.
pub(crate) struct Report {
    machine: String,
    embedded: Option<Figures>,
    distributed: Option<Figures>,
}

/// Which way is better.
#[derive(Clone, Copy)]
enum Better {
    More,
    Less,
}

struct Measure {
    name: &'static str,
    better: Better,
    peer: Option<f64>,
    aim: Option<f64>,
    of: fn(&Figures) -> Option<f64>,
}

impl Report {
    pub(crate) fn new(machine: String) -> Self {
        Self { machine, embedded: None, distributed: None }
    }

    pub(crate) fn add(&mut self, kind: Kind, figures: Figures) {
        match kind {
            Kind::Embedded => self.embedded = Some(figures),
            Kind::Distributed => self.distributed = Some(figures),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}Doors        {DOORS}\n", self.machine)?;
        write_row(formatter, ["", "peer", "aim", "embedded", "distributed"].map(str::to_owned))?;
        for measure in measures() {
            let peer = measure.peer.map_or_else(String::new, number);
            let aim = measure.aim.map_or_else(String::new, number);
            let ours = |figures: &Option<Figures>| {
                let value = figures.as_ref().and_then(|figures| (measure.of)(figures));
                value.map_or_else(String::new, |value| format!("{} {:<2}", number(value), measure.mark(value)))
            };
            let cells = [measure.name.to_owned(), peer, aim, ours(&self.embedded), ours(&self.distributed)];
            write_row(formatter, cells)?;
        }
        writeln!(formatter)?;
        for (kind, figures) in [(Kind::Embedded, &self.embedded), (Kind::Distributed, &self.distributed)] {
            if let Some(figures) = figures {
                writeln!(formatter, "{kind}: {}", told(figures))?;
            }
        }
        write!(formatter, "\n{NOTES}")
    }
}

/// How much of what was sent was measured, and what became of it.
fn told(figures: &Figures) -> String {
    let mut text = format!(
        "{} of {} mutations seen at the vendor, {} of {} outcomes heard; {} accepted under load; all settled {:.1} s later:",
        figures.bytes.times.len(),
        figures.bytes.sent,
        figures.outcome.times.len(),
        figures.outcome.sent,
        figures.accepted.count,
        figures.aftermath.settled.as_secs_f64(),
    );
    for (outcome, count) in figures.aftermath.outcomes.iter().filter(|(_, count)| *count > 0) {
        // Writing to a String does not fail.
        let _ = write!(text, " {count} {outcome}");
    }
    text
}

impl Measure {
    const fn of(name: &'static str, better: Better, of: fn(&Figures) -> Option<f64>) -> Self {
        Self { name, better, peer: None, aim: None, of }
    }

    const fn peer(mut self, figure: f64) -> Self {
        self.peer = Some(figure);
        self
    }

    const fn aim(mut self, figure: f64) -> Self {
        self.aim = Some(figure);
        self
    }

    fn mark(&self, value: f64) -> &'static str {
        let beats = |mark: f64| match self.better {
            Better::More => value >= mark,
            Better::Less => value <= mark,
        };
        match (self.aim, self.peer) {
            (Some(aim), _) if beats(aim) => "++",
            (_, Some(peer)) if beats(peer) => "+",
            (None, None) => "",
            _ => "-",
        }
    }
}

fn measures() -> [Measure; 25] {
    use Better::{Less, More};
    [
        Measure::of("commands accepted per second, 32 connections", More, |it| Some(it.accepted.per_second))
            .peer(1694.0)
            .aim(6776.0),
        Measure::of("  answer p50, ms", Less, |it| at(&it.accepted.answers, 0.5)),
        Measure::of("  answer p99, ms", Less, |it| at(&it.accepted.answers, 0.99)).peer(34.0),
        Measure::of("mutation to bytes at the vendor p50, ms", Less, |it| at(&it.bytes.times, 0.5)).peer(3.7).aim(1.85),
        Measure::of("  p99, ms", Less, |it| at(&it.bytes.times, 0.99)).peer(8.8).aim(4.4),
        Measure::of("  slowest, ms", Less, |it| at(&it.bytes.times, 1.0)),
        Measure::of("  of which until createdAt p50, ms", Less, |it| at(&it.bytes.parts[0], 0.5)),
        Measure::of("  from there to dispatchedAt p50, ms", Less, |it| at(&it.bytes.parts[1], 0.5)),
        Measure::of("  from there to the vendor p50, ms", Less, |it| at(&it.bytes.parts[2], 0.5)),
        Measure::of("outcome to subscriber p50, ms", Less, |it| at(&it.outcome.times, 0.5)),
        Measure::of("  p99, ms", Less, |it| at(&it.outcome.times, 0.99)).peer(6.9).aim(3.45),
        Measure::of("  slowest, ms", Less, |it| at(&it.outcome.times, 1.0)),
        Measure::of("pages of 100 doors per second, 8 connections", More, |it| Some(it.pages.per_second))
            .peer(162.0)
            .aim(1296.0),
        Measure::of("  answer p50, ms", Less, |it| at(&it.pages.answers, 0.5)),
        Measure::of("  answer p99, ms", Less, |it| at(&it.pages.answers, 0.99)),
        Measure::of("processor per page, api or all in one, ms", Less, |it| {
            each(&it.pages_consumed, 0, it.pages.answers.len())
        }),
        Measure::of("processor per accepted, api or all in one, ms", Less, |it| {
            each(&it.accepted_consumed, 0, it.accepted.count)
        }),
        Measure::of("processor per accepted, worker, ms", Less, |it| each(&it.accepted_consumed, 1, it.accepted.count)),
        Measure::of("memory idle, api or all in one, MB", Less, |it| first(&it.idle, Memory::now))
            .peer(114.0)
            .aim(22.8),
        Measure::of("memory idle, worker, MB", Less, |it| second(&it.idle, Memory::now)).peer(95.0).aim(19.0),
        Measure::of("memory at most, api or all in one, MB", Less, |it| first(&it.peak, Memory::peak)),
        Measure::of("memory at most, worker, MB", Less, |it| second(&it.peak, Memory::peak)),
        Measure::of("migrate an empty database, ms", Less, |it| it.starts.migrate.map(milliseconds)),
        Measure::of("ready after the first start, ms", Less, |it| Some(milliseconds(it.starts.first))).aim(500.0),
        Measure::of("ready after the second start, ms", Less, |it| Some(milliseconds(it.starts.second))).aim(500.0),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is counted to 2^53")]
fn each(consumed: &[Duration], process: usize, count: u64) -> Option<f64> {
    let consumed = consumed.get(process).copied().map(milliseconds)?;
    (count > 0).then(|| consumed / count as f64)
}

fn first(memory: &[Memory], read: fn(Memory) -> f64) -> Option<f64> {
    memory.first().copied().map(read)
}

fn second(memory: &[Memory], read: fn(Memory) -> f64) -> Option<f64> {
    memory.get(1).copied().map(read)
}

/// A quantile of microseconds, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "no time here has 2^53 microseconds")]
fn at(times: &Histogram<u64>, quantile: f64) -> Option<f64> {
    (!times.is_empty()).then(|| times.value_at_quantile(quantile) as f64 / 1000.0)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn write_row(formatter: &mut fmt::Formatter<'_>, cells: [String; 5]) -> fmt::Result {
    let [name, others @ ..] = cells;
    let [first, rest @ ..] = WIDTHS;
    write!(formatter, "{name:<first$}")?;
    for (cell, width) in others.iter().zip(rest) {
        write!(formatter, " {cell:>width$}")?;
    }
    writeln!(formatter)
}
