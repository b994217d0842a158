//! Resource access tokens (M1 to M4): listing, adding, updating, deleting. A batch is checked as a whole before any of it is
//! done: whether Mews does a part of a faulty batch is not documented. Whatever happens to a reservation, its tokens stay.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    Caller,
    pages::page,
    request::{Fields, MOST_ITEMS, Refusal, Update, instant, read_time},
    state::{Mews, Permissions, Token, TokenType},
};
use crate::{
    answer::Circumstances,
    journal::{EffectKind, Place},
    vendors::Vendor,
};

/// Longest `Value` in an update; for an addition none is documented.
const LONGEST_VALUE: usize = 255;

/// An update that was found to be possible.
#[derive(Debug)]
struct Change {
    token: usize,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    value: String,
    permissions: Permissions,
}

impl Mews {
    /// M1.
    pub(super) fn list_tokens(&self, caller: &Caller, body: Fields<'_>) -> Result<Value, Refusal> {
        let ids = body.words("ResourceAccessTokenIds")?;
        let orders = body.words("ServiceOrderIds")?;
        let colliding = body.times("CollidingUtc")?;
        let updated = body.times("UpdatedUtc")?;
        if !ids.given() && !orders.given() && !colliding.given() && !updated.given() {
            return Err(Refusal::invalid("ResourceAccessTokenIds"));
        }
        let activity = body.activity()?;
        let scope = self.scope(caller, body)?;
        let keep = |token: &Token| {
            activity.allows(token.active)
                && ids.allow(&token.id)
                && colliding.overlapping(token.start, token.end)
                && updated.at(token.updated)
                && orders.allow_optional(self.reservations.get(token.reservation).map(|order| order.id.as_str()))
        };
        let found =
            page(&self.tokens, body.limitation()?, |token| scope.contains(&token.enterprise), |_, token| keep(token))?;
        Ok(found.json("ResourceAccessTokens", |_, token| self.token_json(token)))
    }

    /// M2. Nothing is recognised as a repetition: what is added twice is there twice.
    pub(super) fn add_tokens(
        &mut self,
        caller: &Caller,
        body: Fields<'_>,
        (at, caused_by): (&Circumstances<'_>, u64),
    ) -> Result<Value, Refusal> {
        let items = body.items("ResourceAccessTokenParameters", MOST_ITEMS)?;
        let wanted = items.iter().map(|item| self.wanted_token(caller, item, at.now));
        let wanted: Vec<Token> = wanted.collect::<Result<_, _>>()?;
        let first = self.tokens.len();
        for token in wanted {
            let index = self.tokens.len();
            let token = Token { id: self.token_id(index + 1), ..token };
            self.note(&token, EffectKind::TokenAdded, at, Some(caused_by));
            self.token_by_id.insert(token.id.clone(), index);
            self.tokens.push(token);
        }
        let added: Vec<Value> = self.tokens.iter().skip(first).map(|token| self.token_json(token)).collect();
        Ok(json!({ "ResourceAccessTokens": added }))
    }

    /// A token to be added, without an id yet. Only what is documented as required is; whether the validity must lie within
    /// the stay, and in which states of the reservation a token may be added, is not documented: anything goes.
    fn wanted_token(&self, caller: &Caller, item: &Value, now: DateTime<Utc>) -> Result<Token, Refusal> {
        let item = Fields::of(item, "ResourceAccessTokenParameters")?;
        let order = self.reservation_by_id.get(item.text("ServiceOrderId")?).copied();
        let order = order.and_then(|index| self.reservations.get(index).map(|order| (index, order.enterprise)));
        let (reservation, enterprise) = order
            .filter(|(_, enterprise)| caller.enterprises.contains(enterprise))
            .ok_or_else(|| Refusal::invalid("ServiceOrderId"))?;
        let companionship = match item.optional_text("CompanionshipId")? {
            Some(id) => {
                Some(self.companionship_of(reservation, id).ok_or_else(|| Refusal::invalid("CompanionshipId"))?)
            }
            None => None,
        };
        let resource = match item.optional_text("ResourceId")? {
            Some(id) => Some(self.resource_of(enterprise, id).ok_or_else(|| Refusal::invalid("ResourceId"))?),
            None => None,
        };
        let kind = match item.text("Type")? {
            "PinCode" => TokenType::PinCode,
            "RfidTag" => TokenType::RfidTag,
            _ => return Err(Refusal::invalid("Type")),
        };
        let (start, end) = (instant(item.time("ValidityStartUtc")?), instant(item.time("ValidityEndUtc")?));
        if end < start {
            return Err(Refusal::invalid("ValidityEndUtc"));
        }
        let permissions = item.get("Permissions").ok_or_else(|| Refusal::invalid("Permissions"))?;
        Ok(Token {
            id: String::new(),
            enterprise,
            reservation,
            companionship,
            resource,
            kind,
            value: item.text("Value")?.to_owned(),
            serial_number: item.optional_text("SerialNumber")?.map(str::to_owned),
            start,
            end,
            permissions: permissions_in(permissions, Permissions::default())?,
            active: true,
            created: instant(now),
            updated: instant(now),
        })
    }

    /// M3.
    pub(super) fn update_tokens(
        &mut self,
        caller: &Caller,
        body: Fields<'_>,
        (at, caused_by): (&Circumstances<'_>, u64),
    ) -> Result<Value, Refusal> {
        let scope = self.one_enterprise(caller, body)?;
        let items = body.items("ResourceAccessTokenUpdates", MOST_ITEMS)?;
        let changes = items.iter().map(|item| self.wanted_change(&scope, item));
        let changes: Vec<Change> = changes.collect::<Result<_, _>>()?;
        let mut updated = Vec::with_capacity(changes.len());
        for change in changes {
            let Change { token: index, start, end, value, permissions } = change;
            let Some(token) = self.tokens.get_mut(index) else { continue };
            (token.start, token.end, token.value, token.permissions) = (start, end, value, permissions);
            token.updated = instant(at.now);
            updated.extend(self.tokens.get(index).map(|token| {
                self.note(token, EffectKind::TokenUpdated, at, Some(caused_by));
                self.token_json(token)
            }));
        }
        Ok(json!({ "ResourceAccessTokens": updated }))
    }

    /// A deleted token is in the wrong state for an update. Validity and value are required in a token, so they cannot be
    /// cleared; a permission that is cleared is not given.
    fn wanted_change(&self, scope: &[usize], item: &Value) -> Result<Change, Refusal> {
        let item = Fields::of(item, "ResourceAccessTokenUpdates")?;
        let index = self.token_by_id.get(item.text("ResourceAccessTokenId")?).copied();
        let (index, token) = index
            .and_then(|index| self.tokens.get(index).map(|token| (index, token)))
            .filter(|(_, token)| token.active && scope.contains(&token.enterprise))
            .ok_or_else(|| Refusal::invalid("ResourceAccessTokenId"))?;
        let time = |name: &str, before: DateTime<Utc>| match item.update(name)? {
            Update::Unchanged => Ok(before),
            Update::Clear => Err(Refusal::invalid(name)),
            Update::Set(value) => read_time(value).map(instant).ok_or_else(|| Refusal::invalid(name)),
        };
        let (start, end) = (time("ValidityStartUtc", token.start)?, time("ValidityEndUtc", token.end)?);
        if end < start {
            return Err(Refusal::invalid("ValidityEndUtc"));
        }
        let value = match item.update("Value")? {
            Update::Unchanged => token.value.as_str(),
            Update::Clear => return Err(Refusal::invalid("Value")),
            Update::Set(value) => value
                .as_str()
                .filter(|text| (1..=LONGEST_VALUE).contains(&text.chars().count()))
                .ok_or_else(|| Refusal::invalid("Value"))?,
        };
        let permissions = match item.get("Permissions") {
            Some(permissions) => permissions_in(permissions, token.permissions)?,
            None => token.permissions,
        };
        Ok(Change { token: index, start, end, value: value.to_owned(), permissions })
    }

    /// M4. A deleted token stays as an inactive one. Deleting it again does nothing: the document is silent.
    pub(super) fn delete_tokens(
        &mut self,
        caller: &Caller,
        body: Fields<'_>,
        (at, caused_by): (&Circumstances<'_>, u64),
    ) -> Result<Value, Refusal> {
        let items = body.items("Ids", MOST_ITEMS)?;
        let ids = items.iter().map(|id| {
            let index = id.as_str().and_then(|id| self.token_by_id.get(id)).copied();
            let token = index.and_then(|index| self.tokens.get(index));
            index
                .filter(|_| token.is_some_and(|token| caller.enterprises.contains(&token.enterprise)))
                .ok_or_else(|| Refusal::invalid("Ids"))
        });
        let indexes: Vec<usize> = ids.collect::<Result<_, _>>()?;
        for index in indexes {
            let Some(token) = self.tokens.get_mut(index).filter(|token| token.active) else { continue };
            (token.active, token.updated) = (false, instant(at.now));
            if let Some(token) = self.tokens.get(index) {
                self.note(token, EffectKind::TokenDeleted, at, Some(caused_by));
            }
        }
        Ok(json!({}))
    }

    /// Journals what happened to a token: the reservation as the device, the token as the door.
    pub(super) fn note(&self, token: &Token, kind: EffectKind, at: &Circumstances<'_>, caused_by: Option<u64>) {
        let Some(order) = self.reservations.get(token.reservation) else { return };
        let place = Place { vendor: Vendor::Mews, device: &order.id, door: Some(&token.id), position: None };
        at.journal.effect(place, kind, at.now, caused_by);
    }

    fn companionship_of(&self, reservation: usize, id: &str) -> Option<usize> {
        let guests = self.guests.get(&reservation)?;
        let known = |index: &&usize| {
            self.companionships
                .get(**index)
                .is_some_and(|companionship| companionship.id == id && !companionship.removed)
        };
        guests.iter().find(known).copied()
    }

    fn token_id(&self, number: usize) -> String {
        let (born, number) = (u128::from(self.born), u128::try_from(number).unwrap_or_default());
        uuid::Builder::from_u128(born << 80 | number)
            .with_version(uuid::Version::Random)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid()
            .to_string()
    }
}

/// `Permissions`, whose members are wrapped and may each be absent.
fn permissions_in(value: &Value, before: Permissions) -> Result<Permissions, Refusal> {
    let refused = || Refusal::invalid("Permissions");
    let fields = Fields::of(value, "Permissions")?;
    let member = |name: &str, before: bool| match fields.update(name).map_err(|_| refused())? {
        Update::Unchanged => Ok(before),
        Update::Clear => Ok(false),
        Update::Set(value) => value.as_bool().ok_or_else(refused),
    };
    Ok(Permissions {
        bed: member("Bed", before.bed)?,
        room: member("Room", before.room)?,
        floor: member("Floor", before.floor)?,
        building: member("Building", before.building)?,
    })
}
