//! The command line of the bench. Nothing is measured here.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};

use crate::premises::Kind;

/// What to measure and for how long.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// A fifth of every duration: whether it works, not how fast.
    quick: bool,
    only: Option<Kind>,
    /// A binary that was built already; without one, it is built.
    pub(crate) binary: Option<PathBuf>,
}

impl Options {
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--only" => {
                    options.only = Some(match arguments.next().as_deref() {
                        Some("embedded") => Kind::Embedded,
                        Some("distributed") => Kind::Distributed,
                        _ => bail!("--only takes `embedded` or `distributed`"),
                    });
                }
                "--binary" => options.binary = Some(arguments.next().context("--binary takes a path")?.into()),
                _ => bail!("usage: bench [--quick] [--only embedded|distributed] [--binary <path>]"),
            }
        }
        Ok(options)
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.only.is_none_or(|only| only == kind)
    }

    /// How long a measurement takes that should take `seconds`.
    pub(crate) fn time(&self, seconds: u64) -> Duration {
        Duration::from_secs(seconds) / if self.quick { 5 } else { 1 }
    }
}
