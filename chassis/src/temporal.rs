//! Temporal: the client, the worker and heartbeats, with limits that fit five services on one small
//! server.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail};
use temporalio_client::{
    Client, ClientOptions, Connection, envconfig::LoadClientConfigProfileOptions,
};
use temporalio_common::telemetry::{TelemetryOptions, metrics::CoreMeter};
use temporalio_sdk::{
    Runtime, Worker, WorkerOptions, WorkerOptionsBuilder,
    activities::ActivityContext,
    runtime::{
        PollerBehavior, RuntimeOptions,
        worker_tuner::{FixedSizeSlotSupplier, TunerHolder},
    },
};
use tokio::{task::JoinHandle, time::Instant};

use crate::{postgres::UserTransaction, serve::Part, shutdown::Shutdown, telemetry};

mod meter;

/// How long a service waits for a Temporal server at its start, which on a fresh machine comes up
/// last.
const CONNECT_DEADLINE: Duration = Duration::from_secs(60);

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause between two attempts.
const CONNECT_PAUSE: Duration = Duration::from_secs(1);

/// Polls for each kind of task: the least that a worker with sticky workflows may have. Each is an
/// open call on the server.
const POLLERS: usize = 2;

/// Workflows kept in memory between their tasks; one that is not is replayed from its history.
const WORKFLOWS_CACHED_MAX: usize = 100;

/// How long a worker may take to end after the grace period, when all it does is to report
/// cancelled activities.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Connects by the SDK's own variables: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
/// `TEMPORAL_API_KEY`, `TEMPORAL_TLS_*`.
///
/// # Errors
/// When the variables do not make sense, no server answers within 60 s, or the process is asked to
/// stop first.
pub async fn connect(shutdown: &Shutdown) -> anyhow::Result<Client> {
    let (mut connection, client) =
        ClientOptions::load_from_config(LoadClientConfigProfileOptions::default())
            // The error itself is not `Send`.
            .map_err(|error| anyhow!("the TEMPORAL_* variables do not make sense: {error}"))?;
    // The variables know nothing more of a client than its namespace.
    let client = ClientOptions::new(client.namespace)
        .plugins(telemetry::temporal_plugin())
        .build();
    connection.connect_timeout = Some(CONNECT_TIMEOUT);
    let address = connection.target.clone();
    let deadline = Instant::now() + CONNECT_DEADLINE;
    let mut announced = false;
    loop {
        let attempt = Connection::connect(connection.clone());
        let error = tokio::select! {
            connected = attempt => match connected {
                Ok(connection) => return Ok(Client::new(connection, client)?),
                Err(error) => error,
            },
            () = shutdown.requested() => bail!("asked to stop before {address} answered"),
        };
        if Instant::now() >= deadline {
            return Err(error).with_context(|| format!("no Temporal server at {address}"));
        }
        if !announced {
            tracing::warn!(%address, %error, "waiting for a Temporal server");
            announced = true;
        }
        tokio::time::sleep(CONNECT_PAUSE).await;
    }
}

/// Proof that a row with this id was seen inside its user's transaction, and with it the right to
/// touch the workflow that carries the id. A service's functions that reach a workflow take nothing
/// less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned<Id>(Id);

impl<Id> Owned<Id> {
    /// Called by a store's look-up alone, right where row-level security has shown it the row.
    pub fn proven(_transaction: &mut UserTransaction, id: Id) -> Self {
        Self(id)
    }

    /// The id.
    pub fn id(&self) -> &Id {
        &self.0
    }
}

/// How much a worker does at a time.
#[derive(clap::Args, Clone, Debug)]
pub struct WorkerConfig {
    /// Workflow tasks at a time. They are short and need no IO; at least 2.
    #[arg(
        long,
        env = "WORKER_CONCURRENCY",
        value_name = "COUNT",
        default_value = "4",
        value_parser = clap::value_parser!(u16).range(2..=1000)
    )]
    pub worker_concurrency: u16,
    /// Activities at a time. Each may hold a database connection.
    #[arg(
        long,
        env = "ACTIVITY_CONCURRENCY",
        value_name = "COUNT",
        default_value = "4",
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub activity_concurrency: u16,
}

/// Options of a worker on this queue, on which the service registers its workflows and activities
/// before it builds them. `grace` is the process's own: activities are asked to stop when three
/// quarters of it are over, so that they have the rest to do so.
pub fn worker_options(
    queue: &str,
    config: &WorkerConfig,
    grace: Duration,
) -> WorkerOptionsBuilder<impl temporalio_sdk::worker_options_builder::State + use<>> {
    let slots = |count: u16| FixedSizeSlotSupplier::new(usize::from(count));
    let tuner = TunerHolder::builder()
        .workflow_task_slot_supplier(slots(config.worker_concurrency))
        .activity_task_slot_supplier(slots(config.activity_concurrency))
        .local_activity_task_slot_supplier(slots(config.activity_concurrency))
        .nexus_task_slot_supplier(slots(1))
        .build();
    WorkerOptions::new(queue)
        .tuner(tuner)
        .max_cached_workflows(WORKFLOWS_CACHED_MAX)
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(POLLERS))
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(POLLERS))
        .graceful_shutdown_period(grace / 4 * 3)
}

/// Makes a worker on the current tokio runtime. Its [`Runtime`] is to be kept while it runs.
///
/// # Errors
/// When the options contradict themselves.
pub fn worker(client: &Client, worker: WorkerOptions) -> anyhow::Result<(Runtime, Worker)> {
    let figures: Arc<dyn CoreMeter> = Arc::new(meter::Meter);
    let telemetry = TelemetryOptions::builder()
        .metrics(figures)
        // A scrape knows whom it asks.
        .attach_service_name(false)
        .build();
    let options = RuntimeOptions::builder()
        .telemetry_options(telemetry)
        .build()
        .map_err(|problem| {
            anyhow!("the Temporal SDK's options contradict themselves: {problem}")
        })?;
    let runtime = Runtime::from_current_tokio(options)?;
    let worker = Worker::new(&runtime, client.clone(), worker)?;
    Ok((runtime, worker))
}

/// Runs the worker until the shutdown: then it takes no more tasks, lets its activities finish
/// within the grace period, and ends. The part says whether tasks are being taken.
///
/// The future is not `Send`: join it, never spawn it.
///
/// # Errors
/// When the server does not know the namespace, or the worker cannot go on. The process should end.
pub async fn run_worker(mut worker: Worker, shutdown: Shutdown, part: Part) -> anyhow::Result<()> {
    let stop = worker.shutdown_handle();
    let queue = worker.task_queue().to_owned();
    part.set(true);
    tracing::info!(queue, "worker started");
    let stopping = async {
        shutdown.requested().await;
        part.set(false);
        stop();
        shutdown.overdue().await;
        tokio::time::sleep(STOP_TIMEOUT).await;
    };
    let ended = tokio::select! {
        ended = worker.run() => ended,
        () = stopping => {
            tracing::warn!(queue, "activities were still running after the grace period");
            return Ok(());
        }
    };
    part.set(false);
    ended.with_context(|| format!("the worker of queue {queue} failed"))?;
    if !shutdown.token().is_cancelled() {
        bail!("the worker of queue {queue} ended by itself");
    }
    tracing::info!(queue, "worker stopped");
    Ok(())
}

/// Tells Temporal that an activity is alive, from a task beside the work, so that a statement of
/// minutes does not look like a death. Ends when dropped.
pub struct Heartbeat {
    context: ActivityContext,
    task: JoinHandle<()>,
}

impl Heartbeat {
    /// Begins to beat; `every` is a fraction of the activity's heartbeat timeout. Cancellation
    /// reaches an activity as the answer to a beat.
    #[must_use]
    pub fn start(context: &ActivityContext, every: Duration) -> Self {
        let beating = context.clone();
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = beating.record_heartbeat(()).await {
                    tracing::warn!(%error, "heartbeat not recorded");
                }
            }
        });
        Self {
            context: context.clone(),
            task,
        }
    }

    /// Whether the activity should stop: cancelled, timed out, or its worker is shutting down.
    #[must_use]
    pub fn cancelled(&self) -> bool {
        self.context.is_cancelled()
    }

    /// Waits until the activity should stop.
    pub async fn cancellation(&self) {
        self.context.cancelled().await;
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Args {
        #[command(flatten)]
        worker: WorkerConfig,
    }

    fn parse(args: &[&str]) -> Option<(u16, u16)> {
        let args = Args::try_parse_from([&["test"], args].concat()).ok()?;
        Some((
            args.worker.worker_concurrency,
            args.worker.activity_concurrency,
        ))
    }

    #[test]
    fn concurrency_has_limits() {
        for (args, expected) in [
            (&[][..], Some((4, 4))),
            (
                &["--worker-concurrency", "2", "--activity-concurrency", "1"],
                Some((2, 1)),
            ),
            (&["--worker-concurrency", "1"], None),
            (&["--activity-concurrency", "0"], None),
            (&["--activity-concurrency", "many"], None),
        ] {
            assert_eq!(parse(args), expected, "{args:?}");
        }
    }

    #[test]
    fn a_worker_is_small_and_stops_before_its_process_does() {
        let config = Args::try_parse_from(["test"]).unwrap().worker;
        let options = worker_options("queue", &config, Duration::from_secs(20)).build();
        assert_eq!(options.task_queue, "queue");
        assert_eq!(options.max_cached_workflows, WORKFLOWS_CACHED_MAX);
        assert_eq!(
            options.graceful_shutdown_period,
            Some(Duration::from_secs(15))
        );
        let two = Some(PollerBehavior::SimpleMaximum(2));
        assert_eq!(options.workflow_task_poller_behavior, two);
        assert_eq!(options.activity_task_poller_behavior, two);
    }
}
