//! Which accounts an import's rows go into: found when its file is recognised, and looked up by the
//! steps behind it. What belongs to one import is locked, matched and sealed together.

use std::collections::HashMap;

use djinn_chassis::postgres::UserTransaction;
use djinn_ledger::{Version, account, money::Currency};
use uuid::Uuid;

use super::{
    Key, Steps,
    source::{StoredFile, blocking},
};
use crate::{
    Error,
    domain::{
        answer::{Given, Giver, Saved},
        heading::Heading,
        reading::{Hints, Reading, Recognition},
        routing::{self, Own, Routing, Way, Ways},
        row::{RejectedRow, StatementRow},
    },
    store::{self, account::Share, import::Import, template::Kept},
};

/// Open accounts of a user that rows are led to.
const OWN_MAX: i64 = 1_000;

/// What recognising a file has come to when its accounts have been looked for as well.
pub(super) struct Routed {
    pub(super) recognition: Recognition,
    /// The template that has answered, if one has.
    pub(super) template_id: Option<Uuid>,
    /// The accounts its rows go into, once nothing is left to ask.
    pub(super) shares: Vec<Share>,
}

impl Steps {
    /// Looks for the accounts of a file whose rows can be read.
    pub(super) async fn route(
        &self,
        key: Key,
        import: &Import,
        object_key: String,
        reading: Reading,
        template_id: Option<Uuid>,
    ) -> Result<Routed, Error> {
        let chosen = import.account_id;
        if reading.owner.accounts.is_empty() {
            return Ok(Routed {
                recognition: Recognition::Ready(reading),
                template_id,
                shares: vec![Share::new(chosen, Vec::new())],
            });
        }
        let mut transaction = self.store.user(key.user).await?;
        let own = own_accounts(&mut transaction).await?;
        let fingerprint = Heading::of(&reading).fingerprint();
        let kept = store::template::find(&mut transaction, chosen, &fingerprint).await?;
        transaction.commit().await?;
        let hints = self.answers(import, kept.as_ref());
        let file = StoredFile::new(self.objects.clone(), object_key);
        let (reading, routing) = blocking(move || {
            let mut reading = reading;
            let routing = routing::route(&file, &mut reading, &own, chosen, &hints)?;
            Ok((reading, routing))
        })
        .await?;
        let by_template = |given: &Given| given.by == Giver::Template;
        let used = reading.answers.iter().any(by_template);
        let template_id = kept.filter(|_| used).map(|kept| kept.template_id);
        Ok(match routing {
            Routing::Found(ways) => Routed {
                recognition: Recognition::Ready(reading),
                template_id,
                shares: shares_of(chosen, &ways),
            },
            Routing::Asks(questions) => Routed {
                recognition: Recognition::Asks { reading, questions },
                template_id,
                shares: Vec::new(),
            },
        })
    }

    fn answers(&self, import: &Import, kept: Option<&Kept>) -> Hints {
        Hints {
            today: self.clock.today(),
            currency: Some(import.currency),
            kind: None,
            time_zone: None,
            answers: import.answers.clone(),
            mapping: None,
            template: kept.map(|kept| Saved {
                name: kept.template.name.clone(),
                answers: kept.template.answers.clone(),
            }),
        }
    }
}

async fn own_accounts(transaction: &mut UserTransaction) -> Result<Vec<Own>, Error> {
    let query = account::Query {
        closed: Some(false),
        after: None,
        limit: OWN_MAX,
    };
    let accounts = account::list(transaction, &query).await?;
    let own = accounts.into_iter().map(|account| Own {
        account_id: account.account_id,
        name: account.name,
        number: account.number,
        currency: account.opening.currency,
    });
    Ok(own.collect())
}

/// The chosen account is always there: rows that name no account go into it.
fn shares_of(chosen: Uuid, ways: &Ways) -> Vec<Share> {
    let mut shares = vec![Share::new(chosen, Vec::new())];
    for (name, way) in ways {
        let Way::Into(account_id) = *way else {
            continue;
        };
        match shares.iter_mut().find(|it| it.account_id == account_id) {
            Some(share) => share.names.push(name.clone()),
            None => shares.push(Share::new(account_id, vec![name.clone()])),
        }
    }
    shares
}

/// An import's accounts as they were noted, in the order of their ids; of an import of an earlier
/// release the one it has.
pub(super) async fn shares(
    transaction: &mut UserTransaction,
    import: &Import,
) -> Result<Vec<Share>, Error> {
    let mut shares = store::account::list(transaction, import.target()).await?;
    if shares.is_empty() {
        shares.push(Share {
            account_version: import.account_version,
            ..Share::new(import.account_id, Vec::new())
        });
    }
    Ok(shares)
}

/// Their ids.
pub(super) async fn ids(
    transaction: &mut UserTransaction,
    import: &Import,
) -> Result<Vec<Uuid>, Error> {
    let shares = shares(transaction, import).await?;
    Ok(shares.iter().map(|share| share.account_id).collect())
}

/// The versions of an import's accounts now.
pub(super) async fn versions(
    transaction: &mut UserTransaction,
    import: &Import,
) -> Result<Vec<(Uuid, Version)>, Error> {
    let mut versions = Vec::new();
    for account_id in ids(transaction, import).await? {
        let version = account::version(transaction, account_id).await?;
        versions.push((account_id, version.ok_or_else(|| no_account(account_id))?));
    }
    Ok(versions)
}

/// Whether a transaction of one of its accounts has changed since the rows were matched.
pub(super) async fn moved(
    transaction: &mut UserTransaction,
    import: &Import,
) -> Result<bool, Error> {
    let now = versions(transaction, import).await?;
    let then = shares(transaction, import).await?;
    let then = then.iter().map(|it| (it.account_id, it.account_version));
    Ok(!then.eq(now))
}

/// Notes for each account what the rows were matched with, and what a review shows of it. Gives the
/// balance of the account that was chosen: a sum over all of its rows.
pub(super) async fn publish(
    transaction: &mut UserTransaction,
    import: &Import,
    versions: &[(Uuid, Version)],
) -> Result<i64, Error> {
    let ids = versions.iter().map(|(id, _)| *id);
    let ids: Vec<Uuid> = ids.chain([import.account_id]).collect();
    let balances = account::balances(transaction, &ids).await?;
    let balance = |id: Uuid| balances.get(&id).copied().ok_or_else(|| no_account(id));
    let mut ledger = Vec::with_capacity(versions.len());
    for (account_id, version) in versions {
        ledger.push((*account_id, *version, balance(*account_id)?));
    }
    store::account::note_ledger(transaction, import.target(), &ledger).await?;
    balance(import.account_id)
}

/// Where the rows of a file go, by what it calls their account.
pub(super) struct Signpost {
    chosen: Uuid,
    ways: Ways,
    currencies: HashMap<Uuid, Currency>,
}

impl Signpost {
    /// As it was found when the file was recognised.
    pub(super) async fn of(
        transaction: &mut UserTransaction,
        import: &Import,
        reading: &Reading,
    ) -> Result<Self, Error> {
        let mut ways = Ways::new();
        for given in &reading.answers {
            if given.key.starts_with(routing::PREFIX) && given.value == routing::SKIP {
                ways.insert(given.key.clone(), Way::LeftOut);
            }
        }
        let mut currencies = HashMap::new();
        for share in shares(transaction, import).await? {
            let account_id = share.account_id;
            let found = account::get(transaction, account_id).await?;
            let found = found.ok_or_else(|| no_account(account_id))?;
            currencies.insert(account_id, found.opening.currency);
            for name in &share.names {
                ways.insert(routing::key(name), Way::Into(account_id));
            }
        }
        Ok(Self {
            chosen: import.account_id,
            ways,
            currencies,
        })
    }

    /// The account of a row with its currency, or why it has none.
    pub(super) fn lead(&self, row: &StatementRow) -> Result<(Uuid, Currency), RejectedRow> {
        let problem = |reason, detail| RejectedRow {
            line: row.line,
            reason,
            detail,
            original: format!("{} {} {}", row.booked_on, row.amount, row.description),
        };
        let text = &*row.account;
        let way = match text {
            "" => Some(Way::Into(self.chosen)),
            text => self.ways.get(&routing::key(text)).copied(),
        };
        let account = match way {
            Some(Way::Into(id)) => self.currencies.get(&id).map(|currency| (id, *currency)),
            Some(Way::LeftOut) => {
                let detail = format!("you left out the rows of the account {text}");
                return Err(problem("ACCOUNT_SKIPPED", detail));
            }
            None => None,
        };
        account.ok_or_else(|| {
            let detail = format!(
                "the row is of the account {text}, which no row with a date of its own names"
            );
            problem("ACCOUNT_UNKNOWN", detail)
        })
    }
}

fn no_account(account_id: Uuid) -> Error {
    Error::NotFound {
        what: "account",
        id: account_id.to_string(),
    }
}
