//! What a page of people and what they hold costs: the same number of statements whatever its length.

use gatehouse_tests::{client::text, house::Plan, on_both_back_ends};
use serde_json::{Value, json};

use super::scene::Scene;

/// How many statements a query costs a caller whose key is known already.
async fn statements(scene: &Scene, query: &str) -> u64 {
    scene.house.client.data("{ viewer { id } }", json!({})).await;
    let before = scene.house.database().statements();
    scene.house.client.data(&format!("{{ {query} }}"), json!({})).await;
    scene.house.database().statements() - before
}

/// The ids of a list, three at a time.
async fn walked(scene: &Scene, list: &str) -> Vec<String> {
    let query = format!(
        "query($after: String) {{ {list}(first: 3, after: $after) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let (mut ids, mut after) = (Vec::new(), Value::Null);
    loop {
        let data = scene.house.client.data(&query, json!({ "after": after })).await;
        ids.extend(data[list]["nodes"].as_array().unwrap().iter().map(|node| text(&node["id"])));
        if data[list]["pageInfo"]["hasNextPage"] == false {
            return ids;
        }
        after = data[list]["pageInfo"]["endCursor"].clone();
    }
}

on_both_back_ends! {
    async fn a_page_costs_a_constant_number_of_statements(back_end: BackEnd) {
        let scene = Scene::start(Plan::on(back_end).without_worker().with_manual_clock().with_setting("max_complexity", "1000000")).await;
        let ranges = json!([{ "days": [0], "starts": "09:00", "ends": "10:00" }]);
        let mut made: [Vec<String>; 4] = Default::default();
        for number in 0..11 {
            let user = scene.user(&format!("Person {number}")).await;
            let input = json!({ "siteId": scene.site, "name": format!("Hour {number}"), "ranges": ranges });
            let schedule = text(&scene.done("createSchedule", input, "schedule { id }").await["id"]);
            let level = scene.level(&format!("Level {number}"), &[&scene.locks[0], &scene.locks[1]], Some(&schedule)).await;
            scene.assign(&user, &level).await;
            let through_levels = scene.pin(&user, &format!("4829{}", 13 + number), &[]).await;
            let of_door = scene.pin(&user, &format!("7714{}", 13 + number), &[&scene.locks[1]]).await;
            made[0].push(user);
            made[1].extend([text(&through_levels["id"]), text(&of_door["id"])]);
            made[2].push(level);
            made[3].push(schedule);
        }
        for (list, made) in ["users", "credentials", "accessLevels", "schedules"].iter().zip(made) {
            // The guests of the PMS were there before.
            let all = walked(&scene, list).await;
            assert!(all.ends_with(&made) && (all.len() == made.len() || *list == "users"), "{list}: {all:?}");
        }
        let placement = "id state doors { id } vendorAccount { id } credential { id }";
        let credential = format!("id kind number state doors {{ id }} placements {{ {placement} }}");
        let level = "id name site { id } schedule { id ranges { days } } doors { id }";
        let user = format!("id name email credentials {{ {credential} }} accessLevels {{ id accessLevel {{ {level} }} }}");
        for query in [
            format!("users(first: SIZE) {{ nodes {{ {user} }} pageInfo {{ endCursor }} }}"),
            format!("credentials(last: SIZE) {{ edges {{ cursor node {{ {credential} user {{ id name }} }} }} }}"),
            format!("accessLevels(first: SIZE) {{ nodes {{ {level} }} }}"),
            "schedules(first: SIZE) { nodes { id name site { id } ranges { starts } } }".to_owned(),
        ] {
            let of = async |size: &str| statements(&scene, &query.replace("SIZE", size)).await;
            assert_eq!(of("2").await, of("10").await, "{query}");
        }
        assert_eq!(statements(&scene, "users(first: 10) { nodes { id } }").await, 1);
        scene.house.stop().await;
    }
}
