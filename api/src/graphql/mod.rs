//! The schema: its roots, its limits and its SDL. Resolvers here are one call deep; what they call lives in `actions`,
//! in `loaders` or in the finders of `entities`.

pub(crate) mod connection;
pub(crate) mod context;
pub(crate) mod error;
pub(crate) mod federation;
pub(crate) mod limits;
pub(crate) mod mutation;
mod node;
pub(crate) mod object;
pub(crate) mod query;
mod scalars;
mod subscription;
pub(crate) mod words;

use async_graphql::{SDLExportOptions, Schema, SchemaBuilder};

use self::{mutation::Mutation, query::Query, subscription::Subscription};
use crate::app::Settings;

/// The schema of the front door.
pub(crate) type Api = Schema<Query, Mutation, Subscription>;

/// As many directives as a sensible field carries.
const DIRECTIVES: usize = 5;

/// Builds the schema with its limits.
pub(crate) fn build(settings: Settings) -> Api {
    let mut builder = builder()
        .limit_depth(settings.max_depth)
        .limit_complexity(settings.max_complexity)
        .limit_directives(DIRECTIVES);
    if !settings.introspection {
        builder = builder.disable_introspection().disable_suggestions();
    }
    builder.finish()
}

/// The federation SDL of the schema, the same text for the same code. Needs no database.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .federation()
        .include_specified_by()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .use_space_ident();
    builder().finish().sdl_with_options(options)
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    let roots = Schema::build(Query::default(), Mutation::default(), Subscription::default());
    scalars::describe(roots).enable_federation().enable_subscription_in_federation()
}

#[cfg(test)]
mod tests;
