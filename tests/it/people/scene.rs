//! A house with people and card locks. No test lives here.

use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    wait::until,
};
use serde_json::{Value, json};
use simulator::LocktPresented;

use crate::tokens::scene::{ask, code};

pub(super) const USER: &str = "user { id name email phone erasedAt createdAt }";
pub(super) const CREDENTIAL: &str = "credential { id kind label number state validFrom validUntil version user { id } \
    doors { id } placements { id desired state error { code } doors { id } } }";
pub(super) const LEVEL: &str = "accessLevel { id name site { id } schedule { id } doors { id } }";
pub(super) const SCHEDULE: &str = "schedule { id name site { id } ranges { days starts ends } }";

pub(super) struct Scene {
    pub(super) house: TestHouse,
    /// Two of Lockt's doors at one site: one that a level of Lockt's opens alone, and a room that one opens with it.
    pub(super) locks: Vec<Value>,
    pub(super) site: String,
}

impl Scene {
    pub(super) async fn start(plan: Plan) -> Self {
        let house = plan.start().await;
        let levels = "{ records(first: 100, filter: { kinds: [ACCESS_LEVEL] }) { nodes { details { ... on AccessLevelDetails { doorExternalIds } } } } }";
        let levels = house.client.data(levels, json!({})).await;
        let levels: Vec<Vec<Value>> = levels["records"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|level| serde_json::from_value(level["details"]["doorExternalIds"].clone()).unwrap())
            .collect();
        let front = &levels.iter().find(|doors| doors.len() == 1).unwrap()[0];
        let pair = levels.iter().find(|doors| doors.len() == 2 && doors.contains(front)).unwrap();
        let room = pair.iter().find(|door| *door != front).unwrap();
        let doors = house.doors().await;
        let find = |external: &Value| {
            let is_lock = |door: &&Value| door["device"]["vendorAccount"]["vendor"] == "LOCKT";
            doors.iter().filter(is_lock).find(|door| door["externalId"] == *external).unwrap().clone()
        };
        let locks = vec![find(front), find(room)];
        let site = text(&locks[0]["site"]["id"]);
        Self { house, locks, site }
    }

    /// Doors of a vendor.
    pub(super) async fn doors_of(&self, vendor: &str) -> Vec<Value> {
        let mut doors = self.house.doors().await;
        doors.retain(|door| door["device"]["vendorAccount"]["vendor"] == vendor);
        doors
    }

    pub(super) async fn ask(&self, mutation: &str, input: Value, fields: &str) -> Value {
        ask(&self.house.client, mutation, input, fields).await
    }

    /// What must be accepted: the object of the payload.
    pub(super) async fn done(&self, mutation: &str, input: Value, fields: &str) -> Value {
        let mut payload = self.ask(mutation, input, fields).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
        payload[fields.split_whitespace().next().unwrap()].take()
    }

    /// What must be refused: its code and the argument at fault.
    pub(super) async fn refused(&self, mutation: &str, input: Value) -> (String, Value) {
        let payload = self.ask(mutation, input, "").await;
        let code = code(&payload).unwrap_or_else(|| panic!("{mutation}: {payload:#}")).to_owned();
        (code, payload["userErrors"][0]["path"][1].clone())
    }

    pub(super) async fn user(&self, name: &str) -> String {
        text(&self.done("createUser", json!({ "name": name }), USER).await["id"])
    }

    /// A PIN for doors; for the holder's access levels without any.
    pub(super) async fn pin(&self, user: &str, value: &str, doors: &[&Value]) -> Value {
        let doors: Vec<&Value> = doors.iter().map(|door| &door["id"]).collect();
        let input = json!({ "userId": user, "kind": "PIN_CODE", "value": value, "doorIds": doors });
        self.done("createCredential", input, CREDENTIAL).await
    }

    /// An access level of doors.
    pub(super) async fn level(&self, name: &str, doors: &[&Value], schedule: Option<&str>) -> String {
        let doors: Vec<&Value> = doors.iter().map(|door| &door["id"]).collect();
        let input = json!({ "siteId": self.site, "name": name, "doorIds": doors, "scheduleId": schedule });
        text(&self.done("createAccessLevel", input, LEVEL).await["id"])
    }

    pub(super) async fn assign(&self, user: &str, level: &str) {
        let input = json!({ "userId": user, "accessLevelId": level });
        self.done("assignAccessLevel", input, "assignment { id }").await;
    }

    pub(super) async fn credential(&self, id: &Value) -> Value {
        let query = format!("query($id: ID!) {{ {} }}", CREDENTIAL.replacen('{', "(id: $id) {", 1));
        let mut data = self.house.client.data(&query, json!({ "id": id })).await;
        data["credential"].take()
    }

    /// The placements of a credential: what is wished for, why not, and for which doors.
    pub(super) async fn placements(&self, id: &Value) -> Vec<(String, Value, Vec<Value>)> {
        let credential = self.credential(id).await;
        let of = |placed: &Value| {
            let doors = placed["doors"].as_array().unwrap().iter().map(|door| door["id"].clone()).collect();
            (text(&placed["desired"]), placed["error"]["code"].clone(), doors)
        };
        credential["placements"].as_array().unwrap().iter().map(of).collect()
    }

    /// Whether the simulated lock opens to a PIN.
    pub(super) fn opens(&self, door: &Value, pin: &str) -> bool {
        let number = text(&door["externalId"]).parse().unwrap();
        let now = self.house.foundation().clock.now();
        self.house.vendors.lockt_would_open(number, &LocktPresented::Pin(pin.to_owned()), now)
    }

    /// Waits until the simulated lock opens to a PIN, or no longer does.
    pub(super) async fn until_opens(&self, door: &Value, pin: &str, opens: bool) {
        until(&format!("the lock says {opens}"), async || (self.opens(door, pin) == opens).then_some(())).await;
    }

    /// The kinds of change in events of a type that callers caused, oldest first.
    pub(super) async fn told(&self, event_type: &str) -> Vec<String> {
        let query =
            "query($types: [EventType!]) { events(filter: { types: $types }, first: 100) { nodes { actor data } } }";
        let data = self.house.client.data(query, json!({ "types": [event_type] })).await;
        let nodes = data["events"]["nodes"].as_array().unwrap();
        // What a PMS tells has no actor.
        let ours = nodes.iter().filter(|node| node["actor"].as_str().is_some_and(|actor| actor.starts_with("key_")));
        ours.map(|node| text(&node["data"]["what"])).collect()
    }
}
