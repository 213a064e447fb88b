//! Names of months in the languages of statements.

use std::sync::LazyLock;

use super::fingerprint::normalise;

/// Names and common short forms per month, normalised (no marks, lower case). A name of three
/// letters or more also matches by these beginnings, so that inflected forms need no entry.
const BEGINNINGS: [&str; 12] = [
    "jan januar janv ene gen sty led ian янв яну јан січ sij tamm ιαν oca sau janvaris \
     jaan ינו يناير xan yan студз қаң",
    "feb fev fevr lut uno úno фев лют velj helm φεβ sub şub vas febr vee פבר فبراير peb fra ақп \
     shk",
    "mar mrt mär marz mars mrz bre bře марта мар бер ozu maalis μαρ marc kov mart mac מרץ مارس \
     maart maerz сакав нау",
    "apr avr abr kwi dub апр квi квіт tra huht απρ nis nıs bal april ápr אפר أبريل ابريل красав \
     сәу pri",
    "mai may mei maj mag maio kve kvě мая май мај трав svi touko μαι máj geg mayo maig מאי مايو \
     mej мам",
    "jun juin juun giu iun cze cvn чер июн юни јун kesa ιουν haz bir juni jún יוני يونيو xun \
     iyu hun gun qer чэрв маус",
    "jul juil juul lug iul červenec июл юли јул лип heina ιουλ tem lie juli júl יולי يوليو xul \
     iyul hul lul kor ліп шіл",
    "aug aou aoû ago avg sie kol авг сер elo αυγ agu ağu rugp ogos אוג أغسطس اغسطس avq aww gus \
     жні там",
    "sep set wrz zar zář сен сеп вер ruj syys σεπ eyl rugs szept ספט سبتمبر sen sht қырк",
    "oct okt out ott paz paź rij říj окт жов loka οκτ eki spal אוק أكتوبر اكتوبر tet кастр қаз",
    "nov noi ноя ное лист stu marras νοε kas lapkr נוב نوفمبر noy nob nen лістап қараш",
    "dec des dez dic dis déc gru pro дек дец груд joulu δεκ ara gruod דצמ ديسمبر det dek dhj \
     снеж желт",
];

/// Names whose first letters mean different months in different languages, resolved whole.
const WHOLE: [(&str, u32); 23] = [
    ("listopadu", 11),
    ("lipiec", 7),
    ("lipca", 7),
    ("lipanj", 6),
    ("lipnja", 6),
    ("srpnja", 7),
    ("meitheamh", 6),
    ("srpen", 8),
    ("srpna", 8),
    ("srpanj", 7),
    ("cerven", 6),
    ("cervna", 6),
    ("cervenec", 7),
    ("cervence", 7),
    ("czerwiec", 6),
    ("brezen", 3),
    ("brezna", 3),
    ("kvetna", 5),
    ("kveten", 5),
    ("marraskuu", 11),
    ("maaliskuu", 3),
    ("juillet", 7),
    ("mart", 3),
];

/// Names that are one month in Croatian and another in Polish or Czech: they are none.
const FALSE_FRIENDS: [&str; 5] = ["listopad", "listopada", "lis", "lip", "srp"];

/// The beginnings, normalised once.
static NORMALISED: LazyLock<Vec<(String, u32)>> = LazyLock::new(|| {
    let numbered = (1..).zip(BEGINNINGS);
    let pairs = numbered
        .flat_map(|(number, names)| names.split(' ').map(move |name| (normalise(name), number)));
    pairs.collect()
});

/// The number of a month by its name.
pub(super) fn month(name: &str) -> Option<u32> {
    let length = name.chars().count();
    if !(3..=12).contains(&length) {
        return None;
    }
    let name = normalise(name);
    if FALSE_FRIENDS.contains(&name.as_str()) {
        return None;
    }
    if let Some((_, number)) = WHOLE.iter().find(|(whole, _)| *whole == name) {
        return Some(*number);
    }
    // The longest beginning wins: `marras` over `mar`.
    let fitting = NORMALISED
        .iter()
        .filter(|(beginning, _)| name.starts_with(beginning));
    fitting
        .max_by_key(|(beginning, _)| beginning.len())
        .map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_months() {
        let cases = [
            ("Jan", Some(1)),
            ("Januar", Some(1)),
            ("FEBRERO", Some(2)),
            ("März", Some(3)),
            ("märz", Some(3)),
            ("mrt", Some(3)),
            ("avril", Some(4)),
            ("maj", Some(5)),
            ("Août", Some(8)),
            ("Sept", Some(9)),
            ("Okt", Some(10)),
            ("listopadu", Some(11)),
            ("listopad", None),
            ("srp", None),
            ("srpna", Some(8)),
            ("srpnja", Some(7)),
            ("lipca", Some(7)),
            ("lipnja", Some(6)),
            ("maart", Some(3)),
            ("qershor", Some(6)),
            ("iyul", Some(7)),
            ("шілде", Some(7)),
            ("grudnia", Some(12)),
            ("декабря", Some(12)),
            ("мая", Some(5)),
            ("juillet", Some(7)),
            ("ALDI", None),
            ("de", None),
        ];
        for (name, number) in cases {
            assert_eq!(month(name), number, "{name}");
        }
    }
}
