//! What one answer may cost and weigh, and what its cost counts as against the limits of its user.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_graphql::{
    Response, ServerError, ServerResult, ValidationResult, Value, async_trait,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, NextValidation,
        ResolveInfo,
    },
};

use super::{error::whole, session::Session, shape::Demand};
use crate::{
    domain::{Measure, limits},
    error::Error,
    grpc,
};

/// Bytes that a value has besides its text: quotes, a comma, brackets.
const VALUE_BYTES: usize = 8;

/// Watches every request.
pub(super) struct Budgets;

impl ExtensionFactory for Budgets {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Budget::default())
    }
}

/// Counts the bytes of one answer, roughly as JSON has them.
#[derive(Default)]
struct Budget(AtomicUsize);

impl Budget {
    fn spent(&self) -> Option<ServerError> {
        let found = self.0.load(Ordering::Relaxed);
        (found > limits::ANSWER_BYTES_MAX).then(|| too_much(Measure::AnswerBytes, found))
    }
}

fn too_much(measure: Measure, found: usize) -> ServerError {
    whole(&grpc::status(Error::TooMuch { measure, found }))
}

#[async_trait::async_trait]
impl Extension for Budget {
    async fn validation(
        &self,
        context: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let valid = next.run(context).await?;
        if valid.complexity > limits::COST_MAX {
            return Err(vec![too_much(Measure::Cost, valid.complexity)]);
        }
        let session = context.data_opt::<Arc<Session>>();
        if let (Some(session), Some(demand)) = (session, context.data_opt::<Demand>())
            && !session.calls().counted()
        {
            let (class, units) = demand.counts_as(valid.complexity);
            let admitted = session.calls().admit(class, units).await;
            admitted.map_err(|refusal| vec![whole(&refusal)])?;
        }
        Ok(valid)
    }

    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        // Each event of a subscription is an answer of its own.
        self.0.store(0, Ordering::Relaxed);
        let response = next.run(context, operation_name).await;
        // Part of an answer would look like one whose fields failed one by one.
        match self.spent() {
            Some(error) => Response::from_errors(vec![error]),
            None => response,
        }
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let name = info.alias.unwrap_or(info.name).len();
        // Nobody will read what is still asked for.
        if let Some(error) = self.spent() {
            return Err(error);
        }
        let value = next.run(context, info).await?;
        let text = match &value {
            Some(Value::String(text)) => text.len(),
            _ => 0,
        };
        let bytes = name + text + VALUE_BYTES;
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Ok(value)
    }
}
