//! What a file is when it is no table of text: banks and people give the name `.csv` to nearly
//! everything. It looks at the first bytes alone and unpacks nothing.

use super::reading::Refusal;

/// As much of the beginning is looked at, in bytes that are ASCII.
const START_BYTES_MAX: usize = 200;

/// A format, the reason that its refusal gives, and what the file is, with the way out.
type Format<P> = (P, &'static str, &'static str);

const AS_CSV: &str = "download the statement as CSV";
const EXPORT: &str = "export it as CSV";
const UNPACK: &str = "unpack it first";

/// By their first bytes (the formats' own specifications). What is packed is not unpacked: a person
/// does it in a moment, and a reader that does it must be proof against bombs.
const BYTES: [Format<&[u8]>; 15] = [
    (
        b"PK\x03\x04",
        "ZIP_OR_SPREADSHEET",
        "a zip archive or an .xlsx workbook",
    ),
    (b"PK\x05\x06", "ZIP_OR_SPREADSHEET", "an empty zip archive"),
    (
        b"\xd0\xcf\x11\xe0",
        "ZIP_OR_SPREADSHEET",
        "an old Excel workbook",
    ),
    (b"\x1f\x8b", "COMPRESSED", "gzip-compressed"),
    (b"BZh", "COMPRESSED", "bzip2-compressed"),
    (b"\xfd7zXZ\x00", "COMPRESSED", "xz-compressed"),
    (b"\x28\xb5\x2f\xfd", "COMPRESSED", "zstd-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "COMPRESSED", "a 7z archive"),
    (b"Rar!\x1a\x07", "COMPRESSED", "a rar archive"),
    (b"%PDF", "PDF", "a PDF document"),
    (b"\x89PNG", "IMAGE", "a picture"),
    (b"\xff\xd8\xff", "IMAGE", "a picture"),
    (b"GIF8", "IMAGE", "a picture"),
    (b"II*\x00", "IMAGE", "a picture"),
    (b"SQLite format 3", "NOT_TEXT", "a database"),
];

/// Texts that are not tables, by how they begin, in lower case and without white space.
const TEXTS: [Format<&str>; 12] = [
    ("<!doctypehtml", "HTML", "a web page saved as CSV"),
    ("<html", "HTML", "a web page saved as CSV"),
    ("<table", "HTML", "a web page saved as CSV"),
    ("<?xml", "XML", "an XML document"),
    ("ofxheader", "OFX", "an OFX file"),
    ("<ofx>", "OFX", "an OFX file"),
    ("!type:", "QIF", "a QIF file"),
    ("{\\rtf", "NOT_TEXT", "a word processor's document"),
    ("{\"", "JSON", "a JSON document"),
    ("[{", "JSON", "a JSON document"),
    (":20:", "MT940", "an MT940 file"),
    ("{1:f01", "MT940", "an MT940 file"),
];

/// What is refused by the first bytes of a file, with the way out.
pub(super) fn see_through(head: &[u8]) -> Option<Refusal> {
    if head.is_empty() || head == b"\xef\xbb\xbf" {
        return Some(Refusal::new("EMPTY", "The file is empty."));
    }
    if let Some(format) = BYTES.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Some(refuse(format));
    }
    let start: String = head
        .iter()
        .filter(|byte| byte.is_ascii() && **byte != 0)
        .map(|byte| char::from(*byte))
        .take(START_BYTES_MAX)
        .collect();
    let start: String = start.split_ascii_whitespace().collect();
    let start = start.to_ascii_lowercase();
    let found = TEXTS.iter().find(|(mark, ..)| start.starts_with(mark));
    found.map(refuse)
}

fn refuse<P>((_, reason, what): &Format<P>) -> Refusal {
    let way_out = match *reason {
        "COMPRESSED" => UNPACK,
        "ZIP_OR_SPREADSHEET" => EXPORT,
        _ => AS_CSV,
    };
    Refusal::new(reason, format!("The file is {what}; {way_out}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_how_they_begin() {
        for (head, reason) in [
            (&b""[..], Some("EMPTY")),
            (b"\xef\xbb\xbf", Some("EMPTY")),
            (b"PK\x03\x04\x14\x00", Some("ZIP_OR_SPREADSHEET")),
            (b"BZh91AY&SY", Some("COMPRESSED")),
            (b"\xfd7zXZ\x00\x00", Some("COMPRESSED")),
            (b"\xef\xbb\xbf<!DOCTYPE html>", Some("HTML")),
            (b"\r\n  <HTML lang=en>", Some("HTML")),
            (b"<\x00t\x00a\x00b\x00l\x00e\x00", Some("HTML")),
            (b"[ {\"date\": 1}]", Some("JSON")),
            (b"{\n  \"rows\": []}", Some("JSON")),
            (b"{1:F01BANKDEFFXXXX", Some("MT940")),
            (b":20:STARTUMS\r\n", Some("MT940")),
            // Tables of text, however odd they begin.
            (b"PKO Bank;Kwota\n", None),
            (b"[Export]\nDate;Amount\n", None),
            (b"{Date};{Amount}\n", None),
            (b"GIFT CARDS,2024\n", None),
            (b"BZ,Date\n", None),
            (b"\"<Date>\",\"<Amount>\"\n", None),
        ] {
            let found = see_through(head).map(|refusal| refusal.reason);
            assert_eq!(found, reason, "{}", head.escape_ascii());
        }
    }
}
