//! What a page of stays and tokens costs: the same number of statements whatever its length.

use gatehouse_tests::{house::Plan, on_both_back_ends};
use serde_json::json;

use super::scene::Hotel;

/// How many statements a query costs a caller whose key is known already.
async fn statements(hotel: &Hotel, query: &str) -> u64 {
    hotel.client().data("{ viewer { id } }", json!({})).await;
    let before = hotel.house.database().statements();
    hotel.client().data(&format!("{{ {query} }}"), json!({})).await;
    hotel.house.database().statements() - before
}

on_both_back_ends! {
    async fn a_page_costs_a_constant_number_of_statements(back_end: BackEnd) {
        let hotel = Hotel::start(Plan::on(back_end).without_worker().with_manual_clock()).await;
        for number in 0..12 {
            let stay = hotel.stay(&[&hotel.locks[number % 3], &hotel.locks[(number + 1) % 3]], 1, 2).await;
            hotel.issued(&stay, json!({})).await;
            hotel.issued(&stay, json!({ "tokenType": "RFID_TAG", "value": (10_000 + number).to_string() })).await;
        }
        let placement = "id state desired error { code } doors { id } vendorAccount { id } command { id } accessToken { id } exposure { until }";
        let token = format!("id state doors {{ id }} exposure {{ mayOpen }} placements {{ {placement} }} reservation {{ id guest {{ id }} }}");
        let stay = format!("id readiness reasons {{ code }} resource {{ id }} guest {{ id name }} site {{ id }} doors {{ id device {{ id }} }} vendorAccount {{ id }} accessTokens {{ {token} }}");
        for query in [
            format!("reservations(first: SIZE) {{ nodes {{ {stay} }} pageInfo {{ endCursor }} }}"),
            format!("reservations(last: SIZE) {{ edges {{ cursor node {{ {stay} }} }} }}"),
            format!("accessTokens(first: SIZE) {{ nodes {{ {token} }} }}"),
            format!("reservations(first: SIZE) {{ nodes {{ id guest {{ id reservations(first: 5) {{ totalCount nodes {{ {stay} }} }} }} }} }}"),
            "vendorAccounts(first: SIZE) { nodes { id resourceMappings { resource record { id } doors { id } } } }".to_owned(),
        ] {
            let (few, many) = (statements(&hotel, &query.replace("SIZE", "2")).await, statements(&hotel, &query.replace("SIZE", "10")).await);
            assert_eq!(few, many, "{query}");
            let counted = query.replacen(" nodes", " totalCount nodes", 1).replacen(" edges", " totalCount edges", 1);
            assert_eq!(statements(&hotel, &counted.replace("SIZE", "2")).await, few + 1, "{query}: a count is one more");
        }
        assert_eq!(statements(&hotel, "reservations(first: 10) { nodes { id state } }").await, 1);
        hotel.house.stop().await;
    }
}
