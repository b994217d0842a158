//! Lists what a real vendor account holds; it only reads. Credentials come from the environment, by the field names of
//! `VendorCredentials::from_settings`: `BIKEEP_TOKEN=... cargo run -p gatehouse-vendors --example probe -- bikeep`.
//! `BIKEEP_BASE_URL` and the like replace the documented base URL.

use std::{collections::BTreeMap, error::Error, future::Future, pin::Pin, sync::Arc};

use chrono::TimeDelta;
use domain::{
    account::Vendor,
    clock::{Clock, Timestamp},
};
use futures::TryStreamExt;
use gatehouse_vendors::{
    http::HttpFactory,
    port::TimeOuts,
    registry::{VendorCredentials, connect, default_base_url},
};

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "a program of its own, which needs no other time")]
    fn now(&self) -> Timestamp {
        chrono::Utc::now()
    }

    #[expect(clippy::disallowed_methods, reason = "a program of its own, which needs no other time")]
    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let pause = (at - self.now()).to_std().unwrap_or_default();
        Box::pin(tokio::time::sleep(pause))
    }
}

#[expect(clippy::disallowed_methods, reason = "its settings are not those of the product")]
fn settings(vendor: Vendor) -> BTreeMap<String, String> {
    ["token", "locations", "user", "password", "access_token", "base_url"]
        .into_iter()
        .filter_map(|field| {
            let variable = format!("{vendor}_{}", field.to_ascii_uppercase());
            Some((field.to_owned(), std::env::var(variable).ok()?))
        })
        .collect()
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is what it is for")]
async fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_default().to_ascii_uppercase();
    let vendor = Vendor::parse(&name).ok_or("usage: probe bikeep | raixer | parqex")?;
    let settings = settings(vendor);
    let base_url = settings.get("base_url").map_or(default_base_url(vendor), String::as_str);
    let time_outs = TimeOuts { connect: TimeDelta::seconds(5), total: TimeDelta::seconds(20) };
    let http = HttpFactory::new(Arc::new(SystemClock), time_outs)?;
    let connection = connect(vendor, base_url, &VendorCredentials::from_settings(vendor, &settings)?, &http)?;
    let mut portions = connection.inventory().devices();
    while let Some(devices) = portions.try_next().await? {
        for device in devices {
            println!("{device:#?}");
        }
    }
    Ok(())
}
