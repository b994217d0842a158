//! What changes something that is there already comes to its end once, wherever its request or its answer is lost; also
//! where a person is named by an e-mail address only.

use gatehouse_tests::{client::text, house::BackEnd, on_both_back_ends};
use serde_json::{Value, json};
use simulator::{
    EffectKind, Fault, FaultKind, RaixerAccountPlan, RaixerProfile, SimulatorOptions, Vendor, World, WorldChoice,
};

use super::scene::{
    Scene, assert_no_harm, command, effects, iso, late_status, made_id, person, plan, record, records, sent, status,
};
use crate::orders::account_id;

/// Something that is changed where it is.
struct Update {
    vendor: Vendor,
    mutation: &'static str,
    operation: &'static str,
    effect: EffectKind,
}

const fn update(vendor: Vendor, mutation: &'static str, operation: &'static str, effect: EffectKind) -> Update {
    Update { vendor, mutation, operation, effect }
}

const UPDATES: [Update; 6] = [
    update(Vendor::Raixer, "updateDoor", "update_door", EffectKind::DoorChanged),
    update(Vendor::Raixer, "updateSensor", "update_sensor", EffectKind::SensorChanged),
    update(Vendor::Raixer, "updateAccountProfile", "update_user", EffectKind::ProfileChanged),
    update(Vendor::Lockt, "assignFobs", "reassign_fobs", EffectKind::FobAssigned),
    update(Vendor::Mews, "updatePmsAccessToken", "update_access_tokens", EffectKind::TokenUpdated),
    // Last: there is one device less after each.
    update(Vendor::Raixer, "removeDevice", "delete_device", EffectKind::DeviceRemoved),
];

/// What can be asked of somebody's access by e-mail address, each after the one before.
const BY_EMAIL: [Update; 4] = [
    update(Vendor::Raixer, "changeDeviceAccess", "update_connection_by_email", EffectKind::DeviceAccessChanged),
    update(Vendor::Raixer, "suspendDeviceAccess", "disable_connection_by_email", EffectKind::DeviceAccessChanged),
    update(Vendor::Raixer, "resumeDeviceAccess", "enable_connection_by_email", EffectKind::DeviceAccessChanged),
    update(Vendor::Raixer, "revokeDeviceAccess", "delete_connection_by_email", EffectKind::DeviceAccessRevoked),
];

/// Every loss, and how many requests it takes.
fn losses() -> [(FaultKind, usize); 8] {
    [
        (FaultKind::DropBeforeEffect, 2),
        (status(503), 2),
        (status(429), 2),
        (FaultKind::DropAfterEffect, 1),
        (FaultKind::DropMidAnswer, 1),
        (FaultKind::Truncated, 1),
        (FaultKind::Garbage, 1),
        (late_status(500), 1),
    ]
}

impl Update {
    /// The input of the case with this number. What is changed is made first.
    async fn input(&self, scene: &Scene, number: usize) -> Value {
        let house = &scene.house;
        let device = scene.device(number);
        let made = async |mutation, input, kind| {
            let id = made_id(house, &scene.done(mutation, input).await).await;
            record(house, kind, &id).await.unwrap()["id"].clone()
        };
        match self.mutation {
            "updateDoor" => {
                json!({ "doorId": device["doors"][0]["id"], "settings": { "name": format!("Gate {number}") } })
            }
            "updateSensor" => {
                let input = json!({ "deviceId": device["id"], "settings": { "name": format!("Hall {number}") } });
                let sensor = made("createSensor", input, "SENSOR").await;
                json!({ "sensorId": sensor, "settings": { "name": format!("Stairs {number}") } })
            }
            "updateAccountProfile" => {
                let account = account_id(house, Vendor::Raixer).await.to_string();
                json!({ "vendorAccountId": account, "displayName": format!("Operator {number} B.") })
            }
            "assignFobs" => {
                let (fob, name) = (format!("fob-{number}"), format!("Porter {number}"));
                let fobs = json!([{ "idNumber": fob, "name": name, "cardNumber": format!("77{number:06}") }]);
                scene.done("createFobs", json!({ "vendorAccountId": scene.lockt, "fobs": fobs })).await;
                scene.done("importUsers", json!({ "vendorAccountId": scene.lockt, "users": [person(number)] })).await;
                let named = async |kind: &str, text: String| {
                    let found = records(house, json!({ "kinds": [kind], "text": text })).await;
                    found.first().unwrap_or_else(|| panic!("no {kind} {text}"))["id"].clone()
                };
                let (fob, user) = (named("CREDENTIAL", name).await, named("USER", format!("Byron {number}")).await);
                json!({ "vendorAccountId": scene.lockt, "assignments": [{ "fobId": fob, "userId": user }] })
            }
            "updatePmsAccessToken" => {
                let input = json!({
                    "reservationId": scene.reservations[number % scene.reservations.len()]["id"], "tokenType": "PIN_CODE",
                    "value": format!("55{number:04}"), "validFrom": iso(scene.now()),
                    "validUntil": iso(scene.now() + chrono::TimeDelta::days(1)), "permissions": { "room": true },
                });
                let token = made("addPmsAccessToken", input, "ACCESS_TOKEN").await;
                json!({ "accessTokenId": token, "value": format!("66{number:04}") })
            }
            "removeDevice" => json!({ "deviceId": device["id"] }),
            other => unreachable!("no input for {other}"),
        }
    }

    /// Sends it into a fault and carries it to its end: it is done, once, by so many requests.
    async fn survives(&self, scene: &Scene, input: Value, (kind, requests): (FaultKind, usize)) {
        let what = format!("{} {kind:?}", self.mutation);
        let count =
            || (sent(&scene.house, self.vendor, self.operation), effects(&scene.house, self.vendor, self.effect));
        let before = count();
        scene.house.vendors.add_fault(Fault::new(self.vendor, kind).at(self.operation).times(1)).unwrap();
        let id = command(&scene.house.client, self.mutation, input).await;
        let command = scene.carried(&id).await;
        assert!(scene.house.vendors.faults().is_empty(), "{what}: the fault was not met");
        assert_eq!(command["state"], "SUCCEEDED", "{what}: {command:#}");
        let after = count();
        assert_eq!(
            (after.1 - before.1, after.0 - before.0),
            (1, requests),
            "{what}: effects and requests: {command:#}"
        );
    }
}

/// A guest's account, with whom every device of the operator is shared.
fn shared_with_a_guest(back_end: BackEnd, devices: usize) -> gatehouse_tests::house::Plan {
    let mut plan = plan(back_end, devices);
    let WorldChoice::Sized(size) = &plan.simulator.world else { unreachable!("the scene's worlds are sized") };
    let mut world = World::sized(plan.simulator.seed, size);
    let (user, password, name) = ("raixer-guest".to_owned(), "p".to_owned(), "Gustav Guest".to_owned());
    let guest = world.add_raixer_account(RaixerAccountPlan { user, password, name, devices: Vec::new() });
    let operator = world.credentials()[0].raixer.clone();
    for device in world.raixer_devices(&operator) {
        assert!(world.share_raixer_device(&device, &guest, RaixerProfile::User));
    }
    plan.simulator = SimulatorOptions { world: WorldChoice::Explicit(Box::new(world)), ..plan.simulator };
    plan
}

on_both_back_ends! {
    async fn a_lost_answer_leaves_no_change_undone_or_done_twice(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        for (case, update) in UPDATES.iter().enumerate() {
            for (number, loss) in losses().into_iter().enumerate() {
                let number = if update.mutation == "removeDevice" { number } else { case * 10 + number };
                update.survives(&scene, update.input(&scene, number).await, loss).await;
            }
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    /// Whom the vendor knows by an address only: the same holds.
    async fn an_access_by_email_survives_lost_answers(back_end: BackEnd) {
        let scene = Scene::start(shared_with_a_guest(back_end, losses().len())).await;
        for (number, loss) in losses().into_iter().enumerate() {
            let device = scene.device(number);
            let accesses = records(&scene.house, json!({ "kinds": ["DEVICE_ACCESS"], "deviceId": device["id"] })).await;
            let guests = accesses.iter().find(|access| access["details"]["profile"] == "USER");
            let email = text(&guests.unwrap_or_else(|| panic!("{accesses:#?}"))["details"]["holderEmail"]);
            for update in &BY_EMAIL {
                let mut input = json!({ "deviceId": device["id"], "holder": { "email": email } });
                if update.mutation == "changeDeviceAccess" {
                    input["profile"] = json!("ADMIN");
                }
                update.survives(&scene, input, loss.clone()).await;
            }
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }
}
