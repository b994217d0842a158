//! A window on a list, as a key that loaders can compare, and the page behind it, as a value that they can hand out.

use std::sync::Arc;

use entities::page::{Page, PageRequest};
use uuid::Uuid;

/// See [`PageRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Window {
    pub(crate) after: Option<Uuid>,
    pub(crate) before: Option<Uuid>,
    pub(crate) limit: u64,
    pub(crate) from_end: bool,
    pub(crate) newest_first: bool,
}

impl From<Window> for PageRequest {
    fn from(window: Window) -> Self {
        let Window { after, before, limit, from_end, newest_first } = window;
        Self { after, before, limit, from_end, newest_first }
    }
}

/// A page whose rows are cheap to hand out.
pub(crate) fn shared<Row>(page: Page<Row>) -> Page<Arc<Row>> {
    let Page { rows, has_next, has_previous } = page;
    Page { rows: rows.into_iter().map(Arc::new).collect(), has_next, has_previous }
}
