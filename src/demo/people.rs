//! Names of people and companies, and the places that they are in. All of them are made up;
//! the telephone numbers are of ranges that are set aside for fiction, the addresses of domains
//! that cannot exist (RFC 2606).

use super::dice::Dice;
use crate::store::names::fold;

/// People who share a language.
#[derive(Debug)]
pub struct Culture {
    /// First names, and last names: `|` stands between them.
    first: &'static str,
    last: &'static str,
    /// Where they live: a city and its time zone.
    places: &'static [(&'static str, &'static str)],
    /// Their language, as a tag of BCP 47.
    pub locale: &'static str,
    /// A telephone number, where a range is set aside: each `#` is a digit.
    phone: Option<&'static str>,
}

/// Somebody.
#[derive(Debug, Clone)]
pub struct Person {
    /// The whole name.
    pub name: String,
    /// The name as the part of an address before the `@`.
    pub handle: String,
    /// Where the person lives.
    pub city: &'static str,
    /// The time zone there.
    pub zone: &'static str,
    /// The person's language.
    pub locale: &'static str,
    /// The person's telephone.
    pub phone: Option<String>,
}

const CULTURES: [Culture; 9] = [
    Culture {
        first: "Anna|Jürgen|Katharina|Sönke|Friederike|Björn|Bärbel|Lukas|Anneliese|Jörg|Miriam|Henrik|\
               Käthe|Moritz|Sabine|Emre",
        last: "Müller|Schäfer|Krüger|Weiß|Brandt|Jäger|Lorenz|Böhm|Hofmann|Günther|Vogt|Yıldız|\
               Petersen|Großmann|Reuter|Kühn",
        places: &[
            ("Hamburg", "Europe/Berlin"),
            ("Leipzig", "Europe/Berlin"),
            ("Wien", "Europe/Vienna"),
            ("Zürich", "Europe/Zurich"),
        ],
        locale: "de",
        phone: Some("+49 30 23125 ###"),
    },
    Culture {
        first: "Amélie|Loïc|Chloé|Jérôme|Hélène|Théo|Noémie|Benoît|Agnès|Rémi|Zoé|François|Inès|Cédric|\
               Maëlle|Karim",
        last: "Lefèvre|Moreau|Béranger|Garnier|Fauré|Dubois|Lacroix|Guérin|Renault|Besson|Hébert|\
               Marchand|Gauthier|Benali|Roussel|Chevalier",
        places: &[
            ("Lyon", "Europe/Paris"),
            ("Nantes", "Europe/Paris"),
            ("Bruxelles", "Europe/Brussels"),
            ("Montréal", "America/Toronto"),
        ],
        locale: "fr",
        phone: Some("+33 1 99 00 ## ##"),
    },
    Culture {
        first: "Lucía|Álvaro|Inés|Ramón|Sofía|Andrés|Begoña|Íñigo|Marta|Joaquín|Núria|Óscar|Pilar|\
               Héctor|Ximena|Tomás",
        last: "Muñoz|García|Ibáñez|Peña|Castillo|Núñez|Vázquez|Ortega|Beltrán|Domínguez|Sáez|Romero|\
               Guzmán|Cañete|Rubio|Márquez",
        places: &[
            ("Madrid", "Europe/Madrid"),
            ("València", "Europe/Madrid"),
            ("Las Palmas", "Atlantic/Canary"),
        ],
        locale: "es",
        phone: None,
    },
    Culture {
        first: "Agnieszka|Łukasz|Małgorzata|Paweł|Zofia|Michał|Jagoda|Grzegorz|Kasia|Bartłomiej|Bożena|\
               Wojciech|Ewa|Stanisław",
        last: "Nowak|Wójcik|Kowalczyk|Mazur|Woźniak|Kaczmarek|Dąbek|Pawlak|Gołąb|Sikora|Źródło|Bąk|\
               Król|Wróbel",
        places: &[("Wrocław", "Europe/Warsaw"), ("Kraków", "Europe/Warsaw"), ("Gdańsk", "Europe/Warsaw")],
        locale: "pl",
        phone: None,
    },
    Culture {
        first: "Åsa|Göran|Maja|Søren|Linnéa|Håkan|Freja|Mårten|Signe|Jens|Ylva|Øyvind|Astrid|Björn|Tove|\
               Nils",
        last: "Lindström|Sjöberg|Ødegård|Håkansson|Nyström|Åkerlund|Bergström|Kjær|Lundqvist|Strøm|\
               Öberg|Hällgren|Nygård|Dahl|Ekström|Sørensen",
        places: &[
            ("Göteborg", "Europe/Stockholm"),
            ("København", "Europe/Copenhagen"),
            ("Oslo", "Europe/Oslo"),
            ("Helsinki", "Europe/Helsinki"),
        ],
        locale: "sv",
        phone: Some("+46 8 465 004 ##"),
    },
    Culture {
        first: "João|Inês|Conceição|Tomé|Beatriz|Simão|Lídia|Gonçalo|Mafalda|Luís|Sónia|Estêvão|Graça|\
               Rúben",
        last: "Magalhães|Simões|Falcão|Araújo|Brandão|Gonçalves|Serrão|Carvalho|Guimarães|Assunção|\
               Teixeira|Leitão|Queirós|Paixão",
        places: &[
            ("Porto", "Europe/Lisbon"),
            ("Lisboa", "Europe/Lisbon"),
            ("Ponta Delgada", "Atlantic/Azores"),
        ],
        locale: "pt",
        phone: None,
    },
    Culture {
        first: "Niccolò|Chiara|Giosuè|Francesca|Matteo|Ilaria|Davide|Noemi|Salvatore|Giulia|Lorenzo|\
               Elettra|Tommaso|Serena",
        last: "D'Angelo|Forlì|Marchetti|Bianchi|Corrà|De Santis|Ferraro|Galli|Pellegrini|Rinaldi|Cardà|\
               Villa|Moretti|Bassi",
        places: &[("Torino", "Europe/Rome"), ("Bologna", "Europe/Rome"), ("Lugano", "Europe/Zurich")],
        locale: "it",
        phone: None,
    },
    Culture {
        first: "Siobhán|Oliver|Priya|Declan|Imogen|Rhys|Niamh|Callum|Zoë|Aisling|Graham|Chidi|Eleri|\
               Hamish|Ruth|Kwame",
        last: "O'Brien|Whitfield|Patel|Ní Dhomhnaill|Hargreaves|Brontë|Lloyd-Price|Okafor|MacAulay|\
               Thornton|Ó Súilleabháin|Ashworth|Kerr|Bellamy|Sharma|Pryce",
        places: &[
            ("Dublin", "Europe/Dublin"),
            ("Leeds", "Europe/London"),
            ("Edinburgh", "Europe/London"),
            ("Boston", "America/New_York"),
        ],
        locale: "en-GB",
        phone: Some("+44 20 7946 0###"),
    },
    Culture {
        first: "Daniël|Femke|Joost|Maaike|Koen|Renée|Sander|Annelies|Thijs|Loes|Ruben|Chloë|Jeroen|\
               Yasmina",
        last: "de Vries|van den Berg|Jansen|Hoekstra|Mulder|van Dijk|El Idrissi|Vermeulen|Smit|Brouwer|\
               Kuipers|Dekker|van Gent|Coppens",
        places: &[
            ("Utrecht", "Europe/Amsterdam"),
            ("Antwerpen", "Europe/Brussels"),
            ("Rotterdam", "Europe/Amsterdam"),
        ],
        locale: "nl",
        phone: None,
    },
];

/// Somebody, from anywhere.
pub fn person(dice: &mut Dice) -> Person {
    let culture = dice.index(CULTURES.len());
    compatriot(dice, culture)
}

/// Somebody of one culture, named by a number.
pub fn compatriot(dice: &mut Dice, culture: usize) -> Person {
    let culture = &CULTURES[culture % CULTURES.len()];
    let (first, last) = (one_of(dice, culture.first), one_of(dice, culture.last));
    let (city, zone) = *dice.pick(culture.places);
    let digit =
        |c| if c == '#' { char::from(b'0' + u8::try_from(dice.below(10)).unwrap_or_default()) } else { c };
    Person {
        name: format!("{first} {last}"),
        handle: format!("{}.{}", slug(first), slug(last)),
        city,
        zone,
        locale: culture.locale,
        phone: culture.phone.map(|pattern| pattern.chars().map(digit).collect()),
    }
}

const STEMS: &str = "Halden|Nordwind|Brightwater|Kestrel|Alderbrook|Veridian|Montclair|Silberstein|Aurelio|Fjordlys|\
    Cinder|Lindqvist & Dahl|Mirabel|Öresund|Pembroke|Quillon|Rheintal|Sable|Tessera|Umbria|Valmont|\
    Westerly|Xylon|Ypsilon|Zephyr|Arkwright|Boréal|Calder|Dunmore|Elbtor|Farrow|Górski|Hexham|\
    Isarpark|Juno|Kaveri|Lumière|Marisma|Nereid|Ostara|Palissandre|Ravello|Saltmarsh|Thornbury|\
    Ultramar|Vesper|Wolkenstein|Åkerby";

const TRADES: &str = "Logistics|Systems|Energie|Foods|Robotics|Insurance|Health|Software|Maritime|Papier|Analytics|\
    Hotels|Pharma|Textil|Payments|Bau|Aerospace|Media|Rail|Biotech|Telecom|Retail|Water|Optics|\
    Consulting";

/// What the `index`-th company is called; 1,200 names, and then again with a city.
pub fn company(index: usize, city: &str) -> String {
    let (stems, trades) = (count(STEMS), count(TRADES));
    let (stem, trade) = (nth(STEMS, index % stems), nth(TRADES, index % trades));
    if index < stems * trades { format!("{stem} {trade}") } else { format!("{stem} {trade} {city}") }
}

fn one_of(dice: &mut Dice, list: &'static str) -> &'static str {
    nth(list, dice.index(count(list)))
}

fn nth(list: &'static str, index: usize) -> &'static str {
    list.split('|').nth(index).unwrap_or_default()
}

fn count(list: &str) -> usize {
    list.split('|').count()
}

/// A text of ASCII letters, digits and hyphens that still looks like the original.
pub fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in fold(text).chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'ł' => slug.push('l'),
            'ø' => slug.push('o'),
            'æ' => slug.push_str("ae"),
            'ı' => slug.push('i'),
            ' ' | '-' if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::demo::dice::Stream;
    use crate::domain::text::{check_email, check_language, check_name, check_time_zone};

    #[test]
    fn everybody_could_be_entered_by_hand() {
        for index in 0..3000 {
            let person = person(&mut Dice::new(1, Stream::Candidate, index));
            assert_eq!(check_name(&person.name), Ok(()));
            assert_eq!(check_email(&format!("{}@mail.example", person.handle)), Ok(()), "{}", person.name);
            assert!(person.handle.is_ascii(), "{}", person.handle);
            assert!(check_time_zone(person.zone).is_ok(), "{}", person.zone);
            assert_eq!(check_language(person.locale), Ok(()));
        }
    }

    #[test]
    fn companies_have_names_of_their_own() {
        let names: HashSet<String> = (0..1200).map(|index| company(index, "Porto")).collect();
        assert_eq!(names.len(), 1200);
        assert!(names.iter().all(|name| !slug(name).is_empty()));
        assert_eq!(slug("Lindqvist & Dahl Łódź"), "lindqvist-dahl-lodz");
    }
}
