//! What the writers of people, credentials, access levels and schedules have in common: who acts, what came of it, and
//! the order in which rows are locked: schedule, person, access levels, placements, credentials, doors.

use std::collections::BTreeSet;

use domain::{
    access::Principal,
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, UserId, VendorAccountId},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, JsonValue, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
};
use uuid::Uuid;

use super::{
    credentials,
    events::NewEvent,
    stays::Settling,
    used_keys::{self, KeyedOrder, Known},
};
use crate::{
    StoreError,
    find::standing,
    rows::{access_assignment, access_level, user},
};

/// Who acts, when, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Acting<'a> {
    /// New ids, and how long values are not used again.
    pub settling: Settling<'a>,
    /// The public id of the actor.
    pub by: &'a str,
    /// The caller's key, where something is made.
    pub key: Option<&'a KeyedOrder>,
    /// When.
    pub now: Timestamp,
}

/// What was written.
#[derive(Debug, Clone)]
pub struct Changed<Row> {
    /// The row as it is now.
    pub row: Row,
    /// Accounts with placements that became due: ring `Job::Reconcile` for each after the commit.
    pub accounts: BTreeSet<VendorAccountId>,
}

/// Why nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declined {
    /// What was to be changed, or something that was named, is gone.
    Gone,
    /// Something was carried out under the key before: this row came of it.
    Repeated(Uuid),
    /// Something else was asked for under the key before.
    KeyReused,
    /// Somebody else has the value at one of the doors.
    ValueTaken,
    /// No door of those that are named can hold it.
    CannotHold,
    /// It is revoked, and stays so.
    Revoked,
    /// An access level uses it.
    InUse,
    /// There are as many as there may be.
    TooMany,
    /// The subject of the identity provider is somebody else.
    SubjectTaken,
    /// The person is another subject of this identity provider.
    HasSubject,
    /// Who acts may not any more.
    Withdrawn,
}

/// The outcome of a writer.
pub type Outcome<Row> = Result<Result<Changed<Row>, Declined>, StoreError>;

impl<'a> Acting<'a> {
    pub(super) fn ids(&self) -> &'a dyn IdSource {
        self.settling.ids
    }

    /// Uses the caller's key for what is made in this transaction.
    pub(super) async fn claim(
        &self,
        transaction: &DatabaseTransaction,
        object: Uuid,
    ) -> Result<Result<(), Declined>, StoreError> {
        let Some(key) = self.key else { return Ok(Ok(())) };
        Ok(match used_keys::claim(transaction, key, object, self.now).await? {
            Known::Nothing => Ok(()),
            Known::Done(object) => Err(Declined::Repeated(object)),
            Known::KeyReused => Err(Declined::KeyReused),
        })
    }

    /// An event about people. It has no site: who is limited to sites is told nothing of people.
    pub(super) fn event(&self, organization: Uuid, event_type: EventType, data: JsonValue) -> NewEvent<'a> {
        NewEvent::of_organization(organization, event_type, self.now, Some(self.by), data)
    }
}

/// Whether who acts still has the rights that they were let in with: sessions are remembered for a moment, and what gives
/// rights must not outlive the giver's. Held until the transaction ends.
pub(super) async fn still_may(
    transaction: &DatabaseTransaction,
    by: &Principal,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let at_present = standing::held(transaction, by.organization, by.actor, now).await?;
    Ok(at_present.is_some_and(|at_present| by.still_is(&at_present)))
}

/// Rolls back and says why.
pub(super) async fn declined<Row>(transaction: DatabaseTransaction, why: Declined) -> Outcome<Row> {
    transaction.rollback().await?;
    Ok(Err(why))
}

/// Commits what was written together with what follows of it at vendors; rolls back if that cannot be.
pub(super) async fn finish<Row>(
    transaction: DatabaseTransaction,
    row: Row,
    settled: Result<BTreeSet<VendorAccountId>, Declined>,
) -> Outcome<Row> {
    match settled {
        Ok(accounts) => {
            transaction.commit().await?;
            Ok(Ok(Changed { row, accounts }))
        }
        Err(why) => declined(transaction, why).await,
    }
}

/// Takes hold of a person, and keeps their access levels as they are, until the transaction ends. An erased person is
/// gone.
pub(super) async fn hold_person(
    transaction: &DatabaseTransaction,
    organization: Uuid,
    id: UserId,
) -> Result<Option<user::Model>, StoreError> {
    let person = user::Entity::find_by_id(id.0)
        .filter(user::Column::OrganizationId.eq(organization))
        .filter(user::Column::ErasedAt.is_null())
        .lock_exclusive()
        .one(transaction)
        .await?;
    let assigned = access_assignment::Entity::find()
        .select_only()
        .column(access_assignment::Column::AccessLevelId)
        .filter(access_assignment::Column::UserId.eq(id.0))
        .into_query();
    access_level::Entity::find()
        .select_only()
        .column(access_level::Column::Id)
        .filter(access_level::Column::Id.in_subquery(assigned))
        .order_by_asc(access_level::Column::Id)
        .lock_shared()
        .into_tuple::<Uuid>()
        .all(transaction)
        .await?;
    Ok(person)
}

/// Who has one of these access levels.
pub(super) async fn holders_of(transaction: &DatabaseTransaction, levels: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    Ok(access_assignment::Entity::find()
        .select_only()
        .column(access_assignment::Column::UserId)
        .filter(access_assignment::Column::AccessLevelId.is_in(levels.iter().copied()))
        .distinct()
        .into_tuple()
        .all(transaction)
        .await?)
}

/// Settles the credentials of whoever has one of these access levels.
pub(super) async fn settle_holders(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    levels: &[Uuid],
) -> Result<Result<BTreeSet<VendorAccountId>, Declined>, StoreError> {
    let holders = holders_of(transaction, levels).await?;
    credentials::settle_people(transaction, acting, &holders).await
}

/// Whether all of these rows are there.
pub(super) async fn are_all_there<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    (id, tenant): (E::Column, E::Column),
    organization: Uuid,
    wanted: &BTreeSet<Uuid>,
) -> Result<bool, StoreError> {
    let found: Vec<Uuid> = E::find()
        .select_only()
        .column(id)
        .filter(tenant.eq(organization))
        .filter(id.is_in(wanted.iter().copied()))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(found.len() == wanted.len())
}
