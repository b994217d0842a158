//! An organization with one of everything that can be named. Two are made alike, down to their vendors' ids. No test lives here.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    access::Role,
    account::{AccountState, Vendor},
    alert::{AlertKind, AlertSeverity},
    command::CommandKind,
    device::{DeviceDetails, FoundDevice, FoundDoor, Health},
    door::{DoorKind, DoorReading},
    ids::{AlertId, MembershipId, OrganizationId, SiteId, UserId, VendorAccountId, WebhookDeliveryId},
    record::FoundRecord,
};
use entities::{
    rows::vendor_account,
    store::{self, alerts::NewAlert},
};
use gatehouse::keys::{KeyPlan, store_key};
use gatehouse_tests::{
    client::{Client, text},
    house::TestHouse,
    no_secrets::NoSecrets,
};
use serde_json::{Value, json};

use crate::tokens::scene::ask;

/// What the vendors tell of: under this name, from this vendor, of its device or not, in these words.
const RECORDS: [(&str, Vendor, bool, &str); 10] = [
    ("sensor", Vendor::Raixer, true, r#"{"kind":"SENSOR"}"#),
    ("access", Vendor::Raixer, true, r#"{"kind":"DEVICE_ACCESS","holder_email":"ada@example.test","profile":"USER"}"#),
    (
        "soon",
        Vendor::Raixer,
        true,
        r#"{"kind":"AUTO_ACCESS_SCHEDULE","starts_at":"2099-01-01T00:00:00Z","minutes":1,"position":1}"#,
    ),
    ("phone", Vendor::Raixer, true, r#"{"kind":"CREDENTIAL","credential_type":"PHONE_NUMBER","status":"ACTIVE"}"#),
    ("person", Vendor::Lockt, false, r#"{"kind":"USER"}"#),
    ("fob", Vendor::Lockt, false, r#"{"kind":"CREDENTIAL","credential_type":"FOB","status":"ACTIVE"}"#),
    ("doors", Vendor::Lockt, false, r#"{"kind":"ACCESS_LEVEL","doors":["2"]}"#),
    ("room", Vendor::Mews, false, r#"{"kind":"RESOURCE","active":true}"#),
    (
        "booking",
        Vendor::Mews,
        false,
        r#"{"kind":"RESERVATION","state":"CONFIRMED","vendor_state":"Confirmed","companions":[],"resource_locked":false}"#,
    ),
    (
        "code",
        Vendor::Mews,
        false,
        r#"{"kind":"ACCESS_TOKEN","reservation":"booking","active":true,
            "permissions":{"bed":false,"room":true,"floor":false,"building":false}}"#,
    ),
];

pub(super) struct Tenant {
    pub(super) client: Client,
    /// What it has, by the type in the schema; records by their names besides.
    pub(super) ids: BTreeMap<String, String>,
}

impl Tenant {
    pub(super) async fn settle(house: &TestHouse) -> Self {
        let foundation = house.foundation();
        let (database, now) = (&foundation.database, foundation.clock.now());
        let organization = OrganizationId(foundation.ids.next_uuid());
        store::organizations::create(database, organization, "Tenant", now).await.unwrap();
        let secret = platform::api_key::generate();
        let key =
            store_key(foundation, organization, &KeyPlan::unlimited("admin", Role::Admin), &secret).await.unwrap();
        let site = SiteId(foundation.ids.next_uuid());
        store::organizations::create_site(database, organization, site, "House", "Europe/Lisbon", now).await.unwrap();
        let member = (UserId(foundation.ids.next_uuid()), MembershipId(foundation.ids.next_uuid()));
        let (who, may) = (("Max", None), (Role::Viewer, None));
        store::organizations::create_member(database, organization, member, who, may, now).await.unwrap();
        let mut tenant = Self { client: house.client.with_key(secret.expose()), ids: BTreeMap::new() };
        tenant.knows("Organization", organization.to_string());
        tenant.knows("ApiKey", key.to_string());
        tenant.knows("Site", site.to_string());
        tenant.knows("Membership", member.1.to_string());
        tenant.accounts(house, (organization, site)).await;
        tenant.people().await;
        tenant.stays().await;
        tenant.alert(house, (organization, site)).await;
        tenant
    }

    fn knows(&mut self, what: &str, id: String) {
        self.ids.insert(what.to_owned(), id);
    }

    /// Makes something, under a key that the other tenant uses as well.
    async fn make(&mut self, mutation: &str, field: &str, what: &str, mut input: Value) {
        if mutation != "assignAccessLevel" {
            input["idempotencyKey"] = json!(format!("{mutation} {}", self.ids.contains_key(what)));
        }
        let payload = ask(&self.client, mutation, input, &format!("{field} {{ id }}")).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        self.knows(what, text(&payload[field]["id"]));
    }

    async fn first(&mut self, query: &str, at: &str, what: &str) {
        let data = self.client.data(query, json!({})).await;
        let id = data.pointer(at).unwrap_or_else(|| panic!("no {what}: {data:#}"));
        self.knows(what, text(id));
    }

    /// An account at each vendor whose records can be named, a device with a door at two of them.
    async fn accounts(&mut self, house: &TestHouse, (organization, site): (OrganizationId, SiteId)) {
        let foundation = house.foundation();
        let (database, ids, now) = (&foundation.database, foundation.ids.as_ref(), foundation.clock.now());
        for (vendor, at) in [
            (Vendor::Raixer, simulator::Vendor::Raixer),
            (Vendor::Lockt, simulator::Vendor::Lockt),
            (Vendor::Mews, simulator::Vendor::Mews),
        ] {
            let url = house.simulator().base_url(at);
            let account = store::accounts::NewAccount {
                id: VendorAccountId(ids.next_uuid()),
                organization,
                site,
                vendor,
                name: vendor.as_str(),
                base_url: &url,
                credentials: vec![1],
                locations: &[],
                state: AccountState::Connected,
                signed_in_as: None,
                intake_token_hash: None,
                linked_by: None,
            };
            let account = store::accounts::link(database, ids, account, now).await.unwrap();
            self.knows(vendor.as_str(), VendorAccountId(account.id).to_string());
            let number = match vendor {
                Vendor::Raixer => Some("1"),
                Vendor::Lockt => Some("2"),
                _ => None,
            };
            let device = number.map(device);
            let portion: Vec<FoundDevice> = device.into_iter().collect();
            store::inventory::record(database, ids, &account, &portion, now).await.unwrap();
            self.records(house, &account, vendor, number).await;
            if vendor == Vendor::Raixer {
                self.knows("url", url);
                let id = WebhookDeliveryId(ids.next_uuid());
                store::deliveries::store(database, id, &account, vec![1], 1, now).await.unwrap();
                self.knows("WebhookDelivery", id.to_string());
                self.knows("VendorAccount", VendorAccountId(account.id).to_string());
            }
        }
        self.knows("VendorRecord", self.ids["sensor"].clone());
        let query = "{ doors { nodes { id device { id vendorAccount { vendor } } } } }";
        let data = self.client.data(query, json!({})).await;
        for door in data["doors"]["nodes"].as_array().unwrap() {
            // What people and guests open is a lock; a gate has whatever hangs on a device.
            let is_lock = door["device"]["vendorAccount"]["vendor"] == "LOCKT";
            self.knows(if is_lock { "Door" } else { "gate" }, text(&door["id"]));
            if !is_lock {
                self.knows("Device", text(&door["device"]["id"]));
            }
            self.make("openDoor", "command", "Command", json!({ "doorId": door["id"] })).await;
        }
        let asked = "{ events(filter: { types: [COMMAND_REQUESTED] }) { nodes { id } } }";
        self.first(asked, "/events/nodes/0/id", "Event").await;
    }

    async fn records(
        &mut self,
        house: &TestHouse,
        account: &vendor_account::Model,
        vendor: Vendor,
        device: Option<&str>,
    ) {
        let foundation = house.foundation();
        for (name, _, of_device, details) in RECORDS.iter().filter(|record| record.1 == vendor) {
            let found = FoundRecord {
                external_id: (*name).to_owned(),
                device: device.filter(|_| *of_device).map(str::to_owned),
                location: String::new(),
                name: (*name).to_owned(),
                details: serde_json::from_str(details).unwrap(),
                secret: None,
            };
            let (database, now) = (&foundation.database, foundation.clock.now());
            let ids = foundation.ids.as_ref();
            let written = store::records::record(database, ids, &NoSecrets, account, &[found], now).await.unwrap();
            self.knows(name, written[0].to_string());
        }
    }

    async fn people(&mut self) {
        let (site, door) = (self.ids["Site"].clone(), self.ids["Door"].clone());
        let office = json!({ "siteId": site, "name": "Office", "ranges": [{ "days": [0], "starts": "09:00", "ends": "17:00" }] });
        self.make("createSchedule", "schedule", "Schedule", office).await;
        self.make("createUser", "user", "User", json!({ "name": "Ada Byron", "email": "ada@example.test" })).await;
        let (office, user) = (self.ids["Schedule"].clone(), self.ids["User"].clone());
        let staff = json!({ "siteId": site, "name": "Staff", "doorIds": [door], "scheduleId": office });
        self.make("createAccessLevel", "accessLevel", "AccessLevel", staff).await;
        let given = json!({ "userId": user, "accessLevelId": self.ids["AccessLevel"] });
        self.make("assignAccessLevel", "assignment", "AccessAssignment", given).await;
        let card = json!({ "userId": user, "kind": "CARD", "number": "4711" });
        self.make("createCredential", "credential", "Credential", card).await;
        let query = "mutation { createApiKey(input: { name: \"made\", role: VIEWER }) { userErrors { code } } }";
        assert_eq!(self.client.data(query, json!({})).await["createApiKey"]["userErrors"], json!([]));
    }

    async fn stays(&mut self) {
        let stay = json!({
            "siteId": self.ids["Site"], "guest": { "userId": self.ids["User"] }, "doorIds": [self.ids["Door"]],
            "startsAt": "2099-01-01T00:00:00Z", "endsAt": "2099-01-05T00:00:00Z",
        });
        self.make("createReservation", "reservation", "Reservation", stay).await;
        let token = json!({ "reservationId": self.ids["Reservation"], "tokenType": "PIN_CODE" });
        self.make("issueAccessToken", "accessToken", "AccessToken", token).await;
        let query = "{ accessTokens { nodes { placements { id } } } }";
        self.first(query, "/accessTokens/nodes/0/placements/0/id", "Placement").await;
    }

    async fn alert(&mut self, house: &TestHouse, (organization, site): (OrganizationId, SiteId)) {
        let foundation = house.foundation();
        let new = NewAlert {
            organization: organization.0,
            site: Some(site.0),
            kind: AlertKind::LowBattery,
            severity: AlertSeverity::Notice,
            subject: self.ids["Device"].clone(),
            message: "Somebody must look.".to_owned(),
        };
        let connection = house.open_database().await;
        let transaction = TestHouse::begin_writing(&connection).await;
        let now = foundation.clock.now();
        let row = store::alerts::raise(&transaction, foundation.ids.as_ref(), new, now).await.unwrap().unwrap();
        transaction.commit().await.unwrap();
        connection.close().await.unwrap();
        self.knows("Alert", AlertId(row.id).to_string());
    }
}

/// A device with a door that can do whatever any can.
fn device(number: &str) -> FoundDevice {
    let everything: BTreeSet<CommandKind> = CommandKind::ALL.iter().copied().collect();
    FoundDevice {
        external_id: number.to_owned(),
        location: String::new(),
        name: "Device".to_owned(),
        model: "test".to_owned(),
        firmware: None,
        health: Health::Healthy,
        health_since: None,
        battery_percent: None,
        details: DeviceDetails::default(),
        capabilities: everything.clone(),
        doors: vec![FoundDoor {
            external_id: number.to_owned(),
            name: "Door".to_owned(),
            kind: DoorKind::Door,
            position: 1,
            capabilities: everything,
            reading: DoorReading::default(),
            settings: None,
            phone_access: None,
        }],
    }
}
