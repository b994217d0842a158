//! What a credential wishes for at vendors, as of an instant: from the doors that it is meant to open and from when until
//! when, to one placement per vendor account or device. Pure; `entities::store::credentials` reads and writes around it.
//!
//! No door too many is ever opened, and none at a time too many: where a vendor cannot say exactly what is permitted,
//! nothing is placed, and the reason is told.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::{
    CredentialState,
    spans::{Reach, joined},
};
use crate::{
    account::Vendor,
    clock::Timestamp,
    ids::{CredentialId, DeviceId, DoorId, VendorAccountId},
    placement::{CardHolderWish, DeviceAccessWish, PhoneWish, PlacementErrorCode, Wish},
    record::{AccessProfile, CredentialType},
    schedule::Week,
    stay::{LevelFacts, cover},
};

/// Access levels of a vendor may come to open exactly the doors: so long it is not looked at again.
const AGAIN: TimeDelta = TimeDelta::minutes(10);

/// A credential with all that it may open.
#[derive(Debug, Clone)]
pub struct CredentialFacts {
    /// Which.
    pub id: CredentialId,
    /// What it is.
    pub kind: CredentialType,
    /// Whether it is meant to open.
    pub state: CredentialState,
    /// Digits, or an e-mail address for a mobile key.
    pub number: Option<String>,
    /// Whose name the vendor is told.
    pub holder: String,
    /// From when on; always without.
    pub from: Option<Timestamp>,
    /// Until when; for ever without.
    pub until: Option<Timestamp>,
    /// What it may open.
    pub grants: Vec<Grant>,
    /// By account: the vendor's access levels that are wished for at present. They stay as long as they do the same.
    pub chosen: BTreeMap<VendorAccountId, BTreeSet<String>>,
}

/// Doors that may be opened in a time.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    /// The doors.
    pub doors: BTreeSet<DoorId>,
    /// From when on; always without.
    pub from: Option<Timestamp>,
    /// Until when; for ever without.
    pub until: Option<Timestamp>,
    /// The weekly pattern, with the zone of its site.
    pub schedule: Option<(Week, Tz)>,
}

/// The doors of a house, and how vendors reach them.
#[derive(Debug, Clone, Default)]
pub struct House {
    /// All doors that may be named, and those that hang on the same devices.
    pub doors: BTreeMap<DoorId, HouseDoor>,
    /// By account: the access levels that its vendor has.
    pub levels: BTreeMap<VendorAccountId, Vec<LevelFacts>>,
}

/// A door, as far as placing is concerned.
#[derive(Debug, Clone)]
pub struct HouseDoor {
    /// Whose API reaches it.
    pub vendor: Vendor,
    /// Through which account.
    pub account: VendorAccountId,
    /// The device that it hangs on.
    pub device: DeviceId,
    /// The vendor's id of it.
    pub external_id: String,
    /// Whether authorised telephones open it; unknown without.
    pub takes_calls: Option<bool>,
}

/// A placement as it is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// At which account.
    pub account: VendorAccountId,
    /// At which device, where the vendor keeps it by device.
    pub device: Option<DeviceId>,
    /// The doors that it is for.
    pub doors: BTreeSet<DoorId>,
    /// What is wished for, or why nothing can be.
    pub wish: Result<Wish, (PlacementErrorCode, String)>,
}

/// All placements of a credential as they are to be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// At most one wish for each account or device, and one reason. What is not listed is to be gone.
    pub placements: Vec<Planned>,
    /// When it comes out differently by itself.
    pub changes_at: Option<Timestamp>,
}

/// Whether doors of a vendor can hold such a credential at all.
#[must_use]
pub const fn can_hold(vendor: Vendor, kind: CredentialType) -> bool {
    use CredentialType as Kind;
    match vendor {
        Vendor::Lockt => matches!(kind, Kind::Card | Kind::Fob | Kind::RfidTag | Kind::PinCode),
        Vendor::Raixer => matches!(kind, Kind::PhoneNumber | Kind::MobileKey),
        Vendor::Parqex | Vendor::Bikeep | Vendor::Mews => false,
    }
}

/// The doors that the credential may open at some time and that can hold it: where its value must not be another's.
#[must_use]
pub fn reachable(facts: &CredentialFacts, house: &House) -> BTreeSet<DoorId> {
    let named = facts.grants.iter().flat_map(|grant| &grant.doors);
    let holds = |door: &&DoorId| house.doors.get(door).is_some_and(|door| can_hold(door.vendor, facts.kind));
    named.filter(holds).copied().collect()
}

/// Given and family name, for vendors that want both.
#[must_use]
pub fn two_names(name: &str) -> (String, String) {
    match name.trim().rsplit_once(char::is_whitespace) {
        Some((first, last)) => (first.trim().to_owned(), last.to_owned()),
        None => (name.trim().to_owned(), "-".to_owned()),
    }
}

/// What a credential wishes for at `now`.
#[must_use]
pub fn plan(facts: &CredentialFacts, house: &House, now: Timestamp) -> Plan {
    if facts.state != CredentialState::Active || facts.until.is_some_and(|until| until <= now) {
        return Plan::default();
    }
    let reaches = joined(facts, now);
    let mut plan = Plan {
        changes_at: reaches.values().flatten().filter_map(|reach| reach.next_edge(now)).min(),
        ..Plan::default()
    };
    let mut accounts: BTreeMap<VendorAccountId, BTreeMap<DoorId, &[Reach]>> = BTreeMap::new();
    for (door, reaches) in &reaches {
        if let Some(known) = house.doors.get(door) {
            accounts.entry(known.account).or_default().insert(*door, reaches);
        }
    }
    for (account, doors) in accounts {
        let vendor = doors.keys().next().and_then(|door| house.doors.get(door)).map(|door| door.vendor);
        match vendor {
            Some(vendor) if !can_hold(vendor, facts.kind) => plan.placements.push(unable(facts.kind, account, &doors)),
            Some(Vendor::Lockt) => plan.placements.extend(card_holder(facts, house, account, &doors, now)),
            Some(Vendor::Raixer) => plan.placements.extend(at_devices(facts, house, account, &doors, now)),
            _ => {}
        }
    }
    let may_come =
        |planned: &Planned| planned.wish.is_err() && planned.doors.iter().any(|door| holds(house, *door, facts.kind));
    if plan.placements.iter().any(may_come) {
        plan.changes_at = Some(plan.changes_at.map_or(now + AGAIN, |at| at.min(now + AGAIN)));
    }
    plan
}

fn holds(house: &House, door: DoorId, kind: CredentialType) -> bool {
    house.doors.get(&door).is_some_and(|door| can_hold(door.vendor, kind))
}

fn unable(kind: CredentialType, account: VendorAccountId, doors: &BTreeMap<DoorId, &[Reach]>) -> Planned {
    let message = format!("The vendor of these doors cannot hold a {kind}.");
    let wish = Err((PlacementErrorCode::CapabilityMissing, message));
    Planned { account, device: None, doors: doors.keys().copied().collect(), wish }
}

/// The doors that may be opened now, or else those of the next time, with that time: what they have in common.
struct Window {
    doors: BTreeSet<DoorId>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Window {
    fn at(doors: &BTreeMap<DoorId, &[Reach]>, at: Timestamp) -> Option<Self> {
        let open: Vec<(DoorId, Reach)> = doors
            .iter()
            .filter_map(|(door, reaches)| Some((*door, *reaches.iter().find(|reach| reach.holds_at(at))?)))
            .collect();
        (!open.is_empty()).then(|| Self {
            doors: open.iter().map(|(door, _)| *door).collect(),
            from: open.iter().filter_map(|(_, reach)| reach.from).max(),
            // The vendor ends it by itself when the first of them ends; the others are said anew then.
            until: open.iter().filter_map(|(_, reach)| reach.until).min(),
        })
    }

    fn now_or_next(doors: &BTreeMap<DoorId, &[Reach]>, now: Timestamp) -> Option<Self> {
        Self::at(doors, now).or_else(|| {
            let next = doors.values().flat_map(|reaches| reaches.iter()).filter_map(|reach| reach.from);
            Self::at(doors, next.filter(|from| *from > now).min()?)
        })
    }
}

/// What levels of the vendor open of the doors, and no others, is wished for; the rest is told.
fn card_holder(
    facts: &CredentialFacts,
    house: &House,
    account: VendorAccountId,
    doors: &BTreeMap<DoorId, &[Reach]>,
    now: Timestamp,
) -> Vec<Planned> {
    let Some(Window { doors, from, until }) = Window::now_or_next(doors, now) else { return Vec::new() };
    let external = |door: &DoorId| house.doors.get(door).map(|door| door.external_id.clone());
    let permitted: BTreeSet<String> = doors.iter().filter_map(external).collect();
    let (no_levels, none_chosen) = (Vec::new(), BTreeSet::new());
    let levels = house.levels.get(&account).unwrap_or(&no_levels);
    let cover = cover(levels, &permitted, facts.chosen.get(&account).unwrap_or(&none_chosen));
    let is_opened = |door: &DoorId| external(door).is_some_and(|external| cover.doors.contains(&external));
    let (opened, rest): (BTreeSet<DoorId>, BTreeSet<DoorId>) = doors.into_iter().partition(is_opened);
    let mut planned = Vec::new();
    if !opened.is_empty() {
        let (first_name, last_name) = two_names(&facts.holder);
        let has_pin = facts.kind == CredentialType::PinCode;
        let wish = Wish::CardHolder(CardHolderWish {
            id_number: facts.id.to_string(),
            first_name,
            last_name,
            access_levels: cover.levels,
            from,
            until,
            card_number: if has_pin { None } else { facts.number.clone() },
            has_pin,
            has_card_number: false,
            doors: opened.clone(),
        });
        planned.push(Planned { account, device: None, doors: opened, wish: Ok(wish) });
    }
    if !rest.is_empty() {
        let message = "No access level at the vendor opens these doors and no others.".to_owned();
        let wish = Err((PlacementErrorCode::NoAccessLevel, message));
        planned.push(Planned { account, device: None, doors: rest, wish });
    }
    planned
}

/// At vendors that know no times, only what may be opened now is wished for; and only where the whole device may be.
fn at_devices(
    facts: &CredentialFacts,
    house: &House,
    account: VendorAccountId,
    doors: &BTreeMap<DoorId, &[Reach]>,
    now: Timestamp,
) -> Vec<Planned> {
    let mut devices: BTreeMap<DeviceId, BTreeMap<DoorId, &[Reach]>> = BTreeMap::new();
    for (door, reaches) in doors {
        if let Some(known) = house.doors.get(door) {
            devices.entry(known.device).or_default().insert(*door, reaches);
        }
    }
    let open = devices.into_iter().filter_map(|(device, doors)| Some((device, Window::at(&doors, now)?)));
    open.map(|(device, window)| {
        let wish = device_wish(facts, house, device, &window);
        Planned { account, device: Some(device), doors: window.doors, wish }
    })
    .collect()
}

fn device_wish(
    facts: &CredentialFacts,
    house: &House,
    device: DeviceId,
    window: &Window,
) -> Result<Wish, (PlacementErrorCode, String)> {
    let unable = |message: &str| Err((PlacementErrorCode::CapabilityMissing, message.to_owned()));
    let calls = facts.kind == CredentialType::PhoneNumber;
    let opened: BTreeSet<DoorId> = house
        .doors
        .iter()
        .filter(|(_, door)| door.device == device && !(calls && door.takes_calls == Some(false)))
        .map(|(id, _)| *id)
        .collect();
    if !opened.is_subset(&window.doors) {
        return unable("At this device it would open other doors too.");
    }
    let doors: BTreeSet<DoorId> = window.doors.intersection(&opened).copied().collect();
    if doors.is_empty() {
        return unable("These doors take no calls.");
    }
    let Some(number) = facts.number.clone() else { return unable("It has no number.") };
    let (from, until) = (window.from, window.until);
    Ok(if calls {
        Wish::Phone(PhoneWish { number, from, until, doors })
    } else {
        let (email, name) = (number, facts.holder.clone());
        Wish::DeviceAccess(DeviceAccessWish { email, name, profile: AccessProfile::User, from, until, doors })
    })
}

#[cfg(test)]
mod tests;
