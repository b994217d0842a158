//! Who is told that a change succeeded finds it in GraphQL at once, without a sync.

use chrono::{TimeDelta, Utc};
use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};
use simulator::Vendor;

use super::scene::{assert_no_harm, iso, made_id, person, record, records, succeed};
use crate::orders::account_id;

on_both_back_ends! {
    async fn a_changed_door_is_shown_at_once(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("RAIXER", "UPDATE_DOOR").await;
        let show = async |id: &Value| {
            let query = "query($id: ID!) { door(id: $id) { name missingSince state { mode { value } } \
                settings { name maxOpenings twoOpenings } phoneAccess { enabled anyCaller } } }";
            let mut data = house.client.data(query, json!({ "id": id })).await;
            data["door"].take()
        };
        let settings = json!({ "name": "Courtyard", "maxOpenings": 3, "twoOpenings": true });
        succeed(&house, "updateDoor", json!({ "doorId": door["id"], "settings": settings })).await;
        let shown = show(&door["id"]).await;
        assert_eq!((&shown["name"], &shown["settings"]), (&json!("Courtyard"), &settings));
        for enabled in [true, false] {
            succeed(&house, "setPhoneAccess", json!({ "doorId": door["id"], "enabled": enabled })).await;
            succeed(&house, "setAnyCallerAccess", json!({ "doorId": door["id"], "enabled": enabled })).await;
            let shown = show(&door["id"]).await["phoneAccess"].take();
            assert_eq!((&shown["enabled"], &shown["anyCaller"]), (&json!(enabled), &json!(enabled)));
        }
        let device = &door["device"];
        let added = succeed(&house, "createDoor", json!({ "deviceId": device["id"], "settings": { "name": "Shed" } })).await;
        let added = made_id(&house, &added).await;
        let of_device = house.doors().await.into_iter().find(|door| door["externalId"] == added.as_str()).unwrap();
        assert_eq!(of_device["name"], "Shed");
        succeed(&house, "deleteDoor", json!({ "doorId": of_device["id"] })).await;
        assert_ne!(show(&of_device["id"]).await["missingSince"], Value::Null);
        // The vendor shows no switch, but that each door listens: for how long, it does not say.
        let mode = async |word: &str| {
            let shown = show(&door["id"]).await["state"]["mode"]["value"].take();
            assert_eq!(shown, word);
        };
        succeed(&house, "startAutoAccess", json!({ "doorId": door["id"], "minutes": 5 })).await;
        mode("AUTO_ACCESS").await;
        succeed(&house, "stopAutoAccess", json!({ "doorId": door["id"] })).await;
        mode("NORMAL").await;
        succeed(&house, "setAutoAccessAlwaysActive", json!({ "deviceId": device["id"], "active": true })).await;
        mode("AUTO_ACCESS").await;
        succeed(&house, "setAutoAccessAlwaysActive", json!({ "deviceId": device["id"], "active": false })).await;
        mode("NORMAL").await;
        house.stop().await;
    }

    async fn a_changed_phone_access_sensor_or_schedule_is_shown_at_once(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let door = house.door("RAIXER", "CREATE_AUTO_ACCESS_SCHEDULE").await;
        let device = door["device"]["id"].clone();

        let id = succeed(&house, "authorizePhone", json!({ "deviceId": device, "number": "351910000001" })).await;
        let id = made_id(&house, &id).await;
        let phone = record(&house, "CREDENTIAL", &id).await.unwrap();
        assert_eq!((&phone["details"]["number"], &phone["details"]["status"]), (&json!("351910000001"), &json!("ACTIVE")));
        for (mutation, status) in [("suspendPhone", "SUSPENDED"), ("resumePhone", "ACTIVE")] {
            succeed(&house, mutation, json!({ "phoneId": phone["id"] })).await;
            assert_eq!(record(&house, "CREDENTIAL", &id).await.unwrap()["details"]["status"], status);
        }
        succeed(&house, "removePhone", json!({ "phoneId": phone["id"] })).await;
        assert_eq!(record(&house, "CREDENTIAL", &id).await, None);

        let input = json!({ "deviceId": device, "profile": "USER", "name": "Cleaner" });
        let id = made_id(&house, &succeed(&house, "grantDeviceAccess", input).await).await;
        let access = record(&house, "DEVICE_ACCESS", &id).await.unwrap();
        assert_eq!((&access["details"]["profile"], &access["details"]["disabled"]), (&json!("USER"), &json!(false)));
        let holder = json!({ "deviceAccessId": access["id"] });
        succeed(&house, "suspendDeviceAccess", json!({ "deviceId": device, "holder": holder })).await;
        assert_eq!(record(&house, "DEVICE_ACCESS", &id).await.unwrap()["details"]["disabled"], true);
        succeed(&house, "resumeDeviceAccess", json!({ "deviceId": device, "holder": holder })).await;
        assert_eq!(record(&house, "DEVICE_ACCESS", &id).await.unwrap()["details"]["disabled"], false);
        succeed(&house, "changeDeviceAccess", json!({ "deviceId": device, "holder": holder, "profile": "INSTALLER" })).await;
        assert_eq!(record(&house, "DEVICE_ACCESS", &id).await.unwrap()["details"]["profile"], "INSTALLER");
        succeed(&house, "revokeDeviceAccess", json!({ "deviceId": device, "holder": holder })).await;
        assert_eq!(record(&house, "DEVICE_ACCESS", &id).await, None);

        let input = json!({ "deviceId": device, "settings": { "name": "Hall" } });
        let id = made_id(&house, &succeed(&house, "createSensor", input).await).await;
        let sensor = record(&house, "SENSOR", &id).await.unwrap();
        assert_eq!(sensor["name"], "Hall");
        let input = json!({ "sensorId": sensor["id"], "settings": { "name": "Stairs", "port": "LEFT" } });
        succeed(&house, "updateSensor", input).await;
        let shown = record(&house, "SENSOR", &id).await.unwrap();
        assert_eq!((&shown["name"], &shown["details"]["port"]), (&json!("Stairs"), &json!("LEFT")));
        succeed(&house, "deleteSensor", json!({ "sensorId": sensor["id"] })).await;
        assert_eq!(record(&house, "SENSOR", &id).await, None);

        let tomorrow = Utc::now() + TimeDelta::days(1);
        let input = json!({ "doorId": door["id"], "startsAt": iso(tomorrow), "minutes": 30 });
        let old = made_id(&house, &succeed(&house, "createAutoAccessSchedule", input).await).await;
        let schedule = record(&house, "AUTO_ACCESS_SCHEDULE", &old).await.unwrap();
        assert_eq!(schedule["details"]["minutes"], 30);
        let input = json!({ "doorId": door["id"], "scheduleId": schedule["id"], "startsAt": iso(tomorrow), "minutes": 45 });
        let new = made_id(&house, &succeed(&house, "updateAutoAccessSchedule", input).await).await;
        assert_ne!(old, new, "the vendor gives a new id");
        assert_eq!(record(&house, "AUTO_ACCESS_SCHEDULE", &old).await, None);
        let schedule = record(&house, "AUTO_ACCESS_SCHEDULE", &new).await.unwrap();
        assert_eq!(schedule["details"]["minutes"], 45);
        succeed(&house, "deleteAutoAccessSchedule", json!({ "scheduleId": schedule["id"] })).await;
        assert_eq!(record(&house, "AUTO_ACCESS_SCHEDULE", &new).await, None);
        assert_no_harm(&house);
        house.stop().await;
    }

    async fn changed_people_fobs_doors_and_tokens_are_shown_at_once(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let lockt = account_id(&house, Vendor::Lockt).await.to_string();
        succeed(&house, "importUsers", json!({ "vendorAccountId": lockt, "users": [person(1)] })).await;
        let people = records(&house, json!({ "kinds": ["USER"], "vendorAccountId": lockt, "text": "Byron 1" })).await;
        assert_eq!(people.len(), 1, "{people:#?}");
        assert_eq!(people[0]["details"]["idNumber"], "gh-1");
        let fobs = json!([{ "idNumber": "fob-1", "name": "Pool", "cardNumber": "777" }]);
        succeed(&house, "createFobs", json!({ "vendorAccountId": lockt, "fobs": fobs })).await;
        let shown = records(&house, json!({ "kinds": ["CREDENTIAL"], "vendorAccountId": lockt, "text": "Pool" })).await;
        assert_eq!((shown.len(), &shown[0]["details"]["number"]), (1, &json!("777")));
        let until = iso(Utc::now() + TimeDelta::days(3))[..19].to_owned() + "Z";
        let assignments = json!([{ "fobId": shown[0]["id"], "userId": people[0]["id"], "accessUntil": until }]);
        succeed(&house, "assignFobs", json!({ "vendorAccountId": lockt, "assignments": assignments })).await;
        let shown = record(&house, "CREDENTIAL", &text(&shown[0]["externalId"])).await.unwrap();
        assert_eq!(&text(&shown["details"]["accessUntil"])[..19], &until[..19], "{shown:#}");
        succeed(&house, "createDoors", json!({ "vendorAccountId": lockt, "names": ["Sauna"] })).await;
        assert!(house.doors().await.iter().any(|door| door["name"] == "Sauna"));

        let mews = account_id(&house, Vendor::Mews).await.to_string();
        let stay = records(&house, json!({ "kinds": ["RESERVATION"], "vendorAccountId": mews })).await[0].clone();
        let input = json!({
            "reservationId": stay["id"], "tokenType": "PIN_CODE", "value": "1234", "serialNumber": "ours",
            "validFrom": iso(Utc::now()), "validUntil": until, "permissions": { "room": true },
        });
        let id = made_id(&house, &succeed(&house, "addPmsAccessToken", input).await).await;
        let token = record(&house, "ACCESS_TOKEN", &id).await.unwrap();
        assert_eq!((&token["details"]["active"], &token["details"]["serialNumber"]), (&json!(true), &json!("ours")));
        let later = iso(Utc::now() + TimeDelta::days(5))[..19].to_owned() + "Z";
        succeed(&house, "updatePmsAccessToken", json!({ "accessTokenId": token["id"], "validUntil": later })).await;
        let shown = record(&house, "ACCESS_TOKEN", &id).await.unwrap();
        assert_eq!(&text(&shown["details"]["validUntil"])[..19], &later[..19], "{shown:#}");
        succeed(&house, "deletePmsAccessToken", json!({ "accessTokenId": token["id"] })).await;
        assert_ne!(record(&house, "ACCESS_TOKEN", &id).await.map(|token| token["details"]["active"].clone()), Some(json!(true)));
        house.stop().await;
    }
}
