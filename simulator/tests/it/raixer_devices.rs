//! What Raixer's devices do: auto access, modes, variables, functions, happenings, history and webhooks.

use std::time::Duration;

use gatehouse_simulator::{EffectKind, Fault, FaultKind, Mode, RaixerChange, SimulatorHandle, Vendor, WorldChange};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    raixer_records::updated,
    support::{Sim, answer, noon, still, text},
};

impl Sim {
    async fn post_device(&self, device: &str, path: &str, body: Value) -> (u16, Value) {
        self.raixer_call(Method::POST, &format!("/devices/{device}/{path}"), body).await
    }

    async fn variable(&self, device: &str, name: &str) -> Value {
        let (status, body) = self.raixer(&format!("/devices/{device}/variable/{name}")).await;
        assert_eq!((status, text(&body["cmd"]), text(&body["name"])), (200, "VarReturn", name));
        body["result"].clone()
    }

    /// Actions of a device's history, the newest first, with who did it.
    async fn history(&self, device: &str) -> Vec<(String, Option<String>, bool)> {
        let (_, connections) = self.raixer("/connections").await;
        let connections = connections.as_array().unwrap();
        let connection = connections.iter().find(|connection| connection["deviceId"] == device).unwrap();
        let (_, history) = self.raixer(&format!("/connections/{}/history", text(&connection["_id"]))).await;
        let entries = history.as_array().unwrap().iter().map(|entry| {
            let action = text(&entry["action"]).strip_prefix("connections.detail.history.action.").unwrap();
            let details = entry["details"].as_str().map(str::to_owned);
            (action.to_owned(), details, entry["error"].as_bool().unwrap())
        });
        entries.collect()
    }

    async fn actions(&self, device: &str) -> Vec<String> {
        self.history(device).await.into_iter().map(|(action, _, _)| action).collect()
    }
}

fn happens(handle: &SimulatorHandle, change: RaixerChange) {
    handle.change(WorldChange::Raixer(change)).unwrap();
}

fn ring(handle: &SimulatorHandle, device: &str, position: u32) {
    happens(handle, RaixerChange::Bell { device: device.to_owned(), position });
}

fn openings(handle: &SimulatorHandle, device: &str) -> usize {
    handle.effects_at(device).iter().filter(|effect| effect.kind == EffectKind::Open).count()
}

fn fired(handle: &SimulatorHandle) -> Vec<String> {
    let entries = handle.webhooks(0).entries;
    assert!(entries.iter().all(|entry| entry.vendor == Vendor::Raixer));
    entries.iter().map(|entry| text(&entry.body["event"]).to_owned()).collect()
}

#[tokio::test]
async fn auto_access_opens_at_the_bell_while_it_lasts() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    ring(&sim.handle(), &device, 1);
    assert_eq!(openings(&sim.handle(), &device), 0, "nobody listens");
    let (status, started) = sim.post_device(&device, "start-job/street", json!({ "minutes": 3 })).await;
    assert_eq!((status, text(&started[0]["msg"])), (200, "The action relay was executed successfully"));
    let status: Vec<String> = text(&sim.variable(&device, "status").await).split(',').map(str::to_owned).collect();
    let user = text(&sim.raixer("/connections").await.1[0]["owner"]).to_owned();
    assert_eq!((status.len(), status[0].as_str(), &status[1]), (6, "1", &user));
    assert_eq!((&status[2], status[4].as_str(), status[5].as_str()), (&noon().timestamp().to_string(), "1", "0"));
    assert!(text(&sim.variable(&device, "status2").await).starts_with("0,,0,"), "only that port");
    sim.advance(Duration::from_secs(179));
    ring(&sim.handle(), &device, 1);
    ring(&sim.handle(), &device, 2);
    assert_eq!(openings(&sim.handle(), &device), 1);
    assert!(text(&sim.variable(&device, "status").await).ends_with(",1,1"));
    sim.advance(Duration::from_secs(2));
    ring(&sim.handle(), &device, 1);
    assert_eq!(openings(&sim.handle(), &device), 1, "it is over");
    let effects = sim.handle().effects_at(&device);
    let ended = effects.iter().find(|effect| effect.kind == EffectKind::AutoAccessEnded).unwrap();
    assert_eq!(ended.at, noon() + Duration::from_secs(180), "at its own time");
    assert_eq!(sim.actions(&device).await, ["stopJob", "doorOpened", "startJob"]);
    assert_eq!(sim.history(&device).await[2].1.as_deref(), Some("Olive Operator"));
}

#[tokio::test]
async fn auto_access_ends_when_stopped_or_used_up() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 5").await;
    let limited = json!({ "minutes": 10, "maxOpenings": 2 });
    let (_, started) = sim.post_device(&device, "start-job/street", limited).await;
    assert_eq!(started.as_array().unwrap().len(), 2, "both street doors");
    assert_eq!(text(&started[1]["msg"]), "The action relay2 was executed successfully");
    for _ in 0..3 {
        ring(&sim.handle(), &device, 2);
    }
    assert_eq!(openings(&sim.handle(), &device), 2);
    let (_, stopped) = answer(sim.raixer_post(&format!("/devices/{device}/stop-job/1"))).await;
    assert_eq!(text(&stopped[0]["msg"]), "The action cut was executed successfully");
    ring(&sim.handle(), &device, 1);
    assert_eq!(openings(&sim.handle(), &device), 2);
    let newest: Vec<String> = sim.actions(&device).await;
    assert_eq!(newest[..2], ["stopJob".to_owned(), "stopJob2".to_owned()]);
    assert_eq!(sim.history(&device).await[0].1.as_deref(), Some("Olive Operator"));
    assert_eq!(sim.history(&device).await[1].1, None, "nobody stopped the second one");
    sim.post_device(&device, "start-job/1", json!({ "minutes": 1 })).await;
    sim.post_device(&device, "start-job/1", json!({ "minutes": 5 })).await;
    sim.advance(Duration::from_secs(120));
    ring(&sim.handle(), &device, 1);
    assert_eq!(openings(&sim.handle(), &device), 3, "the later start counts");
    for wrong in
        [json!({}), json!({ "minutes": "3" }), json!({ "minutes": -1 }), json!({ "minutes": 1, "tolerance": "x" })]
    {
        assert_eq!(sim.post_device(&device, "start-job/1", wrong.clone()).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_deprecated_auto_access_concerns_the_first_port() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    let (_, started) = sim.post_device(&device, "start-job", json!({ "minutes": 3 })).await;
    assert_eq!(text(&started["msg"]), "The action relay was executed successfully");
    ring(&sim.handle(), &device, 1);
    let (_, stopped) = answer(sim.raixer_post(&format!("/devices/{device}/stop-job"))).await;
    assert_eq!(text(&stopped["status"]), "success");
    ring(&sim.handle(), &device, 1);
    assert_eq!(openings(&sim.handle(), &device), 1);
}

#[tokio::test]
async fn doors_open_as_they_are_configured() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    let door = text(&sim.raixer(&format!("/devices/{device}/doors")).await.1[0]["_id"]).to_owned();
    let slow = json!({ "twoOpenings": true, "mustCallBellFirst": true, "waitTimeFirst": 2 });
    sim.raixer_call(Method::PUT, &format!("/devices/{device}/doors/{door}"), slow).await;
    sim.handle().clear_journal();
    answer(sim.raixer_post(&format!("/devices/{device}/open-door/1"))).await;
    assert_eq!(sim.kinds_at(&device), [EffectKind::Bell]);
    sim.advance(Duration::from_secs(10));
    assert_eq!(sim.kinds_at(&device), [EffectKind::Bell, EffectKind::Open, EffectKind::Open]);
    let opened = sim.handle().effects_at(&door).pop().unwrap();
    assert_eq!((opened.at, opened.position), (noon() + Duration::from_secs(2), Some(1)));
    assert!(opened.caused_by.is_some());
}

#[tokio::test]
async fn modes_make_a_device_listen_by_itself() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    let online = |online| WorldChange::RaixerOnline { device: device.clone(), online };
    let offline_mode = json!({ "offlineAutoAccess": true });
    assert_eq!(sim.post_device(&device, "offline-auto-access", offline_mode).await, (200, updated()));
    ring(&sim.handle(), &device, 1);
    sim.handle().change(online(false)).unwrap();
    ring(&sim.handle(), &device, 1);
    sim.handle().change(online(true)).unwrap();
    ring(&sim.handle(), &device, 1);
    assert_eq!(openings(&sim.handle(), &device), 1, "only while offline");
    let always = json!({ "autoAccessAlwaysActive": true });
    assert_eq!(sim.post_device(&device, "auto-access-always-active", always).await, (200, updated()));
    answer(sim.raixer_post(&format!("/devices/{device}/stop-job/1"))).await;
    for _ in 0..10 {
        ring(&sim.handle(), &device, 1);
    }
    assert_eq!(openings(&sim.handle(), &device), 11, "no stop and no limit ends it");
    assert!(text(&sim.variable(&device, "status").await).starts_with("1,"));
    sim.post_device(&device, "auto-access-always-active", json!({ "autoAccessAlwaysActive": false })).await;
    ring(&sim.handle(), &device, 1);
    assert_eq!(openings(&sim.handle(), &device), 11);
    assert_eq!(sim.post_device(&device, "offline-auto-access", json!({ "offlineAutoAccess": 1 })).await.0, 400);
    assert_eq!(sim.post_device(&device, "auto-access-always-active", json!({})).await.0, 400);
    assert_eq!(fired(&sim.handle()), ["offline", "online"]);
}

#[tokio::test]
async fn a_limit_ends_listening_while_offline_and_not_when_always_active() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    sim.post_device(&device, "offline-auto-access", json!({ "offlineAutoAccess": true })).await;
    sim.handle().change(WorldChange::RaixerOnline { device: device.clone(), online: false }).unwrap();
    for _ in 0..9 {
        ring(&sim.handle(), &device, 1);
    }
    assert_eq!(openings(&sim.handle(), &device), 7, "as many as the door is configured for");
    assert_eq!(sim.actions(&device).await, [""; 0], "offline, it told nobody");
    sim.handle().change(WorldChange::RaixerOnline { device: device.clone(), online: true }).unwrap();
    sim.post_device(&device, "start-job/1", json!({ "minutes": 5, "maxOpenings": 1 })).await;
    sim.post_device(&device, "auto-access-always-active", json!({ "autoAccessAlwaysActive": true })).await;
    sim.handle().clear_journal();
    ring(&sim.handle(), &device, 1);
    ring(&sim.handle(), &device, 1);
    use EffectKind::{Bell, Open};
    assert_eq!(sim.kinds_at(&device), [Bell, Open, Bell, Open], "nothing ended");
}

#[tokio::test]
async fn a_schedule_starts_auto_access_at_its_time() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    let campaign = sim.raixer(&format!("/devices/{device}")).await.1["campaignId"].clone();
    let start = noon() + Duration::from_secs(3600);
    for (at, port) in [(start.timestamp_millis(), "2"), (noon().timestamp_millis() - 1, "1")] {
        let body = json!({ "campaignId": campaign, "time": 30, "schedule": at, "doorPort": port });
        assert_eq!(sim.raixer_call(Method::POST, "/schedules", body).await.0, 200);
    }
    ring(&sim.handle(), &device, 1);
    ring(&sim.handle(), &device, 2);
    assert_eq!(openings(&sim.handle(), &device), 0, "one is over, one is to come");
    sim.advance(Duration::from_secs(3600 + 29 * 60));
    ring(&sim.handle(), &device, 2);
    assert_eq!(openings(&sim.handle(), &device), 1);
    sim.advance(Duration::from_secs(3600));
    ring(&sim.handle(), &device, 2);
    assert_eq!(openings(&sim.handle(), &device), 1);
    assert_eq!(sim.actions(&device).await, ["stopJob2", "doorOpened2", "startJobAutoAccess2"]);
    let effects = sim.handle().effects_at(&device);
    let moment = |kind| effects.iter().find(|effect| effect.kind == kind).unwrap().at;
    assert_eq!(moment(EffectKind::AutoAccessStarted), start);
    assert_eq!(moment(EffectKind::AutoAccessEnded), start + Duration::from_secs(1800));
}

#[tokio::test]
async fn a_deleted_schedule_or_an_offline_device_starts_nothing() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    let offline = sim.intercom("Mill lane 4").await;
    let mut made = Vec::new();
    for id in [&device, &offline] {
        let campaign = sim.raixer(&format!("/devices/{id}")).await.1["campaignId"].clone();
        let body = json!({ "campaignId": campaign, "time": 30, "schedule": noon().timestamp_millis() + 1000 });
        made.push(sim.raixer_call(Method::POST, "/schedules", body).await.1["insertedId"].clone());
    }
    sim.raixer_call(Method::DELETE, &format!("/schedules/{}", text(&made[0])), Value::Null).await;
    sim.advance(Duration::from_secs(10));
    ring(&sim.handle(), &device, 1);
    ring(&sim.handle(), &offline, 1);
    assert_eq!(openings(&sim.handle(), &device) + openings(&sim.handle(), &offline), 0);
    assert_eq!(sim.history(&offline).await, [("startJobAutoAccess".to_owned(), None, true)]);
}

#[tokio::test]
async fn happenings_are_told_to_webhooks_and_history() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 5").await;
    let id = || device.clone();
    for change in [
        RaixerChange::Door { device: id(), position: 3, open: true },
        RaixerChange::Door { device: id(), position: 3, open: true },
        RaixerChange::Door { device: id(), position: 3, open: false },
        RaixerChange::Movement { device: id(), detected: true },
        RaixerChange::Movement { device: id(), detected: true },
        RaixerChange::Movement { device: id(), detected: false },
        RaixerChange::Power { device: id(), on: false },
        RaixerChange::Power { device: id(), on: true },
        RaixerChange::Button { device: id() },
    ] {
        happens(&sim.handle(), change);
    }
    let told = ["door-open", "door-closed", "movement-1", "movement-0", "power-out", "power-in", "mainButton-press"];
    assert_eq!(fired(&sim.handle()), told);
    let first = &sim.handle().webhooks(0).entries[0];
    let body =
        json!({ "event": "door-open", "data": "", "coreid": device, "published_at": "2031-03-02T12:00:00.000Z" });
    assert_eq!((&first.body, first.account.as_str()), (&body, "raixer-demo"));
    let mut actions = sim.actions(&device).await;
    actions.reverse();
    assert_eq!(actions, ["doorIsOpen3", "doorIsClosed3", "movementDetected", "powerOut", "powerIn", "physicalButton"]);
    sim.handle().change(WorldChange::RaixerOnline { device: id(), online: false }).unwrap();
    happens(&sim.handle(), RaixerChange::Door { device: id(), position: 1, open: true });
    assert_eq!(fired(&sim.handle()).last().map(String::as_str), Some("offline"), "nothing is told from offline");
    let nowhere = RaixerChange::Bell { device: "nowhere".to_owned(), position: 1 };
    assert!(sim.handle().change(WorldChange::Raixer(nowhere)).is_err());
    let no_door = RaixerChange::Bell { device: sim.intercom("Market street 1").await, position: 2 };
    assert!(sim.handle().change(WorldChange::Raixer(no_door)).is_err());
}

#[tokio::test]
async fn a_telephone_opens_for_those_who_may_call() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    let call = |number| happens(&sim.handle(), RaixerChange::PhoneCall { device: device.clone(), position: 1, number });
    let body = json!({ "deviceId": device, "phoneNumber": 34_600 });
    let (_, phone) = sim.raixer_call(Method::POST, "/authorized-phones", body).await;
    call(34_600);
    assert_eq!(openings(&sim.handle(), &device), 0, "the door takes no calls");
    let doors = format!("/devices/{device}/doors");
    let door = format!("{doors}/{}/phone", text(&sim.raixer(&doors).await.1[0]["_id"]));
    answer(sim.raixer_post(&format!("{door}/enable"))).await;
    call(34_600);
    call(34_601);
    assert_eq!((openings(&sim.handle(), &device), sim.actions(&device).await), (1, vec!["phoneCall".to_owned()]));
    let suspend = json!({ "deviceId": device, "phoneNumber": 34_600, "authorized": false });
    sim.raixer_call(Method::PUT, &format!("/authorized-phones/{}", text(&phone["insertedId"])), suspend).await;
    call(34_600);
    assert_eq!(openings(&sim.handle(), &device), 1);
    answer(sim.raixer_post(&format!("{door}/any-caller/enable"))).await;
    call(99_999);
    assert_eq!(openings(&sim.handle(), &device), 2);
}

#[tokio::test]
async fn the_movement_alarm_counts_to_three_or_never_ends() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    let alarms = || sim.kinds_at(&device).into_iter().filter(|kind| *kind == EffectKind::MovementAlarm).count();
    let walk_by = |times: usize| {
        for detected in [true, false].repeat(times) {
            happens(&sim.handle(), RaixerChange::Movement { device: device.clone(), detected });
        }
    };
    walk_by(1);
    assert_eq!(alarms(), 0);
    let (_, once) = answer(sim.raixer_post(&format!("/devices/{device}/movement-alarm/1"))).await;
    let expected = json!({
        "status": "success", "msg": "The action alarm was executed successfully", "deviceId": device, "result": 1,
    });
    assert_eq!(once, expected);
    walk_by(5);
    assert_eq!((alarms(), sim.variable(&device, "moveAlarm").await), (3, json!(0)));
    answer(sim.raixer_post(&format!("/devices/{device}/movement-alarm/infinite"))).await;
    walk_by(5);
    assert_eq!(alarms(), 8);
    let (_, off) = answer(sim.raixer_post(&format!("/devices/{device}/movement-alarm/0"))).await;
    walk_by(1);
    assert_eq!((alarms(), &off["result"]), (8, &json!(0)));
    assert_eq!(answer(sim.raixer_post(&format!("/devices/{device}/movement-alarm/2"))).await.0, 400);
    let small = sim.intercom("Mill lane 4").await;
    assert_eq!(answer(sim.raixer_post(&format!("/devices/{small}/movement-alarm/1"))).await.0, 404);
}

#[tokio::test]
async fn history_has_pages_of_ten_the_newest_first() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 1").await;
    for position in [1; 23] {
        answer(sim.raixer_post(&format!("/devices/{device}/open-door/{position}"))).await;
        sim.advance(Duration::from_secs(1));
    }
    let (_, connections) = sim.raixer("/connections").await;
    let own = connections.as_array().unwrap().iter().find(|own| own["deviceId"] == device.as_str()).unwrap();
    let path = format!("/connections/{}/history", text(&own["_id"]));
    let (_, first) = sim.raixer(&path).await;
    assert_eq!((first.as_array().unwrap().len(), text(&first[0]["created"])), (10, "2031-03-02T12:00:22.000Z"));
    assert_eq!(sim.raixer(&format!("{path}?page=0")).await.1, first);
    let (_, last) = sim.raixer(&format!("{path}?page=2")).await;
    assert_eq!((last.as_array().unwrap().len(), text(&last[2]["created"])), (3, "2031-03-02T12:00:00.000Z"));
    assert_eq!(sim.raixer(&format!("{path}?page=3")).await.1, json!([]));
    assert_eq!(sim.raixer(&format!("{path}?page=x")).await.0, 400);
    assert_eq!(sim.raixer("/connections/nowhere/history").await.0, 404);
}

#[tokio::test]
async fn faults_hit_auto_access_and_variables_too() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 5").await;
    let path = format!("/devices/{device}/start-job/street");
    let start = || answer(sim.raixer_post(&path).body(r#"{"minutes":3}"#));
    let partial = FaultKind::PartialFailure { positions: vec![1] };
    sim.handle().add_fault(Fault::new(Vendor::Raixer, partial).for_device(&device).times(1)).unwrap();
    let (_, results) = start().await;
    assert_eq!((text(&results[0]["status"]), text(&results[1]["status"])), ("error", "success"));
    assert_eq!(sim.kinds_at(&device), [EffectKind::AutoAccessStarted]);
    assert!(sim.history(&device).await[1].2, "the failed one is told as an error");
    sim.handle().add_fault(Fault::new(Vendor::Raixer, FaultKind::Offline).at("get_variable").times(1)).unwrap();
    assert_eq!(sim.raixer(&format!("/devices/{device}/variable/status")).await.0, 500);
    let lost = Fault::new(Vendor::Raixer, FaultKind::DropAfterEffect).at("create_authorized_phone").times(1);
    sim.handle().add_fault(lost).unwrap();
    let body = json!({ "deviceId": device, "phoneNumber": 5 });
    assert!(sim.raixer_post("/authorized-phones").json(&body).send().await.is_err());
    sim.raixer_call(Method::POST, "/authorized-phones", body).await;
    let created = sim.kinds_at(&device).into_iter().filter(|kind| *kind == EffectKind::PhoneNumberAuthorised);
    assert_eq!(created.count(), 2, "a create that happened twice shows");
}
