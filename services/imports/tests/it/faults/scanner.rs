//! The scanner is away, slow, or says anything but its exact words: nothing is parsed, the import
//! waits in `scanning`, and goes on as soon as the scanner has spoken.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use djinn_chassis::testing;
use djinn_proto::imports::v1::ImportState;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::{finish, scene::Scene};
use crate::world::{PATIENCE, World, get, reach};

const CLEAN: &[u8] = b"stream: OK\0";
const ROWS: usize = 2_000;

/// How a scanner that is not well answers one file.
#[derive(Clone, Copy, Debug)]
enum Reply {
    /// Says this, and closes.
    Says(&'static [u8]),
    /// Says this, and breaks the connection.
    Breaks(&'static [u8]),
    /// Takes so many bytes and then says that this is too much, as clamd does.
    Overflows { bytes: usize },
}

const REPLIES: [Reply; 12] = [
    Reply::Says(b""),
    Reply::Says(b"stream: OK"),
    Reply::Says(b"stream: OK\0\0"),
    Reply::Says(b"stream: OK\0stream: OK\0"),
    Reply::Says(b"1: stream: OK\0"),
    Reply::Says(b"STREAM: OK\0"),
    Reply::Says(b"OK\0"),
    Reply::Says(b"stream: Can't allocate memory ERROR\0"),
    Reply::Says(b"UNKNOWN COMMAND\0"),
    Reply::Says(&[b'x'; 4_096]),
    Reply::Breaks(b"stream: O"),
    Reply::Overflows { bytes: 20_000 },
];

/// A scanner on loopback that plays the replies, one for each connection, and then holds back a
/// clean answer until it is well.
struct FakeScanner {
    address: SocketAddr,
    script: Arc<Mutex<VecDeque<Reply>>>,
    well: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl FakeScanner {
    async fn with(replies: &[Reply]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(replies.iter().copied().collect()));
        let (well, is_well) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&script), is_well));
        Self {
            address,
            script,
            well,
            accepting,
        }
    }

    /// Replies that have not been played.
    fn left(&self) -> usize {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.len()
    }
}

impl Drop for FakeScanner {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    script: Arc<Mutex<VecDeque<Reply>>>,
    is_well: watch::Receiver<bool>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let reply = {
            let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
            script.pop_front()
        };
        // What goes wrong here the service sees, and fails.
        tokio::spawn(serve(stream, reply, is_well.clone()));
    }
}

async fn serve(
    mut stream: TcpStream,
    reply: Option<Reply>,
    mut is_well: watch::Receiver<bool>,
) -> std::io::Result<()> {
    match reply {
        Some(Reply::Overflows { bytes }) => {
            let mut taken = vec![0; bytes];
            stream.read_exact(&mut taken).await?;
            stream
                .write_all(b"INSTREAM size limit exceeded. ERROR\0")
                .await?;
        }
        Some(Reply::Breaks(word)) => {
            listen(&mut stream).await?;
            stream.write_all(word).await?;
            stream.set_zero_linger()?;
        }
        Some(Reply::Says(word)) => {
            listen(&mut stream).await?;
            stream.write_all(word).await?;
        }
        None => {
            listen(&mut stream).await?;
            // An error means that the test is over.
            drop(is_well.wait_for(|is_well| *is_well).await);
            stream.write_all(CLEAN).await?;
        }
    }
    Ok(())
}

/// Reads to the end of the file: a block of length zero.
async fn listen(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut greeting = [0; b"zINSTREAM\0".len()];
    stream.read_exact(&mut greeting).await?;
    loop {
        let length = stream.read_u32().await?;
        if length == 0 {
            return Ok(());
        }
        let mut block = vec![0; usize::try_from(length).unwrap_or_default()];
        stream.read_exact(&mut block).await?;
    }
}

/// Nothing of the file has been looked at.
async fn is_unparsed(world: &World, scene: &Scene) -> bool {
    let mut transaction = world.as_imports(scene.user).await;
    sqlx::query_scalar(
        "SELECT bool_and(i.status = 'scanning' AND i.reading IS NULL AND u.scan = 'waiting') \
         AND NOT EXISTS (SELECT FROM imports.progress) AND NOT EXISTS (SELECT FROM imports.staged) \
         FROM imports.import i JOIN imports.upload u USING (user_id, upload_id)",
    )
    .fetch_one(&mut *transaction)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_it_says_but_its_exact_words_nothing_is_parsed() {
    let scanner = FakeScanner::with(&REPLIES).await;
    // Every import is at the scanner at once, and waits for it.
    let concurrency = (REPLIES.len() + 1).to_string();
    let environment = [
        ("DJINN_CLAMD_ADDRESS", &*scanner.address.to_string()),
        ("ACTIVITY_CONCURRENCY", &*concurrency),
    ];
    let mut world = World::stopped(&environment, None).await;
    world.start(&[]).await;
    let mut imports = Vec::new();
    for (seed, _) in (0..).zip(REPLIES) {
        let scene = Scene::set(&world, ROWS, seed).await;
        let import_id = scene.begin(&world).await;
        imports.push((scene, import_id));
    }
    testing::eventually("a failure for each reply", PATIENCE, async || {
        let log = world.process().log();
        let failures = log.matches("SCANNER_UNAVAILABLE").count();
        (scanner.left() == 0 && failures >= REPLIES.len()).then_some(())
    })
    .await;
    for (scene, import_id) in &imports {
        let import = get(&mut scene.client(&world), import_id).await;
        assert_eq!(import.state(), ImportState::Scanning, "{import:?}");
        assert!(is_unparsed(&world, scene).await);
    }
    scanner.well.send_replace(true);
    for (scene, import_id) in &imports {
        let mut client = scene.client(&world);
        let (_, ()) = tokio::join!(
            scene.watch(&world, import_id),
            finish(&mut client, import_id)
        );
        let temporal = &testing::stack().temporal_address;
        scene.holds(&world, temporal, import_id).await;
    }
}

/// The file takes some seconds to be sent; a scanner that is stopped for good is in `scan.rs`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_frozen_for_a_while_it_is_waited_for() {
    let world = World::new().await;
    let scene = Scene::set(&world, ROWS, 0).await;
    let mut client = scene.client(&world);
    world.scanner.slow(20_000);
    let import_id = scene.begin(&world).await;
    reach(&mut client, &import_id, ImportState::Scanning).await;
    assert!(is_unparsed(&world, &scene).await);
    world.scanner.freeze();
    let waits = get(&mut client, &import_id).await;
    assert_eq!(waits.state(), ImportState::Scanning, "{waits:?}");
    assert!(is_unparsed(&world, &scene).await);
    world.scanner.slow(20_000);
    let (seen, ()) = tokio::join!(
        scene.watch(&world, &import_id),
        finish(&mut client, &import_id)
    );
    assert_eq!(
        seen.first().map(String::as_str),
        Some("scanning"),
        "{seen:?}"
    );
    let temporal = &testing::stack().temporal_address;
    scene.holds(&world, temporal, &import_id).await;
}
