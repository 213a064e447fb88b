//! The rows of a file that could not be read, as CSV for a spreadsheet (algorithms C.16). What the
//! file says is data there and never a formula.

/// What the report begins with: a byte order mark, without which spreadsheets guess the encoding,
/// and the names of the columns.
pub const HEADER: &str = "\u{feff}line,reason,message,original\r\n";

/// A first character that makes a spreadsheet calculate, or that stands in front of one.
const ACTIVE: [char; 8] = ['=', '+', '-', '@', '\t', '\r', '\0', '\''];

/// Appends one row.
pub fn append(out: &mut String, line: i64, reason: &str, message: &str, original: &str) {
    out.push_str(&line.to_string());
    for text in [reason, message, original] {
        out.push(',');
        cell(out, text);
    }
    out.push_str("\r\n");
}

/// A text: harmless first, then quoted where RFC 4180 needs it.
fn cell(out: &mut String, text: &str) {
    let active = text.starts_with(ACTIVE);
    let quoted = text.contains([',', '"', '\r', '\n']);
    if quoted {
        out.push('"');
    }
    if active {
        out.push('\'');
    }
    if quoted {
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_harmless_and_quoted() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-45.99", "'-45.99"),
            ("@x", "'@x"),
            ("'", "''"),
            ("''=1", "'''=1"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1,\"2\"\r\n", "\"'=1,\"\"2\"\"\r\n\""),
            ("x=1", "x=1"),
            ("été", "été"),
        ] {
            let mut out = String::new();
            cell(&mut out, text);
            assert_eq!(out, expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_is_a_number_and_three_texts() {
        let mut out = HEADER.to_owned();
        append(&mut out, 7, "BAD_DATE", "no day 32", "32.01.;x,1");
        let expected = "\u{feff}line,reason,message,original\r\n\
                        7,BAD_DATE,no day 32,\"32.01.;x,1\"\r\n";
        assert_eq!(out, expected);
    }
}
