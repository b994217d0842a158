//! People by the thousand: random doors, grants, stays, placements and vendors' records in a database, for asking who can
//! open what. The same seed makes the same crowd. What follows from it is nothing of this file's business.

mod grants;
mod places;
mod records;
mod stays;

use std::{collections::HashMap, sync::Arc};

use anyhow::Result;
use chrono::{DateTime, TimeDelta};
use domain::{clock::Timestamp, secret::Secret};
use entities::{
    Database, StoreError,
    rows::{
        access_assignment, access_level, access_level_door, access_token, access_token_door, credential,
        credential_door, device, door, organization, placement, reservation, schedule, site, user, vendor_account,
    },
    store::{self, records::RecordSealer},
};
use platform::{clock::SystemClock, ids::Ids};
use sea_orm::{ActiveModelTrait, DatabaseConnection, EntityTrait};
use uuid::Uuid;

/// Each site is in one of these; around [`hour`] 0 the clocks of the first are set back.
pub const ZONES: [&str; 3] = ["America/New_York", "Europe/Lisbon", "Australia/Lord_Howe"];

/// How many there are of what.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Doors, half of them with card locks, half of them with intercoms.
    pub doors: usize,
    /// People, each with some credentials and access levels.
    pub users: usize,
    /// Access levels.
    pub levels: usize,
    /// Stays, each with some tokens.
    pub stays: usize,
    /// People in the vendors' card-lock systems, by site.
    pub card_holders: usize,
}

/// Rows as they were written.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "each is the table of its name")]
pub struct Crowd {
    pub organization: Uuid,
    pub sites: Vec<site::Model>,
    pub accounts: Vec<vendor_account::Model>,
    pub devices: Vec<device::Model>,
    pub doors: Vec<door::Model>,
    pub users: Vec<user::Model>,
    pub schedules: Vec<schedule::Model>,
    pub levels: Vec<access_level::Model>,
    pub level_doors: Vec<access_level_door::Model>,
    pub assignments: Vec<access_assignment::Model>,
    pub credentials: Vec<credential::Model>,
    pub credential_doors: Vec<credential_door::Model>,
    pub reservations: Vec<reservation::Model>,
    pub tokens: Vec<access_token::Model>,
    pub token_doors: Vec<access_token_door::Model>,
    pub placements: Vec<placement::Model>,
}

/// Numbers that look random and come again with their seed.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// A die with a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(sides.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    /// Whether a chance of so many in a hundred came.
    pub fn comes(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }

    /// One of several.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.roll(of.len()))
    }

    fn time(&mut self) -> Timestamp {
        hour(i64::try_from(self.roll(144)).unwrap_or(0) - 72)
    }

    fn time_or_none(&mut self) -> Option<Timestamp> {
        self.comes(60).then(|| self.time())
    }

    fn word<T: Copy>(&mut self, usual: T, others: &[T]) -> T {
        if self.comes(60) { usual } else { self.one(others).copied().unwrap_or(usual) }
    }
}

/// An hour before or after the one in which the clocks of New York are set back.
#[must_use]
pub fn hour(number: i64) -> Timestamp {
    DateTime::from_timestamp(1_793_512_800, 0).unwrap_or_default() + TimeDelta::hours(number)
}

/// Seals nothing: no record of a crowd has a secret.
struct NoSeal;

impl RecordSealer for NoSeal {
    fn seal(&self, _: Uuid, _: &Secret) -> Result<Vec<u8>, StoreError> {
        Ok(Vec::new())
    }

    fn holds(&self, _: Uuid, _: &[u8], _: &Secret) -> bool {
        false
    }
}

struct Maker {
    dice: Dice,
    ids: Ids,
    crowd: Crowd,
    /// The doors at each site.
    at_sites: HashMap<Uuid, Vec<Uuid>>,
    /// The doors of each account, in order.
    at_accounts: HashMap<Uuid, Vec<Uuid>>,
    /// The doors of each token and credential.
    of_holders: HashMap<Uuid, Vec<Uuid>>,
}

macro_rules! insert {
    ($connection:expr, $($row:ident: $rows:expr),+ $(,)?) => {
        $(for piece in $rows.chunks(400) {
            let rows = piece.iter().cloned().map(|row| $row::ActiveModel::from(row).reset_all());
            #[expect(clippy::disallowed_methods, reason = "a crowd of this size is made at once, past the product")]
            $row::Entity::insert_many(rows).exec_without_returning($connection).await?;
        })+
    };
}

impl Crowd {
    /// Makes a crowd in an organization of its own and writes it.
    ///
    /// # Errors
    /// The database failed.
    pub async fn gather(connection: &DatabaseConnection, database: &Database, size: Size, seed: u64) -> Result<Self> {
        let mut maker = Maker {
            dice: Dice::new(seed),
            ids: Ids::new(Arc::new(SystemClock)),
            crowd: Self::default(),
            at_sites: HashMap::new(),
            at_accounts: HashMap::new(),
            of_holders: HashMap::new(),
        };
        maker.places(size.doors);
        maker.people(size);
        maker.stays(size.stays);
        maker.placements();
        let Maker { mut dice, ids, crowd, .. } = maker;
        let organization =
            [organization::Model { id: crowd.organization, name: "Crowd".to_owned(), created_at: hour(0) }];
        insert!(connection,
            organization: organization, site: crowd.sites, vendor_account: crowd.accounts, device: crowd.devices,
            door: crowd.doors, user: crowd.users, schedule: crowd.schedules, access_level: crowd.levels,
            access_level_door: crowd.level_doors, access_assignment: crowd.assignments, credential: crowd.credentials,
            credential_door: crowd.credential_doors, reservation: crowd.reservations, access_token: crowd.tokens,
            access_token_door: crowd.token_doors, placement: crowd.placements,
        );
        for account in &crowd.accounts {
            // Twice: what was told first is changed by what is told then.
            for half in [2, 1] {
                let found = crowd.records(&mut dice, account, size.card_holders / half);
                for portion in found.chunks(1_000) {
                    store::records::record(database, &ids, &NoSeal, account, portion, hour(0)).await?;
                }
            }
            let gone = [2, 5].map(|number| domain::record::RecordRef {
                kind: domain::record::RecordKind::User,
                external_id: format!("person-{number}"),
            });
            store::records::gone(database, &ids, domain::ids::VendorAccountId(account.id), &gone, hour(0)).await?;
        }
        Ok(crowd)
    }
}
