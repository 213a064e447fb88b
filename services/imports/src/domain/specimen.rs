//! Invented statements in the manner of many countries, and what the reader makes of them.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use chrono::NaiveDate;

use super::reading::{Hints, Reading, Recognition, Source, recognise};
use super::row::{Entry, rows};

pub(super) struct Bytes(pub(super) Vec<u8>);

impl Source for Bytes {
    fn open(&self) -> std::io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}

pub(super) fn hints(answers: &[(&str, &str)]) -> Hints {
    let owned = answers
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Hints {
        today: NaiveDate::from_ymd_opt(2026, 6, 15).unwrap(),
        currency: None,
        kind: None,
        time_zone: None,
        answers: owned.collect::<BTreeMap<_, _>>(),
        template: None,
        mapping: None,
    }
}

fn print(source: &Bytes, reading: &Reading, out: &mut String) {
    let entries: Vec<Entry> = rows(source, reading).unwrap().map(Result::unwrap).collect();
    for entry in &entries {
        if let Entry::Row(row) = entry {
            let currency = row.currency.map_or(String::new(), |c| format!(" {c}"));
            *out += &format!("{} {}{currency}\n", row.booked_on, row.amount);
        }
    }
    for entry in &entries {
        if let Entry::Rejected(row) = entry {
            *out += &format!("{} {}\n", row.line, row.reason);
        }
    }
}

pub(super) fn recognised(bytes: &[u8], answers: &[(&str, &str)]) -> String {
    let source = Bytes(bytes.to_vec());
    let mut out = String::new();
    match recognise(&source, &hints(answers)).unwrap() {
        Recognition::Refused(refusal) => out = format!("refused\n0 {}\n", refusal.reason),
        Recognition::Ready(reading) => {
            out += "ready\n";
            let stored = serde_json::to_string(&reading).unwrap();
            assert_eq!(serde_json::from_str::<Reading>(&stored).unwrap(), reading);
            print(&source, &reading, &mut out);
        }
        Recognition::Asks { reading, questions } => {
            out += "asks\n";
            assert!(questions.len() <= super::question::QUESTIONS_MAX);
            for question in questions {
                assert!(question.choices.len() > 1);
                let values = question.choices.iter().map(|choice| choice.value.as_str());
                out += &format!(
                    "{}={}\n",
                    question.key,
                    values.collect::<Vec<_>>().join("|")
                );
            }
            print(&source, &reading, &mut out);
        }
    }
    out
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let found = recognised(text.as_bytes(), &[]);
    assert_eq!(found.trim_end().replace('\n', "; "), expected);
}

#[test]
fn german_giro() {
    check(
        "\"Kontonummer:\";\"DE1 / Girokonto\";\n\
             \n\
             \"Von:\";\"01.01.2024\";\n\
             \"Bis:\";\"31.01.2024\";\n\
             \"Kontostand vom 31.01.2024:\";\"1.487,50 EUR\";\n\
             \n\
             \"Buchungstag\";\"Wertstellung\";\"Buchungstext\";\"Auftraggeber / Begünstigter\";\"\
             Verwendungszweck\";\"Kontonummer\";\"BLZ\";\"Betrag (EUR)\";\"Gläubiger-ID\";\"Manda\
             tsreferenz\";\"Kundenreferenz\";\n\
             \"31.01.2024\";\"31.01.2024\";\"Lastschrift\";\"Strom AG\";\"Abschlag\";\"DE2\";\"BI\
             C\";\"-112,50\";\"X\";\"Y\";\"\";\n\
             \"15.01.2024\";\"15.01.2024\";\"Lohn, Gehalt, Rente\";\"Boss\";\"Gehalt\";\"DE3\";\"\
             BIC\";\"1.600,00\";\"\";\"\";\"\";\n",
        "ready; 2024-01-31 -112.50 EUR; 2024-01-15 1600.00 EUR",
    );
}

#[test]
fn german_soll_haben_with_balances() {
    check(
        "Bank X\n\
             \n\
             Kontoauszug\n\
             \n\
             Buchungstag;Valuta;Auftraggeber/Zahlungsempfänger;Empfänger/Zahlungspflichtiger;Kont\
             o-Nr.;IBAN;BLZ;BIC;Vorgang/Verwendungszweck;Kundenreferenz;Währung;Umsatz; \n\
             15.01.2024;15.01.2024;Ich;Laden;;DE;;BIC;Einkauf;;EUR;12,50;S\n\
             14.01.2024;14.01.2024;Boss;Ich;;DE;;BIC;Lohn;;EUR;1.000,00;H\n\
             \n\
             01.01.2024;;;;;;;;;Anfangssaldo;EUR;100,00;H\n\
             31.01.2024;;;;;;;;;Endsaldo;EUR;1.087,50;H\n",
        "ready; 2024-01-15 -12.50 EUR; 2024-01-14 1000.00 EUR; 9 SUMMARY; 10 SUMMARY",
    );
}

#[test]
fn dutch_af_bij() {
    check(
        "\"Datum\",\"Naam / Omschrijving\",\"Rekening\",\"Tegenrekening\",\"Code\",\"Af Bij\"\
             ,\"Bedrag (EUR)\",\"MutatieSoort\",\"Mededelingen\"\n\
             \"20240102\",\"Winkel\",\"NL1\",\"\",\"BA\",\"Af\",\"12,50\",\"Betaalautomaat\",\"Pa\
             s\"\n\
             \"20240103\",\"Baas\",\"NL1\",\"NL2\",\"GT\",\"Bij\",\"1.500,00\",\"Online bankieren\
             \",\"Loon\"\n",
        "ready; 2024-01-02 -12.50 EUR; 2024-01-03 1500.00 EUR",
    );
}

#[test]
fn dutch_balance_before_the_row() {
    check(
        "02-01-2024,NL1BANK,NL2,Winkel,,,,EUR,100.00,EUR,-12.50,02-01-2024,02-01-2024,8810,BE\
             A,1,Ref,'Pas 1',1\n\
             15-01-2024,NL1BANK,NL3,Baas,,,,EUR,87.50,EUR,1500.00,15-01-2024,15-01-2024,8811,OVB,\
             2,Ref,'Loon',1\n\
             16-01-2024,NL1BANK,NL3,X,,,,EUR,1587.50,EUR,-500.00,16-01-2024,16-01-2024,8811,OVB,2\
             ,Ref,'Huur',1\n",
        "ready; 2024-01-02 -12.50 EUR; 2024-01-15 1500.00 EUR; 2024-01-16 -500.00 EUR",
    );
}

#[test]
fn british_money_out_money_in() {
    check(
        "Transaction ID,Date,Time,Type,Name,Emoji,Category,Amount,Currency,Local amount,Loca\
             l currency,Notes and #tags,Address,Receipt,Description,Category split,Money Out,Mone\
             y In\n\
             tx1,15/01/2024,10:00:00,Card payment,SHOP,,Groceries,-12.50,GBP,-12.50,GBP,,,,SHOP,,\
             -12.50,\n\
             tx2,16/01/2024,10:00:00,Faster payment,BOSS,,Income,1000.00,GBP,1000.00,GBP,,,,BOSS,\
             ,,1000.00\n\
             tx3,17/01/2024,10:00:00,Card payment,US,,Shop,-10.00,GBP,-12.00,USD,,,,US,,-10.00,\n",
        "ready; 2024-01-15 -12.50 GBP; 2024-01-16 1000.00 GBP; 2024-01-17 -10.00 USD",
    );
}

#[test]
fn card_with_positive_purchases() {
    check(
        "Date,Description,Card Member,Account #,Amount\n\
             15/01/2024,SHOP,J DOE,-1001,12.50\n\
             14/01/2024,PAYMENT RECEIVED - THANK YOU,J DOE,-1001,-100.00\n\
             13/01/2024,SHOP,J DOE,-1001,5.00\n",
        "ready; 2024-01-15 -12.50; 2024-01-14 100.00; 2024-01-13 -5.00",
    );
}

#[test]
fn american_with_opening_balance() {
    check(
        "Description,,Summary Amt.\n\
             Beginning balance as of 01/01/2024,,\"1,000.00\"\n\
             Total credits,,\"500.00\"\n\
             Total debits,,\"-12.50\"\n\
             Ending balance as of 01/31/2024,,\"1,487.50\"\n\
             \n\
             Date,Description,Amount,Running Bal.\n\
             01/01/2024,Beginning balance as of 01/01/2024,,\"1,000.00\"\n\
             01/15/2024,\"SHOP\",\"-12.50\",\"987.50\"\n\
             01/16/2024,\"BOSS\",\"500.00\",\"1,487.50\"\n",
        "ready; 2024-01-15 -12.50; 2024-01-16 500.00; 8 SUMMARY",
    );
}

#[test]
fn american_headerless() {
    check(
        "\"01/15/2024\",\"-12.50\",\"*\",\"\",\"SHOP\"\n\
             \"01/14/2024\",\"1000.00\",\"*\",\"\",\"BOSS PAYROLL\"\n\
             \"01/13/2024\",\"-5.00\",\"*\",\"101\",\"CHECK\"\n",
        "ready; 2024-01-15 -12.50; 2024-01-14 1000.00; 2024-01-13 -5.00",
    );
}

#[test]
fn polish_with_preamble() {
    check(
        "Bank;\n\
             #Klient;\n\
             JAN;\n\
             \n\
             #Data operacji;#Data księgowania;#Opis operacji;#Tytuł;#Nadawca/Odbiorca;#Numer kont\
             a;#Kwota;#Saldo po operacji;\n\
             2024-01-15;2024-01-16;ZAKUP;\"SKLEP\";\"  \";'';-12,50;1 087,50;\n\
             2024-01-17;2024-01-17;PRZELEW;\"PENSJA\";\"SZEF\";'123';1 000,00;2 087,50;\n\
             \n\
             ;;;;;;#Saldo końcowe;2 087,50 PLN;\n",
        "ready; 2024-01-15 -12.50; 2024-01-17 1000.00",
    );
}

#[test]
fn swedish_three_decimals() {
    check(
        "Bokföringsdatum;Valutadatum;Verifikationsnummer;Text/mottagare;Belopp;Saldo\n\
             2024-01-15;2024-01-15;5490990004;ICA;-12.500;1087.500\n\
             2024-01-14;2024-01-14;5490990005;LON;1000.000;1100.000\n",
        "ready; 2024-01-15 -12.500; 2024-01-14 1000.000",
    );
}

#[test]
fn french_multi_line_texts() {
    check(
        "Téléchargement du 20/01/2024;\n\
             \n\
             \n\
             Compte courant carte n° 123;\n\
             Solde au 20/01/2024 1 087,50 €\n\
             \n\
             Liste des opérations du compte entre le 01/01/2024 et le 20/01/2024;\n\
             \n\
             Date;Libellé;Débit euros;Crédit euros;\n\
             15/01/2024;\"PAIEMENT PAR CARTE\n\
             X1234 MAGASIN\n\
             \";12,50;;\n\
             14/01/2024;\"VIREMENT EN VOTRE FAVEUR\n\
             BOSS\n\
             \";;1 000,00;\n",
        "ready; 2024-01-15 -12.50; 2024-01-14 1000.00",
    );
}

#[test]
fn portuguese_with_trailer() {
    check(
        "Consultar saldos e movimentos à ordem - 20-01-2024\n\
             \n\
             Conta ;123 - EUR - Conta\n\
             Data de início ;01-01-2024\n\
             Data de fim ;31-01-2024\n\
             \n\
             Data mov. ;Data valor ;Descrição ;Débito ;Crédito ;Saldo contabilístico ;Saldo dispo\
             nível ;Categoria ;\n\
             15-01-2024 ;15-01-2024 ;COMPRA ;12,50 ; ;1.087,50 ;1.087,50 ;Compras ;\n\
             14-01-2024 ;14-01-2024 ;VENCIMENTO ; ;1.000,00 ;1.100,00 ;1.100,00 ;Diversos ;\n\
              ; ; ; ;Saldo contabilístico ;1.087,50 EUR ; ; ;\n",
        "ready; 2024-01-15 -12.50; 2024-01-14 1000.00",
    );
}

#[test]
fn japanese_pair() {
    check(
        "年月日,お引出し,お預入れ,お取り扱い内容,残高\n\
             2024/1/15,1250,,\"カード\",108750\n\
             2024/1/16,,100000,\"給与\",208750\n",
        "ready; 2024-01-15 -1250; 2024-01-16 100000",
    );
}

#[test]
fn chinese_wallet() {
    check(
        "钱包账单明细,,,,,,,,\n\
             钱包昵称：[x],,,,,,,,\n\
             起始时间：[2024-01-01 00:00:00] 终止时间：[2024-01-31 00:00:00],,,,,,,,\n\
             ,,,,,,,,\n\
             交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号\n\
             2024-01-15 10:00:00,商户消费,店,\"x\",支出,¥12.50,零钱,支付成功,\"1\"\n\
             2024-01-14 10:00:00,转账,人,\"x\",收入,¥1000.00,/,已存入零钱,\"2\"\n",
        "ready; 2024-01-15 -12.50; 2024-01-14 1000.00",
    );
}

#[test]
fn russian_two_amounts() {
    check(
        "\"Дата операции\";\"Дата платежа\";\"Номер карты\";\"Статус\";\"Сумма операции\";\"В\
             алюта операции\";\"Сумма платежа\";\"Валюта платежа\";\"Кэшбэк\";\"Категория\";\"MCC\
             \";\"Описание\"\n\
             \"15.01.2024 10:00:00\";\"16.01.2024\";\"*1\";\"OK\";\"-12,50\";\"RUB\";\"-12,50\";\
             \"RUB\";\"1\";\"X\";\"5411\";\"SHOP\"\n\
             \"14.01.2024 10:00:00\";\"14.01.2024\";\"\";\"OK\";\"1000,00\";\"RUB\";\"1000,00\";\
             \"RUB\";\"\";\"Y\";\"\";\"BOSS\"\n\
             \"13.01.2024 10:00:00\";\"14.01.2024\";\"*1\";\"OK\";\"-1,00\";\"USD\";\"-90,00\";\"\
             RUB\";\"1\";\"X\";\"5411\";\"SHOP\"\n",
        "ready; 2024-01-15 -12.50 RUB; 2024-01-14 1000.00 RUB; 2024-01-13 -90.00 RUB",
    );
}

#[test]
fn lithuanian_balance_rows() {
    check(
        "\"Sąskaitos Nr.\",\"\",\"Data\",\"Gavėjas\",\"Paaiškinimai\",\"Suma\",\"Valiuta\",\"\
             D/K\",\"Įrašo Nr.\",\"Kodas\",\"Įmokos kodas\",\"Dok. Nr.\",\n\
             \"LT1\",\"10\",\"2024-01-01\",\"\",\"Likutis pradžiai\",\"100.00\",\"EUR\",\"K\",\"\
             \",\"AS\",\"\",\"\",\n\
             \"LT1\",\"20\",\"2024-01-15\",\"SHOP\",\"P\",\"12.50\",\"EUR\",\"D\",\"1\",\"K\",\"\
             \",\"\",\n\
             \"LT1\",\"82\",\"2024-01-31\",\"\",\"Apyvarta\",\"12.50\",\"EUR\",\"D\",\"\",\"K2\",\
             \"\",\"\",\n\
             \"LT1\",\"86\",\"2024-01-31\",\"\",\"Likutis pabaigai\",\"87.50\",\"EUR\",\"K\",\"\"\
             ,\"LS\",\"\",\"\",\n",
        "ready; 2024-01-15 -12.50 EUR; 2 SUMMARY; 4 SUMMARY; 5 SUMMARY",
    );
}

#[test]
fn indian_groups() {
    check(
        "Date,Narration,Value Dat,Debit Amount,Credit Amount,Chq/Ref Number,Closing Balance\n\
             15/01/24,UPI-SHOP,15/01/24,12.50,0.00,0000001,\"1,00,087.50\"\n\
             16/01/24,SALARY,16/01/24,0.00,\"1,00,000.00\",0000002,\"2,00,087.50\"\n",
        "ready; 2024-01-15 -12.50; 2024-01-16 100000.00",
    );
}

#[test]
fn swiss_disclaimer() {
    check(
        "Datum von:;=\"01.01.2024\"\n\
             Buchungsart:;Alle\n\
             Konto:;CH1\n\
             Währung:;CHF\n\
             \n\
             Datum;Avisierungstext;Gutschrift in CHF;Lastschrift in CHF;Valuta;Saldo in CHF\n\
             31.01.2024;KAUF;;-12.50;31.01.2024;1087.50\n\
             30.01.2024;LOHN;1000.00;;30.01.2024;\n\
             \n\
             Disclaimer:\n\
             Der Dokumentinhalt wurde erstellt\n",
        "ready; 2024-01-31 -12.50 CHF; 2024-01-30 1000.00 CHF",
    );
}

#[test]
fn greek_signs_by_letter() {
    check(
        "Ημερομηνία;Αιτιολογία;Κατάστημα;Αξία;Ποσό;Πρόσημο\n\
             15/01/2024;ΑΓΟΡΑ;1;15/01/2024;12,50;Χ\n\
             14/01/2024;ΜΙΣΘΟΔΟΣΙΑ;1;14/01/2024;1.000,00;Π\n",
        "ready; 2024-01-15 -12.50; 2024-01-14 1000.00",
    );
}

#[test]
fn hungarian_headerless_whole_units() {
    check(
        "\"11773000-1\";\"T\";\"12500\";\"HUF\";\"20240115\";\"20240115\";\"87500\";\"\";\"BO\
             LT\";\"\";\"\";\"VÁSÁRLÁS\";\"NAPKÖZI\";\n\
             \"11773000-1\";\"J\";\"100000\";\"HUF\";\"20240114\";\"20240114\";\"100000\";\"\";\"\
             FONOK\";\"\";\"\";\"ÁTUTALÁS\";\"BEJÖVŐ\";\n",
        "asks; amount=told:2:1:dot:ignored:T:rejected|told:6:1:dot:ignored:T:rejected; \
             2024-01-15 -12500 HUF; 2024-01-14 100000 HUF",
    );
}

#[test]
fn day_or_month() {
    check(
        "Date,Description,Amount\n\
             01/02/2024,A,-5.00\n\
             03/02/2024,B,-6.00\n\
             02/02/2024,C,-7.00\n",
        "asks; date=0:dmy|0:mdy; 2024-02-01 -5.00; 2024-02-03 -6.00; 2024-02-02 -7.00",
    );
}

#[test]
fn states_and_fees() {
    check(
        "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balan\
             ce\n\
             CARD_PAYMENT,Current,2023-01-01 10:00:00,2023-01-02 11:00:00,Shop,-10.00,0.00,EUR,CO\
             MPLETED,90.00\n\
             TRANSFER,Current,2023-01-03 10:00:00,2023-01-03 11:00:00,To Bob,-20.00,1.00,EUR,COMP\
             LETED,69.00\n\
             TOPUP,Current,2023-01-05 10:00:00,2023-01-05 11:00:00,Top-Up,100.00,0.00,EUR,COMPLET\
             ED,169.00\n\
             CARD_PAYMENT,Current,2023-01-06 10:00:00,,Shop,-5.00,0.00,EUR,REVERTED,\n",
        "ready; 2023-01-02 -10.00 EUR; \
             2023-01-03 -21.00 EUR; 2023-01-05 100.00 EUR; 5 NO_DATE",
    );
}

#[test]
fn debt_or_fortune() {
    check(
        "Date,Description,Amount,Balance\n\
             15/01/2024,SHOP A,12.50,112.50\n\
             16/01/2024,SHOP B,20.00,132.50\n\
             17/01/2024,PAYMENT RECEIVED,-100.00,32.50\n",
        "asks; amount=signed:2:dot|inverted:2:dot; 2024-01-15 12.50; 2024-01-16 20.00; \
             2024-01-17 -100.00",
    );
}

#[test]
fn torn_amounts() {
    check(
        "Date,Description,Amount\n\
             15/01/2024,A,-12,50\n\
             16/01/2024,B,-13,50\n",
        "refused; 0 UNQUOTED_DECIMALS",
    );
}

#[test]
fn one_torn_amount() {
    check(
        "Date,Description,Amount,Balance\n\
             15/01/2024,A,-12.50,1987.50\n\
             16/01/2024,B,-1,234.50,753.00\n\
             17/01/2024,C,-3.00,750.00\n",
        "ready; 2024-01-15 -12.50; 2024-01-17 -3.00; 3 SPLIT_AMOUNT",
    );
}

#[test]
fn rows_without_dates() {
    check(
        "Date,Description,Paid out,Paid in,Balance\n\
             15 Jan 2024,A,12.50,,\n\
             ,B,3.50,,84.00\n\
             16 Jan 2024,C,,50.00,134.00\n",
        "asks; rows=date_above|leave_out; 2024-01-15 -12.50; 2024-01-15 -3.50; \
             2024-01-16 50.00",
    );
}

#[test]
fn unknown_currency() {
    check(
        "Account,Date,Description,Amount,Currency\n\
             A,2024-01-15,x,-1.00,EUR\n\
             B,2024-01-15,y,-2.00,USD\n\
             B,2024-01-13,y,2.00,BTC\n",
        "ready; 2024-01-15 -1.00 EUR; 2024-01-15 -2.00 USD; 4 UNKNOWN_CURRENCY",
    );
}

#[test]
fn liability_signs() {
    check(
        "Status,Date,Description,Debit,Credit,Member Name\n\
             Cleared,01/15/2024,SHOP,12.50,,J\n\
             Cleared,01/16/2024,PAYMENT,,-100.00,J\n",
        "ready; 2024-01-15 -12.50; 2024-01-16 100.00",
    );
}

#[test]
fn unknown_language() {
    check(
        "Fyrri,Annar,Thridji,Fjordi\n\
             15.01.2024,Bonus,-12.50,100.00\n\
             16.01.2024,Laun,50.00,150.00\n",
        "ready; 2024-01-15 -12.50; 2024-01-16 50.00",
    );
}

#[test]
fn total_without_a_date() {
    check(
        "Date;Description;Amount\n\
             15.01.2024;A;-12,50\n\
             16.01.2024;B;-13,50\n\
             ;Total;-26,00\n",
        "ready; 2024-01-15 -12.50; 2024-01-16 -13.50; 4 SUMMARY",
    );
}
