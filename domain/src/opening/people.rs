//! The people who can open a door, and the facts that say so.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;

use super::{Certainty, Opener, Opening, Span, Via, Weekly, Who};
use crate::{
    clock::Timestamp,
    credential::CredentialState,
    ids::{
        AccessAssignmentId, AccessLevelId, AccessTokenId, CredentialId, DoorId, PlacementId, RecordId, ReservationId,
        UserId,
    },
    placement::{Desired, PlacementState},
    stay::TokenState,
};

/// Nothing that somebody may do at once waits as long as this.
const FAR: TimeDelta = TimeDelta::hours(1);

/// What is known of a door and of people. Facts that concern another door do no harm only if they are not in here.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The door.
    pub door: DoorId,
    /// Tokens that are for the door.
    pub tokens: Vec<TokenFact>,
    /// Credentials that are for the door itself.
    pub credentials: Vec<CredentialFact>,
    /// Assigned access levels that hold the door.
    pub assignments: Vec<AssignmentFact>,
    /// Placements that are to open the door, or were sent to.
    pub placements: Vec<PlacementFact>,
    /// People whom the vendor lets in at the door.
    pub records: Vec<RecordFact>,
}

impl Facts {
    /// A door of which nothing is known yet.
    #[must_use]
    pub const fn of(door: DoorId) -> Self {
        Self {
            door,
            tokens: Vec::new(),
            credentials: Vec::new(),
            assignments: Vec::new(),
            placements: Vec::new(),
            records: Vec::new(),
        }
    }
}

/// A token that is for the door.
#[derive(Debug, Clone)]
pub struct TokenFact {
    /// The token.
    pub token: AccessTokenId,
    /// Its stay.
    pub reservation: ReservationId,
    /// Who stays, if known.
    pub guest: Option<UserId>,
    /// Where it stands.
    pub state: TokenState,
    /// When it is to open.
    pub span: Span,
    /// Until when the door is kept at the latest, once the guest has left it.
    pub leaves_at: Option<Timestamp>,
}

/// A credential that is for the door.
#[derive(Debug, Clone)]
pub struct CredentialFact {
    /// The credential.
    pub credential: CredentialId,
    /// Whose.
    pub user: UserId,
    /// Whether it is meant to open.
    pub state: CredentialState,
    /// When it is to open.
    pub span: Span,
}

/// An assigned access level that holds the door.
#[derive(Debug, Clone)]
pub struct AssignmentFact {
    /// The assignment.
    pub assignment: AccessAssignmentId,
    /// What is assigned.
    pub level: AccessLevelId,
    /// To whom.
    pub user: UserId,
    /// When it is assigned.
    pub span: Span,
    /// When the level counts; always without.
    pub schedule: Option<Arc<Weekly>>,
}

/// A placement with what it has to do with the door.
#[derive(Debug, Clone)]
pub struct PlacementFact {
    /// The placement.
    pub placement: PlacementId,
    /// The token that is placed, with its stay, if one is.
    pub token: Option<(AccessTokenId, ReservationId)>,
    /// The credential that is placed, if one is.
    pub credential: Option<CredentialId>,
    /// Who holds what is placed, if known.
    pub user: Option<UserId>,
    /// What is wished for.
    pub desired: Desired,
    /// What is known of it.
    pub state: PlacementState,
    /// When it is to open the door; absent if it is not to.
    pub wished: Option<Span>,
    /// When what was last sent opens the door, without ends where the vendor keeps no times; absent if it does not.
    pub sent: Option<Span>,
    /// Our mark on it at the vendor, if the vendor keeps one.
    pub mark: Option<String>,
}

/// Somebody whom the vendor lets in.
#[derive(Debug, Clone)]
pub struct RecordFact {
    /// The person, number or access at the vendor.
    pub record: RecordId,
    /// How they get in.
    pub path: RecordPath,
    /// Whether the vendor lets them in at all; absent when it does not say.
    pub enabled: Option<bool>,
    /// When they are let in.
    pub span: Span,
    /// Our mark on it, if there is one.
    pub mark: Option<String>,
    /// Whether it is what one of our placements became, as long as that is not revoked.
    pub is_ours: bool,
}

/// How somebody gets in whom the vendor knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordPath {
    /// By a right to use the device.
    DeviceAccess,
    /// By a call.
    Phone {
        /// Whether the door takes calls.
        door_takes_calls: bool,
    },
    /// By an access level of the vendor's, which it may limit to a schedule that it does not tell.
    AccessLevel(RecordId),
}

/// Everybody who is known to be able to open the door at that instant, each once, with every path. What lets anybody in
/// is [`super::open_to_anybody`].
#[must_use]
pub fn who_can_open(facts: &Facts, at: Timestamp) -> Vec<Opener> {
    let placed = Placed::of(facts);
    let tokens = facts.tokens.iter().filter_map(|token| by_token(token, &placed, at));
    let credentials = facts.credentials.iter().filter_map(|credential| by_credential(credential, &placed, at));
    let assignments = facts.assignments.iter().filter_map(|assignment| by_level(assignment, &placed, at));
    let left = facts.placements.iter().filter_map(|placement| not_yet_gone(placement, at));
    let records = facts.records.iter().filter_map(|record| by_record(record, &placed, at));
    let mut grouped: BTreeMap<(uuid::Uuid, Who), Vec<Opening>> = BTreeMap::new();
    for (who, opening) in tokens.chain(credentials).chain(assignments).chain(left).chain(records) {
        grouped.entry((who.key(), who)).or_default().push(opening);
    }
    let openers = grouped.into_iter().map(|((_, who), mut openings)| {
        openings.sort_by_key(|opening| opening.via);
        Opener { who, openings }
    });
    openers.collect()
}

/// The path by which this person may have the door opened at that instant: something that is granted to them, whatever is at
/// the vendor of it. Of several the one that lasts longest without a break; what only the vendor lets in, or has not taken
/// away yet, is none.
#[must_use]
pub fn own_way_in(facts: &Facts, person: UserId, at: Timestamp) -> Option<Opening> {
    let granted = |opening: &Opening| {
        matches!(opening.via, Via::AccessToken { .. } | Via::Credential(_) | Via::AccessLevel { .. })
    };
    let own = who_can_open(facts, at).into_iter().find(|opener| opener.who == Who::User(person))?;
    let lasting = |opening: &Opening| (opening.span.until.is_none(), opening.span.until);
    let within_hours = |opening| within_hours(facts, opening, at);
    own.openings.into_iter().filter(granted).map(within_hours).max_by_key(lasting)
}

/// What a schedule limits lasts until the hours end that it counts in at that instant.
pub(super) fn within_hours(facts: &Facts, mut opening: Opening, at: Timestamp) -> Opening {
    let Via::AccessLevel { assignment, .. } = opening.via else { return opening };
    let fact = facts.assignments.iter().find(|fact| fact.assignment == assignment);
    let Some(weekly) = fact.and_then(|fact| fact.schedule.as_ref()) else { return opening };
    let far = at + FAR;
    let hours = weekly.week.spans(at, far, weekly.zone).first().map(|hours| hours.until).filter(|until| *until < far);
    opening.span.until = match (opening.span.until, hours) {
        (Some(until), Some(hours)) => Some(until.min(hours)),
        (until, hours) => until.or(hours),
    };
    opening
}

/// The placements by what they hold.
struct Placed<'a> {
    tokens: BTreeMap<AccessTokenId, Vec<&'a PlacementFact>>,
    credentials: BTreeMap<CredentialId, Vec<&'a PlacementFact>>,
    /// Of the credentials of each person.
    people: BTreeMap<UserId, Vec<&'a PlacementFact>>,
    marks: std::collections::BTreeSet<&'a str>,
}

impl<'a> Placed<'a> {
    fn of(facts: &'a Facts) -> Self {
        let mut placed = Self {
            tokens: BTreeMap::new(),
            credentials: BTreeMap::new(),
            people: BTreeMap::new(),
            marks: std::collections::BTreeSet::new(),
        };
        for fact in facts.placements.iter().filter(|fact| fact.state != PlacementState::Revoked) {
            if let Some((token, _)) = fact.token {
                placed.tokens.entry(token).or_default().push(fact);
            }
            if let Some(credential) = fact.credential {
                placed.credentials.entry(credential).or_default().push(fact);
                if let Some(user) = fact.user {
                    placed.people.entry(user).or_default().push(fact);
                }
            }
            // What was read back is known by the vendor's id; a mark tells only of what was sent and not yet read.
            if !matches!(fact.state, PlacementState::Waiting | PlacementState::Confirmed) {
                placed.marks.extend(fact.mark.as_deref());
            }
        }
        placed
    }
}

/// How sure it is that what is granted opens: by what is at the vendor.
fn certainty(placements: Option<&Vec<&PlacementFact>>, at: Timestamp) -> Certainty {
    let covers = |span: Option<Span>| span.is_some_and(|span| span.covers(at));
    let placements = placements.map(Vec::as_slice).unwrap_or_default();
    let read_back = |fact: &&&PlacementFact| {
        fact.desired == Desired::Present && fact.state == PlacementState::Confirmed && covers(fact.wished)
    };
    if placements.iter().find(read_back).is_some() {
        Certainty::Confirmed
    } else if placements.iter().any(|fact| covers(fact.sent)) {
        Certainty::Expected
    } else {
        Certainty::Permitted
    }
}

fn by_token(fact: &TokenFact, placed: &Placed<'_>, at: Timestamp) -> Option<(Who, Opening)> {
    let is_meant = matches!(fact.state, TokenState::Pending | TokenState::Active);
    let until = fact.span.until.into_iter().chain(fact.leaves_at).min();
    let span = Span { until, ..fact.span };
    (is_meant && span.covers(at)).then(|| {
        let via = Via::AccessToken { token: fact.token, reservation: fact.reservation };
        let certainty = certainty(placed.tokens.get(&fact.token), at);
        (holder(fact.guest, fact.reservation), Opening { via, span, certainty })
    })
}

fn by_credential(fact: &CredentialFact, placed: &Placed<'_>, at: Timestamp) -> Option<(Who, Opening)> {
    (fact.state == CredentialState::Active && fact.span.covers(at)).then(|| {
        let certainty = certainty(placed.credentials.get(&fact.credential), at);
        (Who::User(fact.user), Opening { via: Via::Credential(fact.credential), span: fact.span, certainty })
    })
}

fn by_level(fact: &AssignmentFact, placed: &Placed<'_>, at: Timestamp) -> Option<(Who, Opening)> {
    let counts = fact.schedule.as_ref().is_none_or(|schedule| schedule.week.permits(at, schedule.zone));
    (counts && fact.span.covers(at)).then(|| {
        let schedule = fact.schedule.as_ref().map(|schedule| schedule.id);
        let via = Via::AccessLevel { assignment: fact.assignment, level: fact.level, schedule };
        let certainty = certainty(placed.people.get(&fact.user), at);
        (Who::User(fact.user), Opening { via, span: fact.span, certainty })
    })
}

/// What was sent to open the door and is no longer meant to. What was read back as it is to be, or never was sent, is not
/// among them.
fn not_yet_gone(fact: &PlacementFact, at: Timestamp) -> Option<(Who, Opening)> {
    use PlacementState::{Confirmed, Revoked, Waiting};
    if matches!(fact.state, Waiting | Confirmed | Revoked) {
        return None;
    }
    let span = fact.sent.filter(|sent| sent.covers(at))?;
    let is_meant = fact.desired == Desired::Present && fact.wished.is_some_and(|wished| wished.covers(at));
    let who = match (fact.user, fact.token) {
        (Some(user), _) => Who::User(user),
        (None, Some((_, reservation))) => Who::GuestOf(reservation),
        (None, None) => return None,
    };
    let via = Via::RevocationNotConfirmed {
        placement: fact.placement,
        token: fact.token.map(|(token, _)| token),
        credential: fact.credential,
    };
    (!is_meant).then_some((who, Opening { via, span, certainty: Certainty::Possible }))
}

fn by_record(fact: &RecordFact, placed: &Placed<'_>, at: Timestamp) -> Option<(Who, Opening)> {
    let is_ours = fact.is_ours || fact.mark.as_deref().is_some_and(|mark| placed.marks.contains(mark));
    if is_ours || fact.enabled == Some(false) || !fact.span.covers(at) {
        return None;
    }
    let (via, best) = match fact.path {
        RecordPath::DeviceAccess => (Via::DeviceAccess(fact.record), Certainty::Confirmed),
        RecordPath::Phone { door_takes_calls: true } => (Via::Phone(fact.record), Certainty::Confirmed),
        RecordPath::Phone { door_takes_calls: false } => return None,
        RecordPath::AccessLevel(level) => (Via::VendorAccessLevel { person: fact.record, level }, Certainty::Expected),
    };
    let certainty = if fact.enabled == Some(true) { best } else { Certainty::Possible };
    Some((Who::VendorRecord(fact.record), Opening { via, span: fact.span, certainty }))
}

fn holder(guest: Option<UserId>, reservation: ReservationId) -> Who {
    guest.map_or(Who::GuestOf(reservation), Who::User)
}
