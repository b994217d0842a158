//! What an answer to a change or an opening says of it. An array is judged element by element, and an unknown word is
//! never an outcome.

use domain::command::{Answer, Evidence, FailureCode};

use crate::{
    error::VendorError,
    port::VendorNote,
    raixer::{client::Removal, wire},
};

/// Done, by the vendor's word.
pub(in crate::raixer) const fn done() -> Answer {
    Answer::Succeeded { evidence: Evidence::VendorAck }
}

/// An answer in a form that is not documented.
pub(in crate::raixer) fn odd() -> VendorError {
    VendorError::protocol("Raixer answered with something that is not documented.")
}

/// An answer for one door, of which one is expected: one position names one door.
pub(in crate::raixer) fn of_one_door(
    executions: Vec<wire::Execution>,
    clean: impl Fn(&str) -> String,
) -> Result<Option<VendorNote>, VendorError> {
    let count = executions.len();
    let Ok([execution]) = <[wire::Execution; 1]>::try_from(executions) else {
        return Err(VendorError::protocol(format!("Raixer answered for {count} doors; one was asked for.")));
    };
    of_one(&execution, clean)
}

/// An answer for every door that a position named: good if each is, and there is one at all.
pub(in crate::raixer) fn of_doors(
    executions: &[wire::Execution],
    clean: impl Fn(&str) -> String,
) -> Result<Vec<VendorNote>, VendorError> {
    if executions.is_empty() {
        return Err(VendorError::protocol("Raixer answered for no door; one was asked for."));
    }
    let notes: Result<Vec<_>, _> = executions.iter().map(|execution| of_one(execution, &clean)).collect();
    Ok(notes?.into_iter().flatten().collect())
}

/// An answer of one device.
pub(in crate::raixer) fn of_one(
    execution: &wire::Execution,
    clean: impl Fn(&str) -> String,
) -> Result<Option<VendorNote>, VendorError> {
    let said = execution.msg.as_deref().map(&clean).unwrap_or_default();
    match execution.status.as_deref() {
        Some("SUCCESS") => Ok(Some(VendorNote { at: None, text: said }).filter(|note| !note.text.is_empty())),
        Some("ERROR" | "FAIL" | "FAILED" | "FAILURE") if timed_out(&said) => Err(VendorError::indeterminate(
            FailureCode::VendorFailed,
            format!("Raixer gave up waiting for the device: {said}"),
        )),
        Some("ERROR" | "FAIL" | "FAILED" | "FAILURE") => {
            Err(VendorError::rejected(FailureCode::DeviceError, format!("Raixer could not do it: {said}")))
        }
        _ => Err(VendorError::protocol("Raixer answered with a status that is not documented.")),
    }
}

/// The value that the device returned, against the one that shows success. Without one the status has to do.
pub(in crate::raixer) fn returned(execution: &wire::Execution, expected: Option<i32>) -> Result<(), VendorError> {
    match (execution.result, expected) {
        (Some(result), Some(expected)) if result != expected => Err(VendorError::rejected(
            FailureCode::DeviceError,
            format!("The device answered {result} where {expected} means that it did."),
        )),
        _ => Ok(()),
    }
}

/// The cloud that waited in vain does not know whether the device acted (vendors-extra 2.4).
fn timed_out(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["timeout", "time-out", "timed out", "time out"].iter().any(|words| message.contains(words))
}

/// Whether an update or removal met a record; `None` when the answer does not tell.
pub(in crate::raixer) fn written(answer: &wire::Written) -> Option<Removal> {
    match (answer.n, answer.ok) {
        (Some(0), _) => Some(Removal::NothingThere),
        (Some(1..), Some(1)) => Some(Removal::Done),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
