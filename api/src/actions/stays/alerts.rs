//! Taking note of an alert.

use domain::{access::Role, ids::AlertId};
use entities::{find, rows::alert, store};

use crate::{
    actions::{Refusal, accounts::Answer, announce::tell_of_alerts},
    auth::Session,
    shared::Shared,
};

/// Writes that the caller took note of an alert. Doing it again changes nothing.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn acknowledge_alert(shared: &Shared, session: &Session, id: &str) -> Answer<alert::Model> {
    let (principal, now) = (&session.principal, shared.clock.now());
    let absent = Refusal::NotFound { field: "alertId" };
    let Ok(id) = id.parse::<AlertId>() else { return Ok(Err(absent)) };
    let found = find::alerts::by_ids(&shared.database, &session.scope, &[id]).await?.pop();
    let Some(row) = found else { return Ok(Err(absent)) };
    if row.kind()?.is_personal() && principal.must_be(Role::Manager, now).is_err() {
        return Ok(Err(absent));
    }
    if let Err(denial) = principal.may_change(Role::Operator, now) {
        return Ok(Err(Refusal::Forbidden(denial)));
    }
    if principal.limits.verbs.is_some() {
        return Ok(Err(Refusal::KeyLimited));
    }
    let by = principal.actor.to_string();
    let ids = shared.ids.as_ref();
    let Some(row) = store::alerts::take_note(&shared.database, ids, id, &by, now).await? else {
        return Ok(Err(absent));
    };
    tell_of_alerts(shared, [&row]).await;
    Ok(Ok(row))
}
