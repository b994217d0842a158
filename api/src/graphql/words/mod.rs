//! The vocabularies of the schema: one GraphQL enum per `domain` enum, with the same words and a description of each.
//! A word that `domain` adds does not compile here until it is described.

mod access;
mod commands;
mod doors;
mod inventory;
mod opening;
mod records;
mod settings;
mod stays;

pub(crate) use access::Role;
pub(crate) use commands::{CommandKind, CommandState, Evidence, FailureCode, ForceReason, TimelineStep};
pub(crate) use doors::{DoorKind, DoorMode, DoorPosition, LockState, ObservationSource, Occupancy};
pub(crate) use inventory::{DeviceHealth, EventType, Vendor, VendorAccountState};
pub(crate) use opening::{OpeningCertainty, OpeningReason};
pub(crate) use records::{
    AccessProfile, CampaignKind, CredentialStatus, CredentialType, PortSide, RecordKind, ReservationState, TokenType,
    WebhookDeliveryState,
};
pub(crate) use settings::{DoorUse, MovementAlarm, SensorMode};
pub(crate) use stays::{
    AlertKind, AlertSeverity, CredentialState, Desired, PlacementErrorCode, PlacementState, Readiness, ReadinessCode,
    TokenState,
};

/// Declares GraphQL enums that mirror enums of `domain`, convertible both ways.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $domain:path { $($(#[$variant_doc:meta])* $variant:ident,)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, async_graphql::Enum)]
            pub(crate) enum $name { $($(#[$variant_doc])* $variant,)+ }

            impl From<$domain> for $name {
                fn from(word: $domain) -> Self {
                    use $domain as Domain;
                    match word { $(Domain::$variant => Self::$variant,)+ }
                }
            }

            impl From<$name> for $domain {
                fn from(word: $name) -> Self {
                    use $domain as Domain;
                    match word { $($name::$variant => Domain::$variant,)+ }
                }
            }
        )+

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn the_words_are_those_of_domain() {
                $(for word in <$domain>::ALL {
                    let shown: async_graphql::Value = $name::from(*word).into();
                    assert_eq!(shown, async_graphql::Value::Enum(async_graphql::Name::new(word.as_str())));
                    assert_eq!(<$domain>::from($name::from(*word)), *word);
                })+
            }
        }
    };
}
use words;
