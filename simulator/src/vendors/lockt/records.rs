//! What one record of a batch means: users, fobs, doors and credentials, read and checked, then created or changed. Counting and
//! the answer are done elsewhere.

use chrono::{DateTime, Utc};

use super::{
    batch::{Batch, Done, Fields},
    state::{Account, Door, Fob, User},
};

/// The properties of a user that a record gives. An absent one stays as it is.
#[derive(Debug)]
pub(crate) struct UserRecord {
    /// Matters to a partial update only: an import finds its user by id number and e-mail address.
    pub(crate) id: Option<u64>,
    id_num: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    card_num: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    pin: Option<String>,
    enabled: Option<bool>,
    effective: Option<Option<DateTime<Utc>>>,
    expires: Option<Option<DateTime<Utc>>>,
    levels: Option<Vec<u64>>,
}

/// The properties of a fob that a record gives.
#[derive(Debug)]
pub(crate) struct FobRecord {
    id: Option<u64>,
    user: Option<u64>,
    id_num: Option<String>,
    name: Option<String>,
    card_num: Option<String>,
    effective: Option<Option<DateTime<Utc>>>,
    expires: Option<Option<DateTime<Utc>>>,
}

fn replace<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

impl Account {
    /// A user to be imported. The key in a record is ignored: the system assigns keys. The sample's `-1` as id is one that no
    /// user has, and an import does not look at it.
    pub(crate) fn read_user(&self, fields: &mut Fields<'_>) -> UserRecord {
        self.read_user_with(fields, None)
    }

    /// A user to be changed, who must exist.
    pub(crate) fn read_known_user(&self, fields: &mut Fields<'_>) -> UserRecord {
        let id = fields.id("id");
        if id.is_none_or(|id| self.user(id).is_none()) {
            fields.wrong(format!("User Not Found: {}", shown(id)));
        }
        self.read_user_with(fields, id)
    }

    fn read_user_with(&self, fields: &mut Fields<'_>, id: Option<u64>) -> UserRecord {
        let record = UserRecord {
            id,
            id_num: fields.text("id_num"),
            first_name: fields.text("first_name"),
            last_name: fields.text("last_name"),
            card_num: fields.card_num(),
            email: fields.email(),
            phone: fields.text("phone"),
            pin: fields.text("pin"),
            enabled: fields.flag("enabled"),
            effective: fields.time("access_effective", self.naive_zone),
            expires: fields.time("access_expires", self.naive_zone),
            levels: fields.levels(),
        };
        // What happens to unknown levels is not documented; refusing them hides nothing.
        for level in record.levels.iter().flatten().filter(|level| self.level(**level).is_none()) {
            fields.wrong(format!("Access Level Not Found: {level}"));
        }
        record
    }

    /// Creates or updates the user a record is about, or ignores the record; gives the user's id.
    pub(crate) fn import_user(&mut self, mut record: UserRecord, options: &Batch) -> (Done, u64) {
        let id_num = record.id_num.as_deref().unwrap_or_default();
        let email = record.email.as_deref().unwrap_or_default();
        match self.matching(id_num, email) {
            Some(id) if !options.update_existing => (Done::Ignored, id),
            Some(id) => {
                // Levels that are not named are privileges to be deleted, too, if privileges are replaced.
                record.levels = Some(record.levels.unwrap_or_default());
                self.change_user(id, record, options.replace_privileges);
                (Done::Updated, id)
            }
            None => {
                let id = self.take_id();
                self.users.push(User {
                    id,
                    id_num: String::new(),
                    first_name: String::new(),
                    last_name: String::new(),
                    email: String::new(),
                    phone: String::new(),
                    pin: String::new(),
                    enabled: true,
                    effective: None,
                    expires: None,
                    levels: Vec::new(),
                });
                self.change_user(id, record, true);
                (Done::Inserted, id)
            }
        }
    }

    /// Changes what the record names and nothing else.
    pub(crate) fn change_user(&mut self, id: u64, record: UserRecord, replace_levels: bool) {
        let Some(user) = self.user_mut(id) else { return };
        replace(&mut user.id_num, record.id_num);
        replace(&mut user.first_name, record.first_name);
        replace(&mut user.last_name, record.last_name);
        replace(&mut user.email, record.email);
        replace(&mut user.phone, record.phone);
        replace(&mut user.pin, record.pin);
        replace(&mut user.enabled, record.enabled);
        replace(&mut user.effective, record.effective);
        replace(&mut user.expires, record.expires);
        if let Some(levels) = record.levels {
            if replace_levels {
                user.levels.clear();
            }
            for level in levels {
                if !user.levels.contains(&level) {
                    user.levels.push(level);
                }
            }
        }
        if let Some(card_num) = record.card_num {
            self.give_card(id, &card_num);
        }
    }

    /// A fob to be created.
    pub(crate) fn read_fob(&self, fields: &mut Fields<'_>) -> FobRecord {
        FobRecord {
            id: None,
            user: None,
            id_num: fields.text("id_num"),
            name: fields.text("name"),
            card_num: fields.card_num(),
            effective: fields.time("access_effective", self.naive_zone),
            expires: fields.time("access_expires", self.naive_zone),
        }
    }

    /// A fob to be reassigned: it and its new holder must exist.
    pub(crate) fn read_reassignment(&self, fields: &mut Fields<'_>) -> FobRecord {
        let (id, user) = (fields.id("id"), fields.id("user_id"));
        if id.is_none_or(|id| self.fobs.iter().all(|fob| fob.id != id)) {
            fields.wrong(format!("Fob Not Found: {}", shown(id)));
        }
        if let Some(user) = user.filter(|user| self.user(*user).is_none()) {
            fields.wrong(format!("User Not Found: {user}"));
        }
        FobRecord { id, user, id_num: None, name: None, card_num: None, ..self.read_fob(fields) }
    }

    /// Creates a fob that nobody holds. The same twice makes two: nothing is documented that would find the first.
    pub(crate) fn create_fob(&mut self, record: FobRecord) -> u64 {
        let id = self.take_id();
        self.fobs.push(Fob {
            id,
            id_num: record.id_num.unwrap_or_default(),
            name: record.name.unwrap_or_default(),
            card_num: record.card_num.unwrap_or_default(),
            user: None,
            effective: record.effective.flatten(),
            expires: record.expires.flatten(),
            last_activity: None,
        });
        id
    }

    /// Gives a fob to another user and changes the dates that are named.
    pub(crate) fn reassign_fob(&mut self, record: FobRecord) -> Option<u64> {
        let fob = self.fobs.iter_mut().find(|fob| Some(fob.id) == record.id)?;
        fob.user = record.user.or(fob.user);
        replace(&mut fob.effective, record.effective);
        replace(&mut fob.expires, record.expires);
        Some(fob.id)
    }

    /// The name of a door to be created; `taken` are the names earlier in the batch.
    pub(crate) fn read_door(&self, fields: &mut Fields<'_>, taken: &mut Vec<String>) -> String {
        let name = fields.text("name").unwrap_or_default();
        if name.is_empty() {
            fields.wrong("Invalid name found: ".to_owned());
        }
        if taken.contains(&name) || self.doors.iter().any(|door| door.name == name) {
            fields.wrong(format!("Door Name Already Exists: {name}"));
        }
        taken.push(name.clone());
        name
    }

    /// Creates a door that belongs to no location and no access level.
    pub(crate) fn create_door(&mut self, name: String) -> u64 {
        let id = self.take_id();
        let controller = "BEST Switch™ API";
        self.doors.push(Door { id, name, location: String::new(), controller, enabled: true, battery: None });
        id
    }

    /// The credential to be reissued, by its id or card number. The body is not documented; this follows the others.
    pub(crate) fn read_reissue(&self, fields: &mut Fields<'_>) -> Option<u64> {
        let (id, card_num) = (fields.id("id"), fields.card_num());
        let wanted = self.credentials.iter().find(|credential| match id {
            Some(id) => credential.id == id,
            None => card_num.as_deref() == Some(&credential.card_num),
        });
        if wanted.is_none() {
            fields.wrong(format!("Credential Not Found: {}", card_num.unwrap_or_else(|| shown(id))));
        }
        wanted.map(|credential| credential.id)
    }
}

fn shown(id: Option<u64>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}
