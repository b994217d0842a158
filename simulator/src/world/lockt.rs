//! Lockt in the world: what a builder says about a customer, the hotel of the demo, and how both become records.

use chrono::{NaiveTime, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{World, WorldSize};
use crate::vendors::lockt::{Account, Door, EVENTS_CACHE, Fob, Level, Schedule, User};

/// What links an account at Lockt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocktCredentials {
    /// Header `apiuser`.
    pub api_user: String,
    /// Header `apikey`.
    pub api_key: String,
}

/// A Lockt account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocktAccountPlan {
    /// Header `apiuser`.
    pub api_user: String,
    /// Header `apikey`.
    pub api_key: String,
    /// The site's zone, in which schedules are read.
    pub zone: Tz,
    /// The zone in which naive times of requests are read. Which one is not documented; the samples suggest the site's.
    pub naive_zone: Tz,
    /// Whether endpoints marked as pending release are served.
    pub pending: bool,
    /// How many events are cached; 5000 as documented.
    pub events_cache: usize,
    /// Whether `/events?id=` leaves out the event with that id; the document can be read both ways.
    pub events_after_id: bool,
    /// Its doors.
    pub doors: Vec<LocktDoorPlan>,
    /// Its schedules.
    pub schedules: Vec<LocktSchedulePlan>,
    /// Its access levels.
    pub levels: Vec<LocktLevelPlan>,
    /// Its card holders.
    pub users: Vec<LocktUserPlan>,
    /// Its fobs, which nobody holds.
    pub fobs: Vec<LocktFobPlan>,
}

/// A door with a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocktDoorPlan {
    /// Name shown to people.
    pub name: String,
    /// Name of its location; may be empty.
    pub location: String,
    /// Charge in per cent; absent where there is no battery.
    pub battery: Option<u8>,
}

/// A weekly pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocktSchedulePlan {
    /// Name shown to people.
    pub name: String,
    /// Its days, Monday first.
    pub days: [bool; 7],
    /// When it starts on each of them.
    pub start: NaiveTime,
    /// The last second that belongs to it.
    pub stop: NaiveTime,
}

/// Doors tied to a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocktLevelPlan {
    /// Name shown to people.
    pub name: String,
    /// Index of its schedule; at any time if absent.
    pub schedule: Option<usize>,
    /// Indices of its doors.
    pub doors: Vec<usize>,
}

/// A card holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocktUserPlan {
    /// Number in the customer's own system.
    pub id_num: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Number of the credential; none if empty.
    pub card_num: String,
    /// Whether the credential has been claimed.
    pub claimed: bool,
    /// PIN; none if empty.
    pub pin: String,
    /// Indices of access levels.
    pub levels: Vec<usize>,
}

/// A fob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocktFobPlan {
    /// Name shown to people.
    pub name: String,
    /// Its card number.
    pub card_num: String,
}

const FIRST_NAMES: [&str; 8] = ["Ada", "Bruno", "Chiara", "Dana", "Emil", "Fay", "Goran", "Hana"];
const LAST_NAMES: [&str; 7] = ["Quill", "Peters", "Wilson", "Moreau", "Lind", "Okafor", "Tamm"];

impl LocktAccountPlan {
    /// A customer in a zone, without doors or users.
    #[must_use]
    pub fn new(api_user: &str, api_key: &str, zone: Tz) -> Self {
        LocktAccountPlan {
            api_user: api_user.to_owned(),
            api_key: api_key.to_owned(),
            zone,
            naive_zone: zone,
            pending: true,
            events_cache: EVENTS_CACHE,
            events_after_id: false,
            doors: Vec::new(),
            schedules: Vec::new(),
            levels: Vec::new(),
            users: Vec::new(),
            fobs: Vec::new(),
        }
    }

    /// The hotel of the demo, whose rooms the demo's hotel at Mews has too: twelve on three floors, and 240 users.
    pub(super) fn demo() -> Self {
        LocktAccountPlan::new("lockt-demo", "lockt-demo-key", Tz::Europe__Lisbon).floors_of(4, 12, 240)
    }

    /// The neighbour of the demo, for whom nothing pending has been released and whose instance reads naive times as UTC.
    pub(super) fn demo_neighbour() -> Self {
        let zone = Tz::Europe__Tallinn;
        let plan = LocktAccountPlan::new("lockt-neighbour", "lockt-neighbour-key", zone).hotel(1, 4);
        LocktAccountPlan { pending: false, naive_zone: Tz::UTC, events_after_id: true, ..plan }
    }

    /// An account of a sized world.
    pub(super) fn sized(number: usize, size: &WorldSize) -> Self {
        let (user, key) = (format!("lockt-{number}"), format!("lockt-key-{number}"));
        LocktAccountPlan::new(&user, &key, Tz::UTC).hotel(size.lockt_rooms, size.lockt_users)
    }

    /// A hotel: a number of rooms, ten to a floor, and four common doors; a level for each room with the front door, and those
    /// of the staff; users of whom every fourth has no claimed credential and every eighth none at all; three fobs.
    #[must_use]
    pub fn hotel(self, rooms: usize, users: usize) -> Self {
        self.floors_of(10, rooms, users)
    }

    fn floors_of(mut self, floor: usize, rooms: usize, users: usize) -> Self {
        let common = ["Front Door", "Office", "Linen Store", "Plant Room"];
        self.doors = common
            .iter()
            .map(|name| LocktDoorPlan {
                name: (*name).to_owned(),
                location: "Main Hall".to_owned(),
                battery: (*name != "Front Door").then_some(88),
            })
            .collect();
        self.doors.extend((0..rooms).map(|room| LocktDoorPlan {
            name: room_name(floor, room),
            location: format!("Floor {}", room / floor + 1),
            battery: u8::try_from(100 - room % 60).ok(),
        }));
        let weekly = |name: &str, days: [bool; 7], start: u32, stop: u32| LocktSchedulePlan {
            name: name.to_owned(),
            days,
            start: clock_time(start, 0, 0),
            stop: clock_time(stop, 59, 59),
        };
        self.schedules = vec![
            weekly("Always", [true; 7], 0, 23),
            weekly("0800-1700 M-F", [true, true, true, true, true, false, false], 8, 16),
            weekly("Weekend Cleaners", [false, false, false, false, false, true, true], 6, 19),
        ];
        let every_room: Vec<usize> = (common.len()..self.doors.len()).collect();
        let level = |name: &str, schedule: usize, doors: Vec<usize>| LocktLevelPlan {
            name: name.to_owned(),
            schedule: Some(schedule),
            doors,
        };
        self.levels = vec![
            level("Security", 0, (0..self.doors.len()).collect()),
            level("Administration", 0, Vec::new()),
            level("Cardholder", 0, vec![0]),
            level("Housekeeping", 1, every_room.iter().copied().chain([0, 2]).collect()),
            level("Weekend Housekeeping", 2, every_room.iter().copied().chain([0, 2]).collect()),
        ];
        let staff = self.levels.len();
        self.levels.extend((0..rooms).map(|room| level(&room_name(floor, room), 0, vec![common.len() + room, 0])));
        self.users = (0..users)
            .map(|number| LocktUserPlan {
                id_num: format!("HR-{:05}", number + 1),
                first_name: pick(&FIRST_NAMES, number),
                last_name: pick(&LAST_NAMES, number / FIRST_NAMES.len()),
                card_num: if number % 8 == 7 { String::new() } else { (10_000 + number).to_string() },
                claimed: number % 4 != 3,
                pin: if number % 2 == 0 { format!("{:06}", 100_000 + number) } else { String::new() },
                levels: if number % 10 == 0 { vec![0] } else { vec![2, 2 + number % (staff - 2)] },
            })
            .collect();
        self.fobs = (1..=3)
            .map(|number| LocktFobPlan { name: format!("Fob {number}"), card_num: (9000 + number).to_string() })
            .collect();
        self
    }
}

impl World {
    /// Adds a Lockt account with everything in it.
    pub fn add_lockt_account(&mut self, plan: LocktAccountPlan) -> LocktCredentials {
        let number = self.lockt.accounts.len() as u64 + 1;
        let first_id = number * 10_000_000 + (self.seed & 0xfff) * 1000 + 100;
        let key_seed = self.seed << 24 | number << 20;
        let mut account = Account::new(plan.api_user.clone(), plan.api_key.clone(), plan.zone, first_id, key_seed);
        account.naive_zone = plan.naive_zone;
        account.pending = plan.pending;
        account.events_cache = plan.events_cache;
        account.events_after_id = plan.events_after_id;
        let mut doors = Vec::new();
        for door in plan.doors {
            let id = account.take_id();
            if !door.location.is_empty() && account.locations.iter().all(|(_, name)| *name != door.location) {
                let place = account.take_id();
                account.locations.push((place, door.location.clone()));
            }
            doors.push(id);
            let controller = "Switch™ Bridge";
            account.doors.push(Door {
                id,
                name: door.name,
                location: door.location,
                controller,
                enabled: true,
                battery: door.battery,
            });
        }
        let mut schedules = Vec::new();
        for schedule in plan.schedules {
            let id = account.take_id();
            schedules.push(id);
            let LocktSchedulePlan { name, days, start, stop } = schedule;
            account.schedules.push(Schedule { id, name, days, start, stop });
        }
        let mut levels = Vec::new();
        for level in plan.levels {
            let id = account.take_id();
            levels.push(id);
            let doors = level.doors.iter().filter_map(|door| doors.get(*door)).copied().collect();
            let schedule = level.schedule.and_then(|schedule| schedules.get(schedule)).copied();
            account.levels.push(Level { id, name: level.name, schedule, doors });
        }
        for user in plan.users {
            add_user(&mut account, user, &levels);
        }
        for fob in plan.fobs {
            let id = account.take_id();
            let LocktFobPlan { name, card_num } = fob;
            let (id_num, user, effective, expires, last_activity) = (String::new(), None, None, None, None);
            account.fobs.push(Fob { id, id_num, name, card_num, user, effective, expires, last_activity });
        }
        self.lockt.accounts.push(account);
        LocktCredentials { api_user: plan.api_user, api_key: plan.api_key }
    }
}

fn add_user(account: &mut Account, plan: LocktUserPlan, levels: &[u64]) {
    let id = account.take_id();
    let mut named: Vec<u64> = plan.levels.iter().filter_map(|level| levels.get(*level)).copied().collect();
    named.dedup();
    account.users.push(User {
        id,
        email: format!("{}@example.test", plan.id_num.to_lowercase()),
        id_num: plan.id_num,
        first_name: plan.first_name,
        last_name: plan.last_name,
        phone: String::new(),
        pin: plan.pin,
        enabled: true,
        effective: None,
        expires: None,
        levels: named,
    });
    if !plan.card_num.is_empty() {
        account.issue(id, &plan.card_num);
        if let Some(credential) = account.credentials.last_mut() {
            credential.claimed = plan.claimed;
        }
    }
}

/// Room 101 and on, so many to a floor.
fn room_name(floor: usize, room: usize) -> String {
    format!("Room {}{:02}", room / floor + 1, room % floor + 1)
}

fn clock_time(hour: u32, minute: u32, second: u32) -> NaiveTime {
    let midnight = NaiveTime::default();
    let time = midnight.with_hour(hour).and_then(|time| time.with_minute(minute)?.with_second(second));
    time.unwrap_or(midnight)
}

fn pick(names: &[&str], number: usize) -> String {
    names.get(number % names.len()).copied().unwrap_or_default().to_owned()
}
