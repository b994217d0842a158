//! What a vendor shows beside what was wished for. What is not told is no difference: Lockt tells no PIN, and not always
//! the access levels. Pure.

use chrono::TimeDelta;

use super::Wish;
use crate::{
    clock::Timestamp,
    record::{
        AccessTokenDetails, CredentialDetails, CredentialStatus, DeviceAccessDetails, RecordDetails, UserDetails,
    },
};

/// Lockt takes whole seconds.
const LOCKT_TIMES: TimeDelta = TimeDelta::seconds(1);
/// How exactly Mews keeps a time is not documented.
const MEWS_TIMES: TimeDelta = TimeDelta::minutes(1);
/// A vendor's clock may not be able to say an instant (the hour that is repeated in autumn); what it keeps instead is
/// stricter by no more than this.
const CLOCK_SHIFT: TimeDelta = TimeDelta::hours(2);

/// What a record has otherwise than wished, in our words. Empty: it is as wished.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Match {
    /// What differs.
    pub differs: Vec<&'static str>,
}

impl Match {
    /// Whether it is as wished, as far as is told.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.differs.is_empty()
    }

    fn note(&mut self, field: &'static str, equal: bool) {
        if !equal {
            self.differs.push(field);
        }
    }
}

/// Compares what a vendor shows with what is wished for. Names are not compared: vendors write them as they like, and
/// they open nothing.
#[must_use]
pub fn compare(wish: &Wish, shown: &RecordDetails) -> Match {
    let mut found = Match::default();
    found.note("mark", is_marked(wish, shown));
    match (wish, shown) {
        (Wish::CardHolder(wish), RecordDetails::User(shown)) => {
            let card = |number: &String| shown.card_number.as_deref().unwrap_or_default().trim() == number.trim();
            found.note("cardNumber", wish.card_number.as_ref().is_none_or(card));
            found.note("enabled", shown.enabled != Some(false));
            found.note("accessFrom", is_at(wish.from, shown.access_from, LOCKT_TIMES));
            found.note("accessUntil", is_at(wish.until, shown.access_until, LOCKT_TIMES));
            found.note("accessLevels", shown.access_levels.as_ref().is_none_or(|levels| *levels == wish.access_levels));
        }
        (Wish::Phone(_), RecordDetails::Credential(shown)) => {
            found.note("status", shown.status != CredentialStatus::Suspended);
        }
        (Wish::DeviceAccess(wish), RecordDetails::DeviceAccess(shown)) => {
            found.note("profile", shown.profile.is_none_or(|profile| profile == wish.profile));
            found.note("disabled", !shown.disabled);
        }
        (Wish::PmsToken(wish), RecordDetails::AccessToken(shown)) => {
            let agrees = |wished: &Option<String>, told: &Option<String>| wished.is_none() || wished == told;
            found.note("reservation", shown.reservation == wish.reservation);
            found.note("companionship", agrees(&wish.companionship, &shown.companionship));
            found.note("resource", agrees(&wish.resource, &shown.resource));
            found.note("tokenType", shown.token_type.is_none_or(|told| told == wish.token_type));
            found.note("validFrom", is_at(Some(wish.from), shown.valid_from, MEWS_TIMES));
            found.note("validUntil", is_at(Some(wish.until), shown.valid_until, MEWS_TIMES));
            found.note("permissions", shown.permissions == wish.permissions);
            found.note("active", shown.active);
        }
        _ => found.note("kind", false),
    }
    found
}

/// Whether a record carries our mark. Nothing without it is ever taken for ours (rule 11).
#[must_use]
pub fn is_marked(wish: &Wish, shown: &RecordDetails) -> bool {
    match (wish, shown) {
        (Wish::CardHolder(wish), RecordDetails::User(UserDetails { id_number, .. })) => {
            id_number.as_deref().map(str::trim) == Some(wish.id_number.as_str())
        }
        (Wish::Phone(wish), RecordDetails::Credential(CredentialDetails { number, .. })) => {
            number.as_deref().map(|number| number.trim_start_matches('+')) == Some(wish.number.as_str())
        }
        (Wish::DeviceAccess(wish), RecordDetails::DeviceAccess(DeviceAccessDetails { holder_email, .. })) => {
            holder_email.as_deref().is_some_and(|email| email.trim().eq_ignore_ascii_case(wish.email.trim()))
        }
        (Wish::PmsToken(wish), RecordDetails::AccessToken(AccessTokenDetails { serial_number, .. })) => {
            serial_number.as_deref() == Some(wish.serial_number.as_str())
        }
        _ => false,
    }
}

/// Whether what is shown lets nobody in at `now` and later.
#[must_use]
pub fn is_harmless(shown: &RecordDetails, now: Timestamp) -> bool {
    match shown {
        RecordDetails::User(shown) => {
            shown.enabled == Some(false)
                || shown.access_until.is_some_and(|until| until <= now)
                || shown.access_levels.as_ref().is_some_and(std::collections::BTreeSet::is_empty)
        }
        RecordDetails::Credential(shown) => shown.status == CredentialStatus::Suspended,
        RecordDetails::DeviceAccess(shown) => shown.disabled,
        RecordDetails::AccessToken(shown) => !shown.active,
        _ => false,
    }
}

/// The ends of the period that a card-lock system shows, if they alone differ and are stricter than wished by no more
/// than clocks are ever set by.
#[must_use]
pub(super) fn stricter_period(wish: &Wish, shown: &RecordDetails) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let (Wish::CardHolder(wished), RecordDetails::User(shown_user)) = (wish, shown) else { return None };
    let is_later = |wished: Option<Timestamp>, told: Option<Timestamp>| match (wished, told) {
        (Some(wished), Some(told)) => told + LOCKT_TIMES > wished && told - wished <= CLOCK_SHIFT,
        (None, None) => true,
        _ => false,
    };
    let only_times = compare(wish, shown).differs.iter().all(|field| matches!(*field, "accessFrom" | "accessUntil"));
    let (from, until) = (shown_user.access_from, shown_user.access_until);
    (only_times && is_later(wished.from, from) && is_later(until, wished.until)).then_some((from, until))
}

fn is_at(wished: Option<Timestamp>, told: Option<Timestamp>, exactness: TimeDelta) -> bool {
    match (wished, told) {
        (Some(wished), Some(told)) => (wished - told).abs() < exactness,
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::placement::CardHolderWish;

    fn at(minutes: i64) -> Option<Timestamp> {
        Some(Timestamp::default() + TimeDelta::minutes(minutes))
    }

    fn wish() -> Wish {
        Wish::CardHolder(CardHolderWish {
            id_number: "tok_1".to_owned(),
            first_name: "Ada".to_owned(),
            last_name: "Byron".to_owned(),
            access_levels: BTreeSet::from(["7".to_owned()]),
            from: at(0),
            until: at(600),
            card_number: Some("1234".to_owned()),
            has_pin: true,
            has_card_number: false,
            doors: BTreeSet::new(),
        })
    }

    fn shown() -> UserDetails {
        UserDetails {
            id_number: Some("tok_1".to_owned()),
            first_name: Some("ADA".to_owned()),
            card_number: Some("1234".to_owned()),
            enabled: Some(true),
            access_from: at(0),
            access_until: at(600),
            access_levels: Some(BTreeSet::from(["7".to_owned()])),
            ..UserDetails::default()
        }
    }

    fn differs(shown: UserDetails) -> Vec<&'static str> {
        compare(&wish(), &RecordDetails::User(shown)).differs
    }

    #[test]
    fn what_is_not_told_is_no_difference() {
        assert!(differs(shown()).is_empty());
        assert!(differs(UserDetails { enabled: None, access_levels: None, ..shown() }).is_empty());
        let less = BTreeSet::new();
        assert_eq!(differs(UserDetails { access_levels: Some(less), ..shown() }), ["accessLevels"]);
        assert_eq!(differs(UserDetails { access_until: None, ..shown() }), ["accessUntil"]);
        assert_eq!(differs(UserDetails { id_number: Some("HR-1".to_owned()), ..shown() }), ["mark"]);
    }

    #[test]
    fn a_stricter_period_is_told_apart_from_a_changed_one() {
        let told = |shown: UserDetails| stricter_period(&wish(), &RecordDetails::User(shown));
        let earlier = UserDetails { access_until: at(540), ..shown() };
        assert_eq!(told(earlier), Some((at(0), at(540))));
        assert_eq!(told(UserDetails { access_until: at(660), ..shown() }), None, "it would open for longer");
        assert_eq!(told(UserDetails { access_until: at(400), ..shown() }), None, "no clock is set by so much");
        assert_eq!(told(UserDetails { access_until: at(540), access_levels: Some(BTreeSet::new()), ..shown() }), None);
    }

    #[test]
    fn whoever_is_disabled_or_whose_time_is_over_opens_nothing() {
        let now = Timestamp::default() + TimeDelta::minutes(1);
        let harmless = |shown: UserDetails| is_harmless(&RecordDetails::User(shown), now);
        assert!(!harmless(shown()));
        assert!(harmless(UserDetails { enabled: Some(false), ..shown() }));
        assert!(harmless(UserDetails { access_until: at(1), ..shown() }));
        assert!(harmless(UserDetails { access_levels: Some(BTreeSet::new()), ..shown() }));
        assert!(!harmless(UserDetails { enabled: None, access_levels: None, ..shown() }), "nothing is concluded");
    }
}
