//! The gateway.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config: djinn_gateway::Config = djinn_chassis::config::load();
    let _telemetry = djinn_chassis::telemetry::init(env!("CARGO_PKG_NAME"), &config.telemetry)?;
    let shutdown = djinn_chassis::shutdown::signal(&config.shutdown);
    djinn_gateway::run(config, shutdown).await
}
