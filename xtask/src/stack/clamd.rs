//! clamd with a signature set of our own: one signature, for the harmless test file EICAR.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::unistd::User;

use super::Stack;
use crate::process::{Spec, Stop};
use crate::workspace::Workspace;
use crate::{install, wait};

/// The small set, as operators may have it too: it finds the test file at any place (`*`) in a file
/// of any kind (`0`); vendors' sets find it only at the start of a short file. In hexadecimal, or
/// scanners would find this repository.
const SIGNATURES: &str = include_str!("../../../deploy/clamav/djinn.ndb");

/// Above the file limit of 256 MiB: a bigger file would pass unscanned.
const LIMIT_MIB: u32 = 300;

const START_LIMIT: Duration = Duration::from_secs(30);

/// The program. Debian's profile for AppArmor binds clamd to Debian's own paths; it goes by the
/// path of the program, so where AppArmor is at work a copy of the program is run.
pub(crate) async fn find_or_install(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let candidates = ["clamd", "/usr/sbin/clamd", "/usr/local/sbin/clamd"];
    if install::find(&candidates).is_none() {
        install::apt(&["clamav-daemon"], "it scans uploads for malware").await?;
    }
    let program =
        install::find(&candidates).context("clamd was installed but is not to be found")?;
    if !Path::new("/etc/apparmor.d/usr.sbin.clamd").exists()
        || !Path::new("/sys/kernel/security/apparmor/profiles").exists()
    {
        return Ok(program);
    }
    let copy = workspace.target.join("stack/tools/clamd");
    fs::create_dir_all(workspace.target.join("stack/tools"))?;
    fs::remove_file(&copy).ok();
    fs::copy(&program, &copy).context("cannot copy clamd")?;
    Ok(copy)
}

/// Starts the daemon unless it runs.
pub(crate) async fn start(stack: &Stack<'_>, program: &Path) -> anyhow::Result<()> {
    let port = stack.state.ports.clamd;
    let address = format!("127.0.0.1:{port}");
    if stack.processes.alive("clamd").is_some() {
        println!("  {:<14} {address}  (was up)", "clamd");
        return Ok(());
    }
    let user = unprivileged_user(stack)?;
    let folder = stack.home.join("clamd");
    for path in [
        &folder,
        &folder.join("signatures"),
        &folder.join("temporary"),
    ] {
        fs::create_dir_all(path).context("cannot make clamd's folders")?;
        if let Some((uid, gid)) = user {
            chown(path, Some(uid), Some(gid))?;
        }
    }
    fs::write(folder.join("signatures/djinn.ndb"), SIGNATURES)?;
    let settings = folder.join("clamd.conf");
    fs::write(&settings, configuration(&folder, port))?;
    let running = stack.processes.start(&Spec {
        name: "clamd",
        program: program.to_owned(),
        arguments: vec!["--config-file".into(), settings.into()],
        environment: Vec::new(),
        user,
        stop: Stop::Terminate,
    })?;
    running
        .ready(&address, START_LIMIT, async || {
            let answer = wait::exchange(port, b"zPING\0", |answer| answer.ends_with(&[0])).await?;
            if answer != b"PONG\0" {
                bail!("it answers {:?}", String::from_utf8_lossy(&answer));
            }
            Ok(())
        })
        .await
}

/// Files of strangers are not read as root if the user that Debian made for it can reach them.
fn unprivileged_user(stack: &Stack<'_>) -> anyhow::Result<Option<(u32, u32)>> {
    if !nix::unistd::geteuid().is_root() || !install::reachable(&stack.home) {
        return Ok(None);
    }
    let user = User::from_name("clamav").context("cannot look up a user")?;
    Ok(user.map(|user| (user.uid.as_raw(), user.gid.as_raw())))
}

fn configuration(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "Foreground yes
DatabaseDirectory {folder}/signatures
TemporaryDirectory {folder}/temporary
TCPAddr 127.0.0.1
TCPSocket {port}
StreamMaxLength {LIMIT_MIB}M
MaxFileSize {LIMIT_MIB}M
MaxScanSize {LIMIT_MIB}M
# A file that cannot be scanned whole is a finding, not a clean file.
AlertExceedsMax yes
# The default of two minutes would make findings of big files on a slow machine.
MaxScanTime 600000
MaxThreads 4
ConcurrentDatabaseReload no
"
    )
}
