//! Records that vendors keep. A list holds the kinds that the caller may read; asking for another kind is refused.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::ids::VendorAccountId;
use entities::find::records;

use super::{
    bounded,
    list::{connect, connect_loaded, finder, nothing},
};
use crate::{
    graphql::{
        connection::{Connection, PageArguments, cost},
        context::{Ask, decode_some},
        error::ApiError,
        object::{VendorRecord, readable_kinds},
        words::RecordKind,
    },
    loaders::RecordsOfAccount,
};

finder!(records::RecordFilter => VendorRecord, entities::find::records);

/// Which records; every absent part means any.
#[derive(Debug, Default, InputObject)]
pub(crate) struct RecordFilter {
    /// At this vendor account.
    vendor_account_id: Option<ID>,
    /// Of this device.
    device_id: Option<ID>,
    /// Of one of these kinds; all that the caller may read if empty. Kinds that tell of people need MANAGER.
    kinds: Option<Vec<RecordKind>>,
    /// With this id of the vendor's.
    external_id: Option<String>,
    /// With this text in the name, in any case of letters.
    text: Option<String>,
    /// Whether those are wanted too that the vendor does not list any more.
    #[graphql(default = false)]
    missing_too: bool,
}

impl RecordFilter {
    fn decode(self, context: &Context<'_>) -> Result<records::RecordFilter, ApiError> {
        let external_id = bounded("externalId", self.external_id)?;
        let text = bounded("text", self.text)?;
        let (principal, now) = (&context.caller()?.session.principal, context.shared()?.clock.now());
        let mut kinds: Vec<domain::record::RecordKind> =
            self.kinds.unwrap_or_default().into_iter().map(Into::into).collect();
        for kind in &kinds {
            principal.may_read(*kind, now).map_err(ApiError::Forbidden)?;
        }
        if kinds.is_empty() {
            kinds = readable_kinds(principal, now);
        }
        kinds.sort_unstable();
        kinds.dedup();
        Ok(records::RecordFilter {
            account: decode_some(self.vendor_account_id.as_ref())?,
            device: decode_some(self.device_id.as_ref())?,
            kinds,
            external_id,
            text,
            missing_too: self.missing_too,
        })
    }
}

/// Reads a page of the records at an account that fit `filter`. Pages of several accounts are read together.
///
/// # Errors
/// A filter that can not be used or that the caller may not use, or what failed on our side.
pub(crate) async fn records_of(
    context: &Context<'_>,
    filter: RecordFilter,
    account: VendorAccountId,
    arguments: &PageArguments,
) -> Result<Connection<VendorRecord>> {
    let mut filter = filter.decode(context)?;
    if filter.account.take().is_some_and(|wanted| wanted != account) {
        return Ok(nothing());
    }
    let page = RecordsOfAccount(account, filter.clone(), arguments.window::<VendorRecord>(false)?);
    connect_loaded(context, page, RecordsOfAccount(account, filter, ())).await
}

#[derive(Default)]
pub(crate) struct RecordQueries;

#[Object]
impl RecordQueries {
    /// What vendors keep beside devices and doors, oldest first: the records that the caller sees and may read.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    async fn records(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which records; all without.")] filter: Option<RecordFilter>,
        #[graphql(desc = "How many from the beginning, 100 at most; 50 without `first` and `last`.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<VendorRecord>>> {
        let filter = match filter.unwrap_or_default().decode(context) {
            Ok(filter) => filter,
            Err(error) => return Some(Err(error.into())),
        };
        Some(connect(context, filter, &PageArguments { first, after, last, before }, false).await)
    }
}
