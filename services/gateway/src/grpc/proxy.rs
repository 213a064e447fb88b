//! Passes a call on to the service that owns its method, without decoding it.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderValue, Request, Response, StatusCode, Version};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt};

use super::{
    Gate, Lanes,
    body::{Held, RequestBody, ResponseBody},
    call::{Link, Terms, Watch},
    code_of,
    header::{self, GRPC_TIMEOUT},
    lane::{Lane, Places},
    meter::Meter,
    pending::Pending,
    status, unknown_method,
};
use crate::{
    domain::{Route, Routes, limits, parse_timeout, write_timeout},
    error::Error,
    limit::Visit,
};

/// The transparent proxy: a tower service that answers every gRPC call.
#[derive(Clone)]
pub(crate) struct Proxy(Arc<Parts>);

struct Parts {
    routes: Routes,
    gate: Gate,
    lanes: Lanes,
    stop: CancellationToken,
}

impl Proxy {
    /// `stop` ends streams from the services, so that their watchers go elsewhere in time.
    pub(crate) fn new(routes: Routes, gate: Gate, lanes: Lanes, stop: CancellationToken) -> Self {
        Self(Arc::new(Parts {
            routes,
            gate,
            lanes,
            stop,
        }))
    }
}

impl Service<Request<Body>> for Proxy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (parts, arrived) = (Arc::clone(&self.0), Instant::now());
        Box::pin(async move {
            let Some(route) = parts.routes.get(request.uri().path()) else {
                return Ok(unknown_method().into_http());
            };
            let mut call = Call {
                route,
                meter: Meter::new(request.uri().path()),
                arrived,
            };
            let answer = parts.answer(&call, request).await;
            Ok(match answer {
                Ok(answer) => answer.into_http(call.meter),
                Err(refusal) => {
                    call.meter.code = refusal.code();
                    refusal.into_http()
                }
            })
        })
    }
}

/// One call, from its arrival.
struct Call {
    route: Route,
    meter: Meter,
    arrived: Instant,
}

/// The head of a service's answer, and what the rest of it needs.
struct Answer {
    response: Response<Body>,
    watch: Watch,
    service: &'static str,
    places: Places,
}

impl Parts {
    async fn answer(&self, call: &Call, request: Request<Body>) -> Result<Answer, Status> {
        let lane = self.lanes.lane(call.route.owner, call.route.unary());
        lane.shed()?;
        let visit = Visit::of(request.extensions());
        let caller = self.gate.caller(request.headers(), &visit).await?;
        let (user, class) = (caller.user_id, call.route.class);
        // In this order: nothing waits between the look above and the place, so under a load that
        // is too much no token is checked for nothing; and only who is known waits for Redis with
        // a place.
        let places = lane.places(&self.gate, user)?;
        self.gate.admit(&visit, user, class, 1).await?;
        let terms = self.terms(call, &request, self.gate.expiry(&caller));
        forward(lane, places, terms, call.route.client_streams, request).await
    }

    fn terms(&self, call: &Call, request: &Request<Body>, expiry: Instant) -> Terms {
        let Call { route, arrived, .. } = call;
        let asked = request.headers().get(GRPC_TIMEOUT);
        let asked = asked.and_then(|value| parse_timeout(value.to_str().ok()?));
        if route.unary() {
            let allowed = asked
                .unwrap_or(limits::DEADLINE_DEFAULT)
                .min(limits::DEADLINE_MAX);
            return Terms {
                deadline: arrived.checked_add(allowed),
                ..Terms::default()
            };
        }
        Terms {
            deadline: asked.and_then(|asked| arrived.checked_add(asked)),
            expiry: Some(expiry),
            idle: Some(limits::STREAM_IDLE),
            stop: route.endless.then(|| self.stop.clone()),
        }
    }
}

async fn forward(
    lane: &Lane,
    places: Places,
    terms: Terms,
    client_streams: bool,
    request: Request<Body>,
) -> Result<Answer, Status> {
    let left = terms
        .deadline
        .map(|end| end.saturating_duration_since(Instant::now()));
    if left == Some(Duration::ZERO) {
        return Err(status(Error::Deadline));
    }
    let link = Link::new();
    let mut watch = Watch::new(Arc::clone(&link), terms);

    let (mut parts, body) = request.into_parts();
    parts.version = Version::HTTP_2;
    // The connection of the client says nothing about the one to the service.
    parts.extensions = http::Extensions::new();
    header::to_service(&mut parts.headers);
    parts.headers.remove(GRPC_TIMEOUT);
    if let Some(Ok(value)) = left.map(|left| HeaderValue::try_from(write_timeout(left))) {
        parts.headers.insert(GRPC_TIMEOUT, value);
    }
    let (response, places) = if client_streams {
        let body = Body::new(RequestBody::stream(body, Arc::clone(&link)));
        let answer = lane.alone().oneshot(Request::from_parts(parts, body));
        let answer = Pending::new(answer, link, places);
        tokio::select! {
            biased;
            cut = watch.cut() => return Err(cut.into()),
            answer = answer => answer,
        }
    } else {
        let body = Body::new(RequestBody::message(body, link));
        let answer = lane.shared().oneshot(Request::from_parts(parts, body));
        tokio::select! {
            biased;
            cut = watch.cut() => return Err(cut.into()),
            answer = answer => (answer, places),
        }
    };
    let response = response.map_err(|error| lane.failed(error))?;
    if response.status() != StatusCode::OK {
        return Err(status(Error::AnswerBroken {
            service: lane.name(),
        }));
    }
    watch.link().touch();
    Ok(Answer {
        response,
        watch,
        service: lane.name(),
        places,
    })
}

impl Answer {
    fn into_http(self, mut meter: Meter) -> Response<Body> {
        let Self {
            response,
            watch,
            service,
            places,
        } = self;
        let code = code_of(response.headers());
        if let Some(code) = code {
            meter.code = code;
        }
        let held = Held {
            service,
            answered: code.is_some(),
            meter,
            _places: places,
        };
        let mut response = response.map(|body| Body::new(ResponseBody::new(body, watch, held)));
        header::to_client(response.headers_mut());
        response
    }
}
