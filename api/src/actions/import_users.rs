//! Importing people into a card-lock system: in blocks that its vendor takes, with their PINs apart.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    change::{BATCH_LIMIT, Change, ImportOptions, UserPlan},
    clock::Timestamp,
    secret::Secret,
};
use entities::{StoreError, rows::command};

use super::{Refusal, arguments::short_text, place::Target, send_command::Order, send_command::send_commands};
use crate::{auth::Session, shared::Shared};

/// As many people are imported at once.
const MOST: usize = 1_000;

/// A person to be imported.
pub(crate) struct NewUser {
    /// Records in it are named by our ids.
    pub(crate) plan: UserPlan,
    /// What they type at the door.
    pub(crate) pin: Option<Secret>,
}

/// What a caller asks for.
pub(crate) struct Import {
    pub(crate) account: String,
    pub(crate) users: Vec<NewUser>,
    pub(crate) options: ImportOptions,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Accepts an import: a command for each block, in the order of the people.
///
/// # Errors
/// The database failed; what was written before is written.
pub(crate) async fn import_users(
    shared: &Shared,
    session: &Session,
    import: Import,
) -> Result<(Vec<command::Model>, Option<Refusal>), StoreError> {
    match orders(import) {
        Ok(orders) => send_commands(shared, session, orders).await,
        Err(refusal) => Ok((Vec::new(), Some(refusal))),
    }
}

fn orders(import: Import) -> Result<Vec<Order>, Refusal> {
    let Import { account, users, options, idempotency_key, expires_at } = import;
    check(&users)?;
    let mut users = users.into_iter().peekable();
    let mut orders = Vec::new();
    while users.peek().is_some() {
        let block: Vec<NewUser> = users.by_ref().take(BATCH_LIMIT).collect();
        let number = orders.len() + 1;
        orders.push(Order {
            target: Target::Account(account.clone()),
            secret: pins(&block),
            action: Change::ImportUsers { users: block.into_iter().map(|user| user.plan).collect(), options }.into(),
            idempotency_key: idempotency_key.as_ref().map(|key| format!("{key}#{number}")),
            expires_at,
        });
    }
    Ok(orders)
}

fn check(users: &[NewUser]) -> Result<(), Refusal> {
    let wrong = |message: &str| Err(Refusal::InvalidInput { field: "users", message: message.to_owned() });
    if users.is_empty() || users.len() > MOST {
        return wrong(&format!("`users` holds 1 to {MOST} people."));
    }
    let mut known = BTreeSet::new();
    for NewUser { plan, pin } in users {
        if !known.insert(plan.id_number.as_str()) {
            return wrong("Each `idNumber` stands for one person, and may be given once.");
        }
        let digits =
            |text: &str, most| !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
        if pin.as_ref().is_some_and(|pin| !digits(pin.expose(), 16)) {
            return wrong("A `pin` has 1 to 16 digits and nothing else.");
        }
        if plan.card_number.as_deref().is_some_and(|number| !digits(number, 20)) {
            return wrong("A `cardNumber` has 1 to 20 digits and nothing else.");
        }
        for name in [&plan.first_name, &plan.last_name] {
            short_text("users", name)?;
        }
    }
    Ok(())
}

/// The PINs of a block, by the number of their holder; the form that the vendor's connector reads.
fn pins(block: &[NewUser]) -> Option<Secret> {
    let pins: BTreeMap<&str, &str> =
        block.iter().filter_map(|user| Some((user.plan.id_number.as_str(), user.pin.as_ref()?.expose()))).collect();
    let json = || serde_json::to_string(&pins).ok().map(Secret::new);
    if pins.is_empty() { None } else { json() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: usize, pin: Option<&str>) -> NewUser {
        let plan = UserPlan {
            id_number: number.to_string(),
            first_name: "Ada".to_owned(),
            last_name: "Byron".to_owned(),
            has_pin: pin.is_some(),
            ..UserPlan::default()
        };
        NewUser { plan, pin: pin.map(Secret::new) }
    }

    fn import(users: Vec<NewUser>) -> Import {
        let options = ImportOptions {
            update_existing: false,
            validate_fails_batch: true,
            replace_privileges: false,
            dry_run: false,
        };
        let key = Some("k".to_owned());
        Import { account: "acct".to_owned(), users, options, idempotency_key: key, expires_at: None }
    }

    #[test]
    fn blocks_have_keys_and_pins_of_their_own() {
        let orders = orders(import((0..201).map(|number| user(number, (number == 150).then_some("1234"))).collect()));
        let orders = orders.unwrap();
        let keys: Vec<_> = orders.iter().filter_map(|order| order.idempotency_key.as_deref()).collect();
        assert_eq!(keys, ["k#1", "k#2", "k#3"]);
        let secrets: Vec<_> = orders.iter().map(|order| order.secret.as_ref().map(Secret::expose)).collect();
        assert_eq!(secrets, [None, Some("{\"150\":\"1234\"}"), None]);
    }

    #[test]
    fn people_are_checked_before_anything_is_sent() {
        let refused = |users| match orders(import(users)) {
            Err(Refusal::InvalidInput { field, message }) => (field == "users").then_some(message),
            _ => None,
        };
        assert!(refused(Vec::new()).is_some());
        assert!(refused((0..=MOST).map(|number| user(number, None)).collect()).is_some());
        assert!(refused(vec![user(1, None), user(1, None)]).is_some());
        assert!(refused(vec![user(1, Some("12a4"))]).is_some_and(|message| !message.contains("12a4")));
        assert!(refused(vec![user(1, Some("1234"))]).is_none());
    }
}
