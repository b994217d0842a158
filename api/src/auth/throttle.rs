//! Slows down whoever guesses keys: per address and per prefix of a key. A few mistakes are free, then each costs a pause
//! that doubles. Memory is bounded. A pause is for what is wrong: nobody can lock others out by guessing from their address
//! or with their prefix. What was right a short while ago is remembered, because it need not wait in line with guesses.

use std::{
    net::IpAddr,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;
use domain::clock::Timestamp;
use lru::LruCache;

use super::Credential;

/// Mistakes that cost nothing: a key that was mistyped, a client with a key of yesterday.
const FREE: u32 = 20;
/// The longest pause.
const LONGEST: TimeDelta = TimeDelta::seconds(60);
/// After so long without a mistake all is forgiven.
const FORGIVEN_AFTER: TimeDelta = TimeDelta::minutes(10);
/// How long a right credential is remembered.
const TRUSTED_FOR: TimeDelta = TimeDelta::hours(1);
/// How many addresses, prefixes and right credentials are remembered; the longest unseen are forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// Who has been wrong lately, and who has been right.
pub(super) struct Throttle(Mutex<Memory>);

struct Memory {
    addresses: LruCache<IpAddr, Mistakes>,
    prefixes: LruCache<String, Mistakes>,
    right: LruCache<Credential, Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Mistakes {
    count: u32,
    last: Timestamp,
}

impl Mistakes {
    /// Tests may set the clock back: a mistake of the future is none.
    fn counts(self, now: Timestamp) -> bool {
        self.last <= now && now - self.last < FORGIVEN_AFTER
    }

    /// How long to wait, if at all.
    fn pause(self, now: Timestamp) -> Option<TimeDelta> {
        if !self.counts(now) || self.count <= FREE {
            return None;
        }
        let doubled = 1_i64.checked_shl(self.count - FREE - 1).filter(|seconds| *seconds > 0);
        let pause = doubled.map_or(LONGEST, TimeDelta::seconds).min(LONGEST);
        let left = self.last + pause - now;
        (left > TimeDelta::zero()).then_some(left)
    }
}

impl Throttle {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Memory {
            addresses: LruCache::new(REMEMBERED),
            prefixes: LruCache::new(REMEMBERED),
            right: LruCache::new(REMEMBERED),
        }))
    }

    /// How long whoever presents this wrong credential has to wait until they may guess again, if they have.
    pub(super) fn pause(&self, credential: &Credential, peer: Option<IpAddr>, now: Timestamp) -> Option<TimeDelta> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = peer.and_then(|peer| memory.addresses.peek(&peer)?.pause(now));
        let of_prefix = credential.prefix().and_then(|prefix| memory.prefixes.peek(prefix)?.pause(now));
        of_address.max(of_prefix)
    }

    /// Remembers that this credential was nobody's.
    pub(super) fn was_wrong(&self, credential: &Credential, peer: Option<IpAddr>, now: Timestamp) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = peer {
            let mistakes = memory.addresses.get_or_insert_mut(peer, || Mistakes { count: 0, last: now });
            more(mistakes, now);
        }
        if let Some(prefix) = credential.prefix() {
            let mistakes = memory.prefixes.get_or_insert_mut(prefix.to_owned(), || Mistakes { count: 0, last: now });
            more(mistakes, now);
        }
    }

    /// Whether this credential was somebody's a short while ago.
    pub(super) fn was_right_lately(&self, credential: &Credential, now: Timestamp) -> bool {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memory.right.peek(credential).is_some_and(|at| *at <= now && now - *at < TRUSTED_FOR)
    }

    /// Remembers that this credential was somebody's.
    pub(super) fn was_right(&self, credential: &Credential, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).right.put(credential.clone(), now);
    }
}

fn more(mistakes: &mut Mistakes, now: Timestamp) {
    let before = if mistakes.counts(now) { mistakes.count } else { 0 };
    *mistakes = Mistakes { count: before.saturating_add(1), last: now };
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use serde_json::json;

    use super::*;

    const HERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

    /// A key whose prefix is `number`.
    fn key(number: u32, rest: &str) -> Credential {
        let payload = json!({ "token": format!("gh_{number:08}{rest}") });
        Credential::of_init_payload(&payload).unwrap().unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp_secs(1_000_000 + seconds).unwrap()
    }

    fn seconds(pause: Option<TimeDelta>) -> i64 {
        pause.map_or(0, |pause| pause.num_seconds())
    }

    #[test]
    fn an_address_is_slowed_more_and_more() {
        let throttle = Throttle::new();
        let other = Some(IpAddr::V4(Ipv4Addr::BROADCAST));
        let mut pauses = Vec::new();
        for number in 0..FREE + 9 {
            throttle.was_wrong(&key(number, ""), HERE, at(0));
            pauses.push(seconds(throttle.pause(&key(1_000, ""), HERE, at(0))));
        }
        let slowed = pauses.split_off(FREE as usize);
        assert!(pauses.iter().all(|pause| *pause == 0));
        assert_eq!(slowed, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(throttle.pause(&key(1_000, ""), other, at(0)), None);
        assert_eq!(throttle.pause(&key(1_000, ""), None, at(0)), None);
        assert_eq!(seconds(throttle.pause(&key(1_000, ""), HERE, at(59))), 1);
        assert_eq!(throttle.pause(&key(1_000, ""), HERE, at(60)), None);
        // The next mistake costs a pause at once, until all is forgiven.
        throttle.was_wrong(&key(1_000, ""), HERE, at(60));
        assert_eq!(seconds(throttle.pause(&key(1_000, ""), HERE, at(60))), 60);
        throttle.was_wrong(&key(1_000, ""), HERE, at(60 + 600));
        assert_eq!(throttle.pause(&key(1_000, ""), HERE, at(60 + 600)), None);
    }

    #[test]
    fn a_prefix_is_slowed_wherever_it_comes_from() {
        let throttle = Throttle::new();
        for number in 0..=FREE {
            let address = Some(IpAddr::V4(Ipv4Addr::from_bits(number)));
            throttle.was_wrong(&key(7, &number.to_string()), address, at(0));
        }
        assert_eq!(seconds(throttle.pause(&key(7, "x"), HERE, at(0))), 1);
        assert_eq!(throttle.pause(&key(8, "x"), HERE, at(0)), None);
    }

    #[test]
    fn what_was_right_lately_is_known() {
        let throttle = Throttle::new();
        throttle.was_right(&key(7, "right"), at(10));
        assert!(throttle.was_right_lately(&key(7, "right"), at(3_609)));
        assert!(!throttle.was_right_lately(&key(7, "right"), at(3_610)), "an hour is over");
        assert!(!throttle.was_right_lately(&key(7, "right"), at(9)), "the clock was set back");
        assert!(!throttle.was_right_lately(&key(7, "wrong"), at(10)));
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new();
        for number in 0..REMEMBERED.get() as u32 + 100 {
            let address = Some(IpAddr::V4(Ipv4Addr::from_bits(number)));
            throttle.was_wrong(&key(number, ""), address, at(0));
            throttle.was_right(&key(number, "right"), at(0));
        }
        let memory = throttle.0.lock().unwrap();
        let sizes = [memory.addresses.len(), memory.prefixes.len(), memory.right.len()];
        assert_eq!(sizes, [REMEMBERED.get(); 3]);
    }
}
