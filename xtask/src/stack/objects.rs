//! The object store: an example of the chassis, serving a folder.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

use super::Stack;
use crate::process::{Spec, Stop};
use crate::wait;

/// The bucket that Djinn uses.
pub(crate) const BUCKET: &str = "djinn";

const START_LIMIT: Duration = Duration::from_secs(20);

/// Starts the store unless it runs.
pub(crate) async fn start(stack: &Stack<'_>) -> anyhow::Result<()> {
    let port = stack.state.ports.objects;
    let address = format!("127.0.0.1:{port}");
    if stack.processes.alive("objects").is_some() {
        println!("  {:<14} {address}  (was up)", "objects");
        return Ok(());
    }
    let root = stack.home.join("objects");
    // A bucket is a folder in the root.
    fs::create_dir_all(root.join(BUCKET)).context("cannot make the folder for objects")?;
    let running = stack.processes.start(&Spec {
        name: "objects",
        program: stack.workspace.example("object_store"),
        arguments: vec![
            "--root".into(),
            root.into(),
            "--listen".into(),
            address.clone().into(),
        ],
        environment: vec![
            (
                "OBJECT_STORE_ACCESS_KEY".to_owned(),
                stack.state.s3_access_key_id.clone(),
            ),
            (
                "OBJECT_STORE_SECRET_KEY".to_owned(),
                stack.state.s3_secret_access_key.clone(),
            ),
        ],
        user: None,
        stop: Stop::Terminate,
    })?;
    running
        .ready(&address, START_LIMIT, async || {
            wait::http_get(port, "/").await.map(|_| ())
        })
        .await
}
