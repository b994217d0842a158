//! Strangers' ids: whatever another tenant has is answered as what nobody has, wherever an id, a cursor or a representation
//! can be given. The places are read from the schema: a new one that nothing is known about fails here by its name.

mod calls;
mod schema;
mod tenant;

use std::{collections::BTreeMap, sync::Mutex};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::ids::OrganizationId;
use gatehouse_tests::{
    client::{Client, text},
    house::{Plan, TestHouse},
    leaks, on_both_back_ends,
};
use serde_json::{Value, json};
use uuid::Uuid;

use self::{
    calls::calls,
    schema::{Place, Schema},
    tenant::Tenant,
};

/// Two tenants of one house. It is asked as the ADMIN of the first.
struct Street {
    house: TestHouse,
    schema: Schema,
    own: Tenant,
    other: Tenant,
    /// All that is wrong: one run tells it all.
    faults: Mutex<Vec<String>>,
}

/// A thing of the caller's, one of the other tenant's, and one that is not there, by whatever names such things at a place.
#[derive(Debug)]
struct Named {
    own: String,
    strange: String,
    absent: String,
}

impl Named {
    fn map(&self, form: impl Fn(&str) -> String) -> Self {
        Self { own: form(&self.own), strange: form(&self.strange), absent: form(&self.absent) }
    }
}

/// An id of the same kind that nothing has.
fn absent(id: &str, uuid: Uuid) -> String {
    let (prefix, _) = id.split_once('_').unwrap();
    OrganizationId(uuid).to_string().replacen(OrganizationId::PREFIX, prefix, 1)
}

fn uuid(id: &str) -> Uuid {
    let (prefix, _) = id.split_once('_').unwrap();
    id.replacen(prefix, OrganizationId::PREFIX, 1).parse::<OrganizationId>().unwrap().0
}

/// The cursor of this in lists of its kind.
fn cursor(prefix: &str, uuid: Uuid) -> String {
    URL_SAFE_NO_PAD.encode([&[1], uuid.as_bytes().as_slice(), prefix.as_bytes()].concat())
}

impl Street {
    fn check(&self, is_well: bool, fault: impl FnOnce() -> String) {
        if !is_well {
            self.faults.lock().unwrap().push(fault());
        }
    }

    /// What can be named by this word, which is a type of the schema or a name of the tenants'.
    fn named(&self, what: &str, at: &Place) -> Named {
        let of = |tenant: &Tenant| {
            let known = tenant.ids.get(what).cloned();
            self.check(known.is_some(), || format!("{}: tenants have no {what}; add one", at.name()));
            known.unwrap_or_else(|| tenant.ids["Organization"].clone())
        };
        let strange = of(&self.other);
        let absent = absent(&strange, self.house.foundation().ids.next_uuid());
        Named { own: of(&self.own), strange, absent }
    }

    /// What the kinds of things are that can be named at a place outside of mutations.
    fn kinds(&self, at: &Place) -> Vec<String> {
        match at.last() {
            "representations" => self.schema.possible("_Entity"),
            "id" | "ids" if at.result == "Node" => self.schema.possible("Node"),
            "id" => vec![at.result.clone()],
            "guestId" => vec!["User".to_owned()],
            // Rooms are a PMS's.
            "vendorAccountId" if at.field == "unmappedResources" => vec!["MEWS".to_owned()],
            "madeBy" => vec!["ApiKey".to_owned()],
            name => {
                let name = name.trim_end_matches("Ids").trim_end_matches("Id");
                vec![name[..1].to_uppercase() + &name[1..]]
            }
        }
    }

    /// Where a list may be cut. What nobody has stands right beside what the other tenant has.
    fn cut(&self, at: &Place) -> Named {
        let listed = self.schema.listed(&at.result).unwrap_or_else(|| panic!("{}: no list", at.name()));
        let (what, prefix) = match listed.as_str() {
            "Opener" => ("User", Some("opener")),
            "Openable" => ("Door", Some("openable")),
            listed => (listed, None),
        };
        let mut named = self.named(what, at);
        named.absent = absent(&named.strange, Uuid::from_u128(uuid(&named.strange).as_u128() + 1));
        named.map(|id| cursor(prefix.unwrap_or_else(|| id.split_once('_').unwrap().0), uuid(id)))
    }

    /// The places of a feed: the other tenant's, and that of a tenant who is not there.
    async fn feeds(&self) -> Named {
        let query = "subscription { eventRecorded { cursor } }";
        let given = async |client: &Client| {
            let mut subscription = client.subscribe(query, json!({})).await;
            text(&subscription.next().await.unwrap()["eventRecorded"]["cursor"])
        };
        let (own, strange) = (given(&self.own.client).await, given(&self.other.client).await);
        let mut bytes = URL_SAFE_NO_PAD.decode(&strange).unwrap();
        bytes[1..17].copy_from_slice(self.house.foundation().ids.next_uuid().as_bytes());
        Named { own, strange, absent: URL_SAFE_NO_PAD.encode(bytes) }
    }

    /// A document that asks for a field of whatever type it is.
    fn document(&self, at: &Place, literal: &str) -> String {
        let field = format!("{}({}) {}", at.field, at.arguments(literal), self.schema.selection(&at.result));
        match at.on.as_str() {
            "Query" => format!("{{ {field} }}"),
            "Subscription" => format!("subscription {{ {field} }}"),
            "WhoCanOpen" => format!("{{ door(id: \"{}\") {{ whoCanOpen {{ {field} }} }} }}", self.own.ids["Door"]),
            on => {
                let id = self.named(on, at).own;
                format!("{{ node(id: \"{id}\") {{ ... on {on} {{ {field} }} }} }}")
            }
        }
    }

    /// What is answered, and how many statements that cost.
    async fn answer(&self, document: &str, variables: &Value) -> (String, u64) {
        let client = &self.own.client;
        let before = self.house.database().statements();
        let answer = if document.starts_with("subscription") {
            client.subscribe(document, variables.clone()).await.next_message().await.unwrap_or_default()
        } else {
            client.ask(document, variables.clone()).await
        };
        (answer.to_string(), self.house.database().statements() - before)
    }

    /// Whether both are answered the same, at the same cost. Returns the answer.
    async fn alike(&self, at: &str, named: &Named, request: impl Fn(&str) -> (String, Value)) -> String {
        let asked = async |name: &str| {
            let (document, variables) = request(name);
            let (answer, cost) = self.answer(&document, &variables).await;
            (answer.replace(name, "<it>"), cost)
        };
        let (mut strange, mut absent) = (asked(&named.strange).await, asked(&named.absent).await);
        let both = |strange, absent| format!("{at}: another tenant's: {strange}\n    nobody's: {absent}");
        self.check(strange.0 == absent.0, || both(strange.0.clone(), absent.0.clone()));
        // Whatever else the house does costs now and then, too.
        for _ in 0..3 {
            if strange.1 != absent.1 {
                (strange, absent) = (asked(&named.strange).await, asked(&named.absent).await);
            }
        }
        self.check(strange.1 == absent.1, || {
            both(format!("{} statements", strange.1), format!("{} statements", absent.1))
        });
        absent.0
    }

    /// Asks for things, by one place.
    async fn ask_at(&self, at: &Place) {
        let is_cursor = ["after", "before"].contains(&at.last());
        let cases = match at.last() {
            "after" if at.on == "Subscription" => vec![(String::new(), self.feeds().await)],
            _ if is_cursor => vec![(String::new(), self.cut(at))],
            _ => self.kinds(at).into_iter().map(|kind| (kind.clone(), self.named(&kind, at))).collect(),
        };
        for (kind, named) in cases {
            let what = format!("{} {kind}", at.name());
            let form = |name: &str| match at.last() {
                "representations" => format!("{{ __typename: \"{kind}\", id: \"{name}\" }}"),
                _ => format!("\"{name}\""),
            };
            let one = |name: &str| if at.is_list { format!("[{}]", form(name)) } else { form(name) };
            let told = self.alike(&what, &named, |name| (self.document(at, &one(name)), json!({}))).await;
            if !is_cursor {
                let (own, _) = self.answer(&self.document(at, &one(&named.own)), &json!({})).await;
                let finds = own.replace(&named.own, "<it>") != told;
                self.check(finds, || format!("{what}: finds nothing of the caller's: {own}"));
            }
            if at.is_list {
                let both = |name: &str| format!("[{}, {}]", form(&named.own), form(name));
                self.alike(&what, &named, |name| (self.document(at, &both(name)), json!({}))).await;
            }
        }
    }

    /// Asks for something to be done with things, by one place.
    async fn order_at(&self, at: &Place, input: &Value) {
        let path = &at.path[1..];
        let name = slot(&mut input.clone(), path).as_str().and_then(|name| name.strip_prefix('$')).map(str::to_owned);
        let Some(what) = name else {
            return self.check(false, || format!("{}: names nothing in its valid call", at.name()));
        };
        let named = self.named(&what, at);
        let (upper, rest) = at.field.split_at(1);
        let document = format!(
            "mutation($input: {}{rest}Input!) {{ {}(input: $input) {} }}",
            upper.to_uppercase(),
            at.field,
            self.schema.payload(&at.result)
        );
        let input = filled(input, &self.own.ids);
        let order = |name: &str, beside: bool| {
            let mut input = input.clone();
            let slot = slot(&mut input, path);
            let own = slot.take();
            *slot = json!(name);
            if beside {
                list_at(&mut input, path).insert(0, own);
            }
            (document.clone(), json!({ "input": input }))
        };
        let what = format!("{} {what}", at.name());
        for beside in if at.is_list { [false, true].as_slice() } else { &[false] } {
            let told = self.alike(&what, &named, |name| order(name, *beside)).await;
            let told: Value = serde_json::from_str(&told).unwrap();
            let error = &told["data"][&at.field]["userErrors"][0];
            // What is refused for another reason was not looked for.
            let is_looked_for = error["code"] == "NOT_FOUND" && error["path"] == json!(["input", at.path[1]]);
            self.check(is_looked_for, || format!("{what}: {told}"));
        }
    }
}

/// Where a path leads in an input, through the first items of lists.
fn slot<'a>(input: &'a mut Value, path: &[String]) -> &'a mut Value {
    let value = path.iter().fold(input, |value, name| match value {
        Value::Array(items) => &mut items[0][name],
        value => &mut value[name],
    });
    if value.is_array() { &mut value[0] } else { value }
}

/// The list in which a path ends.
fn list_at<'a>(input: &'a mut Value, path: &[String]) -> &'a mut Vec<Value> {
    let value = path.iter().fold(input, |value, name| match value {
        Value::Array(items) => &mut items[0][name],
        value => &mut value[name],
    });
    value.as_array_mut().unwrap()
}

/// An input with ids in the places of their names.
fn filled(input: &Value, ids: &BTreeMap<String, String>) -> Value {
    match input {
        Value::String(text) => json!(text.strip_prefix('$').map_or(text, |name| &ids[name])),
        Value::Array(items) => items.iter().map(|item| filled(item, ids)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), filled(field, ids)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

on_both_back_ends! {
    /// Every id, cursor and representation of another tenant's, everywhere: as what nobody has, word for word and
    /// statement for statement; and nothing is written, and no vendor asked.
    async fn what_another_tenant_has_is_what_nobody_has(back_end: BackEnd) {
        // What is written down each minute is not written here.
        let plan = Plan::on(back_end).without_worker().with_manual_clock().with_setting("introspection", "yes");
        let house = plan.with_setting("max_complexity", "1000000").start().await;
        let (own, other) = (Tenant::settle(&house).await, Tenant::settle(&house).await);
        let schema = Schema::of(&house.client).await;
        let street = Street { house, schema, own, other, faults: Mutex::default() };
        // The first use of a key is.
        street.own.client.data("{ viewer { id } }", json!({})).await;
        let (rows, requests) = (leaks::rows(&street.house).await, street.house.vendors.journal(0).entries.len());
        let (places, calls) = (street.schema.places(), calls());
        assert!(places.len() > 200, "{places:#?}");
        for at in &places {
            if at.on == "Mutation" {
                street.order_at(at, calls.get(at.field.as_str()).unwrap_or(&Value::Null)).await;
            } else {
                street.ask_at(at).await;
            }
        }
        for (table, rows) in leaks::rows(&street.house).await.iter().map(|(table, after)| (table, (after, &rows[table]))) {
            street.check(rows.0 == rows.1, || format!("{table}: refused, and yet something was written"));
        }
        let faults = street.faults.lock().unwrap().join("\n");
        assert!(faults.is_empty(), "{faults}");
        assert_eq!(street.house.vendors.journal(0).entries.len(), requests, "refused, and yet a vendor was asked");
        street.house.stop().await;
    }
}
