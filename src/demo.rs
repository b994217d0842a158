//! The demo: an organization with three sites in different zones, linked to the simulated vendors. Devices and doors
//! come from the vendors by sync, as everywhere.

mod rooms;

use domain::{
    access::Role,
    account::{AccountState, Vendor},
    ids::{MembershipId, OrganizationId, SiteId, UserId, VendorAccountId},
    secret::Secret,
};
use entities::{StoreError, store, work};
use platform::vault::Place;
use simulator::{DemoCredentials, World};
use vendors::registry::{CredentialSettings, VendorCredentials};

pub use self::rooms::map_rooms;
use crate::{failure::Failure, foundation::Foundation, keys};

/// The seed of the demo's world.
pub const SEED: u64 = 1;

/// Name and time zone of the demo's sites: Bikeep's two locations are at the first two, the hotel (card locks and PMS) is
/// at the first, the rest is spread.
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

/// Makes sure that the demo is there, with an account at every vendor, and that its accounts lead to the simulator at
/// `simulator_url`.
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
        complete(foundation, organization, simulator_url, credentials).await?;
        return Ok(organization);
    }
    let organization = keys::organization(foundation, "Demo").await.map_err(|error| failed(&error))?;
    let sites = create_sites(foundation, organization).await.map_err(|error| failed(&error))?;
    for plan in plans(&sites, simulator_url, credentials) {
        link(foundation, organization, plan).await?;
    }
    let plan = keys::KeyPlan::unlimited("Demo key", Role::Admin);
    keys::store_key(foundation, organization, &plan, key).await.map_err(|error| failed(&error))?;
    Ok(organization)
}

/// Links the vendors that an older demo did not know. An organization without the demo's accounts is left alone.
async fn complete(
    foundation: &Foundation,
    organization: OrganizationId,
    simulator_url: &str,
    credentials: &DemoCredentials,
) -> Result<(), Failure> {
    let failed = Failure::during("The demo could not be completed");
    let accounts = work::accounts_of(&foundation.database, organization).await.map_err(|error| failed(&error))?;
    let linked: Vec<&str> =
        accounts.iter().filter(|row| row.name.ends_with(SUFFIX)).map(|row| row.vendor.as_str()).collect();
    if linked.is_empty() {
        return Ok(());
    }
    let rows = work::sites_of(&foundation.database, organization).await.map_err(|error| failed(&error))?;
    let known = |name: &str| rows.iter().find(|row| row.name == name).map(|row| SiteId(row.id));
    let Some(sites) = SITES.iter().map(|(name, _)| known(name)).collect::<Option<Vec<SiteId>>>() else {
        return Ok(());
    };
    for plan in plans(&sites, simulator_url, credentials) {
        if !linked.contains(&plan.vendor.as_str()) {
            link(foundation, organization, plan).await?;
        }
    }
    Ok(())
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

/// The zone in which the demo's card locks read times without one.
const LOCKT_ZONE: &str = "Europe/Lisbon";

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

struct AccountPlan<'a> {
    vendor: Vendor,
    settings: CredentialSettings,
    site: SiteId,
    locations: Vec<(String, SiteId)>,
    simulator_url: &'a str,
}

/// An account at every vendor. The hotel is one house at two of them.
fn plans<'a>(sites: &[SiteId], simulator_url: &'a str, credentials: &DemoCredentials) -> Vec<AccountPlan<'a>> {
    let &[harbour, garage, lofts, ..] = sites else { return Vec::new() };
    let DemoCredentials { bikeep, raixer, parqex, lockt, mews } = credentials;
    let docks: Vec<(String, SiteId)> = bikeep.locations.iter().cloned().zip(sites.iter().copied()).collect();
    let locations = bikeep.locations.join(",");
    let bikeep = [("token", &bikeep.token), ("locations", &locations), ("webhook_seed", &bikeep.webhook_seed)];
    // Without the refresh token: its access ends only when somebody ends it.
    let parqex = [
        ("access_token", &parqex.access_token),
        ("client_id", &parqex.client_id),
        ("client_secret", &parqex.client_secret),
    ];
    let raixer = [("user", &raixer.user), ("password", &raixer.password)];
    let zone = LOCKT_ZONE.to_owned();
    let lockt = [("api_user", &lockt.api_user), ("api_key", &lockt.api_key), ("time_zone", &zone)];
    let mews = [("client_token", &mews.client_token), ("access_token", &mews.access_token), ("client", &mews.client)];
    let plan = |vendor, settings: &[(&str, &String)], site, locations| AccountPlan {
        vendor,
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(value.as_str()))).collect(),
        site,
        locations,
        simulator_url,
    };
    vec![
        plan(Vendor::Bikeep, &bikeep, harbour, docks),
        plan(Vendor::Parqex, &parqex, garage, Vec::new()),
        plan(Vendor::Raixer, &raixer, lofts, Vec::new()),
        plan(Vendor::Lockt, &lockt, harbour, Vec::new()),
        plan(Vendor::Mews, &mews, harbour, Vec::new()),
    ]
}

async fn link(foundation: &Foundation, organization: OrganizationId, plan: AccountPlan<'_>) -> Result<(), Failure> {
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
        state: AccountState::Connected,
        signed_in_as: None,
        intake_token_hash: None,
        linked_by: None,
    };
    let (ids, now) = (foundation.ids.as_ref(), foundation.clock.now());
    store::accounts::link(&foundation.database, ids, account, now).await.map_err(|error| failed(&error))?;
    Ok(())
}
