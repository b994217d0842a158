//! The rows of the fields: `fields.txt` names each of every type and who is shown it. Here it is compared with the schema, and
//! with what each caller is told of the objects that they see.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::Role;
use serde_json::{Value, json};

use super::world::{Caller, Sight, World};

const ROWS: &str = include_str!("fields.txt");
/// Kinds of types whose fields are the same everywhere.
const CONNECTION: [&str; 4] = ["edges", "nodes", "pageInfo", "totalCount"];
const EDGE: [&str; 2] = ["cursor", "node"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Everybody,
    From(Role),
    Own,
    InAnswer,
    InPart,
}

type Rows = BTreeMap<String, BTreeMap<String, Shown>>;

fn rows() -> Rows {
    let row = |line: &str| {
        let (name, fields) = line.split_once(": ").unwrap_or_else(|| panic!("no row: {line}"));
        let field = |field: &str| match field.split_once('@') {
            None => (field.to_owned(), Shown::Everybody),
            Some((name, "OWN")) => (name.to_owned(), Shown::Own),
            Some((name, "ANSWER")) => (name.to_owned(), Shown::InAnswer),
            Some((name, "PART")) => (name.to_owned(), Shown::InPart),
            Some((name, role)) => (name.to_owned(), Shown::From(Role::parse(role).unwrap())),
        };
        (name.to_owned(), fields.split(' ').map(field).collect())
    };
    ROWS.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

/// The types of the schema, by name, as introspection tells them.
struct Types(BTreeMap<String, Value>);

impl Types {
    async fn of(world: &World) -> Self {
        let query = "{ __schema { types { name kind possibleTypes { name } interfaces { name } fields { name args { name } \
            type { name kind ofType { name kind ofType { name kind ofType { name kind } } } } } } } }";
        let data = world.house.client.data(query, json!({})).await;
        let types = data["__schema"]["types"].as_array().unwrap().clone();
        Self(types.into_iter().map(|told| (told["name"].as_str().unwrap().to_owned(), told)).collect())
    }

    fn fields(&self, name: &str) -> &[Value] {
        self.0[name]["fields"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The objects that have rows.
    fn objects(&self) -> impl Iterator<Item = &str> {
        let roots = ["Query", "Mutation", "Subscription", "_Service"];
        self.0.iter().filter(|(_, told)| told["kind"] == "OBJECT").map(|(name, _)| name.as_str()).filter(move |name| {
            !name.starts_with("__") && !roots.contains(name) && !name.ends_with("Connection") && !name.ends_with("Edge")
        })
    }

    /// Whether a type leads to an object that is seen or not by itself.
    fn is_neighbour(&self, name: &str) -> bool {
        let told = &self.0[name];
        let is_node = told["interfaces"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "Node"));
        is_node || name == "Node" || name.ends_with("Connection")
    }

    /// A selection of all that is shown to whoever sees an object of this type, down to other objects.
    fn selection(&self, name: &str, rows: &Rows) -> String {
        let mut selected = vec!["__typename".to_owned()];
        for field in self.fields(name) {
            let field_name = field["name"].as_str().unwrap();
            let everybody = rows.get(name).and_then(|row| row.get(field_name)) == Some(&Shown::Everybody);
            let of = named(&field["type"]);
            if !everybody || !field["args"].as_array().is_some_and(Vec::is_empty) || self.is_neighbour(of) {
                continue;
            }
            selected.push(match self.0[of]["kind"].as_str() {
                Some("OBJECT") => format!("{field_name} {{ {} }}", self.selection(of, rows)),
                Some("UNION") => {
                    let each = self.0[of]["possibleTypes"].as_array().unwrap().iter();
                    let each = each.map(|one| one["name"].as_str().unwrap());
                    // Fields of one name and several types cannot be asked for side by side without names of their own.
                    let parts: Vec<String> =
                        each.map(|one| format!("... on {one} {{ {} }}", self.aliased(one, rows))).collect();
                    format!("{field_name} {{ {} }}", parts.join(" "))
                }
                _ => field_name.to_owned(),
            });
        }
        selected.join(" ")
    }

    fn aliased(&self, name: &str, rows: &Rows) -> String {
        let plain = |field: &&Value| !self.is_neighbour(named(&field["type"]));
        let each = self.fields(name).iter().filter(plain).map(|field| {
            let (field_name, of) = (field["name"].as_str().unwrap(), named(&field["type"]));
            let below = if self.0[of]["kind"] == "OBJECT" {
                format!(" {{ {} }}", self.selection(of, rows))
            } else {
                String::new()
            };
            format!("{name}_{field_name}: {field_name}{below}")
        });
        each.collect::<Vec<_>>().join(" ")
    }
}

/// The name of a type without its lists and exclamation marks.
fn named(of: &Value) -> &str {
    match of["name"].as_str() {
        Some(name) => name,
        None => named(&of["ofType"]),
    }
}

/// Every field has a row, and every row a field.
fn check_rows(types: &Types, rows: &Rows) {
    let names: BTreeSet<&str> = types.objects().collect();
    assert_eq!(names, rows.keys().map(String::as_str).collect(), "each type needs a row in fields.txt");
    for name in names {
        let fields: BTreeSet<&str> = types.fields(name).iter().filter_map(|field| field["name"].as_str()).collect();
        let known: BTreeSet<&str> = rows[name].keys().map(String::as_str).collect();
        assert_eq!(fields, known, "each field of {name} needs a row in fields.txt");
    }
    for (name, told) in &types.0 {
        let fields: Vec<&str> =
            told["fields"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
        match name {
            name if name.ends_with("Connection") => assert_eq!(fields, CONNECTION, "{name}"),
            name if name.ends_with("Edge") => assert_eq!(fields, EDGE, "{name}"),
            _ => {}
        }
    }
}

pub(super) async fn check_fields(world: &World) {
    let (types, rows) = (Types::of(world).await, rows());
    check_rows(&types, &rows);
    let kinds: BTreeSet<&'static str> = world.things.iter().map(|thing| thing.kind).collect();
    for caller in world.callers(&world.doors[0]).await {
        if caller.sight == Sight::Nobody {
            continue;
        }
        for kind in &kinds {
            let seen: Vec<&str> =
                world.of(kind).filter(|it| caller.sees(it)).map(|it| it.id.as_str()).take(2).collect();
            for id in seen {
                check_object(world, &caller, (&types, &rows), (kind, id)).await;
            }
        }
    }
}

async fn check_object(world: &World, caller: &Caller, (types, rows): (&Types, &Rows), (kind, id): (&str, &str)) {
    let open = format!("query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {} }} }} }}", types.selection(kind, rows));
    let told = caller.client.ask(&open, json!({ "id": id })).await;
    let known = world.house.client.ask(&open, json!({ "id": id })).await;
    assert!(known.get("errors").is_none() && known["data"]["node"].is_object(), "{kind} {id} {known:#}");
    assert_eq!(told, known, "{} is told another {kind} {id}", caller.name);
    for (field, shown) in &rows[kind] {
        let Shown::From(role) = *shown else { continue };
        let below = if field.ends_with("s") || field.starts_with("can") { "__typename" } else { "hash" };
        let guarded =
            format!("query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ it: {field} {{ {below} }} }} }} }}");
        let answer = caller.client.ask(&guarded, json!({ "id": id })).await;
        let may = caller.sight == Sight::Everything && caller.role >= role;
        let refused = answer["errors"][0]["extensions"]["code"] == "FORBIDDEN";
        assert!(refused || answer.get("errors").is_none(), "{} {kind}.{field} {answer:#}", caller.name);
        let is_silent = answer["data"]["node"]["it"].is_null();
        assert!(if may { !refused } else { is_silent }, "{} {kind}.{field} {answer:#}", caller.name);
    }
}

/// The key under which a command was asked for is told to who asked for it.
pub(super) async fn check_own_keys(world: &World) {
    let door = world.doors.iter().find(|door| door["capabilities"].as_array().unwrap().contains(&json!("OPEN_DOOR")));
    let door = door.unwrap();
    let input = json!({ "doorId": door["id"], "idempotencyKey": "mine" });
    let id = world.house.client.command("openDoor", input).await;
    let query = "query($id: ID!) { command(id: $id) { id idempotencyKey } }";
    let own = world.house.client.data(query, json!({ "id": id })).await;
    assert_eq!(own["command"]["idempotencyKey"], "mine");
    for caller in world.callers(door).await {
        let answer = caller.client.ask(query, json!({ "id": id })).await;
        assert_eq!(answer["data"]["command"]["idempotencyKey"], Value::Null, "{} {answer:#}", caller.name);
    }
}
