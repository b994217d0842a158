//! What a process occupies and consumes, as the kernel counts it. Linux only.

use std::time::Duration;

use anyhow::{Context, Result};

/// The kernel's unit of processor time (USER_HZ), the same on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// Resident memory of a process, in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    now: u64,
    peak: u64,
}

impl Memory {
    pub(crate) fn of(process: u32) -> Result<Self> {
        let path = format!("/proc/{process}/status");
        let status = std::fs::read_to_string(&path).with_context(|| format!("{path} can not be read"))?;
        let line = |name: &str| {
            let found =
                status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().nth(1)?.parse().ok());
            found.with_context(|| format!("{path} has no {name}"))
        };
        Ok(Self { now: line("VmRSS")?, peak: line("VmHWM")? })
    }

    /// Now, in MB.
    pub(crate) fn now(self) -> f64 {
        megabytes(self.now)
    }

    /// The most it ever was, in MB.
    pub(crate) fn peak(self) -> f64 {
        megabytes(self.peak)
    }
}

/// Processor time that a process has consumed, all threads, user and system.
pub(crate) fn processor_time(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("{path} can not be read"))?;
    // The second field is the program's name in parentheses and may hold anything.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks = |index: usize| fields.split_whitespace().nth(index).and_then(|field| field.parse::<u64>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).with_context(|| format!("{path} has no times"))?;
    Ok(TICK * u32::try_from(user + system).unwrap_or(u32::MAX))
}

#[expect(clippy::cast_precision_loss, reason = "no process has 2^53 KiB")]
fn megabytes(kibibytes: u64) -> f64 {
    kibibytes as f64 * 1.024 / 1000.0
}
