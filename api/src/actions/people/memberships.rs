//! Who may sign in, and as what: ADMINs who see the whole organization decide.

use domain::{
    access::Role,
    ids::{MembershipId, OrganizationId, UserId},
};
use entities::{find, rows::membership, store::members};

use super::{acting, concluded, site_for, user_for};
use crate::{
    actions::{Refusal, accounts::Answer},
    auth::Session,
    shared::Shared,
};

/// Gives a person a role in the organization, or at one site of it, in place of the one that they have there.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn set_membership(
    shared: &Shared,
    session: &Session,
    (user, site): (&str, Option<&str>),
    role: Role,
) -> Answer<membership::Model> {
    if let Err(refusal) = crate::actions::accounts::permit(shared, session, Role::Admin) {
        return Ok(Err(refusal));
    }
    let person = match user_for(shared, session, user).await? {
        Ok(person) => person,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let site = match site {
        None => None,
        Some(site) => match site_for(shared, session, site).await? {
            Ok(site) => Some(site),
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let by = session.principal.actor.to_string();
    let target = (OrganizationId(person.organization_id), UserId(person.id));
    let acting = (&acting(shared, &by, None), &*session.principal);
    let outcome = members::set_membership(&shared.database, acting, target, site, role).await?;
    Ok(concluded(shared, outcome, "userId").await)
}

/// Takes a membership away. Who has none is not let in any more.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn remove_membership(shared: &Shared, session: &Session, id: &str) -> Answer<membership::Model> {
    let absent = Refusal::NotFound { field: "membershipId" };
    if let Err(refusal) = crate::actions::accounts::permit(shared, session, Role::Admin) {
        return Ok(Err(refusal));
    }
    let Ok(id) = id.parse::<MembershipId>() else { return Ok(Err(absent)) };
    let Some(row) = find::members::by_ids(&shared.database, &session.scope, &[id]).await?.pop() else {
        return Ok(Err(absent));
    };
    let by = session.principal.actor.to_string();
    let outcome = members::remove_membership(&shared.database, &acting(shared, &by, None), row).await?;
    Ok(concluded(shared, outcome, "membershipId").await)
}
