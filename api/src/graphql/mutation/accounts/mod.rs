//! Linking vendor accounts and keeping them linked.

mod credentials;
mod payloads;

use async_graphql::{Context, ID, InputObject, Object, Result};

use self::{
    credentials::CredentialsInput,
    payloads::{
        LinkVendorAccountPayload, ReauthorizeVendorAccountPayload, Refused, ReplayWebhookDeliveryPayload,
        RotateWebhookAddressPayload, UnlinkVendorAccountPayload, VendorAccountPayload,
    },
};
use crate::{
    actions::accounts::{
        Answer, Fresh, NewLink, link_account, map_locations, reauthorize_account, replay_delivery,
        rotate_webhook_address, sync_account, unlink_account,
    },
    graphql::context::Ask,
};

/// What `linkVendorAccount` takes.
#[derive(InputObject)]
pub(crate) struct LinkVendorAccountInput {
    /// A name for people.
    name: String,
    /// The site of whatever the vendor places nowhere.
    site_id: ID,
    /// Where the vendor's API is; the vendor's own address without.
    base_url: Option<String>,
    /// Which of the vendor's locations is which site.
    #[graphql(default)]
    locations: Vec<VendorLocationInput>,
    /// What the account signs in with. Checked with the vendor before anything is stored, and never shown.
    credentials: CredentialsInput,
    /// 1 to 128 printable characters of the caller's choice. The same key and the same order again is the same account;
    /// with another order it is refused. Without a key every call links another account.
    idempotency_key: Option<String>,
}

/// A place of the vendor's, and the site that it is.
#[derive(Debug, InputObject)]
pub(crate) struct VendorLocationInput {
    /// The location in the vendor's words.
    location: String,
    /// Its site.
    site_id: ID,
}

/// What `reauthorizeVendorAccount` takes.
#[derive(InputObject)]
pub(crate) struct ReauthorizeVendorAccountInput {
    /// The account.
    vendor_account_id: ID,
    /// Its new credentials; without them its user is asked to consent again, where the vendor knows consents.
    credentials: Option<CredentialsInput>,
    /// Where the vendor's API is now, together with credentials; as before without.
    base_url: Option<String>,
}

/// What `unlinkVendorAccount` takes.
#[derive(Debug, InputObject)]
pub(crate) struct UnlinkVendorAccountInput {
    /// The account.
    vendor_account_id: ID,
}

/// What `syncVendorAccount` takes.
#[derive(Debug, InputObject)]
pub(crate) struct SyncVendorAccountInput {
    /// The account.
    vendor_account_id: ID,
}

/// What `mapVendorLocations` takes.
#[derive(Debug, InputObject)]
pub(crate) struct MapVendorLocationsInput {
    /// The account.
    vendor_account_id: ID,
    /// Which of its locations is which site, 500 at most, in place of what was said before. What is at any other
    /// location is at the account's own site.
    locations: Vec<VendorLocationInput>,
}

/// What `rotateWebhookAddress` takes.
#[derive(Debug, InputObject)]
pub(crate) struct RotateWebhookAddressInput {
    /// The account.
    vendor_account_id: ID,
}

/// What `replayWebhookDelivery` takes.
#[derive(Debug, InputObject)]
pub(crate) struct ReplayWebhookDeliveryInput {
    /// The delivery.
    webhook_delivery_id: ID,
}

fn pairs(locations: Vec<VendorLocationInput>) -> Vec<(String, String)> {
    locations.into_iter().map(|given| (given.location, given.site_id.0)).collect()
}

/// Wraps the outcome of an action.
///
/// # Errors
/// What failed on our side.
fn payload<T, P: From<T> + Refused>(answer: Answer<T>) -> Result<P> {
    Ok(match answer? {
        Ok(outcome) => outcome.into(),
        Err(refusal) => P::refused(refusal),
    })
}

#[derive(Default)]
pub(crate) struct AccountMutations;

#[Object]
impl AccountMutations {
    /// Links an account at a vendor: its credentials are tried there first, and stored only if they are good. Where the
    /// vendor wants its user's consent, the account waits for it. Needs ADMIN and a key without limits.
    async fn link_vendor_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account.")] input: LinkVendorAccountInput,
    ) -> Result<LinkVendorAccountPayload> {
        let (vendor, credentials) = input.credentials.decode();
        let new = NewLink {
            name: input.name,
            site_id: input.site_id.0,
            vendor,
            base_url: input.base_url,
            locations: pairs(input.locations),
            credentials,
            idempotency_key: input.idempotency_key,
        };
        payload(link_account(context.shared()?, &context.caller()?.session, new).await)
    }

    /// Links an account again: with new credentials, which are tried first, or through its user's consent. Needs ADMIN
    /// and a key without limits.
    async fn reauthorize_vendor_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account, and with what.")] input: ReauthorizeVendorAccountInput,
    ) -> Result<ReauthorizeVendorAccountPayload> {
        let fresh = input.credentials.map(|given| {
            let (vendor, credentials) = given.decode();
            Fresh { vendor, credentials }
        });
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        payload(reauthorize_account(shared, session, &input.vendor_account_id, fresh, input.base_url).await)
    }

    /// Unlinks an account: its credentials are wiped, its webhook address ends, nothing is sent any more. What the
    /// vendor keeps stays there and is listed. Needs ADMIN and a key without limits.
    async fn unlink_vendor_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account.")] input: UnlinkVendorAccountInput,
    ) -> Result<UnlinkVendorAccountPayload> {
        payload(unlink_account(context.shared()?, &context.caller()?.session, &input.vendor_account_id).await)
    }

    /// Has everything that an account's vendor keeps read again. A sync that runs already is followed by another.
    /// Needs MANAGER and a key without limits.
    async fn sync_vendor_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account.")] input: SyncVendorAccountInput,
    ) -> Result<VendorAccountPayload> {
        payload(sync_account(context.shared()?, &context.caller()?.session, &input.vendor_account_id).await)
    }

    /// Says which of an account's locations is which site. The next sync, which begins at once, moves what is there.
    /// Needs ADMIN and a key without limits.
    async fn map_vendor_locations(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account, and which locations.")] input: MapVendorLocationsInput,
    ) -> Result<VendorAccountPayload> {
        let (shared, session) = (context.shared()?, &context.caller()?.session);
        payload(map_locations(shared, session, &input.vendor_account_id, &pairs(input.locations)).await)
    }

    /// Gives an account another webhook address; the old one ends at once. Needs ADMIN and a key without limits.
    async fn rotate_webhook_address(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which account.")] input: RotateWebhookAddressInput,
    ) -> Result<RotateWebhookAddressPayload> {
        payload(rotate_webhook_address(context.shared()?, &context.caller()?.session, &input.vendor_account_id).await)
    }

    /// Has a stored webhook delivery processed again. Needs ADMIN and a key without limits.
    async fn replay_webhook_delivery(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which delivery.")] input: ReplayWebhookDeliveryInput,
    ) -> Result<ReplayWebhookDeliveryPayload> {
        payload(replay_delivery(context.shared()?, &context.caller()?.session, &input.webhook_delivery_id).await)
    }
}
