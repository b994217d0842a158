//! Wishes as orders: what is asked of a vendor so that something is there, is there otherwise, or is gone. Pure; values
//! (PINs) are not in here.

use super::{CardHolderWish, PhoneWish, PmsTokenWish, Wish};
use crate::change::{
    AccessHolder, AccessTokenPlan, AccessTokenUpdate, Change, DeviceAccessPlan, DisabledUser, ImportOptions, UserPlan,
};

/// What makes it. `None`: its vendor makes no such thing through its API.
#[must_use]
pub fn create(wish: &Wish) -> Option<Change> {
    match wish {
        Wish::CardHolder(wish) => Some(import(wish, None)),
        Wish::Phone(wish) => Some(Change::AuthorizePhone { number: wish.number.clone(), authorized: true }),
        // Raixer makes an access for whoever asks: its request names no person. By e-mail address an access that somebody
        // has already can only be changed (document 001).
        Wish::DeviceAccess(_) => None,
        Wish::PmsToken(wish) => Some(Change::AddPmsAccessToken(token(wish))),
    }
}

/// What makes of the record with this id what is wished for. `None`: nothing of what the vendor keeps has to change.
#[must_use]
pub fn update(wish: &Wish, external_id: &str) -> Option<Change> {
    match wish {
        Wish::CardHolder(wish) => Some(import(wish, Some(external_id))),
        Wish::Phone(_) => Some(Change::ResumePhone { phone: external_id.to_owned() }),
        Wish::DeviceAccess(wish) => Some(Change::ChangeDeviceAccess {
            holder: AccessHolder::Record(external_id.to_owned()),
            plan: DeviceAccessPlan {
                profile: Some(wish.profile),
                disabled: Some(false),
                name: Some(wish.name.clone()),
                device_owner: None,
            },
        }),
        Wish::PmsToken(wish) => Some(Change::UpdatePmsAccessToken {
            token: external_id.to_owned(),
            update: AccessTokenUpdate {
                valid_from: Some(wish.from),
                valid_until: Some(wish.until),
                permissions: Some(wish.permissions),
                new_value: true,
            },
        }),
    }
}

/// What takes it away. `None`: the vendor's id of it has to be found first.
#[must_use]
pub fn withdraw(wish: &Wish, external_id: Option<&str>) -> Option<Change> {
    let id = external_id.map(str::to_owned);
    match wish {
        Wish::CardHolder(wish) => {
            let nameless = wish.is_nameless();
            let user = DisabledUser { id_number: wish.id_number.clone(), external_id: id, nameless };
            Some(Change::DisableUsers { users: vec![user] })
        }
        Wish::Phone(_) => id.map(|phone| Change::RemovePhone { phone }),
        Wish::DeviceAccess(_) => id.map(|id| Change::RevokeDeviceAccess { holder: AccessHolder::Record(id) }),
        Wish::PmsToken(_) => id.map(|token| Change::DeletePmsAccessToken { token }),
    }
}

/// Whether the sealed value goes along with an order, and how: see [`Change`].
#[must_use]
pub const fn carries_value(change: &Change) -> bool {
    matches!(change, Change::ImportUsers { .. } | Change::AddPmsAccessToken(_) | Change::UpdatePmsAccessToken { .. })
}

/// Whether `wish` cannot be made of what was sent: it is another record, made beside it before the old one goes.
#[must_use]
pub(super) fn is_another(sent: &Wish, wish: &Wish) -> bool {
    match (sent, wish) {
        (Wish::CardHolder(sent), Wish::CardHolder(wish)) => sent.id_number != wish.id_number,
        (Wish::Phone(sent), Wish::Phone(wish)) => sent.number != wish.number,
        (Wish::DeviceAccess(sent), Wish::DeviceAccess(wish)) => !sent.email.eq_ignore_ascii_case(&wish.email),
        (Wish::PmsToken(sent), Wish::PmsToken(wish)) => {
            let identity = |token: &PmsTokenWish| {
                let PmsTokenWish { reservation, companionship, resource, token_type, serial_number, .. } = token;
                (reservation.clone(), companionship.clone(), resource.clone(), *token_type, serial_number.clone())
            };
            identity(sent) != identity(wish)
        }
        _ => true,
    }
}

/// Whether the vendor keeps nothing of what differs: times of a vendor that knows none.
#[must_use]
pub(super) fn says_the_same(sent: &Wish, wish: &Wish) -> bool {
    let timeless = |wish: &Wish| match wish.clone() {
        Wish::Phone(wish) => {
            Some(Wish::Phone(PhoneWish { from: None, until: None, doors: Default::default(), ..wish }))
        }
        _ => None,
    };
    timeless(sent).is_some_and(|sent| Some(sent) == timeless(wish))
}

fn import(wish: &CardHolderWish, external_id: Option<&str>) -> Change {
    let user = UserPlan {
        id_number: wish.id_number.clone(),
        external_id: external_id.map(str::to_owned),
        first_name: wish.first_name.clone(),
        last_name: wish.last_name.clone(),
        // Never an e-mail address: the vendor matches by it, and would change somebody else.
        email: None,
        card_number: wish.card_number.clone(),
        enabled: true,
        access_from: wish.from,
        access_until: wish.until,
        access_levels: wish.access_levels.iter().cloned().collect(),
        has_pin: wish.has_pin,
        has_card_number: wish.has_card_number,
        ..UserPlan::default()
    };
    let options =
        ImportOptions { update_existing: true, validate_fails_batch: true, replace_privileges: true, dry_run: false };
    Change::ImportUsers { users: vec![user], options }
}

fn token(wish: &PmsTokenWish) -> AccessTokenPlan {
    AccessTokenPlan {
        reservation: wish.reservation.clone(),
        companionship: wish.companionship.clone(),
        resource: wish.resource.clone(),
        token_type: wish.token_type,
        serial_number: wish.serial_number.clone(),
        valid_from: wish.from,
        valid_until: wish.until,
        permissions: wish.permissions,
    }
}
