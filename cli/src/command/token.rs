//! `djinn token`: access tokens for development.

use std::{fs, time::Duration};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use uuid::Uuid;

use crate::{args, clock, error::Error, output::Output, output::document};

/// Where tokens may be made; everywhere else the identity provider makes them.
const DEVELOPMENT: &str = "development";

/// The claims that the services require.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Makes a token and prints it.
pub(super) fn run(args: &args::Token, output: Output) -> Result<(), Error> {
    allow(args.environment.as_deref())?;
    let user = args.user.unwrap_or_else(clock::id);
    let token = mint(args, user, clock::now())?;
    output.result(&token, || token.token.clone())
}

/// Development says so; a machine that says nothing may be a server.
fn allow(deployment: Option<&str>) -> Result<(), Error> {
    match deployment {
        Some(DEVELOPMENT) => Ok(()),
        Some(other) => Err(Error::NotDevelopment(other.to_owned())),
        None => Err(Error::NotDevelopment("not set".to_owned())),
    }
}

fn mint(args: &args::Token, user: Uuid, now: DateTime<Utc>) -> Result<document::Token, Error> {
    let expires_at = expiry(now, args.ttl).ok_or(Error::Lifetime)?;
    let claims = Claims {
        iss: &args.issuer,
        aud: &args.audience,
        sub: user,
        iat: now.timestamp(),
        nbf: now.timestamp(),
        exp: expires_at.timestamp(),
    };
    let pem = fs::read(&args.key).map_err(|source| Error::File {
        path: args.key.clone(),
        source,
    })?;
    let key = |source| Error::Key {
        path: args.key.clone(),
        source,
    };
    let signing = EncodingKey::from_ed_pem(&pem).map_err(key)?;
    let token =
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &signing).map_err(key)?;
    Ok(document::Token {
        token,
        user_id: user.to_string(),
        expires_at: expires_at.to_rfc3339_opts(SecondsFormat::Secs, true),
    })
}

fn expiry(now: DateTime<Utc>, ttl: Duration) -> Option<DateTime<Utc>> {
    now.checked_add_signed(TimeDelta::from_std(ttl).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_made_in_development_only() {
        for (deployment, allowed) in [
            (Some("development"), true),
            (Some("production"), false),
            (Some("Development"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(allow(deployment).is_ok(), allowed, "{deployment:?}");
        }
    }

    #[test]
    fn a_token_cannot_outlive_the_calendar() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        let hour = Duration::from_secs(3_600);
        assert_eq!(expiry(now, hour).map(|at| at.timestamp()), Some(3_600));
        assert_eq!(expiry(now, Duration::MAX), None);
    }
}
