//! Lockt's endpoints: every row, its documented options, sentences and shapes.

use gatehouse_simulator::{EffectKind, Fault, FaultKind, LocktChange, Mode, Vendor, WorldChange};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Sim, answer, still, text};

impl Sim {
    pub(crate) fn lockt(&self, method: Method, path: &str) -> RequestBuilder {
        let credentials = self.operator().lockt;
        self.request(method, Vendor::Lockt, &format!("/api/v1{path}"))
            .header("apiuser", credentials.api_user)
            .header("apikey", credentials.api_key)
            .header("content-type", "application/json")
    }

    /// What a GET gives under `data`.
    pub(crate) async fn lockt_list(&self, path: &str) -> Vec<Value> {
        let (status, body) = answer(self.lockt(Method::GET, path)).await;
        assert_eq!(status, 200, "{path}: {body}");
        body["data"].as_array().unwrap().clone()
    }

    pub(crate) async fn lockt_send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        answer(self.lockt(method, path).body(body.to_string())).await
    }

    /// Imports one user without any option and gives the record that the list then shows.
    pub(crate) async fn lockt_user(&self, user: Value) -> Value {
        let (status, body) = self.lockt_send(Method::POST, "/user", json!({ "users": [user] })).await;
        assert_eq!((status, &body["data"]["inserted"]), (200, &json!(1)), "{body}");
        self.listed(text(&user["id_num"])).await
    }

    pub(crate) async fn listed(&self, id_num: &str) -> Value {
        let users = self.lockt_list("/user").await;
        users.into_iter().find(|user| user["id_num"] == id_num).unwrap()
    }

    pub(crate) async fn named(&self, path: &str, name: &str) -> u64 {
        let list = self.lockt_list(path).await;
        list.iter().find(|one| one["name"] == name).unwrap()["id"].as_u64().unwrap()
    }
}

fn counts(submitted: u64, inserted: u64, updated: u64, errors: u64) -> Value {
    json!({ "submitted": submitted, "inserted": inserted, "updated": updated, "errors": errors })
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn kinds(sim: &Sim) -> Vec<EffectKind> {
    sim.handle().effects(0).entries.iter().map(|effect| effect.kind).collect()
}

#[tokio::test]
async fn both_headers_and_the_content_type_are_required() {
    let sim = still(Mode::Auto).await;
    let url = "/api/v1/user";
    let get = || sim.request(Method::GET, Vendor::Lockt, url).header("content-type", "application/json");
    let denied = json!({ "data": { "error": "Access to the indicated resource was denied." } });
    for request in [
        get(),
        get().header("apiuser", "lockt-demo"),
        get().header("apikey", "lockt-demo-key"),
        get().header("apiuser", "lockt-demo").header("apikey", "lockt-neighbour-key"),
    ] {
        assert_eq!(answer(request).await, (401, denied.clone()));
    }
    let bare = sim.request(Method::GET, Vendor::Lockt, url);
    let bare = bare.header("apiuser", "lockt-demo").header("apikey", "lockt-demo-key");
    assert_eq!(answer(bare).await.0, 400);
    let revoke = WorldChange::Credential { vendor: Vendor::Lockt, credential: "lockt-demo".to_owned(), valid: false };
    assert_eq!(answer(sim.lockt(Method::GET, "/user")).await.0, 200);
    sim.handle().change(revoke).unwrap();
    assert_eq!(answer(sim.lockt(Method::GET, "/user")).await.0, 401);
    assert_eq!(answer(sim.lockt(Method::GET, "/gate")).await.0, 404);
    let entries = sim.handle().journal(0).entries;
    assert!(entries.iter().all(|entry| !format!("{entry:?}").contains("demo-key")), "no key in the journal");
    assert!(entries.last().unwrap().headers["apikey"].starts_with('#'));
}

#[tokio::test]
async fn users_are_listed_with_levels_and_looked_up_without() {
    let sim = still(Mode::Auto).await;
    let all = sim.lockt_list("/user").await;
    assert_eq!(all.len(), 240 + 3, "users and fobs");
    let user = &all[1];
    let expected = ["access_effective", "access_expires", "accesslevels", "card_num", "credential_key", "email"];
    let more = ["enabled", "first_name", "id", "id_num", "last_name", "phone"];
    assert_eq!(keys(user), [&expected[..], &more[..]].concat());
    assert_eq!(keys(&user["accesslevels"][0]), ["id", "name"]);
    let fob = all.last().unwrap();
    assert_eq!((text(&fob["name"]), &fob["first_name"], &fob["enabled"]), ("Fob 3", &Value::Null, &json!(false)));

    let by_id = sim.lockt_list(&format!("/user?id={}", user["id"])).await;
    let by_number = sim.lockt_list("/user?idnum=HR-00002").await;
    assert_eq!((by_id.len(), &by_id[0]["id_num"]), (1, &json!("HR-00002")));
    assert_eq!(by_id, by_number);
    assert_eq!(by_id[0]["accesslevels"], Value::Null);
    for unknown in ["/user?id=1", "/user?id=x", "/user?idnum=nobody", "/user?idnum="] {
        let body = json!({ "data": { "error": "The resource was not found." } });
        assert_eq!(answer(sim.lockt(Method::GET, unknown)).await, (404, body), "{unknown}");
    }
    let without = sim.lockt_list("/user?missingcreds").await;
    assert!(without.len() == 30 && without.iter().all(|user| user["card_num"] == ""));
}

#[tokio::test]
async fn an_import_inserts_and_ignores_what_it_knows_by_default() {
    let sim = still(Mode::Auto).await;
    let level = sim.named("/accesslevel", "Room 101").await;
    let user = json!({
        "id": -1, "id_num": "GH 1/ä", "first_name": "Toby", "last_name": "Peters", "card_num": "8769", "credential_key": "mine",
        "email": "toby.peters@web.place", "phone": "33344455555", "access_effective": "2031-07-02 15:00:00",
        "access_expires": "", "enabled": "true", "pin": "0986", "accesslevels": [{ "id": level }],
    });
    let created = sim.lockt_user(user.clone()).await;
    assert_eq!(text(&created["access_effective"]), "2031-07-02T14:00:00.000Z", "read in the site's zone");
    assert_eq!((text(&created["access_expires"]), &created["pin"]), ("", &Value::Null));
    assert_eq!(created["accesslevels"][0]["id"], json!(level));
    assert_ne!(text(&created["credential_key"]), "mine", "the system assigns keys");
    assert_eq!(sim.lockt_list("/user?idnum=GH%201%2F%C3%A4").await[0]["id"], created["id"]);

    let mut again = user.clone();
    again["first_name"] = json!("Tobias");
    let other_number = json!({ "id_num": "other", "email": "TOBY.PETERS@web.place", "first_name": "Tobias" });
    let (status, body) = sim.lockt_send(Method::POST, "/user", json!({ "users": [again, other_number] })).await;
    assert_eq!((status, &body), (200, &json!({ "data": counts(2, 0, 0, 0) })));
    assert_eq!(sim.listed("GH 1/ä").await, created, "ignored, silently");
    assert_eq!(kinds(&sim), [EffectKind::UserCreated]);
    let nobody = json!({ "users": [{ "first_name": "No" }, { "first_name": "No" }] });
    assert_eq!(sim.lockt_send(Method::POST, "/user", nobody).await.1["data"], counts(2, 2, 0, 0), "nothing to match");
    assert_eq!(kinds(&sim), [EffectKind::UserCreated; 3], "a creation that happened twice can be counted");
}

#[tokio::test]
async fn an_update_replaces_privileges_unless_told_otherwise() {
    let sim = still(Mode::Auto).await;
    let (one, two) = (sim.named("/accesslevel", "Room 101").await, sim.named("/accesslevel", "Room 102").await);
    let given = json!({ "id_num": "GH-1", "first_name": "Ada", "card_num": "77", "accesslevels": [{ "id": one }] });
    let created = sim.lockt_user(given).await;
    let levels = |user: &Value| -> Vec<u64> {
        user["accesslevels"].as_array().unwrap().iter().map(|level| level["id"].as_u64().unwrap()).collect()
    };
    let update = async |user: Value, replace: Option<bool>| {
        let mut options = json!({ "update_existing": "true" });
        if let Some(replace) = replace {
            options["replace_privileges"] = json!(replace);
        }
        let body = json!({ "users": [user], "options": options });
        assert_eq!(sim.lockt_send(Method::POST, "/user", body).await.1["data"], counts(1, 0, 1, 0));
        sim.listed("GH-1").await
    };
    let named = json!({ "id_num": "GH-1", "accesslevels": [{ "id": two, "name": "ignored" }] });
    assert_eq!(levels(&update(named.clone(), Some(false)).await), [one, two]);
    assert_eq!(levels(&update(named, None).await), [two], "the default replaces");
    let wiped = update(json!({ "id_num": "GH-1", "last_name": "Quill" }), None).await;
    assert_eq!(levels(&wiped), Vec::<u64>::new(), "also with levels that are not named");
    assert_eq!((&wiped["id"], text(&wiped["first_name"]), text(&wiped["card_num"])), (&created["id"], "Ada", "77"));
    assert_eq!(kinds(&sim)[1..], [EffectKind::UserUpdated; 3]);
}

#[tokio::test]
async fn one_bad_record_fails_the_batch_unless_told_otherwise() {
    let sim = still(Mode::Auto).await;
    let bad = json!({
        "id": -1, "id_num": "bad", "first_name": "Rhea", "card_num": "A8914", "email": "rgreswell0@@@@gravatar.com",
        "access_effective": "tomorrow", "enabled": "maybe", "accesslevels": [{ "id": 1 }], "pin": "0986",
    });
    let good = json!({ "id_num": "good", "first_name": "Gil" });
    let errors = json!([{
        "error": [
            "Non-Numeric card_num found: A8914",
            "Invalid email address found: rgreswell0@@@@gravatar.com",
            "Invalid enabled found: maybe",
            "Invalid access_effective found: tomorrow",
            "Access Level Not Found: 1",
        ],
        "input_data": bad,
    }]);
    let failed = json!({
        "result": ["Validation errors found. Batch has failed. Details provided."],
        "errors": errors,
    });
    let body = |options: Value| json!({ "users": [bad, good], "options": options });
    assert_eq!(sim.lockt_send(Method::POST, "/uservalidate", body(json!({}))).await, (400, failed.clone()));
    assert_eq!(sim.lockt_send(Method::POST, "/user", body(json!({}))).await, (400, failed));
    let tolerant = json!({ "validate_fails_batch": "false" });
    let processed = json!({ "data": counts(2, 1, 0, 1), "errors": errors });
    let validated = sim.lockt_send(Method::POST, "/uservalidate", body(tolerant.clone())).await;
    assert_eq!(validated, (200, processed.clone()));
    assert_eq!(kinds(&sim), [], "nothing has been created so far");
    assert_eq!(answer(sim.lockt(Method::GET, "/user?idnum=good")).await.0, 404);
    assert_eq!(sim.lockt_send(Method::POST, "/user", body(tolerant)).await, (200, processed));
    assert_eq!(kinds(&sim), [EffectKind::UserCreated]);
}

#[tokio::test]
async fn a_hundred_records_and_no_more() {
    let sim = still(Mode::Auto).await;
    let users = |number: usize| -> Value {
        let users = (0..number).map(|user| json!({ "id_num": format!("GH-{number}-{user}") }));
        json!({ "users": users.collect::<Vec<_>>() })
    };
    assert_eq!(sim.lockt_send(Method::POST, "/user", users(100)).await.1["data"], counts(100, 100, 0, 0));
    let refused = |text: &str| (400, json!({ "result": [text], "errors": [] }));
    let too_many = sim.lockt_send(Method::POST, "/user", users(101)).await;
    assert_eq!(too_many, refused("Batch size exceeds maximum of 100 objects."));
    let unreadable = refused("No data found or invalid JSON objects supplied. Could not parse input.");
    for body in ["", "{", "[]", "{}", r#"{"users":[]}"#, r#"{"users":[7]}"#, r#"{"doors":[{"name":"x"}]}"#] {
        assert_eq!(answer(sim.lockt(Method::POST, "/user").body(body)).await, unreadable, "{body}");
    }
    let option = json!({ "users": [{}], "options": { "update_existing": "perhaps" } });
    assert_eq!(sim.lockt_send(Method::POST, "/user", option).await, unreadable);
}

#[tokio::test]
async fn a_partial_update_changes_only_what_it_names() {
    let sim = still(Mode::Auto).await;
    let before = sim.listed("HR-00002").await;
    let body = json!({ "users": [{ "id": before["id"], "enabled": false, "access_expires": "2031-07-05 11:00:00" }] });
    assert_eq!(sim.lockt_send(Method::PUT, "/user", body).await.1["data"], counts(1, 0, 1, 0));
    let mut expected = before;
    expected["enabled"] = json!(false);
    expected["access_expires"] = json!("2031-07-05T10:00:00.000Z");
    assert_eq!(sim.listed("HR-00002").await, expected);
    let unknown = json!({ "users": [{ "id": 1 }] });
    let (status, body) = sim.lockt_send(Method::PUT, "/user", unknown).await;
    assert_eq!((status, &body["errors"][0]["error"]), (400, &json!(["User Not Found: 1"])));
}

#[tokio::test]
async fn credentials_are_listed_counted_and_reissued() {
    let sim = still(Mode::Auto).await;
    let all = sim.lockt_list("/credential").await;
    assert_eq!(all.len(), 240 - 30 + 3);
    let first = &all[0];
    assert_eq!(keys(first), ["card_num", "claim_status", "credential_key", "id", "user"]);
    assert_eq!((text(&first["claim_status"]), text(&first["user"][0]["name"])), ("Claimed", "Quill, Ada"));
    assert_eq!(text(&first["credential_key"]).len(), 19);
    assert_eq!(all.last().unwrap()["user"], json!([]), "nobody's fob");
    assert_eq!(sim.lockt_list("/credentialsummary").await, [json!({ "claimed": 180, "unclaimed": 33 })]);
    assert_eq!(sim.lockt_list(&format!("/credential?id={}", first["id"])).await, std::slice::from_ref(first));
    assert_eq!(sim.lockt_list("/credential?card_num=10000").await, std::slice::from_ref(first));
    assert_eq!(answer(sim.lockt(Method::GET, "/credential?card_num=1")).await.0, 404);

    let reissue = json!({ "credentials": [{ "id": first["id"] }] });
    assert_eq!(sim.lockt_send(Method::POST, "/credential", reissue).await.1["data"], counts(1, 0, 1, 0));
    let again = &sim.lockt_list("/credential?card_num=10000").await[0];
    assert_ne!(again["credential_key"], first["credential_key"]);
    assert_eq!((text(&again["claim_status"]), kinds(&sim)), ("Unclaimed", vec![EffectKind::CredentialReissued]));
    let unknown = json!({ "credentials": [{ "card_num": "1" }] });
    let (status, body) = sim.lockt_send(Method::POST, "/credential", unknown).await;
    assert_eq!((status, &body["errors"][0]["error"]), (400, &json!(["Credential Not Found: 1"])));
    let word = FaultKind::UnknownStatusWord { word: "Lost".to_owned() };
    sim.handle().add_fault(Fault::new(Vendor::Lockt, word).at("list_credentials").times(1)).unwrap();
    assert_eq!(text(&sim.lockt_list("/credential").await[0]["claim_status"]), "Lost");
}

#[tokio::test]
async fn doors_are_listed_created_and_have_batteries() {
    let sim = still(Mode::Auto).await;
    let doors = sim.lockt_list("/door").await;
    assert_eq!(doors.len(), 16);
    assert_eq!(keys(&doors[0]), ["controller", "enabled", "id", "location", "name", "type"]);
    let doors = json!({ "doors": [{ "name": "Door 1" }, { "name": "Door 2" }] });
    assert_eq!(sim.lockt_send(Method::POST, "/door", doors).await.1["data"], counts(2, 2, 0, 0));
    let again = json!({
        "doors": [{ "name": "Door 1" }, { "name": "Door 3" }, { "name": "Door 3" }],
        "options": { "validate_fails_batch": false },
    });
    let (_, body) = sim.lockt_send(Method::POST, "/door", again).await;
    let expected = json!({ "error": ["Door Name Already Exists: Door 1"], "input_data": { "name": "Door 1" } });
    assert_eq!((&body["data"], &body["errors"][0]), (&counts(3, 1, 0, 2), &expected));
    assert_eq!(kinds(&sim), [EffectKind::DoorCreated; 3]);
    let states = sim.lockt_list("/doorstate").await;
    let state = |name: &str| states.iter().find(|state| state["name"] == name).unwrap()["battery_level"].clone();
    assert_eq!(
        (states.len(), state("Room 101"), state("Office"), state("Door 3")),
        (19, json!(1.0), json!(0.88), Value::Null)
    );
    let door = sim.named("/door", "Room 101").await;
    sim.handle().change(WorldChange::Lockt(LocktChange::Battery { door, percent: Some(64) })).unwrap();
    let removed =
        WorldChange::Removed { vendor: Vendor::Lockt, device: sim.named("/door", "Room 102").await.to_string() };
    sim.handle().change(removed).unwrap();
    let states = sim.lockt_list("/doorstate").await;
    assert!(states.contains(&json!({ "id": door, "name": "Room 101", "battery_level": 0.64 })));
    assert_eq!(states.len(), 18);
}

#[tokio::test]
async fn fobs_are_created_assigned_and_checked() {
    let sim = still(Mode::Auto).await;
    let fob = json!({
        "name": "Fob 9", "id_num": "ABC123", "card_num": 5599,
        "access_effective": "2022-05-05 05:00:00", "access_expires": "2022-05-25 08:00:00",
    });
    let created = sim.lockt_send(Method::POST, "/fob", json!({ "fobs": [fob] })).await;
    assert_eq!(created, (200, json!({ "data": counts(1, 1, 0, 0) })));
    let id = sim.named("/fob", "Fob 9").await;
    let shown = async || sim.lockt_list("/fob").await.into_iter().find(|fob| fob["id"] == id).unwrap();
    let new = shown().await;
    assert_eq!((text(&new["card_num"]), text(&new["access_expires"])), ("5599", "2022-05-25T07:00:00.000Z"));
    assert_eq!((&new["enabled"], &new["accesslevels"]), (&json!(false), &json!([])));
    let holder = sim.listed("HR-00002").await;
    let body = json!({ "fobs": [{ "id": id.to_string(), "user_id": holder["id"].to_string(), "access_expires": "" }] });
    let (_, body) = sim.lockt_send(Method::PUT, "/fob", body).await;
    assert_eq!(body["data"], counts(1, 1, 0, 0), "as in the document's sample");
    let assigned = shown().await;
    assert_eq!((&assigned["enabled"], &assigned["accesslevels"]), (&json!(true), &holder["accesslevels"]));
    assert_eq!((&assigned["access_effective"], text(&assigned["access_expires"])), (&new["access_effective"], ""));
    assert_eq!(kinds(&sim), [EffectKind::FobCreated, EffectKind::FobAssigned]);
    let wrong = json!({ "fobs": [{ "id": 1, "user_id": 2 }] });
    let (status, body) = sim.lockt_send(Method::PUT, "/fob", wrong).await;
    assert_eq!((status, &body["errors"][0]["error"]), (400, &json!(["Fob Not Found: 1", "User Not Found: 2"])));
    assert_eq!(sim.lockt_list("/fobcheck").await[3]["last_activity"], json!(""));
}

#[tokio::test]
async fn schedules_levels_and_the_rest() {
    let sim = still(Mode::Auto).await;
    let schedules = sim.lockt_list("/schedule").await;
    let mut office = schedules[1].clone();
    office["id"] = json!(543);
    let expected = json!({
        "id": 543, "name": "0800-1700 M-F", "d0": 1, "d1": 1, "d2": 1, "d3": 1, "d4": 1, "d5": 0, "d6": 0,
        "start": "08:00:00", "stop": "16:59:59",
    });
    assert_eq!(office, expected);
    let levels = sim.lockt_list("/accesslevel").await;
    assert_eq!(
        (levels.len(), keys(&levels[0]), keys(&levels[1])),
        (17, vec!["doors", "id", "name"], vec!["id", "name"])
    );
    assert_eq!(sim.lockt_list("/nextcardnum").await, [json!({ "card_num": "10239" })]);
    assert_eq!(sim.lockt_list("/location").await.len(), 4);
    for status_only in ["/ping", "/about", "/settings", "/site"] {
        assert_eq!(sim.lockt_list(status_only).await, Vec::<Value>::new(), "{status_only}");
    }
    let user = sim.listed("HR-00002").await;
    let doors = sim.lockt_list("/doors?id_num=HR-00002").await;
    assert_eq!(doors, sim.lockt_list(&format!("/doors?user_id={}", user["id"])).await);
    assert_eq!(doors[0]["name"], "Front Door");
    assert_eq!(answer(sim.lockt(Method::GET, "/doors?id_num=nobody")).await.0, 404);
}

#[tokio::test]
async fn every_documented_row_is_served() {
    let sim = still(Mode::Auto).await;
    let mut served: Vec<String> =
        sim.handle().coverage().into_iter().filter(|row| row.served).map(|row| row.row).collect();
    served.retain(|row| row.starts_with('L') && row != "LX");
    assert_eq!(served, (1..=20).map(|number| format!("L{number}")).collect::<Vec<_>>());
}
