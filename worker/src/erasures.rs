//! Goes on with erasures until nothing is left of the person. Where they may stand is `entities::store::erasure`'s matter;
//! what is sealed is looked into here.

use chrono::TimeDelta;
use domain::{
    erasure::KnownAs,
    ids::{OrganizationId, UserId, WebhookDeliveryId},
    secret::Secret,
    webhook::RawDelivery,
};
use entities::{
    StoreError,
    rows::{erasure, webhook_delivery},
    store::erasure::{deliveries_after, due, empty_delivery, go_on},
};
use platform::vault::Place;

use crate::parts::Parts;

/// How often it looks for one.
const PERIOD: TimeDelta = TimeDelta::seconds(1);
/// Erasures taken on at once.
const PORTION: u64 = 20;
/// Webhook deliveries read at once.
const DELIVERIES: u64 = 200;

/// Goes on for ever.
pub(crate) async fn keep_on(parts: Parts) {
    loop {
        match due(&parts.database, parts.clock.now(), PORTION).await {
            Ok(erasures) => {
                for erasure in erasures {
                    let user = UserId(erasure.user_id);
                    match one(&parts, &erasure).await {
                        Ok(true) => tracing::info!(%user, "nothing is left of an erased person"),
                        Ok(false) => tracing::debug!(%user, "something is still needed of an erased person"),
                        Err(error) => tracing::warn!(%user, %error, "an erasure did not go on; it is tried again"),
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "erasures could not be looked for"),
        }
        parts.clock.sleep_until(parts.clock.now() + PERIOD).await;
    }
}

async fn one(parts: &Parts, erasure: &erasure::Model) -> Result<bool, StoreError> {
    let is_out = webhooks(parts, OrganizationId(erasure.organization_id), &erasure.known_as()?).await?;
    go_on(&parts.database, parts.ids.as_ref(), erasure, is_out, parts.clock.now()).await
}

/// Empties the webhooks that tell of the person. Returns false if one of them is being processed.
async fn webhooks(parts: &Parts, organization: OrganizationId, person: &KnownAs) -> Result<bool, StoreError> {
    let mut is_out = true;
    if person.needles().next().is_none() {
        return Ok(is_out);
    }
    let mut after = None;
    loop {
        let rows = deliveries_after(&parts.database, organization, after, DELIVERIES).await?;
        for row in rows.iter().filter(|row| tells_of(parts, row, person)) {
            let place = place(row);
            let form = serde_json::to_string(&RawDelivery { headers: Vec::new(), body: Vec::new() });
            let form = Secret::new(form.map_err(|error| StoreError::Unsealable(error.to_string()))?);
            let sealed = parts.vault.seal(&form, place).map_err(|error| StoreError::Unsealable(error.to_string()))?;
            is_out &= empty_delivery(&parts.database, row, sealed).await?;
        }
        after = rows.last().map(|row| WebhookDeliveryId(row.id));
        if after.is_none() {
            return Ok(is_out);
        }
    }
}

fn tells_of(parts: &Parts, row: &webhook_delivery::Model, person: &KnownAs) -> bool {
    let opened = parts.vault.open(&row.content, place(row)).ok();
    let raw = opened.and_then(|form| serde_json::from_str::<RawDelivery>(form.expose()).ok());
    raw.is_some_and(|raw| person.struck(&text(&raw.body)).is_some())
}

/// What a body says: letters can be written otherwise in JSON ("M\u00fcller").
fn text(body: &[u8]) -> String {
    let read = serde_json::from_slice::<serde_json::Value>(body).map(|told| told.to_string());
    read.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned())
}

const fn place(row: &webhook_delivery::Model) -> Place {
    Place { table: "webhook_deliveries", column: "content", row: row.id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_found_however_their_letters_are_written() {
        let person = KnownAs::new("Zoë Müller", ["zoe@example.org"]);
        let tells = |body: &str| person.struck(&text(body.as_bytes())).is_some();
        assert!(tells(r#"{"user": "Zo\u00eb M\u00FCller"}"#) && tells(r#"{"mail": "zoe\u0040example.org"}"#));
        assert!(tells("by Zoë Müller, no JSON") && !tells(r#"{"user": "Zo\u00eb Meier"}"#));
    }
}
