//! Reading what Mews keeps: hotels, resources, stays with their guests, and the tokens that it shows.

use std::collections::VecDeque;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::{clock::Timestamp, record::FoundRecord};
use futures::{
    TryStreamExt as _,
    stream::{self, BoxStream, StreamExt as _},
};
use serde_json::{Value, json};

use super::{
    catalogue::Catalogue,
    client::{self, Mews, Places, without_id},
    mapping,
    paging::Pager,
    sweep::{self, Span, interval},
    wire,
};
use crate::{
    error::VendorError,
    port::{AccountCheck, Hint, Inventory, Listed, PartPlan, Portion, RecordKind, RecordRef, SyncPart},
};

const PARTS: &[PartPlan] = &[
    PartPlan { part: SyncPart::Profile, completes: &[Listed::Records(RecordKind::Location)] },
    PartPlan { part: SyncPart::Resources, completes: &[Listed::Records(RecordKind::Resource)] },
    // Nothing in Mews proves by its absence that a stay or token is gone: it is read again by its id.
    PartPlan { part: SyncPart::Reservations, completes: &[] },
    PartPlan { part: SyncPart::AccessTokens, completes: &[] },
];

/// A sweep on its way: what is still to be read, and where the present list stands.
struct Sweep<'a> {
    spans: VecDeque<Span>,
    pager: Pager,
    places: &'a Places,
}

/// A list of the resources on its way.
struct Listing {
    catalogue: Catalogue,
    filter: Value,
    pager: Pager,
    pages: usize,
    is_second: bool,
}

impl Listing {
    fn of(catalogue: Catalogue) -> Self {
        let filter = json!({ "Extent": all_resources() });
        Self { catalogue, filter, pager: Pager::default(), pages: 0, is_second: false }
    }

    /// What changed while several pages were read may have moved to one that was read before: it must not look removed.
    fn look_again(&mut self, now: Timestamp) -> bool {
        if self.is_second || self.pages < 2 {
            return false;
        }
        let meanwhile = interval(now - TimeDelta::minutes(10), now + TimeDelta::hours(12));
        self.filter = json!({ "Extent": all_resources(), "UpdatedUtc": meanwhile });
        self.pager = Pager::default();
        self.is_second = true;
        true
    }
}

impl Mews {
    async fn hotels(&self) -> Result<Portion, VendorError> {
        let enterprises = self.enterprises().await?.into_iter();
        let records = enterprises.map(|it| mapping::location(it).ok_or_else(|| without_id("enterprise")));
        Ok(Portion { records: records.collect::<Result<_, _>>()?, ..Portion::default() })
    }

    fn resources(&self, now: Timestamp) -> BoxStream<'_, Result<Portion, VendorError>> {
        stream::try_unfold(None, move |state: Option<Listing>| async move {
            let mut listing = match state {
                Some(listing) => listing,
                None => Listing::of(self.catalogue(None, now).await?),
            };
            if listing.pager.is_over() && !listing.look_again(now) {
                return Ok(None);
            }
            let page: Vec<wire::Resource> = self.page(client::RESOURCES, &listing.filter, &mut listing.pager).await?;
            listing.pages += 1;
            Ok(Some((described(page, &listing.catalogue)?, Some(listing))))
        })
        .boxed()
    }

    /// Reads reservations or tokens: the horizon, or what changed since `cursor`.
    fn sweep<'a>(
        &'a self,
        part: SyncPart,
        cursor: Option<&'a str>,
        now: Timestamp,
    ) -> BoxStream<'a, Result<Portion, VendorError>> {
        stream::try_unfold(None, move |state: Option<Sweep<'a>>| async move {
            let mut sweep = match state {
                Some(sweep) => sweep,
                None => self.begin(cursor, now).await?,
            };
            let Some(span) = sweep.spans.front() else { return Ok(None) };
            let mut portion = if part == SyncPart::AccessTokens {
                let page = self.page(client::TOKENS, &token_filter(span), &mut sweep.pager).await?;
                shown(page)?
            } else {
                let page = self.page(client::RESERVATIONS, &reservation_filter(span), &mut sweep.pager).await?;
                self.stays(page, sweep.places).await?
            };
            if sweep.pager.is_over() {
                portion.cursor = sweep.spans.pop_front().and_then(|span| span.cursor);
                sweep.pager = Pager::default();
            }
            Ok(Some((portion, Some(sweep))))
        })
        .boxed()
    }

    async fn begin(&self, cursor: Option<&str>, now: Timestamp) -> Result<Sweep<'_>, VendorError> {
        let configuration = self.configuration(None).await?;
        // Before anything is read, and by the clock that dates the changes.
        let now = configuration.now_utc.unwrap_or(now);
        let places = self.places_with(configuration).await?;
        Ok(Sweep { spans: sweep::plan(cursor, now), pager: Pager::default(), places })
    }

    async fn reread_record(&self, record: &RecordRef, now: Timestamp) -> Result<Portion, VendorError> {
        let ids = std::slice::from_ref(&record.external_id);
        match record.kind {
            RecordKind::Reservation => {
                let stays: Vec<wire::Reservation> =
                    self.all(client::RESERVATIONS, json!({ "ReservationIds": ids })).await?;
                if stays.is_empty() {
                    return Ok(Portion::default());
                }
                self.stays(stays, self.places().await?).await
            }
            RecordKind::User => {
                let records = self.people(ids, self.places().await?).await?;
                Ok(Portion { records, ..Portion::default() })
            }
            RecordKind::Resource => {
                let filter = json!({ "Extent": all_resources(), "ResourceIds": ids });
                let resources: Vec<wire::Resource> = self.all(client::RESOURCES, filter).await?;
                if resources.is_empty() {
                    return Ok(Portion::default());
                }
                described(resources, &self.catalogue(Some(&record.external_id), now).await?)
            }
            RecordKind::AccessToken => shown(self.tokens("ResourceAccessTokenIds", ids).await?),
            RecordKind::Location => {
                let mut portion = self.hotels().await?;
                portion.records.retain(|found| found.external_id == record.external_id);
                Ok(portion)
            }
            _ => Ok(Portion::default()),
        }
    }

    /// Tokens by ids of theirs or of what they belong to, deleted ones too.
    pub(super) async fn tokens(&self, by: &str, ids: &[String]) -> Result<Vec<wire::Token>, VendorError> {
        self.all_about(client::TOKENS, &json!({ "ActivityStates": ["Active", "Deleted"] }), by, ids).await
    }
}

#[async_trait]
impl Inventory for Mews {
    fn parts(&self) -> &'static [PartPlan] {
        PARTS
    }

    fn read<'a>(
        &'a self,
        part: SyncPart,
        cursor: Option<&'a str>,
        now: Timestamp,
    ) -> BoxStream<'a, Result<Portion, VendorError>> {
        match part {
            SyncPart::Profile => stream::once(self.hotels()).boxed(),
            SyncPart::Resources => self.resources(now),
            SyncPart::Reservations | SyncPart::AccessTokens => self.sweep(part, cursor, now),
            _ => stream::once(async move { Err(VendorError::unsupported(format!("Mews has no {part}."))) }).boxed(),
        }
    }

    async fn reread(&self, hint: &Hint, now: Timestamp) -> Result<Portion, VendorError> {
        match hint {
            Hint::Record(record) => self.reread_record(record, now).await,
            Hint::Device(_) => Ok(Portion::default()),
            Hint::Part(part) => {
                // From no cursor, and so without one to keep.
                let join = |mut whole: Portion, mut next: Portion| async move {
                    whole.records.append(&mut next.records);
                    Ok(whole)
                };
                self.read(*part, None, now).try_fold(Portion::default(), join).await
            }
        }
    }

    async fn check(&self) -> Result<AccountCheck, VendorError> {
        let hotels = self.hotels().await?.records.into_iter();
        let locations = hotels.map(|FoundRecord { external_id, name, .. }| (external_id, name)).collect();
        Ok(AccountCheck { locations, signed_in_as: None })
    }
}

fn reservation_filter(span: &Span) -> Value {
    let (name, interval) = span.filter();
    if span.is_first {
        json!({ name: interval, "States": ["Confirmed", "Started", "Optional"] })
    } else {
        json!({ name: interval })
    }
}

fn token_filter(span: &Span) -> Value {
    let (name, interval) = span.filter();
    json!({ name: interval, "ActivityStates": ["Active", "Deleted"] })
}

fn all_resources() -> Value {
    json!({ "Resources": true, "Inactive": true })
}

fn described(resources: Vec<wire::Resource>, catalogue: &Catalogue) -> Result<Portion, VendorError> {
    let found = resources.into_iter().map(|resource| {
        let facts = catalogue.of(resource.id.as_ref());
        mapping::resource(resource, facts).ok_or_else(|| without_id("resource"))
    });
    Ok(Portion { records: found.collect::<Result<_, _>>()?, ..Portion::default() })
}

/// Tokens as records.
pub(super) fn shown(tokens: Vec<wire::Token>) -> Result<Portion, VendorError> {
    let found = tokens.into_iter().map(|token| mapping::token(token).ok_or_else(|| without_id("access token")));
    Ok(Portion { records: found.collect::<Result<_, _>>()?, ..Portion::default() })
}

#[cfg(test)]
mod tests;
