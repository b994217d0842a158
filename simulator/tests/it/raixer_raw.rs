//! What Raixer's devices tell and do under their own names: information, variables, functions.

use gatehouse_simulator::{EffectKind, Mode, RaixerChange, WorldChange};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Sim, answer, noon, still, text};

impl Sim {
    async fn function(&self, device: &str, name: &str, body: Value) -> (u16, Value) {
        self.raixer_call(Method::POST, &format!("/devices/{device}/function/{name}"), body).await
    }
}

#[tokio::test]
async fn information_lists_what_the_type_has() {
    let sim = still(Mode::Auto).await;
    let information = async |name: &str| {
        let device = sim.intercom(name).await;
        sim.raixer(&format!("/devices/{device}/information")).await.1
    };
    let two = information("Market street 3").await;
    assert_eq!((two.as_object().unwrap().len(), &two["connected"]), (19, &json!(true)));
    let access = information("Market street 5").await;
    let one = information("Mill lane 4").await;
    assert_eq!(one["connected"], json!(false));
    let has = |of: &Value, variable: &str| of["variables"].get(variable).is_some();
    let can = |of: &Value, function: &str| of["functions"].as_array().unwrap().contains(&json!(function));
    for (name, expected) in [
        ("status", [true, true, true]),
        ("status2", [false, true, true]),
        ("doorIsOpen", [true, true, false]),
        ("doorIsOpen2", [false, true, false]),
        ("doorIsOpen3", [false, false, true]),
        ("moveAlarm", [false, true, true]),
    ] {
        assert_eq!([has(&one, name), has(&two, name), has(&access, name)], expected, "{name}");
    }
    for (name, expected) in [
        ("openDoor", [true, true, true]),
        ("openDoor2", [false, true, true]),
        ("openDoor3", [false, false, true]),
        ("alarm", [false, true, true]),
        ("offlineAA", [true, true, true]),
    ] {
        assert_eq!([can(&one, name), can(&two, name), can(&access, name)], expected, "{name}");
    }
}

#[tokio::test]
async fn every_listed_variable_can_be_read() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    let (_, information) = sim.raixer(&format!("/devices/{device}/information")).await;
    for (name, kind) in information["variables"].as_object().unwrap() {
        let (status, body) = sim.raixer(&format!("/devices/{device}/variable/{name}")).await;
        assert_eq!((status, text(&body["name"])), (200, name.as_str()));
        let fits = match text(kind) {
            "string" => body["result"].is_string(),
            "bool" => body["result"].is_boolean(),
            _ => body["result"].is_i64(),
        };
        assert!(fits, "{name}: {body}");
    }
    let read = async |name: &str| sim.raixer(&format!("/devices/{device}/variable/{name}")).await.1["result"].clone();
    assert_eq!((read("openValue").await, read("tolerance2").await), (json!(7500), json!(1000)));
    assert_eq!(read("timeNow").await, json!(noon().timestamp()));
    let over_http = format!("http://{}/_sim/world/raixer", sim.simulator.address());
    let open = json!({ "what": "door", "device": device, "position": 2, "open": true });
    assert_eq!(sim.http.post(over_http).json(&open).send().await.unwrap().status(), 204);
    let moving = RaixerChange::Movement { device: device.clone(), detected: true };
    sim.handle().change(WorldChange::Raixer(moving)).unwrap();
    assert_eq!((read("doorIsOpen").await, read("doorIsOpen2").await), (json!(0), json!(1)));
    assert_eq!((read("movement").await, read("lastMovement").await), (json!(1), json!(noon().timestamp())));
    assert_eq!(sim.raixer(&format!("/devices/{device}/variable/doorIsOpen3")).await.0, 404, "an Access has it");
    let offline = sim.intercom("Mill lane 4").await;
    assert_eq!(sim.raixer(&format!("/devices/{offline}/variable/status")).await.0, 500);
    assert_eq!(sim.raixer("/devices/nowhere/variable/status").await.0, 403);
}

#[tokio::test]
async fn every_listed_function_can_be_executed() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 5").await;
    let (_, information) = sim.raixer(&format!("/devices/{device}/information")).await;
    for name in information["functions"].as_array().unwrap() {
        let name = text(name);
        let body = match name {
            "relay" | "relay2" => json!({ "arg": "3,me" }),
            "setValues" | "setValues2" => json!({ "arg": "6500,900,5,1,0,1,2" }),
            _ => json!({ "arg": 1 }),
        };
        let (status, answer) = sim.function(&device, name, body).await;
        assert_eq!((status, text(&answer["status"]), &answer["notifications"]), (200, "success", &json!([])), "{name}");
        assert_eq!(text(&answer["msg"]), format!("The action {name} was executed successfully"));
        assert!(answer["result"].is_i64(), "{name}: {answer}");
    }
    let kinds = sim.kinds_at(&device);
    let count = |kind| kinds.iter().filter(|found| **found == kind).count();
    assert_eq!((count(EffectKind::DirectFunction), count(EffectKind::DiscouragedFunction)), (7, 24));
}

#[tokio::test]
async fn functions_do_what_their_endpoints_do() {
    let sim = still(Mode::Auto).await;
    let device = sim.intercom("Market street 3").await;
    let result = async |name: &str, arg: Value| {
        let (status, body) = sim.function(&device, name, json!({ "arg": arg })).await;
        assert_eq!(status, 200, "{name}");
        body["result"].clone()
    };
    assert_eq!(result("relay", json!("3,me")).await, json!(0), "an intercom wants all its parts");
    assert_eq!(result("add", json!(2)).await, json!(0), "nothing to add to");
    assert_eq!(result("relay", json!("1,me,7000,1000,7,0")).await, json!(1));
    assert_eq!(result("add", json!(2)).await, json!(1));
    sim.advance(std::time::Duration::from_secs(170));
    let bell = RaixerChange::Bell { device: device.clone(), position: 1 };
    sim.handle().change(WorldChange::Raixer(bell.clone())).unwrap();
    assert_eq!(sim.kinds_at(&device).last(), Some(&EffectKind::Open), "a minute and two more");
    assert_eq!(result("cut", Value::String(String::new())).await, json!(1));
    assert_eq!(result("alwaysActive", json!("1")).await, json!(1));
    assert_eq!(result("waitBells", json!(30)).await, json!(1));
    sim.handle().clear_journal();
    for _ in 0..3 {
        sim.handle().change(WorldChange::Raixer(bell.clone())).unwrap();
    }
    let opened = sim.kinds_at(&device).into_iter().filter(|kind| *kind == EffectKind::Open).count();
    assert_eq!(opened, 1, "further rings within 30 seconds go unnoticed");
    assert_eq!(result("lastMove", Value::String(String::new())).await, json!(0));
    let moving = RaixerChange::Movement { device: device.clone(), detected: true };
    sim.handle().change(WorldChange::Raixer(moving)).unwrap();
    assert_ne!(result("lastMove", Value::String(String::new())).await, json!(0));
    assert_eq!(result("lastMove", Value::String(String::new())).await, json!(0), "told once");
    assert_eq!((result("alarm", json!("infinite")).await, result("alarm", json!(0)).await), (json!(1), json!(0)));
    for (name, body) in [("alarm", json!({})), ("offlineAA", json!({ "arg": 2 })), ("waitBells", json!({ "arg": "x" }))]
    {
        assert_eq!(sim.function(&device, name, body).await.0, 400, "{name}");
    }
    assert_eq!(sim.function(&device, "openDoor3", json!({})).await.0, 404, "an Access has it");
    let offline = sim.intercom("Mill lane 4").await;
    let (status, body) = answer(sim.raixer_post(&format!("/devices/{offline}/function/state"))).await;
    assert_eq!((status, text(&body["status"]), body.get("result")), (200, "error", None));
}
