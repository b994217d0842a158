//! A valid input of each mutation, with a name at every place that takes an id: `$` and what is meant there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The inputs by the mutations' names.
pub(super) fn calls() -> BTreeMap<&'static str, Value> {
    let mut calls = of_doors();
    calls.extend(of_devices());
    calls.extend(of_accounts());
    calls.extend(of_people());
    calls.extend(of_stays());
    calls
}

/// The mutations with these names and one more field than the id.
fn each<const N: usize>(id: &str, of: &str, rows: [(&'static str, Value); N]) -> BTreeMap<&'static str, Value> {
    let with_id = |(name, mut input): (&'static str, Value)| {
        input[id] = json!(of);
        (name, input)
    };
    rows.into_iter().map(with_id).collect()
}

fn of_doors() -> BTreeMap<&'static str, Value> {
    each(
        "doorId",
        "$Door",
        [
            ("openDoor", json!({})),
            ("closeDoor", json!({})),
            ("lockDoor", json!({})),
            ("unlockDoor", json!({})),
            ("forceLockDoor", json!({})),
            ("forceUnlockDoor", json!({ "reason": "TESTING" })),
            ("bookDoor", json!({})),
            ("cancelBooking", json!({})),
            ("forceCancelBooking", json!({})),
            ("startAutoAccess", json!({ "minutes": 5 })),
            ("stopAutoAccess", json!({})),
            ("setPhoneAccess", json!({ "enabled": false })),
            ("setAnyCallerAccess", json!({ "enabled": false })),
            ("updateDoor", json!({ "settings": { "name": "Gate" } })),
            ("deleteDoor", json!({})),
            ("createAutoAccessSchedule", json!({ "startsAt": "2099-01-01T00:00:00Z", "minutes": 30 })),
        ],
    )
}

fn of_devices() -> BTreeMap<&'static str, Value> {
    let held = || json!({ "holder": { "deviceAccessId": "$access" } });
    let mut calls = each(
        "deviceId",
        "$Device",
        [
            ("syncDevice", json!({})),
            ("takePhoto", json!({})),
            ("setAutoAccessAlwaysActive", json!({ "active": false })),
            ("setOfflineAutoAccess", json!({ "active": false })),
            ("setMovementAlarm", json!({ "alarm": "ONCE" })),
            ("readDeviceVariable", json!({ "variable": "status" })),
            ("readDeviceInformation", json!({})),
            ("executeDeviceFunction", json!({ "function": "lastMove" })),
            ("removeDevice", json!({})),
            ("createDoor", json!({ "settings": {} })),
            ("createSensor", json!({ "settings": {} })),
            ("authorizePhone", json!({ "number": "34600000000" })),
            ("grantDeviceAccess", json!({ "profile": "USER" })),
            ("changeDeviceAccess", json!({ "profile": "USER", "holder": { "deviceAccessId": "$access" } })),
            ("suspendDeviceAccess", held()),
            ("resumeDeviceAccess", held()),
            ("revokeDeviceAccess", held()),
        ],
    );
    let later = json!({ "doorId": "$gate", "scheduleId": "$soon", "startsAt": "2099-01-01T00:00:00Z", "minutes": 30 });
    calls.extend([
        ("updateAutoAccessSchedule", later),
        ("updateSensor", json!({ "sensorId": "$sensor", "settings": { "name": "Hall" } })),
        ("deleteSensor", json!({ "sensorId": "$sensor" })),
        ("deleteAutoAccessSchedule", json!({ "scheduleId": "$soon" })),
        ("suspendPhone", json!({ "phoneId": "$phone" })),
        ("resumePhone", json!({ "phoneId": "$phone" })),
        ("removePhone", json!({ "phoneId": "$phone" })),
        ("cancelCommand", json!({ "commandId": "$Command" })),
    ]);
    calls
}

fn of_accounts() -> BTreeMap<&'static str, Value> {
    let raixer = || json!({ "raixer": { "user": "a", "password": "b" } });
    let places = || json!([{ "location": "somewhere", "siteId": "$Site" }]);
    let person = json!({
        "idNumber": "1", "firstName": "Ada", "lastName": "Quill", "userId": "$person", "accessLevelIds": ["$doors"],
    });
    let mut calls = each(
        "vendorAccountId",
        "$LOCKT",
        [
            ("createDoors", json!({ "names": ["Gate"] })),
            ("importUsers", json!({ "users": [person] })),
            ("createFobs", json!({ "fobs": [{ "idNumber": "1", "name": "Fob", "cardNumber": "1" }] })),
            ("assignFobs", json!({ "assignments": [{ "fobId": "$fob", "userId": "$person" }] })),
            ("reissueCredentials", json!({ "credentialIds": ["$fob"] })),
            ("readNextCardNumber", json!({})),
        ],
    );
    calls.extend(each(
        "vendorAccountId",
        "$RAIXER",
        [
            ("updateAccountProfile", json!({ "displayName": "Ada Quill" })),
            ("reauthorizeVendorAccount", json!({ "credentials": raixer() })),
            ("unlinkVendorAccount", json!({})),
            ("syncVendorAccount", json!({})),
            ("mapVendorLocations", json!({ "locations": places() })),
            ("rotateWebhookAddress", json!({})),
        ],
    ));
    let new = json!({
        "name": "New", "siteId": "$Site", "baseUrl": "$url", "credentials": raixer(), "locations": places(),
    });
    let rooms = json!({ "vendorAccountId": "$MEWS", "resource": "room", "doorIds": ["$Door"] });
    calls.extend([
        ("linkVendorAccount", new),
        ("mapResource", rooms),
        ("replayWebhookDelivery", json!({ "webhookDeliveryId": "$WebhookDelivery" })),
    ]);
    calls
}

fn of_people() -> BTreeMap<&'static str, Value> {
    let level = |name: &str| json!({ "name": name, "doorIds": ["$Door"], "scheduleId": "$Schedule" });
    let (mut new_level, mut other_level) = (level("More"), level("Other"));
    new_level["siteId"] = json!("$Site");
    other_level["accessLevelId"] = json!("$AccessLevel");
    let credential = json!({ "userId": "$User", "kind": "FOB", "number": "4712", "doorIds": ["$Door"] });
    BTreeMap::from([
        ("updateUser", json!({ "userId": "$User", "name": "Zoë" })),
        ("deleteUser", json!({ "userId": "$User" })),
        ("createCredential", credential),
        ("updateCredential", json!({ "credentialId": "$Credential", "label": "other", "doorIds": ["$Door"] })),
        ("suspendCredential", json!({ "credentialId": "$Credential" })),
        ("resumeCredential", json!({ "credentialId": "$Credential" })),
        ("reissueCredential", json!({ "credentialId": "$Credential", "number": "4713" })),
        ("revokeCredential", json!({ "credentialId": "$Credential" })),
        ("createAccessLevel", new_level),
        ("updateAccessLevel", other_level),
        ("deleteAccessLevel", json!({ "accessLevelId": "$AccessLevel" })),
        ("assignAccessLevel", json!({ "userId": "$User", "accessLevelId": "$AccessLevel" })),
        ("unassignAccessLevel", json!({ "userId": "$User", "accessLevelId": "$AccessLevel" })),
        ("createSchedule", json!({ "siteId": "$Site", "name": "More", "ranges": [] })),
        ("updateSchedule", json!({ "scheduleId": "$Schedule", "name": "Other" })),
        ("deleteSchedule", json!({ "scheduleId": "$Schedule" })),
        ("createApiKey", json!({ "name": "new", "role": "VIEWER", "siteIds": ["$Site"], "doorIds": ["$Door"] })),
        ("revokeApiKey", json!({ "apiKeyId": "$ApiKey" })),
        ("setMembership", json!({ "userId": "$User", "role": "OPERATOR", "siteId": "$Site" })),
        ("removeMembership", json!({ "membershipId": "$Membership" })),
        ("linkIdentity", json!({ "userId": "$User", "issuer": "https://id.example", "subject": "1" })),
        ("unlinkIdentity", json!({ "userId": "$User", "issuer": "https://id.example" })),
    ])
}

fn of_stays() -> BTreeMap<&'static str, Value> {
    let token = json!({
        "reservationId": "$booking", "resourceId": "$room", "tokenType": "PIN_CODE", "value": "471199", "permissions": {},
        "validFrom": "2099-01-01T00:00:00Z", "validUntil": "2099-01-05T00:00:00Z",
    });
    let stay = json!({
        "siteId": "$Site", "guest": { "userId": "$User" }, "doorIds": ["$Door"],
        "startsAt": "2099-01-01T00:00:00Z", "endsAt": "2099-01-05T00:00:00Z",
    });
    let moved = json!({ "reservationId": "$Reservation", "guest": { "userId": "$User" }, "doorIds": ["$Door"] });
    BTreeMap::from([
        ("addPmsAccessToken", token),
        ("updatePmsAccessToken", json!({ "accessTokenId": "$code", "permissions": { "room": true } })),
        ("deletePmsAccessToken", json!({ "accessTokenId": "$code" })),
        ("createReservation", stay),
        ("updateReservation", moved),
        ("cancelReservation", json!({ "reservationId": "$Reservation" })),
        ("issueAccessToken", json!({ "reservationId": "$Reservation", "tokenType": "PIN_CODE", "doorIds": ["$Door"] })),
        ("updateAccessToken", json!({ "accessTokenId": "$AccessToken", "drawValue": true, "doorIds": ["$Door"] })),
        ("revokeAccessToken", json!({ "accessTokenId": "$AccessToken" })),
        ("revealAccessToken", json!({ "accessTokenId": "$AccessToken", "reason": "Asked at the desk" })),
        ("acknowledgeAlert", json!({ "alertId": "$Alert" })),
    ])
}
