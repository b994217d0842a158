//! The vendors the simulator plays: their names, prefixes and catalogues, and the one place that hands a call to its vendor.
//! No vendor's rule lives here, and one vendor's folder never reads another's.

pub(crate) mod bikeep;
pub(crate) mod lockt;
pub(crate) mod mews;
pub(crate) mod parqex;
pub(crate) mod raixer;

use serde::{Deserialize, Serialize};

use crate::{answer::Answer, catalogue::Row};

/// A vendor whose API the simulator serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// Bikeep parking devices, under `/bikeep`.
    Bikeep,
    /// Lockt SecureAccess card locks, under `/lockt`.
    Lockt,
    /// Mews' hotel reservations, under `/mews`.
    Mews,
    /// ParqEx access points, under `/parqex`.
    Parqex,
    /// Raixer intercoms, under `/raixer`.
    Raixer,
}

impl Vendor {
    /// Every vendor served.
    pub const ALL: [Vendor; 5] = [Vendor::Bikeep, Vendor::Lockt, Vendor::Mews, Vendor::Parqex, Vendor::Raixer];

    /// The vendor's name, which is also the first segment of its paths.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Vendor::Bikeep => "bikeep",
            Vendor::Lockt => "lockt",
            Vendor::Mews => "mews",
            Vendor::Parqex => "parqex",
            Vendor::Raixer => "raixer",
        }
    }

    pub(crate) fn from_prefix(segment: &str) -> Option<Vendor> {
        Vendor::ALL.into_iter().find(|vendor| vendor.name() == segment)
    }

    /// Everything the vendor's documents list, served or not.
    pub(crate) fn rows(self) -> &'static [Row] {
        match self {
            Vendor::Bikeep => bikeep::ROWS,
            Vendor::Lockt => lockt::ROWS,
            Vendor::Mews => mews::ROWS,
            Vendor::Parqex => parqex::ROWS,
            Vendor::Raixer => raixer::ROWS,
        }
    }

    /// An error in the vendor's own body shape, for faults and for paths nobody documents.
    pub(crate) fn error(self, status: u16, sequence: u64) -> Answer {
        match self {
            Vendor::Bikeep => bikeep::plain_error(status, sequence),
            Vendor::Lockt => lockt::plain_error(status),
            Vendor::Mews => mews::plain_error(status, sequence),
            Vendor::Parqex => parqex::plain_error(status),
            Vendor::Raixer => raixer::plain_error(status),
        }
    }
}
