//! Linking an account again: with new credentials, which are checked first, or through its user's consent.

use domain::{access::Role, account::Vendor, ids::VendorAccountId};
use entities::rows::vendor_account;

use super::{Answer, consent, consent_for, credentials_place, is_printable, linked_account_for, open, reconnect};
use crate::{actions::Refusal, auth::Session, desk::CredentialSettings, shared::Shared};

/// What an account is linked again with. No `Debug`: it holds credentials.
pub(crate) struct Fresh {
    pub(crate) vendor: Vendor,
    pub(crate) credentials: CredentialSettings,
}

/// An account that is linked again.
pub(crate) struct Reauthorized {
    pub(crate) account: vendor_account::Model,
    /// Where its user must consent first.
    pub(crate) authorization_url: Option<String>,
    /// The vendor's locations: id and name.
    pub(crate) locations: Vec<(String, String)>,
}

/// Links an account again.
///
/// # Errors
/// The database failed; the account is as it was.
pub(crate) async fn reauthorize_account(
    shared: &Shared,
    session: &Session,
    id: &str,
    fresh: Option<Fresh>,
    base_url: Option<String>,
) -> Answer<Reauthorized> {
    let account = match linked_account_for(shared, session, id, Role::Admin).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Err(refusal)),
    };
    match fresh {
        Some(fresh) => with_credentials(shared, session, account, fresh, base_url).await,
        None => with_consent(shared, session, account, base_url).await,
    }
}

async fn with_credentials(
    shared: &Shared,
    session: &Session,
    account: vendor_account::Model,
    fresh: Fresh,
    base_url: Option<String>,
) -> Answer<Reauthorized> {
    let invalid = |field, message: String| Ok(Err(Refusal::InvalidInput { field, message }));
    let vendor = account.vendor()?;
    if fresh.vendor != vendor {
        return invalid("credentials", format!("This is an account at {vendor}: give credentials of {vendor}."));
    }
    let base_url = base_url.map_or_else(|| account.base_url.clone(), |url| url.trim().to_owned());
    if !is_printable(&base_url) {
        return invalid("baseUrl", "A base URL has printable characters.".to_owned());
    }
    let checked = match shared.desk.check(vendor, &base_url, &fresh.credentials, shared.clock.now()).await {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error.into())),
    };
    let by = session.principal.actor.to_string();
    let prepared = match consent_for(shared, &base_url, &checked) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Err(error.into())),
    };
    let Some(account) = reconnect(shared, &account, &base_url, &checked, Some(&by)).await? else {
        return Ok(Err(Refusal::Busy));
    };
    let authorization_url = match prepared {
        Some(prepared) => Some(consent::begin(shared, session, VendorAccountId(account.id), prepared).await?),
        None => None,
    };
    Ok(Ok(Reauthorized { account, authorization_url, locations: checked.locations }))
}

async fn with_consent(
    shared: &Shared,
    session: &Session,
    account: vendor_account::Model,
    base_url: Option<String>,
) -> Answer<Reauthorized> {
    let needed = |message: &str| Ok(Err(Refusal::InvalidInput { field: "credentials", message: message.to_owned() }));
    if base_url.is_some_and(|url| url.trim() != account.base_url) {
        // Or whoever may link accounts could have kept credentials sent to themselves.
        return needed("Another base URL needs the credentials too: kept ones are never sent to a new address.");
    }
    let id = VendorAccountId(account.id);
    let form = open(shared, &account.credentials, credentials_place(id))?;
    match consent::prepare(shared, &account.base_url, &form) {
        Ok(Some(prepared)) => {
            let url = consent::begin(shared, session, id, prepared).await?;
            Ok(Ok(Reauthorized { account, authorization_url: Some(url), locations: Vec::new() }))
        }
        Ok(None) => needed("This account is linked without a user's consent: give its new credentials."),
        Err(error) => Ok(Err(error.into())),
    }
}
