use expect_test::expect;

use super::super::reading::{Recognition, recognise};
use super::super::specimen::{Bytes, hints};
use super::*;

/// Headers as banks write them, for the account of the rows and for that of the other side.
#[test]
fn own_accounts_are_told_from_those_of_the_other_side() {
    for (own, other) in [
        ("Own account number", "Counterparty account"),
        ("My account", "Counter account"),
        ("Auftragskonto", "Kontonummer/IBAN Zahlungsbeteiligter"),
        ("IBAN Auftragskonto", "IBAN Zahlungsbeteiligter"),
        ("Eigenes Konto", "Gegenkonto"),
        ("IBAN/BBAN", "Tegenrekening IBAN/BBAN"),
        ("Mijn rekening", "Rekening tegenpartij"),
        ("Mon compte", "Compte bénéficiaire"),
        ("Cuenta propia", "Cuenta destino"),
        ("Moje konto", "Konto odbiorcy"),
        ("Vlastní účet", "Protiúčet"),
        ("Saját számlaszám", "Partner számlaszáma"),
        ("Oma tili", "Vastatili"),
        ("Kliendi konto", "Saaja/maksja konto"),
        ("Klienta konts", "Saņēmēja konts"),
        ("Счёт клиента", "Счёт получателя"),
        ("Рахунок клієнта", "Рахунок отримувача"),
        ("本方账号", "对方账号"),
    ] {
        assert!(matches!(says(own), Says::Own | Says::Any), "{own}");
        assert_eq!(says(other), Says::Other, "{other}");
    }
}

#[test]
fn some_account_is_the_users_or_not() {
    for name in [
        "Account",
        "Account Number",
        "accountNum",
        "Account name",
        "IBAN",
        "Konto",
        "Kontonummer",
        "Numéro de compte",
        "Compte",
        "Número de cuenta",
        "Rekening",
        "Rekeningnummer",
        "Numero conto",
        "Conto corrente",
        "Conta",
        "Numer rachunku",
        "Číslo účtu",
        "Számlaszám",
        "Számla neve",
        "Tilinumero",
        "Sąskaitos Nr.",
        "Număr cont",
        "Broj računa",
        "Номер счёта",
        "Номер рахунку",
        "Номер на сметка",
        "Αριθμός λογαριασμού",
        "Hesap No",
        "מספר חשבון",
        "رقم الحساب",
        "账号",
        "口座番号",
        "계좌번호",
        "Số tài khoản",
    ] {
        assert!(matches!(says(name), Says::Own | Says::Any), "{name}");
    }
}

#[test]
fn names_of_other_things_are_no_accounts() {
    for name in [
        "",
        "Date",
        "Amount",
        "Account type",
        "Account holder",
        "Kontostand",
        "Kontoinhaber",
        "Card number",
        "Valuta rekening",
        "Account balance",
        "Bank",
        "BIC",
        "Name",
        "My note",
    ] {
        assert_eq!(says(name), Says::Nothing, "{name}");
    }
    for name in [
        "Payee Account Number",
        "Beneficiary IBAN",
        "IBAN du bénéficiaire",
        "Conto beneficiario",
        "IBAN ordinante",
        "Modkonto",
        "Motkonto",
        "Fra konto",
        "Til konto",
        "Numer rachunku nadawcy",
        "číslo účtu protistrany",
        "To account",
        "Kontonummer Empfänger",
        "Compte partie adverse",
        "Račun primatelja",
        "相手口座",
        "المستفيد رقم الحساب",
    ] {
        assert_eq!(says(name), Says::Other, "{name}");
    }
}

fn accounts(file: &str) -> String {
    let source = Bytes(file.as_bytes().to_vec());
    let recognition = recognise(&source, &hints(&[])).unwrap();
    let reading = recognition.reading().unwrap();
    assert!(matches!(recognition, Recognition::Ready(_)), "{file}");
    let named = reading.owner.accounts.iter().map(|it| {
        let currency = it.currency.map_or("-".to_owned(), |it| it.to_string());
        format!("{} {} {currency}", it.text, it.rows)
    });
    named.collect::<Vec<_>>().join("; ")
}

#[test]
fn files_say_whose_rows_they_hold() {
    let mut found = String::new();
    for file in [
        // Two accounts, headed so that nothing is left to doubt.
        "Auftragskonto;Buchungstag;Verwendungszweck;Kontonummer/IBAN;Betrag;Währung\n\
         DE71500105170012345678;13.01.2024;Miete;DE02120300000000202051;-900,50;EUR\n\
         DE71 5001 0517 0012 3456 78;14.01.2024;Lohn;DE02500105170137075030;2500,00;EUR\n\
         de96500105170087654321;15.01.2024;Zins;DE02100500000054540402;1,25;EUR\n",
        // An account of the rows, and that of the other side beside its name.
        "\"Datum\",\"Bedrag\",\"Rekening\",\"Tegenrekening\",\"Naam\"\n\
         2024-01-13,-9.50,NL91ABNA0417164300,NL02RABO0300065264,A\n\
         2024-01-14,19.50,NL91ABNA0417164300,NL13INGB0001234567,B\n\
         2024-01-15,-1.50,NL20TRIO0338714121,NL02ABNA0123456789,C\n\
         2024-01-16,-2.50,NL20TRIO0338714121,NL02RABO0300065264,A\n",
        // The account stands behind the other side's name: it is theirs, though it repeats.
        "Buchungstag;Auftraggeber / Begünstigter;Kontonummer;BLZ;Betrag (EUR)\n\
         13.01.2024;Laden;12345678;12030000;-9,50\n\
         14.01.2024;Laden;12345678;12030000;-8,50\n\
         15.01.2024;Laden;12345678;12030000;-7,50\n\
         16.01.2024;Chef;87654321;12030000;1.600,00\n",
        // As many accounts as rows.
        "Date,Details,IBAN,Amount\n\
         2024-01-13,A,DE02120300000000202051,-1.50\n\
         2024-01-14,B,DE02500105170137075030,-2.50\n\
         2024-01-15,C,DE02100500000054540402,4.50\n",
        // Names.
        "Date,Amount,Note,Account\n2024-01-13,-1.50,Tea,Current account\n\
         2024-01-14,-2.50,Cake,Current account\n2024-01-15,4.50,Interest,Savings\n",
        // Currencies of their own.
        "Account number,Date,Details,Amount,Currency\n\
         11112222,2024-01-13,A,-1.50,GBP\n11112222,2024-01-14,B,-2.50,GBP\n\
         33334444,2024-01-15,C,-2.50,USD\n33334444,2024-01-16,D,-3.50,USD\n",
        // One account in front of the table.
        "Account;IBAN: DE71 5001 0517 0012 3456 78\n\nDate;Details;Amount\n\
         2024-01-13;A;-1.50\n2024-01-14;B;-2.50\n",
        // Cards are not accounts.
        "Date,Details,Card number,Amount\n2024-01-13,A,****1234,-1.50\n\
         2024-01-14,B,****1234,-2.50\n2024-01-15,C,****9876,-2.75\n",
    ] {
        let named = accounts(file);
        let named = if named.is_empty() { "none" } else { &named };
        found += &format!("{named}\n");
    }
    expect![[r#"
        DE71500105170012345678 2 EUR; de96500105170087654321 1 EUR
        NL91ABNA0417164300 2 -; NL20TRIO0338714121 2 -
        none
        none
        Current account 2 -; Savings 1 -
        11112222 2 GBP; 33334444 2 USD
        DE71 5001 0517 0012 3456 78 2 -
        none
    "#]]
    .assert_eq(&found);
}

#[test]
fn too_many_accounts_are_something_else() {
    let file = |count: usize| {
        let mut file = String::from("Own account,Date,Details,Amount\n");
        for row in 0..count * 2 {
            let (account, day) = (row / 2, row % 28 + 1);
            file += &format!(
                "{:08},2024-01-{day:02},Shop {row},-{row}.25\n",
                10_000_000 + account
            );
        }
        accounts(&file)
    };
    assert_eq!(file(ACCOUNTS_MAX).split("; ").count(), ACCOUNTS_MAX);
    assert_eq!(file(ACCOUNTS_MAX + 1), "");
}

/// What a release stored that did not look for accounts still reads, and its rows are nobody's in
/// particular.
#[test]
fn readings_of_earlier_releases_name_no_account() {
    let file = "Own account,Date,Details,Amount\n11112222,2024-01-13,A,-1.50\n\
                33334444,2024-01-14,B,-2.50\n";
    let source = Bytes(file.as_bytes().to_vec());
    let recognition = recognise(&source, &hints(&[])).unwrap();
    let mut stored = serde_json::to_value(recognition.reading().unwrap()).unwrap();
    let fields = stored.as_object_mut().unwrap();
    assert_eq!(fields["version"], 3);
    assert!(fields.remove("owner").is_some());
    let reading: Reading = serde_json::from_value(stored).unwrap();
    let rows: Vec<Entry> = row::rows(&source, &reading)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), 2);
    for entry in rows {
        assert!(matches!(entry, Entry::Row(row) if row.account.is_empty()));
    }
}
