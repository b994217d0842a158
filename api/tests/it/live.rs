//! Hearing of changes over a real WebSocket.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    access::{Limits, Role},
    clock::Clock,
    door::{DoorReading, LockState, Source},
    ids::{ApiKeyId, DoorId},
};
use entities::store;
use futures::{SinkExt, StreamExt};
use messaging::LiveEvent;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue},
};

use super::house::{DOCKS, House};

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(house: &House, payload: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = house.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect_async(request).await.unwrap();
        let mut client = Self(socket);
        client.send(json!({ "type": "connection_init", "payload": payload })).await;
        client
    }

    async fn open(house: &House, key: &str) -> Self {
        let mut client = Self::connect(house, json!({ "Authorization": format!("Bearer {key}") })).await;
        assert_eq!(client.next().await["type"], "connection_ack");
        client
    }

    async fn subscribe(&mut self, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
    }

    async fn send(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn frame(&mut self) -> Message {
        tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.unwrap().unwrap().unwrap()
    }

    async fn next(&mut self) -> Value {
        serde_json::from_str(self.frame().await.to_text().unwrap()).unwrap()
    }

    async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(200), self.0.next()).await.is_err()
    }
}

#[tokio::test]
async fn a_stranger_is_shown_out() {
    let house = House::build().await;
    for payload in [json!({}), json!({ "token": "gh_unknown" }), json!({ "authorization": "nonsense" })] {
        let mut client = Client::connect(&house, payload).await;
        let Message::Close(Some(frame)) = client.frame().await else { panic!("not closed") };
        assert_eq!(u16::from(frame.code), 4403);
    }
}

#[tokio::test]
async fn a_command_is_followed_to_its_end() {
    let house = House::build().await;
    let key = house.key(Role::Operator, &Limits::default()).await;
    let open = "mutation Open($input: OpenDoorInput!) { openDoor(input: $input) { command { id } } }";
    let answer = house.ask(&key, open, json!({ "input": { "doorId": house.door(0) } })).await;
    let id = answer["data"]["openDoor"]["command"]["id"].clone();
    let mut client = Client::open(&house, &key).await;
    let query = "subscription Follow($id: ID!) { commandUpdated(id: $id) { state version door { id } } }";
    client.subscribe(query, json!({ "id": id })).await;
    let first = client.next().await;
    let expected = json!({ "state": "QUEUED", "version": 1, "door": { "id": house.door(0) } });
    assert_eq!(first["payload"]["data"]["commandUpdated"], expected, "{first}");
    assert!(client.is_silent().await);
    let cancel = "mutation Cancel($id: ID!) { cancelCommand(input: { commandId: $id }) { command { id } } }";
    house.ask(&key, cancel, json!({ "id": id })).await;
    let second = client.next().await;
    assert_eq!(second["payload"]["data"]["commandUpdated"]["state"], "CANCELED", "{second}");
    assert_eq!(client.next().await["type"], "complete");
    client.subscribe(query, json!({ "id": house.door(0) })).await;
    let absent = client.next().await;
    assert!(absent.to_string().contains("NOT_FOUND"), "{absent}");
}

#[tokio::test]
async fn a_site_is_watched_without_older_after_newer() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let mut client = Client::open(&house, &key).await;
    let query = "subscription Watch($site: ID!) { doorStateChanged(siteId: $site) { id state { lock { value } } } }";
    client.subscribe(query, json!({ "site": house.site.to_string() })).await;
    for index in 0..DOCKS {
        let door = client.next().await["payload"]["data"]["doorStateChanged"].clone();
        assert_eq!(door, json!({ "id": house.door(index), "state": { "lock": { "value": "LOCKED" } } }));
    }
    let id = DoorId(house.doors[3].id);
    house.clock.advance(TimeDelta::seconds(1));
    let reading = DoorReading { lock: Some(LockState::Unlocked), ..DoorReading::default() };
    let ids = house.ids.as_ref();
    let change = store::doors::observe(&house.database, ids, id, &reading, Source::Poll, house.clock.now())
        .await
        .unwrap()
        .unwrap();
    let event = |version| LiveEvent::DoorState {
        door: change.door.0,
        site: change.site,
        organization: change.organization,
        version,
    };
    house.backend.live().publish(&event(change.version)).await.unwrap();
    let door = client.next().await["payload"]["data"]["doorStateChanged"].clone();
    assert_eq!(door, json!({ "id": house.door(3), "state": { "lock": { "value": "UNLOCKED" } } }));
    house.backend.live().publish(&event(change.version - 1)).await.unwrap();
    house.backend.live().publish(&event(change.version)).await.unwrap();
    assert!(client.is_silent().await);
}

#[tokio::test]
async fn a_lost_event_is_caught_by_the_next_look_and_a_revoked_key_by_the_same() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let viewer = house.ask(&key, "{ viewer { id } }", json!({})).await;
    let key_id: ApiKeyId = viewer["data"]["viewer"]["id"].as_str().unwrap().parse().unwrap();
    let mut client = Client::open(&house, &key).await;
    let query = "subscription Watch($doors: [ID!]!) { doorStateChanged(doorIds: $doors) { state { lock { value } } } }";
    client.subscribe(query, json!({ "doors": [house.door(0)] })).await;
    client.next().await;
    house.clock.advance(TimeDelta::seconds(1));
    let reading = DoorReading { lock: Some(LockState::Jammed), ..DoorReading::default() };
    let (ids, id) = (house.ids.as_ref(), DoorId(house.doors[0].id));
    store::doors::observe(&house.database, ids, id, &reading, Source::Poll, house.clock.now()).await.unwrap();
    assert!(client.is_silent().await);
    house.clock.advance(TimeDelta::seconds(15));
    let door = client.next().await;
    assert_eq!(door["payload"]["data"]["doorStateChanged"]["state"]["lock"]["value"], "JAMMED", "{door}");
    store::keys::revoke(&house.database, house.organization, key_id, house.clock.now()).await.unwrap();
    house.clock.advance(TimeDelta::seconds(15));
    let refused = client.next().await;
    assert!(refused.to_string().contains("UNAUTHENTICATED"), "{refused}");
    let Message::Close(Some(frame)) = client.frame().await else { panic!("not closed") };
    assert_eq!(u16::from(frame.code), 4403);
}

const RECORDED: &str = "subscription Follow($after: String, $site: ID) {
    eventRecorded(after: $after, siteId: $site) { cursor event { type command { id } } } }";

impl Client {
    /// The next event of the feed and its cursor; or the code of the error in its place.
    async fn told(&mut self) -> Result<(Value, Value), Value> {
        let message = self.next().await;
        let told = &message["payload"]["data"]["eventRecorded"];
        let errors = if message["type"] == "error" { &message["payload"] } else { &message["payload"]["errors"] };
        if told.is_object() {
            Ok((told["event"].clone(), told["cursor"].clone()))
        } else {
            Err(errors[0]["extensions"]["code"].clone())
        }
    }
}

#[tokio::test]
async fn events_are_told_on_from_a_cursor_each_once() {
    let house = House::build().await;
    let key = house.key(Role::Operator, &Limits::default()).await;
    let open = async |door| {
        let open = "mutation Open($input: OpenDoorInput!) { openDoor(input: $input) { command { id } } }";
        let answer = house.ask(&key, open, json!({ "input": { "doorId": house.door(door) } })).await;
        answer["data"]["openDoor"]["command"]["id"].clone()
    };
    open(0).await;
    let mut client = Client::open(&house, &key).await;
    client.subscribe(RECORDED, json!({})).await;
    let (nothing, beginning) = client.told().await.unwrap();
    assert_eq!(nothing, Value::Null, "what was before is not told");
    let first = open(1).await;
    let (event, after_first) = client.told().await.unwrap();
    assert_eq!(event, json!({ "type": "COMMAND_REQUESTED", "command": { "id": first } }));
    drop(client);
    let second = open(2).await;
    for (after, expected) in [(&beginning, vec![&first, &second]), (&after_first, vec![&second])] {
        let mut client = Client::open(&house, &key).await;
        client.subscribe(RECORDED, json!({ "after": after, "site": house.site.to_string() })).await;
        for command in expected {
            assert_eq!(client.told().await.unwrap().0["command"]["id"], *command);
        }
        assert!(client.is_silent().await);
    }
}

#[tokio::test]
async fn a_cursor_that_cannot_be_resumed_is_refused_aloud() {
    let house = House::build().await;
    let key = house.key(Role::Viewer, &Limits::default()).await;
    let cursor = async || {
        let mut client = Client::open(&house, &key).await;
        client.subscribe(RECORDED, json!({})).await;
        client.told().await.unwrap().1
    };
    let refused = async |after: &Value| {
        let mut client = Client::open(&house, &key).await;
        client.subscribe(RECORDED, json!({ "after": after })).await;
        let told = client.told().await;
        assert_eq!(told, Err(json!("RESYNC_REQUIRED")), "{after}");
    };
    let fresh = cursor().await;
    for garbage in [json!(""), json!("nonsense"), json!(fresh.as_str().unwrap().get(..20))] {
        refused(&garbage).await;
    }
    house.clock.advance(TimeDelta::days(7) + TimeDelta::seconds(1));
    refused(&fresh).await;
}
