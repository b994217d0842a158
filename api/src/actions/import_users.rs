//! Importing people into a card-lock system: in blocks that its vendor takes, with their PINs and registration keys apart.

use std::collections::BTreeSet;

use domain::{
    change::{BATCH_LIMIT, Change, ImportOptions, UserPlan, UserSecret, UserSecrets},
    clock::Timestamp,
    secret::Secret,
};
use entities::{StoreError, rows::command};

use super::{Refusal, arguments::short_text, place::Target, send_command::Order, send_command::send_commands};
use crate::{auth::Session, shared::Shared};

/// As many people are imported at once.
const MOST: usize = 1_000;
/// The longest registration key, in characters; the document's samples have 19.
const LONGEST_KEY: usize = 100;

/// A person to be imported.
pub(crate) struct NewUser {
    /// Records in it are named by our ids.
    pub(crate) plan: UserPlan,
    /// What nobody may read of them.
    pub(crate) secret: UserSecret,
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
            secret: secrets(&block),
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
    for NewUser { plan, secret } in users {
        if !known.insert(plan.id_number.as_str()) {
            return wrong("Each `idNumber` stands for one person, and may be given once.");
        }
        let digits =
            |text: &str, most| !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
        if secret.pin.as_ref().is_some_and(|pin| !digits(pin, 16)) {
            return wrong("A `pin` has 1 to 16 digits and nothing else.");
        }
        if secret.credential_key.as_ref().is_some_and(|key| !is_key(key)) {
            return wrong("A `credentialKey` has 1 to 100 printable characters without spaces.");
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

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().count() <= LONGEST_KEY && !key.chars().any(|sign| sign.is_control() || sign == ' ')
}

/// What nobody may read of a block, in the form that the vendor's connector reads.
fn secrets(block: &[NewUser]) -> Option<Secret> {
    let held = block.iter().filter(|user| user.secret != UserSecret::default());
    let secrets: UserSecrets = held.map(|user| (user.plan.id_number.clone(), user.secret.clone())).collect();
    let json = || serde_json::to_string(&secrets).ok().map(Secret::new);
    if secrets.is_empty() { None } else { json() }
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
        NewUser { plan, secret: UserSecret { pin: pin.map(str::to_owned), ..UserSecret::default() } }
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
        assert_eq!(secrets, [None, Some("{\"150\":{\"pin\":\"1234\"}}"), None]);
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
        let keyed = |key: &str| {
            let secret = UserSecret { credential_key: Some(key.to_owned()), ..UserSecret::default() };
            vec![NewUser { secret, ..user(1, None) }]
        };
        assert!(refused(keyed("AAAA-BBBB-1111-2222")).is_none());
        assert!(refused(keyed("AAAA BBBB")).is_some_and(|message| !message.contains("AAAA")));
    }
}
