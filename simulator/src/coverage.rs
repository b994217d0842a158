//! Which documented endpoint was called how often. The list of endpoints lives with each vendor.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::{catalogue::RowKind, vendors::Vendor};

/// One documented endpoint and how often it was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageRow {
    /// Whose endpoint.
    pub vendor: Vendor,
    /// Row id of vendor-coverage.md, such as `B3`.
    pub row: String,
    /// Name used by faults and the journal.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path below the vendor's prefix, parameters with a colon.
    pub path: String,
    /// Whether the simulator answers it; calls are counted either way.
    pub served: bool,
    /// Number of requests that arrived.
    pub calls: u64,
}

#[derive(Debug)]
pub(crate) struct Coverage {
    counts: Vec<(Vendor, Vec<AtomicU64>)>,
}

impl Coverage {
    pub(crate) fn new() -> Self {
        let counters = |vendor: Vendor| vendor.rows().iter().map(|_| AtomicU64::new(0)).collect();
        Coverage { counts: Vendor::ALL.into_iter().map(|vendor| (vendor, counters(vendor))).collect() }
    }

    pub(crate) fn called(&self, vendor: Vendor, index: usize) {
        let counts = self.counts.iter().find(|(of, _)| *of == vendor);
        if let Some(count) = counts.and_then(|(_, counts)| counts.get(index)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn report(&self) -> Vec<CoverageRow> {
        let mut report = Vec::new();
        for (vendor, counts) in &self.counts {
            report.extend(vendor.rows().iter().zip(counts).map(|(row, calls)| CoverageRow {
                vendor: *vendor,
                row: row.id.to_owned(),
                operation: row.operation.to_owned(),
                method: row.method.to_owned(),
                path: row.path.to_owned(),
                served: row.kind != RowKind::Unserved,
                calls: calls.load(Ordering::Relaxed),
            }));
        }
        report
    }
}
