//! What is chosen once for a stack and kept: ports and secrets.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::Profile;
use crate::wait;
use crate::workspace::Workspace;

/// Ports are looked for from here, below the range from which the kernel takes the local ports
/// of outgoing connections (32768 and up): there one could be taken at any moment.
const FIRST_PORT: u16 = 20_000;

/// Each checkout begins its search at one of this many places, by its path, so that two of them
/// rarely reach for the same ports at the same moment.
const PLACES: u16 = 40;

/// Stacks at a place: the demo's ports come first, then those of the tests, then those of
/// measurements.
const STACKS: u16 = 3;

/// Ports of a stack.
const STACK_SIZE: u16 = 100;

/// Roles of the database, each with a password of its own.
const ROLES: [&str; 5] = [
    "postgres",
    "djinn_migrator",
    "djinn_backup",
    "djinn_imports",
    "djinn_sync",
];

/// What a stack keeps.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct State {
    pub(crate) ports: Ports,
    /// By role.
    pub(crate) passwords: BTreeMap<String, String>,
    pub(crate) s3_access_key_id: String,
    pub(crate) s3_secret_access_key: String,
}

/// Ports on 127.0.0.1; 0 while not chosen.
#[derive(Serialize, Deserialize, Default, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) postgres: u16,
    pub(crate) clamd: u16,
    pub(crate) temporal: u16,
    pub(crate) temporal_ui: u16,
    pub(crate) objects: u16,
    #[serde(default)]
    pub(crate) redis: u16,
}

impl State {
    /// Reads the stack's state, completes it and writes it back. A port that a stranger has taken
    /// meanwhile is replaced; that of a part which runs is its own.
    pub(crate) fn load(
        folder: &Path,
        workspace: &Workspace,
        profile: Profile,
        alive: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Self> {
        let path = folder.join("state.json");
        let mut state: Self = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("{} is damaged: delete it", path.display()))?,
            Err(_) => Self::default(),
        };
        let mut search = Search::new(&workspace.root, profile);
        let ports = &mut state.ports;
        for (part, port) in [
            ("postgres", &mut ports.postgres),
            ("clamd", &mut ports.clamd),
            ("temporal", &mut ports.temporal),
            ("temporal", &mut ports.temporal_ui),
            ("objects", &mut ports.objects),
            ("redis", &mut ports.redis),
        ] {
            if *port == 0 || (!alive(part) && !free(*port)) {
                *port = search.next_free()?;
            }
        }
        for role in ROLES {
            if !state.passwords.contains_key(role) {
                state.passwords.insert(role.to_owned(), secret()?);
            }
        }
        if state.s3_access_key_id.is_empty() {
            "djinn".clone_into(&mut state.s3_access_key_id);
            state.s3_secret_access_key = secret()?;
        }
        let text = serde_json::to_string_pretty(&state)?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(state)
    }

    /// The password of a role; empty for a role that does not exist.
    pub(crate) fn password(&self, role: &str) -> &str {
        self.passwords.get(role).map_or("", String::as_str)
    }
}

/// A search for free ports that never offers one twice.
struct Search {
    next: u16,
    end: u16,
}

impl Search {
    fn new(root: &Path, profile: Profile) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, root.as_os_str().as_bytes());
        let number = digest
            .as_ref()
            .iter()
            .take(4)
            .fold(0, |sum, byte| sum * 256 + u32::from(*byte));
        let place = u16::try_from(number % u32::from(PLACES)).unwrap_or(0);
        let stack = match profile {
            Profile::Demo => 0,
            Profile::Test => 1,
            Profile::Bench => 2,
        };
        let next = FIRST_PORT + (STACKS * place + stack) * STACK_SIZE;
        Self {
            next,
            end: next + STACK_SIZE,
        }
    }

    fn next_free(&mut self) -> anyhow::Result<u16> {
        let port = (self.next..self.end)
            .find(|port| free(*port))
            .ok_or_else(|| anyhow!("no free port below {}", self.end))?;
        self.next = port + 1;
        Ok(port)
    }
}

/// Ports of a stack's place on which nobody listens now, one with each call: for what comes and
/// goes while the stack is up.
pub(crate) fn spare_ports(root: &Path, profile: Profile) -> impl FnMut() -> anyhow::Result<u16> {
    let mut search = Search::new(root, profile);
    move || search.next_free()
}

/// Whether nobody listens on this port of 127.0.0.1.
pub(crate) fn free(port: u16) -> bool {
    TcpListener::bind(wait::loopback(port)).is_ok()
}

/// The first bytes of a hash, for a name.
pub(crate) fn short_hash(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hex::encode(digest.as_ref().get(..6).unwrap_or_default())
}

/// 128 random bits.
fn secret() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| anyhow!("no random numbers to be had"))?;
    Ok(hex::encode(bytes))
}
