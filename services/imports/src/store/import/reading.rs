//! How an import's file reads, and what that rests on beside the file.

use chrono::{DateTime, Utc};
use djinn_chassis::postgres::UserTransaction;
use uuid::Uuid;

use super::Move;
use crate::{
    Error,
    domain::{
        answer::{Answers, Giver},
        gap::Gaps,
        heading::Heading,
        mapping::Mapping,
        question::Question,
        reading::Reading,
    },
};

/// How a file reads, with what it leaves open.
#[derive(Clone, Copy, Debug)]
pub struct Frozen<'a> {
    /// The reading; under the first choices while there are questions.
    pub reading: &'a Reading,
    /// The questions.
    pub questions: &'a [Question],
    /// The template whose answers were used.
    pub template_id: Option<Uuid>,
}

/// Freezes how the file reads, with what it leaves open and what it rests on.
///
/// # Errors
/// As the database answers.
pub async fn freeze_reading(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    frozen: Frozen<'_>,
) -> Result<(), Error> {
    let given = &frozen.reading.answers;
    let answers: Answers = given
        .iter()
        .map(|given| (given.key.clone(), given.value.clone()))
        .collect();
    // Where a person has answered, it is their reading: their answers become the template.
    let by_person = given.iter().any(|given| given.by == Giver::Person);
    let template_id = frozen.template_id.filter(|_| !by_person);
    let fingerprint = Heading::of(frozen.reading).fingerprint();
    sqlx::query!(
        r#"
        UPDATE imports.import
        SET reading = $2, questions = $3, answers = $4, template_id = $5, header_fingerprint = $6
        WHERE import_id = $1
        "#,
        import_id,
        json(frozen.reading)?,
        json(frozen.questions)?,
        json(&answers)?,
        template_id,
        &fingerprint[..],
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Moves an import on to be recognised once more, with a person's answers. It is another generation
/// from here on: nothing that was found without them counts any more, and whoever is still at work
/// on the one before finds nothing to move.
///
/// # Errors
/// [`Error::Overtaken`] if the import is not where it must be.
pub async fn answer(
    transaction: &mut UserTransaction,
    step: Move,
    answers: &Answers,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let moved = sqlx::query!(
        r#"
        UPDATE imports.import
        SET status = $4, generation = generation + 1, answers = $5, template_id = NULL,
            reading = NULL, questions = NULL, header_fingerprint = NULL, updated_at = $6,
            expires_at = NULL, progress_done = 0, progress_total = 0
        WHERE import_id = $1 AND generation = $2 AND status = $3
        "#,
        step.import_id,
        step.generation,
        step.from.as_str(),
        step.to.as_str(),
        json(answers)?,
        now,
    )
    .execute(&mut **transaction)
    .await?;
    match moved.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::Overtaken {
            import_id: step.import_id,
        }),
    }
}

/// A person's answers before a reading and for it.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Those that the reading before rests on.
    pub before: &'a Answers,
    /// Those that the next one rests on.
    pub after: &'a Answers,
}

/// Moves an import on to be recognised once more, under another mapping. What the reading before
/// rested on is kept, to go back to if the file does not allow it; what was shown and decided is
/// not.
///
/// # Errors
/// [`Error::Overtaken`] if the import is not where it must be.
pub async fn reread(
    transaction: &mut UserTransaction,
    step: Move,
    mapping: Option<&Mapping>,
    answers: Change<'_>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let moved = sqlx::query!(
        r#"
        UPDATE imports.import
        SET status = $4, generation = generation + 1, revision = 0,
            earlier = jsonb_build_object('mapping', mapping, 'answers', $8::jsonb),
            mapping = $5, answers = $6, mapping_problem = NULL, template_id = NULL,
            reading = NULL, questions = NULL, header_fingerprint = NULL, updated_at = $7,
            failure_reason = NULL, failure_message = NULL, expires_at = NULL, progress_done = 0,
            progress_total = 0, id_conflict_count = 0, balance_gaps = '[]', balance_gap_count = 0,
            edited_count = 0, ids_are_stable = false
        WHERE import_id = $1 AND generation = $2 AND status = $3
        "#,
        step.import_id,
        step.generation,
        step.from.as_str(),
        step.to.as_str(),
        mapping.map(json).transpose()?,
        json(answers.after)?,
        now,
        json(answers.before)?,
    )
    .execute(&mut **transaction)
    .await?;
    match moved.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::Overtaken {
            import_id: step.import_id,
        }),
    }
}

/// Leaves a mapping out that the file does not allow, and says why: the file is read once more with
/// what its reading rested on before, if there was one.
///
/// # Errors
/// [`Error::Overtaken`] if the import is no longer being recognised.
pub async fn leave_mapping(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    generation: i32,
    problem: &str,
) -> Result<(), Error> {
    let left = sqlx::query!(
        r#"
        UPDATE imports.import
        SET mapping = nullif(earlier -> 'mapping', 'null'::jsonb), earlier = NULL,
            mapping_problem = $3, answers = coalesce(earlier -> 'answers', answers)
        WHERE import_id = $1 AND generation = $2 AND status = 'recognising'
          AND mapping IS NOT NULL
        "#,
        import_id,
        generation,
        problem,
    )
    .execute(&mut **transaction)
    .await?;
    match left.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::Overtaken { import_id }),
    }
}

/// Notes where the balance of the file does not follow, in the transaction that ends its staging.
///
/// # Errors
/// As the database answers.
pub async fn note_gaps(
    transaction: &mut UserTransaction,
    import_id: Uuid,
    gaps: &Gaps,
) -> Result<(), Error> {
    sqlx::query!(
        "UPDATE imports.import SET balance_gaps = $2, balance_gap_count = $3 WHERE import_id = $1",
        import_id,
        json(&gaps.first)?,
        i64::try_from(gaps.count).map_err(|error| Error::Task(error.into()))?,
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) fn json(value: &(impl serde::Serialize + ?Sized)) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|error| Error::Task(error.into()))
}
