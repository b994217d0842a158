//! What the vendors of a crowd tell.

use std::collections::BTreeSet;

use domain::{
    account::Vendor,
    ids::AccessTokenId,
    record::{
        AccessLevelDetails, AutoAccessScheduleDetails, CredentialDetails, CredentialStatus, CredentialType,
        DeviceAccessDetails, FoundRecord, RecordDetails, UserDetails,
    },
};
use entities::rows::{device, vendor_account};

use super::{Crowd, Dice};

impl Crowd {
    /// What a vendor tells.
    pub(super) fn records(
        &self,
        dice: &mut Dice,
        account: &vendor_account::Model,
        card_holders: usize,
    ) -> Vec<FoundRecord> {
        let devices: Vec<&device::Model> =
            self.devices.iter().filter(|device| device.account_id == account.id).collect();
        let record = |external_id: String, device: Option<&device::Model>, details| FoundRecord {
            name: external_id.clone(),
            external_id,
            device: device.map(|device| device.external_id.clone()),
            location: String::new(),
            details,
            secret: None,
        };
        let mut found = Vec::new();
        if account.vendor == Vendor::Raixer.as_str() {
            for (number, device) in devices.iter().enumerate() {
                if dice.comes(70) {
                    let disabled = dice.comes(20);
                    let access = DeviceAccessDetails { disabled, ..DeviceAccessDetails::default() };
                    let details = RecordDetails::DeviceAccess(access);
                    found.push(record(format!("access-{number}"), Some(device), details));
                }
                if dice.comes(70) {
                    let status =
                        dice.word(CredentialStatus::Active, &[CredentialStatus::Suspended, CredentialStatus::Unknown]);
                    let phone = CredentialDetails {
                        credential_type: dice.word(CredentialType::PhoneNumber, &[CredentialType::Card]),
                        status,
                        number: Some(format!("351{number}")),
                        id_number: None,
                        user: None,
                        access_from: dice.time_or_none(),
                        access_until: dice.time_or_none(),
                        access_levels: None,
                        last_used_at: None,
                    };
                    found.push(record(format!("phone-{number}"), Some(device), RecordDetails::Credential(phone)));
                }
                if dice.comes(40) {
                    let listening = AutoAccessScheduleDetails {
                        campaign: None,
                        starts_at: dice.time(),
                        minutes: 60 * u32::try_from(dice.roll(40)).unwrap_or(0),
                        position: dice.comes(50).then(|| i32::try_from(1 + dice.roll(3)).unwrap_or(1)),
                    };
                    let details = RecordDetails::AutoAccessSchedule(listening);
                    found.push(record(format!("listening-{number}"), Some(device), details));
                }
            }
            return found;
        }
        let levels = 3 + devices.len() / 8;
        for level in 0..levels {
            let doors = (0..devices.len() / 3).filter_map(|_| Some(dice.one(&devices)?.external_id.clone())).collect();
            let details = RecordDetails::AccessLevel(AccessLevelDetails { doors });
            found.push(record(format!("level-{level}"), None, details));
        }
        for number in 0..card_holders {
            let few = dice.roll(3);
            let access_levels: BTreeSet<String> =
                (0..few).map(|_| format!("level-{}", dice.roll(levels + 1))).collect();
            let token = dice.one(&self.tokens).map(|token| AccessTokenId(token.id).to_string());
            let person = UserDetails {
                id_number: token.filter(|_| dice.comes(15)),
                enabled: dice.word(Some(true), &[Some(false), None]),
                access_from: dice.time_or_none(),
                access_until: dice.time_or_none(),
                access_levels: dice.comes(90).then_some(access_levels),
                ..UserDetails::default()
            };
            found.push(record(format!("person-{number}"), None, RecordDetails::User(person)));
        }
        found
    }
}
