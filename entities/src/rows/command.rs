//! Commands: what was asked for, where it stands, and its timeline.

use domain::{
    clock::Timestamp,
    command::{Action, CommandKind, CommandState, Evidence, Failure, FailureCode, Progress, TimelineEntry},
};
use sea_orm::entity::prelude::*;

use super::{json, word};
use crate::error::StoreError;

/// A row of `commands`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "commands")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Its tenant.
    pub organization_id: Uuid,
    /// Where.
    pub site_id: Uuid,
    /// By which vendor account.
    pub account_id: Uuid,
    /// At which device; absent for a command to the account itself.
    pub device_id: Option<Uuid>,
    /// At which door; absent for a command to the device or account itself.
    pub door_id: Option<Uuid>,
    /// What orders it.
    pub lane_id: Uuid,
    /// A `domain::command::CommandKind`.
    pub kind: String,
    /// A `domain::command::Action`.
    pub action: Json,
    /// What must not be read in the action, sealed by the vault for this row and column; wiped when it is not needed.
    pub sealed: Option<Vec<u8>>,
    /// A `domain::command::CommandState`.
    pub state: String,
    /// A `domain::command::Evidence`.
    pub evidence: String,
    /// The public id of the actor.
    pub requested_by: String,
    /// Whether it was accepted because the door is the person's own: it is looked at once more before it is sent.
    pub by_own_right: bool,
    /// The key of the caller, or the id of the command if there was none.
    pub idempotency_key: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From when on it must not be sent.
    pub expires_at: Option<Timestamp>,
    /// When it was last about to be sent.
    pub dispatched_at: Option<Timestamp>,
    /// When it came to its outcome.
    pub finished_at: Option<Timestamp>,
    /// Until when an outcome or evidence is waited for.
    pub settle_by: Option<Timestamp>,
    /// When the worker must look at it next.
    pub due_at: Option<Timestamp>,
    /// How often it was sent or about to be.
    pub attempts: i32,
    /// How often the vendor was asked since.
    pub polls: i32,
    /// The vendor's id of it.
    pub vendor_reference: Option<String>,
    /// Whether an attempt before the present one may have left.
    pub may_have_left: bool,
    /// The command whose pulse it shares.
    pub rides_on: Option<Uuid>,
    /// A `domain::command::FailureCode`.
    pub failure_code: Option<String>,
    /// The failure in words.
    pub failure_message: Option<String>,
    /// What was asked for, where the command brings something back: a value, ids, errors by record. Never a secret.
    pub result: Option<Json>,
    /// `domain::command::TimelineEntry`, oldest first.
    pub timeline: Json,
    /// Counts the writes; each is checked against it.
    pub version: i64,
}

/// No relation is followed by the ORM: loaders and finders do, in scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its state.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn state(&self) -> Result<CommandState, StoreError> {
        word(CommandState::parse, "commands", "state", &self.state)
    }

    /// The evidence for its outcome.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn evidence(&self) -> Result<Evidence, StoreError> {
        word(Evidence::parse, "commands", "evidence", &self.evidence)
    }

    /// Its kind.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn kind(&self) -> Result<CommandKind, StoreError> {
        word(CommandKind::parse, "commands", "kind", &self.kind)
    }

    /// What was asked for.
    ///
    /// # Errors
    /// The stored action is unreadable.
    pub fn action(&self) -> Result<Action, StoreError> {
        json("commands", "action", &self.action)
    }

    /// Its timeline, oldest first.
    ///
    /// # Errors
    /// The stored timeline is unreadable.
    pub fn timeline(&self) -> Result<Vec<TimelineEntry>, StoreError> {
        json("commands", "timeline", &self.timeline)
    }

    /// Why it failed, or why its last attempt did.
    ///
    /// # Errors
    /// The stored word is unknown.
    pub fn failure(&self) -> Result<Option<Failure>, StoreError> {
        let Some(code) = &self.failure_code else { return Ok(None) };
        let code = word(FailureCode::parse, "commands", "failure_code", code)?;
        Ok(Some(Failure { code, message: self.failure_message.clone().unwrap_or_default() }))
    }

    /// What the state machine needs to know of it.
    ///
    /// # Errors
    /// A stored value is unreadable.
    pub fn progress(&self) -> Result<Progress, StoreError> {
        let action = self.action()?;
        Ok(Progress {
            kind: action.kind(),
            trigger: action.trigger(),
            state: self.state()?,
            evidence: self.evidence()?,
            created_at: self.created_at,
            expires_at: self.expires_at,
            dispatched_at: self.dispatched_at,
            settle_by: self.settle_by,
            due_at: self.due_at,
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            polls: u32::try_from(self.polls).unwrap_or_default(),
            reference: self.vendor_reference.clone(),
            may_have_left: self.may_have_left,
            rides: self.rides_on.is_some(),
            failure: self.failure()?,
        })
    }
}
