//! Lists what a real vendor account holds, part by part; it only reads. Credentials come from the environment, by the
//! field names of `VendorCredentials::from_settings`:
//! `BIKEEP_TOKEN=... cargo run -p gatehouse-vendors --example probe -- bikeep`.
//! `BIKEEP_BASE_URL` and the like replace the documented base URL. Records of people are shown as they are: mind the screen.

use std::{error::Error, future::Future, pin::Pin, sync::Arc};

use chrono::TimeDelta;
use domain::{
    account::Vendor,
    clock::{Clock, Timestamp},
    secret::Secret,
};
use futures::TryStreamExt;
use gatehouse_vendors::{
    http::HttpFactory,
    port::{Portion, TimeOuts},
    registry::{CredentialSettings, VendorCredentials, connect, default_base_url},
};

/// The settings of every vendor; `from_settings` takes what it knows.
const FIELDS: [&str; 14] = [
    "token",
    "locations",
    "client_id",
    "client_secret",
    "token_url",
    "user",
    "password",
    "access_token",
    "api_user",
    "api_key",
    "time_zone",
    "client_token",
    "client",
    "base_url",
];

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
fn settings(vendor: Vendor) -> CredentialSettings {
    let given = FIELDS.into_iter().filter_map(|field| {
        let variable = format!("{vendor}_{}", field.to_ascii_uppercase());
        Some((field.to_owned(), Secret::new(std::env::var(variable).ok()?)))
    });
    given.collect()
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn print(portion: &Portion) {
    for device in &portion.devices {
        println!("{device:#?}");
    }
    for record in &portion.records {
        println!("{record:#?}");
    }
    for event in &portion.events {
        println!("{event:#?}");
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is what it is for")]
async fn main() -> Result<(), Box<dyn Error>> {
    let name = std::env::args().nth(1).unwrap_or_default().to_ascii_uppercase();
    let vendor = Vendor::parse(&name).ok_or("usage: probe bikeep | raixer | parqex | lockt | mews")?;
    let settings = settings(vendor);
    let base_url = settings.get("base_url").map_or(default_base_url(vendor), Secret::expose);
    let time_outs = TimeOuts { connect: TimeDelta::seconds(5), total: TimeDelta::seconds(20) };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Whoever runs this chose the address.
    let http = HttpFactory::new(Arc::clone(&clock), time_outs, "0.0.0.0/0, ::/0".parse()?)?;
    let mut credentials = VendorCredentials::from_settings(vendor, &settings)?;
    let connection = connect(vendor, base_url, &credentials, &http)?;
    // A client's id and secret are exchanged for a token first.
    if let Some(renewal) =
        connection.renewal().filter(|renewal| renewal.expires_at().is_some_and(|at| at <= clock.now()))
    {
        credentials = renewal.renew(clock.now()).await?;
    }
    let connection = connect(vendor, base_url, &credentials, &http)?;
    let inventory = connection.inventory();
    println!("{:#?}", inventory.check().await?);
    for plan in inventory.parts() {
        println!("--- {}", plan.part);
        let mut portions = inventory.read(plan.part, None, clock.now());
        loop {
            match portions.try_next().await {
                Ok(Some(portion)) => print(&portion),
                Ok(None) => break,
                // Not every account offers every part.
                Err(error) => {
                    println!("{error}");
                    break;
                }
            }
        }
    }
    Ok(())
}
