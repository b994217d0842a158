//! Identity providers, as the api knows them, with the documents that `vendors` fetches for it.

use std::sync::Arc;

use domain::clock::Clock;
use platform::{
    oidc::{Answer, Documents, Form, Issuers},
    settings::Settings,
};
use vendors::http::HttpFactory;

/// Fetches over HTTP.
struct Http(Arc<HttpFactory>);

impl Documents for Http {
    fn get(&self, url: String) -> Answer<Result<Vec<u8>, String>> {
        let http = Arc::clone(&self.0);
        Box::pin(async move { http.document(&url).await })
    }

    fn post(&self, url: String, form: Form) -> Answer<Result<(u16, Vec<u8>), String>> {
        let http = Arc::clone(&self.0);
        Box::pin(async move { http.send_form(&url, &form.body, form.authorization.as_ref()).await })
    }
}

/// The identity providers that the settings name.
pub(crate) fn issuers(settings: &Settings, http: Arc<HttpFactory>, clock: Arc<dyn Clock>) -> Arc<Issuers> {
    let documents: Arc<dyn Documents> = Arc::new(Http(http));
    Arc::new(Issuers::new(settings.issuers.clone(), &documents, clock))
}
