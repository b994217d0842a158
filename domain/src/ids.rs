//! Identifiers: UUIDv7 inside, `door_01k…` outside (a type prefix and Crockford base 32, time-ordered as text too).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;
use uuid::Uuid;

use crate::ledger::Facts;

/// Where new identifiers come from, and the marks under new events. Implemented by `platform::ids`; tests may count instead.
pub trait IdSource: Send + Sync + std::fmt::Debug {
    /// A new UUIDv7, greater than every one this source gave before.
    fn next_uuid(&self) -> Uuid;

    /// The mark under an event that is about to be written, by which the ledger knows that this house wrote it and what
    /// it said.
    fn mark(&self, event: &Facts) -> Option<Vec<u8>> {
        let _ = event;
        None
    }
}

/// A text that is not an identifier of the expected type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not an id of the form {expected}_<26 characters>")]
pub struct InvalidId {
    /// What was given, cut to 64 characters.
    pub text: String,
    /// The prefix that was expected.
    pub expected: &'static str,
}

impl InvalidId {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), expected }
    }
}

fn encode(prefix: &str, uuid: Uuid, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = Ulid::from_bytes(uuid.into_bytes()).to_string();
    text.make_ascii_lowercase();
    write!(formatter, "{prefix}_{text}")
}

fn decode(prefix: &'static str, text: &str) -> Result<Uuid, InvalidId> {
    let invalid = || InvalidId::new(text, prefix);
    let encoded = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or_else(invalid)?;
    // One spelling per id: the lenient readings of base 32 (capitals, `o` for `0`) would be other texts for the same thing.
    let uuid = Ulid::from_string(encoded).map(|ulid| Uuid::from_bytes(ulid.to_bytes())).map_err(|_| invalid())?;
    let canonical = Ulid::from_bytes(uuid.into_bytes()).to_string();
    if canonical.eq_ignore_ascii_case(encoded) && !encoded.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Ok(uuid)
    } else {
        Err(invalid())
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal / $variant:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub Uuid);

            impl $name {
                /// The type prefix of the public form.
                pub const PREFIX: &'static str = $prefix;
            }

            impl fmt::Display for $name {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    encode(Self::PREFIX, self.0, formatter)
                }
            }

            impl FromStr for $name {
                type Err = InvalidId;

                fn from_str(text: &str) -> Result<Self, InvalidId> {
                    decode(Self::PREFIX, text).map(Self)
                }
            }
        )+

        /// Any identifier that `node(id)` accepts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AnyId {
            $(
                #[doc = concat!("An id with the prefix `", $prefix, "_`.")]
                $variant($name),
            )+
        }

        impl FromStr for AnyId {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let prefix = text.split_once('_').map_or("", |(prefix, _)| prefix);
                match prefix {
                    $($prefix => text.parse().map(Self::$variant),)+
                    _ => Err(InvalidId::new(text, "<type>")),
                }
            }
        }
    };
}

ids! {
    /// A tenant.
    OrganizationId = "org" / Organization,
    /// A property with a time zone.
    SiteId = "site" / Site,
    /// One set of credentials at one vendor.
    VendorAccountId = "acct" / VendorAccount,
    /// A piece of hardware.
    DeviceId = "dev" / Device,
    /// Anything a person or vehicle passes or opens.
    DoorId = "door" / Door,
    /// A person.
    UserId = "user" / User,
    /// A user's role in an organization or at one site.
    MembershipId = "mbr" / Membership,
    /// A program's key.
    ApiKeyId = "key" / ApiKey,
    /// One requested action and its outcome.
    CommandId = "cmd" / Command,
    /// An immutable fact.
    EventId = "evt" / Event,
    /// What a vendor keeps beside devices and doors.
    RecordId = "rec" / Record,
    /// One webhook delivery.
    WebhookDeliveryId = "whd" / WebhookDelivery,
    /// What a person presents at a door.
    CredentialId = "cred" / Credential,
    /// A weekly pattern.
    ScheduleId = "sched" / Schedule,
    /// Doors with a schedule.
    AccessLevelId = "lvl" / AccessLevel,
    /// Whose an access level is.
    AccessAssignmentId = "asgn" / AccessAssignment,
    /// A stay.
    ReservationId = "rsv" / Reservation,
    /// The code of a stay.
    AccessTokenId = "tok" / AccessToken,
    /// What of a token or credential is at a vendor.
    PlacementId = "plc" / Placement,
    /// What a person must look at.
    AlertId = "alrt" / Alert,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_round_trips(bytes in any::<[u8; 16]>()) {
            let id = DoorId(Uuid::from_bytes(bytes));
            let text = id.to_string();
            prop_assert_eq!(text.parse::<DoorId>(), Ok(id));
            prop_assert_eq!(text.parse::<AnyId>(), Ok(AnyId::Door(id)));
            prop_assert!(text.parse::<SiteId>().is_err());
        }

        #[test]
        fn text_order_is_time_order(left in any::<u128>(), right in any::<u128>()) {
            let (a, b) = (DoorId(Uuid::from_u128(left)), DoorId(Uuid::from_u128(right)));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), left.cmp(&right));
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = text.parse::<AnyId>();
            let _ = format!("door_{text}").parse::<DoorId>();
        }
    }

    #[test]
    fn another_spelling_is_not_the_id() {
        let text = DoorId(Uuid::from_u128(77)).to_string();
        assert!(text.to_uppercase().parse::<DoorId>().is_err());
        assert!(text.replace('0', "o").parse::<DoorId>().is_err());
    }
}
