//! What opens at the simulated vendors.

use gatehouse_tests::{client::text, house::Plan, on_both_back_ends, wait::until};
use serde_json::{Value, json};
use simulator::Vendor;

use super::scene::{CREDENTIAL, Scene, USER};
use crate::changes::scene::{bodies, records};

on_both_back_ends! {
    async fn a_pin_opens_until_it_is_taken_away(back_end: BackEnd) {
        let scene = Scene::start(Plan::on(back_end)).await;
        let (ada, front, back) = (scene.user("Ada Byron").await, &scene.locks[0], &scene.locks[1]);
        let pin = scene.pin(&ada, "482913", &[front]).await;
        scene.until_opens(front, "482913", true).await;
        assert!(!scene.opens(back, "482913"), "no door too many");
        let id = json!({ "credentialId": pin["id"] });
        // Another door, then another PIN, in place.
        scene.done("updateCredential", json!({ "credentialId": pin["id"], "doorIds": [front["id"], back["id"]] }), CREDENTIAL).await;
        scene.until_opens(back, "482913", true).await;
        scene.done("reissueCredential", json!({ "credentialId": pin["id"], "value": "905127" }), CREDENTIAL).await;
        scene.until_opens(front, "905127", true).await;
        assert!(!scene.opens(front, "482913"), "the old one is replaced");
        scene.done("suspendCredential", id.clone(), CREDENTIAL).await;
        scene.until_opens(front, "905127", false).await;
        scene.done("resumeCredential", id.clone(), CREDENTIAL).await;
        scene.until_opens(front, "905127", true).await;
        scene.done("revokeCredential", id, CREDENTIAL).await;
        scene.until_opens(front, "905127", false).await;
        until("it is read back as gone", async || {
            let placements = scene.credential(&pin["id"]).await["placements"].clone();
            placements.as_array().unwrap().iter().all(|placed| placed["state"] == "REVOKED").then_some(())
        })
        .await;
        scene.house.stop().await;
    }

    /// Whoever is erased opens nothing any more, and what is told of them at the vendor is what was needed before.
    async fn an_erased_person_opens_nothing(back_end: BackEnd) {
        let scene = Scene::start(Plan::on(back_end)).await;
        let (ada, lock) = (scene.user("Ada Byron").await, &scene.locks[0]);
        let level = scene.level("Staff", &[lock], None).await;
        scene.assign(&ada, &level).await;
        scene.pin(&ada, "482913", &[]).await;
        scene.until_opens(lock, "482913", true).await;
        scene.done("deleteUser", json!({ "userId": ada }), USER).await;
        scene.until_opens(lock, "482913", false).await;
        scene.house.stop().await;
    }

    /// A card is told with our mark and its number, never by e-mail, which the vendor would match by.
    async fn a_card_is_told_by_number(back_end: BackEnd) {
        let scene = Scene::start(Plan::on(back_end)).await;
        let input = json!({ "name": "Ada Maria Byron", "email": "ada@example.test" });
        let ada = text(&scene.done("createUser", input, USER).await["id"]);
        let input = json!({ "userId": ada, "kind": "CARD", "number": "0047119", "doorIds": [scene.locks[0]["id"]] });
        let card = scene.done("createCredential", input, CREDENTIAL).await;
        until("it is confirmed", async || {
            (scene.credential(&card["id"]).await["placements"][0]["state"] == "CONFIRMED").then_some(())
        })
        .await;
        let sent = bodies(&scene.house, Vendor::Lockt, "import_users");
        let user = &sent[0]["users"][0];
        assert_eq!((&user["id_num"], &user["card_num"]), (&card["id"], &json!("0047119")));
        assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Ada Maria"), &json!("Byron")));
        assert_eq!((&user["email"], &user["pin"]), (&Value::Null, &Value::Null));
        let people = records(&scene.house, json!({ "kinds": ["USER"], "text": "byron" })).await;
        let ours = people.iter().find(|person| person["details"]["idNumber"] == card["id"]).unwrap();
        assert_eq!(ours["details"]["cardNumber"], "0047119");
        scene.house.stop().await;
    }
}
