//! What accounts sign in with, as a caller gives it. No `Debug` anywhere: nothing here can be printed.

use async_graphql::{InputObject, OneofObject};
use domain::{account::Vendor, secret::Secret};

use crate::desk::CredentialSettings;

/// What an account signs in with: exactly one vendor's.
#[derive(OneofObject)]
pub(crate) enum CredentialsInput {
    /// Intercoms.
    Raixer(RaixerCredentialsInput),
    /// Parking gates.
    Parqex(ParqexCredentialsInput),
    /// Card locks.
    Lockt(LocktCredentialsInput),
    /// Bike docks and lockers.
    Bikeep(BikeepCredentialsInput),
    /// A hotel's property-management system.
    Mews(MewsCredentialsInput),
}

/// What Raixer asks for (HTTP Basic).
#[derive(InputObject)]
pub(crate) struct RaixerCredentialsInput {
    /// The API user.
    user: String,
    /// Its password.
    password: String,
}

/// What ParqEx asks for: a client, and the tokens of the user. Without an access token the user consents first, at the
/// `authorizationUrl` of the answer.
#[derive(InputObject)]
pub(crate) struct ParqexCredentialsInput {
    /// The client's id.
    client_id: Option<String>,
    /// The client's secret.
    client_secret: Option<String>,
    /// The access token of the user, if there is one already.
    access_token: Option<String>,
    /// The refresh token that belongs to it.
    refresh_token: Option<String>,
    /// The header that webhooks carry their key in.
    webhook_key_header: Option<String>,
    /// That key.
    webhook_key: Option<String>,
    /// Where doors are opened, below the base URL; the vendor's document's without.
    toggle_path: Option<String>,
    /// Where users consent, below the base URL; the vendor's document's without.
    authorization_path: Option<String>,
    /// Where tokens are given, below the base URL; the vendor's document's without.
    token_path: Option<String>,
}

/// What Lockt asks for.
#[derive(InputObject)]
pub(crate) struct LocktCredentialsInput {
    /// The API user.
    api_user: String,
    /// Its key.
    api_key: String,
    /// The zone in which the vendor reads times without one, as IANA names it; UTC without.
    time_zone: Option<String>,
}

/// What Bikeep asks for: a token, or a client that fetches tokens.
#[derive(InputObject)]
pub(crate) struct BikeepCredentialsInput {
    /// A token that lasts.
    token: Option<String>,
    /// The client's id.
    client_id: Option<String>,
    /// The client's secret.
    client_secret: Option<String>,
    /// Where tokens are fetched; the vendor's own address without.
    token_url: Option<String>,
    /// The seed that webhooks are checked with, if the account has one.
    webhook_seed: Option<String>,
    /// The ids of the locations to sync; every one that the account sees without.
    locations: Option<Vec<String>>,
}

/// What Mews asks for.
#[derive(InputObject)]
pub(crate) struct MewsCredentialsInput {
    /// Identifies the application.
    client_token: String,
    /// Identifies the hotel.
    access_token: String,
    /// Name and version of the application; ours without.
    client: Option<String>,
    /// What the vendor's webhooks carry to show that it sent them, if agreed.
    webhook_secret: Option<String>,
}

impl CredentialsInput {
    /// Whose they are, and their settings under the names of the connectors.
    pub(super) fn decode(self) -> (Vendor, CredentialSettings) {
        let (vendor, settings) = match self {
            Self::Raixer(given) => {
                (Vendor::Raixer, vec![("user", Some(given.user)), ("password", Some(given.password))])
            }
            Self::Parqex(given) => (
                Vendor::Parqex,
                vec![
                    ("client_id", given.client_id),
                    ("client_secret", given.client_secret),
                    ("access_token", given.access_token),
                    ("refresh_token", given.refresh_token),
                    ("webhook_key_header", given.webhook_key_header),
                    ("webhook_key", given.webhook_key),
                    ("toggle_path", given.toggle_path),
                    ("authorization_path", given.authorization_path),
                    ("token_path", given.token_path),
                ],
            ),
            Self::Lockt(given) => (
                Vendor::Lockt,
                vec![
                    ("api_user", Some(given.api_user)),
                    ("api_key", Some(given.api_key)),
                    ("time_zone", given.time_zone),
                ],
            ),
            Self::Bikeep(given) => (
                Vendor::Bikeep,
                vec![
                    ("token", given.token),
                    ("client_id", given.client_id),
                    ("client_secret", given.client_secret),
                    ("token_url", given.token_url),
                    ("webhook_seed", given.webhook_seed),
                    ("locations", given.locations.map(|ids| ids.join(","))),
                ],
            ),
            Self::Mews(given) => (
                Vendor::Mews,
                vec![
                    ("client_token", Some(given.client_token)),
                    ("access_token", Some(given.access_token)),
                    ("client", given.client),
                    ("webhook_secret", given.webhook_secret),
                ],
            ),
        };
        let given = settings.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Secret::new(value?))));
        (vendor, given.collect())
    }
}
