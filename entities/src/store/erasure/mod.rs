//! Erasing a person from whatever tells of them. What is known by ids goes in the transaction in which they are erased
//! (`begin`). What has to be looked for in texts, and by what a vendor still has to find something to take away, is gone
//! through by the worker until nothing is left (`go_on`). What vendors tell later is kept without the person
//! (`erased_records`). Doing it again changes nothing.

mod placed;
mod records;
mod texts;

use chrono::TimeDelta;
use domain::{clock::Timestamp, erasure::KnownAs, ids::IdSource, record::RecordKind};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use uuid::Uuid;

pub(super) use self::records::erased_of;
pub use self::texts::{deliveries_after, empty_delivery};
use super::access::Acting;
use crate::{
    Database, StoreError,
    rows::{credential, erasure, to_json, user},
};

/// What cannot go yet is looked at again after this long, then after as long as it has taken so far, at the most hourly:
/// everything is read each time.
const PAUSE: TimeDelta = TimeDelta::seconds(2);
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);

/// Begins the erasure of a person whose row and credentials still say who they are.
///
/// # Errors
/// The database failed.
pub(super) async fn begin(
    transaction: &DatabaseTransaction,
    acting: &Acting<'_>,
    person: &user::Model,
) -> Result<(), StoreError> {
    let numbers: Vec<Option<String>> = credential::Entity::find()
        .select_only()
        .column(credential::Column::Number)
        .filter(credential::Column::UserId.eq(person.id))
        .into_tuple()
        .all(transaction)
        .await?;
    let marks = [person.email.as_deref(), person.phone.as_deref()].into_iter().flatten();
    let known_as = KnownAs::new(&person.name, marks.chain(numbers.iter().flatten().map(String::as_str)));
    let row = erasure::Model {
        user_id: person.id,
        organization_id: person.organization_id,
        known_as: Some(to_json("erasures", "known_as", &known_as)?),
        begun_at: acting.now,
        due_at: Some(acting.now),
    };
    let active = erasure::ActiveModel::from(row).reset_all();
    erasure::Entity::insert(active).exec_without_returning(transaction).await?;
    if let (Some(account), Some(external_id)) = (person.account_id, &person.external_id) {
        records::mark(transaction, person.id, account, RecordKind::User, external_id).await?;
    }
    placed::begin(transaction, acting, person.id).await?;
    records::strike(transaction, person.id, acting.now).await
}

/// The erasures that have to be gone on with, at most `limit`.
///
/// # Errors
/// The database failed.
pub async fn due(database: &Database, now: Timestamp, limit: u64) -> Result<Vec<erasure::Model>, StoreError> {
    Ok(erasure::Entity::find()
        .filter(erasure::Column::DueAt.lte(now))
        .order_by_asc(erasure::Column::DueAt)
        .limit(limit)
        .all(database.read())
        .await?)
}

/// Goes on with an erasure. `may_end`: nothing outside of this is left either. Returns whether it has come to its end.
///
/// # Errors
/// The database failed. What was struck stays so.
pub async fn go_on(
    database: &Database,
    ids: &dyn IdSource,
    erasure: &erasure::Model,
    may_end: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (person, user) = (erasure.known_as()?, erasure.user_id);
    let mut is_done = may_end;
    let placements = placed::go_on((database, ids), (user, &person), &mut is_done, now).await?;
    records::find(database, erasure, &person, now).await?;
    texts::commands(database, erasure.organization_id, &person, &placements, &mut is_done).await?;
    texts::alerts(database, erasure.organization_id, &person).await?;
    texts::stays(database, user, now).await?;
    texts::events(database, erasure.organization_id, &person).await?;
    let pause = (now - erasure.begun_at).clamp(PAUSE, LONGEST_PAUSE);
    let mut next = erasure::Entity::update_many()
        .col_expr(erasure::Column::DueAt, Expr::value((!is_done).then_some(now + pause)))
        .filter(erasure::Column::UserId.eq(user));
    if is_done {
        next = next.col_expr(erasure::Column::KnownAs, Expr::value(None::<sea_orm::JsonValue>));
    }
    next.exec(database.write()).await?;
    Ok(is_done)
}

/// Whether an id was made of a person's own number: nothing may be remembered by it.
fn is_made_of(external_id: &str, person: &KnownAs) -> bool {
    person.marks_text(external_id)
}

/// The ids of a person's credentials, and of the tokens of their stays, as placements name them.
fn holders(user: Uuid) -> sea_orm::Condition {
    use sea_orm::QueryTrait;

    use crate::rows::{access_token, placement, reservation};
    let credentials = credential::Entity::find()
        .select_only()
        .column(credential::Column::Id)
        .filter(credential::Column::UserId.eq(user))
        .into_query();
    let stays = reservation::Entity::find()
        .select_only()
        .column(reservation::Column::Id)
        .filter(reservation::Column::GuestId.eq(user))
        .into_query();
    let tokens = access_token::Entity::find()
        .select_only()
        .column(access_token::Column::Id)
        .filter(access_token::Column::ReservationId.in_subquery(stays))
        .into_query();
    sea_orm::Condition::any()
        .add(placement::Column::CredentialId.in_subquery(credentials))
        .add(placement::Column::TokenId.in_subquery(tokens))
}
