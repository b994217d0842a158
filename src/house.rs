//! A house: the api, the worker and the simulated vendors, in one process or in several. The tests start the same one.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::http::HeaderName;
use chrono::TimeDelta;
use domain::{
    clock::Clock,
    ids::{OrganizationId, VendorAccountId},
};
use entities::work;
use messaging::RateLimit;
use platform::{lifecycle, settings::Settings};
use simulator::{Simulator, SimulatorOptions};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use vendors::{http::HttpFactory, port::TimeOuts};
use worker::{
    accounts::Accounts,
    sync::{Extent, Syncs},
};

use crate::{
    demo,
    desk::Desk,
    failure::Failure,
    foundation::{Foundation, Migrations, kept_secret},
    issuers::issuers,
};

/// Which rooms of the house run in this process.
#[derive(Debug)]
pub struct Rooms {
    /// The front door.
    pub api: bool,
    /// The hands.
    pub worker: bool,
    /// The simulated vendors, with the demo linked to them.
    pub demo: Option<SimulatorOptions>,
    /// What to do about new migrations.
    pub migrations: Migrations,
}

/// A running house. Dropping it stops it without finishing what is under way; see [`House::stop`].
pub struct House {
    foundation: Foundation,
    address: Option<SocketAddr>,
    simulator: Option<Simulator>,
    demo_key: Option<domain::secret::Secret>,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
}

impl House {
    /// Starts the rooms.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub async fn start(settings: &Settings, clock: Arc<dyn Clock>, rooms: Rooms) -> Result<Self, Failure> {
        Self::start_on(None, settings, clock, rooms).await
    }

    /// Starts the rooms on a foundation that is laid already, if there is one.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub async fn start_on(
        foundation: Option<Foundation>,
        settings: &Settings,
        clock: Arc<dyn Clock>,
        rooms: Rooms,
    ) -> Result<Self, Failure> {
        // The port first: whoever starts a second house by mistake must not touch the data of the first.
        let listener = if rooms.api { Some(listen(settings.http_address).await?) } else { None };
        let foundation = match foundation {
            Some(foundation) => foundation,
            None => Foundation::lay(settings, clock, rooms.migrations).await?,
        };
        let mut house = Self {
            foundation,
            address: None,
            simulator: None,
            demo_key: None,
            shutdown: CancellationToken::new(),
            tasks: JoinSet::new(),
        };
        if let Some(options) = rooms.demo {
            house.furnish(settings, options).await?;
        }
        if rooms.worker {
            house.start_worker(settings)?;
        }
        if let Some(listener) = listener {
            house.start_api(settings, listener)?;
        }
        Ok(house)
    }

    /// What the house stands on.
    #[must_use]
    pub const fn foundation(&self) -> &Foundation {
        &self.foundation
    }

    /// Where the API listens, if it runs here.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The simulated vendors, if they run here.
    #[must_use]
    pub const fn simulator(&self) -> Option<&Simulator> {
        self.simulator.as_ref()
    }

    /// The key of the demo, if it is here.
    #[must_use]
    pub const fn demo_key(&self) -> Option<&domain::secret::Secret> {
        self.demo_key.as_ref()
    }

    /// Stops taking new work, finishes what is under way, and ends.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
        if let Some(simulator) = self.simulator.take() {
            simulator.shutdown().await;
        }
    }

    /// Completes when a room ended by itself, which none should.
    pub async fn failed(&mut self) {
        if self.tasks.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    async fn furnish(&mut self, settings: &Settings, options: SimulatorOptions) -> Result<(), Failure> {
        let address = options.address;
        let simulator = simulator::start(options).await.map_err(|error| {
            Failure::new(format!(
                "The simulated vendors cannot listen on {address} ({error}): stop the other program, or set \
                 GATEHOUSE_SIMULATOR_ADDRESS."
            ))
        })?;
        let key = if settings.is_embedded() {
            kept_secret(&settings.data_directory.join("demo-api-key"), platform::api_key::generate)?
        } else {
            platform::api_key::generate()
        };
        let url = format!("http://{}", simulator.address());
        let operator = simulator.credentials().first().cloned();
        let operator = operator.ok_or_else(|| Failure::new("The simulated world has no operator."))?;
        let organization = demo::furnish(&self.foundation, &url, &operator, &key).await?;
        self.look_at_doors(settings, organization).await?;
        self.map_rooms(settings, organization);
        self.simulator = Some(simulator);
        self.demo_key = Some(key);
        Ok(())
    }

    /// A first look at the vendors' devices before the door opens, so that there is something to see. The worker reads
    /// the rest.
    async fn look_at_doors(&self, settings: &Settings, organization: OrganizationId) -> Result<(), Failure> {
        self.sync_first(settings, organization, Extent::Devices).await
    }

    /// The PMS's rooms come with the worker's first sync; they are mapped to doors then.
    fn map_rooms(&mut self, settings: &Settings, organization: OrganizationId) {
        let (foundation, timing) = (self.foundation.clone(), settings.stay_timing());
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let mapped = async {
                while !matches!(demo::map_rooms(&foundation, &timing, organization).await, Ok(true)) {
                    foundation.clock.sleep_until(foundation.clock.now() + TimeDelta::seconds(1)).await;
                }
            };
            shutdown.run_until_cancelled(mapped).await;
            shutdown.cancelled().await;
        });
    }

    /// A first complete sync of everything that has had none.
    ///
    /// # Errors
    /// A vendor did not give all that it holds.
    pub async fn sync_unsynced(&self, settings: &Settings, organization: OrganizationId) -> Result<(), Failure> {
        self.sync_first(settings, organization, Extent::Everything).await
    }

    async fn sync_first(
        &self,
        settings: &Settings,
        organization: OrganizationId,
        extent: Extent,
    ) -> Result<(), Failure> {
        let failed = Failure::during("The demo's inventory could not be synced");
        let parts = worker_parts(&self.foundation, settings)?;
        let accounts = work::accounts_of(&self.foundation.database, organization).await;
        let syncs = Syncs::new(parts.clone(), Arc::new(Accounts::new(parts)));
        let unsynced =
            accounts.map_err(|error| failed(&error))?.into_iter().filter(|account| account.synced_at.is_none());
        let first = unsynced.map(|account| syncs.sync_to(VendorAccountId(account.id), extent));
        futures::future::try_join_all(first).await.map_err(|error| failed(&error))?;
        Ok(())
    }

    fn start_worker(&mut self, settings: &Settings) -> Result<(), Failure> {
        let parts = worker_parts(&self.foundation, settings)?;
        let backend = self.foundation.backend.clone();
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move { worker::run(parts, backend, shutdown).await });
        Ok(())
    }

    fn start_api(&mut self, settings: &Settings, listener: TcpListener) -> Result<(), Failure> {
        let address = listener.local_addr().map_err(|error| Failure::during("The API cannot listen")(&error))?;
        let embedded = settings.is_embedded();
        let http = http(&self.foundation, settings)?;
        let desk = Desk::new(Arc::clone(&http));
        let public_url = match settings.public_url.as_str() {
            "" => format!("http://{address}"),
            url => url.to_owned(),
        };
        let router = api::router(
            api::Parts {
                database: self.foundation.database.clone(),
                queue: self.foundation.backend.queue(),
                live: self.foundation.backend.live(),
                clock: Arc::clone(&self.foundation.clock),
                ids: Arc::clone(&self.foundation.ids),
                vault: Arc::clone(&self.foundation.vault),
                desk: Arc::new(desk),
                public_url,
                stay_timing: settings.stay_timing(),
                replay: settings.replay(),
                allowed_origins: settings.origins(),
                trusted_documents: trusted_documents(settings)?,
                issuers: issuers(settings, http, Arc::clone(&self.foundation.clock)),
                address_header: address_header(settings)?,
                shutdown: self.shutdown.clone(),
            },
            api::Settings {
                max_depth: settings.max_depth,
                max_complexity: settings.max_complexity,
                max_body_bytes: settings.max_body_bytes,
                max_webhook_bytes: settings.max_webhook_bytes,
                max_streams_per_caller: settings.max_streams_per_caller,
                patience: settings.client_patience(),
                graphiql: settings.graphiql.is_on(embedded),
                introspection: settings.introspection.is_on(embedded),
                sdl: settings.sdl.is_on(embedded),
            },
        );
        let limits = api::ConnectionLimits {
            most: lifecycle::connections_within_limits(settings.max_connections),
            patience: settings.client_patience(),
        };
        self.tasks.spawn(api::serve(listener, router, limits, self.shutdown.clone()));
        self.address = Some(address);
        Ok(())
    }
}

/// The header in which the proxy in front writes where a caller is, if there is one.
fn address_header(settings: &Settings) -> Result<Option<HeaderName>, Failure> {
    match settings.client_address_header.as_str() {
        "" => Ok(None),
        name => match HeaderName::try_from(name) {
            Ok(name) => Ok(Some(name)),
            Err(_) => Err(Failure::new("GATEHOUSE_CLIENT_ADDRESS_HEADER must be the name of a header.")),
        },
    }
}

/// The only documents that may run, if there is a list of them.
fn trusted_documents(settings: &Settings) -> Result<Option<Vec<String>>, Failure> {
    let path = &settings.trusted_documents;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(format!(
            "The list of trusted documents {} cannot be used: {error}. Mend it, or unset GATEHOUSE_TRUSTED_DOCUMENTS.",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    api::read_manifest(&text).map(Some).map_err(|error| failed(&error))
}

/// What a worker of this house is made of.
///
/// # Errors
/// The HTTP client cannot be set up.
pub fn worker_parts(foundation: &Foundation, settings: &Settings) -> Result<worker::Parts, Failure> {
    Ok(worker::Parts {
        database: foundation.database.clone(),
        queue: foundation.backend.queue(),
        live: foundation.backend.live(),
        clock: Arc::clone(&foundation.clock),
        ids: Arc::clone(&foundation.ids),
        vault: Arc::clone(&foundation.vault),
        notary: Arc::clone(&foundation.notary) as Arc<dyn domain::ledger::Notary>,
        http: http(foundation, settings)?,
        budget: foundation.backend.budget(),
        settings: worker::Settings {
            sync_interval: seconds(settings.sync_interval_seconds),
            stay_timing: settings.stay_timing(),
            events_kept: settings.events_kept(),
            account_concurrency: settings.account_concurrency,
            rate_limit: (settings.rate_limit_requests > 0).then(|| RateLimit {
                requests: settings.rate_limit_requests,
                window: Duration::from_secs(u64::from(settings.rate_limit_seconds)),
            }),
        },
    })
}

fn seconds(count: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(count))
}

/// What calls vendors.
fn http(foundation: &Foundation, settings: &Settings) -> Result<Arc<HttpFactory>, Failure> {
    let time_outs = TimeOuts {
        connect: seconds(settings.vendor_connect_timeout_seconds),
        total: seconds(settings.vendor_timeout_seconds),
    };
    HttpFactory::new(Arc::clone(&foundation.clock), time_outs, settings.vendor_addresses())
        .map(Arc::new)
        .map_err(|error| Failure::during("The HTTP client could not be set up")(&error))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(format!(
            "The API cannot listen on {address} ({error}): stop the other program, or set GATEHOUSE_HTTP_ADDRESS."
        ))
    })
}
