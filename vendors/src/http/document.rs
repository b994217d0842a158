//! Public documents that are no vendor's: what identity providers tell of themselves. The same client, so the same limits,
//! and the same addresses that may be called.

use http::{HeaderValue, Method, header::ACCEPT};
use reqwest::{Request, Url};

use super::{HttpFactory, cause, duration, read};

/// The largest document that is read.
const LIMIT: usize = 512 * 1024;

impl HttpFactory {
    /// The JSON document at this address. Redirects are not followed.
    ///
    /// # Errors
    /// Why it could not be had, in words without the address.
    pub async fn document(&self, address: &str) -> Result<Vec<u8>, String> {
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| "the address is none of http or https".to_owned())?;
        self.reach.admits_literal(&url).map_err(|error| error.to_string())?;
        let mut request = Request::new(Method::GET, url);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        let exchange = async {
            let mut response = self.client.execute(request).await.map_err(|error| cause(&error))?;
            let status = response.status();
            if !status.is_success() {
                return Err(format!("HTTP {}", status.as_u16()));
            }
            read(&mut response, LIMIT).await.map_err(|_| "the answer broke off or is too large".to_owned())
        };
        tokio::time::timeout(duration(self.time_outs.total), exchange)
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }
}
