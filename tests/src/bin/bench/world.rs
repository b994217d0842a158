//! The doors that are measured: a simulated world larger than the demo, and an organization linked to it. The simulator runs in the
//! process of the bench, so that what it received is read with the clock that the commands were sent by.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use domain::{
    access::Role,
    account::{AccountState, Vendor},
    ids::{OrganizationId, SiteId, VendorAccountId},
    secret::Secret,
};
use entities::store::{
    accounts::{self, NewAccount},
    organizations,
};
use gatehouse::{
    foundation::{Foundation, Migrations},
    keys::{self, KeyPlan},
};
use platform::{clock::SystemClock, settings::Settings, vault::Place};
use simulator::{
    BikeepAccountPlan, BikeepDevicePlan, BikeepLocationPlan, BikeepType, Latency, RaixerAccountPlan, RaixerDevicePlan,
    RaixerUse, Simulator, SimulatorOptions, World, WorldChoice,
};
use vendors::registry::{CredentialSettings, VendorCredentials};

/// Locations with bike houses.
const LOCATIONS: usize = 20;
/// Entrances of each, which open by Bikeep's unlock: a POST, then questions until it is done.
const ENTRANCES: usize = 100;
/// Intercoms with two doors each, which open by one call.
const INTERCOMS: usize = LOCATIONS * ENTRANCES / 2;
/// All of them: so many that few opens of an interactive load fall on a door opened within the last three seconds (rule 4).
pub(crate) const DOORS: usize = LOCATIONS * ENTRANCES + 2 * INTERCOMS;

/// The vendors, without any latency of their own, and how to link them.
pub(crate) struct Vendors {
    pub(crate) simulator: Simulator,
    accounts: Vec<(Vendor, CredentialSettings)>,
    locations: Vec<String>,
}

impl Vendors {
    /// Builds the world and serves it.
    pub(crate) async fn open() -> Result<Self> {
        let mut world = World::empty(1);
        let entrance = |number| BikeepDevicePlan::new(BikeepType::BikeHouseDoor, &format!("Entrance {number}"));
        let location = BikeepLocationPlan { devices: (1..=ENTRANCES).map(entrance).collect() };
        let bikeep = world.add_bikeep_account(BikeepAccountPlan {
            token: "bench-token".to_owned(),
            admin: true,
            act_on_behalf_of: false,
            locations: vec![location; LOCATIONS],
        });
        let raixer = world.add_raixer_account(RaixerAccountPlan {
            user: "bench".to_owned(),
            password: "bench-password".to_owned(),
            name: "Bench".to_owned(),
            devices: vec![RaixerDevicePlan::new("Intercom", &[RaixerUse::Street, RaixerUse::Garage]); INTERCOMS],
        });
        let settings = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect()
        };
        let accounts = vec![
            (Vendor::Bikeep, settings(&[("token", &bikeep.token), ("locations", &bikeep.locations.join(","))])),
            (Vendor::Raixer, settings(&[("user", &raixer.user), ("password", &raixer.password)])),
        ];
        let simulator = simulator::start(SimulatorOptions {
            // An entrance has locked again before its next opening can be more than a ride on this one.
            latency: Latency { relock: Duration::from_secs(1), ..Latency::none() },
            world: WorldChoice::Explicit(Box::new(world)),
            ..SimulatorOptions::default()
        })
        .await?;
        Ok(Self { simulator, accounts, locations: bikeep.locations })
    }

    /// Creates an organization that is linked to them in the database of the settings, which may be empty. Returns its API key.
    pub(crate) async fn furnish(&self, settings: &[(&str, &str)]) -> Result<Secret> {
        let settings = Settings::defaults_with(settings)?;
        let foundation = Foundation::lay(&settings, Arc::new(SystemClock), Migrations::Apply).await?;
        let (database, now) = (&foundation.database, foundation.clock.now());
        let organization = keys::organization(&foundation, "Bench").await?;
        let site = SiteId(foundation.ids.next_uuid());
        organizations::create_site(database, organization, site, "Bench site", "Europe/Tallinn", now).await?;
        for (vendor, credentials) in &self.accounts {
            self.link(&foundation, organization, site, *vendor, credentials).await?;
        }
        let key = platform::api_key::generate();
        keys::store_key(&foundation, organization, &KeyPlan::unlimited("Bench", Role::Admin), &key).await?;
        Ok(key)
    }

    async fn link(
        &self,
        foundation: &Foundation,
        organization: OrganizationId,
        site: SiteId,
        vendor: Vendor,
        credentials: &CredentialSettings,
    ) -> Result<()> {
        let id = VendorAccountId(foundation.ids.next_uuid());
        let place = Place { table: "vendor_accounts", column: "credentials", row: id.0 };
        let form = VendorCredentials::from_settings(vendor, credentials)?.seal_form()?;
        let locations: Vec<_> = self.locations.iter().cloned().map(|location| (location, site)).collect();
        let account = NewAccount {
            id,
            organization,
            site,
            vendor,
            // The embedded house leads accounts whose names end with "(simulated)" to its own simulator.
            name: &format!("{vendor} of the bench"),
            base_url: &format!("http://{}/{}", self.simulator.address(), vendor.as_str().to_lowercase()),
            credentials: foundation.vault.seal(&form, place)?,
            locations: if vendor == Vendor::Bikeep { &locations } else { &[] },
            state: AccountState::Connected,
            signed_in_as: None,
            intake_token_hash: None,
            linked_by: None,
        };
        accounts::link(&foundation.database, foundation.ids.as_ref(), account, foundation.clock.now()).await?;
        Ok(())
    }
}
