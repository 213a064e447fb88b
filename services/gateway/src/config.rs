//! What the gateway can be told.

use std::{net::SocketAddr, str::FromStr};

use http::{HeaderValue, Uri};

use djinn_chassis::{auth, cache, shutdown, telemetry};

use crate::domain::{Class, Quota};

/// The public edge of Djinn.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "djinn-gateway", version)]
#[group(id = "gateway")]
pub struct Config {
    /// Where users are served: gRPC, gRPC-Web, GraphQL, uploads and /health, all on one port.
    #[arg(long, env = "DJINN_GATEWAY_LISTEN", default_value = "127.0.0.1:4000")]
    pub listen: SocketAddr,

    /// Where operators are served: /livez, /readyz and /metrics. Never publish it.
    #[arg(
        long,
        env = "DJINN_GATEWAY_ADMIN_LISTEN",
        default_value = "127.0.0.1:9100"
    )]
    pub admin_listen: SocketAddr,

    /// Where the imports service is, as in `http://127.0.0.1:4001`.
    #[arg(
        long,
        env = "DJINN_GATEWAY_IMPORTS_URL",
        default_value = "http://127.0.0.1:4001",
        value_parser = service_url
    )]
    pub imports_url: Uri,

    /// Where the sync service is, as in `http://127.0.0.1:4003`.
    #[arg(
        long,
        env = "DJINN_GATEWAY_SYNC_URL",
        default_value = "http://127.0.0.1:4003",
        value_parser = service_url
    )]
    pub sync_url: Uri,

    /// Whether grpcurl may ask which public methods there are, and GraphQL tools for the schema.
    /// Off, because a stranger may ask too.
    #[arg(
        long,
        env = "DJINN_GATEWAY_REFLECTION",
        default_value_t = false,
        action = clap::ArgAction::Set
    )]
    pub reflection: bool,

    /// Whether there is a page to try GraphQL on, under /graphql, and with it the schema. For
    /// development: never set it on a server.
    #[arg(
        long,
        env = "DJINN_GATEWAY_GRAPHIQL",
        default_value_t = false,
        action = clap::ArgAction::Set
    )]
    pub graphiql: bool,

    /// Origins whose pages may call from a browser, separated by commas, as in
    /// `https://app.example.org`. None by default.
    #[arg(long, env = "DJINN_GATEWAY_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<Origin>,

    /// How many proxies in front of this gateway add an address to `X-Forwarded-For`. Only with
    /// them is that header believed, and strangers told apart by it.
    #[arg(long, env = "DJINN_GATEWAY_PROXIES", default_value_t = 0)]
    pub proxies: u8,

    /// How often who may call what.
    #[command(flatten)]
    pub limits: Limits,

    /// Where that is counted.
    #[command(flatten)]
    pub cache: cache::Config,

    /// Who may call.
    #[command(flatten)]
    pub auth: auth::Config,

    /// How to stop.
    #[command(flatten)]
    pub shutdown: shutdown::Config,

    /// What to say meanwhile.
    #[command(flatten)]
    pub telemetry: telemetry::Config,
}

/// How many calls of each kind a user may make: so many at once, and so many a minute from then on.
/// What a person does with an app stays far below them.
#[derive(clap::Args, Clone, Debug)]
#[group(id = "limits")]
pub struct Limits {
    /// Looking at things. A GraphQL query counts by what it costs.
    #[arg(
        long = "limit-reads",
        env = "DJINN_GATEWAY_LIMIT_READS",
        default_value = "300+1200/min"
    )]
    pub reads: Quota,
    /// Changing things.
    #[arg(
        long = "limit-writes",
        env = "DJINN_GATEWAY_LIMIT_WRITES",
        default_value = "200+600/min"
    )]
    pub writes: Quota,
    /// Files that are begun: years of statements of several banks come in one go.
    #[arg(
        long = "limit-uploads",
        env = "DJINN_GATEWAY_LIMIT_UPLOADS",
        default_value = "150+60/min"
    )]
    pub uploads: Quota,
    /// Chunks of files: the largest file has 32, and each may have to be sent again.
    #[arg(
        long = "limit-chunks",
        env = "DJINN_GATEWAY_LIMIT_CHUNKS",
        default_value = "160+600/min"
    )]
    pub chunks: Quota,
    /// Links to banks and downloads.
    #[arg(
        long = "limit-links",
        env = "DJINN_GATEWAY_LIMIT_LINKS",
        default_value = "20+20/min"
    )]
    pub links: Quota,
    /// Attempts without a good token, from one address.
    #[arg(
        long = "limit-strangers",
        env = "DJINN_GATEWAY_LIMIT_STRANGERS",
        default_value = "300+300/min"
    )]
    pub strangers: Quota,
}

impl Limits {
    pub(crate) fn of(&self, class: Class) -> Quota {
        match class {
            Class::Read => self.reads,
            Class::Write => self.writes,
            Class::Upload => self.uploads,
            Class::Chunk => self.chunks,
            Class::Link => self.links,
            Class::Stranger => self.strangers,
        }
    }
}

/// An origin as browsers send it: scheme, host and port without a path, compared byte by byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin(pub(crate) Option<HeaderValue>);

/// Reads the address of a service. Calls between services are plain HTTP/2 inside the host or a
/// private network; a path would be dropped silently, so it is refused.
fn service_url(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|error| format!("{error}"))?;
    match (url.scheme_str(), url.authority(), url.path()) {
        (Some("http"), Some(_), "/" | "") if url.query().is_none() => Ok(url),
        _ => Err("expected http://host:port without a path".to_owned()),
    }
}

impl FromStr for Origin {
    type Err = &'static str;

    /// Empty stands for none, because an unset line of an environment file is empty. `*` is
    /// refused: whoever wants every page of the world to call should have to list it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "expected an origin such as https://app.example.org";
        if text.is_empty() {
            return Ok(Self(None));
        }
        let url: Uri = text.parse().map_err(|_| WRONG)?;
        let web = matches!(url.scheme_str(), Some("http" | "https"));
        if !web || url.authority().is_none() || text.matches('/').count() != 2 {
            return Err(WRONG);
        }
        let value = HeaderValue::from_str(text).map_err(|_| WRONG)?;
        Ok(Self(Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{Config, Origin, service_url};

    #[test]
    fn the_arguments_fit_together() {
        Config::command().debug_assert();
    }

    #[test]
    fn a_service_is_named_by_scheme_and_authority_alone() {
        for good in ["http://127.0.0.1:4001", "http://imports:4001/"] {
            assert!(service_url(good).is_ok(), "{good}");
        }
        for bad in [
            "https://imports:4001",
            "imports:4001",
            "http://h/p",
            "http://h/?q",
            "",
        ] {
            assert!(service_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_has_no_path_and_no_wildcard() {
        for good in ["https://app.example.org", "http://localhost:5173", ""] {
            assert!(good.parse::<Origin>().is_ok(), "{good}");
        }
        for bad in [
            "*",
            "https://a.example/",
            "app.example.org",
            "ftp://a.example",
            "null",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }
}
