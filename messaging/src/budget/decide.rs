//! The numbers of the breaker, for both back ends alike. Pure.

/// After so many failures in a row the breaker opens.
pub(super) const FAILURES: u32 = 5;
/// For how long it stays open at first, in milliseconds; twice as long after each further failure.
const FIRST_PAUSE: i64 = 1_000;
/// And never longer than this, or what a vendor knows of an unknown outcome would be learned too late (P3).
const LONGEST_PAUSE: i64 = 4_000;
/// After a pause one request tries; the others wait so long for what it finds, in milliseconds.
pub(super) const PROBE: i64 = 1_000;

/// How long the breaker stays open after `failures` in a row, in milliseconds; zero while it is closed.
pub(super) fn pause_after(failures: u32) -> i64 {
    match failures.checked_sub(FAILURES) {
        None => 0,
        Some(beyond) => FIRST_PAUSE.checked_shl(beyond.min(16)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE),
    }
}

/// How many requests of a limit a share of it allows; one at least, or nothing would ever leave.
pub(super) fn allowed(requests: u32, share: u32) -> u32 {
    (u64::from(requests) * u64::from(share) / 100).max(1).try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_opens_late_and_for_a_bounded_time() {
        let pauses: Vec<i64> = [0, 4, 5, 6, 7, 9, 60, u32::MAX].map(pause_after).to_vec();
        assert_eq!(pauses, [0, 0, 1_000, 2_000, 4_000, 4_000, 4_000, 4_000]);
    }

    #[test]
    fn a_share_is_never_nothing() {
        assert_eq!([allowed(200, 50), allowed(200, 100), allowed(1, 50), allowed(0, 50)], [100, 200, 1, 1]);
    }
}
