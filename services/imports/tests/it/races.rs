//! Everything at once: confirmations, cancellations, answers, edits of rows, expiry, undoing, the
//! same file again, edits and deletions by hand and a killed worker meet at one account in an order
//! that a seed decides, and after each round the invariants of a ledger must hold.
//!
//! `DJINN_RACE_SEED=n` plays that seed alone, `DJINN_RACE_SEEDS=n` plays more of them. The moves
//! and their order come from the seed; how moves that are under way together interleave is the
//! machine's affair, which is why each seed has many.

mod scene;

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use djinn_chassis::{auth::UserId, testing};
use djinn_proto::imports::v1::{self as proto, Import, ImportState};
use fastrand::Rng;
use futures::{StreamExt, stream};
use tokio::sync::{RwLock, watch};
use tonic::{Code, Status};
use uuid::Uuid;

use self::scene::{ENTRIES, files, otherwise};
use crate::{
    by_hand, invariant,
    world::{Client, PATIENCE, World, reason, upload},
};

/// The numbers of a player's accounts.
const GIRO: &str = "DE71500105170012345678";
const SAVINGS: &str = "DE96500105170087654321";
/// Seeds of one run of the tests; with the moves of each, some thousands of moves.
const SEEDS: u64 = 24;
/// Players, each with a seed, a user and an account, at the same service at once.
const PLAYERS: usize = 6;
/// Rounds of one seed.
const ROUNDS: usize = 40;
/// Moves that are under way together in one round, at most.
const MOVES_MAX: usize = 5;
/// Rounds of all players together from one death of the service to the next.
const ROUNDS_PER_LIFE: usize = 160;
/// What a dead service has left unstarted waits for the sweep, which runs each minute and may
/// itself have died with the service; a step whose worker died is given up after its heartbeat.
const REST_PATIENCE: Duration = Duration::from_secs(240);
/// How long a review or question waits for a person: a few rounds, so that many expire.
const REVIEW_TTL: &str = "3s";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_meets_in_whatever_order_the_ledger_holds() {
    let seeds = seeds();
    let world = World::with(&[("DJINN_IMPORTS_REVIEW_TTL", REVIEW_TTL)]).await;
    let world = RwLock::new(world);
    let (rounds, played) = watch::channel(0_usize);
    let moves = AtomicUsize::new(0);
    let players = async {
        stream::iter(seeds)
            .for_each_concurrent(PLAYERS, |seed| play(seed, &world, &rounds, &moves))
            .await;
    };
    let deaths = tokio::select! {
        () = players => None,
        deaths = kill_now_and_then(&world, played) => Some(deaths),
    };
    assert_eq!(deaths, None, "the killer never ends by itself");
    println!("{} moves", moves.load(Ordering::Relaxed));
}

fn seeds() -> Vec<u64> {
    let number = |name| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse().expect(name))
    };
    match number("DJINN_RACE_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("DJINN_RACE_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

/// SIGKILL in the midst of whatever is under way, then another life.
async fn kill_now_and_then(world: &RwLock<World>, mut played: watch::Receiver<usize>) {
    let mut next = ROUNDS_PER_LIFE;
    while played.wait_for(|rounds| *rounds >= next).await.is_ok() {
        // Only looks at the database hold the lock: calls of the service go on, into the void.
        let mut world = world.write().await;
        world.kill().await;
        world.start(&[]).await;
        next += ROUNDS_PER_LIFE;
    }
}

/// One thing that somebody does. Numbers choose among what is there when the move is made.
#[derive(Clone, Copy, Debug)]
enum Move {
    Begin {
        file: usize,
        auto_confirm: bool,
    },
    Import {
        nth: usize,
        word: Word,
    },
    /// Something that a file may tell of too, some days later.
    EnterByHand {
        entry: usize,
    },
    EditByHand {
        row: usize,
    },
    Reconcile {
        row: usize,
    },
    DeleteByHand {
        row: usize,
    },
    /// Waits until nothing runs but what waits for a person.
    Settle,
}

/// What is said to an import.
#[derive(Clone, Copy, Debug)]
enum Word {
    Confirm,
    ConfirmTwice,
    ConfirmUnseen,
    Cancel,
    Answer { choice: usize },
    Reread { column: i32 },
    Toggle { row: i64, included: bool },
    Revert,
}

impl Move {
    fn draw(rng: &mut Rng, files: usize) -> Self {
        let word = match rng.u8(0..100) {
            0..20 => {
                return Self::Begin {
                    file: rng.usize(0..files),
                    auto_confirm: rng.u8(0..4) == 0,
                };
            }
            20..36 => Word::Confirm,
            36..40 => Word::ConfirmTwice,
            40..43 => Word::ConfirmUnseen,
            43..50 => Word::Cancel,
            50..60 => Word::Answer {
                choice: rng.usize(0..2),
            },
            60..63 => Word::Reread {
                // The day, the text, the amount, and one that is not there.
                column: rng.i32(1..=4),
            },
            63..68 => Word::Toggle {
                row: rng.i64(1..=7),
                included: rng.bool(),
            },
            68..76 => Word::Revert,
            76..80 => {
                return Self::EnterByHand {
                    entry: rng.usize(0..ENTRIES.len()),
                };
            }
            80..81 => {
                return Self::Reconcile {
                    row: rng.usize(0..16),
                };
            }
            81..84 => {
                return Self::EditByHand {
                    row: rng.usize(0..16),
                };
            }
            84..88 => {
                return Self::DeleteByHand {
                    row: rng.usize(0..16),
                };
            }
            _ => return Self::Settle,
        };
        // The newest imports are met most: there the races are.
        let nth = rng.usize(0..6).min(rng.usize(0..6));
        Self::Import { nth, word }
    }
}

/// What a player is and has.
struct Player<'a> {
    seed: u64,
    user: UserId,
    account_id: Uuid,
    client: Client,
    uploads: Vec<String>,
    world: &'a RwLock<World>,
}

async fn play(
    seed: u64,
    world: &RwLock<World>,
    rounds: &watch::Sender<usize>,
    moves: &AtomicUsize,
) {
    let mut rng = Rng::with_seed(seed);
    let player = Player::enter(seed, world).await;
    let mut log = Vec::new();
    for round in 0..ROUNDS {
        let drawn: Vec<Move> = (0..rng.usize(1..=MOVES_MAX))
            .map(|_| Move::draw(&mut rng, player.uploads.len()))
            .collect();
        let imports = player.imports().await;
        let made = drawn.iter().map(|one| player.make(*one, &imports));
        let answers = futures::future::join_all(made).await;
        moves.fetch_add(drawn.len(), Ordering::Relaxed);
        log.push(format!("{round}: {drawn:?} {answers:?}"));
        player.check(&log).await;
        rounds.send_modify(|rounds| *rounds += 1);
    }
    player.settle(true).await;
    player.check(&log).await;
}

impl<'a> Player<'a> {
    async fn enter(seed: u64, world: &'a RwLock<World>) -> Self {
        let user = testing::user();
        let (account_id, client) = {
            let world = world.read().await;
            world.open(user, "Savings", SAVINGS, "EUR").await;
            let giro = world.open(user, "Giro", GIRO, "EUR").await;
            (giro, world.client(user))
        };
        let mut uploads = Vec::new();
        for file in files() {
            let stored = testing::eventually("an upload", PATIENCE, async || {
                upload(&mut client.clone(), &file).await.ok()
            });
            uploads.push(stored.await);
        }
        Self {
            seed,
            user,
            account_id,
            client,
            uploads,
            world,
        }
    }

    /// The imports, newest first, as soon as the service is there to tell.
    async fn imports(&self) -> Vec<Import> {
        testing::eventually("a list of imports", PATIENCE, async || {
            let request = proto::ListImportsRequest::default();
            let answer = self.client.clone().list_imports(request).await.ok()?;
            Some(answer.into_inner().imports)
        })
        .await
    }

    /// Makes a move and says what came of it. What is said no to is said with a reason; without one
    /// the service has died under the call.
    async fn make(&self, one: Move, imports: &[Import]) -> String {
        let answer = self.attempt(one, imports).await;
        let Err(status) = answer else {
            return "done".to_owned();
        };
        let why = reason(&status);
        let defect = !why.is_empty() && matches!(status.code(), Code::Internal | Code::Unknown);
        assert!(!defect, "seed {}: {one:?}: {status:?}", self.seed);
        format!("{:?} {why}", status.code())
    }

    async fn attempt(&self, one: Move, imports: &[Import]) -> Result<(), Status> {
        match one {
            Move::Begin { file, auto_confirm } => {
                let request = proto::CreateImportRequest {
                    request_id: id(),
                    upload_id: self.uploads[file].clone(),
                    account_id: self.account_id.to_string(),
                    auto_confirm,
                    mapping: None,
                };
                self.client.clone().create_import(request).await?;
            }
            Move::Import { nth, word } => {
                if let Some(seen) = imports.get(nth) {
                    self.say(word, seen.clone()).await?;
                }
            }
            Move::EnterByHand { entry } => {
                let world = self.world.read().await;
                world
                    .enter(self.user, self.account_id, ENTRIES[entry])
                    .await;
            }
            Move::Reconcile { row } => {
                let world = self.world.read().await;
                by_hand::reconcile_nth(&world, self.user, self.account_id, row).await;
            }
            Move::EditByHand { row } => {
                let world = self.world.read().await;
                by_hand::edit_nth(&world, self.user, self.account_id, row).await;
            }
            Move::DeleteByHand { row } => {
                let world = self.world.read().await;
                by_hand::delete_nth(&world, self.user, self.account_id, row).await;
            }
            Move::Settle => self.settle(false).await,
        }
        Ok(())
    }

    async fn say(&self, word: Word, seen: Import) -> Result<(), Status> {
        let mut client = self.client.clone();
        match word {
            Word::Confirm => drop(client.confirm_import(confirmation(&seen)).await?),
            Word::ConfirmTwice => {
                let (request, mut other) = (confirmation(&seen), client.clone());
                let (first, second) = tokio::join!(
                    client.confirm_import(request.clone()),
                    other.confirm_import(request),
                );
                drop((first?, second?));
            }
            Word::ConfirmUnseen => {
                let unseen = Import {
                    etag: "1.999".to_owned(),
                    ..seen
                };
                let answer = client.confirm_import(confirmation(&unseen)).await;
                assert!(answer.is_err(), "seed {}: confirmed unseen", self.seed);
            }
            Word::Cancel => {
                let request = proto::CancelImportRequest {
                    import_id: seen.import_id,
                    request_id: id(),
                };
                client.cancel_import(request).await?;
            }
            Word::Answer { choice } => drop(client.answer_import(answer(seen, choice)).await?),
            Word::Reread { column } => drop(client.reread_import(otherwise(seen, column)).await?),
            Word::Toggle { row, included } => self.toggle(seen, row, included).await?,
            Word::Revert => {
                let request = proto::RevertImportRequest {
                    import_id: seen.import_id,
                    request_id: id(),
                };
                client.revert_import(request).await?;
            }
        }
        Ok(())
    }

    /// Rows that are new or were deleted by hand, never duplicates: what is doubled on purpose
    /// could not be told from what is doubled by mistake.
    async fn toggle(&self, seen: Import, row: i64, included: bool) -> Result<(), Status> {
        let mut client = self.client.clone();
        let request = proto::ListImportRowsRequest {
            import_id: seen.import_id.clone(),
            verdicts: vec![
                proto::RowVerdict::New.into(),
                proto::RowVerdict::DeletedBefore.into(),
                proto::RowVerdict::Linked.into(),
                proto::RowVerdict::Suspected.into(),
            ],
            ..proto::ListImportRowsRequest::default()
        };
        let listed = client.list_import_rows(request).await?.into_inner();
        if listed.rows.iter().all(|it| it.row_number != row) {
            return Ok(());
        }
        let request = proto::UpdateImportRowsRequest {
            import_id: seen.import_id,
            etag: listed.etag,
            changes: vec![proto::ImportRowChange {
                row_number: row,
                included,
                ..proto::ImportRowChange::default()
            }],
        };
        client.update_import_rows(request).await?;
        Ok(())
    }

    /// Makes due now what is otherwise due a minute after its request: imports and undoings whose
    /// workflow the dead service has not started.
    async fn hurry_starts(&self) {
        let world = self.world.read().await;
        let mut transaction = world.as_imports(self.user).await;
        sqlx::query(
            "UPDATE imports.due SET due_at = now() \
             WHERE user_id = $1 AND kind IN ('start_import', 'start_revert')",
        )
        .bind(self.user.uuid())
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
    }

    /// Waits until no import is at work; at the end of a game until none waits for a person either.
    async fn settle(&self, to_the_end: bool) {
        self.hurry_starts().await;
        testing::eventually("imports at rest", REST_PATIENCE, async || {
            let at_rest = |import: &Import| match import.state() {
                ImportState::Asking | ImportState::Review => !to_the_end,
                ImportState::Committed
                | ImportState::Reverted
                | ImportState::Refused
                | ImportState::Cancelled
                | ImportState::Expired => true,
                state => {
                    assert_ne!(state, ImportState::Failed, "seed {}: {import:?}", self.seed);
                    false
                }
            };
            self.imports().await.iter().all(at_rest).then_some(())
        })
        .await;
    }

    async fn check(&self, log: &[String]) {
        let world = self.world.read().await;
        let violations = invariant::violations(&world, self.user).await;
        assert!(
            violations.is_empty(),
            "DJINN_RACE_SEED={} breaks the ledger:\n{violations:#?}\n{}",
            self.seed,
            log.join("\n")
        );
    }
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

fn confirmation(seen: &Import) -> proto::ConfirmImportRequest {
    proto::ConfirmImportRequest {
        import_id: seen.import_id.clone(),
        etag: seen.etag.clone(),
        request_id: id(),
    }
}

fn answer(seen: Import, choice: usize) -> proto::AnswerImportRequest {
    let chosen = |question: &proto::Question| {
        let choice = &question.choices[choice % question.choices.len()];
        (question.key.clone(), choice.value.clone())
    };
    let answers: HashMap<_, _> = seen.questions.iter().map(chosen).collect();
    proto::AnswerImportRequest {
        import_id: seen.import_id,
        etag: seen.etag,
        answers,
        request_id: id(),
    }
}
