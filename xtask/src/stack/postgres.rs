//! Postgres: a cluster of our own, never run by root, reachable from this machine only.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use nix::unistd::User;
use tokio::process::Command;

use super::{Profile, Stack};
use crate::process::{Spec, Stop};
use crate::{command, install};

/// Programs that are needed of an installation.
const PROGRAMS: [&str; 3] = ["initdb", "postgres", "psql"];

/// A recovery after a crash comes before the first answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The database of the demo, and the one that tests clone.
pub(crate) const DEMO_DATABASE: &str = "djinn";
pub(crate) const TEMPLATE: &str = "djinn_template";

/// The database of the services that other people's clients call, on the stack of the tests.
pub(crate) const CLIENTS_DATABASE: &str = "djinn_clients";

/// The database that SQL is checked against.
pub(crate) const PREPARE_DATABASE: &str = "djinn_prepare";

/// The database of services that run as processes on a stack.
pub(crate) fn services_database(profile: Profile) -> &'static str {
    match profile {
        Profile::Demo | Profile::Bench => DEMO_DATABASE,
        Profile::Test => CLIENTS_DATABASE,
    }
}

/// A folder with Postgres' programs.
pub(crate) struct Installation {
    bin: PathBuf,
}

impl Installation {
    /// The newest installation on this machine; Debian's is added when there is none.
    pub(crate) async fn find_or_install() -> anyhow::Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        // Debian would make and start a cluster of its own, which nobody asked for.
        let settings = Path::new("/etc/postgresql-common/createcluster.conf");
        if nix::unistd::geteuid().is_root() && !settings.exists() {
            fs::create_dir_all("/etc/postgresql-common")?;
            fs::write(settings, "create_main_cluster = false\n")?;
        }
        install::apt(&["postgresql"], "the database").await?;
        Self::find().context("Postgres was installed but its programs are not to be found")
    }

    /// The folder.
    pub(crate) fn bin(&self) -> &Path {
        &self.bin
    }

    fn find() -> Option<Self> {
        let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
            .collect();
        versions.sort();
        let folders = versions.into_iter().rev().map(|(_, path)| path.join("bin"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        folders
            .chain(std::env::split_paths(&path))
            .find(|bin| PROGRAMS.iter().all(|program| bin.join(program).is_file()))
            .map(|bin| Self { bin })
    }
}

/// Starts the server unless it runs.
pub(crate) async fn start(stack: &Stack<'_>, installation: &Installation) -> anyhow::Result<()> {
    let address = format!("127.0.0.1:{}", stack.state.ports.postgres);
    if stack.processes.alive("postgres").is_some() {
        println!("  {:<14} {address}  (was up)", "postgres");
        return Ok(());
    }
    let user = unprivileged_user()?;
    let data = stack.home.join("postgres");
    if !data.join("PG_VERSION").exists() {
        initialise(stack, installation, user, &data).await?;
    }
    let running = stack.processes.start(&Spec {
        name: "postgres",
        program: installation.bin.join("postgres"),
        arguments: settings(stack, &data).into_iter().map(Into::into).collect(),
        environment: Vec::new(),
        user,
        stop: Stop::Interrupt,
    })?;
    running
        .ready(&address, START_LIMIT, async || {
            sql(stack, installation, "postgres", "SELECT 1")
                .await
                .map(|_| ())
        })
        .await
}

/// What `docker-compose.yml` gives the server of a 4 GB machine, so that plans and times are those
/// of an operator's.
fn settings(stack: &Stack<'_>, data: &Path) -> Vec<String> {
    let (connections_max, fsync) = match stack.profile {
        Profile::Demo | Profile::Bench => (80, "on"),
        // Suites run side by side, each with its services and pools. What a power cut would lose
        // is made anew with the next run; a crash of the server loses nothing either way.
        Profile::Test => (300, "off"),
    };
    let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
    for setting in [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={}", stack.state.ports.postgres),
        "unix_socket_directories=".to_owned(),
        format!("max_connections={connections_max}"),
        format!("fsync={fsync}"),
        "shared_buffers=192MB".to_owned(),
        "work_mem=4MB".to_owned(),
        "maintenance_work_mem=64MB".to_owned(),
        "max_wal_size=1GB".to_owned(),
        "wal_compression=on".to_owned(),
        "random_page_cost=1.1".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
        // A failed statement is logged without the row that it was about.
        "log_error_verbosity=terse".to_owned(),
        "log_parameter_max_length=0".to_owned(),
    ] {
        arguments.extend(["-c".to_owned(), setting]);
    }
    arguments
}

async fn initialise(
    stack: &Stack<'_>,
    installation: &Installation,
    user: Option<(u32, u32)>,
    data: &Path,
) -> anyhow::Result<()> {
    // A folder without PG_VERSION is what an interrupted attempt left.
    fs::remove_dir_all(data).ok();
    fs::create_dir_all(data).context("cannot make Postgres' data folder")?;
    let password_file = stack.home.join("initial-password");
    fs::write(&password_file, stack.state.password("postgres"))?;
    let mut initdb = Command::new(installation.bin.join("initdb"));
    initdb
        .args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
        ])
        .args(["--locale=C.UTF-8", "--no-instructions"])
        .arg("--pgdata")
        .arg(data)
        .arg("--pwfile")
        .arg(&password_file)
        .current_dir("/");
    if stack.profile == Profile::Test {
        initdb.arg("--no-sync");
    }
    if let Some((uid, gid)) = user {
        chown(data, Some(uid), Some(gid))?;
        chown(&password_file, Some(uid), Some(gid))?;
        initdb.uid(uid).gid(gid);
    }
    let outcome = command::capture(&mut initdb).await;
    fs::remove_file(&password_file).ok();
    outcome.map(|_| ())
}

/// Postgres refuses to run as root: then it runs as the user that Debian made for it.
fn unprivileged_user() -> anyhow::Result<Option<(u32, u32)>> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let Some(user) = User::from_name(name).context("cannot look up a user")? {
            return Ok(Some((user.uid.as_raw(), user.gid.as_raw())));
        }
    }
    Err(anyhow!(
        "there is neither a user postgres nor a user nobody to run Postgres as"
    ))
}

/// Runs SQL as the administrator of the cluster and returns what it prints.
pub(crate) async fn sql(
    stack: &Stack<'_>,
    installation: &Installation,
    database: &str,
    statement: &str,
) -> anyhow::Result<String> {
    let mut psql = psql(stack, installation, database);
    psql.args(["-c", statement]);
    command::capture(&mut psql).await
}

/// Runs the statements of a file, each in a transaction of its own.
pub(crate) async fn script(
    stack: &Stack<'_>,
    installation: &Installation,
    database: &str,
    file: &Path,
) -> anyhow::Result<()> {
    let mut psql = psql(stack, installation, database);
    psql.arg("-f").arg(file);
    command::capture(&mut psql).await.map(|_| ())
}

/// `psql` for the administrator of the cluster.
fn psql(stack: &Stack<'_>, installation: &Installation, database: &str) -> Command {
    let mut psql = Command::new(installation.bin.join("psql"));
    psql.args([
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "127.0.0.1",
    ])
    .args(["-p", &stack.state.ports.postgres.to_string()])
    .args(["-U", "postgres", "-d", database])
    .env("PGPASSWORD", stack.state.password("postgres"))
    .env("PGCONNECT_TIMEOUT", "3");
    psql
}

/// Brings the profile's own database to the newest migration.
pub(crate) async fn migrate_profile(
    stack: &Stack<'_>,
    installation: &Installation,
) -> anyhow::Result<()> {
    if stack.profile != Profile::Test {
        let outcome = migrate(stack, DEMO_DATABASE).await;
        // What sqlx says when a file no longer has the hash that ran here.
        let edited = |error: &anyhow::Error| format!("{error:#}").contains("has been modified");
        return match outcome {
            Err(error) if edited(&error) => Err(anyhow!(
                "{error:#}\nway out: `cargo xtask down --wipe` deletes the demo's data; the next \
                 demo starts afresh"
            )),
            other => other.map(|_| ()),
        };
    }
    // Tests clone the template, so it must hold exactly what the migrations say. It is made anew
    // whenever the program that holds them has changed.
    let mark = stack.home.join("template");
    let program = fs::read(stack.workspace.binary("djinn-migrate")).unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, &program);
    let digest = hex::encode(digest.as_ref());
    if fs::read_to_string(&mark).is_ok_and(|text| text == digest) {
        return Ok(());
    }
    if recreate(stack, installation, TEMPLATE).await? {
        fs::write(&mark, digest).context("cannot note the state of the template")?;
    }
    Ok(())
}

/// Makes a database anew with all migrations; says whether it did.
pub(crate) async fn recreate(
    stack: &Stack<'_>,
    installation: &Installation,
    database: &str,
) -> anyhow::Result<bool> {
    let drop = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
    sql(stack, installation, "postgres", &drop).await?;
    migrate(stack, database).await
}

async fn migrate(stack: &Stack<'_>, database: &str) -> anyhow::Result<bool> {
    let program = stack.workspace.binary("djinn-migrate");
    if !program.is_file() {
        println!(
            "  {:<14} not migrated: djinn-migrate is not built",
            database
        );
        return Ok(false);
    }
    let mut migrate = Command::new(program);
    migrate
        .envs(super::describe::migrate(stack, database))
        .env("RUST_BACKTRACE", "0");
    let started = std::time::Instant::now();
    command::capture(&mut migrate)
        .await
        .with_context(|| format!("cannot migrate {database}"))?;
    println!(
        "  {database:<14} migrated  ({} ms)",
        started.elapsed().as_millis()
    );
    Ok(true)
}

/// The URL of a database for the administrator of the cluster.
pub(crate) fn url(stack: &Stack<'_>, database: &str) -> String {
    super::describe::database_url(stack, "postgres", database)
}
