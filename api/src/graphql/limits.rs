//! What an operation may cost, checked before anything walks it. The library's own limits walk a fragment once per
//! spread, so that 26 fragments which each spread the next one twice cost 2^26 steps before they are refused; here each
//! fragment is measured once.

use std::collections::HashMap;

use async_graphql::{
    Name, Value, Variables,
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};

use super::error::ApiError;

/// Selections and fragments inside each other; what the schema needs is far less.
const DEEPEST: usize = 64;

/// The longest list in a variable: ids, or representations of `_entities`.
const LONGEST_LIST: usize = 1_000;

/// Refuses a document that spreads out to more than `most` fields, and variables with endless lists.
///
/// # Errors
/// What is too much.
pub(crate) fn check(document: &ExecutableDocument, variables: &Variables, most: usize) -> Result<(), ApiError> {
    let mut measure = Measure { document, fragments: HashMap::new(), most };
    for (_, operation) in document.operations.iter() {
        measure.fields(&operation.node.selection_set.node, 0)?;
    }
    if variables.values().any(is_endless) {
        return Err(ApiError::BadUserInput(format!("A list in a variable may have at most {LONGEST_LIST} items.")));
    }
    Ok(())
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    /// Fields of each fragment; `None` while it is being measured.
    fragments: HashMap<&'a Name, Option<usize>>,
    most: usize,
}

impl<'a> Measure<'a> {
    fn fields(&mut self, selections: &'a SelectionSet, depth: usize) -> Result<usize, ApiError> {
        if depth > DEEPEST {
            return Err(ApiError::TooComplex("The operation is nested too deep.".to_owned()));
        }
        let mut sum = 0_usize;
        for selection in &selections.items {
            let cost = match &selection.node {
                Selection::Field(field) => 1 + self.fields(&field.node.selection_set.node, depth + 1)?,
                Selection::InlineFragment(inline) => self.fields(&inline.node.selection_set.node, depth + 1)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, depth + 1)?,
            };
            sum = sum.saturating_add(cost);
            if sum > self.most {
                return Err(ApiError::TooComplex(format!("The operation has more than {} fields.", self.most)));
            }
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &'a Name, depth: usize) -> Result<usize, ApiError> {
        match self.fragments.get(name) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(ApiError::TooComplex(format!("The fragment \"{name}\" contains itself."))),
            None => {}
        }
        // An unknown fragment costs nothing; validation names it.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(0) };
        self.fragments.insert(name, None);
        let cost = self.fields(&fragment.node.selection_set.node, depth)?;
        self.fragments.insert(name, Some(cost));
        Ok(cost)
    }
}

fn is_endless(value: &Value) -> bool {
    match value {
        Value::List(items) => items.len() > LONGEST_LIST || items.iter().any(is_endless),
        Value::Object(fields) => fields.values().any(is_endless),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use async_graphql::parser::parse_query;

    use super::*;

    fn judge(query: &str) -> Result<(), ApiError> {
        check(&parse_query(query).unwrap(), &Variables::default(), 1_000)
    }

    #[test]
    fn a_fragment_bomb_is_refused_at_once() {
        let mut query = "{ ...f0 }".to_owned();
        for level in 0..50 {
            let next = level + 1;
            write!(query, " fragment f{level} on Query {{ ...f{next} ...f{next} }}").unwrap();
        }
        query.push_str(" fragment f50 on Query { __typename }");
        assert!(matches!(judge(&query), Err(ApiError::TooComplex(_))));
    }

    #[test]
    fn a_cycle_is_refused() {
        let query = "{ ...a } fragment a on Query { ...b ...b } fragment b on Query { ...a ...a }";
        assert!(matches!(judge(query), Err(ApiError::TooComplex(_))));
    }

    #[test]
    fn what_is_reasonable_passes() {
        assert_eq!(judge("{ doors { nodes { ...d } } } fragment d on Door { id name site { id } }"), Ok(()));
        let many = format!("{{ {} }}", "a ".repeat(1_001));
        assert!(judge(&many).is_err());
    }

    #[test]
    fn endless_lists_are_refused() {
        let document = parse_query("query($ids: [ID!]!) { nodes(ids: $ids) { id } }").unwrap();
        let with = |count: usize| {
            let ids = vec![Value::from("x"); count];
            Variables::from_value(Value::Object([(Name::new("ids"), Value::List(ids))].into_iter().collect()))
        };
        assert_eq!(check(&document, &with(LONGEST_LIST), 1_000), Ok(()));
        assert!(check(&document, &with(LONGEST_LIST + 1), 1_000).is_err());
    }
}
