//! Who somebody is: keys that make narrower keys and are counted, guessing that is slowed, people who sign in through an
//! identity provider.

use chrono::TimeDelta;
use domain::{
    access::Role,
    clock::Clock,
    ids::{MembershipId, UserId},
};
use entities::store;
use gatehouse::keys::KeyPlan;
use gatehouse_tests::{
    client::{Client, Subscription, text},
    house::{BackEnd, Plan, TestHouse},
    issuer::Issuer,
    on_both_back_ends,
    wait::until,
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const KEY: &str = "id prefix role maxUses usesLeft createdBy expiresAt revokedAt lastUsedAt commandKinds \
    sees { everything siteIds doorIds }";

async fn make(client: &Client, input: Value) -> Value {
    let query = format!(
        "mutation($input: CreateApiKeyInput!) {{ createApiKey(input: $input) {{ apiKey {{ {KEY} }} secret \
         userErrors {{ code path }} }} }}"
    );
    client.data(&query, json!({ "input": input })).await["createApiKey"].take()
}

async fn revoke(client: &Client, id: &Value, family: bool) -> Value {
    let query = "mutation($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { revokedAt } revokedIds \
        userErrors { code path } } }";
    let input = json!({ "apiKeyId": id, "withThoseMadeByIt": family });
    client.data(query, json!({ "input": input })).await["revokeApiKey"].take()
}

async fn viewer(client: &Client) -> Value {
    let query = format!(
        "{{ viewer {{ id kind role expiresAt rolesAtSites {{ siteId role }} sees {{ everything siteIds doorIds }} \
         apiKey {{ {KEY} }} }} }}"
    );
    client.data(&query, json!({})).await["viewer"].take()
}

/// What a request with this credential is answered.
async fn status(client: &Client) -> (StatusCode, Option<u64>) {
    let body = json!({ "query": "{ viewer { id } }" });
    let response = client.request(Method::POST, "/graphql").json(&body).send().await.unwrap();
    let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().parse().unwrap());
    (response.status(), wait)
}

fn code(payload: &Value) -> Option<&str> {
    payload["userErrors"][0]["code"].as_str()
}

/// A person with a membership, who may sign in.
async fn member(house: &TestHouse, email: &str, role: Role) -> (UserId, MembershipId) {
    let foundation = house.foundation();
    let ids = (UserId(foundation.ids.next_uuid()), MembershipId(foundation.ids.next_uuid()));
    let (person, now) = (("Zoë", Some(email)), foundation.clock.now());
    store::organizations::create_member(house.database(), house.organization, ids, person, (role, None), now)
        .await
        .unwrap();
    ids
}

on_both_back_ends! {
    async fn a_key_makes_narrower_keys_and_is_counted(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let maker = house.caller(&KeyPlan {
            doors: [TestHouse::door_id(&door)].into(),
            lifetime: Some(TimeDelta::hours(1)),
            ..KeyPlan::unlimited("maker", Role::Manager)
        }).await;
        let me = viewer(&maker).await;
        let other = house.doors().await.into_iter().find(|other| other["id"] != door["id"]).unwrap();
        // More than it has.
        let site = &door["site"]["id"];
        for (more, refused) in [
            (json!({ "role": "ADMIN" }), "FORBIDDEN"),
            (json!({ "siteIds": [site] }), "FORBIDDEN"),
            (json!({ "expiresAt": "2090-01-01T00:00:00Z" }), "FORBIDDEN"),
            (json!({ "doorIds": [other["id"]] }), "NOT_FOUND"),
            (json!({ "doorIds": [] }), "INVALID_INPUT"),
            (json!({ "maxUses": 0 }), "INVALID_INPUT"),
        ] {
            let mut input = json!({ "name": "more", "role": "OPERATOR" });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(code(&make(&maker, input).await), Some(refused), "{more}");
        }
        let input = json!({ "name": "guest", "role": "OPERATOR", "commandKinds": ["OPEN_DOOR"], "maxUses": 3, "idempotencyKey": "k" });
        let made = make(&maker, input.clone()).await;
        let (secret, key) = (text(&made["secret"]), &made["apiKey"]);
        assert!(secret.starts_with(&text(&key["prefix"])));
        assert_eq!((&key["createdBy"], &key["sees"], &key["expiresAt"]), (&me["id"], &me["sees"], &me["expiresAt"]));
        let again = make(&maker, input).await;
        assert_eq!((&again["apiKey"]["id"], &again["secret"]), (&key["id"], &Value::Null), "it is shown once");

        // Ten at once are three, and who asks again for the same is not counted.
        let guest = house.client.with_key(&secret);
        let open = async |key: String| guest.mutate("openDoor", json!({ "doorId": door["id"], "idempotencyKey": key })).await;
        let all = futures::future::join_all((0..10).map(|number| open(number.to_string()))).await;
        let accepted: Vec<&Value> = all.iter().filter(|payload| payload["command"].is_object()).collect();
        assert_eq!(accepted.len(), 3, "{all:#?}");
        assert!(all.iter().filter(|payload| payload["command"].is_null()).all(|payload| code(payload) == Some("FORBIDDEN")));
        let repeated = open(text(&accepted[0]["command"]["idempotencyKey"])).await;
        assert_eq!(repeated["command"]["id"], accepted[0]["command"]["id"]);
        let seen = viewer(&guest).await;
        assert_eq!((&seen["apiKey"]["usesLeft"], &seen["apiKey"]["maxUses"]), (&json!(0), &json!(3)));
        assert!(seen["apiKey"]["lastUsedAt"].is_string());
        assert_eq!(code(&make(&guest, json!({ "name": "x", "role": "VIEWER" })).await), Some("FORBIDDEN"));

        // One sees what one made; who made it can take it away, with all that goes back to it.
        let list = "{ apiKeys { totalCount nodes { id } } }";
        assert_eq!(maker.data(list, json!({})).await["apiKeys"]["nodes"], json!([{ "id": key["id"] }]));
        assert_eq!(guest.data(list, json!({})).await["apiKeys"]["totalCount"], 0);
        let stranger = house.stranger().await;
        for caller in [&guest, &stranger] {
            assert_eq!(code(&revoke(caller, &me["id"], true).await), Some("NOT_FOUND"));
            let node = caller.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": me["id"] })).await;
            assert_eq!(node["node"], Value::Null);
        }
        let revoked = revoke(&house.client, &me["id"], true).await;
        let mut ids = vec![text(&revoked["revokedIds"][0]), text(&revoked["revokedIds"][1])];
        ids.sort_unstable();
        let mut expected = vec![text(&me["id"]), text(&key["id"])];
        expected.sort_unstable();
        assert_eq!(ids, expected, "{revoked:#}");
        assert_eq!(revoke(&house.client, &me["id"], true).await["revokedIds"], json!([]));
        for caller in [&maker, &guest] {
            until("it does not count any more", async || (status(caller).await.0 == StatusCode::UNAUTHORIZED).then_some(())).await;
        }
        house.stop().await;
    }

    async fn people_sign_in_through_their_provider(back_end: BackEnd) {
        let mut issuer = Issuer::start().await;
        let plan = Plan::on(back_end).without_worker().with_manual_clock().with_setting("issuers", &issuer.setting(true));
        let house = plan.start().await;
        let (zoe, membership) = member(&house, "Zoe@Example.com", Role::Viewer).await;
        member(&house, "twin@example.com", Role::Admin).await;
        member(&house, "twin@example.com", Role::Viewer).await;
        let clock = house.clock.clone().unwrap();
        let claims = |subject: &str, email: Value, verified: bool| {
            let ends = clock.now().timestamp() + 120;
            json!({ "sub": subject, "exp": ends, "email": email, "email_verified": verified })
        };
        let signed_in = |issuer: &Issuer, claims: &Value| house.client.with_key(&issuer.token(claims));
        let address = json!("zoe@example.com");
        // Nobody by an address that is not proven, that nobody has, or that two have.
        for claims in [
            claims("1", address.clone(), false),
            claims("1", json!("eve@example.com"), true),
            claims("1", json!("twin@example.com"), true),
            claims("1", Value::Null, true),
        ] {
            assert_eq!(status(&signed_in(&issuer, &claims)).await.0, StatusCode::UNAUTHORIZED, "{claims}");
        }
        let caller = signed_in(&issuer, &claims("1", address.clone(), true));
        let me = viewer(&caller).await;
        assert_eq!((&me["id"], &me["kind"], &me["role"]), (&json!(zoe.to_string()), &json!("USER"), &json!("VIEWER")));
        assert_eq!((&me["sees"]["everything"], &me["apiKey"]), (&json!(true), &Value::Null));
        // From now on the subject counts, whatever its address, and nobody else is this person.
        assert_eq!(viewer(&signed_in(&issuer, &claims("1", Value::Null, false))).await["id"], me["id"]);
        assert_eq!(status(&signed_in(&issuer, &claims("2", address, true))).await.0, StatusCode::UNAUTHORIZED);

        // A role at one site counts there only.
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let elsewhere = house.doors().await.into_iter().find(|other| other["site"] != door["site"] && other["capabilities"].as_array().unwrap().contains(&json!("OPEN_DOOR"))).unwrap();
        let set = "mutation($input: SetMembershipInput!) { setMembership(input: $input) { membership { id site { id } role } userErrors { code } } }";
        let input = json!({ "userId": me["id"], "siteId": door["site"]["id"], "role": "OPERATOR" });
        let given = house.client.data(set, json!({ "input": input })).await["setMembership"].take();
        assert_eq!(given["userErrors"], json!([]), "{given:#}");
        house.advance(TimeDelta::seconds(2));
        assert_eq!(viewer(&caller).await["rolesAtSites"], json!([{ "siteId": door["site"]["id"], "role": "OPERATOR" }]));
        let id = caller.command("openDoor", json!({ "doorId": door["id"] })).await;
        assert_eq!(caller.read_command(&id).await["requestedBy"], me["id"]);
        let refused = caller.mutate("openDoor", json!({ "doorId": elsewhere["id"] })).await;
        assert_eq!(code(&refused), Some("FORBIDDEN"), "{refused:#}");

        // The provider's keys rotate.
        issuer.rotate("second");
        house.advance(TimeDelta::seconds(30));
        let caller = signed_in(&issuer, &claims("1", Value::Null, false));
        assert_eq!(viewer(&caller).await["id"], me["id"]);

        // A socket ends with its token, and with the right to be there.
        let query = "subscription($id: ID!) { doorStateChanged(siteId: $id) { id } }";
        let watch = async |caller: &Client| caller.subscribe(query, json!({ "id": door["site"]["id"] })).await;
        let mut socket = watch(&caller).await;
        house.advance(TimeDelta::seconds(151));
        assert_eq!(ending(&mut socket).await, json!({ "close": 4403 }));
        assert_eq!(status(&caller).await.0, StatusCode::UNAUTHORIZED);
        let caller = signed_in(&issuer, &claims("1", Value::Null, false));
        let mut socket = watch(&caller).await;
        socket.next().await;
        let remove = "mutation($input: RemoveMembershipInput!) { removeMembership(input: $input) { removedId userErrors { code } } }";
        for id in [membership.to_string(), text(&given["membership"]["id"])] {
            let removed = house.client.data(remove, json!({ "input": { "membershipId": id } })).await["removeMembership"].take();
            assert_eq!(removed["removedId"], id, "{removed:#}");
        }
        house.advance(TimeDelta::seconds(16));
        assert_eq!(ending(&mut socket).await, json!({ "close": 4403 }));
        assert_eq!(status(&caller).await.0, StatusCode::UNAUTHORIZED);
        house.stop().await;
    }
}

/// How a socket is closed.
async fn ending(socket: &mut Subscription) -> Value {
    loop {
        let message = socket.next_message().await.unwrap();
        if message["close"].is_u64() {
            return message;
        }
    }
}

#[tokio::test]
async fn guessing_is_slowed_and_locks_nobody_out() {
    let issuer = Issuer::start().await;
    let plan = Plan::on(BackEnd::Embedded).without_worker().with_manual_clock();
    let plan = plan.with_setting("issuers", &issuer.setting(true));
    let house = plan.with_setting("client_address_header", "x-forwarded-for").start().await;
    let clock = house.clock.clone().unwrap();
    member(&house, "zoe@example.com", Role::Viewer).await;
    let newcomer = house.caller(&KeyPlan::unlimited("newcomer", Role::Viewer)).await;
    let from = async |key: &str, address: &str| {
        let request = house.client.with_key(key).request(Method::POST, "/graphql");
        let request = request.header("x-forwarded-for", format!("6.6.6.6, {address}"));
        let response = request.json(&json!({ "query": "{ viewer { id } }" })).send().await.unwrap();
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (response.status(), wait, response.json::<Value>().await.unwrap())
    };
    for _ in 0..21 {
        let (status, wait, _) = from(platform::api_key::generate().expose(), "1.2.3.4").await;
        assert_eq!((status, wait), (StatusCode::UNAUTHORIZED, None));
    }
    let wrong = || platform::api_key::generate().expose().to_owned();
    let (slowed, wait, answer) = from(&wrong(), "1.2.3.4").await;
    assert_eq!((slowed, wait.as_deref()), (StatusCode::TOO_MANY_REQUESTS, Some("2")));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    // Elsewhere nothing is slow, and what is right gets in from anywhere, also if it was never seen: behind a proxy, in the
    // middle of a flood, and with a prefix that others guess at.
    assert_eq!(from(&wrong(), "1.2.3.5").await.0, StatusCode::UNAUTHORIZED);
    let right = newcomer.key();
    for number in 0..25 {
        let guess = format!("{}{}", &right[..right.len() - 3], 100 + number);
        from(&guess, &format!("1.2.4.{number}")).await;
    }
    let flood = futures::future::join_all((0..200).map(|_| async {
        let wrong = wrong();
        from(&wrong, "1.2.3.4").await.0
    }));
    let (flood, (admitted, ..)) = futures::future::join(flood, from(right, "1.2.3.4")).await;
    assert_eq!(admitted, StatusCode::OK);
    assert!(flood.iter().all(|status| *status == StatusCode::TOO_MANY_REQUESTS), "{flood:?}");
    let signed_in = issuer.token(&json!({ "sub": "1", "exp": clock.now().timestamp() + 120, "email": "zoe@example.com", "email_verified": true }));
    assert_eq!(from(&signed_in, "1.2.3.4").await.0, StatusCode::OK, "nor is a person's token held up");
    house.advance(TimeDelta::seconds(3));
    for _ in 0..9 {
        from(platform::api_key::generate().expose(), "1.2.3.4").await;
        house.advance(TimeDelta::minutes(2));
    }
    let (slowed, wait, _) = {
        from(platform::api_key::generate().expose(), "1.2.3.4").await;
        from(platform::api_key::generate().expose(), "1.2.3.4").await
    };
    assert_eq!((slowed, wait.as_deref()), (StatusCode::TOO_MANY_REQUESTS, Some("61")));
    assert_eq!(from(right, "1.2.3.4").await.0, StatusCode::OK);
    let fresh = house.caller(&KeyPlan::unlimited("fresh", Role::Viewer)).await;
    assert_eq!(from(fresh.key(), "1.2.3.4").await.0, StatusCode::OK);
    // All is forgiven in time.
    house.advance(TimeDelta::minutes(10));
    assert_eq!(from(platform::api_key::generate().expose(), "1.2.3.4").await.0, StatusCode::UNAUTHORIZED);
    house.stop().await;
}
