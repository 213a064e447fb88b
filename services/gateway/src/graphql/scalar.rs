//! The scalars that GraphQL does not have by itself.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{NaiveDate, SecondsFormat, Utc};
use uuid::Uuid;

use super::error::{Result, required};
use crate::domain::Owner;

/// 64 bits, which the numbers of GraphQL and of JavaScript do not have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Int64(pub(super) i64);

/// A whole number of 64 bits, as a string of digits with a sign: `"-1230"`. A number is taken as
/// well, if it is whole.
#[Scalar]
impl ScalarType for Int64 {
    fn parse(value: Value) -> InputValueResult<Self> {
        let number = match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        number
            .map(Self)
            .ok_or_else(|| InputValueError::custom("not a whole number of 64 bits"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A civil date, as the services write it.
#[derive(Clone, Debug)]
pub(super) struct Date(String);

/// A civil date without a time or a zone, as `"2026-02-28"`.
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let date = match &value {
            Value::String(text) => NaiveDate::parse_from_str(text, "%Y-%m-%d").ok(),
            _ => None,
        };
        date.map(|date| Self(date.to_string()))
            .ok_or_else(|| InputValueError::custom("not a date; write it as 2026-02-28"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl Date {
    /// The date in a field of the proto, where empty stands for none.
    pub(super) fn read(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// For a field of the proto.
    pub(super) fn write(self) -> String {
        self.0
    }
}

/// A moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct DateTime(chrono::DateTime<Utc>);

/// A moment in UTC with microseconds, by RFC 3339: `"2026-02-28T12:00:00.000000Z"`.
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let moment = match &value {
            Value::String(text) => chrono::DateTime::parse_from_rfc3339(text).ok(),
            _ => None,
        };
        moment
            .map(|moment| Self(moment.to_utc()))
            .ok_or_else(|| InputValueError::custom("not a time by RFC 3339"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl DateTime {
    /// The moment of a timestamp that may be unset.
    pub(super) fn read<T>(timestamp: Option<T>, owner: Owner) -> Result<Option<Self>>
    where
        chrono::DateTime<Utc>: TryFrom<T>,
    {
        let Some(timestamp) = timestamp else {
            return Ok(None);
        };
        let moment = chrono::DateTime::try_from(timestamp).ok();
        Ok(Some(Self(required(moment, owner)?)))
    }

    /// The moment of a timestamp that is always set.
    pub(super) fn require<T>(timestamp: Option<T>, owner: Owner) -> Result<Self>
    where
        chrono::DateTime<Utc>: TryFrom<T>,
    {
        required(Self::read(timestamp, owner)?, owner)
    }
}

/// What makes a mutation safe to repeat.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestId(Uuid);

/// A UUID chosen by the client, as `"0190b3f4-0000-7000-8000-000000000001"`. The same one with the
/// same input again returns the first answer; with another input it fails with REQUEST_ID_REUSED.
#[Scalar(name = "UUID")]
impl ScalarType for RequestId {
    fn parse(value: Value) -> InputValueResult<Self> {
        let id = match &value {
            Value::String(text) => Uuid::parse_str(text).ok(),
            _ => None,
        };
        id.map(Self)
            .ok_or_else(|| InputValueError::custom("not a UUID"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl RequestId {
    /// For a field of the proto.
    pub(super) fn write(self) -> String {
        self.0.to_string()
    }
}

/// A count that the limits of the services keep within the 32 bits of an Int.
pub(super) fn count(number: i64, owner: Owner) -> Result<i32> {
    required(i32::try_from(number).ok(), owner)
}

/// A text of the proto, where empty stands for none.
pub(super) fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_four_bits_come_as_text_or_number_and_go_as_text() {
        for value in [Value::from("-9223372036854775808"), Value::from(i64::MIN)] {
            let number = Int64::parse(value).ok().map(|number| number.0);
            assert_eq!(number, Some(i64::MIN));
        }
        assert_eq!(Int64(i64::MAX).to_value(), "9223372036854775807".into());
        for bad in [
            Value::from("1.5"),
            "9223372036854775808".into(),
            Value::Null,
            1.5.into(),
        ] {
            assert!(Int64::parse(bad).is_err());
        }
    }

    #[test]
    fn dates_and_ids_are_read_strictly() {
        for good in ["2026-02-28", "0001-01-01"] {
            let date = Date::parse(good.into()).ok().map(Date::write);
            assert_eq!(date.as_deref(), Some(good));
        }
        for bad in ["2026-02-30", "28.02.2026", "2026-02-28T00:00:00Z", ""] {
            assert!(Date::parse(bad.into()).is_err(), "{bad}");
        }
        assert!(RequestId::parse("0190b3f4-0000-7000-8000-000000000001".into()).is_ok());
        assert!(RequestId::parse("1".into()).is_err());
    }
}
