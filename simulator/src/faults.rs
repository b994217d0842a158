//! What can be made to go wrong, for whom, and how often; and which of it applies to a request. Carrying it out belongs to the
//! pipeline (network and answers) and to the vendors (hardware).

use std::{
    fmt,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{catalogue::RowKind, lock::locked, vendors::Vendor};

/// One thing going wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// At which vendor.
    pub vendor: Vendor,
    /// At which operation (names as in the coverage report); every one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// For which device or door id; every one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// How many requests it hits; until removed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// A fault that hits every request at a vendor until it is removed.
    #[must_use]
    pub fn new(vendor: Vendor, kind: FaultKind) -> Self {
        Fault { vendor, operation: None, device: None, times: None, kind }
    }

    /// Only at this operation.
    #[must_use]
    pub fn at(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only for this device or door.
    #[must_use]
    pub fn for_device(mut self, device: &str) -> Self {
        self.device = Some(device.to_owned());
        self
    }

    /// Only for the next `times` requests it applies to.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }
}

/// What goes wrong. At most one fault of each class (delay, delayed answer, network or answer, hardware) hits a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is closed without an answer and nothing happens.
    DropBeforeEffect,
    /// It happens, then the connection is closed without an answer.
    DropAfterEffect,
    /// It happens, and the connection is closed in the middle of the answer's body.
    DropMidAnswer,
    /// Waiting before it happens. It happens even if the client leaves meanwhile.
    Delay {
        /// Real time, in milliseconds.
        millis: u64,
    },
    /// Waiting after it happened, before the answer.
    DelayAnswer {
        /// Real time, in milliseconds.
        millis: u64,
    },
    /// It happens; the answer is 200 with something that is not JSON.
    Garbage,
    /// It happens; the answer's JSON ends half-way.
    Truncated,
    /// It happens; the answer says that it is HTML.
    WrongContentType,
    /// An HTTP error instead of an answer.
    Status {
        /// The HTTP status, 400 to 599.
        code: u16,
        /// Value of a Retry-After header, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
        /// Whether it happens all the same.
        #[serde(default)]
        after_effect: bool,
    },
    /// Never an answer.
    Hang {
        /// Whether it happens all the same.
        #[serde(default)]
        after_effect: bool,
    },
    /// The hardware cannot be reached.
    Offline,
    /// The hardware refuses: a Bikeep command ends in ERROR, a Raixer element says so.
    CommandError {
        /// The vendor's explanation.
        reason: String,
    },
    /// A Bikeep command gets this far and never further, not even into its time-out.
    CommandStuck {
        /// `NOT_SENT`, `SENT` or `RECEIVED`.
        state: String,
    },
    /// A state word nobody documents.
    UnknownStatusWord {
        /// The word.
        word: String,
    },
    /// Some of several Raixer doors do not open, or a Lockt batch is terminated at a record.
    PartialFailure {
        /// Positions that fail; the last of the selected doors, or of the records, if empty.
        #[serde(default)]
        positions: Vec<u32>,
    },
    /// ParqEx answers a toggle with this documented message and does nothing.
    ParqexMessage {
        /// `ok`, `malformed`, `authentication`, `not_found`, `sensor_required` or `not_implemented`.
        name: String,
        /// HTTP status of the answer; as the simulator is set up if absent.
        #[serde(default)]
        http_status: Option<u16>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Delay,
    DelayAnswer,
    Wire,
    Device,
}

/// A fault in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveFault {
    /// For removing it.
    pub id: u64,
    /// How many requests it has hit.
    pub hits: u64,
    /// The fault, with `times` as what remains.
    #[serde(flatten)]
    pub fault: Fault,
}

/// A fault that could never apply; the sentence says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpossibleFault(pub String);

impl fmt::Display for ImpossibleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ImpossibleFault {}

/// A fault of the network or of the answer.
pub(crate) type WireFault = FaultKind;
/// A fault of the hardware.
pub(crate) type DeviceFault = FaultKind;

/// The faults that hit one request.
#[derive(Debug, Default)]
pub(crate) struct Hit {
    pub(crate) delay: Duration,
    pub(crate) delay_answer: Duration,
    pub(crate) wire: Option<WireFault>,
    pub(crate) device: Option<DeviceFault>,
    pub(crate) names: Vec<&'static str>,
}

/// All faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Number of active faults, so that a healthy simulator takes no lock.
    count: AtomicUsize,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    next: u64,
    active: Vec<ActiveFault>,
}

impl Faults {
    pub(crate) fn add(&self, fault: Fault) -> Result<u64, ImpossibleFault> {
        check(&fault)?;
        let mut list = locked(&self.list);
        list.next += 1;
        let id = list.next;
        list.active.push(ActiveFault { id, hits: 0, fault });
        self.count.store(list.active.len(), Ordering::Release);
        Ok(id)
    }

    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut list = locked(&self.list);
        let before = list.active.len();
        list.active.retain(|active| active.id != id);
        self.count.store(list.active.len(), Ordering::Release);
        list.active.len() != before
    }

    pub(crate) fn clear(&self) {
        let mut list = locked(&self.list);
        list.active.clear();
        self.count.store(0, Ordering::Release);
    }

    pub(crate) fn list(&self) -> Vec<ActiveFault> {
        locked(&self.list).active.clone()
    }

    pub(crate) fn none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// Takes the faults for a request, the oldest of each class, and counts them down. `subjects` are the ids of the
    /// devices and doors the request is about.
    pub(crate) fn take(&self, vendor: Vendor, operation: &str, kind: RowKind, subjects: &[String]) -> Hit {
        let mut hit = Hit::default();
        let mut taken: Vec<Class> = Vec::new();
        let mut list = locked(&self.list);
        for active in &mut list.active {
            let class = active.fault.kind.class();
            if !active.fault.matches(vendor, operation, kind, subjects) || taken.contains(&class) {
                continue;
            }
            taken.push(class);
            active.hits += 1;
            if let Some(times) = &mut active.fault.times {
                *times -= 1;
            }
            hit.apply(&active.fault.kind);
        }
        list.active.retain(|active| active.fault.times != Some(0));
        self.count.store(list.active.len(), Ordering::Release);
        hit
    }
}

impl Hit {
    fn apply(&mut self, kind: &FaultKind) {
        self.names.push(kind.name());
        match (kind.class(), kind) {
            (Class::Delay, FaultKind::Delay { millis }) => self.delay = Duration::from_millis(*millis),
            (Class::DelayAnswer, FaultKind::DelayAnswer { millis }) => {
                self.delay_answer = Duration::from_millis(*millis)
            }
            (Class::Device, kind) => self.device = Some(kind.clone()),
            (_, kind) => self.wire = Some(kind.clone()),
        }
    }
}

impl Fault {
    fn matches(&self, vendor: Vendor, operation: &str, kind: RowKind, subjects: &[String]) -> bool {
        self.vendor == vendor
            && self.times != Some(0)
            && self.operation.as_deref().is_none_or(|wanted| wanted == operation)
            && self.device.as_ref().is_none_or(|wanted| subjects.contains(wanted))
            && (self.kind.concerns_reads() || matches!(kind, RowKind::Command | RowKind::DeviceCall))
    }
}

impl FaultKind {
    fn class(&self) -> Class {
        match self {
            FaultKind::Delay { .. } => Class::Delay,
            FaultKind::DelayAnswer { .. } => Class::DelayAnswer,
            FaultKind::DropBeforeEffect
            | FaultKind::DropAfterEffect
            | FaultKind::DropMidAnswer
            | FaultKind::Garbage
            | FaultKind::Truncated
            | FaultKind::WrongContentType
            | FaultKind::Status { .. }
            | FaultKind::Hang { .. } => Class::Wire,
            FaultKind::Offline
            | FaultKind::CommandError { .. }
            | FaultKind::CommandStuck { .. }
            | FaultKind::UnknownStatusWord { .. }
            | FaultKind::PartialFailure { .. }
            | FaultKind::ParqexMessage { .. } => Class::Device,
        }
    }

    /// Whether it can be seen in a call that moves no hardware.
    fn concerns_reads(&self) -> bool {
        self.class() != Class::Device || matches!(self, FaultKind::UnknownStatusWord { .. })
    }

    /// The name used in JSON and in the journal.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            FaultKind::DropBeforeEffect => "drop_before_effect",
            FaultKind::DropAfterEffect => "drop_after_effect",
            FaultKind::DropMidAnswer => "drop_mid_answer",
            FaultKind::Delay { .. } => "delay",
            FaultKind::DelayAnswer { .. } => "delay_answer",
            FaultKind::Garbage => "garbage",
            FaultKind::Truncated => "truncated",
            FaultKind::WrongContentType => "wrong_content_type",
            FaultKind::Status { .. } => "status",
            FaultKind::Hang { .. } => "hang",
            FaultKind::Offline => "offline",
            FaultKind::CommandError { .. } => "command_error",
            FaultKind::CommandStuck { .. } => "command_stuck",
            FaultKind::UnknownStatusWord { .. } => "unknown_status_word",
            FaultKind::PartialFailure { .. } => "partial_failure",
            FaultKind::ParqexMessage { .. } => "parqex_message",
        }
    }
}

/// Refuses a fault that would silently never fire.
fn check(fault: &Fault) -> Result<(), ImpossibleFault> {
    let refuse = |sentence: String| Err(ImpossibleFault(sentence));
    if fault.times == Some(0) {
        return refuse("times is 0: the fault would never hit".to_owned());
    }
    if let Some(operation) = &fault.operation {
        let rows = fault
            .vendor
            .rows()
            .iter()
            .filter(|row| row.operation == operation.as_str() && row.kind != RowKind::Unserved);
        let kinds: Vec<RowKind> = rows.map(|row| row.kind).collect();
        if kinds.is_empty() {
            return refuse(format!("{} has no served operation {operation}", fault.vendor.name()));
        }
        if !fault.kind.concerns_reads() && kinds.iter().all(|kind| *kind == RowKind::Read) {
            return refuse(format!("{} moves no hardware, so {} cannot hit it", operation, fault.kind.name()));
        }
    }
    let only = |vendor: Vendor| {
        if fault.vendor == vendor {
            Ok(())
        } else {
            refuse(format!("{} is for {} only", fault.kind.name(), vendor.name()))
        }
    };
    if fault.vendor == Vendor::Mews && fault.kind.class() == Class::Device {
        let at_reservations = fault.operation.as_deref() == Some("list_reservations");
        if !(fault.kind.concerns_reads() && at_reservations) {
            return refuse(format!("Mews has no hardware: {} cannot hit there", fault.kind.name()));
        }
    }
    match &fault.kind {
        FaultKind::PartialFailure { .. } if fault.vendor == Vendor::Lockt => Ok(()),
        FaultKind::PartialFailure { .. } => only(Vendor::Raixer),
        FaultKind::CommandError { .. } if fault.vendor == Vendor::Parqex => {
            refuse("ParqEx has no such word: use parqex_message".to_owned())
        }
        FaultKind::CommandStuck { state } => {
            if !matches!(state.as_str(), "NOT_SENT" | "SENT" | "RECEIVED") {
                return refuse(format!("a command cannot be stuck in {state}: NOT_SENT, SENT or RECEIVED"));
            }
            only(Vendor::Bikeep)
        }
        FaultKind::ParqexMessage { name, .. } => {
            if crate::vendors::parqex::message_named(name).is_none() {
                return refuse(format!("ParqEx documents no message {name}"));
            }
            only(Vendor::Parqex)
        }
        FaultKind::Status { code, .. } if !(400..600).contains(code) => {
            refuse(format!("{code} is not an HTTP error status"))
        }
        _ => Ok(()),
    }
}
