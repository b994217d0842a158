//! Guests as a PMS tells of them: one person for each of the PMS's, never merged with somebody of the same address.

use std::collections::{BTreeSet, HashMap};

use domain::{
    clock::Timestamp,
    event::EventType,
    ids::{IdSource, OrganizationId, UserId, VendorAccountId},
    record::{RecordDetails, RecordKind},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::OnConflict,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    StoreError,
    rows::{record, user, vendor_account},
    store::{
        events::{self, NewEvent},
        identities::{self, By},
    },
};

/// What somebody is called whom the PMS names without telling of them.
const NAMELESS: &str = "Guest";

/// Makes sure that these people of a PMS are here and up to date. Returns them by the PMS's id, and those that changed.
pub(super) async fn bring_up_to_date(
    transaction: &DatabaseTransaction,
    ids: &dyn IdSource,
    account: &vendor_account::Model,
    named: &BTreeSet<String>,
    now: Timestamp,
) -> Result<(HashMap<String, Uuid>, Vec<Uuid>), StoreError> {
    if named.is_empty() {
        return Ok((HashMap::new(), Vec::new()));
    }
    let mut people = people(transaction, account, named).await?;
    let told = told(transaction, account, named).await?;
    let mut changed = Vec::new();
    let (mut news, mut elsewhere) = (Vec::new(), Vec::new());
    for external_id in named {
        let about = told.get(external_id);
        let (id, is_new) = match people.get(external_id) {
            Some(row) => {
                let Some(about) = about.filter(|_| row.erased_at.is_none()) else { continue };
                let next = about.on(row.clone());
                if next == *row {
                    continue;
                }
                if next.email != row.email {
                    elsewhere.push(row.id);
                }
                let next = user::Model { version: row.version + 1, ..next };
                let active = user::ActiveModel::from(next.clone()).reset_all();
                user::Entity::update_many()
                    .set(user::ActiveModel { id: Unchanged(next.id), ..active })
                    .filter(user::Column::Id.eq(next.id))
                    .exec(transaction)
                    .await?;
                (row.id, false)
            }
            None => {
                let blank = user::Model {
                    id: ids.next_uuid(),
                    organization_id: account.organization_id,
                    name: NAMELESS.to_owned(),
                    name_folded: NAMELESS.to_lowercase(),
                    email: None,
                    phone: None,
                    account_id: Some(account.id),
                    external_id: Some(external_id.clone()),
                    erased_at: None,
                    version: 1,
                    created_at: now,
                };
                let row = about.map_or(blank.clone(), |about| about.on(blank));
                let once = OnConflict::new().do_nothing().to_owned();
                let id = row.id;
                user::Entity::insert(user::ActiveModel::from(row).reset_all())
                    .on_conflict(once)
                    .exec_without_returning(transaction)
                    .await?;
                (id, true)
            }
        };
        news.push(event(account, id, now));
        if !is_new {
            changed.push(id);
        }
    }
    if !elsewhere.is_empty() {
        let actor = VendorAccountId(account.id).to_string();
        let by = By { ids, actor: &actor, now };
        identities::unlink_by_email(transaction, by, OrganizationId(account.organization_id), &elsewhere).await?;
    }
    if !news.is_empty() {
        events::append(transaction, ids, news).await?;
        // Somebody else may have been quicker with one of them.
        people = self::people(transaction, account, named).await?;
    }
    Ok((people.into_iter().map(|(external, row)| (external, row.id)).collect(), changed))
}

/// Those of these people of a PMS who are here.
pub(super) async fn known(
    transaction: &DatabaseTransaction,
    account: &vendor_account::Model,
    named: &BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    Ok(people(transaction, account, named).await?.into_keys().collect())
}

async fn people(
    transaction: &DatabaseTransaction,
    account: &vendor_account::Model,
    named: &BTreeSet<String>,
) -> Result<HashMap<String, user::Model>, StoreError> {
    let rows = user::Entity::find()
        .filter(user::Column::AccountId.eq(account.id))
        .filter(user::Column::ExternalId.is_in(named.iter().map(String::as_str)))
        .all(transaction)
        .await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.external_id.clone()?, row))).collect())
}

struct About {
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

impl About {
    fn on(&self, row: user::Model) -> user::Model {
        let name = self.name.clone().unwrap_or_else(|| row.name.clone());
        let (email, phone) = (self.email.clone(), self.phone.clone());
        user::Model { name_folded: name.to_lowercase(), name, email, phone, ..row }
    }
}

async fn told(
    transaction: &DatabaseTransaction,
    account: &vendor_account::Model,
    named: &BTreeSet<String>,
) -> Result<HashMap<String, About>, StoreError> {
    let rows = record::Entity::find()
        .filter(record::Column::AccountId.eq(account.id))
        .filter(record::Column::Kind.eq(RecordKind::User.as_str()))
        .filter(record::Column::ExternalId.is_in(named.iter().map(String::as_str)))
        .all(transaction)
        .await?;
    let mut told = HashMap::new();
    for row in rows {
        let RecordDetails::User(details) = row.details()? else { continue };
        let names = [details.first_name, details.last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = [names.trim(), row.name.trim()].into_iter().find(|name| !name.is_empty()).map(str::to_owned);
        let about = About { name, email: details.email, phone: details.phone.as_deref().and_then(digits) };
        told.insert(row.external_id, about);
    }
    Ok(told)
}

/// As numbers are kept here: digits with the country code. A number without one is not usable for calls, but is kept.
fn digits(phone: &str) -> Option<String> {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").map(str::to_owned).unwrap_or(digits);
    (!digits.is_empty()).then_some(digits)
}

fn event(account: &vendor_account::Model, user: Uuid, now: Timestamp) -> NewEvent<'static> {
    let data = json!({ "user": UserId(user).to_string() });
    NewEvent::of_account(account, EventType::UserChanged, now, None, data)
}
