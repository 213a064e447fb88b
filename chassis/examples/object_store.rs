//! A folder as an S3 store, for the demo and for tests. It is not a test of integrity: it does not
//! verify the checksums of parts.
//!
//! An example, because it must be no part of any service, and not of `xtask`, which a first run
//! compiles before everything else.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, whose output is its log"
)]

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Parser;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Serves a folder as an object store.
#[derive(Parser)]
struct Arguments {
    /// The folder; each folder in it is a bucket.
    #[arg(long)]
    root: PathBuf,
    /// The address to listen on.
    #[arg(long)]
    listen: SocketAddr,
    /// The access key that requests must be signed with.
    #[arg(long, env = "OBJECT_STORE_ACCESS_KEY")]
    access_key: String,
    /// Its secret half.
    #[arg(long, env = "OBJECT_STORE_SECRET_KEY", hide_env_values = true)]
    secret_key: String,
}

/// Serves until a signal comes. Requests under way are cut then: clients must cope with that.
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = FileSystem::new(&arguments.root)
        .map_err(|error| anyhow!("cannot serve {}: {error:?}", arguments.root.display()))?;
    let mut builder = S3ServiceBuilder::new(folder);
    builder.set_auth(SimpleAuth::from_single(
        arguments.access_key,
        arguments.secret_key,
    ));
    let service = builder.build();
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    println!(
        "serving {} on {}",
        arguments.root.display(),
        arguments.listen
    );
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let (socket, _) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    eprintln!("cannot accept a connection: {error}");
                    continue;
                }
            },
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        let service = service.clone();
        tokio::spawn(async move {
            let connection = Builder::new(TokioExecutor::new());
            if let Err(error) = connection
                .serve_connection(TokioIo::new(socket), service)
                .await
            {
                eprintln!("a connection ended: {error}");
            }
        });
    }
}
