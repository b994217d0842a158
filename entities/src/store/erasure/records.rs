//! What vendors keep of an erased person, in our rows: without the person, and marked, so that no sync brings them back.

use std::collections::{BTreeSet, HashSet};

use domain::{
    clock::Timestamp,
    erasure::{ERASED, KnownAs},
    record::{FoundRecord, RecordKind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    QueryFilter, QuerySelect, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{is_made_of, texts::stands_in};
use crate::{
    Database, StoreError,
    rows::{erased_record, erasure, record, record_link, to_json},
};

/// The kinds that say who somebody is.
const KINDS: [RecordKind; 3] = [RecordKind::User, RecordKind::Credential, RecordKind::DeviceAccess];

/// Remembers that this record is of an erased person.
pub(super) async fn mark(
    transaction: &DatabaseTransaction,
    user: Uuid,
    account: Uuid,
    kind: RecordKind,
    external_id: &str,
) -> Result<(), StoreError> {
    let row = erased_record::ActiveModel {
        account_id: Set(account),
        kind: Set(kind.as_str().to_owned()),
        external_id: Set(external_id.to_owned()),
        user_id: Set(user),
    };
    let once = OnConflict::new().do_nothing().to_owned();
    erased_record::Entity::insert(row).on_conflict(once).exec_without_returning(transaction).await?;
    Ok(())
}

/// Which of these records of a vendor are of erased people, by kind and the vendor's id.
pub(in crate::store) async fn erased_of(
    connection: &impl ConnectionTrait,
    account: Uuid,
    portion: &[FoundRecord],
) -> Result<HashSet<(String, String)>, StoreError> {
    let told: BTreeSet<&str> =
        portion.iter().filter(|found| KINDS.contains(&found.kind())).map(|found| found.external_id.as_str()).collect();
    if told.is_empty() {
        return Ok(HashSet::new());
    }
    let erased = erased_record::Entity::find()
        .filter(erased_record::Column::AccountId.eq(account))
        .filter(erased_record::Column::ExternalId.is_in(told))
        .all(connection)
        .await?;
    Ok(erased.into_iter().map(|row| (row.kind, row.external_id)).collect())
}

/// Strikes the person from the records that are marked as theirs.
pub(super) async fn strike(transaction: &DatabaseTransaction, user: Uuid, now: Timestamp) -> Result<(), StoreError> {
    let marked = erased_record::Entity::find().filter(erased_record::Column::UserId.eq(user)).all(transaction).await?;
    for mark in marked {
        let rows = record::Entity::find()
            .filter(record::Column::AccountId.eq(mark.account_id))
            .filter(record::Column::Kind.eq(mark.kind))
            .filter(record::Column::ExternalId.eq(mark.external_id))
            .lock_exclusive()
            .all(transaction)
            .await?;
        for row in rows {
            write(transaction, &row, now).await?;
        }
    }
    Ok(())
}

async fn write(transaction: &DatabaseTransaction, row: &record::Model, now: Timestamp) -> Result<(), StoreError> {
    let next = record::Model {
        name: ERASED.to_owned(),
        name_folded: ERASED.to_lowercase(),
        details: to_json("records", "details", &row.details()?.impersonal())?,
        secret: None,
        ..row.clone()
    };
    if next == *row {
        return Ok(());
    }
    let next = record::Model { version: row.version + 1, changed_at: now, ..next };
    record::Entity::update_many()
        .set(record::ActiveModel { id: Unchanged(row.id), ..record::ActiveModel::from(next).reset_all() })
        .filter(record::Column::Id.eq(row.id))
        .exec(transaction)
        .await?;
    Ok(())
}

/// Looks for records with the person's number or address, marks them and strikes the person. Where the vendor knows a
/// number by nothing but the number, our row goes: it comes back only as long as the vendor itself goes on listing it.
pub(super) async fn find(
    database: &Database,
    erasure: &erasure::Model,
    person: &KnownAs,
    now: Timestamp,
) -> Result<(), StoreError> {
    let user = erasure.user_id;
    let about: Vec<record::Model> = match stands_in(&[record::Column::Details], person.marks()) {
        None => Vec::new(),
        Some(condition) => {
            let rows = record::Entity::find()
                .filter(record::Column::OrganizationId.eq(erasure.organization_id))
                .filter(record::Column::Kind.is_in(KINDS.map(RecordKind::as_str)))
                .filter(condition)
                .all(database.read())
                .await?;
            rows.into_iter().filter(|row| row.details().is_ok_and(|details| details.is_about(person))).collect()
        }
    };
    let transaction = database.begin().await?;
    for row in about {
        if is_made_of(&row.external_id, person) {
            record_link::Entity::delete_many()
                .filter(record_link::Column::RecordId.eq(row.id))
                .exec(&transaction)
                .await?;
            record::Entity::delete_many().filter(record::Column::Id.eq(row.id)).exec(&transaction).await?;
        } else {
            mark(&transaction, user, row.account_id, row.kind()?, &row.external_id).await?;
        }
    }
    strike(&transaction, user, now).await?;
    Ok(transaction.commit().await?)
}
