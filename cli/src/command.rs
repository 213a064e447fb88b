//! The commands. Each module is one of them; what they share is the session.

mod account;
mod decide;
mod edit;
mod errors;
mod import;
mod imports;
mod preview;
mod question;
mod reread;
mod revert;
mod review;
mod templates;
mod token;
mod transactions;

use crate::{
    args::{Args, Command},
    client::Client,
    error::Error,
    output::Output,
};

/// What every command that talks to the server works with.
struct Session {
    client: Client,
    output: Output,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> Result<(), Error> {
    let output = Output::new(args.global.json);
    let session = || -> Result<Session, Error> {
        let client = Client::new(&args.global)?;
        Ok(Session { client, output })
    };
    match args.command {
        Command::Token(token) => token::run(&token, output),
        Command::Account(command) => account::run(&session()?, command).await,
        Command::Preview(preview) => preview::run(&session()?, preview).await,
        Command::Import(import) => import::run(&session()?, import).await,
        Command::Imports(command) => imports::run(&session()?, command).await,
        Command::Templates(command) => templates::run(&session()?, command).await,
        Command::Transactions(command) => transactions::run(&session()?, command).await,
    }
}
