//! What happened at the devices: each access has a history in pages of ten, newest first. The cursor keeps, for each
//! access, the newest line that was read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::TimeDelta;
use domain::clock::Timestamp;
use futures::stream::{self, BoxStream, StreamExt};
use serde::{Deserialize, Serialize};

use super::devices::no_id;
use crate::{
    error::VendorError,
    port::Portion,
    raixer::{client::Raixer, mapping::events, wire},
};

/// The lines of a page (document 001); a shorter one is the last.
const PAGE: usize = 10;
/// The most pages that are read at once of one access: a thousand lines.
const PAGES: usize = 100;
/// How far back a first read goes.
const FIRST_READ: TimeDelta = TimeDelta::hours(24);

/// The newest line that was read of an access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    at: Timestamp,
    /// Absent before the first line: then `at` is where the first read began.
    id: Option<String>,
}

type Marks = BTreeMap<String, Mark>;

struct Pending {
    marks: Marks,
    accesses: VecDeque<(String, String)>,
}

/// What was read of one access.
struct Lines {
    /// Newest first.
    lines: Vec<wire::Happening>,
    /// Whether a line from before was reached.
    met: bool,
    /// Whether the pages ended.
    ended: bool,
}

impl Raixer {
    pub(super) fn read_history<'a>(
        &'a self,
        cursor: Option<&'a str>,
        now: Timestamp,
    ) -> BoxStream<'a, Result<Portion, VendorError>> {
        stream::try_unfold(None, move |pending: Option<Pending>| async move {
            let mut pending = match pending {
                Some(pending) => pending,
                None => self.pending_histories(cursor).await?,
            };
            while let Some((access, device)) = pending.accesses.pop_front() {
                let before = pending.marks.get(&access).cloned();
                let Some((events, mark)) = self.history(&access, &device, before.as_ref(), now).await? else {
                    continue;
                };
                if events.is_empty() && before.as_ref() == Some(&mark) {
                    continue;
                }
                pending.marks.insert(access, mark);
                let cursor = serde_json::to_string(&pending.marks).ok();
                return Ok(Some((Portion { events, cursor, ..Portion::default() }, Some(pending))));
            }
            Ok(None)
        })
        .boxed()
    }

    /// One access for each device: what happened is told by device.
    async fn pending_histories(&self, cursor: Option<&str>) -> Result<Pending, VendorError> {
        let listed: Vec<wire::Access> = self.own("list accesses", &["connections"], &[]).await?;
        let mut seen = BTreeSet::new();
        let mut accesses = VecDeque::new();
        for access in listed.into_iter().filter(|access| access.disabled != Some(true)) {
            let (id, device) = access.id.zip(access.device_id).ok_or_else(no_id)?;
            if seen.insert(device.clone()) {
                accesses.push_back((id, device));
            }
        }
        // A cursor that is not ours would be no reason to read nothing.
        let mut marks: Marks = cursor.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        marks.retain(|access, _| accesses.iter().any(|(id, _)| id == access));
        Ok(Pending { marks, accesses })
    }

    /// What happened since the mark, oldest first, and the new mark. `None` without permission.
    async fn history(
        &self,
        access: &str,
        device: &str,
        before: Option<&Mark>,
        now: Timestamp,
    ) -> Result<Option<(Vec<domain::event::FoundEvent>, Mark)>, VendorError> {
        let since = before.cloned().unwrap_or(Mark { at: now - FIRST_READ, id: None });
        let Some(read) = self.lines_since(access, &since).await? else { return Ok(None) };
        let mut events: Vec<_> = read
            .lines
            .iter()
            .rev()
            .map(|line| events::happening(line, device, |words| self.caller.clean(words)))
            .collect();
        if events.iter().all(|event| event.occurred_at.is_some()) {
            events.sort_by_key(|event| event.occurred_at);
        }
        let why = match (read.met, read.ended) {
            (false, false) if before.is_some() => Some("more lines than are read at once"),
            // A line that was read before has to be there still, unless the vendor has dropped it with others.
            (false, true) if since.id.is_some() => Some("the history no longer reaches back so far"),
            _ => None,
        };
        if let Some(why) = why {
            let until = events.iter().find_map(|event| event.occurred_at);
            events.insert(0, events::gap(device, since.at, until, why));
        }
        // Of several at one instant the first, which is the newest: up to it everything was read.
        let times = read.lines.iter().filter_map(|line| Some((line.created?, line.id.clone())));
        let newest = times.reduce(|newest, line| if line.0 > newest.0 { line } else { newest });
        let mark = match newest {
            Some((at, id)) if at >= since.at => Mark { at, id },
            _ if why.is_some() => Mark { at: since.at, id: None },
            _ => since,
        };
        Ok(Some((events, mark)))
    }

    async fn lines_since(&self, access: &str, since: &Mark) -> Result<Option<Lines>, VendorError> {
        let mut read = Lines { lines: Vec::new(), met: false, ended: false };
        let mut seen = BTreeSet::new();
        for page in 0..PAGES {
            let number = page.to_string();
            let path = ["connections", access, "history"];
            let query = [("page", number.as_str())];
            let Some(lines) = self.of_device::<Vec<wire::Happening>>("read history", &path, &query).await? else {
                return Ok(None);
            };
            read.ended = lines.len() < PAGE;
            for line in lines {
                let known = (line.id.is_some() && line.id == since.id) || line.created.is_some_and(|at| at < since.at);
                // Lines move to the next page while others are added.
                let again = line.id.clone().is_some_and(|id| !seen.insert(id));
                read.met |= known;
                if !known && !again {
                    read.lines.push(line);
                }
            }
            if read.met || read.ended {
                break;
            }
        }
        Ok(Some(read))
    }
}

#[cfg(test)]
mod tests;
