//! Temporal: the client, the worker and heartbeats, with limits that fit five services on one small
//! server.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use temporalio_client::{
    Client, ClientOptions, Connection, envconfig::LoadClientConfigProfileOptions,
};
use temporalio_sdk::activities::ActivityContext;
use tokio::{task::JoinHandle, time::Instant};

use crate::{postgres::UserTransaction, shutdown::Shutdown, telemetry};

pub use self::worker::{WorkerConfig, run_worker, worker_options};

mod census;
mod meter;
mod worker;

/// How long a service waits for a Temporal server at its start, which on a fresh machine comes up
/// last.
const CONNECT_DEADLINE: Duration = Duration::from_secs(60);

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause between two attempts.
const CONNECT_PAUSE: Duration = Duration::from_secs(1);

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
