//! Who may act for whom at ParqEx: codes, access tokens and refresh tokens, their lives and their rotation. No HTTP.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{clock::later, options::ParqexOauth};

/// How long a code may wait to be exchanged; the document does not say.
const CODE_LIFE: Duration = Duration::from_secs(600);

/// What an account's linking has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ParqexOauthCounts {
    /// Authorizations given.
    pub authorizations: u64,
    /// Authorizations denied.
    pub denials: u64,
    /// Codes exchanged for tokens.
    pub exchanges: u64,
    /// Refreshes done.
    pub refreshes: u64,
    /// Refreshes refused because their token had been used before.
    pub reused_refresh_tokens: u64,
}

/// What a grant permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) open: bool,
    pub(crate) close: bool,
}

impl Scope {
    pub(crate) const ALL: Scope = Scope { open: true, close: true };

    /// The documented list: comma-separated, in any case, of two words.
    pub(crate) fn read(text: &str) -> Option<Scope> {
        let mut scope = Scope { open: false, close: false };
        for word in text.split(',') {
            match word.trim().to_uppercase().as_str() {
                "OPENDOOR" => scope.open = true,
                "CLOSEDOOR" => scope.close = true,
                _ => return None,
            }
        }
        Some(scope)
    }
}

/// What an authorization was given for.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) account: usize,
    pub(crate) scope: Scope,
    pub(crate) redirect_uri: String,
    /// PKCE's S256 challenge, if one was given.
    pub(crate) challenge: Option<String>,
}

/// Tokens for the caller.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) expires_in: u64,
}

#[derive(Debug)]
struct Grant {
    account: usize,
    scope: Scope,
    access: String,
    refresh: String,
    revoked: bool,
}

#[derive(Debug)]
struct AccessToken {
    grant: usize,
    /// Absent: it lives forever.
    expires: Option<DateTime<Utc>>,
}

/// All grants, and the codes that wait to become one.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    pub(crate) options: ParqexOauth,
    /// Milliseconds at start, part of all tokens, so that they differ from those of an earlier run.
    pub(crate) born: u64,
    codes: HashMap<String, (Code, DateTime<Utc>)>,
    grants: Vec<Grant>,
    access: HashMap<String, AccessToken>,
    /// Every refresh token there ever was; only the grant's own is good.
    refresh: HashMap<String, usize>,
    counts: HashMap<usize, ParqexOauthCounts>,
    next: u64,
}

impl Grants {
    /// A grant that exists from the start, with an access token that does not expire.
    pub(crate) fn plant(&mut self, account: usize, access: String, refresh: String) {
        let grant = self.grants.len();
        self.access.insert(access.clone(), AccessToken { grant, expires: None });
        self.refresh.insert(refresh.clone(), grant);
        self.grants.push(Grant { account, scope: Scope::ALL, access, refresh, revoked: false });
    }

    /// Account and scope of an access token that is good now.
    pub(crate) fn bearer(&self, token: &str, now: DateTime<Utc>) -> Option<(usize, Scope)> {
        let token = self.access.get(token)?;
        let alive = token.expires.is_none_or(|expires| expires > now);
        let grant = self.grants.get(token.grant).filter(|grant| alive && !grant.revoked)?;
        Some((grant.account, grant.scope))
    }

    /// Whether an account has authorized anybody.
    pub(crate) fn is_linked(&self, account: usize) -> bool {
        self.grants.iter().any(|grant| grant.account == account && !grant.revoked)
    }

    /// Ends all grants of an account. Whether there were any.
    pub(crate) fn revoke(&mut self, account: usize) -> bool {
        let mut found = false;
        for grant in self.grants.iter_mut().filter(|grant| grant.account == account && !grant.revoked) {
            grant.revoked = true;
            found = true;
        }
        found
    }

    pub(crate) fn counts(&self, account: usize) -> ParqexOauthCounts {
        self.counts.get(&account).copied().unwrap_or_default()
    }

    pub(crate) fn deny(&mut self, account: usize) {
        self.counts.entry(account).or_default().denials += 1;
    }

    /// A code for an authorization.
    pub(crate) fn authorize(&mut self, code: Code, now: DateTime<Utc>) -> String {
        self.counts.entry(code.account).or_default().authorizations += 1;
        let text = self.invent("code");
        self.codes.insert(text.clone(), (code, later(now, CODE_LIFE)));
        text
    }

    /// Takes a code, which is good once and for its life.
    pub(crate) fn take_code(&mut self, code: &str, now: DateTime<Utc>) -> Option<Code> {
        self.codes.remove(code).filter(|(_, expires)| *expires > now).map(|(code, _)| code)
    }

    /// Makes a grant of a code.
    pub(crate) fn exchange(&mut self, code: &Code, now: DateTime<Utc>) -> Pair {
        self.counts.entry(code.account).or_default().exchanges += 1;
        let grant = self.grants.len();
        let (account, scope) = (code.account, code.scope);
        self.grants.push(Grant { account, scope, access: String::new(), refresh: String::new(), revoked: false });
        self.issue(grant, now)
    }

    /// Renews both tokens. The refresh token dies at once, the access token lives on unless the options say otherwise.
    pub(crate) fn refresh(&mut self, token: &str, now: DateTime<Utc>) -> Option<Pair> {
        let index = *self.refresh.get(token)?;
        let grant = self.grants.get(index).filter(|grant| !grant.revoked)?;
        let counts = self.counts.entry(grant.account).or_default();
        if grant.refresh != token {
            counts.reused_refresh_tokens += 1;
            return None;
        }
        counts.refreshes += 1;
        if self.options.old_access_dies {
            self.access.remove(&grant.access);
        }
        Some(self.issue(index, now))
    }

    fn issue(&mut self, index: usize, now: DateTime<Utc>) -> Pair {
        let (access, refresh) = (self.invent("at"), self.invent("rt"));
        let expires = later(now, self.options.expires_in);
        self.access.retain(|_, token| token.expires.is_none_or(|expires| expires > now));
        self.access.insert(access.clone(), AccessToken { grant: index, expires: Some(expires) });
        self.refresh.insert(refresh.clone(), index);
        if let Some(grant) = self.grants.get_mut(index) {
            grant.access.clone_from(&access);
            grant.refresh.clone_from(&refresh);
        }
        Pair { access, refresh, expires_in: self.options.expires_in.as_secs() }
    }

    fn invent(&mut self, what: &str) -> String {
        self.next += 1;
        format!("{what}_{:x}_{:06x}", self.born, self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_a_list_of_two_words() {
        assert_eq!(Scope::read("OpenDoor,CLOSEDOOR"), Some(Scope::ALL));
        assert_eq!(Scope::read("opendoor"), Some(Scope { open: true, close: false }));
        assert_eq!(Scope::read(""), None);
        assert_eq!(Scope::read("OPENDOOR,ADMIN"), None);
    }

    #[test]
    fn the_old_access_token_dies_only_if_the_options_say_so() {
        for dies in [false, true] {
            let options = ParqexOauth { old_access_dies: dies, ..ParqexOauth::default() };
            let mut grants = Grants { options, ..Grants::default() };
            grants.plant(0, "old".to_owned(), "first".to_owned());
            let pair = grants.refresh("first", DateTime::UNIX_EPOCH);
            assert_eq!(grants.bearer("old", DateTime::UNIX_EPOCH).is_none(), dies);
            let new = pair.and_then(|pair| grants.bearer(&pair.access, DateTime::UNIX_EPOCH));
            assert_eq!(new, Some((0, Scope::ALL)));
        }
    }
}
