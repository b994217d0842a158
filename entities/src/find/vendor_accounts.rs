//! Vendor accounts.

use domain::ids::VendorAccountId;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::{Database, Scope, StoreError, rows::vendor_account};

/// The visible ones of these accounts. A principal limited to sites or doors sees none.
///
/// # Errors
/// The database failed.
pub async fn by_ids(
    database: &Database,
    scope: &Scope,
    ids: &[VendorAccountId],
) -> Result<Vec<vendor_account::Model>, StoreError> {
    Ok(vendor_account::Entity::find()
        .filter(scope.whole_organization(vendor_account::Column::OrganizationId))
        .filter(vendor_account::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(database.read())
        .await?)
}
