//! Which records a row names: by our ids, or by another system's.

use serde_json::{Map, Value};

use super::Row;
use crate::app::AppError;
use crate::app::exchange::{EXTERNAL_ID, Reference, spelled};
use crate::app::faults::Faults;
use crate::app::records::{Record, check_ref};
use crate::auth::caller::Caller;
use crate::domain::ids::Id;
use crate::domain::record::{ExternalRef, RecordKind};
use crate::store::imports::Import;
use crate::store::pool::Tx;
use crate::store::record;

/// Which record a row speaks of, if there is one already, and what another system calls it.
type Key<K> = (Option<Id<K>>, Option<ExternalRef>);

impl Row<'_> {
    /// Which record the row speaks of: ours by its id, or another system's; and what that system calls it.
    pub(super) fn key<R: Record>(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        fields: &mut Map<String, Value>,
        faults: &mut Faults,
    ) -> Result<Key<R::Kind>, AppError> {
        let id = fields.remove("id").filter(|id| !id.is_null());
        let external = fields.remove(EXTERNAL_ID).filter(|id| !id.is_null());
        let external = external.and_then(|id| self.external(EXTERNAL_ID, &id, faults));
        if let (Some(_), Some(_)) = (&id, &external) {
            faults.add("/external_id", "contradiction", "give id or external_id, not both");
        }
        if let Some(id) = id {
            let id: Option<Id<R::Kind>> = id.as_str().and_then(|id| id.parse().ok());
            let found = match id {
                Some(id) => R::find(tx, caller.agency, id)?.filter(|r| r.common().deleted_at.is_none()),
                None => None,
            };
            if found.is_none() {
                faults.unknown("/id", "record");
            }
            return Ok((id, None));
        }
        if let Some(external) = external {
            let id = record::find_by_ref(tx, caller.agency, R::KIND, &external)?;
            return Ok((id, Some(external)));
        }
        let refs = fields.get("external_refs").cloned().unwrap_or_default();
        let mut refs: Vec<ExternalRef> = serde_json::from_value(refs).unwrap_or_default();
        // The others are named as faults when the record is checked.
        refs.retain(|external| check_ref(external).is_ok());
        let known = record::find_by_refs(tx, caller.agency, R::KIND, &refs)?;
        Ok((refs.iter().find_map(|external| known.get(external).copied()), None))
    }

    /// Puts our ids in the place of another system's. Answers which columns gave way to which.
    pub(super) fn resolve(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        fields: &mut Map<String, Value>,
        faults: &mut Faults,
    ) -> Result<Vec<&'static Reference>, AppError> {
        let mut resolved = Vec::new();
        for reference in self.layout.references {
            let Some(theirs) = fields.remove(reference.external).filter(|theirs| !theirs.is_null()) else {
                continue;
            };
            let Reference { field, external, .. } = *reference;
            if fields.get(field).is_some_and(|ours| !ours.is_null()) {
                let detail = format!("give {field} or {external}, not both");
                faults.add(format!("/{external}"), "contradiction", detail);
                continue;
            }
            let ours = match theirs {
                Value::Array(several) => {
                    let places = (0..several.len()).map(|i| format!("{external}/{i}"));
                    let named: Vec<_> = places.zip(&several).collect();
                    Value::Array(self.ours(tx, caller, reference, &named, faults)?)
                }
                one => {
                    let named = [(external.to_owned(), &one)];
                    self.ours(tx, caller, reference, &named, faults)?.pop().unwrap_or_default()
                }
            };
            fields.insert(field.to_owned(), ours);
            resolved.push(reference);
        }
        Ok(resolved)
    }

    /// Our ids for another system's, each of which stands at a place of its own. What is none is a fault.
    fn ours(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        reference: &Reference,
        theirs: &[(String, &Value)],
        faults: &mut Faults,
    ) -> Result<Vec<Value>, AppError> {
        let mut named = Vec::new();
        for (place, id) in theirs {
            named.extend(self.external(place, id, faults).map(|external| (place, external)));
        }
        let refs: Vec<ExternalRef> = named.iter().map(|(_, external)| external.clone()).collect();
        let known = record::find_by_refs(tx, caller.agency, reference.kind, &refs)?;
        let mut ours = Vec::new();
        for (place, external) in named {
            match known.get(&external) {
                Some(id) => ours.push(Value::String(spelled(reference.prefix, *id))),
                None if self.may_be_made_earlier(reference.kind) => {
                    let detail = "is not there, and a rehearsal does not know whether a row above, not of the same \
                        hundred, makes it";
                    faults.add(format!("/{place}"), "not_rehearsed", detail);
                }
                None => faults.unknown(format!("/{place}"), noun(reference.kind)),
            }
        }
        Ok(ours)
    }

    /// Whether an earlier part of the file, of which nothing stands, may make such a record.
    fn may_be_made_earlier(&self, kind: RecordKind) -> bool {
        let Import { dry_run, rows_done, .. } = *self.import;
        dry_run && rows_done > 0 && self.import.kind.record_kind() == Some(kind)
    }

    /// What the other system's id names, if it can be one.
    fn external(&self, place: &str, id: &Value, faults: &mut Faults) -> Option<ExternalRef> {
        let Some(system) = &self.import.external_system else {
            let detail = "say with the parameter external_system whose ids these are";
            faults.add(format!("/{place}"), "external_system_missing", detail);
            return None;
        };
        let Some(id) = id.as_str() else {
            faults.add(format!("/{place}"), "wrong_type", "must be of type string");
            return None;
        };
        let external = ExternalRef { system: system.clone(), id: id.to_owned() };
        if let Err(fault) = check_ref(&external) {
            faults.add(format!("/{place}"), "invalid_reference", fault);
            return None;
        }
        Some(external)
    }
}

/// Tells the faults of what was put in the place of another system's ids at the columns that the row has.
pub(super) fn as_it_stands(error: AppError, resolved: &[&Reference]) -> AppError {
    let AppError::Invalid(mut faults) = error else { return error };
    for fault in &mut faults {
        let column = resolved.iter().find_map(|reference| {
            let rest = fault.pointer.strip_prefix('/')?.strip_prefix(reference.field)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("/{}{rest}", reference.external))
        });
        fault.pointer = column.unwrap_or_else(|| std::mem::take(&mut fault.pointer));
    }
    AppError::Invalid(faults)
}

/// What a kind of record is called in a sentence.
fn noun(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Client => "client",
        RecordKind::Contact => "contact",
        RecordKind::Candidate => "candidate",
        RecordKind::JobOrder => "job order",
        RecordKind::Interview => "interview",
    }
}
