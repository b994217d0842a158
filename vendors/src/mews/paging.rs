//! Pages of a list: how many rows to ask for, where to go on, when it is over. Pure.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::error::VendorError;

/// The most rows on a page (document 004).
const LARGEST: usize = 1000;
/// Below this, a query that is too heavy is not too heavy because of its rows.
const SMALLEST: usize = 15;

/// Where a list that is read page by page stands. Pages come newest first.
#[derive(Debug)]
pub(super) struct Pager {
    count: usize,
    cursor: Option<String>,
    seen: HashSet<String>,
    over: bool,
}

impl Default for Pager {
    fn default() -> Self {
        Self { count: LARGEST, cursor: None, seen: HashSet::new(), over: false }
    }
}

impl Pager {
    /// What limits the next question.
    pub(super) fn limitation(&self) -> Value {
        match &self.cursor {
            Some(cursor) => json!({ "Count": self.count, "Cursor": cursor }),
            None => json!({ "Count": self.count }),
        }
    }

    /// Asks for less from now on, after the query was too heavy; false if that is no use.
    pub(super) fn shrink(&mut self) -> bool {
        self.count /= 4;
        self.count >= SMALLEST
    }

    /// A page came.
    ///
    /// # Errors
    /// Its cursor leads to where we have been: the list would never end.
    pub(super) fn turn(&mut self, rows: usize, cursor: Option<String>) -> Result<(), VendorError> {
        match cursor {
            Some(cursor) if rows >= self.count => {
                if !self.seen.insert(cursor.clone()) {
                    return Err(VendorError::protocol("Mews' pages lead back to where they began."));
                }
                self.cursor = Some(cursor);
            }
            _ => self.over = true,
        }
        Ok(())
    }

    /// Whether the last page came.
    pub(super) const fn is_over(&self) -> bool {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(pager: &mut Pager, rows: usize, cursor: &str) -> Result<(), VendorError> {
        pager.turn(rows, Some(cursor).filter(|cursor| !cursor.is_empty()).map(str::to_owned))
    }

    #[test]
    fn a_list_ends_with_a_page_that_is_not_full_or_has_no_cursor() {
        for (rows, cursor) in [(999, "a"), (0, "a"), (1000, "")] {
            let mut pager = Pager::default();
            turned(&mut pager, rows, cursor).unwrap();
            assert!(pager.is_over(), "{rows} {cursor}");
        }
        let mut pager = Pager::default();
        turned(&mut pager, 1000, "a").unwrap();
        assert!(!pager.is_over());
        assert_eq!(pager.limitation(), json!({ "Count": 1000, "Cursor": "a" }));
    }

    #[test]
    fn a_circle_of_pages_is_left() {
        let mut pager = Pager::default();
        turned(&mut pager, 1000, "a").unwrap();
        turned(&mut pager, 1000, "b").unwrap();
        assert!(turned(&mut pager, 1000, "a").is_err());
    }

    #[test]
    fn pages_shrink_and_go_on_where_they_were() {
        let mut pager = Pager::default();
        turned(&mut pager, 1000, "a").unwrap();
        assert!(pager.shrink());
        assert_eq!(pager.limitation(), json!({ "Count": 250, "Cursor": "a" }));
        assert!(pager.shrink() && pager.shrink());
        assert!(!pager.shrink(), "not for ever");
    }
}
