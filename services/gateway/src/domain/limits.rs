//! Every limit of the edge, each with its reason. Requests beyond one are refused, never queued.

use std::time::Duration;

use djinn_chassis::serve;

/// Bytes of one gRPC message from a client. Services decode no more either; refusing here spares
/// them the bytes.
pub const MESSAGE_BYTES_MAX: usize = serve::MESSAGE_BYTES_MAX;

/// Time for a unary call whose client sent no `grpc-timeout`.
pub const DEADLINE_DEFAULT: Duration = serve::DEADLINE_DEFAULT;

/// The longest deadline of a unary call: a client that asks for a year would hold a place as long.
pub const DEADLINE_MAX: Duration = serve::DEADLINE_MAX;

/// A stream on which neither side has sent anything for so long ends UNAVAILABLE; a watcher calls
/// again and misses nothing. A review that waits for its person is silent, so this is generous.
pub const STREAM_IDLE: Duration = Duration::from_secs(15 * 60);

/// Calls at one time on one of the two lanes to a service. No more than its server takes of a kind,
/// so that what is too much is refused here, where it costs least; and less than its streams on a
/// connection, so that a call that got a place never waits unseen inside the HTTP/2 client.
pub const LANE_CALLS_MAX: usize = serve::UNARY_CALLS_MAX;
const _: () = assert!(LANE_CALLS_MAX <= serve::STREAM_CALLS_MAX);
const _: () = assert!(LANE_CALLS_MAX <= serve::STREAMS_MAX as usize);

/// Calls of one user at one time, uploads and streams included, so that one cannot take all places.
pub const USER_CALLS_MAX: usize = 64;

/// When a caller may try again for whom a lane had no place.
pub const LANE_RETRY: Duration = Duration::from_secs(1);

/// Bytes a service may send ahead on one stream to a client that does not read.
pub const LANE_STREAM_WINDOW: u32 = 64 * 1024;

/// The same for all streams of a lane together. Never less than the sum of them: else a few clients
/// that do not read would stop everyone on that connection.
pub const LANE_WINDOW: u32 = LANE_STREAM_WINDOW * LANE_CALLS_MAX as u32;

/// Time to connect to a service. They are near; a longer silence is a host that is gone.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a silent connection to a service is asked for a sign of life.
pub const LANE_PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long that sign may take before every call on the connection fails UNAVAILABLE.
pub const LANE_PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for one service to answer a health check.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a health report is told again: /health needs no token, so it must cost nothing.
pub const HEALTH_CACHED: Duration = Duration::from_secs(1);

/// Bytes of a statement file.
pub const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Bytes of a form besides the file: boundaries, part headers and the request id.
pub const FORM_OVERHEAD_BYTES_MAX: u64 = 256 * 1024;

/// Bytes of the form field `request_id`; a UUID has 36.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// Bytes of one chunk of a file that comes in chunks; the service knows how many it has.
pub const UPLOAD_CHUNK_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Bytes of the JSON that begins such an upload: a name, a size, a hash, an id.
pub const UPLOAD_BODY_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a file in one message to the imports service.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Time a client has to send the next chunk of a file (of `CHUNK_BYTES`, or the last one). So it
/// also ends an upload that drips: less than a kilobyte a second is nobody's network.
pub const UPLOAD_IDLE: Duration = Duration::from_secs(60);

/// Time for the imports service to take a chunk, or to answer after the last one.
pub const UPLOAD_SERVICE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long an HTTP/1 client that was refused may go on sending before the connection is closed.
/// Closing at once would reset it, and the client would never read the refusal.
pub const LINGER: Duration = Duration::from_secs(5);

/// Connections at one time. Further ones wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 1024;

/// Streams at one time on one connection of a client.
pub const CONNECTION_STREAMS_MAX: u32 = serve::STREAMS_MAX;

/// Bytes of the header of a request: a token, some metadata.
pub const HEADER_BYTES_MAX: u32 = 32 * 1024;

/// Time from connecting to the end of the first request's header, and for each further header on
/// HTTP/1: whoever needs longer is not a client.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection without a request for so long is closed. Longer than nginx keeps its own open
/// (60 s), so that it is nginx that closes and no request meets a closing connection.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(75);

/// A client that takes nothing of an answer for so long loses its connection.
pub const CONNECTION_STALL: Duration = Duration::from_secs(30);

/// How often a connection is looked at for the two limits above.
pub const CONNECTION_LOOK: Duration = Duration::from_secs(5);

/// After this a connection takes no new requests, so that load spreads over new replicas.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_secs(3600);

/// How often a silent HTTP/2 client is asked for a sign of life, and how long that may take.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);

/// See `PING_INTERVAL`.
pub const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes a client may send ahead on one stream: four chunks of a file.
pub const STREAM_WINDOW: u32 = 256 * 1024;

/// Bytes a client may send ahead on one connection.
pub const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Streams a client may open and reset before they were looked at (the rapid reset attack).
pub const PENDING_RESETS_MAX: usize = 20;

/// The pause after a failed accept, as when descriptors run out: a loop would burn the processor.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Bytes of the body of a GraphQL request: mostly variables. A review's 5,000 changes need 200 KiB.
pub const BODY_BYTES_MAX: usize = 512 * 1024;

/// Time for that body to come.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a GraphQL document. Values belong into variables; what is left is what a person wrote.
pub const QUERY_BYTES_MAX: usize = 16 * 1024;

/// Fields inside fields. The introspection of common tools goes this deep and nothing of ours does.
pub const QUERY_DEPTH_MAX: usize = 15;

/// The same with the fragments in between, which are walked like fields.
pub const QUERY_LEVELS_MAX: usize = 32;

/// Fields of a document when every fragment is written out where it is used: thirty lines of
/// fragments can stand for a million fields.
pub const QUERY_FIELDS_MAX: usize = 1_000;

/// Fields at the root. Each is a call or more, and those of a mutation wait for each other.
pub const QUERY_ROOTS_MAX: usize = 20;

/// Names given to fields: each lets the same field be asked for once more.
pub const QUERY_ALIASES_MAX: usize = 100;

/// Directives: `@skip` and `@include` on some fields.
pub const QUERY_DIRECTIVES_MAX: usize = 50;

/// What a document may cost: a field costs 1, what needs a call of its own `COST_CALL` more, and a
/// page as many times what is asked of each of its nodes as it may have nodes.
pub const COST_MAX: usize = 25_000;

/// What a call to a service costs.
pub const COST_CALL: usize = 10;

/// How much of the cost of a query counts as one read against its user's limit, so that a graph is
/// no way around it: a page of a hundred rows counts once, and the dearest query as fifty reads.
pub const COST_READ: usize = 500;

/// Nodes on a page when their number is not told: what the services take then.
pub const PAGE_DEFAULT: usize = 100;

/// Nodes on a page at most: what the services take a larger number for.
pub const PAGE_MAX: usize = 1_000;

/// Bytes of names and values in one GraphQL answer, which unlike others is held whole: as much as a
/// message of gRPC.
pub const ANSWER_BYTES_MAX: usize = serve::MESSAGE_BYTES_MAX;

/// GraphQL requests at one time: each may hold an answer.
pub const REQUESTS_MAX: usize = 32;

/// GraphQL requests of one user at one time.
pub const USER_REQUESTS_MAX: usize = 8;

/// Calls of one GraphQL request at one time. All of a user's requests together leave places for
/// calls that are passed on.
pub const REQUEST_CALLS_MAX: usize = 6;
const _: () = assert!(REQUEST_CALLS_MAX * USER_REQUESTS_MAX < USER_CALLS_MAX);

/// WebSockets at one time.
pub const SOCKETS_MAX: usize = 256;

/// WebSockets of one user at one time: a tab each.
pub const USER_SOCKETS_MAX: usize = 8;

/// Operations under way on one WebSocket.
pub const SOCKET_OPERATIONS_MAX: usize = 16;

/// Bytes of a message on a WebSocket. Larger requests go by POST.
pub const SOCKET_MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Bytes a WebSocket reads at once; the library's own 128 KiB are much for a socket that is silent.
pub const SOCKET_READ_BYTES: usize = 4 * 1024;

/// Bytes of the id of an operation; a UUID has 36.
pub const SOCKET_ID_BYTES_MAX: usize = 128;

/// Time from opening a WebSocket to `connection_init`: nobody is known before it.
pub const SOCKET_INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A WebSocket without an operation for so long is closed.
pub const SOCKET_IDLE: Duration = Duration::from_secs(5 * 60);
