//! People, their credentials and access levels.

use std::collections::BTreeSet;

use chrono::NaiveTime;
use domain::{
    credential::CredentialState,
    ids::IdSource,
    record::CredentialType,
    schedule::{DayRange, Week},
};
use entities::rows::{access_assignment, access_level, access_level_door, credential, credential_door, schedule, user};
use uuid::Uuid;

use super::{Maker, Size, hour};

impl Maker {
    pub(super) fn schedule(&mut self, site: Uuid) -> Uuid {
        let time = |hour| NaiveTime::from_hms_opt(u32::try_from(hour).unwrap_or(0), 0, 0).unwrap_or_default();
        let ranges = (0..=self.dice.roll(2)).map(|_| DayRange {
            days: (0..4).map(|_| u8::try_from(self.dice.roll(7)).unwrap_or(0)).collect(),
            starts: time(self.dice.roll(24)),
            ends: time(self.dice.roll(24)),
        });
        let week = Week { ranges: ranges.collect() };
        let schedule = schedule::Model {
            id: self.id(),
            organization_id: self.crowd.organization,
            site_id: site,
            name: "Hours".to_owned(),
            week: serde_json::to_value(week).unwrap_or_default(),
            version: 1,
            created_at: hour(0),
        };
        let id = schedule.id;
        self.crowd.schedules.push(schedule);
        id
    }

    pub(super) fn people(&mut self, size: Size) {
        for _ in 0..size.levels {
            let site = self.a_site();
            let schedule_id = self.dice.comes(50).then(|| self.schedule(site));
            let level = access_level::Model {
                id: self.id(),
                organization_id: self.crowd.organization,
                site_id: site,
                name: "Level".to_owned(),
                schedule_id,
                version: 1,
                created_at: hour(0),
            };
            let doors = self.doors_at(site, size.doors / 6);
            let doors =
                doors.into_iter().map(|door_id| access_level_door::Model { access_level_id: level.id, door_id });
            self.crowd.level_doors.extend(doors);
            self.crowd.levels.push(level);
        }
        for number in 0..size.users {
            let user = user::Model {
                id: self.id(),
                organization_id: self.crowd.organization,
                name: format!("Person {number}"),
                name_folded: format!("person {number}"),
                email: None,
                phone: None,
                account_id: None,
                external_id: None,
                erased_at: None,
                version: 1,
                created_at: hour(0),
            };
            let levels: BTreeSet<usize> =
                (0..self.dice.roll(4)).map(|_| self.dice.roll(self.crowd.levels.len())).collect();
            // The first level is everybody's.
            let levels = std::iter::once(0).chain(levels).collect::<BTreeSet<usize>>();
            for level in levels.into_iter().filter_map(|level| self.crowd.levels.get(level).map(|level| level.id)) {
                self.crowd.assignments.push(access_assignment::Model {
                    id: self.ids.next_uuid(),
                    organization_id: self.crowd.organization,
                    access_level_id: level,
                    user_id: user.id,
                    valid_from: self.dice.time_or_none(),
                    valid_until: self.dice.time_or_none(),
                    created_at: hour(0),
                });
            }
            for _ in 0..self.dice.roll(3) {
                self.credential(user.id);
            }
            self.crowd.users.push(user);
        }
    }

    pub(super) fn credential(&mut self, user_id: Uuid) {
        let kind = self.dice.word(CredentialType::Card, &[CredentialType::PhoneNumber, CredentialType::MobileKey]);
        let state = self.dice.word(CredentialState::Active, &[CredentialState::Suspended, CredentialState::Revoked]);
        let credential = credential::Model {
            id: self.id(),
            organization_id: self.crowd.organization,
            user_id,
            kind: kind.as_str().to_owned(),
            label: None,
            number: None,
            sealed: None,
            fingerprint: None,
            state: state.as_str().to_owned(),
            valid_from: self.dice.time_or_none(),
            valid_until: self.dice.time_or_none(),
            due_at: None,
            version: 1,
            created_at: hour(0),
        };
        if self.dice.comes(50) {
            let site = self.a_site();
            for door_id in self.doors_at(site, 3) {
                self.of_holders.entry(credential.id).or_default().push(door_id);
                self.crowd.credential_doors.push(credential_door::Model { credential_id: credential.id, door_id });
            }
        }
        self.crowd.credentials.push(credential);
    }
}
