//! What the API tells of who can open what: pages, paths, and what a list of doors costs.

use std::collections::BTreeSet;

use domain::{
    access::{Limits, Role},
    ids::{DoorId, OrganizationId, RecordId, ReservationId, UserId},
    opening::{self, Openable, Opener, Who},
};
use entities::find;
use gatehouse::keys::{self, KeyPlan};
use gatehouse_tests::{
    client::{Client, text},
    crowd::{Crowd, Size, hour},
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};

use super::scope;

const PATHS: &str = "paths { reason certainty from until accessToken { id } reservation { id } credential { id } \
    accessLevel { id } schedule { id } placement { id } record { id } vendorAccessLevel { id } }";

/// A house with a crowd in an organization of its own, and a caller there.
async fn house_with_crowd(back_end: BackEnd) -> (TestHouse, Crowd, Client) {
    let size = Size { doors: 40, users: 60, levels: 6, stays: 40, card_holders: 30 };
    let house = Plan::on(back_end).without_worker().with_setting("max_complexity", "1000000").start().await;
    let pools = platform::database::open(&house.settings).await.unwrap();
    let crowd = Crowd::gather(&pools.write, house.database(), size, 5).await.unwrap();
    let secret = platform::api_key::generate();
    let plan = KeyPlan::unlimited("crowd", Role::Manager);
    keys::store_key(house.foundation(), OrganizationId(crowd.organization), &plan, &secret).await.unwrap();
    let client = house.client.with_key(secret.expose());
    (house, crowd, client)
}

/// A whole connection, by pages of seven; each item as `[who or where, [reason, certainty]...]`.
async fn walk(client: &Client, query: &str, at: &str, variables: Value) -> Vec<(String, BTreeSet<String>)> {
    let (mut found, mut variables) = (Vec::new(), variables);
    loop {
        let mut data = client.data(query, variables.clone()).await;
        let page = data.pointer_mut(at).unwrap().take();
        let nodes = page["nodes"].as_array().unwrap();
        assert!(nodes.len() <= 7);
        for node in nodes {
            let ids = ["user", "guestOf", "record", "door"].map(|name| node[name]["id"].as_str());
            let ids: Vec<&str> = ids.into_iter().flatten().collect();
            let [id] = ids[..] else { panic!("{node:#}") };
            let path = |path: &Value| format!("{} {}", text(&path["reason"]), text(&path["certainty"]));
            found.push((id.to_owned(), node["paths"].as_array().unwrap().iter().map(path).collect()));
        }
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], found.len());
            return found;
        }
        variables["after"] = page["pageInfo"]["endCursor"].clone();
    }
}

fn paths(openings: &[opening::Opening]) -> BTreeSet<String> {
    openings.iter().map(|it| format!("{} {}", it.via.reason(), it.certainty)).collect()
}

fn opener(opener: &Opener) -> (String, BTreeSet<String>) {
    let id = match opener.who {
        Who::User(user) => user.to_string(),
        Who::GuestOf(stay) => stay.to_string(),
        Who::VendorRecord(record) => record.to_string(),
    };
    (id, paths(&opener.openings))
}

fn openable(openable: &Openable) -> (String, BTreeSet<String>) {
    (openable.door.to_string(), paths(&openable.openings))
}

on_both_back_ends! {
    async fn pages_hold_everybody_and_every_door(back_end: BackEnd) {
        let (house, crowd, client) = house_with_crowd(back_end).await;
        let scope = scope(crowd.organization, Limits::default());
        let page = format!("totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ user {{ id }} guestOf {{ id }} record {{ id }} {PATHS} }}");
        let query = format!(
            "query($id: ID!, $at: DateTime!, $after: String) {{ door(id: $id) {{ whoCanOpen(at: $at) {{ at \
             people(first: 7, after: $after) {{ {page} }} }} }} }}"
        );
        let mut kinds = BTreeSet::new();
        for door in crowd.doors.iter().step_by(4) {
            let id = DoorId(door.id);
            let facts = find::opening::of_doors(house.database(), &scope, &[id], hour(3)).await.unwrap();
            let expected: Vec<_> = opening::who_can_open(&facts[0], hour(3)).iter().map(opener).collect();
            let variables = json!({ "id": id.to_string(), "at": hour(3) });
            let told = walk(&client, &query, "/door/whoCanOpen/people", variables).await;
            kinds.extend(told.iter().map(|(id, _)| id.split('_').next().unwrap().to_owned()));
            assert_eq!(told, expected);
        }
        let prefixes = [UserId::PREFIX, ReservationId::PREFIX, RecordId::PREFIX].map(str::to_owned);
        assert_eq!(kinds, BTreeSet::from(prefixes));
        let query = format!(
            "query($id: ID!, $at: DateTime!, $after: String) {{ node(id: $id) {{ ... on User {{ \
             canOpen(at: $at, first: 7, after: $after) {{ totalCount pageInfo {{ hasNextPage endCursor }} \
             nodes {{ door {{ id }} {PATHS} }} }} }} }} }}"
        );
        for user in crowd.users.iter().step_by(6) {
            let id = UserId(user.id);
            let facts = find::opening::of_users(house.database(), &scope, &[id], hour(3)).await.unwrap();
            let mut theirs = opening::what_they_can_open(&facts, hour(3));
            let expected: Vec<_> = theirs.remove(&id).unwrap_or_default().iter().map(openable).collect();
            let told = walk(&client, &query, "/node/canOpen", json!({ "id": id.to_string(), "at": hour(3) })).await;
            assert_eq!(told, expected);
        }
        house.stop().await;
    }

    async fn a_list_of_doors_costs_what_one_costs(back_end: BackEnd) {
        let (house, _, client) = house_with_crowd(back_end).await;
        let mut costs = Vec::new();
        for doors in [2, 20] {
            let query = format!(
                "{{ doors(first: {doors}) {{ nodes {{ id whoCanOpen {{ at anybody {{ reason certainty record {{ id }} }} \
                 people(first: 100) {{ nodes {{ user {{ id name }} guestOf {{ id }} record {{ id }} {PATHS} }} }} }} }} }} }}"
            );
            let before = house.database().statements();
            let data = client.data(&query, json!({})).await;
            costs.push(house.database().statements() - before);
            let nodes = data["doors"]["nodes"].as_array().unwrap();
            assert_eq!(nodes.len(), doors);
            assert!(nodes.iter().any(|door| door["whoCanOpen"]["people"]["nodes"] != json!([])));
        }
        assert!(costs[1] <= costs[0] + 2, "{costs:?}: a kind of neighbour that two doors lack may come with twenty");
        house.stop().await;
    }
}
