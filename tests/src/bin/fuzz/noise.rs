//! Hostile text and values, and ways to break good ones. Nothing here knows what is attacked.

use gatehouse_tests::crowd::Dice;
use serde_json::{Value, json};

/// Characters and words that have broken parsers before.
const SHARDS: [&str; 34] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"\"\"",
    "\\",
    "\\u",
    "\\uD800",
    "\\u{110000}",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{1f6aa}",
    "e\u{301}",
    "#",
    "...",
    "$",
    "@",
    "@skip(if: $x)",
    "@include(if: true)",
    "!",
    "|",
    "&",
    ":",
    ",",
    "fragment F on Door { ...F }",
    "query",
    "-0",
    "1e999",
    "99999999999999999999",
    "__typename",
];

/// Strings that have meant something else to somebody.
const STRINGS: [&str; 24] = [
    "",
    " ",
    "\0",
    "null",
    "0",
    "-1",
    "NaN",
    "' OR 1=1 --",
    "%' ESCAPE '\\",
    "{{7*7}}",
    "../../etc/passwd",
    "\r\nSet-Cookie: a=b",
    "<script>alert(1)</script>",
    "\u{202e}\u{200b}\u{feff}",
    "\u{1f469}\u{200d}\u{1f680}",
    "\u{fffd}\u{ffff}",
    "door_",
    "door_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "acct_00000000000000000000000000",
    "9999-12-31T23:59:59Z",
    "0000-00-00T00:00:00Z",
    "http://169.254.169.254/",
    "http://[::1]:22/",
    "gh_",
];

const NUMBERS: [f64; 12] =
    [0.0, -0.0, 1.0, -1.0, 2_147_483_647.0, 2_147_483_648.0, -2_147_483_649.0, 9.0e15, 1.0e19, 1.0e308, 0.1, 5.0e-324];

/// A string that nobody expects.
pub(crate) fn string(dice: &mut Dice) -> String {
    match dice.roll(10) {
        0 => "x".repeat(1 + dice.roll(5_000)),
        1 => "\u{1f6aa}".repeat(1 + dice.roll(500)),
        // PostgreSQL keeps no text with this in it, SQLite does.
        3 => format!("a\0{}", dice.roll(10)),
        2 => (0..dice.roll(40)).filter_map(|_| char::from_u32(u32::try_from(dice.roll(0x11_0000)).ok()?)).collect(),
        _ => dice.one(&STRINGS).copied().unwrap_or_default().to_owned(),
    }
}

/// Any JSON value, not too deep.
pub(crate) fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.roll(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(dice.comes(50)),
        2 => json!(dice.one(&NUMBERS)),
        3 => json!(dice.roll(1_000)),
        4 | 5 => json!(string(dice)),
        6 => (0..dice.roll(5)).map(|_| value(dice, depth - 1)).collect(),
        7 => Value::Object((0..dice.roll(5)).map(|_| (string(dice), value(dice, depth - 1))).collect()),
        _ => nested(1 + dice.roll(300)),
    }
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) })
}

/// The same value with some of its parts replaced, taken away, doubled.
pub(crate) fn dented(dice: &mut Dice, of: Value) -> Value {
    if dice.comes(15) {
        return value(dice, 2);
    }
    match of {
        Value::Array(items) => items.into_iter().map(|item| dented(dice, item)).collect(),
        Value::Object(members) => {
            let mut kept = serde_json::Map::new();
            for (name, member) in members {
                match dice.roll(12) {
                    0 => {}
                    1 => drop(kept.insert(string(dice), member)),
                    _ => drop(kept.insert(name, dented(dice, member))),
                }
            }
            Value::Object(kept)
        }
        other => other,
    }
}

/// The same text, broken in one to four places.
pub(crate) fn broken(dice: &mut Dice, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=dice.roll(4) {
        let from = dice.roll(characters.len() + 1);
        let to = (from + dice.roll(12)).min(characters.len());
        let shard = dice.one(&SHARDS).copied().unwrap_or_default();
        match dice.roll(6) {
            0 => drop(characters.drain(from..to)),
            1 => {
                let copy: Vec<char> = characters.iter().skip(from).take(to - from).copied().collect();
                let copies = 1 + dice.roll(50);
                characters.splice(from..from, std::iter::repeat_n(copy, copies).flatten());
            }
            2 => characters.truncate(from),
            3 => {
                let copies = 1 + dice.roll(2_000);
                characters.splice(from..from, shard.repeat(copies).chars());
            }
            _ => drop(characters.splice(from..to, shard.chars())),
        }
    }
    characters.into_iter().collect()
}

/// The same bytes with some of them turned.
pub(crate) fn turned(dice: &mut Dice, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=dice.roll(6) {
        let at = dice.roll(bytes.len());
        let by = u8::try_from(1 + dice.roll(255)).unwrap_or(1);
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= by;
        }
    }
    bytes
}
