//! Lanes: the ordering scopes of rule 5. Commands of one lane leave one after the other, different lanes in parallel.

use uuid::Uuid;

use crate::{
    account::Vendor,
    ids::{DeviceId, DoorId, VendorAccountId},
};

/// The id of the door, device or vendor account that orders a command.
pub type LaneId = Uuid;

/// The lane of a command for `door`, for the whole `device`, or (without either) for the account at `vendor`.
///
/// A Raixer device drives up to three doors and takes one call at a time; a Lockt account forbids overlapping POSTs
/// and Mews counts requests per account; Bikeep and ParqEx order by door.
#[must_use]
pub fn lane_of(vendor: Vendor, account: VendorAccountId, device: Option<DeviceId>, door: Option<DoorId>) -> LaneId {
    match (vendor, door, device) {
        (Vendor::Lockt | Vendor::Mews, _, _) | (_, None, None) => account.0,
        (Vendor::Bikeep | Vendor::Parqex, Some(door), _) | (Vendor::Raixer, Some(door), None) => door.0,
        (Vendor::Raixer | Vendor::Bikeep | Vendor::Parqex, _, Some(device)) => device.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vendor_has_its_scope() {
        let (account, device, door) =
            (VendorAccountId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)), DoorId(Uuid::from_u128(3)));
        assert_eq!(lane_of(Vendor::Raixer, account, Some(device), Some(door)), device.0);
        assert_eq!(lane_of(Vendor::Bikeep, account, Some(device), Some(door)), door.0);
        assert_eq!(lane_of(Vendor::Parqex, account, Some(device), Some(door)), door.0);
        assert_eq!(lane_of(Vendor::Lockt, account, Some(device), Some(door)), account.0);
        assert_eq!(lane_of(Vendor::Parqex, account, Some(device), None), device.0);
    }
}
