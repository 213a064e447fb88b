//! Djinn's own services, as real processes.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;

use crate::process::{Running, Spec, Stop};
use crate::stack::{Listen, Stack, free};
use crate::wait;

/// Services open no port before they have reached what they stand on.
const START_LIMIT: Duration = Duration::from_secs(90);

/// The running services and where they listen.
pub(crate) struct Services {
    listen: Listen,
}

/// A service with its program.
const SERVICES: [(&str, &str); 3] = [
    ("imports", "djinn-imports"),
    ("sync", "djinn-sync"),
    ("gateway", "djinn-gateway"),
];

impl Services {
    /// Starts all of them side by side on the ports of DESIGN section 2 and waits until each says
    /// it is ready.
    pub(crate) async fn start(stack: &Stack<'_>) -> anyhow::Result<Self> {
        Self::start_on(stack, choose_ports()?).await
    }

    /// The same on other addresses.
    pub(crate) async fn start_on(stack: &Stack<'_>, listen: Listen) -> anyhow::Result<Self> {
        // One of an earlier `demo --keep` may be another build.
        Self::stop(stack).await?;
        let services = Self { listen };
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

    /// Stops them; those that do not run are none the worse.
    pub(crate) async fn stop(stack: &Stack<'_>) -> anyhow::Result<()> {
        for (_, program) in SERVICES.iter().rev() {
            stack.processes.stop(program).await?;
        }
        Ok(())
    }

    /// Where a service answers, by its name.
    pub(crate) fn address(&self, service: &str) -> SocketAddr {
        self.listen.of(service).0
    }

    /// What listens here in place of each port of a default start, as in `4000=20113 9100=20114`.
    pub(crate) fn ports_of_defaults(&self) -> String {
        let defaults = Listen::default();
        let mut pairs = Vec::new();
        for (service, _) in SERVICES {
            let ((usual, usual_admin), (here, admin)) =
                (defaults.of(service), self.listen.of(service));
            pairs.push(format!("{}={}", usual.port(), here.port()));
            pairs.push(format!("{}={}", usual_admin.port(), admin.port()));
        }
        pairs.join(" ")
    }

    /// Where the public edge is.
    pub(crate) fn gateway_url(&self) -> String {
        format!("http://{}", self.listen.gateway)
    }

    /// The port of 127.0.0.1 whose pages may call the gateway; 0 if there is none.
    pub(crate) fn page_port(&self) -> u16 {
        self.listen.page.map_or(0, |address| address.port())
    }

    /// What each service that lives holds in memory, in KiB, by its proportional share of shared
    /// pages.
    pub(crate) fn memory_kib(stack: &Stack<'_>) -> Vec<(&'static str, u64)> {
        let held = SERVICES.iter().filter_map(|(_, program)| {
            let record = stack.processes.alive(program)?;
            Some((*program, record.proportional_kib()?))
        });
        held.collect()
    }

    /// Prints it.
    pub(crate) fn print_memory(stack: &Stack<'_>) {
        println!();
        let mut sum = 0;
        for (program, kib) in Self::memory_kib(stack) {
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
