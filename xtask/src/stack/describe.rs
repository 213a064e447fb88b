//! What others need to know of a stack: `stack.json` for tests, `env` for a shell, and the
//! environment of each of Djinn's programs.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::json;

use super::{Profile, Stack, objects, postgres, redis, state, temporal};
use crate::wait;

/// Who the development tokens are from and for.
const ISSUER: &str = "https://djinn.test";
const AUDIENCE: &str = "djinn";

type Environment = Vec<(String, String)>;

/// Where Djinn's services listen.
pub(crate) struct Listen {
    pub(crate) gateway: SocketAddr,
    pub(crate) gateway_admin: SocketAddr,
    pub(crate) imports: SocketAddr,
    pub(crate) imports_admin: SocketAddr,
    pub(crate) sync: SocketAddr,
    pub(crate) sync_admin: SocketAddr,
    /// Where pages come from that may call the gateway from a browser.
    pub(crate) page: Option<SocketAddr>,
}

impl Default for Listen {
    /// The ports of DESIGN section 2.
    fn default() -> Self {
        Self {
            gateway: wait::loopback(4000),
            gateway_admin: wait::loopback(9100),
            imports: wait::loopback(4001),
            imports_admin: wait::loopback(9101),
            sync: wait::loopback(4003),
            sync_admin: wait::loopback(9103),
            page: None,
        }
    }
}

impl Listen {
    /// Addresses that nobody else uses, for services beside those of a demo.
    pub(crate) fn spare(stack: &Stack<'_>) -> anyhow::Result<Self> {
        let mut ports = state::spare_ports(&stack.workspace.root, stack.profile);
        let mut listen = Self::default();
        for address in listen.all() {
            address.set_port(ports()?);
        }
        listen.page = Some(wait::loopback(ports()?));
        Ok(listen)
    }

    /// Every address, to be changed.
    pub(crate) fn all(&mut self) -> [&mut SocketAddr; 6] {
        [
            &mut self.gateway,
            &mut self.gateway_admin,
            &mut self.imports,
            &mut self.imports_admin,
            &mut self.sync,
            &mut self.sync_admin,
        ]
    }

    /// The address of a service and that of its admin port.
    pub(crate) fn of(&self, service: &str) -> (SocketAddr, SocketAddr) {
        match service {
            "imports" => (self.imports, self.imports_admin),
            "sync" => (self.sync, self.sync_admin),
            _ => (self.gateway, self.gateway_admin),
        }
    }
}

/// Programs for servers of a test's own.
pub(crate) struct Programs {
    /// The folder with those of Postgres.
    pub(crate) postgres: PathBuf,
    /// Temporal's.
    pub(crate) temporal: PathBuf,
    /// Redis'.
    pub(crate) redis: PathBuf,
}

/// Writes `stack.json` and `env`.
pub(crate) fn write(stack: &Stack<'_>, programs: &Programs) -> anyhow::Result<()> {
    let ports = &stack.state.ports;
    let description = json!({
        "admin_database_url": database_url(stack, "postgres", "postgres"),
        "template": postgres::TEMPLATE,
        "passwords": stack.state.passwords,
        "s3_endpoint": format!("http://127.0.0.1:{}", ports.objects),
        "s3_bucket": objects::BUCKET,
        "s3_access_key_id": stack.state.s3_access_key_id,
        "s3_secret_access_key": stack.state.s3_secret_access_key,
        "clamd_address": format!("127.0.0.1:{}", ports.clamd),
        "temporal_address": format!("127.0.0.1:{}", ports.temporal),
        "temporal_namespace": temporal::NAMESPACE,
        "keys_dir": stack.keys(),
        "bin_dir": stack.workspace.bin_dir(),
        "postgres_bin_dir": programs.postgres,
        "temporal_program": programs.temporal,
        "redis_url": redis::url(stack),
        "redis_program": programs.redis,
    });
    let text = serde_json::to_string_pretty(&description)?;
    secret_file(&stack.folder.join("stack.json"), &text)?;
    secret_file(&stack.folder.join("env"), &shell(stack))
}

/// Both hold passwords.
fn secret_file(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).context("cannot close a file")
}

/// Lines for a shell.
fn shell(stack: &Stack<'_>) -> String {
    let environment = match stack.profile {
        Profile::Demo | Profile::Bench => operator(stack),
        Profile::Test => {
            let path = stack.folder.join("stack.json").display().to_string();
            vec![
                ("DJINN_TEST_STACK".to_owned(), path),
                admin_url(stack, postgres::TEMPLATE),
            ]
        }
    };
    environment
        .iter()
        .map(|(name, value)| format!("export {name}='{value}'\n"))
        .collect()
}

/// What the shell of an operator knows of the services that run as processes on a stack.
pub(crate) fn operator(stack: &Stack<'_>) -> Environment {
    let database = postgres::services_database(stack.profile);
    let mut all = migrate(stack, database);
    all.extend(shared(stack));
    all.extend(databases(stack));
    all.push(admin_url(stack, database));
    all
}

fn admin_url(stack: &Stack<'_>, database: &str) -> (String, String) {
    let url = database_url(stack, "postgres", database);
    ("DATABASE_URL".to_owned(), url)
}

/// The URL of a database for a role.
pub(crate) fn database_url(stack: &Stack<'_>, role: &str, database: &str) -> String {
    let (password, port) = (stack.state.password(role), stack.state.ports.postgres);
    format!("postgres://{role}:{password}@127.0.0.1:{port}/{database}")
}

/// The environment of `djinn-migrate`.
pub(crate) fn migrate(stack: &Stack<'_>, database: &str) -> Environment {
    let mut environment = vec![(
        "DJINN_MIGRATE_DATABASE_URL".to_owned(),
        database_url(stack, "postgres", database),
    )];
    for (role, password) in &stack.state.passwords {
        if let Some(short) = role.strip_prefix("djinn_") {
            let name = format!("DJINN_MIGRATE_PASSWORD_{}", short.to_uppercase());
            environment.push((name, password.clone()));
        }
    }
    environment
}

/// As in the images of containers: large buffers are given back when they are done with (without
/// it the C library keeps what an upload once took), and so is the end of the heap, which grows by
/// little; small pieces are put together again when they are free, and no thread keeps some for
/// itself, which would scatter what stays (1 MiB after a thousand imports). Threads share one heap,
/// which is 2 MiB less than two. None of it costs time that `cargo xtask bench import` or
/// `overload` tell from noise.
const ALLOCATOR: [(&str, &str); 5] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ("MALLOC_TRIM_THRESHOLD_", "65536"),
    ("MALLOC_TOP_PAD_", "16384"),
    (
        "GLIBC_TUNABLES",
        "glibc.malloc.mxfast=0:glibc.malloc.tcache_count=0",
    ),
];

/// The environment of a service.
pub(crate) fn service(stack: &Stack<'_>, service: &str, listen: &Listen) -> Environment {
    let mut environment = shared(stack);
    let mut set = |name: &str, value: String| environment.push((name.to_owned(), value));
    for (name, value) in ALLOCATOR {
        set(name, value.to_owned());
    }
    match service {
        "imports" => {
            set("DJINN_IMPORTS_LISTEN", listen.imports.to_string());
            set(
                "DJINN_IMPORTS_ADMIN_LISTEN",
                listen.imports_admin.to_string(),
            );
        }
        "sync" => {
            set("DJINN_SYNC_LISTEN", listen.sync.to_string());
            set("DJINN_SYNC_ADMIN_LISTEN", listen.sync_admin.to_string());
        }
        _ => {
            set("DJINN_GATEWAY_LISTEN", listen.gateway.to_string());
            set(
                "DJINN_GATEWAY_ADMIN_LISTEN",
                listen.gateway_admin.to_string(),
            );
            set(
                "DJINN_GATEWAY_IMPORTS_URL",
                format!("http://{}", listen.imports),
            );
            set("DJINN_GATEWAY_SYNC_URL", format!("http://{}", listen.sync));
            set("DJINN_REDIS_URL", redis::url(stack));
            if stack.profile == Profile::Bench {
                // One user does there what a town does elsewhere.
                for class in ["READS", "WRITES", "UPLOADS", "CHUNKS"] {
                    let name = format!("DJINN_GATEWAY_LIMIT_{class}");
                    set(&name, "1000000+1000000/min".to_owned());
                }
            }
            set("DJINN_GATEWAY_REFLECTION", "true".to_owned());
            set("DJINN_GATEWAY_GRAPHIQL", "true".to_owned());
            if let Some(page) = listen.page {
                set("DJINN_GATEWAY_CORS_ORIGINS", format!("http://{page}"));
            }
        }
    }
    environment.extend(databases(stack));
    environment
}

/// The databases of the services, each under its own role.
fn databases(stack: &Stack<'_>) -> Environment {
    [
        ("DJINN_IMPORTS_DATABASE_URL", "djinn_imports"),
        ("DJINN_SYNC_DATABASE_URL", "djinn_sync"),
    ]
    .map(|(name, role)| {
        (
            name.to_owned(),
            database_url(stack, role, postgres::services_database(stack.profile)),
        )
    })
    .into()
}

/// What all of Djinn's programs share.
pub(crate) fn shared(stack: &Stack<'_>) -> Environment {
    let ports = &stack.state.ports;
    let keys = stack.keys();
    [
        ("DJINN_ENV", "development".to_owned()),
        ("DJINN_LOG_FORMAT", "text".to_owned()),
        ("DJINN_AUTH_ISSUER", ISSUER.to_owned()),
        ("DJINN_AUTH_AUDIENCE", AUDIENCE.to_owned()),
        (
            "DJINN_AUTH_PUBLIC_KEY",
            keys.join("user.pub.pem").display().to_string(),
        ),
        (
            "DJINN_TOKEN_KEY",
            keys.join("user.pem").display().to_string(),
        ),
        (
            "DJINN_S3_ENDPOINT",
            format!("http://127.0.0.1:{}", ports.objects),
        ),
        ("DJINN_S3_BUCKET", objects::BUCKET.to_owned()),
        (
            "DJINN_S3_ACCESS_KEY_ID",
            stack.state.s3_access_key_id.clone(),
        ),
        (
            "DJINN_S3_SECRET_ACCESS_KEY",
            stack.state.s3_secret_access_key.clone(),
        ),
        ("DJINN_CLAMD_ADDRESS", format!("127.0.0.1:{}", ports.clamd)),
        ("TEMPORAL_ADDRESS", format!("127.0.0.1:{}", ports.temporal)),
        ("TEMPORAL_NAMESPACE", temporal::NAMESPACE.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::ALLOCATOR;

    /// What is measured on a desk is what runs in a container.
    #[test]
    fn the_images_have_the_same_allocator() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = std::fs::read_to_string(root.join("Dockerfile")).unwrap();
        let instructions = text.replace("\\\n", " ");
        let set: Vec<(&str, &str)> = instructions
            .lines()
            .filter_map(|line| line.strip_prefix("ENV "))
            .flat_map(str::split_whitespace)
            .filter_map(|word| word.split_once('='))
            .filter(|(name, _)| name.starts_with("MALLOC_") || *name == "GLIBC_TUNABLES")
            .collect();
        assert_eq!(set, ALLOCATOR);
    }
}
