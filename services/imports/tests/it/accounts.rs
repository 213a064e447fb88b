//! Several accounts in one file: led to the user's accounts by their numbers, asked where no number
//! tells, and written, matched and taken back together.

use djinn_chassis::{auth::UserId, clock::Clock, testing};
use djinn_ledger::{Change, account};
use djinn_proto::imports::v1::{self as proto, Import, ImportState};
use tonic::Code;
use uuid::Uuid;

use crate::world::{Client, World, answer, begin, confirm, get, import, reach, refused, revert};

mod apart;
mod links;
mod meeting;
mod tenancy;

const GIRO: &str = "DE71500105170012345678";
const SAVINGS: &str = "DE96500105170087654321";
const STRANGE: &str = "DE02120300000000202051";

/// A statement whose first column says whose row it is.
fn file(rows: &[(&str, &str, &str, &str)]) -> Vec<u8> {
    let mut file = String::from("Own account,Date,Description,Amount\n");
    for (account, date, text, amount) in rows {
        file.push_str(&format!("{account},{date},{text},{amount}\n"));
    }
    file.into_bytes()
}

/// Two rows of the one account and two of the other, each written as some bank does.
fn of_two(first: &str, second: &str) -> Vec<u8> {
    file(&[
        (first, "2024-01-13", "Rent", "-900.50"),
        (second, "2024-01-14", "Interest", "1.25"),
        (first, "2024-01-15", "Salary", "2500.00"),
        (second, "2024-01-16", "Transfer", "100.00"),
    ])
}

/// A user with a current and a savings account whose numbers are noted.
struct Saver {
    user: UserId,
    client: Client,
    giro: Uuid,
    savings: Uuid,
}

impl Saver {
    async fn of(world: &World) -> Self {
        let user = testing::user();
        Self {
            user,
            client: world.client(user),
            giro: world.open(user, "Giro", GIRO, "EUR").await,
            savings: world.open(user, "Savings", SAVINGS, "EUR").await,
        }
    }

    async fn ledgers(&self, world: &World) -> (Vec<i64>, Vec<i64>) {
        (
            world.ledger(self.user, self.giro).await,
            world.ledger(self.user, self.savings).await,
        )
    }
}

/// For each account of an import: rows, new and included ones, their sum, the balances.
fn shares(import: &Import) -> Vec<(String, [i64; 3], [i64; 3])> {
    let minor = |money: &Option<djinn_proto::common::v1::Money>| {
        money.as_ref().map_or(i64::MIN, |money| money.minor_units)
    };
    let shares = import.accounts.iter().map(|it| {
        (
            it.account_id.clone(),
            [it.row_count, it.new_count, it.included_count],
            [
                minor(&it.included_amount),
                minor(&it.balance_before),
                minor(&it.balance_after),
            ],
        )
    });
    shares.collect()
}

/// Closes an account, as its owner does.
async fn close(world: &World, user: UserId, account_id: Uuid) {
    let clock = Clock::system();
    let mut transaction = world.as_sync(user).await;
    account::lock(&mut transaction, &[account_id])
        .await
        .unwrap();
    let change = Change::begin(&clock);
    let now = clock.now();
    account::close(&mut transaction, &change, account_id, now)
        .await
        .unwrap();
    change.commit(transaction, &[]).await.unwrap();
}

async fn rows(client: &mut Client, import_id: &str, account_id: &str) -> Vec<proto::ImportRow> {
    let request = proto::ListImportRowsRequest {
        import_id: import_id.to_owned(),
        account_id: account_id.to_owned(),
        ..Default::default()
    };
    let rows = client.list_import_rows(request).await.unwrap();
    rows.into_inner().rows
}

async fn listed(client: &mut Client, account_id: Uuid) -> Vec<String> {
    let request = proto::ListImportsRequest {
        account_id: account_id.to_string(),
        ..Default::default()
    };
    let imports = client.list_imports(request).await.unwrap().into_inner();
    imports.imports.into_iter().map(|it| it.import_id).collect()
}

#[tokio::test]
async fn rows_go_where_the_file_says() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    // One as an IBAN with spaces, the other by its national number alone.
    let statement = of_two("DE71 5001 0517 0012 3456 78", "0087654321");
    let import_id = begin(&mut saver.client, &statement, saver.giro).await;
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    assert_eq!(
        shares(&review),
        [
            (
                saver.giro.to_string(),
                [2, 2, 2],
                [159_950, 10_000, 169_950]
            ),
            (
                saver.savings.to_string(),
                [2, 2, 2],
                [10_125, 10_000, 20_125]
            ),
        ]
    );
    assert_eq!(review.accounts[0].number, GIRO);
    assert_eq!(review.accounts[1].names, ["0087654321"]);
    // The fields of one account are those of the one it was begun for.
    let minor = |money: &Option<djinn_proto::common::v1::Money>| money.clone().unwrap().minor_units;
    assert_eq!(minor(&review.included_amount), 159_950);
    assert_eq!(minor(&review.balance_after), 169_950);
    assert_eq!(review.counts.as_ref().unwrap().included_count, 4);
    let savings = saver.savings.to_string();
    let listed_rows = rows(&mut saver.client, &import_id, &savings).await;
    let numbers: Vec<i64> = listed_rows.iter().map(|row| row.row_number).collect();
    assert_eq!(numbers, [2, 4]);
    assert!(listed_rows.iter().all(|row| row.account_id == savings));
    for account_id in [saver.giro, saver.savings] {
        let listed = listed(&mut saver.client, account_id).await;
        assert_eq!(listed, std::slice::from_ref(&import_id));
    }
}

#[tokio::test]
async fn the_same_file_is_all_duplicates_and_goes_back_whole() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let statement = of_two(GIRO, SAVINGS);
    let done = import(&mut saver.client, &statement, saver.giro).await;
    let import_id = done.import_id;
    let both = (vec![-90_050, 250_000], vec![125, 10_000]);
    assert_eq!(saver.ledgers(&world).await, both);

    // The same file, begun for the other account: every row is there already.
    let again = begin(&mut saver.client, &statement, saver.savings).await;
    let review = reach(&mut saver.client, &again, ImportState::Review).await;
    let counts = review.counts.as_ref().unwrap();
    assert_eq!((counts.duplicate_count, counts.included_count), (4, 0));
    assert_eq!(
        shares(&review),
        [
            (saver.giro.to_string(), [2, 0, 0], [0, 169_950, 169_950]),
            (saver.savings.to_string(), [2, 0, 0], [0, 20_125, 20_125]),
        ]
    );
    confirm(&mut saver.client, &review).await.unwrap();
    reach(&mut saver.client, &again, ImportState::Committed).await;
    assert_eq!(saver.ledgers(&world).await, both);

    revert(&mut saver.client, &import_id).await.unwrap();
    let undone = reach(&mut saver.client, &import_id, ImportState::Reverted).await;
    assert_eq!(undone.reversal.unwrap().removed_count, 4);
    assert_eq!(saver.ledgers(&world).await, (vec![], vec![]));
    import(&mut saver.client, &statement, saver.giro).await;
    assert_eq!(saver.ledgers(&world).await, both);
    assert_eq!(
        crate::invariant::violations(&world, saver.user).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn an_unknown_account_asks_and_the_answer_is_kept() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let import_id = begin(&mut saver.client, &of_two(GIRO, STRANGE), saver.giro).await;
    let asked = reach(&mut saver.client, &import_id, ImportState::Asking).await;
    let [question] = asked.questions.as_slice() else {
        panic!("{:?}", asked.questions);
    };
    let key = format!("account:{STRANGE}");
    let (giro, savings) = (saver.giro.to_string(), saver.savings.to_string());
    let choices: Vec<_> = question.choices.iter().map(|it| &*it.value).collect();
    assert_eq!(question.key, key);
    assert_eq!(choices, [&*giro, &*savings, "skip"]);
    assert_eq!(
        question.choices[1].samples[0],
        "Savings: 14 January 2024  +1.25  Interest"
    );
    assert_eq!(
        question.choices[2].samples[1],
        "left out: 16 January 2024  +100.00  Transfer"
    );

    answer(&mut saver.client, &asked, &[(&key, &savings)])
        .await
        .unwrap();
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    assert_eq!(review.generation, 2);
    confirm(&mut saver.client, &review).await.unwrap();
    reach(&mut saver.client, &import_id, ImportState::Committed).await;
    let both = (vec![-90_050, 250_000], vec![125, 10_000]);
    assert_eq!(saver.ledgers(&world).await, both);

    // The next statement of the format: the template answers, and says so.
    let next = file(&[
        (GIRO, "2024-02-13", "Rent", "-900.50"),
        (STRANGE, "2024-02-14", "Interest", "2.50"),
    ]);
    let next = import(&mut saver.client, &next, saver.giro).await;
    assert_eq!(next.answers, [(key.clone(), savings.clone())].into());
    assert_ne!(next.template_id, "");
    assert_eq!(
        world.ledger(saver.user, saver.savings).await,
        [125, 10_000, 250]
    );

    // Which account is whose goes to nobody else.
    let mut templates = world.templates(saver.user);
    let export = proto::ExportTemplateRequest {
        template_id: next.template_id.clone(),
    };
    refused(
        templates.export_template(export).await,
        Code::FailedPrecondition,
        "NOTHING_TO_EXPORT",
    );
}

#[tokio::test]
async fn rows_that_are_left_out_are_shown_as_such() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let import_id = begin(&mut saver.client, &of_two(GIRO, STRANGE), saver.giro).await;
    let asked = reach(&mut saver.client, &import_id, ImportState::Asking).await;
    let key = format!("account:{STRANGE}");
    answer(&mut saver.client, &asked, &[(&key, "skip")])
        .await
        .unwrap();
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    let counts = review.counts.as_ref().unwrap();
    assert_eq!(
        (counts.row_count, counts.invalid_count, counts.new_count),
        (4, 2, 2)
    );
    assert_eq!(review.warnings[0].reason, "ROWS_LEFT_OUT");
    let all = rows(&mut saver.client, &import_id, "").await;
    let problems: Vec<_> = all.iter().filter_map(|row| row.problem.clone()).collect();
    let reasons: Vec<_> = problems.iter().map(|it| &*it.reason).collect();
    assert_eq!(reasons, ["ACCOUNT_SKIPPED", "ACCOUNT_SKIPPED"]);
    assert!(problems[0].message.contains(STRANGE), "{problems:?}");
    confirm(&mut saver.client, &review).await.unwrap();
    reach(&mut saver.client, &import_id, ImportState::Committed).await;
    assert_eq!(
        saver.ledgers(&world).await,
        (vec![-90_050, 250_000], vec![])
    );
}

#[tokio::test]
async fn more_than_two_unknown_accounts_ask_in_rounds() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let statement = file(&[
        ("Holiday", "2024-01-13", "A", "-1.00"),
        ("Savings", "2024-01-14", "B", "-2.00"),
        ("Household", "2024-01-15", "C", "-3.00"),
        ("Household", "2024-01-16", "D", "-4.00"),
    ]);
    let import_id = begin(&mut saver.client, &statement, saver.giro).await;
    let first = reach(&mut saver.client, &import_id, ImportState::Asking).await;
    let keys: Vec<_> = first.questions.iter().map(|it| &*it.key).collect();
    assert_eq!(keys, ["account:HOLIDAY", "account:SAVINGS"]);
    let (giro, savings) = (saver.giro.to_string(), saver.savings.to_string());
    // An account of that name is the likeliest, and still asked about.
    assert_eq!(first.questions[1].choices[0].value, savings);
    let answers = [("account:HOLIDAY", "skip"), ("account:SAVINGS", &savings)];
    answer(&mut saver.client, &first, &answers).await.unwrap();
    let second = testing::eventually("a second round", crate::world::PATIENCE, async || {
        let import = get(&mut saver.client.clone(), &import_id).await;
        (import.generation == 2 && import.state() == ImportState::Asking).then_some(import)
    })
    .await;
    let keys: Vec<_> = second.questions.iter().map(|it| &*it.key).collect();
    assert_eq!(keys, ["account:HOUSEHOLD"]);
    let answers = [("account:HOUSEHOLD", &*giro)];
    answer(&mut saver.client, &second, &answers).await.unwrap();
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    confirm(&mut saver.client, &review).await.unwrap();
    reach(&mut saver.client, &import_id, ImportState::Committed).await;
    assert_eq!(saver.ledgers(&world).await, (vec![-300, -400], vec![-200]));
}

#[tokio::test]
async fn a_file_of_another_account_than_the_chosen_one_asks() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let statement = of_two(SAVINGS, SAVINGS);
    let import_id = begin(&mut saver.client, &statement, saver.giro).await;
    let asked = reach(&mut saver.client, &import_id, ImportState::Asking).await;
    let question = &asked.questions[0];
    let (giro, savings) = (saver.giro.to_string(), saver.savings.to_string());
    let choices: Vec<_> = question.choices.iter().map(|it| &*it.value).collect();
    assert_eq!(choices, [&*savings, &*giro, "skip"]);
    assert!(question.prompt.contains(SAVINGS), "{}", question.prompt);
    answer(&mut saver.client, &asked, &[(&question.key, &savings)])
        .await
        .unwrap();
    let review = reach(&mut saver.client, &import_id, ImportState::Review).await;
    assert_eq!(review.included_amount.as_ref().unwrap().minor_units, 0);
    assert_eq!(review.accounts[1].row_count, 4);
    confirm(&mut saver.client, &review).await.unwrap();
    reach(&mut saver.client, &import_id, ImportState::Committed).await;
    let (giro, savings) = saver.ledgers(&world).await;
    assert_eq!((giro.len(), savings.len()), (0, 4));

    // Without a number on the chosen account nothing contradicts: the file is simply its.
    let bare = world.open(saver.user, "Bare", "", "EUR").await;
    let statement = of_two(STRANGE, STRANGE);
    import(&mut saver.client, &statement, bare).await;
    assert_eq!(world.ledger(saver.user, bare).await.len(), 4);
}
