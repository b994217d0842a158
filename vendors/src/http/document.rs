//! What is no vendor's: documents that identity providers tell of themselves, and forms that are sent to them. The same
//! client, so the same limits, and the same addresses that may be called.

use domain::secret::Secret;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::{Body, Request, Url};

use super::{HttpFactory, cause, duration, read};

/// The largest document that is read.
const LIMIT: usize = 512 * 1024;

impl HttpFactory {
    /// The JSON document at this address. Redirects are not followed.
    ///
    /// # Errors
    /// Why it could not be had, in words without the address.
    pub async fn document(&self, address: &str) -> Result<Vec<u8>, String> {
        let (status, document) = self.ask(Method::GET, address, HeaderMap::new(), None).await?;
        if (200..300).contains(&status) { Ok(document) } else { Err(format!("HTTP {status}")) }
    }

    /// The status and JSON document that a form is answered with. Redirects are not followed.
    ///
    /// # Errors
    /// Why there is no answer, in words without address, form or header.
    pub async fn send_form(
        &self,
        address: &str,
        form: &Secret,
        authorization: Option<&Secret>,
    ) -> Result<(u16, Vec<u8>), String> {
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, form_type)]);
        if let Some(authorization) = authorization {
            let value = HeaderValue::from_str(authorization.expose());
            let mut value = value.map_err(|_| "what proves that it is us cannot be written in a header".to_owned())?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        self.ask(Method::POST, address, headers, Some(Body::from(form.expose().to_owned()))).await
    }

    async fn ask(
        &self,
        method: Method,
        address: &str,
        headers: HeaderMap,
        body: Option<Body>,
    ) -> Result<(u16, Vec<u8>), String> {
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| "the address is none of http or https".to_owned())?;
        self.reach.admits_literal(&url).map_err(|error| error.to_string())?;
        let client = self.clients.of(&url);
        let mut request = Request::new(method, url);
        *request.headers_mut() = headers;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        *request.body_mut() = body;
        let exchange = async {
            let mut response = client.execute(request).await.map_err(|error| cause(&error))?;
            let status = response.status().as_u16();
            let answer = read(&mut response, LIMIT).await;
            answer.map(|answer| (status, answer)).map_err(|_| "the answer broke off or is too large".to_owned())
        };
        tokio::time::timeout(duration(self.time_outs.total), exchange)
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }
}
