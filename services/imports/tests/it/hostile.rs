//! Files that mean harm, or were harmed on their way: each ends with a reason that says the way
//! out, in time, and the service stays small. What each kind of spoilt row gives is the domain's
//! table (`domain/hostility.rs`); here are those that only size makes dangerous.

use std::time::Duration;

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;

use crate::world::{World, begin, get, many};

/// One hostile file, from its upload to its end.
const TIME_MAX: Duration = Duration::from_secs(45);
/// Above what the service takes for ordinary files: less than the large cells below, so that one
/// that is kept whole is noticed.
const MEMORY_MORE_KIB: u64 = 56 * 1024;

/// Name, bytes, and how its import ends: a reason, or the rows that its review shows and how many
/// of them cannot be read.
type Hostile = (&'static str, Vec<u8>, Result<(i64, i64), &'static str>);

const ROWS: usize = 60_000;
const CELL_BYTES: usize = 64 * 1024 * 1024;

fn files() -> Vec<Hostile> {
    let rows = || many(ROWS);
    // Behind a thousand good rows, where the reader has long made up its mind.
    let among = |insert: &[u8]| {
        let file = rows();
        let ends = file.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let end = ends.map(|(at, _)| at + 1).nth(1_000).unwrap();
        [&file[..end], insert, &file[end..]].concat()
    };
    let utf16 = |bytes: &[u8]| bytes.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<_>>();
    let count = i64::try_from(ROWS).unwrap();
    let cell = |quote: &str| {
        let cell = "x".repeat(CELL_BYTES);
        among(format!("2024-01-31,{quote}{cell}{quote},-1.00\n").as_bytes())
    };
    // What a gzip bomb begins with; the rest is never looked at.
    let bomb = [&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], &[0_u8; 1_000_000][..]].concat();
    vec![
        (
            "a million columns",
            "a,".repeat(1_000_000).into_bytes(),
            Err("TOO_MANY_COLUMNS"),
        ),
        ("a cell of 64 MiB", cell(""), Err("LINE_TOO_LONG")),
        ("a quoted cell of 64 MiB", cell("\""), Err("LINE_TOO_LONG")),
        (
            "one line of 5 MB",
            vec![b'x'; 5_000_000],
            Err("CELL_TOO_LARGE"),
        ),
        (
            "empty cells",
            ",".repeat(400).repeat(2_000).into_bytes(),
            Err("TOO_MANY_COLUMNS"),
        ),
        (
            "empty rows",
            ";;;;\n".repeat(500_000).into_bytes(),
            Err("NO_DATE_COLUMN"),
        ),
        (
            "quotes",
            "\"".repeat(3_000_000).into_bytes(),
            Err("CELL_TOO_LARGE"),
        ),
        ("a gzip bomb", bomb, Err("COMPRESSED")),
        ("UTF-16 without a mark", utf16(&rows()), Ok((count, 0))),
        (
            "a quote that never closes",
            among(b"2024-01-31,\"Coffee,-1.00\n"),
            Ok((count + 1, 0)),
        ),
        (
            "a byte of another encoding at the end",
            [&rows()[..], b"2024-01-31,Caf\xe9,-1.00\n"].concat(),
            Ok((count + 1, 0)),
        ),
        (
            "amounts beyond 64 bits",
            among(
                "2024-01-31,Coffee,99999999999999999999.00\n"
                    .repeat(1_000)
                    .as_bytes(),
            ),
            Ok((count + 1_000, 1_000)),
        ),
    ]
}

/// Imports a file into an account of its own, until it is in review or refused.
async fn outcome(world: &World, what: &str, file: &[u8]) -> Result<(i64, i64), String> {
    let user = testing::user();
    let mut client = world.client(user);
    let account_id = world.account(user, "EUR").await;
    let import_id = begin(&mut client, file, account_id).await;
    testing::eventually(what, TIME_MAX, async || {
        let import = get(&mut client, &import_id).await;
        match import.state() {
            ImportState::Review => {
                let counts = import.counts.unwrap_or_default();
                Some(Ok((counts.row_count, counts.invalid_count)))
            }
            ImportState::Refused => Some(Err(import.job?.failure?.reason)),
            ImportState::Asking | ImportState::Failed => Some(Err("neither".to_owned())),
            _ => None,
        }
    })
    .await
}

#[tokio::test]
async fn hostile_files_end_with_a_reason_in_time_and_the_service_stays_small() {
    let mut world = World::new().await;
    assert!(outcome(&world, "a good file", &many(ROWS)).await.is_ok());
    let usual = world.process().memory_peak_kib();
    let mut wrong = Vec::new();
    for (what, file, expected) in files() {
        let found = outcome(&world, what, &file).await;
        if found != expected.map_err(str::to_owned) {
            wrong.push(format!("{what}: {found:?} and not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let peak = world.process().memory_peak_kib();
    println!("{usual} KiB for ordinary files, {peak} at most");
    assert!(peak < usual + MEMORY_MORE_KIB, "{usual} KiB became {peak}");
}
