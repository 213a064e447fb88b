//! The commands and their flags. Doc comments are the help texts.

mod edit;
mod mapping;
mod transaction;

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Parser, Subcommand, ValueEnum};
use djinn_proto::{imports::v1::RowVerdict, sync::v1::AccountKind};
use url::Url;
use uuid::Uuid;

pub(crate) use self::edit::{EditedField, ImportEdit};
use self::mapping::Said;
pub(crate) use self::transaction::{
    TransactionAdd, TransactionDelete, TransactionEdit, TransactionList, TransactionUnlock,
    Transactions,
};
use crate::amount::Currency;

/// The exit codes as `--help` shows them; `error::Exit` is the same list in code.
const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    unexpected: a fault of djinn or of the server
  2    wrong usage: an argument, a file or a field of the request cannot be taken
  3    needs an answer: the import is ASKING
  4    refused or failed: the import is REFUSED, FAILED, CANCELLED, EXPIRED or REVERTED, it could
       not be undone, or a rule says no
  5    waits for confirmation: the import is in REVIEW, or nobody agreed to an undoing or deletion
  6    not found
  7    not signed in: no token, or one that is not accepted (any more)
  8    conflict: it was changed meanwhile, or exists already
  9    the server is unavailable
  130  interrupted by Ctrl-C";

/// Imports bank statements into Djinn and shows what the ledger holds.
#[derive(Parser)]
#[command(name = "djinn", version, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// What every command knows.
    #[command(flatten)]
    pub(crate) global: Global,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

// No Debug: the token must not get into a log by accident.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// Write one JSON document to stdout, and everything else to stderr.
    ///
    /// The document is proto3 JSON: the account, the import, the transaction, the template, or a
    /// list as {"accounts":[..]}, {"imports":[..]}, {"rows":[..]}, {"templates":[..]},
    /// {"transactions":[..]}. Fields that are zero, empty or false are left out, and 64-bit numbers
    /// are strings. A failure is the last line of stderr, as
    /// {"error":{"reason":..,"message":..,"fields":[..]}}.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The gateway.
    #[arg(
        long, global = true, env = "DJINN_URL", default_value = "http://127.0.0.1:4000",
        value_parser = gateway
    )]
    pub(crate) url: Url,
    /// The access token; in development `djinn token` makes one.
    #[arg(long, global = true, env = "DJINN_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// The trace that the command is part of, as W3C names it; without one it begins its own.
    #[arg(
        long,
        global = true,
        env = "TRACEPARENT",
        value_name = "TRACEPARENT",
        hide = true
    )]
    pub(crate) trace_parent: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an access token for development; refused unless DJINN_ENV=development.
    Token(Token),
    /// Open and list accounts.
    #[command(subcommand)]
    Account(Account),
    /// Show how a statement reads, without importing anything.
    Preview(Preview),
    /// Import a statement: upload, review, confirm.
    Import(Import),
    /// Look at imports, answer, confirm, cancel or undo them.
    #[command(subcommand)]
    Imports(Imports),
    /// Look at what was answered about statements, share and forget it.
    #[command(subcommand)]
    Templates(Templates),
    /// Look at transactions, enter, edit and delete them.
    #[command(subcommand)]
    Transactions(Transactions),
}

#[derive(clap::Args)]
pub(crate) struct Token {
    /// The user; a new one when not given.
    #[arg(long, value_name = "UUID")]
    pub(crate) user: Option<Uuid>,
    /// How long the token is good for, as in 30m or 1h.
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Duration,
    /// The development private key, Ed25519 in PEM (PKCS #8).
    #[arg(long, value_name = "FILE", env = "DJINN_TOKEN_KEY")]
    pub(crate) key: PathBuf,
    /// The issuer that the services expect.
    #[arg(long, env = "DJINN_AUTH_ISSUER", default_value = "djinn-development")]
    pub(crate) issuer: String,
    /// The audience that the services expect.
    #[arg(long, env = "DJINN_AUTH_AUDIENCE", default_value = "djinn")]
    pub(crate) audience: String,
    /// What kind of machine this is; tokens are made on `development` alone.
    #[arg(long, env = "DJINN_ENV", value_name = "KIND")]
    pub(crate) environment: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Account {
    /// Open an account.
    Create(AccountCreate),
    /// List the accounts, oldest first.
    List,
}

#[derive(clap::Args)]
pub(crate) struct AccountCreate {
    /// Its name, 1 to 100 characters.
    #[arg(long)]
    pub(crate) name: String,
    /// Its currency by ISO 4217, as EUR.
    #[arg(long, value_parser = Currency::parse)]
    pub(crate) currency: Currency,
    /// What kind of account it is.
    #[arg(long, value_enum, default_value_t = Kind::Checking)]
    pub(crate) kind: Kind,
    /// The number that its bank knows it by, as an IBAN: statements say by it whose rows they hold.
    #[arg(long)]
    pub(crate) number: Option<String>,
    /// The time zone of its holder, as Europe/Berlin: times in statements become days in it.
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Its balance before the first transaction, as 12.30; zero when not given.
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    pub(crate) opening_balance: Option<String>,
    /// Id of the request: the same again does not open a second account.
    #[arg(long, value_name = "UUID")]
    pub(crate) request_id: Option<Uuid>,
}

#[derive(clap::Args)]
pub(crate) struct Preview {
    /// The statement.
    pub(crate) file: PathBuf,
    /// An answer to a question of an earlier preview; may be given several times.
    #[arg(long = "answer", value_name = "KEY=CHOICE", value_parser = answer)]
    pub(crate) answers: Vec<(String, String)>,
    /// How many rows to show.
    #[arg(
        long, value_name = "N", default_value_t = 20,
        value_parser = clap::value_parser!(i32).range(1..=2_000_000)
    )]
    pub(crate) rows: i32,
    /// The time zone in which times become days, as Europe/Berlin; an import takes its account's.
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    #[command(flatten)]
    pub(crate) said: Said,
}

#[derive(clap::Args)]
pub(crate) struct Import {
    /// The statement.
    pub(crate) file: PathBuf,
    /// The account it goes into.
    #[arg(long, value_name = "ID_OR_NAME")]
    pub(crate) account: String,
    /// Confirm the review without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    /// An answer to a question of the file, as the preview shows them; may be given several times.
    /// What is not answered is asked at the terminal.
    #[arg(long = "answer", value_name = "KEY=CHOICE", value_parser = answer)]
    pub(crate) answers: Vec<(String, String)>,
    /// Let the server confirm when every row is new, a duplicate, deleted before or linked.
    #[arg(long)]
    pub(crate) auto_confirm: bool,
    #[command(flatten)]
    pub(crate) said: Said,
    /// Id of the request: the same again goes on with the same import.
    #[arg(long, value_name = "UUID")]
    pub(crate) request_id: Option<Uuid>,
}

#[derive(Subcommand)]
pub(crate) enum Imports {
    /// List the imports, newest first.
    List,
    /// Show an import.
    Show {
        /// The import.
        #[arg(value_name = "ID")]
        import_id: Uuid,
    },
    /// List the rows of an import in the order of the file.
    ///
    /// VERDICT has a * for a row that was edited.
    Rows(ImportRows),
    /// Say what a commit does with rows of an import: add, link or skip them.
    Decide(ImportDecide),
    /// Set right what a row of an import says, or give it back to the file.
    Edit(ImportEdit),
    /// Answer the questions of an import, and go on to its review.
    Answer(ImportAnswer),
    /// Read the file of an import once more, with other columns, and go on to its review.
    Reread(ImportReread),
    /// Download the rows that could not be read, as CSV.
    Errors {
        /// The import.
        #[arg(value_name = "ID")]
        import_id: Uuid,
        /// The file to write; stdout when not given.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Confirm the review of an import and wait until it is committed.
    Confirm {
        /// The import.
        #[arg(value_name = "ID")]
        import_id: Uuid,
        /// The review as it was seen; the present one when not given.
        #[arg(long)]
        etag: Option<String>,
    },
    /// End an import without effect.
    Cancel {
        /// The import.
        #[arg(value_name = "ID")]
        import_id: Uuid,
    },
    /// Undo a committed import: remove what it added, but for what was edited by hand since.
    Revert {
        /// The import.
        #[arg(value_name = "ID")]
        import_id: Uuid,
        /// Do it without asking.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(clap::Args)]
#[command(group(
    ArgGroup::new("actions").required(true).multiple(true).args(["add", "link", "skip"])
))]
pub(crate) struct ImportDecide {
    /// The import.
    #[arg(value_name = "ID")]
    pub(crate) import_id: Uuid,
    /// Rows to add, by their numbers in `djinn imports rows`.
    #[arg(long, value_name = "ROW", value_delimiter = ',')]
    pub(crate) add: Vec<u32>,
    /// Rows to link with the transaction that they resemble: nothing is added, and what is blank
    /// there is filled.
    #[arg(long, value_name = "ROW", value_delimiter = ',')]
    pub(crate) link: Vec<u32>,
    /// Rows to leave out.
    #[arg(long, value_name = "ROW", value_delimiter = ',')]
    pub(crate) skip: Vec<u32>,
    /// The review as it was seen; the present one when not given.
    #[arg(long)]
    pub(crate) etag: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct ImportReread {
    /// The import.
    #[arg(value_name = "ID")]
    pub(crate) import_id: Uuid,
    /// The import as it was seen; the present one when not given.
    #[arg(long)]
    pub(crate) etag: Option<String>,
    /// An answer that is known beforehand; may be given several times.
    #[arg(long = "answer", value_name = "KEY=CHOICE", value_parser = answer)]
    pub(crate) answers: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) said: Said,
}

#[derive(clap::Args)]
pub(crate) struct ImportAnswer {
    /// The import.
    #[arg(value_name = "ID")]
    pub(crate) import_id: Uuid,
    /// An answer, as `djinn imports show` shows them; may be given several times. What is not
    /// answered is asked at the terminal.
    #[arg(long = "answer", value_name = "KEY=CHOICE", value_parser = answer)]
    pub(crate) answers: Vec<(String, String)>,
    /// Confirm the review that follows without asking.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Subcommand)]
pub(crate) enum Templates {
    /// List the templates, newest first.
    List {
        /// Only those of this account.
        #[arg(long, value_name = "ID_OR_NAME")]
        account: Option<String>,
    },
    /// Show a template.
    Show {
        /// The template.
        #[arg(value_name = "ID")]
        template_id: Uuid,
    },
    /// Write a template as a file for others: without amounts, names of accounts or ids.
    Export {
        /// The template.
        #[arg(value_name = "ID")]
        template_id: Uuid,
        /// Where to write it; to stdout when not given.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Take a template file for an account; one for the same format is replaced.
    Import {
        /// The file.
        file: PathBuf,
        /// The account it is for.
        #[arg(long, value_name = "ID_OR_NAME")]
        account: String,
        /// Id of the request: the same again changes nothing more.
        #[arg(long, value_name = "UUID")]
        request_id: Option<Uuid>,
    },
    /// Forget a template: the next such statement asks again.
    Delete {
        /// The template.
        #[arg(value_name = "ID")]
        template_id: Uuid,
    },
}

#[derive(clap::Args)]
pub(crate) struct ImportRows {
    /// The import.
    #[arg(value_name = "ID")]
    pub(crate) import_id: Uuid,
    /// Only rows with one of these verdicts.
    #[arg(long = "verdict", value_enum, value_delimiter = ',')]
    pub(crate) verdicts: Vec<Verdict>,
    /// Only rows that a commit adds, or only those it does not.
    #[arg(long, value_enum)]
    pub(crate) included: Option<YesNo>,
    /// How many to list at most; all when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
}

/// What kind of account it is.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A current account.
    Checking,
    /// A savings account.
    Savings,
    /// A credit card.
    CreditCard,
    /// Cash.
    Cash,
    /// A loan.
    Loan,
    /// Investments.
    Investment,
    /// Anything else.
    Other,
}

impl From<Kind> for AccountKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Checking => Self::Checking,
            Kind::Savings => Self::Savings,
            Kind::CreditCard => Self::CreditCard,
            Kind::Cash => Self::Cash,
            Kind::Loan => Self::Loan,
            Kind::Investment => Self::Investment,
            Kind::Other => Self::Other,
        }
    }
}

/// What matching says of a row.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// Not in the ledger.
    New,
    /// Already in the ledger.
    Duplicate,
    /// Deleted by hand before.
    DeletedBefore,
    /// In the ledger with another amount.
    Changed,
    /// Cannot be read.
    Invalid,
    /// In the ledger by hand; this row tells of it.
    Linked,
    /// Like something in the ledger.
    Suspected,
}

impl From<Verdict> for RowVerdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::New => Self::New,
            Verdict::Duplicate => Self::Duplicate,
            Verdict::DeletedBefore => Self::DeletedBefore,
            Verdict::Changed => Self::Changed,
            Verdict::Invalid => Self::Invalid,
            Verdict::Linked => Self::Linked,
            Verdict::Suspected => Self::Suspected,
        }
    }
}

/// Yes or no.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// An address that gRPC can reach.
fn gateway(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err("write it as http://HOST:PORT or https://HOST".to_owned()),
    }
}

/// An answer, as in `date_order=day_first`.
fn answer(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, choice)) if !key.is_empty() && !choice.is_empty() => {
            Ok((key.to_owned(), choice.to_owned()))
        }
        _ => Err("write it as KEY=CHOICE, both as the preview shows them".to_owned()),
    }
}

#[cfg(test)]
mod tests;
