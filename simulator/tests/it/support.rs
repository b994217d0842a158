//! Starting simulators and talking to them.

use std::{sync::Once, time::Duration};

use chrono::{DateTime, Utc};
use gatehouse_simulator::{
    DemoCredentials, Latency, Mode, SimClock, Simulator, SimulatorHandle, SimulatorOptions, Vendor, start,
};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

pub(crate) struct Sim {
    pub(crate) simulator: Simulator,
    pub(crate) http: Client,
}

pub(crate) fn noon() -> DateTime<Utc> {
    "2031-03-02T12:00:00Z".parse().unwrap()
}

/// A demo world without latency whose clock stands at noon.
pub(crate) async fn still(mode: Mode) -> Sim {
    with(SimulatorOptions {
        mode,
        latency: Latency::none(),
        clock: SimClock::manual(noon()),
        ..SimulatorOptions::default()
    })
    .await
}

#[expect(
    clippy::disallowed_methods,
    reason = "these tests are the outside: they must not see the simulator through our own client"
)]
pub(crate) async fn with(options: SimulatorOptions) -> Sim {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    Sim { simulator: start(options).await.unwrap(), http: Client::builder().build().unwrap() }
}

impl Sim {
    pub(crate) fn handle(&self) -> SimulatorHandle {
        self.simulator.handle()
    }

    pub(crate) fn operator(&self) -> DemoCredentials {
        self.simulator.credentials()[0].clone()
    }

    pub(crate) fn neighbour(&self) -> DemoCredentials {
        self.simulator.credentials()[1].clone()
    }

    pub(crate) fn request(&self, method: Method, vendor: Vendor, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.simulator.base_url(vendor)))
    }

    /// A client that shows where it is sent instead of going there.
    #[expect(clippy::disallowed_methods, reason = "as for the other client of these tests")]
    pub(crate) fn browser(&self) -> Client {
        Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.handle().advance(by);
    }

    // Bikeep

    pub(crate) async fn bikeep(&self, path: &str) -> (u16, Value) {
        let token = self.operator().bikeep.token;
        answer(self.request(Method::GET, Vendor::Bikeep, path).bearer_auth(token)).await
    }

    pub(crate) async fn command(&self, device: &str, body: Value) -> (u16, Value) {
        let path = format!("/device/v1/devices/{device}/commands");
        let token = self.operator().bikeep.token;
        answer(self.request(Method::POST, Vendor::Bikeep, &path).bearer_auth(token).json(&body)).await
    }

    pub(crate) async fn device(&self, id: &str) -> Value {
        let (status, device) = self.bikeep(&format!("/device/v1/devices/{id}")).await;
        assert_eq!(status, 200, "{device}");
        device
    }

    /// Ids of the operator's Bikeep devices of a type that are free and awake.
    pub(crate) async fn free(&self, kind: &str) -> Vec<String> {
        let mut found = Vec::new();
        for location in self.operator().bikeep.locations {
            let (_, list) = self.bikeep(&format!("/device/v1/locations/{location}/devices")).await;
            let devices = list["data"].as_array().unwrap().iter();
            found.extend(
                devices
                    .filter(|device| device["type"] == kind && device["user"].is_null() && device["sleep_state"] == "")
                    .map(|device| device["id"].as_str().unwrap().to_owned()),
            );
        }
        found
    }

    // Raixer

    pub(crate) async fn raixer(&self, path: &str) -> (u16, Value) {
        let login = self.operator().raixer;
        answer(self.request(Method::GET, Vendor::Raixer, path).basic_auth(login.user, Some(login.password))).await
    }

    pub(crate) fn raixer_post(&self, path: &str) -> RequestBuilder {
        let login = self.operator().raixer;
        self.request(Method::POST, Vendor::Raixer, path)
            .basic_auth(login.user, Some(login.password))
            .header("content-type", "application/json")
    }

    /// The id of an operator's intercom by name.
    pub(crate) async fn intercom(&self, name: &str) -> String {
        let (_, devices) = self.raixer("/devices").await;
        let device = devices.as_array().unwrap().iter().find(|device| device["name"] == name).unwrap();
        device["_id"].as_str().unwrap().to_owned()
    }

    // ParqEx

    pub(crate) fn parqex(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, Vendor::Parqex, path)
            .bearer_auth(self.operator().parqex.access_token)
            .header("accept", "application/json")
            .header("content-type", "application/json")
            .header("accept-charset", "utf-8")
            .header("accept-encoding", "gzip")
    }

    pub(crate) async fn gate(&self, name: &str) -> Value {
        let (status, body) = answer(self.parqex(Method::GET, "/oauth/v1/endpoints/sync")).await;
        assert_eq!(status, 200, "{body}");
        let devices = body["devices"].as_array().unwrap().iter();
        let mut doors = devices.flat_map(|device| device["doors"].as_array().unwrap());
        doors.find(|door| door["name"] == name).unwrap().clone()
    }

    pub(crate) async fn toggle(&self, door: &str, state: &str) -> (u16, Value) {
        let body = serde_json::json!({ "door_id": door, "door_state": state });
        answer(self.parqex(Method::POST, "/oauth/v1/endpoint/toggle").body(body.to_string())).await
    }
}

/// Status and JSON of an answer.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
