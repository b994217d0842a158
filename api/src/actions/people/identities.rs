//! Which subject of an identity provider is which person, where the provider's word for an e-mail address does not decide it:
//! ADMINs who see the whole organization do.

use domain::{
    access::Role,
    ids::{OrganizationId, UserId},
};
use entities::{
    rows::user,
    store::identities::{self, By, Word},
};

use super::{refusal, user_for};
use crate::{
    actions::{Refusal, accounts::Answer},
    auth::Session,
    shared::Shared,
};

/// What a subject may be long: OpenID Connect Core 1.0, section 2, allows 255 ASCII characters.
const LONGEST_SUBJECT: usize = 255;

/// Lets a person sign in as this subject of an identity provider.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn link_identity(
    shared: &Shared,
    session: &Session,
    user: &str,
    (issuer, subject): (&str, &str),
) -> Answer<user::Model> {
    let person = match person_at(shared, session, user, issuer).await? {
        Ok(person) => person,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
        let message = format!("`subject` has 1 to {LONGEST_SUBJECT} characters.");
        return Ok(Err(Refusal::InvalidInput { field: "subject", message }));
    }
    let actor = session.principal.actor.to_string();
    let word = Word::OfAdmin(&session.principal);
    let linked = identities::link(&shared.database, by(shared, &actor), of(&person), (issuer, subject), word).await?;
    Ok(linked.map_err(|why| refusal(why, "userId")))
}

/// Forgets which subject of an identity provider a person is; who signed in through it is not let in any more.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn unlink_identity(
    shared: &Shared,
    session: &Session,
    user: &str,
    issuer: &str,
) -> Answer<user::Model> {
    if let Err(refusal) = crate::actions::accounts::permit(shared, session, Role::Admin) {
        return Ok(Err(refusal));
    }
    // The provider may not be set any more: what it was linked to can be forgotten all the same.
    let person = match user_for(shared, session, user).await? {
        Ok(person) => person,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let actor = session.principal.actor.to_string();
    let unlinked = identities::unlink(&shared.database, by(shared, &actor), of(&person), issuer).await?;
    Ok(unlinked.map_err(|why| refusal(why, "userId")))
}

/// The person, if the caller may decide who they are, and the provider is one of ours.
async fn person_at(shared: &Shared, session: &Session, user: &str, issuer: &str) -> Answer<user::Model> {
    if let Err(refusal) = crate::actions::accounts::permit(shared, session, Role::Admin) {
        return Ok(Err(refusal));
    }
    let person = match user_for(shared, session, user).await? {
        Ok(person) => person,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let ours = shared.keys.issuers_of(session.principal.organization);
    Ok(if ours.contains(issuer) {
        Ok(person)
    } else {
        let known = if ours.is_empty() { "none".to_owned() } else { Vec::from_iter(ours).join(", ") };
        let message = format!("No identity provider is set under this address. There are: {known}.");
        Err(Refusal::InvalidInput { field: "issuer", message })
    })
}

fn by<'a>(shared: &'a Shared, actor: &'a str) -> By<'a> {
    By { ids: shared.ids.as_ref(), actor, now: shared.clock.now() }
}

fn of(person: &user::Model) -> (OrganizationId, UserId) {
    (OrganizationId(person.organization_id), UserId(person.id))
}
