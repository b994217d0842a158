//! Calling a command off before it leaves.

use domain::{
    command::CommandState,
    ids::{CommandId, SiteId},
};
use entities::{find, store};

use super::{Outcome, Refusal, announce::announce, denials};
use crate::{auth::Session, shared::Shared};

/// The worker may write between our look and our write without sending; after this many such times it has surely sent.
const ATTEMPTS: usize = 3;

/// Calls a command off, unless it has left. Who may is [`domain::access::Principal::may_cancel`]'s decision.
///
/// # Errors
/// The database failed; nothing was written.
pub(crate) async fn cancel_command(shared: &Shared, session: &Session, id: &str) -> Outcome {
    let absent = Refusal::NotFound { field: "commandId" };
    let Ok(id) = id.parse::<CommandId>() else { return Ok(Err(absent)) };
    for _ in 0..ATTEMPTS {
        let Some(row) = find::commands::by_ids(&shared.database, &session.scope, &[id]).await?.pop() else {
            return Ok(Err(absent));
        };
        let now = shared.clock.now();
        let may = session.principal.may_cancel(&row.requested_by, row.kind()?, SiteId(row.site_id), now);
        if let Err(denial) = may {
            let refusal = Refusal::Forbidden(denial);
            denials::tell_of_cancelling(shared, session, &row, &refusal).await?;
            return Ok(Err(refusal));
        }
        if row.state()? != CommandState::Queued {
            break;
        }
        let by = session.principal.actor.to_string();
        let called_off = store::commands::call_off(&shared.database, shared.ids.as_ref(), &row, &by, now).await?;
        if let Some(row) = called_off {
            announce(shared, None, [&row]).await;
            return Ok(Ok(row));
        }
    }
    Ok(Err(Refusal::TooLate))
}
