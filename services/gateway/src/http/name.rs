//! The name of an uploaded file, from wherever a client put it.

/// The name when a client gives none.
pub(super) const DEFAULT: &str = "statement";

/// The file name of a `Content-Disposition` (RFC 6266), the extended form first.
pub(super) fn of_disposition(value: &str) -> Option<String> {
    let mut plain = None;
    for parameter in parameters(value) {
        let (name, value) = parameter.split_once('=')?;
        match name.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let encoded = value.trim().strip_prefix("UTF-8''");
                let encoded = encoded.or_else(|| value.trim().strip_prefix("utf-8''"));
                if let Some(name) = encoded.and_then(percent_decode) {
                    return Some(name);
                }
            }
            "filename" => plain = Some(unquote(value.trim())),
            _ => {}
        }
    }
    plain.filter(|name| !name.is_empty())
}

/// The parameters after the first semicolon, split outside of quotes.
fn parameters(value: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                parts.push(&value[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&value[start..]);
    parts
        .into_iter()
        .skip(1)
        .filter(|part| !part.trim().is_empty())
        .collect()
}

fn unquote(value: &str) -> String {
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let Some(inner) = inner else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut escaped = false;
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(character);
            escaped = false;
        }
    }
    text
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (hex(rest.next()?)?, hex(rest.next()?)?);
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::of_disposition;

    #[track_caller]
    fn check(value: &str, name: Option<&str>) {
        assert_eq!(of_disposition(value).as_deref(), name, "{value}");
    }

    #[test]
    fn names_come_plain_quoted_and_encoded() {
        check("attachment; filename=may.csv", Some("may.csv"));
        check(
            r#"attachment; filename="may 2026; \"final\".csv""#,
            Some(r#"may 2026; "final".csv"#),
        );
        check(
            "attachment; filename=m.csv; filename*=UTF-8''m%C3%A4rz.csv",
            Some("märz.csv"),
        );
        check(
            "attachment; filename*=UTF-8''%zz; filename=m.csv",
            Some("m.csv"),
        );
        for none in [
            "",
            "attachment",
            "attachment;",
            "attachment; filename=",
            "a; b",
            "; =x",
        ] {
            check(none, None);
        }
    }
}
