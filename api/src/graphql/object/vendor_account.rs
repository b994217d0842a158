//! A vendor account, as the schema shows it: never its credentials or its webhook address.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use domain::{
    change::account_capabilities,
    clock::Timestamp,
    ids::{SiteId, VendorAccountId},
};
use entities::rows::vendor_account;

use super::{ResourceMapping, Site, VendorRecord, WebhookDelivery, neighbour};
use crate::{
    graphql::{
        connection::{Connection, PageArguments, cost},
        context::Ask,
        query::{RecordFilter, WebhookDeliveryFilter, deliveries_of, records_of},
        words::{CommandKind, Vendor, VendorAccountState},
    },
    loaders::{AccountLocation, LocationsOfAccount, MappingsOfAccount, SyncPartsOfAccount},
};

/// See the description in the schema.
#[derive(Clone)]
pub(crate) struct VendorAccount(pub(super) Arc<vendor_account::Model>);

/// One set of credentials at one vendor. The credentials themselves are never shown. Seen only by callers who see the
/// whole organization.
#[Object]
impl VendorAccount {
    /// Its id (`acct_…`).
    pub(crate) async fn id(&self) -> ID {
        VendorAccountId(self.0.id).to_string().into()
    }

    /// Whose system it is at.
    async fn vendor(&self) -> Result<Vendor> {
        Ok(self.0.vendor()?.into())
    }

    /// A name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where the vendor's API is.
    async fn base_url(&self) -> &str {
        &self.0.base_url
    }

    /// Whom the vendor takes us for, if it says so.
    async fn signed_in_as(&self) -> Option<&str> {
        self.0.signed_in_as.as_deref()
    }

    /// Whether it can be used.
    async fn state(&self) -> Result<VendorAccountState> {
        Ok(self.0.state()?.into())
    }

    /// Why it is in that state, in words.
    async fn state_reason(&self) -> Option<&str> {
        self.0.state_reason.as_deref()
    }

    /// Since when it is in that state.
    async fn state_since(&self) -> Timestamp {
        self.0.state_since
    }

    /// Commands that can be asked of the account as a whole. Those of its doors and devices are theirs.
    async fn capabilities(&self) -> Result<Vec<CommandKind>> {
        Ok(account_capabilities(self.0.vendor()?).iter().copied().map(Into::into).collect())
    }

    /// When its inventory was last read to the end; null if never yet.
    async fn synced_at(&self) -> Option<Timestamp> {
        self.0.synced_at
    }

    /// Since when a sync is wished for; null if everything that was wished for has run.
    async fn sync_requested_at(&self) -> Option<Timestamp> {
        self.0.sync_requested_at
    }

    /// Why the last sync did not come to its end; null if it did.
    async fn sync_error(&self) -> Option<&str> {
        self.0.sync_error.as_deref()
    }

    /// How far the sync of each part of what the vendor keeps has come.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn sync_parts(&self, context: &Context<'_>) -> Option<Result<Vec<SyncPart>>> {
        let parts = async {
            let found = context.loaders()?.load(SyncPartsOfAccount(VendorAccountId(self.0.id))).await?;
            let part = |row: Arc<entities::rows::sync_part::Model>| SyncPart {
                part: row.part.clone(),
                synced_at: row.synced_at,
                error: row.error.clone(),
            };
            Ok(found.unwrap_or_default().into_iter().map(part).collect())
        };
        Some(parts.await)
    }

    /// The site of whatever the vendor places nowhere.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, SiteId(self.0.site_id)).await
    }

    /// The vendor's locations that are known, and which site each of them is.
    #[graphql(complexity = "1 + 10 * child_complexity")]
    async fn locations(&self, context: &Context<'_>) -> Option<Result<Vec<VendorLocation>>> {
        let locations = async {
            let found = context.loaders()?.load(LocationsOfAccount(VendorAccountId(self.0.id))).await?;
            Ok(found.unwrap_or_default().into_iter().map(VendorLocation).collect())
        };
        Some(locations.await)
    }

    /// Which doors the rooms of a PMS stand for, in the order of the PMS's ids. Those that stand for none are
    /// `unmappedResources`.
    #[graphql(complexity = "1 + 100 * child_complexity")]
    async fn resource_mappings(&self, context: &Context<'_>) -> Option<Result<Vec<ResourceMapping>>> {
        let mappings = async {
            let account = VendorAccountId(self.0.id);
            let found = context.loaders()?.load(MappingsOfAccount(account)).await?.unwrap_or_default();
            Ok(found.into_iter().map(|(room, doors)| ResourceMapping::new(account, room, doors)).collect())
        };
        Some(mappings.await)
    }

    /// What the vendor keeps beside devices and doors, oldest first: the records that the caller may read.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn records(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which records; all without. A `vendorAccountId` in it must be this account's.")]
        filter: Option<RecordFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<VendorRecord>>> {
        let window = PageArguments { first, after, last, before };
        Some(records_of(context, filter.unwrap_or_default(), VendorAccountId(self.0.id), &window).await)
    }

    /// What its vendor has sent to its webhook address, newest first. Needs ADMIN.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn webhook_deliveries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which deliveries; all without. A `vendorAccountId` in it must be this account's.")]
        filter: Option<WebhookDeliveryFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<WebhookDelivery>>> {
        let window = PageArguments { first, after, last, before };
        Some(deliveries_of(context, filter.unwrap_or_default(), VendorAccountId(self.0.id), &window).await)
    }

    /// When it was linked.
    async fn created_at(&self) -> Timestamp {
        self.0.created_at
    }
}

/// How far the sync of one part of an account has come.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct SyncPart {
    /// Which part: DEVICES, USERS, EVENTS and the like, as the vendor's connector divides it.
    part: String,
    /// When it was last read to its end; null if never yet.
    synced_at: Option<Timestamp>,
    /// Why it was not, the last time; null if it was.
    error: Option<String>,
}

/// See the description in the schema.
pub(crate) struct VendorLocation(AccountLocation);

/// A place of the vendor's, and the site that it is.
#[Object]
impl VendorLocation {
    /// The location in the vendor's words: what `mapVendorLocations` takes.
    async fn location(&self) -> &str {
        &self.0.location
    }

    /// A name for people, if the vendor has one.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Its site; null while nobody has said which: what is there is at the account's own site then.
    async fn site(&self, context: &Context<'_>) -> Option<Result<Site>> {
        neighbour(context, self.0.site?).await
    }
}
