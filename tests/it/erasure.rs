//! P19: an erased person stands nowhere any more, whatever told of them before, and no vendor brings them back.

use domain::{ids::UserId, webhook::RawDelivery};
use entities::{
    rows::{command, webhook_delivery},
    store::identities::{self, By, Word},
};
use gatehouse_tests::{
    client::{http, text},
    house::{Plan, TestHouse},
    leaks, on_both_back_ends,
    wait::until,
};
use platform::vault::Place;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use simulator::{Fault, FaultKind, Vendor};

use crate::{
    changes::scene::{bodies, command as order, records},
    orders::account_id,
    tokens::scene::{Hotel, ask},
    vendor_accounts::sync,
};

const NAME: &str = "Zenobia Quillfeather";
const FAMILY: &str = "Quillfeather";
const EMAIL: &str = "Zenobia@canary.example";
const PHONE: &str = "37259481726";
/// The number of a card, and that of another telephone.
const NUMBERS: [&str; 2] = ["8830571946271", "37259481999"];

async fn done(house: &TestHouse, mutation: &str, input: Value, fields: &str) -> Value {
    let mut payload = ask(&house.client, mutation, input, fields).await;
    assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload:#}");
    payload[fields.split_whitespace().next().unwrap()].take()
}

/// Which of these texts stand in which table, letters taken loosely.
async fn standing(house: &TestHouse, texts: &[String]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (table, rows) in leaks::rows(house).await {
        let rows = rows.to_lowercase();
        for text in texts {
            if let Some(at) = rows.find(&text.to_lowercase()) {
                let around: String = rows[..at].chars().rev().take(200).collect();
                found.push((table.clone(), around.chars().rev().collect::<String>() + text));
            }
        }
    }
    found
}

/// Erases people, and waits until the worker has gone through everything.
async fn erase(house: &TestHouse, people: &[String]) {
    for user in people {
        done(house, "deleteUser", json!({ "userId": user }), "user { id }").await;
    }
    erased(house).await;
}

async fn erased(house: &TestHouse) {
    until("nothing is left of them", async || {
        let rows = leaks::rows(house).await.remove("erasures").unwrap();
        (!rows.is_empty() && !rows.contains("marks")).then_some(())
    })
    .await;
}

/// A telephone of the person's at an intercom, and a PIN and a card at a lock: each has been there.
async fn credentials(hotel: &Hotel, user: &str) {
    let is_single = |door: &Value| text(&door["device"]["name"]).contains("Market street 1");
    let door = hotel.house.door_where("RAIXER", "OPEN_DOOR", is_single).await;
    let input = json!({ "doorId": door["id"], "enabled": true });
    let opened = hotel.client().command("setPhoneAccess", input).await;
    hotel.client().finished(&opened).await;
    let query = "query($id: ID!) { door(id: $id) { phoneAccess { enabled } } }";
    until("the door takes calls", async || {
        let data = hotel.client().data(query, json!({ "id": door["id"] })).await;
        (data["door"]["phoneAccess"]["enabled"] == true).then_some(())
    })
    .await;
    let input = json!({ "userId": user, "kind": "PHONE_NUMBER", "number": NUMBERS[1], "doorIds": [door["id"]] });
    let mut placed = vec![done(&hotel.house, "createCredential", input, "credential { id }").await["id"].take()];
    let lock = &hotel.locks[0]["id"];
    for presented in [json!({ "kind": "PIN_CODE", "value": "482913" }), json!({ "kind": "CARD", "number": NUMBERS[0] })]
    {
        let mut input = json!({ "userId": user, "label": format!("of {NAME}"), "doorIds": [lock] });
        input.as_object_mut().unwrap().extend(presented.as_object().unwrap().clone());
        placed.push(done(&hotel.house, "createCredential", input, "credential { id }").await["id"].take());
    }
    let query = "query($id: ID!) { credential(id: $id) { placements { state } } }";
    for id in placed {
        until("it is at its vendor", async || {
            let data = hotel.client().data(query, json!({ "id": id })).await;
            let all = data["credential"]["placements"].as_array().unwrap().clone();
            (!all.is_empty() && all.iter().all(|placed| placed["state"] == "CONFIRMED")).then_some(())
        })
        .await;
    }
}

/// A stay of the person's whose first token was revoked and whose second one opens. Returns the guest and that token.
async fn stay(hotel: &Hotel) -> (String, String) {
    let mut input = hotel.stay_input(&[&hotel.locks[0]], 0, 2);
    input["guest"] = json!({ "name": NAME, "email": EMAIL, "phone": PHONE });
    let stay = done(&hotel.house, "createReservation", input, "reservation { id guest { id } }").await;
    let id = text(&stay["id"]);
    let mut tokens = Vec::new();
    for state in ["REVOKED", "ACTIVE"] {
        let token = hotel.issued(&id, json!({})).await;
        until("the token is everywhere", async || (hotel.read_token(&token).await["state"] == "ACTIVE").then_some(()))
            .await;
        if state == "REVOKED" {
            hotel.revoke(&token).await;
        }
        until("the token is so", async || (hotel.read_token(&token).await["state"] == state).then_some(())).await;
        tokens.push(token);
    }
    (text(&stay["guest"]["id"]), tokens.pop().unwrap())
}

/// The person among others in an import of the caller's own, and in an order that names nobody else.
async fn import(house: &TestHouse) {
    let users = json!([
        { "idNumber": "staff-1", "firstName": "Zenobia", "lastName": FAMILY, "email": EMAIL, "phone": PHONE },
        { "idNumber": "staff-2", "firstName": "Someone", "lastName": "Else", "email": "else@other.example" },
    ]);
    let lockt = account_id(house, Vendor::Lockt).await.to_string();
    let id = order(&house.client, "importUsers", json!({ "vendorAccountId": lockt, "users": users })).await;
    assert_eq!(house.client.finished(&id).await["state"], "SUCCEEDED");
}

/// A gate that the person opened, as its vendor tells.
async fn webhook(house: &TestHouse) {
    let account = account_id(house, Vendor::Parqex).await.to_string();
    let input = json!({ "vendorAccountId": account });
    let url = text(&done(house, "rotateWebhookAddress", input, "webhookUrl").await);
    let door = house.door("PARQEX", "OPEN_DOOR").await;
    let body = json!({
        "id": "7C1D0000000000000000000000000001", "eventType": format!("door{}_open", door["position"]),
        "toggleID": "A0A10000000000000000000000000001", "doorID": door["externalId"], "doorState": "OPEN",
        "channel": "Door Sensor", "deviceID": door["device"]["externalId"],
        "eventOccurredUTC": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "userThatToggled": { "firstName": "Zenobia", "lastName": FAMILY, "emailAddress": EMAIL },
    });
    // As some write it: no letter of the name stands in the body as it is.
    let body = body.to_string().replace("ll", "\\u006c\\u006c");
    let sent = http().post(&url).header("content-type", "application/json").body(body).send().await;
    assert_eq!(sent.unwrap().status(), 202);
    until("the event is told", async || {
        let data = house.client.data("{ events(last: 100) { nodes { data } } }", json!({})).await;
        data.to_string().contains(EMAIL).then_some(())
    })
    .await;
}

/// The person as a subject of an identity provider.
async fn identity(house: &TestHouse, user: &str) {
    let (foundation, organization) = (house.foundation(), house.organization);
    let (ids, now, user) = (foundation.ids.as_ref(), foundation.clock.now(), user.parse::<UserId>().unwrap());
    let (by, subject) = (By { ids, actor: "test", now }, ("https://id.example", EMAIL));
    let linked = identities::link(house.database(), by, (organization, user), subject, Word::OfProvider(EMAIL)).await;
    linked.unwrap().unwrap();
}

/// What webhooks said, as far as it is kept.
async fn delivered(house: &TestHouse) -> String {
    let rows = house.open_database().await;
    let deliveries = webhook_delivery::Entity::find().all(&rows).await.unwrap();
    let said = deliveries.iter().map(|row| {
        let place = Place { table: "webhook_deliveries", column: "content", row: row.id };
        let form = house.foundation().vault.open(&row.content, place).unwrap();
        String::from_utf8(serde_json::from_str::<RawDelivery>(form.expose()).unwrap().body).unwrap()
    });
    said.collect()
}

/// Somebody whose token is gone, and whose name the lock's system has still. Returns their id, and the token's.
async fn known_by_name(hotel: &Hotel) -> (String, String) {
    let mut input = hotel.stay_input(&[&hotel.locks[0]], 0, 2);
    input["guest"] = json!({ "name": NAME, "email": EMAIL, "phone": PHONE });
    let stay = done(&hotel.house, "createReservation", input, "reservation { id guest { id } }").await;
    let token = hotel.issued(&text(&stay["id"]), json!({})).await;
    until("the token is everywhere", async || (hotel.read_token(&token).await["state"] == "ACTIVE").then_some(()))
        .await;
    hotel.revoke(&token).await;
    until("the token is gone", async || (hotel.read_token(&token).await["state"] == "REVOKED").then_some(())).await;
    (text(&stay["guest"]["id"]), token)
}

/// The states of the orders to forget a name, in their order.
async fn orders_to_forget(house: &TestHouse) -> Vec<String> {
    let rows = house.open_database().await;
    let orders = command::Entity::find().filter(command::Column::IdempotencyKey.starts_with("erasure:"));
    let orders = orders.order_by_asc(command::Column::Id).all(&rows).await.unwrap();
    rows.close().await.unwrap();
    orders.into_iter().map(|row| row.state).collect()
}

on_both_back_ends! {
    /// What the lock's system refuses to forget is asked of it again, and nothing is over before.
    async fn a_name_that_is_not_forgotten_at_once_is_asked_for_again(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end)).await;
        let house = &hotel.house;
        let (guest, token) = known_by_name(&hotel).await;
        let refused = FaultKind::Status { code: 422, retry_after: None, after_effect: false };
        house.vendors.add_fault(Fault::new(Vendor::Lockt, refused).at("import_users").times(1)).unwrap();
        erase(house, &[guest]).await;
        assert_eq!(orders_to_forget(house).await, ["FAILED", "SUCCEEDED"]);
        let sent = bodies(house, Vendor::Lockt, "import_users").pop().unwrap();
        assert_eq!((&sent["users"][0]["id_num"], &sent["users"][0]["last_name"]), (&json!(token), &json!("person")));
        hotel.house.stop().await;
    }

    /// Where nobody is left to be told, nothing is waited for.
    async fn an_account_that_is_unlinked_holds_up_no_erasure(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end)).await;
        let house = &hotel.house;
        let (guest, _) = known_by_name(&hotel).await;
        let refused = FaultKind::Status { code: 422, retry_after: None, after_effect: false };
        house.vendors.add_fault(Fault::new(Vendor::Lockt, refused).at("import_users")).unwrap();
        done(house, "deleteUser", json!({ "userId": guest }), "user { id }").await;
        let is_refused = async || orders_to_forget(house).await.contains(&"FAILED".to_owned()).then_some(());
        until("the name is not forgotten", is_refused).await;
        let account = account_id(house, Vendor::Lockt).await.to_string();
        done(house, "unlinkVendorAccount", json!({ "vendorAccountId": account }), "vendorAccount { id }").await;
        erased(house).await;
        assert!(!orders_to_forget(house).await.contains(&"SUCCEEDED".to_owned()));
        hotel.house.stop().await;
    }

    async fn an_erased_person_stands_nowhere_and_does_not_come_back(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end)).await;
        let house = &hotel.house;
        let input = json!({ "name": NAME, "email": EMAIL, "phone": PHONE });
        let user = text(&done(house, "createUser", input, "user { id }").await["id"]);
        credentials(&hotel, &user).await;
        let (guest, token) = stay(&hotel).await;
        import(house).await;
        webhook(house).await;
        identity(house, &user).await;
        let imported = "{ reservations(first: 100) { nodes { externalId guest { id name email phone } } } }";
        let data = house.client.data(imported, json!({})).await;
        let stays = data["reservations"]["nodes"].as_array().unwrap();
        let of_pms = stays.iter().find(|stay| stay["externalId"].is_string() && stay["guest"]["email"].is_string());
        let of_pms = &of_pms.unwrap()["guest"];
        let mut canaries: Vec<String> = [NAME, FAMILY, EMAIL, PHONE].map(str::to_owned).into();
        canaries.extend(NUMBERS.map(str::to_owned));
        canaries.push(text(&of_pms["email"]));
        let before = standing(house, &canaries).await;
        for table in ["users", "credentials", "placements", "commands", "records", "events", "identities"] {
            assert!(before.iter().any(|(stands, _)| stands == table), "nothing was in {table}: {before:#?}");
        }
        assert!(delivered(house).await.contains("Qui\\u006c\\u006cfeather"));

        erase(house, &[user, guest.clone(), text(&of_pms["id"])]).await;
        assert_eq!(standing(house, &canaries).await, []);
        assert!(!delivered(house).await.contains("feather"));
        // Whoever is in goes on living there: the token opens, and the lock's system knows a name no more.
        until("the token is at the lock without the name", async || {
            let read = hotel.read_token(&token).await;
            let sent = bodies(house, Vendor::Lockt, "import_users");
            let last = sent.iter().rev().flat_map(|body| body["users"].as_array().unwrap()).find(|user| user["id_num"] == token.as_str());
            (read["state"] == "ACTIVE" && last?["last_name"] == "person").then_some(())
        })
        .await;
        let sent = bodies(house, Vendor::Lockt, "import_users");
        let ours = sent.iter().flat_map(|body| body["users"].as_array().unwrap().clone());
        let mut last = std::collections::BTreeMap::new();
        for user in ours.filter(|user| !user["id_num"].as_str().unwrap().starts_with("staff")) {
            last.insert(text(&user["id_num"]), user);
        }
        assert_eq!(last.len(), 4, "two credentials, two tokens: {last:#?}");
        for (mark, told) in last {
            assert_eq!((&told["first_name"], &told["last_name"]), (&json!("Erased"), &json!("person")), "{mark}");
        }

        // What vendors go on telling of them is kept without them.
        for vendor in [Vendor::Lockt, Vendor::Mews, Vendor::Raixer] {
            sync(house, vendor).await.unwrap();
        }
        let people = records(house, json!({ "kinds": ["USER"], "text": "erased person" })).await;
        assert!(people.len() >= 5, "tokens, credentials, the imported one and the PMS's guest: {people:#?}");
        assert_eq!(standing(house, &canaries).await, []);
        let others = records(house, json!({ "kinds": ["USER"], "text": "else" })).await;
        assert_eq!(others[0]["details"]["email"], "else@other.example", "nobody else is touched: {others:#?}");
        let query = "query($id: ID!) { user(id: $id) { name email phone } }";
        let data = house.client.data(query, json!({ "id": guest })).await;
        assert_eq!(data["user"], json!({ "name": "Erased person", "email": null, "phone": null }));
        hotel.house.stop().await;
    }
}
