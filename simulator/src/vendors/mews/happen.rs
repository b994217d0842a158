//! Carrying out what happens at a hotel. What can happen is in `change`.

use chrono::{DateTime, Utc};

use super::{
    ROWS,
    build::Booking,
    change::{MewsChange, MewsIntegrationAction},
    notify::Event,
    request::instant,
    state::{Block, Mews, MewsResourceState, MewsState, Reservation},
};
use crate::{answer::Circumstances, journal::EffectKind};

impl Mews {
    /// Carries out a change; nothing if one of its ids is unknown, or taken where it must be new.
    pub(crate) fn change(&mut self, change: MewsChange, at: &Circumstances<'_>) -> Option<()> {
        match change {
            MewsChange::AddCustomer { .. } | MewsChange::EditCustomer { .. } => self.change_customer(change, at),
            MewsChange::Book { .. } => self.change_books(change, at),
            MewsChange::SetState { reservation, state } => {
                let index = self.reservation_by_id.get(&reservation).copied()?;
                let released = self.reservations.get(index)?.released.filter(|_| state != MewsState::Optional);
                if let Some(moment) = released {
                    self.releases.remove(&(moment, index));
                }
                self.touch(index, at, |reservation, now| enter(reservation, state, now))
            }
            MewsChange::AssignRoom { reservation, resource, locked } => {
                let index = self.reservation_by_id.get(&reservation).copied()?;
                let enterprise = self.reservations.get(index)?.enterprise;
                let resource = match resource {
                    Some(id) => Some(self.resource_of(enterprise, &id)?),
                    None => None,
                };
                self.touch(index, at, |reservation, _| (reservation.resource, reservation.locked) = (resource, locked))
            }
            MewsChange::Reschedule { reservation, start, end } => {
                let index = self.reservation_by_id.get(&reservation).copied()?;
                self.touch(index, at, |reservation, _| {
                    reservation.start = start.map_or(reservation.start, instant);
                    reservation.end = end.map_or(reservation.end, instant);
                })
            }
            MewsChange::SetOwner { reservation, customer } => {
                let index = self.reservation_by_id.get(&reservation).copied()?;
                let (owner, new) = (self.reservations.get(index)?.account, self.customer_index(&customer)?);
                self.remove_guest(index, owner, at.now);
                if !self.guests_of(index).any(|guest| guest.customer == new) {
                    self.add_guest(index, new, instant(at.now));
                }
                self.touch(index, at, |reservation, _| reservation.account = new)
            }
            MewsChange::AddGuest { reservation, customer } => {
                let index = self.reservation_by_id.get(&reservation).copied()?;
                let customer = self.customer_index(&customer)?;
                self.add_guest(index, customer, instant(at.now));
                Some(())
            }
            MewsChange::RemoveGuest { reservation, customer } => {
                let index = self.reservation_by_id.get(&reservation).copied()?;
                let customer = self.customer_index(&customer)?;
                self.remove_guest(index, customer, at.now).then_some(())
            }
            MewsChange::SetResourceState { .. } | MewsChange::Block { .. } | MewsChange::Unblock { .. } => {
                self.change_room(change, at)
            }
            MewsChange::EditToken { token, value, validity_end, active } => {
                let index = self.token_by_id.get(&token).copied()?;
                let token = self.tokens.get_mut(index)?;
                token.value = value.unwrap_or(std::mem::take(&mut token.value));
                token.end = validity_end.map_or(token.end, instant);
                token.active = active.unwrap_or(token.active);
                token.updated = instant(at.now);
                self.tokens.get(index).map(|token| self.note(token, EffectKind::ByHand, at, None))
            }
            MewsChange::Integration { .. } | MewsChange::Permit { .. } | MewsChange::TooHeavyAbove { .. } => {
                self.administer(change, at)
            }
        }
    }

    fn change_customer(&mut self, change: MewsChange, at: &Circumstances<'_>) -> Option<()> {
        match change {
            MewsChange::AddCustomer { access_token, customer, first_name, last_name, email, phone } => {
                let chain = self.integration_mut(&access_token)?.chain;
                if self.customer_index(&customer).is_some() {
                    return None;
                }
                let now = instant(at.now);
                self.add_customer(customer.clone(), chain, (first_name, last_name), (email, phone), now);
                self.tell_chain(chain, &[Event::CustomerAdded(&customer), Event::CustomerUpdated(&customer)], at);
            }
            MewsChange::EditCustomer { customer, first_name, last_name, email, phone } => {
                let index = self.customer_index(&customer)?;
                let found = self.customers.get_mut(index)?;
                found.first_name = first_name.unwrap_or(std::mem::take(&mut found.first_name));
                found.last_name = last_name.unwrap_or(std::mem::take(&mut found.last_name));
                found.email = email.or(found.email.take());
                found.phone = phone.or(found.phone.take());
                found.updated = instant(at.now);
                let chain = found.chain;
                self.tell_chain(chain, &[Event::CustomerUpdated(&customer)], at);
            }
            _ => return None,
        }
        Some(())
    }

    fn change_books(&mut self, change: MewsChange, at: &Circumstances<'_>) -> Option<()> {
        let MewsChange::Book { reservation, customer, resource, start, end, state } = change else { return None };
        let customer = self.customer_index(&customer)?;
        let chain = self.customers.get(customer)?.chain;
        let resource = match resource {
            Some(id) => Some(self.resource_index(&id)?),
            None => None,
        };
        let enterprise = match resource {
            Some(index) => self.resources.get(index)?.enterprise,
            None => self.enterprises.iter().position(|enterprise| enterprise.chain == chain)?,
        };
        if self.reservation_by_id.contains_key(&reservation) {
            return None;
        }
        let (id, created) = (reservation.clone(), instant(at.now));
        let (start, end) = (instant(start), instant(end));
        self.book(Booking { id, enterprise, customer, resource, state, start, end, created, now: created });
        self.tell(enterprise, &[Event::ServiceOrderUpdated(&reservation)], at);
        Some(())
    }

    fn change_room(&mut self, change: MewsChange, at: &Circumstances<'_>) -> Option<()> {
        match change {
            MewsChange::SetResourceState { resource, state } => self.set_resource(&resource, at, |_, to| *to = state),
            MewsChange::Block { block, resource, kind, start, end } => {
                let resource = self.resource_index(&resource)?;
                let enterprise = self.resources.get(resource)?.enterprise;
                if self.blocks.iter().any(|known| known.id == block) {
                    return None;
                }
                let now = instant(at.now);
                self.blocks.push(Block {
                    id: block.clone(),
                    enterprise,
                    resource,
                    kind,
                    start: instant(start),
                    end: instant(end),
                    deleted: None,
                    created: now,
                    updated: now,
                });
                self.tell(enterprise, &[Event::ResourceBlockUpdated(&block)], at);
                Some(())
            }
            MewsChange::Unblock { block } => {
                let now = instant(at.now);
                let found = self.blocks.iter_mut().find(|found| found.id == block && found.deleted.is_none())?;
                (found.deleted, found.updated) = (Some(now), now);
                let enterprise = found.enterprise;
                self.tell(enterprise, &[Event::ResourceBlockUpdated(&block)], at);
                Some(())
            }
            _ => None,
        }
    }

    fn administer(&mut self, change: MewsChange, at: &Circumstances<'_>) -> Option<()> {
        match change {
            MewsChange::Integration { access_token, action, new_access_token } => {
                let index = self.integrations.iter().position(|found| found.access_token == access_token)?;
                let integration = self.integrations.get_mut(index)?;
                match action {
                    MewsIntegrationAction::Created
                    | MewsIntegrationAction::Enabled
                    | MewsIntegrationAction::Reinstated => integration.enabled = true,
                    MewsIntegrationAction::Disabled
                    | MewsIntegrationAction::Canceled
                    | MewsIntegrationAction::Deleted => integration.enabled = false,
                    MewsIntegrationAction::ApiKeyCreated => integration.access_token = new_access_token?,
                }
                self.integrations.get(index).map(|found| self.tell_integration(found, action.word(), at))
            }
            MewsChange::Permit { access_token, operation, permitted } => {
                ROWS.iter().find(|row| row.operation == operation)?;
                let denied = &mut self.integration_mut(&access_token)?.denied;
                if permitted {
                    denied.remove(&operation);
                } else {
                    denied.insert(operation);
                }
                Some(())
            }
            MewsChange::TooHeavyAbove { rows } => {
                self.heavy_above = rows;
                Some(())
            }
            _ => None,
        }
    }

    /// Gives a resource another name.
    pub(crate) fn rename_resource(&mut self, id: &str, name: String, at: &Circumstances<'_>) -> Option<()> {
        self.set_resource(id, at, |resource, _| *resource = name)
    }

    /// Takes a resource out of use; it stays on the reservations it is assigned to.
    pub(crate) fn retire_resource(&mut self, id: &str, at: &Circumstances<'_>) -> Option<()> {
        let index = self.resource_index(id)?;
        self.resources.get_mut(index).filter(|resource| resource.active)?.active = false;
        self.set_resource(id, at, |_, _| ())
    }

    fn set_resource(
        &mut self,
        id: &str,
        at: &Circumstances<'_>,
        set: impl FnOnce(&mut String, &mut MewsResourceState),
    ) -> Option<()> {
        let index = self.resource_index(id)?;
        let resource = self.resources.get_mut(index)?;
        set(&mut resource.name, &mut resource.state);
        resource.updated = instant(at.now);
        let enterprise = resource.enterprise;
        self.tell(enterprise, &[Event::ResourceUpdated(id)], at);
        Some(())
    }

    /// Lets an optional reservation go.
    pub(super) fn release(&mut self, reservation: usize, moment: DateTime<Utc>, at: &Circumstances<'_>) {
        let at = Circumstances { now: moment, ..*at };
        self.touch(reservation, &at, |reservation, now| enter(reservation, MewsState::Canceled, now));
    }

    /// Changes a reservation, which counts as updated and is told.
    fn touch(
        &mut self,
        index: usize,
        at: &Circumstances<'_>,
        change: impl FnOnce(&mut Reservation, DateTime<Utc>),
    ) -> Option<()> {
        let now = instant(at.now);
        let reservation = self.reservations.get_mut(index)?;
        change(reservation, now);
        reservation.updated = now;
        let reservation = self.reservations.get(index)?;
        self.tell(reservation.enterprise, &[Event::ServiceOrderUpdated(&reservation.id)], at);
        Some(())
    }

    fn remove_guest(&mut self, reservation: usize, customer: usize, now: DateTime<Utc>) -> bool {
        let Self { guests, companionships, .. } = self;
        let indexes = guests.get(&reservation).map(Vec::as_slice).unwrap_or_default();
        let mut removed = false;
        for index in indexes {
            if let Some(guest) =
                companionships.get_mut(*index).filter(|guest| !guest.removed && guest.customer == customer)
            {
                (guest.removed, guest.updated) = (true, instant(now));
                removed = true;
            }
        }
        removed
    }
}

/// Puts a reservation into a state, with the times that belong to it. What an earlier state left behind and the new one
/// contradicts is taken back, as when a cancelation is.
fn enter(reservation: &mut Reservation, state: MewsState, now: DateTime<Utc>) {
    reservation.state = state;
    reservation.released = reservation.released.filter(|_| state == MewsState::Optional);
    reservation.cancelled = (state == MewsState::Canceled).then_some(now);
    reservation.started = match state {
        MewsState::Started | MewsState::Processed => reservation.started.or(Some(now)),
        _ => None,
    };
    reservation.ended = (state == MewsState::Processed).then_some(now);
}
