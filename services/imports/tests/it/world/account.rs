//! Accounts of the ledger, opened, edited and read as its other writer.

use djinn_chassis::{auth::UserId, clock::Clock};
use djinn_ledger::{
    Change,
    account::{self, Edit, Kind, NewAccount},
    money::{Currency, Money},
    zone::Zone,
};
use uuid::Uuid;

use super::World;

impl World {
    pub(crate) async fn account(&self, user: UserId, currency: &str) -> Uuid {
        self.open(user, "Giro", "", currency).await
    }

    /// An account of this name and number.
    pub(crate) async fn open(
        &self,
        user: UserId,
        name: &str,
        number: &str,
        currency: &str,
    ) -> Uuid {
        let clock = Clock::system();
        let account_id = clock.id();
        let mut transaction = self.as_sync(user).await;
        let change = Change::begin(&clock);
        let account = NewAccount {
            account_id,
            name: name.to_owned(),
            kind: Kind::Checking,
            number: number.to_owned(),
            time_zone: Zone::default(),
            opening: Money {
                currency: Currency::parse(currency).unwrap(),
                minor_units: 10_000,
            },
            created_at: clock.now(),
        };
        account::create(&mut transaction, &change, &account)
            .await
            .unwrap();
        change.commit(transaction, &[account_id]).await.unwrap();
        account_id
    }

    /// Every amount of the account, as the ledger has them.
    pub(crate) async fn ledger(&self, user: UserId, account_id: Uuid) -> Vec<i64> {
        let mut transaction = self.as_sync(user).await;
        sqlx::query_scalar(
            "SELECT amount_minor FROM ledger.transaction WHERE account_id = $1 \
             ORDER BY booked_on, transaction_id",
        )
        .bind(account_id)
        .fetch_all(&mut *transaction)
        .await
        .unwrap()
    }

    /// Tells the time zone of the account's holder, or forgets it with an empty name.
    pub(crate) async fn set_time_zone(&self, user: UserId, account_id: Uuid, name: &str) {
        let clock = Clock::system();
        let mut transaction = self.as_sync(user).await;
        let change = Change::begin(&clock);
        let edit = Edit {
            time_zone: Some(Zone::parse(name).unwrap()),
            ..Edit::default()
        };
        account::update(&mut transaction, &change, account_id, &edit, clock.now())
            .await
            .unwrap();
        change.commit(transaction, &[]).await.unwrap();
    }
}
