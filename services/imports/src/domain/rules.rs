//! The rules by which signs, sides and dates are told without a balance: each with a statement that
//! it decides, and with one that is like it and that it must leave to a person.

use djinn_ledger::account::Kind;

use super::hinted::check;

/// Statements with what is made of them; the first of each pair is decided, the second is not.
#[track_caller]
fn pairs(cases: &[[(&str, &str); 2]]) {
    for (text, expected) in cases.iter().flatten() {
        check(text, None, expected);
    }
}

#[test]
fn signs_by_the_kind_of_the_account() {
    pairs(&[
        // A plus on all money in.
        [
            (
                "Date,Text,Amount\n2024-01-15,A,- $12.34\n2024-01-16,B,+ $7.00\n\
                 2024-01-17,C,+ $8.00\n",
                "ready -12.34 7.00 8.00",
            ),
            (
                "Date,Text,Amount\n2024-01-15,A,- $12.34\n2024-01-16,B,$7.00\n\
                 2024-01-17,C,$8.00\n",
                "amount=signed:2:dot? -12.34 7.00 8.00",
            ),
        ],
        // Gross, fee and net.
        [
            (
                "Date,Text,Gross,Fee,Net\n2024-01-15,charge,12.00,0.00,12.00\n\
                 2024-01-16,refund,-0.77,0.00,-0.77\n",
                "ready 12.00 -0.77",
            ),
            (
                "Date,Text,Amount,Fee\n2024-01-15,charge,12.00,0.00\n\
                 2024-01-16,refund,-0.77,0.00\n",
                "amount=inverted:2:dot? -12.00 0.77",
            ),
        ],
        // Names that only an account has, and one that may stand on a card's statement as well.
        [
            (
                "Datum;Verwendungszweck;IBAN;Betrag\n15.01.2024;A;;150,00\n16.01.2024;B;;-10,00\n\
                 17.01.2024;C;;20,00\n",
                "ready 150.00 -10.00 20.00",
            ),
            (
                "Datum;Verwendungszweck;Betrag\n15.01.2024;A;150,00\n16.01.2024;B;-10,00\n\
                 17.01.2024;C;20,00\n",
                "amount=signed:2:comma? 150.00 -10.00 20.00",
            ),
        ],
        // Three of them and not one minus; a column of types may tell the side.
        [
            (
                "Datum;Verwendungszweck;IBAN;Auftraggeber;Betrag\n15.01.2024;A;;X;150,00\n\
                 16.01.2024;B;;X;10,00\n",
                "ready 150.00 10.00",
            ),
            (
                "Datum;Verwendungszweck;IBAN;Auftraggeber;Typ;Betrag\n15.01.2024;A;;X;U1;150,00\n\
                 16.01.2024;B;;X;U2;10,00\n",
                "amount=signed:5:comma? 150.00 10.00",
            ),
        ],
    ]);
}

#[test]
fn signs_by_what_pays_a_card() {
    pairs(&[
        // A card is paid for; the same words beside a plus, and a contradiction.
        [
            (
                "Date,Text,Amount\n2024-01-15,A,12.34\n2024-01-16,Payment - Thank you,-50.00\n\
                 2024-01-17,B,8.00\n",
                "ready -12.34 50.00 -8.00",
            ),
            (
                "Date,Text,Amount\n2024-01-15,A,12.34\n2024-01-16,Payment - Thank you,-50.00\n\
                 2024-01-17,ATM withdrawal,-8.00\n2024-01-18,B,1.00\n",
                "amount=signed:2:dot? 12.34 -50.00 -8.00 1.00",
            ),
        ],
        [
            (
                "Date,Text,Amount\n2024-01-15,A,-12.34\n2024-01-16,Payment - Thank you,50.00\n\
                 2024-01-17,B,8.00\n",
                "ready -12.34 50.00 8.00",
            ),
            (
                "Date,Text,Amount\n2024-01-15,A,-12.34\n2024-01-16,Payment,50.00\n\
                 2024-01-17,B,8.00\n",
                "amount=signed:2:dot? -12.34 50.00 8.00",
            ),
        ],
        // What is collected leaves an account, or pays a card.
        [
            (
                "Date,Text,Amount\n2024-01-15,A,12.34\n2024-01-16,Kartenzahlung,-50.00\n\
                 2024-01-17,Gehalt,8.00\n",
                "ready 12.34 -50.00 8.00",
            ),
            (
                "Date,Text,Amount\n2024-01-15,A,12.34\n2024-01-16,Einzug per Lastschrift,-50.00\n\
                 2024-01-17,B,8.00\n",
                "amount=signed:2:dot? 12.34 -50.00 8.00",
            ),
        ],
        // Purchases with a card; a refund among them.
        [
            (
                "Merchant,Card,Date,Amount\nA,1234,2024-01-15,12.34\nB,1234,2024-01-16,50.00\n",
                "ready -12.34 -50.00",
            ),
            (
                "Merchant,Card,Date,Amount,Text\nA,1234,2024-01-15,12.34,\n\
                 B,1234,2024-01-16,50.00,refund\n",
                "amount=signed:3:dot? 12.34 50.00",
            ),
        ],
    ]);
}

#[test]
fn sides_of_pairs_without_a_balance() {
    pairs(&[
        // Three rows whose words agree, and two.
        [
            (
                "2024-01-15,ATM withdrawal,12.00,\n2024-01-16,Salary,,99.00\n\
                 2024-01-17,Cash withdrawal,5.00,\n",
                "ready -12.00 99.00 -5.00",
            ),
            (
                "2024-01-15,ATM withdrawal,12.00,\n2024-01-16,Salary,,99.00\n\
                 2024-01-17,Shop,5.00,\n",
                "amount=pair:2:3:dot:ignored? -12.00 99.00 -5.00",
            ),
        ],
        // Plain names against one step of a balance; debit and credit are not plain.
        [
            (
                "Date,Text,Withdrawal,Deposit,Balance\n2024-01-16,A,,1.00,2.00\n\
                 2024-01-15,B,2.00,,3.00\n",
                "ready 1.00 -2.00",
            ),
            (
                "Date,Text,Debit,Credit,Balance\n2024-01-16,A,,1.00,2.00\n\
                 2024-01-15,B,2.00,,3.00\n",
                "amount=pair:2:3:dot:ignored? 1.00 -2.00",
            ),
        ],
    ]);
}

#[test]
fn day_and_month_by_custom() {
    let few =
        |names: &str, first: &str, second: &str| format!("{names}\n{first},A,-12\n{second},B,-5\n");
    let read = "ready -12 -5";
    let asked = "date=0:dmy? -12 -5";
    for (names, first, second, expected) in [
        (
            "Datum,Omschrijving,Bedrag",
            "03/02/2024",
            "03/02/2024",
            read,
        ),
        ("Fecha,Concepto,Importe", "03/02/2024", "03/02/2024", read),
        ("Date,Narration,Amount", "03/02/2024", "03/02/2024", read),
        ("Date,Description,Amount", "03/02/2024", "03/02/2024", asked),
        (
            "Date,Omschrijving,Amount",
            "03/02/2024",
            "03/02/2024",
            asked,
        ),
        // Without leading zeros it may be an American program that speaks Dutch.
        ("Datum,Omschrijving,Bedrag", "3/2/2024", "3/2/2024", asked),
        (
            "Period 01/31/2024\n\nDate,Description,Amount",
            "03/02/2024",
            "03/02/2024",
            read,
        ),
        (
            "Period 01/31/2024 31/01/2024\n\nDate,Description,Amount",
            "03/02/2024",
            "03/02/2024",
            asked,
        ),
    ] {
        check(&few(names, first, second), None, expected);
    }
    // An American program that speaks Dutch writes decimal points as well.
    let points = "Datum,Omschrijving,Bedrag\n03/02/2024,A,-12.34\n03/02/2024,B,-5.00\n";
    check(points, None, "date=0:dmy? -12.34 -5.00");
}

#[test]
fn decimals_by_a_figure_in_front_of_the_table() {
    let rows = "Date;Text;Amount\n2024-01-15;A;-2.000\n2024-01-16;B;-1.000\n";
    let with = format!("Balance;3.600,00 EUR;\n\n{rows}");
    check(&with, None, "ready -2000 -1000");
    let without = format!("Balance;3.600 EUR;\n\n{rows}");
    check(&without, None, "amount=signed:2:comma? -2000 -1000");
}

/// The same table again under another account is another statement, under the same one a page.
#[test]
fn several_statements_in_one_file() {
    let block = |account: &str| {
        format!("Konto;{account};\nDatum;Text;Betrag\n15.01.2024;A;-12,34\n16.01.2024;B;-5,00\n")
    };
    let page = format!("{}{}", block("DE111"), block("DE111"));
    check(&page, None, "ready -12.34 -5.00 -12.34 -5.00");
    let other = format!("{}{}", block("DE111"), block("DE222"));
    check(&other, None, "SEVERAL_TABLES");
    let shared = other.replace("Konto;", "Konto: ");
    check(&shared, None, "SEVERAL_TABLES");
}

/// A word and the sum make a total; a shop of that name has another price.
#[test]
fn dated_totals() {
    let rows = "Date;Text;Amount\n15.01.2024;A;-12,34\n16.01.2024;B;-20,00\n\
                17.01.2024;C;500,00\n18.01.2024;D;-5,00\n";
    let total = format!("{rows}31.01.2024;Total;462,66\n");
    check(&total, None, "ready -12.34 -20.00 500.00 -5.00 6:SUMMARY");
    let shop = format!("{rows}31.01.2024;Total;-67,66\n");
    check(&shop, None, "ready -12.34 -20.00 500.00 -5.00 -67.66");
}

/// A comma that lacks quotation marks moves the amount into another column.
#[test]
fn slipped_rows() {
    let mut text = String::from("Date,Text,Reference,Amount,Currency\n");
    for day in 10..31 {
        text += &format!("2024-01-{day},Shop,{day},-1.00,EUR\n");
    }
    let expected = format!("ready{}", " -1.00".repeat(21));
    check(&text, None, &expected);
    text += "2024-02-01,Shop, all,7,-2.00,EUR\n";
    check(&text, None, &format!("{expected} 23:SLIPPED"));
}

#[test]
fn words_beside_one_that_names_the_side() {
    let typed = |debit: &str, credit: &str| {
        format!("Date,Text,Type,Amount\n2024-01-15,A,{debit},12.34\n2024-01-16,B,{credit},50.00\n")
    };
    for (debit, credit, expected) in [
        ("Debit Transfer", "Credit Transfer", "ready -12.34 50.00"),
        ("借 Dr", "贷 Cr", "ready -12.34 50.00"),
        // In a name the word tells nothing.
        (
            "Debit card",
            "Credit card",
            "amount=inverted:3:dot? -12.34 -50.00",
        ),
    ] {
        check(&typed(debit, credit), None, expected);
    }
}

/// A line over the limit right behind the header hides all rows: that it does is what is wrong.
#[test]
fn a_line_that_hides_the_table() {
    let text = format!(
        "Date,Text,Amount\n2024-01-15,{},1.00\n",
        "x".repeat(1 << 21)
    );
    check(&text, None, "LINE_TOO_LONG");
}

/// A few cells that are no numbers are errors of their rows where the header names the amount, and
/// make it no amount where nothing does.
#[test]
fn words_among_amounts() {
    let rows = "2024-01-15;A;-12,34\n2024-01-16;B;oops\n2024-01-17;C;500,00\n2024-01-18;D;-5,00\n";
    let headed = format!("Datum;Text;Betrag\n{rows}");
    check(&headed, None, "ready -12.34 500.00 -5.00 3:BAD_AMOUNT");
    check(rows, None, "NO_AMOUNT_COLUMN");
}

/// What no row has but the first or the last one lacks is told by nothing else: a word in it, and
/// it is a row like the others.
#[test]
fn rows_without_words_at_the_edge() {
    let rows = "15.01.2024;Kauf;Laden;-12,34\n16.01.2024;Lohn;Firma;500,00\n\
                17.01.2024;Kauf;Kino;-5,00\n";
    check(
        &format!("{rows}31.01.2024;;;482,66;x\n"),
        None,
        "rows=balance? -12.34 500.00 -5.00 4:SUMMARY",
    );
    check(
        &format!("{rows}31.01.2024;;Zinsen;1,00\n"),
        None,
        "ready -12.34 500.00 -5.00 1.00",
    );
    check(
        &format!("31.01.2024;;;482,66;x\n{rows}"),
        None,
        "rows=balance? -12.34 500.00 -5.00 1:SUMMARY",
    );
}

/// A last row that is the sum of all others is their total in words that nobody knows, but where
/// the balance counts it.
#[test]
fn sums_of_all_rows() {
    let rows = "Datum;Text;IBAN;Verwendungszweck;Betrag\n15.01.2024;A;;;-12,34\n\
                16.01.2024;B;;;500,00\n17.01.2024;C;;;-5,00\n";
    let read = "-12.34 500.00 -5.00";
    check(
        &format!("{rows}31.01.2024;Endabrechnung;;;482,66\n"),
        None,
        &format!("rows=balance? {read} 5:SUMMARY"),
    );
    check(
        &format!("{rows}31.01.2024;Endabrechnung;;;482,67\n"),
        None,
        &format!("ready {read} 482.67"),
    );
    let counted = "Datum;Text;Betrag;Saldo\n15.01.2024;A;-12,34;87,66\n\
                   16.01.2024;B;500,00;587,66\n17.01.2024;C;-5,00;582,66\n\
                   31.01.2024;D;482,66;1065,32\n";
    check(
        counted,
        Some(Kind::Checking),
        &format!("ready {read} 482.66"),
    );
}

/// A tax that the balance shows to be taken off is taken off, and where it shows nothing it is not.
#[test]
fn taxes_by_the_balance() {
    let rows = |last: &str| {
        format!(
            "Date,Text,Debit,Credit,Tax,Balance\n2024-01-15,A,12.00,,0.00,88.00\n\
             2024-01-16,Interest,,10.00,2.00,96.00\n2024-01-17,C,46.00,,0.00,50.00\n\
             2024-01-18,D,5.00,,1.00,{last}\n"
        )
    };
    check(&rows("44.00"), None, "ready -12.00 8.00 -46.00 -6.00");
    check(&rows("7.00"), None, "ready -12.00 10.00 -46.00 -5.00");
}

/// What is collected leaves an account and pays a card; under a header that names the side the same
/// word means the side.
#[test]
fn collections_on_a_card() {
    let card = |name: &str, text: &str| {
        format!(
            "Kreditkarte 1234;;;\n\nDatum;Text;{name};Betrag\n15.01.2024;A;{text};12,34\n\
             16.01.2024;B;Gutschrift;50,00\n"
        )
    };
    let open = "amount=told:3:2:comma:ignored:Lastschrift:rejected? -12.34 50.00";
    check(&card("Umsatztyp", "Lastschrift"), None, open);
    check(
        &card("Soll/Haben", "Lastschrift"),
        None,
        "ready -12.34 50.00",
    );
    let bought = card("Umsatztyp", "Belastung");
    check(&bought, None, "ready -12.34 50.00");
    let account = Some(Kind::Checking);
    check(
        &card("Umsatztyp", "Lastschrift"),
        account,
        "ready -12.34 50.00",
    );
    let silent = card("Umsatztyp", "Lastschrift").replace("Kreditkarte", "Seite");
    check(&silent, None, open);
}

/// Types of a card's bookings are offered where amounts have no sign, and not believed.
#[test]
fn types_of_a_card() {
    let typed = |out: &str, into: &str| {
        format!(
            "Date,Text,Type,Amount\n2024-01-15,A,{out},12.34\n2024-01-16,B,{into},50.00\n\
             2024-01-17,C,{out},8.00\n"
        )
    };
    let offered = "amount=told:3:2:dot:ignored:Sale:rejected? -12.34 50.00 -8.00";
    check(&typed("Sale", "Payment"), None, offered);
    let unknown = "amount=signed:3:dot? 12.34 50.00 8.00";
    check(&typed("Alpha", "Payment"), None, unknown);
}

/// The letters of one alphabet are those by which all others write them.
#[test]
fn letters_of_one_alphabet() {
    for (name, text) in [("Løn", "Løn"), ("Kwota", "Wpłata"), ("Beløb", "Lønn")] {
        let text = format!(
            "Date;Text;{name}\n2024-01-15;{text};12,34\n2024-01-16;Varekjøp;-50,00\n\
             2024-01-17;Wypłata;-8,00\n"
        );
        check(&text, None, "ready 12.34 -50.00 -8.00");
    }
}

/// Days that lack their year and have a period have the year that puts them into it.
#[test]
fn days_of_a_period() {
    let rows = "Date;Text;Amount\n24/12;A;-12,34\n05/01;B;500,00\n07/01;C;-5,00\n";
    let period = format!("Period;20/12/2024 - 19/01/2025;\n\n{rows}");
    check(&period, Some(Kind::Checking), "ready -12.34 500.00 -5.00");
    check(rows, Some(Kind::Checking), "NO_DATE_COLUMN");
    // A day that does not lie in it is rejected.
    let odd = format!("{period}{}30/06;D;-1,00\n", "08/01;E;-1,00\n".repeat(12));
    let ones = " -1.00".repeat(12);
    let read = format!("ready -12.34 500.00 -5.00{ones} 19:NO_DATE");
    check(&odd, Some(Kind::Checking), &read);
}
