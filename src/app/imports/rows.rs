//! Working off rows: each becomes a record, changes one, or is refused, on its own.

mod named;

use std::collections::HashSet;

use serde_json::{Map, Value};

use self::named::as_it_stands;
use super::{RowError, RowResult};
use crate::app::AppError;
use crate::app::error::ConflictCode;
use crate::app::exchange::{DOCUMENTS, Layout};
use crate::app::faults::{Fault, Faults, codes};
use crate::app::feedback::{self, Read};
use crate::app::records::{self, Put, Record};
use crate::app::schema::{self, Schema};
use crate::auth::caller::Caller;
use crate::domain::csv_cell;
use crate::domain::exchange::{Collection, RowStatus};
use crate::domain::ids::InterviewId;
use crate::store::candidates::Candidate;
use crate::store::clients::Client;
use crate::store::contacts::Contact;
use crate::store::debriefs;
use crate::store::imports::Import;
use crate::store::interviews::Interview;
use crate::store::job_orders::JobOrder;
use crate::store::pool::{StoreError, Tx};

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
        Ok(results) | Err(Undone::Rehearsed(results)) => Ok(without_rehearsed(results)),
        Err(Undone::Failed(error)) => Err(error),
    }
}

/// The same without the ids of records that were only rehearsed: they name nothing.
fn without_rehearsed(mut results: Vec<RowResult>) -> Vec<RowResult> {
    let made = results.iter().filter(|result| result.status == RowStatus::WouldCreate);
    let made: HashSet<String> = made.filter_map(|result| result.id.clone()).collect();
    for result in &mut results {
        result.id.take_if(|id| made.contains(id));
    }
    results
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
    let mut put = || tx.attempt(|tx| Row { import, layout: Layout::of(import.kind) }.put(tx, caller, line));
    let done = match put() {
        // Somebody may have made the record at the same time: then the row is for that one.
        Err(error) if is_taken(&error) => put(),
        done => done,
    };
    match done {
        Ok((put, id)) => {
            let status = match put {
                Put::Created if import.dry_run => RowStatus::WouldCreate,
                Put::Updated if import.dry_run => RowStatus::WouldUpdate,
                Put::Created => RowStatus::Created,
                Put::Updated => RowStatus::Updated,
                Put::Unchanged => RowStatus::Unchanged,
            };
            Ok(RowResult { row, status, id: Some(id), errors: Vec::new() })
        }
        Err(error) => {
            Ok(RowResult { row, status: RowStatus::Failed, id: None, errors: RowError::of(error)? })
        }
    }
}

/// Whether something that only one record can have was found to be another's.
fn is_taken(error: &AppError) -> bool {
    match error {
        AppError::Conflict { code, .. } => *code == ConflictCode::AlreadyExists,
        AppError::Invalid(faults) => {
            faults.iter().any(|fault| fault.code == ConflictCode::AlreadyExists.name())
        }
        _ => false,
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
            AppError::Unmet(why) => one("stale_version", why.to_owned()),
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
        debug_assert!(codes::is_known(&fault.code), "{fault:?}");
        Self { pointer: Some(fault.pointer), code: fault.code.into_owned(), detail: fault.detail }
    }
}

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
        let version = version(&mut fields, &mut faults);
        let (id, external) = self.key::<R>(tx, caller, &mut fields, &mut faults)?;
        let resolved = self.resolve(tx, caller, &mut fields, &mut faults)?;
        faults.into_result()?;
        // Who names a record by our id has read it, and the version says when.
        let is_by_id = id.is_some() && external.is_none();
        let expected = version.filter(|_| is_by_id).map(|version| vec![version]);
        let put = records::put::<R>(tx, caller, id, external, expected, fields);
        let (record, put) = put.map_err(|error| as_it_stands(error, &resolved))?;
        Ok((put, record.common().id.to_string()))
    }

    fn account(&self, tx: &mut Tx<'_>, caller: &Caller, line: &str) -> Result<(Put, String), AppError> {
        const INTERVIEW: &str = "interview_id";
        let schema = schema::of::<feedback::FeedbackInput>()?;
        let mut fields = self.fields(&schema, line)?;
        let mut faults = Faults::default();
        let id = fields.remove("id").filter(|id| !id.is_null());
        let read = version(&mut fields, &mut faults).map(|version| Read { id, version });
        let resolved = self.resolve(tx, caller, &mut fields, &mut faults)?;
        faults.into_result()?;
        let interview = fields.remove(INTERVIEW).unwrap_or_default();
        let interview: Option<InterviewId> = interview.as_str().and_then(|id| id.parse().ok());
        let debrief = match interview {
            Some(interview) => debriefs::of_interview(tx, caller.agency, interview)?,
            None => None,
        };
        let Some(debrief) = debrief else {
            let unknown = AppError::fault("/interview_id", "unknown_reference", "there is no such interview");
            return Err(as_it_stands(unknown, &resolved));
        };
        let put = feedback::put(tx, caller, debrief, fields, read);
        let (account, put) = put.map_err(|error| as_it_stands(error, &resolved))?;
        Ok((put, account.row.id.to_string()))
    }

    /// The fields of a row, without those that the service finds out by itself.
    fn fields(&self, schema: &Schema, line: &str) -> Result<Map<String, Value>, AppError> {
        let row: Value = serde_json::from_str(line).map_err(|e| AppError::Internal(e.to_string()))?;
        let row = match row {
            Value::Array(cells) => Value::Object(self.typed(schema, cells)?),
            other => other,
        };
        // Before anything is looked up, or checked field by field.
        schema::check_size(&row)?;
        let Value::Object(mut fields) = row else {
            return Err(AppError::fault("", "malformed", row.as_str().unwrap_or_default()));
        };
        fields.retain(|name, _| !self.layout.is_read_only(name));
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
}

/// The version at which whoever wrote the row had read the record, if the row says.
fn version(fields: &mut Map<String, Value>, faults: &mut Faults) -> Option<i64> {
    let version = fields.remove("version").filter(|version| !version.is_null())?;
    let read = version.as_i64();
    if read.is_none() {
        faults.add("/version", "wrong_type", "must be of type integer");
    }
    read
}

/// A cell as what the column holds. An empty one is nothing.
fn typed(schema: &Schema, column: &str, cell: Value) -> Value {
    let text = match &cell {
        Value::String(text) if !text.is_empty() => text,
        _ => return Value::Null,
    };
    if DOCUMENTS.contains(&column) {
        return schema::parse(text.as_bytes()).unwrap_or(cell);
    }
    // Spreadsheets write TRUE and FALSE.
    match schema.typed(column, &text.to_ascii_lowercase()) {
        Value::String(_) if column == "version" => text.parse().map_or(cell, Value::Number),
        Value::String(_) => Value::String(csv_cell::unguard(text).into_owned()),
        other => other,
    }
}
