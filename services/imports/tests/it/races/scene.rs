//! What is imported and entered by hand in a race.

use std::collections::HashMap;

use djinn_proto::imports::v1 as proto;
use uuid::Uuid;

use super::{GIRO, SAVINGS};
use crate::{by_hand::Entry, world::statement};

/// Two that the files tell of with the same text, one that they tell of otherwise, one that they do
/// not tell of.
pub(super) const ENTRIES: [Entry<'static>; 4] = [
    Entry {
        booked_on: "2024-01-11",
        amount_minor: -90_050,
        counterparty: "Rent",
        description: "",
        note: "by hand",
    },
    Entry {
        booked_on: "2024-01-29",
        amount_minor: -320,
        counterparty: "",
        description: "coffee",
        note: "",
    },
    Entry {
        booked_on: "2024-01-20",
        amount_minor: -1_700,
        counterparty: "Somebody",
        description: "",
        note: "",
    },
    Entry {
        booked_on: "2024-01-20",
        amount_minor: -4_200,
        counterparty: "Market",
        description: "",
        note: "cash",
    },
];

/// January again, and the savings account beside it.
fn two_accounts() -> Vec<u8> {
    format!(
        "Own account,Date,Description,Amount\n\
         {GIRO},2024-01-13,Rent,-900.50\n\
         {SAVINGS},2024-01-14,Interest,0.01\n\
         {GIRO},2024-01-31,Coffee,-3.20\n\
         {SAVINGS},2024-01-31,Transfer,50.00\n"
    )
    .into_bytes()
}

/// Files that overlap: twins, a late row, a row that cannot be read, one that asks, and one of two
/// accounts.
pub(super) fn files() -> Vec<Vec<u8>> {
    let coffee = ("2024-01-31", "Coffee", "-3.20");
    let january = [
        ("2024-01-02", "Salary", "2500.00"),
        ("2024-01-13", "Rent", "-900.50"),
        ("2024-01-14", "Interest", "0.01"),
        coffee,
        coffee,
        ("2024-01-32", "No such day", "-1.00"),
    ];
    let late = [
        ("2024-01-13", "Rent", "-900.50"),
        ("2024-01-20", "Late posting", "-17.00"),
        coffee,
        coffee,
        coffee,
        ("2024-02-01", "Tea", "-2.80"),
    ];
    let unclear = [
        ("03/04/2024", "Books", "-12.00"),
        ("05/02/2024", "Fare", "-2.40"),
        ("01/06/2024", "Refund", "8.00"),
        ("04/01/2024", "Fare", "-2.40"),
    ];
    vec![
        statement(&january),
        statement(&late),
        statement(&unclear),
        two_accounts(),
    ]
}

/// The same text in a column where it may be, or may not.
pub(super) fn otherwise(seen: proto::Import, column: i32) -> proto::RereadImportRequest {
    let column = proto::MappedColumn {
        position: column,
        role: "description".to_owned(),
        format: String::new(),
    };
    proto::RereadImportRequest {
        import_id: seen.import_id,
        etag: seen.etag,
        request_id: Uuid::new_v4().to_string(),
        mapping: Some(proto::Mapping {
            columns: vec![column],
            ..proto::Mapping::default()
        }),
        answers: HashMap::new(),
    }
}
