//! Writing which subject of an identity provider is which person. A subject is one person, and a person is one subject of a
//! provider; both are held by the table's keys.

use domain::{
    access::Principal,
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, OrganizationId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::OnConflict,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    access::{Declined, hold_person, still_may},
    events::{self, NewEvent},
};
use crate::{
    Database, StoreError,
    rows::{identity, user},
};

/// Who links or unlinks, and when.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// New ids.
    pub ids: &'a dyn IdSource,
    /// The public id of the actor.
    pub actor: &'a str,
    /// When.
    pub now: Timestamp,
}

/// Whose word it is that a subject is a person.
#[derive(Clone, Copy)]
pub enum Word<'a> {
    /// An ADMIN's.
    OfAdmin(&'a Principal),
    /// The provider's, who says that this e-mail address is theirs. It holds as long as it is the person's.
    OfProvider(&'a str),
}

/// Keeps that a subject of an identity provider is this person from now on. Nothing is written if it is already.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn link(
    database: &Database,
    by: By<'_>,
    (organization, user): (OrganizationId, UserId),
    (issuer, subject): (&str, &str),
    word: Word<'_>,
) -> Result<Result<user::Model, Declined>, StoreError> {
    let transaction = database.begin().await?;
    let Some(person) = hold_person(&transaction, organization.0, user).await? else {
        return refused(transaction, Declined::Gone).await;
    };
    let by_email = match word {
        Word::OfAdmin(admin) if !still_may(&transaction, admin, by.now).await? => {
            return refused(transaction, Declined::Withdrawn).await;
        }
        Word::OfAdmin(_) => false,
        // Somebody may have corrected the address in between.
        Word::OfProvider(email)
            if !person.email.as_deref().is_some_and(|theirs| theirs.eq_ignore_ascii_case(email)) =>
        {
            return refused(transaction, Declined::Gone).await;
        }
        Word::OfProvider(_) => true,
    };
    let row = identity::Model {
        organization_id: organization.0,
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        user_id: user.0,
        by_email,
        created_at: by.now,
    };
    let once = OnConflict::new().do_nothing().to_owned();
    let written = identity::Entity::insert(identity::ActiveModel::from(row).reset_all())
        .on_conflict(once)
        .exec_without_returning(&transaction)
        .await?;
    if written == 0 {
        let of_subject = Condition::all()
            .add(identity::Column::OrganizationId.eq(organization.0))
            .add(identity::Column::Issuer.eq(issuer))
            .add(identity::Column::Subject.eq(subject));
        let theirs = identity::Entity::find().filter(of_subject).one(&transaction).await?;
        return match theirs {
            Some(theirs) if theirs.user_id == user.0 => {
                transaction.rollback().await?;
                Ok(Ok(person))
            }
            Some(_) => refused(transaction, Declined::SubjectTaken).await,
            None => refused(transaction, Declined::HasSubject).await,
        };
    }
    told(&transaction, by, (organization, user, issuer), EventType::IdentityLinked).await?;
    transaction.commit().await?;
    Ok(Ok(person))
}

/// Forgets which subject of this provider the person is. Returns them whether or not they were one.
///
/// # Errors
/// The database failed; nothing was written.
pub async fn unlink(
    database: &Database,
    by: By<'_>,
    (organization, user): (OrganizationId, UserId),
    issuer: &str,
) -> Result<Result<user::Model, Declined>, StoreError> {
    let transaction = database.begin().await?;
    let Some(person) = hold_person(&transaction, organization.0, user).await? else {
        return refused(transaction, Declined::Gone).await;
    };
    let gone = identity::Entity::delete_many()
        .filter(identity::Column::OrganizationId.eq(organization.0))
        .filter(identity::Column::UserId.eq(user.0))
        .filter(identity::Column::Issuer.eq(issuer))
        .exec(&transaction)
        .await?;
    if gone.rows_affected > 0 {
        told(&transaction, by, (organization, user, issuer), EventType::IdentityUnlinked).await?;
    }
    transaction.commit().await?;
    Ok(Ok(person))
}

/// Forgets what providers' words for an e-mail address made of these people, because their addresses are other ones now.
///
/// # Errors
/// The database failed.
pub(super) async fn unlink_by_email(
    transaction: &DatabaseTransaction,
    by: By<'_>,
    organization: OrganizationId,
    people: &[Uuid],
) -> Result<(), StoreError> {
    let theirs = Condition::all()
        .add(identity::Column::OrganizationId.eq(organization.0))
        .add(identity::Column::UserId.is_in(people.iter().copied()))
        .add(identity::Column::ByEmail.eq(true));
    for row in identity::Entity::find().filter(theirs.clone()).all(transaction).await? {
        let who = (organization, UserId(row.user_id), row.issuer.as_str());
        told(transaction, by, who, EventType::IdentityUnlinked).await?;
    }
    identity::Entity::delete_many().filter(theirs).exec(transaction).await?;
    Ok(())
}

/// The subject is left out: it is the provider's name for a person, and events outlive people.
async fn told(
    transaction: &DatabaseTransaction,
    by: By<'_>,
    (organization, user, issuer): (OrganizationId, UserId, &str),
    event_type: EventType,
) -> Result<(), StoreError> {
    let data = json!({ "user": user.to_string(), "issuer": issuer });
    let event = NewEvent::of_organization(organization.0, event_type, by.now, Some(by.actor), data);
    events::append(transaction, by.ids, vec![event]).await
}

async fn refused<T>(transaction: DatabaseTransaction, why: Declined) -> Result<Result<T, Declined>, StoreError> {
    transaction.rollback().await?;
    Ok(Err(why))
}
