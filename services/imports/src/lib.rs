//! The imports service: statements in, rows in the ledger out.
//!
//! * [`domain`]: what a statement says and where an import stands. Pure: no IO, no clock.
//! * [`store`]: every SQL statement.
//! * [`steps`]: the work behind both doors.
//! * [`grpc`]: the gRPC door. [`activities`]: the Temporal door.
//! * [`run`], below: the only wiring.
//!
//! It must not guess what a file means, write to the ledger outside the commit, or know another
//! service.

use anyhow::Context;
use djinn_chassis::{
    auth::{AuthenticateLayer, Edges, Verifier},
    clock::Clock,
    objects::Objects,
    postgres::Postgres,
    serve::{self, Part, Readiness, Server},
    shutdown::Shutdown,
    temporal,
};
use djinn_proto::imports::v1::{
    import_service_server::ImportServiceServer, template_service_server::TemplateServiceServer,
};
use djinn_temporal::{
    imports::{ImportStatement, SweepImports},
    revert::RevertImport,
};
use temporalio_common::WorkflowDefinition;
use temporalio_sdk::workflows::WorkflowImplementation;
use tonic::service::Routes;

pub mod activities;
mod config;
pub mod domain;
mod error;
pub mod grpc;
pub mod steps;
pub mod store;

pub use config::Config;
pub use error::Error;

use activities::Activities;
use grpc::{Door, TemplateDoor};
use steps::{Steps, place::Places, scan::Scanner, workflow::Workflows};
use store::Store;

/// The services of this server, as health and reflection call them.
const SERVICES: [&str; 2] = [
    "djinn.imports.v1.ImportService",
    "djinn.imports.v1.TemplateService",
];
/// How often the parts it needs are looked at.
const PROBE_INTERVAL: std::time::Duration = std::time::Duration::from_secs(2);

/// Runs the service until the shutdown.
///
/// # Errors
/// When it cannot start, or a part of it ends by itself.
pub async fn run(config: Config, shutdown: Shutdown) -> anyhow::Result<()> {
    run_release::<ImportStatement>(config, shutdown).await
}

/// As [`run`], with another release of the import's workflow: what a test needs to run two of them
/// side by side.
///
/// # Errors
/// As [`run`].
pub async fn run_release<Release>(config: Config, shutdown: Shutdown) -> anyhow::Result<()>
where
    Release: WorkflowImplementation<Run: WorkflowDefinition<Input: Send>>,
{
    #[cfg(feature = "failpoints")]
    let _failpoints = fail::FailScenario::setup();
    let clock = Clock::system();
    let readiness = Readiness::new();
    let (database, objects_part) = (readiness.part("postgres"), readiness.part("objects"));
    let worker_part = readiness.part("worker");
    let listener = serve::bind(config.listen).await?;
    let admin = serve::bind(config.admin_listen).await?;
    let store = Store::new(Postgres::connect(&config.database()).await?);
    let objects = Objects::connect(&config.objects);
    let edges = Edges::of(djinn_proto::DESCRIPTORS, Some("djinn.imports."))?;
    let verifier = Verifier::load(&config.auth).await?;
    let serving_admin = serve::admin(admin, readiness.clone(), shutdown.clone());

    let working = async {
        let client = temporal::connect(&shutdown).await?;
        let queue = config.task_queue.clone();
        let steps = Steps {
            store: store.clone(),
            objects: objects.clone(),
            scanner: Scanner::new(config.clamd_address.clone()),
            workflows: Workflows::new(client.clone(), queue.clone(), config.review_ttl),
            clock: clock.clone(),
            review_ttl: config.review_ttl,
            places: Places::new(),
        };
        steps
            .workflows
            .schedule_sweep()
            .await
            .context("the sweep cannot be scheduled")?;
        let options = temporal::worker_options(&queue, &config.worker, shutdown.grace())
            .register_activities(Activities {
                steps: steps.clone(),
            })
            .register_workflow::<Release>()?
            .register_workflow::<RevertImport>()?
            .register_workflow::<SweepImports>()?
            .build();
        let server = Server {
            listener,
            routes: doors(steps, shutdown.clone()),
            authenticate: AuthenticateLayer::new(edges, verifier, None, clock.clone()),
            readiness: readiness.clone(),
            service_names: &SERVICES,
            descriptors: djinn_proto::DESCRIPTORS,
        };
        tokio::try_join!(
            server.run(shutdown.clone()),
            temporal::run_worker(
                &client,
                options,
                &config.worker,
                shutdown.clone(),
                worker_part.clone()
            ),
            probe(&store, &objects, &database, &objects_part, &shutdown),
        )?;
        Ok(())
    };
    tokio::try_join!(working, serving_admin)?;
    Ok(())
}

/// What can be called.
fn doors(steps: Steps, shutdown: Shutdown) -> Routes {
    let templates = TemplateServiceServer::new(TemplateDoor {
        steps: steps.clone(),
    })
    .max_decoding_message_size(serve::MESSAGE_BYTES_MAX)
    .max_encoding_message_size(serve::MESSAGE_BYTES_MAX);
    let imports = ImportServiceServer::new(Door { steps, shutdown })
        .max_decoding_message_size(serve::MESSAGE_BYTES_MAX)
        .max_encoding_message_size(serve::MESSAGE_BYTES_MAX);
    Routes::new(imports).add_service(templates)
}

/// Keeps readiness true to what the service needs.
async fn probe(
    store: &Store,
    objects: &Objects,
    database: &Part,
    objects_part: &Part,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(PROBE_INTERVAL);
    loop {
        tokio::select! {
            () = shutdown.requested() => return Ok(()),
            _ = ticks.tick() => {}
        }
        database.set(store.is_ready().await);
        objects_part.set(objects.ping().await.is_ok());
    }
}
