//! What hangs on several people, credentials or access levels at once. The keys are ids of what was found in scope.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::Loader;
use domain::ids::{AccessLevelId, CredentialId, DoorId, UserId};
use entities::{
    find::{access_levels, credentials, members, placements},
    rows::{access_assignment, credential, door, identity, membership, placement},
};

use super::{LoadError, Reader, grouped};

/// The credentials of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CredentialsOfUser(pub(crate) UserId);

/// The memberships of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MembershipsOfUser(pub(crate) UserId);

/// Which subjects of identity providers a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct IdentitiesOfUser(pub(crate) UserId);

/// What a person is assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AssignmentsOfUser(pub(crate) UserId);

/// The doors that a credential was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DoorsOfCredential(pub(crate) CredentialId);

/// The placements of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlacementsOfCredential(pub(crate) CredentialId);

/// The doors of an access level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DoorsOfAccessLevel(pub(crate) AccessLevelId);

impl Loader<CredentialsOfUser> for Reader {
    type Value = Vec<Arc<credential::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[CredentialsOfUser]) -> Result<HashMap<CredentialsOfUser, Self::Value>, LoadError> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let rows = self.wave.read(credentials::by_users(&self.database, &self.scope, &ids)).await?;
        Ok(grouped(rows, |row| CredentialsOfUser(UserId(row.user_id))))
    }
}

impl Loader<MembershipsOfUser> for Reader {
    type Value = Vec<Arc<membership::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[MembershipsOfUser]) -> Result<HashMap<MembershipsOfUser, Self::Value>, LoadError> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let rows = self.wave.read(members::memberships_of(&self.database, &self.scope, &ids)).await?;
        Ok(grouped(rows, |row| MembershipsOfUser(UserId(row.user_id))))
    }
}

impl Loader<IdentitiesOfUser> for Reader {
    type Value = Vec<Arc<identity::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[IdentitiesOfUser]) -> Result<HashMap<IdentitiesOfUser, Self::Value>, LoadError> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let rows = self.wave.read(members::identities_of(&self.database, &self.scope, &ids)).await?;
        Ok(grouped(rows, |row| IdentitiesOfUser(UserId(row.user_id))))
    }
}

impl Loader<AssignmentsOfUser> for Reader {
    type Value = Vec<Arc<access_assignment::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[AssignmentsOfUser]) -> Result<HashMap<AssignmentsOfUser, Self::Value>, LoadError> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let rows = self.wave.read(access_levels::assignments_of(&self.database, &self.scope, &ids)).await?;
        Ok(grouped(rows, |row| AssignmentsOfUser(UserId(row.user_id))))
    }
}

impl Loader<PlacementsOfCredential> for Reader {
    type Value = Vec<Arc<placement::Model>>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[PlacementsOfCredential],
    ) -> Result<HashMap<PlacementsOfCredential, Self::Value>, LoadError> {
        let ids: Vec<CredentialId> = keys.iter().map(|key| key.0).collect();
        let mut found: HashMap<PlacementsOfCredential, Self::Value> = HashMap::new();
        for row in self.wave.read(placements::by_credentials(&self.database, &self.scope, &ids)).await? {
            if let Some(credential) = row.credential_id {
                found.entry(PlacementsOfCredential(CredentialId(credential))).or_default().push(Arc::new(row));
            }
        }
        Ok(found)
    }
}

impl Loader<DoorsOfCredential> for Reader {
    type Value = Vec<Arc<door::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[DoorsOfCredential]) -> Result<HashMap<DoorsOfCredential, Self::Value>, LoadError> {
        let ids: Vec<CredentialId> = keys.iter().map(|key| key.0).collect();
        let read = async {
            let links = credentials::doors(&self.database, &ids).await?;
            let key = |id| DoorsOfCredential(CredentialId(id));
            let named = links.into_iter().map(|link| (key(link.credential_id), DoorId(link.door_id))).collect();
            self.named_doors(named).await
        };
        Ok(self.wave.read(read).await?)
    }
}

impl Loader<DoorsOfAccessLevel> for Reader {
    type Value = Vec<Arc<door::Model>>;
    type Error = LoadError;

    async fn load(&self, keys: &[DoorsOfAccessLevel]) -> Result<HashMap<DoorsOfAccessLevel, Self::Value>, LoadError> {
        let ids: Vec<AccessLevelId> = keys.iter().map(|key| key.0).collect();
        let read = async {
            let links = access_levels::doors(&self.database, &ids).await?;
            let key = |id| DoorsOfAccessLevel(AccessLevelId(id));
            let named = links.into_iter().map(|link| (key(link.access_level_id), DoorId(link.door_id))).collect();
            self.named_doors(named).await
        };
        Ok(self.wave.read(read).await?)
    }
}
