//! How an import's file reads, and what that rests on beside the file.

use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use crate::{
    Error,
    domain::{question::Question, reading::Reading},
};

/// Freezes how the file reads, with what it leaves open.
///
/// # Errors
/// As the database answers.
pub async fn freeze_reading(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    reading: &Reading,
    questions: &[Question],
) -> Result<(), Error> {
    let encode = |error: serde_json::Error| Error::Task(error.into());
    let reading = serde_json::to_value(reading).map_err(encode)?;
    let questions = serde_json::to_value(questions).map_err(encode)?;
    sqlx::query!(
        "UPDATE imports.import SET reading = $2, questions = $3 WHERE import_id = $1",
        import_id,
        reading,
        questions,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
