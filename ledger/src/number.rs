//! Numbers of accounts: how they are noted, and whether what a file says is one of them.
//!
//! A number is the same as another only in full. What banks mask, as in `****1234`, may suggest an
//! account and never proves one.

/// The longest number, in characters.
pub const CHARACTERS_MAX: usize = 64;
/// Fewer letters and digits than this are no number of an account.
pub const SIGNIFICANT_MIN: usize = 4;
/// Fewer letters and digits than this are too few to prove that two numbers are the same.
const PROOF_MIN: usize = 6;
/// A national number of fewer digits is too short to be looked for inside an IBAN.
const NATIONAL_MIN: usize = 8;
/// A masked number shows at least this many digits at its end.
const SHOWN_MIN: usize = 4;

/// Digits at the end of an IBAN that are the number of the account, the bank's code before them:
/// ISO 13616, the registry's national structures.
const NATIONAL: [(&str, usize); 12] = [
    ("AT", 11),
    ("CH", 12),
    ("CZ", 10),
    ("DE", 10),
    ("DK", 10),
    ("EE", 14),
    ("GB", 8),
    ("IE", 8),
    ("LI", 12),
    ("NL", 10),
    ("NO", 11),
    ("SK", 10),
];

/// Why a text is no number of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Over [`CHARACTERS_MAX`] characters.
    Long(usize),
    /// Under [`SIGNIFICANT_MIN`] letters and digits.
    Short,
    /// A character that no bank writes.
    Strange(char),
}

/// A number as it is kept: without spaces, in upper case.
#[must_use]
pub fn normalise(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_whitespace());
    letters.flat_map(char::to_uppercase).collect()
}

/// A number that a person notes, as it is kept; empty for none.
///
/// # Errors
/// [`Unfit`] for what cannot be one.
pub fn parse(text: &str) -> Result<String, Unfit> {
    let number = normalise(text);
    if number.is_empty() {
        return Ok(number);
    }
    let strange = |letter: &char| !letter.is_alphanumeric() && !"-./*•_:".contains(*letter);
    if let Some(letter) = number.chars().find(strange) {
        return Err(Unfit::Strange(letter));
    }
    let count = number.chars().count();
    if count > CHARACTERS_MAX {
        return Err(Unfit::Long(count));
    }
    if significant(&number).chars().count() < SIGNIFICANT_MIN {
        return Err(Unfit::Short);
    }
    Ok(number)
}

/// Letters and digits alone, in upper case.
fn significant(text: &str) -> String {
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_uppercase).collect()
}

/// Whether a text names an account by a whole number: long enough, mostly digits, nothing masked.
#[must_use]
pub fn is_whole(text: &str) -> bool {
    let letters = significant(text);
    let digits = letters.chars().filter(char::is_ascii_digit).count();
    let count = letters.chars().count();
    count >= PROOF_MIN && digits * 2 >= count && shown(text).is_none()
}

/// Whether two texts are the same number, in full: equal, or one the IBAN of the other.
#[must_use]
pub fn is_same(left: &str, right: &str) -> bool {
    if shown(left).is_some() || shown(right).is_some() {
        return false;
    }
    let (left, right) = (significant(left), significant(right));
    (left == right && left.chars().count() >= PROOF_MIN)
        || holds(&left, &right)
        || holds(&right, &left)
}

/// Whether a text has the shape of an IBAN: country, two check digits, and 11 to 30 letters and
/// digits, most of them digits.
#[must_use]
pub fn is_iban(text: &str) -> bool {
    let compact = normalise(text);
    let (country, rest) = compact.split_at_checked(2).unwrap_or_default();
    (15..=34).contains(&compact.len())
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && rest.bytes().take(2).all(|byte| byte.is_ascii_digit())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && rest.bytes().filter(u8::is_ascii_digit).count() >= 8
}

/// Whether an IBAN ends with a national number: with all of it, as the country cuts it, or with
/// zeros before it. Any other tail would also be that of an account with a longer number.
fn holds(iban: &str, national: &str) -> bool {
    if !is_iban(iban)
        || national.len() < NATIONAL_MIN
        || !national.bytes().all(|byte| byte.is_ascii_digit())
    {
        return false;
    }
    let Some(before) = iban.strip_suffix(national) else {
        return false;
    };
    let whole = before.len() <= 4;
    let cut = NATIONAL
        .iter()
        .any(|(country, digits)| iban.starts_with(country) && national.len() == *digits);
    let padded = before.ends_with(|last: char| last == '0' || last.is_alphabetic());
    whole || cut || padded
}

/// The digits that a masked number shows at its end, as `1234` of `****1234` or `XXXX-1234`; none
/// for a number that hides nothing.
fn shown(text: &str) -> Option<String> {
    let text = normalise(text);
    let head = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = text
        .strip_prefix(head)
        .filter(|digits| digits.len() >= SHOWN_MIN)?;
    let head = head.trim_end_matches(['-', '/']);
    let masks = |mask: char| {
        head.chars()
            .rev()
            .take_while(|letter| *letter == mask)
            .count()
            > 1
    };
    let hidden = "*X•#.…".chars().any(masks);
    hidden.then(|| digits.to_owned())
}

/// Whether a text hides a part of a number.
#[must_use]
pub fn is_masked(text: &str) -> bool {
    shown(text).is_some()
}

/// Whether a masked number may stand for a number: its shown digits end it. A proposal, no proof.
#[must_use]
pub fn suggests(masked: &str, number: &str) -> bool {
    shown(masked).is_some_and(|digits| significant(number).ends_with(&digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_without_spaces_in_upper_case() {
        for (text, expected) in [
            ("", Ok("")),
            ("  ", Ok("")),
            ("de89 3704 0044 0532 0130 00", Ok("DE89370400440532013000")),
            ("12-34-56 12345678", Ok("12-34-5612345678")),
            ("****1234", Ok("****1234")),
            ("123", Err(Unfit::Short)),
            ("----", Err(Unfit::Short)),
            ("12345\u{0}", Err(Unfit::Strange('\u{0}'))),
            ("1234=5", Err(Unfit::Strange('='))),
            ("<1234>", Err(Unfit::Strange('<'))),
        ] {
            assert_eq!(parse(text), expected.map(str::to_owned), "{text:?}");
        }
        assert!(parse(&"1".repeat(64)).is_ok());
        assert_eq!(parse(&"1".repeat(65)), Err(Unfit::Long(65)));
    }

    #[test]
    fn only_whole_numbers_are_the_same() {
        let iban = "DE89370400440532013000";
        for (left, right, same) in [
            (iban, "DE89 3704 0044 0532 0130 00", true),
            (iban, "de89370400440532013000", true),
            (iban, "DE89370400440532013001", false),
            // The ten digits of Germany, and what is left of them without their zero.
            (iban, "0532013000", true),
            (iban, "532013000", true),
            // The tail of a longer number.
            (iban, "32013000", false),
            (iban, "2013000", false),
            ("DE71500105170012345678", "12345678", true),
            ("DE71500105179912345678", "12345678", false),
            ("GB29NWBK60161331926819", "31926819", true),
            ("GB29NWBK60161331926819", "60-16-13 31926819", true),
            ("NL91ABNA0417164300", "417164300", true),
            ("NL91ABNA0417164300", "0417164300", true),
            ("BE68539007547034", "539007547034", true),
            (
                "PL61109010140000071219812874",
                "61109010140000071219812874",
                true,
            ),
            ("123456", "123456", true),
            ("12345", "12345", false),
            ("12-34-56", "123456", true),
            ("0123 45678901.23A", "012345678901.23a", true),
            ("****1234", "****1234", false),
            ("", "", false),
            (iban, "", false),
        ] {
            assert_eq!(is_same(left, right), same, "{left} {right}");
            assert_eq!(is_same(right, left), same, "{right} {left}");
        }
    }

    #[test]
    fn what_is_masked_only_suggests() {
        let card = "4000123412345678";
        for (masked, number, fits) in [
            ("****5678", card, true),
            ("XXXX5678", card, true),
            ("xxxx xxxx xxxx 5678", card, true),
            ("XXXX-5678", card, true),
            ("••5678", card, true),
            ("...5678", card, true),
            ("Foo current ****5678", card, true),
            ("400012******5678", card, true),
            ("****4321", card, false),
            ("****678", card, false),
            ("5678", card, false),
            ("Visa 5678", card, false),
            (card, card, false),
            ("****5678", "", false),
        ] {
            assert_eq!(suggests(masked, number), fits, "{masked} {number}");
        }
    }

    #[test]
    fn a_name_is_no_number() {
        for (text, whole) in [
            ("DE89370400440532013000", true),
            ("GB29NWBK60161331926819", true),
            ("123456", true),
            ("12345", false),
            ("****123456", false),
            ("Current account", false),
            ("Savings 2024", false),
            ("", false),
        ] {
            assert_eq!(is_whole(text), whole, "{text}");
        }
    }
}
