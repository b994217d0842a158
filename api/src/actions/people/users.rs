//! Making, changing and erasing people.

use domain::{
    access::Role,
    credential::is_email,
    ids::{OrganizationId, UserId},
};
use entities::{
    find,
    rows::user,
    store::{
        access::Declined,
        people::{self, NewPerson, PersonChange},
    },
};
use serde_json::json;

use super::{acting, concluded, done, made_before, permit, refusal, user_for};
use crate::{
    actions::{Refusal, accounts::Answer, keyed, short_text},
    auth::Session,
    shared::Shared,
};

/// A person, as a caller says it.
#[derive(Debug, Clone)]
pub(crate) struct NewUser {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) idempotency_key: Option<String>,
}

/// What is to change of a person: nothing where it is absent, no such thing any more where it holds nothing.
#[derive(Debug, Clone)]
pub(crate) struct UserGiven {
    pub(crate) user: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<Option<String>>,
    pub(crate) phone: Option<Option<String>>,
}

/// Makes a person.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn create_user(shared: &Shared, session: &Session, new: NewUser) -> Answer<user::Model> {
    let asked = json!([new.name, new.email, new.phone]);
    let checked = permit(shared, session)
        .and_then(|()| keyed(shared, session, "createUser", new.idempotency_key, &asked))
        .and_then(|key| Ok((key, name(&new.name)?, email(new.email)?, phone(new.phone)?)));
    let (key, name, email, phone) = match checked {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (id, organization) = (UserId(shared.ids.next_uuid()), session.principal.organization);
    let person = NewPerson { id, organization, name, email, phone };
    let by = session.principal.actor.to_string();
    match people::create(&shared.database, &acting(shared, &by, Some(&key)), person).await? {
        Ok(changed) => Ok(Ok(done(shared, changed).await)),
        Err(Declined::Repeated(id)) => {
            let found = find::organizations::users_by_ids(&shared.database, &session.scope, &[UserId(id)]).await?;
            made_before(found)
        }
        Err(why) => Ok(Err(refusal(why, "name"))),
    }
}

/// Changes a person who was made here.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn update_user(shared: &Shared, session: &Session, given: UserGiven) -> Answer<user::Model> {
    let row = match changeable(shared, session, &given.user).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if row.account_id.is_some() {
        let message = "This person comes from the PMS, which would say otherwise again: change them there.".to_owned();
        return Ok(Err(Refusal::InvalidInput { field: "userId", message }));
    }
    let change = || {
        Ok::<_, Refusal>(PersonChange {
            name: given.name.as_deref().map(name).transpose()?,
            email: given.email.map(email).transpose()?,
            phone: given.phone.map(phone).transpose()?,
        })
    };
    let change = match change() {
        Ok(change) => change,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(row.organization_id), UserId(row.id));
    let outcome = people::update(&shared.database, &acting(shared, &by, None), target, change).await?;
    Ok(concluded(shared, outcome, "userId").await)
}

/// Erases a person, once and for all.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn delete_user(shared: &Shared, session: &Session, id: &str) -> Answer<user::Model> {
    let row = match changeable(shared, session, id).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if row.erased_at.is_some() {
        return Ok(Ok(row));
    }
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(row.organization_id), UserId(row.id));
    let outcome = people::erase(&shared.database, &acting(shared, &by, None), target).await?;
    Ok(concluded(shared, outcome, "userId").await)
}

/// A person whose own data the caller may change: that of somebody who may sign in themselves needs ADMIN.
async fn changeable(shared: &Shared, session: &Session, id: &str) -> Answer<user::Model> {
    if let Err(refusal) = permit(shared, session) {
        return Ok(Err(refusal));
    }
    let row = match user_for(shared, session, id).await? {
        Ok(row) => row,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let denied = session.principal.must_be(Role::Admin, shared.clock.now()).err();
    if let Some(denial) = denied
        && find::people::may_sign_in(&shared.database, &session.scope, UserId(row.id)).await?
    {
        return Ok(Err(Refusal::Forbidden(denial)));
    }
    Ok(Ok(row))
}

fn name(text: &str) -> Result<String, Refusal> {
    short_text("name", text)?;
    Ok(text.trim().to_owned())
}

fn email(address: Option<String>) -> Result<Option<String>, Refusal> {
    match address {
        Some(address) if !is_email(address.trim()) => {
            Err(Refusal::InvalidInput { field: "email", message: "`email` is an e-mail address.".to_owned() })
        }
        address => Ok(address.map(|address| address.trim().to_owned())),
    }
}

fn phone(number: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(number) = number else { return Ok(None) };
    match domain::credential::checked_number(domain::record::CredentialType::PhoneNumber, &number) {
        Ok(number) => Ok(Some(number)),
        Err(fault) => Err(Refusal::InvalidInput { field: "phone", message: fault.to_string() }),
    }
}
