//! The demo's hotel: a PMS, card locks, and its rooms mapped to their doors. No test lives here.

use chrono::{DateTime, TimeDelta, Utc};
use domain::stay::StayTiming;
use gatehouse::demo;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
};
use serde_json::{Value, json};
use simulator::{LocktPresented, MewsChange, Vendor, WebhookTarget, WorldChange};

use crate::{
    orders::account_id,
    tokens::scene::{STAY, ask},
};

pub(super) struct Inn {
    pub(super) house: TestHouse,
    /// The account of the PMS.
    pub(super) pms: String,
}

impl Inn {
    pub(super) async fn start(plan: Plan) -> Self {
        let inn = Self::unmapped(plan).await;
        let timing = StayTiming::default();
        let mapped = demo::map_rooms(inn.house.foundation(), &timing, inn.house.organization).await.unwrap();
        assert!(mapped, "the PMS has rooms");
        inn
    }

    /// Before anybody said which doors its rooms stand for.
    pub(super) async fn unmapped(plan: Plan) -> Self {
        let house = plan.start().await;
        let pms = account_id(&house, Vendor::Mews).await.to_string();
        Self { house, pms }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.house.foundation().clock.now()
    }

    /// Every stay.
    pub(super) async fn stays(&self) -> Vec<Value> {
        let query = format!("{{ reservations(first: 100) {{ nodes {{ {STAY} resourceExternalId }} }} }}");
        let mut data = self.house.client.data(&query, json!({})).await;
        serde_json::from_value(data["reservations"]["nodes"].take()).unwrap()
    }

    /// The stay of a guest whose name is like no other's.
    pub(super) async fn stay(&self, guest: &str) -> Value {
        let found = self.stays().await.into_iter().find(|stay| stay["guest"]["name"] == guest);
        found.unwrap_or_else(|| panic!("{guest} stays at the demo's hotel"))
    }

    /// A stay when it is so; the clock goes on meanwhile, if it is the test's.
    pub(super) async fn once(&self, what: &str, guest: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        self.while_time_passes(what, async || Some(self.stay(guest).await).filter(|stay| is_so(stay))).await
    }

    /// Asks until there is an answer; the clock goes on meanwhile, if it is the test's.
    #[expect(clippy::disallowed_methods, reason = "the pause is between two looks")]
    pub(super) async fn while_time_passes<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        for _ in 0..3000 {
            if let Some(answer) = ask().await {
                return answer;
            }
            if self.house.clock.is_some() {
                self.house.advance(TimeDelta::milliseconds(100));
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("waited in vain: {what}; {:#?}", self.stays().await);
    }

    /// Something happens at the reception.
    pub(super) fn at_reception(&self, change: MewsChange) {
        self.house.vendors.change(WorldChange::Mews(change)).unwrap();
    }

    /// From now on the PMS tells of changes.
    pub(super) async fn listen(&self) {
        let input = json!({ "vendorAccountId": self.pms });
        let rotated = ask(&self.house.client, "rotateWebhookAddress", input, "webhookUrl").await;
        let query = "query($account: ID!) { records(first: 10, filter: { vendorAccountId: $account, kinds: [LOCATION] }) \
            { nodes { externalId } } }";
        let data = self.house.client.data(query, json!({ "account": self.pms })).await;
        let hotel = text(&data["records"]["nodes"][0]["externalId"]);
        let target = WebhookTarget::new(text(&rotated["webhookUrl"])).only_for(&hotel);
        self.house.vendors.send_webhooks_to(Vendor::Mews, target);
    }

    /// Has the PMS read.
    pub(super) async fn sync(&self) {
        let query = "query($id: ID!) { vendorAccount(id: $id) { syncedAt } }";
        let read =
            async || self.house.client.data(query, json!({ "id": self.pms })).await["vendorAccount"]["syncedAt"].take();
        let before = read().await;
        if self.house.clock.is_some() {
            self.house.advance(TimeDelta::seconds(1));
        }
        let input = json!({ "vendorAccountId": self.pms });
        ask(&self.house.client, "syncVendorAccount", input, "vendorAccount { id }").await;
        self.while_time_passes("the sync", async || (read().await != before).then_some(())).await;
    }

    /// Issues this PIN for a stay.
    pub(super) async fn issue(&self, stay: &Value, pin: &str) -> String {
        let input = json!({ "reservationId": stay["id"], "tokenType": "PIN_CODE", "value": pin });
        let payload = ask(&self.house.client, "issueAccessToken", input, "accessToken { id }").await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        text(&payload["accessToken"]["id"])
    }

    /// A door of the card locks by its name.
    pub(super) async fn lock(&self, name: &str) -> Value {
        self.house.doors().await.into_iter().find(|door| door["name"] == name).unwrap()
    }

    /// Whether a lock opens for a PIN now.
    pub(super) fn opens(&self, door: &Value, pin: &str) -> bool {
        let number = text(&door["externalId"]).parse().unwrap();
        self.house.vendors.lockt_would_open(number, &LocktPresented::Pin(pin.to_owned()), self.now())
    }

    /// The open alerts about a stay.
    pub(super) async fn alerts(&self, stay: &Value) -> Vec<Value> {
        let query = "{ alerts(first: 100) { nodes { kind severity subjectId } } }";
        let data = self.house.client.data(query, json!({})).await;
        let all = data["alerts"]["nodes"].as_array().unwrap();
        all.iter().filter(|alert| alert["subjectId"] == stay["id"]).cloned().collect()
    }
}

/// The codes of a stay's reasons.
pub(super) fn codes(stay: &Value) -> Vec<&str> {
    stay["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}

/// A time that the API tells.
pub(super) fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}
