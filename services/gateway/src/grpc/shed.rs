//! Refuses calls for which there is no place, in front of everything else.
//!
//! Under a load that is too much, most of what is done is refusing, and what a refusal costs is
//! taken from the calls that have a place. So nothing is made for one, neither a span nor a log nor
//! a look at its token, and its answer is written once for all.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Method, Request, Response, Version, header::CONTENT_TYPE};
use tonic::Code;

use super::{
    Gate, Lanes, REQUEST_ID,
    meter::Handled,
    refusal::{no_place, overloads},
};
use crate::domain::{Route, Routes};

/// What native gRPC says that it is. gRPC-Web has refusals in frames, and browsers need headers of
/// CORS besides: those calls are refused by the proxy.
const NATIVE: [&[u8]; 2] = [b"application/grpc", b"application/grpc+proto"];

/// Knows which calls there is no place for. Clones are one.
#[derive(Clone)]
pub(crate) struct Shed(Arc<Parts>);

struct Parts {
    gate: Gate,
    lanes: Lanes,
    methods: BTreeMap<String, Kind>,
    answer: HeaderMap,
}

/// The calls of one method.
struct Kind {
    route: Route,
    /// Made when one is refused: what has never happened is not among the figures.
    counts: OnceLock<Counts>,
}

struct Counts {
    overloads: metrics::Counter,
    handled: Handled,
}

impl Shed {
    pub(crate) fn new(routes: &Routes, gate: Gate, lanes: Lanes) -> Self {
        let methods = routes.iter().map(|(path, route)| {
            let counts = OnceLock::new();
            (path.to_owned(), Kind { route, counts })
        });
        Self(Arc::new(Parts {
            gate,
            lanes,
            methods: methods.collect(),
            answer: no_place().into_http::<()>().into_parts().0.headers,
        }))
    }

    /// The answer to a call for which there is no place now. None if there may be one, and for what
    /// is no call of native gRPC: somebody else looks at that.
    pub(crate) fn refusal<B: Default>(&self, request: &Request<impl Sized>) -> Option<Response<B>> {
        let content_type = request.headers().get(CONTENT_TYPE)?;
        if !NATIVE.contains(&content_type.as_bytes())
            || request.version() != Version::HTTP_2
            || request.method() != Method::POST
        {
            return None;
        }
        let (path, kind) = self.0.methods.get_key_value(request.uri().path())?;
        let lane = self.0.lanes.lane(kind.route.owner, kind.route.unary());
        if !lane.full() {
            return None;
        }
        let counts = kind.counts.get_or_init(|| Counts {
            overloads: overloads(lane.name()),
            handled: Handled::of(path, Code::Unavailable),
        });
        counts.overloads.increment(1);
        counts.handled.note(Duration::ZERO);
        Some(self.answer())
    }

    fn answer<B: Default>(&self) -> Response<B> {
        let mut answer = Response::new(B::default());
        answer.headers_mut().clone_from(&self.0.answer);
        // No log has it, but a person who is told "the id of the answer" finds one.
        let id = self.0.gate.request_id().to_string();
        if let Ok(id) = HeaderValue::try_from(id) {
            answer.headers_mut().insert(REQUEST_ID, id);
        }
        answer
    }
}
