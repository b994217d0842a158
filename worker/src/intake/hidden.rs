//! The numbers of tags that were issued to guests are values as PINs are: where a vendor tells them back, in its lists of
//! people and cards and in its events, they are left out before anything is kept. Cards of other people stay as told.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashSet},
};

use domain::{
    event::FoundEvent,
    record::{CredentialType, FoundRecord, RecordDetails},
    secret::Secret,
};
use entities::{StoreError, rows::vendor_account, work};

use crate::parts::Parts;

/// What card locks call a number in their events.
const FACT: &str = "card_num";

/// Records without the numbers that must not be kept.
pub(super) async fn without_tags<'a>(
    parts: &Parts,
    account: &vendor_account::Model,
    records: &'a [FoundRecord],
) -> Result<Cow<'a, [FoundRecord]>, StoreError> {
    let issued = issued(parts, account, records.iter().filter_map(|record| number(&record.details))).await?;
    if issued.is_empty() {
        return Ok(Cow::Borrowed(records));
    }
    Ok(Cow::Owned(records.iter().map(|record| without_number(record, &issued)).collect()))
}

/// Events without the numbers that must not be kept.
pub(super) async fn events_without_tags(
    parts: &Parts,
    account: &vendor_account::Model,
    events: &mut [FoundEvent],
) -> Result<(), StoreError> {
    let told = events.iter().filter_map(|event| event.facts.get(FACT)).map(String::as_str);
    let issued = issued(parts, account, told).await?;
    for event in events {
        event.facts.retain(|_, fact| !issued.contains(fact.trim()));
    }
    Ok(())
}

/// Which of these numbers were ever issued to a guest.
async fn issued<'a>(
    parts: &Parts,
    account: &vendor_account::Model,
    numbers: impl Iterator<Item = &'a str>,
) -> Result<HashSet<String>, StoreError> {
    let numbers: BTreeSet<&str> = numbers.map(str::trim).filter(|number| !number.is_empty()).collect();
    if numbers.is_empty() {
        return Ok(HashSet::new());
    }
    let tenant = account.organization_id;
    let known: HashSet<Vec<u8>> = work::stays::tags(&parts.database, tenant).await?.into_iter().collect();
    if known.is_empty() {
        return Ok(HashSet::new());
    }
    let is_issued = |number: &&str| known.contains(&parts.vault.fingerprint(tenant, &Secret::new(*number)));
    Ok(numbers.into_iter().filter(is_issued).map(str::to_owned).collect())
}

/// The number of the card or tag that a record tells.
fn number(details: &RecordDetails) -> Option<&str> {
    match details {
        RecordDetails::User(user) => user.card_number.as_deref(),
        RecordDetails::Credential(told) if told.credential_type != CredentialType::PhoneNumber => {
            told.number.as_deref()
        }
        _ => None,
    }
}

fn without_number(record: &FoundRecord, issued: &HashSet<String>) -> FoundRecord {
    let mut record = record.clone();
    let is_issued = number(&record.details).is_some_and(|number| issued.contains(number.trim()));
    if !is_issued {
        return record;
    }
    match &mut record.details {
        RecordDetails::User(user) => user.card_number = None,
        RecordDetails::Credential(told) => told.number = None,
        _ => {}
    }
    if issued.contains(record.name.trim()) {
        record.name.clone_from(&record.external_id);
    }
    record
}

#[cfg(test)]
mod tests {
    use domain::record::{CredentialDetails, CredentialStatus, UserDetails};

    use super::*;

    fn record(name: &str, details: RecordDetails) -> FoundRecord {
        let (external_id, location) = ("9".to_owned(), String::new());
        FoundRecord { external_id, device: None, location, name: name.to_owned(), details, secret: None }
    }

    fn credential(credential_type: CredentialType, number: &str) -> RecordDetails {
        RecordDetails::Credential(CredentialDetails {
            credential_type,
            status: CredentialStatus::Unclaimed,
            number: Some(number.to_owned()),
            id_number: None,
            user: None,
            access_from: None,
            access_until: None,
            access_levels: None,
            last_used_at: None,
        })
    }

    #[test]
    fn only_numbers_that_were_issued_are_left_out() {
        let issued = HashSet::from(["4711".to_owned()]);
        let user = |number: &str| {
            let details = UserDetails { card_number: Some(number.to_owned()), ..UserDetails::default() };
            record("Ada", RecordDetails::User(details))
        };
        assert!(!format!("{:?}", without_number(&user(" 4711"), &issued)).contains("4711"));
        assert_eq!(without_number(&user("4712"), &issued), user("4712"));
        let card = record("4711", credential(CredentialType::Card, "4711"));
        let left = without_number(&card, &issued);
        assert!(!format!("{left:?}").contains("4711"));
        assert_eq!(left.name, "9");
        let phone = record("4711", credential(CredentialType::PhoneNumber, "4711"));
        assert_eq!(without_number(&phone, &issued), phone);
    }
}
