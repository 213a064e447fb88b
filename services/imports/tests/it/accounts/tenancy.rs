//! Accounts of somebody else are none that rows could go into: not as an answer, not as a filter,
//! and not behind the service's back.

use djinn_chassis::{clock::Clock, testing};
use djinn_ledger::{
    Change,
    intake::{self, Batch},
};
use djinn_proto::imports::v1::{self as proto, ImportState};
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use super::{GIRO, SAVINGS, STRANGE, Saver, close, of_two};
use crate::world::{World, answer, begin, reach};

#[tokio::test]
async fn an_account_of_somebody_else_or_a_closed_one_is_no_answer() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let theirs = world.open(testing::user(), "Theirs", STRANGE, "EUR").await;
    let closed = world.open(saver.user, "Closed", STRANGE, "EUR").await;
    close(&world, saver.user, closed).await;
    let import_id = begin(&mut saver.client, &of_two(GIRO, STRANGE), saver.giro).await;
    let asked = reach(&mut saver.client, &import_id, ImportState::Asking).await;
    let key = format!("account:{STRANGE}");
    let mut told = Vec::new();
    for account_id in [theirs, closed, Uuid::new_v4()] {
        let id = account_id.to_string();
        let refusal = answer(&mut saver.client, &asked, &[(&key, &id)]).await;
        let status = refusal.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let details = status.get_error_details();
        let violation = &details.bad_request().unwrap().field_violations[0];
        assert_eq!(violation.field, format!("answers.{key}"));
        told.push(violation.description.replace(&id, "ID"));
    }
    assert!(told.iter().all(|it| *it == told[0]), "{told:?}");
    let unknown = proto::ListImportRowsRequest {
        import_id: import_id.clone(),
        account_id: theirs.to_string(),
        ..Default::default()
    };
    answer(&mut saver.client, &asked, &[(&key, "skip")])
        .await
        .unwrap();
    reach(&mut saver.client, &import_id, ImportState::Review).await;
    let refusal = saver.client.list_import_rows(unknown).await.unwrap_err();
    assert_eq!(refusal.code(), Code::NotFound);
}

/// The foreign keys carry the user: not even the service itself can lead a row astray.
#[tokio::test]
async fn nobody_notes_an_account_of_somebody_else() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let thief = testing::user();
    let theirs = world.account(thief, "EUR").await;
    let import_id = begin(&mut saver.client, &of_two(GIRO, SAVINGS), saver.giro).await;
    reach(&mut saver.client, &import_id, ImportState::Review).await;
    let import_id: Uuid = import_id.parse().unwrap();
    for (reader, expected) in [(saver.user, 2), (thief, 0)] {
        let mut transaction = world.as_imports(reader).await;
        let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM imports.import_account")
            .fetch_one(&mut *transaction)
            .await
            .unwrap();
        assert_eq!(seen, expected);
    }
    let insert = "INSERT INTO imports.import_account \
                  (user_id, import_id, generation, account_id, names) VALUES ($1, $2, 9, $3, '{}')";
    for (writer, owner, account_id) in [
        (saver.user, saver.user, theirs),
        (thief, thief, theirs),
        (thief, saver.user, saver.giro),
    ] {
        let mut transaction = world.as_imports(writer).await;
        let written = sqlx::query(insert)
            .bind(owner.uuid())
            .bind(import_id)
            .bind(account_id)
            .execute(&mut *transaction)
            .await;
        let error = written.unwrap_err().into_database_error().unwrap();
        let code = error.code().unwrap().into_owned();
        assert!(code == "23503" || code == "42501", "{code}");
    }
}

/// A row that is copied in says freely which account it is of; the ledger takes none of somebody
/// else's.
#[tokio::test]
async fn a_copied_row_comes_into_no_account_of_somebody_else() {
    let world = World::new().await;
    let mut saver = Saver::of(&world).await;
    let theirs = world.account(testing::user(), "EUR").await;
    let import_id = begin(&mut saver.client, &of_two(GIRO, SAVINGS), saver.giro).await;
    reach(&mut saver.client, &import_id, ImportState::Review).await;
    let mut transaction = world.as_imports(saver.user).await;
    let copy = "COPY imports.staged_row (import_id, generation, row_number, line, account_id, \
                transaction_id, booked_on, amount_minor, currency_code, description, \
                counterparty, fingerprint) FROM STDIN";
    let row = format!(
        "{import_id}\t1\t9\t9\t{theirs}\t{}\t2024-01-20\t-100\tEUR\tTea\t\t\\\\x{}\n",
        Uuid::new_v4(),
        "07".repeat(32)
    );
    let mut copy = transaction.copy_in_raw(copy).await.unwrap();
    copy.send(row.into_bytes()).await.unwrap();
    assert_eq!(copy.finish().await.unwrap(), 1);
    let clock = Clock::system();
    let batch = Batch {
        import_id: import_id.parse().unwrap(),
        generation: 1,
        has_ids: true,
    };
    let change = Change::begin(&clock);
    let failure = intake::commit_batch(&mut transaction, batch, &change, clock.now()).await;
    let failure = format!("{:?}", failure.unwrap_err());
    assert!(failure.contains("account_id_fkey"), "{failure}");
}
