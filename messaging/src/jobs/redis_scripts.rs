//! The Lua of the Redis queue. Every script is atomic, bounded, and touches only keys that begin with the queue's name.

use std::sync::LazyLock;

use redis::Script;

/// Jobs touched by one call of a script: about a millisecond of the server's time.
pub(super) const CHUNK: usize = 500;

/// Rings: straight to the active list (first in, first out; apalis' own push goes through the `scheduled` set, which wedges
/// for good at 8000 due jobs), or to our own `later` set. Wakes the workers in the same step. Safe to run twice.
/// KEYS data, active, meta prefix, later; ARGV channel, delay in ms, then id and payload of each ring.
pub(super) static RING: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local delay, due = tonumber(ARGV[2]), 0
if delay > 0 then
  local now = redis.call('time')
  due = now[1] * 1000 + math.floor(now[2] / 1000) + delay
  due = math.ceil(due / 1000) * 1000
end
for i = 3, #ARGV, 2 do
  if redis.call('hsetnx', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('hset', KEYS[3] .. ':' .. ARGV[i], 'attempts', 0, 'max_attempts', 25, 'status', 'Pending')
    if delay > 0 then redis.call('zadd', KEYS[4], due, ARGV[i]) else redis.call('rpush', KEYS[2], ARGV[i]) end
  end
end
if delay == 0 then redis.call('publish', ARGV[1], '') end
return 1",
    )
});

/// Moves delayed rings that are due to the active list, a chunk at a time; says how many.
/// KEYS later, active; ARGV channel, chunk.
pub(super) static PROMOTE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local now = redis.call('time')
local due = redis.call('zrangebyscore', KEYS[1], '-inf', now[1] * 1000 + math.floor(now[2] / 1000), 'LIMIT', 0, ARGV[2])
if #due > 0 then
  redis.call('rpush', KEYS[2], unpack(due))
  redis.call('zrem', KEYS[1], unpack(due))
  redis.call('publish', ARGV[1], '')
end
return #due",
    )
});

/// Removes a chunk of finished jobs with everything that belongs to them; says how many. apalis keeps them for ever, and its
/// `vacuum` blocks the server for all of them at once.
/// KEYS done or dead set, data, meta prefix; ARGV chunk.
pub(super) static COLLECT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local done = redis.call('spop', KEYS[1], ARGV[1])
if #done > 0 then
  redis.call('hdel', KEYS[2], unpack(done))
  for i, id in ipairs(done) do done[i] = KEYS[3] .. ':' .. id end
  redis.call('del', unpack(done))
end
return #done",
    )
});

/// Takes back what a dead worker held and removes its traces. A job without payload or metadata (an evicted key) would kill
/// every worker that fetches it, so it is dropped here; says how many were given back.
/// KEYS inflight set, active, data, meta prefix, workers, worker metadata; ARGV worker, channel.
pub(super) static BURY: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local back = 0
for _, id in ipairs(redis.call('smembers', KEYS[1])) do
  local meta = KEYS[4] .. ':' .. id
  if redis.call('hexists', KEYS[3], id) == 1 and redis.call('hexists', meta, 'status') == 1 then
    redis.call('rpush', KEYS[2], id)
    back = back + 1
  else
    redis.call('hdel', KEYS[3], id)
    redis.call('del', meta)
  end
end
redis.call('del', KEYS[1], KEYS[6])
redis.call('zrem', KEYS[5], ARGV[1])
if back > 0 then redis.call('publish', ARGV[2], '') end
return back",
    )
});
