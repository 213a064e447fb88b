//! The trace that a command's calls are part of (W3C Trace Context): of the environment it runs in,
//! or its own. What the calls cause in every service and workflow is found again by it.

use tonic::metadata::{Ascii, MetadataValue};

use crate::clock;

/// The value of the header `traceparent`. What was given and is none gives way to a new one, as the
/// recommendation asks.
pub(super) fn parent(given: Option<&str>) -> MetadataValue<Ascii> {
    let given = given.map(str::trim).filter(|given| is_well_formed(given));
    let given = given.and_then(|given| given.parse().ok());
    given.unwrap_or_else(begun)
}

/// A trace of its own, whose first span is the command.
fn begun() -> MetadataValue<Ascii> {
    let (high, low, span) = (random(), random(), random());
    let value = format!("00-{high:016x}{low:016x}-{span:016x}-01").parse();
    value.unwrap_or_else(|_| MetadataValue::from_static(""))
}

/// 64 bits of which each is random: by those of a trace's id is decided whether it is kept. The two
/// highest of an id's last 64 are fixed, and the next id's take their place.
fn random() -> u64 {
    let [first, next] = [clock::id(), clock::id()].map(|id| id.as_u64_pair().1);
    first << 2 | next & 0b11
}

/// Version, trace, span and flags in small hexadecimal digits; neither trace nor span is zero.
fn is_well_formed(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let hex = |part: &str, length: usize| {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        part.len() == length && part.bytes().all(digit)
    };
    let some = |part: &str| part.bytes().any(|byte| byte != b'0');
    match parts.as_slice() {
        ["00", trace, span, flags] => {
            hex(trace, 32) && some(trace) && hex(span, 16) && some(span) && hex(flags, 2)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_followed_and_nonsense_begins_a_new_one() {
        let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(parent(Some(given)), given);
        for nonsense in [
            None,
            Some(""),
            Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"),
            Some("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            Some("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
            Some("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
            Some("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
            Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n-"),
        ] {
            let begun = parent(nonsense);
            let begun = begun.to_str().unwrap();
            assert!(is_well_formed(begun), "{nonsense:?}: {begun}");
            assert_ne!(Some(begun), nonsense);
        }
        assert_ne!(parent(None), parent(None));
    }
}
