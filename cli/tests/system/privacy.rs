//! What an operator is told says nothing of what statements say: no payee, no amount and no number
//! of an account in a log, a figure or a span, whether all goes well or not.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use djinn_chassis::{
    auth::UserId,
    testing::{self, Collector},
};

use crate::mesh::Mesh;

/// Cells that are shorter may well be part of an id or a time.
const CELL_CHARS_MIN: usize = 5;

/// How long the last spans and figures may take to the collector.
const DEADLINE: Duration = Duration::from_secs(60);

/// Of a German bank, with rows as every user has them.
const GIRO: &str = "de-giro.csv";

/// What clamd knows for dangerous.
const SIGNATURE: &str = concat!(
    r"X5O!P%@AP[4\PZX54(P^)7CC)7}$",
    "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
);

/// Whose account it is; in no example.
const OWNER: &str = "Doctor Ursula Zimmerli-Baumgartner";

/// The name of all other accounts.
const ACCOUNT: &str = "Giro";

/// How `djinn` ends, as its help tells.
const DONE: Option<i32> = Some(0);
const WRONG: Option<i32> = Some(2);
const ASKING: Option<i32> = Some(3);
const REFUSED: Option<i32> = Some(4);
const MISSING: Option<i32> = Some(6);
const CONFLICT: Option<i32> = Some(8);

/// How the span of something that failed ends.
const FAILED: &str = "code: Error";

/// Every example goes in, and then whatever can go wrong with one does.
#[tokio::test]
async fn nothing_an_operator_is_told_says_what_statements_say() {
    let collector = Collector::start().await;
    let mesh = Mesh::traced(&collector).await;
    let mut cells = Cells::default();
    for (path, currency) in examples() {
        cells.add(&text(&std::fs::read(&path).unwrap()));
        let code = import(&mesh, &path.display().to_string(), currency).await;
        let whole = [DONE, ASKING];
        assert!(whole.contains(&code), "{}: {code:?}", path.display());
    }
    cells.add("Doctor Ursula Zimmerli-Baumgartner;AT483200000012345864;-7512,39");
    go_wrong(&mesh).await;
    repeat_and_undo(&mesh).await;
    fail(&mesh, &collector).await;

    let figures = testing::eventually("the figures", DEADLINE, async || {
        let figures = collector.figures();
        (!figures.is_empty()).then_some(figures)
    });
    let figures = figures.await;
    let spans = collector.spans();
    let mut told = mesh.told().await;
    told.push((
        "the spans".to_owned(),
        join(spans.iter().map(|it| &it.text)),
    ));
    told.push((
        "what was sent".to_owned(),
        join(figures.keys().map(|it| &it.1)),
    ));
    for (what, text) in told {
        assert!(!text.is_empty(), "{what} says nothing at all");
        let found = cells.told_by(&untimed(&text));
        assert!(found.is_empty(), "{what}: {found:?}");
    }
}

/// Somebody with one account, so that nothing is asked about the others.
async fn somebody(mesh: &Mesh, currency: &str) -> UserId {
    let user = testing::user();
    let open = [
        "account",
        "create",
        "--name",
        ACCOUNT,
        "--currency",
        currency,
    ];
    mesh.json(user, &open).await;
    user
}

/// Imports a file as somebody of its own, and says with what code that ended.
async fn import(mesh: &Mesh, file: &str, currency: &str) -> Option<i32> {
    let user = somebody(mesh, currency).await;
    let import = ["import", file, "--account", ACCOUNT, "--yes"];
    mesh.run(user, &import).await.code
}

/// Files that are refused, or fail on their way.
async fn go_wrong(mesh: &Mesh) {
    let giro = text(&std::fs::read(examples_folder().join(GIRO)).unwrap());
    let infected = format!("{giro}{SIGNATURE}\n");
    let prose = format!("Dear {OWNER}, please pay -7512,39 to AT483200000012345864.\n").repeat(40);
    for (name, content, ended) in [
        ("broken.csv", giro.replace("03.26\"", "Mai\""), DONE),
        ("infected.csv", infected, REFUSED),
        ("letter.csv", prose, REFUSED),
        ("Zimmerli-Baumgartner.csv", "\0".repeat(10_000), REFUSED),
        ("empty.csv", String::new(), WRONG),
    ] {
        let path = mesh.file(name, content.as_bytes());
        assert_eq!(import(mesh, &path, "EUR").await, ended, "{name}");
    }
}

/// What a person does twice, undoes, or cannot do.
async fn repeat_and_undo(mesh: &Mesh) {
    let user = testing::user();
    let number = "DE21999900000000123456";
    let open = ["account", "create", "--currency", "EUR", "--number", number];
    let open = |name| [&open[..], &["--name", name]].concat();
    assert_eq!(mesh.run(user, &open(OWNER)).await.code, DONE);
    assert_eq!(mesh.run(user, &open("Another")).await.code, CONFLICT);
    let file = examples_folder().join(GIRO).display().to_string();
    let request = uuid::Uuid::new_v4().to_string();
    let import = async |file: &str| {
        let into = ["--account", OWNER, "--yes", "--request-id", &request];
        mesh.run(user, &[&["import", file], &into[..]].concat())
            .await
    };
    let said = import(&file).await;
    assert_eq!(said.code, DONE, "{}", said.stderr);
    let imported: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let import_id = imported["importId"].as_str().unwrap();
    for (arguments, ended) in [
        (&["imports", "rows", import_id][..], DONE),
        (&["imports", "cancel", import_id], REFUSED),
        (&["imports", "revert", import_id, "--yes"], DONE),
        (&["imports", "confirm", import_id], REFUSED),
        (&["transactions", "list", "--text", OWNER], DONE),
        (&["transactions", "list", "--account", OWNER], DONE),
        (&["transactions", "list", "--account", "Zimmerli"], MISSING),
    ] {
        let said = mesh.run(user, arguments).await;
        assert_eq!(said.code, ended, "{arguments:?}: {}", said.stderr);
    }
    // The same request for another file.
    let other = mesh.file("other.csv", prose_of(OWNER).as_bytes());
    assert_eq!(import(&other).await.code, CONFLICT);
}

fn prose_of(owner: &str) -> String {
    format!("Date,Description,Amount\n2026-01-31,{owner},-7512.39\n")
}

/// A commit that the database refuses, whose answer quotes the row.
async fn fail(mesh: &Mesh, collector: &Collector) {
    let file = mesh.file("unlucky.csv", prose_of(OWNER).as_bytes());
    let unlucky =
        "ALTER TABLE ledger.transaction ADD CONSTRAINT unlucky CHECK (amount_minor <> -751239)";
    mesh.database().run(unlucky).await;
    let failed = async {
        testing::eventually("a span of a failure", DEADLINE, async || {
            let spans = collector.spans();
            let failed = spans
                .iter()
                .any(|span| span.name.starts_with("RunActivity") && span.text.contains(FAILED));
            failed.then_some(())
        })
        .await;
        let lucky = "ALTER TABLE ledger.transaction DROP CONSTRAINT unlucky";
        mesh.database().run(lucky).await;
    };
    let ((), ended) = tokio::join!(failed, import(mesh, &file, "EUR"));
    assert_eq!(ended, DONE, "once the database takes it");
}

fn examples_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// Every statement of ours, with the currency of its account.
fn examples() -> Vec<(PathBuf, &'static str)> {
    let folder = examples_folder();
    let manifest = include_str!("../../../examples/manifest.tsv");
    let listed = manifest.lines().skip(1).map(|line| {
        let cells: Vec<_> = line.split('\t').collect();
        (cells[0], cells[5])
    });
    let others = [
        ("accounts/de-zwei-konten.csv", "EUR"),
        ("asking/uk-spring.csv", "GBP"),
        ("asking/uk-winter.csv", "GBP"),
        ("matching/de-mai.csv", "EUR"),
    ];
    let all = listed.chain(others);
    all.map(|(file, currency)| (folder.join(file), currency))
        .collect()
}

/// As UTF-8, or as ISO 8859-1, whose bytes are the characters of the same numbers. Of the other
/// encodings only what is ASCII comes out right, which is numbers and most payees.
fn text(content: &[u8]) -> String {
    String::from_utf8(content.to_vec())
        .unwrap_or_else(|_| content.iter().copied().map(char::from).collect())
}

fn join<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    texts.map(String::as_str).collect::<Vec<_>>().join("\n")
}

/// What statements say.
#[derive(Default)]
struct Cells {
    texts: BTreeSet<String>,
    /// Amounts in minor units, and numbers as they are.
    figures: BTreeSet<String>,
}

impl Cells {
    /// The cells of a statement. A line without a digit is a header, whose words are no secret.
    fn add(&mut self, statement: &str) {
        let rows = statement.lines();
        let rows = rows.filter(|row| row.bytes().any(|byte| byte.is_ascii_digit()));
        let cells = rows.flat_map(|row| match row.contains(';') {
            // Where amounts have a decimal comma.
            true => row.split(&[';', '\t'][..]),
            false => row.split(&[',', '\t'][..]),
        });
        for cell in cells {
            let cell = cell.trim_matches(['"', '-', '+', ' ', '\r']);
            let figures: String = cell
                .chars()
                .filter(|found| !matches!(found, '.' | ',' | ' ' | '\''))
                .collect();
            let long = |text: &str| text.chars().count() >= CELL_CHARS_MIN;
            if long(cell) {
                self.texts.insert(cell.to_owned());
            }
            if long(&figures) && figures.bytes().all(|byte| byte.is_ascii_digit()) {
                self.figures.insert(figures);
            }
        }
    }

    /// Those that a text tells: texts anywhere, figures as words of their own.
    fn told_by<'a>(&'a self, text: &str) -> Vec<&'a String> {
        let words: BTreeSet<&str> = text
            .split(|found: char| !found.is_ascii_alphanumeric())
            .collect();
        let texts = self.texts.iter().filter(|cell| text.contains(&***cell));
        let figures = self.figures.iter().filter(|it| words.contains(&***it));
        texts.chain(figures).collect()
    }
}

/// A log without the times of its lines: the end of 18:10:19.998123 is a price.
fn untimed(log: &str) -> String {
    let mut pieces = log.split("\"timestamp\":\"");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        text.push_str(piece.split_once('"').map_or("", |(_, rest)| rest));
    }
    text
}

#[test]
fn a_time_is_no_price() {
    let line = r#"{"timestamp":"2026-11-29T18:10:19.998123Z","level":"INFO","rows":18}"#;
    let expected = r#"{,"level":"INFO","rows":18}"#;
    assert_eq!(
        untimed(&format!("{line}\n{line}\n")),
        format!("{expected}\n{expected}\n")
    );
    assert_eq!(untimed("paid 19.99"), "paid 19.99");
}

/// What is looked for would be found.
#[test]
fn a_payee_an_amount_and_an_account_are_found_where_they_are_told() {
    let mut cells = Cells::default();
    let giro = std::fs::read(examples_folder().join(GIRO)).unwrap();
    cells.add(&text(&giro));
    for (text, found) in [
        ("to=Hausverwaltung K\u{f6}ster & S\u{f6}hne", true),
        ("amount_minor=-284116", true),
        ("amount=2841,16", true),
        ("account=DE34999900000000440055", true),
        ("id=928411600", false),
        ("rows=18", false),
    ] {
        assert_eq!(!cells.told_by(text).is_empty(), found, "{text}");
    }
}
