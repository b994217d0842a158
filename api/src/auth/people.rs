//! Whom an identity provider means: the person whose subject it is, or the one with the e-mail address that it has
//! verified, once. What they may do are their memberships, and opening what is their own.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use domain::{
    access::{Actor, Member, Principal, Role},
    clock::Clock,
    ids::{IdSource, OrganizationId, UserId},
};
use entities::{
    Database, StoreError, find,
    store::identities::{self, By, Word},
};
use platform::oidc::{Issuer, Issuers, Proven};

/// Finds people.
pub(crate) struct People {
    pub(super) issuers: Arc<Issuers>,
    database: Database,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    /// The organization of the installation, for providers that are set for none.
    only: OnceLock<OrganizationId>,
}

impl People {
    pub(crate) fn new(
        issuers: Arc<Issuers>,
        database: Database,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Self {
        Self { issuers, database, clock, ids, only: OnceLock::new() }
    }

    /// Who that is; `None` if it is nobody who may sign in.
    ///
    /// # Errors
    /// The database failed.
    pub(super) async fn who(&self, proven: &Proven) -> Result<Option<Principal>, StoreError> {
        let Some(organization) = self.organization(proven).await? else { return Ok(None) };
        let who = (proven.issuer.url.as_str(), proven.subject.as_str());
        let mut person = find::members::identified(&self.database, organization, who).await?;
        if person.is_none() && self.link(proven, organization).await? {
            person = find::members::identified(&self.database, organization, who).await?;
        }
        let Some(person) = person else { return Ok(None) };
        let principal = self.may(organization, person).await?;
        Ok(principal.map(|may| Principal { expires_at: Some(proven.expires_at), ..may }))
    }

    /// What a person may do at present; `None` for who may not come in at all.
    async fn may(&self, organization: OrganizationId, person: UserId) -> Result<Option<Principal>, StoreError> {
        let now = self.clock.now();
        let by_role = find::standing::of(&self.database, organization, Actor::User(person), now).await?;
        let own_doors = match &by_role {
            // They may open every door anyway, and may be let in at all of them.
            Some(may) if may.limits.sees_everything() && may.role >= Role::Operator => BTreeSet::new(),
            _ => find::opening::own_doors(&self.database, person, now).await?,
        };
        Ok(match by_role {
            Some(may) => Some(Principal { own_doors, ..may }),
            None if own_doors.is_empty() => None,
            None => Some(Principal { own_doors, ..Member::of_nothing().principal(organization, person) }),
        })
    }

    /// The providers whose subjects may be people of this organization.
    pub(super) fn issuers_of(&self, organization: OrganizationId) -> BTreeSet<&str> {
        let theirs = |issuer: &&Issuer| issuer.organization.is_none_or(|only| only == organization);
        self.issuers.all().filter(theirs).map(|issuer| issuer.url.as_str()).collect()
    }

    async fn organization(&self, proven: &Proven) -> Result<Option<OrganizationId>, StoreError> {
        if proven.issuer.organization.is_some() {
            return Ok(proven.issuer.organization);
        }
        if let Some(only) = self.only.get() {
            return Ok(Some(*only));
        }
        let found = find::members::only_organization(&self.database).await?;
        Ok(found.map(|found| *self.only.get_or_init(|| found)))
    }

    /// Keeps who a subject is that was never seen, if the provider's word for an address is enough. Returns whether
    /// somebody is this subject now.
    async fn link(&self, proven: &Proven, organization: OrganizationId) -> Result<bool, StoreError> {
        // Letters beyond ASCII fold into one another, and databases disagree on how.
        let told = proven.email.as_deref().filter(|email| proven.issuer.link_by_email && email.is_ascii());
        let Some(email) = told else { return Ok(false) };
        let issuer = &proven.issuer.url;
        let found = find::members::by_email(&self.database, organization, issuer, email).await?;
        let Some(person) = found else { return Ok(false) };
        let (who, subject) = ((organization, UserId(person.id)), (issuer.as_str(), proven.subject.as_str()));
        // Who may not come in is nobody yet: a link that somebody else's address made would wait for their rights.
        if self.may(organization, who.1).await?.is_none() {
            return Ok(false);
        }
        let (actor, now) = (who.1.to_string(), self.clock.now());
        let by = By { ids: self.ids.as_ref(), actor: &actor, now };
        // Of two at once one is; and who was erased in between is nobody.
        Ok(identities::link(&self.database, by, who, subject, Word::OfProvider(email)).await?.is_ok())
    }
}
