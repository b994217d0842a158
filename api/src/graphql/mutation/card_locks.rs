//! Card-lock systems: doors, people, fobs and credentials that are kept at the vendor.

use async_graphql::{Context, ID, InputObject, Object, Result};
use domain::{
    change::{Change, FobAssignment, FobPlan, ImportOptions, UserPlan, UserSecret},
    clock::Timestamp,
};

use super::{
    change::{ask, inputs},
    payload::{CommandPayload, CommandsPayload, commands_payload},
};
use crate::{
    actions::{Import, NewUser, Target, import_users},
    graphql::context::Ask,
};

/// A card holder as they are to be.
#[derive(InputObject)]
pub(crate) struct NewUserInput {
    /// Our key of the person at the vendor, 1 to 100 characters: by it they are found again.
    id_number: String,
    /// Their record (`rec_…`, of kind USER), if they exist at the vendor.
    user_id: Option<ID>,
    /// Given name.
    first_name: String,
    /// Family name.
    last_name: String,
    /// E-mail address. The vendor matches by it too.
    email: Option<String>,
    /// Telephone number.
    phone: Option<String>,
    /// Their card: digits only.
    card_number: Option<String>,
    /// What they type at the door: digits only. Sealed at once, and shown to nobody.
    pin: Option<String>,
    /// The vendor's registration key of their credential. Sealed at once, and shown to nobody.
    credential_key: Option<String>,
    /// Whether they may open anything at all.
    #[graphql(default = true)]
    enabled: bool,
    /// From when on they may enter; always without.
    access_from: Option<Timestamp>,
    /// Until when; for ever without.
    access_until: Option<Timestamp>,
    /// Their access levels (`rec_…`, of kind ACCESS_LEVEL).
    #[graphql(default)]
    access_level_ids: Vec<ID>,
}

impl From<NewUserInput> for NewUser {
    fn from(input: NewUserInput) -> Self {
        let plan = UserPlan {
            id_number: input.id_number,
            external_id: input.user_id.map(|id| id.0),
            first_name: input.first_name,
            last_name: input.last_name,
            email: input.email,
            phone: input.phone,
            card_number: input.card_number,
            enabled: input.enabled,
            access_from: input.access_from,
            access_until: input.access_until,
            access_levels: input.access_level_ids.into_iter().map(|id| id.0).collect(),
            has_pin: input.pin.is_some(),
            has_credential_key: input.credential_key.is_some(),
            has_card_number: false,
        };
        Self { plan, secret: UserSecret { pin: input.pin, credential_key: input.credential_key, card_number: None } }
    }
}

/// How an import treats what it meets. Each is said to the vendor, whatever its own default is.
#[derive(Debug, InputObject)]
pub(crate) struct ImportUsersOptions {
    /// Whether people who exist already are updated; otherwise they are left alone.
    #[graphql(default = false)]
    update_existing: bool,
    /// Whether one invalid record fails all of its block.
    #[graphql(default = true)]
    validate_fails_batch: bool,
    /// Whether access levels that are not listed are taken away.
    #[graphql(default = false)]
    replace_privileges: bool,
    /// Whether it is only checked, and nothing changed.
    #[graphql(default = false)]
    dry_run: bool,
}

/// A fob to be created.
#[derive(Debug, InputObject)]
pub(crate) struct NewFobInput {
    /// Our key of it at the vendor, 1 to 100 characters.
    id_number: String,
    /// A name for people, 1 to 100 characters.
    name: String,
    /// Digits only, 1 to 20.
    card_number: String,
    /// From when on it opens; always without.
    access_from: Option<Timestamp>,
    /// Until when; for ever without.
    access_until: Option<Timestamp>,
}

impl From<NewFobInput> for FobPlan {
    fn from(input: NewFobInput) -> Self {
        let NewFobInput { id_number, name, card_number, access_from, access_until } = input;
        Self { id_number, name, card_number, access_from, access_until }
    }
}

/// A fob's new holder and period.
#[derive(Debug, InputObject)]
pub(crate) struct FobAssignmentInput {
    /// The fob (`rec_…`, of kind CREDENTIAL and type FOB).
    fob_id: ID,
    /// The person (`rec_…`, of kind USER).
    user_id: ID,
    /// From when on it opens; always without.
    access_from: Option<Timestamp>,
    /// Until when; for ever without.
    access_until: Option<Timestamp>,
}

impl From<FobAssignmentInput> for FobAssignment {
    fn from(input: FobAssignmentInput) -> Self {
        let FobAssignmentInput { fob_id, user_id, access_from, access_until } = input;
        Self { fob: fob_id.0, user: user_id.0, access_from, access_until }
    }
}

inputs! {
    /// What `createDoors` takes.
    CreateDoorsInput {
        /// The vendor account.
        vendor_account_id: ID,
        /// The names of the doors, each new at the vendor: 1 to 100.
        names: Vec<String>,
    }
    /// What `importUsers` takes. A key of it stands for one command per block: `key#1`, `key#2`.
    ImportUsersInput {
        /// The vendor account.
        vendor_account_id: ID,
        /// The people: 1 to 1000. They go to the vendor in blocks of 100.
        users: Vec<NewUserInput>,
        /// How.
        #[graphql(default_with = "ImportUsersOptions::careful()")]
        options: ImportUsersOptions,
    }
    /// What `createFobs` takes.
    CreateFobsInput {
        /// The vendor account.
        vendor_account_id: ID,
        /// The fobs: 1 to 100.
        fobs: Vec<NewFobInput>,
    }
    /// What `assignFobs` takes.
    AssignFobsInput {
        /// The vendor account.
        vendor_account_id: ID,
        /// The fobs with their holders: 1 to 100.
        assignments: Vec<FobAssignmentInput>,
    }
    /// What `reissueCredentials` takes.
    ReissueCredentialsInput {
        /// The vendor account.
        vendor_account_id: ID,
        /// The credentials (`rec_…`, of kind CREDENTIAL): 1 to 100.
        credential_ids: Vec<ID>,
    }
    /// What `readNextCardNumber` takes.
    ReadNextCardNumberInput {
        /// The vendor account.
        vendor_account_id: ID,
    }
}

impl ImportUsersOptions {
    /// What takes nothing away.
    const fn careful() -> Self {
        Self { update_existing: false, validate_fails_batch: true, replace_privileges: false, dry_run: false }
    }
}

impl From<ImportUsersOptions> for ImportOptions {
    fn from(input: ImportUsersOptions) -> Self {
        let ImportUsersOptions { update_existing, validate_fails_batch, replace_privileges, dry_run } = input;
        Self { update_existing, validate_fails_batch, replace_privileges, dry_run }
    }
}

#[derive(Default)]
pub(crate) struct CardLockMutations;

#[Object]
impl CardLockMutations {
    /// Adds doors to a card-lock system. Needs ADMIN.
    async fn create_doors(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which account, and which doors.")] input: CreateDoorsInput,
    ) -> Result<CommandPayload> {
        let change = Change::CreateDoors { names: input.names };
        let target = Target::Account(input.vendor_account_id.0);
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }

    /// Creates or updates people with their cards and access levels, in blocks of 100. Needs MANAGER.
    async fn import_users(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which account, whom, and how.")] input: ImportUsersInput,
    ) -> Result<CommandsPayload> {
        let import = Import {
            account: input.vendor_account_id.0,
            users: input.users.into_iter().map(Into::into).collect(),
            options: input.options.into(),
            idempotency_key: input.idempotency_key,
            expires_at: input.expires_at,
        };
        commands_payload(import_users(context.shared()?, &context.caller()?.session, import).await)
    }

    /// Creates fobs. Needs MANAGER.
    async fn create_fobs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which account, and which fobs.")] input: CreateFobsInput,
    ) -> Result<CommandPayload> {
        let change = Change::CreateFobs { fobs: input.fobs.into_iter().map(Into::into).collect() };
        let target = Target::Account(input.vendor_account_id.0);
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }

    /// Gives fobs to other people, or for another period. Needs MANAGER.
    async fn assign_fobs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which account, and which fobs to whom.")] input: AssignFobsInput,
    ) -> Result<CommandPayload> {
        let change = Change::AssignFobs { assignments: input.assignments.into_iter().map(Into::into).collect() };
        let target = Target::Account(input.vendor_account_id.0);
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }

    /// Has credentials fetched anew by their holders; the old ones end. Needs MANAGER.
    async fn reissue_credentials(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which account, and which credentials.")] input: ReissueCredentialsInput,
    ) -> Result<CommandPayload> {
        let credentials = input.credential_ids.into_iter().map(|id| id.0).collect();
        let target = Target::Account(input.vendor_account_id.0);
        let change = Change::ReissueCredentials { credentials };
        ask(context, target, change, input.idempotency_key, input.expires_at).await
    }

    /// Asks for the next free card number; it is in the command's `result`. Needs MANAGER.
    async fn read_next_card_number(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "At which account.")] input: ReadNextCardNumberInput,
    ) -> Result<CommandPayload> {
        let target = Target::Account(input.vendor_account_id.0);
        ask(context, target, Change::ReadNextCardNumber, input.idempotency_key, input.expires_at).await
    }
}
