//! What a client is told of its limit: by every answer how much is left, and by a refusal when to
//! come again.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::micros;
use crate::{
    domain::{Class, Quota, Taken},
    error::Error,
};

/// The headers of draft-ietf-httpapi-ratelimit-headers-10, which is still a draft.
pub(crate) const NAMES: [HeaderName; 2] = [
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("ratelimit"),
];

/// How a user stands after a call was counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    class: Class,
    quota: Quota,
    taken: Taken,
}

impl Standing {
    pub(super) fn new(class: Class, quota: Quota, taken: Taken) -> Self {
        Self {
            class,
            quota,
            taken,
        }
    }

    /// The refusal of a call that was one too many.
    pub(crate) fn refusal(&self) -> Option<Error> {
        let (class, retry) = (self.class, micros(self.taken.retry_us));
        (!self.taken.allowed).then_some(Error::RateLimited { class, retry })
    }

    /// Writes both headers. A bucket is told as a window: `q` calls come back within `w` seconds,
    /// `r` are left, and in `t` seconds all of them are there again.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let name = self.class.name();
        let (burst, remaining) = (self.quota.burst, self.taken.remaining);
        let (window, full) = (seconds(self.quota.depth_us()), seconds(self.taken.full_us));
        let policy = format!("\"{name}\";q={burst};w={window}");
        let left = format!("\"{name}\";r={remaining};t={full}");
        for (name, value) in NAMES.into_iter().zip([policy, left]) {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
}

/// Whole seconds, rounded up: who comes then is not too early.
fn seconds(micros: u64) -> u64 {
    micros.div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_written_as_the_draft_has_them() {
        let quota = "300+1200/min".parse::<Quota>().expect("a quota");
        let (taken, _) = quota.take(None, 0, 3);
        let standing = Standing::new(Class::Read, quota, taken);
        let mut headers = HeaderMap::new();
        standing.write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"reads\";q=300;w=15");
        assert_eq!(headers["ratelimit"], "\"reads\";r=297;t=1");
        assert!(standing.refusal().is_none());
    }
}
