//! The same rows by psql alone: `\copy` into a table made like the ledger's, and one INSERT each.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::stack::Stack;
use crate::stack::postgres::{self, DEMO_DATABASE, Installation};

/// A table with the columns, indexes, checks and foreign keys of the ledger's; LIKE copies all but
/// the last.
const TABLE: &str = "
    CREATE SCHEMA bench;
    CREATE TABLE bench.transaction (LIKE ledger.transaction INCLUDING ALL);
    DO $$
    DECLARE
        foreign_key record;
    BEGIN
        FOR foreign_key IN
            SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
            WHERE conrelid = 'ledger.transaction'::regclass AND contype = 'f'
        LOOP
            EXECUTE format('ALTER TABLE bench.transaction ADD CONSTRAINT %I %s',
                foreign_key.conname, foreign_key.definition);
        END LOOP;
    END $$;
";

/// Postgres by hand.
pub(super) struct Baseline<'a> {
    stack: &'a Stack<'a>,
    installation: Installation,
    folder: PathBuf,
}

impl<'a> Baseline<'a> {
    /// Makes the table.
    pub(super) async fn prepare(stack: &'a Stack<'a>, folder: &Path) -> anyhow::Result<Self> {
        let baseline = Self {
            stack,
            installation: Installation::find_or_install().await?,
            folder: folder.to_owned(),
        };
        baseline.sql(TABLE).await?;
        Ok(baseline)
    }

    /// Writes everything to disk, so that what is measured next does not pay for what came before.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        self.sql("CHECKPOINT").await.map(|_| ())
    }

    /// Seconds for `\copy` of the rows that an import added.
    pub(super) async fn copy_seconds(&self, import_id: &str) -> anyhow::Result<f64> {
        let file = self.folder.join("ledger.copy");
        let rows = format!("(SELECT * FROM ledger.transaction WHERE import_id = '{import_id}')");
        self.sql(&format!("\\copy {rows} TO '{}'", file.display()))
            .await?;
        self.settle().await?;
        let copy = format!("\\copy bench.transaction FROM '{}'", file.display());
        let started = Instant::now();
        self.sql(&copy).await?;
        let seconds = started.elapsed().as_secs_f64();
        fs::remove_file(file)?;
        Ok(seconds)
    }

    /// Seconds for one INSERT and commit for each row that an import added.
    pub(super) async fn insert_seconds(&self, import_id: &str) -> anyhow::Result<f64> {
        let file = self.folder.join("inserts.sql");
        let statements = format!(
            "SELECT 'INSERT INTO bench.transaction VALUES (' || (
                 SELECT string_agg(quote_nullable(cell.value), ', ')
                 FROM json_each_text(to_json(t)) cell
             ) || ');'
             FROM ledger.transaction t WHERE import_id = '{import_id}'"
        );
        let mut statements = self.sql(&statements).await?;
        statements.write_char('\n')?;
        fs::write(&file, statements)?;
        self.settle().await?;
        let started = Instant::now();
        postgres::script(self.stack, &self.installation, DEMO_DATABASE, &file).await?;
        let seconds = started.elapsed().as_secs_f64();
        fs::remove_file(file)?;
        Ok(seconds)
    }

    /// How many rows the table holds.
    pub(super) async fn row_count(&self) -> anyhow::Result<u64> {
        let count = self.sql("SELECT count(*) FROM bench.transaction").await?;
        Ok(count.trim().parse()?)
    }

    async fn sql(&self, statement: &str) -> anyhow::Result<String> {
        postgres::sql(self.stack, &self.installation, DEMO_DATABASE, statement).await
    }
}
