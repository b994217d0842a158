//! What lets anybody in who rings or calls: postures of a door that must be seen.

use chrono::TimeDelta;

use super::{Certainty, Opening, Span, Via};
use crate::{
    clock::Timestamp,
    device::{Health, PhoneAccess},
    door::{Mode, Observation},
    ids::RecordId,
};

/// What is known of a door and its device.
#[derive(Debug, Clone, Default)]
pub struct PostureFacts {
    /// The door's position on its device.
    pub position: i32,
    /// The rule that the door follows, as last observed.
    pub mode: Option<Observation<Mode>>,
    /// Who may open it by telephone.
    pub phone_access: PhoneAccess,
    /// Whether the device's bell always opens.
    pub always_active: bool,
    /// Whether the device's bell opens while it is offline.
    pub when_offline: bool,
    /// How the device is, and since when.
    pub health: Option<(Health, Option<Timestamp>)>,
    /// When the device will listen to its bell.
    pub listening: Vec<Listening>,
}

/// A time in which a door listens to its bell.
#[derive(Debug, Clone, Copy)]
pub struct Listening {
    /// The vendor's record of it.
    pub record: RecordId,
    /// From when on.
    pub starts_at: Timestamp,
    /// For how long.
    pub minutes: u32,
    /// The position of the door; all of the device without.
    pub position: Option<i32>,
}

/// The paths that are open to anybody at that instant.
#[must_use]
pub fn open_to_anybody(facts: &PostureFacts, at: Timestamp) -> Vec<Opening> {
    let always = Span::default();
    let mut open = Vec::new();
    if facts.phone_access.any_caller {
        open.push(Opening { via: Via::AnyCaller, span: always, certainty: Certainty::Confirmed });
    }
    if let Some(certainty) = of_mode(facts, Mode::AutoAccess, at) {
        open.push(Opening { via: Via::AutoAccess(None), span: always, certainty });
    }
    for listening in facts.listening.iter().filter(|it| it.position.is_none_or(|at| at == facts.position)) {
        let until = listening.starts_at.checked_add_signed(TimeDelta::minutes(i64::from(listening.minutes)));
        let span = Span::new(Some(listening.starts_at), until);
        if span.covers(at) {
            let via = Via::AutoAccess(Some(listening.record));
            open.push(Opening { via, span, certainty: Certainty::Expected });
        }
    }
    let configured = |is_on: bool| is_on.then_some(Certainty::Confirmed);
    if let Some(certainty) = configured(facts.always_active).or_else(|| of_mode(facts, Mode::AlwaysActive, at)) {
        open.push(Opening { via: Via::AlwaysActive, span: always, certainty });
    }
    let contingency = configured(facts.when_offline).or_else(|| of_mode(facts, Mode::OfflineContingency, at));
    if let (Some(certainty), Some((Health::Offline | Health::Dead, since))) = (contingency, facts.health) {
        let span = Span::new(since, None);
        if span.covers(at) {
            open.push(Opening { via: Via::OfflineContingency, span, certainty });
        }
    }
    open
}

/// How sure it is that the door follows this rule at that instant: before it was observed and long after, nobody knows.
fn of_mode(facts: &PostureFacts, mode: Mode, at: Timestamp) -> Option<Certainty> {
    let observed = facts.mode.filter(|observed| observed.value == mode)?;
    let is_known = observed.observed_at <= at && !observed.is_stale(at);
    Some(if is_known { Certainty::Confirmed } else { Certainty::Possible })
}
