//! A bounded memory of numbered entries. Knows nothing of what they are.

use std::collections::VecDeque;

use super::Page;

/// How many entries a ring keeps.
const CAPACITY: usize = 200_000;

/// The newest entries with a sequence each, which has no gaps.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    entries: VecDeque<T>,
    /// Sequence of the next entry.
    next: u64,
    dropped: u64,
}

impl<T> Ring<T> {
    pub(crate) fn new() -> Self {
        Ring { entries: VecDeque::new(), next: 1, dropped: 0 }
    }

    pub(crate) fn push(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        if self.entries.len() >= CAPACITY {
            self.entries.pop_front();
            self.dropped += 1;
        }
        let sequence = self.next;
        self.next += 1;
        self.entries.push_back(make(sequence));
        sequence
    }

    /// Index of an entry, which follows from its sequence because sequences have no gaps.
    fn index(&self, sequence: u64) -> Option<usize> {
        let first = self.next - self.entries.len() as u64;
        usize::try_from(sequence.checked_sub(first)?).ok().filter(|index| *index < self.entries.len())
    }

    /// Index of the first entry after a sequence.
    fn start(&self, after: u64) -> usize {
        let first = self.next - self.entries.len() as u64;
        usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX).min(self.entries.len())
    }

    /// The entry with a sequence, if it is still there.
    pub(crate) fn get_mut(&mut self, sequence: u64) -> Option<&mut T> {
        self.index(sequence).and_then(|index| self.entries.get_mut(index))
    }

    /// Entries with a sequence above `after`, the oldest first.
    pub(crate) fn page(&self, after: u64, limit: usize) -> Page<T>
    where
        T: Clone,
    {
        self.page_as(after, limit, T::clone)
    }

    /// The same, each entry as the reader reports it.
    pub(super) fn page_as<U>(&self, after: u64, limit: usize, report: impl Fn(&T) -> U) -> Page<U> {
        let entries = self.entries.iter().skip(self.start(after)).take(limit).map(report).collect();
        Page { entries, dropped: self.dropped }
    }

    /// Forgets the entries; sequences go on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.dropped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_forgets_the_oldest_and_says_so() {
        let mut ring = Ring::new();
        for _ in 0..CAPACITY + 3 {
            ring.push(|sequence| sequence);
        }
        assert_eq!((ring.entries.len(), ring.dropped, ring.entries.front()), (CAPACITY, 3, Some(&4)));
        assert_eq!((ring.index(3), ring.index(4), ring.index(u64::MAX)), (None, Some(0), None));
        assert_eq!((ring.start(0), ring.start(4), ring.start(CAPACITY as u64 + 3)), (0, 1, CAPACITY));
    }
}
