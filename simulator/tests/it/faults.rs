//! The network's and the answers' faults, as a client on the other end of the socket sees them.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use gatehouse_simulator::{Fault, FaultKind, Latency, Mode, Outcome, SimulatorOptions, Vendor};
use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Sim, answer, still, text, with};

async fn door(sim: &Sim) -> (String, String) {
    let device = sim.intercom("Market street 1").await;
    (format!("/devices/{device}/open-door/1"), device)
}

fn once(kind: FaultKind) -> Fault {
    Fault::new(Vendor::Raixer, kind).at("open_door_at").times(1)
}

/// Waits for something that happens on its own, for five seconds at most.
async fn until(mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap();
}

/// Everything a raw client receives until the end of the connection, and how it ended.
async fn raw(sim: &Sim, path: &str) -> (Vec<u8>, Option<ErrorKind>) {
    let mut socket = TcpStream::connect(sim.simulator.address()).await.unwrap();
    let request = format!(
        "POST /raixer{path} HTTP/1.1\r\nhost: x\r\nauthorization: Basic cmFpeGVyLWRlbW86cmFpeGVyLWRlbW8tcGFzc3dvcmQ=\r\n\
         content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let mut buffer = [0_u8; 1024];
    loop {
        let read = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut buffer)).await;
        match read.unwrap() {
            Ok(0) => return (received, None),
            Ok(length) => received.extend_from_slice(&buffer[..length]),
            Err(error) => return (received, Some(error.kind())),
        }
    }
}

#[tokio::test]
async fn a_dropped_connection_gives_not_one_byte() {
    let sim = still(Mode::Auto).await;
    let (path, device) = door(&sim).await;
    for (kind, effects) in [(FaultKind::DropBeforeEffect, 0), (FaultKind::DropAfterEffect, 1)] {
        sim.handle().clear_journal();
        sim.handle().add_fault(once(kind.clone())).unwrap();
        let (received, _) = raw(&sim, &path).await;
        assert_eq!(received, b"", "{kind:?}: closed before the status line");
        assert_eq!(sim.handle().effects_at(&device).len(), effects, "{kind:?}");
        let entry = &sim.handle().requests_to(Vendor::Raixer, "open_door_at")[0];
        assert_eq!(
            (entry.outcome, entry.status, entry.faults.as_slice()),
            (Outcome::Dropped, None, &[kind.name().to_owned()][..])
        );
    }
    assert_eq!(answer(sim.raixer_post(&path)).await.0, 200, "only once");
}

#[tokio::test]
async fn a_client_library_sees_a_dropped_connection_as_an_error() {
    let sim = still(Mode::Auto).await;
    let (path, _) = door(&sim).await;
    sim.handle().add_fault(once(FaultKind::DropAfterEffect)).unwrap();
    let error = sim.raixer_post(&path).send().await.unwrap_err();
    assert!(error.is_request() && !error.is_connect() && !error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn an_answer_can_end_in_its_middle() {
    let sim = still(Mode::Auto).await;
    let (path, device) = door(&sim).await;
    sim.handle().add_fault(once(FaultKind::DropMidAnswer)).unwrap();
    let (received, _) = raw(&sim, &path).await;
    let received = String::from_utf8(received).unwrap();
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    assert!(!body.is_empty() && body.len() < length, "{} of {length}", body.len());
    assert_eq!(sim.handle().effects_at(&device).len(), 1);
}

#[tokio::test]
async fn delays_come_before_or_after_the_effect() {
    let sim = still(Mode::Auto).await;
    let (path, device) = door(&sim).await;
    for (kind, effects_meanwhile) in
        [(FaultKind::Delay { millis: 600 }, 0), (FaultKind::DelayAnswer { millis: 600 }, 1)]
    {
        sim.handle().clear_journal();
        sim.handle().add_fault(once(kind.clone())).unwrap();
        let started = Instant::now();
        let opening = tokio::spawn(answer(sim.raixer_post(&path)));
        until(|| sim.handle().faults().is_empty() && sim.handle().effects_at(&device).len() == effects_meanwhile).await;
        assert!(!opening.is_finished(), "{kind:?}");
        assert_eq!(opening.await.unwrap().0, 200);
        assert!(started.elapsed() >= Duration::from_millis(600));
        assert_eq!(sim.handle().effects_at(&device).len(), 1);
    }
}

#[tokio::test]
async fn it_happens_even_if_the_client_has_left() {
    let sim = still(Mode::Auto).await;
    let (path, device) = door(&sim).await;
    sim.handle().add_fault(once(FaultKind::Delay { millis: 800 })).unwrap();
    let error = sim.raixer_post(&path).timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(sim.handle().effects_at(&device), []);
    until(|| sim.handle().effects_at(&device).len() == 1).await;
    until(|| sim.handle().requests_to(Vendor::Raixer, "open_door_at")[0].client_left).await;
}

#[tokio::test]
async fn a_hanging_request_gets_no_answer() {
    let sim = still(Mode::Auto).await;
    let (path, device) = door(&sim).await;
    for (after_effect, effects) in [(false, 0), (true, 1)] {
        sim.handle().add_fault(once(FaultKind::Hang { after_effect })).unwrap();
        let error = sim.raixer_post(&path).timeout(Duration::from_millis(400)).send().await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(sim.handle().effects_at(&device).len(), effects);
    }
    // Somebody who hangs does not keep the simulator from stopping.
    sim.handle().add_fault(once(FaultKind::Hang { after_effect: false })).unwrap();
    let hanging = tokio::spawn(sim.raixer_post(&path).send());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = Instant::now();
    sim.simulator.shutdown().await;
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn statuses_carry_the_vendors_body_and_retry_after() {
    let sim = still(Mode::Auto).await;
    let (path, device) = door(&sim).await;
    for code in [401, 403, 404, 408, 429, 500, 502, 503] {
        let retry_after = (code == 429).then_some(7);
        sim.handle().add_fault(once(FaultKind::Status { code, retry_after, after_effect: false })).unwrap();
        let response = sim.raixer_post(&path).send().await.unwrap();
        assert_eq!(response.status().as_u16(), code);
        let after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(after.as_deref(), retry_after.map(|_| "7"));
    }
    assert_eq!(sim.handle().effects_at(&device), []);
    sim.handle().add_fault(once(FaultKind::Status { code: 504, retry_after: None, after_effect: true })).unwrap();
    assert_eq!(answer(sim.raixer_post(&path)).await.0, 504);
    assert_eq!(sim.handle().effects_at(&device).len(), 1);

    let bikeep = FaultKind::Status { code: 500, retry_after: None, after_effect: false };
    sim.handle().add_fault(Fault::new(Vendor::Bikeep, bikeep).times(1)).unwrap();
    let (status, body) = sim.bikeep("/device/v1/devices/x").await;
    assert_eq!((status, text(&body["error_code"])), (500, "ERRORS.INTERNAL"));
}

#[tokio::test]
async fn spoiled_answers_come_after_the_effect() {
    let sim = still(Mode::Auto).await;
    let (path, device) = door(&sim).await;
    for kind in [FaultKind::Garbage, FaultKind::Truncated, FaultKind::WrongContentType] {
        sim.handle().clear_journal();
        sim.handle().add_fault(once(kind.clone())).unwrap();
        let response = sim.raixer_post(&path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let html = response.headers()["content-type"].to_str().unwrap().starts_with("text/html");
        let body = response.text().await.unwrap();
        let json = serde_json::from_str::<serde_json::Value>(&body).is_ok();
        assert_eq!(
            (html, json),
            (kind == FaultKind::WrongContentType, kind == FaultKind::WrongContentType),
            "{kind:?}"
        );
        assert!(!body.is_empty());
        assert_eq!(sim.handle().effects_at(&device).len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn faults_are_counted_aimed_and_removed() {
    let sim = still(Mode::Auto).await;
    let (path, device) = door(&sim).await;
    let failing = FaultKind::Status { code: 503, retry_after: None, after_effect: false };
    let fault = Fault::new(Vendor::Raixer, failing);
    sim.handle().add_fault(fault.clone().times(2)).unwrap();
    let statuses = [sim.raixer("/devices").await.0, sim.raixer("/devices").await.0, sim.raixer("/devices").await.0];
    assert_eq!(statuses, [503, 503, 200]);

    let id = sim.handle().add_fault(fault.clone().at("open_door_at").for_device(&device)).unwrap();
    let other = sim.intercom("Mill lane 2").await;
    assert_eq!(answer(sim.raixer_post(&format!("/devices/{other}/open-door/1"))).await.0, 200);
    assert_eq!(answer(sim.raixer_post(&path)).await.0, 503);
    assert_eq!(answer(sim.raixer_post(&path)).await.0, 503, "until removed");
    assert_eq!(sim.handle().faults()[0].hits, 2);
    assert!(sim.handle().remove_fault(id));
    assert!(!sim.handle().remove_fault(id));
    assert_eq!(answer(sim.raixer_post(&path)).await.0, 200);
}

#[tokio::test]
async fn faults_that_could_never_hit_are_refused() {
    let sim = still(Mode::Auto).await;
    let stuck = |state: &str| FaultKind::CommandStuck { state: state.to_owned() };
    for impossible in [
        Fault::new(Vendor::Bikeep, FaultKind::Garbage).at("open_sesame"),
        Fault::new(Vendor::Bikeep, FaultKind::Offline).at("get_device"),
        Fault::new(Vendor::Bikeep, FaultKind::Garbage).times(0),
        Fault::new(Vendor::Bikeep, FaultKind::PartialFailure { positions: Vec::new() }),
        Fault::new(Vendor::Bikeep, stuck("SUCCESS")),
        Fault::new(Vendor::Raixer, stuck("SENT")),
        Fault::new(Vendor::Parqex, FaultKind::CommandError { reason: String::new() }),
        Fault::new(Vendor::Parqex, FaultKind::ParqexMessage { name: "fine".to_owned(), http_status: None }),
        Fault::new(Vendor::Raixer, FaultKind::Status { code: 200, retry_after: None, after_effect: false }),
    ] {
        assert!(sim.handle().add_fault(impossible.clone()).is_err(), "{impossible:?}");
    }
    assert_eq!(sim.handle().faults(), []);
}

#[tokio::test]
async fn default_latencies_let_a_command_take_its_time() {
    let sim = with(SimulatorOptions { latency: Latency::default(), ..SimulatorOptions::default() }).await;
    let dock = &sim.free("BIKE_DOCK").await[0];
    let (_, command) = sim.command(dock, serde_json::json!({ "command": "lock" })).await;
    assert_eq!(text(&command["state"]["value"]), "SENT");
    let path = format!("/device/v1/commands/{}", text(&command["id"]));
    let mut polls = 0;
    while text(&sim.bikeep(&path).await.1["state"]["value"]) != "SUCCESS" {
        polls += 1;
        assert!(polls < 500);
    }
}
