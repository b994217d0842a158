//! Calling a command off before it leaves.

use domain::{command::CommandState, ids::CommandId};
use entities::{find, store};

use super::{Outcome, Refusal, announce::announce};
use crate::{auth::Session, shared::Shared};

/// The worker may write between our look and our write without sending; after this many such times it has surely sent.
const ATTEMPTS: usize = 3;

/// Calls a command off, unless it has left. One's own may be called off by an OPERATOR, others' by a MANAGER.
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
        if let Err(denial) = session.principal.may_cancel(&row.requested_by, now) {
            return Ok(Err(Refusal::Forbidden(denial)));
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
