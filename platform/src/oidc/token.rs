//! A signed token (RFC 7515, 7519): its parts, and whether it counts. Pure: the keys and the time are given.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta};
use domain::clock::Timestamp;
use serde::Deserialize;

use super::{LONGEST_TOKEN, keys::Key};

/// How far a provider's clock may be from ours.
pub(super) const SKEW: TimeDelta = TimeDelta::seconds(30);

/// The longest subject.
const LONGEST_SUBJECT: usize = 255;

/// A token in its parts. Nothing of it is proven.
pub(super) struct Read<'a> {
    pub(super) header: Header,
    pub(super) claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    pub(super) kid: Option<String>,
    /// What the reader must understand. We understand none of it.
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    pub(super) email: Option<String>,
    email_verified: Option<serde_json::Value>,
    nonce: Option<serde_json::Value>,
    azp: Option<serde_json::Value>,
}

/// One, or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    pub(super) fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(name) => name == audience,
            Self::Several(names) => names.iter().any(|name| name == audience),
        }
    }
}

impl Claims {
    /// Whether this is what a provider tells the client with this id of a sign-in that it began with this nonce (OpenID
    /// Connect Core 1.0, 3.1.3.7).
    pub(super) fn answers(&self, client: &str, nonce: &str) -> bool {
        let is = |value: &serde_json::Value, text: &str| value.as_str() == Some(text);
        let is_for_several = matches!(&self.aud, Audience::Several(names) if names.len() > 1);
        self.aud.names(client)
            && self.azp.as_ref().map_or(!is_for_several, |azp| is(azp, client))
            && self.nonce.as_ref().is_some_and(|told| is(told, nonce))
    }

    /// Some providers write the word instead of the value.
    pub(super) fn has_verified_email(&self) -> bool {
        match &self.email_verified {
            Some(serde_json::Value::Bool(is)) => *is,
            Some(serde_json::Value::String(word)) => word == "true",
            _ => false,
        }
    }
}

/// Why a token does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unproven {
    /// No key of the provider's is meant.
    UnknownKey,
    /// The key's signature is another one.
    WrongSignature,
    /// It says something that cannot be.
    Unreadable,
    /// Its time has not come.
    TooEarly,
    /// Its time is over. The only word of a token that was good.
    Expired,
}

/// Reads a token; `None` if it is none.
pub(super) fn read(token: &str) -> Option<Read<'_>> {
    if token.len() > LONGEST_TOKEN {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    Some(Read {
        header: serde_json::from_slice(&part(header)?).ok()?,
        claims: serde_json::from_slice(&part(claims)?).ok()?,
        signed,
        signature: part(signature)?,
    })
}

/// Until when a token counts that names the right provider and audience: the signature first, then the time.
pub(super) fn prove(read: &Read<'_>, keys: &[Key], now: Timestamp) -> Result<Timestamp, Unproven> {
    let Read { header, claims, signed, signature } = read;
    if header.crit.is_some() || claims.sub.is_empty() || claims.sub.len() > LONGEST_SUBJECT {
        return Err(Unproven::Unreadable);
    }
    let mut usable = keys.iter().filter(|key| key.is_for(&header.alg));
    let key = match &header.kid {
        Some(id) => usable.find(|key| key.is(id)),
        // Without a name it can only be the one that there is.
        None => usable.next().filter(|_| usable.next().is_none()),
    };
    let key = key.ok_or(Unproven::UnknownKey)?;
    if !key.has_signed(&header.alg, signed.as_bytes(), signature) {
        return Err(Unproven::WrongSignature);
    }
    let ends = instant(claims.exp)? + SKEW;
    if let Some(begins) = claims.nbf
        && now < instant(begins)? - SKEW
    {
        return Err(Unproven::TooEarly);
    }
    if now < ends { Ok(ends) } else { Err(Unproven::Expired) }
}

/// An instant in seconds since 1970, which may have a fraction (RFC 7519, 2).
#[expect(clippy::cast_possible_truncation, reason = "bounded before")]
fn instant(seconds: f64) -> Result<Timestamp, Unproven> {
    // Until the year 9999.
    let sensible = (0.0..253_402_300_800.0).contains(&seconds);
    let whole = sensible.then_some(seconds as i64);
    whole.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or(Unproven::Unreadable)
}
