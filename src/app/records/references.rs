//! What other systems call a record, and the checks of it.

use super::{Common, Record};
use crate::app::AppError;
use crate::app::faults::Faults;
use crate::domain::record::ExternalRef;
use crate::domain::text::check_line;
use crate::store::pool::Tx;
use crate::store::record;

/// The most references of a record.
const MAX_REFS: usize = 20;
/// The longest name of another system, in characters.
const MAX_SYSTEM: usize = 64;
/// The longest id in another system, in characters.
const MAX_EXTERNAL_ID: usize = 255;

/// An input with external references.
pub trait HasRefs {
    /// The references, to be read or added to; none if the input does not speak of them.
    fn refs_mut(&mut self) -> &mut Option<Vec<ExternalRef>>;
}

/// Adds a reference, unless it is there already.
pub(super) fn add(refs: &mut Vec<ExternalRef>, external: ExternalRef) {
    if !refs.contains(&external) {
        refs.push(external);
    }
}

/// Checks a reference: one in a path has not met the schema that a body is checked against.
pub fn check_one(external: &ExternalRef) -> Result<(), WrongRef> {
    let keepable = |text: &str, max_chars: usize| {
        // U+FFFD stands for what was not UTF-8 in a path: several ids would become one.
        let is_legible = !text.contains(char::REPLACEMENT_CHARACTER);
        let is_blank = text.trim().is_empty();
        !is_blank && text.chars().count() <= max_chars && check_line(text).is_ok() && is_legible
    };
    let wrong = WrongRef {
        system: !keepable(&external.system, MAX_SYSTEM),
        id: !keepable(&external.id, MAX_EXTERNAL_ID),
    };
    if wrong.system || wrong.id { Err(wrong) } else { Ok(()) }
}

/// Which parts of a reference cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is blank, too long, not UTF-8, or has control characters")]
pub struct WrongRef {
    /// The name of the system.
    pub system: bool,
    /// The id there.
    pub id: bool,
}

/// Notes what is wrong with the references of a record that is written, each where it was sent, and
/// brings them into their order.
pub(super) fn check<R: Record>(
    tx: &mut Tx<'_>,
    common: &Common<R::Kind>,
    refs: &mut [ExternalRef],
    faults: &mut Faults,
) -> Result<(), AppError> {
    // With what a path or a row calls it there may be one more than was sent.
    if refs.len() > MAX_REFS {
        let detail = format!("has room for {MAX_REFS}, with what the path or the row calls the record");
        faults.add("/external_refs", "no_room", detail);
    }
    let sound: Vec<ExternalRef> =
        refs.iter().filter(|external| check_one(external).is_ok()).cloned().collect();
    let known = record::find_by_refs(tx, common.agency_id, R::KIND, &sound)?;
    for (i, external) in refs.iter().enumerate() {
        if let Err(fault) = check_one(external) {
            faults.add(format!("/external_refs/{i}"), "invalid_reference", fault);
        } else if known.get(external).is_some_and(|other| *other != common.id) {
            let detail = format!("another record is {} in {} already", external.id, external.system);
            faults.add(format!("/external_refs/{i}"), "already_exists", detail);
        }
    }
    refs.sort_unstable();
    if refs.windows(2).any(|pair| pair[0] == pair[1]) {
        faults.add("/external_refs", "duplicate", "names the same reference twice");
    }
    Ok(())
}
