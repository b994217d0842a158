//! PINs: what a vendor's keypad takes, what everybody would guess, and how one is drawn. Whether a value is free at a
//! door is `stands_in_the_way`; the rows are `entities`' business. No randomness of its own, and no PIN in an error.

use crate::{account::Vendor, clock::Timestamp, secret::Secret};

/// What a keypad takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinPolicy {
    /// The fewest digits.
    pub shortest: usize,
    /// The most digits.
    pub longest: usize,
    /// As many digits has one that we draw.
    pub drawn: usize,
}

/// Why a PIN is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PinFault {
    /// It holds something else than digits, or too few or too many of them.
    #[error("A PIN has {shortest} to {longest} digits here and nothing else.")]
    Malformed {
        /// The fewest digits.
        shortest: usize,
        /// The most digits.
        longest: usize,
    },
    /// It is one of those that are tried first.
    #[error("This PIN is too easy to guess.")]
    Trivial,
}

impl PinPolicy {
    /// What doors of a vendor take; `None` if they have no keypad. Lockt's document shows a PIN of four digits and says
    /// no more: we keep to what keypads of this kind take, and draw six.
    #[must_use]
    pub const fn of(vendor: Vendor) -> Option<Self> {
        match vendor {
            Vendor::Lockt => Some(Self { shortest: 4, longest: 8, drawn: 6 }),
            Vendor::Raixer | Vendor::Parqex | Vendor::Bikeep | Vendor::Mews => None,
        }
    }

    /// What the doors of all these vendors take that have keypads; `None` if none has.
    #[must_use]
    pub fn common(vendors: impl IntoIterator<Item = Vendor>) -> Option<Self> {
        let policies = vendors.into_iter().filter_map(Self::of);
        policies.reduce(|one, other| {
            let (shortest, longest) = (one.shortest.max(other.shortest), one.longest.min(other.longest));
            Self { shortest, longest, drawn: one.drawn.max(other.drawn).min(longest).max(shortest) }
        })
    }

    /// Whether somebody may have chosen this PIN.
    ///
    /// # Errors
    /// Why not; the PIN is not in it.
    pub fn check(&self, pin: &Secret) -> Result<(), PinFault> {
        let text = pin.expose();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !(self.shortest..=self.longest).contains(&text.len()) {
            return Err(PinFault::Malformed { shortest: self.shortest, longest: self.longest });
        }
        if is_trivial(text) { Err(PinFault::Trivial) } else { Ok(()) }
    }

    /// Draws a PIN that is not trivial. `random` gives a number below its argument, each as likely as the others.
    #[must_use]
    pub fn draw(&self, random: &mut dyn FnMut(u32) -> u32) -> Secret {
        let mut digits: Vec<u8> = (0..self.drawn).map(|_| digit(random(10))).collect();
        // One in some thousands is trivial. A source that is stuck must not hold us up: then we count on from there.
        for _ in 0..16 {
            if !is_trivial_digits(&digits) {
                break;
            }
            digits.iter_mut().for_each(|place| *place = digit(random(10)));
        }
        while is_trivial_digits(&digits) && !digits.is_empty() {
            count_on(&mut digits);
        }
        Secret::new(digits.iter().map(|digit| char::from(b'0' + digit)).collect::<String>())
    }
}

fn digit(number: u32) -> u8 {
    u8::try_from(number % 10).unwrap_or_default()
}

fn count_on(digits: &mut [u8]) {
    for place in digits.iter_mut().rev() {
        *place = (*place + 1) % 10;
        if *place != 0 {
            return;
        }
    }
}

/// Whether a PIN is one of those that are tried first: one digit repeated, a run up or down, a pair or triple repeated,
/// a year. Birthdays (a day and a month) are 366 of 10,000: refusing them would give away more than it protects.
#[must_use]
pub fn is_trivial(pin: &str) -> bool {
    let digits: Vec<u8> = pin.bytes().map(|byte| byte.wrapping_sub(b'0')).collect();
    is_trivial_digits(&digits)
}

fn is_trivial_digits(digits: &[u8]) -> bool {
    let steps_by = |step: u8| {
        let follows = |pair: &[u8]| matches!(pair, [one, next] if (one + step) % 10 == *next);
        digits.windows(2).all(follows)
    };
    let repeats_after = |length: usize| {
        digits.len() >= 2 * length && digits.iter().zip(digits.iter().skip(length)).all(|(one, next)| one == next)
    };
    let is_year = matches!(digits, [1, 9, _, _] | [2, 0, _, _]);
    steps_by(0) || steps_by(1) || steps_by(9) || repeats_after(2) || repeats_after(3) || is_year
}

/// From when until when a value is in use at a door, the time before it may be used again included; for ever without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InUse {
    /// From then on.
    pub from: Timestamp,
    /// Not any more then.
    pub until: Option<Timestamp>,
}

impl InUse {
    /// Whether one value may not be used at one door in both times.
    #[must_use]
    pub fn stands_in_the_way(&self, other: &Self) -> bool {
        let begins_before_the_end = |one: &Self, other: &Self| other.until.is_none_or(|until| one.from < until);
        begins_before_the_end(self, other) && begins_before_the_end(other, self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    const SIX: PinPolicy = PinPolicy { shortest: 4, longest: 8, drawn: 6 };

    /// A small generator (xorshift), the same numbers every time.
    fn source(mut state: u64) -> impl FnMut(u32) -> u32 {
        move |bound| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u32::try_from((state >> 16) % u64::from(bound)).unwrap()
        }
    }

    #[test]
    fn what_is_tried_first_is_trivial() {
        for pin in ["0000", "111111", "1234", "456789", "7890", "9876", "3210", "1212", "474747", "121212", "12121"] {
            assert!(is_trivial(pin), "{pin}");
        }
        for pin in ["123123", "904904", "1987", "2024", "5555555"] {
            assert!(is_trivial(pin), "{pin}");
        }
        for pin in ["0986", "482913", "1231", "198765", "202417", "112233", "3112"] {
            assert!(!is_trivial(pin), "{pin}");
        }
    }

    #[test]
    fn a_chosen_pin_is_checked_and_never_told() {
        let fault = |text: &str| SIX.check(&Secret::new(text)).err();
        let malformed = Some(PinFault::Malformed { shortest: 4, longest: 8 });
        for text in ["", "123", "123456789", "48x913", "48 913", "４８２９"] {
            assert_eq!(fault(text), malformed, "{text}");
        }
        assert_eq!(fault("777777"), Some(PinFault::Trivial));
        assert_eq!(fault("482913"), None);
        assert!(!PinFault::Trivial.to_string().contains('7'));
    }

    #[test]
    fn doors_of_several_vendors_take_what_all_keypads_take() {
        assert_eq!(PinPolicy::common([Vendor::Lockt, Vendor::Bikeep, Vendor::Lockt]), PinPolicy::of(Vendor::Lockt));
        assert_eq!(PinPolicy::common([Vendor::Parqex, Vendor::Mews]), None);
    }

    #[test]
    fn a_source_that_is_stuck_still_gives_a_pin() {
        for stuck in 0..10 {
            let pin = SIX.draw(&mut |_| stuck);
            assert_eq!(SIX.check(&pin), Ok(()), "{stuck}");
        }
    }

    #[test]
    fn times_that_touch_do_not_stand_in_each_others_way() {
        let at = |hour: i64| Timestamp::UNIX_EPOCH + TimeDelta::hours(hour);
        let time = |from, until: Option<i64>| InUse { from: at(from), until: until.map(at) };
        assert!(!time(0, Some(5)).stands_in_the_way(&time(5, Some(9))));
        assert!(time(0, Some(6)).stands_in_the_way(&time(5, Some(9))));
        assert!(time(0, None).stands_in_the_way(&time(500, None)));
        assert!(!time(9, None).stands_in_the_way(&time(5, Some(9))));
        assert!(time(6, Some(7)).stands_in_the_way(&time(5, Some(9))));
    }

    proptest! {
        #[test]
        fn every_drawn_pin_is_one_that_may_be_chosen(seed in 1..u64::MAX, drawn in 4..=8usize) {
            let policy = PinPolicy { drawn, ..SIX };
            let pin = policy.draw(&mut source(seed));
            prop_assert_eq!(policy.check(&pin), Ok(()));
            prop_assert_eq!(pin.expose().len(), drawn);
        }
    }

    /// P13: a million grants at random doors and times, few digits so that values meet often.
    #[test]
    fn a_million_grants_never_meet() {
        const GRANTS: u32 = 1_000_000;
        let policy = PinPolicy { drawn: 4, ..SIX };
        let mut random = source(0x5eed);
        let mut taken: HashMap<(u32, String), Vec<InUse>> = HashMap::new();
        let (mut drawn_again, mut granted) = (0_u32, 0_u32);
        for _ in 0..GRANTS {
            let door = random(40);
            let from = Timestamp::UNIX_EPOCH + TimeDelta::hours(i64::from(random(200_000)));
            let stay = TimeDelta::hours(i64::from(1 + random(240))) + TimeDelta::days(7);
            let wanted = InUse { from, until: Some(from + stay) };
            let free = (0..50).find_map(|_| {
                let pin = policy.draw(&mut random).expose().to_owned();
                let others = taken.entry((door, pin.clone())).or_default();
                let meets = others.iter().any(|other| other.stands_in_the_way(&wanted));
                drawn_again += u32::from(meets);
                (!meets).then_some(pin)
            });
            let pin = free.expect("a free value among ten thousand");
            granted += 1;
            taken.entry((door, pin)).or_default().push(wanted);
        }
        assert_eq!(granted, GRANTS);
        assert!(drawn_again > 1_000, "values must meet for this to prove anything: {drawn_again}");
        for ((_, pin), times) in taken {
            assert!(times.is_empty() || !is_trivial(&pin));
            // Judged apart from the rule above: in the order of their beginnings none begins before the last has ended.
            let sorted: BTreeMap<_, _> = times.iter().map(|time| (time.from, time.until.unwrap())).collect();
            assert_eq!(sorted.len(), times.len());
            let ends: Vec<_> = sorted.into_iter().collect();
            assert!(ends.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
    }
}
