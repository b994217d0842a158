//! What must hold for the whole schema, whatever is added to it.

use async_graphql::Value;
use serde_json::Value as Json;

use super::*;

const WALK: &str = "{ __schema { types { kind name description
    fields(includeDeprecated: true) { name description args { name description } type { ...T } }
    inputFields { name description type { ...T } } enumValues(includeDeprecated: true) { name description } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

const MUTATIONS: [&str; 90] = [
    "acknowledgeAlert",
    "addPmsAccessToken",
    "assignAccessLevel",
    "assignFobs",
    "authorizePhone",
    "bookDoor",
    "cancelBooking",
    "cancelCommand",
    "cancelReservation",
    "changeDeviceAccess",
    "closeDoor",
    "createAccessLevel",
    "createApiKey",
    "createAutoAccessSchedule",
    "createCredential",
    "createDoor",
    "createDoors",
    "createFobs",
    "createReservation",
    "createSchedule",
    "createSensor",
    "createUser",
    "deleteAccessLevel",
    "deleteAutoAccessSchedule",
    "deleteDoor",
    "deletePmsAccessToken",
    "deleteSchedule",
    "deleteSensor",
    "deleteUser",
    "executeDeviceFunction",
    "forceCancelBooking",
    "forceLockDoor",
    "forceUnlockDoor",
    "grantDeviceAccess",
    "importUsers",
    "issueAccessToken",
    "linkIdentity",
    "linkVendorAccount",
    "lockDoor",
    "mapResource",
    "mapVendorLocations",
    "openDoor",
    "readDeviceInformation",
    "readDeviceVariable",
    "readNextCardNumber",
    "reauthorizeVendorAccount",
    "reissueCredential",
    "reissueCredentials",
    "removeDevice",
    "removeMembership",
    "removePhone",
    "replayWebhookDelivery",
    "resumeCredential",
    "resumeDeviceAccess",
    "resumePhone",
    "revealAccessToken",
    "revokeAccessToken",
    "revokeApiKey",
    "revokeCredential",
    "revokeDeviceAccess",
    "rotateWebhookAddress",
    "setAnyCallerAccess",
    "setAutoAccessAlwaysActive",
    "setMembership",
    "setMovementAlarm",
    "setOfflineAutoAccess",
    "setPhoneAccess",
    "startAutoAccess",
    "stopAutoAccess",
    "suspendCredential",
    "suspendDeviceAccess",
    "suspendPhone",
    "syncDevice",
    "syncVendorAccount",
    "takePhoto",
    "unassignAccessLevel",
    "unlinkIdentity",
    "unlinkVendorAccount",
    "unlockDoor",
    "updateAccessLevel",
    "updateAccessToken",
    "updateAccountProfile",
    "updateAutoAccessSchedule",
    "updateCredential",
    "updateDoor",
    "updatePmsAccessToken",
    "updateReservation",
    "updateSchedule",
    "updateSensor",
    "updateUser",
];

fn settings() -> Settings {
    Settings {
        max_depth: 15,
        max_complexity: 20_000,
        max_body_bytes: 1 << 20,
        max_webhook_bytes: 1 << 18,
        max_streams_per_caller: 1,
        patience: std::time::Duration::from_secs(1),
        graphiql: false,
        introspection: true,
        sdl: true,
    }
}

/// The types of the schema, those of the library's machinery left out.
async fn types() -> Vec<Json> {
    let answer = build(settings()).execute(WALK).await;
    assert!(answer.errors.is_empty(), "{:?}", answer.errors);
    let Value::Object(_) = &answer.data else { panic!("no data") };
    let data = answer.data.into_json().unwrap();
    let types = data["__schema"]["types"].as_array().unwrap().clone();
    types.into_iter().filter(|kind| !name(kind).starts_with('_')).collect()
}

fn name(thing: &Json) -> &str {
    thing["name"].as_str().unwrap_or_default()
}

fn list<'a>(thing: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    thing[key].as_array().map(Vec::as_slice).unwrap_or_default().iter().filter(|item| !name(item).starts_with('_'))
}

#[tokio::test]
async fn everything_is_described() {
    let mut silent = Vec::new();
    let mut note = |path: String, thing: &Json| {
        if thing["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
            silent.push(path);
        }
    };
    for kind in types().await {
        note(name(&kind).to_owned(), &kind);
        for part in ["fields", "inputFields", "enumValues"] {
            for item in list(&kind, part) {
                let path = format!("{}.{}", name(&kind), name(item));
                for argument in list(item, "args") {
                    note(format!("{path}({})", name(argument)), argument);
                }
                note(path, item);
            }
        }
    }
    assert!(silent.is_empty(), "without a description: {silent:#?}");
}

#[tokio::test]
async fn every_mutation_takes_its_own_input_and_answers_with_user_errors() {
    let types = types().await;
    let fields_of = |wanted: &str| -> Vec<String> {
        let found = types.iter().find(|kind| name(kind) == wanted).unwrap();
        list(found, "fields").map(|field| name(field).to_owned()).collect()
    };
    let mut found = fields_of("Mutation");
    let mut expected = MUTATIONS.map(str::to_owned).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(fields_of("CommandPayload"), ["command", "userErrors"]);
    for mutation in MUTATIONS {
        let (first, rest) = mutation.split_at(1);
        let input = format!("{}{rest}Input", first.to_uppercase());
        assert!(types.iter().any(|kind| name(kind) == input), "{input}");
    }
}

/// Secrets go in and never come out: no field of any object has the name of one.
#[tokio::test]
async fn secrets_of_vendors_are_nowhere() {
    let words = ["password", "secret", "sealed", "hash", "accesstokenvalue", "verifier", "intaketoken"];
    // A key of ours is shown to whoever makes it, once; a checkpoint is there to be kept by others.
    let meant = ["CreateApiKeyPayload.secret", "LedgerCheckpoint.hash"];
    for kind in types().await {
        for field in list(&kind, "fields") {
            let shown = name(field).to_lowercase();
            let path = format!("{}.{}", name(&kind), name(field));
            assert!(meant.contains(&path.as_str()) || !words.iter().any(|word| shown.contains(word)), "{path}");
            // A person's credentials are objects without their values; a vendor account's are shown to nobody.
            let of_account = name(&kind).starts_with("VendorAccount") && shown == "credentials";
            assert!(!of_account && shown != "pin", "{path}");
        }
    }
}

#[test]
fn the_sdl_is_stable_and_federated() {
    let text = sdl();
    assert_eq!(text, sdl());
    for entity in ["Organization", "Site", "Device", "Door", "Command", "VendorAccount", "User"] {
        let head = format!("type {entity} implements Node @key(fields: \"id\")");
        assert!(text.contains(&head), "{head}");
    }
    for root in ["type Query {", "type Mutation {", "type Subscription {"] {
        assert!(text.contains(root), "{root}");
    }
}

#[test]
fn introspection_fits_into_the_limits_and_can_be_closed() {
    let open = build(settings());
    let closed = build(Settings { introspection: false, ..settings() });
    futures::executor::block_on(async {
        assert!(open.execute(WALK).await.errors.is_empty());
        assert!(!closed.execute(WALK).await.data.to_string().contains("Door"));
    });
}

#[test]
fn the_checked_in_sdl_is_this_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql");
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(checked_in == sdl(), "cargo run -p gatehouse-api --example schema > schema.graphql");
}
