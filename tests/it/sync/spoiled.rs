//! Texts that no database keeps: what a vendor says beside them is kept all the same.

use std::collections::BTreeMap;

use axum::{
    Router,
    http::{HeaderMap, Uri, header::AUTHORIZATION},
};
use gatehouse_tests::{
    client::{http, text},
    house::{Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};
use simulator::Vendor;

use super::progress;
use crate::{orders::account_id, vendor_accounts::sync};

/// Bikeep, with other words in its devices. Returns its base URL.
async fn bikeep_with(house: &TestHouse, words: BTreeMap<String, (&'static str, String)>) -> String {
    let genuine = format!("http://{}", house.simulator().address());
    let answer = async move |uri: Uri, headers: HeaderMap| {
        let request = http().get(format!("{genuine}{uri}")).header(AUTHORIZATION, &headers[AUTHORIZATION]);
        let mut told: Value = request.send().await.unwrap().json().await.unwrap();
        for row in told["data"].as_array_mut().into_iter().flatten() {
            if let Some((field, word)) = row["id"].as_str().and_then(|id| words.get(id)) {
                row[field] = json!(word);
            }
        }
        axum::Json(told)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/bikeep", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

/// The name of each device that is not missing.
async fn devices(house: &TestHouse) -> BTreeMap<String, String> {
    let query = "{ devices(first: 100) { nodes { externalId name missingSince vendorAccount { vendor } } } }";
    let data = house.client.data(query, json!({})).await;
    let nodes = data["devices"]["nodes"].as_array().unwrap().iter();
    let there = nodes.filter(|row| row["vendorAccount"]["vendor"] == "BIKEEP" && row["missingSince"].is_null());
    there.map(|row| (text(&row["externalId"]), text(&row["name"]))).collect()
}

on_both_back_ends! {
    async fn one_text_holds_up_nothing_else(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let account = account_id(&house, Vendor::Bikeep).await;
        let before = devices(&house).await;
        let ids: Vec<&String> = before.keys().collect();
        // Nothing in it repeats: an index would fold it up.
        let long: String = (0..2_000_u64).map(|part| format!("{:05x}", part.wrapping_mul(0x9E37_79B9) % 0xF_FFFF)).collect();
        let words = BTreeMap::from([
            (ids[0].clone(), ("alias", "with\0out".to_owned())),
            (ids[1].clone(), ("id", long.clone())),
            (ids[2].clone(), ("alias", long.clone())),
        ]);
        let url = bikeep_with(&house, words).await;
        let own = house.simulator().base_url(Vendor::Bikeep);
        entities::store::accounts::set_base_url(house.database(), account, &url).await.unwrap();
        sync(&house, Vendor::Bikeep).await.unwrap();
        let mut after = before.clone();
        after.insert(ids[0].clone(), "without".to_owned());
        after.insert(ids[2].clone(), long[..4_000].to_owned());
        assert_eq!(devices(&house).await, after, "whose id cannot be kept is not taken for gone");
        let (read, error) = progress(&house, Vendor::Bikeep).await["DEVICES"].clone();
        assert!(read.is_some() && error.unwrap().contains("left out"));
        entities::store::accounts::set_base_url(house.database(), account, &own).await.unwrap();
        sync(&house, Vendor::Bikeep).await.unwrap();
        assert_eq!((devices(&house).await, &progress(&house, Vendor::Bikeep).await["DEVICES"].1), (before, &None));
        house.stop().await;
    }
}
