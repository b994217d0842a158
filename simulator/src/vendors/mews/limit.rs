//! The documented limit: 200 requests per access token within 30 seconds. Nothing about what the requests ask.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How many requests an access token has within the window.
const REQUESTS: usize = 200;
/// How long a request counts, in milliseconds.
const WINDOW_MILLIS: i64 = 30_000;

/// How the request limit was used, over all access tokens since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MewsUsage {
    /// Requests that were admitted.
    pub admitted: u64,
    /// Requests that were refused with 429.
    pub refused: u64,
    /// The most requests of one access token that were ever admitted within 30 seconds.
    pub busiest: usize,
}

/// The requests of one access token that still count. A refused one does not.
#[derive(Debug, Default)]
pub(super) struct Window {
    admitted: VecDeque<DateTime<Utc>>,
}

impl Window {
    /// Admits a request, or says after how many seconds to try again.
    pub(super) fn admit(&mut self, now: DateTime<Utc>, usage: &mut MewsUsage) -> Result<(), u64> {
        let window = TimeDelta::milliseconds(WINDOW_MILLIS);
        while self.admitted.front().is_some_and(|oldest| now - *oldest >= window) {
            self.admitted.pop_front();
        }
        if let Some(oldest) = self.admitted.front()
            && self.admitted.len() >= REQUESTS
        {
            usage.refused += 1;
            let wait = (window - (now - *oldest)).num_milliseconds();
            return Err(u64::try_from(wait).unwrap_or_default().div_ceil(1000).max(1));
        }
        self.admitted.push_back(now);
        usage.admitted += 1;
        usage.busiest = usage.busiest.max(self.admitted.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let (mut window, mut usage) = (Window::default(), MewsUsage::default());
        let at = |millis| DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis);
        for number in 0..200 {
            assert_eq!(window.admit(at(number * 100), &mut usage), Ok(()));
        }
        assert_eq!(window.admit(at(20_000), &mut usage), Err(10));
        assert_eq!(window.admit(at(29_999), &mut usage), Err(1));
        assert_eq!(window.admit(at(30_000), &mut usage), Ok(()), "the first one counts no more");
        assert_eq!(window.admit(at(30_000), &mut usage), Err(1), "the second one still does");
        assert_eq!(usage, MewsUsage { admitted: 201, refused: 3, busiest: 200 });
    }
}
