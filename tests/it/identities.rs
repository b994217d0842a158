//! Which subject of an identity provider is whom: by an ADMIN's word, or by an e-mail address as long as it is theirs.

use chrono::TimeDelta;
use domain::access::Role;
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, text},
    house::{BackEnd, Plan, TestHouse},
    issuer::Issuer,
    on_both_back_ends,
};
use serde_json::{Value, json};

struct Scene {
    house: TestHouse,
    issuer: Issuer,
    /// A person without anything.
    zoe: Value,
}

impl Scene {
    async fn start(back_end: BackEnd, link_by_email: bool) -> Self {
        let issuer = Issuer::start().await;
        let setting = issuer.setting(link_by_email);
        let plan = Plan::on(back_end).without_worker().with_manual_clock().with_setting("issuers", &setting);
        let house = plan.start().await;
        let input = json!({ "name": "Zoë", "email": "zoe@example.com" });
        let made = ask(&house.client, "createUser", input).await;
        Self { house, issuer, zoe: made["user"]["id"].clone() }
    }

    /// Who this subject is after a while; null for nobody.
    async fn who(&self, subject: &str, email: Option<&str>) -> Value {
        self.house.advance(TimeDelta::seconds(3));
        let caller = self.house.client.with_key(&self.token(subject, email));
        caller.ask("{ viewer { id role } }", json!({})).await["data"]["viewer"]["id"].take()
    }

    fn token(&self, subject: &str, email: Option<&str>) -> String {
        let ends = (self.house.foundation().clock.now() + TimeDelta::hours(1)).timestamp();
        self.issuer.token(&json!({ "sub": subject, "exp": ends, "email": email, "email_verified": true }))
    }

    async fn promote(&self) {
        let input = json!({ "userId": self.zoe, "role": "VIEWER" });
        assert_eq!(ask(&self.house.client, "setMembership", input).await["userErrors"], json!([]));
    }

    async fn identities(&self) -> Value {
        let query = "query($id: ID!) { user(id: $id) { identities { issuer subject linkedAt } } }";
        self.house.client.data(query, json!({ "id": self.zoe })).await["user"]["identities"].take()
    }

    /// Types of the newest events.
    async fn told(&self, count: usize) -> Vec<String> {
        let events = self.house.client.data("{ events(last: 20) { nodes { type data } } }", json!({})).await;
        let nodes = events["events"]["nodes"].as_array().unwrap();
        nodes.iter().rev().take(count).map(|event| text(&event["type"])).collect()
    }
}

async fn ask(client: &Client, mutation: &str, input: Value) -> Value {
    let fields = match mutation {
        "createUser" | "updateUser" | "linkIdentity" | "unlinkIdentity" => "user { id }",
        _ => "__typename",
    };
    let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!(
        "mutation($input: {name}!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message path }} }} }}"
    );
    client.data(&query, json!({ "input": input })).await[mutation].take()
}

fn code(payload: &Value) -> Option<&str> {
    payload["userErrors"][0]["code"].as_str()
}

on_both_back_ends! {
    async fn an_admin_says_who_a_subject_is(back_end: BackEnd) {
        let scene = Scene::start(back_end, false).await;
        let (admin, issuer) = (&scene.house.client, scene.issuer.url());
        scene.promote().await;
        assert_eq!(scene.who("7", Some("zoe@example.com")).await, Value::Null, "no address links anybody here");
        let link = |subject: &str| json!({ "userId": scene.zoe, "issuer": issuer, "subject": subject });
        let linked = ask(admin, "linkIdentity", link("7")).await;
        assert_eq!((&linked["userErrors"], &linked["user"]["id"]), (&json!([]), &scene.zoe));
        assert_eq!(scene.told(1).await, ["IDENTITY_LINKED"]);
        assert_eq!(scene.who("7", None).await, scene.zoe);
        let identities = scene.identities().await;
        assert_eq!((&identities[0]["issuer"], &identities[0]["subject"]), (&json!(issuer), &json!("7")));

        // Again is nothing new; a subject is one person, and a person one subject of a provider.
        assert_eq!(ask(admin, "linkIdentity", link("7")).await["userErrors"], json!([]));
        assert_eq!(code(&ask(admin, "linkIdentity", link("8")).await), Some("IN_USE"));
        let other = ask(admin, "createUser", json!({ "name": "Max" })).await["user"]["id"].take();
        let taken = ask(admin, "linkIdentity", json!({ "userId": other, "issuer": issuer, "subject": "7" })).await;
        assert_eq!((code(&taken), &taken["userErrors"][0]["path"]), (Some("IN_USE"), &json!(["input", "subject"])));
        for (wrong, path) in [
            (json!({ "userId": other, "issuer": "https://id.evil", "subject": "9" }), "issuer"),
            (json!({ "userId": other, "issuer": issuer, "subject": "" }), "subject"),
            (json!({ "userId": other, "issuer": issuer, "subject": "9".repeat(256) }), "subject"),
        ] {
            let refused = ask(admin, "linkIdentity", wrong).await;
            assert_eq!((code(&refused), &refused["userErrors"][0]["path"]), (Some("INVALID_INPUT"), &json!(["input", path])));
        }
        assert_eq!(scene.who("8", None).await, Value::Null);

        // Another address of theirs changes nothing about what an ADMIN said.
        ask(admin, "updateUser", json!({ "userId": scene.zoe, "email": "other@example.com" })).await;
        assert_eq!(scene.who("7", None).await, scene.zoe);
        let unlink = json!({ "userId": scene.zoe, "issuer": issuer });
        for _ in 0..2 {
            let unlinked = ask(admin, "unlinkIdentity", unlink.clone()).await;
            assert_eq!((&unlinked["userErrors"], &unlinked["user"]["id"]), (&json!([]), &scene.zoe));
        }
        assert_eq!(scene.told(2).await, ["IDENTITY_UNLINKED", "USER_CHANGED"]);
        assert_eq!(scene.who("7", None).await, Value::Null);
        assert_eq!(scene.identities().await, json!([]));
        scene.house.stop().await;
    }

    /// Who changes an address for a moment takes nobody's place.
    async fn an_address_links_who_may_come_in_and_as_long_as_it_is_theirs(back_end: BackEnd) {
        let scene = Scene::start(back_end, true).await;
        let admin = &scene.house.client;
        assert_eq!(scene.who("m", Some("zoe@example.com")).await, Value::Null, "they may not come in");
        assert_eq!(scene.identities().await, json!([]), "and nothing waits until they may");
        scene.promote().await;
        assert_eq!(scene.who("z", Some("ZOE@example.com")).await, scene.zoe);
        assert_eq!(scene.who("m", Some("zoe@example.com")).await, Value::Null);

        // The link rests on the address.
        let manager = scene.house.caller(&KeyPlan::unlimited("manager", Role::Manager)).await;
        let change = |email: &str| json!({ "userId": scene.zoe, "email": email });
        assert_eq!(code(&ask(&manager, "updateUser", change("m@example.com")).await), Some("FORBIDDEN"));
        assert_eq!(ask(admin, "updateUser", change("m@example.com")).await["userErrors"], json!([]));
        assert_eq!(scene.told(2).await, ["USER_CHANGED", "IDENTITY_UNLINKED"]);
        assert_eq!(scene.who("z", None).await, Value::Null);
        assert_eq!(scene.who("z", Some("zoe@example.com")).await, Value::Null);
        assert_eq!(scene.who("m", Some("m@example.com")).await, scene.zoe);

        // A name alone changes nothing; letters that only look alike are others (U+212A is no k).
        assert_eq!(ask(admin, "updateUser", json!({ "userId": scene.zoe, "name": "Zoé" })).await["userErrors"], json!([]));
        assert_eq!(scene.who("m", None).await, scene.zoe);
        assert_eq!(ask(admin, "updateUser", change("kim@example.com")).await["userErrors"], json!([]));
        assert_eq!(scene.who("k", Some("\u{212a}im@example.com")).await, Value::Null);
        assert_eq!(scene.who("k", Some("kim@example.com")).await, scene.zoe);
        scene.house.stop().await;
    }
}
