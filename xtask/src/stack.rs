//! The local stack: Postgres, clamd, Temporal, Redis and an object store, on ports and data of its
//! own.
//!
//! Everything lies under `<target>/stack/<demo|test|bench>/`. A stack that is already up is used as
//! it is. The demo's data stays from run to run; that of tests and measurements is made anew with
//! every start.

mod clamd;
mod describe;
mod keys;
mod objects;
pub(crate) mod postgres;
mod redis;
mod state;
mod temporal;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};

use crate::process::Folder;
use crate::workspace::Workspace;
use crate::{install, interrupt, wait};

use describe::Programs;

pub(crate) use describe::Listen;
pub(crate) use state::{State, free};
pub(crate) use temporal::NAMESPACE;

/// Djinn's services, with their own processes, keys, and database roles.
pub(crate) const SERVICES: [&str; 3] = ["imports", "sync", "gateway"];

/// Everything that can run in a stack, in the order in which it is stopped.
const PARTS: [&str; 8] = [
    "djinn-gateway",
    "djinn-imports",
    "djinn-sync",
    "temporal",
    "clamd",
    "redis",
    "objects",
    "postgres",
];

/// How long to wait while another `cargo xtask` brings this stack up or down.
const TURN_LIMIT: Duration = Duration::from_secs(300);

/// Which stack: each has its own ports, data and processes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    Demo,
    Test,
    /// Measurements: settings as in the demo, data made anew as for tests.
    Bench,
}

impl Profile {
    pub(crate) fn of(test: bool) -> Self {
        if test { Self::Test } else { Self::Demo }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Test => "test",
            Self::Bench => "bench",
        }
    }
}

/// Which parts to bring up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    All,
    /// Enough to check SQL.
    Postgres,
}

/// A stack that somebody uses: it is not stopped by another run while this value lives.
pub(crate) struct Stack<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) profile: Profile,
    /// `<target>/stack/<profile>`.
    pub(crate) folder: PathBuf,
    /// Where servers that do not run as root keep their data; see [`home`].
    pub(crate) home: PathBuf,
    pub(crate) processes: Folder,
    pub(crate) state: State,
    /// Held open, and with it the lock that says somebody is here.
    _session: File,
}

/// `cargo xtask up`.
pub(crate) async fn up(workspace: &Workspace, profile: Profile) -> anyhow::Result<()> {
    let outcome = interrupt::guard(async {
        // Everything, because one program alone has other features, and with them half of the
        // dependencies would compile again.
        if let Err(error) = workspace.build().await {
            // Servers without our tables are still of use to somebody who repairs the build.
            println!("databases are migrated by the last djinn-migrate that was built: {error:#}");
        }
        let stack = Stack::up(workspace, profile, Parts::All).await?;
        stack.keep()?;
        println!("settings: source {}", stack.folder.join("env").display());
        let test = if profile == Profile::Test {
            " --test"
        } else {
            ""
        };
        println!("stop it:  cargo xtask down{test}");
        Ok(())
    })
    .await;
    if outcome.is_err() {
        stop_unless_used(workspace, profile).await?;
    }
    outcome
}

/// `cargo xtask down`.
pub(crate) async fn down(
    workspace: &Workspace,
    profile: Profile,
    wipe: bool,
) -> anyhow::Result<()> {
    let folder = folder(workspace, profile);
    let _turn = turn(&folder).await?;
    fs::remove_file(folder.join("kept")).ok();
    if stop_all(&folder).await? == 0 {
        println!("the {} stack was not running", profile.name());
    }
    if wipe {
        wipe_data(&folder, &home(&folder))?;
        println!("its data is deleted");
    }
    Ok(())
}

/// Runs `work` on a stack that is up, and stops the stack afterwards, however the work ended,
/// unless somebody else uses it, `up` has left it running, or `keep` says so.
pub(crate) async fn with<'a, T>(
    workspace: &'a Workspace,
    profile: Profile,
    parts: Parts,
    work: impl AsyncFnOnce(&Stack<'a>) -> anyhow::Result<(T, bool)>,
) -> anyhow::Result<T> {
    let outcome = interrupt::guard(async {
        let stack = Stack::up(workspace, profile, parts).await?;
        let (value, keep) = work(&stack).await?;
        if keep {
            stack.keep()?;
        }
        Ok(value)
    })
    .await;
    let stopped = stop_unless_used(workspace, profile).await;
    let value = outcome?;
    stopped?;
    Ok(value)
}

impl<'a> Stack<'a> {
    /// Brings up what is missing of a stack.
    pub(crate) async fn up(
        workspace: &'a Workspace,
        profile: Profile,
        parts: Parts,
    ) -> anyhow::Result<Self> {
        let folder = folder(workspace, profile);
        let _turn = turn(&folder).await?;
        println!("{} stack in {}", profile.name(), folder.display());
        let session = session(&folder)?;
        session
            .lock_shared()
            .context("cannot lock the stack's session file")?;
        let (home, processes) = (home(&folder), processes(&folder));
        let running = PARTS.iter().any(|part| processes.alive(part).is_some());
        if profile == Profile::Demo && !running {
            fs::remove_file(folder.join("kept")).ok();
        }
        if profile != Profile::Demo && !running {
            wipe_data(&folder, &home)?;
        }
        fs::create_dir_all(&home).context("cannot make the stack's data folder")?;
        let alive = |part: &str| processes.alive(part).is_some();
        let state = State::load(&folder, workspace, profile, alive)?;
        let stack = Self {
            workspace,
            profile,
            folder,
            home,
            processes,
            state,
            _session: session,
        };
        keys::make(&stack.keys())?;
        let programs = stack.start(parts).await?;
        describe::write(&stack, &programs)?;
        Ok(stack)
    }

    async fn start(&self, parts: Parts) -> anyhow::Result<Programs> {
        let postgres = postgres::Installation::find_or_install().await?;
        let programs = |temporal, redis| Programs {
            postgres: postgres.bin().to_owned(),
            temporal,
            redis,
        };
        if parts == Parts::Postgres {
            postgres::start(self, &postgres).await?;
            let temporal = install::TEMPORAL.place(self.workspace);
            return Ok(programs(temporal, redis::PLACE.into()));
        }
        let clamd = clamd::find_or_install(self.workspace).await?;
        let temporal = install::TEMPORAL.path(self.workspace).await?;
        let redis = redis::find_or_install().await?;
        tokio::try_join!(
            async {
                postgres::start(self, &postgres).await?;
                postgres::migrate_profile(self, &postgres).await
            },
            clamd::start(self, &clamd),
            temporal::start(self, &temporal),
            objects::start(self),
            redis::start(self, &redis),
        )?;
        Ok(programs(temporal, redis))
    }

    /// The key pairs of users and services.
    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.join("keys")
    }

    /// Leaves the stack running after this run.
    pub(crate) fn keep(&self) -> anyhow::Result<()> {
        fs::write(self.folder.join("kept"), "").context("cannot mark the stack as kept")
    }

    /// Whether it stays up after this run.
    pub(crate) fn kept(&self) -> bool {
        self.folder.join("kept").exists()
    }

    /// The environment of one of Djinn's services.
    pub(crate) fn service_environment(
        &self,
        service: &str,
        listen: &Listen,
    ) -> Vec<(String, String)> {
        describe::service(self, service, listen)
    }

    /// The environment of an operator's shell.
    pub(crate) fn operator_environment(&self) -> Vec<(String, String)> {
        describe::operator(self)
    }

    /// The environment of the command-line client.
    pub(crate) fn client_environment(&self) -> Vec<(String, String)> {
        describe::shared(self)
    }
}

fn folder(workspace: &Workspace, profile: Profile) -> PathBuf {
    workspace.target.join("stack").join(profile.name())
}

fn processes(folder: &Path) -> Folder {
    Folder {
        records: folder.join("run"),
        logs: folder.join("logs"),
    }
}

/// Servers that refuse to run as root run as another user, who may not be allowed through to the
/// target folder (as below /root): then their data lies in /var/tmp, in a folder named after it.
fn home(folder: &Path) -> PathBuf {
    if !nix::unistd::geteuid().is_root() || install::reachable(folder) {
        return folder.join("data");
    }
    let hash = state::short_hash(&folder.display().to_string());
    PathBuf::from(format!("/var/tmp/djinn-{hash}"))
}

/// Holds off other runs that want to bring this stack up or down.
async fn turn(folder: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).ok();
    let file = File::create(folder.join("turn.lock")).context("cannot make a lock file")?;
    if file.try_lock().is_err() {
        println!("waiting for another `cargo xtask` that is bringing this stack up or down");
    }
    wait::until(
        "waiting for another `cargo xtask`",
        TURN_LIMIT,
        async || file.try_lock().map(Ok).map_err(|error| anyhow!("{error}")),
    )
    .await?;
    Ok(file)
}

fn session(folder: &Path) -> anyhow::Result<File> {
    File::create(folder.join("session.lock")).context("cannot make a lock file")
}

/// Stops a stack that nobody else uses and that was not left running on purpose.
async fn stop_unless_used(workspace: &Workspace, profile: Profile) -> anyhow::Result<()> {
    let folder = folder(workspace, profile);
    let _turn = turn(&folder).await?;
    if folder.join("kept").exists() {
        return Ok(());
    }
    let session = session(&folder)?;
    if session.try_lock().is_err() {
        println!("the {} stack stays up: another run uses it", profile.name());
        return Ok(());
    }
    stop_all(&folder).await?;
    Ok(())
}

/// Stops Djinn's services first, then what they stand on; says how many ran.
async fn stop_all(folder: &Path) -> anyhow::Result<usize> {
    let processes = processes(folder);
    let mut stopped = Vec::new();
    for part in PARTS {
        if processes.stop(part).await? {
            stopped.push(part);
        }
    }
    if !stopped.is_empty() {
        println!("stopped: {}", stopped.join(", "));
    }
    Ok(stopped.len())
}

fn wipe_data(folder: &Path, home: &Path) -> anyhow::Result<()> {
    for path in [
        home,
        &folder.join("data"),
        &folder.join("logs"),
        &folder.join("run"),
    ] {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot delete {}", path.display()));
            }
            Ok(()) | Err(_) => {}
        }
    }
    fs::remove_file(folder.join("state.json")).ok();
    Ok(())
}
