//! Reading a request's body: what is there, of the right type and within the documented limits, or the documented refusal.
//! Nothing is looked up here.

use std::collections::HashSet;

use axum::body::Bytes;
use chrono::{DateTime, Months, SubsecRound, Utc};
use serde_json::{Map, Value};

/// Most items of a list, unless documented otherwise.
pub(super) const MOST_ITEMS: usize = 1000;
/// Longest interval of a filter.
const LONGEST_INTERVAL: Months = Months::new(3);

/// An error answer on its way: status and the `Message` of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
    /// Seconds, for a Retry-After header.
    pub(super) retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: u16, message: &str) -> Refusal {
        Refusal { status, message: message.to_owned(), retry_after: None }
    }

    /// Bad input, or something referred to is missing or in a wrong state.
    pub(super) fn invalid(parameter: &str) -> Refusal {
        Refusal::new(400, &format!("Invalid {parameter}"))
    }
}

/// Everything is kept and shown in milliseconds, so that a time that was shown can be given back as a filter.
pub(super) fn instant(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(3)
}

/// A date-time as documented: ISO 8601 in UTC, with Z.
pub(super) fn read_time(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str().filter(|text| text.ends_with('Z'))?;
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// A time interval of a filter: half-open, or a single moment if both ends are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Interval {
    fn contains(self, at: DateTime<Utc>) -> bool {
        (self.start <= at && at < self.end) || (self.start == self.end && at == self.start)
    }

    fn overlaps(self, start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
        let begins_in_time = start < self.end || (self.start == self.end && start <= self.start);
        begins_in_time && end > self.start
    }
}

/// A filter by time; absent, it lets everything through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times(Option<Interval>);

impl Times {
    pub(super) fn given(self) -> bool {
        self.0.is_some()
    }

    pub(super) fn at(self, at: DateTime<Utc>) -> bool {
        self.0.is_none_or(|interval| interval.contains(at))
    }

    /// For something that may not have happened yet.
    pub(super) fn at_optional(self, at: Option<DateTime<Utc>>) -> bool {
        self.0.is_none_or(|interval| at.is_some_and(|at| interval.contains(at)))
    }

    pub(super) fn overlapping(self, start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
        self.0.is_none_or(|interval| interval.overlaps(start, end))
    }
}

/// A filter by words, mostly ids; absent or empty, it lets everything through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words<'b>(Option<HashSet<&'b str>>);

impl Words<'_> {
    pub(super) fn given(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn allow(&self, word: &str) -> bool {
        self.0.as_ref().is_none_or(|words| words.contains(word))
    }

    /// For something that may not be there.
    pub(super) fn allow_optional(&self, word: Option<&str>) -> bool {
        self.0.as_ref().is_none_or(|words| word.is_some_and(|word| words.contains(word)))
    }
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limitation<'b> {
    pub(super) cursor: Option<&'b str>,
    pub(super) count: usize,
}

/// Which of active and deleted records are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Activity {
    active: bool,
    deleted: bool,
}

impl Activity {
    pub(super) fn allows(self, is_active: bool) -> bool {
        if is_active { self.active } else { self.deleted }
    }
}

/// A field of an update: absent leaves it alone, `{"Value": null}` clears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Update<'b> {
    Unchanged,
    Clear,
    Set(&'b Value),
}

/// The JSON object of a body, or an object inside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'b>(&'b Map<String, Value>);

/// The body as JSON.
pub(super) fn parse(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::new(400, "Invalid JSON"))
}

impl<'b> Fields<'b> {
    /// `name` is what the refusal says is invalid.
    pub(super) fn of(value: &'b Value, name: &str) -> Result<Fields<'b>, Refusal> {
        value.as_object().map(Fields).ok_or_else(|| Refusal::invalid(name))
    }

    /// A field's value; null is the same as absent.
    pub(super) fn get(self, name: &str) -> Option<&'b Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn optional_text(self, name: &str) -> Result<Option<&'b str>, Refusal> {
        self.get(name).map(|value| value.as_str().ok_or_else(|| Refusal::invalid(name))).transpose()
    }

    /// A text that must be there and not be empty.
    pub(super) fn text(self, name: &str) -> Result<&'b str, Refusal> {
        self.optional_text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| Refusal::invalid(name))
    }

    pub(super) fn time(self, name: &str) -> Result<DateTime<Utc>, Refusal> {
        self.get(name).and_then(read_time).ok_or_else(|| Refusal::invalid(name))
    }

    /// A true or false that is false if absent.
    pub(super) fn flag(self, name: &str) -> Result<bool, Refusal> {
        self.get(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(|| Refusal::invalid(name)))
    }

    /// A list that must be there, with one to `most` items.
    pub(super) fn items(self, name: &str, most: usize) -> Result<&'b [Value], Refusal> {
        let items = self.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() || items.len() > most { Err(Refusal::invalid(name)) } else { Ok(items) }
    }

    /// A filter by words with at most `most` of them. An empty list is taken for no filter: the document is silent.
    pub(super) fn words_up_to(self, name: &str, most: usize) -> Result<Words<'b>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(Words(None)) };
        let refused = || Refusal::invalid(name);
        let items = value.as_array().filter(|items| items.len() <= most).ok_or_else(refused)?;
        let words = items.iter().map(|item| item.as_str().ok_or_else(refused));
        let words: HashSet<&str> = words.collect::<Result<_, _>>()?;
        Ok(Words((!words.is_empty()).then_some(words)))
    }

    pub(super) fn words(self, name: &str) -> Result<Words<'b>, Refusal> {
        self.words_up_to(name, MOST_ITEMS)
    }

    /// A filter by words that must be there.
    pub(super) fn required_words(self, name: &str) -> Result<Words<'b>, Refusal> {
        let words = self.words(name)?;
        if words.given() { Ok(words) } else { Err(Refusal::invalid(name)) }
    }

    /// A filter by time, at most three months long.
    pub(super) fn times(self, name: &str) -> Result<Times, Refusal> {
        let Some(value) = self.get(name) else { return Ok(Times(None)) };
        let refused = || Refusal::invalid(name);
        let fields = Fields::of(value, name)?;
        let ends = fields.get("StartUtc").and_then(read_time).zip(fields.get("EndUtc").and_then(read_time));
        let (start, end) = ends.ok_or_else(refused)?;
        let latest = start.checked_add_months(LONGEST_INTERVAL).ok_or_else(refused)?;
        if end < start || end > latest { Err(refused()) } else { Ok(Times(Some(Interval { start, end }))) }
    }

    /// `Limitation`, required by every paged operation, and `Count` with it.
    pub(super) fn limitation(self) -> Result<Limitation<'b>, Refusal> {
        let fields = self.get("Limitation").ok_or_else(|| Refusal::invalid("Limitation"))?;
        let fields = Fields::of(fields, "Limitation")?;
        let count = fields.get("Count").and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| (1..=MOST_ITEMS).contains(count)).ok_or_else(|| Refusal::invalid("Count"))?;
        Ok(Limitation { cursor: fields.optional_text("Cursor")?, count })
    }

    /// `ActivityStates`. What its absence means is documented for resource blocks only (active ones), so it is that everywhere.
    pub(super) fn activity(self) -> Result<Activity, Refusal> {
        let words = self.words("ActivityStates")?;
        let Some(words) = words.0 else { return Ok(Activity { active: true, deleted: false }) };
        if words.iter().any(|word| !matches!(*word, "Active" | "Deleted")) {
            return Err(Refusal::invalid("ActivityStates"));
        }
        Ok(Activity { active: words.contains("Active"), deleted: words.contains("Deleted") })
    }

    /// A required `Extent`.
    pub(super) fn extent(self) -> Result<Fields<'b>, Refusal> {
        Fields::of(self.get("Extent").ok_or_else(|| Refusal::invalid("Extent"))?, "Extent")
    }

    /// A field wrapped as `{"Value": ...}`. An object without `Value` is the same as a null in it.
    pub(super) fn update(self, name: &str) -> Result<Update<'b>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(Update::Unchanged) };
        Ok(Fields::of(value, name)?.get("Value").map_or(Update::Clear, Update::Set))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn interval(start: &str, end: &str) -> Result<Times, Refusal> {
        let body = json!({ "UpdatedUtc": { "StartUtc": start, "EndUtc": end } });
        Fields::of(&body, "body").unwrap().times("UpdatedUtc")
    }

    #[test]
    fn an_interval_is_half_open_and_a_moment_if_its_ends_are_equal() {
        let day = interval("2031-03-02T00:00:00Z", "2031-03-03T00:00:00Z").unwrap();
        assert!(day.at(at("2031-03-02T00:00:00Z")) && !day.at(at("2031-03-03T00:00:00Z")));
        assert!(day.overlapping(at("2031-03-01T00:00:00Z"), at("2031-03-02T00:00:01Z")));
        assert!(!day.overlapping(at("2031-03-01T00:00:00Z"), at("2031-03-02T00:00:00Z")));
        assert!(!day.overlapping(at("2031-03-03T00:00:00Z"), at("2031-03-04T00:00:00Z")));
        let moment = interval("2031-03-02T00:00:00Z", "2031-03-02T00:00:00Z").unwrap();
        assert!(moment.at(at("2031-03-02T00:00:00Z")) && !moment.at(at("2031-03-02T00:00:00.001Z")));
        assert!(moment.overlapping(at("2031-03-02T00:00:00Z"), at("2031-03-03T00:00:00Z")));
        assert!(!moment.at_optional(None));
    }

    #[test]
    fn an_interval_is_at_most_three_months_of_the_calendar() {
        assert!(interval("2031-01-31T00:00:00Z", "2031-04-30T00:00:00Z").is_ok());
        assert_eq!(interval("2031-01-31T00:00:00Z", "2031-04-30T00:00:01Z"), Err(Refusal::invalid("UpdatedUtc")));
        assert!(interval("2031-01-31T00:00:00Z", "2031-01-30T00:00:00Z").is_err());
        assert!(interval("2031-01-31T00:00:00+00:00", "2031-02-01T00:00:00Z").is_err(), "only with Z");
    }

    #[test]
    fn an_update_tells_absent_from_cleared() {
        let body = json!({ "A": { "Value": 1 }, "B": { "Value": null }, "C": null, "D": 1 });
        let fields = Fields::of(&body, "body").unwrap();
        assert_eq!(fields.update("A"), Ok(Update::Set(&json!(1))));
        assert_eq!(fields.update("B"), Ok(Update::Clear));
        assert_eq!(fields.update("C"), Ok(Update::Unchanged));
        assert_eq!(fields.update("E"), Ok(Update::Unchanged));
        assert_eq!(fields.update("D"), Err(Refusal::invalid("D")), "not wrapped");
    }
}
