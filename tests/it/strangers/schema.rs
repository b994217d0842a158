//! Every argument and input field by which a caller can name a thing, as the schema tells. What is put there is not said here.

use std::collections::BTreeMap;

use gatehouse_tests::client::{Client, text};
use serde_json::{Value, json};

const INTROSPECTION: &str = "{ __schema { types { name kind possibleTypes { name } \
    fields { name args { name type { ...T } } type { ...T } } inputFields { name type { ...T } } } } } \
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// Where something can be named: an argument of a field, or what lies below it.
#[derive(Debug)]
pub(super) struct Place {
    /// The type that has the field.
    pub(super) on: String,
    pub(super) field: String,
    /// The names from the argument down.
    pub(super) path: Vec<String>,
    /// Whether it takes several.
    pub(super) is_list: bool,
    /// The type of the field.
    pub(super) result: String,
}

impl Place {
    /// As people would write it.
    pub(super) fn name(&self) -> String {
        format!("{}.{}({})", self.on, self.field, self.path.join("."))
    }

    /// Its own name.
    pub(super) fn last(&self) -> &str {
        &self.path[self.path.len() - 1]
    }

    /// The field's arguments with this at the place, as they stand in a document.
    pub(super) fn arguments(&self, literal: &str) -> String {
        let (outer, inner) = self.path.split_first().unwrap();
        let value = inner.iter().rev().fold(literal.to_owned(), |value, name| format!("{{ {name}: {value} }}"));
        format!("{outer}: {value}")
    }
}

/// The types of the schema by their names.
pub(super) struct Schema(BTreeMap<String, Value>);

impl Schema {
    pub(super) async fn of(client: &Client) -> Self {
        let data = client.data(INTROSPECTION, json!({})).await;
        let types = data["__schema"]["types"].as_array().unwrap();
        Self(types.iter().map(|it| (text(&it["name"]), it.clone())).collect())
    }

    /// Every place where an id, a cursor or a representation can be given.
    pub(super) fn places(&self) -> Vec<Place> {
        let objects = self.0.iter().filter(|(name, it)| it["kind"] == "OBJECT" && !name.starts_with("__"));
        let mut places = Vec::new();
        for (on, it) in objects {
            for field in list(&it["fields"]) {
                let mut paths = Vec::new();
                for argument in list(&field["args"]) {
                    self.walk(argument, &[], &mut paths);
                }
                places.extend(paths.into_iter().map(|(path, is_list)| Place {
                    on: on.clone(),
                    field: text(&field["name"]),
                    path,
                    is_list,
                    result: innermost(&field["type"]),
                }));
            }
        }
        places
    }

    fn walk(&self, input: &Value, above: &[String], paths: &mut Vec<(Vec<String>, bool)>) {
        let name = text(&input["name"]);
        let path: Vec<String> = above.iter().cloned().chain([name.clone()]).collect();
        let of = innermost(&input["type"]);
        let is_cursor = of == "String" && ["after", "before"].contains(&name.as_str());
        if of == "ID" || of == "_Any" || is_cursor {
            paths.push((path, is_list(&input["type"])));
            return;
        }
        for field in self.0.get(&of).map_or(&[] as &[Value], |it| list(&it["inputFields"])) {
            self.walk(field, &path, paths);
        }
    }

    /// The types that something of this abstract type may have.
    pub(super) fn possible(&self, name: &str) -> Vec<String> {
        list(&self.0[name]["possibleTypes"]).iter().map(|it| text(&it["name"])).collect()
    }

    /// The type of what a connection lists.
    pub(super) fn listed(&self, connection: &str) -> Option<String> {
        self.field(connection, "nodes").map(|field| innermost(&field["type"]))
    }

    fn field(&self, on: &str, name: &str) -> Option<&Value> {
        list(&self.0[on]["fields"]).iter().find(|field| field["name"] == name)
    }

    /// What is selected of a type: enough to see that there is something, and what.
    pub(super) fn selection(&self, of: &str) -> String {
        match self.listed(of) {
            Some(item) => {
                let item = self.selection(&item);
                format!("{{ totalCount nodes {item} edges {{ cursor }} pageInfo {{ hasNextPage hasPreviousPage }} }}")
            }
            None if self.field(of, "id").is_some() => "{ __typename id }".to_owned(),
            None => "{ __typename }".to_owned(),
        }
    }

    /// Whatever a mutation's payload has.
    pub(super) fn payload(&self, of: &str) -> String {
        let fields = list(&self.0[of]["fields"]).iter().map(|field| {
            let (name, inner) = (text(&field["name"]), innermost(&field["type"]));
            match self.0[&inner]["kind"].as_str() {
                _ if name == "userErrors" => "userErrors { code message path }".to_owned(),
                Some("OBJECT" | "INTERFACE" | "UNION") => format!("{name} {}", self.selection(&inner)),
                _ => name,
            }
        });
        format!("{{ {} }}", fields.collect::<Vec<_>>().join(" "))
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn innermost(shape: &Value) -> String {
    if shape["ofType"].is_null() { text(&shape["name"]) } else { innermost(&shape["ofType"]) }
}

fn is_list(shape: &Value) -> bool {
    shape["kind"] == "LIST" || !shape["ofType"].is_null() && is_list(&shape["ofType"])
}
