//! The demo: an organization with three sites in different zones, linked to the simulated vendors. Devices and doors
//! come from the vendors by sync, as everywhere.

use std::collections::BTreeMap;

use domain::{
    access::Role,
    account::Vendor,
    ids::{MembershipId, OrganizationId, SiteId, UserId, VendorAccountId},
    secret::Secret,
};
use entities::{StoreError, store, work};
use platform::vault::Place;
use simulator::{DemoCredentials, World};
use vendors::registry::VendorCredentials;

use crate::{failure::Failure, foundation::Foundation, keys};

/// The seed of the demo's world.
pub const SEED: u64 = 1;

/// Name and time zone of the demo's sites: Bikeep's two locations are at the first two, the rest is spread.
const SITES: [(&str, &str); 3] =
    [("Harbour House", "Europe/Lisbon"), ("Old Town Garage", "Europe/Tallinn"), ("Hudson Lofts", "America/New_York")];

/// The operator's credentials in the demo's world. The neighbour's are there for doors that the operator must not see.
///
/// # Errors
/// Never in practice: the demo's world has an operator.
pub fn credentials() -> Result<DemoCredentials, Failure> {
    let world = World::demo(SEED);
    world.credentials().first().cloned().ok_or_else(|| Failure::new("The demo's world has no operator."))
}

/// Makes sure that the demo is there and that its accounts lead to the simulator at `simulator_url`.
///
/// # Errors
/// The database failed.
pub async fn furnish(
    foundation: &Foundation,
    simulator_url: &str,
    credentials: &DemoCredentials,
    key: &Secret,
) -> Result<OrganizationId, Failure> {
    let failed = Failure::during("The demo could not be set up");
    if let Some(row) = work::first_organization(&foundation.database).await.map_err(|error| failed(&error))? {
        let organization = OrganizationId(row.id);
        redirect(foundation, organization, simulator_url).await.map_err(|error| failed(&error))?;
        return Ok(organization);
    }
    let organization = keys::organization(foundation, "Demo").await.map_err(|error| failed(&error))?;
    let sites = create_sites(foundation, organization).await.map_err(|error| failed(&error))?;
    link(foundation, organization, &sites, simulator_url, credentials).await?;
    let plan = keys::KeyPlan::unlimited("Demo key", Role::Admin);
    keys::store_key(foundation, organization, &plan, key).await.map_err(|error| failed(&error))?;
    Ok(organization)
}

/// The accounts of `organization` that are linked to a simulator, and where each vendor's API is there.
async fn redirect(foundation: &Foundation, organization: OrganizationId, url: &str) -> Result<(), StoreError> {
    for account in work::accounts_of(&foundation.database, organization).await? {
        let Ok(vendor) = account.vendor() else { continue };
        let wanted = base_url(url, vendor);
        // Only what the demo linked: an account that a person linked elsewhere stays where it is.
        if account.name.ends_with(SUFFIX) && account.base_url != wanted {
            store::accounts::set_base_url(&foundation.database, VendorAccountId(account.id), &wanted).await?;
        }
    }
    Ok(())
}

const SUFFIX: &str = "(simulated)";

fn base_url(simulator_url: &str, vendor: Vendor) -> String {
    format!("{}/{}", simulator_url.trim_end_matches('/'), vendor.as_str().to_lowercase())
}

async fn create_sites(foundation: &Foundation, organization: OrganizationId) -> Result<Vec<SiteId>, StoreError> {
    let now = foundation.clock.now();
    let mut sites = Vec::new();
    for (name, zone) in SITES {
        let id = SiteId(foundation.ids.next_uuid());
        store::organizations::create_site(&foundation.database, organization, id, name, zone, now).await?;
        sites.push(id);
    }
    let ids = (UserId(foundation.ids.next_uuid()), MembershipId(foundation.ids.next_uuid()));
    let person = ("Ada Quill", Some("ada@example.test"));
    store::organizations::create_member(&foundation.database, organization, ids, person, (Role::Admin, None), now)
        .await?;
    Ok(sites)
}

async fn link(
    foundation: &Foundation,
    organization: OrganizationId,
    sites: &[SiteId],
    simulator_url: &str,
    credentials: &DemoCredentials,
) -> Result<(), Failure> {
    let bikeep =
        settings(&[("token", &credentials.bikeep.token), ("locations", &credentials.bikeep.locations.join(","))]);
    let raixer = settings(&[("user", &credentials.raixer.user), ("password", &credentials.raixer.password)]);
    let parqex = settings(&[("access_token", &credentials.parqex.access_token)]);
    let locations: Vec<(String, SiteId)> =
        credentials.bikeep.locations.iter().cloned().zip(sites.iter().copied()).collect();
    let plans = [
        (Vendor::Bikeep, bikeep, sites.first(), locations),
        (Vendor::Parqex, parqex, sites.get(1), Vec::new()),
        (Vendor::Raixer, raixer, sites.get(2), Vec::new()),
    ];
    for (vendor, settings, site, locations) in plans {
        let Some(site) = site else { continue };
        let plan = AccountPlan { vendor, settings, site: *site, locations, simulator_url };
        link_one(foundation, organization, plan).await?;
    }
    Ok(())
}

fn settings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

struct AccountPlan<'a> {
    vendor: Vendor,
    settings: BTreeMap<String, String>,
    site: SiteId,
    locations: Vec<(String, SiteId)>,
    simulator_url: &'a str,
}

async fn link_one(foundation: &Foundation, organization: OrganizationId, plan: AccountPlan<'_>) -> Result<(), Failure> {
    let failed = Failure::during("A demo account could not be linked");
    let id = VendorAccountId(foundation.ids.next_uuid());
    let credentials = VendorCredentials::from_settings(plan.vendor, &plan.settings).map_err(|error| failed(&error))?;
    let form = credentials.seal_form().map_err(|error| failed(&error))?;
    let place = Place { table: "vendor_accounts", column: "credentials", row: id.0 };
    let sealed = foundation.vault.seal(&form, place).map_err(|error| failed(&error))?;
    let account = store::accounts::NewAccount {
        id,
        organization,
        site: plan.site,
        vendor: plan.vendor,
        name: &format!("{} {SUFFIX}", plan.vendor),
        base_url: &base_url(plan.simulator_url, plan.vendor),
        credentials: sealed,
        locations: &plan.locations,
    };
    store::accounts::link(&foundation.database, account, foundation.clock.now()).await.map_err(|error| failed(&error))
}
