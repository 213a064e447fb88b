//! Questions: asked with rows that tell the choices apart, answered, and read anew with the answer.

use djinn_chassis::{auth::UserId, testing};
use djinn_proto::imports::v1::{self as proto, Import, ImportState};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::world::{
    Client, World, ambiguous, ambiguous_twice, answer, answer_as, begin, cancel, confirm, get,
    reach, refused,
};

/// A person whose import asks.
pub(crate) struct Asked {
    pub(crate) user: UserId,
    pub(crate) client: Client,
    pub(crate) account_id: Uuid,
    pub(crate) import: Import,
}

impl Asked {
    pub(crate) async fn about(world: &World, file: &[u8]) -> Self {
        let user = testing::user();
        let mut client = world.client(user);
        let account_id = world.account(user, "EUR").await;
        let import_id = begin(&mut client, file, account_id).await;
        let import = reach(&mut client, &import_id, ImportState::Asking).await;
        Self {
            user,
            client,
            account_id,
            import,
        }
    }

    pub(crate) async fn reach(&mut self, state: ImportState) -> Import {
        reach(&mut self.client, &self.import.import_id, state).await
    }

    pub(crate) async fn answer(&mut self, answers: &[(&str, &str)]) -> Result<Import, Status> {
        answer(&mut self.client, &self.import, answers).await
    }
}

/// The days of an import's rows.
async fn days(client: &mut Client, import_id: &str) -> Vec<String> {
    let request = proto::ListImportRowsRequest {
        import_id: import_id.to_owned(),
        ..Default::default()
    };
    let rows = client.list_import_rows(request).await.unwrap().into_inner();
    rows.rows.into_iter().map(|row| row.booked_on).collect()
}

#[tokio::test]
async fn an_answer_decides_how_the_file_reads() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    let [question] = asked.import.questions.as_slice() else {
        panic!("{:?}", asked.import.questions);
    };
    let choices: Vec<_> = question.choices.iter().map(|c| c.value.clone()).collect();
    assert_eq!(
        (question.key.as_str(), choices),
        ("date", vec!["0:dmy".to_owned(), "0:mdy".to_owned()])
    );
    let samples: Vec<_> = question.choices.iter().map(|c| &c.samples).collect();
    assert_eq!(samples[0].len(), 3);
    // The third of March is the same either way and tells nobody anything.
    for (one, other) in samples[0].iter().zip(samples[1]) {
        assert_ne!(one, other);
    }
    assert!(asked.import.expire_time.is_some());
    assert_eq!(asked.import.etag, "1-0");
    assert!(asked.import.answers.is_empty());

    asked.answer(&[("date", "0:mdy")]).await.unwrap();
    let review = asked.reach(ImportState::Review).await;
    assert_eq!((review.generation, review.etag.as_str()), (2, "2-1"));
    assert_eq!(review.questions, []);
    assert_eq!(
        review.answers,
        [("date".to_owned(), "0:mdy".to_owned())].into()
    );
    assert_eq!(review.template_id, "");
    let evidence = review.reading.clone().unwrap().evidence;
    let said = "Your answer: The date is in column \"Date\", written month, day, year.";
    assert!(evidence.iter().any(|line| line == said), "{evidence:?}");
    let read = days(&mut asked.client, &review.import_id).await;
    assert_eq!(
        read,
        ["2024-02-01", "2024-01-02", "2024-05-01", "2024-03-03"]
    );
    confirm(&mut asked.client, &review).await.unwrap();
    asked.reach(ImportState::Committed).await;
    let ledger = world.ledger(asked.user, asked.account_id).await;
    assert_eq!(ledger, [250_000, -90_050, -4_115, -320]);
}

#[tokio::test]
async fn an_answer_may_lead_to_another_question_and_an_old_etag_to_nothing() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous_twice()).await;
    let keys = |import: &Import| -> Vec<String> {
        import.questions.iter().map(|q| q.key.clone()).collect()
    };
    assert_eq!(keys(&asked.import), ["date", "amount"]);
    let first = asked.import.clone();
    let both = [("date", "0:dmy"), ("amount", "inverted:2:dot")];
    asked.answer(&both).await.unwrap();
    let second = testing::eventually("the second question", crate::world::PATIENCE, async || {
        let import = get(&mut asked.client, &first.import_id).await;
        (import.state() == ImportState::Asking && import.generation == 2).then_some(import)
    })
    .await;
    assert_eq!(keys(&second), ["rows"]);
    assert_eq!(second.etag, "2-0");
    let stale = answer(&mut asked.client, &first, &both).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    asked.import = second;
    asked.answer(&[("rows", "date_above")]).await.unwrap();
    let review = asked.reach(ImportState::Review).await;
    assert_eq!(review.generation, 3);
    let mut answers: Vec<_> = review.answers.clone().into_iter().collect();
    answers.sort();
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let given = [both[1], both[0], ("rows", "date_above")].map(owned);
    assert_eq!(answers, given);
    let read = days(&mut asked.client, &review.import_id).await;
    assert_eq!(
        read,
        ["2024-01-02", "2024-01-02", "2024-02-01", "2024-01-05"]
    );
    assert_eq!(review.included_amount.unwrap().minor_units, -4_300);
}

#[tokio::test]
async fn answers_that_do_not_fit_are_named_with_the_choices() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    let long = "x".repeat(300);
    let choices = "send \"0:dmy\" or \"0:mdy\"";
    for (answers, field, problem) in [
        (&[][..], "answers.date", choices),
        (&[("date", "0:ymd")], "answers.date", choices),
        (&[("date", "")], "answers.date", choices),
        (&[("day", "0:dmy")], "answers.date", choices),
        (
            &[("date", "0:dmy"), ("rows", "keep")],
            "answers.rows",
            "the questions are date",
        ),
        (&[("date", long.as_str())], "answers", "256 bytes"),
        (&[(long.as_str(), "0:dmy")], "answers", "256 bytes"),
    ] {
        let status = asked.answer(answers).await.unwrap_err();
        let details = status.get_error_details();
        let violation = details.bad_request().unwrap().field_violations[0].clone();
        assert_eq!(
            (status.code(), violation.field.as_str()),
            (Code::InvalidArgument, field)
        );
        assert!(violation.description.contains(problem), "{violation:?}");
    }
    let keys: Vec<String> = (0..17).map(|key| key.to_string()).collect();
    let many: Vec<_> = keys.iter().map(|key| (key.as_str(), "x")).collect();
    refused(
        asked.answer(&many).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
    );
    for etag in ["", "1-1", "2-0", "0-0", "1"] {
        let seen = Import {
            etag: etag.to_owned(),
            ..asked.import.clone()
        };
        let answered = answer(&mut asked.client, &seen, &[("date", "0:dmy")]).await;
        refused(answered, Code::Aborted, "ETAG_MISMATCH");
    }
    // None of it was an answer.
    asked.answer(&[("date", "0:dmy")]).await.unwrap();
    assert_eq!(asked.reach(ImportState::Review).await.generation, 2);
}

#[tokio::test]
async fn the_same_request_is_one_answer_for_ever() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    let request_id = Uuid::new_v4();
    let dmy = [("date", "0:dmy")];
    let import = asked.import.clone();
    let (mut one, mut two) = (world.client(asked.user), world.client(asked.user));
    let (first, second) = tokio::join!(
        answer_as(&mut one, request_id, &import, &dmy),
        answer_as(&mut two, request_id, &import, &dmy),
    );
    first.unwrap();
    second.unwrap();
    let other = answer_as(&mut one, request_id, &import, &[("date", "0:mdy")]).await;
    refused(other, Code::AlreadyExists, "REQUEST_ID_REUSED");
    let review = asked.reach(ImportState::Review).await;
    assert_eq!(review.generation, 2);
    answer_as(&mut one, request_id, &import, &dmy)
        .await
        .unwrap();
    confirm(&mut one, &review).await.unwrap();
    asked.reach(ImportState::Committed).await;
    let again = answer_as(&mut one, request_id, &import, &dmy)
        .await
        .unwrap();
    assert_eq!(again.state(), ImportState::Committed);
    refused(
        asked.answer(&dmy).await,
        Code::FailedPrecondition,
        "WRONG_STATE",
    );
    assert_eq!(world.ledger(asked.user, asked.account_id).await.len(), 4);
}

/// Of two answers one counts, and the repetition of the other is not told that it did.
#[tokio::test]
async fn of_two_answers_one_is_taken() {
    let world = World::new().await;
    for _ in 0..4 {
        let mut asked = Asked::about(&world, &ambiguous()).await;
        let import = asked.import.clone();
        let ids = [Uuid::new_v4(), Uuid::new_v4()];
        let both = [[("date", "0:dmy")], [("date", "0:mdy")]];
        let (mut one, mut two) = (world.client(asked.user), world.client(asked.user));
        let (first, second) = tokio::join!(
            answer_as(&mut one, ids[0], &import, &both[0]),
            answer_as(&mut two, ids[1], &import, &both[1]),
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let (taken, lost) = if first.is_ok() { (0, 1) } else { (1, 0) };
        let review = asked.reach(ImportState::Review).await;
        assert_eq!(review.answers["date"], both[taken][0].1);
        let again = answer_as(&mut one, ids[taken], &import, &both[taken]).await;
        again.unwrap();
        let lost = answer_as(&mut one, ids[lost], &import, &both[lost]).await;
        refused(lost, Code::FailedPrecondition, "WRONG_STATE");
    }
}

#[tokio::test]
async fn only_an_import_that_asks_can_be_answered() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    let import = cancel(&mut asked.client, &asked.import.import_id)
        .await
        .unwrap();
    asked.reach(ImportState::Cancelled).await;
    let etag = asked.import.etag.clone();
    let seen = Import { etag, ..import };
    let answered = answer(&mut asked.client, &seen, &[("date", "0:dmy")]).await;
    refused(answered, Code::FailedPrecondition, "WRONG_STATE");
    let unread = crate::world::many(3);
    let import_id = begin(&mut asked.client, &unread, asked.account_id).await;
    let review = reach(&mut asked.client, &import_id, ImportState::Review).await;
    let answered = answer(&mut asked.client, &review, &[("date", "0:dmy")]).await;
    refused(answered, Code::FailedPrecondition, "WRONG_STATE");
}

/// Rows of a generation before, wherever they may come from, are no part of the review.
#[tokio::test]
async fn rows_of_an_older_generation_do_not_leak_into_the_review() {
    let world = World::new().await;
    let mut asked = Asked::about(&world, &ambiguous()).await;
    let import_id: Uuid = asked.import.import_id.parse().unwrap();
    let mut transaction = world.as_imports(asked.user).await;
    sqlx::query(
        "INSERT INTO imports.staged_row (import_id, generation, row_number, line, account_id, \
         transaction_id, booked_on, amount_minor, currency_code, description, counterparty, \
         fingerprint) SELECT $1, 1, n, n, $2, gen_random_uuid(), '2024-01-01', -100, 'EUR', \
         'stale', '', sha256(n::text::bytea) FROM generate_series(1, 9) AS n",
    )
    .bind(import_id)
    .bind(asked.account_id)
    .execute(&mut *transaction)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO imports.progress (user_id, import_id, generation, chunk, row_count) \
         VALUES ($1, $2, 1, 3, 30000)",
    )
    .bind(asked.user.uuid())
    .bind(import_id)
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    asked.answer(&[("date", "0:dmy")]).await.unwrap();
    let review = asked.reach(ImportState::Review).await;
    let counts = review.counts.as_ref().unwrap();
    assert_eq!((counts.row_count, counts.included_count), (4, 4));
    assert_eq!(days(&mut asked.client, &review.import_id).await.len(), 4);
    confirm(&mut asked.client, &review).await.unwrap();
    asked.reach(ImportState::Committed).await;
    assert_eq!(world.ledger(asked.user, asked.account_id).await.len(), 4);
}
