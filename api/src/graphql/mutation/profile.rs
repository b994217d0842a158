//! A vendor account's own profile at its vendor.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::change::{AccountProfile, Address, Change};

use super::{
    change::{ask, inputs},
    payload::CommandPayload,
};
use crate::actions::Target;

/// Where invoices go. What is absent stays.
#[derive(Debug, InputObject)]
pub(crate) struct AddressInput {
    /// The e-mail address for invoices.
    email: Option<String>,
    /// The person or business.
    name: Option<String>,
    /// Its identification number.
    tax_id: Option<String>,
    /// The street.
    street: Option<String>,
    /// The city.
    city: Option<String>,
    /// The postal code.
    postal_code: Option<String>,
    /// The state or province.
    state: Option<String>,
    /// The country.
    country: Option<String>,
}

impl From<AddressInput> for Address {
    fn from(input: AddressInput) -> Self {
        let AddressInput { email, name, tax_id, street, city, postal_code, state, country } = input;
        Self { email, name, tax_id, street, city, postal_code, state, country }
    }
}

inputs! {
    /// What `updateAccountProfile` takes. What is absent stays.
    UpdateAccountProfileInput {
        /// The vendor account.
        vendor_account_id: ID,
        /// The name that others see.
        display_name: Option<String>,
        /// Its e-mail address.
        email: Option<String>,
        /// Where invoices go.
        address: Option<AddressInput>,
    }
}

#[derive(Default)]
pub(crate) struct ProfileMutations;

#[Object]
impl ProfileMutations {
    /// Changes a vendor account's own profile at its vendor. Needs ADMIN.
    async fn update_account_profile(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Of which account, and what of it.")] input: UpdateAccountProfileInput,
    ) -> Result<CommandPayload> {
        let change = Change::UpdateAccountProfile(AccountProfile {
            // The vendor's connector knows the account's own user; what we last read of it may be old.
            user: String::new(),
            display_name: input.display_name,
            email: input.email,
            address: input.address.map(Into::into),
        });
        let target = Target::Account(input.vendor_account_id.0);
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }
}
