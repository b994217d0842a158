//! Building what exists from plans: hotels at once, reservations when the simulator starts and today is known. Nothing happens
//! here that a webhook would tell.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Days, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::{
    limit::Window,
    plans::{MewsAccountPlan, MewsHotelPlan, MewsStayPlan},
    request::instant,
    state::{
        Assignment, Category, Companionship, Customer, Enterprise, Group, Integration, Mews, MewsResourceState,
        MewsState, Reservation, Resource, Service,
    },
};

/// Hour of arrival and of departure, by the hotel's clock.
const HOURS: (u32, u32) = (15, 11);
/// How long before the start the first planned reservation was made.
const BOOKED_BEFORE: TimeDelta = TimeDelta::days(30);
/// How long before arrival an optional reservation is released.
const RELEASED_BEFORE: TimeDelta = TimeDelta::days(1);
/// Number of the first reservation and of the first customer.
const FIRST_NUMBER: usize = 1001;

/// A reservation about to be made.
#[derive(Debug)]
pub(super) struct Booking {
    pub(super) id: String,
    pub(super) enterprise: usize,
    pub(super) customer: usize,
    pub(super) resource: Option<usize>,
    pub(super) state: MewsState,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    pub(super) created: DateTime<Utc>,
    /// A stay that has begun or ended did so by then.
    pub(super) now: DateTime<Utc>,
}

impl Mews {
    /// Nothing yet; the seed goes into the ids of what is added.
    pub(crate) fn empty(seed: u64) -> Mews {
        Mews { seed, ..Mews::default() }
    }

    /// Adds an access token with its hotels; their stays wait for [`Mews::open`].
    pub(crate) fn add_account(&mut self, plan: MewsAccountPlan, since: DateTime<Utc>) {
        let chain = self.chains.len();
        self.chains.push(self.id("c4a10000", chain + 1));
        let reached = if plan.portfolio { usize::MAX } else { 1 };
        let hotels: Vec<MewsHotelPlan> = plan.hotels.into_iter().take(reached).collect();
        let enterprises = hotels.into_iter().map(|hotel| self.add_hotel(chain, hotel, since)).collect();
        self.integrations.push(Integration {
            id: self.id("1a7e0000", chain + 1),
            client_token: plan.client_token,
            access_token: plan.access_token,
            client: plan.client,
            portfolio: plan.portfolio,
            chain,
            enterprises,
            enabled: true,
            denied: HashSet::new(),
            window: Window::default(),
        });
    }

    fn add_hotel(&mut self, chain: usize, plan: MewsHotelPlan, since: DateTime<Utc>) -> usize {
        let enterprise = self.enterprises.len();
        let stay_service = self.services.len();
        self.enterprises.push(Enterprise {
            id: self.id("e4730000", enterprise + 1),
            chain,
            name: plan.name,
            zone: plan.zone,
            stay_service,
            created: since,
        });
        for (name, bookable) in [("Stay", true), ("Breakfast", false)] {
            let id = self.id("5e4f1ce0", self.services.len() + 1);
            self.services.push(Service { id, enterprise, name, bookable, created: since });
        }
        let mut categories = Vec::new();
        for (kind, name, capacity) in [("Room", "Double room", 2), ("Dorm", "Dormitory", 2), ("Bed", "Bed", 1)] {
            categories.push(self.categories.len());
            let id = self.id("ca7e0000", self.categories.len() + 1);
            let service = stay_service;
            self.categories.push(Category { id, enterprise, service, kind, name, capacity, created: since });
        }
        let category = |index: usize| categories.get(index).copied().unwrap_or_default();
        let building = self.add_resource(enterprise, "Main building".to_owned(), (None, None), since);
        let mut floors = BTreeMap::new();
        for room in plan.rooms {
            let floor = *floors.entry(room.floor).or_insert_with(|| {
                self.add_resource(
                    enterprise,
                    format!("Floor {}", room.floor),
                    (Some(building), Some(room.floor)),
                    since,
                )
            });
            let place = (Some(floor), Some(room.floor));
            let index = self.add_resource(enterprise, room.name.clone(), place, since);
            self.assign(index, category(usize::from(room.beds > 0)), since);
            for letter in ('A'..='Z').take(room.beds.into()) {
                let place = (Some(index), Some(room.floor));
                let bed = self.add_resource(enterprise, format!("{}-{letter}", room.name), place, since);
                self.assign(bed, category(2), since);
            }
        }
        self.planned.extend(plan.stays.into_iter().map(|stay| (enterprise, stay)));
        enterprise
    }

    fn add_resource(
        &mut self,
        enterprise: usize,
        name: String,
        (parent, floor): (Option<usize>, Option<u32>),
        created: DateTime<Utc>,
    ) -> usize {
        let index = self.resources.len();
        let id = self.id("4e504000", index + 1);
        let (state, updated) = (MewsResourceState::Inspected, created);
        self.resources.push(Resource { id, enterprise, name, parent, floor, state, active: true, created, updated });
        index
    }

    fn assign(&mut self, resource: usize, category: usize, created: DateTime<Utc>) {
        let Some(enterprise) = self.resources.get(resource).map(|resource| resource.enterprise) else { return };
        let id = self.id("ca551900", self.assignments.len() + 1);
        self.assignments.push(Assignment { id, enterprise, resource, category, created });
    }

    /// Turns the planned stays into reservations around the present.
    pub(crate) fn open(&mut self, now: DateTime<Utc>) {
        self.born = u64::try_from(now.timestamp_millis()).unwrap_or_default();
        let names: HashMap<(usize, String), usize> = (0..)
            .zip(&self.resources)
            .map(|(index, resource)| ((resource.enterprise, resource.name.clone()), index))
            .collect();
        let first = instant(now - BOOKED_BEFORE);
        for (second, (enterprise, stay)) in (0..).zip(std::mem::take(&mut self.planned)) {
            // One after the other, and all in the past: the order of creation is the order of paging.
            let created = (first + TimeDelta::seconds(second)).min(instant(now));
            let room = stay.room.as_ref().and_then(|room| names.get(&(enterprise, room.clone())).copied());
            self.begin(enterprise, &stay, room, created, now);
        }
    }

    fn begin(
        &mut self,
        enterprise: usize,
        stay: &MewsStayPlan,
        resource: Option<usize>,
        created: DateTime<Utc>,
        now: DateTime<Utc>,
    ) {
        let Some(hotel) = self.enterprises.get(enterprise) else { return };
        let (chain, zone) = (hotel.chain, hotel.zone);
        let departs = stay.arrives + i64::from(stay.nights);
        let id = self.id("4e5e0000", self.reservations.len() + 1);
        let customer = self.add_named_customer(chain, &stay.guest, created);
        let reservation = self.book(Booking {
            id,
            enterprise,
            customer,
            resource,
            state: stay.state,
            start: local(zone, now, stay.arrives, HOURS.0),
            end: local(zone, now, departs, HOURS.1),
            created,
            now: instant(now),
        });
        for companion in &stay.companions {
            let customer = self.add_named_customer(chain, companion, created);
            self.add_guest(reservation, customer, created);
        }
    }

    fn add_named_customer(&mut self, chain: usize, name: &str, created: DateTime<Utc>) -> usize {
        let (first, last) = name.split_once(' ').unwrap_or(("", name));
        let number = self.customers.len() + 1;
        let email = format!("{}.{}@example.test", first.to_lowercase(), last.to_lowercase());
        let phone = format!("+3512100{number:05}");
        let id = self.id("c0570000", number);
        self.add_customer(id, chain, (first.to_owned(), last.to_owned()), (Some(email), Some(phone)), created)
    }

    pub(super) fn add_customer(
        &mut self,
        id: String,
        chain: usize,
        (first_name, last_name): (String, String),
        (email, phone): (Option<String>, Option<String>),
        created: DateTime<Utc>,
    ) -> usize {
        let index = self.customers.len();
        let (number, updated) = (FIRST_NUMBER + index, created);
        self.customers.push(Customer { id, chain, number, first_name, last_name, email, phone, created, updated });
        index
    }

    /// Makes a reservation in a group of its own, with the customer as its first guest.
    pub(super) fn book(&mut self, booking: Booking) -> usize {
        let Booking { id, enterprise, customer, resource, state, start, end, created, now } = booking;
        let index = self.reservations.len();
        let group = self.groups.len();
        let name = self.customers.get(customer).map(|customer| customer.last_name.clone()).unwrap_or_default();
        self.groups.push(Group { id: self.id("64070000", group + 1), enterprise, name, updated: created });
        let first_category = self.categories.iter().position(|category| category.enterprise == enterprise);
        let category = resource.and_then(|resource| self.category_of(resource)).or(first_category);
        let released = (state == MewsState::Optional).then_some((start - RELEASED_BEFORE).max(created));
        if let Some(released) = released {
            self.releases.insert((released, index));
        }
        let begun = matches!(state, MewsState::Started | MewsState::Processed);
        let started = begun.then_some(start.min(now));
        let ended = (state == MewsState::Processed).then_some(end.min(now));
        let cancelled = (state == MewsState::Canceled).then_some(created);
        self.reservation_by_id.insert(id.clone(), index);
        self.reservations.push(Reservation {
            id,
            enterprise,
            number: FIRST_NUMBER + index,
            account: customer,
            group,
            category: category.unwrap_or_default(),
            resource,
            locked: false,
            state,
            start,
            end,
            started,
            ended,
            cancelled,
            released,
            created,
            updated: ended.or(started).map_or(created, |at| at.max(created)),
        });
        self.add_guest(index, customer, created);
        index
    }

    /// Puts a customer on a reservation.
    pub(super) fn add_guest(&mut self, reservation: usize, customer: usize, updated: DateTime<Utc>) {
        let Some(found) = self.reservations.get(reservation) else { return };
        let (enterprise, group) = (found.enterprise, found.group);
        let index = self.companionships.len();
        let id = self.id("c0a70000", index + 1);
        self.guests.entry(reservation).or_default().push(index);
        self.companionships.push(Companionship {
            id,
            enterprise,
            customer,
            group,
            reservation,
            updated,
            removed: false,
        });
    }
}

/// An hour of the day that is so many days away from a hotel's today.
fn local(zone: Tz, now: DateTime<Utc>, days: i64, hour: u32) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let distance = Days::new(days.unsigned_abs());
    let date = if days < 0 { today.checked_sub_days(distance) } else { today.checked_add_days(distance) };
    let local = date.unwrap_or(today).and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default());
    // The hours of arrival and departure are skipped or repeated in no zone; if they were, the earlier one would do.
    zone.from_local_datetime(&local).earliest().map_or(local.and_utc(), |at| at.with_timezone(&Utc))
}
