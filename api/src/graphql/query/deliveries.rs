//! Webhook deliveries, for ADMINs.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::ids::VendorAccountId;
use entities::find::deliveries;

use super::list::{connect, finder, nothing};
use crate::graphql::{
    connection::{Connection, PageArguments, cost},
    context::{Ask, decode_some},
    error::ApiError,
    object::{WebhookDelivery, may_see_deliveries},
    words::WebhookDeliveryState,
};

finder!(deliveries::DeliveryFilter => WebhookDelivery, entities::find::deliveries);

/// Which webhook deliveries; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct WebhookDeliveryFilter {
    /// To this vendor account.
    vendor_account_id: Option<ID>,
    /// That stand like this.
    state: Option<WebhookDeliveryState>,
}

/// Reads a page of the deliveries that fit `filter`, of one account if it is given.
///
/// # Errors
/// The caller may not look at them, the filter can not be used, or what failed on our side.
pub(crate) async fn deliveries_of(
    context: &Context<'_>,
    filter: WebhookDeliveryFilter,
    account: Option<VendorAccountId>,
    arguments: &PageArguments,
) -> Result<Connection<WebhookDelivery>> {
    let now = context.shared()?.clock.now();
    may_see_deliveries(&context.caller()?.session.principal, now).map_err(ApiError::Forbidden)?;
    let mut filter = deliveries::DeliveryFilter {
        account: decode_some(filter.vendor_account_id.as_ref())?,
        state: filter.state.map(Into::into),
    };
    if let Some(account) = account {
        if filter.account.is_some_and(|wanted| wanted != account) {
            return Ok(nothing());
        }
        filter.account = Some(account);
    }
    connect(context, filter, arguments, true).await
}

#[derive(Default)]
pub(crate) struct DeliveryQueries;

#[Object]
impl DeliveryQueries {
    /// What vendors have sent to the webhook addresses of the organization's accounts, newest first. Needs ADMIN.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn webhook_deliveries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which deliveries; all without.")] filter: Option<WebhookDeliveryFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<WebhookDelivery>>> {
        let window = PageArguments { first, after, last, before };
        Some(deliveries_of(context, filter.unwrap_or_default(), None, &window).await)
    }
}
