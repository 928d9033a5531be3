//! Finding records by any part of their name, as a user types it: case and accents do not count.
//!
//! Every suffix of the folded name is one row, so a part of a name is the beginning of a row, and
//! an ordinary index finds it on both databases. No character has a special meaning.

use diesel::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::connection::DbConn;
use super::prepared::insert_rows;
use super::schema::name_parts;
use crate::domain::ids::{AgencyId, AnyRecordId, Id};
use crate::domain::record::RecordKind;
use crate::domain::search::NamePart;

/// The longest part that is kept, in characters; what is typed beyond that is not compared.
const MAX_PART: usize = 40;

/// What is typed, and written, where an apostrophe is meant.
const APOSTROPHES: [char; 9] = ['‘', '’', '‛', 'ʹ', 'ʻ', 'ʼ', '′', '´', '`'];

/// A text without case, accents and repeated white space.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // Before anything is taken apart: of an acute accent a space would be left.
    let text = text.chars().map(|c| if APOSTROPHES.contains(&c) { '\'' } else { c });
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match undecorated(c) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(c),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is typed for a letter that Unicode does not take apart, on a keyboard without it.
const fn undecorated(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        'ð' | 'đ' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ø' => "o",
        'ŧ' => "t",
        'ς' => "σ",
        _ => return None,
    })
}

/// A part of a record's name.
#[derive(Debug, Insertable, PartialEq, Eq, PartialOrd, Ord)]
#[diesel(table_name = name_parts, treat_none_as_default_value = false)]
pub struct NamePartRow {
    agency_id: AgencyId,
    kind: RecordKind,
    part: String,
    record_id: AnyRecordId,
}

impl NamePartRow {
    /// The rows that make a record known under this name.
    pub fn of<K>(
        agency_id: AgencyId,
        kind: RecordKind,
        record: Id<K>,
        name: &str,
    ) -> impl Iterator<Item = Self> {
        let row = move |part| Self { agency_id, kind, part, record_id: record.cast() };
        parts(name).into_iter().map(row)
    }
}

/// Makes a record known under `name`, and no longer under its former one.
pub fn replace<K>(
    conn: &mut DbConn,
    agency: AgencyId,
    kind: RecordKind,
    record: Id<K>,
    name: &str,
) -> QueryResult<()> {
    remove(conn, record)?;
    let rows: Vec<NamePartRow> = NamePartRow::of(agency, kind, record, name).collect();
    if rows.is_empty() {
        return Ok(());
    }
    insert_rows!(conn, name_parts::table, &rows)
}

/// Makes a record no longer known by name.
pub fn remove<K>(conn: &mut DbConn, record: Id<K>) -> QueryResult<()> {
    let record: AnyRecordId = record.cast();
    diesel::delete(name_parts::table.filter(name_parts::record_id.eq(record))).execute(conn).map(drop)
}

/// The range of kept parts that begin with what was typed: from the first, inclusive, to the
/// second, exclusive. An accent alone is part of no name.
#[must_use]
pub fn range(typed: &NamePart) -> (String, String) {
    let from: String = fold(typed.as_str()).chars().take(MAX_PART).collect();
    let to = if from.is_empty() { String::new() } else { format!("{from}{}", char::MAX) };
    (from, to)
}

/// The most parts of names whose records are all read for one page. With more of them the list is gone through in its
/// own order until the page is full, and each record is asked for its name: of a million records with 5,000 that fit,
/// both ways look at about as many.
const MANY: i64 = 5_000;

/// The records of one kind with parts in a range, one for each part.
macro_rules! in_range {
    ($agency:expr, $kind:expr, $from:expr, $to:expr) => {{
        use $crate::store::schema::name_parts;
        name_parts::table
            .filter(name_parts::agency_id.eq($agency))
            .filter(name_parts::kind.eq($kind))
            .filter(name_parts::part.ge($from))
            .filter(name_parts::part.lt($to))
            .select(name_parts::record_id)
    }};
}
pub(super) use in_range;

/// Along the index.
const ORDER: (name_parts::part, name_parts::record_id) = (name_parts::part, name_parts::record_id);

/// Whether more parts of names lie in the range than are read for one page.
pub fn are_many(
    conn: &mut DbConn,
    agency: AgencyId,
    kind: RecordKind,
    (from, to): &(String, String),
) -> QueryResult<bool> {
    let beyond: Option<AnyRecordId> =
        in_range!(agency, kind, from, to).order(ORDER).limit(1).offset(MANY).first(conn).optional()?;
    Ok(beyond.is_some())
}

/// The first records with a part of their name in the range.
pub fn first(
    conn: &mut DbConn,
    agency: AgencyId,
    kind: RecordKind,
    (from, to): &(String, String),
    limit: usize,
) -> QueryResult<Vec<AnyRecordId>> {
    let rows = in_range!(agency, kind, from, to).order(ORDER);
    rows.limit(i64::try_from(limit).unwrap_or(i64::MAX)).load(conn)
}

/// Whether the record with the id in `$column` has a part of a name in a range. The offset keeps PostgreSQL from
/// looking up all that have one instead.
macro_rules! is_named {
    ($column:expr, $from:expr, $to:expr) => {{
        use $crate::store::schema::name_parts;
        diesel::dsl::exists(
            name_parts::table
                .filter(name_parts::record_id.eq($column))
                .filter(name_parts::part.ge($from))
                .filter(name_parts::part.lt($to))
                .select(name_parts::record_id)
                .limit(1)
                .offset(0),
        )
    }};
}
pub(super) use is_named;

/// Every suffix of a folded name that does not begin with a space, each once.
#[must_use]
pub fn parts(name: &str) -> Vec<String> {
    let folded: Vec<char> = fold(name).chars().collect();
    let mut parts: Vec<String> = (0..folded.len())
        .filter(|start| folded[*start] != ' ')
        .map(|start| folded[start..].iter().take(MAX_PART).collect())
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_folded_as_people_type_them() {
        assert_eq!(fold("  Zoë   MÜLLER-Groß "), "zoe muller-gross");
        assert_eq!(fold("Łódź Øre Đặng Işık ÆRØ"), "lodz ore dang isik aero");
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
        assert_eq!(parts("Ana"), ["a", "ana", "na"]);
        let (from, to) = range(&NamePart::from("\u{301}"));
        assert!(parts("é\u{301}").iter().all(|part| *part < from || *part >= to));
    }

    proptest! {
        #[test]
        fn any_part_of_a_name_is_found(name in "[\\PC]{1,30}", start in 0_usize..30, length in 1_usize..10) {
            let folded: Vec<char> = fold(&name).chars().collect();
            let part: String = folded.iter().skip(start).take(length).collect();
            if !part.is_empty() && fold(&part) == part {
                let (from, to) = range(&NamePart::from(part.as_str()));
                prop_assert!(parts(&name).iter().any(|p| *p >= from && *p < to));
            }
        }
    }
}
