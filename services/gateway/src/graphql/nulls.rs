//! What failed is null, as the specification has it. The library leaves such a field out of the
//! answer instead, and its clients would take it for a field they never asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::{
    Response, ServerError, ServerResult, Value, async_trait,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
    },
};

use super::error::ERRORS_MAX;

/// Watches every request.
pub(super) struct Nulls;

impl ExtensionFactory for Nulls {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Failed::default())
    }
}

/// The errors of one answer.
#[derive(Default)]
struct Failed(Mutex<Vec<ServerError>>);

impl Failed {
    fn lock(&self) -> MutexGuard<'_, Vec<ServerError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Extension for Failed {
    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(context, operation_name).await;
        response.errors.append(&mut self.lock());
        response
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let nullable = !info.return_type.ends_with('!');
        match next.run(context, info).await {
            Err(error) if nullable => {
                let mut failed = self.lock();
                if failed.len() < ERRORS_MAX {
                    failed.push(error);
                }
                Ok(Some(Value::Null))
            }
            resolved => resolved,
        }
    }
}
