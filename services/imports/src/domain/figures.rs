//! Figures in the digits of other scripts, in full width, or between marks of the direction of
//! writing, put into ASCII cell by cell. Texts stay as they are.

use super::{date, number};

/// Digits that begin a run of ten: Arabic, Persian, Hindi, Bengali, Thai, full width.
const ZEROS: [char; 6] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{e50}', '\u{ff10}',
];

/// No figure is longer, in bytes.
const CELL_BYTES_MAX: usize = 120;

/// Whether a text has letters that figures may have to be put into ASCII for.
pub(super) fn foreign(text: &str) -> bool {
    !text.is_ascii()
        && text
            .chars()
            .any(|letter| letter != ascii(letter).unwrap_or('\0'))
        && text
            .chars()
            .any(|letter| direction(letter) || digit(letter).is_some())
}

/// The figure of a cell in ASCII; none for texts and for figures that are ASCII already.
pub(super) fn plain(cell: &str) -> Option<String> {
    if cell.is_ascii() || cell.len() > CELL_BYTES_MAX {
        return None;
    }
    let text: String = cell.chars().filter_map(ascii).collect();
    let text = text.trim();
    let figure = date::parts(text).is_some() || matches!(number::anatomy(text), Ok(Some(_)));
    (figure && text != cell).then(|| text.to_owned())
}

/// A letter of a figure in ASCII; none for marks of direction.
fn ascii(letter: char) -> Option<char> {
    if direction(letter) {
        return None;
    }
    Some(match letter {
        '\u{66b}' | '\u{ff0e}' => '.',
        '\u{66c}' | '\u{60c}' | '\u{ff0c}' => ',',
        '\u{ff0d}' => '-',
        '\u{ff0b}' => '+',
        '\u{ff08}' => '(',
        '\u{ff09}' => ')',
        '\u{ff0f}' => '/',
        '\u{ff1a}' => ':',
        other => digit(other).unwrap_or(other),
    })
}

fn digit(letter: char) -> Option<char> {
    ZEROS.iter().find_map(|zero| {
        let above = u32::from(letter).checked_sub(u32::from(*zero))?;
        char::from_digit(above, 10)
    })
}

/// Marks of the direction of writing, which are seen nowhere.
fn direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_texts() {
        for (cell, expected) in [
            ("١٢٫٥٠", "12.50"),
            ("-١٬٢٣٤٫٥٠", "-1,234.50"),
            ("۱۴۰۲", "1402"),
            ("２０２４／０１／３１", "2024/01/31"),
            ("１，２３４", "1,234"),
            ("\u{200e}12.50", "12.50"),
            ("12.50\u{200f}", "12.50"),
            ("ローソン１２", ""),
            ("12,50 €", ""),
            ("المبلغ ١٢", ""),
            ("12.50", ""),
        ] {
            assert_eq!(plain(cell).unwrap_or_default(), expected, "{cell}");
        }
        assert!(foreign("a,١,b") && foreign("\u{200f}") && !foreign("Übung,1") && !foreign("1"));
    }
}
