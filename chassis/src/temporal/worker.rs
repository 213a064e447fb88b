//! The worker: how much it does at a time, how it ends, and when a new one takes its place.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail};
use temporalio_client::Client;
use temporalio_common::telemetry::{TelemetryOptions, metrics::CoreMeter};
use temporalio_sdk::{
    Runtime, Worker, WorkerOptions, WorkerOptionsBuilder,
    runtime::{
        PollerBehavior, RuntimeOptions,
        worker_tuner::{FixedSizeSlotSupplier, TunerHolder},
    },
};

use super::{census::Census, meter};
use crate::{serve::Part, shutdown::Shutdown};

/// Polls for each kind of task: the least that a worker with sticky workflows may have. Each is an
/// open call on the server.
const POLLERS: usize = 2;

/// Workflows kept in memory between their tasks; one that is not is replayed from its history.
const WORKFLOWS_CACHED_MAX: usize = 100;

/// How long a worker may take to end after the grace period, when all it does is to report
/// cancelled activities.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a worker may take to end for a new one, beyond a grace period, in which activities that
/// are under way may finish. No tasks are taken meanwhile.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(60);

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
    /// Activities after which a worker makes room for a new one, as soon as none is under way; one
    /// that never rests does so after four times as many.
    #[arg(
        long,
        env = "WORKER_ACTIVITIES_MAX",
        value_name = "COUNT",
        default_value = "256",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub worker_activities_max: u32,
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

/// Makes what workers of this process run on.
fn runtime() -> anyhow::Result<Runtime> {
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
    Ok(Runtime::from_current_tokio(options)?)
}

/// Runs a worker until the shutdown: then it takes no more tasks, lets its activities finish within
/// the grace period, and ends. The part says whether tasks are being taken.
///
/// The SDK (1.1) keeps a token of every activity as long as its worker lives, some 250 bytes each:
/// half a million of them would be all the memory that a service has, and a few hundred lie
/// scattered over pages that are kept for nothing else. So a worker that has had
/// `activities_max` of them ends, and a new one goes on; workflows are replayed there from their
/// histories, as on any other worker. No tasks are taken for some hundredths of a second.
///
/// The future is not `Send`: join it, never spawn it.
///
/// # Errors
/// When the options contradict themselves, the server does not know the namespace, or a worker
/// cannot go on. The process should end.
pub async fn run_worker(
    client: &Client,
    options: WorkerOptions,
    config: &WorkerConfig,
    shutdown: Shutdown,
    part: Part,
) -> anyhow::Result<()> {
    let (runtime, queue) = (runtime()?, options.task_queue.clone());
    let mut life = 0_u64;
    loop {
        let census = Census::new(config.worker_activities_max);
        let mut options = options.clone();
        options.activity_inbound_interceptor(census.clone());
        let worker = Worker::new(&runtime, client.clone(), options)?;
        life += 1;
        tracing::info!(queue, life, "worker started");
        part.set(true);
        let ended = live(worker, client, &census, &shutdown, &part).await;
        part.set(!shutdown.token().is_cancelled() && ended.is_ok());
        match ended.with_context(|| format!("the worker of queue {queue} failed"))? {
            End::Renewed => tracing::info!(queue, life, "worker made room for a new one"),
            End::Stopped => {
                tracing::info!(queue, "worker stopped");
                return Ok(());
            }
            End::Overdue => {
                tracing::warn!(
                    queue,
                    "activities were still running after the grace period"
                );
                return Ok(());
            }
        }
    }
}

/// How the life of a worker ended.
enum End {
    /// It has had its share of activities.
    Renewed,
    /// The process stops.
    Stopped,
    /// The process stops, and the worker had not ended when its time was over.
    Overdue,
}

/// The life of one worker.
async fn live(
    mut worker: Worker,
    client: &Client,
    census: &Census,
    shutdown: &Shutdown,
    part: &Part,
) -> anyhow::Result<End> {
    let (stop, key) = (worker.shutdown_handle(), worker.worker_instance_key());
    let renewal_timeout = shutdown.grace() + RENEWAL_TIMEOUT;
    let stopping = async {
        tokio::select! {
            () = shutdown.requested() => {}
            () = census.full() => {
                stop();
                tokio::select! {
                    () = shutdown.requested() => {}
                    () = tokio::time::sleep(renewal_timeout) => return false,
                }
            }
        }
        part.set(false);
        stop();
        shutdown.overdue().await;
        tokio::time::sleep(STOP_TIMEOUT).await;
        true
    };
    tokio::select! {
        ended = worker.run() => ended?,
        overdue = stopping => match overdue {
            true => return Ok(End::Overdue),
            false => bail!("it did not end for a new one within {renewal_timeout:?}"),
        }
    }
    // Else the client would keep what belonged to it.
    client.connection().workers().finalize_unregister(key)?;
    if shutdown.token().is_cancelled() {
        return Ok(End::Stopped);
    }
    if census.is_full() {
        return Ok(End::Renewed);
    }
    bail!("it ended by itself")
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

    fn parse(args: &[&str]) -> Option<(u16, u16, u32)> {
        let args = Args::try_parse_from([&["test"], args].concat()).ok()?;
        Some((
            args.worker.worker_concurrency,
            args.worker.activity_concurrency,
            args.worker.worker_activities_max,
        ))
    }

    #[test]
    fn concurrency_has_limits() {
        for (args, expected) in [
            (&[][..], Some((4, 4, 256))),
            (
                &["--worker-concurrency", "2", "--activity-concurrency", "1"],
                Some((2, 1, 256)),
            ),
            (&["--worker-concurrency", "1"], None),
            (&["--activity-concurrency", "0"], None),
            (&["--activity-concurrency", "many"], None),
            (&["--worker-activities-max", "7"], Some((4, 4, 7))),
            (&["--worker-activities-max", "0"], None),
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
