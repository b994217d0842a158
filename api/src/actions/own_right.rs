//! Whether somebody may have a door opened although their role does not let them: because the door is their own.
//! What counts as a right is `domain::opening`'s decision, who may have one `domain::access`'s.

use domain::{
    access::Denial,
    clock::Timestamp,
    command::CommandKind,
    ids::SiteId,
    opening::{Opening, Reason},
};
use entities::{StoreError, find};

use super::place::Place;
use crate::{auth::Session, shared::Shared};

/// By what somebody may send a command.
pub(super) enum Right {
    /// Their role or key.
    Role,
    /// Something of theirs opens the door, for as long as it does.
    Own(Opening),
}

impl Right {
    /// Why the door opens for them, if it is their own.
    pub(super) fn own_way_in(&self) -> Option<Reason> {
        match self {
            Self::Role => None,
            Self::Own(opening) => Some(opening.via.reason()),
        }
    }

    /// A deadline that is not after the end of the right.
    pub(super) fn limits(&self, deadline: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Role => deadline,
            Self::Own(opening) => deadline.into_iter().chain(opening.span.until).min(),
        }
    }
}

/// By what right the caller may send a command of `kind` here.
///
/// # Errors
/// The database failed. Within: the reason why not.
pub(super) async fn right_to(
    shared: &Shared,
    session: &Session,
    place: &Place,
    kind: CommandKind,
    now: Timestamp,
) -> Result<Result<Right, Denial>, StoreError> {
    let Err(denial) = session.principal.may_send_at(kind, SiteId(place.site()), place.door, now) else {
        return Ok(Ok(Right::Role));
    };
    let (Some(person), Some(door)) = (session.principal.who_may_own(kind, denial), place.door) else {
        return Ok(Err(denial));
    };
    let own = find::opening::own_way_in(&shared.database, person, door, now).await?;
    Ok(match (own, denial) {
        (Some(opening), _) => Ok(Right::Own(opening)),
        (None, Denial::NoRoleHere(_)) => Err(Denial::NotYours),
        (None, denial) => Err(denial),
    })
}
