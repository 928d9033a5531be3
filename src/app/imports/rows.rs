//! Working off rows: each becomes a record, changes one, or is refused, on its own.

use serde_json::{Map, Value};

use super::{RowError, RowResult};
use crate::app::exchange::{DOCUMENTS, EXTERNAL_ID, Layout, Reference, spelled};
use crate::app::faults::{Fault, Faults};
use crate::app::records::{self, Put, Record};
use crate::app::schema::{self, Schema};
use crate::app::{AppError, feedback};
use crate::auth::caller::Caller;
use crate::domain::csv_cell;
use crate::domain::exchange::{Collection, RowStatus};
use crate::domain::ids::{AnyRecordId, Id, InterviewId};
use crate::domain::record::{ExternalRef, RecordKind};
use crate::store::candidates::Candidate;
use crate::store::clients::Client;
use crate::store::contacts::Contact;
use crate::store::imports::Import;
use crate::store::interviews::Interview;
use crate::store::job_orders::JobOrder;
use crate::store::pool::{StoreError, Tx};
use crate::store::{debriefs, record};

/// Works off rows, each of which stands as a whole or not at all. In a dry run nothing stands.
pub(super) fn work_off(
    tx: &mut Tx<'_>,
    caller: &Caller,
    import: &Import,
    lines: &[&str],
) -> Result<Vec<RowResult>, AppError> {
    let each = |tx: &mut Tx<'_>| {
        let numbered = lines.iter().zip(import.rows_done + 1..);
        numbered.map(|(line, row)| one(tx, caller, import, row, line)).collect::<Result<Vec<_>, _>>()
    };
    if !import.dry_run {
        return each(tx);
    }
    match tx.attempt(|tx| Err(each(tx).map_or_else(Undone::Failed, Undone::Rehearsed))) {
        Ok(results) | Err(Undone::Rehearsed(results)) => Ok(results),
        Err(Undone::Failed(error)) => Err(error),
    }
}

/// Why nothing of a dry run stands.
enum Undone {
    Rehearsed(Vec<RowResult>),
    Failed(AppError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

fn one(
    tx: &mut Tx<'_>,
    caller: &Caller,
    import: &Import,
    row: i64,
    line: &str,
) -> Result<RowResult, AppError> {
    let done = tx.attempt(|tx| Row { import, layout: Layout::of(import.kind) }.put(tx, caller, line));
    match done {
        Ok((put, id)) => {
            let status = match put {
                Put::Created if import.dry_run => RowStatus::WouldCreate,
                Put::Updated if import.dry_run => RowStatus::WouldUpdate,
                Put::Created => RowStatus::Created,
                Put::Updated => RowStatus::Updated,
                Put::Unchanged => RowStatus::Unchanged,
            };
            // The id of a record that was only rehearsed names nothing.
            let id = (status != RowStatus::WouldCreate).then_some(id);
            Ok(RowResult { row, status, id, errors: Vec::new() })
        }
        Err(error) => {
            Ok(RowResult { row, status: RowStatus::Failed, id: None, errors: RowError::of(error)? })
        }
    }
}

impl RowError {
    /// What is wrong with a row, in the words of the API.
    ///
    /// # Errors
    /// The error itself, if it is no fault of the row.
    fn of(error: AppError) -> Result<Vec<Self>, AppError> {
        let one =
            |code: &str, detail: String| Ok(vec![Self { pointer: None, code: code.to_owned(), detail }]);
        match error {
            AppError::Invalid(faults) => Ok(faults.into_iter().map(Into::into).collect()),
            AppError::Stale { current } => {
                one("stale_version", format!("the record is at version {current} now"))
            }
            AppError::Transition(invalid) => one("invalid_transition", invalid.to_string()),
            AppError::Conflict { code, detail, .. } => one(code.name(), detail),
            AppError::Forbidden(why) => one("forbidden", why.to_owned()),
            AppError::NotFound => one("not_found", "there is no such record".to_owned()),
            fault => Err(fault),
        }
    }
}

impl From<Fault> for RowError {
    fn from(fault: Fault) -> Self {
        Self { pointer: Some(fault.pointer), code: fault.code.into_owned(), detail: fault.detail }
    }
}

/// Which record a row speaks of, if there is one already, and what another system calls it.
type Key<K> = (Option<Id<K>>, Option<ExternalRef>);

/// A row on its way into a record.
struct Row<'a> {
    import: &'a Import,
    layout: &'static Layout,
}

impl Row<'_> {
    fn put(&self, tx: &mut Tx<'_>, caller: &Caller, line: &str) -> Result<(Put, String), AppError> {
        match self.import.kind {
            Collection::Clients => self.record::<Client>(tx, caller, line),
            Collection::Contacts => self.record::<Contact>(tx, caller, line),
            Collection::Candidates => self.record::<Candidate>(tx, caller, line),
            Collection::JobOrders => self.record::<JobOrder>(tx, caller, line),
            Collection::Interviews => self.record::<Interview>(tx, caller, line),
            Collection::Feedback => self.account(tx, caller, line),
        }
    }

    fn record<R: Record>(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        line: &str,
    ) -> Result<(Put, String), AppError> {
        let schema = schema::of::<R::Input>()?;
        let mut fields = self.fields(&schema, line)?;
        let mut faults = Faults::default();
        if !fields.remove("deleted_at").unwrap_or_default().is_null() {
            faults.add("/deleted_at", "not_allowed", "a record that was deleted is not imported");
        }
        let version = fields.remove("version").unwrap_or_default();
        let (id, external) = self.key::<R>(tx, caller, &mut fields, &mut faults)?;
        self.resolve(tx, caller, &mut fields, &mut faults)?;
        faults.into_result()?;
        // Who names a record by our id has read it, and the version says when.
        let is_by_id = id.is_some() && external.is_none();
        let expected = version.as_i64().filter(|_| is_by_id).map(|version| vec![version]);
        let (record, put) = records::put::<R>(tx, caller, id, external, expected, fields)?;
        Ok((put, record.common().id.to_string()))
    }

    fn account(&self, tx: &mut Tx<'_>, caller: &Caller, line: &str) -> Result<(Put, String), AppError> {
        const INTERVIEW: &str = "interview_id";
        let schema = schema::of::<feedback::FeedbackInput>()?;
        let mut fields = self.fields(&schema, line)?;
        let mut faults = Faults::default();
        self.resolve(tx, caller, &mut fields, &mut faults)?;
        faults.into_result()?;
        let interview = fields.remove(INTERVIEW).unwrap_or_default();
        let interview: Option<InterviewId> = interview.as_str().and_then(|id| id.parse().ok());
        let debrief = match interview {
            Some(interview) => debriefs::of_interview(tx, caller.agency, interview)?,
            None => None,
        };
        let Some(debrief) = debrief else {
            return Err(AppError::fault("/interview_id", "unknown_reference", "there is no such interview"));
        };
        let (account, put) = feedback::put(tx, caller, debrief, fields)?;
        Ok((put, account.row.id.to_string()))
    }

    /// The fields of a row, without those that the service finds out by itself.
    fn fields(&self, schema: &Schema, line: &str) -> Result<Map<String, Value>, AppError> {
        let row: Value = serde_json::from_str(line).map_err(|e| AppError::Internal(e.to_string()))?;
        let mut fields = match row {
            Value::Object(fields) => fields,
            Value::Array(cells) => self.typed(schema, cells)?,
            unreadable => {
                let detail = unreadable.as_str().unwrap_or_default();
                return Err(AppError::fault("", "malformed", detail));
            }
        };
        fields.retain(|name, _| !self.layout.read_only.contains(&name.as_str()));
        Ok(fields)
    }

    fn typed(&self, schema: &Schema, cells: Vec<Value>) -> Result<Map<String, Value>, AppError> {
        let columns = &self.import.header.0;
        if cells.len() != columns.len() {
            let detail = format!("has {} cells where the header has {}", cells.len(), columns.len());
            return Err(AppError::fault("", "wrong_number_of_cells", detail));
        }
        let pairs = columns.iter().zip(cells);
        Ok(pairs.map(|(column, cell)| (column.clone(), typed(schema, column, cell))).collect())
    }

    /// Which record the row speaks of: ours by its id, or another system's; and what that system calls it.
    fn key<R: Record>(
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
        let refs: Vec<ExternalRef> = serde_json::from_value(refs).unwrap_or_default();
        for external in &refs {
            if let Some(id) = record::find_by_ref(tx, caller.agency, R::KIND, external)? {
                return Ok((Some(id), None));
            }
        }
        Ok((None, None))
    }

    /// Puts our ids in the place of another system's.
    fn resolve(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        fields: &mut Map<String, Value>,
        faults: &mut Faults,
    ) -> Result<(), AppError> {
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
                    let mut ours = Vec::new();
                    for (i, theirs) in several.iter().enumerate() {
                        let place = format!("{external}/{i}");
                        ours.extend(self.ours(tx, caller, reference, &place, theirs, faults)?);
                    }
                    Some(Value::Array(ours))
                }
                one => self.ours(tx, caller, reference, external, &one, faults)?,
            };
            if let Some(ours) = ours {
                fields.insert(field.to_owned(), ours);
            }
        }
        Ok(())
    }

    fn ours(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        reference: &Reference,
        place: &str,
        theirs: &Value,
        faults: &mut Faults,
    ) -> Result<Option<Value>, AppError> {
        let Some(external) = self.external(place, theirs, faults) else { return Ok(None) };
        let found: Option<AnyRecordId> =
            record::find_by_ref::<_>(tx, caller.agency, reference.kind, &external)?;
        if found.is_none() {
            faults.unknown(format!("/{place}"), noun(reference.kind));
        }
        Ok(found.map(|id| Value::String(spelled(reference.prefix, id))))
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
        Some(ExternalRef { system: system.clone(), id: id.to_owned() })
    }
}

/// A cell as what the column holds. An empty one is nothing.
fn typed(schema: &Schema, column: &str, cell: Value) -> Value {
    let text = match &cell {
        Value::String(text) if !text.is_empty() => text,
        _ => return Value::Null,
    };
    if DOCUMENTS.contains(&column) {
        return serde_json::from_str(text).unwrap_or(cell);
    }
    // Spreadsheets write TRUE and FALSE.
    match schema.typed(column, &text.to_ascii_lowercase()) {
        Value::String(_) if column == "version" => text.parse().map_or(cell, Value::Number),
        Value::String(_) => Value::String(csv_cell::unguard(text).into_owned()),
        other => other,
    }
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
