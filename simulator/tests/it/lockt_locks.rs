//! Lockt's locks and events, overlapping POSTs, what is pending release, and faults.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatehouse_simulator::{
    EffectKind, Fault, FaultKind, Latency, LocktAccountPlan, LocktChange, LocktPresented, LocktVerdict, Mode, SimClock,
    SimulatorOptions, Vendor, World, WorldChange, WorldChoice, WorldSize,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sim, answer, noon, still, text, with};

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn card(number: &str) -> LocktPresented {
    LocktPresented::Card(number.to_owned())
}

impl Sim {
    fn lockt_change(&self, change: LocktChange) {
        self.handle().change(WorldChange::Lockt(change)).unwrap();
    }

    fn present(&self, door: u64, credential: LocktPresented, recorded_after: u32) {
        self.lockt_change(LocktChange::Presented { door, credential, recorded_after });
    }

    async fn claim(&self, card_num: &str) {
        let credential = self.lockt_list(&format!("/credential?card_num={card_num}")).await[0]["id"].as_u64().unwrap();
        self.lockt_change(LocktChange::Claimed { credential, claimed: true });
    }

    async fn event_ids(&self, path: &str) -> Vec<u64> {
        self.lockt_list(path).await.iter().map(|event| event["id"].as_u64().unwrap()).collect()
    }
}

#[tokio::test]
async fn a_lock_looks_at_everything() {
    use LocktVerdict::{
        BatteryMissing, DoorDisabled, Expired, NoAccessLevel, NoSuchDoor, NotYetEffective, Opens, OutsideSchedule,
        Unclaimed, Unknown, UserDisabled,
    };
    let sim = still(Mode::Auto).await;
    let handle = sim.handle();
    let (room, office) = (sim.named("/door", "Room 101").await, sim.named("/door", "Office").await);
    let level = sim.named("/accesslevel", "Housekeeping").await;
    let user = sim
        .lockt_user(json!({
            "id_num": "GH-1", "card_num": "777", "pin": "0986", "accesslevels": [{ "id": level }],
            "access_effective": "2031-07-07 08:00:00", "access_expires": "2031-07-09 11:00:00",
        }))
        .await;
    let user = user["id"].as_u64().unwrap();
    let monday = utc("2031-07-07T07:00:00Z");
    let verdict = |at| handle.lockt_verdict(room, &card("777"), at);
    assert_eq!(verdict(monday), Unclaimed);
    let tag = LocktPresented::Tag("777".to_owned());
    assert_eq!(handle.lockt_verdict(room, &tag, monday), Opens, "a tag is claimed in no app");
    sim.claim("777").await;
    assert_eq!(verdict(monday), Opens, "08:00 in Lisbon");
    assert!(handle.lockt_would_open(room, &LocktPresented::Pin("0986".to_owned()), monday));
    assert_eq!(verdict(utc("2031-07-07T06:59:59Z")), NotYetEffective);
    assert_eq!(verdict(utc("2031-07-07T16:00:00Z")), OutsideSchedule, "17:00");
    assert_eq!(verdict(utc("2031-07-09T09:59:59Z")), Opens);
    assert_eq!(verdict(utc("2031-07-09T10:00:00Z")), Expired);
    assert_eq!(handle.lockt_verdict(office, &card("777"), monday), NoAccessLevel);
    assert_eq!(handle.lockt_verdict(room, &card("778"), monday), Unknown);
    assert_eq!(handle.lockt_verdict(1, &card("777"), monday), NoSuchDoor);
    assert!(!handle.lockt_would_open(room, &LocktPresented::Pin(String::new()), monday), "no PIN is not a PIN");
    sim.lockt_change(LocktChange::UserEnabled { user, enabled: false });
    assert_eq!(verdict(monday), UserDisabled);
    sim.lockt_change(LocktChange::UserEnabled { user, enabled: true });
    sim.lockt_change(LocktChange::Battery { door: room, percent: Some(0) });
    assert_eq!(verdict(monday), BatteryMissing);
    sim.lockt_change(LocktChange::Battery { door: room, percent: Some(5) });
    sim.lockt_change(LocktChange::DoorEnabled { door: room, enabled: false });
    assert_eq!(verdict(monday), DoorDisabled);
    sim.lockt_change(LocktChange::DoorEnabled { door: room, enabled: true });
    let front = sim.named("/accesslevel", "Cardholder").await;
    sim.lockt_change(LocktChange::UserLevels { user, levels: vec![front] });
    assert_eq!(verdict(monday), NoAccessLevel);
    sim.lockt_change(LocktChange::UserRemoved { user });
    assert_eq!(verdict(monday), Unknown);
    let gone = WorldChange::Lockt(LocktChange::UserRemoved { user });
    assert_eq!(handle.change(gone).unwrap_err().0, user.to_string());
}

#[tokio::test]
async fn a_fob_opens_what_its_holder_may_within_both_windows() {
    let sim = still(Mode::Auto).await;
    let level = sim.named("/accesslevel", "Room 101").await;
    let user = json!({ "id_num": "GH-1", "accesslevels": [{ "id": level }], "access_expires": "2031-03-10 00:00:00" });
    let user = sim.lockt_user(user).await;
    let (fob, room) = (sim.named("/fob", "Fob 1").await, sim.named("/door", "Room 101").await);
    let shown = LocktPresented::Fob("9001".to_owned());
    let verdict = |at: &str| sim.handle().lockt_verdict(room, &shown, utc(at));
    assert_eq!(verdict("2031-03-02T12:00:00Z"), LocktVerdict::Unassigned);
    let body = json!({ "fobs": [{ "id": fob, "user_id": user["id"], "access_expires": "2031-03-04 00:00:00" }] });
    assert_eq!(sim.lockt_send(Method::PUT, "/fob", body).await.0, 200);
    assert_eq!(verdict("2031-03-02T12:00:00Z"), LocktVerdict::Opens);
    assert_eq!(verdict("2031-03-04T00:00:00Z"), LocktVerdict::Expired, "the fob's own window");
    sim.present(room, shown.clone(), 0);
    let checked = sim.lockt_list("/fobcheck").await;
    assert_eq!(text(&checked[0]["last_activity"]), "2031-03-02T12:00:00.000Z");
    sim.lockt_change(LocktChange::UserRemoved { user: user["id"].as_u64().unwrap() });
    assert_eq!(verdict("2031-03-02T12:00:00Z"), LocktVerdict::Unassigned);
}

#[tokio::test]
async fn what_is_presented_becomes_an_event() {
    let sim = still(Mode::Auto).await;
    let (room, office) = (sim.named("/door", "Room 101").await, sim.named("/door", "Office").await);
    let owner = sim.lockt_list("/credential?card_num=10000").await;
    sim.present(room, card("10000"), 0);
    sim.present(office, card("424242"), 0);
    sim.lockt_change(LocktChange::Battery { door: office, percent: Some(0) });
    sim.present(office, card("10000"), 0);
    let events = sim.lockt_list("/events").await;
    let common = |id: u64, device: &str, location: &str, card_num: &str, user: &str| {
        json!({
            "id": id, "device": device, "schedule": "", "controller": "Switch™ Bridge", "location": location,
            "card_num": card_num, "user": user, "hw_time": "2031-03-02T12:00:00.000Z",
            "db_time": "2031-03-02T12:00:00.000Z",
            "code": 49, "code_text": "Access Denied", "category": 2, "category_text": "Door Access Denied",
        })
    };
    let mut granted = common(1, "Room 101", "Floor 1", "10000", text(&owner[0]["user"][0]["name"]));
    for (key, value) in [
        ("code", json!(48)),
        ("code_text", json!("Access Granted")),
        ("category", json!(1)),
        ("category_text", json!("Door Access Granted")),
        ("schedule", json!("Always")),
    ] {
        granted[key] = value;
    }
    let mut dead = common(3, "Office", "Main Hall", "10000", "Quill, Ada");
    dead["subcode"] = json!(104);
    dead["subcode_text"] = json!("Battery Missing");
    let unknown = common(2, "Office", "Main Hall", "424242", "");
    assert_eq!(events, [dead, unknown, granted], "the newest first");
    let opened = sim.handle().effects_at(&room.to_string());
    assert_eq!((opened.len(), opened[0].kind), (1, EffectKind::Open));
    assert_eq!(sim.handle().effects(0).entries.len(), 1);
}

#[tokio::test]
async fn a_late_event_gets_a_late_id() {
    let sim = still(Mode::Auto).await;
    let room = sim.named("/door", "Room 101").await;
    sim.present(room, card("10000"), 3600);
    sim.advance(Duration::from_secs(60));
    sim.present(room, card("10010"), 0);
    assert_eq!(sim.event_ids("/events").await, [1]);
    sim.advance(Duration::from_secs(3600));
    let events = sim.lockt_list("/events").await;
    assert_eq!((&events[0]["id"], text(&events[0]["card_num"])), (&json!(2), "10000"));
    let times = (text(&events[0]["hw_time"]), text(&events[0]["db_time"]));
    assert_eq!(times, ("2031-03-02T12:00:00.000Z", "2031-03-02T13:00:00.000Z"));
    sim.present(room, card("10000"), 3600);
    assert_eq!(sim.handle().poke(&gatehouse_simulator::Poke::drain(Vendor::Lockt)), 1);
    assert_eq!(sim.event_ids("/events").await, [3, 2, 1]);
}

#[tokio::test]
async fn the_cache_of_events_forgets_and_a_cursor_finds_the_gap() {
    let mut world = World::empty(3);
    let plan = LocktAccountPlan::new("lockt-demo", "lockt-demo-key", "UTC".parse().unwrap()).hotel(1, 1);
    let exclusive = LocktAccountPlan { events_after_id: true, api_user: "other".to_owned(), ..plan.clone() };
    world.add_lockt_account(LocktAccountPlan { events_cache: 5, ..plan });
    world.add_lockt_account(exclusive);
    let world = WorldChoice::Explicit(Box::new(world));
    let sim = with(SimulatorOptions { world, latency: Latency::none(), ..SimulatorOptions::default() }).await;
    let ids = async |user: &str, path: &str| -> Vec<u64> {
        let request = sim.request(Method::GET, Vendor::Lockt, &format!("/api/v1{path}"));
        let request = request.header("apiuser", user.to_owned()).header("apikey", "lockt-demo-key");
        let (_, body) = answer(request.header("content-type", "application/json")).await;
        body["data"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect()
    };
    for user in ["lockt-demo", "other"] {
        let door = ids(user, "/door").await[0];
        for _ in 0..12 {
            sim.present(door, card("10000"), 0);
        }
    }
    assert_eq!(ids("lockt-demo", "/events").await, [12, 11, 10, 9, 8]);
    assert_eq!(ids("lockt-demo", "/events?id=11").await, [12, 11], "starting with that id");
    assert_eq!(ids("lockt-demo", "/events?id=3").await, [12, 11, 10, 9, 8], "4 to 7 are gone");
    assert_eq!(ids("lockt-demo", "/events?id=99").await, Vec::<u64>::new());
    assert_eq!(ids("other", "/events?id=11").await, [12], "the other reading of the document");
    assert_eq!(ids("other", "/events").await.len(), 12);
}

#[tokio::test]
async fn overlapping_posts_of_one_account_are_refused_and_recorded() {
    let latency = Latency { answer: Duration::from_millis(150), ..Latency::none() };
    let sim = with(SimulatorOptions { latency, ..SimulatorOptions::default() }).await;
    let post = |name: &str| sim.lockt_send(Method::POST, "/door", json!({ "doors": [{ "name": name }] }));
    let (one, two) = tokio::join!(post("A"), post("B"));
    let refused: Vec<&Value> = [&one, &two].into_iter().filter(|(status, _)| *status == 400).map(|it| &it.1).collect();
    let text = "Simultaneous and overlapping POST operations are not permitted.";
    assert_eq!(refused, [&json!({ "result": [text], "errors": [] })]);
    let overlaps = sim.handle().lockt_overlaps();
    assert_eq!((overlaps.len(), overlaps[0].sequence, overlaps[0].during), (1, 2, 1));
    assert_eq!(sim.handle().effects(0).entries.len(), 1, "the refused one did nothing");
    assert_eq!(post("C").await.0, 200, "one after the other");
    let (read, written) = tokio::join!(sim.lockt_list("/user"), post("D"));
    assert_eq!((read.is_empty(), written.0), (false, 200), "a GET is no POST");
    let neighbour = sim.neighbour().lockt;
    let other = sim.request(Method::POST, Vendor::Lockt, "/api/v1/door");
    let other = other.header("apiuser", neighbour.api_user).header("apikey", neighbour.api_key);
    let other = other.header("content-type", "application/json").body(r#"{"doors":[{"name":"E"}]}"#);
    let (first, second) = tokio::join!(answer(other), post("E"));
    assert_eq!((first.0, second.0), (200, 200), "two accounts");
    let url = format!("http://{}/_sim/lockt/overlaps", sim.simulator.address());
    assert_eq!(answer(sim.http.get(url)).await.1, json!([{ "sequence": 2, "during": 1 }]));
}

#[tokio::test]
async fn a_post_whose_client_left_is_still_being_served() {
    let sim = still(Mode::Auto).await;
    sim.handle().add_fault(Fault::new(Vendor::Lockt, FaultKind::DelayAnswer { millis: 3000 }).times(1)).unwrap();
    let body = |name: &str| json!({ "doors": [{ "name": name }] }).to_string();
    let impatient = sim.lockt(Method::POST, "/door").body(body("A")).timeout(Duration::from_millis(150));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    assert_eq!(answer(sim.lockt(Method::POST, "/door").body(body("B"))).await.0, 400);
    assert_eq!(sim.handle().lockt_overlaps().len(), 1);
}

#[tokio::test]
async fn what_is_pending_release_answers_404_until_it_is_released() {
    let pending = [
        (Method::POST, "/uservalidate", "validate_users"),
        (Method::POST, "/credential", "reissue_credentials"),
        (Method::GET, "/fobcheck", "check_fobs"),
        (Method::GET, "/nextcardnum", "next_card_num"),
    ];
    let unreleased =
        with(SimulatorOptions { lockt_pending: false, latency: Latency::none(), ..SimulatorOptions::default() }).await;
    let sim = still(Mode::Auto).await;
    let later = still(Mode::Auto).await;
    later.lockt_change(LocktChange::Pending { api_user: "lockt-demo".to_owned(), served: false });
    for (method, path, operation) in pending {
        let status = async |sim: &Sim| answer(sim.lockt(method.clone(), path)).await.0;
        assert_eq!(status(&unreleased).await, 404, "{path}");
        assert_eq!(status(&later).await, 404, "{path}");
        assert_ne!(status(&sim).await, 404, "{path}");
        assert_eq!(unreleased.handle().requests_to(Vendor::Lockt, operation).len(), 1);
    }
    assert_eq!(answer(unreleased.lockt(Method::GET, "/fob")).await.0, 200);
}

#[tokio::test]
async fn a_lost_answer_has_happened_and_a_broken_instance_stops_in_the_middle() {
    let sim = still(Mode::Auto).await;
    let users = |names: &[&str]| {
        json!({ "users": names.iter().map(|name| json!({ "id_num": name })).collect::<Vec<_>>() }).to_string()
    };
    let fault = |kind| sim.handle().add_fault(Fault::new(Vendor::Lockt, kind).at("import_users").times(1)).unwrap();
    fault(FaultKind::DropAfterEffect);
    assert!(sim.lockt(Method::POST, "/user").body(users(&["lost"])).send().await.is_err());
    assert_eq!(sim.lockt_list("/user?idnum=lost").await.len(), 1);
    fault(FaultKind::PartialFailure { positions: vec![2] });
    let terminated = "Unable to enumerate dependant record. Batch has been terminated and exception flagged.";
    let refused = |text: &str| (400, json!({ "result": [text], "errors": [] }));
    let stopped = answer(sim.lockt(Method::POST, "/user").body(users(&["a", "b", "c"]))).await;
    assert_eq!(stopped, refused(terminated));
    assert_eq!(sim.lockt_list("/user?idnum=a").await.len(), 1);
    assert_eq!(answer(sim.lockt(Method::GET, "/user?idnum=b")).await.0, 404);
    fault(FaultKind::Offline);
    assert_eq!(answer(sim.lockt(Method::POST, "/user").body(users(&["d"]))).await, refused(terminated));
    let template = "Unable to locate template. Batch has been terminated and exception flagged.";
    fault(FaultKind::CommandError { reason: template.to_owned() });
    assert_eq!(answer(sim.lockt(Method::POST, "/user").body(users(&["d"]))).await, refused(template));
    assert_eq!(answer(sim.lockt(Method::GET, "/user?idnum=d")).await.0, 404);
    sim.handle().add_fault(Fault::new(Vendor::Lockt, FaultKind::DropBeforeEffect).for_device("e").times(1)).unwrap();
    assert_eq!(answer(sim.lockt(Method::POST, "/user").body(users(&["d"]))).await.0, 200);
    assert!(sim.lockt(Method::POST, "/user").body(users(&["x", "e"])).send().await.is_err());
    assert_eq!(answer(sim.lockt(Method::GET, "/user?idnum=x")).await.0, 404);
}

#[tokio::test]
async fn the_control_presents_and_asks() {
    let sim = still(Mode::Auto).await;
    let room = sim.named("/door", "Room 101").await;
    let post = async |path: &str, body: Value| {
        let url = format!("http://{}/_sim{path}", sim.simulator.address());
        let response = sim.http.post(url).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let presented = json!({ "what": "presented", "door": room, "credential": { "card": "10000" } });
    assert_eq!(post("/world/lockt", presented).await, (204, String::new()));
    assert_eq!(sim.event_ids("/events").await, [1]);
    let question = json!({ "door": room, "credential": { "pin": "no" }, "at": noon() });
    assert_eq!(post("/lockt/verdict", question).await, (200, r#"{"verdict":"unknown"}"#.to_owned()));
    let nowhere = json!({ "what": "battery", "door": 1, "percent": 3 });
    assert_eq!(post("/world/lockt", nowhere).await.0, 404);
    let renamed = WorldChange::Renamed { vendor: Vendor::Lockt, device: room.to_string(), name: "Suite".to_owned() };
    sim.handle().change(renamed).unwrap();
    assert_eq!(sim.named("/door", "Suite").await, room);
}

#[tokio::test]
async fn a_sized_world_has_thousands() {
    let size = WorldSize { lockt_rooms: 300, lockt_users: 4000, ..WorldSize::default() };
    let clock = SimClock::manual(noon());
    let world = WorldChoice::Sized(size);
    let sim = with(SimulatorOptions { world, clock, latency: Latency::none(), ..SimulatorOptions::default() }).await;
    assert_eq!(sim.lockt_list("/door").await.len(), 304);
    let users = sim.lockt_list("/user").await;
    let ids: std::collections::HashSet<u64> = users.iter().map(|user| user["id"].as_u64().unwrap()).collect();
    assert_eq!((users.len(), ids.len()), (4003, 4003));
}
