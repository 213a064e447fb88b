//! Which encoding a file is written in (algorithms C.4), and its text as a stream. Constant memory;
//! nothing is ever decoded with replacement characters.

use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding};
use serde::{Deserialize, Serialize};

use super::disguise;
use super::evidence::Otherwise;
use super::reading::{ReadError, Refusal, Source};

/// The largest statement that is read, in bytes (DESIGN 6).
pub const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How much is read at a time, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The NUL test for UTF-16 without a byte order mark looks at this many bytes (C.4, own number).
const NUL_WINDOW_BYTES: usize = 4096;

/// As much of a word is shown in two encodings, in characters.
const OTHERWISE_CHARS_MAX: usize = 40;

/// How sure the reader is of the encoding.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A byte order mark, or valid UTF-8.
    Certain,
    /// The pattern of UTF-16, or a detector's finding without control characters.
    Likely,
    /// A fallback: texts may show wrong letters, figures do not.
    Guess,
}

/// The frozen choice of encoding.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Charset {
    /// The WHATWG name, such as `windows-1250`.
    pub name: String,
    /// How sure the choice is.
    pub level: Level,
}

/// What the first look at the bytes gives.
pub(super) enum Detected {
    Text(Charset),
    Refused(Refusal),
}

/// What is counted over all bytes.
#[derive(Default)]
struct Census {
    bytes: u64,
    controls: u64,
    nuls: u64,
    nuls_even: usize,
    nuls_odd: usize,
    utf8: Utf8,
}

/// A strict UTF-8 check across chunks.
#[derive(Default)]
struct Utf8 {
    tail: Vec<u8>,
    broken: bool,
}

impl Utf8 {
    fn feed(&mut self, chunk: &[u8]) {
        if self.broken {
            return;
        }
        let mut bytes = std::mem::take(&mut self.tail);
        bytes.extend_from_slice(chunk);
        if let Err(error) = std::str::from_utf8(&bytes) {
            match error.error_len() {
                Some(_) => self.broken = true,
                None => self.tail = bytes.split_off(error.valid_up_to()),
            }
        }
    }

    fn valid(&self) -> bool {
        !self.broken && self.tail.is_empty()
    }
}

/// Reads the whole source once and names its encoding, or says why it is no text.
pub(super) fn detect(source: &dyn Source) -> Result<Detected, ReadError> {
    let mut reader = source.open()?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let mut census = Census::default();
    let mut head = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = fill(reader.as_mut(), &mut chunk)?;
        let bytes = chunk.get(..read).unwrap_or_default();
        detector.feed(bytes, bytes.is_empty());
        if bytes.is_empty() {
            break;
        }
        if head.len() < NUL_WINDOW_BYTES {
            head.extend(bytes.iter().take(NUL_WINDOW_BYTES - head.len()));
        }
        census.utf8.feed(bytes);
        census.bytes += u64::try_from(read).unwrap_or(u64::MAX);
        for byte in bytes {
            census.nuls += u64::from(*byte == 0);
            census.controls += u64::from(*byte < 0x20 && !matches!(*byte, b'\t' | b'\n' | b'\r'));
        }
        if census.bytes > FILE_BYTES_MAX {
            return Err(ReadError::limit("file", "256 MiB"));
        }
    }
    for (index, byte) in head.iter().enumerate() {
        if *byte == 0 && index % 2 == 0 {
            census.nuls_even += 1;
        } else if *byte == 0 {
            census.nuls_odd += 1;
        }
    }
    if let Some(refusal) = disguise::see_through(&head) {
        return Ok(Detected::Refused(refusal));
    }
    choose(source, &head, &census, &detector)
}

fn choose(
    source: &dyn Source,
    head: &[u8],
    census: &Census,
    detector: &EncodingDetector,
) -> Result<Detected, ReadError> {
    let text = |encoding: &'static Encoding, level| {
        Ok(Detected::Text(Charset {
            name: encoding.name().to_owned(),
            level,
        }))
    };
    let binary = || {
        let detail = "The file holds bytes that are no text. Download the statement as CSV.";
        Ok(Detected::Refused(Refusal::new("NOT_TEXT", detail)))
    };
    // UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
    if head.starts_with(&[0xff, 0xfe, 0, 0]) || head.starts_with(&[0, 0, 0xfe, 0xff]) {
        let detail = "The file is UTF-32. Save it as UTF-8.";
        return Ok(Detected::Refused(Refusal::new("NOT_TEXT", detail)));
    }
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return if decodes(source, encoding)?.is_some() {
            text(encoding, Level::Certain)
        } else {
            binary()
        };
    }
    if census.nuls > 0 {
        let half = head.len().div_ceil(2).max(1);
        let percent = |count: usize| count * 100 / half;
        let encoding = match (percent(census.nuls_even), percent(census.nuls_odd)) {
            (0..=5, 40..) => encoding_rs::UTF_16LE,
            (40.., 0..=5) => encoding_rs::UTF_16BE,
            _ => return binary(),
        };
        return if decodes(source, encoding)?.is_some() {
            text(encoding, Level::Likely)
        } else {
            binary()
        };
    }
    if census.controls * 100 > census.bytes {
        return binary();
    }
    if census.utf8.valid() {
        return text(encoding_rs::UTF_8, Level::Certain);
    }
    let guess = detector.guess(None, Utf8Detection::Deny);
    let fallbacks = [
        (guess, Level::Likely),
        (encoding_rs::WINDOWS_1252, Level::Guess),
        (encoding_rs::WINDOWS_1250, Level::Guess),
        (guess, Level::Guess),
    ];
    for (encoding, level) in fallbacks {
        // C1 controls in the text speak against a guess; the last resort takes them.
        match decodes(source, encoding)? {
            Some(0) => return text(encoding, level),
            Some(_) if level == Level::Guess && encoding == guess => return text(encoding, level),
            _ => {}
        }
    }
    binary()
}

/// How many C1 controls the text has, or `None` when it does not decode.
fn decodes(source: &dyn Source, encoding: &'static Encoding) -> Result<Option<u64>, ReadError> {
    let mut stream = Stream::with(source, encoding)?;
    let mut text = String::new();
    let mut controls = 0;
    loop {
        text.clear();
        match stream.read_into(&mut text) {
            Ok(true) => {}
            Ok(false) => return Ok(Some(controls)),
            Err(ReadError::Undecodable { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
        if !text.is_ascii() {
            let found = text
                .chars()
                .filter(|c| matches!(c, '\u{80}'..='\u{9f}'))
                .count();
            controls += u64::try_from(found).unwrap_or(u64::MAX);
        }
    }
}

/// How the first text with a letter beyond ASCII reads, and how it would in the encoding that is
/// most easily mistaken for the chosen one; none when both read the same or nothing was guessed.
pub(super) fn otherwise(
    source: &dyn Source,
    charset: &Charset,
) -> Result<Option<Otherwise>, ReadError> {
    let chosen = Encoding::for_label(charset.name.as_bytes());
    let Some(chosen) = chosen.filter(|chosen| chosen.is_single_byte()) else {
        return Ok(None);
    };
    let other = if chosen == encoding_rs::WINDOWS_1252 {
        encoding_rs::WINDOWS_1250
    } else {
        encoding_rs::WINDOWS_1252
    };
    let mut stream = Stream::with(source, chosen)?;
    let mut text = String::new();
    while stream.read_into(&mut text)? && text.is_ascii() {
        text.clear();
    }
    let words = text.split(|c: char| c.is_whitespace() || ";,\t|\"".contains(c));
    for word in words.filter(|word| !word.is_ascii()) {
        let here: String = word.chars().take(OTHERWISE_CHARS_MAX).collect();
        let (bytes, _, _) = chosen.encode(&here);
        let there = other.decode_without_bom_handling_and_without_replacement(&bytes);
        let there = there.filter(|there| *there != here && !there.chars().any(char::is_control));
        if let Some(there) = there.map(std::borrow::Cow::into_owned) {
            return Ok(Some(Otherwise {
                encoding: other.name().to_owned(),
                here,
                there,
            }));
        }
    }
    Ok(None)
}

/// The text of a source, decoded chunk by chunk.
pub(super) struct Stream {
    reader: Box<dyn Read + Send>,
    decoder: Decoder,
    chunk: Vec<u8>,
    bytes: u64,
    ended: bool,
}

impl Stream {
    /// Opens the source from its beginning under a frozen choice.
    pub(super) fn open(source: &dyn Source, charset: &Charset) -> Result<Self, ReadError> {
        let encoding =
            Encoding::for_label(charset.name.as_bytes()).ok_or_else(|| ReadError::Undecodable {
                encoding: charset.name.clone(),
            })?;
        Self::with(source, encoding)
    }

    fn with(source: &dyn Source, encoding: &'static Encoding) -> Result<Self, ReadError> {
        Ok(Self {
            reader: source.open()?,
            decoder: encoding.new_decoder_with_bom_removal(),
            chunk: vec![0; CHUNK_BYTES],
            bytes: 0,
            ended: false,
        })
    }

    /// Appends the next piece of text; false at the end.
    pub(super) fn read_into(&mut self, out: &mut String) -> Result<bool, ReadError> {
        if self.ended {
            return Ok(false);
        }
        let read = fill(self.reader.as_mut(), &mut self.chunk)?;
        self.bytes += u64::try_from(read).unwrap_or(u64::MAX);
        if self.bytes > FILE_BYTES_MAX {
            return Err(ReadError::limit("file", "256 MiB"));
        }
        self.ended = read == 0;
        let bytes = self.chunk.get(..read).unwrap_or_default();
        let undecodable = || ReadError::Undecodable {
            encoding: self.decoder.encoding().name().to_owned(),
        };
        let room = self
            .decoder
            .max_utf8_buffer_length_without_replacement(read);
        out.reserve(room.ok_or_else(undecodable)?);
        let (result, _) = self
            .decoder
            .decode_to_string_without_replacement(bytes, out, self.ended);
        match result {
            DecoderResult::InputEmpty => Ok(true),
            DecoderResult::OutputFull | DecoderResult::Malformed(..) => {
                Err(ReadError::Undecodable {
                    encoding: self.decoder.encoding().name().to_owned(),
                })
            }
        }
    }
}

/// Reads until the buffer is full or the end, so that a slow source does not make small chunks.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, ReadError> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(Vec<u8>);

    impl Source for Bytes {
        fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
            Ok(Box::new(std::io::Cursor::new(self.0.clone())))
        }
    }

    #[track_caller]
    fn check(bytes: Vec<u8>, expected: &str) {
        let source = Bytes(bytes);
        let found = match detect(&source).unwrap() {
            Detected::Refused(refusal) => refusal.reason.to_owned(),
            Detected::Text(charset) => {
                let mut text = String::new();
                let mut stream = Stream::open(&source, &charset).unwrap();
                while stream.read_into(&mut text).unwrap() {}
                assert!(!text.contains('\u{fffd}'));
                format!("{} {:?}: {text}", charset.name, charset.level)
            }
        };
        assert_eq!(found, expected);
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn encodings() {
        check(b"\xef\xbb\xbfDate".to_vec(), "UTF-8 Certain: Date");
        check(
            utf16("Date;Text 1", u16::to_le_bytes),
            "UTF-16LE Likely: Date;Text 1",
        );
        check(
            utf16("Date;Text 1", u16::to_be_bytes),
            "UTF-16BE Likely: Date;Text 1",
        );
        let marked = [&[0xfe, 0xff][..], &utf16("é", u16::to_be_bytes)].concat();
        check(marked, "UTF-16BE Certain: é");
        check(
            b"price \x80 20 caf\xe9".to_vec(),
            "windows-1252 Likely: price € 20 café",
        );
        let polish =
            b"Przelew z \xa3odzi na rachunek \xb3\xf3d\x9f, op\xb3ata za us\xb3ug\xea".to_vec();
        check(
            polish,
            "windows-1250 Likely: Przelew z Łodzi na rachunek łódź, opłata za usługę",
        );
        check(b"\x89PNG\r\n\x1a\n\0\0".to_vec(), "IMAGE");
        check(b"PK\x03\x04rest".to_vec(), "ZIP_OR_SPREADSHEET");
        check(b"  <!DOCTYPE html><table>".to_vec(), "HTML");
        check(b"a\0\0\0b".to_vec(), "NOT_TEXT");
        check(b"\x01\x02\x03abc".to_vec(), "NOT_TEXT");
        check(Vec::new(), "EMPTY");
    }

    #[test]
    fn a_truncated_sequence_is_not_utf8() {
        let source = Bytes("Müll".bytes().chain([0xc3]).collect());
        let Detected::Text(charset) = detect(&source).unwrap() else {
            panic!("refused")
        };
        assert_ne!(charset.name, "UTF-8");
    }
}
