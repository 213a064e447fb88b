//! Rows that resemble what the ledger has: what a person entered by hand is linked and keeps what
//! it says, what is merely alike is shown and added.

mod cases;
mod link;
mod size;
mod suspicion;

use djinn_chassis::auth::UserId;
use djinn_proto::imports::v1::{self as proto, Import, ImportRow, ImportState, RowAction};
use tonic::Status;
use uuid::Uuid;

use crate::{
    by_hand::Entry,
    world::{Client, World, begin, confirm, reach},
};

/// A statement that names payees and days of value.
fn named(rows: &[(&str, &str, &str, &str, &str)]) -> Vec<u8> {
    let mut file = String::from("Date,Value date,Payee,Description,Amount\n");
    for (date, value_on, payee, text, amount) in rows {
        file.push_str(&format!("{date},{value_on},{payee},{text},{amount}\n"));
    }
    file.into_bytes()
}

/// A month of a household, the last row of which is the baker.
fn may() -> Vec<u8> {
    named(&[
        (
            "2024-05-02",
            "2024-05-02",
            "Landlord",
            "Rent May",
            "-900.50",
        ),
        ("2024-05-15", "2024-05-16", "Employer", "Salary", "2500.00"),
        (
            "2024-05-31",
            "2024-06-01",
            "Bäcker Müller",
            "CARD 4711",
            "-12.30",
        ),
    ])
}

/// The baker as entered on the day of the purchase, three days before the bank books it.
const BAKER: Entry<'static> = Entry {
    booked_on: "2024-05-28",
    amount_minor: -1_230,
    counterparty: "Backer  MULLER",
    description: "",
    note: "cake for Ann",
};

/// What a test looks at of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
struct Seen {
    booked_on: String,
    value_on: Option<String>,
    counterparty: String,
    description: String,
    note: String,
    source: String,
    told: bool,
    linked: bool,
    provenance: String,
}

impl World {
    async fn seen(&self, user: UserId, transaction_id: Uuid) -> Seen {
        let mut transaction = self.as_sync(user).await;
        sqlx::query_as(
            "SELECT booked_on::text, value_on::text, counterparty, description, note, source, \
             fingerprint IS NOT NULL AND occurrence IS NOT NULL AS told, \
             linked_import_id IS NOT NULL AS linked, coalesce(( \
                 SELECT string_agg(p.field || ' ' || p.source, ', ' ORDER BY p.field) \
                 FROM ledger.provenance p WHERE p.transaction_id = t.transaction_id), '') \
             AS provenance FROM ledger.transaction t WHERE transaction_id = $1",
        )
        .bind(transaction_id)
        .fetch_one(&mut *transaction)
        .await
        .unwrap()
    }
}

/// Into its review.
async fn review(client: &mut Client, file: &[u8], account_id: Uuid) -> Import {
    let import_id = begin(client, file, account_id).await;
    reach(client, &import_id, ImportState::Review).await
}

async fn commit(client: &mut Client, seen: &Import) -> Import {
    confirm(client, seen).await.unwrap();
    reach(client, &seen.import_id, ImportState::Committed).await
}

async fn rows(client: &mut Client, import: &Import) -> Vec<ImportRow> {
    let request = proto::ListImportRowsRequest {
        import_id: import.import_id.clone(),
        page_size: 1_000,
        ..proto::ListImportRowsRequest::default()
    };
    client
        .list_import_rows(request)
        .await
        .unwrap()
        .into_inner()
        .rows
}

async fn decide(
    client: &mut Client,
    import: &Import,
    row_number: i64,
    action: RowAction,
) -> Result<Import, Status> {
    let change = proto::ImportRowChange {
        row_number,
        action: action.into(),
        ..proto::ImportRowChange::default()
    };
    let request = proto::UpdateImportRowsRequest {
        import_id: import.import_id.clone(),
        etag: import.etag.clone(),
        changes: vec![change],
    };
    let answer = client.update_import_rows(request).await?;
    Ok(answer.into_inner().import.unwrap())
}

/// "new/duplicate/deleted before/suspected +added =linked".
fn counted(import: &Import) -> String {
    let counts = import.counts.unwrap();
    format!(
        "{}/{}/{}/{} +{} ={}",
        counts.new_count,
        counts.duplicate_count,
        counts.deleted_before_count,
        counts.suspected_count,
        counts.included_count,
        counts.linked_count
    )
}
