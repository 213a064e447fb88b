use expect_test::expect;

use super::super::answer::{Giver, Saved};
use super::super::reading::recognise;
use super::super::specimen::{Bytes, hints};
use super::*;

const GIRO: &str = "DE71500105170012345678";
const SAVINGS: &str = "DE96500105170087654321";

fn own(id: u128, name: &str, number: &str, currency: &str) -> Own {
    Own {
        account_id: Uuid::from_u128(id),
        name: name.to_owned(),
        number: number.to_owned(),
        currency: Currency::parse(currency).unwrap(),
    }
}

/// A file with two rows of each account.
fn file(accounts: &[&str]) -> Bytes {
    let mut file = String::from("Own account,Date,Details,Amount,Currency\n");
    for (index, account) in accounts.iter().enumerate() {
        let day = index + 13;
        file += &format!("{account},2024-01-{day},Tea {index},-1.50,EUR\n");
        file += &format!("{account},2024-01-{day},Pay {index},2.50,EUR\n");
    }
    Bytes(file.into_bytes())
}

struct Case<'a> {
    file: &'a [&'a str],
    own: &'a [Own],
    chosen: u128,
    answers: &'a [(&'a str, &'a str)],
    template: &'a [(&'a str, &'a str)],
}

impl Case<'_> {
    fn run(&self) -> (Routing, Reading) {
        let source = file(self.file);
        let saved = hints(self.template).answers;
        let hints = Hints {
            template: Some(Saved {
                name: "bank".to_owned(),
                answers: saved,
            }),
            ..hints(self.answers)
        };
        let recognition = recognise(&source, &hints).unwrap();
        let mut reading = recognition.reading().unwrap().clone();
        let chosen = Uuid::from_u128(self.chosen);
        let routing = route(&source, &mut reading, self.own, chosen, &hints).unwrap();
        (routing, reading)
    }

    fn text(&self) -> String {
        let short = |value: &str| match Uuid::try_parse(value) {
            Ok(id) => id.as_u128().to_string(),
            Err(_) => value.to_owned(),
        };
        match self.run().0 {
            Routing::Found(ways) => {
                let ways = ways.into_iter().map(|(name, way)| match way {
                    Way::Into(id) => format!("{name} -> {}", id.as_u128()),
                    Way::LeftOut => format!("{name} -> out"),
                });
                ways.collect::<Vec<_>>().join("; ")
            }
            Routing::Asks(questions) => {
                let asked = questions.into_iter().map(|question| {
                    let values = question.choices.iter().map(|it| short(&it.value));
                    let values = values.collect::<Vec<_>>().join("|");
                    format!("{}? {values}", question.key)
                });
                asked.collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// The accounts of each set that cases name.
fn set(name: &str) -> Vec<Own> {
    let card = "4000123412349999";
    let accounts: &[(&str, &str, &str)] = match name {
        "noted" => &[("Giro", GIRO, "EUR"), ("Savings", SAVINGS, "EUR")],
        "half" => &[("Giro", "", "EUR"), ("Savings", SAVINGS, "EUR")],
        "bare" => &[("Giro", "", "EUR"), ("Savings", "", "EUR")],
        "cards" => &[
            ("Giro", GIRO, "EUR"),
            ("Card", card, "EUR"),
            ("Dollars", "4000123412341111", "USD"),
        ],
        "twins" => &[
            ("Giro", GIRO, "EUR"),
            ("Card", card, "EUR"),
            ("Other card", "4999123412349999", "EUR"),
        ],
        _ => &[],
    };
    let numbered = (1..).zip(accounts);
    numbered
        .map(|(id, (name, number, currency))| own(id, name, number, currency))
        .collect()
}

fn lent(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(key, value)| (&**key, &**value))
        .collect()
}

/// A case in a line: the user's accounts and the chosen one; the accounts of the file; a person's
/// answers; a template's. G, S and U stand for numbers.
fn run(line: &str) -> String {
    let mut parts = line.split(';').map(str::trim);
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (of, file) = (part(), part());
    let (name, chosen) = of.split_once(' ').unwrap();
    let whole = |text: &str| match text {
        "G" => GIRO.to_owned(),
        "S" => SAVINGS.to_owned(),
        "U" => "DE02120300000000202051".to_owned(),
        other => other.to_owned(),
    };
    let file: Vec<String> = file.split(", ").map(whole).collect();
    let answers = |text: String| -> Vec<(String, String)> {
        let pairs = text.split(", ").filter_map(|pair| pair.split_once('='));
        let id = |value: &str| match value.parse() {
            Ok(id) => Uuid::from_u128(id).to_string(),
            Err(_) => value.to_owned(),
        };
        pairs.map(|(at, to)| (key(&whole(at)), id(to))).collect()
    };
    let (person, template) = (answers(part()), answers(part()));
    let case = Case {
        file: &file.iter().map(String::as_str).collect::<Vec<_>>(),
        own: &set(name),
        chosen: chosen.parse().unwrap(),
        answers: &lent(&person),
        template: &lent(&template),
    };
    case.text()
}

fn check(cases: &str, expected: &expect_test::Expect) {
    let lines = cases.lines().map(str::trim).filter(|line| !line.is_empty());
    let found: Vec<String> = lines
        .map(|line| format!("{line}\n    {}", run(line)))
        .collect();
    expected.assert_eq(&format!("{}\n", found.join("\n")));
}

#[test]
fn a_whole_number_proves_and_all_else_is_asked() {
    check(
        "noted 1; G, S
        noted 1; DE71 5001 0517 0012 3456 78, 0087654321
        noted 1; G, U
        noted 2; G, U
        bare 1; Savings, Giro, Cash
        cards 1; G, ****9999
        twins 1; G, ****9999
        cards 1; G, ****1111
        cards 3; G, ****7777
        none 1; A1, B2",
        &expect![[r#"
            noted 1; G, S
                DE71500105170012345678 -> 1; DE96500105170087654321 -> 2
            noted 1; DE71 5001 0517 0012 3456 78, 0087654321
                0087654321 -> 2; DE71500105170012345678 -> 1
            noted 1; G, U
                account:DE02120300000000202051? 1|2|skip
            noted 2; G, U
                account:DE02120300000000202051? 2|1|skip
            bare 1; Savings, Giro, Cash
                account:SAVINGS? 2|1|skip; account:GIRO? 1|2|skip
            cards 1; G, ****9999
                account:****9999? 2|1|skip
            twins 1; G, ****9999
                account:****9999? 1|2|3|skip
            cards 1; G, ****1111
                account:****1111? 1|2|skip
            cards 3; G, ****7777
                account:****7777? 3|1|2|skip
            none 1; A1, B2
                A1 -> 1; B2 -> 1
        "#]],
    );
}

#[test]
fn a_file_of_one_account_goes_where_it_was_sent_unless_a_number_contradicts() {
    check(
        "noted 1; G
        noted 2; Giro
        bare 1; U
        noted 1; U
        noted 1; S
        half 1; S
        noted 1; ****5678
        noted 1; ****1234
        cards 1; ****9999
        cards 2; ****9999
        bare 1; ****9999",
        &expect![[r#"
            noted 1; G
                DE71500105170012345678 -> 1
            noted 2; Giro
                GIRO -> 2
            bare 1; U
                DE02120300000000202051 -> 1
            noted 1; U
                account:DE02120300000000202051? 1|2|skip
            noted 1; S
                account:DE96500105170087654321? 2|1|skip
            half 1; S
                account:DE96500105170087654321? 2|1|skip
            noted 1; ****5678
                ****5678 -> 1
            noted 1; ****1234
                account:****1234? 1|2|skip
            cards 1; ****9999
                account:****9999? 2|1|skip
            cards 2; ****9999
                ****9999 -> 2
            bare 1; ****9999
                ****9999 -> 1
        "#]],
    );
}

#[test]
fn answers_lead_rows_and_none_overrules_a_proof() {
    check(
        "noted 1; S; S=skip
        bare 1; A1, B2; A1=2
        bare 1; A1, B2; A1=2; A1=skip, B2=skip
        bare 1; A1, B2; A1=9; B2=2
        noted 1; G, S; G=skip",
        &expect![[r#"
            noted 1; S; S=skip
                DE96500105170087654321 -> out
            bare 1; A1, B2; A1=2
                account:B2? 1|2|skip
            bare 1; A1, B2; A1=2; A1=skip, B2=skip
                A1 -> 2; B2 -> out
            bare 1; A1, B2; A1=9; B2=2
                account:A1? 1|2|skip
            noted 1; G, S; G=skip
                DE71500105170012345678 -> 1; DE96500105170087654321 -> 2
        "#]],
    );
}

#[test]
fn answers_are_noted_with_their_giver() {
    let bare = [own(1, "Giro", "", "EUR"), own(2, "Savings", "", "EUR")];
    let case = Case {
        file: &["A1", "B2"],
        own: &bare,
        chosen: 1,
        answers: &[("account:A1", "skip")],
        template: &[("account:B2", "00000000-0000-0000-0000-000000000002")],
    };
    let (_, reading) = case.run();
    let given = reading.answers.iter();
    let given: Vec<_> = given.map(|it| (&*it.key, &*it.value, it.by)).collect();
    let two = "00000000-0000-0000-0000-000000000002";
    assert_eq!(
        given,
        [
            ("account:A1", "skip", Giver::Person),
            ("account:B2", two, Giver::Template),
        ]
    );
    let said = reading
        .evidence
        .iter()
        .filter(|line| line.contains("Rows of"));
    assert_eq!(
        said.collect::<Vec<_>>(),
        [
            "Your answer: Rows of \"A1\": left out.",
            "The template \"bank\" answers: Rows of \"B2\": into \"Savings\" (EUR).",
        ]
    );
}

#[test]
fn questions_show_the_rows_they_are_about() {
    let own = [own(1, "Giro", GIRO, "EUR"), own(2, "Dollars", "", "USD")];
    let mut case = Case {
        file: &[GIRO, "Feed the cat"],
        own: &own,
        chosen: 2,
        answers: &[],
        template: &[],
    };
    let mut found = String::new();
    for file in [&[GIRO, "Feed the cat"][..], &["DE02120300000000202051"]] {
        case.file = file;
        case.chosen = if file.len() > 1 { 2 } else { 1 };
        let Routing::Asks(questions) = case.run().0 else {
            panic!("asks nothing");
        };
        for question in questions {
            let prompt = question.prompt.replace(". ", ".\n");
            found += &format!("{}\n{prompt}\n", question.key);
            for choice in question.choices {
                found += &format!("{}\n", choice.label);
                for sample in choice.samples {
                    found += &format!("    {sample}\n");
                }
            }
        }
    }
    expect![[r#"
        account:FEEDTHECAT
        The file holds several accounts.
        2 of its rows are of Feed the cat, and none of your open accounts has that as its number.
        Where do they go?
        into "Dollars" (USD)
            left out: 14 January 2024  -1.50 EUR  Tea 1
            left out: 14 January 2024  +2.50 EUR  Pay 1
        into "Giro" DE71500105170012345678 (EUR)
            Giro: 14 January 2024  -1.50 EUR  Tea 1
            Giro: 14 January 2024  +2.50 EUR  Pay 1
        left out
            left out: 14 January 2024  -1.50 EUR  Tea 1
            left out: 14 January 2024  +2.50 EUR  Pay 1
        account:DE02120300000000202051
        The file says it is of DE02120300000000202051, another number than the chosen account's.
        Where do its rows go?
        into "Giro" DE71500105170012345678 (EUR)
            Giro: 13 January 2024  -1.50 EUR  Tea 0
            Giro: 13 January 2024  +2.50 EUR  Pay 0
        left out
            left out: 13 January 2024  -1.50 EUR  Tea 0
            left out: 13 January 2024  +2.50 EUR  Pay 0
    "#]]
    .assert_eq(&found);
}

#[test]
fn keys_are_short_and_printable() {
    let long = "ä".repeat(300);
    let mut found = String::new();
    for text in [
        "DE71 5001",
        "Konto główne",
        "a=b",
        "a\u{7}b",
        &long,
        "****1234",
    ] {
        let key = key(text);
        assert!(key.len() < 200 && !key.contains(['=', '\u{7}']), "{key}");
        found += &format!("{key}\n");
    }
    assert_ne!(key(&long), key(&format!("{long}b")));
    expect![[r#"
        account:DE715001
        account:KONTOGŁÓWNE
        account:AB#52b82c13
        account:AB#9f069067
        account:ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ#e5a5e95f
        account:****1234
    "#]]
    .assert_eq(&found);
}
