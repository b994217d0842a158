//! In which form a caller wants the answer: `Accept` (RFC 9110), all of its lines, with weights.

use axum::http::{HeaderMap, header::ACCEPT};

/// A form in which operations are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/graphql-response+json`: the status says whether anything was executed.
    GraphqlJson,
    /// `application/json`.
    Json,
    /// `text/event-stream`.
    Events,
}

impl Form {
    /// The forms of a single answer; the one that is taken where the caller has no wish comes first.
    pub(crate) const SINGLE: &[Self] = &[Self::Json, Self::GraphqlJson];
    /// All forms, in the same order.
    pub(crate) const ALL: &[Self] = &[Self::Json, Self::GraphqlJson, Self::Events];

    const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::GraphqlJson => ("application", "graphql-response+json"),
            Self::Json => ("application", "json"),
            Self::Events => ("text", "event-stream"),
        }
    }

    /// Which of two counts that are named alike: what says more before what says less.
    const fn rank(self) -> u8 {
        match self {
            Self::GraphqlJson => 2,
            Self::Events => 1,
            Self::Json => 0,
        }
    }
}

/// The form that a caller likes best of those offered. If they like none, it is the first: a form that may be readable is
/// better than no answer.
pub(crate) fn preferred(headers: &HeaderMap, offered: &[Form]) -> Form {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let ranges: Vec<Range<'_>> = lines.flat_map(|line| line.split(',')).filter_map(Range::read).collect();
    let liked = offered.iter().enumerate().filter_map(|(place, form)| {
        // The most precise range says how much.
        let range = ranges.iter().filter(|range| range.holds(*form)).max_by_key(|range| range.precision())?;
        let is_named = range.precision() == 2;
        let rank = if is_named { form.rank() } else { u8::MAX - u8::try_from(place).unwrap_or(u8::MAX) };
        (range.weight > 0).then_some(((range.weight, is_named, rank), *form))
    });
    let liked = liked.max_by_key(|(liking, _)| *liking).map(|(_, form)| form);
    liked.or_else(|| offered.first().copied()).unwrap_or(Form::Json)
}

/// Types that a caller accepts, and how much.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// In thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let (kind, subtype) = essence.trim().split_once('/')?;
        let mut parameters = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
        let weight = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        Some(Self { kind, subtype, weight: weight.map_or(1_000, |(_, value)| thousandths(value.trim())) })
    }

    fn holds(&self, form: Form) -> bool {
        let (kind, subtype) = form.name();
        let is = |range: &str, name: &str| range == "*" || range.eq_ignore_ascii_case(name);
        is(self.kind, kind) && is(self.subtype, subtype)
    }

    /// 0 for `*/*`, 2 for a type by its name.
    fn precision(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }
}

/// A weight between 0 and 1; what is none counts in full, as if it were not there.
fn thousandths(text: &str) -> u16 {
    let value = text.parse::<f32>().ok().filter(|value| (0.0..=1.0).contains(value));
    value.map_or(1_000, |value| (value * 1_000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (ACCEPT, HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn the_highest_weight_wins() {
        use Form::{Events, GraphqlJson, Json};
        let graphql = "application/graphql-response+json";
        for (lines, expected) in [
            (vec![], Json),
            (vec![""], Json),
            (vec!["*/*"], Json),
            (vec!["application/*"], Json),
            (vec!["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Json),
            (vec!["image/png"], Json),
            (vec!["application/json"], Json),
            (vec![graphql], GraphqlJson),
            (vec!["APPLICATION/GraphQL-Response+JSON ; charset=utf-8"], GraphqlJson),
            (vec!["application/graphql-response+jsonx"], Json),
            (vec!["x-application/graphql-response+json"], Json),
            (vec!["text/event-stream"], Events),
            (vec!["Text/Event-Stream; Q=0.3"], Events),
            (vec!["text/*"], Events),
            // Alike.
            (vec!["application/json, application/graphql-response+json"], GraphqlJson),
            (vec!["application/json, text/event-stream"], Events),
            (vec![graphql, "application/json, text/event-stream, multipart/mixed"], GraphqlJson),
            (vec!["text/event-stream, */*"], Events),
            // By weight.
            (vec!["application/graphql-response+json, application/json;q=0.9"], GraphqlJson),
            (vec!["application/graphql-response+json;q=0.8, application/json;q=0.9"], Json),
            (vec!["application/json, text/event-stream;q=0.5"], Json),
            (vec!["application/json;q=0.5", "text/event-stream;q=0.501"], Events),
            (vec!["application/json;q=0.5, */*"], GraphqlJson),
            // Never.
            (vec!["application/graphql-response+json;q=0, application/json;q=0.1"], Json),
            (vec!["application/graphql-response+json;q=0"], Json),
            (vec!["text/event-stream;q=0.000, */*;q=0.1"], Json),
            (vec!["application/json;q=0, */*"], GraphqlJson),
            // What is no weight counts in full.
            (vec!["application/json;q=0.9, text/event-stream;q=x"], Events),
            (vec!["application/json;q=0.9, text/event-stream;q=-1"], Events),
        ] {
            assert_eq!(preferred(&headers(&lines), Form::ALL), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_not_offered_is_not_chosen() {
        assert_eq!(preferred(&headers(&["text/event-stream"]), Form::SINGLE), Form::Json);
        let both = headers(&["text/event-stream, application/graphql-response+json;q=0.1"]);
        assert_eq!(preferred(&both, Form::SINGLE), Form::GraphqlJson);
    }

    proptest! {
        #[test]
        fn no_header_panics(line in "[ -~]{0,80}") {
            let _ = preferred(&headers(&[&line]), Form::ALL);
        }
    }
}
