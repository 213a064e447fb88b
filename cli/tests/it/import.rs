//! `djinn import` and `djinn preview`, from the upload to the commit.

use djinn_proto::imports::v1::ImportState;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::{
    process::{Outcome, command, djinn, file},
    server::Fake,
};

/// Imports a file of this name into the account Main, which is opened first.
async fn import(url: &str, name: &str, flags: &[&str]) -> Outcome {
    djinn(
        url,
        &["account", "create", "--name", "Main", "--currency", "EUR"],
    )
    .await
    .ended(0);
    let (_folder, path) = file(name, b"Datum;Betrag\n31.01.2025;-19,99\n");
    djinn(
        url,
        &[&["import", &path, "--account", "Main"], flags].concat(),
    )
    .await
}

#[tokio::test]
async fn an_import_is_confirmed_and_committed() {
    let (fake, url) = Fake::start().await;
    let request_id = "0190a0a0-0000-7000-8000-00000000abcd";
    let flags = ["--yes", "--json", "--request-id", request_id];
    let done = import(&url, "good.csv", &flags).await.ended(0);
    let document = done.document();
    assert_eq!(document["state"], "IMPORT_STATE_COMMITTED");
    assert_eq!(document["counts"]["includedCount"], "1");
    assert_eq!(document["balanceAfter"]["minorUnits"], "8001");
    // The review was shown on the way, with the row that cannot be read.
    assert!(done.stderr.contains("80.01 ┆ EUR"), "{}", done.stderr);
    assert!(
        done.stderr.contains("BAD_DATE ┆ 31.02.2025 is not a day"),
        "{}",
        done.stderr
    );

    let state = fake.state();
    assert_eq!(state.uploads[0].request_id, request_id);
    assert_eq!(state.uploads[0].file_name, "good.csv");
    assert_eq!(state.import_request_ids, [request_id]);
    assert_eq!(state.imports[0].account_id, state.accounts[0].account_id);
    assert_eq!(state.confirmations.len(), 1);
    assert_eq!(state.confirmations[0].etag, "e1");
}

#[tokio::test]
async fn people_see_a_table_and_a_sentence() {
    let (_fake, url) = Fake::start().await;
    let done = import(&url, "good.csv", &["--yes"]).await.ended(0);
    assert!(
        done.stdout.starts_with("Review of good.csv\n"),
        "{}",
        done.stdout
    );
    let last = "Committed 1 transaction from good.csv; the balance is 80.01 EUR (import ";
    assert!(
        done.stdout.lines().last().unwrap().starts_with(last),
        "{}",
        done.stdout
    );
}

#[tokio::test]
async fn without_a_terminal_nobody_confirms() {
    let (fake, url) = Fake::start().await;
    let waits = import(&url, "good.csv", &["--json"]).await.ended(5);
    assert_eq!(waits.document()["state"], "IMPORT_STATE_REVIEW");
    assert_eq!(waits.failure()["reason"], "UNCONFIRMED");
    let import_id = waits.document()["importId"].as_str().unwrap().to_owned();
    let how = format!("`djinn imports confirm {import_id} --etag e1`");
    assert!(waits.stderr.contains(&how), "{}", waits.stderr);
    assert!(fake.state().confirmations.is_empty());

    // And so it is done.
    let args = ["--json", "imports", "confirm", &import_id, "--etag", "e1"];
    let done = djinn(&url, &args).await.ended(0);
    assert_eq!(done.document()["state"], "IMPORT_STATE_COMMITTED");
}

#[tokio::test]
async fn a_refused_file_says_why() {
    let (_fake, url) = Fake::start().await;
    let refused = import(&url, "refused.csv", &["--yes", "--json"])
        .await
        .ended(4);
    assert_eq!(refused.document()["state"], "IMPORT_STATE_REFUSED");
    assert_eq!(refused.failure()["reason"], "INFECTED");
    let message = "the import is refused: The file is infected";
    assert_eq!(refused.failure()["message"], message);
}

#[tokio::test]
async fn a_question_stops_the_import() {
    let (_fake, url) = Fake::start().await;
    let asks = import(&url, "asking.csv", &["--yes", "--json"])
        .await
        .ended(3);
    assert_eq!(asks.document()["questions"][0]["key"], "date_order");
    assert!(
        asks.stderr
            .contains("--answer date_order=day_first  the day"),
        "{}",
        asks.stderr
    );
    let import_id = asks.document()["importId"].as_str().unwrap().to_owned();
    let way_on = format!("`djinn imports answer {import_id} --answer date_order=CHOICE` goes on");
    assert!(asks.stderr.contains(&way_on), "{}", asks.stderr);
}

#[tokio::test]
async fn answers_of_the_command_are_given_and_the_import_goes_on() {
    let (fake, url) = Fake::start().await;
    let flags = ["--answer", "date_order=day_first", "--yes", "--json"];
    let done = import(&url, "asking.csv", &flags).await.ended(0);
    assert_eq!(done.document()["state"], "IMPORT_STATE_COMMITTED");
    let state = fake.state();
    let given: Vec<_> = state.answered[0].answers.iter().collect();
    assert_eq!(given, [(&"date_order".to_owned(), &"day_first".to_owned())]);
    assert_eq!((state.answered.len(), &*state.answered[0].etag), (1, "1-0"));
}

#[tokio::test]
async fn a_question_that_follows_from_an_answer_is_answered_too() {
    let (fake, url) = Fake::start().await;
    let one = ["--answer", "date_order=day_first"];
    let asks = import(&url, "twice.csv", &[&one[..], &["--json"]].concat())
        .await
        .ended(3);
    assert_eq!(asks.document()["questions"][0]["key"], "rows");
    let import_id = asks.document()["importId"].as_str().unwrap().to_owned();
    let answer = ["--json", "imports", "answer", &import_id, "--yes"];
    let args = [&answer[..], &["--answer", "rows=keep"]].concat();
    let done = djinn(&url, &args).await.ended(0);
    assert_eq!(done.document()["state"], "IMPORT_STATE_COMMITTED");
    let etags: Vec<_> = fake
        .state()
        .answered
        .iter()
        .map(|answer| answer.etag.clone())
        .collect();
    assert_eq!(etags, ["1-0", "2-0"]);
}

#[tokio::test]
async fn an_answer_that_is_none_is_wrong_usage() {
    for (answer, expected) in [
        (
            "date_order=year_first",
            "year_first is no answer to date_order; its choices are day_first",
        ),
        (
            "order=day_first",
            "no question is called order; the file asks for date_order (day_first)",
        ),
    ] {
        let (fake, url) = Fake::start().await;
        let flags = ["--answer", answer, "--yes", "--json"];
        let failed = import(&url, "asking.csv", &flags).await.ended(2);
        assert_eq!(failed.failure()["reason"], "BAD_ANSWER");
        assert_eq!(failed.failure()["message"], expected);
        assert_eq!(failed.document()["state"], "IMPORT_STATE_ASKING");
        assert!(fake.state().answered.is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_nothing_asked_for_confirms_nothing() {
    let (fake, url) = Fake::start().await;
    let flags = ["--answer", "rows=keep", "--yes", "--json"];
    let failed = import(&url, "good.csv", &flags).await.ended(2);
    assert_eq!(
        failed.failure()["message"],
        "the file does not ask for rows"
    );
    assert!(fake.state().confirmations.is_empty());
}

#[tokio::test]
async fn an_import_that_asks_nothing_cannot_be_answered() {
    let (fake, url) = Fake::start().await;
    let waits = import(&url, "good.csv", &["--json"]).await.ended(5);
    let import_id = waits.document()["importId"].as_str().unwrap().to_owned();
    let args = [
        "--json",
        "imports",
        "answer",
        &import_id,
        "--answer",
        "rows=keep",
    ];
    let failed = djinn(&url, &args).await.ended(4);
    assert_eq!(failed.failure()["reason"], "NOT_ASKING");
    assert!(fake.state().answered.is_empty());
}

#[tokio::test]
async fn what_comes_back_from_the_commit_is_not_confirmed_again() {
    let (fake, url) = Fake::start().await;
    let back = import(&url, "back.csv", &["--yes", "--json"])
        .await
        .ended(5);
    assert_eq!(back.document()["etag"], "e2");
    let message = back.failure()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("VERDICTS_CHANGED: The account changed meanwhile"),
        "{message}"
    );
    assert_eq!(fake.state().confirmations.len(), 1);
}

#[tokio::test]
async fn an_automatic_confirmation_is_waited_for() {
    let (fake, url) = Fake::start().await;
    let done = import(&url, "auto.csv", &["--auto-confirm", "--json"])
        .await
        .ended(0);
    assert_eq!(done.document()["state"], "IMPORT_STATE_COMMITTED");
    assert!(fake.state().confirmations.is_empty());
}

#[tokio::test]
async fn a_broken_watch_is_opened_again() {
    let (fake, url) = Fake::start().await;
    import(&url, "broken.csv", &["--yes", "--json"])
        .await
        .ended(0);
    assert_eq!(fake.state().watches, 3);
}

#[tokio::test]
async fn uploads_flow_in_chunks_and_are_tried_again_under_the_same_id() {
    let (fake, url) = Fake::start().await;
    let content: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let (_folder, path) = file("flaky.csv", &content);
    djinn(&url, &["--json", "preview", &path]).await.ended(0);
    let state = fake.state();
    assert_eq!(state.uploads.len(), 2);
    assert_eq!(state.uploads[0].request_id, state.uploads[1].request_id);
    for upload in &state.uploads {
        assert!(upload.bytes == content);
        assert_eq!(upload.chunk_sizes.len(), 16);
        assert!(upload.chunk_sizes.iter().all(|size| *size <= 64 * 1024));
    }
}

/// Bytes that differ from chunk to chunk, of two chunks and a bit.
fn large() -> Vec<u8> {
    let numbers = 0..(17 * 1024 * 1024 / 4_u32);
    numbers.flat_map(u32::to_le_bytes).collect()
}

#[tokio::test]
async fn a_large_file_goes_in_chunks_and_a_broken_connection_costs_one_of_them() {
    let (fake, url) = Fake::start().await;
    let content = large();
    let (_folder, path) = file("worn.csv", &content);
    djinn(&url, &["--json", "preview", &path]).await.ended(0);
    let state = fake.state();
    assert!(state.uploads.is_empty());
    let [upload] = &state.chunked[..] else {
        unreachable!("{} uploads", state.chunked.len());
    };
    assert_eq!(upload.sent, [0, 1, 1, 2]);
    let stored: Vec<u8> = upload.chunks.values().flatten().copied().collect();
    assert!(stored == content);
}

#[tokio::test]
async fn the_same_request_id_goes_on_where_an_earlier_command_ended() {
    let (fake, url) = Fake::start().await;
    let account = ["account", "create", "--name", "Main", "--currency", "EUR"];
    djinn(&url, &account).await.ended(0);
    let (_folder, path) = file("torn.csv", &large());
    let id = "0197a0f0-0000-7000-8000-000000000000";
    let account = ["--account", "Main", "--yes", "--request-id", id];
    let command = [&["--json", "import", &path], &account[..]].concat();
    djinn(&url, &command).await.ended(9);
    djinn(&url, &command).await.ended(0);
    let state = fake.state();
    assert_eq!(state.chunked[0].asked.request_id, id);
    assert_eq!(state.chunked[0].sent, [0, 1, 1, 1, 1, 1, 1, 2]);
}

#[tokio::test]
async fn chunks_of_two_files_are_never_put_together() {
    let (fake, url) = Fake::start().await;
    let mut content = large();
    let (_folder, path) = file("torn.csv", &content);
    let id = "0197a0f0-0000-7000-8000-000000000000";
    let account = ["account", "create", "--name", "Main", "--currency", "EUR"];
    djinn(&url, &account).await.ended(0);
    let account = ["--account", "Main", "--yes", "--request-id", id];
    let command = [&["--json", "import", &path], &account[..]].concat();
    djinn(&url, &command).await.ended(9);
    // As long as before, and another one in a chunk that has arrived.
    content[0] ^= 1;
    std::fs::write(&path, content).unwrap();
    let refused = djinn(&url, &command).await.ended(8);
    assert_eq!(refused.failure()["reason"], "REQUEST_ID_REUSED");
    assert!(fake.state().imports.is_empty());
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_on_the_way() {
    let (fake, url) = Fake::start().await;
    let (_folder, path) = file("large.csv", &vec![0; 8 * 1024 * 1024]);
    let refused = djinn(&url, &["--json", "preview", &path]).await.ended(4);
    assert_eq!(refused.failure()["reason"], "FILE_TOO_LARGE");
    assert!(fake.state().imports.is_empty());
}

#[tokio::test]
async fn a_file_that_arrived_in_part_is_not_imported() {
    let (fake, url) = Fake::start().await;
    let failed = import(&url, "short.csv", &["--json"]).await.ended(1);
    assert_eq!(failed.failure()["reason"], "TRUNCATED_UPLOAD");
    assert!(fake.state().imports.is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_there_is_wrong_usage() {
    let (fake, url) = Fake::start().await;
    for path in ["/nowhere/statement.csv", "/tmp"] {
        let failed = djinn(&url, &["--json", "preview", path]).await.ended(2);
        assert_eq!(failed.failure()["reason"], "UNREADABLE_FILE");
    }
    assert!(fake.state().uploads.is_empty());
}

#[tokio::test]
async fn a_preview_shows_reading_rows_and_questions() {
    let (fake, url) = Fake::start().await;
    let (_folder, path) = file("good.csv", b"x");
    let preview = [
        "preview",
        &path,
        "--answer",
        "date_order=day_first",
        "--rows",
        "5",
    ];
    let table = djinn(&url, &preview).await.ended(0).stdout;
    for expected in [
        "Read as windows-1252, delimiter ;, header in line 1, EUR",
        "Datum ┆ booked_on ┆ %d.%m.%Y",
        "  - Day 31 occurs",
        "┆ -19.99 ┆",
        "BAD_DATE",
        "--answer date_order=day_first  the day",
    ] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    let answer = ("date_order".to_owned(), "day_first".to_owned());
    assert_eq!(fake.state().answers, [answer]);

    let document = djinn(&url, &[&["--json"], &preview[..]].concat())
        .await
        .ended(0)
        .document();
    assert_eq!(document["reading"]["encoding"], "windows-1252");
    assert_eq!(document["questions"][0]["key"], "date_order");
    assert_eq!(document["rows"].as_array().unwrap().len(), 2);
    assert_eq!(document["upload"]["fileName"], "good.csv");
}

#[tokio::test]
async fn ctrl_c_leaves_the_import_where_it_is() {
    let (fake, url) = Fake::start().await;
    djinn(
        &url,
        &["account", "create", "--name", "Main", "--currency", "EUR"],
    )
    .await
    .ended(0);
    let (_folder, path) = file("forever.csv", b"x");
    let mut child = command(&url, &["import", &path, "--account", "Main"])
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.ends_with("scanning\n") {
        assert_ne!(stderr.read_line(&mut seen).await.unwrap(), 0, "{seen}");
    }
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    stderr.read_to_string(&mut seen).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(130), "{seen}");
    let state = fake.state();
    let way_on = format!(
        "`djinn imports cancel {}` ends it",
        state.imports[0].import_id
    );
    assert!(seen.contains(&way_on), "{seen}");
    assert_eq!(state.imports[0].state(), ImportState::Scanning);
}
