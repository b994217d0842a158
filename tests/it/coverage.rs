//! Every documented endpoint of every vendor is used, and to an end: each kind of command succeeds once, its effect is at
//! the vendor, and the API shows what the vendor keeps afterwards. One tour of a house per vendor, on both back ends;
//! the simulator's coverage report says at its end which rows were called. Failures live elsewhere.

mod bikeep;
mod lockt;
mod mews;
mod parqex;
mod raixer;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::command::CommandKind;
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    wait::until,
};
use serde_json::{Value, json};
use simulator::{Effect, EffectKind, Vendor, WebhookTarget};

use crate::orders::is_unsent;

/// What a tour must have come by.
struct Ground {
    vendor: Vendor,
    /// Rows of vendor-coverage.md that are called. Those that are webhooks (P5, M6) are checked by what they bring.
    rows: Vec<String>,
    /// Rows that must not be called, because the vendor gave them up.
    given_up: Vec<String>,
    /// What succeeds.
    kinds: &'static [CommandKind],
}

fn rows(letter: &str, numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("{letter}{number}")).collect()
}

/// A house in which everything that a vendor offers is done once.
struct Tour {
    house: TestHouse,
    vendor: Vendor,
    succeeded: BTreeSet<String>,
}

impl Tour {
    async fn start(plan: Plan, vendor: Vendor) -> Self {
        Self { house: plan.start().await, vendor, succeeded: BTreeSet::new() }
    }

    /// What requests have done at the vendor after the effect with this sequence.
    fn effects_after(&self, sequence: u64) -> Vec<Effect> {
        let mut effects = self.house.vendors.effects(sequence).entries;
        effects.retain(|effect| effect.vendor == self.vendor && effect.caused_by.is_some());
        effects
    }

    fn last_effect(&self) -> u64 {
        self.house.vendors.effects(0).entries.last().map_or(0, |effect| effect.sequence)
    }

    /// Asks for something that must succeed with exactly these effects at the vendor. Returns what it brought back.
    async fn done(&mut self, mutation: &str, input: Value, effects: &[EffectKind]) -> Value {
        let before = self.last_effect();
        let id = self.house.client.command(mutation, input).await;
        self.succeeds(mutation, &id, before, effects).await
    }

    /// The same for the people of an import, which is one command for each block.
    async fn imported(&mut self, input: Value, effects: &[EffectKind]) -> Value {
        let query = "mutation($input: ImportUsersInput!) { importUsers(input: $input) { \
            commands { id } userErrors { code message path } } }";
        let before = self.last_effect();
        let data = self.house.client.data(query, json!({ "input": input })).await;
        let payload = &data["importUsers"];
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        let [command] = payload["commands"].as_array().unwrap().as_slice() else { panic!("one block: {payload:#}") };
        self.succeeds("importUsers", &text(&command["id"]), before, effects).await
    }

    async fn succeeds(&mut self, mutation: &str, id: &str, before: u64, effects: &[EffectKind]) -> Value {
        let command = self.ended(id).await;
        assert_eq!(command["state"], "SUCCEEDED", "{mutation}: {command:#}");
        assert_eq!((&command["failure"], &command["attempts"]), (&Value::Null, &json!(1)), "{mutation}: {command:#}");
        let had = self.effects_after(before);
        let kinds: Vec<_> = had.iter().map(|effect| effect.kind).collect();
        assert_eq!(kinds, effects, "{mutation}: {had:#?}");
        self.succeeded.insert(text(&command["kind"]));
        let mut data =
            self.house.client.data("query($id: ID!) { command(id: $id) { result } }", json!({ "id": id })).await;
        data["command"]["result"].take()
    }

    /// Lets a clock of the test's own go on by some milliseconds.
    fn tick(&self, milliseconds: i64) {
        if self.house.clock.is_some() {
            self.house.advance(TimeDelta::milliseconds(milliseconds));
        }
    }

    /// A command once it has come to an end. A clock of the test's own goes on a little before it is sent, as somebody
    /// may wait for another's renewal, and quickly while the vendor has it.
    async fn ended(&self, id: &str) -> Value {
        until(&format!("{id} ends"), async || {
            let command = self.house.client.read_command(id).await;
            if command["terminal"] == true {
                return Some(command);
            }
            self.tick(if is_unsent(&command) { 2 } else { 250 });
            None
        })
        .await
    }

    /// Records that the API shows.
    async fn records(&self, filter: Value) -> Vec<Value> {
        let query = format!(
            "query($filter: RecordFilter) {{ records(first: 100, filter: $filter) {{ nodes {{ {RECORD} }} }} }}"
        );
        let mut data = self.house.client.data(&query, json!({ "filter": filter })).await;
        serde_json::from_value(data["records"]["nodes"].take()).unwrap()
    }

    /// The first record that fits, once there is one. What a vendor told beside its answer is written after the outcome.
    async fn record(&self, what: &str, filter: Value, fits: impl Fn(&Value) -> bool) -> Value {
        until(what, async || self.records(filter.clone()).await.into_iter().find(|record| fits(record))).await
    }

    /// Waits until no record fits any more.
    async fn no_record(&self, what: &str, filter: Value) {
        until(what, async || self.records(filter.clone()).await.is_empty().then_some(())).await;
    }

    /// The id of the only site's first, for what is linked here.
    async fn site(&self) -> String {
        let data = self.house.client.data("{ sites(first: 1) { nodes { id } } }", json!({})).await;
        text(&data["sites"]["nodes"][0]["id"])
    }

    /// Links an account through the API. Returns the mutation's payload.
    async fn link(&self, name: &str, credentials: Value) -> Value {
        let query = "mutation($input: LinkVendorAccountInput!) { linkVendorAccount(input: $input) { \
            vendorAccount { id state signedInAs } authorizationUrl webhookUrl locations { location name } \
            userErrors { code message path } } }";
        let prefix = format!("{:?}", self.vendor).to_lowercase();
        let input = json!({
            "name": name,
            "siteId": self.site().await,
            "baseUrl": format!("http://{}/{prefix}", self.house.simulator().address()),
            "credentials": { prefix: credentials },
        });
        let mut data = self.house.client.data(query, json!({ "input": input })).await;
        let payload = data["linkVendorAccount"].take();
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        payload
    }

    /// An account as the API shows it.
    async fn account(&self, id: &str) -> Value {
        let query = "query($id: ID!) { vendorAccount(id: $id) { id state syncedAt syncRequestedAt syncError \
            syncParts { part syncedAt error } } }";
        let mut data = self.house.client.data(query, json!({ "id": id })).await;
        data["vendorAccount"].take()
    }

    /// Waits until an account is connected, and everything that was wished for has been read.
    async fn synced(&self, id: &str, since: &Value) {
        until(&format!("{id} is synced"), async || {
            let account = self.account(id).await;
            let is_done = account["syncRequestedAt"].is_null() && account["syncedAt"] != *since;
            if is_done {
                assert_eq!(
                    (&account["state"], &account["syncError"]),
                    (&json!("CONNECTED"), &Value::Null),
                    "{account:#}"
                );
            }
            self.tick(2);
            is_done.then_some(())
        })
        .await;
    }

    /// Has an account read again from the beginning to the end.
    async fn sync(&self, id: &str) {
        let before = self.account(id).await["syncedAt"].take();
        let query = "mutation($input: SyncVendorAccountInput!) { syncVendorAccount(input: $input) { \
            userErrors { code message } } }";
        let data = self.house.client.data(query, json!({ "input": { "vendorAccountId": id } })).await;
        assert_eq!(data["syncVendorAccount"]["userErrors"], json!([]), "{data:#}");
        self.synced(id, &before).await;
    }

    /// Has the vendor send its webhooks about one of its accounts to an address of ours.
    fn hear(&self, account: &str, url: &Value) {
        self.house.vendors.send_webhooks_to(self.vendor, WebhookTarget::new(text(url)).only_for(account));
    }

    /// Waits until every webhook was delivered and processed. How many an account has had.
    async fn heard(&self, account: &str) -> usize {
        self.house.vendors.webhooks_delivered().await;
        let query = "query($filter: WebhookDeliveryFilter) { webhookDeliveries(first: 100, filter: $filter) { \
            nodes { state note } } }";
        until("the webhooks are processed", async || {
            let filter = json!({ "vendorAccountId": account });
            let data = self.house.client.data(query, json!({ "filter": filter })).await;
            let deliveries = data["webhookDeliveries"]["nodes"].as_array().unwrap();
            let rejected = deliveries.iter().find(|delivery| delivery["state"] == "REJECTED");
            assert!(rejected.is_none(), "{rejected:#?}");
            deliveries.iter().all(|delivery| delivery["state"] == "PROCESSED").then_some(deliveries.len())
        })
        .await
    }

    /// An event of this type at a device, once there is one.
    async fn event(&self, device: &Value, event_type: &str) -> Value {
        let query = "query($filter: EventFilter) { events(first: 100, filter: $filter, orderBy: NEWEST_FIRST) { \
            nodes { type vendorCode occurredAt data door { id } device { id } } } }";
        until(&format!("an event {event_type}"), async || {
            let filter = json!({ "deviceId": device["id"], "types": [event_type] });
            let data = self.house.client.data(query, json!({ "filter": filter })).await;
            data["events"]["nodes"].as_array().unwrap().first().cloned()
        })
        .await
    }

    /// The devices of an account, by name.
    async fn devices(&self, account: &str) -> BTreeMap<String, Value> {
        let query = "{ devices(first: 100) { nodes { id name externalId vendorAccount { id } } } }";
        let data = self.house.client.data(query, json!({})).await;
        let all = data["devices"]["nodes"].as_array().unwrap().iter();
        let ours = all.filter(|device| device["vendorAccount"]["id"] == account);
        ours.map(|device| (text(&device["name"]), device.clone())).collect()
    }

    /// A device as the API shows it now.
    async fn device(&self, id: &Value) -> Value {
        let query = format!("query($id: ID!) {{ device(id: $id) {{ {DEVICE} }} }}");
        let mut data = self.house.client.data(&query, json!({ "id": id })).await;
        data["device"].take()
    }

    /// A device of an account as the API shows it now.
    async fn device_named(&self, account: &str, name: &str) -> Value {
        let devices = self.devices(account).await;
        let device = devices.get(name).unwrap_or_else(|| panic!("no device {name}: {devices:#?}"));
        self.device(&device["id"]).await
    }

    /// Waits until a device is shown so that it `fits`.
    async fn device_becomes(&self, what: &str, id: &Value, fits: impl Fn(&Value) -> bool) -> Value {
        until(what, async || Some(self.device(id).await).filter(|device| fits(device))).await
    }

    /// Stops the house and compares where the tour has been with where it was to go.
    async fn end(self, ground: &Ground) {
        let report = self.house.vendors.coverage();
        let mut calls: BTreeMap<&str, u64> = BTreeMap::new();
        for row in report.iter().filter(|row| row.vendor == ground.vendor) {
            *calls.entry(&row.row).or_default() += row.calls;
        }
        let unused: Vec<_> =
            ground.rows.iter().filter(|row| calls.get(row.as_str()).is_none_or(|calls| *calls == 0)).collect();
        assert!(unused.is_empty(), "never called: {unused:?} of {calls:?}");
        let used: Vec<_> = ground.given_up.iter().filter(|row| calls.get(row.as_str()) != Some(&0)).collect();
        assert!(used.is_empty(), "called though given up, or not simulated: {used:?}");
        let wished: BTreeSet<String> = ground.kinds.iter().map(ToString::to_string).collect();
        assert_eq!(self.succeeded, wished);
        let discouraged = self.house.vendors.effects(0).entries.into_iter();
        let discouraged: Vec<_> = discouraged.filter(|effect| effect.kind == EffectKind::DiscouragedFunction).collect();
        assert!(discouraged.is_empty(), "{discouraged:#?}");
        self.house.stop().await;
    }
}

/// What is read of a record.
const RECORD: &str = "id kind externalId name missingSince device { id } details { \
    ... on UserDetails { idNumber firstName lastName email enabled userLevels: accessLevelExternalIds } \
    ... on CredentialDetails { credentialType status number idNumber userExternalId } \
    ... on AccessLevelDetails { doorExternalIds } \
    ... on CredentialSummary { claimed unclaimed } \
    ... on DeviceAccessDetails { profile disabled holderEmail ownerExternalId } \
    ... on SensorDetails { usage sensorPort: port } \
    ... on CampaignDetails { campaignKind mode price } \
    ... on AutoAccessScheduleDetails { startsAt minutes position } \
    ... on ProfileDetails { displayName profileEmail: email invoiceAddress { city country } } \
    ... on ResourceDetails { floor resourceType } \
    ... on ReservationDetails { reservationState resourceExternalId endsAt } \
    ... on AccessTokenDetails { tokenType reservationExternalId resourceExternalId validUntil active } }";

/// What is read of a device.
const DEVICE: &str = "id name externalId health batteryPercent missingSince capabilities vendorAccount { id } \
    campaign { externalId details { ... on CampaignDetails { campaignKind mode price } } } \
    doors { id name position externalId kind missingSince settings { name usage port waitTimeFirst } \
    phoneAccess { enabled anyCaller number } \
    state { lock { value } position { value } mode { value } occupancy { value } } }";

/// The tours together come by every kind of command that there is, and by every row of the coverage table.
#[test]
fn the_tours_leave_nothing_out() {
    let grounds = [bikeep::ground(), lockt::ground(), mews::ground(), parqex::ground(), raixer::ground()];
    // Nobody asks for that: the house does itself, for what is placed (`placements`).
    let by_itself = [CommandKind::DisableUsers];
    let tried = grounds.iter().flat_map(|ground| ground.kinds).copied();
    let tried: BTreeSet<CommandKind> = tried.chain(by_itself).collect();
    let all: BTreeSet<CommandKind> = CommandKind::ALL.iter().copied().collect();
    assert_eq!(tried, all);
    let count = |vendor: Vendor| {
        let ground = grounds.iter().find(|ground| ground.vendor == vendor).unwrap();
        (ground.rows.len(), ground.given_up.len())
    };
    let counts = [Vendor::Parqex, Vendor::Raixer, Vendor::Lockt, Vendor::Bikeep, Vendor::Mews].map(count);
    assert_eq!(counts, [(4, 0), (52, 4), (20, 0), (4, 0), (5, 0)]);
}
