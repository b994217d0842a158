//! What exists at Lockt: accounts with users, credentials, fobs, doors, schedules, access levels and the cache of events;
//! lookups and building. No HTTP, no JSON, no decision of a lock.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use super::posts::Posts;
use crate::answer::Call;

/// A card holder.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) id_num: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    /// Accepted, never shown.
    pub(crate) pin: String,
    pub(crate) enabled: bool,
    pub(crate) effective: Option<DateTime<Utc>>,
    pub(crate) expires: Option<DateTime<Utc>>,
    /// Ids of access levels.
    pub(crate) levels: Vec<u64>,
}

impl User {
    /// As events and credentials show it.
    pub(crate) fn listed_name(&self) -> String {
        format!("{}, {}", self.last_name, self.first_name)
    }
}

/// A digital key, which its user claims in the vendor's app.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) id: u64,
    pub(crate) card_num: String,
    pub(crate) key: String,
    pub(crate) claimed: bool,
    /// Id of the holder.
    pub(crate) user: u64,
}

/// A credential tagged as a fob.
#[derive(Debug, Clone)]
pub(crate) struct Fob {
    pub(crate) id: u64,
    pub(crate) id_num: String,
    pub(crate) name: String,
    pub(crate) card_num: String,
    /// Id of the holder, if it has been assigned.
    pub(crate) user: Option<u64>,
    pub(crate) effective: Option<DateTime<Utc>>,
    pub(crate) expires: Option<DateTime<Utc>>,
    pub(crate) last_activity: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) controller: &'static str,
    pub(crate) enabled: bool,
    /// Per cent; absent where there is no battery.
    pub(crate) battery: Option<u8>,
}

#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Monday first.
    pub(crate) days: [bool; 7],
    pub(crate) start: NaiveTime,
    /// The last second that belongs to it.
    pub(crate) stop: NaiveTime,
}

#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// The API does not show it. At any time if absent.
    pub(crate) schedule: Option<u64>,
    pub(crate) doors: Vec<u64>,
}

/// What a lock reports.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) device: String,
    pub(crate) location: String,
    pub(crate) schedule: String,
    pub(crate) card_num: String,
    pub(crate) user: String,
    pub(crate) granted: bool,
    /// Code and text; only one is documented.
    pub(crate) subcode: Option<(u32, &'static str)>,
    pub(crate) hardware_time: DateTime<Utc>,
    /// When the system records it.
    pub(crate) recorded: DateTime<Utc>,
}

/// One customer.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) api_user: String,
    pub(crate) api_key: String,
    pub(crate) valid: bool,
    /// The zone of the site, in which schedules are read.
    pub(crate) zone: Tz,
    /// The zone in which naive times of requests are read.
    pub(crate) naive_zone: Tz,
    /// Whether endpoints marked as pending release are there.
    pub(crate) pending: bool,
    /// How many events are kept.
    pub(crate) events_cache: usize,
    /// Whether the event whose id is asked for is left out of the answer.
    pub(crate) events_after_id: bool,
    pub(crate) users: Vec<User>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) fobs: Vec<Fob>,
    pub(crate) doors: Vec<Door>,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) levels: Vec<Level>,
    /// Id and name.
    pub(crate) locations: Vec<(u64, String)>,
    /// Recorded, with their ids, the oldest first.
    pub(crate) events: VecDeque<(u64, Happening)>,
    /// Happened, not recorded yet.
    pub(crate) waiting: Vec<Happening>,
    pub(crate) next_event: u64,
    next_id: u64,
    key_seed: u64,
}

impl Account {
    /// A customer without anything. Ids count up from `first_id`.
    pub(crate) fn new(api_user: String, api_key: String, zone: Tz, first_id: u64, key_seed: u64) -> Account {
        Account {
            api_user,
            api_key,
            valid: true,
            zone,
            naive_zone: zone,
            pending: true,
            events_cache: EVENTS_CACHE,
            events_after_id: false,
            users: Vec::new(),
            credentials: Vec::new(),
            fobs: Vec::new(),
            doors: Vec::new(),
            schedules: Vec::new(),
            levels: Vec::new(),
            locations: Vec::new(),
            events: VecDeque::new(),
            waiting: Vec::new(),
            next_event: 1,
            next_id: first_id,
            key_seed,
        }
    }

    /// An id that nothing here has had before.
    pub(crate) fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// A registration key that nothing here has had before.
    fn take_key(&mut self) -> String {
        self.key_seed = self.key_seed.wrapping_add(1);
        let digits = format!("{:016X}", scatter(self.key_seed));
        let groups: Vec<&str> = (0..4).filter_map(|group| digits.get(group * 4..group * 4 + 4)).collect();
        groups.join("-")
    }

    pub(crate) fn user(&self, id: u64) -> Option<&User> {
        find(&self.users, id, |user| user.id)
    }

    pub(crate) fn user_mut(&mut self, id: u64) -> Option<&mut User> {
        let index = self.users.binary_search_by_key(&id, |user| user.id).ok()?;
        self.users.get_mut(index)
    }

    pub(crate) fn door(&self, id: u64) -> Option<&Door> {
        find(&self.doors, id, |door| door.id)
    }

    pub(crate) fn level(&self, id: u64) -> Option<&Level> {
        find(&self.levels, id, |level| level.id)
    }

    /// The credential shown with a user.
    pub(crate) fn credential_of(&self, user: u64) -> Option<&Credential> {
        self.credentials.iter().find(|credential| credential.user == user)
    }

    /// The credentials shown with all users, by the users' ids.
    pub(crate) fn credentials_by_user(&self) -> HashMap<u64, &Credential> {
        self.credentials.iter().rev().map(|credential| (credential.user, credential)).collect()
    }

    /// The user that an imported record is about: by id number first, then by e-mail address. Whether both must match is not
    /// documented.
    pub(crate) fn matching(&self, id_num: &str, email: &str) -> Option<u64> {
        let by_number = self.users.iter().find(|user| !id_num.is_empty() && user.id_num == id_num);
        let by_email = || self.users.iter().find(|user| !email.is_empty() && user.email.eq_ignore_ascii_case(email));
        by_number.or_else(by_email).map(|user| user.id)
    }

    /// Gives a user this card number: a new credential, unclaimed, in place of the one before. No number, no credential.
    pub(crate) fn give_card(&mut self, user: u64, card_num: &str) -> Option<u64> {
        if self.credential_of(user).is_some_and(|credential| credential.card_num == card_num) {
            return None;
        }
        self.credentials.retain(|credential| credential.user != user);
        (!card_num.is_empty()).then(|| self.issue(user, card_num))
    }

    /// A further credential for a user, unclaimed.
    pub(crate) fn issue(&mut self, user: u64, card_num: &str) -> u64 {
        let (id, key) = (self.take_id(), self.take_key());
        self.credentials.push(Credential { id, card_num: card_num.to_owned(), key, claimed: false, user });
        id
    }

    /// Gives a credential a new key, which has to be claimed again.
    pub(crate) fn reissue(&mut self, id: u64) {
        let key = self.take_key();
        if let Some(credential) = self.credentials.iter_mut().find(|credential| credential.id == id) {
            credential.key = key;
            credential.claimed = false;
        }
    }

    /// The number after the highest in use.
    pub(crate) fn next_card_num(&self) -> u64 {
        let cards = self.credentials.iter().map(|credential| &credential.card_num);
        let all = cards.chain(self.fobs.iter().map(|fob| &fob.card_num));
        all.filter_map(|number| number.parse::<u64>().ok()).max().unwrap_or(FIRST_CARD - 1).saturating_add(1)
    }

    /// Doors that a user's access levels name, whatever the time.
    pub(crate) fn doors_of(&self, user: &User) -> Vec<&Door> {
        let named = |door: &&Door| {
            user.levels.iter().filter_map(|level| self.level(*level)).any(|level| level.doors.contains(&door.id))
        };
        self.doors.iter().filter(named).collect()
    }

    pub(crate) fn remove_user(&mut self, id: u64) -> bool {
        let before = self.users.len();
        self.users.retain(|user| user.id != id);
        self.credentials.retain(|credential| credential.user != id);
        for fob in &mut self.fobs {
            fob.user = fob.user.filter(|user| *user != id);
        }
        self.users.len() != before
    }

    fn remove_door(&mut self, id: u64) -> bool {
        let before = self.doors.len();
        self.doors.retain(|door| door.id != id);
        for level in &mut self.levels {
            level.doors.retain(|door| *door != id);
        }
        self.doors.len() != before
    }
}

/// The record with an id. Records are in the order of their ids: new ones have the highest.
fn find<T>(records: &[T], id: u64, id_of: impl Fn(&T) -> u64) -> Option<&T> {
    records.get(records.binary_search_by_key(&id, id_of).ok()?)
}

/// Events kept by default, as documented.
pub(crate) const EVENTS_CACHE: usize = 5000;
/// The first card number handed out where there is none.
const FIRST_CARD: u64 = 1000;

/// Everything Lockt knows. Ids are distinct over all accounts.
#[derive(Debug, Default)]
pub(crate) struct Lockt {
    pub(crate) accounts: Vec<Account>,
    /// Whether endpoints marked as pending release are there at all; see also each account.
    pub(crate) pending: bool,
    pub(crate) posts: Arc<Posts>,
}

impl Lockt {
    /// The account of the two headers.
    pub(crate) fn account_index(&self, call: &Call) -> Option<usize> {
        let (user, key) = (call.header("apiuser")?, call.api_key.as_deref()?);
        self.accounts.iter().position(|account| account.valid && account.api_user == user && account.api_key == key)
    }

    pub(crate) fn account_named(&mut self, api_user: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.api_user == api_user)
    }

    pub(crate) fn account_with_door(&mut self, door: u64) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.door(door).is_some())
    }

    pub(crate) fn door_mut(&mut self, door: u64) -> Option<&mut Door> {
        self.accounts.iter_mut().flat_map(|account| &mut account.doors).find(|known| known.id == door)
    }

    pub(crate) fn account_with_user(&mut self, user: u64) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.user(user).is_some())
    }

    pub(crate) fn credential_mut(&mut self, id: u64) -> Option<&mut Credential> {
        self.accounts.iter_mut().flat_map(|account| &mut account.credentials).find(|credential| credential.id == id)
    }

    pub(crate) fn remove_door(&mut self, id: &str) -> bool {
        id.parse().is_ok_and(|id| self.accounts.iter_mut().any(|account| account.remove_door(id)))
    }
}

/// Spreads a number over all bits (SplitMix64).
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
