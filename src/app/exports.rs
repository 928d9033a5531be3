//! Exports: all records of a kind, read piece by piece.
//!
//! An export is no snapshot. Each row is as it was when its piece was read, and a record that is made
//! meanwhile may or may not be there. So no transaction stays open for as long as somebody downloads;
//! what changed meanwhile is seen with `updated_since`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

use super::AppError;
use super::exchange::{DOCUMENTS, EXTERNAL_ID, Layout, any_record};
use super::feedback::Feedback;
use super::records::{Record, View};
use crate::domain::csv_cell;
use crate::domain::exchange::{Collection, FileFormat};
use crate::domain::ids::{AgencyId, AnyRecordId};
use crate::domain::timestamp::Timestamp;
use crate::store::candidates::Candidate;
use crate::store::clients::Client;
use crate::store::connection::DbConn;
use crate::store::contacts::Contact;
use crate::store::interviews::Interview;
use crate::store::job_orders::JobOrder;
use crate::store::record::{self, ListOptions};

/// How many rows are read at once.
const PIECE: usize = 500;

/// What an export is to hold.
#[derive(Debug, Clone, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// How the file is written. Without it, as `Accept` says, and NDJSON if that does not matter.
    pub format: Option<FileFormat>,
    /// Another system: wherever it has an id for a record, that stands there instead of ours, in
    /// `external_id`, `client_external_id` and the like.
    #[param(min_length = 1, max_length = 64, example = "bullhorn")]
    #[schema(min_length = 1, max_length = 64)]
    pub external_system: Option<String>,
    /// Only what was changed at this time or later, oldest change first.
    pub updated_since: Option<Timestamp>,
    /// Tombstones too. Feedback has none, and does not take it.
    pub include_deleted: Option<bool>,
}

/// Where a piece ended: the last row's time of change, and its id.
pub type Place = (Timestamp, AnyRecordId);

/// A row, field by field.
pub type Row = Map<String, Value>;

/// Some rows of an export.
pub struct Piece {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where it ends; none if nothing follows.
    pub end: Option<Place>,
}

/// Reads the rows after a place.
pub fn read(
    conn: &mut DbConn,
    agency: AgencyId,
    collection: Collection,
    query: &ExportQuery,
    after: Option<Place>,
) -> Result<Piece, AppError> {
    let rows = match collection {
        Collection::Clients => records::<Client>(conn, agency, query, after),
        Collection::Contacts => records::<Contact>(conn, agency, query, after),
        Collection::Candidates => records::<Candidate>(conn, agency, query, after),
        Collection::JobOrders => records::<JobOrder>(conn, agency, query, after),
        Collection::Interviews => records::<Interview>(conn, agency, query, after),
        Collection::Feedback => accounts(conn, agency, query, after),
    }?;
    let end = rows.last().map(|(place, _)| *place).filter(|_| rows.len() == PIECE);
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    if let Some(system) = &query.external_system {
        rename(conn, agency, Layout::of(collection), system, &mut rows)?;
    }
    Ok(Piece { rows, end })
}

fn options<K>(query: &ExportQuery, after: Option<Place>) -> ListOptions<K> {
    ListOptions {
        updated_since: query.updated_since,
        include_deleted: query.include_deleted.unwrap_or_default(),
        named: None,
        oldest_first: true,
        after: after.map(|(at, id)| (at, id.cast())),
        limit: i64::try_from(PIECE).unwrap_or(i64::MAX),
    }
}

fn records<R: Record>(
    conn: &mut DbConn,
    agency: AgencyId,
    query: &ExportQuery,
    after: Option<Place>,
) -> Result<Vec<(Place, Row)>, AppError> {
    let rows = R::list(conn, agency, &R::Query::default(), &options(query, after))?;
    rows.iter().map(|row| Ok(((row.updated_at(), row.id().cast()), fields(row)?))).collect()
}

fn accounts(
    conn: &mut DbConn,
    agency: AgencyId,
    query: &ExportQuery,
    after: Option<Place>,
) -> Result<Vec<(Place, Row)>, AppError> {
    let accounts = Feedback::list_told(conn, agency, &options(query, after))?;
    let row = |(account, interview): &(Feedback, _)| {
        let mut row = fields(account)?;
        row.remove("waived_reason");
        row.insert("interview_id".to_owned(), json!(interview));
        row.insert("submit".to_owned(), account.is_given().into());
        Ok(((account.row.updated_at, account.row.id.cast()), row))
    };
    accounts.iter().map(row).collect()
}

fn fields(record: &impl serde::Serialize) -> Result<Row, AppError> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(AppError::Internal("a record is no object".to_owned())),
        Err(error) => Err(AppError::Internal(error.to_string())),
    }
}

/// Lets another system's ids stand instead of ours, wherever it has one.
fn rename(
    conn: &mut DbConn,
    agency: AgencyId,
    layout: &Layout,
    system: &str,
    rows: &mut [Row],
) -> Result<(), AppError> {
    let own = layout.has(EXTERNAL_ID).then_some(("id", EXTERNAL_ID));
    let others = layout.references.iter().map(|reference| (reference.field, reference.external));
    let columns: Vec<(&str, &str)> = own.into_iter().chain(others).collect();
    let mut named: Vec<AnyRecordId> =
        rows.iter().flat_map(|row| columns.iter().flat_map(|(field, _)| ids(row.get(*field)))).collect();
    named.sort_unstable();
    named.dedup();
    let names = record::refs_in(conn, agency, system, &named)?;
    for row in rows {
        for (field, external) in &columns {
            let theirs = row.get(*field).and_then(|field| theirs(field, &names));
            if theirs.is_some() {
                row.insert((*field).to_owned(), Value::Null);
            }
            row.insert((*external).to_owned(), theirs.unwrap_or_default());
        }
    }
    Ok(())
}

/// The ids that a field holds, be it one or several.
fn ids(field: Option<&Value>) -> Vec<AnyRecordId> {
    match field {
        Some(Value::Array(several)) => several.iter().filter_map(any_record).collect(),
        one => one.and_then(any_record).into_iter().collect(),
    }
}

/// What the other system has for a field, if it has something for all of it.
fn theirs(field: &Value, names: &HashMap<AnyRecordId, String>) -> Option<Value> {
    let name = |id: &Value| any_record(id).and_then(|id| names.get(&id)).cloned().map(Value::String);
    match field {
        Value::Array(several) => several.iter().map(name).collect::<Option<Vec<_>>>().map(Value::Array),
        one => name(one),
    }
}

/// The head of a file: the columns of CSV.
pub fn head(collection: Collection, format: FileFormat, query: &ExportQuery) -> Result<Vec<u8>, AppError> {
    match format {
        FileFormat::Csv => csv_text([columns(collection, query)]),
        FileFormat::Ndjson => Ok(Vec::new()),
    }
}

/// A piece as it stands in a file.
pub fn text(
    collection: Collection,
    format: FileFormat,
    query: &ExportQuery,
    rows: &[Row],
) -> Result<Vec<u8>, AppError> {
    match format {
        FileFormat::Csv => {
            let columns = columns(collection, query);
            csv_text(rows.iter().map(|row| columns.iter().map(|column| cell(column, row.get(*column)))))
        }
        FileFormat::Ndjson => {
            let mut text = Vec::new();
            for row in rows {
                serde_json::to_writer(&mut text, row).map_err(|e| AppError::Internal(e.to_string()))?;
                text.push(b'\n');
            }
            Ok(text)
        }
    }
}

/// The columns that a file has; those for another system's ids only if one is named.
fn columns(collection: Collection, query: &ExportQuery) -> Vec<&'static str> {
    let layout = Layout::of(collection);
    let is_there = |column: &&str| query.external_system.is_some() || !layout.is_external(column);
    layout.columns().filter(is_there).collect()
}

fn cell(column: &str, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(value) if DOCUMENTS.contains(&column) => csv_cell::guard_json(&value.to_string()),
        Some(Value::String(text)) => csv_cell::guard(text).into_owned(),
        Some(other) => other.to_string(),
    }
}

fn csv_text<R, C>(rows: R) -> Result<Vec<u8>, AppError>
where
    R: IntoIterator<Item: IntoIterator<Item = C>>,
    C: AsRef<[u8]>,
{
    // Line ends of RFC 4180.
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|e| AppError::Internal(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| AppError::Internal(e.to_string()))
}
