//! A house with PINs for a door of the simulated Lockt. No test lives here.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    access::{Actor, Limits, Principal, Role},
    account::AccountState,
    credential::CredentialState,
    ids::{AccessLevelId, ApiKeyId, CredentialId, DoorId, PlacementId, UserId, VendorAccountId},
    placement::Wish,
    record::CredentialType,
    secret::Secret,
    stay::StayTiming,
};
use entities::{
    Scope, find,
    page::PageRequest,
    rows::{alert, placement},
    store::{
        access::Acting,
        access_levels,
        accounts::{self, FreshCredentials},
        credentials::{self, CredentialChange, NewCredential, Presented},
        people::{self, NewPerson},
        stays::Settling,
    },
};
use gatehouse_tests::{
    client::{http, text},
    house::TestHouse,
    wait::until,
};
use platform::vault::Place;
use serde_json::{Value, json};
use simulator::{LocktChange, LocktPresented, Vendor, WorldChange};
use uuid::Uuid;

use crate::{
    changes::scene::plan,
    orders::account_id,
    tokens::scene::{TOKEN, ask, iso},
};

/// A house whose clock the tests move.
pub(super) struct Scene {
    pub(super) house: TestHouse,
    pub(super) lockt: VendorAccountId,
    /// The door that an access level opens alone.
    door: DoorId,
    door_number: u64,
    timing: StayTiming,
    /// What passes between two looks of a test.
    pub(super) step: TimeDelta,
}

/// A PIN that is, or was, to open the door.
#[derive(Debug, Clone)]
pub(super) struct Pin {
    pub(super) credential: CredentialId,
    pub(super) digits: String,
}

impl Scene {
    pub(super) async fn start(plan: gatehouse_tests::house::Plan) -> Self {
        let house = plan.with_manual_clock().start().await;
        let lockt = account_id(&house, Vendor::Lockt).await;
        let mut doors = house.doors().await;
        doors.retain(|door| door["device"]["vendorAccount"]["vendor"] == "LOCKT");
        let number = |door: &Value| text(&door["externalId"]).parse::<u64>().unwrap();
        let door = doors.iter().min_by_key(|door| number(door)).unwrap();
        let (door, door_number) = (TestHouse::door_id(door), number(door));
        Self { house, lockt, door, door_number, timing: StayTiming::default(), step: TimeDelta::milliseconds(100) }
    }

    /// The usual small world.
    pub(super) async fn small(back_end: gatehouse_tests::house::BackEnd) -> Self {
        Self::start(plan(back_end, 1)).await
    }

    /// The id of the door.
    pub(super) fn door(&self) -> String {
        self.door.to_string()
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.house.clock.as_ref().map(domain::clock::Clock::now).unwrap()
    }

    fn acting(&self) -> Acting<'_> {
        let settling = Settling { ids: self.house.foundation().ids.as_ref(), timing: &self.timing };
        Acting { settling, by: "usr_test", key: None, now: self.now() }
    }

    /// Wishes for a PIN that opens the door for a month from now on.
    pub(super) async fn wish(&self, digits: &str) -> Pin {
        self.wish_for(CredentialType::PinCode, digits, self.door).await
    }

    /// Wishes that a telephone may call a door for a month from now on. Its digits are its number.
    pub(super) async fn wish_phone(&self, digits: &str, door: &Value) -> Pin {
        self.wish_for(CredentialType::PhoneNumber, digits, TestHouse::door_id(door)).await
    }

    async fn wish_for(&self, kind: CredentialType, digits: &str, door: DoorId) -> Pin {
        // A holder for each: people have few credentials.
        let holder = self.person(digits).await;
        let from = self.now() - TimeDelta::hours(1);
        self.credential(holder, kind, digits, from, BTreeSet::from([door])).await
    }

    /// A card of somebody new who has this access level. It opens from then on.
    pub(super) async fn card_of_holder(&self, digits: &str, level: AccessLevelId, from: DateTime<Utc>) -> Pin {
        let holder = self.person(digits).await;
        let whose = (self.house.organization, level, holder);
        access_levels::assign(self.house.database(), &self.acting(), whose, (None, None)).await.unwrap().unwrap();
        self.credential(holder, CredentialType::Card, digits, from, BTreeSet::new()).await
    }

    async fn person(&self, digits: &str) -> UserId {
        let foundation = self.house.foundation();
        let holder = UserId(foundation.ids.next_uuid());
        let person = NewPerson {
            id: holder,
            organization: self.house.organization,
            name: format!("Guest {digits}"),
            email: None,
            phone: None,
        };
        people::create(self.house.database(), &self.acting(), person).await.unwrap().unwrap();
        holder
    }

    async fn credential(
        &self,
        holder: UserId,
        kind: CredentialType,
        digits: &str,
        from: DateTime<Utc>,
        doors: BTreeSet<DoorId>,
    ) -> Pin {
        let foundation = self.house.foundation();
        let id = CredentialId(foundation.ids.next_uuid());
        let new = NewCredential {
            id,
            organization: self.house.organization,
            user: holder,
            kind,
            label: None,
            presented: Presented {
                number: (kind != CredentialType::PinCode).then(|| digits.to_owned()),
                ..self.presented(id, digits)
            },
            from: Some(from),
            until: Some(from + TimeDelta::days(30)),
            doors,
        };
        credentials::create(self.house.database(), &self.acting(), new).await.unwrap().unwrap();
        Pin { credential: id, digits: digits.to_owned() }
    }

    /// Issues this PIN for a stay of a month at the door, and returns the token's id.
    pub(super) async fn token(&self, digits: &str) -> String {
        let input = json!({
            "siteId": self.site().await, "guest": { "name": "Ada Byron" }, "doorIds": [self.door()],
            "startsAt": iso(self.now()), "endsAt": iso(self.now() + TimeDelta::days(30)),
        });
        let made = ask(&self.house.client, "createReservation", input, "reservation { id }").await;
        let input = json!({ "reservationId": made["reservation"]["id"], "tokenType": "PIN_CODE", "value": digits });
        let issued = ask(&self.house.client, "issueAccessToken", input, "accessToken { id }").await;
        assert_eq!(issued["userErrors"], json!([]), "{issued:#}");
        text(&issued["accessToken"]["id"])
    }

    pub(super) async fn read_token(&self, id: &str) -> Value {
        let query = format!("query($id: ID!) {{ accessToken(id: $id) {{ {TOKEN} }} }}");
        self.house.client.data(&query, json!({ "id": id })).await["accessToken"].take()
    }

    /// Lets time pass until a token is in a state.
    pub(super) async fn token_in(&self, id: &str, state: &str) -> Value {
        until(&format!("the token is {state}"), async || {
            let shown = self.read_token(id).await;
            if shown["state"] == state {
                return Some(shown);
            }
            self.house.advance(self.step);
            None
        })
        .await
    }

    fn presented(&self, id: CredentialId, digits: &str) -> Presented {
        let vault = &self.house.foundation().vault;
        let secret = Secret::new(digits);
        let place = Place { table: "credentials", column: "sealed", row: id.0 };
        Presented {
            number: None,
            sealed: Some(vault.seal(&secret, place).unwrap()),
            fingerprint: vault.fingerprint(self.house.organization.0, &secret),
        }
    }

    async fn change(&self, pin: &Pin, change: CredentialChange) {
        let which = (self.house.organization, pin.credential);
        credentials::update(self.house.database(), &self.acting(), which, change).await.unwrap().unwrap();
    }

    /// Wishes that it were gone.
    pub(super) async fn revoke(&self, pin: &Pin) {
        self.change(pin, CredentialChange { state: Some(CredentialState::Revoked), ..CredentialChange::default() })
            .await;
    }

    /// Wishes for another value.
    pub(super) async fn reissue(&self, pin: &Pin, digits: &str) -> Pin {
        let presented = Some(self.presented(pin.credential, digits));
        self.change(pin, CredentialChange { presented, ..CredentialChange::default() }).await;
        Pin { digits: digits.to_owned(), ..pin.clone() }
    }

    /// Wishes for another end.
    pub(super) async fn until(&self, pin: &Pin, until: DateTime<Utc>) {
        self.change(pin, CredentialChange { until: Some(Some(until)), ..CredentialChange::default() }).await;
    }

    pub(super) fn scope(&self) -> Scope {
        Scope::of(&Principal {
            organization: self.house.organization,
            actor: Actor::ApiKey(ApiKeyId(Uuid::nil())),
            role: Role::Admin,
            at_sites: BTreeMap::new(),
            limits: Limits::default(),
            own_doors: BTreeSet::new(),
            counted: false,
            expires_at: None,
        })
    }

    /// How much of these is to be at vendors.
    pub(super) async fn wished_for(&self, pins: &[Pin]) -> usize {
        let ids: Vec<CredentialId> = pins.iter().map(|pin| pin.credential).collect();
        let rows = find::placements::by_credentials(self.house.database(), &self.scope(), &ids).await.unwrap();
        rows.iter().filter(|row| row.desired == "PRESENT").count()
    }

    /// The id of the door's site.
    pub(super) async fn site(&self) -> Value {
        let doors = self.house.doors().await;
        doors.iter().find(|door| TestHouse::door_id(door) == self.door).unwrap()["site"]["id"].clone()
    }

    /// The one placement of a PIN.
    pub(super) async fn placement(&self, pin: &Pin) -> placement::Model {
        let ids = [pin.credential];
        let mut rows = find::placements::by_credentials(self.house.database(), &self.scope(), &ids).await.unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0)
    }

    /// The open alerts about a PIN's placement, as kind and severity.
    pub(super) async fn alerts(&self, pin: &Pin) -> Vec<(String, String)> {
        let all = self.all_alerts(pin).await.into_iter();
        all.filter(|row| row.resolved_at.is_none()).map(|row| (row.kind, row.severity)).collect()
    }

    /// All alerts there ever were about it.
    pub(super) async fn all_alerts(&self, pin: &Pin) -> Vec<alert::Model> {
        let subject = PlacementId(self.placement(pin).await.id).to_string();
        let page = PageRequest { after: None, before: None, limit: 100, from_end: false, newest_first: false };
        let filter = find::alerts::AlertFilter { resolved_too: true, ..Default::default() };
        let mut all = find::alerts::page(self.house.database(), &self.scope(), &filter, page).await.unwrap().rows;
        all.retain(|row| row.subject == subject);
        all
    }

    /// How often an alert of a kind was raised about it.
    pub(super) async fn raised(&self, pin: &Pin, kind: &str) -> usize {
        self.all_alerts(pin).await.iter().filter(|row| row.kind == kind).count()
    }

    /// Whether the simulated lock opens for a PIN now.
    pub(super) fn opens(&self, pin: &Pin) -> bool {
        self.would_open(&pin.digits)
    }

    /// Whether it opens for these digits now, whosever they are.
    pub(super) fn would_open(&self, digits: &str) -> bool {
        self.house.vendors.lockt_would_open(self.door_number, &LocktPresented::Pin(digits.to_owned()), self.now())
    }

    /// The vendor's id of the access level that a placement was given.
    pub(super) async fn level(&self, pin: &Pin) -> u64 {
        match self.placement(pin).await.wish().unwrap().unwrap() {
            Wish::CardHolder(wish) => wish.access_levels.first().unwrap().parse().unwrap(),
            other => unreachable!("{other:?} at Lockt"),
        }
    }

    /// Somebody else lets the holder of a PIN in again, by the vendor's own API.
    pub(super) async fn reopen(&self, pin: &Pin, level: u64) {
        let Some(Wish::CardHolder(wish)) = self.placement(pin).await.wish().unwrap() else { unreachable!("at Lockt") };
        let simulator = self.house.simulator();
        let keys = &simulator.credentials()[0].lockt;
        let body = json!({
            "users": [{ "id_num": wish.id_number, "first_name": "Ada", "last_name": "Byron", "enabled": "true",
                "access_effective": "", "access_expires": "", "accesslevels": [{ "id": level }] }],
            "options": { "update_existing": "true", "validate_fails_batch": "true", "replace_privileges": "true" },
        });
        let account = entities::work::account(self.house.database(), self.lockt).await.unwrap().unwrap();
        let url = format!("{}/api/v1/user", account.base_url.trim_end_matches('/'));
        let request = http().post(url).header("apiuser", &keys.api_user).header("apikey", &keys.api_key);
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Somebody changes the vendor's records by hand.
    pub(super) fn by_hand(&self, change: LocktChange) {
        self.house.vendors.change(WorldChange::Lockt(change)).unwrap();
    }

    /// A person gives the account its credentials anew.
    pub(super) async fn relink(&self) {
        let foundation = self.house.foundation();
        let account = entities::work::account(self.house.database(), self.lockt).await.unwrap().unwrap();
        let fresh = FreshCredentials {
            credentials: account.credentials.clone(),
            base_url: &account.base_url,
            signed_in_as: None,
            state: AccountState::Connected,
        };
        let ids = foundation.ids.as_ref();
        let again = accounts::reauthorize(self.house.database(), ids, &account, fresh, None, self.now()).await;
        assert!(again.unwrap().is_some());
    }

    /// Lets time pass until a placement is as wished.
    pub(super) async fn pass_until(
        &self,
        what: &str,
        pin: &Pin,
        is_reached: impl Fn(&placement::Model) -> bool,
    ) -> placement::Model {
        until(what, async || {
            let row = self.placement(pin).await;
            if is_reached(&row) {
                return Some(row);
            }
            self.house.advance(self.step);
            None
        })
        .await
    }

    /// Lets time pass until a placement is in a state.
    pub(super) async fn state(&self, pin: &Pin, state: &str) -> placement::Model {
        self.pass_until(state, pin, |row| row.state == state).await
    }

    /// A PIN that opens, read back.
    pub(super) async fn placed(&self, digits: &str) -> Pin {
        let pin = self.wish(digits).await;
        self.state(&pin, "CONFIRMED").await;
        assert!(self.opens(&pin), "{pin:?}");
        pin
    }

    pub(super) async fn wish_for_sync(&self) {
        accounts::request_sync(self.house.database(), self.lockt, self.now()).await.unwrap();
    }

    /// Wishes for a sync and lets time pass until it is over.
    pub(super) async fn sync(&self) {
        let before = self.synced_at().await;
        self.wish_for_sync().await;
        until("the sync is over", async || {
            self.house.advance(TimeDelta::milliseconds(250));
            (self.synced_at().await > before).then_some(())
        })
        .await;
    }

    async fn synced_at(&self) -> Option<DateTime<Utc>> {
        entities::work::account(self.house.database(), self.lockt).await.unwrap().unwrap().synced_at
    }

    /// Lets so much time pass, in steps that leave the worker time to see to what is due.
    pub(super) async fn pass(&self, time: TimeDelta, step: TimeDelta) {
        let end = self.now() + time;
        while self.now() < end {
            self.house.advance(step.min(end - self.now()));
            // A round trip or two through the house.
            for _ in 0..2 {
                self.house.doors().await;
            }
        }
    }
}
