//! The ledger: whatever somebody does to its rows is named, whatever the house does to them is not, and decisions are in it.
#![expect(clippy::disallowed_methods, reason = "who writes past entities/store is whom these tests are about")]

use chrono::TimeDelta;
use domain::{
    access::Role,
    command::CommandKind,
    ledger::{Fault, Hash, Horizon, Notary as _},
    secret::Secret,
};
use entities::{
    rows::{event, ledger_block, ledger_horizon},
    store::ledger::{Forgotten, Sealed, erase, forget, seal},
    work,
};
use futures::future::join_all;
use gatehouse::{keys::KeyPlan, ledger};
use gatehouse_tests::{
    client::{Client, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
    wait::until,
};
use platform::{notary::Notary, vault::Vault};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Unchanged, ColumnTrait, DatabaseConnection, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, Set, sea_query::Expr,
};
use serde_json::{Value, json};
use simulator::Vendor;

use crate::{orders::account_id, tokens::scene::ask};

async fn verify(house: &TestHouse, kept: Option<&str>) -> Result<String, String> {
    let kept = kept.map(|kept| kept.parse().unwrap());
    ledger::verify(&house.settings, Some(house.organization), kept).await.map_err(|failure| failure.to_string())
}

/// The fault that is found has these words and names this event.
async fn assert_named(house: &TestHouse, row: &event::Model, words: &str) {
    let fault = verify(house, None).await.unwrap_err();
    assert!(fault.contains(words) && fault.contains(&domain::ids::EventId(row.id).to_string()), "{words}: {fault}");
}

/// The events of the house in the order of the ledger.
async fn chained(house: &TestHouse, rows: &DatabaseConnection) -> Vec<event::Model> {
    event::Entity::find()
        .filter(event::Column::OrganizationId.eq(house.organization.0))
        .order_by_asc(event::Column::Block)
        .order_by_asc(event::Column::Id)
        .all(rows)
        .await
        .unwrap()
}

async fn denied(house: &TestHouse) -> Vec<Value> {
    let query = "{ events(filter: {types: [COMMAND_DENIED]}) { nodes { actor door { id } data } } }";
    house.client.data(query, json!({})).await["events"]["nodes"].as_array().unwrap().clone()
}

async fn open(client: &Client, door: &Value) -> Value {
    let query = "mutation($id: ID!) { openDoor(input: {doorId: $id}) { userErrors { code } } }";
    client.data(query, json!({ "id": door["id"] })).await["openDoor"]["userErrors"].clone()
}

on_both_back_ends! {
    /// Two workers chain what is written at the same time.
    async fn whatever_is_done_to_a_row_is_named(back_end: BackEnd) {
        let mut house = Plan::on(back_end).start().await;
        house.start_worker().await;
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        assert!(join_all((0..10).map(|_| open(&house.client, &door))).await.iter().all(|errors| *errors == json!([])));
        house.idle().await;
        let sound = until("everything is chained", async || {
            let sound = verify(&house, None).await.unwrap();
            sound.contains(" 0 more not chained yet").then_some(sound)
        })
        .await;
        let kept = sound.lines().find_map(|line| line.trim().strip_prefix("checkpoint ")).unwrap().to_owned();
        assert!(verify(&house, Some(&kept)).await.is_ok());
        let (sequence, _) = kept.split_once(':').unwrap();
        let other = verify(&house, Some(&format!("{sequence}:{}", Hash::NOTHING))).await.unwrap_err();
        assert!(other.contains("not part of this ledger"), "{other}");

        // What the house erases stays sound, and says nothing any more.
        let rows = house.open_database().await;
        let all = chained(&house, &rows).await;
        let transaction = TestHouse::begin_writing(&rows).await;
        erase(&transaction, &[all[1].id, all[1].id]).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(verify(&house, Some(&kept)).await.unwrap().contains("  1 of them with erased details"));
        let erased = event::Entity::find_by_id(all[1].id).one(&rows).await.unwrap().unwrap();
        assert!(event::is_erased(&erased.data) && all[1].data != erased.data);

        // From the last to the first: each time the first bad one is named.
        let last = all.len() - 1;
        let foreign = house.foundation().ids.next_uuid();
        let copy = event::Model { id: foreign, block: None, external_id: None, ..all[last].clone() };
        copy.clone().into_active_model().insert(&rows).await.unwrap();
        assert_named(&house, &copy, "was inserted").await;
        event::Entity::delete_by_id(all[last].id).exec(&rows).await.unwrap();
        assert_named(&house, &all[last], "was deleted").await;
        // Two change places: each is what the other was.
        for (row, other) in [(&all[last - 2], &all[last - 1]), (&all[last - 1], &all[last - 2])] {
            let moved = event::Model { id: row.id, block: row.block, external_id: None, ..other.clone() };
            moved.into_active_model().reset_all().update(&rows).await.unwrap();
        }
        assert_named(&house, &all[last - 2], "was altered").await;
        let back = event::Model { data: json!({ "erased": Hash::NOTHING.to_string() }), ..erased };
        back.into_active_model().reset_all().update(&rows).await.unwrap();
        assert_named(&house, &all[1], "was altered").await;
        let flipped = event::ActiveModel { actor: Set(Some("key_nobody".to_owned())), ..all[0].clone().into() };
        flipped.update(&rows).await.unwrap();
        assert_named(&house, &all[0], "was altered").await;
        house.stop().await;
    }

    /// Old events go with a signature of ours, and a key that signed may go once another has taken over.
    async fn what_the_house_forgets_and_replaces_is_sound(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let (database, ids) = (house.database(), house.organization);
        let keys = house.settings.secret_key.clone();
        let notary = Notary::new(&keys).unwrap();
        let now = house.foundation().clock.now();
        let later = now + TimeDelta::days(1);
        while matches!(seal(database, &notary, ids, false, now).await.unwrap(), Sealed::Block { more: true, .. }) {}
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        assert_eq!(open(&house.client, &door).await, json!([]));
        assert!(matches!(seal(database, &notary, ids, false, later).await.unwrap(), Sealed::Block { .. }));
        assert_eq!(seal(database, &notary, ids, false, later).await.unwrap(), Sealed::Nothing);
        let before = work::ledger::verify(database, &notary, ids, None).await.unwrap().unwrap().report;
        assert_eq!(forget(database, &notary, ids, now).await.unwrap(), Forgotten::Nothing, "none of it is older than now");
        let mut gone = 0;
        while let Forgotten::Block(events) = forget(database, &notary, ids, later).await.unwrap() {
            gone += i64::try_from(events).unwrap();
        }
        let after = work::ledger::verify(database, &notary, ids, None).await.unwrap().unwrap().report;
        assert!(gone > 0 && after.events == before.events - gone && after.checkpoint == before.checkpoint);

        let new = Vault::generate_key();
        let both = Notary::new(&Secret::new(format!("{},{}", new.expose(), keys.expose()))).unwrap();
        let new = Notary::new(&new).unwrap();
        let unknown = work::ledger::verify(database, &new, ids, None).await.unwrap().unwrap_err();
        assert!(matches!(unknown, Fault::HorizonAltered { .. } | Fault::SignerUnknown { .. }), "{unknown}");
        assert!(matches!(seal(database, &new, ids, true, later).await.unwrap(), Sealed::Refused(_)));
        assert!(matches!(seal(database, &both, ids, true, later).await.unwrap(), Sealed::Block { events: 0, .. }));
        assert_eq!(seal(database, &both, ids, true, later).await.unwrap(), Sealed::Nothing);
        assert!(work::ledger::verify(database, &new, ids, None).await.unwrap().is_ok());

        // Blocks that somebody else takes are missed, with their events or without, at the beginning and before the horizon.
        let rows = house.open_database().await;
        ledger_horizon::Entity::delete_many().exec(&rows).await.unwrap();
        let fault = work::ledger::verify(database, &new, ids, None).await.unwrap().unwrap_err();
        assert_eq!(fault, Fault::BlockMissing { block: 1, sequence: 1 });
        ledger_block::Entity::delete_many().exec(&rows).await.unwrap();
        let fault = work::ledger::verify(database, &new, ids, None).await.unwrap().unwrap_err();
        assert!(matches!(fault, Fault::EventForeign { .. }), "{fault}");
        house.stop().await;
    }

    /// Whoever takes events and signs for that with a key of their own is found, and nothing is built on it.
    async fn nobody_else_answers_for_what_is_gone(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let (database, ids) = (house.database(), house.organization);
        let (keys, new) = (house.settings.secret_key.clone(), Vault::generate_key());
        let both = Notary::new(&Secret::new(format!("{},{}", new.expose(), keys.expose()))).unwrap();
        let (notary, new) = (Notary::new(&keys).unwrap(), Notary::new(&new).unwrap());
        let now = house.foundation().clock.now();
        let later = now + TimeDelta::days(1);
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let chain = async |notary: &Notary| {
            assert_eq!(open(&house.client, &door).await, json!([]));
            while matches!(seal(database, notary, ids, false, now).await.unwrap(), Sealed::Block { more: true, .. }) {}
        };
        chain(&notary).await;
        chain(&notary).await;
        assert!(matches!(forget(database, &notary, ids, later).await.unwrap(), Forgotten::Block(_)));

        // The end is signed with the key of today, the horizon not yet.
        chain(&both).await;
        let fault = work::ledger::verify(database, &new, ids, None).await.unwrap().unwrap_err();
        assert!(matches!(fault, Fault::HorizonAltered { .. }), "{fault}");
        assert_eq!(seal(database, &both, ids, true, now).await.unwrap(), Sealed::Nothing);
        assert!(work::ledger::verify(database, &new, ids, None).await.unwrap().is_ok());

        let rows = house.open_database().await;
        let oldest = ledger_block::Entity::find().order_by_asc(ledger_block::Column::Number).one(&rows).await.unwrap().unwrap();
        let (block, ..) = oldest.block().unwrap();
        let horizon = Horizon(block.checkpoint());
        let theirs = Notary::new(&Vault::generate_key()).unwrap().sign(&horizon.statement());
        let forged = ledger_horizon::ActiveModel {
            organization_id: Unchanged(ids.0),
            number: Set(oldest.number),
            sequence: Set(horizon.0.sequence),
            hash: Set(oldest.hash.clone()),
            public_key: Set(theirs.public_key),
            signature: Set(theirs.bytes),
            sealed_at: Set(oldest.sealed_at),
        };
        forged.update(&rows).await.unwrap();
        event::Entity::delete_many().filter(event::Column::Block.eq(oldest.number)).exec(&rows).await.unwrap();
        ledger_block::Entity::delete_by_id((ids.0, oldest.number)).exec(&rows).await.unwrap();
        let altered = Fault::HorizonAltered { sequence: horizon.0.sequence };
        chain(&both).await;
        assert_eq!(work::ledger::verify(database, &both, ids, None).await.unwrap().unwrap_err(), altered);
        assert_eq!(forget(database, &both, ids, later).await.unwrap(), Forgotten::Refused(altered.clone()));
        assert_eq!(seal(database, &both, ids, true, now).await.unwrap(), Sealed::Refused(altered));
        house.stop().await;
    }

    /// What is written into the table, or changed there, is never chained: neither before its time nor taken out of its block.
    async fn nobody_has_a_history_of_their_own_signed(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let (database, ids) = (house.database(), house.organization);
        let notary = house.foundation().notary.as_ref();
        let now = house.foundation().clock.now();
        let door = house.door("RAIXER", "OPEN_DOOR").await;
        let rows = house.open_database().await;
        let unchained = async || {
            let waiting = event::Entity::find().filter(event::Column::Block.is_null());
            waiting.order_by_asc(event::Column::Id).all(&rows).await.unwrap()
        };
        let chain = async || {
            let (mut chained, mut others) = (0, 0);
            while let Sealed::Block { events, foreign, .. } = seal(database, notary, ids, false, now).await.unwrap() {
                (chained, others) = (chained + events, others + foreign);
            }
            (chained, others)
        };
        let first = chain().await;
        assert!(first.0 > 0 && first.1 == 0, "{first:?}");

        // What the house erases before it is chained is its own still.
        assert_eq!(open(&house.client, &door).await, json!([]));
        let [waiting] = unchained().await.try_into().unwrap();
        let transaction = TestHouse::begin_writing(&rows).await;
        erase(&transaction, &[waiting.id]).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(work::ledger::verify(database, notary, ids, None).await.unwrap().is_ok());
        assert_eq!(chain().await, (1, 0));
        assert!(work::ledger::verify(database, notary, ids, None).await.unwrap().is_ok());

        // Out of its block, and changed; then without any block, as if the ledger had not begun.
        let all = chained(&house, &rows).await;
        let last = all.last().unwrap().clone();
        let is_foreign = async |id: uuid::Uuid| {
            let fault = work::ledger::verify(database, notary, ids, None).await.unwrap().unwrap_err();
            assert_eq!(fault, Fault::EventForeign { event: domain::ids::EventId(id) });
        };
        ledger_block::Entity::delete_by_id((ids.0, last.block.unwrap())).exec(&rows).await.unwrap();
        let retold = event::ActiveModel { block: Set(None), actor: Set(Some("key_nobody".to_owned())), ..last.clone().into() };
        retold.update(&rows).await.unwrap();
        is_foreign(last.id).await;
        assert_eq!(chain().await, (0, 1));
        is_foreign(last.id).await;
        event::Entity::delete_by_id(last.id).exec(&rows).await.unwrap();
        assert!(work::ledger::verify(database, notary, ids, None).await.unwrap().is_ok(), "a cut end, as ever");
        ledger_block::Entity::delete_many().exec(&rows).await.unwrap();
        let free = event::Entity::update_many().col_expr(event::Column::Block, Expr::value(None::<i64>));
        let count = free.exec(&rows).await.unwrap().rows_affected;
        assert_eq!(chain().await, (0, count));
        is_foreign(all[0].id).await;

        // While it waits for its block: said otherwise, without its details as if they had been erased, or copied.
        assert_eq!(open(&house.client, &door).await, json!([]));
        let [waiting] = unchained().await.try_into().unwrap();
        let mark = waiting.mark.clone().unwrap();
        let half = Some(mark[..mark.len() / 2].to_vec());
        let lies = [
            event::Model { actor: Some("key_nobody".to_owned()), ..waiting.clone() },
            event::Model { data: json!({}), ..waiting.clone() },
            event::Model { data: json!({}), mark: half, ..waiting.clone() },
            event::Model { mark: None, ..waiting.clone() },
        ];
        for lie in lies {
            lie.into_active_model().reset_all().update(&rows).await.unwrap();
            assert_eq!(chain().await, (0, 1));
            waiting.clone().into_active_model().reset_all().update(&rows).await.unwrap();
        }
        let id = house.foundation().ids.next_uuid();
        event::Model { id, ..waiting.clone() }.into_active_model().insert(&rows).await.unwrap();
        assert_eq!(chain().await, (1, 1), "the one that the house wrote, and not its copy");
        house.stop().await;
    }

    /// What no command does is told as well: keys of the command line, addresses, and where locations are.
    async fn what_is_changed_without_a_command_is_told(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        house.caller_with_role(Role::Viewer).await;
        let told = async |kind: &str| {
            let query = "query($filter: EventFilter) { events(last: 1, filter: $filter) { nodes { actor data } } }";
            let mut data = house.client.data(query, json!({ "filter": { "types": [kind] } })).await;
            data["events"]["nodes"][0].take()
        };
        let made = told("API_KEY_CREATED").await;
        assert_eq!((&made["actor"], &made["data"]["role"]), (&json!("command line"), &json!("VIEWER")), "{made:#}");
        let id = house.client.data("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
        let account = account_id(&house, Vendor::Bikeep).await.to_string();
        ask(&house.client, "rotateWebhookAddress", json!({ "vendorAccountId": account }), "webhookUrl").await;
        let changed = told("ACCOUNT_CHANGED").await;
        assert_eq!(changed, json!({ "actor": id, "data": { "what": "WEBHOOK_ADDRESS" } }));
        let site = house.doors().await[0]["site"]["id"].clone();
        let locations = json!([{ "location": "quay", "siteId": site }]);
        let input = json!({ "vendorAccountId": account, "locations": locations });
        let payload = ask(&house.client, "mapVendorLocations", input, "vendorAccount { id }").await;
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        let data = json!({ "what": "LOCATIONS", "locations": [{ "location": "quay", "site": site }] });
        assert_eq!(told("ACCOUNT_CHANGED").await, json!({ "actor": id, "data": data }));
        house.stop().await;
    }

    /// Who may not is told of once a minute; who knocks at what they do not see is told of never.
    async fn decisions_are_in_the_ledger(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().with_manual_clock().start().await;
        let door = house.door("BIKEEP", "FORCE_UNLOCK_DOOR").await;
        let viewer = house.caller_with_role(Role::Viewer).await;
        let id = viewer.data("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
        let verbs = [CommandKind::OpenDoor].into();
        let opener = house.caller(&KeyPlan { verbs, ..KeyPlan::unlimited("opens", Role::Admin) }).await;
        let force = "mutation($id: ID!) { forceUnlockDoor(input: {doorId: $id, reason: TESTING}) { userErrors { code } \
            command { id } } }";
        for client in [&viewer, &viewer, &opener, &viewer] {
            let answer = client.data(force, json!({ "id": door["id"] })).await;
            assert_eq!(answer["forceUnlockDoor"]["userErrors"][0]["code"], "FORBIDDEN");
        }
        let stranger = house.stranger().await;
        assert_eq!(stranger.data(force, json!({ "id": door["id"] })).await["forceUnlockDoor"]["userErrors"][0]["code"], "NOT_FOUND");
        house.advance(TimeDelta::minutes(1));
        until("what was counted is told", async || (denied(&house).await.len() == 3).then_some(())).await;
        viewer.data(force, json!({ "id": door["id"] })).await;
        let issue = "mutation { issueAccessToken(input: {reservationId: \"nothing\", tokenType: PIN_CODE}) { userErrors { code } } }";
        assert_eq!(viewer.data(issue, json!({})).await["issueAccessToken"]["userErrors"][0]["code"], "FORBIDDEN");
        let told = denied(&house).await;
        let [first, other, rest, again, token] = told.as_slice() else { panic!("{told:#?}") };
        assert_eq!((&first["actor"], &first["door"]["id"]), (&id, &door["id"]));
        let data = &first["data"];
        assert_eq!((&data["kind"], &data["reason"]), (&json!("FORCE_UNLOCK_DOOR"), &json!("TESTING")));
        assert_eq!(data["why"], "This needs the role MANAGER; you have VIEWER.");
        assert!(text(&data["credential"]).starts_with("API key gh_") && data.get("untold").is_none(), "{data:#}");
        assert_eq!(other["data"]["why"], "Your key is not allowed to send FORCE_UNLOCK_DOOR.");
        assert_eq!((&rest["actor"], &rest["data"]["why"], &rest["data"]["untold"]), (&id, &data["why"], &json!(1)));
        assert_eq!((&again["actor"], again["data"].get("untold")), (&id, None), "its minute is over");
        assert_eq!((&token["data"]["kind"], &token["door"]), (&json!("issueAccessToken"), &Value::Null));
        // What is allowed says as much.
        let answer = house.client.data(force, json!({ "id": door["id"] })).await;
        assert_eq!(answer["forceUnlockDoor"]["userErrors"], json!([]));
        let query = "query($id: ID!) { events(filter: {commandId: $id}) { nodes { type data } } }";
        let events = house.client.data(query, json!({ "id": answer["forceUnlockDoor"]["command"]["id"] })).await;
        let asked = &events["events"]["nodes"][0];
        assert_eq!((&asked["type"], &asked["data"]["reason"]), (&json!("COMMAND_REQUESTED"), &json!("TESTING")));
        assert!(text(&asked["data"]["credential"]).starts_with("API key gh_"), "{asked:#}");
        house.stop().await;
    }

    /// The checkpoint is an ADMIN's to keep.
    async fn admins_read_the_checkpoint(back_end: BackEnd) {
        let house = Plan::on(back_end).start().await;
        let query = "{ viewer { organization { ledgerCheckpoint { sequence hash statement signature publicKey } } } }";
        let checkpoint = until("there is a checkpoint", async || {
            let data = house.client.data(query, json!({})).await;
            let checkpoint = data["viewer"]["organization"]["ledgerCheckpoint"].clone();
            (!checkpoint.is_null()).then_some(checkpoint)
        })
        .await;
        let kept = format!("{}:{}", checkpoint["sequence"], text(&checkpoint["hash"]));
        assert!(verify(&house, Some(&kept)).await.is_ok());
        assert!(text(&checkpoint["statement"]).contains(&text(&checkpoint["hash"])));
        let manager = house.caller_with_role(Role::Manager).await.ask(query, json!({})).await;
        assert_eq!(manager["errors"][0]["extensions"]["code"], "FORBIDDEN", "{manager:#}");
        house.stop().await;
    }
}
