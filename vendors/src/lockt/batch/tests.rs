use domain::account::Vendor;
use proptest::prelude::*;

use super::*;
use crate::testing::factory;

fn caller() -> Caller {
    factory().caller(Vendor::Lockt, "http://localhost", vec![Secret::new("canary-key")]).unwrap()
}

fn clean(words: &str, hidden: &[&str]) -> String {
    let hidden: Vec<_> = hidden.iter().map(|hidden| Secret::new(*hidden)).collect();
    Cleaner { caller: &caller(), hidden: &hidden }.clean(words)
}

fn batch(numbers: &[&str], whole: bool) -> Batch {
    let key = |number: &&str| Key { member: "id_num", label: "idNumber", value: (*number).to_owned() };
    let records = numbers.iter().map(key).collect();
    Batch { body: Vec::new(), records, whole, hidden: Vec::new() }
}

fn tallied(body: &Value, batch: &Batch) -> Tally {
    tally(wire::said(body), Vec::new(), batch, &Cleaner { caller: &caller(), hidden: &[] })
}

#[test]
fn an_echoed_pin_does_not_get_through() {
    assert_eq!(clean("Duplicate value 0986 found", &["0986"]), "Duplicate value *** found");
    assert_eq!(clean("Invalid card_num 098612", &["0986"]), "Invalid card_num ***12");
    assert_eq!(clean("Code 12 taken by 1234", &["12"]), "Code *** taken by ***34");
    assert_eq!(clean("Card 1234 unknown", &["12"]), "Card 1234 unknown", "too short to be recognised inside a word");
    assert_eq!(clean("Non-Numeric PIN found: 09-x", &["0986"]), "Non-Numeric PIN found");
    assert_eq!(clean("spinning: canary-key", &[""]), "spinning: ***");
}

#[test]
fn errors_are_told_by_record() {
    let body = json!({"errors": [
        {"error": ["late"], "input_data": {"id_num": "c", "pin": "0986"}},
        {"error": "early", "input_data": {"id_num": "a"}},
        {"error": "nobody's", "input_data": {}},
    ]});
    let of = batch(&["a", "b", "c", "d"], false);
    let tally = tallied(&body, &of);
    assert!(tally.is_faulty(0) && !tally.is_faulty(1) && tally.is_faulty(2) && !tally.is_faulty(3));
    assert_eq!((tally.refused, tally.accepted(&of)), (false, 2));
    let expected = json!({"submitted": 4, "errors": [
        {"record": 2, "idNumber": "c", "messages": ["late"]},
        {"record": 0, "idNumber": "a", "messages": ["early"]},
        {"record": null, "messages": ["nobody's"]},
    ]});
    assert_eq!(Value::Object(tally.result(&of)), expected, "and nothing of what was echoed");
}

#[test]
fn what_counts_as_refused() {
    let error = json!([{"error": ["x"], "input_data": {"id_num": "a"}}]);
    let refused = |body: Value, whole| tallied(&body, &batch(&["a", "b"], whole)).refused;
    assert!(refused(json!({"errors": error}), true), "one invalid record fails all");
    assert!(!refused(json!({"errors": error}), false));
    assert!(refused(json!({"result": ["Validation errors found. Batch has failed."], "errors": error}), false));
    assert!(refused(json!({"data": {"inserted": 0, "updated": 0, "errors": 2}}), false), "counted, not named");
    assert!(
        !refused(json!({"data": {"inserted": 1, "updated": 0, "errors": 1}}), true),
        "it says itself that it took one"
    );
    assert!(!refused(json!({"data": {"inserted": 0, "updated": 0, "errors": 0}}), true));
}

proptest! {
    #[test]
    fn no_words_panic(words in any::<String>(), hidden in any::<String>()) {
        let cleaned = clean(&words, &[&hidden]);
        prop_assert!(hidden.len() < 4 || hidden.contains('*') || !cleaned.contains(&hidden));
    }
}
