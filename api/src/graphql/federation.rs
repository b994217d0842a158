//! Entity resolvers for the supergraph. They authenticate inside, because the library ignores guards here. Each
//! representation is answered for itself: what leads to nothing is null, and what is none is null with an error at its
//! own place; the library alone would lose the whole list.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, Name, Object, ObjectType, OutputType, Positioned, Result,
    ServerResult, Value, Variables,
    parser::types::{BaseType, Field, OperationDefinition, Type},
    registry::Registry,
    resolver_utils::resolve_container,
};

use super::{
    error::ApiError,
    node::find_one,
    object::{AccessToken, Command, Credential, Device, Door, Organization, Reservation, Site, User, VendorAccount},
};

/// Where a representation keeps its place in the list: the library tells no resolver. GraphQL reserves the underscores.
const PLACE: &str = "__place";

/// Gives each representation in the variables of an operation its place, for the paths of errors.
pub(crate) fn number_representations(operation: &OperationDefinition, variables: &mut Variables) {
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        if !is_list_of_representations(&definition.var_type.node) {
            continue;
        }
        let Some(Value::List(representations)) = variables.get_mut(&definition.name.node) else { continue };
        for (place, representation) in representations.iter_mut().enumerate() {
            // The schema allows no null here: the whole request is refused for one.
            if !matches!(representation, Value::Object(_) | Value::Null) {
                *representation = Value::Object(Default::default());
            }
            if let Value::Object(values) = representation {
                values.insert(Name::new(PLACE), place.into());
            }
        }
    }
}

fn is_list_of_representations(kind: &Type) -> bool {
    let BaseType::List(item) = &kind.base else { return false };
    matches!(&item.base, BaseType::Named(name) if name == "_Any")
}

/// The root fields of federation: none but those that the library adds.
#[derive(Default)]
pub(crate) struct Entities(Finders);

impl ContainerType for Entities {
    async fn resolve_field(&self, _: &Context<'_>) -> ServerResult<Option<Value>> {
        Ok(None)
    }

    async fn find_entity(&self, context: &Context<'_>, representation: &Value) -> ServerResult<Option<Value>> {
        let numbered;
        let here = match place_of(representation) {
            Some(place) => {
                numbered = context.with_index(place);
                &numbered
            }
            // Written into the document, as no gateway does.
            None => context,
        };
        let found = match type_of(representation) {
            Some(_) => self.0.find_entity(here, representation).await,
            None => Ok(None),
        };
        let error = match found {
            Ok(Some(found)) => return Ok(Some(found)),
            Ok(None) => {
                let refusal = async_graphql::Error::from(ApiError::BadUserInput(explain(representation)));
                here.set_error_path(refusal.into_server_error(here.item.pos))
            }
            Err(error) => error,
        };
        here.add_error(error);
        Ok(Some(Value::Null))
    }
}

impl OutputType for Entities {
    fn type_name() -> Cow<'static, str> {
        Finders::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Finders::create_type_info(registry)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(context, self).await
    }
}

impl ObjectType for Entities {}

fn place_of(representation: &Value) -> Option<usize> {
    let Value::Object(values) = representation else { return None };
    let Value::Number(place) = values.get(PLACE)? else { return None };
    usize::try_from(place.as_u64()?).ok()
}

fn type_of(representation: &Value) -> Option<&str> {
    let Value::Object(values) = representation else { return None };
    let Value::String(name) = values.get("__typename")? else { return None };
    Some(name)
}

/// What is wrong with a representation that no finder takes.
fn explain(representation: &Value) -> String {
    match type_of(representation) {
        Some(name) if name.len() <= 100 => {
            format!("`{name}` is no entity of this subgraph, or its key `id` is missing: each entity has that one key.")
        }
        _ => "A representation is an object with `__typename` and the key of an entity, `id`.".to_owned(),
    }
}

/// One finder for each entity.
#[derive(Default)]
struct Finders;

#[Object]
impl Finders {
    #[graphql(entity)]
    async fn find_organization(&self, context: &Context<'_>, id: ID) -> Option<Result<Organization>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_site(&self, context: &Context<'_>, id: ID) -> Option<Result<Site>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_vendor_account(&self, context: &Context<'_>, id: ID) -> Option<Result<VendorAccount>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_device(&self, context: &Context<'_>, id: ID) -> Option<Result<Device>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_door(&self, context: &Context<'_>, id: ID) -> Option<Result<Door>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_user(&self, context: &Context<'_>, id: ID) -> Option<Result<User>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_credential(&self, context: &Context<'_>, id: ID) -> Option<Result<Credential>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_command(&self, context: &Context<'_>, id: ID) -> Option<Result<Command>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_reservation(&self, context: &Context<'_>, id: ID) -> Option<Result<Reservation>> {
        find_one(context, &id).await
    }

    #[graphql(entity)]
    async fn find_access_token(&self, context: &Context<'_>, id: ID) -> Option<Result<AccessToken>> {
        find_one(context, &id).await
    }
}
