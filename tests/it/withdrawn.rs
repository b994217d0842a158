//! Rights that are taken away: what was queued with them, what hangs on them, and who was let in a moment ago.

use chrono::TimeDelta;
use domain::access::Role;
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, text},
    house::{BackEnd, Plan, TestHouse},
    issuer::Issuer,
    on_both_back_ends,
    wait::until,
};
use serde_json::{Value, json};

/// A house with a manual clock and an identity provider, and an ADMIN who signs in through it.
struct Scene {
    house: TestHouse,
    admin: Value,
    person: Client,
    _issuer: Issuer,
}

impl Scene {
    async fn start(back_end: BackEnd) -> Self {
        let issuer = Issuer::start().await;
        let plan = Plan::on(back_end).without_worker().with_manual_clock();
        let house = plan.with_setting("issuers", &issuer.setting(true)).start().await;
        let made = ask(&house.client, "createUser", json!({ "name": "Ada", "email": "ada@example.com" })).await;
        let admin = made["user"]["id"].clone();
        let scene_role = json!({ "userId": admin, "role": "ADMIN" });
        ask(&house.client, "setMembership", scene_role).await;
        let ends = (house.foundation().clock.now() + TimeDelta::hours(6)).timestamp();
        let claims = json!({ "sub": "ada", "exp": ends, "email": "ada@example.com", "email_verified": true });
        let person = house.client.with_key(&issuer.token(&claims));
        Self { house, admin, person, _issuer: issuer }
    }

    async fn set(&self, by: &Client, role: &str) -> Value {
        ask(by, "setMembership", json!({ "userId": self.admin, "role": role })).await
    }

    async fn memberships(&self) -> Vec<Value> {
        let query = "query($id: ID!) { user(id: $id) { memberships { id role } } }";
        let data = self.house.client.data(query, json!({ "id": self.admin })).await;
        data["user"]["memberships"].as_array().unwrap().clone()
    }

    async fn remove(&self) {
        for membership in self.memberships().await {
            let removed =
                ask(&self.house.client, "removeMembership", json!({ "membershipId": membership["id"] })).await;
            assert_eq!(removed["userErrors"], json!([]));
        }
    }

    async fn key(&self, by: &Client, name: &str, more: Value) -> (Value, Client) {
        let mut input = json!({ "name": name, "role": "MANAGER" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = ask(by, "createApiKey", input).await;
        assert_eq!(made["userErrors"], json!([]), "{made:#}");
        (made["apiKey"]["id"].clone(), self.house.client.with_key(&text(&made["secret"])))
    }
}

async fn ask(client: &Client, mutation: &str, input: Value) -> Value {
    let fields = match mutation {
        "createUser" => "user { id }",
        "createApiKey" => "apiKey { id } secret",
        "revokeApiKey" => "revokedIds",
        _ => "__typename",
    };
    let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query =
        format!("mutation($input: {name}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code }} }} }}");
    client.data(&query, json!({ "input": input })).await[mutation].take()
}

fn code(payload: &Value) -> Option<&str> {
    payload["userErrors"][0]["code"].as_str()
}

async fn counts(client: &Client) -> bool {
    client.ask("{ viewer { id } }", json!({})).await["data"]["viewer"].is_object()
}

on_both_back_ends! {
    /// Sessions are remembered for two seconds. In these nobody gives themselves back what was taken from them.
    async fn nobody_gives_on_what_was_just_taken_away(back_end: BackEnd) {
        let scene = Scene::start(back_end).await;
        let (_, thief) = scene.key(&scene.house.client, "thief", json!({ "role": "ADMIN" })).await;
        assert!(counts(&scene.person).await && counts(&thief).await);
        scene.remove().await;
        assert!(counts(&scene.person).await, "they are still remembered");
        assert_eq!(code(&scene.set(&scene.person, "ADMIN").await), Some("FORBIDDEN"));
        let key = json!({ "name": "kept", "role": "VIEWER" });
        assert_eq!(code(&ask(&scene.person, "createApiKey", key.clone()).await), Some("FORBIDDEN"));
        assert_eq!(scene.memberships().await, Vec::<Value>::new());

        let id = thief.data("{ viewer { id } }", json!({})).await["viewer"]["id"].take();
        let revoked = ask(&scene.house.client, "revokeApiKey", json!({ "apiKeyId": id })).await;
        assert_eq!(revoked["revokedIds"], json!([id]));
        assert!(counts(&thief).await, "it is still remembered");
        assert_eq!(code(&ask(&thief, "createApiKey", key).await), Some("FORBIDDEN"));
        assert_eq!(code(&scene.set(&thief, "ADMIN").await), Some("FORBIDDEN"));
        scene.house.stop().await;
    }

    async fn keys_end_with_the_rights_of_who_made_them(back_end: BackEnd) {
        let scene = Scene::start(back_end).await;
        let doors = scene.house.doors().await;
        let (here, there) = (&doors[0], doors.iter().find(|door| door["site"] != doors[0]["site"]).unwrap());
        let (_, wide) = scene.key(&scene.person, "wide", json!({})).await;
        let (_, nested) = scene.key(&wide, "nested", json!({ "doorIds": [here["id"]] })).await;
        let (_, narrow) = scene.key(&scene.person, "narrow", json!({ "doorIds": [here["id"]], "role": "OPERATOR" })).await;
        let (_, foreign) = scene.key(&scene.person, "foreign", json!({ "doorIds": [there["id"]], "role": "OPERATOR" })).await;
        let (_, high) = scene.key(&scene.person, "high", json!({ "doorIds": [here["id"]], "role": "ADMIN" })).await;
        // From now on MANAGER at one site only.
        let at_site = json!({ "userId": scene.admin, "siteId": here["site"]["id"], "role": "MANAGER" });
        assert_eq!(ask(&scene.house.client, "setMembership", at_site).await["userErrors"], json!([]));
        let everywhere = scene.memberships().await.into_iter().find(|it| it["role"] == "ADMIN").unwrap();
        ask(&scene.house.client, "removeMembership", json!({ "membershipId": everywhere["id"] })).await;
        scene.house.advance(TimeDelta::seconds(3));
        for (key, counts_still) in [(&wide, false), (&nested, false), (&narrow, true), (&foreign, false), (&high, false)] {
            assert_eq!(counts(key).await, counts_still);
        }
        scene.remove().await;
        scene.house.advance(TimeDelta::seconds(3));
        assert!(!counts(&narrow).await);
        scene.house.stop().await;
    }

    /// What was asked for with a right opens nothing once it is gone; what takes access away is sent all the same.
    async fn what_was_queued_is_not_sent_any_more(back_end: BackEnd) {
        let mut scene = Scene::start(back_end).await;
        let door = scene.house.door("RAIXER", "OPEN_DOOR").await;
        let (id, key) = scene.key(&scene.house.client, "desk", json!({})).await;
        let open = |who: &Client| {
            let (who, input) = (who.clone(), json!({ "doorId": door["id"] }));
            async move { who.command("openDoor", input).await }
        };
        let of_key = open(&key).await;
        let of_person = open(&scene.person).await;
        ask(&scene.house.client, "revokeApiKey", json!({ "apiKeyId": id })).await;
        scene.set(&scene.house.client, "VIEWER").await;
        scene.house.start_worker().await;
        for command in [of_key, of_person] {
            let ended = until("it has ended", async || {
                let command = scene.house.client.read_command(&command).await;
                command["terminal"].as_bool().unwrap().then_some(command)
            }).await;
            assert_eq!((&ended["state"], &ended["failure"]["code"]), (&json!("FAILED"), &json!("ACCESS_ENDED")), "{ended:#}");
        }
        assert_eq!(scene.house.effects_at(&door["externalId"]), 0);
        let of_admin = open(&scene.house.client).await;
        until("another's is sent", async || {
            let command = scene.house.client.read_command(&of_admin).await;
            (command["state"] == "SUCCEEDED").then_some(())
        }).await;
        scene.house.stop().await;
    }

    /// A stream ends when rights change: what hangs on what it tells would be read with the old ones.
    async fn a_stream_does_not_outlive_the_rights_it_began_with(back_end: BackEnd) {
        let scene = Scene::start(back_end).await;
        let door = scene.house.door("RAIXER", "OPEN_DOOR").await;
        let query = "subscription($id: ID!) { doorStateChanged(siteId: $id) { id whoCanOpen { people { nodes { user { name } } } } } }";
        let mut stream = scene.person.subscribe(query, json!({ "id": door["site"]["id"] })).await;
        let first = stream.next().await.unwrap();
        assert!(first.to_string().contains("whoCanOpen"), "{first}");
        assert_eq!(scene.set(&scene.house.client, "VIEWER").await["userErrors"], json!([]));
        // Longer than a session is remembered, and as long as a stream waits at most.
        scene.house.advance(TimeDelta::seconds(16));
        let refused = loop {
            let message = stream.next_message().await.unwrap();
            let told = message.to_string();
            if told.contains("errors") || message["type"] == "error" {
                break told;
            }
            assert!(message["close"].is_null(), "{told}");
        };
        assert!(refused.contains("RIGHTS_CHANGED") && !refused.contains("\"name\""), "{refused}");
        assert!(counts(&scene.person).await, "they may still sign in");
        scene.house.stop().await;
    }
}

/// A key of a MANAGER who sees everything has nobody above it: revoking it takes along what it makes at the same time.
#[tokio::test]
async fn a_family_is_revoked_whole() {
    let house = Plan::on(BackEnd::Distributed).without_worker().start().await;
    let maker = house.caller(&KeyPlan::unlimited("maker", Role::Manager)).await;
    let id = maker.data("{ viewer { id } }", json!({})).await["viewer"]["id"].take();
    let makes = (0..40).map(|number| {
        let maker = maker.clone();
        async move { ask(&maker, "createApiKey", json!({ "name": format!("k{number}"), "role": "VIEWER" })).await }
    });
    let revoke = async {
        let input = json!({ "apiKeyId": id, "withThoseMadeByIt": true });
        ask(&house.client, "revokeApiKey", input).await
    };
    let (made, _) = futures::future::join(futures::future::join_all(makes), revoke).await;
    until("the maker is forgotten", async || (!counts(&maker).await).then_some(())).await;
    for secret in made.iter().filter_map(|made| made["secret"].as_str()) {
        let key = house.client.with_key(secret);
        until("what it made does not count", async || (!counts(&key).await).then_some(())).await;
    }
    house.stop().await;
}
