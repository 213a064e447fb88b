//! Where custom settles the order of day and month that the figures leave open: nobody who writes
//! these languages puts the month first, and purchases do not fall on one day of every month.
//!
//! English says nothing, since Americans, Britons, Australians and Indians write it; nor does a
//! currency by itself, since exports in English write American dates beside euros as well.

use std::sync::LazyLock;

use djinn_ledger::money::Currency;

use super::header::{self, Phrase, phrases};

/// So many names in such a language are a header in that language, and not a borrowed word.
const NAMES_MIN: usize = 2;

/// Words that head columns in languages of countries that never put the month first and write
/// decimal commas. With decimal points an American program may have saved the file.
const DAY_FIRST: &str = "datum|~datum|betrag|~betrag|~buchung|buchungstag|verwendungszweck|\
    wertstellung|umsatz|wahrung|waehrung|empfanger|auftraggeber|beschreibung|saldo eur|\
    bedrag|omschrijving|rekening|tegenrekening|naam|mutatiesoort|importo|descrizione|causale|\
    entrate|uscite|descricao|lancamento|historico|identificador|dato|belob|belop|beskrivelse|\
    tekst|belopp|\
    bokforingsdag|beskrivning|paivamaara|kirjauspaiva|maara|saaja|selite|data operacji|kwota|\
    tytul|castka|datum zauctovani|popis|suma mena|ciastka|iznos|opis|znesek|kuupaev|summa|\
    selgitus|datums|suma|paskirtis|tarih|tutar|aciklama|descriere|data tranzactiei|libelle|\
    ~libelle|\
    montant|solde|devise|debit montant|contrepartie|date de valeur|date de comptabilisation";

/// The same in languages of which some countries write the point themselves.
const POINTED: &str = "tanggal|keterangan|jumlah|tarikh|ngay|so tien|mo ta|nominal|mutasi";

/// Words of banks in Britain and its former colonies that are not those of Americans; Canadians and
/// Filipinos, who may put the month first, do not say them either. One is enough.
const BRITISH: &str = "sort code|narration|bsb|ifsc|ifsc code|lodgement|lodgements|lodged";

/// Spanish is written where the month may come first, in Puerto Rico, and so is French, in Quebec.
const SPANISH: &str = "fecha|importe|concepto|descripcion|cargo|abono|\
    movimiento|beneficiario|fecha valor";

static DAY_FIRST_WORDS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(DAY_FIRST));
static BRITISH_WORDS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(BRITISH));
static SPANISH_WORDS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(SPANISH));
static POINTED_WORDS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(POINTED));

/// Whether the header is in a language in which the day comes before the month. `currency` is that
/// of the file, `point` whether it writes decimal points.
pub(super) fn day_first(names: &[String], currency: Option<Currency>, point: bool) -> bool {
    let count = |fits: &dyn Fn(&str) -> bool| names.iter().filter(|name| fits(name)).count();
    let says = |list: &'static [Phrase]| {
        move |name: &str| {
            let name = header::plain(name);
            list.iter().any(|phrase| phrase.word_in(&name))
        }
    };
    let script = |name: &str| name.chars().any(written_day_first);
    let dollars = currency.is_some_and(|currency| matches!(currency.code(), "USD" | "CAD"));
    count(&says(&BRITISH_WORDS)) > 0
        || count(&script) >= NAMES_MIN
        || count(&says(&POINTED_WORDS)) >= NAMES_MIN
        || (!dollars && !point && count(&says(&DAY_FIRST_WORDS)) >= NAMES_MIN)
        || (!dollars && count(&says(&SPANISH_WORDS)) >= NAMES_MIN)
}

/// Greek, Cyrillic, Armenian, Hebrew, Arabic, Thai and Georgian.
fn written_day_first(letter: char) -> bool {
    matches!(letter, '\u{370}'..='\u{6ff}' | '\u{e00}'..='\u{e7f}' | '\u{10a0}'..='\u{10ff}')
        && letter.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_in_which_the_day_comes_first() {
        let cases: [(&[&str], &str, bool, bool); 17] = [
            (&["Datum", "Tekst", "Beløb"], "", false, true),
            (&["Datum", "Tekst", "Beløb"], "", true, false),
            (&["תאריך", "תיאור", "סכום"], "", true, true),
            (&["Дата", "Сумма"], "USD", true, true),
            (&["Date", "Libellé", "Montant"], "EUR", false, true),
            (&["Date", "Libellé", "Montant"], "EUR", true, false),
            (&["Date", "Libellé", "Montant"], "CAD", false, false),
            (&["Date", "Libellé", "Montant"], "", false, true),
            (&["Fecha", "Concepto", "Importe"], "", true, true),
            (&["Fecha", "Concepto", "Importe"], "USD", true, false),
            (&["Tanggal", "Keterangan", "Amount"], "", true, true),
            (&["Date", "Narration", "Amount"], "", true, true),
            (&["Date", "Description", "Amount"], "EUR", false, false),
            (&["Date", "Details", "Summa"], "", false, false),
            (&["Data", "Value"], "BRL", false, false),
            (&["Data", "Descrição", "Lançamento"], "", true, false),
            (&[], "EUR", false, false),
        ];
        for (names, currency, point, expected) in cases {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let currency = Currency::parse(currency).ok();
            let found = day_first(&names, currency, point);
            assert_eq!(found, expected, "{names:?} {currency:?} {point}");
        }
    }
}
