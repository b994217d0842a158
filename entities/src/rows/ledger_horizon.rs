//! Up to where the events of an organization were forgotten: what the ledger begins after.

use domain::{
    clock::Timestamp,
    ids::OrganizationId,
    ledger::{Checkpoint, Hash, Horizon, Signature},
};
use sea_orm::entity::prelude::*;

/// A row of `ledger_horizons`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_horizons")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// The last block that is gone.
    pub number: i64,
    /// The place of its last event.
    pub sequence: i64,
    /// Its hash, which the next one names.
    pub hash: Vec<u8>,
    /// Whose signature it is.
    pub public_key: Vec<u8>,
    /// The signature over all this.
    pub signature: Vec<u8>,
    /// When that block was made: what was written down later is kept.
    pub sealed_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The horizon and the signature under it; `None` if the hash is none.
    #[must_use]
    pub fn horizon(&self) -> Option<(Horizon, Signature)> {
        let checkpoint = Checkpoint {
            organization: OrganizationId(self.organization_id),
            block: self.number,
            sequence: self.sequence,
            hash: Hash::read(&self.hash)?,
            signed_at: self.sealed_at,
        };
        let signature = Signature { public_key: self.public_key.clone(), bytes: self.signature.clone() };
        Some((Horizon(checkpoint), signature))
    }
}
