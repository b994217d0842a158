//! Webhook deliveries, for ADMINs.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::ids::VendorAccountId;
use entities::find::deliveries;

use super::list::{connect, connect_loaded, finder, nothing};
use crate::{
    graphql::{
        connection::{Connection, PageArguments, cost},
        context::{Ask, decode_some},
        error::ApiError,
        object::{WebhookDelivery, may_see_deliveries},
        words::WebhookDeliveryState,
    },
    loaders::DeliveriesOfAccount,
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

impl WebhookDeliveryFilter {
    fn decode(self, context: &Context<'_>) -> Result<deliveries::DeliveryFilter, ApiError> {
        let now = context.shared()?.clock.now();
        may_see_deliveries(&context.caller()?.session.principal, now).map_err(ApiError::Forbidden)?;
        Ok(deliveries::DeliveryFilter {
            account: decode_some(self.vendor_account_id.as_ref())?,
            state: self.state.map(Into::into),
        })
    }
}

/// Reads a page of the deliveries to an account that fit `filter`. Pages of several accounts are read together.
///
/// # Errors
/// The caller may not look at them, the filter can not be used, or what failed on our side.
pub(crate) async fn deliveries_of(
    context: &Context<'_>,
    filter: WebhookDeliveryFilter,
    account: VendorAccountId,
    arguments: &PageArguments,
) -> Result<Connection<WebhookDelivery>> {
    let mut filter = filter.decode(context)?;
    if filter.account.take().is_some_and(|wanted| wanted != account) {
        return Ok(nothing());
    }
    let page = DeliveriesOfAccount(account, filter.clone(), arguments.window::<WebhookDelivery>(true)?);
    connect_loaded(context, page, DeliveriesOfAccount(account, filter, ())).await
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
        let filter = match filter.unwrap_or_default().decode(context) {
            Ok(filter) => filter,
            Err(error) => return Some(Err(error.into())),
        };
        Some(connect(context, filter, &PageArguments { first, after, last, before }, true).await)
    }
}
