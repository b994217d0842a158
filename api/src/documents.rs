//! Documents that a request names by their hash instead of sending them (Apollo's automatic persisted queries), and the
//! list of documents that alone may run, where a house has one.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use async_graphql::{Request, Value};
use lru::LruCache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::graphql::error::ApiError;

/// Documents that are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
/// Longer documents, in bytes, are not remembered.
const LONGEST: usize = 32 * 1024;

/// SHA-256 of a document.
type Hash = [u8; 32];

/// The documents that are known by their hash.
pub(crate) struct Documents {
    /// The only ones that may run; `None` if any may.
    trusted: Option<HashMap<Hash, String>>,
    remembered: Mutex<LruCache<Hash, String>>,
}

/// The list of trusted documents: Apollo's persisted query manifest, or an object from hash to document.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo { operations: Vec<Operation> },
    Plain(HashMap<String, String>),
}

#[derive(Deserialize)]
struct Operation {
    body: String,
}

/// Why a list of trusted documents cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is neither a persisted query manifest nor an object from hash to document: {0}")]
pub struct InvalidManifest(String);

/// Reads a list of trusted documents. They are known by the SHA-256 of their text, whatever the list calls them.
///
/// # Errors
/// It is not such a list.
pub fn read_manifest(text: &str) -> Result<Vec<String>, InvalidManifest> {
    let manifest: Manifest = serde_json::from_str(text).map_err(|error| InvalidManifest(error.to_string()))?;
    Ok(match manifest {
        Manifest::Apollo { operations } => operations.into_iter().map(|operation| operation.body).collect(),
        Manifest::Plain(documents) => documents.into_values().collect(),
    })
}

impl Documents {
    /// Any document may run if there is no list.
    pub(crate) fn new(trusted: Option<Vec<String>>) -> Self {
        let trusted = trusted.map(|documents| documents.into_iter().map(|text| (hash(&text), text)).collect());
        Self { trusted, remembered: Mutex::new(LruCache::new(REMEMBERED)) }
    }

    /// Puts the document that a request names into the request, and refuses what may not run. What is returned is to be
    /// remembered once it has proven to be a sensible document.
    ///
    /// # Errors
    /// It is not known, not the one that is named, or not trusted.
    pub(crate) fn complete(&self, request: &mut Request) -> Result<Option<Hash>, ApiError> {
        let named = named(request)?;
        let sent = (!request.query.is_empty()).then(|| hash(&request.query));
        if let (Some(named), Some(sent)) = (named, sent)
            && named != sent
        {
            return Err(ApiError::BadUserInput("`sha256Hash` is not the SHA-256 of `query`.".to_owned()));
        }
        let Some(wanted) = sent.or(named) else { return Ok(None) };
        if let Some(trusted) = &self.trusted {
            let document = trusted.get(&wanted).ok_or(ApiError::NotTrusted)?;
            request.query.clone_from(document);
            return Ok(None);
        }
        match (sent, named) {
            (None, Some(named)) => {
                let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
                request.query.clone_from(remembered.get(&named).ok_or(ApiError::PersistedQueryNotFound)?);
                Ok(None)
            }
            _ => Ok(named),
        }
    }

    /// Remembers a document under its hash.
    pub(crate) fn remember(&self, hash: Hash, document: &str) {
        if document.len() <= LONGEST {
            self.remembered.lock().unwrap_or_else(PoisonError::into_inner).put(hash, document.to_owned());
        }
    }
}

fn hash(document: &str) -> Hash {
    Sha256::digest(document.as_bytes()).into()
}

/// The hash in `extensions.persistedQuery`.
fn named(request: &Request) -> Result<Option<Hash>, ApiError> {
    let Some(Value::Object(members)) = request.extensions.get("persistedQuery") else { return Ok(None) };
    let bad = || {
        ApiError::BadUserInput("`persistedQuery` is {\"version\": 1, \"sha256Hash\": \"<64 hex digits>\"}.".to_owned())
    };
    if members.get("version") != Some(&Value::from(1)) {
        return Err(bad());
    }
    let Some(Value::String(digits)) = members.get("sha256Hash") else { return Err(bad()) };
    let mut bytes = Hash::default();
    if digits.len() != bytes.len() * 2 || !digits.is_ascii() {
        return Err(bad());
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        let pair = digits.get(index * 2..index * 2 + 2).ok_or_else(bad)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    fn digits(document: &str) -> String {
        hash(document).iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    fn request(query: &str, of: Option<&str>) -> Request {
        let mut body = json!({ "query": query });
        if let Some(of) = of {
            body["extensions"] = json!({ "persistedQuery": { "version": 1, "sha256Hash": digits(of) } });
        }
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_document_is_sent_once() {
        let documents = Documents::new(None);
        let query = "{ viewer { id } }";
        assert_eq!(documents.complete(&mut request("", Some(query))), Err(ApiError::PersistedQueryNotFound));
        let wanted = documents.complete(&mut request(query, Some(query))).unwrap().unwrap();
        documents.remember(wanted, query);
        let mut known = request("", Some(query));
        assert_eq!(documents.complete(&mut known), Ok(None));
        assert_eq!(known.query, query);
        assert!(matches!(documents.complete(&mut request("{ a }", Some(query))), Err(ApiError::BadUserInput(_))));
        assert_eq!(documents.complete(&mut request(query, None)), Ok(None));
    }

    #[test]
    fn only_trusted_documents_run() {
        let query = "{ viewer { id } }";
        let manifest = json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [{ "id": "x", "name": "V", "type": "query", "body": query }] });
        let documents = Documents::new(Some(read_manifest(&manifest.to_string()).unwrap()));
        for good in [request(query, None), request("", Some(query)), request(query, Some(query))] {
            let mut good = good;
            assert_eq!(documents.complete(&mut good), Ok(None));
            assert_eq!(good.query, query);
        }
        for other in [request("{ doors { nodes { id } } }", None), request("", Some("{ a }"))] {
            let mut other = other;
            assert_eq!(documents.complete(&mut other), Err(ApiError::NotTrusted));
        }
        assert_eq!(read_manifest(r#"{"abc": "{ a }"}"#).unwrap(), ["{ a }"]);
        assert!(read_manifest("[1]").is_err());
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for named in [
            json!({}),
            json!({ "version": 2, "sha256Hash": "" }),
            json!({ "version": 1, "sha256Hash": "zz".repeat(32) }),
            json!({ "version": 1, "sha256Hash": "ä".repeat(32) }),
        ] {
            let mut request: Request =
                serde_json::from_value(json!({ "extensions": { "persistedQuery": named } })).unwrap();
            assert!(Documents::new(None).complete(&mut request).is_err(), "{named}");
        }
    }
}
