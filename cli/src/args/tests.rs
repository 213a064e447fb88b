use clap::{CommandFactory, error::ErrorKind};

use super::*;

fn parse(line: &str) -> Result<Args, clap::Error> {
    Args::try_parse_from(std::iter::once("djinn").chain(line.split_whitespace()))
}

#[test]
fn the_definition_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn what_is_right_is_taken() {
    let id = "0190a0a0-0000-7000-8000-000000000000";
    for line in [
        "token --key k --ttl 30m",
        "--json token --key k --user 0190a0a0-0000-7000-8000-000000000000",
        "account create --name Main --currency eur --opening-balance -12.30",
        "account create --name Main --currency EUR --kind credit-card --json",
        "account list --url https://djinn.example --token t",
        "preview f.csv --answer a=b --answer c=d=e --rows 5",
        "import f.csv --account Main --yes --auto-confirm",
        "import f.csv --account Main --request-id 0190a0a0-0000-7000-8000-000000000000",
        "imports list --json",
        &format!("imports show {id}"),
        &format!("imports rows {id} --verdict new,deleted-before --included no --limit 3"),
        &format!("imports decide {id} --link 3 --skip 1,2 --add 4 --etag e"),
        &format!("imports rows {id} --verdict linked,suspected"),
        &format!("imports confirm {id} --etag e"),
        &format!("imports cancel {id}"),
        &format!("imports revert {id}"),
        &format!("imports revert {id} --yes --json"),
        &format!("transactions list --import {id}"),
        "transactions add --account Main --date 2025-01-31 --amount -12.30",
        "transactions add --account Main --date 2025-01-31 --amount 5 --description --x --note n",
        &format!("transactions show {id} --json"),
        &format!("transactions edit {id} --reconciled yes"),
        &format!("transactions edit {id} --note= --value-date= --description= --etag e"),
        &format!("transactions edit {id} --amount -5 --date 2025-01-31 --counterparty c"),
        &format!("transactions delete {id} --etag e --yes"),
        &format!("transactions unlock {id} amount note --etag e"),
        "import f.csv --account Main --answer date=0:dmy --answer rows=keep",
        &format!("imports answer {id} --answer date=0:dmy --yes"),
        &format!("imports answer {id}"),
        "templates list --account Main",
        &format!("templates show {id}"),
        &format!("templates export {id} --output f.json"),
        "templates import f.json --account Main",
        &format!("templates delete {id}"),
        "transactions list --account Main --from 2025-01-01 --to 2025-12-31 --text x --limit 3",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn what_is_wrong_is_usage() {
    for (line, expected) in [
        ("", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("fly", ErrorKind::InvalidSubcommand),
        ("token --key k --ttl soon", ErrorKind::ValueValidation),
        ("token --key k --user me", ErrorKind::ValueValidation),
        (
            "account create --name Main",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "account create --name Main --currency EURO",
            ErrorKind::ValueValidation,
        ),
        (
            "account create --name Main --currency EUR --kind sock",
            ErrorKind::InvalidValue,
        ),
        (
            "account list --url ftp://djinn.example",
            ErrorKind::ValueValidation,
        ),
        ("account list --url djinn", ErrorKind::ValueValidation),
        ("preview f.csv --answer a", ErrorKind::ValueValidation),
        ("preview f.csv --answer =b", ErrorKind::ValueValidation),
        ("preview f.csv --rows 0", ErrorKind::ValueValidation),
        ("import f.csv", ErrorKind::MissingRequiredArgument),
        (
            "import f.csv --account Main --request-id 1",
            ErrorKind::ValueValidation,
        ),
        ("imports show 1", ErrorKind::ValueValidation),
        (
            "import f.csv --account Main --answer date",
            ErrorKind::ValueValidation,
        ),
        ("imports answer 1", ErrorKind::ValueValidation),
        (
            "templates import f.json",
            ErrorKind::MissingRequiredArgument,
        ),
        ("templates show 1", ErrorKind::ValueValidation),
        (
            "transactions list --from 2025-02-30",
            ErrorKind::ValueValidation,
        ),
        ("transactions list --limit 0", ErrorKind::ValueValidation),
        (
            "transactions add --account Main --date 2025-01-31",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "transactions edit 0190a0a0-0000-7000-8000-000000000000 --etag e",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "transactions edit 0190a0a0-0000-7000-8000-000000000000 --value-date soon",
            ErrorKind::ValueValidation,
        ),
        (
            "transactions unlock 0190a0a0-0000-7000-8000-000000000000",
            ErrorKind::MissingRequiredArgument,
        ),
    ] {
        let kind = parse(line).map(drop).map_err(|error| error.kind());
        assert_eq!(kind, Err(expected), "{line}");
    }
}

#[test]
fn an_edit_of_a_row_names_a_field_that_there_is() {
    let edit = |flags| {
        let line = format!("imports edit 0190a0a0-0000-7000-8000-000000000000 1 {flags}");
        parse(&line).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(edit("--reset date,value-date --amount -5"), Ok(()));
    for (flags, expected) in [
        ("--etag e", ErrorKind::MissingRequiredArgument),
        ("--reset note", ErrorKind::InvalidValue),
        ("--value-date soon", ErrorKind::ValueValidation),
    ] {
        assert_eq!(edit(flags), Err(expected), "{flags}");
    }
}

#[test]
fn values_mean_what_they_say() {
    let Command::Preview(preview) = parse("preview f.csv --answer a=b=c").unwrap().command else {
        panic!("another command");
    };
    assert_eq!(preview.answers, [("a".to_owned(), "b=c".to_owned())]);
    assert_eq!(preview.rows, 20);

    let line = "account create --name Main --currency jpy --opening-balance -12";
    let Command::Account(Account::Create(create)) = parse(line).unwrap().command else {
        panic!("another command");
    };
    assert_eq!(create.currency, Currency::parse("JPY").unwrap());
    assert_eq!(create.opening_balance.as_deref(), Some("-12"));
    assert_eq!(AccountKind::from(create.kind), AccountKind::Checking);

    let line = "imports rows 0190a0a0-0000-7000-8000-000000000000 --verdict new,invalid";
    let Command::Imports(Imports::Rows(rows)) = parse(line).unwrap().command else {
        panic!("another command");
    };
    assert_eq!(rows.verdicts, [Verdict::New, Verdict::Invalid]);
    assert_eq!(rows.included, None);
}

#[test]
fn every_kind_and_verdict_has_its_counterpart() {
    let kinds: Vec<_> = Kind::value_variants()
        .iter()
        .map(|kind| i32::from(AccountKind::from(*kind)))
        .collect();
    assert_eq!(kinds, [1, 2, 3, 4, 5, 6, 7]);
    let verdicts: Vec<_> = Verdict::value_variants()
        .iter()
        .map(|verdict| i32::from(RowVerdict::from(*verdict)))
        .collect();
    assert_eq!(verdicts, [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn the_help_lists_the_exit_codes() {
    let help = Args::command().render_long_help().to_string();
    for code in [
        "  0    done",
        "  5    waits for confirmation",
        "  130  interrupted",
    ] {
        assert!(help.contains(code), "{help}");
    }
}
