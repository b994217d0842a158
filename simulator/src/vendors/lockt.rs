//! Lockt SecureAccess's cloud API (v1), after its document and, for release 1.1.0, the change log. Here: the catalogue, who may
//! call, and the endpoints. Batches are in `batch` and `records`, locks in `lock`, JSON in `wire`, what exists in `state`.

mod batch;
mod change;
mod lock;
mod posts;
mod records;
mod state;
mod wire;

use serde_json::{Value, json};

pub use change::LocktChange;
pub use lock::{LocktPresented, LocktVerdict};
pub use posts::LocktOverlap;
pub(crate) use posts::Serving;
pub(crate) use state::{Account, Door, EVENTS_CACHE, Fob, Level, Lockt, Schedule, User};

use batch::{Batch, Done};

use crate::{
    answer::{Answer, Call, Circumstances},
    catalogue::{Row, RowKind, row, row_with_query},
    faults::FaultKind,
    journal::{EffectKind, Place},
    vendors::Vendor,
};

use RowKind::{Command, Read};

/// L1 to L20 from the document; LX are those of the change log whose answer is known from others, or is its status only.
pub(crate) static ROWS: &[Row] = &[
    row("L1", "list_users", "GET", "/api/v1/user", Read),
    row_with_query(row("L2", "get_user", "GET", "/api/v1/user", Read), "id"),
    row_with_query(row("L3", "find_user", "GET", "/api/v1/user", Read), "idnum"),
    row("L4", "import_users", "POST", "/api/v1/user", Command),
    row("L5", "validate_users", "POST", "/api/v1/uservalidate", Read),
    row("L6", "list_credentials", "GET", "/api/v1/credential", Read),
    row("L7", "reissue_credentials", "POST", "/api/v1/credential", Command),
    row("L8", "credential_summary", "GET", "/api/v1/credentialsummary", Read),
    row("L9", "list_events", "GET", "/api/v1/events", Read),
    row_with_query(row("L10", "list_events_from", "GET", "/api/v1/events", Read), "id"),
    row("L11", "list_doors", "GET", "/api/v1/door", Read),
    row("L12", "create_doors", "POST", "/api/v1/door", Command),
    row("L13", "list_door_states", "GET", "/api/v1/doorstate", Read),
    row("L14", "list_fobs", "GET", "/api/v1/fob", Read),
    row("L15", "create_fobs", "POST", "/api/v1/fob", Command),
    row("L16", "reassign_fobs", "PUT", "/api/v1/fob", Command),
    row("L17", "check_fobs", "GET", "/api/v1/fobcheck", Read),
    row("L18", "list_schedules", "GET", "/api/v1/schedule", Read),
    row("L19", "list_access_levels", "GET", "/api/v1/accesslevel", Read),
    row("L20", "next_card_num", "GET", "/api/v1/nextcardnum", Read),
    row("LX", "update_users", "PUT", "/api/v1/user", Command),
    row_with_query(row("LX", "list_users_without_credential", "GET", "/api/v1/user", Read), "missingcreds"),
    row_with_query(row("LX", "get_credential", "GET", "/api/v1/credential", Read), "id"),
    row_with_query(row("LX", "find_credential", "GET", "/api/v1/credential", Read), "card_num"),
    row_with_query(row("LX", "list_doors_of_user", "GET", "/api/v1/doors", Read), "user_id"),
    row_with_query(row("LX", "list_doors_of_id_num", "GET", "/api/v1/doors", Read), "id_num"),
    row("LX", "list_locations", "GET", "/api/v1/location", Read),
    row("LX", "ping", "GET", "/api/v1/ping", Read),
    row("LX", "about", "GET", "/api/v1/about", Read),
    row("LX", "settings", "GET", "/api/v1/settings", Read),
    row("LX", "site", "GET", "/api/v1/site", Read),
];

/// Endpoints marked as pending release.
const PENDING: [&str; 4] = ["validate_users", "reissue_credentials", "check_fobs", "next_card_num"];

/// Overlapping POSTs are documented as refused; status and sentence are not.
const OVERLAP: &str = "Simultaneous and overlapping POST operations are not permitted.";

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// The general error answer: a status and a sentence.
    Plain(u16, &'static str),
    /// The error answer of a batch: what caused the problem, and the errors of the records.
    Batch { result: String, errors: Vec<Value> },
}

impl Refusal {
    fn batch(result: &str) -> Refusal {
        Refusal::Batch { result: result.to_owned(), errors: Vec::new() }
    }

    fn answer(self) -> Answer {
        match self {
            Refusal::Plain(status, text) => error(status, text),
            Refusal::Batch { result, errors } => Answer::json(400, &json!({ "result": [result], "errors": errors })),
        }
    }
}

const NOT_FOUND: Refusal = Refusal::Plain(404, "The resource was not found.");

fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({ "data": { "error": text } }))
}

/// The wording of the document's table of status codes.
pub(crate) fn plain_error(status: u16) -> Answer {
    let text = match status {
        400 => "There was an error processing your request.",
        401 => "Access to the indicated resource was denied.",
        404 => "The resource was not found.",
        _ => "An unexpected error has occurred.",
    };
    error(status, text)
}

fn data(list: Vec<Value>) -> Result<Answer, Refusal> {
    Ok(Answer::json(200, &json!({ "data": list })))
}

impl Lockt {
    /// What a request is about, for faults: the ids it asks for, and the names and numbers in its records.
    pub(crate) fn subjects(&self, call: &Call) -> Vec<String> {
        let keys = ["id", "idnum", "user_id", "id_num", "card_num"];
        let mut found: Vec<String> = keys.iter().filter_map(|key| call.query(key)).map(str::to_owned).collect();
        let body: Value = serde_json::from_slice(call.body()).unwrap_or_default();
        let records = ["users", "fobs", "doors", "credentials"].iter().filter_map(|node| body.get(node)?.as_array());
        for record in records.flatten() {
            let named = ["id", "id_num", "name", "card_num"].iter().filter_map(|key| record.get(key));
            found.extend(named.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        found
    }

    /// Notes that a POST of a known account is being served, until what this gives is dropped.
    pub(crate) fn begin(&self, call: &Call) -> Option<Serving> {
        let account = (call.received.method == "POST").then(|| self.account_index(call))??;
        Some(self.posts.begin(account, call.sequence))
    }

    /// Brings the caches of events up to the present.
    pub(crate) fn settle(&mut self, at: &Circumstances<'_>) {
        for account in &mut self.accounts {
            account.record(at.now);
        }
    }

    /// Records at once what locks have yet to deliver. Gives how many events.
    pub(crate) fn poke(&mut self) -> usize {
        self.accounts.iter_mut().map(Account::record_all).sum()
    }

    /// Answers one call; what it creates or changes is there when this returns.
    pub(crate) fn answer(&mut self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Answer {
        let Some(index) = self.account_index(call) else { return plain_error(401) };
        let overlapped = self.posts.overlapped(call.sequence);
        let released = self.pending;
        let Some(account) = self.accounts.get_mut(index) else { return plain_error(401) };
        let answered = if !call.declares_json() {
            Err(Refusal::Plain(400, "Content-Type must be application/json."))
        } else if PENDING.contains(&operation) && !(released && account.pending) {
            Err(NOT_FOUND)
        } else if overlapped {
            Err(Refusal::batch(OVERLAP))
        } else if call.received.method == "GET" {
            account.read(operation, call, at)
        } else {
            account.write(operation, call, at)
        };
        answered.unwrap_or_else(Refusal::answer)
    }
}

impl Account {
    fn read(&self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let number = |key: &str| call.query(key).and_then(|id| id.parse::<u64>().ok()).ok_or(NOT_FOUND);
        let text = |key: &str| call.query(key).map(decoded).unwrap_or_default();
        let word = match at.fault {
            Some(FaultKind::UnknownStatusWord { word }) => Some(word.as_str()),
            _ => None,
        };
        match operation {
            "list_users" => data(self.everybody()),
            "get_user" => data(vec![self.user_or_fob(number("id")?)?]),
            "find_user" => data(vec![self.user_or_fob_numbered(&text("idnum"))?]),
            "list_users_without_credential" => {
                let credentials = self.credentials_by_user();
                let without = self.users.iter().filter(|user| !credentials.contains_key(&user.id));
                data(without.map(|user| self.listed_user_json(user, None)).collect())
            }
            "list_credentials" => data(self.all_credentials(|_, _| true, word)),
            "get_credential" => {
                let wanted = number("id")?;
                found(self.all_credentials(|id, _| id == wanted, word))
            }
            "find_credential" => {
                let wanted = text("card_num");
                found(self.all_credentials(|_, card_num| card_num == wanted, word))
            }
            "credential_summary" => data(vec![self.summary()]),
            "list_events" => data(self.events_json(0)),
            "list_events_from" => {
                let last = number("id")?;
                data(self.events_json(if self.events_after_id { last.saturating_add(1) } else { last }))
            }
            "list_doors" => data(self.doors_json()),
            "list_door_states" => data(self.door_states_json()),
            "list_doors_of_user" => {
                let user = self.user(number("user_id")?).ok_or(NOT_FOUND)?;
                data(self.short_doors(user))
            }
            "list_doors_of_id_num" => {
                let user = self.matching(&text("id_num"), "").and_then(|user| self.user(user)).ok_or(NOT_FOUND)?;
                data(self.short_doors(user))
            }
            "list_fobs" => data(self.fobs.iter().map(|fob| self.fob_json(fob)).collect()),
            "check_fobs" => data(self.fobs.iter().map(|fob| self.checked_fob_json(fob)).collect()),
            "list_schedules" => data(self.schedules.iter().map(wire::schedule_json).collect()),
            "list_access_levels" => data(self.levels.iter().map(|level| self.level_json(level)).collect()),
            "next_card_num" => data(vec![json!({ "card_num": self.next_card_num().to_string() })]),
            "list_locations" => {
                data(self.locations.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect())
            }
            // Only that these exist is documented.
            "ping" | "about" | "settings" | "site" => data(Vec::new()),
            _ => Err(NOT_FOUND),
        }
    }

    /// Users, then fobs, which are derived from users and show a name of their own.
    fn everybody(&self) -> Vec<Value> {
        let credentials = self.credentials_by_user();
        let users = self.users.iter().map(|user| self.listed_user_json(user, credentials.get(&user.id).copied()));
        users.chain(self.fobs.iter().map(|fob| self.fob_json(fob))).collect()
    }

    fn user_or_fob(&self, id: u64) -> Result<Value, Refusal> {
        let user = self.user(id).map(|user| self.user_json(user));
        let fob = || self.fobs.iter().find(|fob| fob.id == id).map(|fob| self.fob_json(fob));
        user.or_else(fob).ok_or(NOT_FOUND)
    }

    fn user_or_fob_numbered(&self, id_num: &str) -> Result<Value, Refusal> {
        let fob = || self.fobs.iter().find(|fob| !id_num.is_empty() && fob.id_num == id_num).map(|fob| fob.id);
        self.user_or_fob(self.matching(id_num, "").or_else(fob).ok_or(NOT_FOUND)?)
    }

    fn all_credentials(&self, wanted: impl Fn(u64, &str) -> bool, word: Option<&str>) -> Vec<Value> {
        let keys = self.credentials.iter().filter(|credential| wanted(credential.id, &credential.card_num));
        let fobs = self.fobs.iter().filter(|fob| wanted(fob.id, &fob.card_num));
        let keys = keys.map(|credential| self.credential_json(credential, word));
        keys.chain(fobs.map(|fob| self.fob_credential_json(fob, word))).collect()
    }

    /// The shape is not documented.
    fn summary(&self) -> Value {
        let claimed = self.credentials.iter().filter(|credential| credential.claimed).count()
            + self.fobs.iter().filter(|fob| fob.user.is_some()).count();
        json!({ "claimed": claimed, "unclaimed": self.credentials.len() + self.fobs.len() - claimed })
    }

    /// The newest first.
    fn events_json(&self, from: u64) -> Vec<Value> {
        let wanted = self.events.iter().rev().take_while(|(id, _)| *id >= from);
        wanted.map(|(id, event)| wire::event_json(*id, event)).collect()
    }

    fn short_doors(&self, user: &User) -> Vec<Value> {
        self.doors_of(user).into_iter().map(|door| json!({ "id": door.id, "name": door.name })).collect()
    }

    fn write(&mut self, operation: &str, call: &Call, at: &Circumstances<'_>) -> Result<Answer, Refusal> {
        let note = |kind: EffectKind, id: u64| {
            let id = id.to_string();
            let door = (kind == EffectKind::DoorCreated).then_some(id.as_str());
            let place = Place { vendor: Vendor::Lockt, device: &id, door, position: None };
            at.journal.effect(place, kind, at.now, Some(call.sequence));
        };
        let read = |node| Batch::read(call.body(), node);
        match operation {
            "import_users" => {
                let batch = read("users")?;
                batch.check(|fields| self.read_user(fields))?.carry_out(at.fault, |record| {
                    let (done, id) = self.import_user(record, &batch);
                    match done {
                        Done::Inserted => note(EffectKind::UserCreated, id),
                        Done::Updated => note(EffectKind::UserUpdated, id),
                        Done::Ignored => {}
                    }
                    done
                })
            }
            "validate_users" => {
                let batch = read("users")?;
                let mut trial = self.clone();
                let checked = batch.check(|fields| trial.read_user(fields))?;
                checked.carry_out(at.fault, |record| trial.import_user(record, &batch).0)
            }
            "update_users" => {
                let batch = read("users")?;
                batch.check(|fields| self.read_known_user(fields))?.carry_out(at.fault, |record| {
                    let id = record.id.unwrap_or_default();
                    self.change_user(id, record, batch.replace_privileges);
                    note(EffectKind::UserUpdated, id);
                    Done::Updated
                })
            }
            "reissue_credentials" => {
                read("credentials")?.check(|fields| self.read_reissue(fields))?.carry_out(at.fault, |id| {
                    let id = id.unwrap_or_default();
                    self.reissue(id);
                    note(EffectKind::CredentialReissued, id);
                    Done::Updated
                })
            }
            "create_doors" => {
                let mut taken = Vec::new();
                read("doors")?.check(|fields| self.read_door(fields, &mut taken))?.carry_out(at.fault, |name| {
                    note(EffectKind::DoorCreated, self.create_door(name));
                    Done::Inserted
                })
            }
            "create_fobs" => read("fobs")?.check(|fields| self.read_fob(fields))?.carry_out(at.fault, |record| {
                note(EffectKind::FobCreated, self.create_fob(record));
                Done::Inserted
            }),
            // The document's sample counts a reassigned fob as inserted.
            "reassign_fobs" => {
                read("fobs")?.check(|fields| self.read_reassignment(fields))?.carry_out(at.fault, |record| {
                    if let Some(id) = self.reassign_fob(record) {
                        note(EffectKind::FobAssigned, id);
                    }
                    Done::Inserted
                })
            }
            _ => Err(NOT_FOUND),
        }
    }
}

/// A lookup of one thing: there is at least one.
fn found(list: Vec<Value>) -> Result<Answer, Refusal> {
    if list.is_empty() { Err(NOT_FOUND) } else { data(list) }
}

/// An id number may hold what a URL must encode.
fn decoded(raw: &str) -> String {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match (first, code) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
