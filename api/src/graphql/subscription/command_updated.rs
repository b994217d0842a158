//! `commandUpdated`: one command until nothing more can happen to it.

use std::sync::Arc;

use async_graphql::{Context, ID, Result, Subscription};
use domain::ids::CommandId;
use entities::find;
use futures::stream::BoxStream;
use messaging::{LiveEvent, Topic};

use super::watch::{Look, Seen, Trouble, Wake, Watch, follow};
use crate::graphql::{context::Ask, error::ApiError, object::Command};

#[derive(Default)]
pub(crate) struct CommandSubscriptions;

#[Subscription]
impl CommandSubscriptions {
    /// The command as it is now, then each change. Ends once it has come to its outcome and no evidence is waited for any
    /// more.
    async fn command_updated(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The command.")] id: ID,
    ) -> Result<BoxStream<'static, Result<Command>>> {
        let session = &context.caller()?.session;
        let id: CommandId = id.parse().map_err(|_| ApiError::NotFound)?;
        let shared = Arc::clone(&context.operation()?.shared);
        let watch = Watch::new(shared, session, &[Topic::Command(id.0)]);
        Ok(follow(watch, CommandLook { id, sent: 0 }))
    }
}

struct CommandLook {
    id: CommandId,
    /// The newest version sent: an older one is never sent after it.
    sent: i64,
}

impl Look for CommandLook {
    type Item = Command;

    async fn look(&mut self, watch: &Watch, wake: &Wake) -> Result<Seen<Command>, Trouble> {
        if let Wake::Changed(events) = wake
            && !events.iter().any(|event| matches!(event, LiveEvent::Command { version, .. } if *version > self.sent))
        {
            return Ok(Seen::News(Vec::new()));
        }
        let session = watch.session().await?;
        let found = find::commands::by_ids(&watch.shared.database, &session.scope, &[self.id]).await?;
        let row = found.into_iter().next().ok_or(ApiError::NotFound)?;
        let is_over = row.state()?.is_terminal() && row.due_at.is_none();
        let is_news = row.version > self.sent;
        self.sent = self.sent.max(row.version);
        let news = is_news.then(|| Arc::new(row).into()).into_iter().collect();
        Ok(if is_over { Seen::LastNews(news) } else { Seen::News(news) })
    }
}
