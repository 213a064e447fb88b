//! The words that head the columns of statements, in the languages of thirty countries. Phrases
//! are separated by `|` and compared folded (no marks, lower case); `~` matches inside words,
//! as compounds need; `=` matches the whole name only; a word of five letters or more also matches
//! as a beginning. Within a table the first kind that matches wins, so the order is part of the
//! meaning.

use super::header::{DateKind, NumberKind, TextKind};

/// Headers of columns of numbers.
pub(super) const NUMBER: [(NumberKind, &str); 16] = [
    (
        NumberKind::BalanceBefore,
        "balance before|opening balance|previous balance|beginning balance|starting balance|\
         initial balance|saldo voor|~saldovoor|saldo anterior|saldo precedente|anfangssaldo|\
         beginsaldo|saldo poczatkowe|kezdo egyenleg|solde precedent|saldo inicial",
    ),
    (
        NumberKind::Balance,
        "balance|~saldo|=guthaben|~so du|=יתרה|היתרה|יתרה בש ח|יתרת|~الرصيد|ยอดคงเหลือ|=baki|\
         =staða|=bal|~kontostand|solde|egyenleg|zustatek|zostatok|stanje|sold|bilans|остаток|\
         баланс|залишок|likutis|atlikums|jaak|bakiye|υπολοιπο|余额|餘額|残高|잔액|結餘|结余|\
         balanta|stan konta|po operaciji|disponible|available|salda|saldos|closing bal|bal|\
         账户余额|~saldoen",
    ),
    (
        NumberKind::Booked,
        "account currency|funding card|account amount|סכום חיוב|billing amount|billed amount|\
         settled amount|settlement amount|kontowahrung|в валюте счета|в валюту счета|\
         в валюті картки|у валюті картки|booked amount|charged amount|amount charged|\
         walucie rachunku|mene uctu|abrechnungsbetrag|montant facture|konyvelt osszeg|\
         devise du compte|divisa de la cuenta|valuta conto|valuta rekening|kontovaluta|\
         в валюте карты|сумма платежа|入账金额|入帳金額|清算金额|konto valuta|实付金额|实付|实收",
    ),
    (
        NumberKind::Foreign,
        "foreign|original|סכום עסקה|originalbetrag|~ursprung|~fremdwahrung|~oorspr|orig|\
         origineel|~originalbel|montant en devise|en devise|devise etrangere|amount currency|\
         divisa|local amount|~utland|~fremmed|utl belopp|puvodni|povodna|exchange to amount|\
         native amount|transaction currency|в валюте операции|у валюті операції|\
         walucie transakcji|kwota w walucie|waluta transakcji|auslandsumsatz|\
         ~transaktionswahrung|外币|外幣|外貨|現地通貨|交易币种|transaktionsbetrag|\
         counter amount|target amount|source amount|valuta estera|valuta originale|eredeti|\
         purchase amount|moeda estrangeira|dolar|dolares",
    ),
    (
        NumberKind::Fee,
        "fee|fees|commission|עמלה|ค่าธรรมเนียม|phi|biaya|þóknun|commissions|charges|~gebuhr|\
         ~entgelt|frais|provision|provize|poplatek|poplatky|комиссия|комісія|oplata|prowizja|\
         kosten|transaktionskosten|comissao|comision|commissione|commissioni|spese|~avgift|\
         ~gebyr|kulut|jutalek|koltseg|手续费|手續費|手数料|수수료|服务费|service charge|\
         stroskov|masraf|komisyon|naknada|provizija|surcharge|tip|opłata|opłaty|=dij|mokestis",
    ),
    (
        NumberKind::Tax,
        "tax|vat|gst|mwst|~umsatzsteuer|~mehrwertsteuer|iva|tva|btw|moms|accrued interest|\
         withholding|税|cashback|кэшбэк|кешбек|bonus|бонусы|reward|rewards|points|округление|\
         rounding|discount|refunded|已退款|installment|limit|discount amount|~einzelbetrag|\
         ~teilbetrag|\
         betrag detail|sous montant|importo singolo|individual amount",
    ),
    (
        NumberKind::Rate,
        "rate|kurs|~wechselkurs|~umrechnungskurs|taux|tipo de cambio|cambio|koers|wisselkoers|\
         kurz|arfolyam|курс|汇率|匯率|レート|환율|curs|tecaj|tasa|price|quantity|qty|shares|\
         units|stuck|stk|anzahl|prix|cours|nominal|价格|数量|preco|percent|kursas|kuras|\
         vaihtokurssi|年|cotizacion",
    ),
    (
        NumberKind::Id,
        "number|nr|no|num|numer|numero|nummer|reference|ref|referenz|referentie|code|kod|\
         iban|id|mcc|iso|check|cheque|~nummer|~konto nr|account|card|volgnr|sort|branch|bank|\
         blz|bic|номер|号|號|番号|번호|symbol|~symbol|szamla|szam|cislo|row|index|zip|\
         postcode|rowid|seq|phone|~referenz|~kennung|документа|hour|time|день|year|month|\
         ספרות|כרטיס",
    ),
    (
        NumberKind::Debit,
        "debit|debits|debet|=dr|дебит|разход|разходи|задължение|дугује|=חובה|בחובה|מדין|~مدين|\
         ถอนเงิน|ถอน|\
         =so tien ghi no|=ghi no|차변|=ut|pengeluaran|debet idr|debito|debitos|soll|\
         ~belastung|belastet|lastschrift|withdrawal|withdrawals|withdrawn|paid out|money out|\
         outflow|outgoing|=out|expense|expenses|~ausgabe|ausgang|ausgange|=af|afschrijving|\
         uitgaven|=cargo|cargos|addebito|addebiti|uscite|uscita|=dare|sorties|sortie|\
         depenses|depense|retrait|retraits|saida|saidas|retiro|retiros|obciazenia|obciazenie|\
         wydatki|wydatek|vydaj|vydaje|расход|расходы|списание|списания|дебет|витрати|списано|\
         terheles|kiadas|utgift|uttag|ut fra konto|=ut|udgift|haevet|otto|支出|出金|お引出し|\
         引出|お支払|支払金額|支払い|출금|찾으신|borc|cikan|cıkan|isplata|isplate|duguje|\
         izdatki|breme|χρεωση|izlazi|=plati|借方|转出|付款金额|spent|tartozik|iesire|\
         debitare|odliv|rashod|terhelt|egresos|salidas|uttak|=debe|paiement|withdraw|ut konto|=ud|\
         bortfort|izmaksa|islaidos|valjaminek|支取",
    ),
    (
        NumberKind::Credit,
        "credit|credits|kredit|=cr|потражује|=זכות|בזכות|~دائن|ฝากเงิน|ฝาก|=so tien ghi co|\
         =ghi co|대변|penerimaan|credito|creditos|haben|~gutschrift|deposit|deposits|\
         deposited|paid in|money in|inflow|incoming|=in|income|~einnahme|eingang|eingange|\
         =bij|bijschrijving|inkomsten|abono|abonos|accredito|accrediti|entrate|entrata|avere|\
         entrees|entree|recettes|recette|versement|versements|entrada|entradas|deposito|\
         depositos|uznania|uznanie|wplywy|wplyw|prijem|prijmy|приход|доход|доходы|\
         поступление|поступления|зачисление|зачислено|кредит|надходження|jovairas|bevetel|\
         inkomst|insattning|insattningar|inn pa konto|=inn|indtaegt|indsat|=tulo|pano|收入|\
         存入|入金|お預入れ|お預り|預り|預か|預入|입금|맡기신|alacak|giren|uplata|uplate|\
         potrazuje|prejemki|dobro|πιστωση|incasari|贷方|转入|received|kovetel|intrare|\
         creditare|priliv|prihod|ingresos|haber|receipt|inn konto|=ind|tillfort|iemaksa|\
         pajamos|sissetulek|存款|innskudd",
    ),
    (
        NumberKind::Net,
        "net|netto|~nettobetrag|nett|净额|net amount",
    ),
    (
        NumberKind::Gross,
        "gross|brutto|~bruttobetrag|bruto|brut|订单金额",
    ),
    (
        NumberKind::Amount,
        "amount|~betrag|סכום|~المبلغ|จำนวนเงิน|so tien|upphæð|jumlah|nominal transaksi|\
         ~monto|износ|~umsatz|~bedrag|montant|importe|importo|valor|~belopp|~belob|~beløb|\
         ~belop|~beløp|maara|määrä|summa|suma|сумма|сума|kwota|castka|ciastka|objem|~osszeg|\
         iznos|znesek|tutar|tutari|tutarı|ποσο|金额|金額|금액|거래금액|amt|value|total|\
         quantia|sum|movimento|somme|cash|summ|wert|importe eur|kwota transakcji|ciastky|\
         islem tutari|utilizado|bedrag eur|tranzactie",
    ),
    (
        NumberKind::Other,
        "transaction|transactions|movement|movements|bewegung",
    ),
    (
        NumberKind::Currency,
        "currency|wahrung|waehrung|devise|valuta|moneda|ccy",
    ),
    (NumberKind::Other, "details|memo|description"),
];

/// Headers that can only be those of money out, and of money in.
pub(super) const WITHDRAWALS: &str = "withdrawal|withdrawals|withdrawn|paid out|money out|outflow|\
    expense|expenses|spent|~ausgabe|~ausgang|afschrijving|uitgaven|uscite|sorties|depenses|\
    retraits|saidas|saida|retiros|egresos|gastos|wydatki|vydaje|расход|расходы|списание|витрати|\
    uttag|utgift|otto|支出|出金|転出|출금|ถอน";
pub(super) const DEPOSITS: &str = "deposit|deposits|deposited|paid in|money in|inflow|income|\
    received|~einnahme|~eingang|bijschrijving|inkomsten|entrate|recettes|versements|entradas|\
    entrada|depositos|ingresos|wplywy|prijmy|приход|поступление|надходження|insattning|inkomst|\
    pano|收入|入金|입금|ฝาก";

/// Headers of columns of dates.
pub(super) const DATE: [(DateKind, &str); 6] = [
    (
        DateKind::Period,
        "due|from|to|period|initial|final|statement|expiry|birth|end|available|~fallig|von|bis|\
         echeance|closing|opening|download|export|payment due|vencimiento|vencimento|\
         abrechnung|abrechnungsdatum|balancete|~umsatz abgerufen|clearing|interest from|\
         exchange rate date|~bewertung|evaluation|valuation",
    ),
    (
        DateKind::Started,
        "started|initiated|authorised|authorized|authorization|pending|created on|date de debut|\
         data de inicio|datum des beginns|beginndatum|data di inizio|fecha de inicio|startdatum|\
         startdato|data rozpoczecia|data de inceput|kezdes datuma|pradzios data|datum zahajeni|\
         datum zaciatku|sakuma datums|alguskuupaev|aloituspaiva|ημερομηνια εναρξης|дата начала|\
         date created|datum pocetka|datum zacetka",
    ),
    (
        DateKind::Value,
        "value|valeur|~valuta|תאריך ערך|vaxtadagur|вальор|αξιας|valute|~wertstellung|~wert|\
         rentedatum|rentedato|rantedag|ranta|interest|waluty|valor|ertek|erteknap|\
         валютирования|起息|arvopaiva|valorpaiva|effective|settlement|settle|settled|\
         ~valutadag|valutazione|valuty|splatnosti",
    ),
    (
        DateKind::Booking,
        "date de fin|data de conclusao|datum des abschlusses|abschlussdatum|data di completamento|\
         fecha de finalizacion|datum voltooid|data zrealizowania|data finalizarii|\
         befejezes datuma|uzbaigimo data|datum dokonceni|datum dokoncenia|slutdatum|slutdato|\
         fullfort dato|beigu datums|loppkuupaev|ημερομηνια ολοκληρωσης|дата завершения|\
         datum zavrsetka|datum zakljucka|date completed|booking|booked|posting|~reskontradatum|\
         data operazione contabile|осчетоводяване|\
         posted|post|~buchung|~boek|~bokfor|~bogfor|~bokfort|kirjaus|kirjauspaiva|\
         reskontradatum|comptabilisation|comptable|contable|contabile|contabilizacao|\
         ksiegowania|rozliczenia|zauctovani|zauctovania|zuctovani|zuctovania|konyveles|\
         ~konyvel|knjizenja|knjizbe|обработки|проводки|проведения|списания|проведено|记账|\
         記帳|入账|入帳|processed|entry|lancamento|completed|complete|ledger|recorded|\
         accounting|contab|apunte|asiento|registrazione",
    ),
    (
        DateKind::Transaction,
        "transaction|trans|~transakt|תאריך רכישה|תאריך עסקה|ngay giao dich|tanggal transaksi|\
         κινησης|purchase|operacji|operacion|operacao|operazione|operation|execution|\
         executed|~uitvoering|trade|abschlussdatum|transacao|transaccion|tranzakcio|~beleg|\
         ~kauf|achat|compra|acquisto|vente|операции|операції|交易|transakcji|transakcie|\
         provedeni|利用日|使用日|~kobsdato|~inkop|run|usage|spend|islem|transaktionsdatum|\
         tehingu|sandorio|movimento|transazione|realizacji|odeslani|tranzactiei|消费|거래",
    ),
    (
        DateKind::Generic,
        "date|~datum|תאריך|~التاريخ|วันที่|ngay|tanggal|tarikh|dagsetning|~дата|датум|dato|\
         fecha|data|дата|paiva|~paiva|pvm|日期|日付|取引日|日|날짜|일자|일시|tarih|tarihi|\
         ημερομηνια|ημ νια|datums|kuupaev|kpv|~datetime|time|timestamp|dag|kelt|created|\
         когда|时间|~date|jour|when|datu|den|giorno|dia|день",
    ),
];

/// Headers of columns of text.
pub(super) const TEXT: [(TextKind, &str); 11] = [
    (
        TextKind::Indicator,
        "debit credit|credit debit|дебит кредит|дт кт|dr cr|cr dr|cr db|d c|d k|c d|af bij|\
         bij af|debet credit|creditdebit|creditdebet|debitcredit|soll haben|sh|s h|indicator|\
         sign|~vorzeichen|收 支|收支|借贷|bevetel kiadas|income expense|crdr|drcr|in out|\
         plus minus|debit or credit|d p|dc|debito credito|tehingu tuup",
    ),
    (
        TextKind::Status,
        "status|state|stav|statut|etat|estado|stato|situacao|situation|estatus|상태|สถานะ|\
         trang thai|~الحالة|סטטוס|κατασταση|състояние|busena|statuss|allapot|olek|статус|\
         状态|狀態|状態|ステータス|stan|pending|durum|tila|info",
    ),
    (
        TextKind::Currency,
        "currency|ccy|cur|curr|מטבע|~العملة|สกุลเงิน|tien te|mata uang|mynt|~wahrung|~waehrung|\
         whg|devise|monn|monnaie|moneda|moeda|munt|~valuta|valuutta|waluta|mena|penznem|\
         devizanem|валюта|вал|币种|货币|貨幣|幣別|通貨|통화|doviz|para birimi|νομισμα|valiuta|\
         valuuta|divisa|divise|isokod|currency code",
    ),
    (
        TextKind::Account,
        "own account|=iban|auftragskonto|my account|account|account name|account number|\
         account no|kontonummer|iban bban|rekening|compte|cuenta|conto|konto|номер счета|\
         тип счета|счет|счёт|номер карты|card|card number|karta|~kort nr|~kartennummer|\
         szamlaszam|rachunek|ucet|saskaitos nr|produkt|product|sort code|bank|账户|口座|\
         carte|tarjeta|cartao|sub account|portfolio",
    ),
    (
        TextKind::Id,
        "transaction id|transactionid|id|reference number|transaction reference|\
         transaktionsnummer|transaction number|transactiereferentie|~transaktions id|\
         archive id|arkivref|arkisto|arkistointitunnus|archivierungscode|unique id|fitid|\
         uuid|identifier|n de transaction|id transakcji|id operacji|id pohybu|id transakce|\
         id operacie|交易单号|交易订单号|流水号|transaction no|referencia|irašo nr|doc no|\
         document number|numero de operacion|balance transaction id",
    ),
    (
        TextKind::Counterparty,
        "payee|name|merchant|שם בית עסק|בית עסק|контрагент|ten nguoi|counterparty|\
         counter party|~empfanger|~empfaenger|~beguenstigte|~begunstigte|~auftraggeber|\
         zahlungspflichtiger|~zahlungsbeteiligter|beneficiary|recipient|sender|payer|partner|\
         tegenpartij|naam|naam tegenpartij|tegenrekening|omschrijving tegenpartij|nom|\
         beneficiaire|emetteur|donneur|beneficiario|ordenante|ordinante|controparte|\
         destinatario|mottagare|avsandare|modtager|afsender|mottaker|avsender|saaja|maksaja|\
         saaja maksaja|odbiorca|nadawca|kontrahent|protistrana|nazev protiuctu|prijemce|\
         prijemca|partner neve|nev|primatelj|platitelj|prejemnik|получатель|отправитель|\
         контрагент|магазин|продавец|торговая точка|gavejas|moketojas|sanemejs|saaja nimi|交易对方|对方|\
         相手|거래처|alici|\
         alıcı|gonderen|nazov protistrany|nazov protiuctu|protistrany|nazov|商户名称|交易场所|=from|=to|\
         =from name|=to name|name payee|nome|beneficjent|nosaukums|\
         peer",
    ),
    (
        TextKind::Description,
        "description|~buchungstext|תיאור|פרטים|הפעולה|~الوصف|~البيان|รายการ|รายละเอียด|mo ta|\
         dien giai|keterangan|skyring|skýring|texti|основание|опис на|~verwendungszweck|\
         verwendung|~umsatztext|text|details|detail|memo|note|notes|narrative|narration|\
         particulars|libelle|communication|motif|omschrijving|mededeling|mededelingen|\
         descripcion|concepto|observaciones|descricao|historico|lancamento|descrizione|\
         causale|tekst|melding|beskrivelse|beskrivning|rubrik|forklaring|meddelelse|\
         meddelande|viesti|selite|opis|opis operacji|tytul|szczegoly|popis|poznamka|zprava|\
         sprava|ucel|kozlemeny|megjegyzes|leiras|detalii|descriere|namen|svrha|описание|\
         назначение|назначение платежа|опис|призначення|детали|комментарий|paskirtis|\
         paaiskinimai|saturs|maksajuma|selgitus|aciklama|acıklama|περιγραφη|αιτιολογια|摘要|\
         描述|说明|備註|备注|附言|商品|内容|摘要内容|お取引内容|내용|적요|transaction|\
         activity|activity name|action|reference|payment reference|betreff|zahlungszweck|\
         remark|remarks|remarque|label|info|title|vwz1|vwz2|omschrijving 1|omschrijving 2|\
         店名|利用店名|tittel|referens|订单标题|商品说明|交易说明|交易名称",
    ),
    (
        TextKind::Type,
        "type|transaction type|typ|art|mutatiesoort|type d operation|tipo|tipus|typ operacji|\
         тип|вид операции|soort|soort transactie|tranzakcio tipusa|类型|交易类型|分类|\
         activity type|txn type|operation type|tran type|transactiesoort|booking type|laji|\
         tapahtumalaji|vorgang|umsatzart|transaktionstyp|kod",
    ),
    (
        TextKind::Time,
        "time|zeit|uhrzeit|heure|hora|ora|tijd|tid|godzina|cas|время|时间|時間|idopont",
    ),
    (
        TextKind::Other,
        "category|kategorie|categorie|categoria|kategoria|категория|分类|tags|labels|flag|\
         cleared|notes|attachment|location|city|country|address|zip|mcc|code|bic|swift|\
         number|nr|no|check number|cheque|mandatsreferenz|glaeubiger id|kundenreferenz|ref|\
         symbol",
    ),
    (
        TextKind::Other,
        "details|comment|comments|other|extra|message",
    ),
];

/// Words in texts by which a row tells that money came in.
pub(super) const INFLOW: &str = "deposit|salary|payroll|wages|gutschrift|gehalt|lohn|\
    zahlungseingang|received|recu|salaire|nomina|abono|ingreso|stipendio|accredito|\
    bonifico ricevuto|proventos|salario|ordenado|credito|loon|salaris|bijschrijving|lon|\
    insattning|lonn|innskudd|indsaettelse|palkka|tulo|wynagrodzenie|wplyw|wplata|uznanie|\
    prichozi|vklad|vyplata mzdy|mzda|prijate|munkaber|fizetes|jovairas|salariu|incasare|uplata|\
    placa|prejem|зарплата|зачисление|поступление|пополнение|zarplata|alga|darbo uzmokestis|maas|\
    μισθοδοσια|depot|virement recu|vir recu|income|inflow|money in|interest earned|\
    interest paid|interest credit|dividend|zinsgutschrift|credit interest|入金|给与|給与|工资|\
    利息|收入|退款|refund|cash in|incoming|eingang|transferencia recibida|direct deposit|\
    direct credit|bank credit|退货|recebido|recebida|recibido|recibida|ricevuto|ricevuta|\
    prijata platba|tfr in|transfer in";

/// Words in texts by which a row tells that money went out.
pub(super) const OUTFLOW: &str = "purchase|withdrawal|atm|kartenzahlung|abhebung|geldautomat|\
    dauerauftrag|ueberweisungsauftrag|achat|retrait|cotisation|frais|compra|compras|saque|retiro|\
    cajero|prelievo|pagamento pos|acquisto|betaalautomaat|geldautomaat|betaalpas|pinbetaling|\
    kortkop|uttag|haevning|dankort|varekjop|minibank|visa varekjop|korttiosto|osto|nosto|zakup|\
    wyplata|nakup|vyber|platba kartou|vasarlas|keszpenzfelvet|dij|cumparare|retragere|kupnja|\
    isplata|nakup kartico|dvig|покупка|снятие|pirkums|pirkimas|pirkinys|grynuju|ost kaardiga|\
    harcama|αγορα|αναληψη|outflow|expense|money out|fee|service charge|bank charge|\
    overdraft interest|cash out|支出|消费|取现|出金|card payment|pos purchase|visa purchase|debit card|\
    gebuhr|kontofuhrung|outgoing|rent|card transaction|contactless payment|supermarket|supermarkt|\
    supermercado|supermercato|supermarche|grocery|send e tfr|entgelt|kartenpreis|cash withdrawal|\
    enviado|enviada|odchozi platba|odoslana platba|poplatek|poplatok|tfr out|transfer out";

/// Words of collected payments. A minus beside them tells nothing: they leave an account, and they
/// are what a card is paid by.
pub(super) const COLLECTION: &str = "direct debit|lastschrift|folgelastschrift|basislastschrift|\
    prelevement|recibo|addebito|incasso|autogiro|platnosc|obciazenie|inkaso|списание|оплата|\
    bill payment|bankcard payment|einzug per lastschrift|automatische incasso|recibo tarjeta|\
    direct debit payment|autogiro betalning|addebito su c c";

/// Words by which a row of a card's statement tells that the card was paid for. On the statement of
/// the account it was paid from the same words may stand beside money out.
pub(super) const REPAYMENT: &str = "payment thank you|payment received|payment thankyou|\
    payment thank|thank you for your payment|ihre zahlung dank|ihre zahlung besten dank|\
    zahlung besten dank|\
    einzahlung besten dank|votre paiement|paiement recu|paiement merci|pago recibido|\
    gracias por su pago|su pago gracias|pagamento recebido|pagamento efetuado|pagamento de fatura|\
    pagamento ricevuto|pagamento grazie|betaling ontvangen|uw betaling|tak for din betaling|\
    inbetalning tack|innbetaling takk|maksu kiitos|splata karty|splata zadluzenia";

/// The same in words that stand as often on the statement of the account it was paid from.
pub(super) const SETTLEMENT: &str = "还款|銀行引落|ausgleich kreditkarte|kreditkartenausgleich";

/// Types of booking on the statement of a card that are money out, and money in. On that of an
/// account a payment is the other way round, so they are offered and not believed.
pub(super) const CHARGED: &str = "sale|sales|charge|interest charge|cash advance|umsatz|einkauf|\
    vente|venta|vendita|aankoop|kop|kob|kjop|spesa|prodej|nakupy|销售|ご利用|利用";
pub(super) const CREDITED: &str = "payment|return|refund|zahlung|ruckzahlung|\
    erstattung|paiement|remboursement|pago|devolucion|pagamento|rimborso|betaling|terugbetaling|\
    betalning|aterbetalning|tilbagebetaling|platba|splata|zwrot|返金|还款|退货";

/// States under which a row is not booked yet.
pub(super) const PENDING: &str = "pending|venter|vantar|in progress|processing|authorised|\
    authorized|reserved|vorgemerkt|ausstehend|offen|en attente|en cours|pendiente|in attesa|\
    in sospeso|pendente|\
    in behandeling|gereserveerd|reserverad|reserveret|reservert|varaus|oczekuj|zablokowan|\
    cekajici|cakajuc|fuggoben|in asteptare|в обработке|в процессе|изчакващ|очаква|laukiama|\
    gaida|ootel|beklemede|εκκρεμει|处理中|待处理|処理中|처리중|بانتظار|ממתין";

/// A whole cell by which a row says that it is a balance or a total and no transaction.
pub(super) const SUMMARY: &str = "opening balance|closing balance|beginning balance|\
    ending balance|balance forward|balance brought forward|balance carried forward|\
    brought forward|carried forward|previous balance|current balance|new balance|\
    available balance|ledger balance|start balance|end balance|grand total|subtotal|sub total|\
    turnover|anfangssaldo|endsaldo|saldo|saldovortrag|kontostand|alter saldo|neuer saldo|\
    gesamtsumme|umsatzsumme|anfangsbestand|endbestand|schlusssaldo|ubertrag|saldo per|solde|\
    ancien solde|nouveau solde|solde initial|solde final|solde precedent|solde d ouverture|\
    solde de cloture|solde crediteur|solde debiteur|total des operations|saldo anterior|\
    saldo inicial|saldo final|saldo do dia|saldo atual|saldo actual|saldo contabile|\
    saldo iniziale|saldo finale|saldo precedente|beginsaldo|eindsaldo|vorig saldo|nieuw saldo|\
    ingaende saldo|utgaende saldo|ingaende balans|utgaende balans|inngaende saldo|primosaldo|\
    ultimosaldo|alkusaldo|loppusaldo|saldo poczatkowe|saldo koncowe|pocatecni zustatek|\
    konecny zustatek|konecny zostatok|pociatocny zostatok|nyito egyenleg|zaro egyenleg|\
    nyitoegyenleg|zaroegyenleg|osszesen|sold initial|sold final|pocetno stanje|zavrsno stanje|\
    konacno stanje|zacetno stanje|koncno stanje|входящий остаток|исходящий остаток|\
    остаток на начало|остаток на конец|итого|всего|обороты|вхідний залишок|вихідний залишок|\
    разом|likutis pradziai|likutis pabaigai|pradinis likutis|galutinis likutis|apyvarta|\
    sakuma atlikums|beigu atlikums|sakuma saldo|beigu saldo|apgrozijums|algsaldo|loppsaldo|\
    algjaak|loppjaak|kaive|devir|devreden bakiye|υπολοιπο εναρξης|τελικο υπολοιπο|συνολο|\
    期初余额|期末余额|合计|合計|小计|总计|前月繰越|繰越|前期繰越|balance b f|balance c f|\
    bal b f|bal c f|b f|c f|opening bal|closing bal|available bal|ledger bal|balance as of|\
    balance on|balance previous statement|previous statement balance|\
    balance last statement|last statement balance|beginning balance as of|ending balance as of|\
    total credits|total debits|\
    total debit|total credit|saldo vom|saldo am|saldo zum|kontostand vom|kontostand am|\
    umsatztotal|total umsatz|guthaben|solde au|solde le|nouveau solde au|ancien solde au|\
    saldo al|saldo en cuenta|saldo disponible|saldo disponivel|saldo do periodo|saldo bloqueado|\
    saldo awal|saldo akhir|mutasi kredit|mutasi debet|mutasi debit|zustatek|pocatecny zostatok|\
    zostatok|stan poczatkowy|stan koncowy|egyenleg|onceki bakiye|bakiye|upphafsstada|lokastada|\
    byrjunarstada|innestaende saldo|bokfort saldo|saldo i dag|ενιαιο υπολοιπο|υπολοιπο|\
    προηγουμενο υπολοιπο|остаток|начално салдо|крайно салдо|началнo салдо|салдо|почетно стање|\
    крајње стање|יתרת פתיחה|יתרה קודמת|יתרת סגירה|יתרה|סהכ|סה כ|الرصيد الافتتاحي|الرصيد الختامي|\
    الرصيد السابق|الاجمالي|المجموع|ยอดยกมา|ยอดยกไป|ยอดรวม|รวม|이월|전월이월|합계|소계|\
    so du dau ky|so du cuoi ky|tong cong|baki awal|baki akhir|承前|转下页|承上页|本页合计|\
    总合计|承前期|結餘承上|承上結餘";

/// The same in a row without a date; in a row with one it may be the name of a payee.
pub(super) const SUMMARY_OR_PAYEE: &str = "total|totals|sum|summa|suma|summe|gesamt|totale|\
    totaal|razem|celkem|spolu|ukupno|skupaj|kokku|toplam|report|is viso";

/// Values of an indicator column that mean money out.
pub(super) const OUT: &str = "d|dr|db|dbit|debit|дебит|дб|חובה|مدين|차변|ghi no|keluar|debito|\
    debet|debits|s|soll|af|out|outflow|outgoing|expense|expenses|withdrawal|withdraw|paid out|\
    money out|spent|расход|списание|дебет|дт|витрата|支出|支|借|出金|출금|borc|obciazenie|vydaj|\
    kiadas|terheles|t|breme|duguje|ut|ud|uit|cargo|addebito|debe|sortie|depense|uscita|ausgabe|\
    belastung|lastschrift|saida|egreso|wydatek|付款|转出|deb|dare|debetas|debets|deebet|minus|\
    terhelés|zhatek|χρεωση|odchozi|tartozik|χ|outbound";

/// Values of an indicator column that mean money in.
pub(super) const IN: &str = "c|cr|crdt|credit|кр|זכות|دائن|대변|ghi co|masuk|credito|kredit|\
    credits|k|h|haben|bij|in|inflow|incoming|income|deposit|paid in|money in|received|приход|\
    поступление|зачисление|кредит|кт|дохід|доход|收入|收|贷|入金|입금|alacak|uznanie|prijem|\
    bevetel|jovairas|j|dobro|potrazuje|inn|ind|abono|accredito|haber|entree|recette|entrata|\
    einnahme|gutschrift|entrada|ingreso|wplyw|收款|转入|cre|avere|kreditas|kredits|kreedit|plus|\
    πιστωση|prichozi|kovetel|π|inbound";

/// States of a row under which no money moved.
pub(super) const VOID: &str = "declined|ko|nok|not ok|rejected|failed|reverted|cancelled|canceled|\
    void|voided|reversed|expired|denied|removed|deleted|abgelehnt|storniert|rückgängig|annule|\
    refuse|\
    rechazado|cancelado|rifiutato|annullato|geweigerd|geannuleerd|avvisad|avvist|afvist|\
    odrzucona|anulowana|zamitnuto|elutasitva|отклонено|отклонен|отменен|отменена|交易关闭|\
    已关闭|失败|支付失败|已全额退款|reddedildi|iptal|hylatty|atmesta|refused|blocked|\
    unsuccessful|incomplete|returned|rechazad|cancelad|anulad|denegad|fallid|no procesad|\
    caducad|devuelt|zuruckgewiesen|fehlgeschlagen|abgebrochen|nicht ausgefuhrt|gescheitert|\
    zuruckgerufen|rejet|refus|annul|echoue|echec|non execut|non riuscit|rifiutat|annullat|\
    stornat|fallit|respint|revocat|rejeitad|recusad|estornad|nao efetuad|falhou|falha|negad|\
    devolvid|mislukt|afgewezen|verlopen|ingetrokken|makulerad|avbruten|misslyck|aterkallad|\
    annulleret|fejlet|kansellert|feilet|avbrutt|perut|epaonnistu|tagasi lukatud|tuhistatud|\
    ebaonnestu|noraidit|atcelt|atsaukta|nepavyk|odrzucon|anulowan|nieudan|wycofan|zamitnut|\
    zrusen|neuspesn|zamietnut|elutasit|sikertelen|torolt|visszavont|meghiusul|respins|anulat|\
    esuat|refuzat|отхвърлен|отказ|анулиран|неуспешн|не исполнен|аннулирован|возвращен|відхилен|\
    скасован|неуспішн|odbijen|otkazan|storniran|neuspjesn|zavrnjen|preklican|απορριφθ|ακυρωθ|\
    ακυρωμεν|αποτυχ|reddedil|basarisiz|basarısız|נדחה|נדחתה|בוטל|נכשל|مرفوض|ملغ|فشل|فاشل|关闭|\
    取消|撤销|拒绝|失敗|キャンセル|不成立|却下|취소|실패|거절|ล้มเหลว|ยกเลิก|ปฏิเสธ|ไม่สำเร็จ|\
    slettet|borttagen|raderad|poistettu|geloscht|gewist|supprime|\
    eliminado|usuniet|that bai|da huy|tu choi|gagal|dibatalkan|ditolak|kedaluwarsa";
