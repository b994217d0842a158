//! Building what exists: the demo, worlds of any size, and worlds put together by a caller. Deterministic from a seed; the ids
//! are stable and as readable as each vendor's format permits. Nothing happens here.

mod bikeep;
mod lockt;
mod mews;
mod parqex;
mod plans;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use bikeep::BikeepCredentials;
pub use lockt::{
    LocktAccountPlan, LocktCredentials, LocktDoorPlan, LocktFobPlan, LocktLevelPlan, LocktSchedulePlan, LocktUserPlan,
};
pub use mews::MewsCredentials;
pub use parqex::ParqexCredentials;
pub use plans::{
    BikeepAccountPlan, BikeepDevicePlan, BikeepLocationPlan, ParqexAccountPlan, ParqexControllerPlan, ParqexDoorPlan,
    RaixerAccountPlan, RaixerDevicePlan,
};

use crate::vendors::{
    bikeep::Bikeep,
    lockt::Lockt,
    mews::Mews,
    parqex::Parqex,
    raixer::{self, Raixer, RaixerKind, RaixerProfile, RaixerUse},
};

/// What links an account at Raixer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaixerCredentials {
    /// User of HTTP Basic.
    pub user: String,
    /// Password of HTTP Basic.
    pub password: String,
}

/// One account at each vendor, as plain text: they open nothing but simulated doors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoCredentials {
    /// Bikeep.
    pub bikeep: BikeepCredentials,
    /// Raixer.
    pub raixer: RaixerCredentials,
    /// ParqEx.
    pub parqex: ParqexCredentials,
    /// Lockt.
    pub lockt: LocktCredentials,
    /// Mews.
    pub mews: MewsCredentials,
}

/// How much exists in a world built by [`World::sized`]. Everything is free, closed and healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldSize {
    /// Accounts at each vendor, each with everything below.
    pub accounts: usize,
    /// Bikeep locations of an account.
    pub bikeep_locations: usize,
    /// Docks of a location, besides its guard.
    pub bikeep_docks: usize,
    /// Raixer devices of an account.
    pub raixer_devices: usize,
    /// Doors of a Raixer device.
    pub raixer_doors: usize,
    /// ParqEx controllers of an account.
    pub parqex_controllers: usize,
    /// Doors of a ParqEx controller.
    pub parqex_doors: usize,
    /// Rooms of a Lockt account, besides its four common doors.
    pub lockt_rooms: usize,
    /// Users of a Lockt account.
    pub lockt_users: usize,
    /// Rooms of a Mews account's hotel.
    pub mews_rooms: usize,
    /// Reservations of a Mews account's hotel.
    pub mews_reservations: usize,
}

impl Default for WorldSize {
    /// One account with ten doors at each vendor.
    fn default() -> Self {
        WorldSize {
            accounts: 1,
            bikeep_locations: 1,
            bikeep_docks: 10,
            raixer_devices: 5,
            raixer_doors: 2,
            parqex_controllers: 5,
            parqex_doors: 2,
            lockt_rooms: 6,
            lockt_users: 50,
            mews_rooms: 10,
            mews_reservations: 10,
        }
    }
}

/// Everything the vendors know at the start.
#[derive(Debug)]
pub struct World {
    seed: u64,
    pub(crate) bikeep: Bikeep,
    pub(crate) lockt: Lockt,
    pub(crate) mews: Mews,
    pub(crate) raixer: Raixer,
    pub(crate) parqex: Parqex,
    pub(crate) credentials: Vec<DemoCredentials>,
}

impl World {
    /// A world with nothing in it; the seed goes into the ids of what is added.
    #[must_use]
    pub fn empty(seed: u64) -> World {
        World {
            seed,
            bikeep: Bikeep::default(),
            lockt: Lockt::default(),
            mews: Mews::empty(seed),
            raixer: Raixer::new(seed),
            parqex: Parqex::registered(seed),
            credentials: Vec::new(),
        }
    }

    /// About forty doors of one operator, and a neighbour whose devices the operator must not reach. One of the neighbour's
    /// intercoms is shared with the operator.
    #[must_use]
    pub fn demo(seed: u64) -> World {
        let mut world = World::empty(seed);
        let operator = DemoCredentials {
            bikeep: world.add_bikeep_account(BikeepAccountPlan::demo("bikeep-demo-token", seed)),
            raixer: world.add_raixer_account(RaixerAccountPlan::demo("raixer-demo", "raixer-demo-password")),
            parqex: world.add_parqex_account(ParqexAccountPlan::demo("parqex-demo-token")),
            lockt: world.add_lockt_account(LocktAccountPlan::demo()),
            mews: world.add_demo_mews(),
        };
        let neighbour = DemoCredentials {
            bikeep: world.add_bikeep_account(BikeepAccountPlan {
                token: "bikeep-neighbour-token".to_owned(),
                admin: false,
                act_on_behalf_of: false,
                locations: vec![BikeepLocationPlan::docks(1)],
            }),
            raixer: world.add_raixer_account(RaixerAccountPlan {
                user: "raixer-neighbour".to_owned(),
                password: "raixer-neighbour-password".to_owned(),
                name: "Nora Next".to_owned(),
                devices: vec![
                    RaixerDevicePlan::new("Shared garage 7", &[RaixerUse::Street, RaixerUse::Garage]),
                    RaixerDevicePlan::new("Private house 9", &[RaixerUse::Street]),
                    RaixerDevicePlan {
                        kind: RaixerKind::Power,
                        ..RaixerDevicePlan::new("Laundry 9", &[RaixerUse::Other])
                    },
                ],
            }),
            parqex: world.add_parqex_account(ParqexAccountPlan {
                access_token: "parqex-neighbour-token".to_owned(),
                first_name: "Nora".to_owned(),
                last_name: "Next".to_owned(),
                controllers: vec![ParqexControllerPlan::gates(1)],
            }),
            lockt: world.add_lockt_account(LocktAccountPlan::demo_neighbour()),
            mews: world.add_neighbour_mews(),
        };
        if let Some(shared) = world.raixer_devices(&neighbour.raixer).first() {
            world.share_raixer_device(shared, &operator.raixer, RaixerProfile::User);
        }
        world.credentials = vec![operator, neighbour];
        world
    }

    /// A world of any size.
    #[must_use]
    pub fn sized(seed: u64, size: &WorldSize) -> World {
        let mut world = World::empty(seed);
        for number in 1..=size.accounts {
            let uses = [RaixerUse::Street, RaixerUse::Home, RaixerUse::Garage];
            let doors: Vec<RaixerUse> = uses.iter().copied().cycle().take(size.raixer_doors).collect();
            let account = DemoCredentials {
                bikeep: world.add_bikeep_account(BikeepAccountPlan {
                    token: format!("bikeep-token-{number}"),
                    admin: true,
                    act_on_behalf_of: true,
                    locations: vec![BikeepLocationPlan::docks(size.bikeep_docks); size.bikeep_locations],
                }),
                raixer: world.add_raixer_account(RaixerAccountPlan {
                    user: format!("raixer-{number}"),
                    password: format!("raixer-password-{number}"),
                    name: format!("Operator {number}"),
                    devices: vec![RaixerDevicePlan::new("Intercom", &doors); size.raixer_devices],
                }),
                parqex: world.add_parqex_account(ParqexAccountPlan {
                    access_token: format!("parqex-token-{number}"),
                    first_name: "Operator".to_owned(),
                    last_name: number.to_string(),
                    controllers: vec![ParqexControllerPlan::gates(size.parqex_doors); size.parqex_controllers],
                }),
                lockt: world.add_lockt_account(LocktAccountPlan::sized(number, size)),
                mews: world.add_sized_mews(number, size),
            };
            world.credentials.push(account);
        }
        world
    }

    /// The accounts of a demo or sized world, the main one first; empty for a world built by hand.
    #[must_use]
    pub fn credentials(&self) -> &[DemoCredentials] {
        &self.credentials
    }

    /// Adds a Raixer account with the devices it owns.
    pub fn add_raixer_account(&mut self, plan: RaixerAccountPlan) -> RaixerCredentials {
        let id = self.short("u", self.raixer.accounts.len() + 1);
        let account = self.raixer.add_account(plan.user.clone(), plan.password.clone(), id, plan.name, born());
        for device in plan.devices {
            let number = self.raixer.devices.len() + 1;
            let doors =
                (1..).zip(device.doors).map(|(port, usage)| (self.short("p", number * 10 + port), usage)).collect();
            let seed = raixer::DeviceSeed {
                id: self.short("d", number),
                kind: device.kind,
                name: device.name,
                campaign: self.short("g", number),
                online: device.online,
                since: born(),
                doors,
            };
            let index = self.raixer.add_device(account, seed);
            let connection = self.short("c", self.raixer.connections.len() + 1);
            self.raixer.connect(connection, account, index, RaixerProfile::Admin, born());
        }
        RaixerCredentials { user: plan.user, password: plan.password }
    }

    /// Gives another Raixer account a connection to a device. False if there is no such device or account.
    pub fn share_raixer_device(&mut self, device: &str, with: &RaixerCredentials, profile: RaixerProfile) -> bool {
        let found = self.raixer.device_index(device).zip(self.raixer.account_named(&with.user));
        let Some((device, account)) = found else { return false };
        let id = self.short("c", self.raixer.connections.len() + 1);
        self.raixer.connect(id, account, device, profile, born());
        true
    }

    /// Ids of the devices a Raixer account owns.
    #[must_use]
    pub fn raixer_devices(&self, of: &RaixerCredentials) -> Vec<String> {
        let account = self.raixer.account_named(&of.user);
        let owned = self.raixer.devices.iter().filter(|device| account.is_some() && device.owner == account);
        owned.map(|device| device.id.clone()).collect()
    }

    /// A UUID: what it is, the seed, the number.
    fn uuid(&self, prefix: &str, number: u64) -> String {
        format!("{prefix}-{:04x}-4000-8000-{:012x}", self.seed & 0xffff, number & 0xffff_ffff_ffff)
    }

    /// Ten characters, as in Raixer's samples.
    fn short(&self, prefix: &str, number: usize) -> String {
        format!("{prefix}{:03x}{number:06}", self.seed & 0xfff)
    }

    /// 32 hexadecimal digits.
    fn hex(&self, prefix: &str, number: u64) -> String {
        format!("{prefix}{:04x}{number:024x}", self.seed & 0xffff)
    }
}

/// When everything was installed: a fixed moment, so that a world depends on nothing but its seed.
fn born() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::from_secs(1_736_942_400)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::{bikeep::BikeepType, parqex::ParqexHardware};

    #[test]
    fn the_demo_has_about_forty_doors_for_its_operator() {
        let world = World::demo(7);
        let bikeep: usize = world
            .bikeep
            .locations
            .iter()
            .filter(|location| location.account == 0)
            .map(|location| location.devices.len())
            .sum();
        let raixer: usize = world
            .raixer
            .devices
            .iter()
            .enumerate()
            .filter(|(index, _)| world.raixer.may_use(0, *index))
            .map(|(_, device)| device.doors.len())
            .sum();
        let owned_by_operator =
            |controller: &usize| world.parqex.accounts.first().is_some_and(|a| a.controllers.contains(controller));
        let parqex = world.parqex.doors.iter().filter(|door| owned_by_operator(&door.controller)).count();
        assert_eq!((bikeep, raixer, parqex), (20, 11, 10));
        assert!(world.parqex.doors.iter().any(|door| !door.sensor));
        assert!(world.parqex.doors.iter().any(|door| door.hardware == ParqexHardware::Elevator));
        assert!(world.bikeep.devices.iter().any(|device| device.kind == BikeepType::Guard && device.camera));
    }

    #[test]
    fn a_seed_decides_everything() {
        let text = |seed| format!("{:?}", World::demo(seed).bikeep.devices);
        assert_eq!(text(3), text(3));
        assert_ne!(text(3), text(4));
    }

    #[test]
    fn a_sized_world_has_the_asked_size_and_distinct_ids() {
        let size = WorldSize { accounts: 3, bikeep_locations: 2, bikeep_docks: 50, ..WorldSize::default() };
        let world = World::sized(1, &size);
        let ids: std::collections::HashSet<&String> = world.bikeep.devices.iter().map(|device| &device.id).collect();
        assert_eq!(ids.len(), 3 * 2 * 51);
        assert!(ids.iter().all(|id| uuid::Uuid::try_parse(id).is_ok()));
        assert!(world.parqex.doors.iter().all(|door| door.id.len() == 32));
        assert_eq!(world.credentials().len(), 3);
    }
}
