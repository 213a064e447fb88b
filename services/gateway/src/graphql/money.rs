//! Money as GraphQL tells it.

use async_graphql::{InputObject, SimpleObject};

use djinn_proto::common::v1 as pb;

use super::{
    error::{Result, required},
    scalar::Int64,
};
use crate::domain::{Owner, decimal};

/// An amount of money.
#[derive(SimpleObject)]
pub(super) struct Money {
    /// ISO 4217 code, three capital letters, as in "EUR".
    currency_code: String,
    /// The amount in the currency's smallest unit: cents for EUR, yen for JPY. Outflow is negative,
    /// inflow positive.
    minor_units: Int64,
    /// The same as a decimal number, as in "-12.30". Null for a currency whose decimals the gateway
    /// does not know.
    amount: Option<String>,
}

impl From<pb::Money> for Money {
    fn from(money: pb::Money) -> Self {
        Self {
            amount: decimal(&money.currency_code, money.minor_units),
            currency_code: money.currency_code,
            minor_units: Int64(money.minor_units),
        }
    }
}

/// An amount of money.
#[derive(InputObject, Clone)]
pub(super) struct MoneyInput {
    /// ISO 4217 code, three capital letters, as in "EUR".
    currency_code: String,
    /// The amount in the currency's smallest unit: cents for EUR, yen for JPY. Outflow is negative,
    /// inflow positive.
    minor_units: Int64,
}

impl From<MoneyInput> for pb::Money {
    fn from(money: MoneyInput) -> Self {
        Self {
            currency_code: money.currency_code,
            minor_units: money.minor_units.0,
        }
    }
}

/// Money that a service always sends.
pub(super) fn money(money: Option<pb::Money>, owner: Owner) -> Result<Money> {
    Ok(required(money, owner)?.into())
}
