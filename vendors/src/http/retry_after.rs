//! `Retry-After` in both forms of RFC 9110: seconds, and the three HTTP date formats.

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use domain::clock::Timestamp;
use http::{HeaderMap, header::RETRY_AFTER};

/// No vendor makes us wait longer than this, whatever it says: an absurd number must not stop an account for ever.
const LONGEST: TimeDelta = TimeDelta::hours(24);

/// How long the vendor asks us to wait, seen from `now`; `None` when it does not say so intelligibly.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<TimeDelta> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok().and_then(TimeDelta::try_seconds).unwrap_or(LONGEST)
    } else {
        http_date(text)? - now
    };
    Some(wait.clamp(TimeDelta::zero(), LONGEST))
}

fn http_date(text: &str) -> Option<Timestamp> {
    if let Ok(at) = DateTime::parse_from_rfc2822(text) {
        return Some(at.to_utc());
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|at| at.and_utc())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wait(text: &str) -> Option<TimeDelta> {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:07Z").unwrap().to_utc();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
        retry_after(&headers, now)
    }

    #[test]
    fn seconds_and_every_form_of_date() {
        assert_eq!(wait("120"), Some(TimeDelta::seconds(120)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(TimeDelta::seconds(30)));
        assert_eq!(wait("Sunday, 06-Nov-94 08:49:37 GMT"), Some(TimeDelta::seconds(30)));
        assert_eq!(wait("Sun Nov  6 08:49:37 1994"), Some(TimeDelta::seconds(30)));
    }

    #[test]
    fn past_absurd_and_unintelligible() {
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(TimeDelta::zero()));
        assert_eq!(wait("999999999999999999999999"), Some(LONGEST));
        assert_eq!(wait("9223372036854775807"), Some(LONGEST));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait(""), None);
        assert_eq!(wait("-5"), None);
    }
}
