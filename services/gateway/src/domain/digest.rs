//! `Content-Digest` (RFC 9530): the hashes of a body as a dictionary of structured fields, of which
//! one is wanted.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// The algorithm, as the registry of the RFC calls it.
const SHA_256: &str = "sha-256";

/// RFC 8941 lets a parser take bytes without their padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The SHA-256 that the values of the header tell. Other algorithms beside it are nobody's concern,
/// and of two the last counts, as in every dictionary.
///
/// # Errors
/// What is wrong, and the way out.
pub(crate) fn sha256<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
) -> Result<[u8; 32], &'static str> {
    let mut found = None;
    for value in values {
        let text =
            std::str::from_utf8(value).map_err(|_| "the header Content-Digest is not ASCII")?;
        for member in text
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']))
        {
            let (key, value) = member.split_once('=').unwrap_or((member, ""));
            if key == SHA_256 {
                found = Some(value);
            }
        }
    }
    let value = found
        .ok_or("the header Content-Digest has no sha-256; send it as sha-256=:..: in base64")?;
    bytes(value).ok_or("the sha-256 of Content-Digest is not 32 bytes in base64 between colons")
}

/// A byte sequence, whose parameters mean nothing here.
fn bytes(value: &str) -> Option<[u8; 32]> {
    let item = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim_end_matches(' ');
    let encoded = item.strip_prefix(':')?.strip_suffix(':')?;
    BASE64.decode(encoded).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::sha256;

    /// The hash of nothing, by the RFC's own notation.
    const EMPTY: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    const BARE: &str = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU:";
    const ZEROS: &str = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
    const OTHER: &str = "sha-512=:AAAA:";

    #[test]
    fn the_hash_is_found_among_others() {
        let joined = format!("{OTHER},\t{EMPTY} , md5=:AAAA:");
        let with_parameter = format!("{EMPTY};a=1");
        let last = format!("{ZEROS}, {EMPTY}");
        for values in [
            &[EMPTY][..],
            &[BARE],
            &[&joined],
            &[&with_parameter],
            &[&last],
            &[OTHER, EMPTY],
            &[ZEROS, EMPTY],
        ] {
            let found = sha256(values.iter().map(|value| value.as_bytes()));
            let found = found.unwrap_or_else(|problem| unreachable!("{values:?}: {problem}"));
            assert_eq!(found[..4], [0xe3, 0xb0, 0xc4, 0x42], "{values:?}");
        }
    }

    #[test]
    fn what_is_no_hash_is_refused_with_the_reason() {
        for (value, expected) in [
            ("", "no sha-256"),
            (OTHER, "no sha-256"),
            ("sha-256x=:AAAA:", "no sha-256"),
            ("SHA-256=:AAAA:", "no sha-256"),
            ("sha-256", "colons"),
            ("sha-256=", "colons"),
            ("sha-256=:", "colons"),
            ("sha-256=::", "colons"),
            ("sha-256=:AAAA:", "32 bytes"),
            (
                "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "colons",
            ),
            (
                "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "colons",
            ),
            (
                "sha-256=:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=:",
                "base64",
            ),
            (
                "sha-256=:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855:",
                "32 bytes",
            ),
            (
                "sha-256=\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"",
                "colons",
            ),
        ] {
            let problem = sha256([value.as_bytes()]).unwrap_err();
            assert!(problem.contains(expected), "{value}: {problem}");
        }
        assert!(sha256([]).unwrap_err().contains("no sha-256"));
        assert!(
            sha256([&b"sha-256=:\xff:"[..]])
                .unwrap_err()
                .contains("ASCII")
        );
    }
}
