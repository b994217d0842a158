//! What all requests share: clock, faults, journal, coverage and the vendors' states, each behind a lock of its own.
//! The one place that gathers the circumstances of an answer.

use std::{net::SocketAddr, sync::Mutex};

use tokio::sync::watch;

use crate::{
    answer::{Answer, Call, Circumstances},
    clock::SimClock,
    coverage::Coverage,
    faults::{DeviceFault, Faults},
    journal::Journal,
    lock::locked,
    options::{Latency, Mode},
    vendors::{
        Vendor,
        bikeep::Bikeep,
        lockt::{Lockt, Serving},
        mews::Mews,
        parqex::Parqex,
        raixer::Raixer,
    },
    webhooks::Webhooks,
    world::{DemoCredentials, World},
};

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) address: SocketAddr,
    pub(crate) clock: SimClock,
    pub(crate) mode: Mode,
    pub(crate) latency: Latency,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) webhooks: Webhooks,
    pub(crate) coverage: Coverage,
    pub(crate) credentials: Vec<DemoCredentials>,
    pub(crate) bikeep: Mutex<Bikeep>,
    pub(crate) lockt: Mutex<Lockt>,
    pub(crate) mews: Mutex<Mews>,
    pub(crate) raixer: Mutex<Raixer>,
    pub(crate) parqex: Mutex<Parqex>,
    /// True once the simulator shuts down; frees those who hang.
    pub(crate) closing: watch::Sender<bool>,
}

impl Engine {
    pub(crate) fn new(address: SocketAddr, clock: SimClock, mode: Mode, latency: Latency, world: World) -> Self {
        let closing = watch::Sender::new(false);
        Engine {
            webhooks: Webhooks::new(clock.clone(), closing.subscribe()),
            address,
            clock,
            mode,
            latency,
            faults: Faults::default(),
            journal: Journal::new(),
            coverage: Coverage::new(),
            credentials: world.credentials,
            bikeep: Mutex::new(world.bikeep),
            lockt: Mutex::new(world.lockt),
            mews: Mutex::new(world.mews),
            raixer: Mutex::new(world.raixer),
            parqex: Mutex::new(world.parqex),
            closing,
        }
    }

    pub(crate) fn circumstances<'a>(&'a self, fault: Option<&'a DeviceFault>) -> Circumstances<'a> {
        Circumstances {
            now: self.clock.now(),
            mode: self.mode,
            latency: &self.latency,
            journal: &self.journal,
            webhooks: &self.webhooks,
            fault,
        }
    }

    /// Ids of the devices and doors a call is about.
    pub(crate) fn subjects(&self, vendor: Vendor, operation: &str, call: &Call) -> Vec<String> {
        match vendor {
            Vendor::Bikeep => locked(&self.bikeep).subjects(operation, call),
            Vendor::Lockt => locked(&self.lockt).subjects(call),
            Vendor::Mews => locked(&self.mews).subjects(call),
            Vendor::Parqex => locked(&self.parqex).subjects(operation, call),
            Vendor::Raixer => locked(&self.raixer).subjects(call),
        }
    }

    /// Notes that a request is being served, at a vendor who minds, until what this gives is dropped.
    pub(crate) fn begin(&self, vendor: Vendor, call: &Call) -> Option<Serving> {
        (vendor == Vendor::Lockt).then(|| locked(&self.lockt).begin(call))?
    }

    /// Brings a vendor up to the present and lets it answer.
    pub(crate) fn answer(&self, vendor: Vendor, operation: &str, call: &Call, fault: Option<&DeviceFault>) -> Answer {
        let at = self.circumstances(fault);
        match vendor {
            Vendor::Bikeep => {
                let mut bikeep = locked(&self.bikeep);
                bikeep.settle(&at);
                bikeep.answer(operation, call, &at)
            }
            Vendor::Lockt => {
                let mut lockt = locked(&self.lockt);
                lockt.settle(&at);
                lockt.answer(operation, call, &at)
            }
            Vendor::Mews => {
                let mut mews = locked(&self.mews);
                mews.settle(&at);
                mews.answer(operation, call, &at)
            }
            Vendor::Parqex => {
                let mut parqex = locked(&self.parqex);
                parqex.settle(&at);
                parqex.answer(operation, call, &at)
            }
            Vendor::Raixer => {
                let mut raixer = locked(&self.raixer);
                raixer.settle(&at);
                raixer.answer(operation, call, &at)
            }
        }
    }

    /// Lets everything happen that is due by now.
    pub(crate) fn settle(&self) {
        let at = self.circumstances(None);
        locked(&self.bikeep).settle(&at);
        locked(&self.lockt).settle(&at);
        locked(&self.mews).settle(&at);
        locked(&self.parqex).settle(&at);
        locked(&self.raixer).settle(&at);
    }
}
