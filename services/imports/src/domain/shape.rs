//! What stands in each column of a statement, to tell a row whose cells have slipped: one cell too
//! many or too few moves an amount into the column of another.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::column::{self, Survey};
use super::layout::Layout;
use super::record::Record;
use super::{date, number};

/// From so many rows on, what a column holds is known.
const ROWS_MIN: u64 = 4;

/// What the cells of a column are.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// Dates.
    Dates,
    /// Numbers.
    Numbers,
    /// Codes of currencies.
    Currencies,
}

/// A column whose cells are of one kind.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The column, from 0.
    pub column: usize,
    /// What it holds.
    pub holds: Holds,
}

/// The columns of one kind that are filled in most rows.
pub(super) fn of(survey: &Survey, layout: &Layout) -> Vec<Shape> {
    let columns = survey.columns.iter().enumerate();
    let known = columns.filter_map(|(column, facts)| {
        let dated = layout.date_columns.contains(&column);
        let most = facts.filled * 2 >= survey.rows;
        let holds = match (dated, facts.currency(), facts.numeric()) {
            (true, ..) => Holds::Dates,
            (_, true, _) => Holds::Currencies,
            (_, _, true) => Holds::Numbers,
            _ => return None,
        };
        most.then_some(Shape { column, holds })
    });
    if survey.rows < ROWS_MIN {
        return Vec::new();
    }
    known.collect()
}

/// Whether a row of another width than the others has a cell in a column of another kind.
pub(super) fn slipped(record: &Record, shapes: &[Shape], width: usize, today: NaiveDate) -> bool {
    let fits = |shape: &Shape| {
        let cell = record.cell(shape.column);
        cell.is_empty()
            || match shape.holds {
                Holds::Dates => date::dated(cell, today),
                Holds::Numbers => number::anatomy(cell).is_ok(),
                Holds::Currencies => column::currency(cell).is_some() || cell.len() <= 5,
            }
    };
    record.cells.len() != width && !shapes.iter().all(fits)
}
