//! What a document may hold as text, looked at before anything parses it.

use async_graphql::Value;

use crate::graphql::error::ApiError;

/// Brackets of any kind inside each other in the text of a document. The library goes down into values without a limit of
/// its own, and a stack that overflows takes the whole process along: some 400 brackets were enough.
const DEEPEST_BRACKETS: usize = 128;

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
pub(super) fn no_nul() -> ApiError {
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

/// Whether a text in it has a NUL.
pub(super) fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::List(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Variables, parser::parse_query};

    use super::*;
    use crate::graphql::limits::check;

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
}
