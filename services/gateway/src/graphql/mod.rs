//! The GraphQL door: the public methods of the services as one graph.
//!
//! A request becomes calls by the same lanes as those that are passed on, with its user's own
//! token; the services decide everything. Here it is decided how large a question may be
//! ([`shape`], [`budget`]). It knows nothing of HTTP: how requests come and answers go is the
//! business of `http`. The schema is in `schema.graphql`, whose descriptions are the documentation.

mod account;
mod answer;
mod budget;
mod connection;
mod error;
mod gap;
mod import;
mod job;
mod mapping;
mod mask;
mod mirror;
mod money;
mod mutation;
mod nulls;
mod query;
mod reading;
mod row;
mod scalar;
mod session;
mod shape;
mod share;
mod subscription;
mod template;
mod transaction;

use std::sync::{Arc, OnceLock};

use async_graphql::{Response, SDLExportOptions, Schema, Value, parser::parse_query};
use futures::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use djinn_chassis::auth::UserId;

pub(crate) use self::session::Session;
use self::{
    budget::Budgets,
    mutation::Mutation,
    nulls::Nulls,
    query::Query,
    shape::{Demand, Kind},
    subscription::Subscription,
};
use crate::{
    domain::{Class, Measure, limits},
    error::Error,
    grpc::{self, Bearer, Calls, Gate, Lanes, Place, Status, Tally},
    limit::Visit,
};

/// The name of this door where services have one.
const NAME: &str = "graphql";

/// Answers GraphQL requests.
pub(crate) struct Door {
    /// Built when it is first asked: a gateway of which nobody asks a graph does not carry one.
    schema: OnceLock<Schema<Query, Mutation, Subscription>>,
    introspection: bool,
    gate: Gate,
    lanes: Lanes,
    stop: CancellationToken,
    places: Arc<Semaphore>,
    users: Tally,
}

/// What a client sent.
pub(crate) struct Request(async_graphql::Request);

/// What it is told.
pub(crate) struct Answer(Response);

impl Door {
    /// `introspection` tells the schema to whoever asks; `stop` ends subscriptions.
    pub(crate) fn new(
        gate: Gate,
        lanes: Lanes,
        introspection: bool,
        stop: CancellationToken,
    ) -> Self {
        Self {
            schema: OnceLock::new(),
            introspection,
            gate,
            lanes,
            stop,
            places: Arc::new(Semaphore::new(limits::REQUESTS_MAX)),
            users: Tally::new(limits::USER_REQUESTS_MAX),
        }
    }

    /// Whether it tells its schema.
    pub(crate) fn tells_schema(&self) -> bool {
        self.introspection
    }

    /// The session of one request of this user.
    pub(crate) fn session(
        &self,
        bearer: &Bearer,
        request_id: String,
        visit: Visit,
    ) -> Result<Session, Status> {
        let calls = self.calls(bearer, &request_id, visit)?;
        Ok(Session::new(request_id, bearer.caller.user_id, calls))
    }

    /// The calls of one request of this user, for a door that asks without a document.
    pub(crate) fn calls(
        &self,
        bearer: &Bearer,
        request_id: &str,
        visit: Visit,
    ) -> Result<Calls, Status> {
        let (gate, stop) = (self.gate.clone(), self.stop.clone());
        Calls::new(self.lanes.clone(), gate, bearer, request_id, visit, stop)
    }

    /// Answers a query or does a mutation.
    pub(crate) async fn answer(&self, session: Session, request: Request) -> Answer {
        let (calls, request_id) = (session.calls().clone(), session.request_id().to_owned());
        let answer = match self.prepare(request) {
            Ok((
                Demand {
                    kind: Kind::Subscription,
                    ..
                },
                _,
            )) => Answer::refused(&grpc::status(Error::Subscription), &request_id),
            Ok((demand, request)) => self.execute(demand, session, request).await,
            Err(refusal) => Answer::refused(&refusal, &request_id),
        };
        answer.counted(&calls, &request_id).await
    }

    /// The answers to any request: one to a query or a mutation, and any number to a subscription.
    /// Each is made when it is asked for.
    pub(crate) fn answers(
        self: &Arc<Self>,
        session: Session,
        request: Request,
    ) -> BoxStream<'static, Answer> {
        let (calls, request_id) = (session.calls().clone(), session.request_id().to_owned());
        let door = Arc::clone(self);
        let (demand, request) = match self.prepare(request) {
            Ok(prepared) => prepared,
            Err(refusal) => {
                let refused = Answer::refused(&refusal, &request_id);
                let counted = async move { refused.counted(&calls, &request_id).await };
                return counted.into_stream().boxed();
            }
        };
        if demand.kind != Kind::Subscription {
            let answer = async move {
                let answer = door.execute(demand, session, request).await;
                answer.counted(&calls, &request_id).await
            };
            return answer.into_stream().boxed();
        }
        metrics::counter!("graphql_subscriptions_total").increment(1);
        let request = request.data(Arc::new(session)).data(demand);
        let answers = self.schema().execute_stream(request);
        // Counted once, and before it begins: it may never come to an answer.
        let begun = async move {
            match calls.admit(Class::Read, 1).await {
                Ok(()) => answers
                    .map(move |response| Answer::of(response, &request_id))
                    .boxed(),
                Err(refusal) => stream::iter([Answer::refused(&refusal, &request_id)]).boxed(),
            }
        };
        begun.into_stream().flatten().boxed()
    }

    fn schema(&self) -> &Schema<Query, Mutation, Subscription> {
        self.schema.get_or_init(schema)
    }

    /// Refuses what is too large before it is looked into.
    fn prepare(&self, request: Request) -> Result<(Demand, async_graphql::Request), Status> {
        let Request(mut request) = request;
        let found = request.query.len();
        if found > limits::QUERY_BYTES_MAX {
            let measure = Measure::QueryBytes;
            return Err(grpc::status(Error::TooMuch { measure, found }));
        }
        // What is no document is refused where it is executed, with the place of the mistake.
        let Ok(document) = parse_query(&request.query) else {
            return Ok((Demand::default(), request));
        };
        let operation = request.operation_name.as_deref();
        let demand = shape::check(&document, operation, self.introspection);
        let demand = demand.map_err(grpc::status)?;
        request.set_parsed_query(document);
        Ok((demand, request))
    }

    async fn execute(
        &self,
        demand: Demand,
        session: Session,
        request: async_graphql::Request,
    ) -> Answer {
        let kind = demand.kind;
        let _places = match self.places(session.user()) {
            Ok(places) => places,
            Err(refusal) => return Answer::refused(&refusal, session.request_id()),
        };
        let (began, request_id) = (Instant::now(), session.request_id().to_owned());
        let request = request.data(Arc::new(session)).data(demand);
        let response = self.schema().execute(request).await;
        let answer = Answer::of(response, &request_id);
        let labels = [("kind", kind.name()), ("outcome", answer.outcome())];
        metrics::counter!("graphql_requests_total", &labels).increment(1);
        metrics::histogram!("graphql_request_seconds", &labels).record(began.elapsed());
        tracing::debug!(kind = kind.name(), outcome = answer.outcome(), "answered");
        answer
    }

    /// Places are refused when there are none, and not waited for.
    fn places(&self, user: UserId) -> Result<(OwnedSemaphorePermit, Place), Status> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| grpc::overloaded(NAME))?;
        let users = self.users.take(user);
        let users = users.ok_or_else(|| grpc::status(Error::TooManyCalls))?;
        Ok((place, users))
    }
}

impl Request {
    /// Reads a body, or a message's payload.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.trim_ascii_start().first() == Some(&b'[') {
            return Err(Error::Batch);
        }
        let request = serde_json::from_slice(json).map_err(|_| Error::BodyBroken)?;
        Ok(Self(request))
    }
}

impl Answer {
    /// The refusal of a whole request.
    pub(crate) fn refused(status: &Status, request_id: &str) -> Self {
        let response = Response::from_errors(vec![error::whole(status)]);
        Self::of(response, request_id)
    }

    /// This answer, after the request has been counted as one read if it was not yet: what is no
    /// document, and what is refused for its size, makes work as well.
    async fn counted(self, calls: &Calls, request_id: &str) -> Self {
        if calls.counted() {
            return self;
        }
        match calls.admit(Class::Read, 1).await {
            Ok(()) => self,
            Err(refusal) => Self::refused(&refusal, request_id),
        }
    }

    fn of(mut response: Response, request_id: &str) -> Self {
        error::finish(&mut response.errors, request_id);
        Self(response)
    }

    /// Whether no field was asked: the request itself was refused.
    pub(crate) fn refusal(&self) -> bool {
        let errors = &self.0.errors;
        self.0.data == Value::Null
            && !errors.is_empty()
            && errors.iter().all(|error| error.path.is_empty())
    }

    /// The errors, as JSON has them.
    pub(crate) fn errors(&self) -> impl Serialize {
        &self.0.errors
    }

    fn outcome(&self) -> &'static str {
        match (self.0.errors.is_empty(), self.refusal()) {
            (true, _) => "complete",
            (false, false) => "partial",
            (false, true) => "refused",
        }
    }
}

/// `data` is there exactly when fields were asked, as the specification has it.
impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.0.errors.is_empty() {
            map.serialize_entry("errors", &self.0.errors)?;
        }
        if !self.refusal() {
            map.serialize_entry("data", &self.0.data)?;
        }
        map.end()
    }
}

/// The schema, as text.
pub(crate) fn sdl() -> String {
    let options = SDLExportOptions::new()
        .use_space_ident()
        .prefer_single_line_descriptions();
    schema().sdl_with_options(options)
}

fn schema() -> Schema<Query, Mutation, Subscription> {
    Schema::build(Query, Mutation, Subscription)
        .limit_recursive_depth(limits::QUERY_LEVELS_MAX)
        // The first is the outermost: what weighs too much is refused whole.
        .extension(Budgets)
        .extension(Nulls)
        .finish()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_reads_as_what_it_is() {
        async_graphql::parser::parse_schema(super::sdl()).expect("a schema");
    }
}
