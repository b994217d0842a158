//! What a job says: which queue it belongs to and which id to look at. Ids only, never content.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One ring of the bell. Adding a kind: add a variant and its line in [`Job::queue`]; a worker that does not know the kind
/// logs it and lets it go, so a rolling deployment is safe.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Drain the due commands of this lane (a door, a device or a vendor account).
    Lane {
        /// The lane's row.
        lane: Uuid,
    },
    /// Bring inventory and state of this vendor account up to date.
    SyncAccount {
        /// The vendor account's row.
        account: Uuid,
    },
    /// Bring the placements of this vendor account that are due closer to what they are to be.
    Reconcile {
        /// The vendor account's row.
        account: Uuid,
    },
    /// Settle this reservation: windows, doors, placements and readiness.
    Settle {
        /// The reservation's row.
        reservation: Uuid,
    },
    /// Settle a block of the credentials that are due, whosever they are.
    SettleCredentials,
    /// Process the webhook deliveries of this vendor account that are due.
    Intake {
        /// The vendor account's row.
        account: Uuid,
    },
}

/// The two queues. They are worked by separate workers with slots of their own, so bulk work never delays a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Somebody is waiting: commands.
    Interactive,
    /// Nobody is waiting: synchronisation.
    Bulk,
}

impl Job {
    /// The queue this kind travels on.
    #[must_use]
    pub fn queue(&self) -> Queue {
        match self {
            // A webhook may decide a command that somebody waits for.
            Self::Lane { .. }
            | Self::Intake { .. }
            | Self::Reconcile { .. }
            | Self::Settle { .. }
            | Self::SettleCredentials => Queue::Interactive,
            Self::SyncAccount { .. } => Queue::Bulk,
        }
    }
}

impl Queue {
    /// Both queues, most urgent first.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Bulk];

    /// The name in the transport, behind `prefix` (empty in production; random in tests that share one Redis).
    #[must_use]
    pub fn name(self, prefix: &str) -> String {
        match self {
            Self::Interactive => format!("{prefix}gatehouse-interactive"),
            Self::Bulk => format!("{prefix}gatehouse-bulk"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_format_is_small_and_stable() {
        let job = Job::Lane { lane: Uuid::nil() };
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(text, r#"{"kind":"lane","lane":"00000000-0000-0000-0000-000000000000"}"#);
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
    }

    #[test]
    fn names_carry_the_prefix() {
        assert_eq!(Queue::Interactive.name(""), "gatehouse-interactive");
        assert_eq!(Queue::Bulk.name("t1:"), "t1:gatehouse-bulk");
    }
}
