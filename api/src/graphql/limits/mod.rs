//! What an operation may cost, checked before anything walks it. The library's own limits walk a fragment once per
//! spread, so that 26 fragments which each spread the next one twice cost 2^26 steps before they are refused; here each
//! fragment is measured once, and costs at least the steps that the library takes for it.

mod lists;
mod text;

use std::collections::HashMap;

use async_graphql::{
    Name, Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

pub(crate) use self::text::check_text;
use self::{
    lists::{Lists, check_arguments, check_defaults, check_values},
    text::{has_nul, no_nul},
};
use super::error::ApiError;

/// Selections and fragments inside each other; what the schema needs is far less.
const DEEPEST: usize = 64;

/// Operations in one document: only one of them is executed.
const MOST_OPERATIONS: usize = 20;

/// Fields written in one document, before fragments spread out.
const MOST_WRITTEN: usize = 2_000;

/// Fields under other names than their own in one document: the same work asked for again.
const MOST_ALIASES: usize = 100;

/// Fields of the root in one operation, once fragments have spread out: each is a question of its own.
const MOST_ROOTS: usize = 50;

/// Refuses a document that spreads out to more than `most` fields, lists without end, and variables with a NUL.
///
/// # Errors
/// What is too much.
pub(crate) fn check(document: &ExecutableDocument, variables: &Variables, most: usize) -> Result<(), ApiError> {
    check_values(variables)?;
    if document.operations.iter().count() > MOST_OPERATIONS {
        return Err(ApiError::TooComplex(format!("A document may have at most {MOST_OPERATIONS} operations.")));
    }
    let mut measure = Measure { document, fragments: HashMap::new(), most, written: 0, aliases: 0 };
    for (_, operation) in document.operations.iter() {
        measure.fields(&operation.node.selection_set.node, 0)?;
        measure.roots(&operation.node.selection_set.node, 0)?;
        check_defaults(&operation.node)?;
        let lists = Lists { fragments: &document.fragments, operation: &operation.node, variables };
        if lists.of_entities(&operation.node.selection_set.node) > most {
            return Err(too_many_fields(most));
        }
    }
    if variables.values().any(has_nul) { Err(no_nul()) } else { Ok(()) }
}

/// Whether the schema's own text is asked for anywhere (`_service`), also where nothing leads to it.
pub(crate) fn asks_for_sdl(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    operations.chain(fragments).any(selects_sdl)
}

fn selects_sdl(selections: &SelectionSet) -> bool {
    selections.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => field.node.name.node == "_service" || selects_sdl(&field.node.selection_set.node),
        Selection::InlineFragment(inline) => selects_sdl(&inline.node.selection_set.node),
        Selection::FragmentSpread(_) => false,
    })
}

/// Refuses an operation whose variables that must be there are not. The library finds this only while it executes.
///
/// # Errors
/// Which is missing.
pub(crate) fn has_variables(operation: &OperationDefinition, variables: &Variables) -> Result<(), String> {
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        let name = &definition.name.node;
        let given = variables.get(name).is_some_and(|value| *value != Value::Null);
        let needed = !definition.var_type.node.nullable;
        // A default stands in for what was not given, not for null.
        let stood_in = definition.default_value.is_some() && !variables.contains_key(name);
        if needed && !given && !stood_in {
            let kind = &definition.var_type.node;
            return Err(format!("The variable \"${name}\" of the type \"{kind}\" is missing."));
        }
    }
    Ok(())
}

fn too_many_fields(most: usize) -> ApiError {
    ApiError::TooComplex(format!("The operation has more than {most} fields, with fragments and lists spread out."))
}

struct Measure<'a> {
    document: &'a ExecutableDocument,
    /// Fields of each fragment; `None` while it is being measured.
    fragments: HashMap<&'a Name, Option<usize>>,
    most: usize,
    written: usize,
    aliases: usize,
}

impl<'a> Measure<'a> {
    fn fields(&mut self, selections: &'a SelectionSet, depth: usize) -> Result<usize, ApiError> {
        if depth > DEEPEST {
            return Err(ApiError::TooComplex("The operation is nested too deep.".to_owned()));
        }
        let mut sum = 0_usize;
        for selection in &selections.items {
            self.count(&selection.node)?;
            let cost = match &selection.node {
                Selection::Field(field) => 1 + self.fields(&field.node.selection_set.node, depth + 1)?,
                Selection::InlineFragment(inline) => 1 + self.fields(&inline.node.selection_set.node, depth + 1)?,
                Selection::FragmentSpread(spread) => 1 + self.fragment(&spread.node.fragment_name.node, depth + 1)?,
            };
            sum = sum.saturating_add(cost);
            if sum > self.most {
                return Err(too_many_fields(self.most));
            }
        }
        Ok(sum)
    }

    /// Counts what stands in the document; a fragment stands there once, however often it is spread.
    fn count(&mut self, selection: &Selection) -> Result<(), ApiError> {
        if let Selection::Field(field) = selection {
            check_arguments(&field.node)?;
        }
        self.written += 1;
        self.aliases += usize::from(matches!(selection, Selection::Field(field) if field.node.alias.is_some()));
        let too_much = |most, what| Err(ApiError::TooComplex(format!("A document may have at most {most} {what}.")));
        match (self.written > MOST_WRITTEN, self.aliases > MOST_ALIASES) {
            (true, _) => too_much(MOST_WRITTEN, "fields"),
            (_, true) => too_much(MOST_ALIASES, "aliases"),
            _ => Ok(()),
        }
    }

    /// The fields of the root. Cycles and depth were looked at before, so this ends; a fragment counts at each spread.
    fn roots(&self, selections: &'a SelectionSet, before: usize) -> Result<usize, ApiError> {
        let mut sum = before;
        for selection in &selections.items {
            sum = match &selection.node {
                Selection::Field(_) => sum + 1,
                Selection::InlineFragment(inline) => self.roots(&inline.node.selection_set.node, sum)?,
                Selection::FragmentSpread(spread) => match self.document.fragments.get(&spread.node.fragment_name.node)
                {
                    Some(fragment) => self.roots(&fragment.node.selection_set.node, sum)?,
                    // It counts too, or spreads of nothing could double without end.
                    None => sum + 1,
                },
            };
            if sum > MOST_ROOTS {
                return Err(ApiError::TooComplex(format!("An operation may ask at most {MOST_ROOTS} root fields.")));
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
        // Validation names an unknown one. Its spread was counted, or spreads of nothing could double without end.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(0) };
        self.fragments.insert(name, None);
        let cost = self.fields(&fragment.node.selection_set.node, depth)?;
        self.fragments.insert(name, Some(cost));
        Ok(cost)
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
    fn repetition_is_refused() {
        let aliases: String = (0..=MOST_ALIASES).map(|number| format!("a{number}: x ")).collect();
        let operations: String = (0..=MOST_OPERATIONS).map(|number| format!("query q{number} {{ x }} ")).collect();
        let spread = format!("{{ {} }} fragment f on Query {{ x }}", "...f ".repeat(MOST_ROOTS + 1));
        for query in [format!("{{ v {{ {aliases} }} }}"), operations, format!("{{ {} }}", "x ".repeat(60)), spread] {
            assert!(matches!(judge(&query), Err(ApiError::TooComplex(_))), "{query}");
        }
        let written = format!("{{ v {{ {} }} }}", "x ".repeat(MOST_WRITTEN));
        let document = parse_query(written).unwrap();
        assert!(check(&document, &Variables::default(), 1_000_000).is_err());
    }

    /// Also below a field, where the root's own count does not go, and however wide.
    #[test]
    fn spreads_of_nothing_do_not_double() {
        for (root, wide) in [("{ ...f0 }", 2), ("{ viewer { ...f0 } }", 2), ("{ a { b { ... { ...f0 } } } }", 60)] {
            let mut query = root.to_owned();
            for level in 0..30 {
                write!(query, " fragment f{level} on Query {{ {} }}", format!("...f{} ", level + 1).repeat(wide))
                    .unwrap();
            }
            assert!(matches!(judge(&query), Err(ApiError::TooComplex(_))), "{root}");
        }
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
    fn the_schemas_text_is_noticed_wherever_it_is_asked_for() {
        let asks = |query| asks_for_sdl(&parse_query(query).unwrap());
        for query in [
            "{ _service { sdl } }",
            "{ a: _service { sdl } }",
            "{ ... { ... on Query { _service { sdl } } } }",
            "{ ...f } fragment f on Query { _service { sdl } }",
            "query A { viewer { id } } query B { _service { sdl } }",
        ] {
            assert!(asks(query), "{query}");
        }
        assert!(!asks("{ _service: viewer { id } _entities(representations: []) { __typename } }"));
    }
}
