//! What an operation may cost, checked before anything walks it. The library's own limits walk a fragment once per
//! spread, so that 26 fragments which each spread the next one twice cost 2^26 steps before they are refused; here each
//! fragment is measured once.

use std::collections::HashMap;

use async_graphql::{
    Name, Value, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

use super::error::ApiError;

/// Selections and fragments inside each other; what the schema needs is far less.
const DEEPEST: usize = 64;

/// Brackets of any kind inside each other in the text of a document. The library goes down into values without a limit of
/// its own, and a stack that overflows takes the whole process along: some 400 brackets were enough.
const DEEPEST_BRACKETS: usize = 128;

/// Operations in one document: only one of them is executed.
const MOST_OPERATIONS: usize = 20;

/// Fields written in one document, before fragments spread out.
const MOST_WRITTEN: usize = 2_000;

/// Fields under other names than their own in one document: the same work asked for again.
const MOST_ALIASES: usize = 100;

/// Fields of the root in one operation, once fragments have spread out: each is a question of its own.
const MOST_ROOTS: usize = 50;

/// The longest list in a variable: ids, or representations of `_entities`.
const LONGEST_LIST: usize = 1_000;

/// Refuses a document before anything parses it: one whose brackets are too deep (those in strings and comments do not
/// count), or that has a NUL, as itself or as an escape.
///
/// # Errors
/// It is too deep, or has a NUL.
pub(crate) fn check_text(text: &str) -> Result<(), ApiError> {
    let wide = |escape: &str| escape.trim_start_matches('0').starts_with('}') && !escape.starts_with('}');
    if text.contains('\0') || text.contains("\\u0000") || text.split("\\u{").skip(1).any(wide) {
        return Err(no_nul());
    }
    check_nesting(text)
}

/// No text has one: PostgreSQL keeps none, and fails when it is asked for one.
fn no_nul() -> ApiError {
    ApiError::BadUserInput("A text holds no NUL (U+0000).".to_owned())
}

fn check_nesting(text: &str) -> Result<(), ApiError> {
    let mut rest = text.as_bytes();
    let mut depth = 0_usize;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match byte {
            b'#' => after(behind, |rest| rest.starts_with(b"\n") || rest.starts_with(b"\r")),
            b'"' if behind.starts_with(b"\"\"") => behind.get(2..).map_or(&[], block_string),
            b'"' => string(behind),
            _ => behind,
        };
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_BRACKETS {
            let message = format!("A document may have at most {DEEPEST_BRACKETS} brackets inside each other.");
            return Err(ApiError::TooComplex(message));
        }
    }
    Ok(())
}

/// What follows the first place that `ends`.
fn after(mut rest: &[u8], ends: impl Fn(&[u8]) -> bool) -> &[u8] {
    while let Some((_, behind)) = rest.split_first() {
        if ends(rest) {
            return behind;
        }
        rest = behind;
    }
    rest
}

/// What follows a string whose opening mark was read. A string does not go beyond its line.
fn string(mut rest: &[u8]) -> &[u8] {
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match byte {
            b'"' | b'\n' | b'\r' => return behind,
            b'\\' => behind.get(1..).unwrap_or_default(),
            _ => behind,
        };
    }
    rest
}

/// What follows a block string whose opening marks were read.
fn block_string(mut rest: &[u8]) -> &[u8] {
    while let Some((_, behind)) = rest.split_first() {
        if rest.starts_with(b"\"\"\"") {
            return rest.get(3..).unwrap_or_default();
        }
        rest = if rest.starts_with(b"\\\"\"\"") { rest.get(4..).unwrap_or_default() } else { behind };
    }
    rest
}

/// Refuses a document that spreads out to more than `most` fields, and variables with endless lists or a NUL.
///
/// # Errors
/// What is too much.
pub(crate) fn check(document: &ExecutableDocument, variables: &Variables, most: usize) -> Result<(), ApiError> {
    if document.operations.iter().count() > MOST_OPERATIONS {
        return Err(ApiError::TooComplex(format!("A document may have at most {MOST_OPERATIONS} operations.")));
    }
    let mut measure = Measure { document, fragments: HashMap::new(), most, written: 0, aliases: 0 };
    for (_, operation) in document.operations.iter() {
        measure.fields(&operation.node.selection_set.node, 0)?;
        measure.roots(&operation.node.selection_set.node, 0)?;
    }
    if variables.values().any(is_endless) {
        return Err(ApiError::BadUserInput(format!("A list in a variable may have at most {LONGEST_LIST} items.")));
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

    /// Counts what stands in the document; a fragment stands there once, however often it is spread.
    fn count(&mut self, selection: &Selection) -> Result<(), ApiError> {
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

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::List(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
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
    fn no_text_has_a_nul() {
        for document in ["{ a(b: \"\0\") }", r#"{ a(b: "x\u0000") }"#, r#"{ a(b: "\u{0}") }"#, r#"{ a(b: "\u{000}") }"#]
        {
            assert!(matches!(check_text(document), Err(ApiError::BadUserInput(_))), "{document:?}");
        }
        for document in [r#"{ a(b: "\u0001 \u{10} \u{}") }"#, "{ a(b: \"0\") }"] {
            assert!(check_text(document).is_ok(), "{document:?}");
        }
        let with = |value: serde_json::Value| {
            let variables = Variables::from_json(serde_json::json!({ "a": value }));
            check(&parse_query("{ a }").unwrap(), &variables, 1_000)
        };
        for value in [serde_json::json!("x\0"), serde_json::json!([{ "b": ["\0"] }]), serde_json::json!({ "\0": 1 })] {
            assert!(matches!(with(value.clone()), Err(ApiError::BadUserInput(_))), "{value}");
        }
        assert!(with(serde_json::json!([{ "b": ["x"] }])).is_ok());
    }

    /// Nobody may end the process with a kilobyte.
    #[test]
    fn deep_brackets_are_refused_before_they_are_parsed() {
        let nested = |open: &str, close: &str, count| {
            format!("{{ door(id: {}1{}) {{ id }} }}", open.repeat(count), close.repeat(count))
        };
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("[{a: ", "}]")] {
            assert!(check_nesting(&nested(open, close, 20)).is_ok(), "{open}");
            for count in [130, 430, 100_000] {
                assert!(
                    matches!(check_nesting(&nested(open, close, count)), Err(ApiError::TooComplex(_))),
                    "{open} {count}"
                );
            }
        }
        assert!(check_nesting(&"{ a ".repeat(129)).is_err());
        let brackets = "[".repeat(1_000);
        for harmless in [
            format!("\"{brackets}\""),
            format!("\"\\\"{brackets}\""),
            format!("# {brackets}\n"),
            format!("\"\"\"\\\"\"\" \" {brackets}\"\"\""),
        ] {
            assert!(check_nesting(&harmless).is_ok(), "{harmless}");
        }
        for deep in [
            format!("\"\\\\\"{brackets}"),
            format!("\"\n{brackets}"),
            format!("#\r{brackets}"),
            format!("\"\"{brackets}"),
            format!("\"\"\"\"\"\"{brackets}"),
        ] {
            assert!(check_nesting(&deep).is_err(), "{deep}");
        }
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

    #[test]
    fn spreads_of_nothing_do_not_double() {
        let mut query = "{ ...f0 }".to_owned();
        for level in 0..50 {
            let next = level + 1;
            write!(query, " fragment f{level} on Query {{ ...f{next} ...f{next} }}").unwrap();
        }
        assert!(judge(&query).is_err());
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
