//! Requests into what the rest of the service trusts. Every refusal names the field, the reason and
//! the way out.

use djinn_ledger::zone::Zone;
use djinn_proto::imports::v1 as proto;
use uuid::Uuid;

pub(super) use self::change::{Frame, changes};

use crate::{
    Error,
    domain::{
        answer::{ANSWERS_MAX, Answers, TEXT_BYTES_MAX},
        page,
        review::Verdict,
        status::Status,
    },
    store::{import::Filter, review::RowFilter},
};

mod change;

/// States of an import, and verdicts of a row.
const STATES: usize = 15;
const VERDICTS: usize = 7;

/// A UUID.
pub(super) fn id(field: &'static str, text: &str) -> Result<Uuid, Error> {
    if text.is_empty() {
        return Err(Error::invalid(field, "is missing; send a UUID"));
    }
    Uuid::try_parse(text).map_err(|_| Error::invalid(field, "is not a UUID"))
}

/// A SHA-256 as hexadecimal digits.
pub(super) fn sha256(field: &'static str, text: &str) -> Result<[u8; 32], Error> {
    let mut hash = [0; 32];
    match hex::decode_to_slice(text, &mut hash) {
        Ok(()) => Ok(hash),
        Err(_) => Err(Error::invalid(
            field,
            "is not a SHA-256; send it as 64 hexadecimal digits",
        )),
    }
}

/// Answers by key, of a size that answers can have. Whether they fit is for the questions to tell.
pub(super) fn answers(asked: std::collections::HashMap<String, String>) -> Result<Answers, Error> {
    if asked.len() > ANSWERS_MAX {
        let problem = format!("has {} entries; answer each question once", asked.len());
        return Err(Error::invalid("answers", problem));
    }
    let long = |text: &str| text.len() > TEXT_BYTES_MAX;
    if asked.iter().any(|(key, value)| long(key) || long(value)) {
        let problem = format!(
            "has a text over {TEXT_BYTES_MAX} bytes; send keys and choices as the questions have \
             them"
        );
        return Err(Error::invalid("answers", problem));
    }
    let strange = |text: &str| text.chars().any(char::is_control);
    if asked
        .iter()
        .any(|(key, value)| strange(key) || strange(value))
    {
        let problem = "holds control characters; send keys and choices as the questions have them";
        return Err(Error::invalid("answers", problem));
    }
    Ok(asked.into_iter().collect())
}

/// A time zone by its IANA name; empty for none.
pub(super) fn time_zone(field: &'static str, text: &str) -> Result<Zone, Error> {
    let problem = "is no time zone; send a name of the IANA database, as Europe/Berlin";
    Zone::parse(text).map_err(|_| Error::invalid(field, problem))
}

pub(super) fn page_size(asked: i32) -> Result<i64, Error> {
    page::size(asked).map_err(|_| Error::invalid("page_size", "is negative; send 0 to 1000"))
}

pub(super) fn bad_token() -> Error {
    let problem = "does not belong to this list; begin again without it";
    Error::invalid("page_token", problem)
}

/// Cuts the one item too many that was asked for to see whether there is more.
pub(super) fn cut<T>(items: &mut Vec<T>, size: i64) -> bool {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = items.len() > size;
    items.truncate(size);
    more
}

pub(super) fn import_filters(asked: &proto::ListImportsRequest) -> String {
    format!("imports|{}|{:?}", asked.account_id, asked.states)
}

/// A filter by kinds names each of them once at most: a longer list is a mistake.
fn few(field: &'static str, count: usize, kinds: usize) -> Result<(), Error> {
    if count > kinds {
        let problem = format!("has {count} entries; name each of the {kinds} there are once");
        return Err(Error::invalid(field, problem));
    }
    Ok(())
}

pub(super) fn import_filter(asked: &proto::ListImportsRequest) -> Result<Filter, Error> {
    few("states", asked.states.len(), STATES)?;
    let account_id = match asked.account_id.as_str() {
        "" => None,
        text => Some(id("account_id", text)?),
    };
    let statuses = asked
        .states
        .iter()
        .map(|state| status(*state))
        .collect::<Result<_, _>>()?;
    Ok(Filter {
        account_id,
        statuses,
        before: None,
    })
}

fn status(number: i32) -> Result<Status, Error> {
    use proto::ImportState as State;
    let unknown = || Error::invalid("states", format!("{number} is not a state"));
    Ok(match State::try_from(number).map_err(|_| unknown())? {
        State::Unspecified => return Err(unknown()),
        State::Created => Status::Created,
        State::Scanning => Status::Scanning,
        State::Recognising => Status::Recognising,
        State::Asking => Status::Asking,
        State::Staging => Status::Staging,
        State::Matching => Status::Matching,
        State::Review => Status::Review,
        State::Committing => Status::Committing,
        State::Committed => Status::Committed,
        State::Reverting => Status::Reverting,
        State::Reverted => Status::Reverted,
        State::Refused => Status::Refused,
        State::Failed => Status::Failed,
        State::Cancelled => Status::Cancelled,
        State::Expired => Status::Expired,
    })
}

pub(super) fn row_filters(asked: &proto::ListImportRowsRequest) -> String {
    format!(
        "rows|{}|{:?}|{:?}|{}",
        asked.import_id, asked.verdicts, asked.included, asked.account_id
    )
}

pub(super) fn row_filter(asked: &proto::ListImportRowsRequest) -> Result<RowFilter, Error> {
    use proto::RowVerdict;
    few("verdicts", asked.verdicts.len(), VERDICTS)?;
    let mut filter = RowFilter {
        included: asked.included,
        account_id: match asked.account_id.as_str() {
            "" => None,
            text => Some(id("account_id", text)?),
        },
        ..RowFilter::default()
    };
    for number in &asked.verdicts {
        let unknown = || Error::invalid("verdicts", format!("{number} is not a verdict"));
        match RowVerdict::try_from(*number).map_err(|_| unknown())? {
            RowVerdict::Unspecified => return Err(unknown()),
            RowVerdict::New => filter.verdicts.push(Verdict::New),
            RowVerdict::Duplicate => filter.verdicts.push(Verdict::Duplicate),
            RowVerdict::DeletedBefore => filter.verdicts.push(Verdict::DeletedBefore),
            RowVerdict::Changed => filter.verdicts.push(Verdict::Changed),
            RowVerdict::Linked => filter.verdicts.push(Verdict::Linked),
            RowVerdict::Suspected => filter.verdicts.push(Verdict::Suspected),
            RowVerdict::Invalid => filter.invalid = true,
        }
    }
    Ok(filter)
}

/// A row that cannot be linked.
pub(super) fn unlinkable(row_number: i32, resembles: bool) -> Error {
    let problem = if resembles {
        "resembles a transaction that a statement has told of already; SKIP it if the two are one \
         booking, ADD it if they are not"
    } else {
        "resembles no transaction that it could be linked with; ADD or SKIP it"
    };
    Error::invalid("changes.action", format!("row {row_number} {problem}"))
}
