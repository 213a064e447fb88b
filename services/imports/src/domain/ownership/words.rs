//! The words by which banks head the column of an account: whose rows they are, or whom the money
//! went to. Normalised as names of columns are; a name is matched word by word.

/// Words that are an account. Together with [`BESIDE`] they are the whole of a name.
pub(super) const ACCOUNT: &str = "account accounts acct accountnumber accountno iban bban konto \
    kontonummer kontonr kontonumber kontonavn kontonamn kontobezeichnung kontoname kundenkonto \
    compte comptenum cuenta conto conta rekening rekeningnummer rekeningnr rachunek rachunku \
    konta kontu ucet uctu szamla szamlaszam szamlaszama tili tilin tilinumero konts contul cont \
    saskaita saskaitos racun racuna trr reikningur reiknings reikningsnumer счет счета рахунок \
    рахунку сметка сметката λογαριασμος λογαριασμου hesap hesabi חשבון الحساب \
    tai khoan norek";

/// Words that stand beside an account and say nothing of whose it is.
pub(super) const BESIDE: &str = "number no nr num n numero name id identifier key de du del della \
    di do da la le el the of nummer nr numer nazwa cislo nazev nazov szama neve neven nev numar \
    numaru numurs nosaukums numeris sask broj stevilka nimi номер номера название назва name \
    αριθμος numarasi numarası no מספר رقم so nomor на bank banka banke bankovni bankowe bankowego \
    bancar bancario bancaria bancaire bankkonto current corrente corriente courant intitule \
    libelle label nom nombre nome";

/// Words that say it is the user's own.
pub(super) const OWN: &str = "own my auftragskonto eigenes eigene eigen mein meine mon client \
    propia propio mijn moje moj vlastni vlastny wlasny wlasne sajat konyveloszamla oma egen eget \
    kliendi klienta kliento kunden kundenkonto мой свой клиента klienta клиента клієнта мій";

/// Whole names of scripts that do not part words.
pub(super) const WHOLE: &str = "账号|账户|帐号|帐户|帳號|帳戶|本方账号|本方帐号|本方账户|交易账号|\
    查询账号|口座|口座番号|お取引口座|口座名|계좌|계좌번호|본인계좌|내 계좌|เลขที่บัญชี|บัญชี|\
    so tai khoan|tai khoan|iban bban|numer rachunku|c c|auftragskonto|iban auftragskonto|\
    bezeichnung auftragskonto|name auftragskonto|kontonummer auftragskonto|konyveloszamla";

/// What a name holds that speaks of the other side of a booking.
pub(super) const OTHER: &str = "counter|~gegen|contra|opposite|other|partner|payee|payer|payor|\
    beneficiary|benef|recipient|receiver|sender|remitter|originator|ordering|destination|target|\
    source|related|third party|creditor|debtor|to account|from account|to iban|from iban|\
    transfer|external|merchant|=to|=from|~empfang|~empfaeng|~begunstigt|~beguenstigt|\
    ~zahlungsbeteiligt|~zahlungspflicht|~zahler|auftraggeber|absender|fremd|zahlungspartner|\
    beneficiaire|contrepartie|contrapartie|partie adverse|destinataire|donneur|emetteur|\
    debiteur|crediteur|tiers|beneficiari|destinatari|destino|origen|origem|ordenante|ordinante|\
    contrapart|controparte|favorecido|remetente|~tegen|begunstigde|naar|van rekening|opdrachtgever|\
    kontrahent|nadawc|odbiorc|przeciw|zleceniodawc|protiuc|proti|protistran|prijemc|platc|\
    ellen|kedvezmenyezett|megbizo|~vasta|saaja|maksaja|maksajan|saajan|~motkonto|~motpart|\
    ~mottag|~mottak|~avsend|~modkonto|~modpart|~modtag|~afsend|til konto|fra konto|till konto|\
    fran konto|korrespond|korespond|corespond|sanem|maksataj|gavej|moketoj|partneri|\
    beneficiarul|ordonator|platitor|primatelj|primaoc|platitelj|nalogodav|suprotn|prejemnik|\
    placnik|nasprotn|motadili|vidtakand|greidand|~получат|~отправит|~плательщ|~контрагент|\
    ~корреспонд|~бенефициар|~отримувач|~платник|~кореспонд|~відправник|~наредител|\
    ~δικαιουχ|~αντισυμβαλλ|~αποστολ|~παραληπτ|karsi|alici|alıcı|gonderen|~מוטב|~נגדי|~الهدف|\
    ~المستفيد|~المرسل|~对方|~對方|~收款|~付款|~对手|~相手|~振込|~受取|~상대|~입금|~보낸|~받는|\
    ~의뢰|~ผู้รับ|~ปลายทาง|doi ung|thu huong|nguoi|tujuan|penerima|lawan|pengirim";
