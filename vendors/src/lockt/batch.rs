//! What Lockt's answer to a batch means: which records were taken, which were not, and why. Its answers echo what was
//! sent, PINs included: every word passes [`Cleaner`].

use std::collections::BTreeSet;

use domain::{
    command::{Answer, Evidence, Failure, FailureCode},
    secret::Secret,
};
use serde_json::{Map, Value, json};

use super::{
    client::{is_upstream, unexpected},
    orders::{Batch, Key},
    wire::{self, Said},
    wishes::Kept,
};
use crate::{
    error::VendorError,
    http::{Caller, Reply},
    port::VendorNote,
};

/// What the document says of a batch that Lockt could not even read.
const MALFORMED: [&str; 2] = ["no data found or invalid json", "batch size exceeds maximum"];
/// What it says of one that was refused as a whole.
const REFUSED: &str = "batch has failed";
/// That overlapping POSTs are to be prevented is documented, the words for it are not.
const OVERLAPPING: [&str; 2] = ["overlapping", "simultaneous"];
const NOTE_LIMIT: usize = 20;

/// Takes what nobody may see out of Lockt's words.
pub(super) struct Cleaner<'a> {
    pub(super) caller: &'a Caller,
    pub(super) hidden: &'a [Secret],
}

impl Cleaner<'_> {
    pub(super) fn clean(&self, words: &str) -> String {
        let mut words = words.to_owned();
        let parts: BTreeSet<String> =
            words.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned).collect();
        for hidden in self.hidden.iter().map(Secret::expose).filter(|hidden| !hidden.is_empty()) {
            // A short one is taken out only where it stands by itself: it is part of many other words.
            if hidden.len() >= 4 || parts.contains(hidden) {
                words = words.replace(hidden, "***");
            }
        }
        if parts.iter().any(|part| part.eq_ignore_ascii_case("pin")) {
            words.truncate(words.find(':').unwrap_or(words.len()));
        }
        self.caller.clean(&words)
    }
}

/// What is wrong with a record, or with one that can not be told.
pub(super) struct Fault {
    record: Option<usize>,
    messages: Vec<String>,
}

/// How a batch went.
pub(super) struct Tally {
    /// Whether nothing at all was taken.
    pub(super) refused: bool,
    /// How many records were created or changed, if told.
    pub(super) processed: Option<u64>,
    submitted: Option<u64>,
    inserted: Option<u64>,
    updated: Option<u64>,
    faults: Vec<Fault>,
    words: Vec<String>,
}

/// Reads the answer to a batch. An error is one about all of it.
pub(super) fn judge(reply: &Reply, batch: &Batch, cleaner: &Cleaner<'_>) -> Result<Tally, VendorError> {
    let body: Option<Value> = reply.json().ok();
    let said = body.as_ref().map(wire::said).unwrap_or_default();
    let words: Vec<String> = said.words.iter().map(|word| cleaner.clean(word)).collect();
    let spoken = words.join(", ");
    if reply.status.is_client_error() && said.records.is_empty() && says(&said.words, &OVERLAPPING) {
        // A request that we have given up is still being served there. This one was not taken in.
        return Err(VendorError::not_ready(format!("Lockt is busy with another change: {spoken}")));
    }
    if reply.status.is_success() || reply.status.as_u16() == 400 {
        if is_upstream(&said.words) {
            // The batch was broken off, nobody knows where.
            let message = format!("Lockt lost touch with the customer's installation: {spoken}");
            return Err(VendorError::indeterminate(FailureCode::VendorFailed, message));
        }
        if says(&said.words, &MALFORMED) {
            return Err(VendorError::rejected(FailureCode::Malformed, format!("Lockt answered: {spoken}")));
        }
        let counted = reply.status.is_success() && (said.inserted.or(said.updated).or(said.errors)).is_some();
        if counted || !said.records.is_empty() {
            return Ok(tally(said, words, batch, cleaner));
        }
    }
    if !reply.status.is_success() {
        return Err(reply.refusal(&spoken));
    }
    Err(match spoken.is_empty() {
        true => unexpected(),
        false if says(&said.words, &[REFUSED]) => {
            VendorError::rejected(FailureCode::VendorRejected, format!("Lockt answered: {spoken}"))
        }
        // An error beside a status of success: how far the batch came is not known.
        false => VendorError::indeterminate(FailureCode::VendorFailed, format!("Lockt answered: {spoken}")),
    })
}

fn says(words: &[String], known: &[&str]) -> bool {
    words.iter().any(|word| known.iter().any(|known| word.to_ascii_lowercase().contains(known)))
}

fn tally(said: Said, words: Vec<String>, batch: &Batch, cleaner: &Cleaner<'_>) -> Tally {
    let alone = said.records.len() == batch.records.len();
    let mut taken = BTreeSet::new();
    let mut faults = Vec::new();
    for (position, error) in said.records.iter().enumerate() {
        let named = |key: &Key| error.input.get(key.member).and_then(wire::text).is_some_and(|told| told == key.value);
        let record = batch.records.iter().enumerate().find(|(index, key)| !taken.contains(index) && named(key));
        let record = record.map(|(index, _)| index).or(alone.then_some(position)).filter(|index| taken.insert(*index));
        let messages = error.messages.iter().map(|message| cleaner.clean(message)).collect();
        faults.push(Fault { record, messages });
    }
    let told = u64::try_from(faults.len()).unwrap_or(u64::MAX);
    let unnamed = said.errors.unwrap_or_default().saturating_sub(told);
    if unnamed > 0 {
        faults
            .push(Fault { record: None, messages: vec![format!("Lockt counts {unnamed} more without naming them.")] });
    }
    let processed = (said.inserted.is_some() || said.updated.is_some())
        .then(|| said.inserted.unwrap_or_default().saturating_add(said.updated.unwrap_or_default()));
    let none_processed = match processed {
        Some(processed) => processed == 0,
        None => batch.whole || taken.len() == batch.records.len() || says(&said.words, &[REFUSED]),
    };
    let refused = !faults.is_empty() && none_processed;
    Tally {
        refused,
        processed,
        submitted: said.submitted,
        inserted: said.inserted,
        updated: said.updated,
        faults,
        words,
    }
}

impl Tally {
    /// Whether Lockt found something wrong with this record.
    pub(super) fn is_faulty(&self, record: usize) -> bool {
        self.faults.iter().any(|fault| fault.record == Some(record))
    }

    /// How many records it has created.
    pub(super) const fn inserted(&self) -> Option<u64> {
        self.inserted
    }

    /// How many records it found nothing wrong with.
    pub(super) fn accepted(&self, batch: &Batch) -> usize {
        (0..batch.records.len()).filter(|record| !self.is_faulty(*record)).count()
    }

    /// The answer of a batch that was refused as a whole.
    pub(super) fn refusal(&self) -> Answer {
        let first = self.faults.iter().flat_map(|fault| &fault.messages).chain(&self.words).next();
        let message = format!("Lockt took none of the records: {}", first.map_or("", String::as_str));
        failed(message)
    }

    /// For the caller.
    pub(super) fn result(&self, batch: &Batch) -> Map<String, Value> {
        let errors = self.faults.iter().map(|fault| {
            let mut error = fault.record.and_then(|record| named(&batch.records, record)).unwrap_or_default();
            error.entry("record").or_insert(Value::Null);
            error.insert("messages".to_owned(), fault.messages.clone().into());
            Value::Object(error)
        });
        let mut result = Map::new();
        let sent = u64::try_from(batch.records.len()).unwrap_or(u64::MAX);
        result.insert("submitted".to_owned(), self.submitted.unwrap_or(sent).into());
        for (name, count) in [("inserted", self.inserted), ("updated", self.updated)] {
            if let Some(count) = count {
                result.insert(name.to_owned(), count.into());
            }
        }
        result.insert("errors".to_owned(), errors.collect());
        result
    }

    /// Lockt's words for the timeline.
    pub(super) fn notes(&self) -> Vec<VendorNote> {
        let words = self.words.iter().chain(self.faults.iter().flat_map(|fault| &fault.messages));
        words.take(NOTE_LIMIT).map(|text| VendorNote { at: None, text: text.clone() }).collect()
    }
}

/// The vendor's own no.
pub(super) fn failed(message: String) -> Answer {
    Answer::Failed { failure: Failure::new(FailureCode::VendorRejected, message), evidence: Evidence::VendorAck }
}

/// What Lockt keeps of the records, for the caller: their ids, and where they are not as wished.
pub(super) fn kept(result: &mut Map<String, Value>, keys: &[Key], kept: &[Kept], differing: &'static str) {
    let with = |record: usize, member: &str, value: Value| {
        let mut object = named(keys, record).unwrap_or_default();
        object.insert(member.to_owned(), value);
        Value::Object(object)
    };
    let (mut ids, mut differs, mut untold) = (Vec::new(), Vec::new(), Vec::new());
    for (record, kept) in kept.iter().enumerate() {
        if let Some(id) = &kept.external_id {
            ids.push(with(record, "externalId", id.as_str().into()));
        }
        if !kept.differs.is_empty() {
            differs.push(with(record, "fields", json!(kept.differs)));
        }
        if !kept.untold.is_empty() {
            untold.push(with(record, "fields", json!(kept.untold)));
        }
    }
    for (name, list) in [("records", ids), (differing, differs), ("unverified", untold)] {
        if name == "records" || !list.is_empty() {
            result.insert(name.to_owned(), list.into());
        }
    }
}

fn named(keys: &[Key], record: usize) -> Option<Map<String, Value>> {
    let key = keys.get(record)?;
    Some(Map::from_iter([("record".to_owned(), record.into()), (key.label.to_owned(), key.value.as_str().into())]))
}

#[cfg(test)]
mod tests;
