//! `djinn-probe URL`: ends with 0 if the server there says that it is ready, else with 1 and the
//! reason on standard error. It is what the containers' health checks run.

use anyhow::{Context, bail};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), None) = (arguments.next(), arguments.next()) else {
        bail!("usage: djinn-probe http://HOST:PORT/PATH | grpc://HOST:PORT[/SERVICE]");
    };
    djinn_probe::probe(&url).await.with_context(|| url.clone())
}
