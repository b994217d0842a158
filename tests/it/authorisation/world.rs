//! Who may call, and what there is to see: the oracle of the matrix. What a caller sees is spelled out here once more, not asked of
//! the product.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Mutex,
};

use domain::{
    access::Role,
    alert::{AlertKind, AlertSeverity},
    command::CommandKind,
    ids::{
        AccessAssignmentId, AccessLevelId, AccessTokenId, AlertId, ApiKeyId, CommandId, CredentialId, DeviceId, DoorId,
        EventId, MembershipId, OrganizationId, PlacementId, RecordId, ReservationId, ScheduleId, SiteId, UserId,
        VendorAccountId, WebhookDeliveryId,
    },
};
use entities::{store, work};
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, text},
    house::{BackEnd, Plan, TestHouse},
    issuer::Issuer,
};
use serde_json::{Value, json};

use super::people::made;
use crate::tokens::scene::{ask, stay_at, token_for, write_alert};

/// What the caller sees of the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    Nobody,
    Stranger,
    Site(String),
    Door(String),
    /// A person without a role, whose own door it is.
    Own(String),
    Everything,
}

pub(super) struct Caller {
    pub(super) name: &'static str,
    pub(super) client: Client,
    pub(super) sight: Sight,
    pub(super) role: Role,
    pub(super) only: Option<CommandKind>,
}

impl Caller {
    pub(super) fn sees(&self, thing: &Thing) -> bool {
        self.sight.sees(thing) && self.role >= thing.needs
    }
}

/// Something with an id.
#[derive(Debug)]
pub(super) struct Thing {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) place: Place,
    /// The lowest role that may see it.
    pub(super) needs: Role,
}

#[derive(Debug)]
pub(super) enum Place {
    /// The organization itself.
    Organization,
    /// Seen by whoever sees the whole organization.
    Nowhere,
    /// At a site, and at, of, or around these doors.
    At { site: String, doors: Vec<String> },
}

impl Sight {
    /// Whether it is a part of the organization.
    pub(super) const fn is_limited(&self) -> bool {
        matches!(self, Self::Site(_) | Self::Door(_) | Self::Own(_))
    }

    pub(super) fn sees(&self, thing: &Thing) -> bool {
        match (self, &thing.place) {
            (Self::Nobody | Self::Stranger, _) | (Self::Site(_) | Self::Door(_) | Self::Own(_), Place::Nowhere) => {
                false
            }
            (Self::Everything, _) | (_, Place::Organization) => true,
            (Self::Site(own), Place::At { site, .. }) => own == site,
            (Self::Door(own), Place::At { doors, .. }) => doors.contains(own),
            // Others use it too: what hangs on it is not theirs.
            (Self::Own(own), Place::At { doors, .. }) => ["Door", "Site"].contains(&thing.kind) && doors.contains(own),
        }
    }
}

/// The organization as its ADMIN knows it, and everybody who may call.
pub(super) struct World {
    pub(super) house: TestHouse,
    pub(super) doors: Vec<Value>,
    pub(super) things: Vec<Thing>,
    /// A room of the PMS, by the PMS's id.
    pub(super) room: String,
    pub(super) issuer: Issuer,
    /// Who has no role, and the access levels that can be theirs, by site.
    resident: String,
    own_levels: BTreeMap<String, String>,
    own_door: Mutex<String>,
}

/// The address of whoever has no role.
const RESIDENT: &str = "rey@example.com";

impl World {
    pub(super) async fn start(back_end: BackEnd) -> Self {
        let issuer = Issuer::start().await;
        let plan = Plan::on(back_end).without_worker().with_setting("introspection", "yes");
        let plan = plan.with_setting("issuers", &issuer.setting(true));
        let house = plan.with_setting("max_complexity", "1000000").start().await;
        let doors = house.doors().await;
        for door in &doors {
            let can =
                |at: &Value, word: &str| at["capabilities"].as_array().is_some_and(|all| all.contains(&json!(word)));
            if can(door, "OPEN_DOOR") {
                house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
            }
            if can(&door["device"], "SYNC_DEVICE") {
                house.client.command("syncDevice", json!({ "deviceId": door["device"]["id"] })).await;
            }
        }
        let of_stays = things_of_stays(&house, doors.iter().find(|door| is_lock(door)).unwrap()).await;
        let (resident, own_levels) = levels_of_a_resident(&house, &doors).await;
        let rooms = "{ records(filter: { kinds: [RESOURCE] }, first: 1) { nodes { externalId } } }";
        let room = text(&house.client.data(rooms, json!({})).await["records"]["nodes"][0]["externalId"]);
        let own_door = Mutex::new(text(&doors[0]["id"]));
        let mut world = Self { house, doors, things: Vec::new(), room, issuer, resident, own_levels, own_door };
        // While there is one organization only, as the provider is set for none; and an event, which is seen as others are.
        let own = &world.doors[0]["id"];
        let caller = world.resident(own.as_str().unwrap()).await;
        let seen = caller.data("{ viewer { ownDoorIds } }", json!({})).await;
        assert_eq!(seen["viewer"]["ownDoorIds"], json!([own]), "{seen:#}");
        let mut levels: Vec<String> = world.own_levels.values().cloned().collect();
        levels.sort_unstable();
        let level = |id| Thing { kind: "AccessLevel", id, place: Place::Nowhere, needs: Role::Manager };
        world.things = levels.into_iter().map(level).chain(things(&world.house).await).chain(of_stays).collect();
        world
    }

    /// A door that takes codes.
    pub(super) fn lock(&self) -> &Value {
        self.doors.iter().find(|door| is_lock(door)).unwrap()
    }

    pub(super) fn of(&self, kind: &str) -> impl Iterator<Item = &Thing> {
        self.things.iter().filter(move |thing| thing.kind == kind)
    }

    pub(super) async fn caller(
        &self,
        name: &'static str,
        role: Role,
        sight: Sight,
        only: Option<CommandKind>,
    ) -> Caller {
        let mut plan = KeyPlan::unlimited(name, role);
        plan.verbs.extend(only);
        match &sight {
            Sight::Site(site) => plan.sites.extend(site.parse::<SiteId>().ok()),
            Sight::Door(door) => plan.doors.extend(door.parse::<DoorId>().ok()),
            _ => {}
        }
        let client = match sight {
            Sight::Nobody => self.house.client.with_key(""),
            Sight::Stranger => self.house.stranger().await,
            Sight::Own(ref door) => self.resident(door).await,
            _ => self.house.caller(&plan).await,
        };
        Caller { name, client, sight, role, only }
    }

    /// A person without a role, signed in anew so that nothing is remembered of them, whose own this door is.
    async fn resident(&self, door: &str) -> Client {
        let before = std::mem::replace(&mut *self.own_door.lock().unwrap(), door.to_owned());
        if before != door {
            self.give(door).await;
        }
        let foundation = self.house.foundation();
        let ends = foundation.clock.now().timestamp() + 3_600;
        let claims = json!({
            "sub": "1", "exp": ends, "email": RESIDENT, "email_verified": true, "jti": foundation.ids.next_uuid(),
        });
        self.house.client.with_key(&self.issuer.token(&claims))
    }

    /// Makes this door the resident's own, and no other.
    async fn give(&self, door: &str) {
        let at = text(&self.doors.iter().find(|at| at["id"] == *door).unwrap()["site"]["id"]);
        let admin = &self.house.client;
        for (site, level) in &self.own_levels {
            let change = if *site == at { "assignAccessLevel" } else { "unassignAccessLevel" };
            let input = json!({ "accessLevelId": level, "userId": self.resident });
            // It may be as it is to be.
            ask(admin, change, input, "assignment { id }").await;
        }
        let input = json!({ "accessLevelId": self.own_levels[&at], "doorIds": [door] });
        let changed = ask(admin, "updateAccessLevel", input, "accessLevel { id }").await;
        assert_eq!(changed["userErrors"], json!([]), "{changed:#}");
    }

    /// One caller of each kind; the limited ones see the place of `door`, or the place of another.
    pub(super) async fn callers(&self, door: &Value) -> Vec<Caller> {
        let elsewhere = self.doors.iter().find(|other| other["site"] != door["site"]).unwrap();
        let (site, other_site) = (text(&door["site"]["id"]), text(&elsewhere["site"]["id"]));
        let (own, other) = (text(&door["id"]), text(&elsewhere["id"]));
        let of_site = |site| Sight::Site(site);
        vec![
            self.caller("anonymous", Role::Viewer, Sight::Nobody, None).await,
            self.caller("stranger", Role::Admin, Sight::Stranger, None).await,
            self.caller("of the site", Role::Manager, of_site(site), None).await,
            self.caller("of another site", Role::Manager, of_site(other_site), None).await,
            self.caller("resident", Role::Viewer, Sight::Own(own.clone()), None).await,
            self.caller("of the door", Role::Manager, Sight::Door(own), None).await,
            self.caller("of another door", Role::Manager, Sight::Door(other), None).await,
            self.caller("viewer", Role::Viewer, Sight::Everything, None).await,
            self.caller("operator", Role::Operator, Sight::Everything, None).await,
            self.caller("manager", Role::Manager, Sight::Everything, None).await,
            self.caller("admin", Role::Admin, Sight::Everything, None).await,
            self.caller("photographer", Role::Admin, Sight::Everything, Some(CommandKind::TakePhoto)).await,
            self.caller("opener", Role::Admin, Sight::Everything, Some(CommandKind::OpenDoor)).await,
        ]
    }

    /// An id of this kind that nothing has.
    pub(super) fn absent(&self, kind: &str) -> String {
        let uuid = self.house.foundation().ids.next_uuid();
        match kind {
            "Organization" => OrganizationId(uuid).to_string(),
            "Site" => SiteId(uuid).to_string(),
            "Device" => DeviceId(uuid).to_string(),
            "Door" => DoorId(uuid).to_string(),
            "Command" => CommandId(uuid).to_string(),
            "Event" => EventId(uuid).to_string(),
            "VendorAccount" => VendorAccountId(uuid).to_string(),
            "VendorRecord" => RecordId(uuid).to_string(),
            "WebhookDelivery" => WebhookDeliveryId(uuid).to_string(),
            "User" => UserId(uuid).to_string(),
            "Credential" => CredentialId(uuid).to_string(),
            "AccessLevel" => AccessLevelId(uuid).to_string(),
            "AccessAssignment" => AccessAssignmentId(uuid).to_string(),
            "Schedule" => ScheduleId(uuid).to_string(),
            "Reservation" => ReservationId(uuid).to_string(),
            "AccessToken" => AccessTokenId(uuid).to_string(),
            "Placement" => PlacementId(uuid).to_string(),
            "Alert" => AlertId(uuid).to_string(),
            "ApiKey" => ApiKeyId(uuid).to_string(),
            "Membership" => MembershipId(uuid).to_string(),
            _ => unreachable!("a kind without ids: {kind}"),
        }
    }

    /// Every id in an answer belongs to something that the caller sees.
    pub(super) fn assert_no_leak(&self, caller: &Caller, answer: &Value) {
        let answer = answer.to_string();
        for thing in &self.things {
            let is_there = answer.contains(&thing.id);
            // Who one is, one is told.
            let is_oneself = matches!(caller.sight, Sight::Own(_)) && thing.id == self.resident;
            let may = caller.sees(thing) || is_oneself;
            assert!(!is_there || may, "{} was shown {} {}", caller.name, thing.kind, thing.id);
        }
    }
}

/// Every item of a list, page by page: the oracle must see everything.
async fn every(house: &TestHouse, list: &str, fields: &str) -> Vec<Value> {
    let query = format!(
        "query($after: String) {{ {list}(first: 100, after: $after) {{ nodes {{ {fields} }} \
         pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let (mut items, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = house.client.data(&query, json!({ "after": after })).await;
        items.extend(data[list]["nodes"].as_array().unwrap().iter().cloned());
        if data[list]["pageInfo"]["hasNextPage"] == false {
            return items;
        }
        after = data[list]["pageInfo"]["endCursor"].clone();
    }
}

/// A person without a role, and an access level at each site, with a door. The one of the first door is theirs.
async fn levels_of_a_resident(house: &TestHouse, doors: &[Value]) -> (String, BTreeMap<String, String>) {
    let made = async |mutation: &str, input: Value, fields: &str| {
        let payload = ask(&house.client, mutation, input, fields).await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        payload
    };
    let user = made("createUser", json!({ "name": "Rey", "email": RESIDENT }), "user { id }").await;
    let user = text(&user["user"]["id"]);
    let mut levels = BTreeMap::new();
    for door in doors {
        let site = text(&door["site"]["id"]);
        if let Entry::Vacant(entry) = levels.entry(site.clone()) {
            let input = json!({ "name": "Home", "siteId": site, "doorIds": [door["id"]] });
            let level = made("createAccessLevel", input, "accessLevel { id }").await;
            entry.insert(text(&level["accessLevel"]["id"]));
        }
    }
    let level = &levels[&text(&doors[0]["site"]["id"])];
    made("assignAccessLevel", json!({ "accessLevelId": level, "userId": user }), "assignment { id }").await;
    (user, levels)
}

fn is_lock(door: &Value) -> bool {
    door["device"]["vendorAccount"]["vendor"] == "LOCKT"
}

/// Stays, tokens, placements and alerts. The first tell of people.
async fn things_of_stays(house: &TestHouse, door: &Value) -> Vec<Thing> {
    let personal = |kind, id| Thing { kind, id, place: Place::Nowhere, needs: Role::Manager };
    let mut things = Vec::new();
    for _ in 0..2 {
        let stay = stay_at(house, door).await;
        let token = token_for(house, &stay).await;
        let query = "query($id: ID!) { accessToken(id: $id) { placements { id } } }";
        let data = house.client.data(query, json!({ "id": token })).await;
        let placements = data["accessToken"]["placements"].as_array().unwrap();
        things.extend(placements.iter().map(|placed| personal("Placement", text(&placed["id"]))));
        let severity = Some(AlertSeverity::Warning);
        write_alert(house, &door["site"]["id"], AlertKind::Drift, severity, &token).await;
        let device = format!("{}{}", text(&door["device"]["id"]), things.len());
        write_alert(house, &door["site"]["id"], AlertKind::DeviceDead, severity, &device).await;
        things.push(personal("AccessToken", token));
    }
    // Those that the PMS told of too.
    for node in every(house, "reservations", "id").await {
        things.push(personal("Reservation", text(&node["id"])));
    }
    for node in every(house, "alerts", "id kind site { id }").await {
        let of_people =
            ["TOKEN_AT_RISK", "REVOCATION_OVERDUE", "ZOMBIE", "DRIFT"].contains(&text(&node["kind"]).as_str());
        things.push(match of_people {
            true => personal("Alert", text(&node["id"])),
            false => {
                let place = Place::At { site: text(&node["site"]["id"]), doors: Vec::new() };
                Thing { kind: "Alert", id: text(&node["id"]), place, needs: Role::Viewer }
            }
        });
    }
    things
}

async fn things(house: &TestHouse) -> Vec<Thing> {
    let ids = |list: &Value| list.as_array().into_iter().flatten().map(|item| text(&item["id"])).collect::<Vec<_>>();
    let everybody = |kind, id: String, place| Thing { kind, id, place, needs: Role::Viewer };
    let made = made(house, &house.doors().await).await;
    let foundation = house.foundation();
    let now = foundation.clock.now();
    let accounts = work::accounts_of(house.database(), house.organization).await.unwrap();
    for account in &accounts {
        let id = WebhookDeliveryId(foundation.ids.next_uuid());
        store::deliveries::store(house.database(), id, account, vec![1], 1, now).await.unwrap();
    }
    let mut things = vec![everybody("Organization", house.organization.to_string(), Place::Organization)];
    for (kind, list, fields) in [
        ("Site", "sites", "id doors(first: 100) { nodes { id } }"),
        ("Device", "devices", "id site { id } doors { id }"),
        ("Door", "doors", "id site { id }"),
        ("Command", "commands", "id site { id } door { id }"),
        ("Event", "events", "id site { id } door { id }"),
    ] {
        for node in every(house, list, fields).await {
            let id = text(&node["id"]);
            let site = node["site"]["id"].as_str().unwrap_or(&id).to_owned();
            let doors = match kind {
                "Site" => ids(&node["doors"]["nodes"]),
                "Device" => ids(&node["doors"]),
                "Door" => vec![id.clone()],
                _ => node["door"]["id"].as_str().map(str::to_owned).into_iter().collect(),
            };
            things.push(everybody(kind, id, Place::At { site, doors }));
        }
    }
    for account in accounts {
        things.push(everybody("VendorAccount", VendorAccountId(account.id).to_string(), Place::Nowhere));
    }
    for node in every(house, "records", "id kind site { id } device { id }").await {
        let kind = text(&node["kind"]);
        let is_of_device = ["SENSOR", "CAMPAIGN", "AUTO_ACCESS_SCHEDULE"].contains(&kind.as_str());
        let is_personal = ["USER", "CREDENTIAL", "DEVICE_ACCESS", "PROFILE", "RESERVATION", "ACCESS_TOKEN"];
        let place = if is_of_device && node["device"].is_object() {
            Place::At { site: text(&node["site"]["id"]), doors: Vec::new() }
        } else {
            Place::Nowhere
        };
        let needs = if is_personal.contains(&kind.as_str()) { Role::Manager } else { Role::Viewer };
        things.push(Thing { kind: "VendorRecord", id: text(&node["id"]), place, needs });
    }
    for node in every(house, "webhookDeliveries", "id").await.iter().rev() {
        let id = text(&node["id"]);
        things.push(Thing { kind: "WebhookDelivery", id, place: Place::Nowhere, needs: Role::Admin });
    }
    let user = UserId(foundation.ids.next_uuid());
    let member = (user, MembershipId(foundation.ids.next_uuid()));
    let (person, role) = (("Zoë", None), (Role::Viewer, None));
    store::organizations::create_member(house.database(), house.organization, member, person, role, now).await.unwrap();
    let of_people = |kind, id| Thing { kind, id, place: Place::Nowhere, needs: Role::Manager };
    for node in every(house, "users", "id accessLevels { id }").await {
        things.push(of_people("User", text(&node["id"])));
        for assignment in node["accessLevels"].as_array().into_iter().flatten() {
            things.push(of_people("AccessAssignment", text(&assignment["id"])));
        }
    }
    things.push(of_people("Credential", made.credential));
    things.push(of_people("AccessLevel", made.level));
    things.push(of_people("Schedule", made.schedule));
    things.push(of_people("Schedule", made.unused_schedule));
    things
}
