//! What a builder of worlds says: accounts, locations, devices and doors per vendor, and the plans of the demo.

use std::time::Duration;

use crate::vendors::{
    bikeep::BikeepType,
    parqex::ParqexHardware,
    raixer::{RaixerKind, RaixerUse},
};

/// A Bikeep account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BikeepAccountPlan {
    /// Bearer token.
    pub token: String,
    /// Whether the administrative commands are permitted.
    pub admin: bool,
    /// Whether it may lock and unlock in the name of other users.
    pub act_on_behalf_of: bool,
    /// Its locations.
    pub locations: Vec<BikeepLocationPlan>,
}

/// A Bikeep location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BikeepLocationPlan {
    /// Its devices, a guard among them.
    pub devices: Vec<BikeepDevicePlan>,
}

/// A Bikeep device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BikeepDevicePlan {
    /// What it is.
    pub kind: BikeepType,
    /// Name shown to people.
    pub alias: String,
    /// Whether it has a camera.
    pub camera: bool,
    /// Whether it sleeps.
    pub asleep: bool,
    /// Whether a sleeping device can be woken by a command; only by hand otherwise.
    pub remote_wakeup: bool,
    /// Whether health data is available.
    pub has_health: bool,
    /// Whether somebody parked here.
    pub parked: bool,
}

impl BikeepDevicePlan {
    /// A free, healthy, waking device.
    #[must_use]
    pub fn new(kind: BikeepType, alias: &str) -> Self {
        BikeepDevicePlan {
            kind,
            alias: alias.to_owned(),
            camera: false,
            asleep: false,
            remote_wakeup: false,
            has_health: true,
            parked: false,
        }
    }
}

impl BikeepLocationPlan {
    /// A guard and a number of bike docks.
    #[must_use]
    pub fn docks(number: usize) -> Self {
        let mut devices = vec![BikeepDevicePlan::new(BikeepType::Guard, "Guard")];
        devices.extend((1..=number).map(|dock| BikeepDevicePlan::new(BikeepType::BikeDock, &format!("Dock {dock}"))));
        BikeepLocationPlan { devices }
    }
}

impl BikeepAccountPlan {
    /// A bike house with a watched door and docks, and a row of lockers. The seed decides where somebody parked.
    pub(crate) fn demo(token: &str, seed: u64) -> Self {
        let parked = |number: u64| scatter(seed ^ number).is_multiple_of(5);
        let mut house = vec![
            BikeepDevicePlan { camera: true, ..BikeepDevicePlan::new(BikeepType::Guard, "Quay guard") },
            BikeepDevicePlan::new(BikeepType::BikeHouseDoor, "Quay entrance"),
        ];
        house.extend((1..=8).map(|dock| BikeepDevicePlan {
            parked: parked(dock),
            ..BikeepDevicePlan::new(BikeepType::BikeDock, &format!("Quay dock {dock}"))
        }));
        let mut lockers = vec![BikeepDevicePlan::new(BikeepType::Guard, "Station guard")];
        lockers.extend((1..=9).map(|locker| BikeepDevicePlan {
            asleep: locker >= 8,
            remote_wakeup: locker == 8,
            has_health: locker != 7,
            parked: locker < 7 && parked(100 + locker),
            ..BikeepDevicePlan::new(BikeepType::Locker, &format!("Station locker {locker}"))
        }));
        BikeepAccountPlan {
            token: token.to_owned(),
            admin: true,
            act_on_behalf_of: true,
            locations: vec![BikeepLocationPlan { devices: house }, BikeepLocationPlan { devices: lockers }],
        }
    }
}

/// A Raixer account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaixerAccountPlan {
    /// User of HTTP Basic.
    pub user: String,
    /// Password of HTTP Basic.
    pub password: String,
    /// Name of the person.
    pub name: String,
    /// Devices it owns.
    pub devices: Vec<RaixerDevicePlan>,
}

/// A Raixer device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaixerDevicePlan {
    /// Name shown to people.
    pub name: String,
    /// Its type, which decides its ports, variables and functions.
    pub kind: RaixerKind,
    /// Its doors by position, one to three.
    pub doors: Vec<RaixerUse>,
    /// Whether it is online.
    pub online: bool,
}

impl RaixerDevicePlan {
    /// A device that is online: an Access with three doors, an intercom with two ports otherwise.
    #[must_use]
    pub fn new(name: &str, doors: &[RaixerUse]) -> Self {
        let kind = if doors.len() > 2 { RaixerKind::Access } else { RaixerKind::TwoDoors };
        RaixerDevicePlan { name: name.to_owned(), kind, doors: doors.to_vec(), online: true }
    }
}

impl RaixerAccountPlan {
    /// Five owned intercoms with nine doors, one intercom offline.
    pub(crate) fn demo(user: &str, password: &str) -> Self {
        use RaixerUse::{Garage, Home, Other, Street};
        let devices = vec![
            RaixerDevicePlan::new("Market street 1", &[Street]),
            RaixerDevicePlan::new("Market street 3", &[Street, Home]),
            RaixerDevicePlan::new("Market street 5", &[Street, Street, Garage]),
            RaixerDevicePlan::new("Mill lane 2", &[Street, Other]),
            RaixerDevicePlan {
                online: false,
                kind: RaixerKind::OneDoor,
                ..RaixerDevicePlan::new("Mill lane 4", &[Street])
            },
        ];
        RaixerAccountPlan {
            user: user.to_owned(),
            password: password.to_owned(),
            name: "Olive Operator".to_owned(),
            devices,
        }
    }
}

/// A ParqEx account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParqexAccountPlan {
    /// Bearer token.
    pub access_token: String,
    /// First name of the person.
    pub first_name: String,
    /// Last name of the person.
    pub last_name: String,
    /// Its controllers.
    pub controllers: Vec<ParqexControllerPlan>,
}

/// A ParqEx controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParqexControllerPlan {
    /// Its doors by entity number.
    pub doors: Vec<ParqexDoorPlan>,
}

/// A ParqEx access point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParqexDoorPlan {
    /// Name shown to people.
    pub name: String,
    /// What it is.
    pub hardware: ParqexHardware,
    /// Whether its position is measured.
    pub sensor: bool,
    /// After how long it closes by itself.
    pub auto_close: Option<Duration>,
}

impl ParqexDoorPlan {
    /// A door with a sensor that stays as it is.
    #[must_use]
    pub fn new(name: &str, hardware: ParqexHardware) -> Self {
        ParqexDoorPlan { name: name.to_owned(), hardware, sensor: true, auto_close: None }
    }
}

impl ParqexControllerPlan {
    /// A number of gates with sensors.
    #[must_use]
    pub fn gates(number: usize) -> Self {
        let doors =
            (1..=number).map(|gate| ParqexDoorPlan::new(&format!("Gate {gate}"), ParqexHardware::Gate)).collect();
        ParqexControllerPlan { doors }
    }
}

impl ParqexAccountPlan {
    /// Three controllers with ten doors: some without a sensor, one that closes by itself, one elevator.
    pub(crate) fn demo(access_token: &str) -> Self {
        use ParqexHardware::{Elevator, Garage, Gate, PedestrianDoor};
        let door = ParqexDoorPlan::new;
        let blind = |name, hardware| ParqexDoorPlan { sensor: false, ..door(name, hardware) };
        let controllers = vec![
            ParqexControllerPlan {
                doors: vec![
                    door("North gate", Gate),
                    door("South gate", Gate),
                    ParqexDoorPlan { auto_close: Some(Duration::from_secs(20)), ..door("Garage ramp", Garage) },
                    blind("North walkway", PedestrianDoor),
                ],
            },
            ParqexControllerPlan {
                doors: vec![door("Deck entry", Gate), door("Deck exit", Gate), blind("Deck elevator", Elevator)],
            },
            ParqexControllerPlan {
                doors: vec![door("Yard gate", Gate), blind("Yard garage", Garage), blind("Yard door", PedestrianDoor)],
            },
        ];
        ParqexAccountPlan {
            access_token: access_token.to_owned(),
            first_name: "Olive".to_owned(),
            last_name: "Operator".to_owned(),
            controllers,
        }
    }
}

/// Spreads a number over all bits (SplitMix64), so that neighbouring seeds give different worlds.
fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
