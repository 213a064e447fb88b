//! The text of a file in the encoding that a person says it has.

use encoding_rs::Encoding;

use super::Unfit;
use crate::domain::{
    encoding::{self, Charset, Detected, Level, Stream},
    reading::{ReadError, Source},
};

/// What is no text by its first bytes is refused as ever; the rest has to be written in the
/// encoding throughout, for nothing is ever decoded with replacement characters.
pub(in crate::domain) fn stated(source: &dyn Source, name: &str) -> Result<Detected, ReadError> {
    if let Detected::Refused(refusal) = encoding::detect(source)?
        && refusal.reason != "NOT_TEXT"
    {
        return Ok(Detected::Refused(refusal));
    }
    let charset = Charset {
        name: name.to_owned(),
        level: Level::Certain,
    };
    if decodes(source, &charset)? {
        return Ok(Detected::Text(charset));
    }
    let unfit = Unfit {
        field: "mapping.encoding".to_owned(),
        problem: format!("the file is not written in {name}; leave it out or send another one"),
    };
    Ok(Detected::Refused(unfit.into()))
}

fn decodes(source: &dyn Source, charset: &Charset) -> Result<bool, ReadError> {
    if Encoding::for_label_no_replacement(charset.name.as_bytes()).is_none() {
        return Ok(false);
    }
    let mut stream = Stream::open(source, charset)?;
    let mut text = String::new();
    loop {
        text.clear();
        match stream.read_into(&mut text) {
            // A text has no such letters: these are the bytes of something else.
            Ok(true) if text.contains('\0') => return Ok(false),
            Ok(true) => {}
            Ok(false) => return Ok(true),
            Err(ReadError::Undecodable { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
