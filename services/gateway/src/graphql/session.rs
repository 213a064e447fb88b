//! What one request of one user knows: its calls, its deadline, and what it has already been told.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::Context;
use tokio::{sync::OnceCell, time::Instant};

use djinn_chassis::auth::{Refusal, UserId};
use djinn_proto::{imports::v1 as imports, sync::v1 as sync};

use super::error::{Refused, Result, required};
use crate::{
    domain::{Owner, limits},
    grpc::{Calls, Status},
};

/// A request under way. It forgets everything with its end.
pub(crate) struct Session {
    request_id: String,
    user: UserId,
    calls: Calls,
    moment: Mutex<Arc<Moment>>,
}

/// The time in which what was told once holds: a query; one mutation of several; one event of a
/// subscription.
struct Moment {
    deadline: Instant,
    accounts: Told<sync::Account>,
    transactions: Told<sync::Transaction>,
    imports: Told<imports::Import>,
}

/// Answers by id. A hundred transactions of one account ask for it once, and share even the
/// refusal.
struct Told<T>(Mutex<HashMap<String, Answer<T>>>);

type Answer<T> = Arc<OnceCell<std::result::Result<T, Status>>>;

impl Session {
    pub(crate) fn new(request_id: String, user: UserId, calls: Calls) -> Self {
        Self {
            request_id,
            user,
            calls,
            moment: Mutex::new(Arc::new(Moment::until(new_deadline()))),
        }
    }

    /// The session that a field is asked in. There is none without a token.
    pub(super) fn of<'a>(context: &Context<'a>) -> Result<&'a Self> {
        let session = context.data_opt::<Arc<Self>>();
        let missing = || Refused::from(Status::from(Refusal::Missing));
        Ok(session.ok_or_else(missing)?)
    }

    pub(super) fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(super) fn user(&self) -> UserId {
        self.user
    }

    pub(super) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// When the calls of this moment are given up.
    pub(super) fn deadline(&self) -> Instant {
        self.moment().deadline
    }

    /// Forgets what was told, which may have changed. The time that is left stays as it is.
    pub(super) fn forget(&self) {
        let mut moment = self.lock();
        *moment = Arc::new(Moment::until(moment.deadline));
    }

    /// The same with new time, for the next event of a stream.
    pub(super) fn renew(&self) {
        *self.lock() = Arc::new(Moment::until(new_deadline()));
    }

    /// An account, asked for at most once a moment.
    pub(super) async fn account(&self, id: &str) -> Result<sync::Account> {
        let moment = self.moment();
        let told = moment.accounts.of(id);
        let asked = async || {
            let account_id = id.to_owned();
            let asked = sync::GetAccountRequest { account_id };
            self.calls.get_account(moment.deadline, asked).await
        };
        let ask = async || Ok(asked().await?.account);
        once(&told, ask, Owner::Sync).await
    }

    /// A transaction, asked for at most once a moment.
    pub(super) async fn transaction(&self, id: &str) -> Result<sync::Transaction> {
        let moment = self.moment();
        let told = moment.transactions.of(id);
        let asked = async || {
            let transaction_id = id.to_owned();
            let asked = sync::GetTransactionRequest { transaction_id };
            self.calls.get_transaction(moment.deadline, asked).await
        };
        let ask = async || Ok(asked().await?.transaction);
        once(&told, ask, Owner::Sync).await
    }

    /// An import, asked for at most once a moment.
    pub(super) async fn import(&self, id: &str) -> Result<imports::Import> {
        let moment = self.moment();
        let told = moment.imports.of(id);
        let asked = async || {
            let import_id = id.to_owned();
            let asked = imports::GetImportRequest { import_id };
            self.calls.get_import(moment.deadline, asked).await
        };
        let ask = async || Ok(asked().await?.import);
        once(&told, ask, Owner::Imports).await
    }

    fn moment(&self) -> Arc<Moment> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Moment>> {
        self.moment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_deadline() -> Instant {
    Instant::now() + limits::DEADLINE_DEFAULT
}

impl Moment {
    fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            accounts: Told::default(),
            transactions: Told::default(),
            imports: Told::default(),
        }
    }
}

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Told<T> {
    fn of(&self, id: &str) -> Answer<T> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(told.entry(id.to_owned()).or_default())
    }
}

/// What was told, or is told now to the first who asks while the others wait.
async fn once<T: Clone>(
    told: &OnceCell<std::result::Result<T, Status>>,
    ask: impl AsyncFnOnce() -> std::result::Result<Option<T>, Status>,
    owner: Owner,
) -> Result<T> {
    let answer = told.get_or_init(async || match ask().await {
        Ok(found) => required(found, owner).map_err(Refused::into_status),
        Err(refused) => Err(refused),
    });
    Ok(answer.await.clone()?)
}
