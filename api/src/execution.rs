//! One operation from request to answer: limits, session, loaders, span, and the dressing of its errors. HTTP and
//! WebSocket both come through here. Not a library extension, because extensions cost on every field of every answer.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response, ServerError, parser::types::OperationType};
use futures::{FutureExt, StreamExt, stream::BoxStream};
use tracing::Span;

use crate::{
    app::Settings,
    auth::{Credential, Session},
    graphql::{
        Api,
        error::{ApiError, ErrorCode, coded, dress},
        limits,
    },
    loaders::{Driven, Loaders, Loads},
    shared::Shared,
};

/// What resolvers find in their context.
pub(crate) struct Operation {
    pub(crate) shared: Arc<Shared>,
    /// Absent for an anonymous caller, who may only look at the schema.
    pub(crate) caller: Option<Caller>,
}

/// Who asks, and the loaders that see what they see.
pub(crate) struct Caller {
    pub(crate) session: Session,
    pub(crate) loaders: Loaders,
}

/// The schema together with everything an operation needs.
#[derive(Clone)]
pub(crate) struct Execution {
    schema: Api,
    shared: Arc<Shared>,
    most_fields: usize,
}

/// A request that may be executed.
struct Prepared {
    request: Request,
    loads: Loads,
    span: Span,
}

impl Execution {
    pub(crate) fn new(schema: Api, shared: Arc<Shared>, settings: Settings) -> Self {
        Self { schema, shared, most_fields: settings.max_complexity }
    }

    /// Answers a query or mutation.
    pub(crate) async fn answer(&self, request: Request, session: Option<Session>) -> Response {
        let response = match self.prepare(request, session) {
            Ok(Prepared { request, loads, span }) => {
                Driven::new(Box::pin(self.schema.execute(request)), loads, span).await
            }
            Err(error) => Response::from_errors(vec![error]),
        };
        self.dressed(response)
    }

    /// Answers whatever comes over a WebSocket, where a caller's key is looked at again for each operation.
    async fn stream(self, request: Request, session_data: Arc<Data>) -> BoxStream<'static, Response> {
        let session = match self.session(&session_data).await {
            Ok(session) => session,
            Err(error) => return one(self.dressed(Response::from_errors(vec![error]))),
        };
        match self.prepare(request, Some(session)) {
            Ok(Prepared { request, loads, span }) => {
                let responses = Driven::new(self.schema.execute_stream(request), loads, span);
                responses.map(move |response| self.dressed(response)).boxed()
            }
            Err(error) => one(self.dressed(Response::from_errors(vec![error]))),
        }
    }

    async fn session(&self, session_data: &Data) -> Result<Session, ServerError> {
        let refused = || coded(ErrorCode::Unauthenticated, ApiError::Unauthenticated.to_string());
        let credential = session_data
            .get(&std::any::TypeId::of::<Credential>())
            .and_then(|value| value.downcast_ref::<Credential>())
            .ok_or_else(refused)?;
        let position = async_graphql::Pos::default();
        let verified = self.shared.keys.verify(credential).await;
        verified.map_err(|error| async_graphql::Error::from(error).into_server_error(position))?.ok_or_else(refused)
    }

    fn prepare(&self, mut request: Request, session: Option<Session>) -> Result<Prepared, ServerError> {
        let variables = std::mem::take(&mut request.variables);
        let document = request.parsed_query().map_err(|error| {
            let mut told = coded(ErrorCode::ParseFailed, error.message.chars().take(300).collect::<String>());
            told.locations = error.locations;
            told
        })?;
        limits::check(document, &variables, self.most_fields)
            .map_err(|error| coded(error.code(), error.to_string()))?;
        let single = document.operations.iter().next().filter(|_| document.operations.iter().count() == 1);
        let kind = single.map(|(_, operation)| operation.node.ty);
        let own_name = single.and_then(|(name, _)| name).map(|name| name.to_string());
        request.variables = variables;
        let span = span_of(request.operation_name.clone().or(own_name), kind);
        let loads = Loads::default();
        // A subscription outlives what its loaders read, so they must not remember it.
        let remembers = matches!(kind, Some(OperationType::Query | OperationType::Mutation));
        let caller = session.map(|session| {
            let loaders =
                Loaders::new(self.shared.database.clone(), Arc::clone(&session.scope), loads.clone(), remembers);
            Caller { session, loaders }
        });
        request.data.insert(Operation { shared: Arc::clone(&self.shared), caller });
        Ok(Prepared { request, loads, span })
    }

    fn dressed(&self, mut response: Response) -> Response {
        if !response.errors.is_empty() {
            dress(&mut response.errors, self.shared.ids.as_ref());
        }
        response
    }
}

impl Executor for Execution {
    async fn execute(&self, request: Request) -> Response {
        self.answer(request, None).await
    }

    fn execute_stream(&self, request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.clone().stream(request, session_data.unwrap_or_default()).flatten_stream().boxed()
    }
}

fn one(response: Response) -> BoxStream<'static, Response> {
    futures::stream::iter([response]).boxed()
}

/// The name is the caller's and may be anything, so it is cut; variables never get into a span.
fn span_of(name: Option<String>, kind: Option<OperationType>) -> Span {
    let name: String = name.unwrap_or_default().chars().take(64).collect();
    let kind = match kind {
        Some(OperationType::Query) => "query",
        Some(OperationType::Mutation) => "mutation",
        Some(OperationType::Subscription) => "subscription",
        None => "several",
    };
    tracing::info_span!("graphql", operation = name, kind)
}
