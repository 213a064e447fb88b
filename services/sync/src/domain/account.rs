//! Requests about accounts, and whether an edit may go ahead.

use djinn_ledger::{
    account::{Account, Edit, Kind},
    money::Money,
    number::{self, Unfit},
    zone::Zone,
};
use uuid::Uuid;

use super::{
    edit::EditRefused,
    field::{Fields, Invalid},
    page::Scope,
};

/// The fields of an account that `update_mask` may name.
const EDITABLE: &str = "name, kind, opening_balance, number, time_zone";

/// A new account.
#[derive(Clone, Debug)]
pub(crate) struct CreateAccount {
    /// Makes the request safe to repeat.
    pub(crate) request_id: Uuid,
    /// SHA-256 of the request as it was sent.
    pub(crate) body_hash: [u8; 32],
    /// The name, checked.
    pub(crate) name: String,
    /// The kind.
    pub(crate) kind: Kind,
    /// The number, as the ledger keeps it; empty if not told.
    pub(crate) number: String,
    /// The time zone of its holder.
    pub(crate) time_zone: Zone,
    /// The balance before the first transaction, in the account's currency.
    pub(crate) opening: Money,
}

/// A page of accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListAccounts {
    /// Only closed ones or only open ones, if set.
    pub(crate) closed: Option<bool>,
    /// Only those behind this one.
    pub(crate) after: Option<Uuid>,
    /// How many at most.
    pub(crate) size: usize,
    /// What the next page's token is for.
    pub(crate) scope: Scope,
}

/// An edit of an account that the caller has read.
#[derive(Clone, Debug)]
pub(crate) struct UpdateAccount {
    /// The account.
    pub(crate) account_id: Uuid,
    /// What the caller has read.
    pub(crate) etag: String,
    /// The new name, if it changes.
    pub(crate) name: Option<String>,
    /// The new kind, if it changes.
    pub(crate) kind: Option<Kind>,
    /// The new number, if it changes.
    pub(crate) number: Option<String>,
    /// The new time zone, if it changes.
    pub(crate) time_zone: Option<Zone>,
    /// The new opening balance, if it changes. Its currency is compared with the account's.
    pub(crate) opening: Option<Money>,
}

impl UpdateAccount {
    /// What to write, if the account is still open and what the caller has read.
    ///
    /// # Errors
    /// [`EditRefused`], of which a closed account comes first, because no fresh etag would help.
    pub(crate) fn permit(&self, account: &Account) -> Result<Edit, EditRefused> {
        if account.closed_at.is_some() {
            return Err(EditRefused::AccountClosed {
                account_id: account.account_id,
            });
        }
        if self.etag != etag(account) {
            return Err(EditRefused::EtagMismatch { what: "account" });
        }
        let currency = account.opening.currency;
        if let Some(opening) = self.opening.filter(|opening| opening.currency != currency) {
            let Money {
                currency: other, ..
            } = opening;
            return Err(EditRefused::Invalid(Invalid::of(
                "account.opening_balance.currency_code",
                format!("is {other}, but the account's currency is {currency} and never changes"),
            )));
        }
        Ok(Edit {
            name: self.name.clone(),
            kind: self.kind,
            number: self.number.clone(),
            time_zone: self.time_zone,
            opening_minor: self.opening.map(|opening| opening.minor_units),
        })
    }
}

/// What stands for an account as it was read: its last change.
pub(crate) fn etag(account: &Account) -> String {
    account.change_id.to_string()
}

/// Which fields an edit names.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Mask {
    /// `name`.
    pub(crate) name: bool,
    /// `kind`.
    pub(crate) kind: bool,
    /// `opening_balance`.
    pub(crate) opening_balance: bool,
    /// `number`.
    pub(crate) number: bool,
    /// `time_zone`.
    pub(crate) time_zone: bool,
}

impl Fields {
    /// The fields to change; at least one, and none that cannot change.
    pub(crate) fn mask<'a>(
        &mut self,
        field: &str,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Mask {
        let mut mask = Mask::default();
        let mut empty = true;
        for path in paths {
            empty = false;
            match path {
                "name" => mask.name = true,
                "kind" => mask.kind = true,
                "opening_balance" => mask.opening_balance = true,
                "number" => mask.number = true,
                "time_zone" => mask.time_zone = true,
                "currency_code" => self.refuse(
                    field,
                    "names currency_code, which never changes; open another account",
                ),
                _ => {
                    // Cut, because it comes from outside and is sent back.
                    let path: String = path.chars().take(40).collect();
                    let text = format!("names {path:?}, which cannot change; name of {EDITABLE}");
                    self.refuse(field, text);
                    // One is enough: a mask may hold thousands.
                    return mask;
                }
            }
        }
        if empty {
            self.refuse(
                field,
                format!("is empty; name what to change, of {EDITABLE}"),
            );
        }
        mask
    }

    /// The number that the bank knows an account by; empty for none.
    pub(crate) fn number(&mut self, field: &str, text: &str) -> Option<String> {
        let problem = match number::parse(text) {
            Ok(number) => return Some(number),
            Err(Unfit::Long(count)) => {
                let most = number::CHARACTERS_MAX;
                format!("has {count} characters without its spaces; send at most {most}")
            }
            Err(Unfit::Short) => {
                let least = number::SIGNIFICANT_MIN;
                format!("has under {least} letters and digits; send the bank's number, or nothing")
            }
            Err(Unfit::Strange(letter)) => {
                format!("holds {letter:?}; send the number as the bank writes it, as an IBAN")
            }
        };
        self.refuse(field, problem);
        None
    }

    /// The time zone of an account's holder; empty for none.
    pub(crate) fn time_zone(&mut self, field: &str, text: &str) -> Option<Zone> {
        let zone = Zone::parse(text).ok();
        if zone.is_none() {
            let problem = "is no time zone; send a name of the IANA database, as Europe/Berlin";
            self.refuse(field, problem);
        }
        zone
    }

    /// The opening balance of a new account: zero when it is not told, and in the account's
    /// currency.
    pub(crate) fn opening(
        &mut self,
        field: &str,
        sent: Option<(&str, i64)>,
        currency_code: &str,
    ) -> Option<Money> {
        let currency = self.currency("currency_code", currency_code)?;
        let Some((code, minor_units)) = sent else {
            return Some(Money {
                currency,
                minor_units: 0,
            });
        };
        let opening = self.money(field, code, minor_units)?;
        if opening.currency != currency {
            let text =
                format!("is {code}, but the account's currency is {currency}; send the same");
            self.refuse(&format!("{field}.currency_code"), text);
            return None;
        }
        Some(opening)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use djinn_ledger::money::Currency;

    use super::*;

    fn money(code: &str, minor_units: i64) -> Money {
        Money {
            currency: Currency::parse(code).unwrap(),
            minor_units,
        }
    }

    fn account() -> Account {
        Account {
            account_id: Uuid::from_u128(1),
            name: "Giro".to_owned(),
            kind: Kind::Checking,
            number: String::new(),
            time_zone: Zone::default(),
            opening: money("EUR", 100),
            closed_at: None,
            version: 7,
            change_id: Uuid::from_u128(2),
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            updated_at: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    fn edit() -> UpdateAccount {
        UpdateAccount {
            account_id: Uuid::from_u128(1),
            etag: etag(&account()),
            name: Some("Main".to_owned()),
            kind: None,
            number: Some("DE89370400440532013000".to_owned()),
            time_zone: Zone::parse("Europe/Berlin").ok(),
            opening: Some(money("EUR", -5)),
        }
    }

    #[test]
    fn an_edit_of_what_was_read_goes_ahead() {
        let expected = Edit {
            name: Some("Main".to_owned()),
            kind: None,
            number: Some("DE89370400440532013000".to_owned()),
            time_zone: Zone::parse("Europe/Berlin").ok(),
            opening_minor: Some(-5),
        };
        assert_eq!(edit().permit(&account()).unwrap(), expected);
    }

    #[test]
    fn edits_are_refused_in_this_order() {
        let mut stale = edit();
        stale.etag = "garbage".to_owned();
        stale.opening = Some(money("USD", 1));
        let mut closed = account();
        closed.closed_at = Some(DateTime::<Utc>::UNIX_EPOCH);
        let account_id = closed.account_id;
        assert_eq!(
            stale.permit(&closed),
            Err(EditRefused::AccountClosed { account_id })
        );
        let mismatch = EditRefused::EtagMismatch { what: "account" };
        assert_eq!(stale.permit(&account()), Err(mismatch));
        stale.etag = etag(&account());
        let error = stale.permit(&account()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "account.opening_balance.currency_code: is USD, but the account's currency is EUR and \
             never changes"
        );
    }

    #[test]
    fn masks() {
        let read = |paths: &[&str]| {
            let mut fields = Fields::new();
            let mask = fields.mask("update_mask", paths.iter().copied());
            fields
                .finish(|| Some(mask))
                .map_err(|invalid| invalid.to_string())
        };
        let name = Mask {
            name: true,
            ..Mask::default()
        };
        let all = Mask {
            name: true,
            kind: true,
            opening_balance: true,
            number: true,
            time_zone: true,
        };
        assert_eq!(read(&["name"]), Ok(name));
        assert_eq!(read(&["name", "name"]), Ok(name));
        assert_eq!(
            read(&["kind", "number", "opening_balance", "time_zone", "name"]),
            Ok(all)
        );
        for (paths, expected) in [
            (
                &[][..],
                "update_mask: is empty; name what to change, of name, kind, opening_balance, \
                 number, time_zone",
            ),
            (
                &["name", "currency_code"],
                "update_mask: names currency_code, which never changes; open another account",
            ),
            (
                &["*"],
                "update_mask: names \"*\", which cannot change; name of name, kind, \
                 opening_balance, number, time_zone",
            ),
        ] {
            assert_eq!(read(paths), Err(expected.to_owned()));
        }
        assert!(read(&["opening_balance.minor_units"]).is_err());
        assert!(read(&[&"x".repeat(100_000)]).unwrap_err().len() < 200);
        assert!(read(&["x"; 10_000]).unwrap_err().len() < 200);
    }

    #[test]
    fn time_zones() {
        let read = |text: &str| {
            let mut fields = Fields::new();
            let zone = fields.time_zone("time_zone", text);
            let finished = fields.finish(|| zone);
            finished
                .map(Zone::name)
                .map_err(|invalid| invalid.to_string())
        };
        assert_eq!(read("Asia/Kolkata"), Ok("Asia/Kolkata"));
        assert_eq!(read(""), Ok(""));
        let refused = "time_zone: is no time zone; send a name of the IANA database, as \
                       Europe/Berlin";
        assert_eq!(read("CET+1"), Err(refused.to_owned()));
    }

    #[test]
    fn numbers() {
        let read = |text: &str| {
            let mut fields = Fields::new();
            let number = fields.number("number", text);
            let finished = fields.finish(|| number);
            finished.map_err(|invalid| invalid.to_string())
        };
        let long = "1".repeat(65);
        for (text, expected) in [
            ("", Ok("")),
            ("de89 3704 0044 0532 0130 00", Ok("DE89370400440532013000")),
            (
                "12",
                Err("has under 4 letters and digits; send the bank's number, or nothing"),
            ),
            (
                "1234\n5678\u{7}",
                Err("holds '\\u{7}'; send the number as the bank writes it, as an IBAN"),
            ),
            (
                &long,
                Err("has 65 characters without its spaces; send at most 64"),
            ),
        ] {
            let expected = expected.map(str::to_owned);
            let expected = expected.map_err(|problem| format!("number: {problem}"));
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn opening_balances() {
        let read = |sent, currency| {
            let mut fields = Fields::new();
            let opening = fields.opening("opening_balance", sent, currency);
            let finished = fields.finish(|| opening);
            finished.map_err(|invalid| invalid.violations()[0].field.clone())
        };
        assert_eq!(read(None, "EUR"), Ok(money("EUR", 0)));
        assert_eq!(read(Some(("EUR", 5)), "EUR"), Ok(money("EUR", 5)));
        let code = Err("opening_balance.currency_code".to_owned());
        assert_eq!(read(Some(("USD", 5)), "EUR"), code);
        assert_eq!(read(Some(("", 0)), "EUR"), code);
        assert_eq!(read(Some(("EUR", 5)), ""), Err("currency_code".to_owned()));
    }
}
