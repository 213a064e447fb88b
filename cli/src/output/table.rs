//! Tables: cleaned cells, amounts lined up on the right.

use comfy_table::{Cell, CellAlignment, ContentArrangement, presets};

use super::text;

/// A table that grows by rows.
pub(super) struct Table(comfy_table::Table);

impl Table {
    /// A table with these headers.
    pub(super) fn new<const N: usize>(headers: [&str; N]) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_preset(presets::UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(headers);
        Self(table)
    }

    /// Lines a column up on the right; columns count from 0.
    pub(super) fn right(mut self, column: usize) -> Self {
        if let Some(column) = self.0.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.0
            .add_row(cells.map(|cell| Cell::new(text::clean(cell))));
    }

    /// The table as text.
    pub(super) fn text(&self) -> String {
        // Without the blanks that pad the last column.
        self.0.trim_fmt()
    }
}
