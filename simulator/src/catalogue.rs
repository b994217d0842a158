//! The shape of a documented endpoint and how a request finds its own. The lists themselves live with each vendor.

/// One endpoint as the vendor documents it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Row id of vendor-coverage.md.
    pub(crate) id: &'static str,
    /// Name used by faults, journal and coverage.
    pub(crate) operation: &'static str,
    pub(crate) method: &'static str,
    /// Path below the vendor's prefix; a segment that begins with a colon is a parameter.
    pub(crate) path: &'static str,
    /// A query key that must be present for this row.
    pub(crate) query: Option<&'static str>,
    pub(crate) kind: RowKind,
}

/// What a call to a row costs and whether it can move hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Documented, counted, not served yet.
    Unserved,
    /// Answered from the vendor's own records.
    Read,
    /// Moves hardware later; the answer does not wait for it.
    Command,
    /// Moves hardware before the answer is given.
    DeviceCall,
}

/// A row and the values of its path parameters.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) index: usize,
    pub(crate) row: &'static Row,
    pub(crate) params: Vec<String>,
}

pub(crate) const fn row(
    id: &'static str,
    operation: &'static str,
    method: &'static str,
    path: &'static str,
    kind: RowKind,
) -> Row {
    Row { id, operation, method, path, query: None, kind }
}

pub(crate) const fn row_with_query(row: Row, key: &'static str) -> Row {
    Row { query: Some(key), ..row }
}

/// The most specific row for a request: fewest parameters first, then the one that names a query key.
pub(crate) fn find(rows: &'static [Row], method: &str, path: &str, query: Option<&str>) -> Option<Found> {
    rows.iter()
        .enumerate()
        .filter(|(_, row)| row.method == method)
        .filter(|(_, row)| row.query.is_none_or(|key| has_key(query, key)))
        .filter_map(|(index, row)| path_params(row.path, path).map(|params| Found { index, row, params }))
        .min_by_key(|found| (found.params.len(), found.row.query.is_none()))
}

fn path_params(template: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut given = path.split('/');
    for expected in template.split('/') {
        let segment = given.next()?;
        if expected.starts_with(':') {
            if segment.is_empty() {
                return None;
            }
            params.push(segment.to_owned());
        } else if expected != segment {
            return None;
        }
    }
    given.next().is_none().then_some(params)
}

fn has_key(query: Option<&str>, key: &str) -> bool {
    query_value(query, key).is_some()
}

/// The raw value of a query key. Values of the documented keys need no percent-decoding.
pub(crate) fn query_value<'q>(query: Option<&'q str>, key: &str) -> Option<&'q str> {
    query?.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == key).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    static ROWS: &[Row] = &[
        row("X1", "one", "GET", "/things/:id", RowKind::Read),
        row("X2", "ordered", "GET", "/things/ordered", RowKind::Read),
        row("X3", "token", "GET", "/token/", RowKind::Read),
        row_with_query(row("X4", "refresh", "GET", "/token/", RowKind::Read), "refresh_token"),
    ];

    #[test]
    fn a_literal_segment_wins_over_a_parameter() {
        let operation = |path, query| find(ROWS, "GET", path, query).map(|found| found.row.operation);
        assert_eq!(operation("/things/ordered", None), Some("ordered"));
        assert_eq!(operation("/things/7", None), Some("one"));
        assert_eq!(operation("/things/", None), None);
        assert_eq!(operation("/things/7/more", None), None);
    }

    #[test]
    fn a_query_key_selects_the_narrower_row() {
        let operation = |query| find(ROWS, "GET", "/token/", query).map(|found| found.row.operation);
        assert_eq!(operation(Some("code=1")), Some("token"));
        assert_eq!(operation(Some("a=1&refresh_token=2")), Some("refresh"));
    }
}
