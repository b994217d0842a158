//! The tenant, as the schema shows it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::{access::Role, clock::Timestamp, ids::OrganizationId, ledger};
use entities::{find, rows::organization};

use crate::graphql::{context::Ask, error::ApiError};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct Organization(pub(super) Arc<organization::Model>);

/// A tenant. Everything belongs to exactly one organization, and a caller sees nothing of any other.
#[Object]
impl Organization {
    /// Its id (`org_…`).
    pub(crate) async fn id(&self) -> ID {
        OrganizationId(self.0.id).to_string().into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was created.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// The last checkpoint of the ledger of its events; null before the first. Who keeps one elsewhere finds out with
    /// `gatehouse ledger verify` whether anything up to there was changed since. Needs ADMIN; null for callers who do not
    /// see the whole organization.
    #[graphql(complexity = "10 + child_complexity")]
    async fn ledger_checkpoint(&self, context: &Context<'_>) -> Result<Option<LedgerCheckpoint>> {
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        session.principal.must_be(Role::Admin, shared.clock.now()).map_err(ApiError::Forbidden)?;
        let found = find::ledger::checkpoint(&shared.database, &session.scope).await?;
        Ok(found.map(|(checkpoint, signature)| LedgerCheckpoint::of(&checkpoint, &signature)))
    }
}

/// What is said and signed of the ledger at a moment.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct LedgerCheckpoint {
    /// How many events the ledger held, those included that were forgotten since.
    sequence: i64,
    /// The hash of all of them, in hexadecimal digits.
    hash: String,
    /// The text that is signed: organization, block, sequence, hash and time, a line each.
    statement: String,
    /// The Ed25519 signature under the text, in hexadecimal digits.
    signature: String,
    /// The public key that checks it, in hexadecimal digits.
    public_key: String,
    /// When it was signed.
    signed_at: Timestamp,
}

impl LedgerCheckpoint {
    fn of(checkpoint: &ledger::Checkpoint, signature: &ledger::Signature) -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            sequence: checkpoint.sequence,
            hash: checkpoint.hash.to_string(),
            statement: checkpoint.statement(),
            signature: hex(&signature.bytes),
            public_key: hex(&signature.public_key),
            signed_at: checkpoint.signed_at,
        }
    }
}
