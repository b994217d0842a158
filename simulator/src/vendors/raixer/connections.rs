//! R6 to R16 and R18: who holds a connection to which device, and giving a device up.

use super::{
    body::{Fields, Refusal, required},
    ok,
    state::{Connection, Raixer, RaixerProfile},
    wire,
};
use crate::{
    answer::{Answer, Call, Circumstances},
    journal::EffectKind,
};
use serde_json::json;

/// What a call by e-mail does to the connections it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByEmail {
    Enable,
    Disable,
    Delete,
    Update,
}

impl Raixer {
    /// A connection of the path that the caller may read: an own one, or one to a device the caller may use.
    pub(super) fn readable_connection(&self, account: usize, call: &Call) -> Result<usize, Refusal> {
        let index = self.connection_index(call.param(0)).ok_or(Refusal::NOT_FOUND)?;
        let connection = self.connections.get(index).ok_or(Refusal::NOT_FOUND)?;
        let own = connection.account == account;
        if own || self.may_use(account, connection.device) { Ok(index) } else { Err(Refusal::UNAUTHORIZED) }
    }

    /// R6. The reference asks for no permission: who knows a device's id can connect to it, and who leaves the owner out
    /// becomes the owner. The parameter is `deviceOwer` in the table and `deviceOwner` in the example; both are read, and
    /// compared with nothing but the caller. The table's sentence on the profile contradicts the row of `profile`, which is
    /// followed: a given profile counts.
    pub(super) fn create_connection(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let fields = Fields::of(call)?;
        let device = self.device_index(required(fields.text("deviceId")?)?).ok_or(Refusal::NO_SUCH_DEVICE)?;
        let (profile, disabled, name) = (fields.profile()?, fields.flag("disabled")?, fields.text("name")?);
        let (table, example) = (fields.text("deviceOwer")?, fields.text("deviceOwner")?);
        let owner = table.or(example);
        let own_id = self.account_id(account);
        let by_owner =
            if owner.is_none_or(|owner| owner == own_id) { RaixerProfile::Admin } else { RaixerProfile::User };
        if owner.is_none() {
            let device = self.devices.get_mut(device).ok_or(Refusal::NO_SUCH_DEVICE)?;
            device.updated = at.now;
            device.owner = Some(account);
        }
        let id = self.fresh_id();
        let index = self.connect(id, account, device, profile.unwrap_or(by_owner), at.now);
        if let Some(connection) = self.connections.get_mut(index) {
            connection.disabled = disabled.unwrap_or_default();
            connection.name = name.map(str::to_owned);
        }
        self.changed(device, None, EffectKind::DeviceAccessGranted, Some(call), at);
        if owner.is_none() {
            self.changed(device, None, EffectKind::OwnerChanged, Some(call), at);
        }
        Ok(ok(&self.ordered_connections_json(account)))
    }

    /// R7. Own ones only through the device: a disabled holder does not enable themselves.
    pub(super) fn update_connection(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let fields = Fields::of(call)?;
        let (profile, disabled, name) = (fields.profile()?, fields.flag("disabled")?, fields.text("name")?);
        let index = self.connection_index(call.param(0)).ok_or(Refusal::NOT_FOUND)?;
        let device = self.connections.get(index).map(|connection| connection.device).ok_or(Refusal::NOT_FOUND)?;
        if !self.may_use(account, device) {
            return Err(Refusal::UNAUTHORIZED);
        }
        let connection = self.connections.get_mut(index).ok_or(Refusal::NOT_FOUND)?;
        connection.profile = profile.unwrap_or(connection.profile);
        connection.disabled = disabled.unwrap_or(connection.disabled);
        connection.name = name.map(str::to_owned).or(connection.name.take());
        connection.updated = at.now;
        self.changed(device, None, EffectKind::DeviceAccessChanged, Some(call), at);
        Ok(ok(&wire::updated()))
    }

    /// R8. A holder may also give up the own one.
    pub(super) fn delete_connection(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let index = self.readable_connection(account, call)?;
        let device = self.connections.get(index).map(|connection| connection.device).ok_or(Refusal::NOT_FOUND)?;
        self.disconnect(index);
        self.changed(device, None, EffectKind::DeviceAccessRevoked, Some(call), at);
        Ok(ok(&wire::deleted()))
    }

    /// R9 to R12. An e-mail that nobody has changes nothing; the answer is the same list.
    pub(super) fn by_email(
        &mut self,
        account: usize,
        call: &Call,
        what: ByEmail,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let fields = Fields::of(call)?;
        let device = self.permitted(account, call)?;
        let email = required(fields.text("email")?)?;
        let profile = if what == ByEmail::Update { Some(required(fields.profile()?)?) } else { None };
        let all = self.devices.get(device).map(|device| device.connections.clone()).unwrap_or_default();
        let of_email = |connection: &Connection| {
            self.accounts.get(connection.account).is_some_and(|account| account.email == email)
        };
        let hit: Vec<usize> =
            all.into_iter().filter(|index| self.connections.get(*index).is_some_and(of_email)).collect();
        for index in hit {
            if what == ByEmail::Delete {
                self.disconnect(index);
                self.changed(device, None, EffectKind::DeviceAccessRevoked, Some(call), at);
                continue;
            }
            if let Some(connection) = self.connections.get_mut(index) {
                connection.profile = profile.unwrap_or(connection.profile);
                connection.disabled = match what {
                    ByEmail::Enable => false,
                    ByEmail::Disable => true,
                    ByEmail::Delete | ByEmail::Update => connection.disabled,
                };
                connection.updated = at.now;
            }
            self.changed(device, None, EffectKind::DeviceAccessChanged, Some(call), at);
        }
        Ok(ok(&self.device_connections_json(device)))
    }

    /// R18: "it only removes the IDs of the owner and the campaign from a device, we never delete them", and everything
    /// associated to it. Who connects to it next owns it.
    pub(super) fn delete_device(
        &mut self,
        account: usize,
        call: &Call,
        at: &Circumstances<'_>,
    ) -> Result<Answer, Refusal> {
        let index = self.permitted(account, call)?;
        self.phones.retain(|phone| phone.device != index);
        let connections = self.devices.get(index).map(|device| device.connections.clone()).unwrap_or_default();
        for connection in connections {
            self.disconnect(connection);
        }
        let device = self.devices.get_mut(index).ok_or(Refusal::NO_SUCH_DEVICE)?;
        (device.owner, device.campaign, device.updated) = (None, None, at.now);
        device.doors.clear();
        device.sensors.clear();
        device.forget();
        let body = json!({ "deviceId": device.id, "removed": true, "msg": "device_removed" });
        self.changed(index, None, EffectKind::DeviceRemoved, Some(call), at);
        Ok(ok(&body))
    }
}
