//! Blocks of the ledger: which events were chained, in which order, and who signed for it.

use domain::{
    clock::Timestamp,
    ids::OrganizationId,
    ledger::{Block, Hash, MalformedBlock, Signature},
};
use sea_orm::entity::prelude::*;

/// A row of `ledger_blocks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_blocks")]
pub struct Model {
    /// Its tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Its place in the chain, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    /// The place of its first event in the ledger, from 1.
    pub first_sequence: i64,
    /// How many events it holds.
    pub events: i64,
    /// Their ids and digests, one after the other.
    pub entries: Vec<u8>,
    /// What the digests of their details are salted with; zeros where details were erased. Not part of the hash.
    pub salts: Vec<u8>,
    /// The hash of the block before.
    pub previous: Vec<u8>,
    /// Its own.
    pub hash: Vec<u8>,
    /// Whose signature it is.
    pub public_key: Vec<u8>,
    /// The signature over its checkpoint.
    pub signature: Vec<u8>,
    /// When it was made.
    pub sealed_at: Timestamp,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The block, the hash that it says it has, and the signature under its checkpoint.
    ///
    /// # Errors
    /// The bytes are not those of a block.
    pub fn block(&self) -> Result<(Block, Hash, Signature), MalformedBlock> {
        let block = Block {
            organization: OrganizationId(self.organization_id),
            number: self.number,
            first: self.first_sequence,
            sealed_at: self.sealed_at,
            previous: Hash::read(&self.previous).ok_or(MalformedBlock)?,
            entries: Block::decode(&self.entries, &self.salts)?,
        };
        let hash = Hash::read(&self.hash).ok_or(MalformedBlock)?;
        Ok((block, hash, Signature { public_key: self.public_key.clone(), bytes: self.signature.clone() }))
    }
}
