//! What can be asked of a vendor account itself. What doors and devices can do, their vendors' inventories tell.

use crate::{account::Vendor, command::CommandKind};

/// The commands that an account at `vendor` can carry out for itself.
#[must_use]
pub const fn account_capabilities(vendor: Vendor) -> &'static [CommandKind] {
    match vendor {
        Vendor::Raixer => &[CommandKind::UpdateAccountProfile],
        Vendor::Lockt => &[
            CommandKind::CreateDoors,
            CommandKind::ImportUsers,
            CommandKind::DisableUsers,
            CommandKind::CreateFobs,
            CommandKind::AssignFobs,
            CommandKind::ReissueCredentials,
            CommandKind::ReadNextCardNumber,
        ],
        Vendor::Mews => {
            &[CommandKind::AddPmsAccessToken, CommandKind::UpdatePmsAccessToken, CommandKind::DeletePmsAccessToken]
        }
        Vendor::Parqex | Vendor::Bikeep => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_is_asked_of_an_account_is_asked_at_one_vendor() {
        let all: Vec<CommandKind> =
            Vendor::ALL.iter().flat_map(|vendor| account_capabilities(*vendor)).copied().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert!(all.iter().all(|kind| !kind.opens() && !kind.is_for_device()));
        assert!(account_capabilities(Vendor::Lockt).contains(&CommandKind::ImportUsers));
    }
}
