//! Which POSTs of an account are being served, latency included, and which of them met another. Whether that is refused is
//! decided elsewhere.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::lock::locked;

/// A POST that arrived while another of the same account was being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocktOverlap {
    /// Sequence of the request that arrived, as in the journal.
    pub sequence: u64,
    /// Sequence of the request that was being served.
    pub during: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Posts {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Account and sequence.
    served: Vec<(usize, u64)>,
    overlaps: Vec<LocktOverlap>,
}

/// A POST is being served as long as this lives.
#[derive(Debug)]
pub(crate) struct Serving {
    posts: Arc<Posts>,
    sequence: u64,
}

impl Drop for Serving {
    fn drop(&mut self) {
        locked(&self.posts.state).served.retain(|(_, sequence)| *sequence != self.sequence);
    }
}

impl Posts {
    pub(crate) fn begin(self: &Arc<Self>, account: usize, sequence: u64) -> Serving {
        let mut state = locked(&self.state);
        let other = state.served.iter().find(|(of, _)| *of == account).map(|(_, during)| *during);
        state.overlaps.extend(other.map(|during| LocktOverlap { sequence, during }));
        state.served.push((account, sequence));
        Serving { posts: Arc::clone(self), sequence }
    }

    /// Whether a request arrived during another.
    pub(crate) fn overlapped(&self, sequence: u64) -> bool {
        locked(&self.state).overlaps.iter().rev().any(|overlap| overlap.sequence == sequence)
    }

    /// All there have been, the oldest first.
    pub(crate) fn overlaps(&self) -> Vec<LocktOverlap> {
        locked(&self.state).overlaps.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_posts_of_the_same_account_at_the_same_time_overlap() {
        let posts = Arc::new(Posts::default());
        let first = posts.begin(0, 1);
        let _other_account = posts.begin(1, 2);
        let second = posts.begin(0, 3);
        assert_eq!(posts.overlaps(), [LocktOverlap { sequence: 3, during: 1 }]);
        assert!(posts.overlapped(3) && !posts.overlapped(1));
        drop((first, second));
        let _later = posts.begin(0, 4);
        assert_eq!(posts.overlaps().len(), 1);
    }
}
