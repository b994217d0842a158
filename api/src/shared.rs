//! What every request shares: the parts of the house that the front door works with. No state of a request lives here.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{clock::Clock, ids::IdSource, stay::StayTiming};
use entities::{Database, store::stays::Settling};
use messaging::{JobQueue, LiveBus};
use platform::vault::Vault;

use crate::{actions::denials::Denials, auth::Keys, desk::VendorDesk};

/// The long-lived parts behind every operation.
pub(crate) struct Shared {
    pub(crate) database: Database,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) live: Arc<dyn LiveBus>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) desk: Arc<dyn VendorDesk>,
    /// Where callers reach us from outside, without a slash at its end.
    pub(crate) public_url: Arc<str>,
    pub(crate) stay_timing: StayTiming,
    /// How long a subscription can be resumed from a cursor.
    pub(crate) replay: TimeDelta,
    pub(crate) keys: Keys,
    pub(crate) denials: Denials,
}

impl Shared {
    /// What stays and credentials are settled with.
    pub(crate) fn settling(&self) -> Settling<'_> {
        Settling { ids: self.ids.as_ref(), timing: &self.stay_timing }
    }
}
