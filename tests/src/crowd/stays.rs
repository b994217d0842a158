//! Stays, their tokens, and what of tokens and credentials is at vendors.

use std::collections::BTreeSet;

use domain::{
    account::Vendor,
    ids::{AccessTokenId, DoorId, IdSource},
    placement::{CardHolderWish, Desired, DeviceAccessWish, PhoneWish, PlacementProgress, PlacementState, Wish},
    record::{AccessProfile, ReservationState, TokenType},
    stay::{Readiness, TokenState},
};
use entities::rows::{access_token, access_token_door, placement, reservation, vendor_account};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Maker, hour};

impl Maker {
    pub(super) fn stays(&mut self, stays: usize) {
        for _ in 0..stays {
            let site_id = self.a_site();
            let guest_id = self.dice.one(&self.crowd.users).map(|user| user.id);
            let stay = reservation::Model {
                id: self.id(),
                organization_id: self.crowd.organization,
                site_id,
                account_id: None,
                external_id: None,
                number: None,
                guest_id: guest_id.filter(|_| self.dice.comes(80)),
                resource: None,
                state: ReservationState::Confirmed.as_str().to_owned(),
                starts_at: hour(-24),
                ends_at: hour(24),
                actual_start: None,
                actual_end: None,
                readiness: Readiness::Pending.as_str().to_owned(),
                reasons: json!([]),
                due_at: None,
                version: 1,
                changed_at: hour(0),
                created_at: hour(0),
            };
            for _ in 0..self.dice.roll(3) {
                self.token(&stay);
            }
            self.crowd.reservations.push(stay);
        }
    }

    pub(super) fn token(&mut self, stay: &reservation::Model) {
        let others = [TokenState::Pending, TokenState::Revoking, TokenState::Revoked];
        let token = access_token::Model {
            id: self.id(),
            organization_id: self.crowd.organization,
            site_id: stay.site_id,
            reservation_id: stay.id,
            token_type: TokenType::PinCode.as_str().to_owned(),
            sealed: None,
            fingerprint: vec![1],
            state: self.dice.word(TokenState::Active, &others).as_str().to_owned(),
            asked_from: None,
            asked_until: None,
            asked_doors: None,
            valid_from: self.dice.time(),
            valid_until: self.dice.time(),
            requested_by: "test".to_owned(),
            idempotency_key: self.id().to_string(),
            revoke_requested_at: None,
            revoked_at: None,
            version: 1,
            created_at: hour(0),
        };
        for door_id in self.doors_at(stay.site_id, 3) {
            self.of_holders.entry(token.id).or_default().push(door_id);
            let leaves_at = self.dice.comes(20).then(|| self.dice.time());
            self.crowd.token_doors.push(access_token_door::Model { access_token_id: token.id, door_id, leaves_at });
        }
        self.crowd.tokens.push(token);
    }

    pub(super) fn placements(&mut self) {
        let tokens = self.crowd.tokens.iter().map(|token| (Some(token.id), None));
        let credentials = self.crowd.credentials.iter().map(|credential| (None, Some(credential.id)));
        let holders: Vec<(Option<Uuid>, Option<Uuid>)> = tokens.chain(credentials).collect();
        for (token, credential) in holders {
            if self.dice.comes(80) {
                self.placement(token, credential);
            }
        }
    }

    pub(super) fn placement(&mut self, token_id: Option<Uuid>, credential_id: Option<Uuid>) {
        let Some(account) = self.dice.one(&self.crowd.accounts).cloned() else { return };
        let own = self.of_holders.get(&token_id.or(credential_id).unwrap_or_default()).cloned().unwrap_or_default();
        let wish = self.dice.comes(90).then(|| self.wish(&account, &own, token_id));
        let sent = match self.dice.roll(3) {
            0 => None,
            1 => wish.clone(),
            _ => Some(self.wish(&account, &own, token_id)),
        };
        let state = match self.dice.roll(2) {
            0 => PlacementState::Confirmed,
            _ => self.dice.one(PlacementState::ALL).copied().unwrap_or(PlacementState::Waiting),
        };
        let words = ["person", "access", "phone"];
        let record = self.dice.one(&words).map(|word| format!("{word}-{}", self.dice.roll(40)));
        let progress = PlacementProgress { sent, ..PlacementProgress::default() };
        self.crowd.placements.push(placement::Model {
            id: self.ids.next_uuid(),
            organization_id: self.crowd.organization,
            site_id: account.site_id,
            account_id: account.id,
            device_id: None,
            token_id,
            credential_id,
            desired: self.dice.word(Desired::Present, &[Desired::Absent]).as_str().to_owned(),
            wish: wish.and_then(|wish| serde_json::to_value(wish).ok()),
            wish_version: 1,
            state: state.as_str().to_owned(),
            progress: serde_json::to_value(progress).unwrap_or(Value::Null),
            external_id: record.filter(|_| self.dice.comes(60)),
            command_id: None,
            error_code: None,
            error_message: None,
            due_at: None,
            last_confirmed_at: None,
            revoke_requested_at: None,
            revoked_at: None,
            version: 1,
            created_at: hour(0),
        });
    }

    /// What might be wished for at an account: often the holder's own doors there, and always only doors there.
    pub(super) fn wish(&mut self, account: &vendor_account::Model, own: &[Uuid], token: Option<Uuid>) -> Wish {
        let here = self.at_accounts.get(&account.id).cloned().unwrap_or_default();
        let few = self.dice.roll(4);
        let more: Vec<Uuid> = (0..few).filter_map(|_| self.dice.one(&here).copied()).collect();
        let own = own.iter().filter(|door| here.binary_search(door).is_ok()).copied();
        let doors: BTreeSet<DoorId> = own.chain(more).map(DoorId).collect();
        let (from, until) = (self.dice.time_or_none(), self.dice.time_or_none());
        if account.vendor == Vendor::Lockt.as_str() {
            return Wish::CardHolder(CardHolderWish {
                id_number: token.map_or_else(|| "credential".to_owned(), |token| AccessTokenId(token).to_string()),
                first_name: "First".to_owned(),
                last_name: "Last".to_owned(),
                access_levels: BTreeSet::new(),
                from,
                until,
                card_number: None,
                has_pin: true,
                has_card_number: false,
                doors,
            });
        }
        if self.dice.comes(50) {
            return Wish::Phone(PhoneWish { number: "351".to_owned(), from, until, doors });
        }
        let (email, name) = ("a@example.org".to_owned(), "A".to_owned());
        Wish::DeviceAccess(DeviceAccessWish { email, name, profile: AccessProfile::User, from, until, doors })
    }
}
