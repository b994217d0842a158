//! The reads of what changes during a stay (M5): reservations, their groups and guests, and resource blocks.

use serde_json::{Map, Value};

use super::{
    Caller,
    pages::page,
    request::{Fields, Refusal},
    state::{Mews, MewsState, Reservation},
};
use crate::{answer::Circumstances, faults::FaultKind};

/// Most items of the lists that take fewer than the others.
const FEW_ITEMS: usize = 100;

impl Mews {
    /// The form of 2023-06-06. No filter is required.
    pub(super) fn list_reservations(
        &self,
        caller: &Caller,
        body: Fields<'_>,
        at: &Circumstances<'_>,
    ) -> Result<Value, Refusal> {
        let keep = self.reservation_filter(body)?;
        let scope = self.scope(caller, body)?;
        let word = match at.fault {
            Some(FaultKind::UnknownStatusWord { word }) => Some(word.as_str()),
            _ => None,
        };
        let found = page(
            &self.reservations,
            body.limitation()?,
            |reservation| scope.contains(&reservation.enterprise),
            |_, reservation| keep(reservation),
        )?;
        Ok(found.json("Reservations", |index, reservation| self.reservation_json(index, reservation, word)))
    }

    fn reservation_filter<'f>(&'f self, body: Fields<'f>) -> Result<impl Fn(&Reservation) -> bool + 'f, Refusal> {
        let (ids, numbers) = (body.words("ReservationIds")?, body.words("Numbers")?);
        let (services, groups) = (body.words("ServiceIds")?, body.words("ReservationGroupIds")?);
        let (accounts, resources) = (body.words("AccountIds")?, body.words("AssignedResourceIds")?);
        // Reservations here come from no partner, agency, channel or block, so that any of these lists finds nothing.
        let mut elsewhere = false;
        for name in ["PartnerCompanyIds", "TravelAgencyIds", "ChannelNumbers", "AvailabilityBlockIds"] {
            elsewhere |= body.words_up_to(name, FEW_ITEMS)?.given();
        }
        let states = body.words("States")?;
        if let Some(list) = body.get("States").and_then(Value::as_array)
            && !list.iter().all(|word| MewsState::ALL.iter().any(|state| word == state.word()))
        {
            return Err(Refusal::invalid("States"));
        }
        let (created, updated) = (body.times("CreatedUtc")?, body.times("UpdatedUtc")?);
        let colliding = body.times("CollidingUtc")?;
        let (scheduled_start, actual_start) = (body.times("ScheduledStartUtc")?, body.times("ActualStartUtc")?);
        let (scheduled_end, actual_end) = (body.times("ScheduledEndUtc")?, body.times("ActualEndUtc")?);
        if scheduled_start.given() && actual_start.given() {
            return Err(Refusal::invalid("ActualStartUtc"));
        }
        if scheduled_end.given() && actual_end.given() {
            return Err(Refusal::invalid("ActualEndUtc"));
        }
        Ok(move |reservation: &Reservation| {
            let hotel = self.enterprises.get(reservation.enterprise);
            let service = hotel.and_then(|hotel| self.services.get(hotel.stay_service));
            let group = self.groups.get(reservation.group);
            let account = self.customers.get(reservation.account);
            let resource = reservation.resource.and_then(|index| self.resources.get(index));
            !elsewhere
                && ids.allow(&reservation.id)
                && states.allow(reservation.state.word())
                && created.at(reservation.created)
                && updated.at(reservation.updated)
                && colliding.overlapping(reservation.start, reservation.end)
                && scheduled_start.at(reservation.start)
                && scheduled_end.at(reservation.end)
                && actual_start.at_optional(reservation.started)
                && actual_end.at_optional(reservation.ended)
                && resources.allow_optional(resource.map(|resource| resource.id.as_str()))
                && accounts.allow_optional(account.map(|account| account.id.as_str()))
                && groups.allow_optional(group.map(|group| group.id.as_str()))
                && services.allow_optional(service.map(|service| service.id.as_str()))
                && (!numbers.given() || numbers.allow(&reservation.number.to_string()))
        })
    }

    /// The guest who booked is among them: the document defines companions as those who will use the resource.
    pub(super) fn list_companionships(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let extent = body.extent()?;
        let (with_customers, with_groups) = (extent.flag("Customers")?, extent.flag("ReservationGroups")?);
        let (ids, customers) = (body.words("CompanionshipIds")?, body.words("CustomerIds")?);
        let (reservations, groups) = (body.words("ReservationIds")?, body.words("ReservationGroupIds")?);
        // A time is no filter by itself, only in addition to one of these.
        if ![&ids, &customers, &reservations, &groups].iter().any(|words| words.given()) {
            return Err(Refusal::invalid("CompanionshipIds"));
        }
        let updated = body.times("UpdatedUtc")?;
        let scope = self.scope(caller, body)?;
        let found = page(
            &self.companionships,
            body.limitation()?,
            |guest| scope.contains(&guest.enterprise),
            |_, guest| {
                let customer = self.customers.get(guest.customer).map(|customer| customer.id.as_str());
                let group = self.groups.get(guest.group).map(|group| group.id.as_str());
                let reservation = self.reservations.get(guest.reservation).map(|found| found.id.as_str());
                !guest.removed
                    && ids.allow(&guest.id)
                    && updated.at(guest.updated)
                    && customers.allow_optional(customer)
                    && groups.allow_optional(group)
                    && reservations.allow_optional(reservation)
            },
        )?;
        let mut answer = found.json("Companionships", |_, guest| self.companionship_json(guest));
        if let Some(fields) = answer.as_object_mut() {
            let named: Vec<(usize, usize)> =
                found.records.iter().map(|(_, guest)| (guest.customer, guest.group)).collect();
            self.add_extents(fields, (with_customers, with_groups), &named);
        }
        Ok(answer)
    }

    /// Reservations would come in their form of 2017, which our documents do not show: that extent stays null.
    fn add_extents(
        &self,
        fields: &mut Map<String, Value>,
        (customers, groups): (bool, bool),
        named: &[(usize, usize)],
    ) {
        let distinct = |part: fn(&(usize, usize)) -> usize| {
            let mut indexes: Vec<usize> = named.iter().map(part).collect();
            indexes.sort_unstable();
            indexes.dedup();
            indexes
        };
        let customers = customers.then(|| {
            let found = distinct(|(customer, _)| *customer).into_iter().filter_map(|index| self.customers.get(index));
            found.map(|customer| self.customer_json(customer)).collect::<Value>()
        });
        let groups = groups.then(|| {
            let found = distinct(|(_, group)| *group).into_iter().filter_map(|index| self.groups.get(index));
            found.map(|group| self.group_json(group)).collect::<Value>()
        });
        fields.insert("Customers".to_owned(), customers.unwrap_or_default());
        fields.insert("ReservationGroups".to_owned(), groups.unwrap_or_default());
        fields.insert("Reservations".to_owned(), Value::Null);
    }

    pub(super) fn list_groups(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let (ids, updated) = (body.words("ReservationGroupIds")?, body.times("UpdatedUtc")?);
        if !ids.given() && !updated.given() {
            return Err(Refusal::invalid("ReservationGroupIds"));
        }
        let scope = self.scope(caller, body)?;
        let found = page(
            &self.groups,
            body.limitation()?,
            |group| scope.contains(&group.enterprise),
            |_, group| ids.allow(&group.id) && updated.at(group.updated),
        )?;
        Ok(found.json("ReservationGroups", |_, group| self.group_json(group)))
    }

    pub(super) fn list_blocks(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let resources = body.words("AssignedResourceIds")?;
        let (colliding, updated) = (body.times("CollidingUtc")?, body.times("UpdatedUtc")?);
        let ids = body.words("ResourceBlockIds")?;
        let activity = body.activity()?;
        let scope = self.scope(caller, body)?;
        let found = page(
            &self.blocks,
            body.limitation()?,
            |block| scope.contains(&block.enterprise),
            |_, block| {
                let resource = self.resources.get(block.resource).map(|resource| resource.id.as_str());
                activity.allows(block.deleted.is_none())
                    && ids.allow(&block.id)
                    && resources.allow_optional(resource)
                    && colliding.overlapping(block.start, block.end)
                    && updated.at(block.updated)
            },
        )?;
        Ok(found.json("ResourceBlocks", |_, block| self.block_json(block)))
    }
}
