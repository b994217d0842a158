//! Paging: newest first, from after the cursor, and the cursor of the last one. Filters are the callers'.

use serde_json::{Map, Value};

use super::{
    request::{Limitation, Refusal},
    state::{
        Assignment, Block, Category, Companionship, Customer, Enterprise, Group, Reservation, Resource, Service, Token,
    },
};

/// Something with an id that can be a cursor.
pub(super) trait Record {
    fn id(&self) -> &str;
}

macro_rules! records {
    ($($kind:ty),*) => {
        $(impl Record for $kind {
            fn id(&self) -> &str {
                &self.id
            }
        })*
    };
}

records!(
    Assignment,
    Block,
    Category,
    Companionship,
    Customer,
    Enterprise,
    Group,
    Reservation,
    Resource,
    Service,
    Token
);

/// Part of a list, newest first; the index of a record goes with it.
#[derive(Debug)]
pub(super) struct Page<'r, R> {
    pub(super) records: Vec<(usize, &'r R)>,
}

/// The records after the cursor that are `visible` and to be kept, at most as many as asked for. The cursor need not be kept
/// any more, as when it has changed since, but the caller must be able to see it.
pub(super) fn page<'r, R: Record>(
    records: &'r [R],
    limitation: Limitation<'_>,
    visible: impl Fn(&R) -> bool,
    keep: impl Fn(usize, &R) -> bool,
) -> Result<Page<'r, R>, Refusal> {
    let found =
        limitation.cursor.map(|cursor| records.iter().rposition(|record| record.id() == cursor && visible(record)));
    let before = match found {
        Some(Some(index)) => index,
        Some(None) => return Err(Refusal::invalid("Cursor")),
        None => records.len(),
    };
    let newest_first = records.iter().enumerate().take(before).rev();
    let kept = newest_first.filter(|(index, record)| visible(record) && keep(*index, record));
    Ok(Page { records: kept.take(limitation.count).collect() })
}

impl<R: Record> Page<'_, R> {
    /// The answer: the list under its name, and the id of its last and oldest record.
    pub(super) fn json(&self, name: &str, show: impl Fn(usize, &R) -> Value) -> Value {
        let list: Vec<Value> = self.records.iter().map(|(index, record)| show(*index, record)).collect();
        let cursor = self.records.last().map(|(_, record)| record.id().to_owned());
        let fields = [(name.to_owned(), Value::Array(list)), ("Cursor".to_owned(), Value::from(cursor))];
        Value::Object(Map::from_iter(fields))
    }
}
