//! What all writing endpoints share: a node of records with options, at most a hundred, checked one by one with the documented
//! sentences, carried out, and counted. What a record means is decided elsewhere.

use axum::body::Bytes;
use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc, offset::LocalResult};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::Refusal;
use crate::{answer::Answer, faults::FaultKind};

/// Records per call, as documented.
const LIMIT: usize = 100;

const UNREADABLE: &str = "No data found or invalid JSON objects supplied. Could not parse input.";
const FAILED: &str = "Validation errors found. Batch has failed. Details provided.";
const TERMINATED: &str = "Unable to enumerate dependant record. Batch has been terminated and exception flagged.";

pub(crate) type Record = Map<String, Value>;

/// A request's records and options, with the documented defaults.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    pub(crate) update_existing: bool,
    pub(crate) validate_fails_batch: bool,
    pub(crate) replace_privileges: bool,
}

impl Batch {
    /// Reads the records under `node`.
    pub(crate) fn read(body: &Bytes, node: &str) -> Result<Batch, Refusal> {
        let unreadable = || Refusal::batch(UNREADABLE);
        let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else { return Err(unreadable()) };
        let Some(Value::Array(records)) = body.remove(node) else { return Err(unreadable()) };
        let objects = |record| if let Value::Object(record) = record { Ok(record) } else { Err(unreadable()) };
        let records = records.into_iter().map(objects).collect::<Result<Vec<Record>, Refusal>>()?;
        if records.is_empty() {
            return Err(unreadable());
        }
        if records.len() > LIMIT {
            return Err(Refusal::batch(&format!("Batch size exceeds maximum of {LIMIT} objects.")));
        }
        let options = body.remove("options").unwrap_or_default();
        let option = |name: &str, default: bool| match options.get(name) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => read_flag(value).ok_or_else(unreadable),
        };
        Ok(Batch {
            records,
            update_existing: option("update_existing", false)?,
            validate_fails_batch: option("validate_fails_batch", true)?,
            replace_privileges: option("replace_privileges", true)?,
        })
    }

    /// Checks every record; a record with errors fails the batch or is left out, as the options have it.
    pub(crate) fn check<R>(&self, mut read: impl FnMut(&mut Fields<'_>) -> R) -> Result<Checked<R>, Refusal> {
        let mut checked = Checked { submitted: self.records.len(), passed: Vec::new(), errors: Vec::new() };
        for record in &self.records {
            let mut fields = Fields { record, errors: Vec::new() };
            let found = read(&mut fields);
            if fields.errors.is_empty() {
                checked.passed.push(found);
            } else {
                checked.errors.push(json!({ "error": fields.errors, "input_data": record }));
            }
        }
        if self.validate_fails_batch && !checked.errors.is_empty() {
            return Err(Refusal::Batch { result: FAILED.to_owned(), errors: checked.errors });
        }
        Ok(checked)
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Inserted,
    Updated,
    Ignored,
}

/// The records that passed, and the errors of the others.
#[derive(Debug)]
pub(crate) struct Checked<R> {
    submitted: usize,
    passed: Vec<R>,
    errors: Vec<Value>,
}

impl<R> Checked<R> {
    /// Carries out what passed and counts. A faulty instance ends the batch before, or in the middle of, its records; those
    /// before it stay done.
    pub(crate) fn carry_out(
        self,
        fault: Option<&FaultKind>,
        mut act: impl FnMut(R) -> Done,
    ) -> Result<Answer, Refusal> {
        let (before, ending) = match fault {
            Some(FaultKind::Offline) => (0, Some(TERMINATED)),
            Some(FaultKind::CommandError { reason }) => (0, Some(reason.as_str())),
            Some(FaultKind::PartialFailure { positions }) => {
                let first = positions.iter().min().map(|position| usize::try_from(*position).unwrap_or(usize::MAX));
                (first.unwrap_or(self.passed.len()).saturating_sub(1), Some(TERMINATED))
            }
            _ => (usize::MAX, None),
        };
        let done: Vec<Done> = self.passed.into_iter().take(before).map(&mut act).collect();
        if let Some(ending) = ending {
            return Err(Refusal::batch(ending));
        }
        let count = |wanted| done.iter().filter(|done| **done == wanted).count();
        let mut body = json!({ "data": {
            "submitted": self.submitted,
            "inserted": count(Done::Inserted),
            "updated": count(Done::Updated),
            "errors": self.errors.len(),
        } });
        // How counts and errors stand together is not documented; each keeps its documented name.
        if !self.errors.is_empty() {
            body["errors"] = Value::Array(self.errors);
        }
        Ok(Answer::json(200, &body))
    }
}

/// Reads the properties of one record and notes what is wrong with them. An absent property and null are the same.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    record: &'a Record,
    errors: Vec<String>,
}

impl Fields<'_> {
    pub(crate) fn wrong(&mut self, sentence: String) {
        self.errors.push(sentence);
    }

    fn value(&self, key: &str) -> Option<&Value> {
        self.record.get(key).filter(|value| !value.is_null())
    }

    fn read<T>(&mut self, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.value(key)?;
        let found = read(value);
        if found.is_none() {
            let shown = plain(value).unwrap_or_else(|| value.to_string());
            let what = if key == "email" { "email address" } else { key };
            self.errors.push(format!("Invalid {what} found: {shown}"));
        }
        found
    }

    /// Text; the samples give some numbers as such.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.read(key, plain)
    }

    /// A number; the samples give some as text.
    pub(crate) fn id(&mut self, key: &str) -> Option<u64> {
        self.read(key, |value| plain(value)?.parse().ok())
    }

    /// True or false; the samples give them as text.
    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        self.read(key, read_flag)
    }

    /// Digits or nothing.
    pub(crate) fn card_num(&mut self) -> Option<String> {
        let number = self.text("card_num")?;
        if number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(number);
        }
        self.errors.push(format!("Non-Numeric card_num found: {number}"));
        None
    }

    /// An address or nothing.
    pub(crate) fn email(&mut self) -> Option<String> {
        self.read("email", |value| plain(value).filter(|text| text.is_empty() || is_address(text)))
    }

    /// `YYYY-MM-DD HH:MM:SS` in the zone of naive times; empty text clears.
    pub(crate) fn time(&mut self, key: &str, zone: Tz) -> Option<Option<DateTime<Utc>>> {
        self.read(key, |value| match value.as_str()? {
            "" => Some(None),
            text => NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok().map(|naive| instant(naive, zone)),
        })
    }

    /// Ids of access levels; everything else in them is ignored, as documented.
    pub(crate) fn levels(&mut self) -> Option<Vec<u64>> {
        let id = |level: &Value| plain(level.get("id")?)?.parse().ok();
        self.read("accesslevels", |value| value.as_array()?.iter().map(id).collect())
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn read_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn is_address(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    !name.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(char::is_whitespace)
}

/// The first of two moments in autumn; in the hour that spring leaves out, the moment after the jump.
fn instant(naive: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
        LocalResult::None => {
            let later = zone.from_local_datetime(&naive.checked_add_signed(TimeDelta::hours(1))?);
            later.earliest().map(|at| at.to_utc())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naive_times_are_read_in_their_zone_on_the_days_of_the_change_too() {
        let zone = chrono_tz::America::New_York;
        let read = |text: &str| {
            let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
            instant(naive, zone).unwrap().to_rfc3339()
        };
        assert_eq!(read("2022-05-05 05:00:00"), "2022-05-05T09:00:00+00:00", "as in the samples of fobs");
        assert_eq!(read("2026-11-01 01:30:00"), "2026-11-01T05:30:00+00:00", "the first of the two");
        assert_eq!(read("2026-03-08 02:30:00"), "2026-03-08T07:30:00+00:00", "03:30 in summer time");
    }

    #[test]
    fn addresses() {
        for good in ["j.smith@web.place", "a@b.c"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["rgreswell0@@@@gravatar.com", "x", "@b.c", "a@b", "a b@c.d"] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
