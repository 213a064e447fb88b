//! What kind of account a statement is of, told by words that stand on one kind of statement only,
//! and what follows from it for signs that no balance proves: a current account writes them as they
//! are, a list of purchases on a card shows what was paid, and a card that was paid for tells which
//! of its signs is money in. What is not sure stays open.

use std::sync::LazyLock;

use super::bench::{Bench, Holder, Words};
use super::column::{self, Survey};
use super::header::{self, Phrase, TextKind, phrases};
use super::layout::Layout;
use super::trial::Outcome;

/// Names that only the statement of a current account has: the other party's account, the mandate
/// of a direct debit, the number of the sheet. Each is one hint; it takes two.
const ACCOUNT: &str = "~iban|~bic|auftraggeber|~auftraggeber|~verwendungszweck|beguenstigter|\
    ~beguenstigter|begunstigter|~mandat|~glaubiger|~glaeubiger|auszugsnummer|~zahlungsreferenz|\
    ~tegenrekening|~tegenpartij|mutatiesoort|szamlaszam|~szamlaszam|bankkodja|kozlemeny|\
    protiucet|~protiuct|cislo protiuctu|variabilni symbol|konstantni symbol|specificky symbol|\
    variabilny symbol|konstantny symbol|rachunek|numer rachunku|nr rachunku|\
    rachunek nadawcy|rachunek odbiorcy|nadawca odbiorca|ordenante|compte contrepartie|\
    donneur d ordre|compte beneficiaire|compte donneur d ordre|motkonto|~motkonto|\
    arkistointitunnus|viitenumero|viite|counterparty account|beneficiary account|\
    counterparty account number|payee account number|payment reference|sort code|бик|\
    расчетный счет|корсчет|счет получателя|счет контрагента|расчетный счет контрагента|\
    bankens arkivreference|bogfort saldo|arkivref|kontohaber|conto controparte|saskaitos numeris|\
    konta numurs|saaja konto|viitenumber";

/// The same in what stands in front of the table.
const TITLE: &str = "kontoauszug|kontonummer|girokonto|privatkonto|sparkonto|tagesgeldkonto|\
    kontokorrent|extrait de compte|releve de compte|compte courant|compte prive|compte epargne|\
    numero de compte|estratto conto|conto corrente|conto privato|numero conto|checking account|\
    savings account|current account|rekeningafschrift|betaalrekening|spaarrekening|\
    rekeningnummer|lonekonto|privatkonto|kontoutdrag|kontoutskrift|vypis z uctu|cislo uctu|\
    wyciag|numer rachunku|szamlakivonat|szamlaszam|extras de cont|izvod|cuenta corriente|\
    cuenta de ahorro|caja de ahorro|conta corrente|extrato|выписка по счету|номер счета";

/// Words of cards, in front of the table or over a column that every row fills.
const CARD: &str = "~karte|~kreditkart|card|cards|~mastercard|visa|amex|american express|carte|\
    cartes|tarjeta|tarjetas|carta|cartao|~kreditkort|~betalkort|kort|kortti|luottokortti|karta|\
    karty|kartu|kredi karti|kartya|~kartya|kartica|kartice|כרטיס|כרטיס האשראי|אשראי|信用卡|卡号|\
    卡號|カード|карта|карты|~creditcard|kaart|~kortnummer|cardholder|card number|card no";

/// Names of a column of shops.
const SHOP: &str = "merchant|merchant name|name of merchant|שם בית עסק|שם בית העסק|商户|商户名称|\
    商戶|店名|利用店名|ご利用店名|가맹점|가맹점명|commercant|comercio|esercente|handler";

/// Names of columns that tell the side of a row.
const TELLERS: [TextKind; 3] = [TextKind::Indicator, TextKind::Type, TextKind::Unnamed];

/// Names of an account that settle the sign of amounts which all have the same.
const STRONG_MIN: usize = 3;

/// Purchases outnumber the payments of a card at least so many times.
const PURCHASES_FACTOR: u64 = 2;

static ACCOUNT_WORDS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(ACCOUNT));
static TITLE_WORDS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(TITLE));
static CARD_WORDS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(CARD));
static SHOP_WORDS: LazyLock<Vec<Phrase>> = LazyLock::new(|| phrases(SHOP));

/// What the words around the rows tell of the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nature {
    /// Names and titles that only a current account has.
    accounts: usize,
    /// Whether a card is named.
    card: bool,
    /// Whether the rows are purchases: each names its shop or one and the same card.
    purchases: bool,
    /// Whether gross, fee and net are named: the statement is that of one who is paid.
    payout: bool,
    /// Whether a column may tell the side in words that nobody knows.
    teller: bool,
}

impl Nature {
    /// Looks at the names of the columns and at what stands in front of them.
    pub(super) fn of(survey: &Survey, layout: &Layout) -> Self {
        let names = layout.names.as_deref().unwrap_or_default();
        let names: Vec<String> = names.iter().map(|name| header::plain(name)).collect();
        let says = |list: &[Phrase], text: &str| list.iter().any(|phrase| phrase.word_in(text));
        let preface = |list: &[Phrase]| {
            let said = |phrase: &&Phrase| layout.preface.iter().any(|text| phrase.word_in(text));
            list.iter().filter(said).count()
        };
        let of = |list: &'static [Phrase]| {
            let named = names.iter().enumerate();
            named
                .filter(move |(_, name)| says(list, name))
                .map(|(index, _)| index)
        };
        let filled = |index: &usize| survey.rows > 0 && survey.facts(*index).filled == survey.rows;
        let values = |index: usize| survey.facts(index).values.map(|values| values.len());
        let cards: Vec<usize> = of(&CARD_WORDS).filter(filled).collect();
        let shops = of(&SHOP_WORDS)
            .filter(filled)
            .any(|index| values(index).is_none_or(|count| count > 1));
        let one_card = survey.rows > 2 && cards.iter().any(|index| values(*index) == Some(1));
        let kinds: Vec<header::NumberKind> = names.iter().map(|n| header::number(n)).collect();
        let has = |kind| kinds.contains(&kind);
        Self {
            accounts: of(&ACCOUNT_WORDS).count() + preface(&TITLE_WORDS),
            card: !cards.is_empty() || preface(&CARD_WORDS) > 0,
            purchases: one_card || (shops && !cards.is_empty()),
            payout: has(header::NumberKind::Gross)
                && has(header::NumberKind::Fee)
                && has(header::NumberKind::Net),
            teller: teller(survey, layout),
        }
    }

    /// Whether the words around the rows name a card.
    pub(super) fn card(self) -> bool {
        self.card
    }

    /// Whether it is the statement of a current account and not that of a card.
    pub(super) fn account(self) -> bool {
        self.accounts > 1 && !self.card
    }
}

/// Whether some column of words, headed as one that tells the side or not headed at all, has more
/// than one value.
fn teller(survey: &Survey, layout: &Layout) -> bool {
    let columns = survey.columns.iter().enumerate();
    columns
        .filter(|(index, facts)| {
            !facts.numeric() && !facts.currency() && !layout.date_columns.contains(index)
        })
        .filter(|(index, _)| {
            let name = column::name(layout, *index);
            let plain = header::plain(name);
            let said = |list: &[Phrase]| list.iter().any(|phrase| phrase.word_in(&plain));
            TELLERS.contains(&header::text(name)) && !said(&SHOP_WORDS) && !said(&CARD_WORDS)
        })
        .any(|(_, facts)| facts.values.as_ref().is_some_and(|values| values.len() > 1))
}

impl Bench<'_> {
    /// Whether signs that no balance proves are turned, as far as the statement's kind tells, with
    /// the reason. `column` is that of the amounts, read as written.
    pub(super) fn habit(
        &self,
        outcome: &Outcome,
        column: usize,
        words: Words,
    ) -> Option<(bool, &'static str)> {
        let nature = self.nature;
        let (positive, negative) = (outcome.positive, outcome.negative);
        let both = positive > 0 && negative > 0;
        let numbers = self.survey.facts(column).numbers;
        let debt = self.holder == Holder::Debt;
        if both && !debt && numbers.plus > 0 && numbers.plus == positive {
            return Some((false, "Every amount has its sign, money in as well."));
        }
        if both && !debt && nature.payout {
            let text = "A net beside gross and fee is what arrives: signs are as written.";
            return Some((false, text));
        }
        if both && !debt && nature.account() && words != Words::Disagree {
            let text = "The statement is that of an account, not of a card: signs are as written.";
            return Some((false, text));
        }
        if both && outcome.repaid_positive > 0 && outcome.repaid_negative + outcome.disagree == 0 {
            return Some((
                false,
                "The card was paid for with a plus: signs are as written.",
            ));
        }
        let asset = self.holder == Holder::Asset;
        if both && !asset && Self::repaid(outcome) {
            let text = "The card was paid for with a minus: positive means money out.";
            return Some((true, text));
        }
        // What is left are columns of one sign.
        let sums = |column: usize| self.survey.facts(column).numbers.cents > 0;
        let balance = self.balance_named || self.balances.iter().any(|cell| sums(cell.column));
        if negative > 0 || positive < 2 || balance || nature.teller {
            return None;
        }
        let contrary = outcome.agree > 0 || outcome.repaid_positive > 0;
        if nature.purchases && !asset && !contrary {
            let text = "Every row is a purchase with a card: positive means money out.";
            return Some((true, text));
        }
        if nature.account() && nature.accounts >= STRONG_MIN && !debt && outcome.disagree == 0 {
            let text = "An account's statement without one minus tells of money in alone.";
            return Some((false, text));
        }
        None
    }

    /// Whether the payments of a card are negative while purchases are positive, with no row that
    /// speaks against it.
    fn repaid(outcome: &Outcome) -> bool {
        let spent = outcome.positive > 1
            && outcome.positive >= outcome.negative * PURCHASES_FACTOR
            && outcome.thanked_negative == outcome.repaid_negative;
        outcome.repaid_negative > 0
            && outcome.repaid_positive == 0
            && outcome.agree == 0
            && (spent || outcome.outward_positive > 0)
    }
}
