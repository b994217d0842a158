//! `gatehouse key rotate`: the vault's key is exchanged while the house runs, and nothing is lost by it.
#![expect(clippy::disallowed_methods, reason = "what no key opens is written past entities/store")]

use chrono::TimeDelta;
use domain::{secret::Secret, webhook::DeliveryState};
use entities::rows::{access_token, command, consent, credential, record, vault_key, vendor_account, webhook_delivery};
use gatehouse::rotation::rotate;
use gatehouse_tests::{
    house::{Plan, TestHouse},
    leaks, on_both_back_ends,
    wait::until,
};
use platform::{
    settings::Settings,
    vault::{Place, Vault},
};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, Set};
use serde_json::json;
use simulator::Vendor;

use crate::{
    orders::account_id,
    tokens::scene::{Hotel, ask, code},
    vendor_accounts::sync,
};

fn with_keys(settings: &Settings, keys: &[&Secret]) -> Settings {
    let keys: Vec<&str> = keys.iter().map(|key| key.expose()).collect();
    Settings { secret_key: Secret::new(keys.join(",")), ..settings.clone() }
}

/// Puts a value where this house has none for long, sealed with a key that is going. Returns where.
async fn plant(hotel: &Hotel, database: &DatabaseConnection, key: &Secret) -> Vec<Place> {
    let vault = Vault::new(key).unwrap();
    let mut places = Vec::new();
    let mut sealed = |table, column, row| {
        let place = Place { table, column, row };
        places.push(place);
        vault.seal(&Secret::new("canary"), place).unwrap()
    };
    let done = command::Entity::find().filter(command::Column::DueAt.is_null()).one(database).await.unwrap().unwrap();
    let with = command::ActiveModel { sealed: Set(Some(sealed("commands", "sealed", done.id))), ..done.into() };
    with.update(database).await.unwrap();
    let told = record::Entity::find().one(database).await.unwrap().unwrap();
    let with = record::ActiveModel { secret: Set(Some(sealed("records", "secret", told.id))), ..told.into() };
    with.update(database).await.unwrap();
    let person = ask(hotel.client(), "createUser", json!({ "name": "Ada Byron" }), "user { id }").await;
    let input = json!({ "userId": person["user"]["id"], "kind": "PIN_CODE", "value": "739155", "doorIds": [] });
    ask(hotel.client(), "createCredential", input, "credential { id }").await;
    let held = credential::Entity::find().one(database).await.unwrap().unwrap();
    let with = credential::ActiveModel { sealed: Set(Some(sealed("credentials", "sealed", held.id))), ..held.into() };
    with.update(database).await.unwrap();
    let account = vendor_account::Entity::find().one(database).await.unwrap().unwrap();
    let (now, id) = (hotel.now(), hotel.house.foundation().ids.next_uuid());
    // More than one for an account.
    for state_hash in [vec![1], vec![2]] {
        let row = consent::ActiveModel {
            state_hash: Set(state_hash),
            account_id: Set(account.id),
            verifier: Set(sealed("consents", "verifier", account.id)),
            redirect_uri: Set("https://example.com".to_owned()),
            requested_by: Set("key".to_owned()),
            created_at: Set(now),
            expires_at: Set(now + TimeDelta::hours(1)),
        };
        consent::Entity::insert(row).exec_without_returning(database).await.unwrap();
    }
    let row = webhook_delivery::ActiveModel {
        id: Set(id),
        organization_id: Set(account.organization_id),
        account_id: Set(account.id),
        received_at: Set(now),
        content: Set(sealed("webhook_deliveries", "content", id)),
        size: Set(6),
        state: Set(DeliveryState::Processed.as_str().to_owned()),
        attempts: Set(1),
        note: Set(None),
        due_at: Set(None),
        processed_at: Set(Some(now)),
    };
    webhook_delivery::Entity::insert(row).exec_without_returning(database).await.unwrap();
    places
}

/// The tables in which something stands that was sealed with this key.
async fn sealed_with(house: &TestHouse, key: &Secret) -> Vec<String> {
    let place = Place { table: "", column: "", row: house.organization.0 };
    let sealed = Vault::new(key).unwrap().seal(&Secret::new(""), place).unwrap();
    // Which key it was stands before what differs each time.
    let mark: String = sealed[..9].iter().map(|byte| format!("{byte:02x}")).collect();
    let rows = leaks::rows(house).await;
    rows.into_iter().filter(|(_, rows)| rows.to_lowercase().contains(&mark)).map(|(table, _)| table).collect()
}

on_both_back_ends! {
    async fn the_key_is_exchanged_while_codes_are_issued(back_end: BackEnd) {
        let (old, new) = (Vault::generate_key(), Vault::generate_key());
        // Still sealing with the old key, and able to open what is sealed with the new one.
        let both = format!("{},{}", old.expose(), new.expose());
        let hotel = Hotel::start(Plan::on(back_end).with_setting("secret_key", &both)).await;
        let house = &hotel.house;
        // The credentials of an account that was unlinked are wiped: there is nothing to open.
        let unlinked = json!({ "vendorAccountId": account_id(house, Vendor::Bikeep).await.to_string() });
        let payload = ask(hotel.client(), "unlinkVendorAccount", unlinked, "vendorAccount { id }").await;
        assert_eq!(code(&payload), None, "{payload:#}");
        let stay = hotel.stay(&[&hotel.locks[0]], 0, 2).await;
        let first = hotel.issued(&stay, json!({ "value": "482913" })).await;
        let exchange = with_keys(&house.settings, &[&new, &old]);
        let issuing = async {
            let mut issued = vec![first.clone()];
            for _ in 0..4 {
                issued.push(hotel.issued(&stay, json!({})).await);
            }
            issued
        };
        let (issued, rotated) = tokio::join!(issuing, rotate(&exchange));
        // Whoever goes on with the old key may be met at it, and nothing else may be wrong.
        assert!(rotated.as_ref().map_or_else(|error| error.to_string().contains("older key"), |count| *count > 0));
        until("the tokens are everywhere", async || {
            for token in &issued {
                if hotel.read_token(token).await["state"] != "ACTIVE" {
                    return None;
                }
            }
            Some(())
        })
        .await;
        let database = house.open_database().await;
        let planted = plant(&hotel, &database, &old).await;
        let before = sealed_with(house, &old).await;
        for place in &planted {
            assert!(before.iter().any(|table| table == place.table), "{place:?} {before:?}");
        }
        // The house goes on sealing and signing with the old key: between two of its words nothing needs that any more.
        let alone = with_keys(&house.settings, &[&new]);
        until("everything opens without the old key", async || {
            let done = (rotate(&exchange).await.ok(), rotate(&alone).await.ok());
            (done == (Some(0), Some(0)) && sealed_with(house, &old).await.is_empty()).then_some(())
        })
        .await;
        let vault = Vault::new(&new).unwrap();
        let rows = access_token::Entity::find().all(&database).await.unwrap();
        let open = |row: &access_token::Model| {
            let place = Place { table: "access_tokens", column: "sealed", row: row.id };
            vault.open(row.sealed.as_deref().unwrap(), place).unwrap()
        };
        assert_eq!(rows.len(), 5);
        assert!(rows.iter().any(|row| open(row).expose() == "482913"));
        assert_eq!(hotel.value(&first).await, "482913", "the house opens it too");
        let key = vault_key::Entity::find().one(&database).await.unwrap().unwrap();
        let place = Place { table: "vault_keys", column: "sealed", row: key.id };
        let kept = vault.open(&key.sealed, place).unwrap();
        let vault = vault.with_fingerprint_key(&kept).unwrap();
        let (tenant, pin) = (house.organization.0, Secret::new("482913"));
        assert_eq!(vault.fingerprint(tenant, &pin), house.foundation().vault.fingerprint(tenant, &pin));
        let other = hotel.stay(&[&hotel.locks[0]], 0, 1).await;
        assert_eq!(code(&hotel.issue(&other, json!({ "value": "482913" })).await), Some("VALUE_TAKEN"));
        sync(house, Vendor::Lockt).await.unwrap();

        // What no key opens is named, and what it says is not.
        let row = rows[0].clone();
        let place = Place { table: "access_tokens", column: "sealed", row: row.id };
        let strange = Vault::new(&Vault::generate_key()).unwrap().seal(&Secret::new("canary"), place).unwrap();
        let lost = access_token::ActiveModel { sealed: ActiveValue::Set(Some(strange)), ..row.clone().into() };
        lost.update(&database).await.unwrap();
        let told = rotate(&exchange).await.unwrap_err().to_string();
        assert!(told.contains(&format!("access_tokens {}", row.id)) && !told.contains("canary"), "{told}");
        assert_eq!(told.matches("access_tokens").count(), 1, "{told}");
        hotel.house.stop().await;
    }
}
