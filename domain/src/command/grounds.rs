//! On what an action rests beside who asked for it: for whom it is, and why. Told with the decision on it.

use super::{Action, ForceReason};

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grounds {
    /// On whose behalf, in the vendor's word for them.
    pub on_behalf_of: Option<String>,
    /// Why, where a reason has to be given.
    pub reason: Option<ForceReason>,
}

impl Action {
    /// The grounds that were given for it.
    #[must_use]
    pub fn grounds(&self) -> Grounds {
        match self {
            Self::LockDoor { on_behalf_of } => Grounds { on_behalf_of: on_behalf_of.clone(), reason: None },
            Self::ForceUnlockDoor { reason, .. } => Grounds { on_behalf_of: None, reason: Some(*reason) },
            _ => Grounds::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grounds_are_those_that_were_given() {
        let lock = Action::LockDoor { on_behalf_of: Some("u7".to_owned()) };
        assert_eq!(lock.grounds(), Grounds { on_behalf_of: Some("u7".to_owned()), reason: None });
        let force = Action::ForceUnlockDoor { reason: ForceReason::Testing, comment: Some("a comment".to_owned()) };
        assert_eq!(force.grounds(), Grounds { on_behalf_of: None, reason: Some(ForceReason::Testing) });
        assert_eq!(Action::UnlockDoor.grounds(), Grounds::default());
    }
}
