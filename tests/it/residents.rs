//! People without a role: they open what is their own, while it is, and see nothing else.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
};

use chrono::{Datelike, TimeDelta};
use domain::clock::{Clock, Timestamp};
use gatehouse::house::worker_parts;
use gatehouse_tests::{
    client::{Client, text},
    house::{BackEnd, Plan, TestHouse},
    issuer::Issuer,
    on_both_back_ends,
    wait::until,
};
use platform::clock::ManualClock;
use serde_json::{Value, json};
use simulator::Vendor;
use tokio_util::sync::CancellationToken;
use worker::{
    Parts,
    accounts::{Access, Accounts},
    drain_lane::Lanes,
};

use crate::{
    orders::account_id,
    tokens::scene::{ask, code, iso, token_for},
};

const NOT_YOURS: &str = "No access token, credential or access level of yours opens this door now.";
/// Longer than a credential is believed without another look, and than a pulse is shared.
const A_WHILE: TimeDelta = TimeDelta::seconds(4);

struct Scene {
    house: TestHouse,
    issuer: Issuer,
    door: Value,
}

impl Scene {
    async fn start(back_end: BackEnd) -> Self {
        let issuer = Issuer::start().await;
        let plan =
            Plan::on(back_end).without_worker().with_manual_clock().with_setting("issuers", &issuer.setting(true));
        let house = plan.start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        Self { house, issuer, door }
    }

    /// Whoever has this address, signed in by their provider.
    fn signed_in(&self, email: &str) -> Client {
        let ends = self.house.foundation().clock.now() + TimeDelta::hours(2);
        let claims = json!({ "sub": email, "exp": ends.timestamp(), "email": email, "email_verified": true });
        self.house.client.with_key(&self.issuer.token(&claims))
    }

    /// Lets time pass, and asks who somebody is: nobody without a session.
    async fn viewer(&self, caller: &Client) -> Value {
        self.house.advance(A_WHILE);
        let query = "{ viewer { id kind role ownDoorIds allowedCommandKinds sees { everything siteIds doorIds } user { id } } }";
        caller.ask(query, json!({})).await["data"]["viewer"].take()
    }

    async fn open(&self, caller: &Client) -> Value {
        self.house.advance(A_WHILE);
        caller.mutate("openDoor", json!({ "doorId": self.door["id"] })).await
    }

    async fn given(&self, mutation: &str, input: Value, fields: &str) -> Value {
        let payload = ask(&self.house.client, mutation, input, fields).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
        payload
    }

    /// An access level with the door, always or by a schedule.
    async fn level(&self, schedule: Option<&Value>) -> Value {
        let name = if schedule.is_some() { "by schedule" } else { "always" };
        let input = json!({
            "name": name, "siteId": self.door["site"]["id"], "doorIds": [self.door["id"]], "scheduleId": schedule,
        });
        self.given("createAccessLevel", input, "accessLevel { id }").await["accessLevel"]["id"].take()
    }

    /// The newest event of a type.
    async fn told(&self, event_type: &str) -> Value {
        let query =
            "query($types: [EventType!]) { events(filter: { types: $types }, last: 1) { nodes { actor data } } }";
        self.house.client.data(query, json!({ "types": [event_type] })).await["events"]["nodes"][0].take()
    }

    /// Somebody whose door it is at all times: how that is taken away, and they.
    async fn resident(&self) -> (Value, Client) {
        let input = json!({ "name": "Rey", "email": "rey@example.com" });
        let rey = self.given("createUser", input, "user { id }").await["user"]["id"].take();
        let assigned = json!({ "accessLevelId": self.level(None).await, "userId": rey });
        self.given("assignAccessLevel", assigned.clone(), "assignment { id }").await;
        (assigned, self.signed_in("rey@example.com"))
    }

    /// The vendor account of the door.
    async fn account(&self) -> entities::rows::vendor_account::Model {
        let id = account_id(&self.house, Vendor::Raixer).await;
        entities::work::account(self.house.database(), id).await.unwrap().unwrap()
    }

    /// A command has ended because the right to it has, and nothing of it has reached the vendor.
    async fn assert_ended(&self, id: &str) {
        let command = self.house.client.read_command(id).await;
        let told = (&command["state"], &command["failure"]["code"]);
        assert_eq!(told, (&json!("FAILED"), &json!("ACCESS_ENDED")), "{command:#}");
        assert_eq!(self.house.vendors.requests_to(Vendor::Raixer, "open_door_at").len(), 0);
        assert_eq!(self.effects(), 0);
    }

    fn effects(&self) -> usize {
        self.house.effects_at(&self.door["externalId"])
    }
}

/// A clock that knows for which instants somebody has waited.
#[derive(Debug)]
struct Watched {
    clock: ManualClock,
    instants: Mutex<Vec<Timestamp>>,
}

impl Clock for Watched {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.instants.lock().unwrap().push(at);
        self.clock.sleep_until(at)
    }
}

/// A worker by whose clock one sees what it waits for.
fn watched_worker(house: &TestHouse) -> (Parts, Arc<Watched>) {
    let clock = house.clock.clone().unwrap();
    let watched = Arc::new(Watched { clock, instants: Mutex::default() });
    let parts = worker_parts(house.foundation(), &house.settings).unwrap();
    (Parts { clock: Arc::clone(&watched) as Arc<dyn Clock>, ..parts }, watched)
}

on_both_back_ends! {
    async fn a_resident_opens_their_own_door_at_its_times(back_end: BackEnd) {
        let mut scene = Scene::start(back_end).await;
        let admin = scene.house.client.clone();
        let input = json!({ "name": "Rey", "email": "Rey@example.com" });
        let rey = scene.given("createUser", input, "user { id }").await["user"]["id"].take();
        let caller = scene.signed_in("rey@example.com");
        assert_eq!(scene.viewer(&caller).await, Value::Null, "nothing is theirs");

        // Three days from now: the door is seen, and not yet opened.
        let day = (scene.house.foundation().clock.now().weekday().num_days_from_monday() + 3) % 7;
        let input = json!({
            "siteId": scene.door["site"]["id"], "name": "One day", "ranges": [{ "days": [day], "starts": "00:00", "ends": "23:00" }],
        });
        let schedule = scene.given("createSchedule", input, "schedule { id }").await["schedule"]["id"].take();
        let (later, always) = (scene.level(Some(&schedule)).await, scene.level(None).await);
        scene.given("assignAccessLevel", json!({ "accessLevelId": later, "userId": rey }), "assignment { id }").await;
        // That somebody else has it at all times is nothing to them.
        let finn = scene.given("createUser", json!({ "name": "Finn" }), "user { id }").await["user"]["id"].take();
        scene.given("assignAccessLevel", json!({ "accessLevelId": always, "userId": finn }), "assignment { id }").await;
        let viewer = scene.viewer(&caller).await;
        let nothing = json!({ "everything": false, "siteIds": [], "doorIds": [] });
        assert_eq!((&viewer["id"], &viewer["sees"]), (&rey, &nothing));
        assert_eq!(viewer["ownDoorIds"], json!([scene.door["id"]]));
        assert_eq!(viewer["allowedCommandKinds"], json!(["OPEN_DOOR"]));
        let refused = scene.open(&caller).await;
        assert_eq!((code(&refused), refused["userErrors"][0]["message"].as_str()), (Some("FORBIDDEN"), Some(NOT_YOURS)));
        let denied = scene.told("COMMAND_DENIED").await;
        assert_eq!((&denied["actor"], &denied["data"]["why"]), (&rey, &json!(NOT_YOURS)));

        // Another level opens it at all times, for an hour.
        let until = iso(scene.house.foundation().clock.now() + TimeDelta::hours(1));
        let input = json!({ "accessLevelId": always, "userId": rey, "validUntil": until });
        scene.given("assignAccessLevel", input, "assignment { id }").await;
        let accepted = scene.open(&caller).await;
        assert_eq!(accepted["userErrors"], json!([]), "{accepted:#}");
        let asked = scene.told("COMMAND_REQUESTED").await;
        assert_eq!((&asked["actor"], &asked["data"]["ownRight"]), (&rey, &json!("ACCESS_LEVEL")));
        let others = admin.command("openDoor", json!({ "doorId": scene.door["id"] })).await;
        assert_eq!(scene.told("COMMAND_REQUESTED").await["data"]["ownRight"], Value::Null);

        // They see that door and what they sent, and nothing of what others do there.
        let sight = "{ doors { nodes { id device { id } state { mode { value } } } } sites { nodes { id devices { totalCount } doors { totalCount } } } \
            devices { totalCount } events { totalCount } records { totalCount } alerts { totalCount } commands { nodes { id door { id } device { id } } } }";
        let seen = caller.data(sight, json!({})).await;
        let own = text(&accepted["command"]["id"]);
        assert_eq!(seen["commands"]["nodes"], json!([{ "id": own, "door": { "id": scene.door["id"] }, "device": null }]));
        assert_eq!((&seen["doors"]["nodes"][0]["id"], &seen["doors"]["nodes"][0]["device"]), (&scene.door["id"], &Value::Null));
        assert_eq!(seen["sites"]["nodes"], json!([{ "id": scene.door["site"]["id"], "devices": { "totalCount": 0 }, "doors": { "totalCount": 1 } }]));
        for list in ["devices", "events", "records", "alerts"] {
            assert_eq!(seen[list]["totalCount"], 0, "{list}");
        }
        let other = scene.house.doors().await.into_iter().find(|other| other["id"] != scene.door["id"]).unwrap();
        for (mutation, input, refusal) in [
            ("closeDoor", json!({ "doorId": scene.door["id"] }), "FORBIDDEN"),
            ("forceUnlockDoor", json!({ "doorId": scene.door["id"], "reason": "TESTING" }), "FORBIDDEN"),
            ("openDoor", json!({ "doorId": other["id"] }), "NOT_FOUND"),
            ("syncDevice", json!({ "deviceId": scene.door["device"]["id"] }), "NOT_FOUND"),
            ("cancelCommand", json!({ "commandId": others }), "NOT_FOUND"),
        ] {
            assert_eq!(code(&caller.mutate(mutation, input).await), Some(refusal), "{mutation}");
        }
        let watch = "subscription($ids: [ID!]) { doorStateChanged(doorIds: $ids) { id } }";
        let mut watching = caller.subscribe(watch, json!({ "ids": [scene.door["id"]] })).await;
        assert_eq!(watching.next().await.unwrap()["doorStateChanged"]["id"], scene.door["id"]);

        scene.house.start_worker().await;
        assert_eq!(caller.finished(&own).await["state"], "SUCCEEDED");
        scene.house.idle().await;
        let before = scene.effects();
        scene.house.kill_workers();

        // What is taken away before the worker comes to it opens nothing.
        let late = text(&scene.open(&caller).await["command"]["id"]);
        scene.given("unassignAccessLevel", json!({ "accessLevelId": always, "userId": rey }), "assignment { id }").await;
        scene.house.start_worker().await;
        let command = caller.finished(&late).await;
        assert_eq!((&command["state"], &command["failure"]["code"]), (&json!("FAILED"), &json!("ACCESS_ENDED")), "{command:#}");
        assert_eq!(scene.effects(), before);
        assert_eq!(code(&scene.open(&caller).await), Some("FORBIDDEN"));
        scene.given("unassignAccessLevel", json!({ "accessLevelId": later, "userId": rey }), "assignment { id }").await;
        scene.house.advance(TimeDelta::seconds(20));
        while let Some(message) = watching.next_message().await {
            if message["close"].is_u64() {
                assert_eq!(message["close"], 4403);
                break;
            }
        }
        assert_eq!(scene.viewer(&caller).await, Value::Null);
        scene.house.stop().await;
    }

    async fn a_guest_opens_the_door_of_their_stay_until_it_ends(back_end: BackEnd) {
        let mut scene = Scene::start(back_end).await;
        // The lock takes the code; the other door takes none, and is theirs to open all the same.
        let doors = scene.house.doors().await;
        let lock = doors.iter().find(|door| door["device"]["vendorAccount"]["vendor"] == "LOCKT").unwrap();
        let can_open = |door: &Value| door["capabilities"].as_array().unwrap().contains(&json!("OPEN_DOOR"));
        scene.door = doors.iter().find(|door| can_open(door) && door["site"] == lock["site"]).unwrap().clone();
        let begins = scene.house.foundation().clock.now() + TimeDelta::minutes(30);
        let input = json!({
            "siteId": scene.door["site"]["id"], "guest": { "name": "Ada Byron", "email": "ada@hotel.example" },
            "doorIds": [scene.door["id"], lock["id"]], "startsAt": iso(begins), "endsAt": iso(begins + TimeDelta::hours(1)),
        });
        let stay = text(&scene.given("createReservation", input, "reservation { id }").await["reservation"]["id"]);
        let token = token_for(&scene.house, &stay).await;
        let query = "query($id: ID!) { accessToken(id: $id) { validFrom validUntil } }";
        let window = scene.house.client.data(query, json!({ "id": token })).await["accessToken"].take();
        let at = |name: &str| text(&window[name]).parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let caller = scene.signed_in("ada@hotel.example");
        let clock = scene.house.clock.clone().unwrap();
        if clock.now() < at("validFrom") {
            assert_eq!(scene.viewer(&caller).await, Value::Null, "before their time they are nobody");
            scene.house.advance(at("validFrom") - clock.now());
        }
        let accepted = scene.open(&caller).await;
        assert_eq!(accepted["userErrors"], json!([]), "{accepted:#}");
        assert_eq!(scene.told("COMMAND_REQUESTED").await["data"]["ownRight"], "ACCESS_TOKEN");
        // An order in the last seconds lasts no longer than the stay.
        scene.house.advance(at("validUntil") - clock.now() - A_WHILE - TimeDelta::seconds(5));
        let last = scene.open(&caller).await;
        assert_eq!(text(&last["command"]["expiresAt"]).parse::<chrono::DateTime<chrono::Utc>>().unwrap(), at("validUntil"));
        scene.house.advance(TimeDelta::seconds(5));
        assert_eq!(scene.viewer(&caller).await, Value::Null);
        assert_eq!(scene.effects(), 0);
        scene.house.stop().await;
    }

    /// Until a command leaves it may wait, and the right end meanwhile: for room among the exchanges with the account.
    async fn what_is_taken_away_while_a_command_waits_for_room_opens_nothing(back_end: BackEnd) {
        let scene = Scene::start(back_end).await;
        let (assigned, caller) = scene.resident().await;
        let command = text(&scene.open(&caller).await["command"]["id"]);
        let (parts, watched) = watched_worker(&scene.house);
        let accounts = Arc::new(Accounts::new(parts.clone()));
        let account = scene.account().await;
        let line = accounts.line(&Access::of(&account)).await.unwrap();
        let all = line.bulkhead.acquire_many(u32::try_from(line.bulkhead.available_permits()).unwrap()).await.unwrap();
        let row = scene.house.row(&command).await;
        let lanes = Lanes::new(parts, Arc::clone(&accounts), CancellationToken::new());
        let taken_away = async {
            until("it waits", async || watched.instants.lock().unwrap().contains(&row.expires_at?).then_some(())).await;
            scene.given("unassignAccessLevel", assigned, "assignment { id }").await;
            drop(all);
        };
        let (drained, ()) = tokio::join!(lanes.drain(row.lane_id), taken_away);
        drained.unwrap();
        scene.assert_ended(&command).await;
        scene.house.stop().await;
    }

    /// The same where the vendor has asked for a pause that is short enough to be waited for.
    async fn what_is_taken_away_while_a_command_waits_for_its_vendor_opens_nothing(back_end: BackEnd) {
        let scene = Scene::start(back_end).await;
        let (assigned, caller) = scene.resident().await;
        let command = text(&scene.open(&caller).await["command"]["id"]);
        let (parts, watched) = watched_worker(&scene.house);
        let again = watched.now() + TimeDelta::milliseconds(500);
        parts.budget.pause(scene.account().await.id, again.timestamp_millis()).await;
        let row = scene.house.row(&command).await;
        let lanes = Lanes::new(parts.clone(), Arc::new(Accounts::new(parts)), CancellationToken::new());
        let taken_away = async {
            until("it waits", async || {
                let is_tried = scene.house.row(&command).await.attempts > 0;
                (is_tried || watched.instants.lock().unwrap().contains(&again)).then_some(())
            })
            .await;
            scene.given("unassignAccessLevel", assigned, "assignment { id }").await;
            scene.house.advance(A_WHILE);
        };
        let (drained, ()) = tokio::join!(lanes.drain(row.lane_id), taken_away);
        drained.unwrap();
        lanes.drain(row.lane_id).await.unwrap();
        scene.assert_ended(&command).await;
        scene.house.stop().await;
    }
}
