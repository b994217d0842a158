//! What is kept and what is refused, with nobody at work.

use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};

use super::scene::{CREDENTIAL, LEVEL, SCHEDULE, Scene, USER};

async fn scene(back_end: gatehouse_tests::house::BackEnd) -> Scene {
    Scene::start(Plan::on(back_end).without_worker()).await
}

/// The names that a search finds.
async fn found(scene: &Scene, filter: Value) -> Vec<String> {
    let query = "query($filter: UserFilter) { users(filter: $filter) { nodes { name } } }";
    let data = scene.house.client.data(query, json!({ "filter": filter })).await;
    data["users"]["nodes"].as_array().unwrap().iter().map(|node| text(&node["name"])).collect()
}

on_both_back_ends! {
    async fn people_are_made_changed_found_and_erased(back_end: BackEnd) {
        let scene = scene(back_end).await;
        let input = json!({ "name": " Zoë Öst ", "email": "Zoe@Example.test", "phone": "+372 555-1234", "idempotencyKey": "one" });
        let zoe = scene.done("createUser", input.clone(), USER).await;
        assert_eq!((&zoe["name"], &zoe["email"], &zoe["phone"]), (&json!("Zoë Öst"), &json!("Zoe@Example.test"), &json!("3725551234")));
        assert_eq!(scene.done("createUser", input.clone(), USER).await["id"], zoe["id"], "the same key, the same person");
        let mut other = input;
        other["name"] = json!("Zoë");
        assert_eq!(scene.refused("createUser", other).await, ("IDEMPOTENCY_KEY_REUSED".to_owned(), json!("idempotencyKey")));
        let ada = scene.user("Ada 100%").await;
        assert_eq!(found(&scene, json!({ "text": "öST" })).await, ["Zoë Öst"]);
        assert_eq!(found(&scene, json!({ "text": "zoe@example" })).await, ["Zoë Öst"]);
        assert_eq!(found(&scene, json!({ "text": "0%" })).await, ["Ada 100%"], "no wildcards");

        let id = text(&zoe["id"]);
        let changed = scene.done("updateUser", json!({ "userId": id, "email": null }), USER).await;
        assert_eq!((&changed["name"], &changed["email"]), (&json!("Zoë Öst"), &Value::Null), "what is absent stays");
        let pin = scene.pin(&id, "482913", &[&scene.locks[0]]).await;
        let level = scene.level("Staff", &[&scene.locks[1]], None).await;
        scene.assign(&id, &level).await;
        assert_eq!(found(&scene, json!({ "accessLevelId": level })).await, ["Zoë Öst"]);

        let erased = scene.done("deleteUser", json!({ "userId": id }), USER).await;
        assert_eq!((&erased["name"], &erased["phone"]), (&json!("Erased person"), &Value::Null));
        assert!(erased["erasedAt"].is_string());
        assert_eq!(scene.credential(&pin["id"]).await["state"], "REVOKED");
        assert_eq!(scene.placements(&pin["id"]).await[0].0, "ABSENT");
        // The guests of the PMS are among them.
        let is_listed = async |filter: Value| found(&scene, filter).await.iter().any(|name| name == "Erased person");
        assert!(!is_listed(json!({})).await && is_listed(json!({ "erasedToo": true })).await);
        assert!(found(&scene, json!({ "accessLevelId": level, "erasedToo": true })).await.is_empty());
        let again = scene.done("deleteUser", json!({ "userId": id }), USER).await;
        assert_eq!(again["erasedAt"], erased["erasedAt"], "erased once");
        for (mutation, input) in [
            ("updateUser", json!({ "userId": id, "name": "Back" })),
            ("createCredential", json!({ "userId": id, "kind": "CARD", "number": "1" })),
            ("assignAccessLevel", json!({ "userId": id, "accessLevelId": level })),
        ] {
            assert_eq!(scene.refused(mutation, input).await, ("NOT_FOUND".to_owned(), json!("userId")), "{mutation}");
        }
        assert_eq!(scene.told("USER_CHANGED").await, ["CREATED", "CREATED", "CHANGED", "ERASED"]);
        assert_eq!(scene.told("CREDENTIAL_CHANGED").await, ["CREATED", "ERASED"]);
        // The value is free for others only after the time of rest.
        let again = json!({ "userId": ada, "kind": "PIN_CODE", "value": "482913", "doorIds": [scene.locks[0]["id"]] });
        assert_eq!(scene.refused("createCredential", again).await, ("VALUE_TAKEN".to_owned(), json!("value")));
        scene.house.stop().await;
    }

    async fn arguments_are_judged_before_anything_is_written(back_end: BackEnd) {
        let scene = scene(back_end).await;
        let (ada, lock) = (scene.user("Ada").await, scene.locks[0]["id"].clone());
        let gate = scene.doors_of("BIKEEP").await[0]["id"].clone();
        let far = scene.house.doors().await.into_iter().find(|door| door["site"]["id"] != scene.site).unwrap()["id"].clone();
        let invalid = |field: &str| ("INVALID_INPUT".to_owned(), json!(field));
        let of = |kind: &str, more: Value| {
            let mut input = json!({ "userId": ada, "kind": kind, "doorIds": [lock] });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let counts = "{ users { totalCount } credentials { totalCount } accessLevels { totalCount } schedules { totalCount } }";
        let before = scene.house.client.data(counts, json!({})).await;
        for (mutation, input, expected) in [
            ("createUser", json!({ "name": " " }), invalid("name")),
            ("createUser", json!({ "name": "Bo", "email": "bo" }), invalid("email")),
            ("createUser", json!({ "name": "Bo", "phone": "12" }), invalid("phone")),
            ("createUser", json!({ "name": "Bo", "idempotencyKey": "" }), invalid("idempotencyKey")),
            ("createCredential", of("CARD", json!({ "number": "A1" })), invalid("number")),
            ("createCredential", of("CARD", json!({})), invalid("number")),
            ("createCredential", of("CARD", json!({ "number": "1", "value": "482913" })), invalid("value")),
            ("createCredential", of("PIN_CODE", json!({ "number": "482913" })), invalid("value")),
            ("createCredential", of("PIN_CODE", json!({ "value": "123456" })), invalid("value")),
            ("createCredential", of("PIN_CODE", json!({ "value": "48x913" })), invalid("value")),
            ("createCredential", of("MOBILE_KEY", json!({})), invalid("number")),
            ("createCredential", of("CARD", json!({ "number": "1", "label": "" })), invalid("label")),
            (
                "createCredential",
                of("CARD", json!({ "number": "1", "validFrom": "2031-01-02T00:00:00Z", "validUntil": "2031-01-02T00:00:00Z" })),
                invalid("validUntil"),
            ),
            ("createCredential", of("CARD", json!({ "number": "1", "doorIds": [gate] })), ("CAPABILITY_MISSING".to_owned(), json!("doorIds"))),
            ("createCredential", of("PHONE_NUMBER", json!({ "number": "3725551234" })), ("CAPABILITY_MISSING".to_owned(), json!("doorIds"))),
            ("createCredential", of("CARD", json!({ "number": "1", "doorIds": ["nonsense"] })), ("NOT_FOUND".to_owned(), json!("doorIds"))),
            ("createAccessLevel", json!({ "siteId": scene.site, "name": "Far", "doorIds": [far] }), invalid("doorIds")),
            ("createSchedule", json!({ "siteId": scene.site, "name": "Odd", "ranges": [{ "days": [7], "starts": "09:00", "ends": "10:00" }] }), invalid("ranges")),
            ("createSchedule", json!({ "siteId": scene.site, "name": "Odd", "ranges": [{ "days": [1], "starts": "9", "ends": "10:00" }] }), invalid("ranges")),
        ] {
            assert_eq!(scene.refused(mutation, input.clone()).await, expected, "{mutation} {input}");
        }
        assert_eq!(scene.house.client.data(counts, json!({})).await, before);
        scene.house.stop().await;
    }

    async fn a_value_is_one_persons_at_a_door(back_end: BackEnd) {
        let scene = scene(back_end).await;
        let (ada, bo) = (scene.user("Ada").await, scene.user("Bo").await);
        let (front, back) = (&scene.locks[0], &scene.locks[1]);
        let pin = scene.pin(&ada, "482913", &[front]).await;
        let taken = |field: &str| ("VALUE_TAKEN".to_owned(), json!(field));
        let same = |doors: Value| json!({ "userId": bo, "kind": "PIN_CODE", "value": "482913", "doorIds": doors });
        assert_eq!(scene.refused("createCredential", same(json!([back["id"], front["id"]]))).await, taken("value"));
        let elsewhere = scene.pin(&bo, "482913", &[back]).await;
        let wider = json!({ "credentialId": elsewhere["id"], "doorIds": [front["id"]] });
        assert_eq!(scene.refused("updateCredential", wider).await.0, "VALUE_TAKEN");
        // Through an access level just so.
        let level = scene.level("Staff", &[front], None).await;
        let roaming = scene.pin(&bo, "771452", &[]).await;
        scene.assign(&bo, &level).await;
        let reissue = json!({ "credentialId": roaming["id"], "value": "482913" });
        assert_eq!(scene.refused("reissueCredential", reissue).await, taken("value"));
        assert_eq!(scene.credential(&roaming["id"]).await["version"], 1, "nothing was written");
        // Another value of one's own frees the first after the time of rest, and not before.
        scene.done("reissueCredential", json!({ "credentialId": pin["id"], "value": "905127" }), CREDENTIAL).await;
        assert_eq!(scene.refused("createCredential", same(json!([front["id"]]))).await, taken("value"));
        scene.house.stop().await;
    }

    async fn schedules_and_access_levels(back_end: BackEnd) {
        let scene = scene(back_end).await;
        let ranges = json!([{ "days": [4, 0, 4], "starts": "22:00", "ends": "06:00:30" }]);
        let input = json!({ "siteId": scene.site, "name": "Nights", "ranges": ranges, "idempotencyKey": "n" });
        let nights = scene.done("createSchedule", input.clone(), SCHEDULE).await;
        assert_eq!(nights["ranges"], json!([{ "days": [0, 4], "starts": "22:00:00", "ends": "06:00:30" }]));
        assert_eq!(scene.done("createSchedule", input, SCHEDULE).await["id"], nights["id"]);
        let id = text(&nights["id"]);
        let level = scene.level("Night watch", &[&scene.locks[0]], Some(&id)).await;
        assert_eq!(scene.refused("deleteSchedule", json!({ "scheduleId": id })).await, ("IN_USE".to_owned(), json!("scheduleId")));
        let freed = scene.done("updateAccessLevel", json!({ "accessLevelId": level, "scheduleId": null, "name": "Watch" }), LEVEL).await;
        assert_eq!((&freed["name"], &freed["schedule"], freed["doors"].as_array().unwrap().len()), (&json!("Watch"), &Value::Null, 1));
        assert_eq!(scene.done("deleteSchedule", json!({ "scheduleId": id }), "deletedId").await, json!(id));
        assert_eq!(scene.refused("deleteSchedule", json!({ "scheduleId": id })).await.0, "NOT_FOUND");
        let ada = scene.user("Ada").await;
        scene.assign(&ada, &level).await;
        let until = json!({ "userId": ada, "accessLevelId": level, "validUntil": "2050-01-01T00:00:00Z" });
        scene.done("assignAccessLevel", until, "assignment { id }").await;
        let query = "query($id: ID!) { user(id: $id) { accessLevels { validUntil accessLevel { id } user { id } } } }";
        let data = scene.house.client.data(query, json!({ "id": ada })).await;
        let assigned = json!([{ "validUntil": "2050-01-01T00:00:00+00:00", "accessLevel": { "id": level }, "user": { "id": ada } }]);
        assert_eq!(data["user"]["accessLevels"], assigned, "one assignment, with another time");
        scene.done("deleteAccessLevel", json!({ "accessLevelId": level }), "deletedId").await;
        let data = scene.house.client.data(query, json!({ "id": ada })).await;
        assert_eq!(data["user"]["accessLevels"], json!([]));
        assert_eq!(scene.told("ACCESS_LEVEL_CHANGED").await, ["CREATED", "CHANGED", "ASSIGNED", "ASSIGNED", "DELETED"]);
        assert_eq!(scene.told("SCHEDULE_CHANGED").await, ["CREATED", "DELETED"]);
        scene.house.stop().await;
    }

    /// A hundred at once under one key are one.
    async fn one_key_makes_one(back_end: BackEnd) {
        let scene = scene(back_end).await;
        let ada = scene.user("Ada").await;
        let input = json!({ "userId": ada, "kind": "PIN_CODE", "value": "482913", "doorIds": [scene.locks[0]["id"]], "idempotencyKey": "once" });
        let made = futures::future::join_all((0..100).map(|_| scene.done("createCredential", input.clone(), CREDENTIAL))).await;
        assert!(made.iter().all(|one| one["id"] == made[0]["id"]));
        let data = scene.house.client.data("{ credentials { totalCount } }", json!({})).await;
        assert_eq!(data["credentials"]["totalCount"], 1);
        let mut other = input;
        other["value"] = json!("905127");
        assert_eq!(scene.refused("createCredential", other).await.0, "IDEMPOTENCY_KEY_REUSED", "the PIN is part of the order");
        scene.house.stop().await;
    }

    async fn a_revoked_credential_stays_so(back_end: BackEnd) {
        let scene = scene(back_end).await;
        let ada = scene.user("Ada").await;
        let pin = scene.pin(&ada, "482913", &[&scene.locks[0]]).await;
        let id = json!({ "credentialId": pin["id"] });
        assert_eq!(scene.done("suspendCredential", id.clone(), CREDENTIAL).await["state"], "SUSPENDED");
        assert_eq!(scene.done("resumeCredential", id.clone(), CREDENTIAL).await["state"], "ACTIVE");
        assert_eq!(scene.done("revokeCredential", id.clone(), CREDENTIAL).await["state"], "REVOKED");
        assert_eq!(scene.done("revokeCredential", id.clone(), CREDENTIAL).await["version"], 4, "twice is once");
        for mutation in ["suspendCredential", "resumeCredential"] {
            assert_eq!(scene.refused(mutation, id.clone()).await, ("REVOKED".to_owned(), json!("credentialId")));
        }
        assert_eq!(scene.told("CREDENTIAL_CHANGED").await, ["CREATED", "SUSPENDED", "RESUMED", "REVOKED"]);
        scene.house.stop().await;
    }
}
