//! Statements of any length with rows like real ones: a few payees that come again and again, a few
//! rows that are equal to the last digit, and a running balance. The same count gives the same
//! file.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;

/// Who is paid, for what, and about how much in cents; money in is positive.
const PAYEES: [(&str, &str, i64); 16] = [
    ("Gruener Markt", "Card purchase groceries", -4_237),
    ("Baeckerei Sommer", "Card purchase", -385),
    ("Stadtwerke Nord", "Direct debit electricity", -8_914),
    ("Kaffeehaus am Tor", "Card purchase", -320),
    ("Linie 7 Verkehr", "Mobile ticket", -290),
    ("Buchladen Lesezeit", "Card purchase books", -1_899),
    ("Hof Apotheke", "Card purchase", -1_245),
    ("Kino Astra", "Card purchase tickets", -2_400),
    ("Tankstelle West", "Card purchase fuel", -6_120),
    ("Netzwerk Mobil", "Direct debit telephone", -1_999),
    ("Werkstatt Brandt", "Transfer invoice", -18_450),
    ("Anna Berger", "Transfer shared dinner", 2_350),
    ("Versicherung Alpen", "Direct debit premium", -7_310),
    ("Schuhhaus Lauf", "Card purchase shoes", -8_990),
    ("Muster Software GmbH", "Salary", 312_500),
    ("Musikdienst", "Direct debit subscription", -1_099),
];

/// One row in so many is equal to the one before.
const TWIN_EVERY: u64 = 200;

/// Writes a statement of `rows` rows and returns its size in bytes.
pub(super) fn write(path: &Path, rows: u64) -> anyhow::Result<u64> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut file = BufWriter::new(file);
    file.write_all(b"Booking date;Payee;Purpose;Reference;Amount;Balance\n")?;
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let (mut balance, mut line, mut text) = (1_250_000, Line::default(), String::new());
    for row in 0..rows {
        if row % TWIN_EVERY != 1 {
            line = Line::draw(&mut chance, row, rows);
        }
        balance += line.minor;
        text.clear();
        let (year, month, day) = line.date;
        let (payee, purpose, _) = line.payee;
        write!(text, "{year}-{month:02}-{day:02};{payee};{purpose};")?;
        write!(text, "{:08};", line.reference)?;
        decimal(&mut text, line.minor)?;
        text.push(';');
        decimal(&mut text, balance)?;
        text.push('\n');
        file.write_all(text.as_bytes())?;
    }
    file.flush()?;
    Ok(std::fs::metadata(path)?.len())
}

/// A row as it is drawn.
struct Line {
    date: (u64, u64, u64),
    payee: (&'static str, &'static str, i64),
    reference: u64,
    minor: i64,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            date: (2021, 1, 1),
            payee: PAYEES[0],
            reference: 0,
            minor: PAYEES[0].2,
        }
    }
}

impl Line {
    /// Days run evenly through four years of twelve months of 28 days.
    fn draw(chance: &mut Chance, row: u64, rows: u64) -> Self {
        let day = row * (4 * 12 * 28) / rows.max(1);
        let index = usize::try_from(chance.below(16)).unwrap_or(0);
        let payee = PAYEES.get(index).copied().unwrap_or(PAYEES[0]);
        let spread = i64::try_from(chance.below(2_000)).unwrap_or(0) - 1_000;
        // Within a tenth of what the payee usually gets.
        let minor = payee.2 + payee.2 * spread / 10_000;
        Self {
            date: (2021 + day / 336, 1 + day / 28 % 12, 1 + day % 28),
            payee,
            reference: chance.below(100_000_000),
            minor,
        }
    }
}

/// Marsaglia's xorshift: even enough for payees, and the same on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn decimal(text: &mut String, minor: i64) -> std::fmt::Result {
    let sign = if minor < 0 { "-" } else { "" };
    let size = minor.unsigned_abs();
    write!(text, "{sign}{}.{:02}", size / 100, size % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_count_gives_the_same_file_whose_balance_follows() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        assert_eq!(write(&one, 1_000).unwrap(), write(&two, 1_000).unwrap());
        let text = std::fs::read_to_string(one).unwrap();
        assert_eq!(text, std::fs::read_to_string(two).unwrap());
        let cents = |cell: &str| cell.replace('.', "").parse::<i64>().unwrap();
        let mut balance = 1_250_000;
        let mut twins = 0;
        let mut last = "";
        for row in text.lines().skip(1) {
            let cells: Vec<&str> = row.split(';').collect();
            balance += cents(cells[4]);
            assert_eq!(cents(cells[5]), balance, "{row}");
            let without_balance = row.rsplit_once(';').unwrap().0;
            twins += usize::from(without_balance == last);
            last = without_balance;
        }
        assert_eq!(text.lines().count(), 1_001);
        assert_eq!(twins, 5);
    }
}
