//! What takes access away is sent until it is done, has no deadline, and is done when there is nothing to take away.

use chrono::TimeDelta;
use gatehouse_tests::{on_both_back_ends, wait::until};
use serde_json::{Value, json};
use simulator::{EffectKind, Fault, FaultKind, Vendor};

use super::{
    pace::Pace,
    scene::{Scene, assert_no_harm, command, effects, iso, late_status, made_id, plan, record, sent, status},
};

/// Something that is taken away.
struct Removal {
    vendor: Vendor,
    mutation: &'static str,
    operation: &'static str,
    effect: EffectKind,
    /// Whether it has to be done however late, or may come too late like any change.
    revokes: bool,
}

const REMOVALS: [Removal; 9] = {
    use EffectKind::{
        AutoAccessEnded, DeviceAccessChanged, DeviceAccessRevoked, DoorDeleted, PhoneNumberChanged, PhoneNumberRemoved,
        ScheduleDeleted, SensorDeleted, TokenDeleted,
    };
    const fn removal(mutation: &'static str, operation: &'static str, effect: EffectKind, revokes: bool) -> Removal {
        Removal { vendor: Vendor::Raixer, mutation, operation, effect, revokes }
    }
    [
        removal("suspendPhone", "update_authorized_phone", PhoneNumberChanged, true),
        removal("removePhone", "delete_authorized_phone", PhoneNumberRemoved, true),
        removal("suspendDeviceAccess", "update_connection", DeviceAccessChanged, true),
        removal("revokeDeviceAccess", "delete_connection", DeviceAccessRevoked, true),
        removal("deleteAutoAccessSchedule", "delete_schedule", ScheduleDeleted, true),
        removal("stopAutoAccess", "stop_job_at", AutoAccessEnded, true),
        Removal { vendor: Vendor::Mews, ..removal("deletePmsAccessToken", "delete_access_tokens", TokenDeleted, true) },
        removal("deleteSensor", "delete_sensor", SensorDeleted, false),
        removal("deleteDoor", "delete_door", DoorDeleted, false),
    ]
};

impl Removal {
    /// Makes what is to be taken away, and gives the input that takes it away.
    async fn input(&self, scene: &Scene, number: usize) -> Value {
        let house = &scene.house;
        let device = scene.device(number);
        let (device_id, door_id) = (&device["id"], &device["doors"][0]["id"]);
        let made = async |mutation, input, kind| {
            let id = made_id(house, &scene.done(mutation, input).await).await;
            record(house, kind, &id).await.unwrap()["id"].clone()
        };
        let tomorrow = iso(scene.now() + TimeDelta::days(1));
        match self.mutation {
            "suspendPhone" | "removePhone" => {
                let input = json!({ "deviceId": device_id, "number": format!("35193{number:07}") });
                json!({ "phoneId": made("authorizePhone", input, "CREDENTIAL").await })
            }
            "suspendDeviceAccess" | "revokeDeviceAccess" => {
                let input = json!({ "deviceId": device_id, "profile": "USER" });
                let access = made("grantDeviceAccess", input, "DEVICE_ACCESS").await;
                json!({ "deviceId": device_id, "holder": { "deviceAccessId": access } })
            }
            "deleteAutoAccessSchedule" => {
                let input = json!({ "doorId": door_id, "startsAt": tomorrow, "minutes": 10 });
                json!({ "scheduleId": made("createAutoAccessSchedule", input, "AUTO_ACCESS_SCHEDULE").await })
            }
            "stopAutoAccess" => {
                scene.done("startAutoAccess", json!({ "doorId": door_id, "minutes": 1000 })).await;
                json!({ "doorId": door_id })
            }
            "deletePmsAccessToken" => {
                let reservation = &scene.reservations[number % scene.reservations.len()];
                let input = json!({
                    "reservationId": reservation["id"], "tokenType": "PIN_CODE", "value": "4711",
                    "validFrom": iso(scene.now()), "validUntil": tomorrow, "permissions": { "room": true },
                });
                json!({ "accessTokenId": made("addPmsAccessToken", input, "ACCESS_TOKEN").await })
            }
            "deleteSensor" => {
                let input = json!({ "deviceId": device_id, "settings": { "name": "Hall" } });
                json!({ "sensorId": made("createSensor", input, "SENSOR").await })
            }
            "deleteDoor" => {
                let input = json!({ "deviceId": device_id, "settings": { "name": format!("Side {number}") } });
                let id = made_id(house, &scene.done("createDoor", input).await).await;
                let door = until("the new door is there", async || {
                    house.doors().await.into_iter().find(|door| door["externalId"] == id.as_str())
                })
                .await;
                json!({ "doorId": door["id"] })
            }
            other => unreachable!("no input for {other}"),
        }
    }

    fn effects(&self, scene: &Scene) -> usize {
        effects(&scene.house, self.vendor, self.effect)
    }
}

on_both_back_ends! {
    /// Whatever happens to a request or its answer, it is done in the end.
    async fn a_lost_answer_leaves_nothing_undone(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        for (case, removal) in REMOVALS.iter().enumerate() {
            let losses = [
                FaultKind::DropBeforeEffect, status(503), status(429), FaultKind::DropAfterEffect, FaultKind::Garbage,
                late_status(500),
            ];
            for (number, kind) in losses.into_iter().enumerate() {
                let what = format!("{} {kind:?}", removal.mutation);
                let input = removal.input(&scene, case + number).await;
                let before = removal.effects(&scene);
                scene.house.vendors.add_fault(Fault::new(removal.vendor, kind).at(removal.operation).times(1)).unwrap();
                let id = command(&scene.house.client, removal.mutation, input).await;
                let command = scene.carried(&id).await;
                assert_eq!(command["state"], "SUCCEEDED", "{what}: {command:#}");
                assert_eq!(command["expiresAt"].is_null(), removal.revokes, "{what}: {command:#}");
                assert_eq!(removal.effects(&scene) - before, 1, "{what}: {command:#}");
            }
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }

    /// However long a vendor is down: nobody has to ask again for what must not open any more.
    async fn an_outage_delays_a_revocation_and_no_more(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        for (case, removal) in REMOVALS.iter().enumerate().filter(|(_, removal)| removal.revokes) {
            let input = removal.input(&scene, case).await;
            let before = removal.effects(&scene);
            let requests = sent(&scene.house, removal.vendor, removal.operation);
            let down = scene.house.vendors.add_fault(Fault::new(removal.vendor, status(503)).at(removal.operation)).unwrap();
            let id = command(&scene.house.client, removal.mutation, input).await;
            let begin = scene.now();
            let later = begin + TimeDelta::minutes(15);
            scene.pass_until(&id, |row| row.due_at.is_none() || scene.now() > later, Pace::Leaping).await;
            let command = scene.house.client.read_command(&id).await;
            assert_eq!(command["terminal"], false, "{}: {command:#}", removal.mutation);
            assert_eq!(removal.effects(&scene), before, "{}", removal.mutation);
            let asked = sent(&scene.house, removal.vendor, removal.operation) - requests;
            assert!((20..=100).contains(&asked), "{}: {asked} requests in 15 minutes", removal.mutation);
            assert!(scene.house.vendors.remove_fault(down));
            let up = scene.now();
            let command = scene.carried(&id).await;
            assert_eq!(command["state"], "SUCCEEDED", "{}: {command:#}", removal.mutation);
            assert_eq!(removal.effects(&scene) - before, 1, "{}", removal.mutation);
            assert!(scene.now() - up < TimeDelta::seconds(45), "{} after {}", removal.mutation, scene.now() - up);
        }
        scene.house.stop().await;
    }

    /// That somebody else was quicker is no failure.
    async fn what_is_gone_is_taken_away(back_end: BackEnd) {
        let scene = Scene::start(plan(back_end, 12)).await;
        for (case, removal) in REMOVALS.iter().enumerate() {
            let input = removal.input(&scene, case).await;
            let before = removal.effects(&scene);
            let mut ids = Vec::new();
            for _ in 0..3 {
                ids.push(command(&scene.house.client, removal.mutation, input.clone()).await);
            }
            for id in &ids {
                let command = scene.carried(id).await;
                assert_eq!(command["state"], "SUCCEEDED", "{}: {command:#}", removal.mutation);
            }
            // Suspending what is suspended is an effect each time, and none of them does harm.
            if !removal.mutation.starts_with("suspend") {
                assert_eq!(removal.effects(&scene) - before, 1, "{}", removal.mutation);
            }
        }
        assert_no_harm(&scene.house);
        scene.house.stop().await;
    }
}
