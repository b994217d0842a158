//! Starting and stopping: the listener, the routes, the shutdown. Nothing about any vendor.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Weak},
    time::Duration,
};

use axum::Router;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
    time::MissedTickBehavior,
};

use crate::{
    connection::{CutSwitch, CuttableListener},
    control,
    engine::Engine,
    handle::SimulatorHandle,
    options::{SimulatorOptions, WorldChoice},
    pipeline,
    vendors::Vendor,
    world::{DemoCredentials, World},
};

/// How long requests in flight may take to end at shutdown.
const GRACE: Duration = Duration::from_secs(2);
/// How late a webhook may be.
const TICK: Duration = Duration::from_millis(20);

/// A running simulator. Dropping it stops accepting; [`Simulator::shutdown`] waits for it.
#[derive(Debug)]
pub struct Simulator {
    engine: Arc<Engine>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<io::Result<()>>,
}

/// Starts listening and serving.
///
/// # Errors
/// The address cannot be listened on.
pub async fn start(options: SimulatorOptions) -> io::Result<Simulator> {
    let listener = TcpListener::bind(options.address).await?;
    let address = listener.local_addr()?;
    let mut world = match options.world {
        WorldChoice::Demo => World::demo(options.seed),
        WorldChoice::Sized(size) => World::sized(options.seed, &size),
        WorldChoice::Explicit(world) => *world,
    };
    let born = u64::try_from(options.clock.now().timestamp_millis()).unwrap_or_default();
    world.bikeep.born = born;
    world.bikeep.notices.options = options.bikeep_webhooks;
    world.parqex.grants.born = born;
    world.parqex.grants.options = options.parqex_oauth;
    world.parqex.status = options.parqex_status;
    world.lockt.pending = options.lockt_pending;
    world.mews.open(options.clock.now());
    let engine = Arc::new(Engine::new(address, options.clock, options.mode, options.latency, world));
    let app: Router = control::routes().fallback(pipeline::serve).with_state(Arc::clone(&engine));
    let (stop, stopped) = oneshot::channel::<()>();
    let service = app.into_make_service_with_connect_info::<CutSwitch>();
    let serving = tokio::spawn(async move {
        axum::serve(CuttableListener(listener), service)
            .with_graceful_shutdown(async move {
                // A dropped sender stops the server just as a message does.
                let _either = stopped.await;
            })
            .await
    });
    tokio::spawn(keep_telling(Arc::downgrade(&engine), engine.closing.subscribe()));
    tracing::info!(%address, "simulator listening");
    Ok(Simulator { engine, stop: Some(stop), serving })
}

/// Lets things happen while nobody asks, as long as somebody waits to be told by webhook.
async fn keep_telling(engine: Weak<Engine>, mut closing: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _tick = ticks.tick() => {}
            // An error means that the engine is gone.
            _closed = closing.wait_for(|closing| *closing) => return,
        }
        let Some(engine) = engine.upgrade() else { return };
        if engine.webhooks.have_targets() {
            engine.settle();
        }
    }
}

impl Simulator {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.engine.address
    }

    /// A vendor's base URL, without a slash at the end.
    #[must_use]
    pub fn base_url(&self, vendor: Vendor) -> String {
        format!("http://{}/{}", self.engine.address, vendor.name())
    }

    /// Steers it.
    #[must_use]
    pub fn handle(&self) -> SimulatorHandle {
        SimulatorHandle { engine: Arc::clone(&self.engine) }
    }

    /// The accounts of the world, the main one first; empty for a world built by hand.
    #[must_use]
    pub fn credentials(&self) -> &[DemoCredentials] {
        &self.engine.credentials
    }

    /// Stops accepting, ends those who hang, waits up to two seconds for the rest.
    pub async fn shutdown(mut self) {
        self.release();
        if tokio::time::timeout(GRACE, &mut self.serving).await.is_err() {
            tracing::debug!("requests were still in flight at shutdown");
        }
    }

    fn release(&mut self) {
        self.engine.closing.send_replace(true);
        if let Some(stop) = self.stop.take() {
            // An error means that the server has ended already.
            let _ended = stop.send(());
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.release();
        self.serving.abort();
    }
}
