//! What the scalars mean here, in the words of the schema's descriptions. The scalars themselves are the library's.

use async_graphql::{ID, Json, SchemaBuilder};
use domain::clock::Timestamp;

/// Describes the scalars that the library names but does not explain to a caller.
pub(crate) fn describe<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
    builder
        .override_output_type_description::<Timestamp>(
            "An instant: RFC 3339 with an offset, for example 2026-11-21T15:04:05.123Z. Answers are in UTC.",
        )
        .override_output_type_description::<ID>(
            "An opaque id: the prefix of its type and 26 characters, for example door_01kacq5fvdfp2s9xk0r1hzv8q4. \
             Ids of one type order by time.",
        )
        .override_output_type_description::<Json<serde_json::Value>>("Any JSON value.")
}
