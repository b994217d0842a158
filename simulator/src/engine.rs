//! What all requests share: clock, faults, journal, coverage and the three vendors' states, each behind a lock of its own.
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
    vendors::{Vendor, bikeep::Bikeep, parqex::Parqex, raixer::Raixer},
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
    pub(crate) coverage: Coverage,
    pub(crate) credentials: Vec<DemoCredentials>,
    pub(crate) bikeep: Mutex<Bikeep>,
    pub(crate) raixer: Mutex<Raixer>,
    pub(crate) parqex: Mutex<Parqex>,
    /// True once the simulator shuts down; frees those who hang.
    pub(crate) closing: watch::Sender<bool>,
}

impl Engine {
    pub(crate) fn new(address: SocketAddr, clock: SimClock, mode: Mode, latency: Latency, world: World) -> Self {
        Engine {
            address,
            clock,
            mode,
            latency,
            faults: Faults::default(),
            journal: Journal::new(),
            coverage: Coverage::new(),
            credentials: world.credentials,
            bikeep: Mutex::new(world.bikeep),
            raixer: Mutex::new(world.raixer),
            parqex: Mutex::new(world.parqex),
            closing: watch::Sender::new(false),
        }
    }

    pub(crate) fn circumstances<'a>(&'a self, fault: Option<&'a DeviceFault>) -> Circumstances<'a> {
        Circumstances { now: self.clock.now(), mode: self.mode, latency: &self.latency, journal: &self.journal, fault }
    }

    /// Ids of the devices and doors a call is about.
    pub(crate) fn subjects(&self, vendor: Vendor, operation: &str, call: &Call) -> Vec<String> {
        match vendor {
            Vendor::Bikeep => locked(&self.bikeep).subjects(operation, call),
            Vendor::Parqex => locked(&self.parqex).subjects(operation, call),
            Vendor::Raixer => locked(&self.raixer).subjects(call),
        }
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
            Vendor::Parqex => {
                let mut parqex = locked(&self.parqex);
                parqex.settle(&at);
                parqex.answer(operation, call, &at)
            }
            Vendor::Raixer => locked(&self.raixer).answer(operation, call, &at),
        }
    }

    /// Lets everything happen that is due by now.
    pub(crate) fn settle(&self) {
        let at = self.circumstances(None);
        locked(&self.bikeep).settle(&at);
        locked(&self.parqex).settle(&at);
    }
}
