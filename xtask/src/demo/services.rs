//! Djinn's own services, as real processes.

use std::time::Duration;

use anyhow::bail;

use crate::process::{Running, Spec, Stop};
use crate::stack::{Listen, Stack, free};
use crate::wait;

/// Services open no port before they have reached what they stand on.
const START_LIMIT: Duration = Duration::from_secs(90);

/// The running services and where they listen.
pub(super) struct Services {
    listen: Listen,
}

/// A service with its program.
const SERVICES: [(&str, &str); 3] = [
    ("imports", "djinn-imports"),
    ("sync", "djinn-sync"),
    ("gateway", "djinn-gateway"),
];

impl Services {
    /// Starts all of them side by side and waits until each says it is ready.
    pub(super) async fn start(stack: &Stack<'_>) -> anyhow::Result<Self> {
        for (_, program) in SERVICES {
            // One of an earlier `demo --keep` may be another build.
            stack.processes.stop(program).await?;
        }
        let services = Self {
            listen: choose_ports()?,
        };
        tokio::try_join!(
            services.run(stack, SERVICES[0]),
            services.run(stack, SERVICES[1]),
            services.run(stack, SERVICES[2]),
        )?;
        Ok(services)
    }

    async fn run(
        &self,
        stack: &Stack<'_>,
        (service, program): (&str, &'static str),
    ) -> anyhow::Result<()> {
        let (address, admin) = self.listen.of(service);
        let running: Running = stack.processes.start(&Spec {
            name: program,
            program: stack.workspace.binary(program),
            arguments: Vec::new(),
            environment: stack.service_environment(service, &self.listen),
            user: None,
            stop: Stop::Terminate,
        })?;
        let ready = async || match wait::http_get(admin.port(), "/readyz").await? {
            (200, _) => Ok(()),
            (status, body) => bail!("/readyz answers {status}: {}", body.trim()),
        };
        running
            .ready(&address.to_string(), START_LIMIT, ready)
            .await
    }

    /// Where the public edge is.
    pub(super) fn gateway_url(&self) -> String {
        format!("http://{}", self.listen.gateway)
    }

    /// Prints what each service holds in memory, by its proportional share of shared pages.
    pub(super) fn print_memory(&self, stack: &Stack<'_>) {
        println!();
        let mut sum = 0;
        for (_, program) in SERVICES {
            let record = stack.processes.alive(program);
            let Some(kib) = record.and_then(|record| record.proportional_kib()) else {
                continue;
            };
            println!("{program:<14} {:>5} MiB of memory", kib / 1024);
            sum += kib;
        }
        println!(
            "{:<14} {:>5} MiB (debug builds, right after the work)",
            "together",
            sum / 1024
        );
    }
}

/// The ports of DESIGN section 2; one that is taken is replaced, and that is said.
fn choose_ports() -> anyhow::Result<Listen> {
    let mut listen = Listen::default();
    let mut spare = 14_000..15_000;
    for address in listen.all() {
        let wanted = address.port();
        if free(wanted) {
            continue;
        }
        let Some(port) = spare.find(|port| free(*port)) else {
            bail!("port {wanted} is taken, and so are 14000 to 14999");
        };
        println!("  port {wanted} is taken: {port} is used instead");
        address.set_port(port);
    }
    Ok(listen)
}
