//! Vendor accounts.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entities::find::vendor_accounts;

use super::list::{connect, finder};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    node::find_one,
    object::VendorAccount,
    words::{Vendor, VendorAccountState},
};

finder!(vendor_accounts::AccountFilter => VendorAccount, entities::find::vendor_accounts);

/// Which vendor accounts; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct VendorAccountFilter {
    /// At this vendor.
    vendor: Option<Vendor>,
    /// In this state.
    state: Option<VendorAccountState>,
}

#[derive(Default)]
pub(crate) struct AccountQueries;

#[Object]
impl AccountQueries {
    /// The vendor accounts of the organization, oldest first. None for callers who do not see the whole of it.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn vendor_accounts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which accounts; all without.")] filter: Option<VendorAccountFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<VendorAccount>>> {
        let filter = filter.unwrap_or_default();
        let filter = vendor_accounts::AccountFilter {
            vendor: filter.vendor.map(Into::into),
            state: filter.state.map(Into::into),
        };
        Some(connect(context, filter, &PageArguments { first, after, last, before }, false).await)
    }

    /// The vendor account with this id; null if there is none that the caller sees.
    async fn vendor_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Option<Result<VendorAccount>> {
        find_one(context, &id).await
    }
}
