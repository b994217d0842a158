//! Making API keys from the command line, and the organization they belong to if there is none yet.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    access::{Limits, Role},
    command::CommandKind,
    ids::{ApiKeyId, DoorId, OrganizationId, SiteId},
    secret::Secret,
};
use entities::{StoreError, store, work};

use crate::foundation::Foundation;

/// What a new key may do.
#[derive(Debug, Clone)]
pub struct KeyPlan {
    /// A name for people.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The only sites it sees, with `doors`; none means everything.
    pub sites: BTreeSet<SiteId>,
    /// The only doors it sees, with `sites`.
    pub doors: BTreeSet<DoorId>,
    /// The only commands it may send; none means whatever its role allows.
    pub verbs: BTreeSet<CommandKind>,
    /// How long it counts; for ever if absent.
    pub lifetime: Option<TimeDelta>,
    /// How many commands it may send; any number if absent.
    pub max_uses: Option<u32>,
}

impl KeyPlan {
    /// A key without limits.
    #[must_use]
    pub fn unlimited(name: &str, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            role,
            sites: BTreeSet::new(),
            doors: BTreeSet::new(),
            verbs: BTreeSet::new(),
            lifetime: None,
            max_uses: None,
        }
    }
}

/// Stores a key. `secret` is shown to nobody but the caller.
///
/// # Errors
/// The database failed.
pub async fn store_key(
    foundation: &Foundation,
    organization: OrganizationId,
    plan: &KeyPlan,
    secret: &Secret,
) -> Result<ApiKeyId, StoreError> {
    let now = foundation.clock.now();
    let some = |set: &BTreeSet<_>| (!set.is_empty()).then(|| set.clone());
    let limits = Limits {
        sites: (!plan.sites.is_empty()).then(|| plan.sites.clone()),
        doors: (!plan.doors.is_empty()).then(|| plan.doors.clone()),
        verbs: some(&plan.verbs),
    };
    let id = ApiKeyId(foundation.ids.next_uuid());
    let key = store::keys::NewKey {
        id,
        organization,
        name: &plan.name,
        prefix: &platform::api_key::prefix(secret.expose()),
        secret_hash: platform::api_key::hash(secret.expose()),
        role: plan.role,
        limits: &limits,
        expires_at: plan.lifetime.map(|lifetime| now + lifetime),
        max_uses: plan.max_uses,
    };
    store::keys::create(&foundation.database, foundation.ids.as_ref(), key, now).await?;
    Ok(id)
}

/// The organization of this installation; created under `name` if there is none.
///
/// # Errors
/// The database failed.
pub async fn organization(foundation: &Foundation, name: &str) -> Result<OrganizationId, StoreError> {
    if let Some(row) = work::first_organization(&foundation.database).await? {
        return Ok(OrganizationId(row.id));
    }
    let id = OrganizationId(foundation.ids.next_uuid());
    store::organizations::create(&foundation.database, id, name, foundation.clock.now()).await?;
    Ok(id)
}
