//! One request on its way through the edge: where it came from, and how its user stands.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, OnceLock},
};

use http::{Extensions, HeaderMap, HeaderName};

use super::Standing;

const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the connection; an extension of every request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What the edge knows of one request; an extension of it from its first step on. Clones are the
/// same visit.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    from: IpAddr,
    standing: Arc<OnceLock<Standing>>,
}

impl Visit {
    /// A visit from this connection. `proxies` in front of us each wrote one address behind those
    /// that came with the request, so the client's is as many from the end; what is before it, the
    /// client may have made up.
    pub(crate) fn new(extensions: &Extensions, headers: &HeaderMap, proxies: u8) -> Self {
        let peer = extensions.get::<Peer>().map(|peer| peer.0);
        let from = forwarded(headers, proxies).or(peer);
        Self::from(from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// That of a request which passed `http::identify`, as all do.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let visit = extensions.get::<Self>().cloned();
        visit.unwrap_or_else(|| Self::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// Another one from the same place: an operation on a WebSocket.
    pub(crate) fn again(&self) -> Self {
        Self {
            from: self.from,
            standing: Arc::default(),
        }
    }

    fn from(address: IpAddr) -> Self {
        Self {
            from: network(address),
            standing: Arc::default(),
        }
    }

    /// Where it came from: an address, or the network that one customer of a provider has.
    pub(crate) fn origin(&self) -> IpAddr {
        self.from
    }

    /// Notes how the user stands. A visit is counted once; if not, the first word counts.
    pub(crate) fn note(&self, standing: Standing) {
        self.standing.get_or_init(|| standing);
    }

    /// How the user stands, if that was counted.
    pub(crate) fn standing(&self) -> Option<&Standing> {
        self.standing.get()
    }
}

fn forwarded(headers: &HeaderMap, proxies: u8) -> Option<IpAddr> {
    let back = usize::from(proxies).checked_sub(1)?;
    let lines: Vec<_> = headers
        .get_all(FORWARDED)
        .iter()
        .map(|value| value.to_str().unwrap_or_default())
        .collect();
    let addresses: Vec<&str> = lines.iter().flat_map(|line| line.split(',')).collect();
    let at = addresses.len().checked_sub(back + 1)?;
    addresses.get(at)?.trim().parse().ok()
}

/// IPv6 is given out by networks of 64 bits, in which anybody has as many addresses as they like.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(forwarded: &[&'static str], proxies: u8) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(Peer(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED, http::HeaderValue::from_static(line));
        }
        Visit::new(&extensions, &headers, proxies)
            .origin()
            .to_string()
    }

    #[test]
    fn the_address_is_the_one_that_the_outermost_of_our_proxies_saw() {
        for (forwarded, proxies, expected) in [
            (&["198.51.100.7"][..], 0, "127.0.0.1"),
            (&["198.51.100.7"], 1, "198.51.100.7"),
            (&["203.0.113.9, 198.51.100.7"], 1, "198.51.100.7"),
            (&["203.0.113.9, 198.51.100.7"], 2, "203.0.113.9"),
            (&["203.0.113.9", "198.51.100.7"], 2, "203.0.113.9"),
            (&["198.51.100.7"], 2, "127.0.0.1"),
            (&["unknown"], 1, "127.0.0.1"),
            (&[], 1, "127.0.0.1"),
            (&["2001:db8:1:2:3:4:5:6"], 1, "2001:db8:1:2::"),
            (&["::ffff:198.51.100.7"], 1, "198.51.100.7"),
        ] {
            assert_eq!(
                origin(forwarded, proxies),
                expected,
                "{forwarded:?} {proxies}"
            );
        }
    }
}
