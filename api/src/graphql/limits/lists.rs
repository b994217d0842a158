//! How long lists may be, and what a list of representations multiplies.

use std::{collections::HashMap, convert::Infallible};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet},
};

use crate::graphql::error::ApiError;

/// The longest list in an argument or variable: ids, or representations of `_entities`.
pub(super) const LONGEST: usize = 1_000;

/// What a connection holds whose size is not said (see `graphql/connection.rs`).
const PAGE: usize = 50;

/// Refuses lists without end in variables, defaults and arguments of fields.
///
/// # Errors
/// There is one.
pub(super) fn check_values(variables: &Variables) -> Result<(), ApiError> {
    if variables.values().any(is_endless) { Err(endless()) } else { Ok(()) }
}

/// The same for the defaults of an operation's variables.
///
/// # Errors
/// There is one.
pub(super) fn check_defaults(operation: &OperationDefinition) -> Result<(), ApiError> {
    let mut defaults = operation.variable_definitions.iter().filter_map(|it| it.node.default_value.as_ref());
    if defaults.any(|value| is_endless(&value.node)) { Err(endless()) } else { Ok(()) }
}

/// The same for what is written at a field.
///
/// # Errors
/// There is one.
pub(super) fn check_arguments(field: &Field) -> Result<(), ApiError> {
    // What variables hold is looked at where they are.
    let written = field.arguments.iter().map(|(_, value)| value.node.clone());
    let mut values = written.filter_map(|value| value.into_const_with(|_| Ok::<_, Infallible>(Value::Null)).ok());
    if values.any(|value| is_endless(&value)) { Err(endless()) } else { Ok(()) }
}

fn endless() -> ApiError {
    ApiError::BadUserInput(format!("A list may have at most {LONGEST} items."))
}

fn is_endless(value: &Value) -> bool {
    match value {
        Value::List(items) => items.len() > LONGEST || items.iter().any(is_endless),
        Value::Object(fields) => fields.values().any(is_endless),
        _ => false,
    }
}

/// The value of an argument, with what its variables hold.
fn value_of(field: &Field, argument: &str, variable: impl Fn(&Name) -> Value) -> Option<Value> {
    let written = field.get_argument(argument)?.node.clone();
    written.into_const_with(|name| Ok::<_, Infallible>(variable(&name))).ok()
}

/// What lists multiply in one operation.
pub(super) struct Lists<'a> {
    pub(super) fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    pub(super) operation: &'a OperationDefinition,
    pub(super) variables: &'a Variables,
}

impl Lists<'_> {
    /// The fields that the lists of representations among these lead to, as a page of each connection in them would. The
    /// library takes such a list for one field, however long it is. Ends for what was measured before: there are no cycles.
    pub(super) fn of_entities(&self, selections: &SelectionSet) -> usize {
        self.sum(selections, &|field| match field.name.node == "_entities" {
            true => self.representations(field).saturating_mul(self.weight(&field.selection_set.node)),
            false => 0,
        })
    }

    fn weight(&self, selections: &SelectionSet) -> usize {
        self.sum(selections, &|field| {
            let within = self.weight(&field.selection_set.node);
            within.saturating_mul(self.page(field)).saturating_add(1)
        })
    }

    fn sum(&self, selections: &SelectionSet, of_field: &dyn Fn(&Field) -> usize) -> usize {
        let each = selections.items.iter().map(|selection| match &selection.node {
            Selection::Field(field) => of_field(&field.node),
            Selection::InlineFragment(inline) => self.sum(&inline.node.selection_set.node, of_field),
            Selection::FragmentSpread(spread) => self
                .fragments
                .get(&spread.node.fragment_name.node)
                .map_or(0, |fragment| self.sum(&fragment.node.selection_set.node, of_field)),
        });
        each.fold(0, usize::saturating_add)
    }

    fn representations(&self, field: &Field) -> usize {
        match self.argument(field, "representations") {
            Some(Value::List(items)) => items.len(),
            _ => 1,
        }
    }

    /// How many items a connection is asked for; 1 where the field is none.
    fn page(&self, field: &Field) -> usize {
        let asked = ["first", "last"].into_iter().find_map(|name| match self.argument(field, name)? {
            Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
            _ => None,
        });
        let is_page = |selection: &Positioned<Selection>| match &selection.node {
            Selection::Field(field) => matches!(field.node.name.node.as_str(), "nodes" | "edges"),
            _ => false,
        };
        let pages = field.selection_set.node.items.iter().any(is_page);
        asked.unwrap_or(if pages { PAGE } else { 1 }).max(1)
    }

    fn argument(&self, field: &Field, name: &str) -> Option<Value> {
        value_of(field, name, |variable| {
            let defined = self.operation.variable_definitions.iter().find(|it| it.node.name.node == *variable);
            let default = defined.and_then(|it| it.node.default_value.as_ref()).map(|value| &value.node);
            self.variables.get(variable).or(default).cloned().unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;
    use crate::graphql::limits::check;

    fn judge(query: &str, variables: serde_json::Value) -> Result<(), ApiError> {
        check(&parse_query(query).unwrap(), &Variables::from_json(variables), 1_000)
    }

    #[test]
    fn endless_lists_are_refused() {
        let listed = |count: usize| vec!["x"; count];
        let written = |count: usize| format!("[{}]", "1 ".repeat(count));
        let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        assert_eq!(judge(nodes, json!({ "ids": listed(LONGEST) })), Ok(()));
        assert_eq!(judge(&format!("{{ nodes(ids: {}) {{ id }} }}", written(LONGEST)), json!({})), Ok(()));
        let too_long = written(LONGEST + 1);
        for (query, variables) in [
            (nodes.to_owned(), json!({ "ids": listed(LONGEST + 1) })),
            (nodes.to_owned(), json!({ "ids": [{ "a": listed(LONGEST + 1) }] })),
            (format!("{{ nodes(ids: {too_long}) {{ id }} }}"), json!({})),
            (format!("{{ a {{ b(c: {{ d: [{too_long}] }}) }} }}"), json!({})),
            (format!("{{ ...f }} fragment f on Query {{ a(b: {too_long}) }}"), json!({})),
            (format!("query($ids: [ID!]! = {too_long}) {{ nodes(ids: $ids) {{ id }} }}"), json!({})),
        ] {
            assert!(matches!(judge(&query, variables), Err(ApiError::BadUserInput(_))), "{query}");
        }
    }

    #[test]
    fn representations_multiply_what_is_asked_of_each() {
        let some = |count: usize| json!({ "r": vec![json!({ "__typename": "Site", "id": "x" }); count], "n": 100 });
        let with = |selection: &str| {
            format!("query($r: [_Any!]!, $n: Int) {{ _entities(representations: $r) {{ {selection} }} }}")
        };
        let plain = with("... on Site { id name }");
        assert_eq!(judge(&plain, some(500)), Ok(()));
        for (query, count) in [
            (plain.clone(), 501),
            (plain.replace("_entities", "...f } fragment f on Query { _entities"), 501),
            (with("... on Site { doors(first: 100) { nodes { id } } }"), 5),
            (with("... on Site { doors(last: $n) { nodes { id } } }"), 5),
            (with("... on Site { doors { edges { node { id } } } }"), 10),
        ] {
            assert!(matches!(judge(&query, some(count)), Err(ApiError::TooComplex(_))), "{query}");
            assert_eq!(judge(&query, some(count / 4)), Ok(()), "{query}");
        }
        let literal = format!("{{ _entities(representations: [{}]) {{ a b c }} }}", "{} ".repeat(400));
        assert!(matches!(judge(&literal, json!({})), Err(ApiError::TooComplex(_))));
        let default =
            format!("query($r: [_Any!]! = [{}]) {{ _entities(representations: $r) {{ a b c }} }}", "{} ".repeat(400));
        assert!(matches!(judge(&default, json!({})), Err(ApiError::TooComplex(_))));
    }
}
