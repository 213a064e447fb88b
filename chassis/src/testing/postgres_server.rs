//! A Postgres of a test's own, where the server itself is to die: the stack's is everybody's.

#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test without its server can only stop, with what the server said"
)]

use std::{os::unix::fs::chown, path::PathBuf, process::Stdio, time::Duration};

use nix::{
    sys::signal::Signal,
    unistd::{User, geteuid},
};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::process::Command;

use super::{Database, Process, eventually, free_port, process::inherited, stack};

/// How long the server may take until it answers; a recovery after a crash comes first.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// How long the server may take to end when its owner is dropped.
const END_DEADLINE: Duration = Duration::from_secs(5);

/// The pause between two looks at a server that ends.
const END_PAUSE: Duration = Duration::from_millis(20);

/// The superuser, as the stack's own.
const SUPERUSER: &str = "postgres";

/// The migrated database in it.
const DATABASE: &str = "djinn";

/// A Postgres with one migrated database, which can crash and come again with what it had.
#[derive(Debug)]
pub struct PostgresServer {
    process: Option<Process>,
    port: u16,
    connections_max: u16,
    user: Option<(u32, u32)>,
    // Behind the process, which must have ended when its data goes.
    folder: TempDir,
}

impl PostgresServer {
    /// Makes a cluster, starts it and migrates its database.
    ///
    /// # Panics
    /// When one of these fails; the message says what the program said.
    pub async fn start(connections_max: u16) -> Self {
        let folder = TempDir::with_prefix("djinn-postgres-").expect("a temporary folder");
        let user = unprivileged_user();
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).expect("a folder for Postgres' user");
        }
        let mut server = Self {
            process: None,
            port: free_port(),
            connections_max,
            user,
            folder,
        };
        server.initialise().await;
        server.start_again().await;
        server.migrate().await;
        server
    }

    /// The database, to which the roles of the stack have the passwords of the stack.
    #[must_use]
    pub fn database(&self) -> Database {
        Database::of(DATABASE.to_owned(), self.url(SUPERUSER))
    }

    /// Where it listens, as `127.0.0.1:5432`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The superuser in the migrated database, to look at the server's other connections.
    ///
    /// # Panics
    /// When the server is away or has no connection left even for the superuser.
    pub async fn superuser(&self) -> PgConnection {
        let connection = PgConnection::connect(&self.url(DATABASE)).await;
        connection.expect("a connection of the superuser")
    }

    /// Ends it as `pg_ctl stop -m immediate` does: no connection is finished, nothing is written
    /// that was not, and the next start recovers.
    ///
    /// # Panics
    /// When it does not run or does not end.
    pub async fn crash(&mut self) {
        let process = self.process.take().expect("the server was started");
        process.end(Signal::SIGQUIT).await;
    }

    /// Starts it on the data it had, and waits for its first answer.
    ///
    /// # Panics
    /// When it does not answer within a minute.
    pub async fn start_again(&mut self) {
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data());
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            "unix_socket_directories=".to_owned(),
            format!("max_connections={}", self.connections_max),
            "superuser_reserved_connections=2".to_owned(),
            // The process dies here and not the machine: what was written stays written.
            "fsync=off".to_owned(),
            "timezone=UTC".to_owned(),
        ] {
            command.args(["-c", &setting]);
        }
        let process = self.process.insert(Process::spawn(command));
        let log = || process.log();
        let url = format!(
            "postgres://{SUPERUSER}:{}@127.0.0.1:{}/postgres",
            password(),
            self.port
        );
        let answers = async || PgConnection::connect(&url).await.ok();
        let answer = eventually("Postgres' answer", START_DEADLINE * 2, answers);
        match tokio::time::timeout(START_DEADLINE, answer).await {
            Ok(connection) => connection.close().await.expect("a connection to close"),
            Err(_) => panic!("Postgres does not answer:\n{}", log()),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn url(&self, database: &str) -> String {
        let (password, address) = (password(), self.address());
        format!("postgres://{SUPERUSER}:{password}@{address}/{database}")
    }

    /// A program of Postgres, as a user that it consents to run as.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(stack().postgres_bin_dir.join(name));
        command.env_clear().envs(inherited()).current_dir("/");
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    async fn initialise(&self) {
        let file = self.folder.path().join("password");
        std::fs::write(&file, password()).expect("a file for the password");
        if let Some((uid, gid)) = self.user {
            chown(&file, Some(uid), Some(gid)).expect("a file for Postgres' user");
        }
        let mut initdb = self.program("initdb");
        initdb
            .arg(format!("--username={SUPERUSER}"))
            .args(["--auth=scram-sha-256", "--encoding=UTF8"])
            .args(["--locale=C.UTF-8", "--no-instructions", "--no-sync"])
            .arg("--pgdata")
            .arg(self.data())
            .arg("--pwfile")
            .arg(&file);
        finish(initdb).await;
    }

    async fn migrate(&self) {
        let mut migrate = Command::new(stack().bin_dir.join("djinn-migrate"));
        migrate
            .env_clear()
            .envs(inherited())
            .env("DJINN_MIGRATE_DATABASE_URL", self.url(DATABASE));
        for (role, password) in &stack().passwords {
            if let Some(short) = role.strip_prefix("djinn_") {
                let name = format!("DJINN_MIGRATE_PASSWORD_{}", short.to_uppercase());
                migrate.env(name, password);
            }
        }
        finish(migrate).await;
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        // Killed, it would leave its shared memory behind for ever.
        process.signal(Signal::SIGQUIT);
        let end = std::time::Instant::now() + END_DEADLINE;
        while !process.has_ended() && std::time::Instant::now() < end {
            std::thread::sleep(END_PAUSE);
        }
    }
}

fn password() -> &'static str {
    let password = stack().passwords.get(SUPERUSER);
    password.expect("the stack has a password of its superuser")
}

async fn finish(mut command: Command) {
    let program = command.as_std().get_program().to_owned();
    let output = command.stdin(Stdio::null()).output().await;
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(
        output.status.success(),
        "{}: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Postgres refuses to run as root.
fn unprivileged_user() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let users = ["postgres", "nobody"].into_iter();
    let user = users.filter_map(|name| User::from_name(name).ok()?).next();
    let user = user.expect("a user postgres or nobody to run Postgres as");
    Some((user.uid.as_raw(), user.gid.as_raw()))
}
