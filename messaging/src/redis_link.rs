//! How this room talks to Redis: one reconnecting connection for commands, and a listening loop for pub/sub that never gives
//! up. No key or channel is named here.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use futures::StreamExt;
use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Msg, RedisError, RedisResult};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::pace;

/// How long a worker waits for an answer. The client's default of 500 ms is fatal to apalis workers under load.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a caller of `ring` or `publish` waits: somebody's mutation waits behind it, and the sweeper makes good.
const PROMPT_ANSWER: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(2);
/// A listening connection that is silent is asked for a sign of life so often.
const PING: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A Redis server: the address, and the shared connection for short commands.
#[derive(Clone)]
pub(crate) struct RedisLink {
    client: Client,
    commands: ConnectionManager,
}

/// What a listener hears.
pub(crate) enum Heard {
    /// The subscription stands, for the first time or again: what was said before is lost.
    Joined,
    /// Something was said on a channel.
    Said(Msg),
}

impl RedisLink {
    /// Connects to `url` (`redis://` or `rediss://`).
    pub(crate) async fn open(url: &str) -> RedisResult<Self> {
        let client = Client::open(url)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(PROMPT_ANSWER))
            // A caller must not wait for a server that is down; the next command tries to connect again.
            .set_number_of_retries(0);
        let commands = ConnectionManager::new_with_config(client.clone(), config).await?;
        Ok(Self { client, commands })
    }

    /// Runs `command` on the shared connection, and once more if the connection turns out to be gone: after a restart of the
    /// server the first command only finds that out. The command must bear being run twice.
    pub(crate) async fn run<T, F, Fut>(&self, command: F) -> RedisResult<T>
    where
        F: Fn(ConnectionManager) -> Fut,
        Fut: Future<Output = RedisResult<T>>,
    {
        match command(self.commands.clone()).await {
            Err(error) if connection_is_gone(&error) => command(self.commands.clone()).await,
            answer => answer,
        }
    }

    /// A connection of its own that does not reconnect: whoever holds it wants to know when it breaks.
    pub(crate) async fn dedicated(&self) -> RedisResult<MultiplexedConnection> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Listens to `channels` for ever, on a connection of its own, and subscribes again whenever it breaks. Drop to end.
    pub(crate) async fn listen(&self, channels: &[String], mut hear: impl FnMut(Heard) + Send) -> Infallible {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.listen_once(channels, &mut hear, &mut pause).await {
                Ok(()) => tracing::warn!(?channels, "the subscription ended; subscribing again"),
                Err(error) => tracing::warn!(?channels, %error, ?pause, "the subscription failed; subscribing again"),
            }
            pace::pause(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn listen_once(
        &self,
        channels: &[String],
        hear: &mut (impl FnMut(Heard) + Send),
        pause: &mut Duration,
    ) -> RedisResult<()> {
        let (mut sink, mut said) = in_time(CONNECT, self.client.get_async_pubsub()).await?.split();
        in_time(ANSWER, sink.subscribe(channels)).await?;
        *pause = FIRST_PAUSE;
        hear(Heard::Joined);
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = said.next() => match message {
                    Some(message) => hear(Heard::Said(message)),
                    None => return Ok(()),
                },
                // A server that vanished without a word closes no connection.
                _ = ping.tick() => { in_time(ANSWER, sink.ping::<redis::Value>()).await?; }
            }
        }
    }
}

fn connection_is_gone(error: &RedisError) -> bool {
    error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error()
}

async fn in_time<T>(limit: Duration, answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    match timeout(limit, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
    }
}
