//! Lists: Relay connections walked from both ends, also while rows are added; what is no page; and what a page costs.

use std::collections::BTreeSet;

use domain::{
    device::{DeviceDetails, FoundDevice, FoundDoor, Health},
    door::{DoorKind, DoorReading},
};
use entities::{store, work};
use gatehouse_tests::{
    client::{Client, text},
    house::{BackEnd, Plan, TestHouse},
    on_both_back_ends,
};
use serde_json::{Value, json};

/// A list: a query with `PAGE` where the arguments of the page go, and where its connection is in the data.
struct List {
    query: String,
    at: &'static str,
}

impl List {
    fn root(field: &str, at: &'static str) -> Self {
        Self { query: format!("{{ {field} }}"), at }
    }

    async fn page(&self, client: &Client, page: &str) -> Value {
        let fields = "{ edges { cursor node { id } } nodes { id } totalCount \
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }";
        let mut data = client.data(&self.query.replace("PAGE", page).replace("FIELDS", fields), json!({})).await;
        data.pointer_mut(self.at).unwrap().take()
    }

    /// Every id from one end to the other, in the order of the list, after a look at each page.
    async fn walk(&self, client: &Client, size: usize, way: Way, mut between: impl AsyncFnMut()) -> Vec<String> {
        let (count, edge, more, cursor) = way.words();
        let mut walked: Vec<String> = Vec::new();
        let mut page = format!("{count}: {size}");
        loop {
            let connection = self.page(client, &page).await;
            let ids = check(&connection, size);
            match way {
                Way::Forwards => walked.extend(ids),
                Way::Backwards => walked.splice(0..0, ids).for_each(drop),
            }
            let info = &connection["pageInfo"];
            if info[more] == false {
                assert_eq!(info[way.back().words().2], walked.len() > size, "{} {page}", self.query);
                return walked;
            }
            page = format!("{count}: {size}, {edge}: \"{}\"", text(&info[cursor]));
            between().await;
        }
    }
}

#[derive(Clone, Copy)]
enum Way {
    Forwards,
    Backwards,
}

impl Way {
    const fn words(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Forwards => ("first", "after", "hasNextPage", "endCursor"),
            Self::Backwards => ("last", "before", "hasPreviousPage", "startCursor"),
        }
    }

    const fn back(self) -> Self {
        match self {
            Self::Forwards => Self::Backwards,
            Self::Backwards => Self::Forwards,
        }
    }
}

/// What holds for every page; returns its ids.
fn check(connection: &Value, size: usize) -> Vec<String> {
    let edges = connection["edges"].as_array().unwrap();
    let ids: Vec<String> = edges.iter().map(|edge| text(&edge["node"]["id"])).collect();
    let nodes: Vec<String> = connection["nodes"].as_array().unwrap().iter().map(|node| text(&node["id"])).collect();
    assert_eq!(ids, nodes);
    let info = &connection["pageInfo"];
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!(info["startCursor"], cursor(edges.first()));
    assert_eq!(info["endCursor"], cursor(edges.last()));
    let is_part = info["hasNextPage"] == true || info["hasPreviousPage"] == true;
    assert!(edges.len() == size || edges.len() < size && (!is_part || !edges.is_empty()), "{connection:#}");
    ids
}

/// A house with nobody at work in it, and some commands.
async fn house_with_commands(back_end: BackEnd, plan: impl FnOnce(Plan) -> Plan) -> TestHouse {
    let house = plan(Plan::on(back_end).without_worker()).start().await;
    for door in house.doors().await.iter().filter(|door| can_open(door)) {
        house.client.command("openDoor", json!({ "doorId": door["id"] })).await;
    }
    house
}

fn can_open(door: &Value) -> bool {
    door["capabilities"].as_array().is_some_and(|all| all.contains(&json!("OPEN_DOOR")))
}

/// The whole of a list with these fields, a hundred at a time.
pub(crate) async fn whole(client: &Client, list: &str, arguments: &str, fields: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let query = format!(
            "{{ {list}(first: 100{after}{arguments}) {{ nodes {{ {fields} }} totalCount pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let mut data = client.data(&query, json!({})).await;
        let page = &mut data[list];
        all.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == false {
            assert_eq!(page["totalCount"], all.len(), "{query}");
            return all;
        }
        after = format!(", after: {}", page["pageInfo"]["endCursor"]);
    }
}

/// One more device with two doors, as an inventory would find it.
pub(crate) async fn add_doors(house: &TestHouse, names: [&str; 2]) {
    let (database, foundation) = (house.database(), house.foundation());
    let account = work::accounts_of(database, house.organization).await.unwrap().remove(0);
    let number = foundation.ids.next_uuid();
    let door = |(position, name): (i32, &&str)| FoundDoor {
        external_id: format!("{number}-{position}"),
        name: (*name).to_owned(),
        kind: DoorKind::Door,
        position,
        capabilities: BTreeSet::new(),
        reading: DoorReading::default(),
        settings: None,
        phone_access: None,
    };
    let device = FoundDevice {
        external_id: number.to_string(),
        location: String::new(),
        name: names[0].to_owned(),
        model: "test".to_owned(),
        firmware: None,
        health: Health::Healthy,
        health_since: None,
        battery_percent: None,
        details: DeviceDetails::default(),
        capabilities: BTreeSet::new(),
        doors: (1..).zip(&names).map(door).collect(),
    };
    let now = foundation.clock.now();
    store::inventory::record(database, foundation.ids.as_ref(), &account, &[device], now).await.unwrap();
}

on_both_back_ends! {
    /// Forwards and backwards, with pages of any size, a walk is the whole list: no gap, no duplicate.
    async fn a_walk_is_the_whole_list(back_end: BackEnd) {
        let house = house_with_commands(back_end, |plan| plan).await;
        let site = text(&house.doors().await[0]["site"]["id"]);
        let lists = [
            List::root("sites(PAGE) FIELDS", "/sites"),
            List::root("devices(PAGE) FIELDS", "/devices"),
            List::root("doors(PAGE) FIELDS", "/doors"),
            List::root("commands(PAGE) FIELDS", "/commands"),
            List::root("events(PAGE) FIELDS", "/events"),
            List::root("events(orderBy: NEWEST_FIRST, PAGE) FIELDS", "/events"),
            List { query: format!("{{ site(id: \"{site}\") {{ doors(PAGE) FIELDS }} }}"), at: "/site/doors" },
            List { query: format!("{{ site(id: \"{site}\") {{ devices(PAGE) FIELDS }} }}"), at: "/site/devices" },
            List::root(&format!("devices(siteId: \"{site}\", PAGE) FIELDS"), "/devices"),
            List::root(&format!("doors(filter: {{siteId: \"{site}\"}}, PAGE) FIELDS"), "/doors"),
        ];
        for list in lists {
            let query = &list.query;
            let whole = list.walk(&house.client, 100, Way::Forwards, async || {}).await;
            assert!(whole.len() > 2, "{query}: {whole:?}");
            assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), whole.len(), "{query}: {whole:?}");
            assert!(whole.is_sorted() || whole.iter().rev().is_sorted(), "ids are ordered by time: {query}");
            let total = list.page(&house.client, "first: 0").await;
            assert_eq!((&total["totalCount"], &total["nodes"]), (&json!(whole.len()), &json!([])), "{query}");
            for size in [1, 3, 10, 99] {
                for way in [Way::Forwards, Way::Backwards] {
                    assert_eq!(list.walk(&house.client, size, way, async || {}).await, whole, "{query} by {size}");
                }
            }
        }
        house.stop().await;
    }

    /// A page between two cursors, and without arguments.
    async fn pages_may_be_cut_from_both_sides(back_end: BackEnd) {
        let house = Plan::on(back_end).without_worker().start().await;
        let doors = List::root("doors(PAGE) FIELDS", "/doors");
        let all = doors.page(&house.client, "first: 20").await;
        let (cursors, ids): (Vec<String>, Vec<String>) = all["edges"].as_array().unwrap().iter()
            .map(|edge| (text(&edge["cursor"]), text(&edge["node"]["id"]))).unzip();
        let between = format!("after: \"{}\", before: \"{}\"", cursors[3], cursors[9]);
        for (page, expected, next, previous) in [
            // Relay's algorithm: `first` asks whether more follows before the other cursor, `last` likewise.
            (format!("first: 20, {between}"), &ids[4..9], false, true),
            (format!("first: 2, {between}"), &ids[4..6], true, true),
            (format!("last: 2, {between}"), &ids[7..9], true, true),
            (format!("first: 20, before: \"{}\"", cursors[9]), &ids[..9], false, false),
            (format!("first: 5, after: \"{}\", before: \"{}\"", cursors[9], cursors[3]), &[], true, true),
        ] {
            let connection = doors.page(&house.client, &page).await;
            let found: Vec<String> = connection["nodes"].as_array().unwrap().iter().map(|node| text(&node["id"])).collect();
            assert_eq!(found, expected, "{page}");
            if !expected.is_empty() {
                let info = &connection["pageInfo"];
                assert_eq!((&info["hasNextPage"], &info["hasPreviousPage"]), (&json!(next), &json!(previous)), "{page}");
            }
        }
        let plain = house.client.data("{ doors { nodes { id } totalCount } }", json!({})).await;
        let total = plain["doors"]["totalCount"].as_u64().unwrap();
        assert_eq!(plain["doors"]["nodes"].as_array().unwrap().len() as u64, total.min(50));
        house.stop().await;
    }

    /// What was there at the beginning is walked exactly once, whatever is added meanwhile; what is added at the far end is met.
    async fn a_walk_bears_insertions(back_end: BackEnd) {
        let house = house_with_commands(back_end, |plan| plan).await;
        let openable = house.doors().await.into_iter().find(can_open).unwrap();
        for (list, meets) in [
            (List::root("doors(PAGE) FIELDS", "/doors"), Way::Forwards),
            (List::root("devices(PAGE) FIELDS", "/devices"), Way::Forwards),
            (List::root("events(PAGE) FIELDS", "/events"), Way::Forwards),
            (List::root("commands(PAGE) FIELDS", "/commands"), Way::Backwards),
            (List::root("events(orderBy: NEWEST_FIRST, PAGE) FIELDS", "/events"), Way::Backwards),
        ] {
            for way in [Way::Forwards, Way::Backwards] {
                let before = list.walk(&house.client, 100, Way::Forwards, async || {}).await;
                let mut additions = 0;
                let walked = list.walk(&house.client, 7, way, async || {
                    if additions < 4 {
                        additions += 1;
                        add_doors(&house, ["Inserted", "Inserted too"]).await;
                        house.client.command("openDoor", json!({ "doorId": openable["id"] })).await;
                    }
                }).await;
                assert!(additions > 0, "{}", list.query);
                let after = list.walk(&house.client, 100, Way::Forwards, async || {}).await;
                assert!(after.len() > before.len(), "{}", list.query);
                let met = matches!((way, meets), (Way::Forwards, Way::Forwards) | (Way::Backwards, Way::Backwards));
                assert_eq!(walked, if met { after } else { before }, "{}", list.query);
            }
        }
        house.stop().await;
    }

    /// What is no page is refused by code and leaves null in place.
    async fn what_is_no_page_is_refused(back_end: BackEnd) {
        let house = house_with_commands(back_end, |plan| plan).await;
        let lists = ["sites", "devices", "doors", "commands", "events"];
        let mut cursors = Vec::new();
        for list in lists {
            let page = List::root(&format!("{list}(PAGE) FIELDS"), "").page(&house.client, "first: 1").await;
            cursors.push(text(&page[list]["edges"][0]["cursor"]));
        }
        for (list, own) in lists.iter().zip(&cursors) {
            let mut bad = vec![
                "first: 101".to_owned(),
                "first: -1".to_owned(),
                "last: 101".to_owned(),
                "last: -1".to_owned(),
                "first: 1, last: 1".to_owned(),
                "first: 2147483647".to_owned(),
                "first: 1, after: \"\"".to_owned(),
                "first: 1, after: \"nonsense\"".to_owned(),
                "last: 1, before: \"AAAA\"".to_owned(),
                format!("first: 1, after: \"{}x\"", own),
                format!("first: 1, after: \"{}\"", &own[1..]),
            ];
            bad.extend(cursors.iter().filter(|other| other != &own).map(|other| format!("first: 1, after: \"{other}\"")));
            for page in bad {
                let query = format!("{{ {list}({page}) {{ nodes {{ id }} totalCount }} viewer {{ kind }} }}");
                let answer = house.client.ask(&query, json!({})).await;
                assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{query} {answer:#}");
                assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{query} {answer:#}");
                assert_eq!(answer["errors"][0]["path"], json!([list]), "{query} {answer:#}");
                assert_eq!(answer["data"], json!({ *list: null, "viewer": { "kind": "API_KEY" } }), "{query} {answer:#}");
            }
        }
        house.stop().await;
    }

    /// A page costs the same number of statements whatever its length, and a count only when it is selected.
    async fn a_page_costs_a_constant_number_of_statements(back_end: BackEnd) {
        let house = house_with_commands(back_end, Plan::with_manual_clock).await;
        let door = "id name state { lock { value stale } } site { id organization { id } } \
            device { id site { id } vendorAccount { id state } doors { id device { id } } }";
        let command = format!("id state timeline {{ step }} site {{ id }} device {{ id doors {{ id }} }} door {{ {door} }}");
        let queries = [
            ("doors", format!("doors(first: SIZE) {{ nodes {{ {door} }} pageInfo {{ endCursor }} }}")),
            ("doors backwards", format!("doors(last: SIZE) {{ edges {{ cursor node {{ {door} }} }} }}")),
            ("devices", format!("devices(first: SIZE) {{ nodes {{ id site {{ id }} vendorAccount {{ id }} doors {{ {door} }} }} }}")),
            ("commands", format!("commands(first: SIZE) {{ nodes {{ {command} }} }}")),
            (
                "events",
                format!("events(filter: {{types: [COMMAND_REQUESTED]}}, first: SIZE) {{ nodes {{ id data site {{ id }} \
                    device {{ id }} door {{ id }} command {{ {command} }} }} }}"),
            ),
        ];
        for (what, query) in &queries {
            let few = statements(&house, &query.replace("SIZE", "2")).await;
            let many = statements(&house, &query.replace("SIZE", "20")).await;
            assert_eq!(few, many, "{what}");
            let counted = query.replacen(" nodes", " totalCount nodes", 1).replacen(" edges", " totalCount edges", 1);
            assert_eq!(statements(&house, &counted.replace("SIZE", "2")).await, few + 1, "{what}: a count is one more");
            let skipped = counted.replace("totalCount", "totalCount @skip(if: true)");
            assert_eq!(statements(&house, &skipped.replace("SIZE", "2")).await, few, "{what}: a skipped count is none");
        }
        assert_eq!(statements(&house, "doors(first: 2) { nodes { id } }").await, 1);
        assert_eq!(statements(&house, "doors(first: 40) { nodes { id name state { lock { value } } } }").await, 1);

        let sites = format!("sites(first: SIZE) {{ totalCount nodes {{ id doors(first: 9) {{ totalCount nodes {{ {door} }} }} \
            devices(first: 9) {{ totalCount nodes {{ id vendorAccount {{ id }} }} }} \
            latest: devices(last: 9) {{ totalCount nodes {{ id }} }} }} }}");
        let (one, three) = (statements(&house, &sites.replace("SIZE", "1")).await, statements(&house, &sites.replace("SIZE", "3")).await);
        assert_eq!(one, three, "lists of a list");

        let fields = "id records(first: 3) { totalCount nodes { id } } \
            last: records(last: 2, filter: {kinds: [USER]}) { totalCount nodes { id } } \
            webhookDeliveries(first: 3) { totalCount nodes { id } }";
        let accounts = format!("vendorAccounts(first: SIZE) {{ nodes {{ {fields} }} }}");
        let (one, five) = (statements(&house, &accounts.replace("SIZE", "1")).await, statements(&house, &accounts.replace("SIZE", "5")).await);
        assert_eq!(one, five, "lists of accounts");
        // What is read together is what each would have alone.
        let all = house.client.data(&format!("{{ {} }}", accounts.replace("SIZE", "5")), json!({})).await;
        let all = all["vendorAccounts"]["nodes"].as_array().unwrap();
        assert_eq!(all.len(), 5);
        for account in all {
            let query = format!("{{ vendorAccount(id: {}) {{ {fields} }} }}", account["id"]);
            assert_eq!(house.client.data(&query, json!({})).await["vendorAccount"], *account);
        }
        let records: i64 = all.iter().map(|account| account["records"]["totalCount"].as_i64().unwrap()).sum();
        assert_eq!(house.client.data("{ records(first: 1) { totalCount } }", json!({})).await["records"]["totalCount"], records);
        let beyond = format!(
            "{{ vendorAccounts(first: 5) {{ nodes {{ records(first: 1, after: {}) {{ totalCount nodes {{ id }} }} }} }} }}",
            house.client.data("{ records(last: 1) { pageInfo { endCursor } } }", json!({})).await["records"]["pageInfo"]["endCursor"]
        );
        for (beyond, account) in house.client.data(&beyond, json!({})).await["vendorAccounts"]["nodes"].as_array().unwrap().iter().zip(all) {
            let total = &account["records"]["totalCount"];
            assert_eq!(beyond["records"], json!({ "totalCount": total, "nodes": [] }), "a count counts what is before, too");
        }

        let doors = house.doors().await;
        let nodes = |count: usize| {
            let ids: Vec<&Value> = doors.iter().take(count).flat_map(|door| [&door["id"], &door["device"]["id"]]).collect();
            format!("nodes(ids: {}) {{ id ... on Door {{ {door} }} ... on Device {{ doors {{ id }} }} }}", json!(ids))
        };
        assert_eq!(statements(&house, &nodes(1)).await, statements(&house, &nodes(40)).await, "nodes");
        house.stop().await;
    }
}

/// How many statements a query costs a caller whose key is known already.
async fn statements(house: &TestHouse, query: &str) -> u64 {
    house.client.data("{ viewer { id } }", json!({})).await;
    let before = house.database().statements();
    house.client.data(&format!("{{ {query} }}"), json!({})).await;
    house.database().statements() - before
}
