//! A command that rides on another's pulse takes over what became of it.

use domain::{
    command::{Progress, TimelineStep, follow},
    ids::CommandId,
};
use entities::{StoreError, work};

use crate::advance_command::{Entry, Hands, Task, line};

pub(crate) async fn follow_leader(hands: &Hands, task: &Task<'_>) -> Result<Progress, StoreError> {
    let Some(leader) = task.row.rides_on else { return Ok(task.progress.clone()) };
    let Some(leader) = work::command(&hands.parts().database, CommandId(leader)).await? else {
        return Ok(task.progress.clone());
    };
    let now = hands.parts().clock.now();
    let next = follow(&task.progress, &leader.progress()?, now);
    let lines =
        if next.state == task.progress.state { Vec::new() } else { vec![line(&next, TimelineStep::Coalesced, now)] };
    hands.record(task, &next, Entry { lines, ..Entry::default() }).await?;
    Ok(next)
}
