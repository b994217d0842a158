//! A house with what is placed beside the locks: telephones at Raixer, tokens in the PMS. No test lives here.

use chrono::TimeDelta;
use domain::ids::{AccessTokenId, VendorAccountId};
use entities::{find, rows::placement};
use gatehouse_tests::{
    client::text,
    house::{Plan, TestHouse},
    wait::until,
};
use serde_json::{Value, json};
use simulator::{EffectKind, RaixerChange, Vendor, WorldChange};

use super::scene::{Pin, Scene};
use crate::{changes::scene::effects, orders::account_id, tokens::scene::ask};

/// What is placed at a vendor, and how the vendor calls that.
pub(super) struct Case {
    pub(super) vendor: Vendor,
    pub(super) create: &'static str,
    pub(super) delete: &'static str,
    pub(super) created: EffectKind,
    pub(super) deleted: EffectKind,
}

/// Where each making makes another record.
pub(super) const CASES: [Case; 2] = [
    Case {
        vendor: Vendor::Raixer,
        create: "create_authorized_phone",
        delete: "delete_authorized_phone",
        created: EffectKind::PhoneNumberAuthorised,
        deleted: EffectKind::PhoneNumberRemoved,
    },
    Case {
        vendor: Vendor::Mews,
        create: "add_access_tokens",
        delete: "delete_access_tokens",
        created: EffectKind::TokenAdded,
        deleted: EffectKind::TokenDeleted,
    },
];

/// Something that is, or was, to be there.
pub(super) enum Thing {
    Phone(Pin),
    Token(AccessTokenId),
}

pub(super) struct Elsewhere {
    pub(super) scene: Scene,
    raixer: VendorAccountId,
    mews: VendorAccountId,
    /// A door of Raixer's that takes calls.
    door: Value,
    /// A stay of the PMS whose room stands for the lock.
    stay: String,
}

impl Elsewhere {
    /// `turn` lets the house do what is due, for a moment.
    pub(super) async fn start(plan: Plan, turn: impl AsyncFn(&TestHouse)) -> Self {
        let scene = Scene::start(plan).await;
        let house = &scene.house;
        let (raixer, mews) = (account_id(house, Vendor::Raixer).await, account_id(house, Vendor::Mews).await);
        let door = async || {
            let mut doors = house.doors().await.into_iter();
            doors.find(|door| door["device"]["vendorAccount"]["vendor"] == "RAIXER").unwrap()
        };
        let input = json!({ "doorId": door().await["id"], "enabled": true });
        house.client.mutate("setPhoneAccess", input).await;
        let query = "query($id: ID!) { door(id: $id) { phoneAccess { enabled } } }";
        let door = door().await;
        until("the door takes calls", async || {
            let told = house.client.data(query, json!({ "id": door["id"] })).await;
            if told["door"]["phoneAccess"]["enabled"] == true {
                return Some(());
            }
            turn(house).await;
            None
        })
        .await;
        let query = "{ reservations(first: 1, filter: { states: [STARTED] }) { nodes { id resourceExternalId } } }";
        let stay = house.client.data(query, json!({})).await["reservations"]["nodes"][0].take();
        let input = json!({
            "vendorAccountId": mews.to_string(), "resource": stay["resourceExternalId"], "doorIds": [scene.door()],
        });
        let mapped = ask(&house.client, "mapResource", input, "mapping { resource }").await;
        assert_eq!(mapped["userErrors"], json!([]), "{mapped:#}");
        Self { raixer, mews, door, stay: text(&stay["id"]), scene }
    }

    pub(super) fn account(&self, case: &Case) -> VendorAccountId {
        if case.vendor == Vendor::Raixer { self.raixer } else { self.mews }
    }

    /// Wishes for one more.
    pub(super) async fn wish(&self, case: &Case, number: usize) -> Thing {
        if case.vendor == Vendor::Raixer {
            return Thing::Phone(self.scene.wish_phone(&format!("35191{number:07}"), &self.door).await);
        }
        let input = json!({ "reservationId": self.stay, "tokenType": "PIN_CODE", "value": format!("58{number:03}1") });
        let payload = ask(&self.scene.house.client, "issueAccessToken", input, "accessToken { id }").await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        Thing::Token(text(&payload["accessToken"]["id"]).parse().unwrap())
    }

    /// Wishes that it were gone.
    pub(super) async fn withdraw(&self, thing: &Thing) {
        match thing {
            Thing::Phone(phone) => self.scene.revoke(phone).await,
            Thing::Token(token) => {
                let input = json!({ "accessTokenId": token.to_string() });
                ask(&self.scene.house.client, "revokeAccessToken", input, "accessToken { id }").await;
            }
        }
    }

    /// Its placement there, if there is one yet.
    pub(super) async fn placement(&self, thing: &Thing) -> Option<placement::Model> {
        let (database, scope) = (self.scene.house.database(), self.scene.scope());
        match thing {
            Thing::Phone(phone) => Some(self.scene.placement(phone).await),
            Thing::Token(token) => {
                let rows = find::placements::by_tokens(database, &scope, &[*token]).await.unwrap();
                rows.into_iter().find(|row| row.account_id == self.mews.0)
            }
        }
    }

    /// Whether it opens at the vendor, or is shown there.
    pub(super) fn is_there(&self, case: &Case, thing: &Thing) -> bool {
        let house = &self.scene.house;
        let Thing::Phone(phone) = thing else {
            return effects(house, case.vendor, case.created) > effects(house, case.vendor, case.deleted);
        };
        let opened =
            || house.vendors.effects(0).entries.iter().filter(|effect| effect.kind == EffectKind::Open).count();
        let (device, before) = (text(&self.door["device"]["externalId"]), opened());
        let number = phone.digits.parse().unwrap();
        let call = RaixerChange::PhoneCall { device, position: 1, number };
        house.vendors.change(WorldChange::Raixer(call)).unwrap();
        opened() > before
    }

    /// Raixer lists telephones without their ids: one whose making was not answered can be removed by a person only. That
    /// is said, and noticed when it is done.
    pub(super) async fn remove_by_hand(&self, case: &Case, thing: &Thing, row: &placement::Model) {
        assert!(self.is_there(case, thing) && row.revoked_at.is_none(), "nobody says that it is gone: {row:?}");
        let Thing::Phone(phone) = thing else { panic!("the PMS tells all ids: {row:?}") };
        let device = text(&self.door["device"]["externalId"]);
        let removed = RaixerChange::PhoneRemoved { device, number: phone.digits.parse().unwrap() };
        self.scene.house.vendors.change(WorldChange::Raixer(removed)).unwrap();
    }

    /// Lets time pass until its placement is as wished.
    pub(super) async fn pass_until(
        &self,
        what: &str,
        thing: &Thing,
        is_reached: impl Fn(&placement::Model) -> bool,
    ) -> placement::Model {
        until(what, async || {
            let row = self.placement(thing).await.filter(|row| is_reached(row));
            if row.is_none() {
                self.scene.house.advance(TimeDelta::milliseconds(100));
            }
            row
        })
        .await
    }
}
