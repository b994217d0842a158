//! Where a person may stand in words: in commands that are over, alerts, events, the reasons of their stays. Webhooks are
//! sealed: whoever holds the vault looks into them.

use domain::{
    clock::Timestamp,
    erasure::{ERASED, ERASED_NAMES, KnownAs},
    ids::{OrganizationId, WebhookDeliveryId},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoSimpleExpr, JsonValue, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, Func},
};
use uuid::Uuid;

use crate::{
    Database, StoreError,
    rows::{alert, command, event, reservation, webhook_delivery},
    store::ledger,
};

/// Rows read at once.
const PORTION: u64 = 500;

/// What of a person's own stands under these names, whatever it says. The first two are a name in two parts.
const OWN: [&str; 11] = [
    "first_name",
    "last_name",
    "firstName",
    "lastName",
    "name",
    "email",
    "phone",
    "number",
    "card_number",
    "cardNumber",
    "holder_name",
];

/// Rows with one of these texts in one of the columns, letters taken loosely: look again. `None`: there is no text.
pub(super) fn stands_in<'a, C: ColumnTrait>(
    columns: &[C],
    needles: impl Iterator<Item = &'a str>,
) -> Option<Condition> {
    let mut condition = Condition::any();
    for needle in needles {
        // Databases do not agree on letters beyond ASCII, and JSON writes quotes otherwise.
        let loose = |sign: char| if sign.is_ascii_alphanumeric() || " @.-".contains(sign) { sign } else { '%' };
        let pattern: String = needle.chars().map(loose).collect();
        for column in columns {
            let text = column.into_simple_expr().cast_as(Alias::new("TEXT"));
            condition = condition.add(Expr::expr(Func::lower(text)).like(format!("%{pattern}%")));
        }
    }
    (!condition.is_empty()).then_some(condition)
}

/// Strikes the person from commands that are over: those of their placements as a whole, others where they stand in them.
pub(super) async fn commands(
    database: &Database,
    organization: Uuid,
    person: &KnownAs,
    placements: &[String],
    is_done: &mut bool,
) -> Result<(), StoreError> {
    use command::Column::{Action, FailureMessage, RequestedBy, Result as Outcome, Timeline};
    let named = stands_in(&[Action, Outcome, Timeline, FailureMessage], person.needles());
    let mut of_person = Condition::any().add(RequestedBy.is_in(placements.iter().map(String::as_str)));
    if let Some(named) = named {
        of_person = of_person.add(named);
    }
    let mut after: Option<Uuid> = None;
    loop {
        let mut page = command::Entity::find()
            .filter(command::Column::OrganizationId.eq(organization))
            .filter(of_person.clone())
            .order_by_asc(command::Column::Id)
            .limit(PORTION);
        if let Some(after) = after {
            page = page.filter(command::Column::Id.gt(after));
        }
        let rows = page.all(database.read()).await?;
        for row in &rows {
            let is_theirs = placements.contains(&row.requested_by);
            let next = struck_command(row, person, is_theirs);
            if next == *row {
                continue;
            }
            // Who is on the way to a vendor has to arrive as they are.
            let is_over = row.state()?.is_terminal() && row.due_at.is_none();
            *is_done &= is_over && write_command(database, row, next).await?;
        }
        after = rows.last().map(|row| row.id);
        if after.is_none() {
            return Ok(());
        }
    }
}

fn struck_command(row: &command::Model, person: &KnownAs, is_theirs: bool) -> command::Model {
    let mut next = row.clone();
    strike(&mut next.action, person, is_theirs);
    strike(&mut next.timeline, person, false);
    if let Some(result) = &mut next.result {
        strike(result, person, is_theirs);
    }
    next.failure_message = row.failure_message.as_ref().map(|text| person.struck(text).unwrap_or_else(|| text.clone()));
    next
}

async fn write_command(database: &Database, row: &command::Model, next: command::Model) -> Result<bool, StoreError> {
    let done = command::Entity::update_many()
        .col_expr(command::Column::Action, Expr::value(next.action))
        .col_expr(command::Column::Timeline, Expr::value(next.timeline))
        .col_expr(command::Column::Result, Expr::value(next.result))
        .col_expr(command::Column::FailureMessage, Expr::value(next.failure_message))
        .col_expr(command::Column::Version, Expr::value(row.version + 1))
        .filter(command::Column::Id.eq(row.id))
        .filter(command::Column::Version.eq(row.version))
        .exec(database.write())
        .await?;
    Ok(done.rows_affected == 1)
}

/// Strikes the person from a document: from each text, and from each object that is about them.
fn strike(value: &mut JsonValue, person: &KnownAs, is_theirs: bool) {
    match value {
        JsonValue::String(text) => {
            if let Some(struck) = person.struck(text) {
                *text = struck;
            }
        }
        JsonValue::Array(all) => all.iter_mut().for_each(|one| strike(one, person, is_theirs)),
        JsonValue::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(JsonValue::as_str).unwrap_or_default();
            let whole = format!("{} {}", text("first_name"), text("last_name"));
            let is_marked = || fields.values().filter_map(JsonValue::as_str).any(|text| person.marks_text(text));
            let is_about = is_theirs || person.is_name(&whole) || is_marked();
            for (name, value) in fields.iter_mut() {
                match value {
                    JsonValue::String(text) if is_about && OWN.contains(&name.as_str()) => {
                        let instead = match name.as_str() {
                            "first_name" | "firstName" => ERASED_NAMES.0,
                            "last_name" | "lastName" => ERASED_NAMES.1,
                            _ => ERASED,
                        };
                        instead.clone_into(text);
                    }
                    value => strike(value, person, is_theirs),
                }
            }
        }
        _ => {}
    }
}

/// Strikes the person from what people were told.
pub(super) async fn alerts(database: &Database, organization: Uuid, person: &KnownAs) -> Result<(), StoreError> {
    let Some(named) = stands_in(&[alert::Column::Message], person.needles()) else { return Ok(()) };
    let rows = alert::Entity::find()
        .filter(alert::Column::OrganizationId.eq(organization))
        .filter(named)
        .all(database.read())
        .await?;
    for row in rows {
        let Some(struck) = person.struck(&row.message) else { continue };
        alert::Entity::update_many()
            .col_expr(alert::Column::Message, Expr::value(struck))
            .filter(alert::Column::Id.eq(row.id))
            .exec(database.write())
            .await?;
    }
    Ok(())
}

/// Has the person's stays settled again, which says anew whatever is said of them.
pub(super) async fn stays(database: &Database, user: Uuid, now: Timestamp) -> Result<(), StoreError> {
    reservation::Entity::update_many()
        .col_expr(reservation::Column::DueAt, Expr::value(now))
        .filter(reservation::Column::GuestId.eq(user))
        .filter(reservation::Column::DueAt.gt(now))
        .exec(database.write())
        .await?;
    Ok(())
}

/// Erases the details of events in which the person stands.
pub(super) async fn events(database: &Database, organization: Uuid, person: &KnownAs) -> Result<(), StoreError> {
    let Some(named) = stands_in(&[event::Column::Data], person.needles()) else { return Ok(()) };
    let mut after: Option<Uuid> = None;
    loop {
        let mut page = event::Entity::find()
            .filter(event::Column::OrganizationId.eq(organization))
            .filter(named.clone())
            .order_by_asc(event::Column::Id)
            .limit(PORTION);
        if let Some(after) = after {
            page = page.filter(event::Column::Id.gt(after));
        }
        let rows = page.all(database.read()).await?;
        after = rows.last().map(|row| row.id);
        if after.is_none() {
            return Ok(());
        }
        let about = rows.into_iter().filter(|row| {
            let mut struck = row.data.clone();
            strike(&mut struck, person, false);
            struck != row.data
        });
        let about: Vec<Uuid> = about.map(|row| row.id).collect();
        if !about.is_empty() {
            let transaction = database.begin().await?;
            ledger::erase(&transaction, &about).await?;
            transaction.commit().await?;
        }
    }
}

/// Webhook deliveries of a tenant, in the order of their ids, at most `limit`.
///
/// # Errors
/// The database failed.
pub async fn deliveries_after(
    database: &Database,
    organization: OrganizationId,
    after: Option<WebhookDeliveryId>,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>, StoreError> {
    let mut page = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::OrganizationId.eq(organization.0))
        .order_by_asc(webhook_delivery::Column::Id)
        .limit(limit);
    if let Some(after) = after {
        page = page.filter(webhook_delivery::Column::Id.gt(after.0));
    }
    Ok(page.all(database.read()).await?)
}

/// Keeps of a delivery that is done with that it came, and nothing of what it said. `content` is a sealed
/// `domain::webhook::RawDelivery`. Returns false if it is being processed.
///
/// # Errors
/// The database failed.
pub async fn empty_delivery(
    database: &Database,
    delivery: &webhook_delivery::Model,
    content: Vec<u8>,
) -> Result<bool, StoreError> {
    let done = webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::Content, Expr::value(content))
        .col_expr(webhook_delivery::Column::Note, Expr::value("Its content was erased with a person."))
        .filter(webhook_delivery::Column::Id.eq(delivery.id))
        .filter(webhook_delivery::Column::DueAt.is_null())
        .exec(database.write())
        .await?;
    Ok(done.rows_affected == 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_is_marked_is_struck_and_others_in_the_same_import_are_not() {
        let person = KnownAs::new("Ada Byron", ["ada@example.org"]);
        let mut action = json!({ "users": [
            { "id_number": "1", "first_name": "A.", "last_name": "B.", "email": "ADA@example.org", "card_number": "77" },
            { "id_number": "2", "first_name": "Ada", "last_name": "Byron", "email": null },
            { "id_number": "3", "first_name": "Ada", "last_name": "Q", "email": "q@example.org" },
        ], "note": "for ada byron" });
        strike(&mut action, &person, false);
        let gone = json!({ "users": [
            { "id_number": "1", "first_name": "Erased", "last_name": "person", "email": ERASED, "card_number": ERASED },
            { "id_number": "2", "first_name": "Erased", "last_name": "person", "email": null },
            { "id_number": "3", "first_name": "Ada", "last_name": "Q", "email": "q@example.org" },
        ], "note": "for Erased person" });
        assert_eq!(action, gone);
        strike(&mut action, &person, false);
        assert_eq!(action, gone);
    }

    #[test]
    fn what_was_ordered_for_them_is_struck_whatever_they_were_called() {
        let mut action = json!({ "AUTHORIZE_PHONE": { "number": "3725550", "authorized": true } });
        strike(&mut action, &KnownAs::default(), true);
        assert_eq!(action, json!({ "AUTHORIZE_PHONE": { "number": ERASED, "authorized": true } }));
    }
}
