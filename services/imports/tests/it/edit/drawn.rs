//! Edits drawn by lot, over rows and transactions that resemble each other in every way. What is
//! found for the edited rows alone must be what a whole matching finds: after the last edit the
//! account moves by something that resembles nothing, so that the commit compares everything again
//! and hands the review back if one verdict is another one.

use djinn_chassis::testing;
use djinn_proto::imports::v1::{Import, ImportRow, ImportRowChange, ImportState, RowVerdict};

use super::{change, euros, included, repaired, reset, review, row, rows, text};
use crate::{
    by_hand::Entry,
    world::{Client, World, confirm, import, many, statement},
};

/// Rows of few amounts, days and names, of which two cannot be read.
const ALIKE: &[(&str, &str, &str)] = &[
    ("2024-03-01", "Cafe", "-5.00"),
    ("2024-03-01", "Cafe", "-5.00"),
    ("2024-03-02", "Bakery", "-5.00"),
    ("2024-03-31x", "Cafe", "-5.00"),
    ("2024-03-03", "Cafe", "-6.00"),
    ("2024-03-04", "Bakery", "-6.00"),
    ("2024-03-31x", "Bakery", "-6.00"),
    ("2024-03-06", "Cafe", "-7.00"),
    ("2024-03-07", "Bakery", "-7.00"),
];

const DAYS: [&str; 5] = [
    "2024-03-01",
    "2024-03-02",
    "2024-03-05",
    "2024-04-20",
    "2023-12-24",
];
const NAMES: [&str; 3] = ["Cafe", "Bakery", ""];
const FIELDS: [&str; 4] = ["amount", "booked_on", "counterparty", "description"];

/// The same numbers for the same seed.
struct Lot(u64);

impl Lot {
    fn below(&mut self, count: usize) -> usize {
        // Of Knuth; the high bits are the random ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % count
    }

    fn amount(&mut self) -> i64 {
        -100 * i64::try_from(5 + self.below(3)).unwrap()
    }

    fn change(&mut self, seen: &ImportRow) -> ImportRowChange {
        let number = seen.row_number;
        if seen.verdict() == RowVerdict::Invalid {
            return ImportRowChange {
                description: text(NAMES[self.below(3)]),
                ..repaired(number, DAYS[self.below(5)], self.amount())
            };
        }
        match self.below(5) {
            0 => reset(number, &FIELDS),
            1 => repaired(number, DAYS[self.below(5)], self.amount()),
            2 => ImportRowChange {
                amount: euros(self.amount()),
                counterparty: text(NAMES[self.below(3)]),
                ..row(number)
            },
            3 => ImportRowChange {
                description: text(NAMES[self.below(3)]),
                ..row(number)
            },
            _ => ImportRowChange {
                booked_on: text(DAYS[self.below(5)]),
                ..row(number)
            },
        }
    }
}

/// What is told of every row.
async fn told(client: &mut Client, import: &Import) -> Vec<(i64, RowVerdict, String, bool)> {
    let rows = rows(client, import).await;
    let told = rows.iter().map(|it| {
        (
            it.row_number,
            it.verdict(),
            it.transaction_id.clone(),
            it.included,
        )
    });
    told.collect()
}

async fn draw(world: &World, seed: u64) {
    let user = testing::user();
    let account_id = world.account(user, "EUR").await;
    let mut client = world.client(user);
    let mut lot = Lot(seed);
    let earlier = statement(&[
        ("2024-02-27", "Cafe", "-5.00"),
        ("2024-03-01", "Cafe", "-5.00"),
        ("2024-03-02", "Cafe", "-6.00"),
        ("2024-03-06", "Bakery", "-7.00"),
    ]);
    import(&mut client, &earlier, account_id).await;
    for _ in 0..5 {
        let entry = Entry {
            booked_on: DAYS[lot.below(5)],
            amount_minor: lot.amount(),
            counterparty: NAMES[lot.below(3)],
            ..Entry::default()
        };
        world.enter(user, account_id, entry).await;
    }
    let mut file = many(40);
    file.extend_from_slice(&statement(ALIKE)[b"Date,Description,Amount\n".len()..]);
    let mut now = review(&mut client, &file, account_id).await;
    assert_eq!(now.counts.unwrap().invalid_count, 2);
    for _ in 0..6 {
        let mut alike = rows(&mut client, &now).await.split_off(40);
        let mut changes = Vec::new();
        for _ in 0..=lot.below(3) {
            let seen = alike.remove(lot.below(alike.len()));
            changes.push(lot.change(&seen));
        }
        now = change(&mut client, &now, &changes).await.unwrap();
    }
    let found = told(&mut client, &now).await;
    let elsewhere = Entry {
        booked_on: "2020-01-01",
        amount_minor: -999_999,
        ..Entry::default()
    };
    world.enter(user, account_id, elsewhere).await;
    confirm(&mut client, &now).await.unwrap();
    let done = testing::eventually("an end", crate::world::PATIENCE, async || {
        let import = crate::world::get(&mut client, &now.import_id).await;
        let handed_back = import.job.as_ref().is_some_and(|job| job.failure.is_some());
        (handed_back || import.state() == ImportState::Committed).then_some(import)
    })
    .await;
    assert_eq!(told(&mut client, &done).await, found, "seed {seed}");
    assert_eq!(done.state(), ImportState::Committed, "seed {seed}");
    assert_eq!(included(&done), included(&now), "seed {seed}");
}

#[tokio::test]
async fn edits_by_lot_are_matched_as_a_whole_matching_does() {
    let world = World::new().await;
    for seed in 1..=25 {
        draw(&world, seed).await;
    }
}
