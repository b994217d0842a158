//! One operation from request to answer: limits, session, loaders, span, and the dressing of its errors. HTTP and
//! WebSocket both come through here. Not a library extension, because extensions cost on every field of every answer.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_graphql::{Request, Response, ServerError, parser::types::OperationType};
use futures::{FutureExt, StreamExt, stream::BoxStream};
use tracing::Span;

use crate::{
    app::Settings,
    auth::{Credential, Session},
    documents::Documents,
    graphql::{
        Api,
        error::{ApiError, ErrorCode, coded, dress},
        federation, limits,
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
    /// Whether the schema's text is told to whoever asks.
    sdl: bool,
    documents: Arc<Documents>,
}

/// A request that may be executed.
struct Prepared {
    request: Request,
    loads: Loads,
    span: Span,
}

impl Execution {
    pub(crate) fn new(schema: Api, shared: Arc<Shared>, settings: Settings, documents: Documents) -> Self {
        Self { schema, shared, most_fields: settings.max_complexity, sdl: settings.sdl, documents: Arc::new(documents) }
    }

    /// Puts the document that a request names by its hash into the request.
    ///
    /// # Errors
    /// It is not known, or may not run.
    pub(crate) fn complete(&self, request: &mut Request) -> Result<(), ServerError> {
        let completed = self.documents.complete(request).and_then(|_| limits::check_text(&request.query));
        completed.map_err(|error| coded(error.code(), error.to_string()))
    }

    /// Answers a query or mutation.
    pub(crate) async fn answer(&self, request: Request, session: Option<Session>) -> Response {
        let response = match self.prepare(request, session) {
            Ok(Prepared { request, loads, span }) => {
                let answer = Driven::new(Box::pin(self.schema.execute(request)), loads, span);
                AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| panicked())
            }
            Err(error) => Response::from_errors(vec![error]),
        };
        self.dressed(response)
    }

    /// Answers whatever comes over a WebSocket, where a caller's key is looked at again for each operation.
    pub(crate) fn stream(self, request: Request, credential: Credential) -> BoxStream<'static, Response> {
        async move {
            let prepared = match self.session(&credential).await {
                Ok(session) => self.prepare(request, Some(session)),
                Err(error) => Err(error),
            };
            match prepared {
                Ok(Prepared { request, loads, span }) => {
                    let responses = Driven::new(self.schema.execute_stream(request), loads, span);
                    let caught = AssertUnwindSafe(responses).catch_unwind();
                    caught.map(move |response| self.dressed(response.unwrap_or_else(|_| panicked()))).boxed()
                }
                Err(error) => {
                    let refused = self.dressed(Response::from_errors(vec![error]));
                    futures::stream::iter([refused]).boxed()
                }
            }
        }
        .flatten_stream()
        .boxed()
    }

    async fn session(&self, credential: &Credential) -> Result<Session, ServerError> {
        let position = async_graphql::Pos::default();
        let verified = self.shared.keys.verify(credential).await;
        verified
            .map_err(|error| async_graphql::Error::from(error).into_server_error(position))?
            .ok_or_else(|| coded(ErrorCode::Unauthenticated, ApiError::Unauthenticated.to_string()))
    }

    fn prepare(&self, mut request: Request, session: Option<Session>) -> Result<Prepared, ServerError> {
        let refused = |error: ApiError| coded(error.code(), error.to_string());
        let persisted = self.documents.complete(&mut request).map_err(refused)?;
        limits::check_text(&request.query).map_err(refused)?;
        let mut variables = std::mem::take(&mut request.variables);
        let asked_for = request.operation_name.clone();
        let document = request.parsed_query().map_err(|error| {
            let mut told = coded(ErrorCode::ParseFailed, error.message.chars().take(300).collect::<String>());
            told.locations = error.locations;
            told
        })?;
        limits::check(document, &variables, self.most_fields).map_err(refused)?;
        let single = document.operations.iter().next().filter(|_| document.operations.iter().count() == 1);
        let kind = single.map(|(_, operation)| operation.node.ty);
        let own_name = single.and_then(|(name, _)| name).map(|name| name.to_string());
        let executed = match &asked_for {
            Some(name) => document.operations.iter().find(|(it, _)| it.is_some_and(|it| it.as_str() == name.as_str())),
            None => document.operations.iter().next(),
        };
        if let Some((_, operation)) = executed {
            limits::has_variables(&operation.node, &variables)
                .map_err(|message| coded(ErrorCode::ValidationFailed, message))?;
            federation::number_representations(&operation.node, &mut variables);
        }
        if session.is_none() && !self.sdl && limits::asks_for_sdl(document) {
            return Err(refused(ApiError::Unauthenticated));
        }
        request.variables = variables;
        if let (Some(hash), Some(_)) = (persisted, &session) {
            self.documents.remember(hash, &request.query);
        }
        let span = span_of(asked_for.or(own_name), kind);
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

/// The answer in place of one whose resolver panicked: masked when it is dressed. The panic itself is in the log.
fn panicked() -> Response {
    let error = async_graphql::Error::new_with_source(std::io::Error::other("a resolver panicked"));
    Response::from_errors(vec![error.into_server_error(async_graphql::Pos::default())])
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
