//! The one-shot that brings a database to this release, before the services start.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config: djinn_migrate::Config = djinn_chassis::config::load();
    let _telemetry = djinn_chassis::telemetry::init(env!("CARGO_PKG_NAME"), &config.telemetry)?;
    djinn_migrate::run(config).await
}
