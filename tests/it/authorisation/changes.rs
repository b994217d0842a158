//! The rows of the mutations that change something at a vendor: at a door, a device, an account, or by a record. Who
//! may send one may see what becomes of it.

use std::collections::BTreeMap;

use domain::{
    access::Role,
    command::CommandKind,
    ids::RecordId,
    record::{
        AccessTokenDetails, AutoAccessScheduleDetails, CredentialDetails, CredentialStatus, CredentialType,
        FoundRecord, RecordDetails, ReservationDetails, ReservationState, SensorDetails, UserDetails,
    },
};
use entities::{store, work};
use gatehouse_tests::{client::text, no_secrets::NoSecrets};
use serde_json::{Value, json};

use super::{
    assert_unauthenticated, bytes, count,
    world::{Caller, Sight, World},
};

/// What a mutation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Door,
    Device,
    Account,
    /// A record that is seen with its device's site.
    OfDevice(&'static str, &'static str),
    /// A record that is seen with the whole organization only.
    OfPeople(&'static str, &'static str),
}

/// One mutation: what it is for, the lowest role that may, and the arguments that it cannot be without. A text that
/// begins with `$` stands for the id of the record with that name.
#[derive(Debug, Clone)]
pub(super) struct ChangeRow {
    kind: CommandKind,
    needed: Role,
    at: At,
    arguments: Value,
}

fn row(kind: CommandKind, needed: Role, at: At, arguments: Value) -> ChangeRow {
    ChangeRow { kind, needed, at, arguments }
}

pub(super) fn change_rows() -> BTreeMap<&'static str, ChangeRow> {
    use At::{Account, Device, Door, OfDevice, OfPeople};
    use CommandKind as Kind;
    use Role::{Admin, Manager, Operator};
    let by_email = || json!({ "holder": { "email": "ada@example.test" } });
    let users = json!({ "users": [{ "idNumber": "1", "firstName": "Ada", "lastName": "Quill", "pin": "4711" }] });
    let fobs = json!({ "fobs": [{ "idNumber": "1", "name": "Fob", "cardNumber": "1" }] });
    let token = json!({
        "tokenType": "PIN_CODE", "value": "471199", "permissions": {},
        "validFrom": "2026-11-21T15:00:00Z", "validUntil": "2026-11-25T10:00:00Z",
    });
    let soon = json!({ "startsAt": "2099-01-01T00:00:00Z", "minutes": 30 });
    let later = json!({ "scheduleId": "$soon", "startsAt": "2099-01-01T00:00:00Z", "minutes": 30 });
    BTreeMap::from([
        ("startAutoAccess", row(Kind::StartAutoAccess, Operator, Door, json!({ "minutes": 5 }))),
        ("stopAutoAccess", row(Kind::StopAutoAccess, Operator, Door, json!({}))),
        ("setPhoneAccess", row(Kind::SetPhoneAccess, Manager, Door, json!({ "enabled": false }))),
        ("setAnyCallerAccess", row(Kind::SetAnyCallerAccess, Admin, Door, json!({ "enabled": false }))),
        ("updateDoor", row(Kind::UpdateDoor, Admin, Door, json!({ "settings": { "name": "Gate" } }))),
        ("deleteDoor", row(Kind::DeleteDoor, Admin, Door, json!({}))),
        ("createAutoAccessSchedule", row(Kind::CreateAutoAccessSchedule, Manager, Door, soon)),
        ("updateAutoAccessSchedule", row(Kind::UpdateAutoAccessSchedule, Manager, Door, later)),
        ("setAutoAccessAlwaysActive", row(Kind::SetAutoAccessAlwaysActive, Admin, Device, json!({ "active": false }))),
        ("setOfflineAutoAccess", row(Kind::SetOfflineAutoAccess, Admin, Device, json!({ "active": false }))),
        ("setMovementAlarm", row(Kind::SetMovementAlarm, Manager, Device, json!({ "alarm": "ONCE" }))),
        ("readDeviceVariable", row(Kind::ReadDeviceVariable, Operator, Device, json!({ "variable": "status" }))),
        ("readDeviceInformation", row(Kind::ReadDeviceInformation, Operator, Device, json!({}))),
        ("executeDeviceFunction", row(Kind::ExecuteDeviceFunction, Admin, Device, json!({ "function": "lastMove" }))),
        ("removeDevice", row(Kind::RemoveDevice, Admin, Device, json!({}))),
        ("createDoor", row(Kind::CreateDoor, Admin, Device, json!({ "settings": {} }))),
        ("createSensor", row(Kind::CreateSensor, Admin, Device, json!({ "settings": {} }))),
        ("authorizePhone", row(Kind::AuthorizePhone, Manager, Device, json!({ "number": "34600000000" }))),
        ("grantDeviceAccess", row(Kind::GrantDeviceAccess, Admin, Device, json!({ "profile": "USER" }))),
        (
            "changeDeviceAccess",
            row(Kind::ChangeDeviceAccess, Admin, Device, json!({ "holder": by_email()["holder"], "profile": "USER" })),
        ),
        ("suspendDeviceAccess", row(Kind::SuspendDeviceAccess, Manager, Device, by_email())),
        ("resumeDeviceAccess", row(Kind::ResumeDeviceAccess, Admin, Device, by_email())),
        ("revokeDeviceAccess", row(Kind::RevokeDeviceAccess, Manager, Device, by_email())),
        (
            "updateSensor",
            row(Kind::UpdateSensor, Admin, OfDevice("sensorId", "sensor"), json!({ "settings": { "name": "Hall" } })),
        ),
        ("deleteSensor", row(Kind::DeleteSensor, Admin, OfDevice("sensorId", "sensor"), json!({}))),
        (
            "deleteAutoAccessSchedule",
            row(Kind::DeleteAutoAccessSchedule, Manager, OfDevice("scheduleId", "soon"), json!({})),
        ),
        ("suspendPhone", row(Kind::SuspendPhone, Manager, OfPeople("phoneId", "phone"), json!({}))),
        ("resumePhone", row(Kind::ResumePhone, Manager, OfPeople("phoneId", "phone"), json!({}))),
        ("removePhone", row(Kind::RemovePhone, Manager, OfPeople("phoneId", "phone"), json!({}))),
        (
            "updateAccountProfile",
            row(Kind::UpdateAccountProfile, Admin, Account, json!({ "displayName": "Ada Quill" })),
        ),
        ("createDoors", row(Kind::CreateDoors, Admin, Account, json!({ "names": ["Gate"] }))),
        ("importUsers", row(Kind::ImportUsers, Manager, Account, users)),
        ("createFobs", row(Kind::CreateFobs, Manager, Account, fobs)),
        (
            "assignFobs",
            row(
                Kind::AssignFobs,
                Manager,
                Account,
                json!({ "assignments": [{ "fobId": "$fob", "userId": "$person" }] }),
            ),
        ),
        ("reissueCredentials", row(Kind::ReissueCredentials, Manager, Account, json!({ "credentialIds": ["$fob"] }))),
        ("readNextCardNumber", row(Kind::ReadNextCardNumber, Manager, Account, json!({}))),
        ("addPmsAccessToken", row(Kind::AddPmsAccessToken, Manager, OfPeople("reservationId", "stay"), token)),
        (
            "updatePmsAccessToken",
            row(
                Kind::UpdatePmsAccessToken,
                Manager,
                OfPeople("accessTokenId", "token"),
                json!({ "permissions": { "room": true } }),
            ),
        ),
        (
            "deletePmsAccessToken",
            row(Kind::DeletePmsAccessToken, Manager, OfPeople("accessTokenId", "token"), json!({})),
        ),
    ])
}

/// One record of each kind that a mutation names, by its name; those of a device at that of `door`.
async fn stock(world: &World, door: &Value) -> BTreeMap<&'static str, String> {
    let credential = |credential_type| {
        RecordDetails::Credential(CredentialDetails {
            credential_type,
            status: CredentialStatus::Active,
            number: None,
            id_number: None,
            user: None,
            access_from: None,
            access_until: None,
            access_levels: None,
            last_used_at: None,
        })
    };
    let now = world.house.foundation().clock.now();
    let schedule = AutoAccessScheduleDetails { campaign: None, starts_at: now, minutes: 1, position: Some(1) };
    let stay = ReservationDetails {
        number: None,
        state: ReservationState::Confirmed,
        vendor_state: "Confirmed".to_owned(),
        service: None,
        group: None,
        guest: None,
        companions: Vec::new(),
        resource: None,
        resource_locked: false,
        starts_at: None,
        ends_at: None,
        actual_start: None,
        actual_end: None,
        updated_at: None,
    };
    let token = AccessTokenDetails {
        token_type: None,
        reservation: "stay".to_owned(),
        companionship: None,
        resource: None,
        serial_number: None,
        valid_from: None,
        valid_until: None,
        permissions: domain::change::TokenPermissions::default(),
        active: true,
        updated_at: None,
    };
    let kept = [
        ("RAIXER", "sensor", RecordDetails::Sensor(SensorDetails::default())),
        ("RAIXER", "soon", RecordDetails::AutoAccessSchedule(schedule)),
        ("RAIXER", "phone", credential(CredentialType::PhoneNumber)),
        ("LOCKT", "person", RecordDetails::User(UserDetails::default())),
        ("LOCKT", "fob", credential(CredentialType::Fob)),
        ("MEWS", "stay", RecordDetails::Reservation(stay)),
        ("MEWS", "token", RecordDetails::AccessToken(token)),
    ];
    let (database, ids) = (world.house.database(), world.house.foundation().ids.as_ref());
    let accounts = work::accounts_of(database, world.house.organization).await.unwrap();
    let mut records = BTreeMap::new();
    for (vendor, name, details) in kept {
        let account = accounts.iter().find(|account| account.vendor == vendor).unwrap();
        let found = FoundRecord {
            external_id: name.to_owned(),
            device: (vendor == "RAIXER").then(|| text(&door["device"]["externalId"])),
            location: String::new(),
            name: name.to_owned(),
            details,
            secret: None,
        };
        let written = store::records::record(database, ids, &NoSecrets, account, &[found], now).await.unwrap();
        records.insert(name, written[0].to_string());
    }
    records
}

/// Puts ids of records in the place of their names.
fn named(value: &Value, records: &BTreeMap<&'static str, String>) -> Value {
    match value {
        Value::String(text) => json!(text.strip_prefix('$').map_or(text, |name| &records[name])),
        Value::Array(items) => items.iter().map(|item| named(item, records)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), named(field, records)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn can(at: &Value, kind: CommandKind) -> bool {
    at["capabilities"].as_array().is_some_and(|all| all.contains(&json!(kind.as_str())))
}

/// The vendor whose accounts carry a kind out.
fn vendor_of(kind: CommandKind) -> &'static str {
    if kind == CommandKind::UpdateAccountProfile { "RAIXER" } else { "LOCKT" }
}

/// What the matrix says of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Accepted,
    Unauthenticated,
    Refused(&'static str),
}

fn word(row: &ChangeRow, caller: &Caller) -> Word {
    if caller.sight == Sight::Nobody {
        return Word::Unauthenticated;
    }
    let denied = caller.role < row.needed || caller.only.is_some_and(|only| only != row.kind);
    let at_place = !matches!(caller.name, "stranger" | "of another site" | "of another door");
    let sees = match row.at {
        At::Door => at_place,
        At::Device => at_place && !matches!(caller.sight, Sight::Own(_)),
        At::OfDevice(..) => at_place && !matches!(caller.sight, Sight::Door(_) | Sight::Own(_)),
        At::Account | At::OfPeople(..) => caller.sight == Sight::Everything,
    };
    let reads = matches!(row.kind, CommandKind::ReadDeviceVariable | CommandKind::ReadDeviceInformation);
    let of_door = matches!(caller.sight, Sight::Door(_));
    match row.at {
        // Whether there is such a record is told to nobody who may do nothing with it.
        At::OfDevice(..) | At::OfPeople(..) if denied => Word::Refused("FORBIDDEN"),
        _ if !sees => Word::Refused("NOT_FOUND"),
        _ if denied => Word::Refused("FORBIDDEN"),
        // A device may have other doors than the caller's.
        At::Device if of_door && !reads => Word::Refused("FORBIDDEN"),
        // Its plan is a record, and those are not a door's.
        At::Door if of_door && row.kind == CommandKind::UpdateAutoAccessSchedule => Word::Refused("NOT_FOUND"),
        _ => Word::Accepted,
    }
}

/// Checks every row for every caller.
pub(super) async fn check_changes(world: &World) {
    let rows = change_rows();
    let is_home = |door: &&Value| {
        can(door, CommandKind::UpdateAutoAccessSchedule) && can(&door["device"], CommandKind::AuthorizePhone)
    };
    let home = world.doors.iter().find(is_home).unwrap();
    let records = stock(world, home).await;
    for (name, row) in &rows {
        let fits = |door: &&Value| match row.at {
            At::Door => can(door, row.kind),
            At::Device => can(&door["device"], row.kind),
            _ => true,
        };
        let door = if fits(&home) { home } else { world.doors.iter().find(fits).unwrap_or_else(|| panic!("{name}")) };
        for caller in world.callers(door).await {
            check_change(world, name, row, door, &records, &caller).await;
        }
    }
}

async fn check_change(
    world: &World,
    name: &str,
    row: &ChangeRow,
    door: &Value,
    records: &BTreeMap<&'static str, String>,
    caller: &Caller,
) {
    let house = &world.house;
    let what = if name == "importUsers" { "commands" } else { "command" };
    let query = format!(
        "mutation($input: {}{}Input!) {{ {name}(input: $input) {{ {what} {{ id }} userErrors {{ code message path }} }} }}",
        name[..1].to_uppercase(),
        &name[1..]
    );
    let (field, target, absent) = match row.at {
        At::Door => ("doorId", text(&door["id"]), world.absent("Door")),
        At::Device => ("deviceId", text(&door["device"]["id"]), world.absent("Device")),
        At::Account => {
            let accounts = work::accounts_of(house.database(), house.organization).await.unwrap();
            let account = accounts.iter().find(|account| account.vendor == vendor_of(row.kind)).unwrap();
            let id = domain::ids::VendorAccountId(account.id).to_string();
            ("vendorAccountId", id, world.absent("VendorAccount"))
        }
        At::OfDevice(field, record) | At::OfPeople(field, record) => {
            (field, records[record].clone(), RecordId(house.foundation().ids.next_uuid()).to_string())
        }
    };
    let input = |target: &str| {
        let mut input = named(&row.arguments, records);
        input[field] = json!(target);
        json!({ "input": input })
    };
    let before = count(house, "").await;
    let said = bytes(&caller.client, &query, input(&target)).await;
    let after = count(house, "").await;
    let answer: Value = serde_json::from_str(said.split_once(' ').unwrap().1.trim_start_matches("OK ")).unwrap();
    let payload = &answer["data"][name];
    match word(row, caller) {
        Word::Accepted => {
            assert_eq!(payload["userErrors"], json!([]), "{name} by {}: {answer:#}", caller.name);
            assert_eq!(after, before + 1, "{name} by {}", caller.name);
            let sent = if what == "command" { &payload["command"] } else { &payload["commands"][0] };
            let seen = caller.client.read_command(&text(&sent["id"])).await;
            assert_eq!((&seen["id"], &seen["kind"]), (&sent["id"], &json!(row.kind.as_str())), "{name}");
        }
        Word::Unauthenticated => {
            assert_unauthenticated(&answer);
            assert_eq!(after, before, "{name} by {}", caller.name);
        }
        Word::Refused(code) => {
            assert_eq!(payload["userErrors"][0]["code"], code, "{name} by {}: {answer:#}", caller.name);
            let empty = payload[what].as_array().map_or(payload[what].is_null(), Vec::is_empty);
            assert!(empty && answer.get("errors").is_none(), "{name} by {}: {answer:#}", caller.name);
            assert_eq!(after, before, "{name} by {}: refused, and yet something was written", caller.name);
            if code == "NOT_FOUND" {
                for id in [absent, "nonsense".to_owned()] {
                    if row.kind == CommandKind::UpdateAutoAccessSchedule && matches!(caller.sight, Sight::Door(_)) {
                        continue;
                    }
                    let same = bytes(&caller.client, &query, input(&id)).await;
                    assert_eq!(same, said, "{name} by {}", caller.name);
                }
            }
        }
    }
}
