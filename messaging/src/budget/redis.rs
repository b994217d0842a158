//! The budget of all workers together, on Redis: one atomic script a request. Keys end by themselves.

use std::{sync::LazyLock, time::Duration};

use async_trait::async_trait;
use redis::{RedisResult, Script};
use uuid::Uuid;

use super::{
    Health, MemoryBudget, RateBudget, RateLimit, Urgency,
    decide::{FAILURES, PROBE, allowed, pause_after},
};
use crate::redis_link::RedisLink;

/// KEYS: sent requests (sorted set), state (hash). ARGV: now, window, allowed (-1: no limit), may probe, a name for this
/// request, failures that open the breaker, how long a probe takes. Answers how many milliseconds to wait; 0 is: go, and it is counted; -1 the same, but there was trouble.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"local now, window, allowed = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local silent = tonumber(redis.call('HGET', KEYS[2], 'silent') or '0')
        if silent > now then return silent - now end
        local failures = tonumber(redis.call('HGET', KEYS[2], 'failures') or '0')
        if ARGV[4] == '0' and failures >= tonumber(ARGV[6]) then
            local open = tonumber(redis.call('HGET', KEYS[2], 'open') or '0')
            if open > now then return open - now end
            redis.call('HSET', KEYS[2], 'open', now + tonumber(ARGV[7]))
        end
        local go = 0
        if failures > 0 then go = -1 end
        if allowed < 0 then return go end
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
        local sent = redis.call('ZCARD', KEYS[1])
        if sent >= allowed then
            local at = redis.call('ZRANGE', KEYS[1], sent - allowed, sent - allowed, 'WITHSCORES')[2]
            return math.max(1, tonumber(at) + window - now)
        end
        redis.call('ZADD', KEYS[1], now, ARGV[5])
        redis.call('PEXPIRE', KEYS[1], window)
        return go",
    )
});

/// KEYS: state. ARGV: until. The later of two silences counts.
static PAUSE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"local known = tonumber(redis.call('HGET', KEYS[1], 'silent') or '0')
        if tonumber(ARGV[1]) > known then redis.call('HSET', KEYS[1], 'silent', ARGV[1]) end
        redis.call('PEXPIRE', KEYS[1], 86400000)
        return 0",
    )
});

/// How long a process counts for itself before it asks Redis again, in milliseconds.
const ALONE: i64 = 1_000;
/// A state that nobody wrote for so long is forgotten, in milliseconds.
const FORGOTTEN: i64 = 86_400_000;

/// The shared budget, with the process's own behind it.
pub(crate) struct RedisBudget {
    link: RedisLink,
    prefix: String,
    own: MemoryBudget,
    alone_until: std::sync::atomic::AtomicI64,
}

impl RedisBudget {
    /// The budget under `prefix` on the server behind `link`.
    pub(crate) fn new(link: RedisLink, prefix: &str) -> Self {
        Self {
            link,
            prefix: prefix.to_owned(),
            own: MemoryBudget::default(),
            alone_until: std::sync::atomic::AtomicI64::new(i64::MIN),
        }
    }

    fn keys(&self, account: Uuid) -> (String, String) {
        let name = format!("{}gatehouse-budget:{{{account}}}", self.prefix);
        (format!("{name}:sent"), format!("{name}:state"))
    }

    async fn try_take(
        &self,
        account: Uuid,
        urgency: Urgency,
        limit: Option<RateLimit>,
        now: i64,
    ) -> RedisResult<Option<Duration>> {
        let (sent, state) = self.keys(account);
        let window = limit.map_or(0, |limit| i64::try_from(limit.window.as_millis()).unwrap_or(i64::MAX));
        let allowed = limit.map_or(-1, |limit| i64::from(allowed(limit.requests, urgency.share())));
        // Counted once, also if the command is run twice because the connection was gone.
        let name = ulid::Ulid::generate().to_string();
        let wait: i64 = self
            .link
            .run(|mut redis| {
                let mut call = TAKE.key(&sent);
                call.key(&state).arg(now).arg(window).arg(allowed);
                call.arg(i32::from(urgency.may_probe())).arg(&name).arg(FAILURES).arg(PROBE);
                async move { call.invoke_async(&mut redis).await }
            })
            .await?;
        if wait < 0 {
            self.own.note_trouble(account);
        }
        Ok((wait > 0).then(|| Duration::from_millis(wait.unsigned_abs())))
    }

    fn is_alone(&self, now: i64) -> bool {
        self.alone_until.load(std::sync::atomic::Ordering::Relaxed) > now
    }

    fn note(&self, error: &redis::RedisError, now: i64) {
        tracing::warn!(%error, "the shared rate budget cannot be reached; this process counts for itself");
        self.alone_until.store(now + ALONE, std::sync::atomic::Ordering::Relaxed);
    }
}

#[async_trait]
impl RateBudget for RedisBudget {
    async fn take(&self, account: Uuid, urgency: Urgency, limit: Option<RateLimit>, now: i64) -> Option<Duration> {
        if !self.is_alone(now) {
            match self.try_take(account, urgency, limit, now).await {
                Ok(wait) => return wait,
                Err(error) => self.note(&error, now),
            }
        }
        self.own.take(account, urgency, limit, now).await
    }

    async fn pause(&self, account: Uuid, until: i64) {
        self.own.pause(account, until).await;
        let (_, state) = self.keys(account);
        let told: RedisResult<i64> = self
            .link
            .run(|mut redis| {
                let mut call = PAUSE.key(&state);
                call.arg(until);
                async move { call.invoke_async(&mut redis).await }
            })
            .await;
        if let Err(error) = told {
            tracing::warn!(%error, "other workers were not told that a vendor asked for silence");
        }
    }

    async fn report(&self, account: Uuid, health: Health, now: i64) {
        let troubled = self.own.is_troubled(account);
        self.own.report(account, health, now).await;
        if health == Health::Well && !troubled {
            return;
        }
        let (_, state) = self.keys(account);
        let told: RedisResult<()> = self
            .link
            .run(|mut redis| {
                let state = state.clone();
                async move {
                    match health {
                        Health::Well => {
                            redis::cmd("HDEL").arg(&state).arg("failures").arg("open").exec_async(&mut redis).await
                        }
                        Health::Ill => {
                            let failures: u32 = redis::cmd("HINCRBY")
                                .arg(&state)
                                .arg("failures")
                                .arg(1)
                                .query_async(&mut redis)
                                .await?;
                            let open = now + pause_after(failures);
                            redis::pipe()
                                .cmd("HSET")
                                .arg(&state)
                                .arg("open")
                                .arg(open)
                                .ignore()
                                .cmd("PEXPIRE")
                                .arg(&state)
                                .arg(FORGOTTEN)
                                .ignore()
                                .exec_async(&mut redis)
                                .await
                        }
                    }
                }
            })
            .await;
        if let Err(error) = told {
            tracing::debug!(%error, "other workers were not told how a vendor is");
        }
    }
}
