//! What the facts of a vendor's event tell: of the thing that happened, of who was there, or of how people are found. What is
//! not known to be harmless tells of people, so that a vendor's new word is not shown to everybody before somebody has
//! thought of it.

/// What a fact tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// What happened.
    Plain,
    /// The name of who was there: who opened what is for those who operate the door.
    Name,
    /// The number of a card or telephone, an address, or something that nobody has looked at.
    Person,
}

/// Facts that tell nothing of people.
const PLAIN: [&str; 39] = [
    // Ours, and of gaps.
    "cause",
    "error",
    "from",
    "reason",
    "to",
    "until",
    // Lockt.
    "category",
    "category_text",
    "code_text",
    "controller",
    "db_time",
    "location",
    "schedule",
    "subcode_text",
    // ParqEx.
    "channel",
    "door_name",
    "eventOccurred",
    "toggleID",
    "toggle_date_time",
    "was_success",
    // Bikeep.
    "alarm_category",
    "alarm_reason",
    "changed_at",
    "connection",
    "created_at",
    "device.id",
    "device_id",
    "location_id",
    "occurred_at",
    "offline_since",
    "report_type",
    "status",
    "timestamp",
    "url_valid_until",
    // Mews.
    "enterpriseId",
    "enterpriseName",
    "id",
    "integrationId",
    "integrationName",
];

/// Facts that name who was there: Lockt's, ParqEx's, and Raixer's line of the history.
const NAMES: [&str; 6] =
    ["details", "user", "user.first_name", "user.last_name", "userThatToggled.firstName", "userThatToggled.lastName"];

/// As many digits make a number of a card or telephone.
const DIGITS_OF_A_NUMBER: usize = 4;

/// What a fact of a vendor's event tells, by its name. Where a name is expected and an address or number is given, it tells
/// that.
#[must_use]
pub fn what_tells(name: &str, fact: &str) -> Told {
    if PLAIN.contains(&name) {
        return Told::Plain;
    }
    let is_number = fact.chars().filter(char::is_ascii_digit).count() >= DIGITS_OF_A_NUMBER;
    if NAMES.contains(&name) && !is_number && !fact.contains('@') { Told::Name } else { Told::Person }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_looked_at_tells_of_people() {
        let cases = [
            ("code_text", "Access granted", Told::Plain),
            ("user", "Jones, Adam", Told::Name),
            ("details", "Jon Doe", Told::Name),
            ("details", "+34 600 00 00 00", Told::Person),
            ("details", "jon@example.test", Told::Person),
            ("user.email_address", "jon@example.test", Told::Person),
            ("card_num", "1", Told::Person),
            ("data", "Jon Doe", Told::Person),
            ("parking_details.0.user.id", "u", Told::Person),
            ("", "", Told::Person),
        ];
        for (name, fact, told) in cases {
            assert_eq!(what_tells(name, fact), told, "{name}: {fact}");
        }
    }
}
