//! Relay connections over keyset pages: the arguments, the opaque cursors, and the connection and edge objects.
//! Which rows are in a list is for the finders of `entities`.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Object, OutputType, Result, TypeName, connection::PageInfo};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entities::page::Page;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::error::ApiError;
use crate::loaders::{LoadError, Window};

/// A page without `first` or `last` holds this many.
const DEFAULT_PAGE: i32 = 50;

/// A page may hold this many.
pub(crate) const LONGEST_PAGE: i32 = 100;

/// The format of cursors; another one is refused, never misread.
const CURSOR_VERSION: u8 = 1;

/// An object that stands in lists.
pub(crate) trait Listed: OutputType + Clone + From<Arc<Self::Row>> {
    /// The row behind it.
    type Row;
    /// The prefix of its ids: a cursor belongs to one kind of list.
    const PREFIX: &'static str;

    /// The id it is ordered by.
    fn key(&self) -> Uuid;
}

/// The four arguments of every connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageArguments {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
}

impl PageArguments {
    /// The window on a list of `T` that is asked for.
    ///
    /// # Errors
    /// A number out of bounds, or a cursor of another list.
    pub(crate) fn window<T: Listed>(&self, newest_first: bool) -> Result<Window, ApiError> {
        let wish = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::BadUserInput("Ask for `first` or for `last`, not for both.".to_owned()));
            }
            (first, last) => first.or(last).unwrap_or(DEFAULT_PAGE),
        };
        let limit = u64::try_from(wish).ok().filter(|_| wish <= LONGEST_PAGE).ok_or_else(|| {
            ApiError::BadUserInput(format!("`first` and `last` must be between 0 and {LONGEST_PAGE}."))
        })?;
        let edge = |cursor: &Option<String>| cursor.as_deref().map(decode_cursor::<T>).transpose();
        Ok(Window {
            after: edge(&self.after)?,
            before: edge(&self.before)?,
            limit,
            from_end: self.last.is_some(),
            newest_first,
        })
    }
}

/// What a connection costs: its page times what is selected of each item.
pub(crate) fn cost(first: Option<i32>, last: Option<i32>, each: usize) -> usize {
    let page = first.or(last).unwrap_or(DEFAULT_PAGE).clamp(1, LONGEST_PAGE);
    1_usize.saturating_add(each.saturating_mul(usize::try_from(page).unwrap_or(1)))
}

fn encode_cursor<T: Listed>(key: Uuid) -> String {
    let mut bytes = vec![CURSOR_VERSION];
    bytes.extend_from_slice(key.as_bytes());
    bytes.extend_from_slice(T::PREFIX.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode_cursor<T: Listed>(text: &str) -> Result<Uuid, ApiError> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (key, list) = rest.split_at_checked(16)?;
        let fits = *version == CURSOR_VERSION && list == T::PREFIX.as_bytes();
        fits.then(|| Uuid::from_slice(key).ok())?
    };
    read().ok_or_else(|| {
        ApiError::BadUserInput("This cursor does not belong to this list. Start over without it.".to_owned())
    })
}

/// How to count a list: asked only when `totalCount` is selected.
pub(crate) type Total = Box<dyn Fn() -> BoxFuture<'static, Result<u64, LoadError>> + Send + Sync>;

/// A page of a list.
pub(crate) struct Connection<T> {
    items: Vec<T>,
    has_next: bool,
    has_previous: bool,
    total: Total,
}

impl<T: Listed> Connection<T> {
    pub(crate) fn new(page: Page<Arc<T::Row>>, total: Total) -> Self {
        let items = page.rows.into_iter().map(T::from).collect();
        Self { items, has_next: page.has_next, has_previous: page.has_previous, total }
    }
}

impl<T: Listed> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", <T as OutputType>::type_name()).into()
    }
}

/// A page of a list, in the list's order. Stable while items are added.
#[Object(name_type)]
impl<T: Listed> Connection<T> {
    /// The items with their cursors.
    async fn edges(&self) -> Vec<Edge<T>> {
        self.items.iter().cloned().map(Edge).collect()
    }

    /// The items. One that could not be read is null, and the error says why.
    async fn nodes(&self) -> Vec<Option<&T>> {
        self.items.iter().map(Some).collect()
    }

    /// Where this page begins and ends, and whether there is more.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: self.items.first().map(|item| encode_cursor::<T>(item.key())),
            end_cursor: self.items.last().map(|item| encode_cursor::<T>(item.key())),
        }
    }

    /// How many items the whole list has. Counted only when selected.
    async fn total_count(&self) -> Option<Result<i32>> {
        let counted = (self.total)().await;
        Some(counted.map(|count| i32::try_from(count).unwrap_or(i32::MAX)).map_err(Into::into))
    }
}

/// An item and its place in the list.
pub(crate) struct Edge<T>(T);

impl<T: Listed> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", <T as OutputType>::type_name()).into()
    }
}

/// An item and its place in the list.
#[Object(name_type)]
impl<T: Listed> Edge<T> {
    /// The place: to be given back as `after` or `before`.
    async fn cursor(&self) -> String {
        encode_cursor::<T>(self.0.key())
    }

    /// The item; null if it could not be read.
    async fn node(&self) -> Option<&T> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::object::{Device, Door};

    fn arguments(first: Option<i32>, last: Option<i32>, after: Option<String>) -> PageArguments {
        PageArguments { first, last, after, before: None }
    }

    #[test]
    fn a_cursor_round_trips_and_belongs_to_one_list() {
        let key = Uuid::from_u128(77);
        let cursor = encode_cursor::<Door>(key);
        assert_eq!(decode_cursor::<Door>(&cursor), Ok(key));
        assert!(decode_cursor::<Device>(&cursor).is_err());
        for text in ["", "?", "AQ", "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ"] {
            assert!(decode_cursor::<Door>(text).is_err());
        }
    }

    #[test]
    fn a_window_is_bounded() {
        assert_eq!(arguments(None, None, None).window::<Door>(false).map(|window| window.limit), Ok(50));
        assert_eq!(arguments(Some(100), None, None).window::<Door>(false).map(|window| window.limit), Ok(100));
        assert_eq!(arguments(None, Some(7), None).window::<Door>(false).map(|window| window.from_end), Ok(true));
        for (first, last) in [(Some(101), None), (Some(-1), None), (None, Some(i32::MAX)), (Some(1), Some(1))] {
            assert!(arguments(first, last, None).window::<Door>(false).is_err());
        }
        assert!(arguments(None, None, Some("x".to_owned())).window::<Door>(false).is_err());
    }

    #[test]
    fn a_page_costs_its_items() {
        assert_eq!(cost(Some(10), None, 3), 31);
        assert_eq!(cost(None, Some(i32::MAX), 3), 301);
        assert_eq!(cost(Some(i32::MIN), None, usize::MAX), usize::MAX);
    }
}
