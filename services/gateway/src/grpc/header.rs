//! What of a header crosses the gateway. Metadata does; what speaks of one connection, or could
//! make a service believe that the gateway said it, does not.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_LENGTH, COOKIE, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
};

/// The id of a request: made here, passed to the service, told to the client, in every log line.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static(REQUEST_ID_KEY);

/// The same as a key of metadata.
pub(super) const REQUEST_ID_KEY: &str = "x-request-id";

/// The deadline, as gRPC names it.
pub(super) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Headers that speak of one connection (RFC 9110, 7.6.1) or of one framing of the body.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authorization"),
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HOST,
    CONTENT_LENGTH,
];

/// What only proxies in front of us or we ourselves may say, by prefix or whole name.
const INTERNAL: [&str; 6] = [
    "djinn-",
    "x-djinn-",
    "x-forwarded-",
    "forwarded",
    "x-real-ip",
    "via",
];

/// Makes a client's header fit to be sent to a service.
pub(super) fn to_service(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    headers.remove(COOKIE);
    let internal: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            INTERNAL
                .iter()
                .any(|prefix| name.as_str().starts_with(prefix))
        })
        .cloned()
        .collect();
    for name in internal {
        headers.remove(name);
    }
    headers.insert(TE, HeaderValue::from_static("trailers"));
}

/// Makes a service's header fit to be sent to a client. The framing goes too, because gRPC-Web
/// frames the body anew; who may read it in a browser is the gateway's to say.
pub(super) fn to_client(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    let cors: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in cors {
        headers.remove(name);
    }
    headers.remove(REQUEST_ID);
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // `connection` names further headers that end here.
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    // Authorization named there would strip the token that was just checked; the call then fails at
    // the service, as the client asked for.
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{to_client, to_service};

    fn headers(names: &[&'static str]) -> HeaderMap {
        names
            .iter()
            .map(|name| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static("x-hop"),
                )
            })
            .collect()
    }

    #[test]
    fn metadata_crosses_and_the_connection_does_not() {
        let mut sent = headers(&[
            "authorization",
            "x-tenant-note",
            "trace-bin",
            "grpc-encoding",
            "connection",
            "x-hop",
            "host",
            "content-length",
            "transfer-encoding",
            "cookie",
            "x-djinn-user",
            "djinn-user-id",
            "x-forwarded-for",
            "forwarded",
            "x-real-ip",
        ]);
        to_service(&mut sent);
        let mut names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "authorization",
                "grpc-encoding",
                "te",
                "trace-bin",
                "x-tenant-note"
            ]
        );
    }

    #[test]
    fn a_service_does_not_frame_the_answer_nor_open_it_to_browsers() {
        let mut sent = headers(&[
            "grpc-status",
            "content-length",
            "access-control-allow-origin",
        ]);
        to_client(&mut sent);
        assert_eq!(
            sent.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["grpc-status"]
        );
    }
}
